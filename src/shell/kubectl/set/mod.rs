//! `kubectl set`: single fields of objects.
//!
//! Owns what its verbs share: the splitting of operands into objects and changes, the containers that are
//! meant, and the sending of a changed document.

mod env;
mod image;
mod selector;
mod service_account;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record;
use super::resources::{Found, Reading, objects, queries};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::object::Object;
use crate::api::patch::diff::two_way;
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::value::Value;
use crate::cluster::Patch;
use crate::shell::command::{Flag, switch};
use crate::words::Words;

/// `set`.
pub static VERB: Verb = Verb {
    name: "set",
    aliases: &[],
    usage: "image|env|resources|selector TYPE/NAME ...",
    summary: Words {
        en: "set images, variables, resources or a selector",
        zh: "设置镜像、环境变量、资源或选择器",
    },
    flags: flags![],
    children: &[
        &env::VERB,
        &image::IMAGE,
        &image::RESOURCES,
        &selector::VERB,
        &service_account::VERB,
        &super::unsupported::SUBJECT,
    ],
    operands: Operands::Nothing,
    action: Action::Now(super::parent),
};

/// The flag that leaves the server alone.
const LOCAL: &[Flag] = &[switch('\0', "local", "work on the file alone", "只处理本地文件")];

/// Where a kind has its Pod template's spec.
fn pod_spec_path(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::Pod => Some(&["spec"]),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::ReplicationController => Some(&["spec", "template", "spec"]),
        Kind::CronJob => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

/// Splits operands: those before the first change name objects. `of` is what is changed.
fn split(call: &Call, of: &str) -> Result<(Vec<String>, Vec<String>), Failure> {
    let is_change =
        |word: &String| word.contains('=') && !word.starts_with('=') || word.ends_with('-') && word != "-";
    let words = call.operands();
    let at = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, changes) = words.split_at(at);
    if let Some(word) = changes.iter().find(|word| !is_change(word)) {
        return Err(Failure::plain(format!("all resources must be specified before {of} changes: {word}")));
    }
    Ok((resources.to_vec(), changes.to_vec()))
}

/// Refuses `--local` together with `--dry-run=server`, and `--all` with a selector.
fn refuse_contradictions(call: &Call) -> Outcome {
    if call.has("all") && call.declares("selector") && !call.text("selector").is_empty() {
        return Err(Failure::plain("cannot set --all and --selector at the same time"));
    }
    if call.is_local() && call.dry_run()? == DryRun::Server {
        return Err(Failure::plain(
            "cannot specify --local and --dry-run=server - did you mean --dry-run=client?",
        ));
    }
    Ok(())
}

/// The objects that operands mean; none if one of them cannot be had.
async fn targets(call: &Call, resources: &[String]) -> Result<Vec<Found>, Failure> {
    if call.is_local() && !resources.is_empty() {
        return Err(super::resources::local_needs_files());
    }
    let (found, failures) = each_target(call, resources).await?;
    Failure::of(failures)?;
    Ok(found)
}

/// The objects that operands mean, and what cannot be had of them.
async fn each_target(call: &Call, resources: &[String]) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    let (manifests, failures) = manifests::read(call).await;
    if let (true, Some(failure)) = (manifests.is_empty(), failures.into_iter().next()) {
        return Err(failure);
    }
    let queries = queries(call, resources, manifests, Reading::default())?;
    Ok(objects(call, &queries))
}

/// What a verb does about a document that its change leaves as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unchanged {
    /// Says nothing.
    Skipped,
    /// Says so.
    Said,
    /// Sends it all the same.
    Sent,
}

/// How a verb speaks.
#[derive(Clone, Copy)]
struct Wording {
    /// What was done: `image updated`.
    done: &'static str,
    /// What stands before an error of the server.
    failed: &'static str,
    unchanged: Unchanged,
}

/// Sends changed documents and says what was done.
fn send(call: &Call, changed: Vec<(&Object, Value)>, words: Wording) -> Outcome {
    let dry_run = call.dry_run()?;
    let format = Format::of(call, false)?;
    let printer = Printer::new(call, &format);
    let mut failures = Vec::new();
    for (object, mut value) in changed {
        record::annotate(call, &mut value);
        let info = object.key.kind.info();
        let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
        let mut patch = two_way(&object.value, &value, type_id).map_err(|why| Failure::plain(why.message))?;
        if patch.entries().is_empty() && words.unchanged != Unchanged::Sent {
            if words.unchanged == Unchanged::Said {
                failures.push(Failure::plain(format!("info: {} was not changed\n", named(object))));
            }
            continue;
        }
        if call.declares("resource-version") && !call.text("resource-version").is_empty() {
            patch.set_at(&["metadata", "resourceVersion"], call.text("resource-version").to_owned());
        }
        let mut shown = value;
        if dry_run != DryRun::Client && !call.is_local() {
            match call.patch(&object.key, Patch::Strategic(patch), dry_run) {
                Ok(after) => shown = after.value.clone(),
                Err(status) if words.failed.is_empty() => {
                    failures.push(status.into());
                    continue;
                }
                Err(status) => {
                    failures.push(Failure::from(status).prefixed(words.failed));
                    continue;
                }
            }
        }
        done(call, &format, &printer, &shown, words.done)?;
    }
    Failure::of(failures)
}

/// Failures with those of several in one list.
fn flat(failures: Vec<Failure>) -> Vec<Failure> {
    let each = |failure| match failure {
        Failure::Many(several) => several,
        one => vec![one],
    };
    failures.into_iter().flat_map(each).collect()
}

/// An object as errors of these verbs name it: `deployments/web`.
fn named(object: &Object) -> String {
    format!("{}/{}", object.key.kind.info().plural, object.name())
}

/// An error about one object of a call.
fn failure_of(object: &Object, why: &str) -> Failure {
    Failure::plain(format!("error: {} {why}\n", named(object)))
}

/// Where an object has its Pod's spec.
fn spec_path(object: &Object) -> Result<&'static [&'static str], Failure> {
    pod_spec_path(object.key.kind).ok_or_else(|| {
        let info = object.key.kind.info();
        let why = format!(
            "the object is not a pod or does not have a pod template: *{}.{}",
            info.version, info.name
        );
        failure_of(object, &why)
    })
}

/// Changes the containers of an object, init containers included. Gives the document and the number of
/// containers that `change` took.
fn change_containers(
    object: &Object,
    mut change: impl FnMut(&mut Value) -> bool,
) -> Result<(Value, usize), Failure> {
    let path = spec_path(object)?;
    let mut value = object.value.clone();
    let mut taken = 0;
    for list in ["containers", "initContainers"] {
        if value.at(path).get(list).items().is_empty() {
            continue;
        }
        for container in value.at_mut(path).field_mut(list).list_mut() {
            taken += usize::from(change(container));
        }
    }
    Ok((value, taken))
}

/// Whether a container's name is meant by a pattern (`*` for all).
fn is_meant(pattern: &str, name: &str) -> bool {
    pattern == "*" || pattern == name
}
