//! The status of a Deployment: counts and the conditions Available and Progressing.

use super::{Sync, counted};
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::Actor;
use crate::cluster::clock::Span;
use crate::controllers::owned;
use crate::value;

/// A condition, before it is written.
struct Condition {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
}

/// The condition of a kind in a list.
fn find<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| condition.get("type").str() == kind)
}

/// Puts a condition into a list as `SetDeploymentCondition` does: one that says the same is left alone, one that
/// changes moves to the end.
fn set(conditions: &mut Vec<Value>, condition: Condition, now: Timestamp) {
    let status = condition.status;
    let known = find(conditions, condition.kind);
    if known
        .is_some_and(|old| old.get("status").str() == status && old.get("reason").str() == condition.reason)
    {
        return;
    }
    let since = known
        .filter(|old| old.get("status").str() == status)
        .map_or_else(|| Value::from(now), |old| old.get("lastTransitionTime").clone());
    conditions.retain(|old| old.get("type").str() != condition.kind);
    conditions.push(value!({
        "lastTransitionTime": since,
        "lastUpdateTime": now,
        "message": (condition.message),
        "reason": (condition.reason),
        "status": status,
        "type": (condition.kind)
    }));
}

impl Sync<'_, '_> {
    fn deadline(&self) -> Option<i64> {
        let deadline = self.deployment.spec().get("progressDeadlineSeconds").as_int().unwrap_or(600);
        (deadline < i64::from(i32::MAX)).then_some(deadline)
    }

    /// Writes at once that a ReplicaSet was made or found.
    pub(super) fn note_progress(&mut self, reason: &'static str, message: String, only_first: bool) {
        let conditions = self.deployment.status().get("conditions").items();
        if self.deadline().is_none() || (only_first && find(conditions, "Progressing").is_some()) {
            return;
        }
        self.write_condition(Condition { kind: "Progressing", status: "True", reason, message });
    }

