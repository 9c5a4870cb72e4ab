//! The simulated kubectl: a client of the API server, one file per verb.
//!
//! Owns the finding of the verb, the reading of its flags by pflag's rules, help and Tab. It changes nothing
//! itself: every verb asks the API server through [`call::Call`]. Start at [`VERBS`]; how a verb is
//! declared is in [`verb`].

mod api_resources;
mod apply;
mod attach;
mod auth;
mod autoscale;
mod call;
mod cluster_info;
mod columns;
mod complete;
mod completion;
mod config;
mod config_change;
mod context;
mod create;
mod delete;
mod describe;
mod diff;
mod discovery;
mod drain;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
#[cfg(test)]
mod facts;
mod failure;
mod get;
mod gotemplate;
mod help;
mod jsonpath;
mod kyaml;
mod label;
mod last_applied;
mod logs;
mod manifests;
mod nodes;
mod output;
mod overrides;
mod patch;
mod pods;
mod port_forward;
mod prune;
mod raw;
mod record;
mod replace;
mod resources;
mod rollout;
mod run;
mod scale;
mod set;
mod suggest;
mod table;
mod tabs;
mod unsupported;
mod verb;
mod version;
mod wait;
mod watch;
mod wrap;

use crate::shell::command::{Command, Flag, Found, Run, Value};
use crate::shell::flags::{FlagError, Parsed, Style, parse};
use crate::shell::invocation::Invocation;
use crate::words::Words;
use call::Call;
use context::Config;
use failure::{Failure, Outcome};
use verb::{Action, Verb};

/// `kubectl`.
pub static COMMAND: Command = Command {
    name: "kubectl",
    usage: "VERB [TYPE [NAME]] [FLAG]...",
    summary: Words { en: "talk to the cluster", zh: "与集群对话" },
    flags: verb::GLOBAL,
    operands: Value::Text,
    complete: Some(complete::complete),
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// Tab for commands of Portside's own that are about objects (`why`): types, names, `TYPE/NAME`.
pub use complete::objects as complete_objects;

/// The namespace in force where a command runs: that of the kubeconfig's context.
pub fn current_namespace(invocation: &Invocation) -> String {
    Config::load(invocation, None)
        .map_or_else(|_| "default".to_owned(), |config| config.namespace(config.current()))
}

/// The verbs, in the order of kubectl's own help.
pub static VERBS: &[&Verb] = &[
    &create::VERB,
    &expose::VERB,
    &run::VERB,
    &set::VERB,
    &explain::VERB,
    &get::VERB,
    &edit::VERB,
    &delete::VERB,
    &rollout::VERB,
    &scale::VERB,
    &autoscale::VERB,
    &unsupported::CERTIFICATE,
    &cluster_info::VERB,
    &unsupported::TOP,
    &nodes::CORDON,
    &nodes::UNCORDON,
    &drain::VERB,
    &nodes::TAINT,
    &describe::VERB,
    &logs::VERB,
    &attach::VERB,
    &exec::VERB,
    &port_forward::VERB,
    &unsupported::PROXY,
    &unsupported::COPY,
    &auth::VERB,
    &unsupported::DEBUG,
    &events::VERB,
    &diff::VERB,
    &apply::VERB,
    &patch::VERB,
    &replace::VERB,
    &wait::VERB,
    &unsupported::KUSTOMIZE,
    &label::LABEL,
    &label::ANNOTATE,
    &completion::VERB,
    &api_resources::RESOURCES,
    &api_resources::VERSIONS,
    &config::VERB,
    &unsupported::PLUGIN,
    &version::VERB,
];

async fn run(invocation: Invocation) -> i32 {
    let stderr = invocation.stderr().clone();
    let outcome = match prepare(invocation) {
        Ok(None) => Ok(()),
        Ok(Some(call)) => match call.verb.action {
            Action::Now(run) => run(&call),
            Action::Waits(run) => run(call).await,
        },
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            stderr.write(&failure.text());
            failure.status()
        }
    }
}

