//! What the controllers of workloads have in common: objects that they own.
//!
//! Owns claiming (adopting and releasing by labels), marking owners dirty, making Pods from a template, and
//! writing a status. Source: `controller_ref_manager.go` of Kubernetes.

use std::sync::Arc;

use super::WorkQueue;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::{Reason, Status};
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How often a generated name that is taken is drawn again.
const NAME_TRIES: usize = 8;

/// Marks the owners of kind `owner` that a dependent's change concerns: the managing controller before and after,
/// or, for an orphan with new labels, everyone whose selector it matches.
pub(super) fn observe(owner: Kind, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
    if let (Some(before), Some(after)) = (&entry.before, &entry.after)
        && !seen_by_owner(before, after)
    {
        return;
    }
    for object in [&entry.before, &entry.after].into_iter().flatten() {
        if let Some(reference) = object.controller().filter(|reference| reference.kind == owner.name()) {
            dirty.add(Key::new(owner, object.namespace().clone(), reference.name.clone()));
        }
    }
    let Some(object) = entry.after.as_ref().filter(|object| object.controller().is_none()) else { return };
    if entry.same_labels() && entry.before.as_ref().is_some_and(|before| before.controller().is_none()) {
        return;
    }
    for candidate in cluster.list(owner, Some(object.namespace())) {
        let selector = selector_of(candidate);
        if selector.is_some_and(|selector| selector.matches(&object.meta.labels)) {
            dirty.add(candidate.key.clone());
        }
    }
}

/// The selector of a workload: pairs for a ReplicationController, a `LabelSelector` for all others.
pub(super) fn selector_of(owner: &Object) -> Option<Selector> {
    let selector = owner.spec().get("selector");
    match owner.key.kind {
        Kind::ReplicationController => Selector::of_pairs(selector),
        _ => Selector::of_label_selector(selector),
    }
}

/// Whether anything changed that an owner looks at. Of a Pod that is not its way to a node, nor what its
/// containers do as long as it is not ready.
fn seen_by_owner(before: &Object, after: &Object) -> bool {
    let (Some(old), Some(new)) = (before.as_pod(), after.as_pod()) else { return true };
    old.ready != new.ready
        || old.is_finished() != new.is_finished()
        || before.is_terminating() != after.is_terminating()
        || before.meta.uid != after.meta.uid
        || before.meta.labels != after.meta.labels
        || before.meta.owners != after.meta.owners
}

/// The objects of a kind that an owner controls, after adopting orphans that match its selector and releasing
/// those that no longer do.
pub(super) fn claim(
    cluster: &mut Cluster,
    actor: Actor,
    owner: &Object,
    kind: Kind,
    selector: &Selector,
) -> Vec<Arc<Object>> {
    claim_where(cluster, actor, owner, kind, &|object| selector.matches(&object.meta.labels))
}

/// As [`claim`], for objects that fit by more than their labels.
pub(super) fn claim_where(
    cluster: &mut Cluster,
    actor: Actor,
    owner: &Object,
    kind: Kind,
    fits: &dyn Fn(&Object) -> bool,
) -> Vec<Arc<Object>> {
    let keys = cluster.indexes().owned_by(&owner.meta.uid).filter(|key| key.kind == kind);
    let all: Vec<Arc<Object>> = keys.filter_map(|key| cluster.get(key)).cloned().collect();
    let mut mine = Vec::with_capacity(all.len());
    for object in all {
        if object.controller().is_none_or(|reference| reference.uid != owner.meta.uid) {
            continue;
        }
        if fits(&object) || owner.is_terminating() {
            mine.push(object);
        } else {
            release(cluster, actor, owner, &object);
        }
    }
    if !owner.is_terminating() {
        let orphans = cluster.indexes().orphans(kind, owner.namespace());
        let orphans: Vec<Arc<Object>> =
            orphans.filter_map(|name| cluster.find(kind, owner.namespace(), name)).cloned().collect();
        for object in orphans {
            if fits(&object)
                && !object.is_terminating()
                && !object.as_pod().is_some_and(|pod| pod.is_finished())
                && let Some(adopted) = adopt(cluster, actor, owner, &object)
            {
                mine.push(adopted);
            }
        }
    }
    mine
}

fn adopt(cluster: &mut Cluster, actor: Actor, owner: &Object, object: &Object) -> Option<Arc<Object>> {
    let mut document = object.value.clone();
    document.field_mut("metadata").field_mut("ownerReferences").list_mut().push(reference(owner));
    cluster.update(actor, &object.key, document).ok()
}

