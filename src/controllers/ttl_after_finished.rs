//! ttl-after-finished-controller: removes Jobs some time after they have ended.
//!
//! Owns `ttlSecondsAfterFinished` of Jobs.

use super::job::conditions;
use super::{Context, Controller, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::cluster::journal::Entry;
use crate::cluster::request::{Options, Propagation};
use crate::cluster::{Actor, Cluster};

/// The controller.
pub(super) struct TtlAfterFinished;

/// When a Job is to be removed; `None` while it runs or if it stays.
fn expiry(job: &Object) -> Option<Timestamp> {
    let seconds = job.spec().get("ttlSecondsAfterFinished").as_int()?;
    Some(Timestamp(conditions::ended_at(job.status())?.0 + seconds))
}

impl Controller for TtlAfterFinished {
    fn actor(&self) -> Actor {
        Actor::TtlAfterFinished
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        let job = entry.after.as_ref().filter(|_| entry.key.kind == Kind::Job);
        if job.is_some_and(|job| !job.is_terminating() && expiry(job).is_some()) {
            dirty.add(entry.key.clone());
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(job) = context.cluster.get(key).filter(|job| !job.is_terminating()).cloned() else { return };
        let Some(at) = expiry(&job) else { return };
        if at > context.cluster.timestamp() {
            let after = context.cluster.instant_of(at) - context.cluster.now();
            return context.requeue(after);
        }
        let options =
            Options { uid: job.meta.uid.clone(), propagation: Propagation::Foreground, ..Options::default() };
        // Somebody may have deleted it a moment ago.
        let _gone = context.cluster.delete(Actor::TtlAfterFinished, key, options);
    }
}
