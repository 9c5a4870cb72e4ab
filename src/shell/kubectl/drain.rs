//! `kubectl drain`: a node without Pods.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::verb::{Action, DRY_RUN, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::Reason;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Patch, Request, Verb as Ask};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::duration::duration;
use crate::shell::executor::{Either, first};
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

/// How long is waited until a Pod that a budget holds back is evicted again.
const RETRY: Duration = Duration::from_secs(5);

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
    super::nodes::refuse_names_and_selector(&call)?;
    let (found, failures) = super::nodes::nodes(&call, call.operands())?;
    Failure::of(failures)?;
    for node in &found {
        cordon(&call, node)?;
    }
    let mut failures = Vec::new();
    for (at, node) in found.iter().enumerate() {
        if let Err(reasons) = drain(&call, node).await {
            let shown = match reasons.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(", ")),
            };
            call.complain(&format!(
                "error: unable to drain node \"{}\" due to error: {shown}, continuing command...",
                node.name()
            ));
            call.complain("There are pending nodes to be drained:");
            found[at..].iter().for_each(|node| call.complain(&format!(" {}", node.name())));
            failures.extend(reasons.into_iter().map(Failure::plain));
        } else {
            call.say(&format!("node/{} drained{}", node.name(), call.dry_run()?.suffix()));
        }
    }
    Failure::of(failures)
}

fn cordon(call: &Call, node: &Object) -> Outcome {
    let dry_run = call.dry_run()?;
    let suffix = dry_run.suffix();
    if node.spec().get("unschedulable").as_bool() == Some(true) {
        call.say(&format!("node/{} already cordoned{suffix}", node.name()));
        return Ok(());
    }
    if dry_run != DryRun::Client {
        call.patch(&node.key, Patch::Merge(value!({ "spec": { "unschedulable": true } })), dry_run)?;
    }
    call.say(&format!("node/{} cordoned{suffix}", node.name()));
    Ok(())
}

