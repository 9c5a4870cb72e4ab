//! job-controller: runs Pods until enough of them have succeeded.
//!
//! Owns making Pods, counting how they end, suspending, and giving up. A Pod that has ended is counted once: it
//! keeps a finalizer until it is. Changes of Pods are looked at a second later, together, as Kubernetes does.
//! The conditions are in [`conditions`], completion indexes in [`indexes`]. It does not simulate
//! `podFailurePolicy`, `successPolicy` and limits per index: they are stored. Source: `job_controller.go`.

pub(super) mod conditions;
mod indexes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;
use conditions::{Verdict, find};

/// The finalizer that keeps a Pod until its end is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// How long changes of Pods are collected (`SyncJobBatchPeriod`).
const BATCH: Span = Span::from_seconds(1);
/// The delay after the first failure, and the longest one (`DefaultJobPodFailureBackOff`).
const BACK_OFF_SECONDS: (u64, u64) = (10, 600);
/// How many Pods one look makes at most (`MaxPodCreateDeletePerSync`).
const PER_LOOK: usize = 500;

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

impl Failures {
    /// How long no Pod is made yet.
    fn wait(&self, now: Instant) -> Option<Span> {
        let (first, longest) = BACK_OFF_SECONDS;
        let doubled = first.checked_shl(self.count.checked_sub(1)?.min(10)).unwrap_or(longest);
        let until = self.last + Span::from_seconds(doubled.min(longest));
        (until > now).then(|| until - now)
    }
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

fn has_failed(pod: &Object) -> bool {
    let phase = pod.as_pod().map_or("", |pod| pod.phase.as_str());
    phase == "Failed" || (pod.is_terminating() && phase != "Succeeded")
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
        let counted = self.count();
        let verdict = conditions::judged(&self.status).or_else(|| self.judge());
        let ending = verdict.is_some();
        if let Some(verdict) = &verdict {
            if verdict.failed {
                // Pods that are cut off count as failures.
                let count = self.counted("failed") + i64::from(self.delete_active());
                if count > 0 {
                    self.status.set("failed", count);
                }
            }
        } else {
            self.suspend_or_resume();
        }
        if !ending && !self.is_suspended() {
            self.manage();
        }
        let verdict = verdict.or_else(|| self.completed());
        if let Some(verdict) = verdict {
            if !verdict.failed {
                self.delete_active();
            }
            self.conclude(&verdict);
        }
        self.write_status();
        for pod in counted {
            untrack(self.context.cluster, &pod);
        }
        self.wait_for_deadline();
    }

    /// Counts the Pods that have ended since the last look; gives them.
    fn count(&mut self) -> Vec<Arc<Object>> {
        let mut ended: Vec<Arc<Object>> = self
            .pods
            .iter()
            .filter(|pod| is_tracked(pod) && (has_succeeded(pod) || has_failed(pod)))
            .cloned()
            .collect();
        ended.sort_by_key(|pod| (finished_at(pod), pod.name().clone()));
        let mut done = indexes::parse(self.status.get("completedIndexes").str());
        for pod in &ended {
            let index = indexes::of_pod(pod);
            if has_succeeded(pod) {
                self.failures.count = 0;
                let fresh = index.is_none_or(|index| self.is_expected(index) && done.insert(index));
                if fresh && (index.is_some() || !indexes::is_indexed(&self.job)) {
                    let count = self.counted("succeeded") + 1;
                    self.status.set("succeeded", count);
                }
            } else {
                self.failures.count += 1;
                self.failures.last = self.context.cluster.instant_of(finished_at(pod).unwrap_or(self.now()));
                let count = self.counted("failed") + 1;
                self.status.set("failed", count);
            }
        }
        if indexes::is_indexed(&self.job) {
            self.status.set("completedIndexes", indexes::print(&done));
            if done.is_empty() {
                self.status.remove("completedIndexes");
            }
        }
        ended
    }

    fn is_expected(&self, index: i64) -> bool {
        self.number("completions").is_some_and(|completions| index < completions)
    }

