//! The table of Pods (`printPod`).

use crate::api::kinds::age;
use crate::api::kinds::table::{AGE, NAME, or_none, shown, wide};
use crate::api::object::Object;
use crate::api::table::Column;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    shown("Ready"),
    shown("Status"),
    shown("Restarts"),
    AGE,
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];

pub(super) fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let summary = Summary::of(object);
    let ip = status.get("podIPs").items().first().map_or("", |ip| ip.get("ip").str());
    vec![
        object.key.name.to_string(),
        format!("{}/{}", summary.ready, summary.total),
        summary.reason,
        restarts(summary.restarts, summary.last_restart, now),
        age(object, now),
        or_none(ip),
        or_none(spec.get("nodeName").str()),
        or_none(status.get("nominatedNodeName").str()),
        readiness_gates(spec, status),
    ]
}

fn restarts(count: i64, last: Option<Timestamp>, now: Timestamp) -> String {
    match last {
        Some(last) if count != 0 => format!("{count} ({} ago)", human_duration(now.0 - last.0)),
        _ => count.to_string(),
    }
}

fn readiness_gates(spec: &Value, status: &Value) -> String {
    let gates = spec.get("readinessGates").items();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates.iter().filter(|gate| is_true(status, gate.get("conditionType").str())).count();
    format!("{open}/{}", gates.len())
}

fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status.get("conditions").items();
    conditions.iter().find(|one| one.get("type").str() == kind).unwrap_or(&Value::Null)
}

fn is_true(status: &Value, kind: &str) -> bool {
    condition(status, kind).get("status").str() == "True"
}

/// What the columns READY, STATUS and RESTARTS say.
struct Summary {
    ready: usize,
    total: usize,
    reason: String,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

/// Restarts of some containers, and when the last one ended.
#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &Value) {
        self.count += container.get("restartCount").as_int().unwrap_or(0);
        let ended = Timestamp::of(container.at(&["lastState", "terminated", "finishedAt"]));
        self.last = self.last.max(ended);
    }
}

impl Summary {
    fn of(object: &Object) -> Self {
        let (spec, status) = (object.spec(), object.status());
        let phase = status.get("phase").str();
        let given = status.get("reason").str();
        let mut summary = Self {
            ready: 0,
            total: spec.get("containers").items().len(),
            reason: if given.is_empty() { phase } else { given }.to_owned(),
            restarts: 0,
            last_restart: None,
        };
        if condition(status, "PodScheduled").get("reason").str() == "SchedulingGated" {
            summary.reason = "SchedulingGated".to_owned();
        }
        let sidecars = summary.initialize(spec, status);
        if let Some(sidecars) = sidecars {
            summary.run(status, sidecars);
        }
        if object.is_terminating() {
            if given == "NodeLost" {
                summary.reason = "Unknown".to_owned();
            } else if !matches!(phase, "Succeeded" | "Failed") {
                summary.reason = "Terminating".to_owned();
            }
        }
        summary
    }

    /// Reads the init containers. While they are at work, the rest is not looked at (`None`); afterwards
    /// the restarts of those that go on running count with the others.
    fn initialize(&mut self, spec: &Value, status: &Value) -> Option<Restarts> {
        let declared = spec.get("initContainers").items();
        let is_sidecar = |name: &Value| {
            declared.iter().any(|one| one.get("name") == name && one.get("restartPolicy").str() == "Always")
        };
        self.total += declared.iter().filter(|one| is_sidecar(one.get("name"))).count();
        let mut sidecars = Restarts::default();
        let mut all = Restarts::default();
        for (index, container) in status.get("initContainerStatuses").items().iter().enumerate() {
            all.add(container);
            let sidecar = is_sidecar(container.get("name"));
            if sidecar {
                sidecars.add(container);
            }
            let terminated = container.at(&["state", "terminated"]);
            let waiting = container.at(&["state", "waiting", "reason"]).str();
            if !terminated.is_null() && terminated.get("exitCode").as_int().unwrap_or(0) == 0 {
                continue;
            }
            if sidecar && container.get("started").as_bool() == Some(true) {
                self.ready += usize::from(container.get("ready").as_bool() == Some(true));
                continue;
            }
            self.reason = if !terminated.is_null() {
                format!("Init:{}", end_reason(terminated))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{index}/{}", declared.len())
            };
            if is_true(status, "Initialized") {
                break;
            }
            (self.restarts, self.last_restart) = (all.count, all.last);
            return None;
        }
        Some(sidecars)
    }

    fn run(&mut self, status: &Value, sidecars: Restarts) {
        let mut restarts = sidecars;
        let mut running = false;
        for container in status.get("containerStatuses").items().iter().rev() {
            restarts.add(container);
            let state = container.get("state");
            let waiting = state.at(&["waiting", "reason"]).str();
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if !state.get("terminated").is_null() {
                self.reason = end_reason(state.get("terminated"));
            } else if container.get("ready").as_bool() == Some(true) && !state.get("running").is_null() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            let ready = is_true(status, "Ready");
            self.reason = if ready { "Running" } else { "NotReady" }.to_owned();
        }
        (self.restarts, self.last_restart) = (restarts.count, restarts.last);
    }
}

/// Why a container ended: the reason, or else the signal or exit code.
fn end_reason(terminated: &Value) -> String {
    let signal = terminated.get("signal").as_int().unwrap_or(0);
    match terminated.get("reason").str() {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", terminated.get("exitCode").as_int().unwrap_or(0)),
        reason => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::value;

    fn check(status: Value, expected: [&str; 3]) {
        let pod = value!({
            "metadata": { "name": "p", "namespace": "default" },
            "spec": { "containers": [{ "name": "a" }, { "name": "b" }], "initContainers": [{ "name": "i" }] },
            "status": status
        });
        let cells =
            cells(&Object::new(Kind::Pod, pod, None), Timestamp::parse("2026-11-22T10:00:10Z").unwrap());
        assert_eq!(&cells[1..4], expected);
    }

    #[test]
    fn the_status_says_what_the_containers_do() {
        let running = || value!({ "ready": true, "state": { "running": {} }, "restartCount": 0 });
        check(value!({ "phase": "Pending" }), ["0/2", "Pending", "0"]);
        check(
            value!({ "phase": "Pending", "initContainerStatuses": [{ "state": { "running": {} } }] }),
            ["0/2", "Init:0/1", "0"],
        );
        check(
            value!({ "phase": "Running", "containerStatuses": [(running()), (running())] }),
            ["2/2", "Running", "0"],
        );
        check(
            value!({ "phase": "Running", "containerStatuses": [(running()), {
                "restartCount": 1,
                "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                "lastState": { "terminated": { "finishedAt": "2026-11-22T10:00:07Z" } }
            }] }),
            ["1/2", "CrashLoopBackOff", "1 (3s ago)"],
        );
        check(
            value!({ "phase": "Failed", "containerStatuses": [{ "state": { "terminated": { "exitCode": 3 } } }] }),
            ["0/2", "ExitCode:3", "0"],
        );
    }
}
