//! `kubectl label` and `kubectl annotate`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Found, Query, Reading, objects, queries};
use super::verb::{
    ALL, ALL_NAMESPACES, Action, DRY_RUN, FIELD_MANAGER, FIELD_SELECTOR, FILES, OUTPUT, Operands, SELECTOR,
    Verb, flags,
};
use crate::api::kinds::names;
use crate::api::patch::merge;
use crate::api::value::{SmolStr, Value};
use crate::cluster::Patch;
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    switch('\0', "overwrite", "change what has a value already", "允许覆盖已有的值"),
    switch('\0', "list", "show what the object has", "显示对象现有的内容"),
    switch('\0', "local", "work on the file alone", "只处理本地文件"),
    option('\0', "resource-version", Argument::Text, "only if this is the version", "仅当版本为该值时"),
];

/// `label`.
pub static LABEL: Verb = Verb {
    name: "label",
    aliases: &[],
    usage: "TYPE NAME KEY=VALUE... KEY-...",
    summary: Words { en: "set and remove labels", zh: "设置和删除标签" },
    flags: flags![
        OWN,
        RECORD,
        ALL,
        ALL_NAMESPACES,
        SELECTOR,
        FIELD_SELECTOR,
        OUTPUT,
        DRY_RUN,
        FIELD_MANAGER,
        FILES
    ],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call, Which::Labels))),
};

/// `annotate`.
pub static ANNOTATE: Verb = Verb {
    name: "annotate",
    aliases: &[],
    usage: "TYPE NAME KEY=VALUE... KEY-...",
    summary: Words { en: "set and remove annotations", zh: "设置和删除注解" },
    flags: flags![
        OWN,
        RECORD,
        ALL,
        ALL_NAMESPACES,
        SELECTOR,
        FIELD_SELECTOR,
        OUTPUT,
        DRY_RUN,
        FIELD_MANAGER,
        FILES
    ],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call, Which::Annotations))),
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Labels,
    Annotations,
}

impl Which {
    fn field(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Annotations => "annotations",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Labels => "label",
            Self::Annotations => "annotation",
        }
    }
}

/// What is to be set, and what removed.
#[derive(Default)]
struct Changes {
    set: Vec<(String, String)>,
    removed: Vec<String>,
}

async fn run(call: Call, which: Which) -> Outcome {
    let (resources, pairs) = split(&call, which)?;
    if call.has("list") && !call.text("output").is_empty() {
        return Err(Failure::plain("--list and --output may not be specified together"));
    }
    let changes = changes(&pairs, which)?;
    validate(&call, which, &resources, &changes)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: false, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, &resources, manifests, reading)?;
    let single = means_one(&call, &queries);
    if !single && versioned(&call) {
        return Err(Failure::plain("--resource-version may only be used with a single resource"));
    }
    let (found, mut failures) = objects(&call, &queries);
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let changed = if call.has("list") {
            list(&call, found, which, &changes, single)
        } else {
            change(&call, found, which, &changes, &format, &printer)
        };
        failures.extend(changed.err());
    }
    Failure::of(failures)
}

/// Refuses flags and operands that contradict each other or say nothing.
fn validate(call: &Call, which: Which, resources: &[String], changes: &Changes) -> Outcome {
    let files = call.flags.value("filename").is_some();
    let nothing = changes.set.is_empty() && changes.removed.is_empty();
    let error = if call.has("all") && !call.text("selector").is_empty() {
        "cannot set --all and --selector at the same time".to_owned()
    } else if call.has("all") && !call.text("field-selector").is_empty() {
        "cannot set --all and --field-selector at the same time".to_owned()
    } else if call.is_local() && call.dry_run()? == DryRun::Server {
        "cannot specify --local and --dry-run=server - did you mean --dry-run=client?".to_owned()
    } else if call.is_local() && !resources.is_empty() {
        "can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set".to_owned()
    } else if call.is_local() && !files {
        "one or more files must be specified as -f rsrc.yaml or --filename=rsrc.json".to_owned()
    } else if resources.is_empty() && !files {
        "one or more resources must be specified as <resource> <name> or <resource>/<name>".to_owned()
    } else if nothing && !call.has("list") {
        format!("at least one {} update is required", which.word())
    } else {
        return Ok(());
    };
    Err(Failure::plain(error))
}