    /// Whether the Job has failed.
    fn judge(&self) -> Option<Verdict> {
        let limit = self.number("backoffLimit").unwrap_or(6);
        if self.counted("failed") > limit || self.restarted_too_often(limit) {
            return Some(Verdict::failure(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        let late = self.deadline().is_some_and(|at| at <= self.now());
        (late && !self.is_suspended())
            .then(|| Verdict::failure("DeadlineExceeded", "Job was active longer than specified deadline"))
    }

    /// Containers that are restarted in place count as failures too.
    fn restarted_too_often(&self, limit: i64) -> bool {
        if self.job.spec().at(&["template", "spec", "restartPolicy"]).str() != "OnFailure" {
            return false;
        }
        let restarts = |pod: &Arc<Object>| -> i64 {
            let lists = ["initContainerStatuses", "containerStatuses"];
            let statuses = lists.iter().flat_map(|list| pod.status().get(list).items());
            statuses.map(|one| one.get("restartCount").as_int().unwrap_or(0)).sum()
        };
        let all: i64 = self.pods.iter().filter(|pod| owned::is_active(pod)).map(restarts).sum();
        if limit == 0 { all > 0 } else { all >= limit }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let start = Timestamp::of(self.status.get("startTime"))?;
        Some(Timestamp(start.0 + self.number("activeDeadlineSeconds")?))
    }

    fn wait_for_deadline(&mut self) {
        if let Some(at) = self.deadline()
            && at > self.now()
            && !conditions::has_ended(&self.status)
            && !self.is_suspended()
        {
            let after = self.context.cluster.instant_of(at) - self.context.cluster.now();
            self.context.requeue(after);
        }
    }

    /// Whether enough Pods have succeeded.
    fn completed(&self) -> Option<Verdict> {
        let succeeded = self.counted("succeeded");
        let complete = match self.number("completions") {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0 && self.active().is_empty(),
        };
        (complete && !self.is_suspended())
            .then(|| Verdict::success("CompletionsReached", "Reached expected number of succeeded pods"))
    }

    fn suspend_or_resume(&mut self) {
        let suspended = self.is_suspended();
        if suspended {
            self.delete_active();
        }
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

    /// Says how the Job ends; it has ended when none of its Pods is left.
    fn conclude(&mut self, verdict: &Verdict) {
        let now = self.now();
        conditions::set(&mut self.status, verdict.target(), true, verdict.reason, &verdict.message, now);
        let left = self.pods.iter().any(|pod| {
            self.context
                .cluster
                .get(&pod.key)
                .is_some_and(|pod| !pod.as_pod().is_some_and(|pod| pod.is_finished()))
        });
        if left {
            return;
        }
        conditions::set(&mut self.status, verdict.end(), true, verdict.reason, &verdict.message, now);
        let event = if verdict.failed {
            Event::warning(verdict.reason, verdict.message.clone())
        } else {
            self.status.set("completionTime", now);
            Event::normal("Completed", "Job completed".to_owned())
        };
        self.context.event(&self.job, event);
    }

    /// Makes or removes Pods so that as many run as the Job wants (`manageJob`).
    fn manage(&mut self) {
        let active = self.active();
        let parallelism = self.number("parallelism").unwrap_or(1);
        let succeeded = self.counted("succeeded");
        let running = i64::try_from(active.len()).expect("Pods are counted with 32 bits");
        let wanted = match self.number("completions") {
            Some(completions) => (completions - succeeded).min(parallelism),
            None if succeeded > 0 => running,
            None => parallelism,
        };
        let wanted = usize::try_from(wanted).unwrap_or(0);
        if active.len() > wanted {
            return self.remove(active, wanted);
        }
        let mut missing = wanted - active.len();
        if self.job.spec().get("podReplacementPolicy").str() == "Failed" {
            missing = missing.saturating_sub(self.terminating());
        }
        if missing == 0 {
            return;
        }
        if let Some(wait) = self.failures.wait(self.context.cluster.now()) {
            return self.context.requeue(wait);
        }
        self.create(missing.min(PER_LOOK));
    }

    fn terminating(&self) -> usize {
        let ends =
            |pod: &&Arc<Object>| pod.is_terminating() && !pod.as_pod().is_some_and(|pod| pod.is_finished());
        self.pods.iter().filter(ends).count()
    }

    fn create(&mut self, count: usize) {
        let mut document = owned::pod_of_template(&self.job);
        document.field_mut("metadata").field_mut("finalizers").list_mut().push(Value::text(TRACKING));
        let free = indexes::is_indexed(&self.job).then(|| self.free_indexes(count));
        for at in 0..count {
            let mut document = document.clone();
            if let Some(free) = &free {
                let Some(index) = free.get(at) else { break };
                indexes::give(&mut document, &self.job, *index);
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

    /// The lowest indexes that neither have succeeded nor run.
    fn free_indexes(&self, count: usize) -> Vec<i64> {
        let mut taken: BTreeSet<i64> = indexes::parse(self.status.get("completedIndexes").str());
        taken.extend(self.active().iter().filter_map(|pod| indexes::of_pod(pod)));
        let all = 0..self.number("completions").unwrap_or(0);
        all.filter(|index| !taken.contains(index)).take(count).collect()
    }

    /// Removes active Pods until `keep` are left: those that have come least far first.
    fn remove(&mut self, active: Vec<Arc<Object>>, keep: usize) {
        let mut ranked = active;
        ranked.sort_by_key(|object| {
            let pod = object.as_pod().expect("Jobs own Pods");
            (
                !pod.node.is_empty(),
                pod.phase == "Running",
                pod.ready,
                Reverse(object.meta.created),
                object.name().clone(),
            )
        });
        let excess = ranked.len() - keep;
        for pod in ranked.into_iter().take(excess) {
            untrack(self.context.cluster, &pod);
            self.delete(&pod);
        }
    }

    /// Removes all active Pods, which are not counted any more; gives their number.
    fn delete_active(&mut self) -> u32 {
        let mut count = 0;
        for pod in self.active() {
            untrack(self.context.cluster, &pod);
            self.delete(&pod);
            count += 1;
        }
        count
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

    fn write_status(&mut self) {
        let active = self.active();
        let ready = active.iter().filter(|pod| pod.as_pod().is_some_and(|pod| pod.ready)).count();
        let terminating = self.terminating();
        let status = &mut self.status;
        status.remove("active");
        if !active.is_empty() {
            status.set("active", active.len());
        }
        status.set("ready", ready);
        status.set("terminating", terminating);
        status.set("uncountedTerminatedPods", value!({}));
        owned::write_status(self.context.cluster, Actor::Job, &self.job, self.status.clone());
    }
}

/// When the last container of a Pod ended, or its deletion was asked for.
fn finished_at(pod: &Object) -> Option<Timestamp> {
    let statuses = pod.status().get("containerStatuses").items().iter();
    let ended =
        statuses.filter_map(|one| Timestamp::of(one.at(&["state", "terminated", "finishedAt"]))).max();
    let grace = pod.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(0);
    ended.or_else(|| pod.meta.deletion.map(|at| Timestamp(at.0 - grace)))
}
