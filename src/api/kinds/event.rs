//! Events: table.

use super::table::{shown, since, wide};
use super::{Rules, STORED};
use crate::api::object::Object;
use crate::api::table::Column;
use crate::api::time::Timestamp;

/// The rules of Events.
pub(super) const RULES: Rules = Rules { columns: COLUMNS, cells, ..STORED };

const COLUMNS: &[Column] = &[
    shown("Last Seen"),
    shown("Type"),
    shown("Reason"),
    shown("Object"),
    wide("Subobject"),
    wide("Source"),
    shown("Message"),
    wide("First Seen"),
    wide("Count"),
    wide("Name"),
];

fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let event = &object.value;
    let text = |field: &str| event.get(field).str().to_owned();
    let first = match event.get("firstTimestamp") {
        time if time.is_null() => since(event.get("eventTime"), now),
        time => since(time, now),
    };
    let series = event.get("series");
    let last = match (series.is_null(), event.get("lastTimestamp")) {
        (false, _) => since(series.get("lastObservedTime"), now),
        (true, time) if time.is_null() => first.clone(),
        (true, time) => since(time, now),
    };
    let count = if series.is_null() { event.get("count") } else { series.get("count") };
    let about = event.get("involvedObject");
    let kind = about.get("kind").str().to_ascii_lowercase();
    let target = match about.get("name").str() {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        last,
        text("type"),
        text("reason"),
        target,
        about.get("fieldPath").str().to_owned(),
        source(object),
        event.get("message").str().trim().to_owned(),
        first,
        count.as_int().filter(|count| *count > 0).unwrap_or(1).to_string(),
        object.key.name.to_string(),
    ]
}

/// Who reported it: the component, and the node where there is one.
fn source(object: &Object) -> String {
    let event = &object.value;
    let first = |field: &str, otherwise: &str| match event.at(&["source", field]).str() {
        "" => event.get(otherwise).str(),
        given => given,
    };
    let host = first("host", "reportingInstance");
    let comma = if host.is_empty() { "" } else { ", " };
    format!("{}{comma}{host}", first("component", "reportingComponent"))
}
