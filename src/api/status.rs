//! `Status` errors: what the API server answers when it refuses, and field errors inside them.
//!
//! Owns reasons, codes and wording; who refuses is elsewhere. Every error that kubectl shows with
//! `Error from server` is one of these. Shapes follow the API conventions' `Status` kind; wordings are
//! those recorded in the reference sessions.

use std::fmt;

use super::registry::Kind;
use super::value::SmolStr;

/// The machine-readable reason of a refusal, in `Status.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The request could not be understood (400).
    BadRequest,
    /// The action is not allowed (403).
    Forbidden,
    /// The object does not exist (404).
    NotFound,
    /// The verb does not exist for this resource (405).
    MethodNotAllowed,
    /// The object exists already (409).
    AlreadyExists,
    /// The object changed since it was read (409).
    Conflict,
    /// The revision asked for is gone (410).
    Expired,
    /// The media type is not understood (415).
    UnsupportedMediaType,
    /// The object breaks rules (422).
    Invalid,
    /// Not now: ask again later (429).
    TooManyRequests,
    /// The server broke (500).
    InternalError,
    /// The server failed without saying in which way (500).
    Unknown,
}

impl Reason {
    /// The HTTP status code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Expired => 410,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::InternalError | Self::Unknown => 500,
        }
    }

    /// The name in `Status.reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Expired => "Expired",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::Invalid => "Invalid",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalError => "InternalError",
            Self::Unknown => "",
        }
    }
}

/// A refusal of the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Why, for machines.
    pub reason: Reason,
    /// Why, for people: the text after `Error from server (Reason): `.
    pub message: String,
    /// The kind (for `Invalid`) or resource that is meant, with its group: `Service`, `deployments.apps`.
    pub kind: SmolStr,
    /// The name of the object that is meant, if any.
    pub name: SmolStr,
    /// The single errors, for `Invalid`.
    pub causes: Vec<FieldError>,
}

impl Status {
    /// A refusal with a message and no further details.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            kind: SmolStr::default(),
            name: SmolStr::default(),
            causes: Vec::new(),
        }
    }

    /// `services "web" not found`.
    #[must_use]
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Self::about(Reason::NotFound, kind, name, "not found")
    }

    /// `services "web" already exists`.
    #[must_use]
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        Self::about(Reason::AlreadyExists, kind, name, "already exists")
    }

    /// The object was changed by somebody else since it was read.
    #[must_use]
    pub fn conflict(kind: Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict_because(kind, name, why)
    }

    /// The object is not the one that the request is about.
    #[must_use]
    pub fn conflict_because(kind: Kind, name: &str, why: &str) -> Self {
        let resource = kind.info().group_resource();
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        Self { kind: resource.into(), name: name.into(), ..Self::new(Reason::Conflict, message) }
    }

    /// `The Service "web" is invalid` with its causes, in the order given.
    #[must_use]
    pub fn invalid(kind: Kind, name: &str, causes: Vec<FieldError>) -> Self {
        // What is said twice is told once (`ErrorList.ToAggregate`).
        let mut told: Vec<FieldError> = Vec::with_capacity(causes.len());
        for cause in causes {
            if !told.contains(&cause) {
                told.push(cause);
            }
        }
        let causes = told;
        let info = kind.info();
        let kind_name = if info.group.is_empty() {
            info.name.to_owned()
        } else {
            format!("{}.{}", info.name, info.group)
        };
        let list = match causes.as_slice() {
            [one] => one.to_string(),
            many => format!("[{}]", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        };
        let message = format!("{kind_name} \"{name}\" is invalid: {list}");
        Self { kind: info.name.into(), name: name.into(), causes, ..Self::new(Reason::Invalid, message) }
    }

    /// A refusal that names a resource and an object: `RESOURCE "NAME" WHAT`.
    #[must_use]
    pub fn about(reason: Reason, kind: Kind, name: &str, what: &str) -> Self {
        let resource = kind.info().group_resource();
        let message = format!("{resource} \"{name}\" {what}");
        Self { kind: resource.into(), name: name.into(), ..Self::new(reason, message) }
    }
}

