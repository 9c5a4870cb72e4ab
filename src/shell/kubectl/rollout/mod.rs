//! `kubectl rollout`: the revisions of a workload.
//!
//! Owns what its verbs share: which objects they are about, and the words for those that have no rollout.

mod history;
mod revisions;
mod status;
mod undo;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::resources::{Found, Reading, objects, queries};
use super::verb::{Action, FIELD_MANAGER, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::Patch;
use crate::cluster::request::Options;
use crate::value;
use crate::words::Words;

/// The annotation that counts revisions.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// `rollout`.
pub static VERB: Verb = Verb {
    name: "rollout",
    aliases: &[],
    usage: "status|history|undo|restart|pause|resume TYPE/NAME",
    summary: Words {
        en: "follow, undo and restart the rollout of a workload",
        zh: "查看、回滚和重启工作负载的发布",
    },
    flags: flags![],
    children: &[&history::VERB, &PAUSE, &RESTART, &RESUME, &status::VERB, &undo::VERB],
    operands: Operands::Nothing,
    action: Action::Now(super::parent),
};

macro_rules! change {
    ($verb:ident, $name:literal, $en:literal, $zh:literal, $change:ident) => {
        static $verb: Verb = Verb {
            name: $name,
            aliases: &[],
            usage: "TYPE/NAME",
            summary: Words { en: $en, zh: $zh },
            flags: flags![SELECTOR, OUTPUT, FIELD_MANAGER, FILES],
            children: &[],
            operands: Operands::Resources,
            action: Action::Waits(|call| Box::pin(change(call, $change))),
        };
    };
}

change!(PAUSE, "pause", "let changes of a Deployment wait", "暂停 Deployment 的发布", pause);
change!(RESUME, "resume", "let a paused Deployment go on", "恢复已暂停的 Deployment", resume);
change!(RESTART, "restart", "make all Pods of a workload anew", "重新创建工作负载的所有 Pod", restart);

/// The objects of a call.
///
/// # Errors
/// None is named, or a file cannot be read.
async fn targets(call: &Call) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    if call.operands().is_empty() && call.flags.value("filename").is_none() {
        return Err(Failure::plain("required resource not specified"));
    }
    let (manifests, failures) = manifests::read(call).await;
    if let (true, Some(failure)) = (manifests.is_empty(), failures.into_iter().next()) {
        return Err(failure);
    }
    let reading = Reading { resource_alone: true, all_namespaces: false };
    let queries = queries(call, call.operands(), manifests, reading)?;
    Ok(objects(call, &queries))
}

/// Refuses a revision below zero.
///
/// # Errors
/// One that is.
fn refuse_negative_revision(call: &Call) -> Outcome {
    match call.number("revision") {
        Some(revision) if revision < 0 => {
            Err(Failure::plain(format!("revision must be a positive integer: {revision}")))
        }
        _ => Ok(()),
    }
}

/// What a change does to an object: the patch and the word for it.
type Change = fn(&Call, &Object) -> Result<(Value, &'static str), Failure>;

async fn change(call: Call, change: Change) -> Outcome {
    let (found, mut failures) = targets(&call).await?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    if found.is_empty() && failures.is_empty() {
        call.complain(&format!("No resources found in {} namespace.", call.namespace));
        return Ok(());
    }
    for Found { object, .. } in &found {
        match change(&call, object) {
            Ok((patch, what)) => match call.patch(&object.key, Patch::Strategic(patch), DryRun::No) {
                Ok(after) => done(&call, &format, &printer, &after.value, what)?,
                Err(status) => failures.push(Failure::from(status).prefixed("failed to patch: ")),
            },
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

/// `deployments.apps "web"`.
fn quoted(object: &Object) -> String {
    format!("{} \"{}\"", object.key.kind.info().group_resource(), object.name())
}

fn is_paused(object: &Object) -> bool {
    object.spec().get("paused").as_bool().unwrap_or(false)
}

fn unsupported(object: &Object, what: &str) -> Failure {
    Failure::plain(format!("error: {} {what} is not supported", quoted(object)))
}

fn pause(_: &Call, object: &Object) -> Result<(Value, &'static str), Failure> {
    if object.key.kind != Kind::Deployment {
        return Err(unsupported(object, "pausing"));
    }
    if is_paused(object) {
        return Err(Failure::plain(format!("error: {} is already paused", quoted(object))));
    }
    Ok((value!({ "spec": { "paused": true } }), "paused"))
}

fn resume(_: &Call, object: &Object) -> Result<(Value, &'static str), Failure> {
    if object.key.kind != Kind::Deployment {
        return Err(unsupported(object, "resuming"));
    }
    if !is_paused(object) {
        return Err(Failure::plain(format!("error: {} is not paused", quoted(object))));
    }
    Ok((value!({ "spec": { "paused": null } }), "resumed"))
}

/// The annotation of a template whose change makes all Pods anew.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

fn restart(call: &Call, object: &Object) -> Result<(Value, &'static str), Failure> {
    if !matches!(object.key.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
        return Err(unsupported(object, "restarting"));
    }
    if is_paused(object) {
        return Err(Failure::plain(format!(
            "error: {} can't restart paused deployment (run rollout resume first)",
            quoted(object)
        )));
    }
    let now = call.host().with(|simulation| simulation.cluster.timestamp());
    let last = object.spec().at(&["template", "metadata", "annotations", RESTARTED_AT]);
    if last.str() == now.to_string() {
        return Err(Failure::plain(format!(
            "failed to create patch for {}: if restart has already been triggered within the past second, please wait before attempting to trigger another",
            object.name()
        )));
    }
    // A template that differs in this annotation is a new one.
    let mut annotations = Value::map();
    annotations.set(RESTARTED_AT, now);
    Ok((value!({ "spec": { "template": { "metadata": { "annotations": annotations } } } }), "restarted"))
}

/// The revision that an object stands for; 0 without one.
fn revision(object: &Object) -> i64 {
    object.meta.annotation(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The ReplicaSets of a Deployment, by revision.
fn replica_sets(call: &Call, deployment: &Object) -> Vec<std::sync::Arc<Object>> {
    let mut sets =
        call.list(Kind::ReplicaSet, deployment.namespace(), Options::default()).unwrap_or_default();
    sets.retain(|set| set.controller().is_some_and(|owner| owner.uid == deployment.meta.uid));
    sets.sort_by_key(|set| revision(set));
    sets
}

/// `ReplicaSet.apps`: a kind with its group, as Go prints it.
fn group_kind(kind: Kind) -> String {
    let info = kind.info();
    if info.group.is_empty() { info.name.to_owned() } else { format!("{}.{}", info.name, info.group) }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn kinds_without_rollouts_are_named_as_go_prints_them() {
        check(
            "kubectl rollout status svc/kubernetes",
            "error: no status viewer has been implemented for Service",
            1,
        );
        check(
            "kubectl rollout history svc/kubernetes",
            "error: error retrieving history for \"Service\", no visitor method exists for { Service}",
            1,
        );
        check(
            "kubectl rollout history -n kube-system $(kubectl get rs -n kube-system -o name)",
            "error: no history viewer has been implemented for \"ReplicaSet.apps\"",
            1,
        );
    }
}
