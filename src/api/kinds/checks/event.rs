//! Checks of Events: what every one must have, and what those of `events.k8s.io/v1` must have besides.
//!
//! All of them take the form of `v1`, in which Events are stored; errors name the fields as the server's inner
//! form does. Source: `pkg/apis/core/validation/events.go` of kubernetes.

use super::super::field::{Errors, immutable};
use super::super::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// The longest reporting instance, action and reason.
const LONGEST_WORD: usize = 128;
/// The longest message.
const LONGEST_NOTE: usize = 1024;

/// Checks an Event of either form (`legacyValidateEvent`).
pub fn event(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Event, document);
    let namespace = document.at(&["metadata", "namespace"]).str();
    let about = document.at(&["involvedObject", "namespace"]).str();
    let timed = !document.get("eventTime").is_empty();
    let agrees = match (timed, about) {
        (false, "") => namespace == "default",
        (false, about) => namespace == about,
        (true, "") => matches!(namespace, "default" | "kube-system"),
        (true, _) => true,
    };
    if !agrees {
        let why = "does not match event.namespace";
        errors.push(FieldError::invalid("involvedObject.namespace", format!("{about:?}"), why));
    }
    if timed {
        reported(document, &mut errors);
    }
    errors
}

/// Checks what an Event with a time of its own says of its origin.
fn reported(document: &Value, errors: &mut Errors) {
    let controller = document.get("reportingComponent").str();
    if controller.is_empty() {
        errors.push(FieldError::required("reportingController", ""));
    }
    for why in names::label_key(controller) {
        errors.push(FieldError::invalid("reportingController", format!("{controller:?}"), why));
    }
    for field in ["reportingInstance", "action", "reason"] {
        let text = document.get(field).str();
        if text.is_empty() {
            errors.push(FieldError::required(field, ""));
        }
        at_most(errors, field, text, LONGEST_WORD);
    }
    at_most(errors, "message", document.get("message").str(), LONGEST_NOTE);
}

fn at_most(errors: &mut Errors, field: &str, text: &str, most: usize) {
    if text.len() > most {
        errors.push(FieldError::invalid(field, "\"\"", format!("can have at most {most} characters")));
    }
}

/// Checks a new Event of `events.k8s.io/v1`.
pub fn new_event(document: &Value) -> Errors {
    let mut errors = event(document);
    series(document, &mut errors);
    if document.get("eventTime").is_empty() {
        errors.push(FieldError::required("eventTime", ""));
    }
    let kind = document.get("type").str();
    if !matches!(kind, "Normal" | "Warning") {
        errors.push(FieldError::invalid("type", "\"\"", format!("has invalid value: {kind}")));
    }
    let source = document.get("source");
    let left_over = [
        ("firstTimestamp", !document.get("firstTimestamp").is_empty()),
        ("lastTimestamp", !document.get("lastTimestamp").is_empty()),
        ("count", document.get("count").as_int().is_some_and(|count| count != 0)),
        ("source", ["component", "host"].iter().any(|field| !source.get(field).is_empty())),
    ];
    for (field, _) in left_over.iter().filter(|(_, set)| *set) {
        errors.push(FieldError::invalid(*field, "\"\"", "needs to be unset"));
    }
    errors
}

fn series(document: &Value, errors: &mut Errors) {
    let series = document.get("series");
    if series.is_null() {
        return;
    }
    if series.get("count").as_int().unwrap_or(0) < 2 {
        errors.push(FieldError::invalid("series.count", "\"\"", "should be at least 2"));
    }
    if series.get("lastObservedTime").is_empty() {
        errors.push(FieldError::required("series.lastObservedTime", ""));
    }
}

/// What no change may touch, by the names in errors and in documents, in the server's order.
const IMMUTABLE: [(&str, &str); 13] = [
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("source", "source"),
    ("firstTimestamp", "firstTimestamp"),
    ("lastTimestamp", "lastTimestamp"),
    ("count", "count"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingComponent"),
    ("reportingInstance", "reportingInstance"),
];

/// Checks a change of an Event that comes by `events.k8s.io/v1`.
pub fn changed_event(document: &Value, before: &Value) -> Errors {
    let mut errors = event(document);
    if document.get("series") != before.get("series") {
        series(document, &mut errors);
    }
    for (shown, field) in IMMUTABLE {
        let (new, old) = (document.get(field), before.get(field));
        if !(new.is_empty() && old.is_empty()) {
            immutable(&mut errors, shown, new, old);
        }
    }
    errors
}
