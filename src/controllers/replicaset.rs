//! replicaset-controller and replication-controller: keep as many Pods as a ReplicaSet or ReplicationController
//! asks for. The two are one program, in Kubernetes as here.
//!
//! Owns creating and deleting Pods, adopting and releasing them by labels, and the owner's status. Which Pods go
//! first follows `ActivePodsWithRanks` of Kubernetes' `controller_utils.go`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How far apart the first deletions of one look are: the API server takes them one after the other, and who
/// follows Pods sees them so.
const DELETION: Span = Span::from_ms(8);
/// How many deletions are made singly; all further ones come together, so that large batches stay cheap.
const SINGLE: u32 = 4;
/// How many Pods one look creates or deletes at most (`BurstReplicas` of pkg/controller/replicaset): what it
/// wrote makes it look again, and the journal holds what others have to follow.
const BURST: usize = 500;

/// The controller of one of the two kinds.
pub(super) struct ReplicaSetController {
    kind: Kind,
    actor: Actor,
    /// Which owners it is deleting Pods of: when it goes on, and how many are gone. It does not look at an
    /// owner anew before the last deletion is answered.
    deleting: BTreeMap<Key, (Instant, u32)>,
    /// Owners whose Pods the server refused.
    failing: BTreeSet<Key>,
}

impl ReplicaSetController {
    /// The controller of ReplicaSets.
    pub(super) fn of_replica_sets() -> Self {
        Self {
            kind: Kind::ReplicaSet,
            actor: Actor::ReplicaSet,
            deleting: BTreeMap::new(),
            failing: BTreeSet::new(),
        }
    }

    /// The controller of ReplicationControllers.
    pub(super) fn of_replication_controllers() -> Self {
        Self {
            kind: Kind::ReplicationController,
            actor: Actor::ReplicationController,
            deleting: BTreeMap::new(),
            failing: BTreeSet::new(),
        }
    }
}

impl Controller for ReplicaSetController {
    fn actor(&self) -> Actor {
        self.actor
    }

    fn latency(&self) -> Span {
        Span::from_ms(3)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Pod => owned::observe(self.kind, entry, cluster, dirty),
            kind if kind == self.kind => dirty.add(entry.key.clone()),
            // What a Pod could not be made without may be there now.
            Kind::ServiceAccount | Kind::PriorityClass | Kind::LimitRange | Kind::ResourceQuota => {
                dirty.add_all(self.failing.iter().cloned());
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let now = context.cluster.now();
        let began = self.deleting.get(key).copied();
        if let Some((at, _)) = began.filter(|(at, _)| *at > now) {
            return context.requeue(at - now);
        }
        self.deleting.remove(key);
        let Some(set) = context.cluster.get(key).cloned() else { return };
        let Some(selector) = owned::selector_of(&set) else { return };
        let pods = owned::claim(context.cluster, self.actor, &set, Kind::Pod, &selector);
        let (active, others): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| owned::is_active(pod));
        let terminating = others.iter().filter(|pod| pod.is_terminating()).count();
        let wanted = usize::try_from(owned::replicas(&set)).unwrap_or(0);
        let mut active = active;
        let mut refused = None;
        self.failing.remove(key);
        if !set.is_terminating() {
            if active.len() < wanted {
                let (created, why) = create(context, &set, (wanted - active.len()).min(BURST));
                active.extend(created);
                refused = why;
            } else if active.len() > wanted {
                let gone = began.map_or(0, |(_, gone)| gone);
                let excess = active.len() - wanted;
                let count = if gone < SINGLE { 1 } else { excess.min(BURST) };
                delete(context, &set, &active, count);
                if count < excess {
                    self.deleting.insert(key.clone(), (now + DELETION, gone + 1));
                    context.requeue(DELETION);
                }
                if began.is_some() {
                    return;
                }
            }
        }
        if refused.is_some() {
            self.failing.insert(key.clone());
        }
        write_status(context, &set, &active, terminating, refused);
    }
}

/// Makes Pods; gives them, and why the server refused to make more.
fn create(context: &mut Context<'_>, set: &Object, count: usize) -> (Vec<Arc<Object>>, Option<String>) {
    let document = owned::pod_of_template(set);
    let mut created = Vec::with_capacity(count);
    for _ in 0..count {
        match owned::create_named(context.cluster, context.actor, set.namespace(), &document) {
            Ok(pod) => {
                let message = format!("Created pod: {}", pod.name());
                context.event(set, Event::normal("SuccessfulCreate", message));
                created.push(pod);
            }
            // In a namespace that goes nobody is told.
            Err(_) if context.cluster.is_namespace_terminating(set.namespace()) => break,
            Err(status) => {
                let message = format!("Error creating: {}", status.message);
                context.event(set, Event::warning("FailedCreate", message));
                return (created, Some(status.message));
            }
        }
    }
    (created, None)
}

