//! What has ended of a Job since it was last looked at, and counting it.
//!
//! Owns which Pods count as failed, which indexes have succeeded or failed, the back-off after failures, and the steps
//! in which a Pod is counted: its uid stands in the status before its finalizer goes, and the counter moves after. A
//! failed Pod of an index that is tried again is kept until its successor is there. Source:
//! `trackJobStatusAndRemoveFinalizers`, `backoff_utils.go` and `indexed_job_utils.go` of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::conditions::{self, Verdict};
use super::failure_policy::{self, Action};
use super::{Sync, has_succeeded, indexes, is_tracked, untrack};
use crate::api::object::Object;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// What a look found.
pub(super) struct Ended {
    /// How many Pods have succeeded so far, or how many indexes.
    pub(super) succeeded: i64,
    /// How many failures have counted so far.
    pub(super) failed: i64,
    /// The indexes that have succeeded so far.
    pub(super) succeeded_indexes: BTreeSet<i64>,
    /// The indexes that have failed for good.
    pub(super) failed_indexes: BTreeSet<i64>,
    /// The last failed Pod of each index that waits for another.
    pub(super) kept: BTreeMap<i64, Arc<Object>>,
}

impl Sync<'_, '_> {
    /// Looks at the Pods that have ended since, and notes failures for the back-off.
    pub(super) fn look(&mut self) -> Ended {
        let fresh: Vec<Arc<Object>> =
            self.pods.iter().filter(|pod| is_tracked(pod) && self.is_expected(pod)).cloned().collect();
        let succeeded: Vec<&Arc<Object>> = fresh.iter().filter(|pod| has_succeeded(pod)).collect();
        let failed: Vec<&Arc<Object>> = fresh.iter().filter(|pod| self.has_failed(pod)).collect();
        let counted = failed.iter().filter(|pod| self.action(pod) != Action::Ignore).count();
        if !indexes::has_limit(&self.job) {
            self.note_failures(&succeeded, &failed);
        }
        let mut ended = Ended {
            succeeded: self.counted("succeeded") + number(succeeded.len()),
            failed: self.counted("failed") + number(counted),
            succeeded_indexes: self.listed("completedIndexes"),
            failed_indexes: self.listed("failedIndexes"),
            kept: BTreeMap::new(),
        };
        if indexes::is_indexed(&self.job) {
            ended.succeeded_indexes.extend(succeeded.iter().filter_map(|pod| indexes::of_pod(pod)));
            ended.succeeded = number(ended.succeeded_indexes.len());
        }
        if let Some(limit) = self.number("backoffLimitPerIndex") {
            let lost = failed.iter().filter(|pod| self.has_lost_index(pod, limit));
            ended.failed_indexes.extend(lost.filter_map(|pod| indexes::of_pod(pod)));
            self.keep_last(&failed, &mut ended);
        }
        ended
    }

    fn listed(&self, field: &str) -> BTreeSet<i64> {
        indexes::parse(self.status.get(field).str(), self.number("completions").unwrap_or(0))
    }

    /// Whether a Pod is one that the Job asked for: in an Indexed Job, one of its indexes.
    fn is_expected(&self, pod: &Object) -> bool {
        !indexes::is_indexed(&self.job)
            || indexes::of_pod(pod).is_some_and(|index| {
                self.number("completions").is_some_and(|completions| index < completions)
            })
    }

    /// Whether Pods are replaced only when they have ended, not as soon as they are being deleted.
    pub(super) fn replaces_only_failed(&self) -> bool {
        let spec = self.job.spec();
        spec.get("podReplacementPolicy").str() == "Failed" || !spec.get("podFailurePolicy").is_null()
    }

    fn has_failed(&self, pod: &Object) -> bool {
        let phase = pod.as_pod().map_or("", |pod| pod.phase.as_str());
        phase == "Failed" || (!self.replaces_only_failed() && pod.is_terminating() && phase != "Succeeded")
    }

    fn action(&self, pod: &Object) -> Action {
        failure_policy::action(self.job.spec(), pod)
    }

    /// Why the failure policy fails the Job, if it does.
    pub(super) fn failed_by_policy(&self) -> Option<String> {
        self.pods.iter().filter(|pod| self.has_failed(pod)).find_map(|pod| match self.action(pod) {
            Action::FailJob(why) => Some(why),
            _ => None,
        })
    }

    /// Whether the index of a failed Pod is not tried again.
    fn has_lost_index(&self, pod: &Object, limit: i64) -> bool {
        match self.action(pod) {
            Action::FailIndex => true,
            Action::Ignore => false,
            Action::Count | Action::FailJob(_) => indexes::failures(pod).0 >= limit,
        }
    }

    /// Keeps the last failed Pod of each index that will be tried again.
    fn keep_last(&self, failed: &[&Arc<Object>], ended: &mut Ended) {
        let active: BTreeSet<i64> = self.active().iter().filter_map(|pod| indexes::of_pod(pod)).collect();
        let rank = |pod: &Object| {
            let (counted, ignored) = indexes::failures(pod);
            (counted + ignored, finished_at(pod))
        };
        for pod in failed {
            let Some(index) = indexes::of_pod(pod) else { continue };
            let settled = [&ended.succeeded_indexes, &ended.failed_indexes, &active];
            if settled.iter().any(|indexes| indexes.contains(&index)) {
                continue;
            }
            let kept = ended.kept.entry(index).or_insert_with(|| Arc::clone(pod));
            if rank(kept) <= rank(pod) {
                *kept = Arc::clone(pod);
            }
        }
    }

