//! `kubectl create`: from files, and the generators below it.
//!
//! Owns what all generators share: how the object is sent and what is said. Each generator has its file.

mod config_map;
mod deployment;
mod ingress;
mod namespace;
mod policy;
mod secret;
mod service;
mod workloads;

pub use service::go_port;

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
        &ingress::INGRESS,
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
    if !call.operands().is_empty() {
        return Err(call.usage_error(&format!("Unexpected args: [{}]", call.operands().join(" "))));
    }
    if call.flags.value("filename").is_none() {
        return Err(Failure::plain("must specify one of -f and -k"));
    }
    if call.has("edit") {
        return Err(Failure::NotSimulated("kubectl create --edit".to_owned(), "the editor of the page"));
    }
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    call.field_validation()?;
    let found = manifests::read_in_order(&call).await;
    let found = manifests::selected(&call, found)?;
    if found.is_empty() {
        return Err(Failure::plain("no objects passed to create"));
    }
    let printer = Printer::new(&call, &format);
    let mut failures = Vec::new();
    for manifest in found {
        let created = manifest
            .and_then(|manifest| create(&call, &manifest, dry_run))
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
    call.field_validation()?;
    let printer = Printer::new(call, &format);
    let mut value = value;
    let info = kind.info();
    value.set("apiVersion", info.api_version);
    value.set("kind", info.name);
    if info.namespaced && call.namespace_given() {
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

/// Refuses a call that lacks flags which it needs, whatever else is wrong with it.
///
/// # Errors
/// A flag that is missing.
pub fn required(call: &Call, flags: &[&str]) -> Outcome {
    let missing: Vec<String> = flags
        .iter()
        .filter(|flag| call.flags.value(flag).is_none())
        .map(|flag| format!("\"{flag}\""))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::plain(format!("required flag(s) {} not set", missing.join(", "))))
}

/// The words of a flag that may be repeated and takes several at once, split at commas.
pub fn words<'a>(call: &'a Call, flag: &str) -> Vec<&'a str> {
    call.flags
        .values(flag)
        .into_iter()
        .filter(|list| !list.is_empty())
        .flat_map(|list| list.split(','))
        .collect()
}
