//! What types and fields are for, in words of our own, in every language of the page.
//!
//! Owns the embedded texts (`field_words/LANGUAGE/*.txt`) and the way to one of them. What a type's fields
//! *are* (their shape, whether they are required, their default) is [`super::schema`]'s. Nothing is read
//! before it is asked for, and what is read is kept as slices of the embedded text.
//!
//! A file is lines: `TYPE: words` names a type of the schema, the lines below it that begin with two
//! blanks, `  FIELD: words`, its fields; `#` begins a comment. The type `*` holds fields that mean the
//! same wherever they occur and are not written again.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::words::{Language, Words};

/// The type whose fields stand for those of every type that does not list them.
const EVERY_TYPE: &str = "*";

macro_rules! texts {
    ($($file:literal)*) => {
        /// Every file, in both languages.
        static TEXTS: &[Words] = &[$( Words {
            en: include_str!(concat!("field_words/en/", $file, ".txt")),
            zh: include_str!(concat!("field_words/zh-CN/", $file, ".txt")),
        } ),*];
    };
}

// A file is one line here, in order.
texts! {
    "apps"
    "authentication"
    "autoscaling"
    "batch"
    "cluster"
    "common"
    "container"
    "coordination"
    "discovery"
    "events"
    "networking"
    "node"
    "pod"
    "pod-status"
    "policy"
    "probe"
    "rbac"
    "scheduling"
    "security"
    "service"
    "storage"
    "storage-backend"
    "storage.k8s.io"
    "volume"
}

/// What the type of this name (`apps/v1.DeploymentSpec`, as the schema names it) is.
#[must_use]
pub fn of_type(name: &str, language: Language) -> Option<&'static str> {
    let first = section(name, language)?.lines().next()?;
    first.split_once(": ").map(|(_, words)| words)
}

/// What the field `field` of the type `name` is for.
#[must_use]
pub fn of_field(name: &str, field: &str, language: Language) -> Option<&'static str> {
    let own = |name| {
        let mut lines = section(name, language)?.lines();
        lines.find_map(|line| line.strip_prefix("  ")?.strip_prefix(field)?.strip_prefix(": "))
    };
    own(name).or_else(|| own(EVERY_TYPE))
}

/// The lines of a type: its own first, then those of its fields.
fn section(name: &str, language: Language) -> Option<&'static str> {
    static SECTIONS: [OnceLock<Sections>; 2] = [OnceLock::new(), OnceLock::new()];
    let sections = &SECTIONS[usize::from(language == Language::Chinese)];
    sections
        .get_or_init(|| TEXTS.iter().flat_map(|text| split(text.in_language(language))).collect())
        .get(name)
        .copied()
}

/// The lines of each type, by its name.
type Sections = FxHashMap<&'static str, &'static str>;

/// The types of a file with their lines, in order.
fn split(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some((name, _)) = line.split_once(": ").filter(|_| !line.starts_with([' ', '#'])) {
            found.push((name, at));
        }
        at += line.len();
    }
    let ends = found.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
    found.iter().zip(ends).map(|(&(name, start), end)| (name, &text[start..end])).collect()
}

#[cfg(test)]
mod tests;
