//! disruption-controller: keeps count of how many Pods of a PodDisruptionBudget may be evicted.
//!
//! Owns the status of PodDisruptionBudgets. The numbers are [`crate::cluster::disruption`]'s. Source: `pkg/controller/disruption` of Kubernetes.

use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::cluster::disruption::Counts;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The controller.
pub(super) struct DisruptionController;

impl Controller for DisruptionController {
    fn actor(&self) -> Actor {
        Actor::Disruption
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::PodDisruptionBudget if entry.actor != Actor::Disruption && entry.after.is_some() => {
                dirty.add(entry.key.clone());
            }
            Kind::Pod if cluster.count(Kind::PodDisruptionBudget) > 0 && is_seen(entry) => {
                for budget in cluster.list(Kind::PodDisruptionBudget, Some(&entry.key.namespace)) {
                    let selector = Selector::of_label_selector(budget.spec().get("selector"));
                    let concerns = [&entry.before, &entry.after].into_iter().flatten().any(|pod| {
                        selector.as_ref().is_some_and(|selector| selector.matches(&pod.meta.labels))
                    });
                    if concerns {
                        dirty.add(budget.key.clone());
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(budget) = context.cluster.get(key).cloned() else { return };
        let selector = Selector::of_label_selector(budget.spec().get("selector"));
        let selects = |pod: &Object| selector.as_ref().is_some_and(|one| one.matches(&pod.meta.labels));
        if !context.cluster.list(Kind::Pod, Some(&key.namespace)).any(|pod| selects(pod)) {
            context.event(&budget, Event::normal("NoPods", "No matching pods found".to_owned()));
        }
        let cluster = &mut *context.cluster;
        let Some(Counts { expected, desired, healthy }) = cluster.disruption_counts(&budget) else { return };
        let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
        let (reason, truth) =
            if allowed > 0 { ("SufficientPods", "True") } else { ("InsufficientPods", "False") };
        let known = budget.status().get("conditions").items().first().cloned().unwrap_or_default();
        let since = Some(known.get("lastTransitionTime")).filter(|_| known.get("status").str() == truth);
        let since = since.cloned().unwrap_or_else(|| cluster.timestamp().into());
        let status = value!({
            "conditions": [{
                "lastTransitionTime": since,
                "message": "",
                "observedGeneration": (budget.meta.generation),
                "reason": reason,
                "status": truth,
                "type": "DisruptionAllowed"
            }],
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": (budget.meta.generation)
        });
        owned::write_status(cluster, Actor::Disruption, &budget, status);
    }
}

/// Whether anything changed that a budget counts.
fn is_seen(entry: &Entry) -> bool {
    let (Some(before), Some(after)) = (&entry.before, &entry.after) else { return true };
    let facts = |object: &Object| {
        (object.as_pod().map(|pod| (pod.ready, pod.is_finished())), object.is_terminating())
    };
    facts(before) != facts(after) || before.meta.labels != after.meta.labels
}
