//! What can be asked of the API server, and what it answers.
//!
//! Owns the shapes of requests and replies. How they are served is in `super::door`.

use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::status::Status;
use crate::api::table::Table;
use crate::api::value::{SmolStr, Value};

/// A request to the API server.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// What to do, with the body where there is one.
    pub verb: Verb,
    /// Objects of which kind.
    pub kind: Kind,
    /// In which namespace; empty for cluster-scoped kinds and for all namespaces.
    pub namespace: SmolStr,
    /// Which object; empty for lists and for creates (the body names it).
    pub name: SmolStr,
    /// Which part of the object.
    pub subresource: Subresource,
    /// Everything else.
    pub options: Options,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read many.
    List,
    /// Make one.
    Create(Value),
    /// Replace one.
    Update(Value),
    /// Change one.
    Patch(Patch),
    /// Remove one.
    Delete,
    /// Remove many.
    DeleteCollection,
}

/// A change to an object.
#[derive(Clone, Debug)]
pub enum Patch {
    /// Strategic merge patch: lists merge by the schema's keys.
    Strategic(Value),
    /// JSON merge patch (RFC 7386).
    Merge(Value),
    /// JSON patch (RFC 6902): a list of operations.
    Json(Value),
}

/// Which part of an object a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself.
    #[default]
    None,
    /// `status`.
    Status,
    /// `scale`: the number of replicas. Updates take `{spec: {replicas: N}}`.
    Scale,
    /// `binding`: the node of a Pod. Creates take `{target: {name: NODE}}`.
    Binding,
}

/// How dependents are treated when their owner is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The owner goes at once, dependents follow.
    #[default]
    Background,
    /// The owner waits until its dependents are gone.
    Foreground,
    /// Dependents stay and lose their owner.
    Orphan,
}

/// Further options of a request.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Do everything but store.
    pub dry_run: bool,
    /// The text of a label selector.
    pub label_selector: String,
    /// The text of a field selector.
    pub field_selector: String,
    /// Answer reads with a table.
    pub table: bool,
    /// Seconds that a Pod has to end; its own value if `None`.
    pub grace_seconds: Option<i64>,
    /// What happens to dependents.
    pub propagation: Propagation,
    /// Who is said to own the fields that are written; empty for the name of the actor's program.
    pub field_manager: SmolStr,
    /// Ask as the `eviction` subresource of a Pod does: only if budgets allow it.
    pub eviction: bool,
    /// Only if the object has this uid (empty: any).
    pub uid: SmolStr,
    /// What is done about fields that the kind does not have.
    pub field_validation: FieldValidation,
}

/// What is done about fields that a kind does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are refused: what kubectl asks for when it creates, applies and replaces.
    #[default]
    Strict,
    /// They are dropped with a warning: what the server does by itself, `kubectl patch` among others.
    Warn,
    /// They are dropped.
    Ignore,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What was asked for, or the refusal.
    pub result: Result<Body, Status>,
    /// Warnings, in order; they come with refusals too.
    pub warnings: Vec<String>,
}

/// What a request gives.
#[derive(Clone, Debug)]
pub enum Body {
    /// One object, as it is after the request.
    Object(Arc<Object>),
    /// Many objects with the journal's revision.
    List(Vec<Arc<Object>>, u64),
    /// A table with the journal's revision.
    Table(Table, u64),
    /// An object that was removed, as it was.
    Deleted(Arc<Object>),
}

impl Request {
    /// A request about the object with this key.
    #[must_use]
    pub fn new(actor: Actor, verb: Verb, key: &Key) -> Self {
        Self {
            actor,
            verb,
            kind: key.kind,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            subresource: Subresource::None,
            options: Options::default(),
        }
    }

    /// A list request; all namespaces for an empty one.
    #[must_use]
    pub fn list(actor: Actor, kind: Kind, namespace: impl Into<SmolStr>) -> Self {
        Self::new(actor, Verb::List, &Key::new(kind, namespace, ""))
    }

    /// The same about a subresource.
    #[must_use]
    pub fn subresource(mut self, subresource: Subresource) -> Self {
        self.subresource = subresource;
        self
    }

    /// The same with other options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }
}

impl Body {
    /// The one object, where there is one.
    #[must_use]
    pub fn object(self) -> Option<Arc<Object>> {
        match self {
            Self::Object(object) | Self::Deleted(object) => Some(object),
            Self::List(..) | Self::Table(..) => None,
        }
    }
}

/// Short forms of requests, for controllers. They pass through the same door.
impl Cluster {
    fn ask(&mut self, request: Request) -> Result<Arc<Object>, Status> {
        let body = self.request(request).result?;
        Ok(body.object().expect("a request about one object is answered with one"))
    }

    /// Creates an object; the document names it.
    ///
    /// # Errors
    ///
    /// Whatever the API server refuses.
    pub fn create(
        &mut self,
        actor: Actor,
        kind: Kind,
        namespace: &str,
        value: Value,
    ) -> Result<Arc<Object>, Status> {
        self.ask(Request::new(actor, Verb::Create(value), &Key::new(kind, namespace, "")))
    }

    /// Replaces an object (all but its status). A `resourceVersion` in the document must be the current one.
    ///
    /// # Errors
    ///
    /// Whatever the API server refuses.
    pub fn update(&mut self, actor: Actor, key: &Key, value: Value) -> Result<Arc<Object>, Status> {
        self.ask(Request::new(actor, Verb::Update(value), key))
    }

    /// Replaces an object's status; the rest of the document is ignored.
    ///
    /// # Errors
    ///
    /// Whatever the API server refuses.
    pub fn update_status(&mut self, actor: Actor, key: &Key, value: Value) -> Result<Arc<Object>, Status> {
        self.ask(Request::new(actor, Verb::Update(value), key).subresource(Subresource::Status))
    }

    /// Deletes an object.
    ///
    /// # Errors
    ///
    /// Whatever the API server refuses.
    pub fn delete(&mut self, actor: Actor, key: &Key, options: Options) -> Result<Arc<Object>, Status> {
        self.ask(Request::new(actor, Verb::Delete, key).options(options))
    }
}
