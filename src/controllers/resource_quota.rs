//! resourcequota-controller: keeps count of what a namespace uses of its quotas.
//!
//! Owns the status of ResourceQuotas. The amounts are [`crate::cluster::quota`]'s. Source: `pkg/controller/resourcequota`
//! of Kubernetes.

use super::{Context, Controller, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The controller.
pub(super) struct ResourceQuotaController;

impl Controller for ResourceQuotaController {
    fn actor(&self) -> Actor {
        Actor::ResourceQuota
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        let own = entry.key.kind == Kind::ResourceQuota;
        if own && entry.actor != Actor::ResourceQuota && entry.after.is_some() {
            dirty.add(entry.key.clone());
        }
        if cluster.count(Kind::ResourceQuota) == 0 || !is_seen(entry) {
            return;
        }
        for quota in cluster.list(Kind::ResourceQuota, Some(&entry.key.namespace)) {
            dirty.add(quota.key.clone());
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let cluster = &mut *context.cluster;
        let Some(quota) = cluster.get(key).cloned() else { return };
        let used = cluster.quota_used(&quota);
        let used: Value =
            used.into_iter().map(|(name, amount)| (name, Value::from(amount.to_string()))).collect();
        let status = value!({ "hard": (quota.spec().get("hard").clone()), "used": used });
        owned::write_status(cluster, Actor::ResourceQuota, &quota, status);
    }
}

/// Whether anything changed that a quota counts: what there is, what a Service or claim asks for, and
/// whether a Pod has ended.
fn is_seen(entry: &Entry) -> bool {
    let (Some(before), Some(after)) = (&entry.before, &entry.after) else { return true };
    let ended = |object: &Object| object.as_pod().is_some_and(|pod| pod.is_finished());
    let counted = matches!(entry.key.kind, Kind::Service | Kind::PersistentVolumeClaim);
    ended(before) != ended(after) || counted && before.spec() != after.spec()
}
