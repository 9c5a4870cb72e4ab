//! Which nodes a Pod may run on, and the words for why not.
//!
//! Owns the filter plug-ins in kube-scheduler's order; the first that refuses a node gives the reason. It
//! does not simulate inter-Pod affinity and topology constraints.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::typed::{Node, Protocol};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::controllers::placement::{
    NO_EXECUTE, NO_SCHEDULE, UNSCHEDULABLE, selected, tolerates, untolerated,
};

/// Why a node does not fit, in the scheduler's words; and whether removing Pods could help.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    words: SmolStr,
    preemptible: bool,
}

const fn reason(words: &'static str, preemptible: bool) -> Reason {
    Reason { words: SmolStr::new_static(words), preemptible }
}

/// An address of a node with a port there. [`ANY`] takes the port of all addresses.
type HostPort = (SmolStr, u16, Protocol);

/// Every address.
const ANY: &str = "0.0.0.0";

/// What a Pod takes of a node.
#[derive(Debug, Default)]
pub(super) struct Needs {
    cpu_millis: i64,
    memory: i64,
    host_ports: Vec<HostPort>,
}

impl Needs {
    pub(super) fn of(object: &Object) -> Self {
        let mut needs = Self::default();
        let Some(pod) = object.as_pod() else { return needs };
        for container in &pod.spec.containers {
            let requests = container.document.at(&["resources", "requests"]);
            if !requests.is_empty() {
                needs.cpu_millis += quantity(requests.get("cpu")).map_or(0, Quantity::millis);
                needs.memory += quantity(requests.get("memory")).map_or(0, Quantity::whole);
            }
            for port in &container.ports {
                let host = if pod.spec.host_network { port.port } else { port.host_port };
                if host != 0 {
                    let address = if port.host_ip.is_empty() { ANY.into() } else { port.host_ip.clone() };
                    needs.host_ports.push((address, host, port.protocol));
                }
            }
        }
        needs
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::Int(number) => Quantity::parse(&number.to_string()).ok(),
        other => other.as_str().and_then(|text| Quantity::parse(text).ok()),
    }
}

/// What the Pods on a node take together.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// How many Pods there are.
    pub(super) pods: usize,
    cpu_millis: i64,
    memory: i64,
    host_ports: FxHashMap<HostPort, u32>,
}

impl Usage {
    fn has_port(&self, (address, port, protocol): &HostPort) -> bool {
        let taken = |held: &HostPort| {
            (held.1, held.2) == (*port, *protocol) && (held.0 == ANY || address == ANY || held.0 == *address)
        };
        self.host_ports.keys().any(taken)
    }

    pub(super) fn change(&mut self, needs: &Needs, add: bool) {
        let sign = if add { 1 } else { -1 };
        self.pods = if add { self.pods + 1 } else { self.pods.saturating_sub(1) };
        self.cpu_millis += sign * needs.cpu_millis;
        self.memory += sign * needs.memory;
        for port in &needs.host_ports {
            let count = self.host_ports.entry(port.clone()).or_default();
            *count = if add { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.host_ports.remove(port);
            }
        }
    }
}

/// Whether a Pod fits on a node; every reason of the first plug-in that refuses.
pub(super) fn fits(
    pod: &Object,
    needs: &Needs,
    object: &Arc<Object>,
    usage: &Usage,
    _cluster: &Cluster,
) -> Result<(), Vec<Reason>> {
    let node = object.as_node().expect("objects of kind Node are Nodes");
    let spec = pod.spec();
    let tolerations = spec.get("tolerations").items();
    let cordon = (UNSCHEDULABLE, "", NO_SCHEDULE);
    if node.unschedulable && !tolerates(tolerations, cordon) {
        return Err(vec![reason("node(s) were unschedulable", false)]);
    }
    if untolerated(node, tolerations, &[NO_SCHEDULE, NO_EXECUTE]) {
        return Err(vec![reason("node(s) had untolerated taint(s)", false)]);
    }
    if !selected(spec, object) {
        return Err(vec![reason("node(s) didn't match Pod's node affinity/selector", false)]);
    }
    if needs.host_ports.iter().any(|port| usage.has_port(port)) {
        return Err(vec![reason("node(s) didn't have free ports for the requested pod ports", true)]);
    }
    room(needs, object, node, usage)
}

fn room(needs: &Needs, object: &Object, node: &Node, usage: &Usage) -> Result<(), Vec<Reason>> {
    let mut reasons = Vec::new();
    if i64::try_from(usage.pods).unwrap_or(i64::MAX) >= node.pod_limit {
        reasons.push(reason("Too many pods", true));
    }
    let allocatable = object.status().get("allocatable");
    let lacks = |field: &str, used: i64, needed: i64, of: fn(Quantity) -> i64| {
        needed > 0 && quantity(allocatable.get(field)).is_some_and(|all| used + needed > of(all))
    };
    if lacks("cpu", usage.cpu_millis, needs.cpu_millis, Quantity::millis) {
        reasons.push(reason("Insufficient cpu", true));
    }
    if lacks("memory", usage.memory, needs.memory, Quantity::whole) {
        reasons.push(reason("Insufficient memory", true));
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// Why no node at all will do: a volume claim that is missing or has no volume.
pub(super) fn unbound(pod: &Object, cluster: &Cluster) -> Option<String> {
    let volumes = pod.spec().get("volumes").items().iter();
    let mut claims = volumes
        .map(|volume| volume.at(&["persistentVolumeClaim", "claimName"]).str())
        .filter(|name| !name.is_empty());
    claims.find_map(|name| match cluster.find(Kind::PersistentVolumeClaim, pod.namespace(), name) {
        None => Some(format!("persistentvolumeclaim {name:?} not found")),
        Some(claim) if claim.status().get("phase").str() == "Bound" => None,
        Some(_) => Some("pod has unbound immediate PersistentVolumeClaims".to_owned()),
    })
}

/// The message of `framework.FitError` where one reason holds for all nodes.
pub(super) fn failure_everywhere(nodes: usize, why: &str) -> String {
    format!(
        "0/{nodes} nodes are available: {why}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    )
}

/// The message of `framework.FitError`, with what preemption has to say.
pub(super) fn failure(nodes: usize, reasons: &BTreeMap<Reason, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut lines: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count} {}", reason.words)).collect();
    lines.sort_unstable();
    let hopeless: usize =
        reasons.iter().filter(|(reason, _)| !reason.preemptible).map(|(_, count)| count).sum();
    let mut preemption = Vec::new();
    if hopeless < nodes {
        preemption.push(format!("{} No preemption victims found for incoming pod", nodes - hopeless));
    }
    if hopeless > 0 {
        preemption.push(format!("{hopeless} Preemption is not helpful for scheduling"));
    }
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        lines.join(", "),
        preemption.join(", ")
    )
}
