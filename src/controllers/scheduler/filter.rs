//! Which nodes a Pod may run on, and the words for why not.
//!
//! Owns the filter plug-ins in kube-scheduler's order; the first that refuses a node gives the reason. It
//! does not simulate inter-Pod affinity and topology constraints.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::neighbours::Neighbours;
use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::typed::{Container, Node, Protocol, Role};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::controllers::placement::{
    NO_EXECUTE, NO_SCHEDULE, UNSCHEDULABLE, selected, tolerates, untolerated,
};

/// Why a node does not fit, in the scheduler's words; and whether removing Pods could help.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    pub(super) words: SmolStr,
    pub(super) preemptible: bool,
}

pub(super) const fn reason(words: &'static str, preemptible: bool) -> Reason {
    Reason { words: SmolStr::new_static(words), preemptible }
}

fn reason_of(words: &str, preemptible: bool) -> Reason {
    Reason { words: words.into(), preemptible }
}

/// An address of a node with a port there. [`ANY`] takes the port of all addresses.
type HostPort = (SmolStr, u16, Protocol);

/// Every address.
const ANY: &str = "0.0.0.0";

/// Amounts of resources.
#[derive(Clone, Debug, Default)]
struct Amounts {
    cpu_millis: i64,
    memory: i64,
    /// Everything else: local storage, devices. Mostly none.
    others: BTreeMap<SmolStr, i64>,
}

impl Amounts {
    /// The amounts in `resources.requests` or in a node's `allocatable`.
    fn of(list: &Value) -> Self {
        let mut amounts = Self::default();
        for (name, value) in list.entries() {
            let Some(quantity) = quantity(value) else { continue };
            match name.as_str() {
                "cpu" => amounts.cpu_millis = quantity.millis(),
                "memory" => amounts.memory = quantity.whole(),
                _ => {
                    amounts.others.insert(name.clone(), quantity.whole());
                }
            }
        }
        amounts
    }

    fn add(&mut self, other: &Self, sign: i64) {
        self.cpu_millis += sign * other.cpu_millis;
        self.memory += sign * other.memory;
        for (name, amount) in &other.others {
            *self.others.entry(name.clone()).or_default() += sign * amount;
        }
    }

    /// Raises each amount to another one where that is more.
    fn raise(&mut self, other: &Self) {
        self.cpu_millis = self.cpu_millis.max(other.cpu_millis);
        self.memory = self.memory.max(other.memory);
        for (name, amount) in &other.others {
            let own = self.others.entry(name.clone()).or_default();
            *own = (*own).max(*amount);
        }
    }

    fn get(&self, name: &str) -> i64 {
        match name {
            "cpu" => self.cpu_millis,
            "memory" => self.memory,
            other => self.others.get(other).copied().unwrap_or(0),
        }
    }
}

/// What a Pod takes of a node.
#[derive(Debug, Default)]
pub(super) struct Needs {
    amounts: Amounts,
    host_ports: Vec<HostPort>,
}

impl Needs {
    pub(super) fn of(object: &Object) -> Self {
        let mut needs = Self::default();
        let Some(pod) = object.as_pod() else { return needs };
        let amounts = |container: &Container| Amounts::of(container.document.at(&["resources", "requests"]));
        let mut peak = Amounts::default();
        // Init containers run one after the other, beside the sidecars that are up by then.
        for (index, container) in pod.spec.init_containers.iter().enumerate() {
            let mut together = needs.amounts.clone();
            together.add(&amounts(container), 1);
            if pod.spec.role(index) == Role::Sidecar {
                needs.amounts = together.clone();
            }
            peak.raise(&together);
        }
        for container in &pod.spec.containers {
            needs.amounts.add(&amounts(container), 1);
            for port in &container.ports {
                let host = if pod.spec.host_network { port.port } else { port.host_port };
                if host != 0 {
                    let address = if port.host_ip.is_empty() { ANY.into() } else { port.host_ip.clone() };
                    needs.host_ports.push((address, host, port.protocol));
                }
            }
        }
        needs.amounts.raise(&peak);
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
    amounts: Amounts,
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
        self.amounts.add(&needs.amounts, sign);
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
    neighbours: &Neighbours,
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
    room(needs, object, node, usage)?;
    neighbours.fits(object).map_err(|why| vec![why])
}

fn room(needs: &Needs, object: &Object, node: &Node, usage: &Usage) -> Result<(), Vec<Reason>> {
    let mut reasons = Vec::new();
    if i64::try_from(usage.pods).unwrap_or(i64::MAX) >= node.pod_limit {
        reasons.push(reason("Too many pods", true));
    }
    let has = object.status().get("allocatable");
    let all = Amounts::of(has);
    let others = needs.amounts.others.keys().map(SmolStr::as_str);
    for name in ["cpu", "memory"].into_iter().chain(others) {
        let needed = needs.amounts.get(name);
        // A node that says nothing of CPU or memory has enough; of other things it has none.
        let is_known = !has.get(name).is_null() || !matches!(name, "cpu" | "memory");
        if needed > 0 && is_known && usage.amounts.get(name) + needed > all.get(name) {
            // What the whole node could not hold is not got by removing Pods.
            reasons.push(reason_of(&format!("Insufficient {name}"), needed <= all.get(name)));
        }
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
/// `hopeless` is on how many nodes the removal of Pods would not help; `preempts` whether the Pod may ask for it.
pub(super) fn failure(
    nodes: usize,
    reasons: &BTreeMap<SmolStr, usize>,
    hopeless: usize,
    preempts: bool,
) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut lines: Vec<String> = reasons.iter().map(|(words, count)| format!("{count} {words}")).collect();
    lines.sort_unstable();
    if !preempts {
        return format!(
            "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
            lines.join(", ")
        );
    }
    let mut preemption = Vec::new();
    if hopeless < nodes {
        preemption.push(format!("{} No preemption victims found for incoming pod", nodes - hopeless));
    }
    if hopeless > 0 {
        preemption.push(format!("{hopeless} Preemption is not helpful for scheduling"));
    }
    preemption.sort_unstable();
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        lines.join(", "),
        preemption.join(", ")
    )
}
