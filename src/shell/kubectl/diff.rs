//! `kubectl diff`: what `kubectl apply` would change, as `diff -u` shows it.

use super::apply::merged;
use super::call::Call;
use super::failure::{Failure, Outcome};
use super::manifests::{self, Manifest};
use super::verb::{Action, FIELD_MANAGER, FILES, Operands, SELECTOR, Verb, flags};
use crate::api::value::Value;
use crate::api::{line_diff, yaml};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::words::Words;

/// Exit status when something differs, and when it could not be compared.
const DIFFERS: i32 = 1;
const TROUBLE: i32 = 2;

const OWN: &[Flag] = &[
    option('\0', "concurrency", Argument::Number, "how many objects at once", "同时比较的对象数"),
    switch('\0', "show-managed-fields", "compare managedFields as well", "同时比较 managedFields"),
    not_simulated('\0', "force-conflicts", Argument::None, "kubectl diff -f FILE"),
    not_simulated('\0', "server-side", Argument::None, "kubectl diff -f FILE"),
    not_simulated('\0', "prune", Argument::None, "kubectl diff -f FILE"),
    not_simulated('\0', "prune-allowlist", Argument::Text, "kubectl diff -f FILE"),
];

/// `diff`.
pub static VERB: Verb = Verb {
    name: "diff",
    aliases: &[],
    usage: "-f FILE",
    summary: Words { en: "show what apply would change", zh: "显示 apply 将带来的变化" },
    flags: flags![OWN, SELECTOR, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let trouble = |failure| Failure::With(TROUBLE, Box::new(failure));
    if call.flags.value("filename").is_none() {
        return Err(trouble(Failure::plain("must specify one of -f and -k")));
    }
    let (manifests, failures) = manifests::read(&call).await;
    Failure::of(failures).map_err(trouble)?;
    let mut text = String::new();
    let (live_folder, merged_folder) = (folder(&call, "LIVE"), folder(&call, "MERGED"));
    for manifest in &manifests {
        let (live, merged) = merged(&call, manifest).map_err(trouble)?;
        let (live, merged) = (document(&live), document(&merged));
        if live == merged {
            continue;
        }
        let file = file_name(manifest);
        let (from, to) = (format!("{live_folder}/{file}"), format!("{merged_folder}/{file}"));
        let time = call.host().with(|simulation| simulation.cluster.timestamp().to_string());
        let time = time.replace('T', " ").replace('Z', ".000000000 +0000");
        text.push_str(&format!("diff -u -N {from} {to}\n--- {from}\t{time}\n+++ {to}\t{time}\n"));
        text.push_str(&line_diff::unified(&live, &merged));
    }
    call.write(&text);
    if text.is_empty() { Ok(()) } else { Err(Failure::Status(DIFFERS)) }
}

/// A folder of temporary files as messages name it.
fn folder(call: &Call, side: &str) -> String {
    format!("/tmp/{side}-{}", call.host().random(u32::MAX))
}

fn file_name(manifest: &Manifest) -> String {
    let info = manifest.kind.info();
    let group = if info.group.is_empty() { String::new() } else { format!("{}.", info.group) };
    format!("{group}{}.{}.{}.{}", info.version, info.name, manifest.namespace, manifest.name)
}

fn document(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    let mut value = value.clone();
    value.field_mut("metadata").remove("managedFields");
    yaml::write(&value)
}
