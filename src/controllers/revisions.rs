//! Revisions of a template, kept as ControllerRevisions.
//!
//! Owns what StatefulSet and DaemonSet controllers share: listing and adopting revisions, telling which one a
//! template is, making, promoting and forgetting them. Source: `pkg/controller/history` of Kubernetes.

use std::sync::Arc;

use super::{fingerprint, owned};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::Reason;
use crate::api::value::{SmolStr, Value};
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The label by which Pods tell the revision that they were made from.
pub(super) const HASH: &str = "controller-revision-hash";

/// How often a name that is taken by another template is drawn again.
const COLLISIONS: i64 = 8;

/// The revisions of an owner, oldest first.
pub(super) fn list(
    cluster: &mut Cluster,
    actor: Actor,
    owner: &Object,
    selector: &Selector,
) -> Vec<Arc<Object>> {
    let mut all = owned::claim(cluster, actor, owner, Kind::ControllerRevision, selector);
    all.sort_by_key(|one| (number(one), one.meta.created, one.name().clone()));
    all
}

/// The number of a revision.
pub(super) fn number(revision: &Object) -> i64 {
    revision.value.get("revision").as_int().unwrap_or(0)
}

/// What a revision keeps of its owner: a patch that puts the template back.
pub(super) fn data(owner: &Object) -> Value {
    let mut template = owner.spec().get("template").clone();
    template.set("$patch", "replace");
    value!({ "spec": { "template": template } })
}

/// The template that a revision keeps.
pub(super) fn template(revision: &Object) -> Value {
    let mut template = revision.value.at(&["data", "spec", "template"]).clone();
    template.remove("$patch");
    template
}

/// A revision that is to be made.
pub(super) struct Draft<'a> {
    /// Whose template it keeps.
    pub(super) owner: &'a Object,
    /// Its number.
    pub(super) number: i64,
    /// Under which label it carries its hash.
    pub(super) hash_label: &'static str,
}

impl Draft<'_> {
    /// Makes the revision; the number of collisions of names grows with each name that is taken.
    pub(super) fn create(
        &self,
        cluster: &mut Cluster,
        actor: Actor,
        collisions: &mut i64,
    ) -> Option<Arc<Object>> {
        let data = data(self.owner);
        for _ in 0..COLLISIONS {
            let hash = fingerprint::hash(&data, *collisions);
            let document = self.document(&hash, &data);
            let name = document.at(&["metadata", "name"]).smol();
            match cluster.create(actor, Kind::ControllerRevision, self.owner.namespace(), document) {
                Ok(revision) => return Some(revision),
                Err(status) if status.reason == Reason::AlreadyExists => {
                    let taken = cluster.find(Kind::ControllerRevision, self.owner.namespace(), &name)?;
                    if *taken.value.get("data") == data && taken.controller().is_some() {
                        return Some(taken.clone());
                    }
                    *collisions += 1;
                }
                // The namespace is being deleted.
                Err(_) => return None,
            }
        }
        None
    }

    fn document(&self, hash: &str, data: &Value) -> Value {
        let mut labels = self.owner.spec().at(&["template", "metadata", "labels"]).clone();
        labels.set(self.hash_label, hash.to_owned());
        let mut metadata = value!({
            "name": (format!("{}-{hash}", self.owner.name())),
            "labels": labels,
            "ownerReferences": [(owned::reference(self.owner))]
        });
        if !self.owner.meta.annotations.is_empty() {
            metadata.set("annotations", self.owner.meta.annotations.clone());
        }
        value!({ "metadata": metadata, "data": (data.clone()), "revision": (self.number) })
    }
}

/// Gives a revision another number, as undoing a rollout does.
pub(super) fn renumber(
    cluster: &mut Cluster,
    actor: Actor,
    revision: &Arc<Object>,
    number: i64,
) -> Arc<Object> {
    let mut document = revision.value.clone();
    document.set("revision", number);
    cluster.update(actor, &revision.key, document).unwrap_or_else(|_| revision.clone())
}

/// Removes the oldest of some revisions until no more than `limit` are left; those in use stay.
pub(super) fn forget(
    cluster: &mut Cluster,
    actor: Actor,
    revisions: &[Arc<Object>],
    limit: i64,
    in_use: &dyn Fn(&Object) -> bool,
) {
    let excess = revisions.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    for revision in revisions.iter().filter(|one| !in_use(one)).take(excess) {
        // It may have gone with its owner.
        let _gone = cluster.delete(actor, &revision.key, Options::default());
    }
}

/// The revision label of a Pod.
pub(super) fn of_pod(pod: &Object) -> SmolStr {
    pod.meta.labels.get(HASH).smol()
}
