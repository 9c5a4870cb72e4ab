//! `kubectl apply`: three-way merge with the manifest that was applied last.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::NAMELESS;
use super::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SELECTOR, VALIDATE, Verb, flags,
};
use super::watch::until_gone;
use crate::api::json;
use crate::api::object::Object;
use crate::api::patch::diff::three_way;
use crate::api::patch::last_applied::{LAST_APPLIED, with_last_applied};
use crate::api::schema::schema;
use crate::api::status::Reason;
use crate::api::value::Value;
use crate::cluster::{Actor, Patch, Request, Verb as Ask};
use crate::shell::command::{Flag, not_simulated, option, switch};
use crate::value;
use crate::words::Words;
use std::sync::Arc;

const OWN: &[Flag] = &[
    switch('\0', "force", "delete and create again what cannot be changed", "无法修改时删除并重建"),
    switch(
        '\0',
        "overwrite",
        "prefer the manifest where it differs (the default)",
        "冲突时以清单为准（默认）",
    ),
    switch('\0', "wait", "wait until what is removed is gone", "等待被移除的对象消失"),
    not_simulated('\0', "server-side", crate::shell::command::Value::None, "kubectl apply -f FILE"),
    not_simulated('\0', "force-conflicts", crate::shell::command::Value::None, "kubectl apply -f FILE"),
    switch(
        '\0',
        "prune",
        "delete what was applied before and is in no manifest now; with --all or -l",
        "删除之前应用过、但不在当前清单中的对象；需配合 --all 或 -l",
    ),
    option(
        '\0',
        "prune-allowlist",
        crate::shell::command::Value::Text,
        "GROUP/VERSION/KIND to prune, instead of the usual ones; core for the core group",
        "要清理的 组/版本/类型，替代默认列表；core 表示核心组",
    ),
    not_simulated('\0', "openapi-patch", crate::shell::command::Value::None, ""),
    not_simulated(
        '\0',
        "cascade",
        crate::shell::command::Value::Optional("background"),
        "kubectl delete --cascade",
    ),
    not_simulated('\0', "subresource", crate::shell::command::Value::Text, "kubectl patch --subresource"),
    not_simulated(
        '\0',
        "grace-period",
        crate::shell::command::Value::Number,
        "kubectl delete --grace-period",
    ),
    not_simulated('\0', "timeout", crate::shell::command::Value::Duration, "kubectl wait"),
];

/// `apply`.
pub static VERB: Verb = Verb {
    name: "apply",
    aliases: &[],
    usage: "-f FILE",
    summary: Words {
        en: "create or change objects to be as manifests say", zh: "按清单创建或更新对象"
    },
    flags: flags![OWN, RECORD, ALL, SELECTOR, OUTPUT, DRY_RUN, VALIDATE, FIELD_MANAGER, FILES],
    children: &[
        &super::unsupported::EDIT_LAST_APPLIED,
        &super::last_applied::SET,
        &super::last_applied::VIEW,
    ],
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
    if call.flags.value("filename").is_none() {
        return Err(Failure::plain("must specify one of -f and -k"));
    }
    if call.has("force") && dry_run == DryRun::Server {
        return Err(Failure::plain("--dry-run=server cannot be used with --force"));
    }
    if call.has("all") && !call.text("selector").is_empty() {
        return Err(Failure::plain("cannot set --all and --selector at the same time"));
    }
    let prunes = super::prune::kinds(&call)?;
    let mut manifests = Vec::new();
    let mut failures = Vec::new();
    for found in manifests::selected(&call, manifests::read_in_order(&call).await)? {
        match found {
            Ok(manifest) => manifests.push(manifest),
            Err(failure) => failures.push(failure),
        }
    }
    if manifests.is_empty() && failures.is_empty() {
        return Err(Failure::plain("no objects passed to apply"));
    }
    let printer = Printer::new(&call, &format);
    // Whole objects are printed together.
    let shows_objects = !matches!(format, Format::Default | Format::Name);
    let mut applied_objects = Vec::new();
    for manifest in &manifests {
        let mut applied = apply(&call, manifest, dry_run);
        if let Err(Failure::Server(status)) = &applied
            && call.has("force")
            && matches!(status.reason, Reason::Invalid | Reason::Conflict)
            && let Ok(current) = call.get(manifest.kind, &manifest.namespace, &manifest.name)
        {
            applied = make_anew(&call, manifest, &current).await;
        }
        match applied {
            Ok((object, _)) if shows_objects => applied_objects.push(object),
            Ok((object, what)) => done(&call, &format, &printer, &object, what)?,
            Err(failure) => failures.push(failure),
        }
    }
    match applied_objects.as_slice() {
        [] => {}
        [one] => printer.print(one)?,
        _ => {
            let list =
                value!({ "apiVersion": "v1", "items": applied_objects, "kind": "List", "metadata": {} });
            printer.print(&list)?;
        }
    }
    if let Some(kinds) = prunes.filter(|_| failures.is_empty()) {
        super::prune::prune(&call, &kinds, &manifests, &format, dry_run)?;
    }
    Failure::of(failures)
}

