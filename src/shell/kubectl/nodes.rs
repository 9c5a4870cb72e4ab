//! `kubectl cordon`, `uncordon` and `taint`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer, done};
use super::verb::{ALL, Action, DRY_RUN, FIELD_MANAGER, OUTPUT, Operands, SELECTOR, VALIDATE, Verb, flags};
use crate::api::kinds::names;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::Patch;
use crate::cluster::request::Options;
use crate::shell::command::{Flag, switch};
use crate::value;
use crate::words::Words;
use std::sync::Arc;

const OVERWRITE: &[Flag] = &[switch('\0', "overwrite", "change a taint that is there", "允许覆盖已有的污点")];

/// `cordon`.
pub static CORDON: Verb = Verb {
    name: "cordon",
    aliases: &[],
    usage: "NODE",
    summary: Words { en: "let no new Pods come to a node", zh: "禁止新 Pod 调度到节点" },
    flags: flags![SELECTOR, DRY_RUN],
    children: &[],
    operands: Operands::Nodes,
    action: Action::Now(|call| schedule(call, false)),
};

/// `uncordon`.
pub static UNCORDON: Verb = Verb {
    name: "uncordon",
    aliases: &[],
    usage: "NODE",
    summary: Words { en: "let new Pods come to a node again", zh: "允许新 Pod 调度到节点" },
    flags: flags![SELECTOR, DRY_RUN],
    children: &[],
    operands: Operands::Nodes,
    action: Action::Now(|call| schedule(call, true)),
};

/// `taint`.
pub static TAINT: Verb = Verb {
    name: "taint",
    aliases: &[],
    usage: "nodes NODE KEY=VALUE:EFFECT... KEY[:EFFECT]-...",
    summary: Words { en: "set and remove taints of nodes", zh: "设置和删除节点污点" },
    flags: flags![OVERWRITE, ALL, SELECTOR, OUTPUT, DRY_RUN, VALIDATE, FIELD_MANAGER],
    children: &[],
    operands: Operands::Resources,
    action: Action::Now(taint),
};

/// The nodes that names or a selector mean, and what is wrong.
///
/// # Errors
/// A selector that cannot be read.
pub fn nodes(call: &Call, names: &[String]) -> Result<(Vec<Arc<Object>>, Vec<Failure>), Failure> {
    if !call.text("selector").is_empty() {
        let options = Options { label_selector: call.text("selector").to_owned(), ..Options::default() };
        return Ok((call.list(Kind::Node, "", options)?, Vec::new()));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let name = name.rsplit('/').next().unwrap_or(name);
        match call.get(Kind::Node, "", name) {
            Ok(node) => found.push(node),
            Err(status) => failures.push(Failure::from(status)),
        }
    }
    Ok((found, failures))
}

fn schedule(call: &Call, allow: bool) -> Outcome {
    let verb = call.verb.name;
    if call.operands().is_empty() && call.text("selector").is_empty() {
        return Err(call.usage_error(&format!("USAGE: {verb} NODE [flags]")));
    }
    refuse_names_and_selector(call)?;
    let (found, mut failures) = nodes(call, call.operands())?;
    let dry_run = call.dry_run()?;
    for node in found {
        let held = node.spec().get("unschedulable").as_bool().unwrap_or(false);
        let suffix = dry_run.suffix();
        if held != allow {
            call.say(&format!("node/{} already {verb}ed{suffix}", node.name()));
            continue;
        }
        if dry_run != DryRun::Client {
            let body = if allow {
                value!({ "spec": { "unschedulable": null } })
            } else {
                value!({ "spec": { "unschedulable": true } })
            };
            if let Err(status) = call.patch(&node.key, Patch::Merge(body), dry_run) {
                failures.push(status.into());
                continue;
            }
        }
        call.say(&format!("node/{} {verb}ed{suffix}", node.name()));
    }
    Failure::of(failures)
}

/// Nodes are named or selected.
///
/// # Errors
/// Both at once.
pub fn refuse_names_and_selector(call: &Call) -> Outcome {
    if call.operands().is_empty() || call.text("selector").is_empty() {
        return Ok(());
    }
    Err(call.usage_error("error: cannot specify both a node name and a --selector option"))
}

