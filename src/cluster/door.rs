//! The API server's door: one function that serves every request.
//!
//! Owns the order of steps that kube-apiserver takes: decode, default, admit, allocate, prepare, validate,
//! store, answer. What each step does for a kind is in [`crate::api::kinds`]; this file knows kinds only
//! where the API server has a rule of its own for them (Service allocation, scale).

use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use super::identity::{keep_identity, restore_field, same_object};
use super::journal::Entry;
use super::label_selector;
use super::managers::Writer;
use super::request::{Body, Patch, Reply, Request, Subresource, Verb};
use crate::api::kinds::{metadata, rules};
use crate::api::object::{Key, Object};
use crate::api::registry::{Kind, Serving};
use crate::api::selector::Selector;
use crate::api::status::{FieldError, Reason, Status};
use crate::api::table::{Row, Table};
use crate::api::value::{SmolStr, Value};

/// How many generated names are tried where one is taken (`maxNameGenerationCreateAttempts`).
const NAME_ATTEMPTS: usize = 8;
/// Length of the suffix that `generateName` is completed with.
pub(super) const SUFFIX_LENGTH: usize = 5;
/// How much of a longer `generateName` is kept (`MaxGeneratedNameLength`).
const LONGEST_PREFIX: usize = 63 - SUFFIX_LENGTH;

impl Cluster {
    /// Serves one request.
    pub fn request(&mut self, request: Request) -> Reply {
        let mut warnings = Vec::new();
        if request.actor == Actor::User {
            warnings.extend(deprecated(request.kind).map(str::to_owned));
        }
        if request.actor == Actor::User
            && !request.options.dry_run
            && !matches!(request.verb, Verb::Get | Verb::List)
        {
            self.forget_undone();
        }
        self.writer = Writer::of(&request);
        let result = match request.kind.info().serving {
            Serving::Stored => self.serve(request, &mut warnings),
            Serving::Computed => self.serve_computed(&request),
            Serving::Asked => self.serve_asked(request, &mut warnings),
            Serving::Converted(stored) => self.serve_converted(request, stored, &mut warnings),
        };
        self.writer = Writer::default();
        Reply { result, warnings }
    }

    /// Serves a request about a kind that is stored.
    pub(super) fn serve(&mut self, request: Request, warnings: &mut Vec<String>) -> Result<Body, Status> {
        if request.subresource == Subresource::Scale && !super::scale::has_scale(request.kind) {
            return Err(Status::new(Reason::NotFound, "the server could not find the requested resource"));
        }
        let mut request = request;
        // The body goes into the store alone: parts that somebody else holds are not compacted there.
        match std::mem::replace(&mut request.verb, Verb::Get) {
            Verb::Get => self.serve_get(&request),
            Verb::List => self.serve_list(&request),
            Verb::Create(body) if request.subresource == Subresource::Binding => {
                let node = body.at(&["target", "name"]).smol();
                self.bind(&request, &node, &Value::Null).map(Body::Object)
            }
            Verb::Create(body) => self.serve_create(&request, body, warnings).map(Body::Object),
            Verb::Update(body) => self.serve_update(&request, body, warnings).map(Body::Object),
            Verb::Patch(patch) => self.serve_patch(&request, &patch, warnings).map(Body::Object),
            Verb::Delete => self.serve_delete(&request),
            Verb::DeleteCollection => self.serve_delete_collection(&request),
        }
    }

    pub(super) fn existing(&self, request: &Request) -> Result<Arc<Object>, Status> {
        let object = self.find(request.kind, &request.namespace, &request.name).cloned();
        object.ok_or_else(|| Status::not_found(request.kind, &request.name))
    }

    fn serve_get(&self, request: &Request) -> Result<Body, Status> {
        let object = self.existing(request)?;
        if request.options.table {
            return Ok(Body::Table(self.table(request.kind, vec![object]), self.journal.revision()));
        }
        Ok(Body::Object(object))
    }

    fn serve_list(&self, request: &Request) -> Result<Body, Status> {
        let items = self.selected(request)?;
        if request.options.table {
            return Ok(Body::Table(self.table(request.kind, items), self.journal.revision()));
        }
        Ok(Body::List(items, self.journal.revision()))
    }

