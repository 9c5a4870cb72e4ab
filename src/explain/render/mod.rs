//! Findings in words: what happened, why, and what to try.
//!
//! Owns the words of every finding in both languages, side by side, one file per subject; [`render`] chooses.
//! Each language is written for itself. Evidence stays as Kubernetes spells it.

mod connection;
mod name;
mod pod;
mod refusal;
mod service;
mod spread;

use super::finding::{Cause, Finding, Fix, named};
use crate::words::Language;

/// A finding in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// What happened, in a sentence.
    pub what: String,
    /// Why, and what is worth knowing about it; may be empty.
    pub why: String,
    /// The evidence: what is asked for beside what is there.
    pub evidence: Vec<(String, String)>,
}

impl Said {
    fn new(what: String, why: String) -> Self {
        Self { what, why, evidence: Vec::new() }
    }

    fn row(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.evidence.push((label.into(), value.into()));
        self
    }
}

/// The text of one language; both are format strings over the same names.
macro_rules! say {
    ($language:expr, $en:literal, $zh:literal $(,)?) => {
        match $language {
            $crate::words::Language::English => format!($en),
            $crate::words::Language::Chinese => format!($zh),
        }
    };
}
pub(super) use say;

/// A finding in words of a language.
#[must_use]
pub fn render(finding: &Finding, language: Language) -> Said {
    let subject = named(&finding.subject);
    match &finding.cause {
        Cause::Service(cause) => service::words(cause, &subject, language),
        Cause::Pod(cause) => pod::words(cause, &subject, language),
        Cause::Workload(cause) => pod::workload(cause, &subject, language),
        Cause::Connection(cause) => connection::words(cause, &finding.subject, language),
        Cause::Spread(cause) => spread::words(cause, &subject, language),
        Cause::Name(cause) => name::words(cause, language),
        Cause::Variable(cause) => name::variable(cause, &subject, language),
        Cause::Refusal(cause) => refusal::words(cause, &subject, language),
        Cause::Command(cause) => refusal::command(cause, language),
    }
}

/// What helps, in words of a language; a command stays as it is typed.
#[must_use]
pub fn fix(fix: &Fix, language: Language) -> String {
    match fix {
        Fix::Command(command) => command.clone(),
        Fix::Edit { key, field, value } => {
            let name = named(key);
            if key.name.is_empty() {
                return say!(language, "set {field} to {value}", "把 {field} 改为 {value}");
            }
            say!(
                language,
                "in the manifest of {name}, set {field} to {value}",
                "在 {name} 的清单中把 {field} 改为 {value}"
            )
        }
    }
}

/// Numbers with commas, or a word for none.
pub(super) fn numbers(list: &[u16], language: Language) -> String {
    match list {
        [] => say!(language, "none", "无"),
        _ => list.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Pairs as labels are written: `app=web,tier=front`, or `<none>`.
fn pairs(list: &[(crate::api::value::SmolStr, crate::api::value::SmolStr)]) -> String {
    match list {
        [] => "<none>".to_owned(),
        _ => list.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","),
    }
}
