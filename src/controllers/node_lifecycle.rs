//! node-lifecycle-controller: taints nodes by what is wrong with them.
//!
//! Owns the taints of cordoned and of broken nodes, and marking the Pods of a broken node not ready. It does not
//! watch heartbeats: nodes do not fail by themselves, they fail when somebody writes so into their status. Who
//! goes because of a taint is [`super::taint_eviction`]'s business. Source: `node_lifecycle_controller.go`.

use std::sync::Arc;

use super::placement::{NO_EXECUTE, NO_SCHEDULE, UNSCHEDULABLE};
use super::{Context, Controller, Event, WorkQueue};
use crate::api::kinds::set_condition;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// Conditions of nodes, the status that is trouble, and its taint (`nodeConditionToTaintKeyStatusMap`).
const TROUBLES: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

/// The controller.
pub(super) struct NodeLifecycle;

impl Controller for NodeLifecycle {
    fn actor(&self) -> Actor {
        Actor::NodeLifecycle
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        if entry.key.kind == Kind::Node && entry.after.is_some() {
            dirty.add(entry.key.clone());
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(node) = context.cluster.get(key).cloned() else { return };
        let taints = wanted(&node, context.cluster);
        let same = taints.len() == node.spec().get("taints").items().len()
            && taints.iter().all(|taint| node.spec().get("taints").items().contains(taint));
        if !same {
            let mut document = node.value.clone();
            if taints.is_empty() {
                document.field_mut("spec").remove("taints");
            } else {
                document.set_at(&["spec", "taints"], taints);
            }
            // The node may be gone.
            let _written = context.cluster.update(Actor::NodeLifecycle, key, document);
        }
        if node.as_node().is_some_and(|node| node.broken) {
            let known = node.spec().get("taints").items();
            if !known.iter().any(|taint| [NOT_READY, UNREACHABLE].contains(&taint.get("key").str())) {
                let message = format!("Node {} status is now: NodeNotReady", node.name());
                context.event(&node, Event::normal("NodeNotReady", message));
            }
            mark_pods(&node, context);
        }
    }
}

/// The status of a condition of a node.
fn condition<'a>(node: &'a Object, kind: &str) -> &'a str {
    let conditions = node.status().get("conditions").items();
    conditions.iter().find(|one| one.get("type").str() == kind).map_or("", |one| one.get("status").str())
}

/// The taints that a node shall have: those that are not this controller's, and those of its troubles.
fn wanted(node: &Object, cluster: &Cluster) -> Vec<Value> {
    let mut troubles: Vec<(&str, &str)> = Vec::new();
    if node.as_node().is_some_and(|node| node.unschedulable) {
        troubles.push((UNSCHEDULABLE, NO_SCHEDULE));
    }
    for (kind, status, taint) in TROUBLES {
        if condition(node, kind) == status {
            troubles.push((taint, NO_SCHEDULE));
            if kind == "Ready" {
                troubles.push((taint, NO_EXECUTE));
            }
        }
    }
    let own = |key: &str| key == UNSCHEDULABLE || TROUBLES.iter().any(|(.., taint)| *taint == key);
    let has = |taint: &Value, (key, effect): &(&str, &str)| {
        taint.get("key").str() == *key && taint.get("effect").str() == *effect
    };
    let known = node.spec().get("taints").items();
    let mut taints: Vec<Value> = known
        .iter()
        .filter(|taint| !own(taint.get("key").str()) || troubles.iter().any(|one| has(taint, one)))
        .cloned()
        .collect();
    for trouble in &troubles {
        if !known.iter().any(|taint| has(taint, trouble)) {
            let (key, effect) = *trouble;
            taints.push(value!({
                "effect": (effect.to_owned()), "key": (key.to_owned()), "timeAdded": (cluster.timestamp())
            }));
        }
    }
    taints
}

/// The Pods of a broken node are not ready, and are told so (`MarkPodsNotReady`).
fn mark_pods(node: &Object, context: &mut Context<'_>) {
    let cluster = &*context.cluster;
    let keys = cluster.indexes().pods_on(node.name());
    let pods: Vec<Arc<Object>> = keys.filter_map(|key| cluster.get(key)).cloned().collect();
    for pod in pods.iter().filter(|pod| pod.as_pod().is_some_and(|pod| pod.ready)) {
        let mut document = pod.value.clone();
        set_condition(&mut document, "Ready", false, context.cluster.timestamp());
        if context.cluster.update_status(Actor::NodeLifecycle, &pod.key, document).is_ok() {
            context.event(pod, Event::warning("NodeNotReady", "Node is not ready".to_owned()));
        }
    }
}
