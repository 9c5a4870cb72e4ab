//! Deletion: at once, gracefully, or when finalizers allow it.
//!
//! Owns how an object goes: Pods get time to end, namespaces empty first, owners may wait for dependents.
//! Who removes what is left behind is the business of controllers.

use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use super::disruption;
use super::request::{Body, Propagation, Request};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::Status;
use crate::api::time::Timestamp;
use crate::api::value::Value;

impl Cluster {
    /// Serves the deletion of one object.
    pub(super) fn serve_delete(&mut self, request: &Request) -> Result<Body, Status> {
        let before = self.existing(request)?;
        if !request.options.uid.is_empty() && request.options.uid != before.meta.uid {
            let why = format!(
                "the UID in the precondition ({}) does not match the UID in record ({}). The object might \
                 have been deleted and then recreated",
                request.options.uid, before.meta.uid
            );
            return Err(Status::conflict_because(request.kind, &request.name, &why));
        }
        self.admit_delete(request.kind, &request.name)?;
        if request.options.eviction {
            self.admit_eviction(&before)?;
            if !request.options.dry_run && !before.is_terminating() {
                let evicted = self.note_eviction(request, &before);
                return self.remove(request, &evicted);
            }
        }
        self.remove(request, &before)
    }

    /// Notes on a Pod that it goes because it was evicted.
    fn note_eviction(&mut self, request: &Request, pod: &Arc<Object>) -> Arc<Object> {
        let document =
            disruption::marked(pod, "EvictionByEvictionAPI", "Eviction API: evicting", self.timestamp());
        self.store_version(request.actor, request.kind, Some(pod.clone()), document)
    }

    /// Serves the deletion of all objects that a request selects.
    pub(super) fn serve_delete_collection(&mut self, request: &Request) -> Result<Body, Status> {
        let items = self.selected(request)?;
        for object in &items {
            self.remove(request, object)?;
        }
        Ok(Body::List(items, self.journal.revision()))
    }

    /// Begins or finishes the deletion of an object.
    fn remove(&mut self, request: &Request, before: &Arc<Object>) -> Result<Body, Status> {
        let mut document = before.value.clone();
        let finalizer = match request.options.propagation {
            Propagation::Background => None,
            Propagation::Foreground => Some("foregroundDeletion"),
            Propagation::Orphan => Some("orphan"),
        };
        let finalizers = document.field_mut("metadata").get("finalizers").clone();
        if let Some(finalizer) = finalizer
            && !finalizers.items().iter().any(|one| one.str() == finalizer)
        {
            document.field_mut("metadata").field_mut("finalizers").list_mut().push(Value::text(finalizer));
        }
        let grace = grace_seconds(request, before);
        // A namespace goes when its controller has emptied it.
        let namespace = request.kind == Kind::Namespace && request.actor != Actor::Namespace;
        let waits = grace > 0 || before.meta.finalizers || finalizer.is_some() || namespace;
        if !waits {
            let mut last = before.clone();
            if !request.options.dry_run {
                if before.as_pod().is_some() && before.is_terminating() {
                    // The end of the grace period is a write of its own, which watchers see.
                    document.field_mut("metadata").set("deletionGracePeriodSeconds", 0);
                    last = self.store_version(request.actor, request.kind, Some(last), document);
                }
                self.commit(request.actor, Some(last.clone()), None);
            }
            return Ok(Body::Deleted(last));
        }
        let deadline = Timestamp(self.timestamp().0 + grace);
        if before.meta.deletion.is_some_and(|earlier| earlier <= deadline) && finalizer.is_none() {
            return Ok(Body::Object(before.clone()));
        }
        let metadata = document.field_mut("metadata");
        metadata.set("deletionTimestamp", deadline);
        metadata.set("deletionGracePeriodSeconds", grace);
        if request.kind == Kind::Namespace {
            document.set_at(&["status", "phase"], "Terminating");
        } else {
            crate::api::kinds::count_generation(&mut document);
        }
        self.store_unless_dry(request, Some(before.clone()), document).map(Body::Object)
    }
}

/// The seconds that an object has to end: only Pods that run somewhere get any.
fn grace_seconds(request: &Request, before: &Object) -> i64 {
    let Some(pod) = before.as_pod() else { return 0 };
    if pod.node.is_empty() || pod.is_finished() {
        return 0;
    }
    request.options.grace_seconds.unwrap_or(pod.spec.grace_seconds).max(0)
}
