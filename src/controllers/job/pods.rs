//! Making and removing a Job's Pods.
//!
//! Owns how many run, which indexes they get, which go first, and the pause after failures. Source: `manageJob` and
//! `activePodsForRemoval` of Kubernetes.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::ended::{Ended, finished_at};
use super::{Event, PER_LOOK, Sync, TRACKING, back_off, indexes, owned, untrack};
use crate::api::object::Object;
use crate::api::value::Value;
use crate::cluster::Actor;
use crate::cluster::clock::Span;
use crate::cluster::request::Options;

impl Sync<'_, '_> {
    /// Makes or removes Pods so that as many run as the Job wants.
    pub(super) fn manage(&mut self, ended: &Ended) {
        let active = self.active();
        if self.is_suspended() {
            return self.remove(&active);
        }
        let parallelism = self.number("parallelism").unwrap_or(1);
        let wanted = match self.number("completions") {
            Some(completions) => {
                usize::try_from((completions - ended.succeeded).min(parallelism)).unwrap_or(0)
            }
            None if ended.succeeded > 0 => active.len(),
            None => usize::try_from(parallelism).unwrap_or(0),
        };
        let running = active.len();
        let surplus = self.surplus(active, running.saturating_sub(wanted));
        if !surplus.is_empty() {
            return self.remove(&surplus);
        }
        let ending = if self.replaces_only_failed() { self.terminating().count() } else { 0 };
        let missing = wanted.saturating_sub(ending + running).min(PER_LOOK);
        if missing == 0 {
            return;
        }
        let now = self.context.cluster.now();
        if !indexes::has_limit(&self.job)
            && let Some(wait) = back_off(self.failures.count, self.failures.last, now)
        {
            return self.context.requeue(wait);
        }
        if !indexes::is_indexed(&self.job) {
            return self.create(&vec![None; missing], ended);
        }
        let free = self.free_indexes(missing, ended);
        let (now, later): (Vec<_>, Vec<_>) = free
            .into_iter()
            .map(|index| (index, self.pause(index, ended)))
            .partition(|(_, wait)| wait.is_none());
        if let Some(wait) = later.iter().filter_map(|(_, wait)| *wait).min() {
            self.context.requeue(wait);
        }
        let now: Vec<Option<i64>> = now.into_iter().map(|(index, _)| Some(index)).collect();
        self.create(&now, ended);
    }

    /// How long an index waits after its last failure.
    fn pause(&self, index: i64, ended: &Ended) -> Option<Span> {
        let last = ended.kept.get(&index)?;
        let (counted, ignored) = indexes::failures(last);
        let count = u32::try_from(counted + ignored + 1).unwrap_or(u32::MAX);
        let cluster = &self.context.cluster;
        back_off(count, cluster.instant_of(finished_at(last)), cluster.now())
    }

    /// The lowest indexes that have neither succeeded nor failed nor run.
    fn free_indexes(&self, count: usize, ended: &Ended) -> Vec<i64> {
        let mut taken: BTreeSet<i64> = &ended.succeeded_indexes | &ended.failed_indexes;
        taken.extend(self.active().iter().filter_map(|pod| indexes::of_pod(pod)));
        if self.replaces_only_failed() {
            taken.extend(self.terminating().filter_map(|pod| indexes::of_pod(pod)));
        }
        let all = 0..self.number("completions").unwrap_or(0);
        all.filter(|index| !taken.contains(index)).take(count).collect()
    }

    /// Makes a Pod for each index, or without one.
    fn create(&mut self, wanted: &[Option<i64>], ended: &Ended) {
        let mut template = owned::pod_of_template(&self.job);
        template.field_mut("metadata").field_mut("finalizers").list_mut().push(Value::text(TRACKING));
        for index in wanted {
            let mut document = template.clone();
            if let Some(index) = index {
                indexes::give(&mut document, &self.job, *index);
                if indexes::has_limit(&self.job) {
                    indexes::note_failures(&mut document, self.failures_after(ended.kept.get(index)));
                }
            }
            match owned::create_named(self.context.cluster, Actor::Job, self.job.namespace(), &document) {
                Ok(pod) => {
                    let message = format!("Created pod: {}", pod.name());
                    self.context.event(&self.job, Event::normal("SuccessfulCreate", message));
                    self.pods.push(pod);
                }
                Err(status) => {
                    let message = format!("Error creating: {}", status.message);
                    self.context.event(&self.job, Event::warning("FailedCreate", message));
                    break;
                }
            }
        }
    }

    /// The active Pods that are too many: those without an index of the Job, all but one of each index, and then as
    /// many as `excess` asks for, those first that have come least far.
    fn surplus(&self, active: Vec<Arc<Object>>, excess: usize) -> Vec<Arc<Object>> {
        let mut ranked = active;
        ranked.sort_by_key(|object| Reverse(progress(object)));
        let completions = self.number("completions").unwrap_or(0);
        let mut seen = BTreeSet::new();
        let (left, mut surplus): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|pod| {
            !indexes::is_indexed(&self.job)
                || indexes::of_pod(pod).is_some_and(|index| index < completions && seen.insert(index))
        });
        let more = excess.saturating_sub(surplus.len());
        surplus.extend(left.into_iter().rev().take(more));
        surplus.truncate(PER_LOOK);
        surplus
    }

    /// Removes Pods that are not counted any more.
    fn remove(&mut self, pods: &[Arc<Object>]) {
        for pod in pods {
            untrack(self.context.cluster, pod);
            self.delete(pod);
        }
    }

    /// Asks for the deletion of all active Pods.
    pub(super) fn delete_active(&mut self) {
        for pod in self.active() {
            self.delete(&pod);
        }
    }

    fn delete(&mut self, pod: &Object) {
        let options = Options { uid: pod.meta.uid.clone(), ..Options::default() };
        if self.context.cluster.delete(Actor::Job, &pod.key, options).is_ok() {
            let message = format!("Deleted pod: {}", pod.name());
            self.context.event(&self.job, Event::normal("SuccessfulDelete", message));
        }
        let cluster = &*self.context.cluster;
        self.pods = self.pods.iter().filter_map(|pod| cluster.get(&pod.key)).cloned().collect();
    }
}

/// How far a Pod has come; among equals the older one.
fn progress(object: &Object) -> impl Ord + use<> {
    let pod = object.as_pod().expect("Jobs own Pods");
    let (on_node, runs) = (!pod.node.is_empty(), pod.phase == "Running");
    (on_node, runs, pod.ready, Reverse(object.meta.created), object.name().clone())
}