/// A change of taints.
enum Change {
    Set { key: String, value: String, effect: String },
    Remove { key: String, effect: String },
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// `KEY=VALUE:EFFECT`, `KEY:EFFECT-` or `KEY-`.
fn change(call: &Call, text: &str) -> Result<Change, Failure> {
    let (body, removes) = text.strip_suffix('-').map_or((text, false), |body| (body, true));
    let invalid = |why: Vec<String>| {
        let why = if why.is_empty() { String::new() } else { format!(", {}", why.join("; ")) };
        Err(call.usage_error(&format!("invalid taint spec: {body}{why}")))
    };
    let (pair, effect) = match body.split(':').collect::<Vec<_>>()[..] {
        [key] => (key, ""),
        [_, effect] if !EFFECTS.contains(&effect) => {
            return Err(
                call.usage_error(&format!("invalid taint effect: {effect}, unsupported taint effect"))
            );
        }
        [pair, effect] => (pair, effect),
        _ => return invalid(Vec::new()),
    };
    // Without an effect everything is the key.
    let (key, value) = match pair.split('=').collect::<Vec<_>>()[..] {
        [key] => (key, ""),
        [key, value] if !effect.is_empty() => (key, value),
        _ if effect.is_empty() => (pair, ""),
        _ => return invalid(Vec::new()),
    };
    for problems in [names::label_value(value), names::label_key(key)] {
        if !problems.is_empty() {
            return invalid(problems);
        }
    }
    if removes {
        return Ok(Change::Remove { key: key.to_owned(), effect: effect.to_owned() });
    }
    if effect.is_empty() {
        return invalid(Vec::new());
    }
    Ok(Change::Set { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

/// Refuses changes that contradict each other.
fn refuse_conflicts(call: &Call, changes: &[Change]) -> Outcome {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for change in changes {
        let Change::Set { key, value, effect } = change else { continue };
        if seen.contains(&(key, effect)) {
            return Err(call.usage_error(&format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            )));
        }
        seen.push((key, effect));
    }
    let mut both = Vec::new();
    for (key, effect) in seen {
        both.extend(changes.iter().filter_map(|change| match change {
            Change::Remove { key: gone, effect: of } if gone == key && (of.is_empty() || of == effect) => {
                Some(format!("{key}={of}"))
            }
            _ => None,
        }));
    }
    if both.is_empty() {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "can not both modify and remove the following taint(s) in the same command: {}",
        both.join(", ")
    )))
}

fn taint(call: &Call) -> Outcome {
    let words = call.operands();
    let is_change = |word: &String| word.contains([':', '=']) || word.ends_with('-');
    let at = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, changes) = words.split_at(at);
    if let Some(word) = changes.iter().find(|word| !is_change(word)) {
        return Err(Failure::plain(format!("all resources must be specified before taint changes: {word}")));
    }
    let Some((kind, names)) = resources.split_first() else {
        return Err(Failure::plain("one or more resources must be specified as <resource> <name>"));
    };
    if changes.is_empty() {
        return Err(Failure::plain("at least one taint update is required"));
    }
    let changes: Vec<Change> = changes.iter().map(|text| change(call, text)).collect::<Result<_, _>>()?;
    if super::resources::kind(kind)? != Kind::Node {
        return Err(Failure::plain(format!("invalid resource type {kind}, only node types are supported")));
    }
    refuse_conflicts(call, &changes)?;
    if call.has("all") && !call.text("selector").is_empty() {
        return Err(Failure::plain("setting 'all' parameter with a non empty selector is prohibited"));
    }
    if !call.has("all") && call.text("selector").is_empty() && names.is_empty() {
        return Err(Failure::plain(
            "at least one resource name must be specified since 'all' parameter is not set",
        ));
    }
    let (found, mut failures) = if call.has("all") {
        (call.list(Kind::Node, "", Options::default())?, Vec::new())
    } else {
        nodes(call, names)?
    };
    for node in found {
        failures.extend(taint_node(call, &node, &changes).err());
    }
    Failure::of(failures)
}

fn taint_node(call: &Call, node: &Object, changes: &[Change]) -> Outcome {
    let mut taints: Vec<Value> = node.spec().get("taints").items().to_vec();
    let mut removed = false;
    for change in changes {
        match change {
            Change::Remove { key, effect } => {
                let before = taints.len();
                taints.retain(|taint| {
                    taint.get("key").str() != key
                        || (!effect.is_empty() && taint.get("effect").str() != effect)
                });
                if taints.len() == before {
                    let colon = if effect.is_empty() { "" } else { ":" };
                    return Err(Failure::plain(format!("taint \"{key}{colon}{effect}\" not found")));
                }
                removed = true;
            }
            Change::Set { key, value, effect } => {
                let same =
                    |taint: &Value| taint.get("key").str() == key && taint.get("effect").str() == effect;
                if taints.iter().any(same) && !call.has("overwrite") {
                    return Err(Failure::plain(format!(
                        "node {} already has {key} taint(s) with same effect(s) and --overwrite is false",
                        node.name()
                    )));
                }
                taints.retain(|taint| !same(taint));
                let mut taint = value!({ "effect": (SmolStr::new(effect)), "key": (SmolStr::new(key)) });
                if !value.is_empty() {
                    taint.set("value", SmolStr::new(value));
                }
                taints.insert(0, taint);
            }
        }
    }
    let dry_run = call.dry_run()?;
    let mut value = node.value.clone();
    if dry_run != DryRun::Client {
        let list = if taints.is_empty() { Value::Null } else { Value::from(taints) };
        let body = value!({ "spec": { "taints": list } });
        value = call.patch(&node.key, Patch::Merge(body), dry_run)?.value.clone();
    }
    let only_removed = removed && changes.iter().all(|change| matches!(change, Change::Remove { .. }));
    let what = if only_removed {
        "untainted"
    } else if call.has("overwrite") {
        "modified"
    } else {
        "tainted"
    };
    let format = Format::of(call, false)?;
    done(call, &format, &Printer::new(call, &format), &value, what)
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const SEE: &str = "\nSee 'kubectl taint -h' for help and examples";

    #[test]
    fn taints_are_checked_before_anything_is_sent() {
        check("kubectl taint node", "error: at least one taint update is required", 1);
        check(
            "kubectl taint node a=b:NoSchedule",
            "error: at least one resource name must be specified since 'all' parameter is not set",
            1,
        );
        check(
            "kubectl taint node k8s-w1 a:b:NoSchedule",
            &format!("error: invalid taint spec: a:b:NoSchedule{SEE}"),
            1,
        );
        check(
            "kubectl taint node k8s-w1 a:NoSchedule b a=c",
            "error: all resources must be specified before taint changes: b",
            1,
        );
        check(
            "kubectl taint node k8s-w1 a=b:NoSchedule a=c:NoSchedule",
            &format!("error: duplicated taints with the same key and effect: {{a c NoSchedule <nil>}}{SEE}"),
            1,
        );
        check(
            "kubectl taint node k8s-w1 a=b:NoSchedule a-",
            "error: can not both modify and remove the following taint(s) in the same command: a=",
            1,
        );
        check(
            "kubectl cordon k8s-w1 -l a=b",
            "error: cannot specify both a node name and a --selector option\nSee 'kubectl cordon -h' for help and examples",
            1,
        );
    }
}
