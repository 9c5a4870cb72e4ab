//! How a verb fails: errors of the server and of kubectl itself, in kubectl's words.
//!
//! Owns [`Failure`] and its text (kubectl's `cmdutil.CheckErr`). Errors of the server are
//! [`Status`]es; who makes them is the API server's business.

use crate::api::status::{Reason, Status};

/// How a verb ends.
pub type Outcome = Result<(), Failure>;

/// Why a verb ends badly.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A refusal of the server.
    Server(Status),
    /// An error of kubectl, without `error: ` before it.
    Plain(String),
    /// Text to print as it is.
    Exact(String),
    /// Something real that is not simulated: what, and the nearest thing that is.
    NotSimulated(String, &'static str),
    /// Several errors.
    Many(Vec<Failure>),
    /// Nothing more to say: the exit status alone.
    Status(i32),
    /// As another failure, with an exit status of its own.
    With(i32, Box<Failure>),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Server(status)
    }
}

impl Failure {
    /// An error of kubectl.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    /// An error in how a verb was called: `error: MESSAGE` and a line that points at `PATH -h`.
    pub fn usage(path: &str, text: &str) -> Self {
        Self::Plain(format!("{text}\nSee '{path} -h' for help and examples"))
    }

    /// One failure of several; none if there are none.
    pub fn of(mut failures: Vec<Self>) -> Outcome {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Self::Many(failures)),
        }
    }

    /// Says which object of which file was meant: `error when VERB "SOURCE": …`.
    #[must_use]
    pub fn at_source(self, verb: &str, source: &str) -> Self {
        if source.is_empty() {
            return self;
        }
        match self {
            Self::Server(mut status) => {
                status.message = format!("error when {verb} \"{source}\": {}", status.message);
                Self::Server(status)
            }
            Self::Plain(text) => Self::Plain(format!("error when {verb} \"{source}\": {text}")),
            other => other,
        }
    }

    /// Puts words before a message of the server or of kubectl.
    #[must_use]
    pub fn prefixed(self, words: &str) -> Self {
        match self {
            Self::Server(status) => Self::Plain(format!("{words}{}", status.message)),
            Self::Plain(text) => Self::Plain(format!("{words}{text}")),
            other => other,
        }
    }

    /// Whether the server says that the object does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Server(status) if status.reason == Reason::NotFound)
    }

    /// The exit status.
    pub fn status(&self) -> i32 {
        match self {
            Self::Status(status) | Self::With(status, _) => *status,
            _ => 1,
        }
    }

    /// What is printed, with its last newline; nothing for a bare status.
    pub fn text(&self) -> String {
        let mut text = match self {
            Self::Server(status) => server_text(status),
            Self::Plain(text) if text.starts_with("error: ") => text.clone(),
            Self::Plain(text) => format!("error: {text}"),
            Self::Exact(text) => text.clone(),
            Self::NotSimulated(what, nearest) => crate::shell::flags::not_simulated(what, nearest),
            Self::Many(failures) => failures.iter().map(Self::line).collect::<Vec<_>>().join("\n"),
            Self::With(_, failure) => failure.text(),
            Self::Status(_) => return String::new(),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// What is printed where it is one of several.
    fn line(&self) -> String {
        match self {
            Self::Server(status) => status.to_string(),
            Self::Plain(text) => text.clone(),
            other => other.text().trim_end().to_owned(),
        }
    }
}

/// A refusal that is printed alone. Invalid objects get a line per cause.
fn server_text(status: &Status) -> String {
    if status.reason != Reason::Invalid {
        return status.to_string();
    }
    let mut text = if status.kind.is_empty() && status.name.is_empty() {
        if status.causes.is_empty() {
            return format!("The request is invalid: {}", status.message);
        }
        "The request is invalid".to_owned()
    } else {
        format!("The {} \"{}\" is invalid", status.kind, status.name)
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &status.causes {
        let cause = cause.to_string();
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    match causes.as_slice() {
        [] => {}
        [one] => {
            text.push_str(": ");
            text.push_str(one);
        }
        many => {
            text.push_str(": \n");
            for cause in many {
                text.push_str("* ");
                text.push_str(cause);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::api::status::FieldError;

    fn check(failure: Failure, expected: &str) {
        assert_eq!(failure.text(), expected);
    }

    #[test]
    fn failures_read_as_kubectl_prints_them() {
        check(Failure::plain("no"), "error: no\n");
        let missing = Failure::from(Status::not_found(Kind::Service, "a"));
        check(missing.clone(), "Error from server (NotFound): services \"a\" not found\n");
        check(
            missing.clone().at_source("deleting", "f"),
            "Error from server (NotFound): error when deleting \"f\": services \"a\" not found\n",
        );
        check(
            Failure::Many(vec![missing, Failure::plain("no")]),
            "Error from server (NotFound): services \"a\" not found\nno\n",
        );
    }

    #[test]
    fn several_causes_take_a_line_each() {
        let one = FieldError::required("spec.ports", "");
        let two = FieldError::forbidden("spec.x", "no");
        let text = |causes| Failure::from(Status::invalid(Kind::Service, "a", causes));
        check(text(vec![one.clone()]), "The Service \"a\" is invalid: spec.ports: Required value\n");
        check(
            text(vec![one, two]),
            "The Service \"a\" is invalid: \n* spec.ports: Required value\n* spec.x: Forbidden: no\n",
        );
    }
}
