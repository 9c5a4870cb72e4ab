//! default-scheduler: gives every Pod a node.
//!
//! Owns filtering (cordons, taints, selectors, affinity, ports, room, neighbours), choice (fewest Pods of the
//! same owner, then fewest Pods, then chance) and the words of a failure. Nodes are kept ordered by load, so that
//! a choice looks at a few nodes and not at all of them. It preempts nobody: a Pod of high priority waits like any
//! other. Source of order and messages: kube-scheduler's plug-ins and `framework.FitError`.

mod filter;
mod neighbours;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::{Request, Subresource, Verb};
use crate::cluster::{Actor, Cluster};
use crate::value;
use filter::{Needs, Usage};
use neighbours::Neighbours;

/// How many fitting nodes are compared at most (`minFeasibleNodesToFind`).
const COMPARED: usize = 100;

/// Spreads seeds over the numbers that lots begin with; with the default seed the first world comes out as
/// the recorded one did.
const LOTS: u64 = 2;

/// A node's place in the order of load: Pods on it, a lot drawn when that last changed, its name.
type Place = (usize, u64, SmolStr);

/// The scheduler, with what it keeps in its cache of nodes.
#[derive(Default)]
pub(super) struct Scheduler {
    by_load: BTreeSet<Place>,
    nodes: FxHashMap<SmolStr, NodeInfo>,
    /// Pods of one owner on each node where there are any.
    by_owner: FxHashMap<SmolStr, BTreeMap<SmolStr, usize>>,
    /// Pods for which there was no node.
    waiting: BTreeSet<Key>,
    /// Pods on nodes that refuse certain others beside them.
    averse: BTreeSet<Key>,
    lots: u64,
}

/// What the scheduler knows of one node.
#[derive(Debug, Default)]
struct NodeInfo {
    exists: bool,
    lot: u64,
    usage: Usage,
}

impl Scheduler {
    /// Draws a lot: the next number of a sequence that the world's seed begins (splitmix64).
    fn draw(&mut self, seed: u64) -> u64 {
        if self.lots == 0 {
            self.lots = seed.wrapping_mul(LOTS);
        }
        self.lots = self.lots.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.lots;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Adds or takes a Pod's weight on its node.
    fn weigh(&mut self, pod: &Object, add: bool, seed: u64) {
        let Some(node) = occupied(pod) else { return };
        if neighbours::is_averse(pod) {
            if add {
                self.averse.insert(pod.key.clone());
            } else {
                self.averse.remove(&pod.key);
            }
        }
        let lot = self.draw(seed);
        let info = self.nodes.entry(node.clone()).or_default();
        let before = (info.usage.pods, info.lot, node.clone());
        info.usage.change(&Needs::of(pod), add);
        info.lot = lot;
        if info.exists {
            let after = (info.usage.pods, lot, node.clone());
            self.by_load.remove(&before);
            self.by_load.insert(after);
        }
        if let Some(owner) = pod.controller() {
            let counts = self.by_owner.entry(owner.uid.clone()).or_default();
            let count = counts.entry(node.clone()).or_default();
            *count = if add { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                counts.remove(node);
            }
            if counts.is_empty() {
                self.by_owner.remove(&owner.uid);
            }
        }
    }

    fn set_node(&mut self, name: &SmolStr, exists: bool, seed: u64) {
        let lot = self.draw(seed);
        let info = self.nodes.entry(name.clone()).or_default();
        if info.exists {
            self.by_load.remove(&(info.usage.pods, info.lot, name.clone()));
        }
        info.exists = exists;
        info.lot = lot;
        if exists {
            self.by_load.insert((info.usage.pods, lot, name.clone()));
        }
    }

    /// The best node that fits, or why none does.
    fn choose(&self, pod: &Object, cluster: &Cluster) -> Result<SmolStr, String> {
        if let Some(why) = filter::unbound(pod, cluster) {
            return Err(filter::failure_everywhere(self.by_load.len(), &why));
        }
        let needs = Needs::of(pod);
        let siblings = pod.controller().and_then(|owner| self.by_owner.get(&owner.uid));
        let siblings_on = |node: &SmolStr| siblings.and_then(|counts| counts.get(node)).copied().unwrap_or(0);
        let mut best: Option<(usize, &SmolStr)> = None;
        let mut fitting = 0;
        let mut reasons: BTreeMap<SmolStr, usize> = BTreeMap::new();
        let mut hopeless = 0;
        let neighbours = Neighbours::of(pod, &self.averse, cluster);
        for (_, _, name) in &self.by_load {
            let Some(node) = cluster.find(Kind::Node, "", name) else { continue };
            let usage = &self.nodes.get(name).expect("every ordered node is known").usage;
            match filter::fits(pod, &needs, node, usage, &neighbours) {
                Ok(()) => {
                    fitting += 1;
                    let count = siblings_on(name);
                    if best.is_none_or(|(least, _)| count < least) {
                        best = Some((count, name));
                    }
                    if count == 0 || fitting == COMPARED {
                        break;
                    }
                }
                Err(why) => {
                    hopeless += usize::from(why.iter().any(|reason| !reason.preemptible));
                    for reason in why {
                        *reasons.entry(reason.words).or_default() += 1;
                    }
                }
            }
        }
        let preempts = pod.spec().get("preemptionPolicy").str() != "Never";
        best.map(|(_, name)| name.clone())
            .ok_or_else(|| filter::failure(self.by_load.len(), &reasons, hopeless, preempts))
    }

    /// Whether a Pod waits that wants to be near others or evenly spread.
    fn waits_for_neighbour(&self, cluster: &Cluster) -> bool {
        self.waiting.iter().filter_map(|key| cluster.get(key)).any(|pod| {
            let spec = pod.spec();
            !spec.at(&["affinity", "podAffinity"]).is_null()
                || !spec.get("topologySpreadConstraints").is_empty()
        })
    }

    fn wait(&mut self, pod: &Object, why: String, context: &mut Context<'_>) {
        let key = &pod.key;
        self.waiting.insert(key.clone());
        let conditions = pod.status().get("conditions");
        let known = conditions.items().iter().find(|condition| condition.get("type").str() == "PodScheduled");
        if known.is_some_and(|condition| condition.get("message").str() == why) {
            return;
        }
        let now = Value::from(context.cluster.timestamp());
        let mut document = pod.value.clone();
        let mut condition = value!({
            "lastProbeTime": null, "lastTransitionTime": now, "message": (why.clone()),
            "reason": "Unschedulable", "status": "False", "type": "PodScheduled"
        });
        if pod.meta.generation > 0 {
            condition.set("observedGeneration", pod.meta.generation);
        }
        document.set_at(&["status", "conditions"], vec![condition]);
        document.field_mut("status").set_default("phase", "Pending");
        context.event(pod, Event::warning("FailedScheduling", why));
        // The Pod may be gone by now; then there is nothing to tell.
        let _written = context.cluster.update_status(Actor::Scheduler, key, document);
    }
}

/// The node on which a Pod takes room.
fn occupied(object: &Object) -> Option<&SmolStr> {
    let pod = object.as_pod()?;
    (!pod.node.is_empty() && !pod.is_finished()).then_some(&pod.node)
}

/// Whether a Pod waits for this scheduler.
fn is_waiting(object: &Object) -> bool {
    let Some(pod) = object.as_pod() else { return false };
    let scheduler = object.spec().get("schedulerName").str();
    pod.node.is_empty() && !object.is_terminating() && matches!(scheduler, "" | "default-scheduler")
}

impl Controller for Scheduler {
    fn actor(&self) -> Actor {
        Actor::Scheduler
    }

