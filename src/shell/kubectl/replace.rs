//! `kubectl replace`.

use super::call::{Call, DryRun, key};
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::NAMELESS;
use super::verb::{
    Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, VALIDATE, Verb, flags,
};
use super::watch::until_gone;
use crate::api::patch::last_applied::with_last_applied;
use crate::api::status::Reason;
use crate::api::value::Value;
use crate::cluster::{Actor, Request, Verb as Ask};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::shell::duration::duration;
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
    if !call.operands().is_empty() {
        return Err(call.usage_error(&format!("Unexpected args: [{}]", call.operands().join(" "))));
    }
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    call.field_validation()?;
    let force = call.has("force");
    if !force && call.number("grace-period").is_some_and(|seconds| seconds >= 0) {
        return Err(Failure::plain("--grace-period must have --force specified"));
    }
    if !force
        && call.flags.value("timeout").and_then(|text| duration(text).ok()).is_some_and(|it| !it.is_zero())
    {
        return Err(Failure::plain("--timeout must have --force specified"));
    }
    if call.flags.value("filename").is_none() {
        return Err(Failure::plain("must specify one of -f and -k"));
    }
    let found = manifests::read_in_order(&call).await;
    if found.is_empty() {
        return Err(Failure::plain("no objects passed to replace"));
    }
    if force {
        remove(&call, &found).await?;
    }
    let printer = Printer::new(&call, &format);
    let mut failures = Vec::new();
    for manifest in found {
        let replaced = manifest
            .and_then(
                |manifest| if force { make(&call, &manifest) } else { replace(&call, &manifest, dry_run) },
            )
            .and_then(|value| done(&call, &format, &printer, &value, "replaced"));
        failures.extend(replaced.err());
    }
    Failure::of(failures)
}

/// Deletes what is to be made anew, as far as it is there, and waits until it is gone.
async fn remove(call: &Call, found: &[Result<Manifest, Failure>]) -> Outcome {
    let mut options = super::delete::options(call)?;
    if options.grace_seconds == Some(0) {
        // Without a grace period of its own an object is deleted as always: the time of waiting is short enough.
        let given = call.number("grace-period").is_some_and(|seconds| seconds >= 0);
        options.grace_seconds = given.then_some(1);
    }
    for manifest in found.iter().flatten() {
        let old = match call.get(manifest.kind, &manifest.namespace, &manifest.name) {
            Ok(old) => old,
            Err(status) if status.reason == Reason::NotFound => continue,
            Err(status) => return Err(status.into()),
        };
        call.send(Request::new(Actor::User, Ask::Delete, &old.key).options(options.clone()))?;
        super::delete::say_deleted(call, &old.key, &options, DryRun::No);
        until_gone(call, &old.key, &old.meta.uid).await;
    }
    Ok(())
}

/// The document to send.
fn prepared(call: &Call, manifest: &Manifest) -> Value {
    let mut value = manifest.value.clone();
    record::annotate(call, &mut value);
    if call.has("save-config") { with_last_applied(&value) } else { value }
}

/// Makes an object anew.
fn make(call: &Call, manifest: &Manifest) -> Result<Value, Failure> {
    let made = call.create(manifest.kind, &manifest.namespace, prepared(call, manifest), DryRun::No)?;
    Ok(made.value.clone())
}

/// Replaces one object, or makes it where it is not there.
fn replace(call: &Call, manifest: &Manifest, dry_run: DryRun) -> Result<Value, Failure> {
    let value = prepared(call, manifest);
    if dry_run == DryRun::Client {
        return Ok(value);
    }
    if manifest.name.is_empty() {
        return Err(Failure::plain(NAMELESS).at_source("replacing", &manifest.source));
    }
    let key = key(manifest.kind, &manifest.namespace, &manifest.name);
    // Of some kinds the server makes an object that is not there.
    let replaced = call.update(&key, value, dry_run);
    replaced
        .map(|object| object.value.clone())
        .map_err(|status| Failure::from(status).at_source("replacing", &manifest.source))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn force_goes_with_its_flags() {
        const MADE: &str =
            "kubectl create cm a --dry-run=client -o yaml > a.yaml; kubectl create -f a.yaml >/dev/null; ";
        check(
            &format!("{MADE} kubectl replace -f a.yaml --grace-period=0"),
            "error: --grace-period must have --force specified",
            1,
        );
        check(
            &format!("{MADE} kubectl replace -f a.yaml --timeout=5s"),
            "error: --timeout must have --force specified",
            1,
        );
        check(&format!("{MADE} kubectl replace -f a.yaml --force -o name"), "configmap/a\nconfigmap/a", 0);
        check(
            "kubectl replace a b",
            "error: Unexpected args: [a b]\nSee 'kubectl replace -h' for help and examples",
            1,
        );
    }

    #[test]
    fn an_object_without_a_name_is_not_replaced() {
        check(
            "kubectl create cm a --dry-run=client -o yaml | sed 's/name: a/generateName: a-/' > g.yaml; kubectl replace -f g.yaml",
            "error: error when replacing \"g.yaml\": resource name may not be empty",
            1,
        );
    }
}
