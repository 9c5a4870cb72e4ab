//! Which nodes a Pod asks for and which refuse it: selectors, node affinity, taints and tolerations.
//!
//! Owns the rules that the scheduler, the DaemonSet controller and the node lifecycle controller share. Source:
//! `k8s.io/component-helpers/scheduling/corev1` of Kubernetes.

use crate::api::object::Object;
use crate::api::typed::Node;
use crate::api::value::Value;

/// The effect of a taint that keeps Pods from being scheduled.
pub(super) const NO_SCHEDULE: &str = "NoSchedule";
/// The effect of a taint that also evicts Pods.
pub(super) const NO_EXECUTE: &str = "NoExecute";
/// The taint of a cordoned node.
pub(super) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Whether the node has a taint of one of these effects that none of the tolerations tolerates.
pub(super) fn untolerated(node: &Node, tolerations: &[Value], effects: &[&str]) -> bool {
    node.taints.items().iter().any(|taint| {
        let effect = taint.get("effect").str();
        let taint = (taint.get("key").str(), taint.get("value").str(), effect);
        effects.contains(&effect) && !tolerates(tolerations, taint)
    })
}

/// Whether one of the tolerations tolerates a taint (key, value, effect).
pub(super) fn tolerates(tolerations: &[Value], (key, value, effect): (&str, &str, &str)) -> bool {
    tolerations.iter().any(|toleration| {
        let text = |field| toleration.get(field).str();
        let exists = text("operator") == "Exists";
        (text("effect").is_empty() || text("effect") == effect)
            && (text("key") == key || (text("key").is_empty() && exists))
            && (exists || text("value") == value)
    })
}

/// `nodeSelector` and the required part of `affinity.nodeAffinity`.
pub(super) fn selected(spec: &Value, node: &Object) -> bool {
    let labels = &node.meta.labels;
    if !spec
        .get("nodeSelector")
        .entries()
        .iter()
        .all(|(key, value)| labels.get(key).as_str() == value.as_str())
    {
        return false;
    }
    let required = spec.at(&["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]);
    let terms = required.get("nodeSelectorTerms").items();
    required.is_null() || terms.iter().any(|term| term_matches(term, node))
}

fn term_matches(term: &Value, node: &Object) -> bool {
    let by_label = term.get("matchExpressions").items();
    let by_field = term.get("matchFields").items();
    let name = Value::from(node.name());
    !(by_label.is_empty() && by_field.is_empty())
        && by_label.iter().all(|one| holds(one, node.meta.labels.get(one.get("key").str())))
        && by_field.iter().all(|one| holds(one, &name))
}

/// One `NodeSelectorRequirement` against the value that the node has, or null.
fn holds(requirement: &Value, has: &Value) -> bool {
    let values = requirement.get("values").items();
    let listed = has.as_str().is_some_and(|has| values.iter().any(|value| value.str() == has));
    let compare = |greater: bool| {
        let (Ok(has), Some(Ok(bound))) =
            (has.str().parse::<i64>(), values.first().map(|value| value.str().parse::<i64>()))
        else {
            return false;
        };
        if greater { has > bound } else { has < bound }
    };
    match requirement.get("operator").str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => !has.is_null(),
        "DoesNotExist" => has.is_null(),
        "Gt" => compare(true),
        "Lt" => compare(false),
        _ => false,
    }
}
