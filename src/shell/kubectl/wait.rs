//! `kubectl wait`.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, key};
use super::failure::{Failure, Outcome};
use super::jsonpath::{Template, text_of};
use super::manifests;
use super::output::{Format, Printer, done};
use super::resources::{Found, Query, Reading, objects, queries};
use super::verb::{
    ALL, ALL_NAMESPACES, Action, FIELD_SELECTOR, OUTPUT, Operands, PLAIN_FILES, SELECTOR, Verb, flags,
};
use super::watch::until_gone;
use crate::api::object::Object;
use crate::api::value::Value;
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
use crate::shell::duration::duration;
use crate::shell::executor::{Either, first};
use crate::words::Words;

/// How long is waited unless a flag says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

const OWN: &[Flag] = &[
    option(
        '\0',
        "for",
        Argument::Text,
        "delete, create, condition=NAME[=VALUE] or jsonpath=PATH[=VALUE]",
        "delete、create、condition=名称[=值] 或 jsonpath=路径[=值]",
    ),
    option('\0', "timeout", Argument::Duration, "how long to wait", "最长等待时间"),
    not_simulated('\0', "local", Argument::None, "kubectl wait -f FILE"),
];

/// `wait`.
pub static VERB: Verb = Verb {
    name: "wait",
    aliases: &[],
    usage: "TYPE/NAME --for=CONDITION",
    summary: Words { en: "wait until objects are as asked for", zh: "等待对象满足条件" },
    flags: flags![OWN, ALL, ALL_NAMESPACES, SELECTOR, FIELD_SELECTOR, OUTPUT, PLAIN_FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

/// What is said of an object that is as it was waited for.
const MET: &str = "condition met";

/// What is waited for.
enum Goal {
    Deleted,
    Created,
    Condition { name: String, value: String },
    Path { template: Template, value: Option<String> },
}

async fn run(call: Call) -> Outcome {
    let goal = goal(call.text("for"))?;
    let timeout = match call.flags.value("timeout") {
        Some(text) => duration(text).map_err(Failure::plain)?,
        None => TIMEOUT,
    };
    let format = Format::of(&call, false)?;
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: false, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, call.operands(), manifests, reading)?;
    match goal {
        Goal::Created => wait_created(&call, &format, &queries, timeout).await,
        goal => wait_for(&call, &format, &queries, &goal, timeout).await,
    }
}

fn goal(text: &str) -> Result<Goal, Failure> {
    let lower = text.to_ascii_lowercase();
    if lower == "delete" {
        return Ok(Goal::Deleted);
    }
    if lower == "create" {
        return Ok(Goal::Created);
    }
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, value) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(Goal::Condition { name: name.to_owned(), value: value.to_owned() });
    }
    if let Some(path) = text.strip_prefix("jsonpath=") {
        return path_goal(path);
    }
    let shown = if text.is_empty() { String::new() } else { format!("{text:?}") };
    Err(Failure::plain(format!("unrecognized condition: [{shown}]")))
}

/// A path and the value that is waited for, if one is: what stands behind a single `=`.
fn path_goal(text: &str) -> Result<Goal, Failure> {
    let mut parts = vec![String::new()];
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let piece = if rest.starts_with("==") { "==" } else { &rest[..letter.len_utf8()] };
        match (piece, parts.last_mut()) {
            ("=", _) => parts.push(String::new()),
            (piece, Some(part)) => part.push_str(piece),
            (_, None) => {}
        }
        rest = &rest[piece.len()..];
    }
    let (path, value) = match parts.as_slice() {
        [path] => (path, None),
        [path, value] => (path, Some(value.trim_matches(['\'', '"']).to_owned())),
        _ => {
            return Err(Failure::plain(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
            ));
        }
    };
    if value.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::plain(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        ));
    }
    if path.is_empty() {
        return Err(Failure::plain("jsonpath expression cannot be empty"));
    }
    Ok(Goal::Path { template: Template::relaxed(path).map_err(Failure::plain)?, value })
}

async fn wait_created(call: &Call, format: &Format, queries: &[Query], timeout: Duration) -> Outcome {
    let printer = Printer::new(call, format);
    for query in queries {
        let looking = call.host().until(|simulation| match query {
            Query::One { key, .. } => simulation.cluster.get(key).cloned(),
            Query::Many { kind, namespace } => {
                let namespace = Some(namespace.as_str()).filter(|namespace| !namespace.is_empty());
                simulation.cluster.list(*kind, namespace).next().cloned()
            }
        });
        match first(looking, call.invocation.sleep(timeout)).await {
            Either::Left(object) => done(call, format, &printer, &object.value, MET)?,
            Either::Right(()) => return Err(Failure::plain("timed out waiting for the condition")),
        }
    }
    Ok(())
}

