//! Managed fields: who set which fields of an object.
//!
//! Owns [`Writer`], what the journal keeps of each write for it, and the working out of `managedFields` from
//! the journal when somebody asks: nothing is stored beside objects. What was set before the oldest entry
//! belongs to `before-first-apply`, the API server's own name for a manager that nobody remembers.
//! Source: `k8s.io/apimachinery/pkg/util/managedfields`.

use std::collections::BTreeSet;

use super::Cluster;
use super::actor::Actor;
use super::journal::Entry;
use super::request::{Request, Subresource, Verb};
use crate::api::field_set::{Changes, Path, changes, empty, fields_v1};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::value;

/// What a write says of its writer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writer {
    /// The field manager; empty for the name that the actor's program has.
    pub manager: SmolStr,
    /// The part of the object that was written.
    pub subresource: Subresource,
    /// Which fields of a new Service were allocated, not asked for: a bit for each of [`ALLOCATED`].
    pub allocated: u8,
}

/// Fields of a Service that the server allocates where nobody asks for a value.
const ALLOCATED: [&str; 5] =
    ["clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"];
/// The bit of `nodePort` in [`Writer::allocated`].
const NODE_PORTS: u8 = 1 << ALLOCATED.len();
/// The manager of what is older than the journal.
const FORGOTTEN: &str = "before-first-apply";
/// Fields of metadata that nobody manages.
const UNMANAGED: [&str; 10] = [
    "f:creationTimestamp",
    "f:deletionGracePeriodSeconds",
    "f:deletionTimestamp",
    "f:generation",
    "f:managedFields",
    "f:name",
    "f:namespace",
    "f:resourceVersion",
    "f:selfLink",
    "f:uid",
];
/// Fields of a Pod's spec that admission fills in after the managers were noted.
const ADMITTED: [&str; 6] = [
    "f:nodeName",
    "f:preemptionPolicy",
    "f:priority",
    "f:serviceAccount",
    "f:serviceAccountName",
    "f:tolerations",
];

impl Writer {
    /// The writer of a request.
    pub(super) fn of(request: &Request) -> Self {
        let mut allocated = 0;
        if let (Kind::Service, Verb::Create(body) | Verb::Update(body)) = (request.kind, &request.verb) {
            let spec = body.get("spec");
            for (at, field) in ALLOCATED.iter().enumerate() {
                allocated |= u8::from(spec.get(field).is_empty()) << at;
            }
            if spec.get("ports").items().iter().all(|port| port.get("nodePort").as_int().unwrap_or(0) == 0) {
                allocated |= NODE_PORTS;
            }
        }
        Self { manager: request.options.field_manager.clone(), subresource: request.subresource, allocated }
    }
}

/// One manager's fields.
struct Managed {
    manager: SmolStr,
    subresource: &'static str,
    time: Timestamp,
    fields: BTreeSet<Path>,
}

/// The name of the program that an actor is part of.
fn program(actor: Actor) -> &'static str {
    match actor {
        Actor::User => "kubectl",
        Actor::ApiServer => "kube-apiserver",
        Actor::Scheduler => "kube-scheduler",
        Actor::Kubelet => "kubelet",
        Actor::CloudLoadBalancer => "cloud-controller-manager",
        Actor::Undo => "portside",
        _ => "kube-controller-manager",
    }
}

impl Cluster {
    /// The managed fields of an object, worked out from the journal: a list as `metadata.managedFields` has it.
    #[must_use]
    pub fn managed_fields(&self, object: &Object) -> Value {
        let about = |entry: &&Entry| {
            let same = |held: &std::sync::Arc<Object>| held.meta.uid == object.meta.uid;
            entry.key == object.key && entry.after.as_ref().is_some_and(same)
        };
        let oldest = self.journal.oldest().saturating_sub(1);
        let entries = self.journal.since(oldest).into_iter().flatten().filter(about);
        let info = object.key.kind.info();
        let Some(of) = schema().kind(info.api_version, info.name) else { return Value::list() };
        let mut managers: Vec<Managed> = Vec::new();
        for entry in entries {
            let Some(after) = &entry.after else { continue };
            if let Some(before) = entry.before.as_ref().filter(|_| managers.is_empty()) {
                let mut set = changes(&empty(of), &before.value, of).set;
                set.retain(is_managed);
                managers.push(Managed {
                    manager: SmolStr::new_static(FORGOTTEN),
                    subresource: "",
                    time: before.meta.created,
                    fields: set,
                });
            }
            let from = entry.before.as_ref().map_or_else(|| empty(of), |before| before.value.clone());
            let mut found = changes(&from, &after.value, of);
            if entry.before.is_none() {
                found.set.retain(|path| is_asked_for(entry, &after.value, path));
            }
            note(&mut managers, entry, found, self.timestamp_of(entry.at));
        }
        managers.retain(|managed| !managed.fields.is_empty());
        managers
            .sort_by(|a, b| (a.time, &a.manager, a.subresource).cmp(&(b.time, &b.manager, b.subresource)));
        managers.iter().map(|managed| shown(managed, info.api_version)).collect()
    }
}

