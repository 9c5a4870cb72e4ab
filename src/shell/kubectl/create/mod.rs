//! `kubectl create`: from files, and the generators below it.
//!
//! Owns what all generators share: how the object is sent and what is said. Each generator has its file.

mod config_map;
mod deployment;
mod namespace;
mod policy;
mod secret;
mod service;
mod workloads;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::verb::{
    Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, SELECTOR, VALIDATE, Verb, flags,
    joined,
};
use crate::api::patch::last_applied::with_last_applied;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    switch(
        '\0',
        "edit",
        "change the manifest first (only --edit=false)",
        "先编辑清单（仅支持 --edit=false）",
    ),
    switch('\0', "windows-line-endings", "for --edit", "用于 --edit"),
    not_simulated('\0', "raw", Argument::Text, "kubectl create -f"),
];

/// Flags of every generator.
pub const GENERATED: &[Flag] =
    &joined::<{ OUTPUT.len() + 4 }>(&[OUTPUT, DRY_RUN, VALIDATE, SAVE_CONFIG, FIELD_MANAGER]);

/// `create`.
pub static VERB: Verb = Verb {
    name: "create",
    aliases: &[],
    usage: "-f FILE",
    summary: Words {
        en: "create objects from manifests or by name", zh: "根据清单或名称创建对象"
    },
    flags: flags![OWN, RECORD, SELECTOR, OUTPUT, DRY_RUN, VALIDATE, SAVE_CONFIG, FIELD_MANAGER, FILES],
    children: &[
        &policy::CLUSTER_ROLE,
        &policy::CLUSTER_ROLE_BINDING,
        &config_map::CONFIG_MAP,
        &workloads::CRON_JOB,
        &deployment::VERB,
        &workloads::INGRESS,
        &workloads::JOB,
        &namespace::NAMESPACE,
        &policy::DISRUPTION_BUDGET,
        &policy::PRIORITY_CLASS,
        &policy::QUOTA,
        &policy::ROLE,
        &policy::ROLE_BINDING,
        &secret::VERB,
        &service::VERB,
        &namespace::SERVICE_ACCOUNT,
        &super::unsupported::CREATE_TOKEN,
    ],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    if let Some(word) = call.operands().first() {
        let words = call.operands().join(" ");
        debug_assert!(words.starts_with(word.as_str()), "the words begin with the first");
        return Err(call.usage_error(&format!("Unexpected args: [{words}]")));
    }
    if call.flags.value("filename").is_none() {
        return Err(Failure::plain("must specify one of -f and -k"));
    }
    if call.has("edit") {
        return Err(Failure::NotSimulated("kubectl create --edit".to_owned(), "the editor of the page"));
    }
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let (manifests, mut failures) = manifests::read(&call).await;
    if manifests.is_empty() && failures.is_empty() {
        return Err(Failure::plain("no objects passed to create"));
    }
    let printer = Printer::new(&call, &format);
    for manifest in &manifests {
        let created = create(&call, manifest, dry_run)
            .and_then(|object| done(&call, &format, &printer, &object, "created"));
        failures.extend(created.err());
    }
    Failure::of(failures)
}

fn create(call: &Call, manifest: &Manifest, dry_run: DryRun) -> Result<Value, Failure> {
    let mut value = manifest.value.clone();
    record::annotate(call, &mut value);
    if call.has("save-config") {
        value = with_last_applied(&value);
    }
    if dry_run == DryRun::Client {
        return Ok(value);
    }
    call.create(manifest.kind, &manifest.namespace, value, dry_run)
        .map(|object| object.value.clone())
        .map_err(|status| Failure::from(status).at_source("creating", &manifest.source))
}

/// The one name that a generator takes; `rest` is what may follow.
///
/// # Errors
/// No name, or several.
pub fn one_name(call: &Call) -> Result<&str, Failure> {
    let before = call.flags.before_dashes.unwrap_or(call.operands().len());
    match &call.operands()[..before] {
        [name] => Ok(name),
        names => Err(call.usage_error(&format!("exactly one NAME is required, got {}", names.len()))),
    }
}

/// Sends what a generator made and says so. `failed` stands before an error of the server
/// (`failed to create deployment: `), or is empty for errors that are shown as the server's own.
///
/// # Errors
/// What the server refuses.
pub fn generate(call: &Call, kind: Kind, value: Value, failed: &str) -> Outcome {
    let dry_run = call.dry_run()?;
    let format = Format::of(call, false)?;
    let printer = Printer::new(call, &format);
    let mut value = value;
    let info = kind.info();
    value.set("apiVersion", info.api_version);
    value.set("kind", info.name);
    if info.namespaced && (call.namespace_given() || dry_run != DryRun::Client) && call.namespace_given() {
        value.at_mut(&["metadata"]).set("namespace", SmolStr::new(&call.namespace));
    }
    if call.declares("save-config") && call.has("save-config") {
        value = with_last_applied(&value);
    }
    if dry_run == DryRun::Client {
        return done(call, &format, &printer, &value, "created");
    }
    let namespace = if info.namespaced { call.namespace.as_str() } else { "" };
    let created = call.create(kind, namespace, value, dry_run).map_err(|status| {
        let failure = Failure::from(status);
        if failed.is_empty() { failure } else { failure.prefixed(failed) }
    })?;
    done(call, &format, &printer, &created.value, "created")
}

/// `KEY=VALUE` pairs of a repeated flag.
///
/// # Errors
/// A pair without its `=`.
pub fn literals(values: &[&str], what: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    for value in values {
        match value.split_once('=') {
            Some((key, value)) if !key.is_empty() => pairs.push((key.to_owned(), value.to_owned())),
            _ => {
                return Err(Failure::plain(format!("invalid {what} source {value}, expected key=value")));
            }
        }
    }
    Ok(pairs)
}
