//! `kubectl rollout status`.

use super::{group_kind, revision, targets};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value as Document;
use crate::shell::command::{Flag, Value, option, switch};
use crate::shell::duration::duration;
use crate::shell::executor::{Either, first};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources::Found;
use crate::shell::kubectl::verb::{Action, FILES, Operands, SELECTOR, Verb, flags};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "timeout", Value::Duration, "how long to wait", "最长等待时间"),
    switch('w', "watch", "wait until it has ended (the default)", "等待发布结束（默认）"),
    option('\0', "revision", Value::Number, "the revision to wait for", "要等待的版本"),
];

/// `rollout status`.
pub static VERB: Verb = Verb {
    name: "status",
    aliases: &[],
    usage: "TYPE/NAME",
    summary: Words { en: "follow a rollout to its end", zh: "跟踪发布直到结束" },
    flags: flags![OWN, SELECTOR, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    super::refuse_negative_revision(&call)?;
    let (found, failures) = targets(&call).await?;
    Failure::of(failures)?;
    if found.is_empty() {
        return Err(Failure::plain("no matching resources found"));
    }
    for Found { object, .. } in &found {
        if !matches!(object.key.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
            let kind = group_kind(object.key.kind);
            return Err(Failure::plain(format!("no status viewer has been implemented for {kind}")));
        }
        let timeout = call.flags.value("timeout").and_then(|text| duration(text).ok());
        let following = follow(&call, object);
        match timeout.filter(|timeout| !timeout.is_zero()) {
            None => following.await?,
            Some(timeout) => match first(following, call.invocation.sleep(timeout)).await {
                Either::Left(outcome) => outcome?,
                Either::Right(()) => return Err(Failure::plain("timed out waiting for the condition")),
            },
        }
    }
    Ok(())
}

/// Says how far a rollout is, at every change, until it has ended.
async fn follow(call: &Call, object: &Object) -> Outcome {
    let mut version = 0;
    loop {
        let now = call.host().with(|simulation| simulation.cluster.get(&object.key).cloned());
        let Some(now) = now else {
            return Err(Failure::plain("object has been deleted"));
        };
        if now.meta.resource_version != version {
            version = now.meta.resource_version;
            let (text, ended) = progress(call, &now)?;
            call.say(&text);
            if ended || call.flags.value("watch") == Some("false") {
                return Ok(());
            }
        }
        call.host().changed().await;
    }
}

fn count(value: &Document) -> i64 {
    value.as_int().unwrap_or(0)
}

/// How far a rollout is, and whether that is its end.
fn progress(call: &Call, object: &Object) -> Result<(String, bool), Failure> {
    match object.key.kind {
        Kind::Deployment => deployment(call, object),
        Kind::DaemonSet => Ok(daemon_set(object)),
        _ => stateful_set(object),
    }
}

fn deployment(call: &Call, object: &Object) -> Result<(String, bool), Failure> {
    let (name, spec, status) = (object.name(), object.spec(), object.status());
    if let Some(wanted) = call.number("revision").filter(|wanted| *wanted > 0)
        && revision(object) != wanted
    {
        return Err(Failure::plain(format!(
            "desired revision ({wanted}) is different from the running revision ({})",
            revision(object)
        )));
    }
    if object.meta.generation > count(status.get("observedGeneration")) {
        return Ok(("Waiting for deployment spec update to be observed...".to_owned(), false));
    }
    let late = status.get("conditions").items().iter().any(|condition| {
        condition.get("type").str() == "Progressing"
            && condition.get("reason").str() == "ProgressDeadlineExceeded"
    });
    if late {
        return Err(Failure::plain(format!("deployment \"{name}\" exceeded its progress deadline")));
    }
    let desired = count(spec.get("replicas"));
    let updated = count(status.get("updatedReplicas"));
    let total = count(status.get("replicas"));
    let available = count(status.get("availableReplicas"));
    let waiting =
        |what: String| Ok((format!("Waiting for deployment \"{name}\" rollout to finish: {what}..."), false));
    if updated < desired {
        return waiting(format!("{updated} out of {desired} new replicas have been updated"));
    }
    if total > updated {
        return waiting(format!("{} old replicas are pending termination", total - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok((format!("deployment \"{name}\" successfully rolled out"), true))
}

fn daemon_set(object: &Object) -> (String, bool) {
    let (name, status) = (object.name(), object.status());
    if object.meta.generation > count(status.get("observedGeneration")) {
        return ("Waiting for daemon set spec update to be observed...".to_owned(), false);
    }
    let desired = count(status.get("desiredNumberScheduled"));
    let updated = count(status.get("updatedNumberScheduled"));
    let available = count(status.get("numberAvailable"));
    let waiting =
        |what: String| (format!("Waiting for daemon set \"{name}\" rollout to finish: {what}..."), false);
    if updated < desired {
        return waiting(format!("{updated} out of {desired} new pods have been updated"));
    }
    if available < desired {
        return waiting(format!("{available} of {desired} updated pods are available"));
    }
    (format!("daemon set \"{name}\" successfully rolled out"), true)
}

fn stateful_set(object: &Object) -> Result<(String, bool), Failure> {
    let (spec, status) = (object.spec(), object.status());
    let strategy = spec.get("updateStrategy");
    if strategy.get("type").str() != "RollingUpdate" {
        return Err(Failure::plain("rollout status is only available for RollingUpdate strategy type"));
    }
    let observed = count(status.get("observedGeneration"));
    if observed == 0 || object.meta.generation > observed {
        return Ok(("Waiting for statefulset spec update to be observed...".to_owned(), false));
    }
    let desired = count(spec.get("replicas"));
    let ready = count(status.get("readyReplicas"));
    let updated = count(status.get("updatedReplicas"));
    if ready < desired {
        return Ok((format!("Waiting for {} pods to be ready...", desired - ready), false));
    }
    if let Some(partition) = strategy.at(&["rollingUpdate", "partition"]).as_int() {
        if updated < desired - partition {
            return Ok((
                format!(
                    "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                    desired - partition
                ),
                false,
            ));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated..."), true));
    }
    let (current, update) = (status.get("currentRevision").str(), status.get("updateRevision").str());
    if current != update {
        return Ok((
            format!(
                "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
            ),
            false,
        ));
    }
    let replicas = count(status.get("currentReplicas"));
    Ok((format!("statefulset rolling update complete {replicas} pods at revision {current}..."), true))
}