/// Drains one node; what is in the way otherwise.
async fn drain(call: &Call, node: &Object) -> Result<(), Vec<String>> {
    let one = |failure: Failure| vec![failure.text().trim_end().trim_start_matches("error: ").to_owned()];
    let options = Options { field_selector: format!("spec.nodeName={}", node.name()), ..Options::default() };
    let pods = call.list(Kind::Pod, "", options).map_err(|status| one(status.into()))?;
    let mut leaving = Vec::new();
    let (mut refused, mut warned) = (Told::default(), Told::default());
    for pod in &pods {
        match judge(call, pod) {
            Verdict::Goes => leaving.push(Arc::clone(pod)),
            Verdict::GoesWith(warning) => {
                warned.tell(warning, pod);
                leaving.push(Arc::clone(pod));
            }
            Verdict::Stays(warning) => warned.tell(warning, pod),
            Verdict::Left => {}
            Verdict::Refused(why) => refused.tell(why, pod),
        }
    }
    if !refused.0.is_empty() {
        return Err(refused.lines().map(|line| format!("cannot delete {line}")).collect());
    }
    if !warned.0.is_empty() {
        call.complain(&format!("Warning: {}", warned.lines().collect::<Vec<_>>().join("; ")));
    }
    let dry_run = call.dry_run().map_err(one)?;
    if dry_run != DryRun::No {
        for pod in &leaving {
            let suffix = dry_run.suffix();
            call.say(&format!("evicting pod {}/{}{suffix}", pod.namespace(), pod.name()));
        }
        return Ok(());
    }
    let timeout = call.flags.value("timeout").and_then(|text| duration(text).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    let evicting = evict(call, leaving);
    match timeout {
        None => evicting.await.map_err(one),
        Some(timeout) => match first(evicting, call.invocation.sleep(timeout)).await {
            Either::Left(outcome) => outcome.map_err(one),
            Either::Right(()) => Err(vec![format!("global timeout reached: {}", call.text("timeout"))]),
        },
    }
}

/// Evicts Pods, those that a budget holds back again and again, until all are gone.
async fn evict(call: &Call, pods: Vec<Arc<Object>>) -> Outcome {
    let mut asked = pods;
    let mut going: Vec<Arc<Object>> = Vec::new();
    let grace_seconds = call.number("grace-period").filter(|seconds| *seconds >= 0);
    loop {
        let mut held_back = Vec::new();
        for pod in asked {
            call.say(&format!("evicting pod {}/{}", pod.namespace(), pod.name()));
            let options = Options { grace_seconds, eviction: true, ..Options::default() };
            match call.send(Request::new(Actor::User, Ask::Delete, &pod.key).options(options)) {
                Ok(_) => going.push(pod),
                Err(status) if status.reason == Reason::NotFound => {}
                Err(status) if status.reason == Reason::TooManyRequests => {
                    call.complain(&format!(
                        "error when evicting pods/\"{}\" -n \"{}\" (will retry after 5s): {}",
                        pod.name(),
                        pod.namespace(),
                        status.message
                    ));
                    held_back.push(pod);
                }
                Err(status) => {
                    let words =
                        format!("error when evicting pods/\"{}\" -n \"{}\": ", pod.name(), pod.namespace());
                    return Err(Failure::from(status).prefixed(&words));
                }
            }
        }
        asked = held_back;
        let all_gone = gone(call, &mut going);
        if asked.is_empty() {
            all_gone.await;
            return Ok(());
        }
        // While some are held back, the others go.
        first(
            async {
                all_gone.await;
                std::future::pending::<()>().await
            },
            call.invocation.sleep(RETRY),
        )
        .await;
    }
}

/// Says of each Pod when it is gone.
async fn gone(call: &Call, going: &mut Vec<Arc<Object>>) {
    while !going.is_empty() {
        let ended = call
            .host()
            .until(|simulation| {
                let is_gone = |pod: &Arc<Object>| {
                    simulation.cluster.get(&pod.key).is_none_or(|held| held.meta.uid != pod.meta.uid)
                };
                going.iter().position(is_gone)
            })
            .await;
        let pod = going.remove(ended);
        call.say(&format!("pod/{} evicted", pod.name()));
    }
}

/// Words with the Pods that they are about, in the order in which they came up.
#[derive(Default)]
struct Told(Vec<(&'static str, Vec<String>)>);

impl Told {
    fn tell(&mut self, words: &'static str, pod: &Object) {
        let name = format!("{}/{}", pod.namespace(), pod.name());
        match self.0.iter_mut().find(|(held, _)| *held == words) {
            Some((_, names)) => names.push(name),
            None => self.0.push((words, vec![name])),
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(words, names)| format!("{words}: {}", names.join(", ")))
    }
}

/// What becomes of a Pod.
enum Verdict {
    Goes,
    GoesWith(&'static str),
    Stays(&'static str),
    Left,
    Refused(&'static str),
}

/// kubectl's filters, in their order: DaemonSet, mirror Pod, local storage, no controller. What a later one says
/// counts.
fn judge(call: &Call, pod: &Object) -> Verdict {
    let owner = pod.controller().map_or("", |owner| owner.kind.as_str());
    let over = pod.as_pod().is_some_and(|pod| matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
    if owner == "DaemonSet" && !over {
        return if call.has("ignore-daemonsets") {
            Verdict::Stays("ignoring DaemonSet-managed Pods")
        } else {
            Verdict::Refused("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
        };
    }
    if pod.meta.annotation("kubernetes.io/config.mirror").is_some() {
        return Verdict::Left;
    }
    let has_data = pod.spec().get("volumes").items().iter().any(|volume| !volume.get("emptyDir").is_null());
    if has_data && !over && !call.has("delete-emptydir-data") {
        return Verdict::Refused("Pods with local storage (use --delete-emptydir-data to override)");
    }
    if over || !owner.is_empty() {
        return Verdict::Goes;
    }
    if call.has("force") {
        return Verdict::GoesWith("deleting Pods that declare no controller");
    }
    Verdict::Refused("Pods that declare no controller (use --force to override)")
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const WEB: &str = "kubectl create deployment web --image=nginx --replicas=2 >/dev/null; kubectl wait --for=condition=Available deployment/web >/dev/null; sleep 2; ";

    #[test]
    fn pods_that_nobody_makes_again_are_in_the_way() {
        check(
            "kubectl run a --image=nginx --overrides='{\"spec\":{\"nodeName\":\"k8s-w1\"}}' >/dev/null; sleep 3; kubectl drain k8s-w1 2>&1 | grep -v coredns",
            "node/k8s-w1 cordoned\nerror: unable to drain node \"k8s-w1\" due to error: cannot delete Pods that declare no controller (use --force to override): default/a, continuing command...\nThere are pending nodes to be drained:\n k8s-w1\nerror: cannot delete Pods that declare no controller (use --force to override): default/a",
            0,
        );
        check(
            "kubectl run a --image=nginx --overrides='{\"spec\":{\"nodeName\":\"k8s-w1\"}}' >/dev/null; sleep 3; kubectl drain k8s-w1 --force 2>&1 | grep -v coredns",
            "node/k8s-w1 cordoned\nWarning: deleting Pods that declare no controller: default/a\nevicting pod default/a\npod/a evicted\nnode/k8s-w1 drained",
            0,
        );
    }

    #[test]
    fn a_budget_holds_pods_back_until_others_are_ready() {
        check(
            &format!(
                "{WEB} kubectl create pdb web --selector=app=web --min-available=2 >/dev/null; kubectl drain k8s-w1 k8s-w2 --timeout=7s 2>&1 | grep -c 'will retry after 5s): Cannot evict pod as it would violate'"
            ),
            "4",
            0,
        );
        check(
            &format!(
                "{WEB} kubectl create pdb web --selector=app=web --max-unavailable=1 >/dev/null; kubectl drain k8s-w1 2>&1 | tail -n 1"
            ),
            "node/k8s-w1 drained",
            0,
        );
    }
}
