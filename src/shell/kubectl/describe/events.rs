//! The events of an object at the end of its description.

use std::sync::Arc;

use super::About;
use super::page::Page;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;
use crate::cluster::request::Options;

/// Writes the table of events, or `<none>`.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let mut events = of_uid(about, &object.meta.uid);
    if object.key.kind == Kind::Node {
        // The kubelet gives a Node's name for its uid; kubectl asks for both.
        events.extend(of_uid(about, object.name()));
    }
    if events.is_empty() {
        page.line(0, "Events:\t<none>");
        return;
    }
    page.flush();
    events.sort_by_key(|event| Timestamp::of(event.value.get("lastTimestamp")));
    let now = about.call.host().with(|simulation| simulation.cluster.timestamp());
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    for event in &events {
        page.line(1, &row(&event.value, now));
    }
}

fn of_uid(about: &About<'_>, uid: &str) -> Vec<Arc<Object>> {
    let object = about.object;
    let (name, namespace, kind) = (object.name(), object.namespace(), object.key.kind.name());
    let field_selector = format!(
        "involvedObject.name={name},involvedObject.namespace={namespace},involvedObject.kind={kind},involvedObject.uid={uid}"
    );
    let options = Options { field_selector, ..Options::default() };
    about.call.list(Kind::Event, namespace, options).unwrap_or_default()
}

fn row(event: &Value, now: Timestamp) -> String {
    let ago = |at: Option<Timestamp>| at.map_or("<unknown>".to_owned(), |at| human_duration(now.0 - at.0));
    let first = Timestamp::of(event.get("eventTime")).or_else(|| Timestamp::of(event.get("firstTimestamp")));
    let count = event.get("count").as_int().unwrap_or(0);
    let series = event.get("series");
    let age = if let Some(times) = series.get("count").as_int() {
        let seen = ago(Timestamp::of(series.get("lastObservedTime")));
        format!("{seen} (x{times} over {})", ago(first))
    } else if count > 1 {
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