/// Whether a call can mean one object only: one name, or one file.
fn means_one(call: &Call, queries: &[Query]) -> bool {
    if call.flags.value("filename").is_none() {
        return matches!(queries, [Query::One { .. }]);
    }
    let files: Vec<&str> = call.flags.values("filename").iter().flat_map(|files| files.split(',')).collect();
    let is_file = |file: &str| {
        file != "-" && !call.invocation.files().borrow().is_directory(&call.invocation.path(file))
    };
    matches!(files.as_slice(), [file] if is_file(file))
}

/// The operands that name objects, and those that are changes.
fn split(call: &Call, which: Which) -> Result<(Vec<String>, Vec<String>), Failure> {
    let is_change =
        |word: &String| word.contains('=') && !word.starts_with('=') || word.ends_with('-') && word != "-";
    let words = call.operands();
    let at = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, pairs) = words.split_at(at);
    if let Some(word) = pairs.iter().find(|word| !is_change(word)) {
        return Err(Failure::plain(format!(
            "all resources must be specified before {} changes: {word}",
            which.word()
        )));
    }
    Ok((resources.to_vec(), pairs.to_vec()))
}

fn changes(pairs: &[String], which: Which) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, value)) => {
                if which == Which::Labels
                    && let problems = names::label_value(value)
                    && !problems.is_empty()
                {
                    let why = problems.join(";");
                    return Err(Failure::plain(format!("invalid label value: \"{pair}\": {why}")));
                }
                changes.set.retain(|(held, _)| held != key);
                changes.set.push((key.to_owned(), value.to_owned()));
            }
            None => changes.removed.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    let both: Vec<&str> = changes
        .removed
        .iter()
        .map(String::as_str)
        .filter(|key| changes.set.iter().any(|(held, _)| held == key))
        .collect();
    match (which, both.as_slice()) {
        (_, []) => Ok(changes),
        (Which::Labels, _) => {
            Err(Failure::plain("can not both modify and remove a label in the same command"))
        }
        (Which::Annotations, both) => Err(Failure::plain(format!(
            "can not both modify and remove the following annotation(s) in the same command: {}",
            both.join(", ")
        ))),
    }
}

/// Shows what an object has, with what the call would change; several objects get a line each.
fn list(call: &Call, found: &Found, which: Which, changes: &Changes, single: bool) -> Outcome {
    let mut held = found.object.value.at(&["metadata", which.field()]).clone();
    if !call.has("overwrite") {
        refuse_overwriting(&held, changes, which)?;
    }
    for (key, value) in &changes.set {
        held.set_at(&[key], SmolStr::new(value));
    }
    for key in &changes.removed {
        if held.as_map().is_some_and(|map| map.contains(key)) {
            held.map_mut().remove(key);
        } else if which == Which::Labels {
            call.say(&format!("label \"{key}\" not found."));
        }
    }
    if !single {
        let info = found.object.key.kind.info();
        let (kind, group, name) = (info.name, info.group, found.object.name());
        call.say(&format!("Listing {} for {kind}.{group}/{name}:", which.field()));
    }
    let indent = if single { "" } else { " " };
    for (key, value) in held.entries() {
        call.say(&format!("{indent}{key}={}", value.str()));
    }
    Ok(())
}

