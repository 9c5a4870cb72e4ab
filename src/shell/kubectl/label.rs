//! `kubectl label` and `kubectl annotate`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Found, Reading, objects, queries};
use super::verb::{
    ALL, ALL_NAMESPACES, Action, DRY_RUN, FIELD_MANAGER, FIELD_SELECTOR, FILES, OUTPUT, Operands, SELECTOR,
    Verb, flags,
};
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
    let (resources, pairs) = split(&call);
    if resources.is_empty() && call.flags.value("filename").is_none() {
        return Err(Failure::plain(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if pairs.is_empty() && !call.has("list") {
        return Err(Failure::plain(format!("at least one {} update is required", which.word())));
    }
    let changes = changes(&pairs, which)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: false, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, &resources, manifests, reading)?;
    let (found, mut failures) = objects(&call, &queries);
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let changed = if call.has("list") {
            list(&call, found, which);
            Ok(())
        } else {
            change(&call, found, which, &changes, &format, &printer)
        };
        failures.extend(changed.err());
    }
    Failure::of(failures)
}

/// The operands that name objects, and those that are changes.
fn split(call: &Call) -> (Vec<String>, Vec<String>) {
    let is_change = |word: &String| word.contains('=') || word.ends_with('-');
    let words = call.operands();
    let at = words.iter().skip(1).position(is_change).map_or(words.len(), |at| at + 1);
    let at = if words.first().is_some_and(is_change) { 0 } else { at };
    let (resources, pairs) = words.split_at(at);
    (resources.to_vec(), pairs.to_vec())
}

fn changes(pairs: &[String], which: Which) -> Result<Changes, Failure> {
    let mut changes = Changes::default();
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                if which == Which::Labels
                    && let Some(why) = wrong_value(value)
                {
                    return Err(Failure::plain(format!("invalid label value: \"{pair}\": {why}")));
                }
                changes.set.push((key.to_owned(), value.to_owned()));
            }
            None if pair.len() > 1 && pair.ends_with('-') => {
                changes.removed.push(pair[..pair.len() - 1].to_owned());
            }
            _ if which == Which::Labels => {
                return Err(Failure::plain("at least one label update is required"));
            }
            _ => return Err(Failure::plain(format!("invalid annotation format: {pair}"))),
        }
    }
    if changes.set.iter().any(|(key, _)| changes.removed.contains(key)) {
        let (article, word) = if which == Which::Labels { ("a", "label") } else { ("an", "annotation") };
        return Err(Failure::plain(format!(
            "can not both modify and remove {article} {word} in the same command"
        )));
    }
    Ok(changes)
}

/// What is wrong with a label's value, in the words of apimachinery.
fn wrong_value(value: &str) -> Option<String> {
    const LONGEST: usize = 63;
    if value.len() > LONGEST {
        return Some(format!("must be no more than {LONGEST} bytes"));
    }
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let fits = value.is_empty()
        || (edge(value.chars().next())
            && edge(value.chars().next_back())
            && value.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    (!fits).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned()
    })
}

fn list(call: &Call, found: &Found, which: Which) {
    let held = found.object.value.at(&["metadata", which.field()]);
    for (key, value) in held.entries() {
        call.say(&format!("{key}={}", value.str()));
    }
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
    match (taken.first(), which) {
        (None, _) => Ok(()),
        (Some(first), Which::Labels) => Err(Failure::plain(format!("{first}, and --overwrite is false"))),
        (Some(_), Which::Annotations) => Err(Failure::plain(format!(
            "--overwrite is false but found the following declared annotation(s): {}",
            taken.join("; ")
        ))),
    }
}
