//! `kubectl set env`.

use super::{change_containers, is_meant, pod_spec_path, send, split, targets};
use crate::api::object::Object;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SELECTOR, Verb, flags,
};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('c', "containers", Argument::Text, "the containers, * for all", "容器名称，* 表示全部"),
    option('e', "env", Argument::Text, "NAME=VALUE", "名称=值"),
    switch('\0', "list", "show the variables", "显示变量"),
    switch('\0', "overwrite", "change variables that are there (the default)", "覆盖已有变量（默认）"),
    not_simulated('\0', "from", Argument::Text, "kubectl set env NAME=VALUE"),
    not_simulated('\0', "local", Argument::None, "--dry-run=client"),
    not_simulated('\0', "resolve", Argument::None, "--list"),
];

/// `set env`.
pub static VERB: Verb = Verb {
    name: "env",
    aliases: &[],
    usage: "TYPE/NAME NAME=VALUE... NAME-...",
    summary: Words {
        en: "set, remove and list variables of containers", zh: "设置、删除和列出容器环境变量"
    },
    flags: flags![OWN, ALL, SELECTOR, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let (words, mut changes) = split(&call, |word| word.contains('=') || word.ends_with('-'));
    changes.extend(call.flags.values("env").into_iter().map(str::to_owned));
    if changes.is_empty() && !call.has("list") && !words.is_empty() {
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

fn apply(container: &mut Value, change: &str) {
    let variables = container.field_mut("env").list_mut();
    match change.split_once('=') {
        Some((name, text)) => {
            let set = value!({ "name": (SmolStr::new(name)), "value": (SmolStr::new(text)) });
            match variables.iter_mut().find(|variable| variable.get("name").str() == name) {
                Some(variable) => *variable = set,
                None => variables.push(set),
            }
        }
        None => {
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
                from => call.say(&format!("# {name} from {}", source(from))),
            }
        }
    }
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
