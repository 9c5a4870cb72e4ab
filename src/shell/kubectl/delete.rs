//! `kubectl delete`.

use std::time::Duration;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::resources::{Found, NAMELESS, Query, Reading, list_options, queries};
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
    option('o', "output", Value::OneOf(&["name"]), "the form of the output: name", "输出格式：name"),
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
    let options = options(&call)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: false, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, call.operands(), manifests, reading)?;
    if !matches!(call.text("output"), "" | "name") {
        return Err(Failure::plain(format!(
            "unexpected -o output mode: {}. We only support '-o name'",
            call.text("output")
        )));
    }
    match (call.has("force"), options.grace_seconds) {
        (true, Some(0)) => call.warn("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely."),
        (true, _) => {
            return Err(Failure::plain(
                "--force and --grace-period greater than 0 cannot be specified together",
            ));
        }
        _ => {}
    }
    if call.namespace_given() && !call.has("all-namespaces") && queries.iter().any(is_cluster_scoped) {
        call.warn("deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    delete(&call, &queries, &options, failures).await
}

fn is_cluster_scoped(query: &Query) -> bool {
    !query.kind().info().namespaced
}

/// Deletes what queries mean, then waits until it is gone.
///
/// # Errors
/// Whatever could not be deleted.
pub async fn delete(
    call: &Call,
    queries: &[Query],
    options: &Options,
    mut failures: Vec<Failure>,
) -> Outcome {
    let dry_run = call.dry_run()?;
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
        found_any |= matches!(query, Query::One { .. });
        for target in targets {
            found_any = true;
            match delete_one(call, &target, options, dry_run) {
                Ok(uid) => {
                    say_deleted(call, &target.object.key, options, dry_run);
                    waiting.extend(uid.map(|uid| (target.object.key.clone(), uid)));
                }
                Err(failure) => failures.push(failure),
            }
        }
    }
    if !found_any && failures.is_empty() {
        call.say("No resources found");
    }
    if call.flags.value("wait") != Some("false") && dry_run == DryRun::No {
        wait_for(call, &waiting, &mut failures).await;
    }
    Failure::of(failures)
}

/// What the flags ask of the server.
///
/// # Errors
/// Flags that contradict each other, or a way of cascading that does not exist.
pub fn options(call: &Call) -> Result<Options, Failure> {
    let mut grace = call.number("grace-period").filter(|grace| *grace >= 0);
    if call.declares("now") && call.has("now") {
        if call.number("grace-period").is_some_and(|seconds| seconds != -1) {
            return Err(Failure::plain("--now and --grace-period cannot be specified together"));
        }
        grace = Some(1);
    }
    match (call.has("force"), grace) {
        // As kubectl: only --force deletes at once, else the server is asked for the shortest time.
        (false, Some(0)) => grace = Some(1),
        (true, None) => grace = Some(0),
        _ => {}
    }
    Ok(Options { grace_seconds: grace, propagation: propagation(call)?, ..Options::default() })
}

/// What `--cascade` says; as a boolean it is old, and warned of.
fn propagation(call: &Call) -> Result<Propagation, Failure> {
    let given = call.flags.value("cascade").unwrap_or("background");
    let old = |way: &str| {
        call.complain(&format!(
            "warning: --cascade={given} is deprecated (boolean value) and can be replaced with --cascade={way}."
        ));
    };
    match (given, crate::shell::flags::boolean(given)) {
        ("background", _) => Ok(Propagation::Background),
        ("foreground", _) => Ok(Propagation::Foreground),
        ("orphan", _) => Ok(Propagation::Orphan),
        (_, Some(true)) => {
            old("background");
            Ok(Propagation::Background)
        }
        (_, Some(false)) => {
            old("orphan");
            Ok(Propagation::Orphan)
        }
        (other, None) => Err(Failure::plain(format!(
            "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
        ))),
    }
}

/// The objects that a query means.
fn targets(call: &Call, query: &Query) -> Result<Vec<Found>, Failure> {
    match query {
        Query::Many { kind, namespace } => {
            let objects = call.list(*kind, namespace, list_options(call))?;
            let found = |object| Found { object, source: String::new() };
            Ok(objects.into_iter().map(found).collect())
        }
        Query::One { key, source, .. } if key.name.is_empty() => {
            Err(Failure::plain(NAMELESS).at_source("deleting", source))
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

/// Says that an object was deleted.
pub fn say_deleted(call: &Call, key: &Key, options: &Options, dry_run: DryRun) {
    if call.text("output") == "name" {
        call.say(&super::resources::named(key));
        return;
    }
    let what = if options.grace_seconds == Some(0) { "force deleted" } else { "deleted" };
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

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        for (flags, why) in [
            ("svc --all -l a=b", "setting 'all' parameter but found a non empty selector. "),
            ("pod x --now --grace-period=3", "--now and --grace-period cannot be specified together"),
            (
                "pod x --force --grace-period=3",
                "--force and --grace-period greater than 0 cannot be specified together",
            ),
            ("pod x -o yaml", "unexpected -o output mode: yaml. We only support '-o name'"),
            ("pod x -A", "a resource cannot be retrieved by name across all namespaces"),
            ("all x", "you must specify only one resource"),
        ] {
            check(&format!("kubectl delete {flags}"), &format!("error: {why}"), 1);
        }
    }

    #[test]
    fn what_is_selected_and_not_there_is_said() {
        check("kubectl delete pods --all --ignore-not-found", "No resources found", 0);
        check("kubectl delete pod x --ignore-not-found", "", 0);
        check(
            "kubectl delete svc,cm x",
            "Error from server (NotFound): services \"x\" not found\nError from server (NotFound): configmaps \"x\" not found",
            1,
        );
    }

    #[test]
    fn old_ways_and_wide_reach_are_warned_of() {
        check(
            "kubectl create cm a >/dev/null; kubectl delete cm a --cascade=false",
            "warning: --cascade=false is deprecated (boolean value) and can be replaced with --cascade=orphan.\nconfigmap \"a\" deleted from default namespace",
            0,
        );
        check(
            "kubectl delete node k8s-w1 -n default --dry-run=client",
            "Warning: deleting cluster-scoped resources, not scoped to the provided namespace\nnode \"k8s-w1\" deleted (dry run)",
            0,
        );
    }
}
