//! The events of an object at the end of its description.

use super::About;
use super::page::Page;
use crate::api::registry::Kind;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;
use crate::cluster::request::Options;

/// Writes the table of events, or `<none>`.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let options = Options {
        field_selector: format!(
            "involvedObject.name={},involvedObject.namespace={},involvedObject.kind={},involvedObject.uid={}",
            object.name(),
            object.namespace(),
            object.key.kind.name(),
            event_uid(about)
        ),
        ..Options::default()
    };
    let namespace = if object.namespace().is_empty() { "" } else { object.namespace().as_str() };
    let mut events = about.call.list(Kind::Event, namespace, options).unwrap_or_default();
    if events.is_empty() {
        page.line(0, "Events:\t<none>");
        return;
    }
    page.flush();
    events.sort_by(|a, b| {
        last(&a.value).cmp(&last(&b.value)).then(a.meta.resource_version.cmp(&b.meta.resource_version))
    });
    let now = about.call.host().with(|simulation| simulation.cluster.timestamp());
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    for event in &events {
        page.line(1, &row(&event.value, now));
    }
}

/// kubectl asks for a Node's events by its name, which the kubelet gives as uid.
fn event_uid(about: &About<'_>) -> String {
    if about.object.key.kind == Kind::Node {
        about.object.name().to_string()
    } else {
        about.object.meta.uid.to_string()
    }
}

fn last(event: &Value) -> Timestamp {
    let at = |field: &str| Timestamp::of(event.get(field));
    at("lastTimestamp").or_else(|| at("eventTime")).or_else(|| at("firstTimestamp")).unwrap_or_default()
}

fn row(event: &Value, now: Timestamp) -> String {
    let ago = |at: Option<Timestamp>| at.map_or("<unknown>".to_owned(), |at| human_duration(now.0 - at.0));
    let first = Timestamp::of(event.get("eventTime")).or_else(|| Timestamp::of(event.get("firstTimestamp")));
    let count = event.get("count").as_int().unwrap_or(0);
    let age = if count > 1 {
        format!("{} (x{count} over {})", ago(Timestamp::of(event.get("lastTimestamp"))), ago(first))
    } else {
        ago(first)
    };
    let component = event.at(&["source", "component"]).str();
    let from = if component.is_empty() { event.get("reportingComponent").str() } else { component };
    let path = event.at(&["involvedObject", "fieldPath"]).str();
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!(
        "{}\t{}\t{age}\t{from}\t{place}{}",
        event.get("type").str(),
        event.get("reason").str(),
        event.get("message").str().trim()
    )
}
