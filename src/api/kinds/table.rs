//! Tables: columns and cells that many kinds have in common.
//!
//! Owns the constructors of columns and the cell texts that more than one kind prints
//! (`pkg/printers/internalversion`).

use crate::api::object::Object;
use crate::api::selector::Selector;
use crate::api::table::Column;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;

/// The column that every table begins with.
pub(super) const NAME: Column = shown("Name");
/// The column of ages.
pub(super) const AGE: Column = shown("Age");

/// A column that is always printed.
pub(super) const fn shown(name: &'static str) -> Column {
    Column { name, priority: 0 }
}

/// A column that `-o wide` adds.
pub(super) const fn wide(name: &'static str) -> Column {
    Column { name, priority: 1 }
}

/// Text, or `<none>` for an empty one.
pub(super) fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>" } else { text }.to_owned()
}

/// Texts with commas between.
pub(super) fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(",")
}

/// A whole number; 0 where there is none.
pub(super) fn count(value: &Value) -> String {
    value.as_int().unwrap_or(0).to_string()
}

/// `True` or `False`.
pub(super) fn flag(value: &Value) -> String {
    if value.as_bool() == Some(true) { "True" } else { "False" }.to_owned()
}

/// Labels as `a=b,c=d`, or `<none>`.
pub(super) fn label_pairs(labels: &Value) -> String {
    or_none(&join(labels.entries().iter().map(|(key, value)| format!("{key}={}", value.str()))))
}

/// A label selector's printed form; `<none>` for an empty or absent one.
pub(super) fn selector(value: &Value) -> String {
    Selector::of_label_selector(value).map_or_else(|| "<none>".to_owned(), |selector| selector.to_string())
}

/// The names and the images of a template's containers.
pub(super) fn containers(template: &Value) -> [String; 2] {
    let list = template.at(&["spec", "containers"]).items();
    ["name", "image"].map(|field| join(list.iter().map(|one| one.get(field).str().to_owned())))
}

/// How long ago a time in a field was; `<unknown>` where there is none.
pub(super) fn since(value: &Value, now: Timestamp) -> String {
    Timestamp::of(value).map_or_else(|| "<unknown>".to_owned(), |at| human_duration(now.0 - at.0))
}

/// At most three texts, and how many more there are: `a,b,c + 2 more...`.
pub(super) fn first_three(texts: &[String], none: &str) -> String {
    const SHOWN: usize = 3;
    match texts.len() {
        0 => none.to_owned(),
        1..=SHOWN => texts.join(","),
        all => format!("{} + {} more...", texts[..SHOWN].join(","), all - SHOWN),
    }
}

/// The cells of kinds whose table is name and age.
pub(super) fn name_and_age(object: &Object, now: Timestamp) -> Vec<String> {
    vec![object.key.name.to_string(), super::age(object, now)]
}