fn change(
    call: &Call,
    found: &Found,
    which: Which,
    changes: &Changes,
    format: &Format,
    printer: &Printer<'_>,
) -> Outcome {
    let object = &found.object;
    let held = object.value.at(&["metadata", which.field()]);
    if !call.has("overwrite") {
        refuse_overwriting(held, changes, which)?;
    }
    let mut patch = Value::map();
    let (mut added, mut removed) = (false, false);
    for (key, value) in &changes.set {
        added |= held.get(key).as_str() != Some(value);
        patch.map_mut().insert(SmolStr::new(key), Value::from(value.clone()));
    }
    for key in &changes.removed {
        if held.as_map().is_some_and(|map| map.contains(key)) {
            removed = true;
        } else if which == Which::Labels {
            call.say(&format!("label \"{key}\" not found."));
        }
        patch.map_mut().insert(SmolStr::new(key), Value::Null);
    }
    let dry_run = call.dry_run()?;
    let mut value = object.value.clone();
    if dry_run == DryRun::Client || call.is_local() {
        let mut body = Value::map();
        *body.at_mut(&["metadata", which.field()]) = patch;
        record::annotate(call, &mut body);
        value = merge::apply(&value, &body);
    } else if added || removed || which == Which::Annotations || versioned(call) {
        let mut body = value!({ "metadata": {} });
        *body.at_mut(&["metadata", which.field()]) = patch;
        if versioned(call) {
            body.set_at(&["metadata", "resourceVersion"], SmolStr::new(call.text("resource-version")));
        }
        record::annotate(call, &mut body);
        value = call.patch(&object.key, Patch::Merge(body), dry_run)?.value.clone();
    }
    let what = match (which, added, removed) {
        (Which::Annotations, ..) => "annotated",
        (_, true, _) => "labeled",
        (_, false, true) => "unlabeled",
        (_, false, false) => "not labeled",
    };
    done(call, format, printer, &value, what)
}

fn versioned(call: &Call) -> bool {
    !call.text("resource-version").is_empty()
}

fn refuse_overwriting(held: &Value, changes: &Changes, which: Which) -> Outcome {
    let taken: Vec<String> = changes
        .set
        .iter()
        .filter_map(|(key, value)| {
            let old = held.get(key).as_str()?;
            (old != value).then(|| format!("'{key}' already has a value ({old})"))
        })
        .collect();
    match (taken.is_empty(), which) {
        (true, _) => Ok(()),
        (false, Which::Labels) => {
            let each = |why: String| Failure::plain(format!("{why}, and --overwrite is false"));
            Failure::of(taken.into_iter().map(each).collect())
        }
        (false, Which::Annotations) => Err(Failure::plain(format!(
            "--overwrite is false but found the following declared annotation(s): {}",
            taken.join("; ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn what_follows_a_change_is_no_object() {
        check(
            "kubectl label svc kubernetes a=b c",
            "error: all resources must be specified before label changes: c",
            1,
        );
        check(
            "kubectl annotate svc kubernetes a- c",
            "error: all resources must be specified before annotation changes: c",
            1,
        );
        check("kubectl annotate svc kubernetes =x", "error: at least one annotation update is required", 1);
    }

    #[test]
    fn changes_that_contradict_each_other_are_refused() {
        check(
            "kubectl label svc kubernetes a=b a-",
            "error: can not both modify and remove a label in the same command",
            1,
        );
        check(
            "kubectl annotate svc kubernetes a=b c=d a- c-",
            "error: can not both modify and remove the following annotation(s) in the same command: a, c",
            1,
        );
        check(
            "kubectl label svc kubernetes component=x provider=y",
            "'component' already has a value (apiserver), and --overwrite is false\n'provider' already has a value (kubernetes), and --overwrite is false",
            1,
        );
        check(
            "kubectl label svc --all a=b --resource-version=1",
            "error: --resource-version may only be used with a single resource",
            1,
        );
        check(
            "kubectl label svc --all a=b -l x=y",
            "error: cannot set --all and --selector at the same time",
            1,
        );
    }

    #[test]
    fn files_alone_are_changed_without_the_server() {
        check(
            "kubectl label --local svc kubernetes a=b",
            "error: can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set",
            1,
        );
        check(
            "kubectl label --local a=b",
            "error: one or more files must be specified as -f rsrc.yaml or --filename=rsrc.json",
            1,
        );
    }

    #[test]
    fn lists_of_several_objects_name_each() {
        check(
            "kubectl label svc/kubernetes ns/default --list",
            "Listing labels for Service./kubernetes:\n component=apiserver\n provider=kubernetes\nListing labels for Namespace./default:\n kubernetes.io/metadata.name=default",
            0,
        );
        check("kubectl label ns default --list", "kubernetes.io/metadata.name=default", 0);
        check("kubectl label ns default a=b --list", "a=b\nkubernetes.io/metadata.name=default", 0);
    }
}