    fn latency(&self) -> Span {
        Span::from_ms(2)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        let seed = cluster.settings().seed;
        match entry.key.kind {
            Kind::Node => {
                if entry.before.is_none() || entry.after.is_none() {
                    self.set_node(&entry.key.name, entry.after.is_some(), seed);
                }
                self.waiting.iter().for_each(|key| dirty.add(key.clone()));
            }
            Kind::PersistentVolumeClaim => self.waiting.iter().for_each(|key| dirty.add(key.clone())),
            Kind::Pod => {
                let before = entry.before.as_deref().and_then(occupied);
                let after = entry.after.as_deref().and_then(occupied);
                if before != after {
                    if let Some(pod) = entry.before.as_deref() {
                        self.weigh(pod, false, seed);
                    }
                    if let Some(pod) = entry.after.as_deref() {
                        self.weigh(pod, true, seed);
                    }
                    // One that left makes room, one that came may be the neighbour that was wanted.
                    if before.is_some() || self.waits_for_neighbour(cluster) {
                        self.waiting.iter().for_each(|key| dirty.add(key.clone()));
                    }
                }
                match entry.after.as_deref() {
                    Some(pod) if is_waiting(pod) => {
                        if entry.actor != Actor::Scheduler {
                            dirty.add(entry.key.clone());
                        }
                    }
                    _ => {
                        self.waiting.remove(&entry.key);
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(pod) = context.cluster.get(key).filter(|pod| is_waiting(pod)).cloned() else {
            self.waiting.remove(key);
            return;
        };
        if !pod.spec().get("schedulingGates").items().is_empty() {
            return;
        }
        let node = match self.choose(&pod, context.cluster) {
            Ok(node) => node,
            Err(why) => return self.wait(&pod, why, context),
        };
        let target = value!({ "target": { "kind": "Node", "name": (node.clone()) } });
        let request =
            Request::new(Actor::Scheduler, Verb::Create(target), key).subresource(Subresource::Binding);
        if context.cluster.request(request).result.is_ok() {
            let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
            context.event(&pod, Event::normal("Scheduled", message));
        }
    }
}