fn release(cluster: &mut Cluster, actor: Actor, owner: &Object, object: &Object) {
    let mut document = object.value.clone();
    let metadata = document.field_mut("metadata");
    let references = metadata.field_mut("ownerReferences").list_mut();
    references.retain(|reference| reference.get("uid").str() != owner.meta.uid);
    if references.is_empty() {
        metadata.remove("ownerReferences");
    }
    // It may have changed meanwhile; then it makes its owner dirty again.
    let _released = cluster.update(actor, &object.key, document);
}

/// The `ownerReferences` entry that makes an object the managing controller.
pub(super) fn reference(owner: &Object) -> Value {
    let info = owner.key.kind.info();
    value!({
        "apiVersion": (info.api_version),
        "blockOwnerDeletion": true,
        "controller": true,
        "kind": (info.name),
        "name": (owner.name().clone()),
        "uid": (owner.meta.uid.clone())
    })
}

/// `spec.replicas`, 1 by default.
pub(super) fn replicas(object: &Object) -> i64 {
    object.spec().get("replicas").as_int().unwrap_or(1)
}

/// A Pod as the template of its owner has it, without a name.
pub(super) fn pod_of_template(owner: &Object) -> Value {
    let template = owner.spec().get("template");
    let mut metadata = value!({
        "generateName": (format!("{}-", owner.name())),
        "ownerReferences": [(reference(owner))]
    });
    for field in ["labels", "annotations", "finalizers"] {
        let given = template.at(&["metadata", field]);
        if !given.is_empty() {
            *metadata.field_mut(field) = given.clone();
        }
    }
    value!({ "metadata": metadata, "spec": (template.get("spec").clone()) })
}

/// Creates an object with a generated name; a name that is taken is drawn again.
pub(super) fn create_named(
    cluster: &mut Cluster,
    actor: Actor,
    namespace: &SmolStr,
    document: &Value,
) -> Result<Arc<Object>, Status> {
    for _ in 1..NAME_TRIES {
        match cluster.create(actor, Kind::Pod, namespace, document.clone()) {
            Err(status) if status.reason == Reason::AlreadyExists => {}
            result => return result,
        }
    }
    cluster.create(actor, Kind::Pod, namespace, document.clone())
}

/// Whether a Pod counts: it has not ended and is not being deleted.
pub(super) fn is_active(object: &Object) -> bool {
    object.as_pod().is_some_and(|pod| !pod.is_finished()) && !object.is_terminating()
}

/// Whether a Pod has been ready for so many seconds.
pub(super) fn is_available(object: &Object, wait: i64, now: Timestamp) -> bool {
    ready_since(object).is_some_and(|at| wait == 0 || at.0 + wait <= now.0)
}

/// How long it takes until the next of some ready Pods counts as available, where one does not yet.
pub(super) fn until_available<'a>(
    pods: impl IntoIterator<Item = &'a Arc<Object>>,
    wait: i64,
    cluster: &Cluster,
) -> Option<Span> {
    let now = cluster.timestamp();
    let times = pods.into_iter().filter_map(|pod| ready_since(pod)).map(|at| at.0 + wait);
    let next = times.filter(|at| wait > 0 && *at > now.0).min()?;
    Some(cluster.instant_of(Timestamp(next)) - cluster.now())
}

/// Since when a Pod is ready, if it is.
pub(super) fn ready_since(object: &Object) -> Option<Timestamp> {
    object.as_pod().filter(|pod| pod.ready)?;
    let conditions = object.status().get("conditions").items();
    let ready = conditions.iter().find(|condition| condition.get("type").str() == "Ready")?;
    Some(Timestamp::of(ready.get("lastTransitionTime")).unwrap_or(object.meta.created))
}

/// Writes a status where it differs.
pub(super) fn write_status(cluster: &mut Cluster, actor: Actor, object: &Object, status: Value) {
    if *object.status() == status {
        return;
    }
    // Only the status is taken from the document, so a change made since does no harm.
    let document = value!({ "status": status });
    let _written = cluster.update_status(actor, &object.key, document);
}

/// A number or a percentage of a count (`intstr`), rounded up or down.
pub(super) fn share(value: &Value, of: i64, round_up: bool) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    match (percent, value.as_int()) {
        (Some(percent), _) if round_up => (percent * of + 99).div_euclid(100),
        (Some(percent), _) => (percent * of).div_euclid(100),
        (None, Some(number)) => number,
        (None, None) => share(&Value::text("25%"), of, round_up),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_numbers_or_percentages_of_the_replicas() {
        for (value, of, up, down) in [
            (Value::text("25%"), 4, 1, 1),
            (Value::text("25%"), 3, 1, 0),
            (Value::text("100%"), 7, 7, 7),
            (Value::Int(2), 10, 2, 2),
            (Value::Null, 3, 1, 0),
        ] {
            assert_eq!((share(&value, of, true), share(&value, of, false)), (up, down), "{value:?} of {of}");
        }
    }
}
