//! Requests about kinds of which nothing is stored under their own name.
//!
//! Owns three ways of serving: what is worked out when it is read (ComponentStatuses), what is a request about
//! another object (Bindings), and what is another kind in another form (Events of `events.k8s.io`). Which kind
//! is served in which way is in the registry.

use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use super::door::refuse_invalid;
use super::field_selector::FieldSelector;
use super::request::{Body, Options, Request, Verb};
use crate::api::kinds::{event, rules};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::{FieldError, Reason, Status};
use crate::api::table::Table;
use crate::api::value::Value;
use crate::value;

/// The components that a control plane of kubeadm reports, in the order in which they answer: etcd is asked
/// over a connection that is made for it.
const COMPONENTS: [&str; 3] = ["scheduler", "controller-manager", "etcd-0"];

/// The refusal of a verb for which the server has no route, though it has one for the path.
fn not_allowed() -> Status {
    let why = "the server does not allow this method on the requested resource";
    Status::new(Reason::MethodNotAllowed, why)
}

/// The refusal of a path that the server does not have.
fn no_such_path() -> Status {
    Status::new(Reason::NotFound, "the server could not find the requested resource")
}

/// The state of a component; all of them are as well as this world, which cannot be without them.
fn component(name: &str) -> Arc<Object> {
    let document = value!({
        "apiVersion": "v1",
        "kind": "ComponentStatus",
        "metadata": { "name": (name.to_owned()) },
        "conditions": [{ "type": "Healthy", "status": "True", "message": "ok" }]
    });
    Arc::new(Object::new(Kind::ComponentStatus, document, None))
}

impl Cluster {
    /// Serves a request about what is worked out when it is read.
    pub(super) fn serve_computed(&self, request: &Request) -> Result<Body, Status> {
        let found = match &request.verb {
            Verb::Get => match COMPONENTS.iter().find(|name| **name == request.name) {
                Some(name) => vec![component(name)],
                None => {
                    let why = format!("Component not found: {}", request.name);
                    return Err(Status::new(Reason::Unknown, why));
                }
            },
            Verb::List => components(&request.options)?,
            _ => return Err(not_allowed()),
        };
        Ok(self.answer(request, found))
    }

    /// Serves a request that asks something of another object: a Binding, which asks for a node for a Pod.
    pub(super) fn serve_asked(
        &mut self,
        request: Request,
        warnings: &mut Vec<String>,
    ) -> Result<Body, Status> {
        let body = match &request.verb {
            Verb::Create(body) => body.clone(),
            Verb::List | Verb::DeleteCollection => return Err(not_allowed()),
            Verb::Get | Verb::Update(_) | Verb::Patch(_) | Verb::Delete => return Err(no_such_path()),
        };
        let mut binding = super::decoding::body(&request, body, warnings)?;
        self.name_document(&request, &mut binding)?;
        refuse_binding(&binding)?;
        let name = binding.at(&["metadata", "name"]).smol();
        let pod = Request { kind: Kind::Pod, name, verb: Verb::Get, ..request };
        let before = self.existing(&pod)?;
        if let Some(why) = unbindable(&before) {
            let message =
                format!("Operation cannot be fulfilled on pods/binding \"{}\": {why}", before.name());
            return Err(Status::new(Reason::Conflict, message));
        }
        let annotations = binding.at(&["metadata", "annotations"]);
        self.bind(&pod, &binding.at(&["target", "name"]).smol(), annotations)?;
        let success = value!({
            "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success", "code": 201
        });
        Ok(Body::Object(Arc::new(Object::new(Kind::Binding, success, None))))
    }

