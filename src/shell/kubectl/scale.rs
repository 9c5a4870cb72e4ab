//! `kubectl scale`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{ALL, Action, DRY_RUN, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::cluster::request::Subresource;
use crate::cluster::{Actor, Request, Verb as Ask};
use crate::shell::command::{Flag, Value, option};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "replicas", Value::Number, "how many Pods there are to be", "目标 Pod 数量"),
    option('\0', "current-replicas", Value::Number, "only if there are so many now", "仅当当前数量为该值时"),
    option('\0', "resource-version", Value::Text, "only if this is the version", "仅当版本为该值时"),
    option('\0', "timeout", Value::Duration, "how long to wait", "最长等待时间"),
];

/// `scale`.
pub static VERB: Verb = Verb {
    name: "scale",
    aliases: &[],
    usage: "--replicas=COUNT TYPE NAME | TYPE/NAME | -f FILE",
    summary: Words { en: "change how many Pods a workload has", zh: "修改工作负载的 Pod 数量" },
    flags: flags![OWN, RECORD, ALL, SELECTOR, OUTPUT, DRY_RUN, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let Some(replicas) = call.number("replicas") else {
        return Err(Failure::plain("required flag(s) \"replicas\" not set"));
    };
    if replicas < 0 {
        return Err(Failure::plain(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    if call.number("current-replicas").is_some_and(|count| count < -1) {
        return Err(Failure::plain("The --current-replicas must specify an integer of -1 or greater"));
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, failures) = objects(&call, &queries);
    if found.len() > 1 && !call.text("resource-version").is_empty() {
        return Err(Failure::plain("cannot use --resource-version with multiple resources"));
    }
    if found.is_empty() && failures.is_empty() {
        return Err(Failure::plain("no objects passed to scale"));
    }
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        // The first that cannot be scaled ends the call.
        scale(&call, &found.object, replicas)?;
        let mut shown = found.object.value.clone();
        if matches!(found.object.key.kind.info().group, "apps" | "") {
            shown.set_at(&["spec", "replicas"], replicas);
        }
        done(&call, &format, &printer, &shown, "scaled")?;
    }
    Failure::of(failures)
}

/// Scales one object.
fn scale(call: &Call, object: &Object, replicas: i64) -> Outcome {
    let dry_run = call.dry_run()?;
    if dry_run == DryRun::Client {
        return Ok(());
    }
    let request = |body| {
        let request = Request::new(Actor::User, Ask::Update(body), &object.key);
        request.subresource(Subresource::Scale).options(call.options(dry_run))
    };
    refuse_unexpected(call, object)?;
    let scaled = call.send(request(value!({ "spec": { "replicas": replicas } })))?;
    record::keep(call, scaled)?;
    Ok(())
}

/// The conditions of the flags.
fn refuse_unexpected(call: &Call, object: &Object) -> Outcome {
    let expected = |what: &str, expected: &str, present: &str| {
        Err(Failure::plain(format!("Expected {what} to be {expected}, was {present}")))
    };
    let present = object.spec().get("replicas").as_int().unwrap_or(0);
    if let Some(count) = call.number("current-replicas").filter(|count| *count != -1 && *count != present) {
        return expected("replicas", &count.to_string(), &present.to_string());
    }
    let (version, present) = (call.text("resource-version"), object.meta.resource_version.to_string());
    if !version.is_empty() && version != present {
        return expected("resource version", version, &present);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    fn web(command: &str, expected: &str, status: i32) {
        check(
            &format!("kubectl create deployment web --image=nginx >/dev/null; {command}"),
            expected,
            status,
        );
    }

    #[test]
    fn scaling_has_conditions() {
        web(
            "kubectl scale deploy web --replicas=2 --current-replicas=7",
            "error: Expected replicas to be 7, was 1",
            1,
        );
        web(
            "kubectl scale deploy web --replicas=2 --resource-version=1 2>&1 | sed 's/was .*//'",
            "error: Expected resource version to be 1, ",
            0,
        );
        web("kubectl scale deploy -l app=nosuch --replicas=2", "error: no objects passed to scale", 1);
        web("kubectl scale deploy web --replicas=3 -o jsonpath='{.spec.replicas}'", "3", 0);
    }
}
