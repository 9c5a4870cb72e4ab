//! Selectors: why one matches nothing, or more than is meant, and what would make it right.
//!
//! Owns the comparison of a Service's selector with Pods; the causes are [`ServiceCause`]s.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finding::{Cause, Finding, Fix, Severity, in_namespace};
use super::near::{self, Nearest};
use super::service::ServiceCause;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::SmolStr;
use crate::cluster::Cluster;

/// What to say of a selector that matches no Pod.
pub(super) fn nothing_matches(cluster: &Cluster, key: &Key, object: &Object, selector: &Selector) -> Finding {
    if let Some(workload) = scaled_to_zero(cluster, key, selector) {
        let (kind, name) = (workload.kind.info().singular, &workload.name);
        let command = format!("kubectl scale {kind} {name} --replicas=1{}", in_namespace(key));
        let cause = Cause::Service(ServiceCause::ScaledToZero { workload });
        return Finding::new(key, Severity::Problem, cause).command(command);
    }
    let text = selector.to_string();
    let elsewhere = elsewhere(cluster, key, selector);
    let nearest = near::nearest_pod(cluster, &key.namespace, selector);
    let exact_elsewhere = elsewhere.filter(|_| {
        nearest.as_ref().is_none_or(|near| near.differences.iter().all(|one| one.found.is_none()))
    });
    if let Some((namespace, pods)) = exact_elsewhere {
        let cause = ServiceCause::MatchesElsewhere { selector: text, namespace: namespace.clone(), pods };
        let finding = Finding::new(key, Severity::Problem, Cause::Service(cause));
        return finding.at("metadata.namespace").edit("metadata.namespace", namespace.as_str());
    }
    let pods = cluster.list(Kind::Pod, Some(&key.namespace)).count();
    let fixes = nearest.as_ref().map(|near| selector_fixes(cluster, object, near)).unwrap_or_default();
    let field = match nearest.as_ref().and_then(|near| near.differences.first()) {
        Some(difference) => format!("spec.selector.{}", difference.key),
        None => "spec.selector".to_owned(),
    };
    let cause = ServiceCause::NothingMatches { selector: text, nearest, pods };
    let mut finding = Finding::new(key, Severity::Problem, Cause::Service(cause)).at(field);
    finding.fixes = fixes;
    finding
}

/// A workload with no replicas whose Pods the selector would match.
fn scaled_to_zero(cluster: &Cluster, key: &Key, selector: &Selector) -> Option<Key> {
    [Kind::Deployment, Kind::StatefulSet, Kind::ReplicaSet].into_iter().find_map(|kind| {
        let fits = |object: &&Arc<Object>| {
            object.spec().get("replicas").as_int() == Some(0)
                && object.controller().is_none()
                && selector.matches(object.spec().at(&["template", "metadata", "labels"]))
        };
        cluster.list(kind, Some(&key.namespace)).find(fits).map(|object| object.key.clone())
    })
}

/// Another namespace in which the selector matches Pods, with their number: the one with most.
fn elsewhere(cluster: &Cluster, key: &Key, selector: &Selector) -> Option<(SmolStr, usize)> {
    let mut best: Option<(SmolStr, usize)> = None;
    for namespace in cluster.list(Kind::Namespace, None) {
        let count = cluster.matching(Kind::Pod, namespace.name(), selector).len();
        let more = count > best.as_ref().map_or(0, |(_, most)| *most);
        if more && *namespace.name() != key.namespace {
            best = Some((namespace.name().clone(), count));
        }
    }
    best
}

