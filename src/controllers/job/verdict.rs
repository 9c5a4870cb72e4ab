//! Whether what has ended decides a Job.
//!
//! Owns the ways of failing and succeeding and their order. Source: `syncJob` of Kubernetes.

use std::sync::Arc;

use super::conditions::{self, Verdict};
use super::ended::Ended;
use super::{Sync, indexes, success_policy};
use crate::api::object::Object;
use crate::api::time::Timestamp;

impl Sync<'_, '_> {
    /// Whether the Job has failed, or succeeded before all of it is done.
    pub(super) fn judge(&self, ended: &Ended) -> Option<Verdict> {
        if let Some(why) = self.failed_by_policy() {
            return Some(Verdict::failure("PodFailurePolicy", &why));
        }
        let limit = self.number("backoffLimit").unwrap_or(6);
        if ended.failed > limit || self.restarted_too_often(limit) {
            let why = "Job has reached the specified backoff limit";
            return Some(Verdict::failure("BackoffLimitExceeded", why));
        }
        if self.deadline().is_some_and(|at| at <= self.now()) && !self.is_suspended() {
            let why = "Job was active longer than specified deadline";
            return Some(Verdict::failure("DeadlineExceeded", why));
        }
        self.judge_indexes(ended)
    }

    fn judge_indexes(&self, ended: &Ended) -> Option<Verdict> {
        if !indexes::is_indexed(&self.job) {
            return None;
        }
        let count = |count: usize| i64::try_from(count).expect("indexes are counted with 32 bits");
        let failed = count(ended.failed_indexes.len());
        if self.number("maxFailedIndexes").is_some_and(|most| failed > most) {
            let why = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Verdict::failure("MaxFailedIndexesExceeded", why));
        }
        let all = self.number("completions").unwrap_or(0);
        if failed > 0 && failed + count(ended.succeeded_indexes.len()) >= all {
            return Some(Verdict::failure("FailedIndexes", "Job has failed indexes"));
        }
        let rule = success_policy::met(self.job.spec(), &ended.succeeded_indexes)?;
        Some(Verdict::success("SuccessPolicy", &format!("Matched rules at index {rule}")))
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
        let run = |pod: &&Arc<Object>| !pod.as_pod().is_some_and(|pod| pod.is_finished());
        let all: i64 = self.pods.iter().filter(run).map(restarts).sum();
        if limit == 0 { all > 0 } else { all >= limit }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let start = Timestamp::of(self.status.get("startTime"))?;
        Some(Timestamp(start.0 + self.number("activeDeadlineSeconds")?))
    }

    /// Looks again when the deadline has come.
    pub(super) fn wait_for_deadline(&mut self) {
        if let Some(at) = self.deadline()
            && at > self.now()
            && !conditions::has_ended(&self.status)
            && !self.is_suspended()
        {
            let after = self.context.cluster.instant_of(at) - self.context.cluster.now();
            self.context.requeue(after);
        }
    }

    /// Whether enough Pods have succeeded and none runs any more.
    pub(super) fn completed(&self, ended: &Ended) -> Option<Verdict> {
        let enough = match self.number("completions") {
            Some(completions) => ended.succeeded >= completions,
            None => ended.succeeded > 0,
        };
        (enough && self.active().is_empty())
            .then(|| Verdict::success("CompletionsReached", "Reached expected number of succeeded pods"))
    }
}