/// Takes one write into account: its fields are the writer's and nobody else's, those it removed nobody's.
fn note(managers: &mut Vec<Managed>, entry: &Entry, mut found: Changes, time: Timestamp) {
    let subresource = subresource(entry);
    let of_status = |path: &Path| path[0] == "f:status";
    match subresource {
        "status" => found.set.retain(|path| of_status(path) || path[0] == "f:metadata"),
        _ => found.set.retain(|path| !of_status(path)),
    }
    if entry.writer.subresource == Subresource::Binding {
        return;
    }
    found.set.retain(is_managed);
    let manager = match entry.writer.manager.as_str() {
        "" => SmolStr::new_static(program(entry.actor)),
        manager => SmolStr::new(manager),
    };
    for managed in managers.iter_mut() {
        managed.fields.retain(|path| !found.set.contains(path) && !found.removed.contains(path));
    }
    if found.set.is_empty() {
        return;
    }
    let same = |managed: &&mut Managed| managed.manager == manager && managed.subresource == subresource;
    match managers.iter_mut().find(same) {
        Some(managed) => {
            managed.fields.extend(found.set);
            managed.time = time;
        }
        None => managers.push(Managed { manager, subresource, time, fields: found.set }),
    }
}

/// The subresource through which a real cluster's component would have written.
fn subresource(entry: &Entry) -> &'static str {
    match (entry.writer.subresource, entry.actor, entry.key.kind) {
        (Subresource::Status, ..)
        | (_, Actor::Deployment, Kind::Deployment)
        | (_, Actor::Kubelet, Kind::Pod | Kind::Node)
        | (_, Actor::CloudLoadBalancer, Kind::Service)
            if entry.before.is_some() =>
        {
            "status"
        }
        (Subresource::Scale, ..) => "scale",
        _ => "",
    }
}

fn is_managed(path: &Path) -> bool {
    let (root, second) = (path.first().map_or("", |step| step.as_str()), path.get(1));
    let unmanaged = second.is_some_and(|step| UNMANAGED.contains(&step.as_str()));
    match root {
        "" | "f:apiVersion" | "f:kind" => false,
        "f:metadata" => !unmanaged,
        _ => true,
    }
}

/// Whether a field of a new object was asked for or defaulted, not allocated or admitted.
fn is_asked_for(entry: &Entry, object: &Value, path: &Path) -> bool {
    let Some(field) = path.get(1).and_then(|step| step.strip_prefix("f:")).filter(|_| path[0] == "f:spec")
    else {
        return true;
    };
    match entry.key.kind {
        Kind::Service => {
            let at = ALLOCATED.iter().position(|held| *held == field);
            let allocated = at.is_some_and(|at| entry.writer.allocated & (1 << at) != 0);
            let node_port = path.last().is_some_and(|step| step == "f:nodePort");
            let node_port = node_port && entry.writer.allocated & NODE_PORTS != 0;
            !(allocated || node_port)
        }
        Kind::Pod => {
            const TOKEN: &str = "kube-api-access-";
            let token = path.iter().any(|step| step.contains(TOKEN) || step.contains("/serviceaccount\""));
            let list_of_token = path.len() == 2
                && field == "volumes"
                && object
                    .at(&["spec", "volumes"])
                    .items()
                    .iter()
                    .all(|one| one.get("name").str().starts_with(TOKEN));
            let mounts = path.len() == 4 && path[3] == "f:volumeMounts";
            let mounts = mounts && only_tokens(object);
            !(ADMITTED.contains(&path[1].as_str()) || token || list_of_token || mounts)
        }
        _ => true,
    }
}

/// Whether every mount of a Pod is that of its service account.
fn only_tokens(pod: &Value) -> bool {
    let containers = pod.at(&["spec", "containers"]).items().iter();
    let mut mounts = containers.flat_map(|container| container.get("volumeMounts").items());
    mounts.all(|mount| mount.get("name").str().starts_with("kube-api-access-"))
}

fn shown(managed: &Managed, api_version: &'static str) -> Value {
    let mut entry = value!({
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": (fields_v1(&managed.fields)),
        "manager": (managed.manager.clone()),
        "operation": "Update",
        "time": (managed.time)
    });
    if !managed.subresource.is_empty() {
        entry.set("subresource", managed.subresource);
    }
    entry
}