/// Finds the verb and reads its arguments. `None` if help was asked for and printed.
fn prepare(invocation: Invocation) -> Result<Option<Call>, Failure> {
    let mut arguments = invocation.arguments.clone();
    let Some(at) = first_word(&arguments, verb::GLOBAL) else {
        return no_verb(&invocation);
    };
    let name = arguments.remove(at);
    if name == "options" {
        help::print_options(&invocation);
        return Ok(None);
    }
    if name == "help" {
        help::print(&invocation, &arguments)?;
        return Ok(None);
    }
    let Some(mut verb) = VERBS.iter().copied().find(|verb| verb.answers_to(&name)) else {
        return Err(suggest::unknown(&name));
    };
    let mut path = format!("kubectl {}", verb.name);
    while !verb.children.is_empty() {
        let Some(at) = first_word(&arguments, verb.flags) else { break };
        let Some(child) = verb.children.iter().copied().find(|child| child.answers_to(&arguments[at])) else {
            break;
        };
        arguments.remove(at);
        verb = child;
        path = format!("{path} {}", verb.name);
    }
    let flags = read_flags(verb, &path, &arguments)?;
    if verb.flags.iter().any(|flag| flag.long == "record") && flags.value("record").is_some() {
        invocation.stderr().line(record::DEPRECATED);
    }
    if flags.has("help") {
        help::print_verb(&invocation, verb, &path);
        return Ok(None);
    }
    let namespace = connect(&invocation, &flags, verb, &path)?;
    Ok(Some(Call::new(invocation, verb, path, flags, namespace)))
}

fn no_verb(invocation: &Invocation) -> Result<Option<Call>, Failure> {
    parse(verb::GLOBAL, Style::Pflag, &invocation.arguments)
        .map_err(|error| flag_failure(&error, verb::GLOBAL, "kubectl"))?;
    help::print(invocation, &[])?;
    Ok(None)
}

/// Where the first word stands that is no flag and no flag's value.
fn first_word(arguments: &[String], table: &[Flag]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        if word == "--" {
            return None;
        }
        if !word.starts_with('-') || word == "-" {
            return Some(at);
        }
        let takes_next = crate::shell::completion::flag_awaiting_value(table, word).is_some();
        at += if takes_next { 2 } else { 1 };
    }
    None
}

fn read_flags(verb: &'static Verb, path: &str, arguments: &[String]) -> Result<Parsed, Failure> {
    let flags =
        parse(verb.flags, Style::Pflag, arguments).map_err(|error| flag_failure(&error, verb.flags, path))?;
    for (flag, value) in flags.in_order() {
        if let Err(why) = check_value(flag, value) {
            let name = match (flag.short, flag.long) {
                (Some(short), long) => format!("-{short}, --{long}"),
                (None, long) => format!("--{long}"),
            };
            let text = format!("invalid argument \"{value}\" for \"{name}\" flag: {why}");
            return Err(flag_text(&text, path));
        }
    }
    Ok(flags)
}

/// Checks a value as pflag does, in Go's words.
fn check_value(flag: &Flag, value: &str) -> Result<(), String> {
    let syntax = |function: &str| Err(format!("strconv.{function}: parsing \"{value}\": invalid syntax"));
    match flag.value {
        Value::Number if value.parse::<i64>().is_err() => syntax("ParseInt"),
        Value::Duration => crate::shell::duration::duration(value).map(drop),
        Value::None if crate::shell::flags::boolean(value).is_none() => syntax("ParseBool"),
        _ => Ok(()),
    }
}

fn flag_text(text: &str, path: &str) -> Failure {
    Failure::plain(format!("{text}\nSee '{path} --help' for usage."))
}

fn flag_failure(error: &FlagError, table: &[Flag], path: &str) -> Failure {
    let text = match error {
        FlagError::UnknownLong(name) => format!("unknown flag: --{name}"),
        FlagError::UnknownShort(letter, word) => format!("unknown shorthand flag: '{letter}' in {word}"),
        FlagError::LongWithoutValue(name) => format!("flag needs an argument: --{name}"),
        FlagError::ShortWithoutValue(letter, word) => {
            format!("flag needs an argument: '{letter}' in {word}")
        }
        FlagError::Ambiguous(name) | FlagError::UnexpectedValue(name) => format!("unknown flag: --{name}"),
        FlagError::NotSimulated(flag, nearest) => {
            debug_assert!(!table.is_empty(), "every verb has flags");
            return Failure::NotSimulated(format!("{path} {flag}"), nearest);
        }
    };
    flag_text(&text, path)
}

/// What the client library logs while it looks for a server that is not there: once per attempt.
fn log_refused(invocation: &Invocation, server: &str, address: &str) {
    /// How often discovery tries.
    const ATTEMPTS: u32 = 5;
    let server = if server.contains("//") { server.to_owned() } else { format!("http://{server}") };
    for _ in 0..ATTEMPTS {
        invocation.stderr().line(&log_line(
            invocation,
            "memcache.go:265",
            &format!(
                "couldn't get current server API group list: Get \\\"{server}/api?timeout=32s\\\": dial tcp {address}: connect: connection refused"
            ),
        ));
    }
}

/// A line of the log of Kubernetes' programs (klog) that warns.
fn warning_line(invocation: &Invocation, source: &str, text: &str) -> String {
    format!("W{} {source}] {text}", log_time(invocation))
}

