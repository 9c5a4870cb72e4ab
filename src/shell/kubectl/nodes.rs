//! `kubectl cordon`, `uncordon` and `taint`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer, done};
use super::verb::{ALL, Action, DRY_RUN, FIELD_MANAGER, OUTPUT, Operands, SELECTOR, VALIDATE, Verb, flags};
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

/// A change of taints.
enum Change {
    Set { key: String, value: String, effect: String },
    Remove { key: String, effect: String },
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

fn change(call: &Call, text: &str) -> Result<Change, Failure> {
    let (body, removes) = text.strip_suffix('-').map_or((text, false), |body| (body, true));
    let (pair, effect) = body.split_once(':').unwrap_or((body, ""));
    if !effect.is_empty() && !EFFECTS.contains(&effect) {
        return Err(call.usage_error(&format!("invalid taint effect: {effect}, unsupported taint effect")));
    }
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if removes {
        return Ok(Change::Remove { key: key.to_owned(), effect: effect.to_owned() });
    }
    if effect.is_empty() {
        return Err(call.usage_error(&format!("unknown taint spec: {text}")));
    }
    Ok(Change::Set { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

fn taint(call: &Call) -> Outcome {
    let words = call.operands();
    let is_change = |word: &String| word.contains([':', '=']) || word.ends_with('-');
    let at = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, changes) = words.split_at(at);
    let Some((kind, names)) = resources.split_first() else {
        return Err(Failure::plain("one or more resources must be specified as <resource> <name>"));
    };
    if names.is_empty() && call.text("selector").is_empty() && !call.has("all") {
        return Err(Failure::plain("one or more resources must be specified as <resource> <name>"));
    }
    if changes.is_empty() {
        return Err(Failure::plain("at least one taint update is required"));
    }
    let changes: Vec<Change> = changes.iter().map(|text| change(call, text)).collect::<Result<_, _>>()?;
    if super::resources::kind(kind)? != Kind::Node {
        return Err(Failure::plain(format!("invalid resource type {kind}, only node types are supported")));
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
