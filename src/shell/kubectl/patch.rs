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
    validate(&call)?;
    let kind = Some(call.text("type")).filter(|kind| !kind.is_empty()).unwrap_or("strategic");
    let kind = kind.to_ascii_lowercase();
    let patch = read_patch(&patch_text(&call)?, &kind)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
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

const KINDS_OF_PATCH: [&str; 3] = ["json", "merge", "strategic"];

/// Refuses flags that contradict each other or mean nothing.
fn validate(call: &Call) -> Outcome {
    let error =
        match (call.text("patch"), call.text("patch-file"), call.text("type"), call.text("subresource")) {
            (_, _, _, part) if !matches!(part, "" | "status" | "scale" | "resize") => {
                format!("invalid subresource value: {part:?}. Must be one of [status scale resize]")
            }
            ("", "", ..) => {
                "must specify --patch or --patch-file containing the contents of the patch".to_owned()
            }
            (patch, file, ..) if !patch.is_empty() && !file.is_empty() => {
                "cannot specify --patch and --patch-file together".to_owned()
            }
            _ if call.has("local") && !call.operands().is_empty() => {
                "cannot specify --local and server resources".to_owned()
            }
            _ if call.has("local") && call.dry_run()? == DryRun::Server => {
                "cannot specify --local and --dry-run=server - did you mean --dry-run=client?".to_owned()
            }
            (_, _, kind, _)
                if !kind.is_empty() && !KINDS_OF_PATCH.contains(&kind.to_ascii_lowercase().as_str()) =>
            {
                format!("--type must be one of [json merge strategic], not {kind:?}")
            }
            _ => return Ok(()),
        };
    Err(Failure::plain(error))
}

fn patch_text(call: &Call) -> Result<String, Failure> {
    let file = call.text("patch-file");
    if file.is_empty() {
        return Ok(call.text("patch").to_owned());
    }
    let text = call.invocation.read_file(file).map_err(|_| {
        Failure::plain(format!("unable to read patch file: open {file}: no such file or directory"))
    })?;
    Ok(text.to_string())
}

/// The patch that a text says. What begins as a JSON object and is none is the server's to refuse, as is
/// what has not the shape of a patch.
fn read_patch(text: &str, kind: &str) -> Result<Result<Patch, Status>, Failure> {
    let refused = |message: String| Ok(Err(Status::new(Reason::BadRequest, message)));
    let decoding = if kind == "merge" { "error decoding patch: " } else { "" };
    let value = if text.trim_start().starts_with('{') {
        match json::parse(text) {
            Ok(value) => value,
            Err(error) => return refused(format!("{decoding}{}", error.message)),
        }
    } else {
        let (documents, problems) = yaml::read(text);
        if let Some(problem) = problems.iter().find(|problem| problem.severity == yaml::Severity::Error) {
            // The words that only reading a file of manifests has.
            let why = problem.message.trim_start_matches("error converting YAML to JSON: ");
            return Err(Failure::plain(format!("unable to parse {text:?}: {why}")));
        }
        documents.first().map_or(Value::Null, |document| document.value())
    };
    let (shape, fits) = match kind {
        "json" => ("jsonpatch.Patch", matches!(value, Value::List(_) | Value::Null)),
        _ => ("map[string]interface {}", matches!(value, Value::Map(_) | Value::Null)),
    };
    if !fits {
        return refused(format!(
            "{decoding}json: cannot unmarshal {} into Go value of type {shape}",
            named(&value)
        ));
    }
    let value = if value.is_null() && kind != "json" { Value::map() } else { value };
    Ok(Ok(match kind {
        "json" => Patch::Json(value),
        "merge" => Patch::Merge(value),
        _ => Patch::Strategic(value),
    }))
}

/// What Go's decoder calls a value.
fn named(value: &Value) -> &'static str {
    match value {
        Value::List(_) => "array",
        Value::Map(_) => "object",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    }
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
            return Err(Failure::NotSimulated(
                format!("kubectl patch --subresource={other}"),
                "kubectl set resources",
            ));
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

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn a_patch_cannot_make_another_object_of_an_object() {
        let patch = |patch: &str| format!("kubectl patch svc kubernetes -p '{patch}'");
        check(
            &patch("{\"metadata\":{\"name\":\"x\"}}"),
            "Error from server (BadRequest): the name of the object (x) does not match the name on the URL (kubernetes)",
            1,
        );
        check(
            &patch("{\"metadata\":{\"namespace\":\"x\"}}"),
            "Error from server (BadRequest): the namespace of the provided object does not match the namespace sent on the request",
            1,
        );
        check(
            &patch("{\"metadata\":{\"uid\":\"x\"}}"),
            "The Service \"kubernetes\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable",
            1,
        );
        check(
            &patch("{\"kind\":\"Pod\",\"apiVersion\":\"v2\"}"),
            "service/kubernetes patched (no change)",
            0,
        );
    }

    #[test]
    fn a_list_item_without_its_key_is_refused_without_a_reason() {
        check(
            "kubectl patch svc kubernetes -p '{\"spec\":{\"ports\":[{\"name\":\"x\"}]}}'",
            "Error from server: map: map[name:x] does not contain declared merge key: port",
            1,
        );
    }

    #[test]
    fn a_scale_is_checked_before_its_workload() {
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl patch deploy web --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":-1}}'",
            "The Scale \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            1,
        );
    }

    #[test]
    fn texts_that_are_no_patch_are_refused_by_who_reads_them() {
        let patch = |flags: &str| format!("kubectl patch svc kubernetes {flags}");
        check(
            &patch("-p 'a: b: c'"),
            "error: unable to parse \"a: b: c\": yaml: mapping values are not allowed in this context",
            1,
        );
        check(
            &patch("-p foo"),
            "Error from server (BadRequest): json: cannot unmarshal string into Go value of type map[string]interface {}",
            1,
        );
        check(
            &patch("--type=json -p '{}'"),
            "Error from server (BadRequest): json: cannot unmarshal object into Go value of type jsonpatch.Patch",
            1,
        );
        check(&patch("-p '{}' --patch-file=x"), "error: cannot specify --patch and --patch-file together", 1);
    }
}