    /// The objects that a list or collection request means.
    pub(super) fn selected(&self, request: &Request) -> Result<Vec<Arc<Object>>, Status> {
        let labels = Selector::parse(&request.options.label_selector)
            .and_then(|selector| label_selector::check(&selector).map(|()| selector))
            .map_err(|why| Status::new(Reason::BadRequest, why))?;
        let fields =
            super::field_selector::FieldSelector::parse(request.kind, &request.options.field_selector)?;
        let namespace = Some(request.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let mut items = match namespace {
            Some(namespace) => self.matching(request.kind, namespace, &labels),
            None => self
                .list(request.kind, None)
                .filter(|object| labels.matches(&object.meta.labels))
                .cloned()
                .collect(),
        };
        items.retain(|object| fields.matches(object));
        Ok(items)
    }

    /// The objects of one namespace that a label selector selects, by name; uses the label index where the
    /// kind has one.
    #[must_use]
    pub fn matching(&self, kind: Kind, namespace: &str, selector: &Selector) -> Vec<Arc<Object>> {
        let fits = |object: &&Arc<Object>| selector.matches(&object.meta.labels);
        match self.indexes.candidates(kind, namespace, selector) {
            Some(keys) => keys.iter().filter_map(|key| self.get(key)).filter(fits).cloned().collect(),
            None => self.list(kind, Some(namespace)).filter(fits).cloned().collect(),
        }
    }

    /// The server's table of some objects of one kind, with ages as of now.
    #[must_use]
    pub fn table(&self, kind: Kind, objects: Vec<Arc<Object>>) -> Table {
        let rules = rules(kind);
        let now = self.timestamp();
        let rows = objects.into_iter().map(|object| Row { cells: (rules.cells)(&object, now), object });
        Table { columns: rules.columns, rows: rows.collect() }
    }

    fn serve_create(
        &mut self,
        request: &Request,
        body: Value,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let rules = rules(request.kind);
        let mut document = super::decoding::body(request, body, warnings)?;
        let made_before = document.at(&["metadata", "resourceVersion"]).smol();
        self.name_document(request, &mut document)?;
        let given = if request.kind == Kind::Pod { document.get("spec").clone() } else { Value::Null };
        let sibling = self.siblings.find(request, &given);
        match &sibling {
            Some(sibling) => {
                self.admit_namespace(request.kind, &request.namespace, &document)?;
                document.set("spec", sibling.spec().clone());
            }
            None => {
                (rules.default)(&mut document);
                self.admit_create(request.kind, &request.namespace, &mut document)?;
            }
        }
        self.stamp(&mut document);
        let name = document.at(&["metadata", "name"]).smol();
        if request.kind == Kind::Service {
            // The server allocates first: an address that cannot be had hides all other errors.
            self.allocate_service(&mut document, None, request.options.dry_run)?;
        }
        (rules.prepare_create)(&mut document);
        // The template of a StatefulSet is not checked with it, but with each of its Pods.
        if request.actor == Actor::StatefulSet && request.kind == Kind::Pod {
            refuse_invalid(request.kind, &name, (rules.validate)(&document))?;
        }
        if request.actor == Actor::User {
            refuse_invalid(request.kind, &name, (rules.validate)(&document))?;
            warnings.extend((rules.warnings)(&document, None));
        }
        if request.kind.info().namespaced {
            self.admit_limits(request.kind, &request.namespace, &document)?;
            self.admit_quota(request.kind, &request.namespace, &document)?;
        }
        if self.find(request.kind, &request.namespace, &name).is_some() {
            return Err(Status::already_exists(request.kind, &name));
        }
        if request.actor == Actor::User && !matches!(made_before.as_str(), "" | "0") {
            let why = "resourceVersion should not be set on objects to be created";
            return Err(Status::new(Reason::Unknown, why));
        }
        let stored = self.store_unless_dry(request, None, document)?;
        if sibling.is_none() && !request.options.dry_run {
            self.siblings.remember(request, given, &stored);
        }
        Ok(stored)
    }

    /// Settles namespace and name of a new document.
    pub(super) fn name_document(&mut self, request: &Request, document: &mut Value) -> Result<(), Status> {
        let metadata = document.field_mut("metadata");
        if request.kind.info().namespaced {
            let given = metadata.get("namespace").smol();
            if !given.is_empty() && given != request.namespace {
                let why =
                    "the namespace of the provided object does not match the namespace sent on the request";
                return Err(Status::new(Reason::BadRequest, why));
            }
            metadata.set("namespace", request.namespace.clone());
        } else {
            metadata.remove("namespace");
        }
        let prefix = metadata.get("generateName").smol();
        let prefix = cut(&prefix, LONGEST_PREFIX);
        if !metadata.get("name").is_empty() || prefix.is_empty() {
            return Ok(());
        }
        for _ in 0..NAME_ATTEMPTS {
            let name = SmolStr::from(format!("{prefix}{}", self.random.suffix(SUFFIX_LENGTH)));
            let taken = self.find(request.kind, &request.namespace, &name).is_some();
            metadata.set("name", name);
            if !taken {
                break;
            }
        }
        Ok(())
    }

    /// Sets what the server alone sets: uid and times.
    fn stamp(&mut self, document: &mut Value) {
        let uid = self.random.uid();
        let now = self.timestamp();
        let metadata = document.field_mut("metadata");
        metadata.set("uid", uid);
        metadata.set("creationTimestamp", now);
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields"] {
            metadata.remove(field);
        }
    }

