//! `kubectl replace`.

use super::call::{Call, DryRun, key};
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::verb::{
    Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, VALIDATE, Verb, flags,
};
use super::watch::until_gone;
use crate::api::patch::last_applied::with_last_applied;
use crate::api::status::Reason;
use crate::api::value::Value;
use crate::cluster::{Actor, Request, Verb as Ask};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    switch('\0', "force", "delete the object and make it anew", "删除并重新创建对象"),
    option('\0', "grace-period", Argument::Number, "seconds that a Pod has to end", "Pod 终止前的宽限秒数"),
    option('\0', "timeout", Argument::Duration, "how long to wait", "最长等待时间"),
    switch('\0', "wait", "wait until the old object is gone", "等待旧对象消失"),
    option(
        '\0',
        "cascade",
        Argument::Optional("background"),
        "what happens to dependents",
        "如何处理从属对象",
    ),
    not_simulated('\0', "raw", Argument::Text, "kubectl replace -f"),
    not_simulated('\0', "subresource", Argument::Text, "kubectl patch --subresource"),
];

/// `replace`.
pub static VERB: Verb = Verb {
    name: "replace",
    aliases: &[],
    usage: "-f FILE",
    summary: Words { en: "replace objects by those of manifests", zh: "用清单替换对象" },
    flags: flags![OWN, RECORD, OUTPUT, DRY_RUN, VALIDATE, SAVE_CONFIG, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    if let Some(word) = call.operands().first() {
        return Err(call.usage_error(&format!("Unexpected args: [{word}]")));
    }
    if call.flags.value("filename").is_none() {
        return Err(Failure::plain("must specify one of -f and -k"));
    }
    let (manifests, mut failures) = manifests::read(&call).await;
    if manifests.is_empty() && failures.is_empty() {
        return Err(Failure::plain("no objects passed to replace"));
    }
    if call.has("force") {
        for manifest in &manifests {
            remove(&call, manifest).await?;
        }
    }
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for manifest in &manifests {
        match replace(&call, manifest, dry_run) {
            Ok(value) => done(&call, &format, &printer, &value, "replaced")?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

/// Deletes what is to be made anew.
async fn remove(call: &Call, manifest: &Manifest) -> Outcome {
    let old = match call.get(manifest.kind, &manifest.namespace, &manifest.name) {
        Ok(old) => old,
        Err(status) if status.reason == Reason::NotFound => return Ok(()),
        Err(status) => return Err(status.into()),
    };
    call.send(Request::new(Actor::User, Ask::Delete, &old.key))?;
    let place = if old.namespace().is_empty() {
        String::new()
    } else {
        format!(" from {} namespace", old.namespace())
    };
    call.say(&format!("{} \"{}\" deleted{place}", old.key.kind.info().group_singular(), old.name()));
    until_gone(call, &old.key, &old.meta.uid).await;
    Ok(())
}

/// Replaces one object, or makes it where it is not there.
fn replace(call: &Call, manifest: &Manifest, dry_run: DryRun) -> Result<Value, Failure> {
    let mut value = manifest.value.clone();
    record::annotate(call, &mut value);
    if call.has("save-config") {
        value = with_last_applied(&value);
    }
    if dry_run == DryRun::Client {
        return Ok(value);
    }
    let key = key(manifest.kind, &manifest.namespace, &manifest.name);
    // Of some kinds the server makes an object that is not there.
    let replaced = call.update(&key, value, dry_run);
    replaced
        .map(|object| object.value.clone())
        .map_err(|status| Failure::from(status).at_source("replacing", &manifest.source))
}
