//! job-controller: runs Pods until enough of them have succeeded.
//!
//! Owns when a Job is looked at and the order of one look: what has ended since ([`ended`]), whether that decides the
//! Job ([`verdict`]), which Pods to make or remove ([`pods`]), and what to say of it. A Pod that has ended is counted
//! once: it keeps a finalizer until it is. Changes of Pods are looked at a second later, together, as Kubernetes does.
//! A Job that is managed by another controller is left alone. Source: `job_controller.go`.

pub(super) mod conditions;
mod ended;
mod failure_policy;
mod indexes;
mod pods;
mod success_policy;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use conditions::{Verdict, find};

/// The finalizer that keeps a Pod until its end is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// How long changes of Pods are collected (`SyncJobBatchPeriod`).
const BATCH: Span = Span::from_seconds(1);
/// The delay after the first failure, and the longest one (`DefaultJobPodFailureBackOff`).
const BACK_OFF_SECONDS: (u64, u64) = (10, 600);
/// How many Pods one look makes or removes at most (`MaxPodCreateDeletePerSync`).
const PER_LOOK: usize = 500;
/// The name of this controller in `spec.managedBy`.
const NAME: &str = "kubernetes.io/job-controller";

/// The Job controller.
#[derive(Default)]
pub(super) struct JobController {
    /// When a Job whose Pods changed is looked at.
    due: BTreeMap<Key, Instant>,
    failures: BTreeMap<Key, Failures>,
}

/// Failures since the last success (`backoffStore`).
#[derive(Clone, Debug, Default)]
struct Failures {
    uid: SmolStr,
    count: u32,
    last: Instant,
}

/// How long no Pod is made yet after so many failures, the last of them at `last`.
fn back_off(count: u32, last: Instant, now: Instant) -> Option<Span> {
    let (first, longest) = BACK_OFF_SECONDS;
    let doubled = first.checked_shl(count.checked_sub(1)?.min(10)).unwrap_or(longest);
    let until = last + Span::from_seconds(doubled.min(longest));
    (until > now).then(|| until - now)
}

/// Whether another controller manages a Job.
fn is_managed_elsewhere(job: &Object) -> bool {
    job.spec().get("managedBy").as_str().is_some_and(|name| name != NAME)
}

impl Controller for JobController {
    fn actor(&self) -> Actor {
        Actor::Job
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Job => {
                let same = match (&entry.before, &entry.after) {
                    (Some(before), Some(after)) => before.meta.generation == after.meta.generation,
                    (_, None) => {
                        self.failures.remove(&entry.key);
                        false
                    }
                    _ => false,
                };
                if same {
                    self.due.entry(entry.key.clone()).or_insert(cluster.now() + BATCH);
                } else {
                    self.due.remove(&entry.key);
                }
                dirty.add(entry.key.clone());
            }
            Kind::Pod => {
                let mut jobs = WorkQueue::default();
                owned::observe(Kind::Job, entry, cluster, &mut jobs);
                while let Some(job) = jobs.take() {
                    self.due.entry(job.clone()).or_insert(cluster.now() + BATCH);
                    dirty.add(job);
                }
                if entry.after.as_ref().is_some_and(|pod| pod.is_terminating() && is_tracked(pod)) {
                    dirty.add(entry.key.clone());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        if key.kind == Kind::Pod {
            return let_orphan_go(key, context.cluster);
        }
        let now = context.cluster.now();
        if let Some(due) = self.due.get(key).copied().filter(|due| *due > now) {
            return context.requeue(due - now);
        }
        self.due.remove(key);
        let Some(job) = context.cluster.get(key).cloned() else { return };
        if is_managed_elsewhere(&job) {
            return;
        }
        let Some(selector) = owned::selector_of(&job) else { return };
        let pods = owned::claim(context.cluster, Actor::Job, &job, Kind::Pod, &selector);
        let failures = self.failures.get(key).filter(|one| one.uid == job.meta.uid).cloned();
        let failures =
            failures.unwrap_or_else(|| Failures { uid: job.meta.uid.clone(), ..Failures::default() });
        let mut sync = Sync { status: job.status().clone(), job, pods, failures, context };
        sync.run();
        let failures = sync.failures;
        if failures.count > 0 {
            self.failures.insert(key.clone(), failures);
        } else {
            self.failures.remove(key);
        }
    }
}

/// Whether the end of a Pod is still to be counted.
fn is_tracked(pod: &Object) -> bool {
    pod.value.at(&["metadata", "finalizers"]).items().iter().any(|one| one.str() == TRACKING)
}

/// A Pod whose Job is gone or has ended need not be counted.
fn let_orphan_go(key: &Key, cluster: &mut Cluster) {
    let Some(pod) = cluster.get(key).cloned() else { return };
    let job = pod.controller().filter(|owner| owner.kind == Kind::Job.name());
    let job = job.and_then(|owner| {
        cluster.find(Kind::Job, pod.namespace(), &owner.name).filter(|job| job.meta.uid == owner.uid)
    });
    if job.is_none_or(|job| job.is_terminating() || conditions::has_ended(job.status())) {
        untrack(cluster, &pod);
    }
}

/// Takes the finalizer from a Pod.
fn untrack(cluster: &mut Cluster, pod: &Object) {
    let Some(pod) = cluster.get(&pod.key).filter(|pod| is_tracked(pod)).cloned() else { return };
    let mut document = pod.value.clone();
    let metadata = document.field_mut("metadata");
    let finalizers = metadata.field_mut("finalizers").list_mut();
    finalizers.retain(|one| one.str() != TRACKING);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    }
    // It may be gone; then nothing holds it.
    let _written = cluster.update(Actor::Job, &pod.key, document);
}

/// One look at a Job.
struct Sync<'a, 'b> {
    job: Arc<Object>,
    pods: Vec<Arc<Object>>,
    status: Value,
    failures: Failures,
    context: &'a mut Context<'b>,
}

fn has_succeeded(pod: &Object) -> bool {
    pod.as_pod().is_some_and(|pod| pod.phase == "Succeeded")
}

impl Sync<'_, '_> {
    fn number(&self, field: &str) -> Option<i64> {
        self.job.spec().get(field).as_int()
    }