/// What `--force` does where an object cannot be changed: deletes it and creates it again, as it was if the
/// server does not take the new one.
async fn make_anew(
    call: &Call,
    manifest: &Manifest,
    current: &Arc<Object>,
) -> Result<(Value, &'static str), Failure> {
    call.send(Request::new(Actor::User, Ask::Delete, &current.key))?;
    until_gone(call, &current.key, &current.meta.uid).await;
    match call.create(manifest.kind, &manifest.namespace, prepared(call, manifest), DryRun::No) {
        Ok(object) => Ok((object.value.clone(), "configured")),
        Err(status) => {
            let mut old = current.value.clone();
            old.field_mut("metadata").remove("resourceVersion");
            call.create(manifest.kind, &manifest.namespace, old, DryRun::No)?;
            Err(status.into())
        }
    }
}

/// A manifest as it is sent: with itself in an annotation.
fn prepared(call: &Call, manifest: &Manifest) -> Value {
    let mut modified = manifest.value.clone();
    record::annotate(call, &mut modified);
    with_last_applied(&modified)
}

/// Applies one manifest: the object afterwards, and what was done to it.
fn apply(call: &Call, manifest: &Manifest, dry_run: DryRun) -> Result<(Value, &'static str), Failure> {
    let metadata = manifest.value.get("metadata");
    if manifest.name.is_empty() && !metadata.get("generateName").is_empty() {
        let prefix = metadata.get("generateName").str();
        return Err(Failure::plain(format!("from {prefix}: cannot use generate name with apply")));
    }
    let modified = prepared(call, manifest);
    if manifest.name.is_empty() {
        return Err(retrieving(manifest, NAMELESS));
    }
    if let Some(why) = super::resources::unusable_name(&manifest.name) {
        return Err(retrieving(manifest, &format!("invalid resource name \"{}\": [{why}]", manifest.name)));
    }
    match call.get(manifest.kind, &manifest.namespace, &manifest.name) {
        // Nothing is compared here: what is would have to be worked out by the server.
        Ok(current) if dry_run == DryRun::Client => Ok((current.value.clone(), "configured")),
        Ok(current) => change(call, manifest, &current, &modified, dry_run),
        Err(status) if status.reason == Reason::NotFound => {
            if dry_run == DryRun::Client {
                return Ok((modified, "created"));
            }
            call.create(manifest.kind, &manifest.namespace, modified, dry_run)
                .map(|object| (object.value.clone(), "created"))
                .map_err(|status| Failure::from(status).at_source("creating", &manifest.source))
        }
        Err(status) => Err(retrieving(manifest, &status.message)),
    }
}

/// An object as it is and as apply would make it, for `kubectl diff`; null for one that does not exist.
///
/// # Errors
/// What the server refuses.
pub fn merged(call: &Call, manifest: &Manifest) -> Result<(Value, Value), Failure> {
    let current = match call.get(manifest.kind, &manifest.namespace, &manifest.name) {
        Ok(current) => current,
        Err(status) if status.reason == Reason::NotFound => {
            let made =
                call.create(manifest.kind, &manifest.namespace, manifest.value.clone(), DryRun::Server)?;
            return Ok((Value::Null, made.value.clone()));
        }
        Err(status) => return Err(retrieving(manifest, &status.message)),
    };
    let info = manifest.kind.info();
    let last = current.meta.annotation(LAST_APPLIED).and_then(|text| json::parse(text).ok());
    let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
    // As the annotation has it: with annotations, be they empty, and without itself.
    let mut modified = manifest.value.clone();
    modified.field_mut("metadata").field_mut("annotations").map_mut().remove(LAST_APPLIED);
    let patch = three_way(&last.unwrap_or_default(), &modified, &current.value, type_id)
        .map_err(|why| Failure::plain(why.message))?;
    let merged = call
        .patch(&current.key, Patch::Strategic(patch.clone()), DryRun::Server)
        .map_err(|status| applying(status.into(), manifest, &patch))?;
    Ok((current.value.clone(), merged.value.clone()))
}

