//! Checks and defaults of single fields, shared by the rules of all kinds.
//!
//! Owns how a broken rule at a field becomes a [`FieldError`], and how absent fields are filled without
//! copying what is complete already: Pods of one template share it, and must go on doing so.

use std::sync::OnceLock;

use super::names::{self, Check};
use crate::api::json;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Errors in the server's order.
pub(super) type Errors = Vec<FieldError>;

/// An empty map; the same shared one each time.
pub(super) fn empty_map() -> Value {
    static EMPTY: OnceLock<Value> = OnceLock::new();
    EMPTY.get_or_init(Value::map).clone()
}

/// Lets `change` fill each item of a list. The list is copied only if an item really changes.
pub(super) fn each(parent: &mut Value, field: &'static str, change: fn(&mut Value)) {
    let mut changed: Option<Vec<Value>> = None;
    let items = parent.get(field).items();
    for (index, item) in items.iter().enumerate() {
        let mut copy = item.clone();
        change(&mut copy);
        if !copy.same(item) {
            changed.get_or_insert_with(|| items.to_vec())[index] = copy;
        }
    }
    if let Some(items) = changed {
        parent.set(field, items);
    }
}

/// Lets `change` fill the map at a field, if there is one. Its parent is copied only if it really changes.
pub(super) fn within(parent: &mut Value, field: &'static str, change: fn(&mut Value)) {
    let inner = parent.get(field);
    if inner.as_map().is_none() {
        return;
    }
    let mut copy = inner.clone();
    change(&mut copy);
    if !copy.same(inner) {
        parent.set(field, copy);
    }
}

/// Fills several absent fields.
pub(super) fn fill(target: &mut Value, defaults: &[(&'static str, Value)]) {
    for (field, value) in defaults {
        if target.get(field).is_null() {
            target.set(field, value.clone());
        }
    }
}

/// Checks a text; the errors show it.
pub(super) fn text(errors: &mut Errors, path: &str, text: &str, check: Check) {
    errors.extend(check(text).into_iter().map(|why| FieldError::invalid(path, json::quote(text), why)));
}

/// Checks a text that must be there.
pub(super) fn required_text(errors: &mut Errors, path: &str, value: &Value, check: Check) {
    match value.str() {
        "" => errors.push(FieldError::required(path, "")),
        found => text(errors, path, found, check),
    }
}

/// Checks a text against the values that are supported; an absent one must be there.
pub(super) fn one_of(errors: &mut Errors, path: &str, value: &Value, supported: &[&str]) {
    match value.str() {
        "" => errors.push(FieldError::required(path, "")),
        found if supported.contains(&found) => {}
        found => errors.push(FieldError::not_supported(path, json::quote(found), supported)),
    }
}

/// Checks that a number, if there is one, is not negative.
pub(super) fn nonnegative(errors: &mut Errors, path: &str, value: &Value) {
    if let Some(number) = value.as_int().filter(|number| *number < 0) {
        errors.push(FieldError::invalid(path, number.to_string(), "must be greater than or equal to 0"));
    }
}

/// Checks that a text or number was given.
pub(super) fn required(errors: &mut Errors, path: &str, value: &Value) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
}

/// Checks that a number, if there is one, is in a range.
pub(super) fn in_range(errors: &mut Errors, path: &str, value: &Value, least: i64, most: i64) {
    if let Some(number) = value.as_int().filter(|number| !(least..=most).contains(number)) {
        errors.push(FieldError::invalid(path, number.to_string(), names::between(least, most)));
    }
}

/// Checks a text, if there is one, against the values that are supported; an empty one is none of them.
pub(super) fn one_of_or_none(errors: &mut Errors, path: &str, value: &Value, supported: &[&str]) {
    if let Some(found) = value.as_str().filter(|found| !supported.contains(found)) {
        errors.push(FieldError::not_supported(path, json::quote(found), supported));
    }
}

/// Checks a port number.
pub(super) fn port(errors: &mut Errors, path: &str, value: &Value) {
    let number = value.as_int().unwrap_or(0);
    if !names::is_port(number) {
        errors.push(FieldError::invalid(path, number.to_string(), names::PORT));
    }
}

/// Checks a port that is given by number or by name.
pub(super) fn port_or_name(errors: &mut Errors, path: &str, value: &Value) {
    match value.as_str() {
        Some(name) => text(errors, path, name, names::port_name),
        None => port(errors, path, value),
    }
}

/// A value in an error that shows the whole of it, such as a list or a selector.
pub(super) fn shown(path: impl Into<String>, value: &Value, why: &str) -> FieldError {
    FieldError::invalid(path, json::compact(value), why)
}

/// Checks that a field did not change.
pub(super) fn immutable(errors: &mut Errors, path: &str, new: &Value, old: &Value) {
    if new != old {
        errors.push(shown(path, new, "field is immutable"));
    }
}

/// Checks labels, a node selector or the selector of a Service.
pub(super) fn labels(errors: &mut Errors, path: &str, labels: &Value) {
    for (key, value) in labels.entries() {
        text(errors, path, key, names::label_key);
        text(errors, path, value.str(), names::label_value);
    }
}

/// Checks a `LabelSelector`.
pub(super) fn label_selector(errors: &mut Errors, path: &str, selector: &Value) {
    labels(errors, &format!("{path}.matchLabels"), selector.get("matchLabels"));
    for (index, expression) in selector.get("matchExpressions").items().iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = expression.get("values").items();
        match expression.get("operator").str() {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                format!("{path}.values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "In" | "NotIn" => {}
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                format!("{path}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "Exists" | "DoesNotExist" => {}
            other => errors.push(FieldError::invalid(
                format!("{path}.operator"),
                json::quote(other),
                "not a valid selector operator",
            )),
        }
        text(errors, &format!("{path}.key"), expression.get("key").str(), names::label_key);
        for (at, value) in values.iter().enumerate() {
            text(errors, &format!("{path}.values[{at}]"), value.str(), names::label_value);
        }
    }
}
