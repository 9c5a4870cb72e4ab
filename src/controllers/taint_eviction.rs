//! taint-eviction-controller: removes Pods from nodes whose taints they do not tolerate.
//!
//! Owns the taints of effect NoExecute: a Pod goes at once, or after the shortest time for which it tolerates
//! them. Source: `pkg/controller/tainteviction` of Kubernetes.

use std::collections::BTreeMap;

use super::placement::{self, NO_EXECUTE};
use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster, disruption};

/// The controller.
#[derive(Default)]
pub(super) struct TaintEviction {
    /// When Pods go that tolerate the taints of their node for a while.
    planned: BTreeMap<Key, Instant>,
}

/// How long a Pod stays on its node.
#[derive(Debug, PartialEq)]
enum Stay {
    Forever,
    For(Span),
    No,
}

impl Controller for TaintEviction {
    fn actor(&self) -> Actor {
        Actor::TaintEviction
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Node => {
                let taints = |object: Option<&Object>| {
                    object.and_then(|node| node.as_node()).map(|node| node.taints.clone())
                };
                if taints(entry.before.as_deref()) == taints(entry.after.as_deref()) {
                    return;
                }
                for pod in cluster.indexes().pods_on(&entry.key.name) {
                    dirty.add(pod.clone());
                }
            }
            Kind::Pod => {
                let Some(pod) = &entry.after else {
                    self.planned.remove(&entry.key);
                    return;
                };
                let node = |object: &Object| object.as_pod().map(|pod| pod.node.clone());
                let moved = entry.before.as_ref().is_none_or(|before| node(before) != node(pod));
                if moved && !has_no_execute(pod, cluster).is_empty() {
                    dirty.add(entry.key.clone());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(pod) = context.cluster.get(key).filter(|pod| !pod.is_terminating()).cloned() else {
            self.planned.remove(key);
            return;
        };
        let now = context.cluster.now();
        let taints = has_no_execute(&pod, context.cluster);
        match stay(&taints, pod.spec().get("tolerations").items()) {
            Stay::Forever => {
                if self.planned.remove(key).is_some() {
                    let message = format!("Cancelling deletion of Pod {}/{}", key.namespace, key.name);
                    context.event(&pod, Event::normal("TaintManagerEviction", message));
                }
            }
            Stay::For(span) => {
                let at = *self.planned.entry(key.clone()).or_insert(now + span);
                if at > now {
                    return context.requeue(at - now);
                }
                evict(&pod, context);
            }
            Stay::No => evict(&pod, context),
        }
    }
}

/// The taints of effect NoExecute of a Pod's node.
fn has_no_execute(pod: &Object, cluster: &Cluster) -> Vec<Value> {
    let node = pod.as_pod().and_then(|pod| cluster.find(Kind::Node, "", &pod.node)?.as_node());
    let taints = node.map_or(&[][..], |node| node.taints.items());
    taints.iter().filter(|taint| taint.get("effect").str() == NO_EXECUTE).cloned().collect()
}

fn stay(taints: &[Value], tolerations: &[Value]) -> Stay {
    let mut least: Option<i64> = None;
    for taint in taints {
        let taint = (taint.get("key").str(), taint.get("value").str(), NO_EXECUTE);
        let fitting = tolerations.iter().find(|one| placement::tolerates(std::slice::from_ref(*one), taint));
        let Some(toleration) = fitting else { return Stay::No };
        if let Some(seconds) = toleration.get("tolerationSeconds").as_int() {
            least = Some(least.map_or(seconds, |least| least.min(seconds)));
        }
    }
    match least {
        None => Stay::Forever,
        Some(seconds) => {
            u64::try_from(seconds).map_or(Stay::No, |seconds| Stay::For(Span::from_seconds(seconds)))
        }
    }
}

fn evict(pod: &Object, context: &mut Context<'_>) {
    let message = format!("Marking for deletion Pod {}/{}", pod.namespace(), pod.name());
    context.event(pod, Event::normal("TaintManagerEviction", message));
    let message = "Taint manager: deleting due to NoExecute taint";
    let document = disruption::marked(pod, "DeletionByTaintManager", message, context.cluster.timestamp());
    // Somebody may have removed it a moment ago.
    let _told = context.cluster.update_status(Actor::TaintEviction, &pod.key, document);
    let options = Options { uid: pod.meta.uid.clone(), ..Options::default() };
    let _gone = context.cluster.delete(Actor::TaintEviction, &pod.key, options);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn a_pod_stays_as_long_as_it_tolerates_every_taint() {
        let taint = |key: &'static str| value!({ "key": key, "effect": NO_EXECUTE });
        let exists = |key: &'static str| value!({ "key": key, "operator": "Exists" });
        let for_a_while = |key: &'static str, seconds: i64| value!({ "key": key, "operator": "Exists", "effect": NO_EXECUTE, "tolerationSeconds": seconds });
        let check = |taints: &[Value], tolerations: &[Value], expected: Stay| {
            assert_eq!(stay(taints, tolerations), expected, "{taints:?} {tolerations:?}");
        };
        check(&[], &[], Stay::Forever);
        check(&[taint("a")], &[], Stay::No);
        check(&[taint("a")], &[exists("a")], Stay::Forever);
        check(&[taint("a"), taint("b")], &[exists("a")], Stay::No);
        check(
            &[taint("a"), taint("b")],
            &[for_a_while("a", 300), for_a_while("b", 5)],
            Stay::For(Span::from_seconds(5)),
        );
    }
}
