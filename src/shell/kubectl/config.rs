//! `kubectl config`.

use super::call::Call;
use super::config_change;
use super::context::Config;
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer};
use super::tabs;
use super::verb::{Action, OUTPUT, Operands, Verb, flags};
use crate::api::value::{SmolStr, Value as Document};
use crate::shell::command::{Flag, Value, option, switch};
use crate::words::Words;

const SET: &[Flag] = &[
    switch('\0', "current", "the context in force", "当前上下文"),
    option('\0', "cluster", Value::Text, "its cluster", "所用的集群"),
    option('\0', "user", Value::Text, "its user", "所用的用户"),
];
const VIEW: &[Flag] = &[
    switch('\0', "minify", "the context in force alone", "只显示当前上下文"),
    switch('\0', "raw", "show data as they are", "显示原始数据"),
    switch('\0', "flatten", "put files into the text", "内联引用的文件"),
    switch('\0', "merge", "read all files", "合并所有文件"),
];
const LIST: &[Flag] = &[
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    option('o', "output", Value::OneOf(&["name"]), "the form of the output", "输出格式"),
];

/// `config`.
pub static VERB: Verb = Verb {
    name: "config",
    aliases: &[],
    usage: "current-context|get-contexts|set-context|use-context|view",
    summary: Words { en: "show and change the kubeconfig", zh: "查看和修改 kubeconfig" },
    flags: flags![],
    children: &[
        &CURRENT,
        &config_change::DELETE_CLUSTER,
        &config_change::DELETE_CONTEXT,
        &config_change::DELETE_USER,
        &config_change::GET_CLUSTERS,
        &CONTEXTS,
        &config_change::GET_USERS,
        &config_change::RENAME,
        &config_change::SET,
        &config_change::SET_CLUSTER,
        &SET_CONTEXT,
        &config_change::SET_USER,
        &config_change::UNSET,
        &USE,
        &VIEW_VERB,
    ],
    operands: Operands::Nothing,
    action: Action::Now(super::parent),
};

macro_rules! verb {
    ($verb:ident, $name:literal, $aliases:expr, $usage:literal, $en:literal, $zh:literal, $run:ident, [$($group:expr),*]) => {
        static $verb: Verb = Verb {
            name: $name,
            aliases: $aliases,
            usage: $usage,
            summary: Words { en: $en, zh: $zh },
            flags: flags![$($group),*],
            children: &[],
            operands: Operands::Contexts,
            action: Action::Now($run),
        };
    };
}

verb!(CURRENT, "current-context", &[], "", "show the context in force", "显示当前上下文", current, []);
verb!(CONTEXTS, "get-contexts", &[], "[NAME]", "list the contexts", "列出上下文", contexts, [LIST]);
verb!(
    SET_CONTEXT,
    "set-context",
    &[],
    "NAME | --current --namespace=NAMESPACE",
    "change a context, such as its namespace",
    "修改上下文，例如默认命名空间",
    set_context,
    [SET]
);
verb!(USE, "use-context", &["use"], "NAME", "put another context in force", "切换上下文", use_context, []);
verb!(VIEW_VERB, "view", &[], "", "show the kubeconfig", "显示 kubeconfig", view, [VIEW, OUTPUT]);

fn load(call: &Call) -> Result<Config, Failure> {
    Config::load(&call.invocation, call.flags.value("kubeconfig"))
}

fn current(call: &Call) -> Outcome {
    let config = load(call)?;
    if config.current().is_empty() {
        return Err(Failure::plain("current-context is not set"));
    }
    call.say(config.current());
    Ok(())
}

/// Forms that kubectl knows but does not print contexts in.
const OTHER_FORMS: [&str; 10] = [
    "json",
    "yaml",
    "wide",
    "custom-columns",
    "custom-columns-file",
    "go-template",
    "go-template-file",
    "jsonpath",
    "jsonpath-file",
    "kyaml",
];

