//! Rolling out: how many Pods each ReplicaSet may have at this moment.

use std::sync::Arc;

use super::{DESIRED, Sync, counted};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::cluster::Actor;
use crate::cluster::request::Options;
use crate::controllers::owned;

impl Sync<'_, '_> {
    /// How many Pods the present template's ReplicaSet may have now (`NewRSNewReplicas`).
    pub(super) fn room_for_new(&self, set: Option<&Arc<Object>>) -> i64 {
        let has = set.map_or(0, |set| owned::replicas(set));
        if self.recreates() {
            return self.wanted();
        }
        let limit = self.wanted() + self.surge();
        let total = self.total();
        if total >= limit {
            return has;
        }
        has + (limit - total).min(self.wanted() - has)
    }

    /// One step of a rolling update (`rolloutRolling`).
    pub(super) fn roll(&mut self) {
        self.make_new_set();
        let Some(new) = self.new_set().cloned() else { return };
        let has = owned::replicas(&new);
        let target = match has.cmp(&self.wanted()) {
            std::cmp::Ordering::Equal => has,
            std::cmp::Ordering::Greater => self.wanted(),
            std::cmp::Ordering::Less => self.room_for_new(Some(&new)),
        };
        if self.scale(&new, target) || self.shrink_old(&new) {
            return;
        }
        if self.is_complete() {
            self.forget_old();
        }
    }

    /// Takes Pods from old ReplicaSets as far as enough stay available; whether any were taken.
    fn shrink_old(&mut self, new: &Arc<Object>) -> bool {
        let old = self.old_sets();
        if old.iter().all(|set| owned::replicas(set) == 0) {
            return false;
        }
        let least = self.wanted() - self.unavailable();
        let new_unavailable = owned::replicas(new) - counted(new, "availableReplicas");
        let most = self.total() - least - new_unavailable;
        if most <= 0 {
            return false;
        }
        let unhealthy = self.drop_unhealthy(&old, most);
        self.drop_available(least) || unhealthy
    }

    /// Old Pods that are not available go first.
    fn drop_unhealthy(&mut self, old: &[Arc<Object>], most: i64) -> bool {
        let mut left = most;
        for set in old {
            let (has, available) = (owned::replicas(set), counted(set, "availableReplicas"));
            let count = left.min(has - available);
            if has > 0 && available < has && count > 0 {
                self.scale(set, has - count);
                left -= count;
            }
        }
        left < most
    }

    /// Then as many available ones as can be missed.
    fn drop_available(&mut self, least: i64) -> bool {
        let available: i64 = self.sets.iter().map(|set| counted(set, "availableReplicas")).sum();
        let mut left = available - least;
        let mut any = false;
        for set in self.old_sets() {
            let has = owned::replicas(&set);
            let count = left.min(has);
            if count > 0 {
                any |= self.scale(&set, has - count);
                left -= count;
            }
        }
        any
    }

    /// One step of a Recreate (`rolloutRecreate`): the new Pods come when the last old one is gone.
    pub(super) fn recreate(&mut self) {
        let old = self.old_sets();
        let mut shrunk = false;
        for set in &old {
            if owned::replicas(set) > 0 {
                shrunk |= self.scale(set, 0);
            }
        }
        if shrunk || self.old_pods_remain(&old) {
            self.refresh_new_set();
            return;
        }
        self.make_new_set();
        if let Some(new) = self.new_set().cloned() {
            self.scale(&new, self.wanted());
        }
        if self.is_complete() {
            self.forget_old();
        }
    }

    fn old_pods_remain(&self, old: &[Arc<Object>]) -> bool {
        let cluster = &*self.context.cluster;
        old.iter().any(|set| {
            cluster.indexes().owned_by(&set.meta.uid).filter(|key| key.kind == Kind::Pod).any(|key| {
                cluster.get(key).and_then(|pod| pod.as_pod()).is_some_and(|pod| !pod.is_finished())
            })
        })
    }

    /// Whether every Pod is of the present template and available (`DeploymentComplete`, from the ReplicaSets).
    fn is_complete(&self) -> bool {
        let Some(new) = self.new_set() else { return false };
        counted(new, "availableReplicas") == self.wanted()
            && self.sets.iter().map(|set| counted(set, "replicas")).sum::<i64>() == self.wanted()
    }

    /// Scales without rolling out (`scale`): what is active gets its proportion.
    pub(super) fn scale_all(&mut self) {
        let active: Vec<Arc<Object>> =
            self.sets.iter().filter(|set| owned::replicas(set) > 0).cloned().collect();
        let latest = self.new_set().cloned().or_else(|| self.old_sets().pop());
        if active.len() <= 1 {
            let target = active.first().cloned().or(latest);
            if let Some(set) = target {
                let wanted = self.wanted();
                self.scale(&set, wanted);
            }
            return;
        }
        let saturated = self.new_set().is_some_and(|new| {
            owned::replicas(new) == self.wanted()
                && new.meta.annotation(DESIRED).and_then(|text| text.parse().ok()) == Some(self.wanted())
                && counted(new, "availableReplicas") == self.wanted()
        });
        if saturated {
            for set in self.old_sets() {
                self.scale(&set, 0);
            }
            return;
        }
        self.scale_in_proportion(active);
    }

    /// While a rolling update is on its way every ReplicaSet grows or shrinks by its share.
    fn scale_in_proportion(&mut self, active: Vec<Arc<Object>>) {
        let total: i64 = active.iter().map(|set| owned::replicas(set)).sum();
        let allowed = if self.wanted() > 0 { self.wanted() + self.surge() } else { 0 };
        let add = allowed - total;
        let mut order = active;
        order.sort_by_key(|set| {
            let by_age = if add > 0 { -set.meta.created.0 } else { set.meta.created.0 };
            (-owned::replicas(set), by_age, set.name().clone())
        });
        let mut added = 0;
        let mut sizes = Vec::with_capacity(order.len());
        for set in &order {
            let has = owned::replicas(set);
            let before: i64 =
                set.meta.annotation(super::MAX).and_then(|text| text.parse().ok()).unwrap_or(total);
            let scaled = (has as f64 * allowed as f64 / before.max(1) as f64).round() as i64 - has;
            let left = add - added;
            let part = if add > 0 { scaled.clamp(0, left) } else { scaled.clamp(left, 0) };
            added += part;
            sizes.push(has + part);
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + add - added).max(0);
        }
        for (set, size) in order.iter().zip(sizes) {
            self.scale(set, size);
        }
    }

    /// Removes old ReplicaSets beyond `revisionHistoryLimit`.
    fn forget_old(&mut self) {
        let limit = self.deployment.spec().get("revisionHistoryLimit").as_int().unwrap_or(10);
        let idle = |set: &Arc<Object>| {
            owned::replicas(set) == 0 && counted(set, "replicas") == 0 && !set.is_terminating()
        };
        let old: Vec<Arc<Object>> = self.old_sets().into_iter().filter(idle).collect();
        let excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let mut by_revision = old;
        by_revision.sort_by_key(|set| {
            set.meta.annotation(super::REVISION).and_then(|text| text.parse::<i64>().ok())
        });
        for set in by_revision.into_iter().take(excess) {
            let _gone = self.context.cluster.delete(Actor::Deployment, &set.key, Options::default());
            self.sets.retain(|one| one.key != set.key);
        }
    }
}
