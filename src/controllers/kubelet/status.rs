//! The status that a kubelet writes.
//!
//! Owns the shape of `status`: phase, conditions, container states, addresses (reference session 06 shows a
//! whole one). What is the same for many Pods is one shared value.

use std::net::IpAddr;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::pull;
use super::record::{Ended, Record, Run, State};
use crate::api::object::Object;
use crate::api::time::Timestamp;
use crate::api::typed::{Container, PodSpec, Role};
use crate::api::value::{SmolStr, Value};
use crate::value;

/// Conditions in the order in which the kubelet lists them.
const CONDITIONS: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// The last list of conditions that was made: Pods that start together share one.
#[derive(Debug, Default)]
pub(super) struct Shared {
    conditions: Option<(Vec<Condition>, i64, Value)>,
    /// What the status that was made last has for conditions, if they are not those above.
    made: Option<(Vec<Condition>, i64)>,
    /// `hostIP` and `hostIPs` of each node.
    hosts: FxHashMap<IpAddr, (Value, Value)>,
    /// Volume mounts as declared and as reported, by where the declared ones lie: Pods of one template share them.
    mounts: FxHashMap<usize, (Value, Value)>,
    /// The state of a container that was started at a time.
    running: Option<(Timestamp, Value)>,
    /// What the runtime calls each image, and its ID.
    images: FxHashMap<SmolStr, (SmolStr, SmolStr)>,
}

/// One condition, before it is a document.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    holds: bool,
    since: Value,
    reason: &'static str,
    message: String,
}

/// What a status is made from.
pub(super) struct Facts<'a> {
    pub(super) object: &'a Object,
    pub(super) record: &'a Record,
    pub(super) ips: &'a [IpAddr],
    pub(super) host: Option<IpAddr>,
    pub(super) now: Timestamp,
}

impl Shared {
    /// The whole status.
    pub(super) fn status(&mut self, facts: &Facts<'_>) -> Value {
        let Facts { object, record, ips, host, now } = *facts;
        let pod = object.as_pod().expect("the kubelet writes Pods");
        let old = object.status();
        let phase = phase(record, &pod.spec);
        let mut statuses: Vec<Value> = Vec::with_capacity(record.runs.len());
        for (container, run) in pod.spec.all().zip(&record.runs) {
            statuses.push(self.container_status(container, run));
        }
        let mains = statuses.split_off(pod.spec.init_containers.len());
        let mut entries: Vec<(SmolStr, Value)> = Vec::with_capacity(10);
        let mut put = |key: &'static str, value: Value| entries.push((SmolStr::new_static(key), value));
        put("conditions", self.conditions(facts, phase));
        put("containerStatuses", mains.into());
        if let Some(host) = host {
            let (text, list) = self.host(host);
            put("hostIP", text);
            put("hostIPs", list);
        }
        if !statuses.is_empty() {
            put("initContainerStatuses", statuses.into());
        }
        if object.meta.generation > 0 {
            put("observedGeneration", object.meta.generation.into());
        }
        put("phase", phase.into());
        if let Some(first) = ips.first() {
            let first = Value::from(first.to_string());
            let others = ips.iter().skip(1).map(|ip| value!({ "ip": (ip.to_string()) }));
            put("podIP", first.clone());
            put("podIPs", std::iter::once(value!({ "ip": first })).chain(others).collect());
        }
        let quality =
            old.get("qosClass").as_str().map_or_else(|| quality(&pod.spec.containers).into(), SmolStr::from);
        put("qosClass", Value::Str(quality));
        let start = old.get("startTime");
        put("startTime", if start.is_null() { now.into() } else { start.clone() });
        Value::from_iter(entries)
    }

    fn running(&mut self, since: Timestamp) -> Value {
        match &self.running {
            Some((known, value)) if *known == since => value.clone(),
            _ => {
                let value = value!({ "running": { "startedAt": since } });
                self.running = Some((since, value.clone()));
                value
            }
        }
    }

