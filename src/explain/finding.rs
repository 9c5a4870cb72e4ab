//! Findings: what is the matter with an object or a failed command, as data.
//!
//! Owns [`Finding`], its parts, and the short forms of commands that fix things. What can be the matter is one
//! enum per subject, beside the code that finds it; the words are in [`super::render`].

use crate::api::object::Key;
use crate::api::registry::Kind;

use super::command::CommandCause;
use super::connection::ConnectionCause;
use super::name::NameCause;
use super::pod::PodCause;
use super::refusal::RefusalCause;
use super::service::ServiceCause;
use super::spread::SpreadCause;
use super::variables::VariableCause;
use super::workload::WorkloadCause;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does not work.
    Problem,
    /// It works, and something about it surprises many.
    Note,
    /// It works.
    Fine,
}

/// One thing that is the matter (or that is well).
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The object it is about; the name may be empty where no object is to blame.
    pub subject: Key,
    /// How much it matters.
    pub severity: Severity,
    /// What it is, with the evidence.
    pub cause: Cause,
    /// The field of the subject's manifest that is to blame, as the API server writes paths; empty for none.
    pub field: String,
    /// What helps, best first.
    pub fixes: Vec<Fix>,
}

/// What is the matter, by subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// With a Service.
    Service(ServiceCause),
    /// With a Pod.
    Pod(PodCause),
    /// With a Deployment or another workload.
    Workload(WorkloadCause),
    /// With a connection.
    Connection(ConnectionCause),
    /// With who answers.
    Spread(SpreadCause),
    /// With a name that does not resolve.
    Name(NameCause),
    /// With an environment variable of a Service.
    Variable(VariableCause),
    /// With a request that the API server refused.
    Refusal(RefusalCause),
    /// With a command line.
    Command(CommandCause),
}

/// Something that helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// A command to type.
    Command(String),
    /// A field to change in a manifest.
    Edit {
        /// The object.
        key: Key,
        /// The field's path.
        field: String,
        /// The value it should have, as YAML would show it in one line.
        value: String,
    },
}

impl Finding {
    pub(super) fn new(subject: &Key, severity: Severity, cause: Cause) -> Self {
        Self { subject: subject.clone(), severity, cause, field: String::new(), fixes: Vec::new() }
    }

    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    pub(super) fn command(self, command: String) -> Self {
        self.fix(Fix::Command(command))
    }

    pub(super) fn edit(self, field: impl Into<String>, value: impl Into<String>) -> Self {
        let key = self.subject.clone();
        self.fix(Fix::Edit { key, field: field.into(), value: value.into() })
    }
}

impl Cause {
    /// A service cause, if it is one; short for tests and the page.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceCause> {
        match self {
            Self::Service(cause) => Some(cause),
            _ => None,
        }
    }
}

/// An object as commands name it: `svc/web`, `pod/web-1`, with `-n NAMESPACE` outside `default`.
#[must_use]
pub fn named(key: &Key) -> String {
    let info = key.kind.info();
    let short = match key.kind {
        Kind::Pod => "pod",
        Kind::Node => "node",
        _ => info.short.first().copied().unwrap_or(info.singular),
    };
    format!("{short}/{}{}", key.name, in_namespace(key))
}

/// ` -n NAMESPACE`, or nothing for `default` and objects without a namespace.
#[must_use]
pub fn in_namespace(key: &Key) -> String {
    match key.namespace.as_str() {
        "" | "default" => String::new(),
        namespace => format!(" -n {namespace}"),
    }
}
