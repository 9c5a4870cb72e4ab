//! `kubectl scale`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{ALL, Action, DRY_RUN, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
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
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, mut failures) = objects(&call, &queries);
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let object = &found.object;
        if let Some(expected) = call.number("current-replicas").filter(|count| *count >= 0) {
            let present = object.spec().get("replicas").as_int().unwrap_or(0);
            if present != expected {
                failures.push(Failure::plain(format!("Expected replicas to be {expected}, was {present}")));
                continue;
            }
        }
        if dry_run != DryRun::Client {
            let body = value!({ "spec": { "replicas": replicas } });
            let options = call.options(dry_run);
            let request = Request::new(Actor::User, Ask::Update(body), &object.key)
                .subresource(Subresource::Scale)
                .options(options);
            if let Err(status) = call.send(request).and_then(|object| record::keep(&call, object)) {
                failures.push(status.into());
                continue;
            }
        }
        let value = call.get(object.key.kind, object.namespace(), object.name())?.value.clone();
        done(&call, &format, &printer, &value, "scaled")?;
    }
    Failure::of(failures)
}
