//! daemonset-controller: keeps one Pod on every node that a DaemonSet is meant for.
//!
//! Owns which nodes these are, making and removing their Pods, revisions and the status. Replacing Pods of an
//! older template is in [`rollout`]; binding is the scheduler's business: each Pod asks for its node by affinity.
//! Source: `pkg/controller/daemon` of Kubernetes.

mod rollout;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::placement::{self, NO_EXECUTE, NO_SCHEDULE, UNSCHEDULABLE};
use super::revisions::{self, Draft};
use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The label with the number of the template, which old clients read.
const GENERATION: &str = "pod-template-generation";
/// The annotation that counts templates.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What every daemon Pod tolerates: troubles of a node that keep other Pods away.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    (UNSCHEDULABLE, NO_SCHEDULE),
];
/// What a Pod on its node's network tolerates besides.
const NETWORK_UNAVAILABLE: &str = "node.kubernetes.io/network-unavailable";

/// The DaemonSet controller.
pub(super) struct DaemonSetController;

impl Controller for DaemonSetController {
    fn actor(&self) -> Actor {
        Actor::DaemonSet
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::DaemonSet => dirty.add(entry.key.clone()),
            Kind::Pod => owned::observe(Kind::DaemonSet, entry, cluster, dirty),
            Kind::Node if concerns_placement(entry) => {
                for set in cluster.list(Kind::DaemonSet, None) {
                    dirty.add(set.key.clone());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(set) = context.cluster.get(key).cloned() else { return };
        let Some(selector) = owned::selector_of(&set) else { return };
        if set.is_terminating() {
            return;
        }
        let all = revisions::list(context.cluster, Actor::DaemonSet, &set, &selector);
        let mut collisions = set.status().get("collisionCount").as_int().unwrap_or(0);
        let Some(present) = present(context.cluster, &set, &all, &mut collisions) else { return };
        let pods = owned::claim(context.cluster, Actor::DaemonSet, &set, Kind::Pod, &selector);
        let hash = present.meta.labels.get(revisions::HASH).smol();
        let mut sync = Sync { set, hash, collisions, nodes: BTreeMap::new(), context };
        sync.look(pods);
        sync.manage();
        sync.roll();
        sync.forget_old(&all, &present);
        sync.write_status();
    }
}

/// Whether a node's change can change which daemons it has.
fn concerns_placement(entry: &Entry) -> bool {
    match (&entry.before, &entry.after) {
        (Some(before), Some(after)) => {
            before.meta.labels != after.meta.labels
                || before.as_node().map(|node| (&node.taints, node.unschedulable))
                    != after.as_node().map(|node| (&node.taints, node.unschedulable))
        }
        _ => true,
    }
}

/// The revision of the present template (`constructHistory`).
fn present(
    cluster: &mut Cluster,
    set: &Object,
    all: &[Arc<Object>],
    collisions: &mut i64,
) -> Option<Arc<Object>> {
    let data = revisions::data(set);
    let (same, old): (Vec<_>, Vec<_>) = all.iter().partition(|one| *one.value.get("data") == data);
    let next = old.last().map_or(0, |last| revisions::number(last)) + 1;
    match same.last() {
        Some(present) if revisions::number(present) < next => {
            Some(revisions::renumber(cluster, Actor::DaemonSet, present, next))
        }
        Some(present) => Some((*present).clone()),
        None => Draft { owner: set, number: next, hash_label: revisions::HASH }.create(
            cluster,
            Actor::DaemonSet,
            collisions,
        ),
    }
}

/// What a DaemonSet wants of a node, and the Pods that it has there.
#[derive(Default)]
struct Place {
    /// A new Pod may be made here.
    wanted: bool,
    /// Pods that are here may stay.
    tolerated: bool,
    /// The Pods, oldest first.
    pods: Vec<Arc<Object>>,
}

/// One pass over a DaemonSet.
struct Sync<'a, 'b> {
    set: Arc<Object>,
    hash: SmolStr,
    collisions: i64,
    nodes: BTreeMap<SmolStr, Place>,
    context: &'a mut Context<'b>,
}

impl Sync<'_, '_> {
    fn min_ready(&self) -> i64 {
        self.set.spec().get("minReadySeconds").as_int().unwrap_or(0)
    }

    fn is_available(&self, pod: &Object) -> bool {
        owned::is_available(pod, self.min_ready(), self.context.cluster.timestamp())
    }

    /// Whether a Pod is of the present template.
    fn is_updated(&self, pod: &Object) -> bool {
        revisions::of_pod(pod) == self.hash
    }

    /// Looks at every node and where the Pods are.
    fn look(&mut self, pods: Vec<Arc<Object>>) {
        let spec = self.set.spec().at(&["template", "spec"]);
        let tolerations = tolerations(spec);
        for node in self.context.cluster.list(Kind::Node, None) {
            let (wanted, tolerated) = fits(spec, tolerations.items(), node);
            self.nodes.insert(node.name().clone(), Place { wanted, tolerated, pods: Vec::new() });
        }
        for pod in pods {
            let node = node_of(&pod);
            // The Pods of a node that is gone are the node lifecycle's business.
            if let Some(place) = self.nodes.get_mut(&node) {
                place.pods.push(pod);
            }
        }
        for place in self.nodes.values_mut() {
            place.pods.sort_by_key(|pod| (pod.meta.created, pod.name().clone()));
        }
    }

    /// Makes the Pods that are missing and removes those that should not be (`manage`).
    fn manage(&mut self) {
        let mut missing = Vec::new();
        let mut superfluous = Vec::new();
        for (name, place) in &self.nodes {
            let living = place.pods.iter().filter(|pod| !pod.is_terminating());
            if place.wanted && place.pods.is_empty() {
                missing.push(name.clone());
            } else if place.wanted || place.tolerated {
                let (ended, running): (Vec<_>, Vec<_>) =
                    living.partition(|pod| pod.as_pod().is_some_and(|pod| pod.is_finished()));
                superfluous.extend(ended.into_iter().map(|pod| (pod.clone(), true)));
                superfluous.extend(self.doubles(&running).into_iter().map(|pod| (pod, false)));
            } else {
                superfluous.extend(living.map(|pod| (pod.clone(), false)));
            }
        }
        for (pod, ended) in superfluous {
            if ended {
                self.say_ended(&pod);
            }
            self.delete(&pod);
        }
        for node in missing {
            self.create(&node);
        }
    }

    /// Pods beyond the one that a node shall have; while Pods surge, one of each template.
    fn doubles(&self, running: &[&Arc<Object>]) -> Vec<Arc<Object>> {
        let rest = |pods: &[&Arc<Object>]| -> Vec<Arc<Object>> {
            pods.iter().skip(1).map(|pod| (*pod).clone()).collect()
        };
        if self.surge() == 0 {
            return rest(running);
        }
        let (new, old): (Vec<&Arc<Object>>, Vec<&Arc<Object>>) =
            running.iter().copied().partition(|pod| self.is_updated(pod));
        [rest(&new), rest(&old)].concat()
    }

    fn say_ended(&mut self, pod: &Object) {
        let node = node_of(pod);
        let name = pod.name();
        let event = if pod.as_pod().is_some_and(|pod| pod.phase == "Failed") {
            let message = format!(
                "Found failed daemon pod {}/{name} on node {node}, will try to kill it",
                pod.namespace()
            );
            Event::warning("FailedDaemonPod", message)
        } else {
            let message = format!(
                "Found succeeded daemon pod {}/{name} on node {node}, will try to delete it",
                pod.namespace()
            );
            Event::normal("SucceededDaemonPod", message)
        };
        self.context.event(&self.set, event);
    }

    fn create(&mut self, node: &SmolStr) {
        let document = self.document(node);
        let created =
            owned::create_named(self.context.cluster, Actor::DaemonSet, self.set.namespace(), &document);
        match created {
            Ok(pod) => {
                let message = format!("Created pod: {}", pod.name());
                self.context.event(&self.set, Event::normal("SuccessfulCreate", message));
                if let Some(place) = self.nodes.get_mut(node) {
                    place.pods.push(pod);
                }
            }
            Err(status) => {
                let message = format!("Error creating: {}", status.message);
                self.context.event(&self.set, Event::warning("FailedCreate", message));
            }
        }
    }

    fn delete(&mut self, pod: &Object) {
        let options = Options { uid: pod.meta.uid.clone(), ..Options::default() };
        if self.context.cluster.delete(Actor::DaemonSet, &pod.key, options).is_ok() {
            let message = format!("Deleted pod: {}", pod.name());
            self.context.event(&self.set, Event::normal("SuccessfulDelete", message));
        }
        let left = self.context.cluster.get(&pod.key).cloned();
        if let Some(place) = self.nodes.get_mut(&node_of(pod)) {
            place.pods.retain(|one| one.key != pod.key);
            place.pods.extend(left);
        }
    }

    /// The Pod for a node.
    fn document(&self, node: &SmolStr) -> Value {
        let mut document = owned::pod_of_template(&self.set);
        let labels = document.at_mut(&["metadata", "labels"]);
        labels.set(revisions::HASH, self.hash.clone());
        if let Some(number) = self.set.meta.annotation(TEMPLATE_GENERATION) {
            labels.set(GENERATION, number.to_owned());
        }
        let spec = document.field_mut("spec");
        let all = tolerations(spec);
        spec.set("tolerations", all);
        let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        let term = value!({
            "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [(node.clone())] }]
        });
        spec.set_at(&path, value!({ "nodeSelectorTerms": [term] }));
        document
    }

    /// Removes revisions that no Pod has, beyond `revisionHistoryLimit`.
    fn forget_old(&mut self, all: &[Arc<Object>], present: &Object) {
        let old: Vec<Arc<Object>> = all.iter().filter(|one| one.key != present.key).cloned().collect();
        let limit = self.set.spec().get("revisionHistoryLimit").as_int().unwrap_or(10);
        let hashes: Vec<SmolStr> =
            self.nodes.values().flat_map(|place| &place.pods).map(|pod| revisions::of_pod(pod)).collect();
        let in_use = |revision: &Object| hashes.contains(&revision.meta.labels.get(revisions::HASH).smol());
        revisions::forget(self.context.cluster, Actor::DaemonSet, &old, limit, &in_use);
    }

    fn write_status(&mut self) {
        let (mut desired, mut current, mut misplaced, mut ready, mut updated, mut available) =
            (0, 0, 0, 0, 0, 0);
        for place in self.nodes.values() {
            let Some(pod) = place.pods.first() else {
                desired += i64::from(place.wanted);
                continue;
            };
            if !place.wanted {
                misplaced += 1;
                continue;
            }
            desired += 1;
            current += 1;
            ready += i64::from(pod.as_pod().is_some_and(|pod| pod.ready));
            available += i64::from(self.is_available(pod));
            updated += i64::from(place.pods.iter().any(|pod| self.is_updated(pod)));
        }
        let mut status = value!({
            "currentNumberScheduled": current,
            "desiredNumberScheduled": desired,
            "numberMisscheduled": misplaced,
            "numberReady": ready,
            "observedGeneration": (self.set.meta.generation)
        });
        for (field, count) in [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", available),
            ("numberUnavailable", desired - available),
            ("collisionCount", self.collisions),
        ] {
            if count > 0 {
                status.set(field, count);
            }
        }
        let pods = self.nodes.values().flat_map(|place| &place.pods);
        if let Some(after) = owned::until_available(pods, self.min_ready(), self.context.cluster) {
            self.context.requeue(after);
        }
        owned::write_status(self.context.cluster, Actor::DaemonSet, &self.set, status);
    }
}

/// The tolerations of a template with those of every daemon.
fn tolerations(spec: &Value) -> Value {
    let mut all = spec.get("tolerations").items().to_vec();
    let host_network = spec.get("hostNetwork").as_bool() == Some(true);
    let more = host_network.then_some((NETWORK_UNAVAILABLE, NO_SCHEDULE));
    for (key, effect) in TOLERATED.into_iter().chain(more) {
        let toleration = value!({ "effect": effect, "key": key, "operator": "Exists" });
        if !all.contains(&toleration) {
            all.push(toleration);
        }
    }
    all.into()
}

/// Whether a daemon shall run on a node, and whether one that is there may stay (`NodeShouldRunDaemonPod`).
fn fits(spec: &Value, tolerations: &[Value], object: &Object) -> (bool, bool) {
    let node = object.as_node().expect("objects of kind Node are Nodes");
    let named = spec.get("nodeName").str();
    if !(named.is_empty() || named == object.name()) || !placement::selected(spec, object) {
        return (false, false);
    }
    let wanted = !placement::untolerated(node, tolerations, &[NO_SCHEDULE, NO_EXECUTE]);
    (wanted, wanted || !placement::untolerated(node, tolerations, &[NO_EXECUTE]))
}

/// The node that a daemon Pod is on, or asks for.
fn node_of(object: &Object) -> SmolStr {
    let bound = object.as_pod().map(|pod| pod.node.clone()).unwrap_or_default();
    if !bound.is_empty() {
        return bound;
    }
    let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = object.spec().at(&path).get("nodeSelectorTerms").items();
    let fields = terms.iter().flat_map(|term| term.get("matchFields").items());
    let mut named = fields.filter(|field| field.get("key").str() == "metadata.name");
    named.find_map(|field| field.get("values").items().first()).map(Value::smol).unwrap_or_default()
}
