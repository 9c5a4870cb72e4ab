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

/// Splits operands: those before the first change name objects.
fn split(call: &Call, is_change: fn(&str) -> bool) -> (Vec<String>, Vec<String>) {
    let words = call.operands();
    let at = words.iter().position(|word| is_change(word)).unwrap_or(words.len());
    let (resources, changes) = words.split_at(at);
    (resources.to_vec(), changes.to_vec())
}

/// The objects that operands mean.
async fn targets(call: &Call, resources: &[String]) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    let (manifests, failures) = manifests::read(call).await;
    if let (true, Some(failure)) = (manifests.is_empty(), failures.into_iter().next()) {
        return Err(failure);
    }
    let queries = queries(call, resources, manifests, Reading::default())?;
    Ok(objects(call, &queries))
}

/// Sends changed documents and says what was done; nothing is said of what did not change.
fn send(call: &Call, changed: Vec<(&Object, Value)>, what: &str) -> Outcome {
    let dry_run = call.dry_run()?;
    let format = Format::of(call, false)?;
    let printer = Printer::new(call, &format);
    let mut failures = Vec::new();
    for (object, mut value) in changed {
        record::annotate(call, &mut value);
        let info = object.key.kind.info();
        let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
        let patch = two_way(&object.value, &value, type_id).map_err(|why| Failure::plain(why.message))?;
        if patch.entries().is_empty() {
            continue;
        }
        let mut shown = value;
        if dry_run != DryRun::Client && !call.is_local() {
            match call.patch(&object.key, Patch::Strategic(patch), dry_run) {
                Ok(after) => shown = after.value.clone(),
                Err(status) => {
                    failures.push(status.into());
                    continue;
                }
            }
        }
        done(call, &format, &printer, &shown, what)?;
    }
    Failure::of(failures)
}

/// Changes the containers of an object. Gives the document and the number of containers that `change` took.
fn change_containers(
    object: &Object,
    mut change: impl FnMut(&mut Value) -> bool,
) -> Result<(Value, usize), Failure> {
    let path = pod_spec_path(object.key.kind).ok_or_else(|| {
        Failure::plain(format!(
            "the object is not a pod or does not have a pod template: {}",
            object.key.kind.name()
        ))
    })?;
    let mut value = object.value.clone();
    let mut taken = 0;
    for container in value.at_mut(path).field_mut("containers").list_mut() {
        taken += usize::from(change(container));
    }
    Ok((value, taken))
}

/// Whether a container's name is meant by a pattern (`*` for all).
fn is_meant(pattern: &str, name: &str) -> bool {
    pattern == "*" || pattern == name
}