    fn host(&mut self, host: IpAddr) -> (Value, Value) {
        let known = self.hosts.entry(host).or_insert_with(|| {
            let text = Value::from(host.to_string());
            (text.clone(), value!([{ "ip": text }]))
        });
        known.clone()
    }

    /// Volume mounts as they are reported.
    fn mounts(&mut self, declared: &Value) -> Value {
        /// More templates than run at the same time mostly; beyond it all are made anew.
        const TEMPLATES: usize = 4_096;
        if self.mounts.len() >= TEMPLATES {
            self.mounts.clear();
        }
        // What is known holds the declared ones, so that nothing else comes to lie there.
        let known = self.mounts.entry(declared.address()).or_insert_with(|| {
            let mounts = volume_mounts(declared);
            (declared.clone(), mounts)
        });
        known.1.clone()
    }

    /// Takes over the conditions as they were stored: the store lays out what it keeps in its own way.
    pub(super) fn stored(&mut self, object: &Object) {
        if let Some((conditions, generation)) = self.made.take() {
            self.conditions = Some((conditions, generation, object.status().get("conditions").clone()));
        }
    }

    fn conditions(&mut self, facts: &Facts<'_>, phase: &'static str) -> Value {
        let generation = facts.object.meta.generation;
        let conditions = conditions(facts, phase);
        self.made = None;
        if let Some((known, of, value)) = &self.conditions
            && *of == generation
            && *known == conditions
        {
            return value.clone();
        }
        let value = CONDITIONS
            .iter()
            .zip(&conditions)
            .map(|(kind, condition)| {
                let mut document = value!({
                    "lastProbeTime": null,
                    "lastTransitionTime": (condition.since.clone()),
                    "status": (if condition.holds { "True" } else { "False" }),
                    "type": (*kind)
                });
                if generation > 0 {
                    document.set("observedGeneration", generation);
                }
                if !condition.reason.is_empty() {
                    document.set("reason", condition.reason);
                }
                if !condition.message.is_empty() {
                    document.set("message", condition.message.clone());
                }
                document
            })
            .collect();
        self.made = Some((conditions, generation));
        value
    }
}

/// `status.phase` (`getPhase` of the kubelet).
fn phase(record: &Record, spec: &PodSpec) -> &'static str {
    let restart_policy = spec.restart_policy.as_str();
    if record.stops_at.is_some() {
        // It is called from the last status of a Pod that was deleted, after its containers ended well.
        let all_ended = record.runs.iter().all(|run| matches!(run.state, State::Ended(_)));
        if all_ended {
            let well =
                record.runs.iter().all(|run| matches!(&run.state, State::Ended(ended) if ended.code == 0));
            return if well { "Succeeded" } else { "Failed" };
        }
    }
    let (first, mains) = record.runs.split_at(spec.init_containers.len());
    for (index, run) in first.iter().enumerate() {
        let failed = matches!(&run.state, State::Ended(ended) if ended.code != 0);
        if failed && restart_policy == "Never" && spec.role(index) == Role::Init {
            return "Failed";
        }
        if !run.has_initialized(spec.role(index)) && mains.iter().any(|run| run.id.is_empty()) {
            return "Pending";
        }
    }
    let (mut waiting, mut running, mut succeeded, mut failed) = (0, 0, 0, 0);
    for run in mains {
        let ended = match &run.state {
            State::Running { .. } => {
                running += 1;
                continue;
            }
            State::Ended(ended) => Some(ended),
            State::Waiting { .. } => run.last.as_ref(),
        };
        match ended {
            Some(ended) if ended.code == 0 => succeeded += 1,
            Some(_) => failed += 1,
            None => waiting += 1,
        }
    }
    match () {
        () if waiting > 0 => "Pending",
        () if running > 0 => "Running",
        () if restart_policy == "Always" => "Running",
        () if failed == 0 && succeeded > 0 => "Succeeded",
        () if restart_policy == "Never" => "Failed",
        () => "Running",
    }
}

