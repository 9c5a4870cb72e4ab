//! Events: table, and the two forms that they have: `v1` and `events.k8s.io/v1`.
//!
//! Owns the names of fields in both forms and what of them is shown; what is checked is in
//! [`super::checks::event`]. Source: `pkg/apis/events/v1/conversion.go` of kubernetes.

use super::checks::event as check;
use super::table::{shown, since, wide};
use super::{Rules, STORED};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;

/// The rules of Events.
pub(super) const RULES: Rules = Rules {
    columns: COLUMNS,
    cells,
    default: |document| {
        for field in ["eventTime", "firstTimestamp", "lastTimestamp"] {
            present(document, field, Value::Null);
        }
        present(document, "source", Value::map());
        for field in ["reportingComponent", "reportingInstance"] {
            present(document, field, Value::text(""));
        }
    },
    validate: check::event,
    validate_update: |document, _| check::event(document),
    ..STORED
};

/// The rules of Events of `events.k8s.io`, which are checked in the form of `v1`.
pub(super) const CONVERTED: Rules = Rules {
    columns: COLUMNS,
    cells: |object, now| {
        let mut value = object.value.clone();
        to_stored(&mut value);
        cells(&Object::new(Kind::Event, value, None), now)
    },
    validate: check::new_event,
    validate_update: check::changed_event,
    ..STORED
};

/// Fields whose names differ: in `v1`, and in `events.k8s.io/v1`.
const RENAMED: [(&str, &str); 7] = [
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
];

/// Gives a document of `events.k8s.io/v1` the form of `v1`.
pub fn to_stored(document: &mut Value) {
    document.set("apiVersion", Kind::Event.info().api_version);
    for (stored, shown) in RENAMED {
        rename(document, shown, stored);
    }
}

/// Gives a document of `v1` the form of `events.k8s.io/v1`, which leaves empty texts away.
pub fn to_shown(document: &mut Value) {
    document.set("apiVersion", Kind::EventOfEvents.info().api_version);
    for (stored, shown) in RENAMED {
        rename(document, stored, shown);
    }
    document.map_mut().retain(|_, value| value.as_str() != Some(""));
}

/// Writes a field that Events show even where it is empty.
fn present(document: &mut Value, field: &'static str, empty: Value) {
    if document.as_map().is_none_or(|map| !map.contains(field)) {
        document.set(field, empty);
    }
}

fn rename(document: &mut Value, from: &str, to: &'static str) {
    if document.as_map().is_some_and(|map| map.contains(from)) {
        let value = document.remove(from);
        document.set(to, value);
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn an_event_has_the_same_content_in_both_forms() {
        let stored = value!({
            "apiVersion": "v1", "kind": "Event", "count": 2, "eventTime": null, "message": "m",
            "involvedObject": { "kind": "Pod" }, "source": { "component": "c" }, "reportingComponent": ""
        });
        let mut event = stored.clone();
        to_shown(&mut event);
        let shown = value!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "deprecatedCount": 2, "eventTime": null, "note": "m",
            "regarding": { "kind": "Pod" }, "deprecatedSource": { "component": "c" }
        });
        assert_eq!(event, shown);
        to_stored(&mut event);
        event.set("reportingComponent", "");
        assert_eq!(event, stored);
    }
}