    fn serve_update(
        &mut self,
        request: &Request,
        body: Value,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let before = match self.existing(request) {
            Err(missing) if missing.reason == Reason::NotFound && creates_on_update(request, &body) => {
                return self.serve_create(request, body, warnings);
            }
            before => before?,
        };
        let document = match request.subresource {
            Subresource::Scale => {
                let mut document = before.value.clone();
                document.set_at(&["spec", "replicas"], body.at(&["spec", "replicas"]).clone());
                document
            }
            _ => super::decoding::body(request, body, warnings)?,
        };
        self.replace(request, &before, document, warnings)
    }

    fn serve_patch(
        &mut self,
        request: &Request,
        patch: &Patch,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let before = self.existing(request)?;
        let document = super::patching::patched(request, &before, patch, warnings)?;
        self.replace(request, &before, document, warnings)
    }

    /// Puts a new document in an object's place, by the rules of updates.
    pub(super) fn replace(
        &mut self,
        request: &Request,
        before: &Arc<Object>,
        document: Value,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Object>, Status> {
        let rules = rules(request.kind);
        let mut document = document;
        let version = document.at(&["metadata", "resourceVersion"]).smol();
        if !version.is_empty() && version.parse() != Ok(before.meta.resource_version) {
            return Err(Status::conflict(request.kind, &request.name));
        }
        if request.subresource == Subresource::Scale {
            super::scale::refuse(&request.name, &document)?;
        }
        match request.subresource {
            Subresource::Status => {
                let status = document.get("status").clone();
                document = before.value.clone();
                document.set("status", status);
                // A Pod's defaults are all in its spec.
                if request.kind != Kind::Pod {
                    (rules.default)(&mut document);
                }
                if request.actor == Actor::User {
                    let mut causes = (rules.validate_update)(&document, &before.value);
                    causes.retain(|cause| cause.field.starts_with("status"));
                    refuse_invalid(request.kind, &request.name, causes)?;
                }
            }
            _ => {
                let by_user = request.actor == Actor::User;
                if by_user {
                    same_object(request, &document)?;
                }
                let mut causes =
                    if by_user { metadata::validate_change(&document, &before.value) } else { Vec::new() };
                keep_identity(&mut document, &before.value);
                (rules.default)(&mut document);
                restore_field(&mut document, &before.value, "status");
                if request.kind == Kind::Service {
                    self.allocate_service(&mut document, Some(before), request.options.dry_run)?;
                }
                (rules.prepare_update)(&mut document, &before.value);
                if by_user {
                    causes.extend((rules.validate_update)(&document, &before.value));
                    refuse_invalid(request.kind, &request.name, causes)?;
                    warnings.extend((rules.warnings)(&document, Some(&before.value)));
                }
            }
        }
        if document == before.value {
            return Ok(before.clone());
        }
        let stored = self.store_unless_dry(request, Some(before.clone()), document)?;
        let graceful = stored.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(0) > 0;
        let done = stored.is_terminating() && !graceful && !stored.meta.finalizers && before.meta.finalizers;
        if done && !request.options.dry_run && request.kind != Kind::Namespace {
            self.commit(request.actor, Some(stored.clone()), None);
        }
        Ok(stored)
    }

    /// Gives a Pod to a node; the annotations of a Binding become the Pod's.
    pub(super) fn bind(
        &mut self,
        request: &Request,
        node: &SmolStr,
        annotations: &Value,
    ) -> Result<Arc<Object>, Status> {
        let before = self.existing(request)?;
        let mut document = before.value.clone();
        for (name, text) in annotations.entries().iter() {
            document.set_at(&["metadata", "annotations", name], text.clone());
        }
        document.set_at(&["spec", "nodeName"], node);
        let now = self.timestamp();
        crate::api::kinds::set_condition(&mut document, "PodScheduled", true, now);
        self.store_unless_dry(request, Some(before), document)
    }

    pub(super) fn store_unless_dry(
        &mut self,
        request: &Request,
        before: Option<Arc<Object>>,
        document: Value,
    ) -> Result<Arc<Object>, Status> {
        if request.options.dry_run {
            return Ok(Arc::new(Object::new(request.kind, document, before.as_deref())));
        }
        Ok(self.store_version(request.actor, request.kind, before, document))
    }

    /// Gives a document the next revision and commits it as the object's new version.
    pub(super) fn store_version(
        &mut self,
        actor: Actor,
        kind: Kind,
        before: Option<Arc<Object>>,
        document: Value,
    ) -> Arc<Object> {
        let revision = self.journal.revision() + 1;
        let mut document = document;
        document.field_mut("metadata").set("resourceVersion", revision.to_string());
        // Before it is decoded, while nobody else holds its parts.
        self.prototypes.compact(&mut document);
        let object = match self.siblings.sharing(kind, &document).filter(|_| before.is_none()) {
            Some(sibling) => Object::beside(document, sibling),
            None => Object::new(kind, document, before.as_deref()),
        };
        let object = Arc::new(object);
        self.commit(actor, before, Some(object.clone()));
        object
    }

    /// The one place where the store changes: store, indexes, allocators and journal move together.
    pub(super) fn commit(&mut self, actor: Actor, before: Option<Arc<Object>>, after: Option<Arc<Object>>) {
        let key: Key = after.as_ref().or(before.as_ref()).expect("a write has an object").key.clone();
        match &after {
            Some(object) => self.store.put(object.clone()),
            None => self.store.remove(&key),
        }
        self.indexes.apply(before.as_ref(), after.as_ref());
        self.allocators.apply(before.as_ref(), after.as_ref());
        self.siblings.follow(key.kind);
        let revision = self.journal.revision() + 1;
        // Undo puts IPAddresses back by itself: their writes are in the journal too.
        let followed =
            (key.kind == Kind::Service && actor != Actor::Undo).then(|| (before.clone(), after.clone()));
        let writer = self.writer.clone();
        self.journal.push(Entry { revision, at: self.now, actor, writer, key, before, after });
        if let Some((before, after)) = followed {
            self.follow_addresses(before.as_ref(), after.as_ref());
        }
    }
}

/// What the server says with every answer about a kind that is to be left.
fn deprecated(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::ComponentStatus => Some("v1 ComponentStatus is deprecated in v1.19+"),
        Kind::Endpoints => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
        }
        _ => None,
    }
}

/// The beginning of a text: so many bytes at most, and whole characters.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Whether an update of an object that does not exist creates it (`AllowCreateOnUpdate` of the kind's strategy).
/// Controllers send the version that they saw, which must exist.
fn creates_on_update(request: &Request, body: &Value) -> bool {
    request.actor == Actor::User
        && request.subresource == Subresource::None
        && matches!(
            request.kind,
            Kind::Service | Kind::Endpoints | Kind::Event | Kind::Lease | Kind::LimitRange
        )
        && body.at(&["metadata", "resourceVersion"]).is_empty()
}

pub(super) fn refuse_invalid(kind: Kind, name: &str, causes: Vec<FieldError>) -> Result<(), Status> {
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(kind, name, causes)) }
}
