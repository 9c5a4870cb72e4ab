//! PodDisruptionBudgets: what they count, and whether a Pod may be evicted now.
//!
//! Owns the numbers of a budget, worked out from the Pods that it selects, and the question that the `eviction`
//! subresource asks. The disruption controller writes the numbers into the budget's status; evictions that
//! follow each other at once do not wait for it.
//! Source: `pkg/registry/core/pod/storage/eviction.go` and `pkg/controller/disruption`.

use std::sync::Arc;

use super::Cluster;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::{Reason, Status};
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many Pods there should be.
    pub expected: i64,
    /// How many of them must be healthy.
    pub desired: i64,
    /// How many are healthy: ready and not about to go.
    pub healthy: i64,
}

impl Cluster {
    /// The numbers of a budget; `None` if it selects nothing at all.
    #[must_use]
    pub fn disruption_counts(&self, budget: &Object) -> Option<Counts> {
        let selector = Selector::of_label_selector(budget.spec().get("selector"))?;
        let mut pods = self.matching(Kind::Pod, budget.namespace(), &selector);
        pods.retain(|pod| !pod.as_pod().is_some_and(|pod| pod.is_finished()));
        let is_healthy =
            |pod: &&Arc<Object>| !pod.is_terminating() && pod.as_pod().is_some_and(|pod| pod.ready);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let absolute = budget.spec().get("minAvailable").as_int().is_some();
        let expected = if absolute { count(pods.len()) } else { self.expected(&pods) };
        let desired = self.desired_healthy(budget.spec(), &pods);
        Some(Counts { expected, desired, healthy: count(pods.iter().filter(is_healthy).count()) })
    }

    /// Refuses an eviction that a budget forbids.
    ///
    /// # Errors
    /// The API server's refusal.
    pub(super) fn admit_eviction(&self, pod: &Object) -> Result<(), Status> {
        let Some(state) = pod.as_pod() else { return Ok(()) };
        if pod.is_terminating() || state.phase != "Running" {
            return Ok(());
        }
        let budgets: Vec<(&Arc<Object>, Selector)> = self
            .list(Kind::PodDisruptionBudget, Some(pod.namespace()))
            .filter_map(|budget| Some((budget, Selector::of_label_selector(budget.spec().get("selector"))?)))
            .filter(|(_, selector)| selector.matches(&pod.meta.labels))
            .collect();
        let [(budget, _)] = budgets.as_slice() else {
            return match budgets.len() {
                0 => Ok(()),
                _ => Err(Status::new(
                    Reason::InternalError,
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                )),
            };
        };
        let Some(Counts { desired, healthy, .. }) = self.disruption_counts(budget) else { return Ok(()) };
        // A Pod that is not ready may go as long as the others are enough.
        let needed = if state.ready { desired + 1 } else { desired };
        if healthy >= needed {
            return Ok(());
        }
        Err(Status::new(
            Reason::TooManyRequests,
            "Cannot evict pod as it would violate the pod's disruption budget.",
        ))
    }

    /// How many healthy Pods a budget asks for.
    fn desired_healthy(&self, spec: &Value, pods: &[Arc<Object>]) -> i64 {
        let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
        if let Some(least) = least.as_int() {
            return least;
        }
        let expected = self.expected(pods);
        match (least.as_str(), most) {
            (Some(least), _) => share(least, expected),
            (None, Value::Str(most)) => (expected - share(most, expected)).max(0),
            (None, most) => (expected - most.as_int().unwrap_or(0)).max(0),
        }
    }

    /// How many Pods the controllers of some Pods want.
    fn expected(&self, pods: &[Arc<Object>]) -> i64 {
        let mut owners: Vec<Key> = Vec::new();
        let mut alone = 0;
        for pod in pods {
            let owner = pod.controller().and_then(|owner| {
                let kind =
                    crate::api::registry::KINDS.iter().find(|info| info.name == owner.kind.as_str())?;
                Some(Key::new(kind.kind, pod.namespace().clone(), owner.name.clone()))
            });
            match owner {
                Some(owner) if !owners.contains(&owner) => owners.push(owner),
                Some(_) => {}
                None => alone += 1,
            }
        }
        let wanted = |owner: &Key| self.get(owner).and_then(|object| object.spec().get("replicas").as_int());
        alone + owners.iter().filter_map(wanted).sum::<i64>()
    }
}

/// A Pod's document with the condition that says that somebody disrupts it.
#[must_use]
pub fn marked(pod: &Object, reason: &'static str, message: &'static str, now: Timestamp) -> Value {
    const KIND: &str = "DisruptionTarget";
    let mut document = pod.value.clone();
    let conditions = document.field_mut("status").field_mut("conditions").list_mut();
    conditions.retain(|one| one.get("type").str() != KIND);
    conditions.push(value!({
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "message": message,
        "observedGeneration": (pod.meta.generation),
        "reason": reason,
        "status": "True",
        "type": KIND
    }));
    document
}

/// A percentage of a number, rounded up.
fn share(percent: &str, of: i64) -> i64 {
    let percent: i64 = percent.trim_end_matches('%').parse().unwrap_or(0);
    (percent * of + 99) / 100
}
