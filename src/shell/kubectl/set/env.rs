//! `kubectl set env`.

use super::{LOCAL, change_containers, is_meant, pod_spec_path, send, split, targets};
use crate::api::base64;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources;
use crate::shell::kubectl::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SELECTOR, Verb, flags,
};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('c', "containers", Argument::Text, "the containers, * for all", "容器名称，* 表示全部"),
    option('e', "env", Argument::Text, "NAME=VALUE", "名称=值"),
    option(
        '\0',
        "from",
        Argument::Text,
        "configmap/NAME or secret/NAME: a variable for each entry",
        "configmap/名称 或 secret/名称：每个条目一个变量",
    ),
    option('\0', "keys", Argument::Text, "only these entries of --from", "只使用 --from 的这些条目"),
    option('\0', "prefix", Argument::Text, "what stands before names from --from", "--from 变量名的前缀"),
    switch('\0', "resolve", "show the values that references lead to", "显示引用的实际值"),
    switch('\0', "list", "show the variables", "显示变量"),
    switch('\0', "overwrite", "change variables that are there (the default)", "覆盖已有变量（默认）"),
];

/// `set env`.
pub static VERB: Verb = Verb {
    name: "env",
    aliases: &[],
    usage: "TYPE/NAME NAME=VALUE... NAME-...",
    summary: Words {
        en: "set, remove and list variables of containers", zh: "设置、删除和列出容器环境变量"
    },
    flags: flags![OWN, LOCAL, ALL, SELECTOR, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let (words, mut changes) = split(&call, |word| word.contains('=') || word.ends_with('-'));
    changes.extend(call.flags.values("env").into_iter().map(str::to_owned));
    let references = references(&call)?;
    let nothing = changes.is_empty() && references.is_empty();
    if nothing && !call.has("list") && !words.is_empty() {
        return Err(Failure::plain("at least one environment variable must be provided"));
    }
    let pattern = Some(call.text("containers")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned();
    let (found, mut failures) = targets(&call, &words).await?;
    let mut changed = Vec::new();
    for found in &found {
        if call.has("list") {
            list(&call, &found.object, &pattern);
            continue;
        }
        let set = change_containers(&found.object, |container| {
            let meant = is_meant(&pattern, container.get("name").str());
            if meant {
                references.iter().for_each(|(name, from)| put(container, name, from.clone()));
                changes.iter().for_each(|change| apply(container, change));
            }
            meant
        });
        match set {
            Ok((value, _)) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, "env updated").err());
    Failure::of(failures)
}

/// The variables that `--from` asks for: names with references to entries.
fn references(call: &Call) -> Result<Vec<(String, Value)>, Failure> {
    let from = call.text("from");
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let invalid = || {
        Failure::plain(format!(
            "invalid from argument: {from} must be in the form configmap/NAME or secret/NAME"
        ))
    };
    let (resource, name) = from.split_once('/').ok_or_else(invalid)?;
    let kind = resources::kind(resource)?;
    let field = match kind {
        Kind::ConfigMap => "configMapKeyRef",
        Kind::Secret => "secretKeyRef",
        other => {
            return Err(Failure::plain(format!(
                "unsupported resource specified in --from: {}",
                other.name()
            )));
        }
    };
    let held = call.get(kind, &call.namespace, name)?;
    let chosen: Vec<&str> = call.flags.values("keys").into_iter().flat_map(|keys| keys.split(',')).collect();
    let is_chosen = |key: &str| chosen.is_empty() || chosen.contains(&key);
    let entries = held.value.get("data").entries().iter().filter(|(key, _)| is_chosen(key));
    Ok(entries
        .map(|(key, _)| {
            let reference = value!({ "key": (key.clone()), "name": (SmolStr::new(name)) });
            let from: Value = [(field, reference)].into_iter().collect();
            (format!("{}{}", call.text("prefix"), variable_name(key)), from)
        })
        .collect())
}

/// The name of the variable for an entry: capital letters, anything else an underscore.
fn variable_name(key: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    key.chars().map(letter).collect()
}

/// Sets a variable to what a reference leads to.
fn put(container: &mut Value, name: &str, from: Value) {
    set(container, name, value!({ "name": (SmolStr::new(name)), "valueFrom": from }));
}

fn set(container: &mut Value, name: &str, variable: Value) {
    let variables = container.field_mut("env").list_mut();
    match variables.iter_mut().find(|held| held.get("name").str() == name) {
        Some(held) => *held = variable,
        None => variables.push(variable),
    }
}

fn apply(container: &mut Value, change: &str) {
    match change.split_once('=') {
        Some((name, text)) => {
            let variable = value!({ "name": (SmolStr::new(name)), "value": (SmolStr::new(text)) });
            set(container, name, variable);
        }
        None => {
            let variables = container.field_mut("env").list_mut();
            let name = change.trim_end_matches('-');
            variables.retain(|variable| variable.get("name").str() != name);
        }
    }
    if container.get("env").is_empty() {
        container.remove("env");
    }
}

fn list(call: &Call, object: &Object, pattern: &str) {
    let Some(path) = pod_spec_path(object.key.kind) else { return };
    for container in object.value.at(path).get("containers").items() {
        let name = container.get("name").str();
        if !is_meant(pattern, name) {
            continue;
        }
        call.say(&format!("# {} {}, container {name}", object.key.kind.name(), object.name()));
        for variable in container.get("env").items() {
            let name = variable.get("name").str();
            match variable.get("valueFrom") {
                Value::Null => call.say(&format!("{name}={}", variable.get("value").str())),
                from if call.has("resolve") => match resolved(call, object, from) {
                    Some(text) => call.say(&format!("{name}={text}")),
                    None => call.say(&format!("# {name} from {}", source(from))),
                },
                from => call.say(&format!("# {name} from {}", source(from))),
            }
        }
    }
}

/// The text that a reference to a ConfigMap or Secret leads to.
fn resolved(call: &Call, object: &Object, from: &Value) -> Option<String> {
    for (field, kind) in [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)] {
        let reference = from.get(field);
        if reference.is_null() {
            continue;
        }
        let held = call.get(kind, object.namespace(), reference.get("name").str()).ok()?;
        let text = held.value.get("data").get(reference.get("key").str()).str();
        if kind == Kind::ConfigMap {
            return Some(text.to_owned());
        }
        return base64::decode(text).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    }
    None
}

fn source(from: &Value) -> String {
    if let field @ Value::Map(_) = from.get("fieldRef") {
        return format!("field path {}", field.get("fieldPath").str());
    }
    if let key @ Value::Map(_) = from.get("configMapKeyRef") {
        return format!("configmap {}, key {}", key.get("name").str(), key.get("key").str());
    }
    let key = from.get("secretKeyRef");
    format!("secret {}, key {}", key.get("name").str(), key.get("key").str())
}