/// Deletes the Pods that can be missed most.
fn delete(context: &mut Context<'_>, set: &Object, active: &[Arc<Object>], count: usize) {
    let mut on_node: BTreeMap<SmolStr, usize> = BTreeMap::new();
    for pod in active.iter().filter_map(|object| object.as_pod()) {
        *on_node.entry(pod.node.clone()).or_default() += 1;
    }
    let rank = |object: &Arc<Object>| {
        let pod = object.as_pod().expect("ReplicaSets own Pods");
        let phase = match pod.phase.as_str() {
            "Pending" | "" => 0,
            "Running" => 2,
            _ => 1,
        };
        let cost: i64 = object
            .meta
            .annotation("controller.kubernetes.io/pod-deletion-cost")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let statuses = object.status().get("containerStatuses").items();
        let restarts = statuses.iter().filter_map(|one| one.get("restartCount").as_int()).max().unwrap_or(0);
        (
            !pod.node.is_empty(),
            phase,
            pod.ready,
            cost,
            Reverse(on_node.get(&pod.node).copied().unwrap_or(0)),
            Reverse(owned::ready_since(object)),
            Reverse(restarts),
            Reverse(object.meta.created),
            object.name().clone(),
        )
    };
    let mut ranked: Vec<_> = active.iter().map(|object| (rank(object), object)).collect();
    ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (_, object) in ranked.into_iter().take(count) {
        let options = Options { uid: object.meta.uid.clone(), ..Options::default() };
        if context.cluster.delete(context.actor, &object.key, options).is_ok() {
            let message = format!("Deleted pod: {}", object.name());
            context.event(set, Event::normal("SuccessfulDelete", message));
        }
    }
}

/// The conditions of an owner: ReplicaFailure where the server refused a Pod. The first refusal is told.
fn conditions(set: &Object, refused: Option<String>, now: Timestamp) -> Vec<Value> {
    const KIND: &str = "ReplicaFailure";
    let known = set.status().get("conditions").items();
    let mut conditions: Vec<Value> = known.to_vec();
    match refused {
        None => conditions.retain(|one| one.get("type").str() != KIND),
        Some(why) if !known.iter().any(|one| one.get("type").str() == KIND) => conditions.push(value!({
            "lastTransitionTime": now, "message": why, "reason": "FailedCreate", "status": "True", "type": KIND
        })),
        Some(_) => {}
    }
    conditions
}

fn write_status(
    context: &mut Context<'_>,
    set: &Object,
    active: &[Arc<Object>],
    terminating: usize,
    refused: Option<String>,
) {
    let cluster = &mut *context.cluster;
    let template = set.spec().at(&["template", "metadata", "labels"]);
    let labelled =
        |pod: &&Arc<Object>| template.entries().iter().all(|(key, value)| pod.meta.labels.get(key) == value);
    let ready: Vec<&Arc<Object>> =
        active.iter().filter(|pod| pod.as_pod().is_some_and(|pod| pod.ready)).collect();
    let wait = set.spec().get("minReadySeconds").as_int().unwrap_or(0);
    let now = cluster.timestamp();
    let available = ready.iter().filter(|pod| owned::is_available(pod, wait, now)).count();
    let mut status = value!({ "replicas": (active.len()), "terminatingReplicas": terminating });
    if set.key.kind == Kind::ReplicationController {
        status.remove("terminatingReplicas");
    }
    let mut count = |field: &'static str, number: usize| {
        if number > 0 {
            status.set(field, number);
        }
    };
    count("fullyLabeledReplicas", active.iter().filter(labelled).count());
    count("readyReplicas", ready.len());
    count("availableReplicas", available);
    if set.meta.generation > 0 {
        status.set("observedGeneration", set.meta.generation);
    }
    let conditions = conditions(set, refused, now);
    if !conditions.is_empty() {
        status.set("conditions", conditions);
    }
    if let Some(after) = owned::until_available(ready, wait, cluster) {
        context.requeue(after);
    }
    owned::write_status(context.cluster, context.actor, set, status);
}