impl fmt::Display for Status {
    /// As kubectl prints a server's refusal in general: `Error from server (NotFound): …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.name() {
            "" => write!(f, "Error from server: {}", self.message),
            reason => write!(f, "Error from server ({reason}): {}", self.message),
        }
    }
}

/// One broken rule at one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// The path of the field: `spec.ports[0].nodePort`.
    pub field: String,
    /// Which kind of rule was broken.
    pub kind: FieldErrorKind,
    /// The value as the message shows it (JSON for composite values), if the kind shows one.
    pub value: String,
    /// What would be right.
    pub detail: String,
}

/// Which kind of rule a field breaks; the words are those of `field.ErrorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// A value that is not allowed.
    Invalid,
    /// A value that must be there.
    Required,
    /// A value that is there twice.
    Duplicate,
    /// A value outside an enumeration.
    NotSupported,
    /// A value that may not be set here.
    Forbidden,
    /// A text that is too long.
    TooLong,
    /// A list that has too many items.
    TooMany,
    /// A reference that leads nowhere.
    NotFound,
    /// A failure of the server.
    Internal,
}

impl FieldError {
    /// `field: Invalid value: value: detail`; `value` as Go prints it (text in quotes).
    #[must_use]
    pub fn invalid(field: impl Into<String>, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            kind: FieldErrorKind::Invalid,
            value: value.into(),
            detail: detail.into(),
        }
    }

    /// `field: Required value: detail`.
    #[must_use]
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            kind: FieldErrorKind::Required,
            value: String::new(),
            detail: detail.into(),
        }
    }

    /// `field: Duplicate value: value`.
    #[must_use]
    pub fn duplicate(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            kind: FieldErrorKind::Duplicate,
            value: value.into(),
            detail: String::new(),
        }
    }

    /// `field: Forbidden: detail`.
    #[must_use]
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            kind: FieldErrorKind::Forbidden,
            value: String::new(),
            detail: detail.into(),
        }
    }

    /// `field: Unsupported value: value: supported values: "A", "B"`, in the order given: the server sorts
    /// some enumerations and not others.
    #[must_use]
    pub fn not_supported(field: impl Into<String>, value: impl Into<String>, supported: &[&str]) -> Self {
        let list = supported.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
        Self {
            field: field.into(),
            kind: FieldErrorKind::NotSupported,
            value: value.into(),
            detail: format!("supported values: {list}"),
        }
    }

    /// `field: Not found: value`.
    #[must_use]
    pub fn not_found(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: FieldErrorKind::NotFound, ..Self::duplicate(field, value) }
    }

    /// `field: Too long: may not be more than LIMIT bytes`.
    #[must_use]
    pub fn too_long(field: impl Into<String>, limit: usize) -> Self {
        let detail = format!("may not be more than {limit} bytes");
        Self { kind: FieldErrorKind::TooLong, ..Self::forbidden(field, detail) }
    }

    /// `field: Too many: FOUND: must have at most LIMIT items`.
    #[must_use]
    pub fn too_many(field: impl Into<String>, found: usize, limit: usize) -> Self {
        let detail = format!("must have at most {limit} item{}", if limit == 1 { "" } else { "s" });
        Self { kind: FieldErrorKind::TooMany, ..Self::invalid(field, found.to_string(), detail) }
    }
}

impl FieldError {
    /// The message without the field, as `Status.details.causes` carries it.
    #[must_use]
    pub fn body(&self) -> String {
        let words = match self.kind {
            FieldErrorKind::Invalid => "Invalid value",
            FieldErrorKind::Required => "Required value",
            FieldErrorKind::Duplicate => "Duplicate value",
            FieldErrorKind::NotSupported => "Unsupported value",
            FieldErrorKind::Forbidden => "Forbidden",
            FieldErrorKind::TooLong => "Too long",
            FieldErrorKind::TooMany => "Too many",
            FieldErrorKind::NotFound => "Not found",
            FieldErrorKind::Internal => "Internal error",
        };
        let mut body = words.to_owned();
        for part in [&self.value, &self.detail] {
            if !part.is_empty() {
                body.push_str(": ");
                body.push_str(part);
            }
        }
        body
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}
