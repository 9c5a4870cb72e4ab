//! `kubectl edit`: an object as text in an editor, and a patch of what was changed.
//!
//! Owns the text that is given to the editor, the round until it is accepted or given up, and kubectl's words.
//! The editor is the page's, or a command that `KUBE_EDITOR` or `EDITOR` names and Portside has (`sed -i …`).
//! Source: `k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go`.

use std::sync::Arc;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{Action, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, VALIDATE, Verb, flags};
use crate::api::object::Object;
use crate::api::patch::diff::two_way;
use crate::api::schema::schema;
use crate::api::status::Status;
use crate::api::value::Value;
use crate::api::yaml::Severity;
use crate::api::{json, yaml};
use crate::cluster::Patch;
use crate::shell::command::{Flag, LookUp, Value as Argument, look_up, not_simulated, switch};
use crate::shell::edits::Answer;
use crate::words::Words;

const OWN: &[Flag] = &[
    switch('\0', "output-patch", "print the patch as well", "同时输出补丁"),
    switch('\0', "windows-line-endings", "how lines end", "行尾格式"),
    not_simulated('\0', "subresource", Argument::Text, "kubectl patch --subresource"),
];

/// `edit`.
pub static VERB: Verb = Verb {
    name: "edit",
    aliases: &[],
    usage: "TYPE/NAME | TYPE NAME | -f FILE",
    summary: Words { en: "change an object in an editor", zh: "在编辑器中修改对象" },
    flags: flags![OWN, RECORD, OUTPUT, SAVE_CONFIG, VALIDATE, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

/// How often a text is edited again at most: a command that edits would go on without an end.
const ROUNDS: usize = 20;

/// What stands before the text.
const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n";

async fn run(call: Call) -> Outcome {
    if call.operands().is_empty() && call.flags.value("filename").is_none() {
        return Err(super::resources::nothing_named());
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries =
        queries(&call, call.operands(), manifests, Reading { resource_alone: true, all_namespaces: false })?;
    let (found, failures) = objects(&call, &queries);
    Failure::of(failures)?;
    if found.is_empty() {
        return Err(Failure::plain("edit cancelled, no objects found"));
    }
    let editor = Editor::of(&call)?;
    let objects: Vec<Arc<Object>> = found.into_iter().map(|found| found.object).collect();
    edit(&call, &editor, &objects).await
}

/// The round: the text is edited until it can be applied, or is given up.
async fn edit(call: &Call, editor: &Editor, objects: &[Arc<Object>]) -> Outcome {
    let original = text_of(call, objects);
    let mut shown = format!("{HEADER}{original}");
    let mut problem: Option<Failure> = None;
    for _ in 0..ROUNDS {
        let Some(saved) = editor.edit(call, &shown).await? else {
            return cancelled(call, problem, &shown);
        };
        let body = without_comments(&saved);
        if problem.is_some() && body == without_comments(&shown) {
            return cancelled(call, problem, &saved);
        }
        if body.trim() == original.trim() {
            call.complain("Edit cancelled, no changes made.");
            return Ok(());
        }
        if body.trim().is_empty() {
            call.complain("Edit cancelled, saved file was empty.");
            return Ok(());
        }
        match read(call, &body, objects).and_then(|edited| apply(call, objects, &edited)) {
            Ok(()) => return Ok(()),
            Err(failure) => {
                let words = failure.text();
                if let Failure::Server(status) = &failure {
                    call.complain(&short(status));
                } else {
                    call.complain(words.trim_end());
                }
                let told: String = reasons(&failure).lines().map(|line| format!("# {line}\n")).collect();
                shown = format!("{HEADER}{told}#\n{body}");
                problem = Some(failure);
            }
        }
    }
    cancelled(call, problem, &shown)
}

/// The end of an edit that was not saved again after a problem.
fn cancelled(call: &Call, problem: Option<Failure>, text: &str) -> Outcome {
    if problem.is_none() {
        call.complain("Edit cancelled, no changes made.");
        return Ok(());
    }
    let file = temporary_file(call);
    if call.invocation.files().borrow_mut().write(&file, text).is_ok() {
        call.complain(&format!("A copy of your changes has been stored to \"{file}\""));
    }
    Err(Failure::plain("Edit cancelled, no valid changes were saved."))
}

/// The first line of a refusal on standard error.
fn short(status: &Status) -> String {
    if status.causes.is_empty() || status.kind.is_empty() {
        return Failure::Server(status.clone()).text().trim_end().to_owned();
    }
    format!("error: {} \"{}\" is invalid", plural(status), status.name)
}

/// A refusal as the text shows it to whoever edits again.
fn reasons(failure: &Failure) -> String {
    let Failure::Server(status) = failure else { return failure.text() };
    if status.kind.is_empty() {
        return failure.text();
    }
    let what = format!("{} \"{}\"", plural(status), status.name);
    if status.causes.is_empty() {
        return format!("{what} could not be patched: {}", status.message);
    }
    let mut text = format!("{what} was not valid:\n");
    for cause in &status.causes {
        text.push_str(&format!("* {cause}\n"));
    }
    text
}

fn plural(status: &Status) -> String {
    let kind = crate::api::registry::KINDS.iter().find(|info| info.name == status.kind);
    kind.map_or_else(|| status.kind.to_string(), |info| info.plural.to_owned())
}

fn is_json(call: &Call) -> bool {
    call.text("output") == "json"
}

/// The objects as the text that is edited: one as itself, several as a list.
fn text_of(call: &Call, objects: &[Arc<Object>]) -> String {
    let value = match objects {
        [one] => shown_value(one),
        many => crate::value!({
            "apiVersion": "v1",
            "items": (many.iter().map(|object| shown_value(object)).collect::<Value>()),
            "kind": "List",
            "metadata": {}
        }),
    };
    if is_json(call) { json::pretty(&value, 4) + "\n" } else { yaml::write(&value) }
}

fn shown_value(object: &Object) -> Value {
    let mut value = object.value.clone();
    value.field_mut("metadata").remove("managedFields");
    value
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The documents that were saved, in the order of the objects.
fn read(call: &Call, text: &str, objects: &[Arc<Object>]) -> Result<Vec<Value>, Failure> {
    let value = if is_json(call) {
        json::parse(text)
            .map_err(|why| Failure::plain(format!("The edited file failed validation: {}", why.message)))?
    } else {
        let (documents, problems) = yaml::read(text);
        if let Some(problem) = problems.iter().find(|problem| problem.severity == Severity::Error) {
            return Err(Failure::plain(format!("error parsing edited-file: {}", problem.message)));
        }
        documents.first().map_or(Value::Null, |document| document.value())
    };
    let edited = match objects {
        [_] => vec![value],
        _ => value.get("items").items().to_vec(),
    };
    for (object, edited) in objects.iter().zip(&edited) {
        for path in [&["kind"][..], &["apiVersion"], &["metadata", "name"]] {
            if edited.at(path) != object.value.at(path) {
                return Err(Failure::plain("At least one of apiVersion, kind and name was changed"));
            }
        }
    }
    if edited.len() == objects.len() {
        Ok(edited)
    } else {
        Err(Failure::plain("the number of edited objects differs from the original"))
    }
}

/// Sends what was changed.
fn apply(call: &Call, objects: &[Arc<Object>], edited: &[Value]) -> Outcome {
    let format = Format::of(call, false)?;
    let printer = Printer::new(call, &Format::Default);
    debug_assert!(!matches!(format, Format::Wide), "edit prints no tables");
    for (object, edited) in objects.iter().zip(edited) {
        let info = object.key.kind.info();
        let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
        let mut edited = edited.clone();
        let from = shown_value(object);
        if edited == from {
            done(call, &Format::Default, &printer, &object.value, "skipped")?;
            continue;
        }
        record::annotate(call, &mut edited);
        let patch = two_way(&from, &edited, type_id).map_err(|why| Failure::plain(why.message))?;
        if call.has("output-patch") {
            call.say(&format!("Patch: {}", json::compact(&patch)));
        }
        let after = call.patch(&object.key, Patch::Strategic(patch), DryRun::No)?;
        done(call, &Format::Default, &printer, &after.value, "edited")?;
    }
    Ok(())
}

/// Who edits.
enum Editor {
    /// The page.
    Page,
    /// A command; the file's name follows it.
    Command(String),
}

impl Editor {
    fn of(call: &Call) -> Result<Self, Failure> {
        let variable = |name| call.invocation.variable(name).filter(|text| !text.trim().is_empty());
        let named = variable("KUBE_EDITOR").or_else(|| variable("EDITOR"));
        let is_here = |command: &&str| {
            let word = command.split_whitespace().next().unwrap_or("");
            matches!(look_up(&call.invocation.place, word), LookUp::Found(_))
        };
        if let Some(command) = named.filter(is_here) {
            return Ok(Self::Command(command.to_owned()));
        }
        if call.host().edits().has_editor() {
            return Ok(Self::Page);
        }
        Err(Failure::NotSimulated(
            "kubectl edit without the page's editor".to_owned(),
            "KUBE_EDITOR='sed -i …' kubectl edit, or kubectl patch",
        ))
    }

    /// The text after editing; `None` if it was given up.
    async fn edit(&self, call: &Call, text: &str) -> Result<Option<String>, Failure> {
        match self {
            Self::Page => {
                let title = format!("{} {}", call.path, call.operands().join(" "));
                match call.host().edits().edit(title, text.to_owned()).await {
                    Answer::Saved(text) => Ok(Some(text)),
                    Answer::Cancelled => Ok(None),
                }
            }
            Self::Command(command) => {
                let file = temporary_file(call);
                let failed = |why: String| {
                    Failure::plain(format!("there was a problem with the editor {command:?}: {why}"))
                };
                let files = call.invocation.files();
                let written = files.borrow_mut().write(&file, text);
                written.map_err(|error| failed(error.words().to_owned()))?;
                let words = ["bash", "-c", &format!("{command} {file}")].map(str::to_owned);
                let status = match call.invocation.run(&words) {
                    Ok(running) => running.await,
                    Err(_) => return Err(failed("bash: not found".to_owned())),
                };
                if status != 0 {
                    return Err(Failure::plain(format!("there was a problem with the editor {command:?}")));
                }
                let edited = files.borrow().read(&file).map(|text| text.to_string());
                // A file that the editor took away was not edited.
                let _ = files.borrow_mut().remove(&file, false);
                Ok(edited.ok())
            }
        }
    }
}

fn temporary_file(call: &Call) -> String {
    let ending = if is_json(call) { "json" } else { "yaml" };
    format!("/tmp/kubectl-edit-{}.{ending}", call.host().random(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::shell::edits::Answer;
    use crate::shell::places::Place;
    use crate::shell::terminal::Terminal;
    use crate::shell::testing::{check, typed, world};

    #[test]
    fn a_command_can_be_the_editor() {
        check(
            "kubectl create ns a >/dev/null; KUBE_EDITOR=\"sed -i 's/^  labels:/  labels:\\n    x: z/'\" kubectl edit ns a; kubectl get ns a -o jsonpath={.metadata.labels.x}",
            "namespace/a edited\nz",
            0,
        );
        check(
            "kubectl create ns a >/dev/null; EDITOR=true kubectl edit ns a",
            "Edit cancelled, no changes made.",
            0,
        );
        check(
            "kubectl create ns a >/dev/null; kubectl edit ns a",
            "kubectl edit without the page's editor is not simulated in Portside; nearest: KUBE_EDITOR='sed -i …' kubectl edit, or kubectl patch",
            1,
        );
    }

    #[test]
    fn the_page_is_asked_and_asked_again_after_a_refusal() {
        let host = world();
        host.edits().set_editor(true);
        let terminal = Terminal::new(&host, Place::workstation());
        let shown = typed(&terminal, &["kubectl create service clusterip web --tcp=80"]);
        assert!(shown.contains("service/web created"), "{shown}");
        let (chunks, _) = terminal.run("kubectl edit svc/web", Duration::from_secs(1));
        assert!(chunks.iter().all(|chunk| !chunk.text.contains("error")), "{chunks:?}");
        let edit = host.edits().first().expect("a text waits");
        assert_eq!(edit.title, "kubectl edit svc/web");
        host.edits().finish(edit.number, Answer::Saved(edit.text.replace("port: 80\n", "port: 0\n")));
        host.run_until(host.now() + 1_000_000, 10_000);
        let again = host.edits().first().expect("it waits again");
        assert!(
            again.text.contains("# services \"web\" was not valid:\n# * spec.ports[0].port: "),
            "{}",
            again.text
        );
        host.edits().finish(again.number, Answer::Saved(edit.text.replace("port: 80\n", "port: 81\n")));
        host.run_until(host.now() + 1_000_000, 10_000);
        assert!(host.edits().first().is_none());
        let shown = typed(&terminal, &["kubectl get svc web -o jsonpath='{.spec.ports[0].port}'"]);
        assert!(shown.contains("service/web edited") && shown.contains("81"), "{shown}");
    }

    #[test]
    fn a_cancelled_edit_changes_nothing() {
        let host = world();
        host.edits().set_editor(true);
        let terminal = Terminal::new(&host, Place::workstation());
        let _ = terminal.run("kubectl edit svc kubernetes", Duration::from_secs(1));
        let edit = host.edits().first().expect("a text waits");
        host.edits().finish(edit.number, Answer::Cancelled);
        let shown = typed(&terminal, &["true"]);
        assert!(shown.contains("Edit cancelled, no changes made."), "{shown}");
    }
}