fn retrieving(manifest: &Manifest, why: &str) -> Failure {
    Failure::plain(format!(
        "error when retrieving current configuration of:\n{}\nfrom server for: \"{}\": {why}",
        described(manifest),
        manifest.source
    ))
}

/// A manifest as errors of apply describe it.
fn described(manifest: &Manifest) -> String {
    let info = manifest.kind.info();
    let group_version =
        if info.group.is_empty() { format!("/{}", info.version) } else { info.api_version.to_owned() };
    format!(
        "Resource: \"{group_version}, Resource={}\", GroupVersionKind: \"{group_version}, Kind={}\"\nName: \"{}\", Namespace: \"{}\"",
        info.plural, info.name, manifest.name, manifest.namespace
    )
}

/// Changes an object that exists.
fn change(
    call: &Call,
    manifest: &Manifest,
    current: &Arc<Object>,
    modified: &Value,
    dry_run: DryRun,
) -> Result<(Value, &'static str), Failure> {
    let info = manifest.kind.info();
    let last = current.meta.annotation(LAST_APPLIED);
    if last.is_none() {
        call.warn(&format!(
            "resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            info.plural,
            current.name()
        ));
    }
    let last = last.and_then(|text| json::parse(text).ok()).unwrap_or_default();
    let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
    let failed = |failure: Failure, patch: &Value| applying(failure, manifest, patch);
    let patch = three_way(&last, modified, &current.value, type_id)
        .map_err(|why| failed(Failure::plain(why.message), &Value::map()))?;
    let (after, what) = if patch.entries().is_empty() {
        (Arc::clone(current), "unchanged")
    } else {
        let patched = call.patch(&current.key, Patch::Strategic(patch.clone()), dry_run);
        (patched.map_err(|status| failed(status.into(), &patch))?, "configured")
    };
    if after.is_terminating() {
        call.warn(&format!(
            "Detected changes to resource {} which is currently being deleted.",
            after.name()
        ));
    }
    Ok((after.value.clone(), what))
}

/// An error while a patch was applied, with the patch and the object that it was meant for.
fn applying(failure: Failure, manifest: &Manifest, patch: &Value) -> Failure {
    let words = format!(
        "error when applying patch:\n{}\nto:\n{}\nfor: \"{}\": ",
        json::compact(patch),
        described(manifest),
        manifest.source
    );
    match failure {
        Failure::Server(mut status) => {
            status.message = format!("{words}{}", status.message);
            Failure::Server(status)
        }
        Failure::Plain(text) => Failure::Plain(format!("{words}{text}")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const MADE: &str = "kubectl create deployment web --image=nginx --dry-run=client -o yaml > a.yaml; sed 's/app: web/app: new/' a.yaml > b.yaml; kubectl apply -f a.yaml >/dev/null; ";

    #[test]
    fn what_cannot_be_changed_is_made_anew_by_force() {
        check(
            &format!(
                "{MADE} kubectl apply -f b.yaml --force; kubectl get deploy web -o jsonpath='{{.spec.selector.matchLabels.app}}'"
            ),
            "deployment.apps/web configured\nnew",
            0,
        );
        check(
            &format!("{MADE} kubectl apply -f b.yaml --force --dry-run=server"),
            "error: --dry-run=server cannot be used with --force",
            1,
        );
    }

    #[test]
    fn nothing_is_compared_without_the_server() {
        check(
            &format!("{MADE} kubectl apply -f a.yaml --dry-run=client"),
            "deployment.apps/web configured (dry run)",
            0,
        );
        check(&format!("{MADE} kubectl apply -f a.yaml"), "deployment.apps/web unchanged", 0);
    }

    #[test]
    fn several_objects_are_printed_as_a_list() {
        check(
            "kubectl create cm a --dry-run=client -o yaml > a.yaml; kubectl create cm b --dry-run=client -o yaml > b.yaml; kubectl apply -f '*.yaml' -o jsonpath='{.kind} {.items[*].metadata.name}'",
            "List a b",
            0,
        );
    }

    #[test]
    fn files_are_selected_by_labels() {
        check(&format!("{MADE} kubectl apply -f a.yaml -l x=y"), "error: no objects passed to apply", 1);
        check(&format!("{MADE} kubectl apply -f a.yaml -l app=web"), "deployment.apps/web unchanged", 0);
    }
}