    /// What the successor of an index's last failed Pod is told: failures that counted and such that did not.
    pub(super) fn failures_after(&self, last: Option<&Arc<Object>>) -> (i64, i64) {
        let Some(last) = last else { return (0, 0) };
        let (counted, ignored) = indexes::failures(last);
        if self.action(last) == Action::Ignore { (counted, ignored + 1) } else { (counted + 1, ignored) }
    }

    /// Failures after the last success decide how long the next Pod waits.
    fn note_failures(&mut self, succeeded: &[&Arc<Object>], failed: &[&Arc<Object>]) {
        let success = succeeded.iter().map(|pod| finished_at(pod)).max();
        if success.is_some() {
            self.failures.count = 0;
        }
        let after =
            failed.iter().map(|pod| finished_at(pod)).filter(|at| success.is_none_or(|last| *at > last));
        for at in after {
            self.failures.count += 1;
            self.failures.last = self.failures.last.max(self.context.cluster.instant_of(at));
        }
    }

    /// Counts the Pods that have ended and lets them go. Of a Job that has failed, all others count as failures.
    pub(super) fn count(&mut self, seen: &[Arc<Object>], ended: &Ended, verdict: Option<&Verdict>) {
        let is_indexed = indexes::is_indexed(&self.job);
        let (mut released, mut succeeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for pod in seen.iter().filter(|pod| is_tracked(pod)) {
            let has_failed = self.has_failed(pod);
            let kept = indexes::of_pod(pod).and_then(|index| ended.kept.get(&index));
            let is_kept = kept.is_some_and(|kept| kept.meta.uid == pod.meta.uid);
            let goes = verdict.is_some() || has_succeeded(pod) || (has_failed && !is_kept);
            if !goes || self.context.cluster.get(&pod.key).is_none_or(|pod| !is_tracked(pod)) {
                continue;
            }
            released.push(Arc::clone(pod));
            let fails = has_failed || verdict.is_some_and(|verdict| verdict.failed);
            if has_succeeded(pod) {
                if !is_indexed {
                    succeeded.push(Value::Str(pod.meta.uid.clone()));
                }
            } else if fails && self.is_expected(pod) && self.action(pod) != Action::Ignore {
                failed.push(Value::Str(pod.meta.uid.clone()));
            }
        }
        if is_indexed {
            self.list_indexes(ended);
        }
        if let Some(verdict) = verdict {
            let now = self.now();
            conditions::set(&mut self.status, verdict.target(), true, verdict.reason, &verdict.message, now);
        }
        self.release(&released, succeeded, failed);
    }

    fn list_indexes(&mut self, ended: &Ended) {
        let done = &ended.succeeded_indexes;
        self.status.remove("completedIndexes");
        self.status.remove("succeeded");
        if !done.is_empty() {
            self.status.set("completedIndexes", indexes::print(done));
            self.status.set("succeeded", done.len());
        }
        if indexes::has_limit(&self.job) {
            self.status.set("failedIndexes", indexes::print(&ended.failed_indexes));
        }
    }

    /// Notes the uids, takes the finalizers away, and moves the counters.
    fn release(&mut self, released: &[Arc<Object>], succeeded: Vec<Value>, failed: Vec<Value>) {
        let uncounted = [("succeeded", succeeded), ("failed", failed)];
        let mut noted = Value::map();
        for (field, uids) in &uncounted {
            if !uids.is_empty() {
                noted.set(field, Value::from(uids.clone()));
            }
        }
        self.status.set("uncountedTerminatedPods", noted);
        self.write_status();
        self.job = self.context.cluster.get(&self.job.key).unwrap_or(&self.job).clone();
        for pod in released {
            untrack(self.context.cluster, pod);
        }
        for (field, uids) in uncounted {
            if !uids.is_empty() {
                let count = self.counted(field) + number(uids.len());
                self.status.set(field, count);
            }
        }
        self.status.set("uncountedTerminatedPods", value!({}));
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).expect("Pods are counted with 32 bits")
}

/// When a Pod ended: its last container, or else when it was no longer ready, or its deletion was asked for.
pub(super) fn finished_at(pod: &Object) -> Timestamp {
    let sidecars: Vec<&str> = pod
        .value
        .at(&["spec", "initContainers"])
        .items()
        .iter()
        .filter(|one| one.get("restartPolicy").str() == "Always")
        .map(|one| one.get("name").str())
        .collect();
    let status = pod.status();
    let init = status.get("initContainerStatuses").items().iter();
    let lasting = init.filter(|one| sidecars.contains(&one.get("name").str()));
    let all = status.get("containerStatuses").items().iter().chain(lasting);
    let ends: Option<Vec<Timestamp>> =
        all.map(|one| Timestamp::of(one.at(&["state", "terminated", "finishedAt"]))).collect();
    let ended = ends.and_then(|ends| ends.into_iter().max());
    let unready = status
        .get("conditions")
        .items()
        .iter()
        .find(|one| one.get("type").str() == "Ready" && one.get("status").str() == "False");
    let grace = pod.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(0);
    ended
        .or_else(|| Timestamp::of(unready?.get("lastTransitionTime")))
        .or_else(|| pod.meta.deletion.map(|at| Timestamp(at.0 - grace)))
        .unwrap_or(pod.meta.created)
}