fn contexts(call: &Call) -> Outcome {
    let config = load(call)?;
    let output = call.text("output");
    if OTHER_FORMS.contains(&output) {
        call.say(&format!(
            "--output {output} is not available in kubectl config get-contexts; resetting to default output format"
        ));
    } else if !matches!(output, "" | "name") {
        return Err(Failure::plain(format!("output must be one of '' or 'name': {output}")));
    }
    let wanted = call.operands();
    let mut held: Vec<(&str, &Document)> = config.contexts().collect();
    held.retain(|(name, _)| wanted.is_empty() || wanted.iter().any(|one| one == name));
    held.sort_unstable_by_key(|(name, _)| *name);
    if output == "name" {
        held.iter().for_each(|(name, _)| call.say(name));
    } else {
        let mut text = String::new();
        if !call.has("no-headers") {
            text.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
        }
        for (name, context) in held {
            let mark = if name == config.current() { "*" } else { "" };
            let [cluster, user, namespace] =
                ["cluster", "user", "namespace"].map(|field| context.get(field).str());
            text.push_str(&format!("{mark}\t{name}\t{cluster}\t{user}\t{namespace}\n"));
        }
        call.write(&tabs::aligned(&text, tabs::TABLE));
    }
    let missing = wanted.iter().filter(|name| config.context(name).is_none());
    Failure::of(missing.map(|name| Failure::plain(format!("context {name} not found"))).collect())
}

fn set_context(call: &Call) -> Outcome {
    let mut config = load(call)?;
    let name = match (call.operands(), call.has("current")) {
        ([name], false) => name.clone(),
        ([], true) => config.current().to_owned(),
        ([], false) => return Err(Failure::plain("you must specify a non-empty context name or --current")),
        _ => return Err(call.usage_error(&format!("Unexpected args: [{}]", call.operands().join(" ")))),
    };
    let existed = config.context(&name).is_some();
    let context = config.item_mut("contexts", "context", &name);
    for field in ["cluster", "namespace", "user"] {
        match call.flags.value(field) {
            None => {}
            Some("") => {
                context.remove(field);
            }
            Some(text) => context.set(field, SmolStr::new(text)),
        }
    }
    config.save(&call.invocation)?;
    let what = if existed { "modified" } else { "created" };
    call.say(&format!("Context \"{name}\" {what}."));
    Ok(())
}

fn use_context(call: &Call) -> Outcome {
    let mut config = load(call)?;
    let [name] = call.operands() else {
        return Err(call.usage_error("Unexpected args: []"));
    };
    if config.context(name).is_none() {
        return Err(Failure::plain(format!("no context exists with the name: \"{name}\"")));
    }
    config.value.set("current-context", SmolStr::new(name));
    config.save(&call.invocation)?;
    call.say(&format!("Switched to context \"{name}\"."));
    Ok(())
}

fn view(call: &Call) -> Outcome {
    let config = load(call)?;
    let mut value = config.value.clone();
    if call.has("minify") {
        minify(&mut value, &config);
    }
    let format = Format::of(call, false)?;
    let format = if format.is_default() { Format::Yaml } else { format };
    Printer::new(call, &format).print(&value)
}

/// Leaves only what the context in force uses.
fn minify(value: &mut Document, config: &Config) {
    let name = config.current();
    let context = config.context(name).cloned().unwrap_or_default();
    let kept = [
        ("contexts", name),
        ("clusters", context.get("cluster").str()),
        ("users", context.get("user").str()),
    ];
    for (list, name) in kept {
        value.field_mut(list).list_mut().retain(|item| item.get("name").str() == name);
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn contexts_that_are_not_there_are_named_below_the_table() {
        check(
            "kubectl config get-contexts nosuch",
            "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\nerror: context nosuch not found",
            1,
        );
        check("kubectl config get-contexts -o foo", "error: output must be one of '' or 'name': foo", 1);
    }

    #[test]
    fn what_kubectl_answers_by_itself_needs_no_server() {
        const AWAY: &str = "kubectl config set clusters.kubernetes.server https://1.2.3.4 >/dev/null; ";
        check(
            &format!("{AWAY}kubectl version --client"),
            "Client Version: v1.36.2\nKustomize Version: v5.8.1",
            0,
        );
        check(
            &format!("{AWAY}kubectl config foo"),
            "error: unknown command \"foo\"\nSee 'kubectl config -h' for help and examples",
            1,
        );
        check(
            &format!("{AWAY}kubectl cluster-info"),
            "Unable to connect to the server: dial tcp 1.2.3.4:443: i/o timeout",
            1,
        );
    }
}
