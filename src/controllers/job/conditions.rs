//! The conditions of a Job.
//!
//! Owns their names and the two steps of an end: first it is known (`SuccessCriteriaMet`, `FailureTarget`),
//! then, when no Pod is left, it has come (`Complete`, `Failed`).

use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// How a Job ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) failed: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// The reasons for an end.
const REASONS: [&str; 7] = [
    "CompletionsReached",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "MaxFailedIndexesExceeded",
    "FailedIndexes",
    "SuccessPolicy",
];

impl Verdict {
    pub(super) fn success(reason: &'static str, message: &str) -> Self {
        Self { failed: false, reason, message: message.to_owned() }
    }

    pub(super) fn failure(reason: &'static str, message: &str) -> Self {
        Self { failed: true, ..Self::success(reason, message) }
    }

    /// The condition that says that the end is known.
    pub(super) fn target(&self) -> &'static str {
        if self.failed { "FailureTarget" } else { "SuccessCriteriaMet" }
    }

    /// The condition that says that the Job has ended.
    pub(super) fn end(&self) -> &'static str {
        if self.failed { "Failed" } else { "Complete" }
    }
}

/// The condition of a kind.
pub(super) fn find<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status.get("conditions").items().iter().find(|one| one.get("type").str() == kind)
}

fn holds(status: &Value, kind: &str) -> bool {
    find(status, kind).is_some_and(|one| one.get("status").str() == "True")
}

/// How a Job with this status has ended: `Complete`, `Failed`, or empty while it has not.
pub(in crate::controllers) fn end(status: &Value) -> &'static str {
    ["Complete", "Failed"].into_iter().find(|end| holds(status, end)).unwrap_or("")
}

/// When a Job with this status ended.
pub(in crate::controllers) fn ended_at(status: &Value) -> Option<Timestamp> {
    Timestamp::of(find(status, end(status))?.get("lastTransitionTime"))
}

/// Whether a Job with this status has ended.
pub(in crate::controllers) fn has_ended(status: &Value) -> bool {
    !end(status).is_empty()
}

/// The end that is already known.
pub(super) fn judged(status: &Value) -> Option<Verdict> {
    [("SuccessCriteriaMet", false), ("FailureTarget", true)].into_iter().find_map(|(kind, failed)| {
        let condition = find(status, kind).filter(|_| holds(status, kind))?;
        let reason = REASONS.into_iter().find(|reason| *reason == condition.get("reason").str())?;
        Some(Verdict { failed, reason, message: condition.get("message").str().to_owned() })
    })
}

/// Sets a condition; one that says the same is left alone.
pub(super) fn set(
    status: &mut Value,
    kind: &'static str,
    holds: bool,
    reason: &'static str,
    message: &str,
    now: Timestamp,
) {
    let truth = if holds { "True" } else { "False" };
    let condition = value!({
        "lastProbeTime": now, "lastTransitionTime": now, "message": (message.to_owned()),
        "reason": reason, "status": truth, "type": kind
    });
    let conditions = status.field_mut("conditions").list_mut();
    match conditions.iter_mut().find(|one| one.get("type").str() == kind) {
        Some(known) if known.get("status").str() == truth => {}
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}
