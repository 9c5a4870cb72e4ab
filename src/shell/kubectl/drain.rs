//! `kubectl drain`: a node without Pods.

use std::sync::Arc;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::verb::{Action, DRY_RUN, Operands, SELECTOR, Verb, flags};
use super::watch::until_gone;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Patch, Request, Verb as Ask};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    switch('\0', "ignore-daemonsets", "leave Pods of DaemonSets where they are", "忽略 DaemonSet 的 Pod"),
    switch('\0', "delete-emptydir-data", "even if data of Pods are lost", "允许删除 emptyDir 数据"),
    switch('\0', "force", "even Pods that nobody makes again", "强制删除无控制器的 Pod"),
    option('\0', "grace-period", Value::Number, "seconds that a Pod has to end", "Pod 终止前的宽限秒数"),
    option('\0', "timeout", Value::Duration, "how long to wait", "最长等待时间"),
    option('\0', "chunk-size", Value::Number, "how many objects are fetched at once", "每次获取的对象数"),
    not_simulated('\0', "skip-wait-for-delete-timeout", Value::Number, "--timeout"),
    not_simulated('\0', "pod-selector", Value::Text, "kubectl delete pod -l"),
    not_simulated('\0', "disable-eviction", Value::None, "kubectl delete pod"),
];

/// `drain`.
pub static VERB: Verb = Verb {
    name: "drain",
    aliases: &[],
    usage: "NODE",
    summary: Words {
        en: "let no Pods come to a node and remove those that are there",
        zh: "清空节点上的 Pod 并禁止调度",
    },
    flags: flags![OWN, SELECTOR, DRY_RUN],
    children: &[],
    operands: Operands::Nodes,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    if call.operands().is_empty() && call.text("selector").is_empty() {
        return Err(call.usage_error("USAGE: drain NODE [flags]"));
    }
    let (found, mut failures) = super::nodes::nodes(&call, call.operands())?;
    for node in found {
        failures.extend(drain(&call, &node).await.err());
    }
    Failure::of(failures)
}

async fn drain(call: &Call, node: &Object) -> Outcome {
    let dry_run = call.dry_run()?;
    let suffix = dry_run.suffix();
    if node.spec().get("unschedulable").as_bool() == Some(true) {
        call.say(&format!("node/{} already cordoned{suffix}", node.name()));
    } else {
        if dry_run != DryRun::Client {
            call.patch(&node.key, Patch::Merge(value!({ "spec": { "unschedulable": true } })), dry_run)?;
        }
        call.say(&format!("node/{} cordoned{suffix}", node.name()));
    }
    let options = Options { field_selector: format!("spec.nodeName={}", node.name()), ..Options::default() };
    let pods = call.list(Kind::Pod, "", options)?;
    refuse(call, node, &pods)?;
    let leaving: Vec<&Arc<Object>> = pods.iter().filter(|pod| owner(pod) != "DaemonSet").collect();
    for pod in &leaving {
        call.say(&format!("evicting pod {}/{}{suffix}", pod.namespace(), pod.name()));
        if dry_run == DryRun::No {
            let grace_seconds = call.number("grace-period").filter(|seconds| *seconds >= 0);
            let options = Options { grace_seconds, ..Options::default() };
            call.send(Request::new(Actor::User, Ask::Delete, &pod.key).options(options))?;
        }
    }
    if dry_run == DryRun::No {
        for pod in &leaving {
            until_gone(call, &pod.key, &pod.meta.uid).await;
            call.say(&format!("pod/{} evicted", pod.name()));
        }
    }
    call.say(&format!("node/{} drained{suffix}", node.name()));
    Ok(())
}

/// The kind of the controller that makes a Pod again; empty without one.
fn owner(pod: &Object) -> &str {
    pod.controller().map_or("", |owner| owner.kind.as_str())
}

/// Refuses to remove Pods that flags do not allow to be removed.
fn refuse(call: &Call, node: &Object, pods: &[Arc<Object>]) -> Outcome {
    let list = |pods: Vec<&Arc<Object>>| {
        let names: Vec<String> =
            pods.iter().map(|pod| format!("{}/{}", pod.namespace(), pod.name())).collect();
        names.join(", ")
    };
    let of = |wanted: &str| pods.iter().filter(|pod| owner(pod) == wanted).collect::<Vec<_>>();
    let with_data = || {
        pods.iter()
            .filter(|pod| {
                pod.spec().get("volumes").items().iter().any(|volume| !volume.get("emptyDir").is_null())
            })
            .collect::<Vec<_>>()
    };
    let mut reasons = Vec::new();
    if !call.has("delete-emptydir-data") && !with_data().is_empty() {
        reasons.push(format!(
            "cannot delete Pods with local storage (use --delete-emptydir-data to override): {}",
            list(with_data())
        ));
    }
    if !call.has("force") && !of("").is_empty() {
        reasons.push(format!(
            "cannot delete Pods that declare no controller (use --force to override): {}",
            list(of(""))
        ));
    }
    if !call.has("ignore-daemonsets") && !of("DaemonSet").is_empty() {
        reasons.push(format!(
            "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {}",
            list(of("DaemonSet"))
        ));
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "unable to drain node \"{0}\" due to error: [{1}], continuing command...\nThere are pending nodes to be drained:\n {0}\n{2}",
        node.name(),
        reasons.join(", "),
        reasons.join("\n")
    )))
}
