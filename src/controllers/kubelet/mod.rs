//! The kubelets of all nodes: they run the containers of the Pods that are bound to their node.
//!
//! Owns the life of a Pod from its binding to its end: pulling, starting, probing, restarting with back-off,
//! stopping, and the status that tells of it. It does not choose nodes, and what a process does is
//! [`crate::containers`]' knowledge. Times are those of the reference sessions' README.
//!
//! The work on one Pod is here; how its containers come up is in `starting`, how they end in `ending`, what
//! probes lead to in `health`.
//!
//! Annotations stage faults: `sim/ready: "false"`, `sim/fail: REASON`, `sim/exit: CODE` (after a second),
//! `sim/stop: SECONDS` (time to stop), `sim/events: "false"`.

mod ending;
mod environment;
mod health;
mod mounts;
mod probe;
mod pull;
mod record;
mod starting;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Container, Pod, Role};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster, Kubelets};
use crate::containers::ContainerKey;
use environment::ServiceVariables;
use pull::Images;
use record::Record;

/// From binding to running, for the first of the Pods that are bound at one moment.
const START: Span = Span::from_ms(670);
/// How much later each further one of them runs: containers come up one after the other.
const STAGGER: Span = Span::from_ms(9);
/// From how many on they come up together, so that large batches stay cheap.
const STAGGERED: u32 = 8;
/// With so many Pods on their way they come up and go together: in a busy cluster nobody sees them singly, and
/// every moment costs a round of all controllers.
const CROWD: usize = 200;
/// From a failed pull to the back-off.
const PULL_BACK_OFF: Span = Span::from_ms(1000);
/// From the end of an init container to the start of the next one.
const NEXT: Span = Span::from_ms(500);
/// From the first end of a container to its restart.
const RESTART: Span = Span::from_ms(1000);
/// How long a container runs that `sim/exit` lets end.
const STAGED_EXIT: Span = Span::from_ms(1000);
/// How long containers take to stop.
const STOP: Span = Span::from_ms(998);
/// The first back-off of a crashing container and the longest (kubelet's `--container-max-crash-backoff`).
const BACK_OFF_SECONDS: (u64, u64) = (10, 300);

/// All kubelets.
#[derive(Default)]
pub(super) struct Kubelet {
    records: BTreeMap<Key, Record>,
    images: Images,
    services: ServiceVariables,
    shared: status::Shared,
    begun: Moment,
    stopped: Moment,
    /// Pods that wait for a ConfigMap or Secret.
    stuck: BTreeSet<Key>,
}

/// The variables of Services that a Pod gets which starts now in a namespace, in the kubelet's order; without
/// `links` (`enableServiceLinks`) only those of the API server.
pub(super) fn service_variables(cluster: &Cluster, namespace: &str, links: bool) -> Vec<(String, String)> {
    environment::from_services(cluster, namespace, links)
}

/// The last moment at which something was done, and how often.
#[derive(Debug, Default)]
struct Moment {
    at: Instant,
    count: u32,
}

impl Moment {
    /// How much later than the first one of this moment the next one is done.
    fn next(&mut self, now: Instant) -> Span {
        if self.at != now {
            *self = Self { at: now, count: 0 };
        }
        self.count += 1;
        Span::from_us(STAGGER.0 * u64::from((self.count - 1).min(STAGGERED)))
    }
}

/// Whether the container at a place, which ended with a code, is started again.
fn restarts(object: &Object, index: usize, code: i64) -> bool {
    let pod = object.as_pod().expect("the kubelet reads Pods");
    match (pod.spec.role(index), pod.spec.restart_policy.as_str()) {
        (Role::Sidecar, _) => true,
        (_, "Never") => false,
        (Role::Init, _) | (_, "OnFailure") => code != 0,
        _ => true,
    }
}

/// `sim/fail`: the reason for which a Pod's containers do not come up.
fn staged_failure(object: &Object) -> Option<&str> {
    object.meta.annotation("sim/fail").filter(|reason| !reason.is_empty())
}

/// `sim/exit`: the code with which a Pod's containers end; init containers end by themselves.
fn staged_exit(object: &Object, container: &Container) -> Option<i64> {
    let code = object.meta.annotation("sim/exit")?.parse().ok()?;
    let first = &object.as_pod().expect("the kubelet reads Pods").spec.init_containers;
    (!first.iter().any(|one| one.name == container.name)).then_some(code)
}

fn is_cordoned(node: &Object) -> bool {
    node.as_node().is_some_and(|node| node.unschedulable)
}

/// A node's own kubelet says that it was cordoned or uncordoned.
fn say_schedulable(node: &Object, context: &mut Context<'_>) {
    let reason = if is_cordoned(node) { "NodeNotSchedulable" } else { "NodeSchedulable" };
    let message = format!("Node {} status is now: {reason}", node.name());
    let event = Event { warning: false, reason, message, field_path: "", host: node.name() };
    context.event(node, event);
}

/// One look at a Pod.
struct Look<'a, 'b> {
    object: Arc<Object>,
    record: Record,
    ips: Vec<IpAddr>,
    now: Instant,
    kubelet: &'a mut Kubelet,
    context: &'a mut Context<'b>,
}

impl Kubelet {
    /// The record of a Pod, made anew if there is none.
    fn record(&mut self, object: &Object, context: &Context<'_>) -> Record {
        match self.records.remove(&object.key) {
            Some(record) if record.uid == object.meta.uid => record,
            _ => Record::of(object, context.cluster, context.runtime),
        }
    }
}

impl Look<'_, '_> {
    fn pod(&self) -> &Pod {
        self.object.as_pod().expect("the kubelet reads Pods")
    }

