//! generic-garbage-collector: removes dependents of owners that are gone.
//!
//! Owns the three ways of deletion: in the background (the owner goes, dependents follow), in the foreground (dependents go
//! first, the owner waits by its finalizer), and orphaning (dependents lose their owner). Source:
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>.

use std::sync::Arc;

use super::{Context, Controller, WorkQueue};
use crate::api::object::{Key, Object, Owner};
use crate::api::registry::KINDS;
use crate::api::value::Value;
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::{Options, Propagation};
use crate::cluster::{Actor, Cluster};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// The garbage collector.
pub(super) struct GarbageCollector;

impl Controller for GarbageCollector {
    fn actor(&self) -> Actor {
        Actor::GarbageCollector
    }

    fn latency(&self) -> Span {
        Span::from_ms(20)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        let Some(object) = &entry.after else {
            let gone = entry.object();
            for dependent in cluster.indexes().owned_by(&gone.meta.uid) {
                dirty.add(dependent.clone());
            }
            for owner in gone.meta.owners.iter() {
                if let Some(owner) = find_owner(cluster, gone, owner)
                    && owner.meta.finalizers
                    && owner.is_terminating()
                {
                    dirty.add(owner.key.clone());
                }
            }
            return;
        };
        let fresh = entry.before.as_ref().is_none_or(|before| before.meta.owners != object.meta.owners);
        if (fresh && !object.meta.owners.is_empty()) || (object.is_terminating() && object.meta.finalizers) {
            dirty.add(entry.key.clone());
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let cluster = &mut *context.cluster;
        let Some(object) = cluster.get(key).cloned() else { return };
        if object.is_terminating() && object.meta.finalizers {
            return finish(cluster, &object);
        }
        collect(cluster, &object);
    }
}

/// The owner that a reference names, if it is there and the same.
fn find_owner<'a>(cluster: &'a Cluster, dependent: &Object, owner: &Owner) -> Option<&'a Arc<Object>> {
    let info = KINDS.iter().find(|info| info.name == owner.kind)?;
    let namespace = if info.namespaced { dependent.namespace().as_str() } else { "" };
    cluster.find(info.kind, namespace, &owner.name).filter(|found| found.meta.uid == owner.uid)
}

/// Deletes an object all of whose owners are gone, or that an owner waits for; drops references to owners
/// that are gone where another one is left.
fn collect(cluster: &mut Cluster, object: &Object) {
    if object.meta.owners.is_empty() || object.is_terminating() {
        return;
    }
    let owners: Vec<Option<Arc<Object>>> =
        object.meta.owners.iter().map(|owner| find_owner(cluster, object, owner).cloned()).collect();
    let waiting = |owner: &Option<Arc<Object>>| owner.as_ref().is_some_and(|owner| has(owner, FOREGROUND));
    let solid = owners.iter().filter(|owner| owner.is_some() && !waiting(owner)).count();
    if solid == 0 {
        let parent = cluster.indexes().owned_by(&object.meta.uid).next().is_some();
        let propagation = if parent && owners.iter().any(waiting) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let options = Options { uid: object.meta.uid.clone(), propagation, ..Options::default() };
        // It may have gone meanwhile, with its namespace.
        let _gone = cluster.delete(Actor::GarbageCollector, &object.key, options);
    } else if owners.iter().any(Option::is_none) {
        let gone = |uid: &str| {
            object.meta.owners.iter().zip(&owners).any(|(owner, found)| owner.uid == uid && found.is_none())
        };
        drop_references(cluster, object, &gone);
    }
}

/// Whether an object is being deleted and has a finalizer.
fn has(object: &Object, finalizer: &str) -> bool {
    object.is_terminating() && finalizers(object).iter().any(|one| one.str() == finalizer)
}

fn finalizers(object: &Object) -> &[Value] {
    object.value.at(&["metadata", "finalizers"]).items()
}

/// Does what an owner waits for, and lets it go when that is done.
fn finish(cluster: &mut Cluster, owner: &Object) {
    let keys: Vec<Key> = cluster.indexes().owned_by(&owner.meta.uid).cloned().collect();
    let dependents: Vec<Arc<Object>> = keys.iter().filter_map(|key| cluster.get(key)).cloned().collect();
    if has(owner, ORPHAN) {
        for dependent in &dependents {
            drop_references(cluster, dependent, &|uid| uid == owner.meta.uid);
        }
        return drop_finalizer(cluster, owner, ORPHAN);
    }
    if !has(owner, FOREGROUND) {
        return;
    }
    let blocks = |dependent: &&Arc<Object>| {
        dependent.meta.owners.iter().any(|one| one.uid == owner.meta.uid && one.block_deletion)
    };
    if !dependents.iter().any(|dependent| blocks(&dependent)) {
        drop_finalizer(cluster, owner, FOREGROUND);
    }
    for dependent in &dependents {
        collect(cluster, dependent);
    }
}

fn drop_references(cluster: &mut Cluster, object: &Object, which: &dyn Fn(&str) -> bool) {
    let mut document = object.value.clone();
    let metadata = document.field_mut("metadata");
    let references = metadata.field_mut("ownerReferences").list_mut();
    references.retain(|reference| !which(reference.get("uid").str()));
    if references.is_empty() {
        metadata.remove("ownerReferences");
    }
    // It may have changed meanwhile; then it comes by again.
    let _written = cluster.update(Actor::GarbageCollector, &object.key, document);
}

fn drop_finalizer(cluster: &mut Cluster, object: &Object, finalizer: &str) {
    let Some(current) = cluster.get(&object.key) else { return };
    let mut document = current.value.clone();
    let metadata = document.field_mut("metadata");
    let left = metadata.field_mut("finalizers").list_mut();
    left.retain(|one| one.str() != finalizer);
    if left.is_empty() {
        metadata.remove("finalizers");
    }
    // Without its last finalizer the API server removes it.
    let _written = cluster.update(Actor::GarbageCollector, &object.key, document);
}
