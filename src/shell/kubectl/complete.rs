//! Tab inside a kubectl command line.
//!
//! Owns what the operands of verbs offer: verbs, types, names. Flags and files are offered as for every
//! command.

use super::VERBS;
use super::context::Config;
use super::verb::{GLOBAL, Operands, Verb};
use crate::api::registry::{KINDS, Kind, KindInfo, Serving};
use crate::shell::command::Flag;
use crate::shell::completion::{Candidates, Situation, flag_awaiting_value};

/// Words for the last of `words`, which follow `kubectl`.
pub fn complete(situation: &Situation<'_>, words: &[String]) -> Candidates {
    let Some((current, before)) = words.split_last() else { return Candidates::default() };
    let (verb, operands) = place(before);
    let table: &[Flag] = verb.map_or(GLOBAL, |verb| verb.flags);
    if let Some(flag) = before.last().and_then(|word| flag_awaiting_value(table, word)) {
        return situation.values(flag.value, current);
    }
    if let Some((name, value)) = current.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
        let Some(flag) = table.iter().find(|flag| flag.long == name) else { return Candidates::default() };
        let mut found = situation.values(flag.value, value);
        for candidate in &mut found.0 {
            candidate.text = format!("--{name}={}", candidate.text);
        }
        return found;
    }
    if current.starts_with('-') {
        return situation.flags(table, current);
    }
    match verb {
        None => Candidates::beginning(current, VERBS.iter().map(|verb| verb.name)),
        Some(verb) if !verb.children.is_empty() && operands.is_empty() => {
            Candidates::beginning(current, verb.children.iter().map(|child| child.name))
        }
        Some(verb) => offered(situation, verb, &operands, before, current),
    }
}

/// Words for the last of `words`, which follow a command about objects.
pub fn objects(situation: &Situation<'_>, words: &[String]) -> Candidates {
    let Some((current, before)) = words.split_last() else { return Candidates::default() };
    let operands: Vec<String> = before.iter().filter(|word| !word.starts_with('-')).cloned().collect();
    if current.starts_with('-') {
        return Candidates::beginning(current, ["-n", "--namespace"]);
    }
    if matches!(before.last().map(String::as_str), Some("-n" | "--namespace")) {
        return situation.values(crate::shell::command::Value::Namespace, current);
    }
    of_resources(situation, &operands, &namespace(situation, before), current)
}

/// The verb that words lead to, and its operands so far.
fn place(words: &[String]) -> (Option<&'static Verb>, Vec<String>) {
    let mut verb: Option<&'static Verb> = None;
    let mut operands = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word.starts_with('-') {
            if flag_awaiting_value(verb.map_or(GLOBAL, |verb| verb.flags), word).is_some() {
                rest.next();
            }
            continue;
        }
        let children = verb.map_or(VERBS, |verb| verb.children);
        match children.iter().find(|child| operands.is_empty() && child.answers_to(word)) {
            Some(child) => verb = Some(child),
            None => operands.push(word.clone()),
        }
    }
    (verb, operands)
}

fn offered(
    situation: &Situation<'_>,
    verb: &Verb,
    operands: &[String],
    before: &[String],
    current: &str,
) -> Candidates {
    let namespace = namespace(situation, before);
    match verb.operands {
        Operands::Nothing => Candidates::default(),
        Operands::Contexts => Candidates::beginning(current, ["kubernetes-admin@kubernetes"]),
        Operands::Nodes => Candidates::beginning(current, names(situation, Kind::Node, "")),
        Operands::Pods => names_or_typed(situation, Kind::Pod, &namespace, current),
        Operands::Resources => of_resources(situation, operands, &namespace, current),
    }
}

/// A type, then names of it; or `TYPE/NAME`.
fn of_resources(
    situation: &Situation<'_>,
    operands: &[String],
    namespace: &str,
    current: &str,
) -> Candidates {
    match operands.first().and_then(|word| Kind::of_resource(word)) {
        Some(kind) => Candidates::beginning(current, names(situation, kind, namespace)),
        None if current.contains('/') => names_or_typed(situation, Kind::Pod, namespace, current),
        None if operands.is_empty() => resources(current),
        None => Candidates::default(),
    }
}

fn names_or_typed(situation: &Situation<'_>, kind: Kind, namespace: &str, current: &str) -> Candidates {
    match current.split_once('/') {
        Some((resource, _)) => match Kind::of_resource(resource) {
            Some(kind) => Candidates::beginning(
                current,
                names(situation, kind, namespace).iter().map(|name| format!("{resource}/{name}")),
            ),
            None => Candidates::default(),
        },
        None => Candidates::beginning(current, names(situation, kind, namespace)),
    }
}

/// Types: plural names, and short ones where they are typed.
fn resources(current: &str) -> Candidates {
    let mut found = Candidates::beginning(current, ["all"]);
    // A kind in another form has the names of the kind itself; what can only be asked with has nothing to name.
    let named = |info: &&KindInfo| matches!(info.serving, Serving::Stored | Serving::Computed);
    for info in KINDS.iter().filter(named) {
        found.offer(current, info.plural, true);
        for short in info.short {
            if *short == current {
                found.offer(current, short, true);
            }
        }
    }
    found
}

fn namespace(situation: &Situation<'_>, words: &[String]) -> String {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "-n" || word == "--namespace" {
            return rest.next().cloned().unwrap_or_default();
        }
        if let Some(name) = word.strip_prefix("--namespace=").or_else(|| word.strip_prefix("-n=")) {
            return name.to_owned();
        }
    }
    let config = Config::of_place(situation.place, situation.host);
    config.namespace(config.current())
}

fn names(situation: &Situation<'_>, kind: Kind, namespace: &str) -> Vec<String> {
    let namespace = kind.info().namespaced.then_some(namespace);
    situation.host.with(|simulation| {
        simulation.cluster.list(kind, namespace).map(|object| object.name().to_string()).collect()
    })
}