    /// Works the status out and writes it where it differs.
    pub(super) fn write_status(&mut self) {
        let sum = |field: &str| self.sets.iter().map(|set| counted(set, field)).sum::<i64>();
        let available = sum("availableReplicas");
        let updated = self.new_set().map_or(0, |set| counted(set, "replicas"));
        let mut status = value!({ "terminatingReplicas": (sum("terminatingReplicas")) });
        let counts = [
            ("replicas", sum("replicas")),
            ("updatedReplicas", updated),
            ("readyReplicas", sum("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (self.total_seen() - available).max(0)),
            ("observedGeneration", self.deployment.meta.generation),
            ("collisionCount", counted(&self.deployment, "collisionCount")),
        ];
        for (field, count) in counts {
            if count > 0 {
                status.set(field, count);
            }
        }
        let now = self.context.cluster.timestamp();
        let mut conditions = self.deployment.status().get("conditions").items().to_vec();
        let enough = available >= self.wanted() - self.unavailable();
        let availability = if enough {
            ("MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        let (reason, message) = availability;
        set(
            &mut conditions,
            Condition {
                kind: "Available",
                status: if enough { "True" } else { "False" },
                reason,
                message: message.to_owned(),
            },
            now,
        );
        if !self.is_paused() {
            self.judge_progress(&status, &mut conditions, now);
            self.judge_failure(&mut conditions);
        }
        status.set("conditions", conditions);
        owned::write_status(self.context.cluster, Actor::Deployment, &self.deployment, status);
    }

    /// The condition ReplicaFailure is that of the ReplicaSets, the present one's first.
    fn judge_failure(&self, conditions: &mut Vec<Value>) {
        const KIND: &str = "ReplicaFailure";
        conditions.retain(|condition| condition.get("type").str() != KIND);
        let old = self.old_sets();
        let mut all = self.new_set().into_iter().chain(&old);
        let failure = all.find_map(|set| find(set.status().get("conditions").items(), KIND));
        if let Some(failure) = failure {
            let mut failure = failure.clone();
            let since = failure.get("lastTransitionTime").clone();
            failure.set("lastUpdateTime", since);
            conditions.push(failure);
        }
    }

    /// Writes at once that the Deployment was paused or goes on (`checkPausedConditions`). A rollout that timed out
    /// stays so.
    pub(super) fn note_pause(&mut self) {
        let paused = self.is_paused();
        let conditions = self.deployment.status().get("conditions").items();
        let reason = find(conditions, "Progressing").map_or("", |one| one.get("reason").str());
        let noted = reason == "DeploymentPaused";
        if self.deadline().is_none() || reason == "ProgressDeadlineExceeded" || paused == noted {
            return;
        }
        let (reason, message) = if paused {
            ("DeploymentPaused", "Deployment is paused")
        } else {
            ("DeploymentResumed", "Deployment is resumed")
        };
        let condition =
            Condition { kind: "Progressing", status: "Unknown", reason, message: message.to_owned() };
        self.write_condition(condition);
    }

    /// Writes a condition at once.
    fn write_condition(&mut self, condition: Condition) {
        let mut conditions = self.deployment.status().get("conditions").items().to_vec();
        set(&mut conditions, condition, self.context.cluster.timestamp());
        let mut status = self.deployment.status().clone();
        status.set("conditions", conditions);
        let document = value!({ "status": status });
        if let Ok(written) =
            self.context.cluster.update_status(Actor::Deployment, &self.deployment.key, document)
        {
            self.deployment = written;
        }
    }

    /// The condition Progressing (`syncRolloutStatus`).
    fn judge_progress(&mut self, status: &Value, conditions: &mut Vec<Value>, now: Timestamp) {
        let Some(deadline) = self.deadline() else {
            conditions.retain(|condition| condition.get("type").str() != "Progressing");
            return;
        };
        let count = |field: &str| status.get(field).as_int().unwrap_or(0);
        let current = find(conditions, "Progressing").map(|one| one.get("reason").smol());
        let done = current.as_deref() == Some("NewReplicaSetAvailable")
            && count("replicas") == count("updatedReplicas");
        if done {
            return;
        }
        let complete = count("updatedReplicas") == self.wanted()
            && count("replicas") == self.wanted()
            && count("availableReplicas") == self.wanted();
        let name = self.new_set().map_or_else(|| self.deployment.name().clone(), |set| set.name().clone());
        let kind = if self.new_set().is_some() { "ReplicaSet" } else { "Deployment" };
        if complete {
            let message = format!("{kind} \"{name}\" has successfully progressed.");
            let reason = "NewReplicaSetAvailable";
            return set(conditions, Condition { kind: "Progressing", status: "True", reason, message }, now);
        }
        if self.moved(status) {
            self.update_progress(conditions, format!("{kind} \"{name}\" is progressing."), now);
        } else if self.timed_out(conditions, deadline, now) {
            let message = format!("{kind} \"{name}\" has timed out progressing.");
            let reason = "ProgressDeadlineExceeded";
            return set(conditions, Condition { kind: "Progressing", status: "False", reason, message }, now);
        }
        self.wait_for_deadline(conditions, deadline, current, now);
    }

    /// Whether the counts came closer to the goal since the last status.
    fn moved(&self, status: &Value) -> bool {
        let now = |field: &str| status.get(field).as_int().unwrap_or(0);
        let was = |field: &str| counted(&self.deployment, field);
        let old_now = now("replicas") - now("updatedReplicas");
        let old_was = was("replicas") - was("updatedReplicas");
        now("updatedReplicas") > was("updatedReplicas")
            || old_now < old_was
            || now("readyReplicas") > was("readyReplicas")
            || now("availableReplicas") > was("availableReplicas")
    }

    fn update_progress(&self, conditions: &mut Vec<Value>, message: String, now: Timestamp) {
        let since = find(conditions, "Progressing")
            .filter(|old| old.get("status").str() == "True")
            .map_or_else(|| Value::from(now), |old| old.get("lastTransitionTime").clone());
        conditions.retain(|old| old.get("type").str() != "Progressing");
        conditions.push(value!({
            "lastTransitionTime": since, "lastUpdateTime": now, "message": message,
            "reason": "ReplicaSetUpdated", "status": "True", "type": "Progressing"
        }));
    }

    fn timed_out(&self, conditions: &[Value], deadline: i64, now: Timestamp) -> bool {
        find(conditions, "Progressing")
            .and_then(|condition| Timestamp::of(condition.get("lastUpdateTime")))
            .is_some_and(|from| from.0 + deadline <= now.0)
    }

    /// Looks again when the deadline will have passed.
    fn wait_for_deadline(
        &mut self,
        conditions: &[Value],
        deadline: i64,
        reason: Option<SmolStr>,
        now: Timestamp,
    ) {
        if reason.as_deref() == Some("ProgressDeadlineExceeded") {
            return;
        }
        let from = find(conditions, "Progressing")
            .and_then(|condition| Timestamp::of(condition.get("lastUpdateTime")))
            .unwrap_or(now);
        let seconds = u64::try_from(from.0 + deadline - now.0).unwrap_or(0);
        self.context.requeue(Span::from_seconds(seconds + 1));
    }
}