    /// Says something about a container, or about the Pod for an empty name.
    fn say(&mut self, warning: bool, container: &str, reason: &'static str, message: String) {
        if self.object.meta.annotation("sim/events") == Some("false") {
            return;
        }
        let first = self.pod().spec.init_containers.iter().any(|one| one.name == container);
        let path = match container {
            "" => String::new(),
            name if first => format!("spec.initContainers{{{name}}}"),
            name => format!("spec.containers{{{name}}}"),
        };
        let host = self.pod().node.clone();
        let event = Event { warning, reason, message, field_path: &path, host: &host };
        self.context.event(&self.object, event);
    }

    /// Lets everything happen that is due.
    fn step(&mut self) {
        let object = self.object.clone();
        let pod = object.as_pod().expect("the kubelet reads Pods");
        for (index, container) in pod.spec.all().enumerate() {
            if self.record.awaits_turn(index) && self.record.is_turn(pod, index) {
                self.announce_pull(container);
                self.record.runs[index].next.start = Some(self.now + NEXT);
            }
            let now = self.now;
            let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let next = self.record.runs[index].next.clone();
            if let Some((_, code)) = self.ended(container, index).or(next.exit.filter(|(at, _)| *at <= now)) {
                self.end(container, index, code);
            } else if due(next.kill) || self.is_condemned(container, index) {
                self.kill(container, index);
            }
            if due(next.start) {
                self.start(container, index);
            }
            if due(next.back_off) {
                self.back_off_pull(container, index);
            }
            self.check_ready(container, index);
        }
        self.end_sidecars();
        self.write();
    }

    /// Whether the process of a running container has ended by other means than its own plan.
    fn ended(&self, container: &Container, index: usize) -> Option<(Instant, i64)> {
        let run = &self.record.runs[index];
        if !run.is_running() {
            return None;
        }
        let key = self.container_key(container, index);
        let ended = self.context.runtime.container(&key)?.ended?;
        Some((self.now, i64::from(ended)))
    }

    fn container_key(&self, container: &Container, index: usize) -> ContainerKey {
        let restart = self.record.runs[index].restarts;
        ContainerKey { pod: self.object.meta.uid.clone(), name: container.name.clone(), restart }
    }

    /// Writes the status if it is not what it was.
    fn write(&mut self) {
        let object = self.object.clone();
        let host = self.context.cluster.find(Kind::Node, "", &self.pod().node);
        let host = host.and_then(|node| node.as_node()?.address());
        let now = self.context.cluster.timestamp();
        let facts = status::Facts { object: &object, record: &self.record, ips: &self.ips, host, now };
        let status = self.kubelet.shared.status(&facts);
        if status == *object.status() {
            return;
        }
        let mut document = object.value.clone();
        document.set("status", status);
        if let Ok(written) = self.context.cluster.update_status(Actor::Kubelet, &object.key, document) {
            self.kubelet.shared.stored(&written);
            self.object = written;
        }
    }
}

impl Controller for Kubelet {
    fn actor(&self) -> Actor {
        Actor::Kubelet
    }

    fn latency(&self) -> Span {
        Span::from_ms(2)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Node => {
                if let (Some(before), Some(after)) = (&entry.before, &entry.after)
                    && is_cordoned(before) != is_cordoned(after)
                    && cluster.settings().kubelet == Kubelets::Strict
                {
                    dirty.add(entry.key.clone());
                }
                let broken =
                    |object: &Option<Arc<Object>>| object.as_ref()?.as_node().map(|node| node.broken);
                if broken(&entry.before) == Some(true) && broken(&entry.after) == Some(false) {
                    for pod in cluster.indexes().pods_on(&entry.key.name) {
                        dirty.add(pod.clone());
                    }
                }
            }
            Kind::ConfigMap | Kind::Secret if entry.after.is_some() => {
                let here = self.stuck.iter().filter(|pod| pod.namespace == entry.key.namespace);
                here.for_each(|pod| dirty.add(pod.clone()));
            }
            Kind::Service => self.services.forget(&entry.key.namespace, &entry.key.name),
            Kind::Pod => match &entry.after {
                None => {
                    self.records.remove(&entry.key);
                }
                Some(pod) => {
                    let bound = pod.as_pod().is_some_and(|pod| !pod.node.is_empty());
                    if entry.actor == Actor::Undo {
                        self.records.remove(&entry.key);
                    }
                    if bound && (entry.actor != Actor::Kubelet) {
                        dirty.add(entry.key.clone());
                    }
                }
            },
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(object) = context.cluster.get(key).cloned() else { return };
        if key.kind == Kind::Node {
            return say_schedulable(&object, context);
        }
        let Some(pod) = object.as_pod() else { return };
        let node = context.cluster.find(Kind::Node, "", &pod.node).and_then(|node| node.as_node());
        let on_node = node.is_some_and(|node| !node.broken);
        if !on_node || (pod.is_finished() && !object.is_terminating()) {
            self.records.remove(key);
            return;
        }
        self.stuck.remove(key);
        let record = self.record(&object, context);
        let (ips, now) = (pod.ips.to_vec(), context.cluster.now());
        let fresh = object.status().get("containerStatuses").is_null();
        let terminating = object.is_terminating();
        let mut look = Look { object, record, ips, now, kubelet: self, context };
        if terminating {
            if look.stop() {
                return;
            }
        } else if fresh {
            look.begin();
            if look.kubelet.records.len() <= CROWD {
                let delay = look.kubelet.begun.next(now);
                look.record.delay(delay);
            }
        } else {
            look.step();
        }
        let Look { record, context, .. } = look;
        if let Some(at) = record.next() {
            context.requeue(at - now);
            self.records.insert(key.clone(), record);
        }
    }
}
