//! `kubectl rollout undo`.

use super::{is_paused, replica_sets, revision, revisions, targets};
use crate::api::object::Object;
use crate::api::patch::last_applied::LAST_APPLIED;
use crate::api::registry::Kind;
use crate::api::value::Value as Document;
use crate::cluster::Patch;
use crate::shell::command::{Flag, Value, option};
use crate::shell::kubectl::call::{Call, DryRun};
use crate::shell::kubectl::describe::template_text;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources::{Found, named};
use crate::shell::kubectl::verb::{Action, DRY_RUN, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::value;
use crate::words::Words;

/// The label that ReplicaSets add to a template.
const HASH: &str = "pod-template-hash";

const OWN: &[Flag] =
    &[option('\0', "to-revision", Value::Number, "the revision to go back to", "要回滚到的版本")];

/// `rollout undo`.
pub static VERB: Verb = Verb {
    name: "undo",
    aliases: &[],
    usage: "TYPE/NAME [--to-revision=NUMBER]",
    summary: Words { en: "go back to an earlier revision", zh: "回滚到之前的版本" },
    flags: flags![OWN, SELECTOR, OUTPUT, DRY_RUN, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let (found, mut failures) = targets(&call).await?;
    for Found { object, .. } in &found {
        if object.meta.annotation(LAST_APPLIED).is_some() {
            call.warn(&format!(
                "resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
                object.key.kind.info().plural,
                object.name()
            ));
        }
        match undo(&call, object) {
            Ok(what) => call.say(&format!("{} {what}", named(&object.key))),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

fn undo(call: &Call, object: &Object) -> Result<String, Failure> {
    match object.key.kind {
        Kind::Deployment => {}
        kind if revisions::has(kind) => {}
        kind => {
            let info = kind.info();
            return Err(Failure::plain(format!(
                "error retrieving rollbacker for \"{}\", no visitor method exists for {{{} {}}}",
                info.name, info.group, info.name
            )));
        }
    }
    let wanted = call.number("to-revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Failure::plain(format!("unable to find specified revision {wanted} in history")));
    }
    if revisions::has(object.key.kind) {
        return revisions::undo(call, object, wanted);
    }
    let sets = replica_sets(call, object);
    let target = target(object, &sets, wanted)?;
    let dry_run = call.dry_run()?;
    let mut template = target.spec().get("template").clone();
    template.at_mut(&["metadata", "labels"]).remove(HASH);
    if dry_run == DryRun::Client {
        return Ok(template_text(&template));
    }
    if is_paused(object) {
        return Err(Failure::plain(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ));
    }
    if template == *object.spec().get("template") {
        return Ok(format!("skipped rollback (current template already matches revision {wanted})"));
    }
    call.patch(&object.key, Patch::Json(rollback(object, target, template)), dry_run)?;
    Ok(format!("rolled back{}", dry_run.suffix()))
}

/// The ReplicaSet to go back to: the one asked for, or the one before the last.
fn target<'a>(
    deployment: &Object,
    sets: &'a [std::sync::Arc<Object>],
    wanted: i64,
) -> Result<&'a Object, Failure> {
    if wanted > 0 {
        let found = sets.iter().find(|set| revision(set) == wanted);
        return found
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::plain(format!("unable to find specified revision {wanted} in history")));
    }
    match sets {
        [.., previous, _] => Ok(previous),
        _ => {
            let name = deployment.name();
            Err(Failure::plain(format!("no rollout history found for deployment \"{name}\"")))
        }
    }
}

/// Annotations that belong to an object and not to its revision.
const OWN_ANNOTATIONS: [&str; 6] = [
    LAST_APPLIED,
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// The template of a revision, and its annotations beside those that are the Deployment's own.
fn rollback(deployment: &Object, target: &Object, template: Document) -> Document {
    let mut annotations = deployment.meta.annotations.clone();
    annotations.map_mut().retain(|key, _| OWN_ANNOTATIONS.contains(&key));
    for (key, text) in target.meta.annotations.entries() {
        if !OWN_ANNOTATIONS.contains(&key.as_str()) {
            annotations.map_mut().insert(key.clone(), text.clone());
        }
    }
    value!([
        { "op": "replace", "path": "/spec/template", "value": template },
        { "op": "replace", "path": "/metadata/annotations", "value": annotations }
    ])
}
