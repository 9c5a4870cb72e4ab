//! `kubectl patch`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::resources::{Reading, objects, queries};
use super::verb::{ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, Verb, flags};
use crate::api::json;
use crate::api::status::{Reason, Status};
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::request::{FieldValidation, Options, Subresource};
use crate::cluster::{Actor, Patch, Request, Verb as Ask};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('p', "patch", Argument::Text, "the change, as JSON or YAML", "更改内容（JSON 或 YAML）"),
    option('\0', "patch-file", Argument::File, "a file with the change", "包含更改内容的文件"),
    option(
        '\0',
        "type",
        Argument::OneOf(&["json", "merge", "strategic"]),
        "how the change is to be understood",
        "更改的类型",
    ),
    option(
        '\0',
        "subresource",
        Argument::OneOf(&["scale", "status"]),
        "change this part",
        "只更改这个子资源",
    ),
    not_simulated('\0', "local", Argument::None, "--dry-run=server"),
];

/// `patch`.
pub static VERB: Verb = Verb {
    name: "patch",
    aliases: &[],
    usage: "TYPE NAME -p CHANGE [--type=json|merge|strategic]",
    summary: Words { en: "change fields of an object", zh: "修改对象的字段" },
    flags: flags![OWN, ALL, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let kind = match call.text("type").to_ascii_lowercase().as_str() {
        "" | "strategic" => Patch::Strategic,
        "merge" => Patch::Merge,
        "json" => Patch::Json,
        other => {
            let why = format!("--type must be one of [json merge strategic], not \"{other}\"");
            return Err(Failure::plain(why));
        }
    };
    let text = text(&call)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let change = kind(read(&text)?);
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, mut failures) = objects(&call, &queries);
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    let subresource = match call.text("subresource") {
        "scale" => Subresource::Scale,
        "status" => Subresource::Status,
        _ => Subresource::None,
    };
    for found in &found {
        let before = &found.object;
        let options = Options {
            dry_run: dry_run != DryRun::No,
            field_validation: FieldValidation::Warn,
            ..Options::default()
        };
        let request = Request::new(Actor::User, Ask::Patch(change.clone()), &before.key);
        let after = match call.send(request.subresource(subresource).options(options)) {
            Ok(after) => after,
            Err(status) => {
                failures.push(status.into());
                continue;
            }
        };
        let what = if after.value == before.value { "patched (no change)" } else { "patched" };
        if subresource == Subresource::Scale && format.is_default() {
            call.say(&format!("scale.autoscaling/{} {what}{}", before.name(), dry_run.suffix()));
            continue;
        }
        done(&call, &format, &printer, &after.value, what)?;
    }
    Failure::of(failures)
}

/// The text of the change.
fn text(call: &Call) -> Result<String, Failure> {
    let (given, file) = (call.text("patch"), call.text("patch-file"));
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    if file.is_empty() {
        let why = "must specify --patch or --patch-file containing the contents of the patch";
        return Err(Failure::plain(why));
    }
    call.invocation.read_file(file).map(|text| text.to_string()).map_err(|error| {
        let words = error.words().to_lowercase();
        Failure::plain(format!("unable to read patch file: open {file}: {words}"))
    })
}

/// The change: JSON as the server reads it, or YAML that kubectl makes JSON of.
fn read(text: &str) -> Result<Value, Failure> {
    if text.trim_start().starts_with(['{', '[']) {
        return json::parse(text).map_err(|error| Status::new(Reason::BadRequest, error.message).into());
    }
    let (documents, diagnostics) = yaml::read(text);
    match (documents.first(), diagnostics.first()) {
        (Some(document), None) => Ok(document.value()),
        (_, Some(problem)) => Err(Failure::plain(format!("unable to parse \"{text}\": {}", problem.message))),
        (None, None) => Ok(Value::map()),
    }
}