fn conditions(facts: &Facts<'_>, phase: &'static str) -> Vec<Condition> {
    let Facts { object, record, ips, now, .. } = *facts;
    let pod = object.as_pod().expect("the kubelet writes Pods");
    let names = |chosen: &dyn Fn(Role, &Run) -> bool| -> Vec<&str> {
        let all = pod.spec.all().zip(&record.runs).enumerate();
        all.filter(|(index, (_, run))| chosen(pod.spec.role(*index), run))
            .map(|(_, (container, _))| container.name.as_str())
            .collect()
    };
    let unready = names(&|role, run| role != Role::Init && !run.ready);
    let incomplete = names(&|role, run| !run.has_initialized(role));
    let ended = matches!(phase, "Succeeded" | "Failed");
    let (reason, message) = match phase {
        "Succeeded" => ("PodCompleted", String::new()),
        "Failed" => ("PodFailed", String::new()),
        _ if unready.is_empty() => ("", String::new()),
        _ => ("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" "))),
    };
    let now = Value::from(now);
    let gates = object.spec().get("readinessGates").items();
    let gated = gates.iter().all(|gate| condition_holds(object, gate.get("conditionType").str()));
    let ready = unready.is_empty() && !ended;
    let why = |holds: bool| if holds { ("", String::new()) } else { (reason, message.clone()) };
    let ready_why = match (ready, gated) {
        (true, false) => {
            ("ReadinessGatesNotReady", "the status of pod readiness gate is not \"True\"".to_owned())
        }
        _ => why(ready),
    };
    let completed = if phase == "Succeeded" { ("PodCompleted", String::new()) } else { ("", String::new()) };
    let wanted = [
        (!ips.is_empty() && !ended, ("", String::new())),
        initialized(&incomplete, completed),
        (ready && gated, ready_why),
        (ready, why(ready)),
        (true, ("", String::new())),
    ];
    CONDITIONS
        .iter()
        .zip(wanted)
        .enumerate()
        .map(|(index, (kind, (holds, (reason, message))))| Condition {
            holds,
            since: since(object, index, kind, holds, &now),
            reason,
            message,
        })
        .collect()
}

/// The condition Initialized: whether it holds, and why not.
fn initialized(incomplete: &[&str], completed: (&'static str, String)) -> (bool, (&'static str, String)) {
    if incomplete.is_empty() || !completed.0.is_empty() {
        return (true, completed);
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    (false, ("ContainersNotInitialized", message))
}

/// Since when a condition is what it is.
fn since(object: &Object, index: usize, kind: &str, holds: bool, now: &Value) -> Value {
    let conditions = object.status().get("conditions").items();
    let is_kind = |one: &&Value| one.get("type").str() == kind;
    // It is where the kubelet puts it, unless somebody else has written.
    let known = conditions.get(index).filter(is_kind).or_else(|| conditions.iter().find(is_kind));
    known
        .filter(|condition| (condition.get("status").str() == "True") == holds)
        .map(|condition| condition.get("lastTransitionTime"))
        .filter(|since| !since.is_null())
        .unwrap_or(now)
        .clone()
}

fn condition_holds(object: &Object, kind: &str) -> bool {
    let conditions = object.status().get("conditions").items();
    conditions.iter().any(|one| one.get("type").str() == kind && one.get("status").str() == "True")
}

/// `status.qosClass`.
fn quality(containers: &[Container]) -> &'static str {
    let requests = |container: &Container| container.document.at(&["resources", "requests"]).clone();
    let limits = |container: &Container| container.document.at(&["resources", "limits"]).clone();
    if containers.iter().all(|one| requests(one).is_empty() && limits(one).is_empty()) {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|one| {
        let (requests, limits) = (requests(one), limits(one));
        ["cpu", "memory"].iter().all(|resource| {
            let limit = limits.get(resource);
            !limit.is_null() && (requests.get(resource).is_null() || requests.get(resource) == limit)
        })
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

impl Shared {
    /// An entry of `containerStatuses`.
    fn container_status(&mut self, container: &Container, run: &Run) -> Value {
        let mut entries: Vec<(SmolStr, Value)> = Vec::with_capacity(12);
        let mut put = |key: &'static str, value: Value| entries.push((SmolStr::new_static(key), value));
        if run.id.is_empty() {
            put("image", (&container.image).into());
            put("imageID", "".into());
        } else {
            let (full, id) = self.images.entry(container.image.clone()).or_insert_with(|| {
                let full = pull::full_name(&container.image);
                let id = pull::image_id(&full);
                (full, id)
            });
            put("containerID", (&run.id).into());
            put("imageID", (&*id).into());
            put("image", (&*full).into());
            let resources = container.document.get("resources");
            put("resources", if resources.is_null() { empty() } else { resources.clone() });
            put("user", root());
            let declared = container.document.get("volumeMounts");
            if !declared.items().is_empty() {
                put("volumeMounts", self.mounts(declared));
            }
        }
        put(
            "lastState",
            run.last.as_ref().map_or_else(empty, |ended| value!({ "terminated": (terminated(ended)) })),
        );
        put("name", (&container.name).into());
        put("ready", run.ready.into());
        put("restartCount", i64::from(run.restarts).into());
        put("started", run.started.into());
        put(
            "state",
            match &run.state {
                State::Running { since } => self.running(*since),
                State::Ended(ended) => value!({ "terminated": (terminated(ended)) }),
                State::Waiting { reason, message } if message.is_empty() => {
                    value!({ "waiting": { "reason": reason } })
                }
                State::Waiting { reason, message } => {
                    value!({ "waiting": { "reason": reason, "message": (message.clone()) } })
                }
            },
        );
        Value::from_iter(entries)
    }
}

fn terminated(ended: &Ended) -> Value {
    let mut terminated = value!({
        "containerID": (ended.id.clone()),
        "exitCode": (ended.code),
        "finishedAt": (ended.finished),
        "reason": (ended.reason.clone()),
        "startedAt": (ended.started)
    });
    if !ended.message.is_empty() {
        terminated.set("message", ended.message.clone());
    }
    terminated
}

fn volume_mounts(mounts: &Value) -> Value {
    let mounted = mounts.items().iter().map(|mount| {
        let mut mounted = mount.clone();
        if mount.get("readOnly").as_bool() == Some(true) {
            mounted.set("recursiveReadOnly", "Disabled");
        }
        mounted.remove("subPath");
        mounted
    });
    mounted.collect()
}

/// `{}`, shared.
fn empty() -> Value {
    static EMPTY: OnceLock<Value> = OnceLock::new();
    EMPTY.get_or_init(Value::map).clone()
}

/// The user that containers run as.
fn root() -> Value {
    static ROOT: OnceLock<Value> = OnceLock::new();
    ROOT.get_or_init(|| value!({ "linux": { "gid": 0, "supplementalGroups": [0], "uid": 0 } })).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_of_service_follows_requests_and_limits() {
        let of = |resources: Value| {
            let pod = value!({ "spec": { "containers": [{ "name": "c", "image": "nginx", "resources": resources }] } });
            let pod = Object::new(crate::api::registry::Kind::Pod, pod, None);
            quality(&pod.as_pod().unwrap().spec.containers)
        };
        assert_eq!(of(Value::map()), "BestEffort");
        assert_eq!(of(value!({ "requests": { "cpu": "100m" } })), "Burstable");
        let all = value!({ "cpu": "1", "memory": "1Gi" });
        assert_eq!(of(value!({ "requests": (all.clone()), "limits": all })), "Guaranteed");
    }

    #[test]
    fn shared_parts_are_one_value() {
        assert!(root().same(&root()));
        assert!(empty().same(&empty()));
    }
}