    fn counted(&self, field: &str) -> i64 {
        self.status.get(field).as_int().unwrap_or(0)
    }

    fn now(&self) -> Timestamp {
        self.context.cluster.timestamp()
    }

    fn is_suspended(&self) -> bool {
        self.job.spec().get("suspend").as_bool() == Some(true)
    }

    fn active(&self) -> Vec<Arc<Object>> {
        self.pods.iter().filter(|pod| owned::is_active(pod)).cloned().collect()
    }

    fn run(&mut self) {
        if conditions::has_ended(&self.status) || self.job.is_terminating() {
            for pod in std::mem::take(&mut self.pods) {
                untrack(self.context.cluster, &pod);
            }
            return;
        }
        if self.status.get("startTime").is_null() && !self.is_suspended() {
            let now = self.now();
            self.status.set("startTime", now);
        }
        let seen = self.pods.clone();
        let ended = self.look();
        let verdict = conditions::judged(&self.status).or_else(|| self.judge(&ended));
        if verdict.is_some() {
            self.delete_active();
        } else {
            self.manage(&ended);
        }
        let verdict = verdict.or_else(|| self.completed(&ended));
        if verdict.is_none() {
            self.say_whether_suspended();
        }
        self.count(&seen, &ended, verdict.as_ref());
        if let Some(verdict) = verdict {
            self.conclude(&verdict);
        }
        self.write_status();
        self.wait_for_deadline();
    }

    /// Notes that the Job was suspended or goes on.
    fn say_whether_suspended(&mut self) {
        let suspended = self.is_suspended();
        let known = find(&self.status, "Suspended").map(|one| one.get("status").str() == "True");
        if suspended == known.unwrap_or(false) {
            return;
        }
        let now = self.now();
        let (reason, message, event) = if suspended {
            ("JobSuspended", "Job suspended", "Suspended")
        } else {
            self.status.set("startTime", now);
            ("JobResumed", "Job resumed", "Resumed")
        };
        conditions::set(&mut self.status, "Suspended", suspended, reason, message, now);
        self.context.event(&self.job, Event::normal(event, message.to_owned()));
    }

    /// Says that the Job has ended, when none of its Pods is left.
    fn conclude(&mut self, verdict: &Verdict) {
        let runs = |pod: &Arc<Object>| {
            let pod = self.context.cluster.get(&pod.key);
            pod.is_some_and(|pod| !pod.as_pod().is_some_and(|pod| pod.is_finished()))
        };
        if self.pods.iter().any(runs) {
            return;
        }
        let now = self.now();
        conditions::set(&mut self.status, verdict.end(), true, verdict.reason, &verdict.message, now);
        if verdict.failed {
            return self.context.event(&self.job, Event::warning(verdict.reason, verdict.message.clone()));
        }
        self.status.set("completionTime", now);
        if self.number("completions").is_some_and(|completions| self.counted("succeeded") > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            self.context.event(&self.job, Event::warning("TooManySucceededPods", message.to_owned()));
        }
        self.context.event(&self.job, Event::normal("Completed", "Job completed".to_owned()));
    }

    fn write_status(&mut self) {
        let active = self.active();
        let ready = active.iter().filter(|pod| pod.as_pod().is_some_and(|pod| pod.ready)).count();
        let terminating = self.terminating().count();
        let status = &mut self.status;
        status.remove("active");
        if !active.is_empty() {
            status.set("active", active.len());
        }
        status.set("ready", ready);
        status.set("terminating", terminating);
        owned::write_status(self.context.cluster, Actor::Job, &self.job, self.status.clone());
    }

    fn terminating(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.pods
            .iter()
            .filter(|pod| pod.is_terminating() && !pod.as_pod().is_some_and(|pod| pod.is_finished()))
    }
}