    /// Serves a request about objects that are stored as another kind: what comes is checked and converted, what
    /// goes is converted back.
    pub(super) fn serve_converted(
        &mut self,
        request: Request,
        stored: Kind,
        warnings: &mut Vec<String>,
    ) -> Result<Body, Status> {
        let kind = request.kind;
        let by_user = request.actor == Actor::User;
        let table = request.options.table;
        let asked = Request { options: Options { table: false, ..request.options.clone() }, ..request };
        let inner = Request { kind: stored, ..asked.clone() };
        let body = match asked.verb.clone() {
            Verb::Create(body) => {
                let mut document = super::decoding::body(&asked, body, warnings)?;
                self.name_document(&asked, &mut document)?;
                event::to_stored(&mut document);
                if by_user {
                    let name = document.at(&["metadata", "name"]).smol();
                    refuse_invalid(stored, &name, (rules(kind).validate)(&document))?;
                }
                self.serve(Request { verb: Verb::Create(document), ..inner }, warnings)?
            }
            Verb::Update(body) => {
                let mut document = super::decoding::body(&asked, body, warnings)?;
                event::to_stored(&mut document);
                if by_user && let Ok(before) = self.existing(&inner) {
                    self.refuse_change(&inner, kind, &document, &before)?;
                }
                self.serve(Request { verb: Verb::Update(document), ..inner }, warnings)?
            }
            Verb::Patch(patch) => {
                let before = self.existing(&inner)?;
                let shown = converted(kind, &before);
                let mut document = super::patching::patched(&asked, &shown, &patch, warnings)?;
                event::to_stored(&mut document);
                if by_user {
                    self.refuse_change(&inner, kind, &document, &before)?;
                }
                Body::Object(self.replace(&inner, &before, document, warnings)?)
            }
            Verb::Get | Verb::List | Verb::Delete | Verb::DeleteCollection => self.serve(inner, warnings)?,
        };
        Ok(match body {
            Body::Object(object) if table => {
                Body::Table(self.table(kind, vec![converted(kind, &object)]), self.journal.revision())
            }
            Body::Object(object) => Body::Object(converted(kind, &object)),
            Body::Deleted(object) => Body::Deleted(converted(kind, &object)),
            Body::List(items, revision) => {
                let items = items.iter().map(|item| converted(kind, item)).collect();
                if table {
                    Body::Table(self.table(kind, items), revision)
                } else {
                    Body::List(items, revision)
                }
            }
            Body::Table(..) => unreachable!("no table was asked for"),
        })
    }

    /// Refuses a change by the rules of the form in which it came.
    fn refuse_change(
        &self,
        request: &Request,
        kind: Kind,
        document: &Value,
        before: &Object,
    ) -> Result<(), Status> {
        refuse_invalid(request.kind, &request.name, (rules(kind).validate_update)(document, &before.value))
    }

    /// One object or many, as documents or as a table.
    fn answer(&self, request: &Request, found: Vec<Arc<Object>>) -> Body {
        let revision = self.journal.revision();
        if request.options.table {
            let table: Table = self.table(request.kind, found);
            return Body::Table(table, revision);
        }
        match (&request.verb, found.first()) {
            (Verb::Get, Some(object)) => Body::Object(object.clone()),
            _ => Body::List(found, revision),
        }
    }
}

/// The components that selectors select.
fn components(options: &Options) -> Result<Vec<Arc<Object>>, Status> {
    let labels =
        Selector::parse(&options.label_selector).map_err(|why| Status::new(Reason::BadRequest, why))?;
    let fields = FieldSelector::parse(Kind::ComponentStatus, &options.field_selector)?;
    let mut found = COMPONENTS.map(component).to_vec();
    found.retain(|object| labels.matches(&object.meta.labels) && fields.matches(object));
    Ok(found)
}

fn converted(kind: Kind, object: &Object) -> Arc<Object> {
    let mut document = object.value.clone();
    event::to_shown(&mut document);
    Arc::new(Object::new(kind, document, None))
}

/// Refuses a Binding that cannot be understood (`ValidatePodBinding`); the server answers with the bare errors.
fn refuse_binding(binding: &Value) -> Result<(), Status> {
    let mut errors = Vec::new();
    let kind = binding.at(&["target", "kind"]).str();
    if !matches!(kind, "" | "Node") {
        errors.push(FieldError::not_supported("target.kind", kind, &["Node", "<empty>"]));
    }
    if binding.at(&["target", "name"]).is_empty() {
        errors.push(FieldError::required("target.name", ""));
    }
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [] => Ok(()),
        [one] => Err(Status::new(Reason::Unknown, one.clone())),
        many => Err(Status::new(Reason::Unknown, format!("[{}]", many.join(", ")))),
    }
}

/// Why a Pod cannot be given to a node.
fn unbindable(pod: &Object) -> Option<String> {
    let (name, node) = (pod.name(), pod.spec().get("nodeName").str());
    if pod.is_terminating() {
        Some(format!("pod {name} is being deleted, cannot be assigned to a host"))
    } else if !node.is_empty() {
        Some(format!("pod {name} is already assigned to node {node:?}"))
    } else if !pod.spec().get("schedulingGates").is_empty() {
        Some(format!("pod {name} has non-empty .spec.schedulingGates"))
    } else {
        None
    }
}