/// What makes a selector and the nearest Pod agree: a label on a Pod made by hand; the Service's selector where
/// something would make the Pod again without the label.
fn selector_fixes(cluster: &Cluster, service: &Object, near: &Nearest) -> Vec<Fix> {
    let key = &service.key;
    let unlike = |one: &near::Difference| {
        one.lookalike.is_none() && one.found.as_ref().is_some_and(|found| !near::is_slip(&one.wanted, found))
    };
    let others = cluster.list(Kind::Pod, Some(&key.namespace)).count() > 1;
    if others && near.owner.is_none() && near.differences.iter().any(unlike) {
        // One of several that differ just as much: to relabel it would be a guess.
        return vec![Fix::Command(format!("kubectl get pods --show-labels{}", in_namespace(key)))];
    }
    let Some(owner) = &near.owner else {
        let labels: String =
            near.differences.iter().map(|one| format!(" {}={}", one.key, one.wanted)).collect();
        let overwrite =
            if near.differences.iter().any(|one| one.found.is_some()) { " --overwrite" } else { "" };
        return vec![Fix::Command(format!(
            "kubectl label pod {}{labels}{overwrite}{}",
            near.pod.name,
            in_namespace(key)
        ))];
    };
    let mut patch: Vec<(SmolStr, Option<SmolStr>)> = Vec::new();
    for one in &near.differences {
        match (&one.found, &one.lookalike) {
            (Some(found), _) => patch.push((one.key.clone(), Some(found.clone()))),
            (None, lookalike) => {
                patch.push((one.key.clone(), None));
                let value = |held: &SmolStr| near.labels.iter().find(|(key, _)| key == held);
                patch.extend(
                    lookalike.as_ref().and_then(value).map(|(key, value)| (key.clone(), Some(value.clone()))),
                );
            }
        }
    }
    let kept = service.as_service().and_then(|service| service.selector.as_ref());
    let kept = kept.map_or(0, |selector| selector.requirements.len());
    let set = patch.iter().filter(|(_, value)| value.is_some()).count();
    if kept == near.differences.len() && set == 0 {
        // Nothing of the selector would be left: take what the workload itself selects by.
        let own = cluster.get(owner).map(|object| object.value.at(&["spec", "selector"]).clone());
        let own = own.and_then(|selector| Selector::of_label_selector(&selector)).unwrap_or_default();
        patch.extend(own.equalities().map(|(key, value)| (key.clone(), Some(value.clone()))));
    }
    let json = |value: &Option<SmolStr>| {
        value.as_ref().map_or_else(|| "null".to_owned(), |value| format!("\"{value}\""))
    };
    let body: Vec<String> = patch.iter().map(|(key, value)| format!("\"{key}\":{}", json(value))).collect();
    let mut fixes = vec![Fix::Command(format!(
        "kubectl patch svc {} -p '{{\"spec\":{{\"selector\":{{{}}}}}}}'{}",
        key.name,
        body.join(","),
        in_namespace(key)
    ))];
    fixes.extend(patch.iter().filter_map(|(label, value)| {
        let value = value.as_ref()?.to_string();
        Some(Fix::Edit { key: key.clone(), field: format!("spec.selector.{label}"), value })
    }));
    fixes
}

/// What to say of a selector that matches the Pods of several workloads.
pub(super) fn too_broad(
    cluster: &Cluster,
    key: &Key,
    object: &Object,
    pods: &[Arc<Object>],
) -> Option<Finding> {
    let mut groups: BTreeMap<Key, Vec<&Arc<Object>>> = BTreeMap::new();
    for pod in pods {
        groups.entry(near::owner(cluster, pod)?).or_default().push(pod);
    }
    if groups.len() < 2 {
        return None;
    }
    let distinguishing = distinguishing(&groups);
    let workloads: Vec<(Key, usize)> = groups.iter().map(|(key, pods)| (key.clone(), pods.len())).collect();
    // The workload that the Service is named after is meant, if there is one.
    let meant = workloads.iter().position(|(workload, _)| workload.name == object.key.name);
    let label =
        distinguishing.as_ref().zip(meant).map(|((label, values), at)| (label.clone(), values[at].clone()));
    let cause = ServiceCause::TooBroad { workloads, distinguishing };
    let finding = Finding::new(key, Severity::Note, Cause::Service(cause)).at("spec.selector");
    Some(match label {
        Some((label, value)) => finding.command(format!(
            "kubectl patch svc {} -p '{{\"spec\":{{\"selector\":{{\"{label}\":\"{value}\"}}}}}}'{}",
            key.name,
            in_namespace(key)
        )),
        None => finding,
    })
}

/// A label whose value is the same within each group of Pods and different between them.
fn distinguishing(groups: &BTreeMap<Key, Vec<&Arc<Object>>>) -> Option<(SmolStr, Vec<SmolStr>)> {
    let first = groups.values().next()?.first()?;
    let keys = first.meta.labels.entries().iter().map(|(key, _)| key);
    keys.filter(|key| *key != "pod-template-hash").find_map(|key| {
        let mut values: Vec<SmolStr> = Vec::new();
        for pods in groups.values() {
            let value = pods.first()?.meta.label(key);
            let shared = pods.iter().all(|pod| pod.meta.label(key) == value);
            if value.is_empty() || !shared || values.iter().any(|held| held == value) {
                return None;
            }
            values.push(value.into());
        }
        Some((key.clone(), values))
    })
}