/// A line of the log of Kubernetes' programs (klog) about an unhandled error.
fn log_line(invocation: &Invocation, source: &str, text: &str) -> String {
    format!("E{} {source}] \"Unhandled Error\" err=\"{text}\"", log_time(invocation))
}

/// Month, day and time with microseconds, and the number of the process.
fn log_time(invocation: &Invocation) -> String {
    let time = invocation.host.with(|simulation| simulation.cluster.timestamp().to_string());
    let (day, clock) = (time.get(5..10).unwrap_or("").replace('-', ""), time.get(11..19).unwrap_or(""));
    format!("{day} {clock}.{:06}     100", invocation.host.now() % 1_000_000)
}

/// The namespace in force; refuses servers and contexts that are not there.
fn connect(invocation: &Invocation, flags: &Parsed, verb: &Verb, path: &str) -> Result<String, Failure> {
    let config = Config::load(invocation, flags.value("kubeconfig"))?;
    let context = flags.value("context").unwrap_or(config.current());
    if config.context(context).is_none() && flags.value("context").is_some() {
        return Err(Failure::Exact(format!(
            "Error in configuration: context was not found for specified context: {context}"
        )));
    }
    // `config set-cluster` has a --server of its own, and asks no server.
    if path.starts_with("kubectl config ") {
        return Ok(config.namespace(context));
    }
    if flags.value("request-timeout").is_some_and(|timeout| !is_timeout(timeout)) {
        return Err(Failure::plain(
            "invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
        ));
    }
    let namespace = match flags.value("namespace").filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => namespace.to_owned(),
        None => config.namespace(context),
    };
    if !asks_server(verb, flags, path) {
        return Ok(namespace);
    }
    match flags.value("server").filter(|server| *server != context::SERVER) {
        Some(server) => return Err(refused(invocation, server)),
        None if flags.value("server").is_some() => {}
        None => match config.server(context) {
            Some(context::SERVER) => {}
            // Without a cluster the client library falls back to this address.
            None => return Err(refused(invocation, "http://localhost:8080")),
            Some(server) => return Err(unreachable(server)),
        },
    }
    Ok(namespace)
}

/// Whole seconds, or a length of time as Go writes it.
fn is_timeout(text: &str) -> bool {
    text.is_empty() || text.parse::<i64>().is_ok() || crate::shell::duration::duration(text).is_ok()
}

/// Whether a call comes to ask a server for something: some verbs never do, and those that lack what they
/// are about are refused before.
fn asks_server(verb: &Verb, flags: &Parsed, path: &str) -> bool {
    /// Verbs of kubectl itself.
    const OWN: [&str; 5] =
        ["kubectl completion", "kubectl plugin", "kubectl options", "kubectl kustomize", "kubectl config"];
    let about = |name: &str| verb.flags.iter().any(|flag| flag.long == name) && flags.value(name).is_some();
    let nothing =
        flags.operands.is_empty() && !["filename", "selector", "raw", "list"].into_iter().any(about);
    if OWN.iter().any(|own| path.starts_with(own)) {
        return false;
    }
    match verb.operands {
        // Verbs above others: `cluster-info`, and those that also take files (`apply`, `create`).
        _ if !verb.children.is_empty() => {
            path == "kubectl cluster-info" || verb.flags.iter().any(|flag| flag.long == "filename")
        }
        verb::Operands::Nothing => !(path == "kubectl version" && flags.has("client")),
        _ => !nothing,
    }
}

/// Nothing listens at an address.
fn refused(invocation: &Invocation, server: &str) -> Failure {
    let address = server.split("//").last().unwrap_or(server);
    log_refused(invocation, server, address);
    Failure::Exact(format!(
        "The connection to the server {address} was refused - did you specify the right host or port?"
    ))
}

/// Nothing answers at the address of another cluster: it is not part of the world.
fn unreachable(server: &str) -> Failure {
    let (scheme, address) = server.split_once("://").unwrap_or(("https", server));
    let address = address.split('/').next().unwrap_or(address);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let port = if scheme == "http" { "80" } else { "443" };
    if host.parse::<std::net::IpAddr>().is_err() {
        return Failure::Exact(format!(
            "Unable to connect to the server: dial tcp: lookup {host}: no such host"
        ));
    }
    let target = if address.contains(':') { address.to_owned() } else { format!("{address}:{port}") };
    Failure::Exact(format!("Unable to connect to the server: dial tcp {target}: i/o timeout"))
}

/// A verb that only leads to others, called without one of them.
fn parent(call: &Call) -> Outcome {
    if let Some(word) = call.operands().first() {
        return Err(call.usage_error(&format!("unknown command \"{word}\"")));
    }
    help::print_verb(&call.invocation, call.verb, &call.path);
    Ok(())
}
