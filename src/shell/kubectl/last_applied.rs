//! `kubectl apply view-last-applied` and `set-last-applied`: the annotation in which apply keeps manifests.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::output::{Format, Printer, done};
use super::resources::{Found, Reading, objects, queries};
use super::verb::{ALL, Action, DRY_RUN, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::api::json;
use crate::api::patch::last_applied::{LAST_APPLIED, with_last_applied};
use crate::api::value::Value;
use crate::cluster::Patch;
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::words::Words;

const YAML_OR_JSON: &[Flag] =
    &[option('o', "output", Argument::OneOf(&["json", "yaml"]), "the form of the output", "输出格式")];

const SETTING: &[Flag] = &[
    switch('\0', "create-annotation", "make the annotation where there is none", "没有该注解时创建"),
    option('f', "filename", Argument::File, "the manifest", "清单文件"),
];

/// `apply view-last-applied`.
pub static VIEW: Verb = Verb {
    name: "view-last-applied",
    aliases: &[],
    usage: "TYPE/NAME | TYPE NAME | -f FILE",
    summary: Words { en: "show the manifest that was applied last", zh: "显示最近一次应用的清单" },
    flags: flags![ALL, SELECTOR, YAML_OR_JSON, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(view(call))),
};

/// `apply set-last-applied`.
pub static SET: Verb = Verb {
    name: "set-last-applied",
    aliases: &[],
    usage: "-f FILE [--create-annotation]",
    summary: Words {
        en: "keep a manifest as the one applied last, and change nothing else",
        zh: "把清单记录为最近一次应用的内容，不修改其他字段",
    },
    flags: flags![SETTING, OUTPUT, DRY_RUN],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(set(call))),
};

async fn view(call: Call) -> Outcome {
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, mut failures) = objects(&call, &queries);
    if !matches!(call.text("output"), "" | "json" | "yaml") {
        return Err(call.usage_error(&format!(
            "Unexpected -o output mode: {}, the flag 'output' must be one of yaml|json",
            call.text("output")
        )));
    }
    let format = Format::of(&call, false)?;
    let format = if format.is_default() { Format::Yaml } else { format };
    let printer = Printer::new(&call, &format);
    for Found { object, .. } in found {
        match object.meta.annotation(LAST_APPLIED).and_then(|text| json::parse(text).ok()) {
            Some(applied) => printer.print(&applied)?,
            None => failures.push(Failure::plain(format!(
                "no last-applied-configuration annotation found on resource: {}",
                object.name()
            ))),
        }
    }
    Failure::of(failures)
}

async fn set(call: Call) -> Outcome {
    if call.flags.value("filename").is_none() {
        return Err(super::resources::nothing_named());
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && failures.is_empty() {
        return Err(Failure::plain("no objects passed to set-last-applied"));
    }
    Failure::of(failures)?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    let dry_run = call.dry_run()?;
    // All are looked at before the first is changed.
    let mut changes = Vec::new();
    for manifest in &manifests {
        changes.extend(change(&call, manifest)?.map(|text| (manifest, text)));
    }
    for (manifest, text) in changes {
        let key = super::call::key(manifest.kind, &manifest.namespace, &manifest.name);
        let mut patch = Value::map();
        patch.set_at(&["metadata", "annotations", LAST_APPLIED], text);
        let shown = if dry_run == DryRun::Client {
            manifest.value.clone()
        } else {
            call.patch(&key, Patch::Merge(patch), dry_run)?.value.clone()
        };
        done(&call, &format, &printer, &shown, "configured")?;
    }
    Ok(())
}

/// The annotation that an object is to get; none if it has it.
fn change(call: &Call, manifest: &Manifest) -> Result<Option<String>, Failure> {
    let object = call.get(manifest.kind, &manifest.namespace, &manifest.name)?;
    let name = object.name();
    let held = object.meta.annotation(LAST_APPLIED);
    if held.is_none() && !call.has("create-annotation") {
        return Err(Failure::plain(format!(
            "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command with --create-annotation"
        )));
    }
    let annotated = with_last_applied(&manifest.value);
    let text = annotated.at(&["metadata", "annotations", LAST_APPLIED]).str().to_owned();
    if held.is_some_and(|held| held == text.as_str()) {
        call.say(&format!("set-last-applied {name}: no changes required."));
        return Ok(None);
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const MADE: &str = "kubectl create cm a --from-literal=k=v --dry-run=client -o yaml > a.yaml; kubectl create -f a.yaml >/dev/null; ";

    #[test]
    fn the_annotation_is_set_and_shown() {
        check(
            &format!("{MADE} kubectl apply set-last-applied -f a.yaml"),
            "error: no last-applied-configuration annotation found on resource: a, to create the annotation, run the command with --create-annotation",
            1,
        );
        check(
            &format!(
                "{MADE} kubectl apply set-last-applied -f a.yaml --create-annotation; kubectl apply set-last-applied -f a.yaml; kubectl apply view-last-applied cm a -o json | grep k"
            ),
            "configmap/a configured\nset-last-applied a: no changes required.\n        \"k\": \"v\"\n    \"kind\": \"ConfigMap\",",
            0,
        );
        check(
            &format!("{MADE} kubectl apply view-last-applied cm a -o wide"),
            "error: Unexpected -o output mode: wide, the flag 'output' must be one of yaml|json\nSee 'kubectl apply view-last-applied -h' for help and examples",
            1,
        );
    }
}
