//! `kubectl set env`.

use super::{
    LOCAL, Unchanged, Wording, change_containers, failure_of, flat, is_meant, refuse_contradictions, send,
    targets,
};
use crate::api::base64;
use crate::api::kinds::names;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources::{self, Reading};
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
    let (words, typed) = split_variables(&call)?;
    validate(&call, &words)?;
    let mut typed_all: Vec<String> = call.flags.values("env").into_iter().map(str::to_owned).collect();
    typed_all.extend(typed);
    let mut changes = Changes::parse(&typed_all)?;
    let prefix = call.text("prefix");
    for (name, _) in &mut changes.set {
        *name = format!("{prefix}{name}");
    }
    changes.set.extend(references(&call)?);
    let pattern = Some(call.text("containers")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned();
    let found = targets(&call, &words).await?;
    let mut failures = Vec::new();
    let mut changed = Vec::new();
    for found in &found {
        match change(&call, &found.object, &pattern, &changes) {
            Ok(value) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    if call.has("list") {
        return Ok(());
    }
    failures.extend(send(&call, changed, WORDING).err());
    Failure::of(flat(failures))
}

const WORDING: Wording = Wording {
    done: "env updated",
    failed: "failed to patch env update to pod template: ",
    unchanged: Unchanged::Skipped,
};

/// The operands that name objects, and those that are changes.
fn split_variables(call: &Call) -> Result<(Vec<String>, Vec<String>), Failure> {
    let is_change =
        |word: &String| word.split_once('=').is_some_and(|(name, _)| !name.is_empty()) || word.ends_with('-');
    let words = call.operands();
    let at = words.iter().position(is_change).unwrap_or(words.len());
    let (resources, changes) = words.split_at(at);
    if changes.iter().all(is_change) {
        return Ok((resources.to_vec(), changes.to_vec()));
    }
    Err(Failure::plain(format!(
        "all resources must be specified before environment changes: {}",
        words.join(" ")
    )))
}

fn validate(call: &Call, words: &[String]) -> Outcome {
    refuse_contradictions(call)?;
    let error = if words.is_empty() && call.flags.value("filename").is_none() {
        "one or more resources must be specified as <resource> <name> or <resource>/<name>"
    } else if call.has("list") && !call.text("output").is_empty() {
        "--list and --output may not be specified together"
    } else if !call.flags.values("keys").is_empty() && call.text("from").is_empty() {
        "when specifying --keys, a configmap or secret must be provided with --from"
    } else {
        return Ok(());
    };
    Err(Failure::plain(error))
}

/// What is to be set, and what removed.
struct Changes {
    set: Vec<(String, Value)>,
    removed: Vec<String>,
}

impl Changes {
    /// `NAME=VALUE` and `NAME-`.
    fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut changes = Self { set: Vec::new(), removed: Vec::new() };
        for word in words {
            match word.split_once('=') {
                Some((name, text)) => {
                    let problems = names::strict_variable_name(name);
                    if !problems.is_empty() {
                        let why = problems.join(";");
                        return Err(Failure::plain(format!("{name:?} is not a valid key name: {why}")));
                    }
                    changes.set.push((name.to_owned(), value!({ "value": (SmolStr::new(text)) })));
                }
                None if word.ends_with('-') => {
                    changes.removed.push(word.trim_end_matches('-').to_owned());
                }
                None => return Err(Failure::plain(format!("unknown environment variable: {word}"))),
            }
        }
        if changes.set.iter().any(|(name, _)| changes.removed.contains(name)) {
            return Err(Failure::plain(
                "can not both modify and remove the same environment variable in the same command",
            ));
        }
        Ok(changes)
    }

    /// Changes the variables of a container.
    fn apply(&self, container: &mut Value) {
        let variables = container.field_mut("env").list_mut();
        for (name, given) in &self.set {
            let mut variable = given.clone();
            variable.set("name", SmolStr::new(name));
            match variables.iter_mut().find(|held| held.get("name").str() == name) {
                Some(held) => *held = variable,
                None => variables.push(variable),
            }
        }
        variables.retain(|held| !self.removed.iter().any(|name| held.get("name").str() == name));
        if container.get("env").is_empty() {
            container.remove("env");
        }
    }
}

/// Changes the containers of an object, and shows their variables if asked to.
fn change(call: &Call, object: &Object, pattern: &str, changes: &Changes) -> Result<Value, Failure> {
    let mut refused = None;
    let (value, taken) = change_containers(object, |container| {
        let meant = is_meant(pattern, container.get("name").str());
        if meant && refused.is_none() {
            let keeps = call.flags.value("overwrite") == Some("false");
            refused = keeps.then(|| overwritten(container, changes)).flatten();
        }
        if meant && refused.is_none() {
            changes.apply(container);
            if call.has("list") {
                list(call, object, container);
            }
        }
        meant
    })?;
    if let Some(why) = refused {
        return Err(failure_of(object, &why));
    }
    if taken == 0 {
        let (kind, name) = (object.key.kind.name(), object.name());
        call.complain(&format!("warning: {kind}/{name} does not have any containers matching {pattern:?}"));
    }
    Ok(value)
}

/// The first variable that would be changed, in the words of the refusal.
fn overwritten(container: &Value, changes: &Changes) -> Option<String> {
    changes.set.iter().find_map(|(name, given)| {
        let variables = container.get("env").items();
        let held = variables.iter().find(|held| held.get("name").str() == name)?.get("value");
        let differs = held != given.get("value");
        differs.then(|| format!("'{name}' already has a value ({}), and --overwrite is false", held.str()))
    })
}

/// The variables that `--from` asks for: names with references to entries.
fn references(call: &Call) -> Result<Vec<(String, Value)>, Failure> {
    let from = call.text("from");
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let queries = resources::queries(call, &[from.to_owned()], Vec::new(), Reading::default())?;
    let (found, failures) = resources::objects(call, &queries);
    Failure::of(failures)?;
    let mut references = Vec::new();
    for found in &found {
        let field = match found.object.key.kind {
            Kind::ConfigMap => "configMapKeyRef",
            Kind::Secret => "secretKeyRef",
            _ => return Err(Failure::plain("unsupported resource specified in --from")),
        };
        references.extend(entries(call, &found.object, field));
    }
    Ok(references)
}

/// A variable for each entry of a ConfigMap or Secret.
fn entries(call: &Call, held: &Object, field: &'static str) -> Vec<(String, Value)> {
    let chosen: Vec<&str> = call.flags.values("keys").into_iter().flat_map(|keys| keys.split(',')).collect();
    let is_chosen = |key: &str| chosen.is_empty() || chosen.contains(&key);
    let entries = held.value.get("data").entries().iter().filter(|(key, _)| is_chosen(key));
    entries
        .map(|(key, _)| {
            let reference = value!({ "key": (key.clone()), "name": (held.name().clone()) });
            let from: Value = [(field, reference)].into_iter().collect();
            (format!("{}{}", call.text("prefix"), variable_name(key)), value!({ "valueFrom": from }))
        })
        .collect()
}

/// The name of the variable for an entry: capital letters, anything else an underscore.
fn variable_name(key: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    key.chars().map(letter).collect()
}

/// Shows the variables of a container.
fn list(call: &Call, object: &Object, container: &Value) {
    let name = container.get("name").str();
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

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    fn web(command: &str, expected: &str, status: i32) {
        check(
            &format!("kubectl create deployment web --image=nginx,redis >/dev/null; {command}"),
            expected,
            status,
        );
    }

    #[test]
    fn what_cannot_be_set_is_refused() {
        web(
            "kubectl set env deploy/web 1A=b",
            "error: \"1A\" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
            1,
        );
        web(
            "kubectl set env deploy/web A=b >/dev/null; kubectl set env deploy/web A=c --overwrite=false",
            "error: deployments/web 'A' already has a value (b), and --overwrite is false",
            1,
        );
        web(
            "kubectl set env deploy/web A=b A-",
            "error: can not both modify and remove the same environment variable in the same command",
            1,
        );
        web(
            "kubectl set env deploy/web A=b web",
            "error: all resources must be specified before environment changes: deploy/web A=b web",
            1,
        );
        web(
            "kubectl set env deploy/web --from=svc/kubernetes",
            "error: unsupported resource specified in --from",
            1,
        );
        web(
            "kubectl set env deploy/web A=b -c x",
            "warning: Deployment/web does not have any containers matching \"x\"",
            0,
        );
    }

    #[test]
    fn a_list_shows_what_the_call_would_change() {
        web(
            "kubectl set env deploy/web A=b --list; kubectl set env deploy/web --list -c redis",
            "# Deployment web, container nginx\nA=b\n# Deployment web, container redis\nA=b\n# Deployment web, container redis",
            0,
        );
    }
}
