//! `kubectl delete`.

use std::time::Duration;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::Format;
use super::resources::{Found, Query, Reading, list_options, queries};
use super::verb::{
    ALL, ALL_NAMESPACES, Action, DRY_RUN, FIELD_SELECTOR, FILES, Operands, SELECTOR, Verb, flags,
};
use super::watch::until_gone;
use crate::api::object::Key;
use crate::api::status::Reason;
use crate::cluster::request::{Options, Propagation};
use crate::cluster::{Actor, Request, Verb as Ask};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::duration::duration;
use crate::shell::executor::{Either, first};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "grace-period", Value::Number, "seconds that a Pod has to end", "Pod 终止前的宽限秒数"),
    switch('\0', "now", "the same as --grace-period=1", "等同于 --grace-period=1"),
    switch('\0', "force", "do not wait for the kubelet", "不等待 kubelet 确认"),
    switch('\0', "wait", "wait until the objects are gone (the default)", "等待对象真正消失（默认）"),
    option('\0', "timeout", Value::Duration, "how long to wait", "最长等待时间"),
    switch('\0', "ignore-not-found", "what does not exist is no error", "对象不存在时不报错"),
    option(
        '\0',
        "cascade",
        Value::Optional("background"),
        "what happens to dependents: background, foreground or orphan",
        "如何处理从属对象：background、foreground 或 orphan",
    ),
    option('o', "output", Value::OneOf(&["name"]), "the form of the output", "输出格式"),
    not_simulated('i', "interactive", Value::None, "kubectl delete --dry-run=client"),
    not_simulated('\0', "raw", Value::Text, "kubectl delete TYPE NAME"),
];

/// `delete`.
pub static VERB: Verb = Verb {
    name: "delete",
    aliases: &[],
    usage: "TYPE NAME... | TYPE/NAME... | TYPE --all | -f FILE",
    summary: Words {
        en: "delete objects and wait until they are gone", zh: "删除对象并等待其消失"
    },
    flags: flags![OWN, SELECTOR, FIELD_SELECTOR, ALL, ALL_NAMESPACES, DRY_RUN, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: false, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, call.operands(), manifests, reading)?;
    delete(&call, &queries, failures).await
}

/// Deletes what queries mean, then waits until it is gone.
///
/// # Errors
/// Whatever could not be deleted.
pub async fn delete(call: &Call, queries: &[Query], mut failures: Vec<Failure>) -> Outcome {
    let options = options(call)?;
    if call.has("force") && options.grace_seconds == Some(0) {
        call.warn("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    let dry_run = call.dry_run()?;
    let format = Format::of(call, false)?;
    let mut waiting: Vec<(Key, String)> = Vec::new();
    let mut found_any = false;
    for query in queries {
        let targets = match targets(call, query) {
            Ok(targets) => targets,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        for target in targets {
            found_any = true;
            match delete_one(call, &target, &options, dry_run) {
                Ok(uid) => {
                    say_deleted(call, &target.object.key, &format, dry_run);
                    waiting.extend(uid.map(|uid| (target.object.key.clone(), uid)));
                }
                Err(failure) => failures.push(failure),
            }
        }
    }
    if !found_any && failures.is_empty() && !call.has("ignore-not-found") {
        call.say("No resources found");
    }
    if call.flags.value("wait") != Some("false") && dry_run == DryRun::No {
        wait_for(call, &waiting, &mut failures).await;
    }
    Failure::of(failures)
}

fn options(call: &Call) -> Result<Options, Failure> {
    let mut grace = call.number("grace-period").filter(|grace| *grace >= 0);
    if call.has("now") {
        grace = Some(1);
    }
    if call.has("force") && grace.is_none() {
        grace = Some(0);
    }
    if grace == Some(0) && !call.has("force") {
        // As kubectl: only --force deletes at once, else the server is asked for the shortest time.
        grace = Some(1);
    }
    let propagation = match call.flags.value("cascade") {
        None | Some("background" | "true") => Propagation::Background,
        Some("foreground") => Propagation::Foreground,
        Some("orphan" | "false") => Propagation::Orphan,
        Some(other) => {
            return Err(Failure::plain(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    Ok(Options { grace_seconds: grace, propagation, ..Options::default() })
}

/// The objects that a query means.
fn targets(call: &Call, query: &Query) -> Result<Vec<Found>, Failure> {
    match query {
        Query::Many { kind, namespace } => {
            let objects = call.list(*kind, namespace, list_options(call))?;
            let found = |object| Found { object, source: String::new() };
            Ok(objects.into_iter().map(found).collect())
        }
        Query::One { key, source, .. } => match call.get(key.kind, &key.namespace, &key.name) {
            Ok(object) => Ok(vec![Found { object, source: source.clone() }]),
            Err(status) if status.reason == Reason::NotFound && call.has("ignore-not-found") => {
                Ok(Vec::new())
            }
            Err(status) => Err(Failure::from(status).at_source("deleting", source)),
        },
    }
}

/// Deletes one object. Gives its uid if it is not gone at once.
fn delete_one(
    call: &Call,
    target: &Found,
    options: &Options,
    dry_run: DryRun,
) -> Result<Option<String>, Failure> {
    if dry_run == DryRun::Client {
        return Ok(None);
    }
    let key = &target.object.key;
    let options = Options { dry_run: dry_run == DryRun::Server, ..options.clone() };
    let request = Request::new(Actor::User, Ask::Delete, key).options(options);
    call.send(request).map_err(|status| Failure::from(status).at_source("deleting", &target.source))?;
    Ok(Some(target.object.meta.uid.to_string()))
}

fn say_deleted(call: &Call, key: &Key, format: &Format, dry_run: DryRun) {
    if matches!(format, Format::Name) {
        call.say(&super::resources::named(key));
        return;
    }
    let what = if call.declares("force") && call.has("force") { "force deleted" } else { "deleted" };
    let place =
        if key.namespace.is_empty() { String::new() } else { format!(" from {} namespace", key.namespace) };
    let resource = key.kind.info().group_singular();
    call.say(&format!("{resource} \"{}\" {what}{place}{}", key.name, dry_run.suffix()));
}

async fn wait_for(call: &Call, waiting: &[(Key, String)], failures: &mut Vec<Failure>) {
    let timeout =
        call.flags.value("timeout").and_then(|text| duration(text).ok()).filter(|time| !time.is_zero());
    for (key, uid) in waiting {
        let gone = until_gone(call, key, uid);
        match timeout {
            None => gone.await,
            Some(timeout) => {
                if let Either::Right(()) = first(gone, call.invocation.sleep(timeout)).await {
                    let info = key.kind.info();
                    failures.push(Failure::plain(format!(
                        "timed out waiting for the condition on {}/{}",
                        info.plural, key.name
                    )));
                }
            }
        }
    }
    // One look at the world after it has settled what follows from the deletions.
    call.invocation.sleep(Duration::ZERO).await;
}
