//! `kubectl patch`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, Verb, flags};
use crate::api::json;
use crate::api::object::Object;
use crate::api::patch::{PatchError, json_patch, merge, strategic};
use crate::api::schema::schema;
use crate::api::status::{Reason, Status};
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::request::Subresource;
use crate::cluster::{Actor, Patch, Request, Verb as Ask};
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('p', "patch", Argument::Text, "the change, as JSON or YAML", "JSON 或 YAML 格式的修改内容"),
    option('\0', "patch-file", Argument::File, "a file with the change", "包含修改内容的文件"),
    option('\0', "type", Argument::OneOf(&["json", "merge", "strategic"]), "how it is merged", "合并方式"),
    option(
        '\0',
        "subresource",
        Argument::OneOf(&["status", "scale"]),
        "a part of the object",
        "对象的子资源",
    ),
    switch('\0', "local", "work on the file alone", "只处理本地文件"),
];

/// `patch`.
pub static VERB: Verb = Verb {
    name: "patch",
    aliases: &[],
    usage: "TYPE NAME -p PATCH",
    summary: Words { en: "change some fields of an object", zh: "修改对象的部分字段" },
    flags: flags![OWN, RECORD, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let text = match (call.flags.value("patch"), call.flags.value("patch-file")) {
        (None | Some(""), None | Some("")) => {
            return Err(Failure::plain(
                "must specify --patch or --patch-file containing the contents of the patch",
            ));
        }
        (Some(text), _) if !text.is_empty() => text.to_owned(),
        (_, file) => {
            let file = file.unwrap_or("");
            let text = call.invocation.read_file(file).map_err(|_| {
                Failure::plain(format!("unable to read patch file: open {file}: no such file or directory"))
            })?;
            text.to_string()
        }
    };
    let kind = Some(call.text("type")).filter(|kind| !kind.is_empty()).unwrap_or("strategic");
    if !["json", "merge", "strategic"].contains(&kind) {
        return Err(Failure::plain(format!("--type must be one of [json merge strategic], not \"{kind}\"")));
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let patch = read_patch(&text, kind);
    let (found, mut failures) = objects(&call, &queries);
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let patched =
            patch.clone().map_err(Failure::from).and_then(|patch| change(&call, &found.object, patch));
        match patched {
            Ok((value, what)) => done(&call, &format, &printer, &value, what)?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

/// The patch that a text says. What begins as JSON and is none is the server's to refuse.
fn read_patch(text: &str, kind: &str) -> Result<Patch, Status> {
    let value = if text.trim_start().starts_with(['{', '[']) {
        json::parse(text).map_err(|error| Status::new(Reason::BadRequest, error.message))?
    } else {
        let (documents, problems) = yaml::read(text);
        match (documents.first(), problems.first()) {
            (Some(document), _) => document.value(),
            (None, Some(problem)) => return Err(Status::new(Reason::BadRequest, problem.message.clone())),
            (None, None) => Value::map(),
        }
    };
    Ok(match kind {
        "json" => Patch::Json(value),
        "merge" => Patch::Merge(value),
        _ => Patch::Strategic(value),
    })
}

fn change(call: &Call, object: &Object, patch: Patch) -> Result<(Value, &'static str), Failure> {
    let dry_run = call.dry_run()?;
    if dry_run == DryRun::Client || call.is_local() {
        let value = patched_here(object, &patch).map_err(|why| Failure::plain(why.message))?;
        let same = value == object.value;
        return Ok((value, if same { "patched (no change)" } else { "patched" }));
    }
    let subresource = match call.text("subresource") {
        "" => Subresource::None,
        "status" => Subresource::Status,
        "scale" => Subresource::Scale,
        other => {
            return Err(Failure::plain(format!(
                "invalid subresource value: \"{other}\". Must be one of [status scale resize]"
            )));
        }
    };
    let options = call.options(dry_run);
    let request = Request::new(Actor::User, Ask::Patch(patch), &object.key).subresource(subresource);
    let after = call.send(request.options(options))?;
    let after = record::keep(call, after)?;
    let value = if subresource == Subresource::Scale { scale_of(&after) } else { after.value.clone() };
    let same = unversioned(&object.value) == unversioned(&after.value);
    Ok((value, if same { "patched (no change)" } else { "patched" }))
}

/// The document after a patch that the server does not see.
fn patched_here(object: &Object, patch: &Patch) -> Result<Value, PatchError> {
    match patch {
        Patch::Json(patch) => json_patch::apply(&object.value, patch),
        Patch::Merge(patch) => Ok(merge::apply(&object.value, patch)),
        Patch::Strategic(patch) => {
            let info = object.key.kind.info();
            let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
            strategic::apply(&object.value, patch, type_id)
        }
    }
}

/// A document without what every write changes.
fn unversioned(value: &Value) -> Value {
    let mut value = value.clone();
    value.field_mut("metadata").remove("resourceVersion");
    value
}

/// The Scale of a workload.
fn scale_of(object: &Object) -> Value {
    crate::value!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": { "name": (object.name()), "namespace": (object.namespace()) },
        "spec": { "replicas": (object.spec().get("replicas").clone()) }
    })
}