async fn wait_for(
    call: &Call,
    format: &Format,
    queries: &[Query],
    goal: &Goal,
    timeout: Duration,
) -> Outcome {
    let printer = Printer::new(call, format);
    let (found, mut failures) = objects(call, queries);
    if matches!(goal, Goal::Deleted) {
        failures.retain(|failure| !failure.is_not_found());
    }
    if found.is_empty() && failures.is_empty() && !matches!(goal, Goal::Deleted) {
        return Err(Failure::plain("no matching resources found"));
    }
    let deadline = call.host().now() + u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
    for Found { object, .. } in &found {
        let reached = reach(call, object, goal);
        match first(reached, call.host().sleep_until(deadline)).await {
            Either::Left(Ok(())) => {
                let now = call.get(object.key.kind, object.namespace(), object.name());
                let now = now.unwrap_or_else(|_| Arc::clone(object));
                done(call, format, &printer, &now.value, MET)?;
            }
            Either::Left(Err(failure)) => failures.push(failure),
            Either::Right(()) => {
                let info = object.key.kind.info();
                let what = if timeout.is_zero() {
                    "condition not met for"
                } else {
                    "timed out waiting for the condition on"
                };
                failures.push(Failure::plain(format!("{what} {}/{}", info.plural, object.name())));
            }
        }
    }
    Failure::of(failures)
}

/// Waits until an object is as the goal says.
async fn reach(call: &Call, object: &Object, goal: &Goal) -> Outcome {
    if matches!(goal, Goal::Deleted) {
        until_gone(call, &object.key, &object.meta.uid).await;
        return Ok(());
    }
    let wanted = key(object.key.kind, object.namespace(), object.name());
    call.host()
        .until(|simulation| match simulation.cluster.get(&wanted) {
            None => {
                let status = crate::api::status::Status::not_found(wanted.kind, &wanted.name);
                Some(Err(status.into()))
            }
            Some(object) => holds(object, goal).then_some(Ok(())),
        })
        .await
}

/// Whether a condition was observed of the object as it is now, not of an older generation.
fn is_current(object: &Object, condition: &Value) -> bool {
    let observed = condition.get("observedGeneration").as_int();
    let observed = observed.or_else(|| object.status().get("observedGeneration").as_int());
    let generation = object.value.at(&["metadata", "generation"]).as_int().unwrap_or(0);
    observed.is_none_or(|observed| observed >= generation)
}

fn holds(object: &Object, goal: &Goal) -> bool {
    match goal {
        Goal::Condition { name, value } => {
            object.status().get("conditions").items().iter().any(|condition| {
                condition.get("type").str().eq_ignore_ascii_case(name)
                    && is_current(object, condition)
                    && condition.get("status").str().eq_ignore_ascii_case(value)
            })
        }
        Goal::Path { template, value } => {
            let found = template.results(&object.value).unwrap_or_default();
            match (found.as_slice(), value) {
                ([], _) => false,
                (_, None) => true,
                ([one], Some(value)) => text_of(one).trim() == value.as_str(),
                _ => false,
            }
        }
        Goal::Deleted | Goal::Created => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn conditions_are_waited_for_on_virtual_time() {
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl wait --for=condition=available deployment/web --timeout=60s",
            "deployment.apps/web condition met",
            0,
        );
        check(
            "kubectl create deployment web --image=nginx --replicas=2 >/dev/null; kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/web",
            "deployment.apps/web condition met",
            0,
        );
        check(
            "kubectl run a --image=nginx >/dev/null; sleep 5; kubectl delete pod a --wait=false >/dev/null; kubectl wait --for=delete pod/a --timeout=60s",
            "pod/a condition met",
            0,
        );
    }

    #[test]
    fn what_does_not_come_is_given_up() {
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl wait --for=condition=foo deployment/web --timeout=1s",
            "error: timed out waiting for the condition on deployments/web",
            1,
        );
        check("kubectl wait deployment/web", "error: unrecognized condition: []", 1);
        check("kubectl wait deployment/web --for=foo", "error: unrecognized condition: [\"foo\"]", 1);
        check(
            "kubectl wait svc/kubernetes --for=jsonpath='{.spec.type}'=NodePort --timeout=0",
            "error: condition not met for services/kubernetes",
            1,
        );
        check(
            "kubectl wait svc/kubernetes --for=jsonpath='{.spec.ports[?(@.name==\"https\")].port}'=443",
            "service/kubernetes condition met",
            0,
        );
        check(
            "kubectl wait svc/kubernetes --for=jsonpath='{.spec.type}'=",
            "error: jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            1,
        );
        check("kubectl wait --for=delete pod/nosuch --timeout=5s", "", 0);
    }
}
