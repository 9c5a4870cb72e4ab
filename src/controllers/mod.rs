//! Kubernetes' controllers, one file each.
//!
//! Owns the loop that all of them share: a change in the journal marks keys dirty, the queue lets the
//! controller run a little later, `reconcile(key)` looks at the state and writes through the API server's
//! door. Controllers are level-triggered: they may look at a key at any time, and twice does no harm. No
//! controller calls another, and none remembers what it could read from objects. To add one: a file with
//! a type that implements [`Controller`], and one line in [`Controllers::default`].

mod cloud_load_balancer;
mod cron_job;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoint_slice;
mod endpoint_slice_mirroring;
mod endpoints;
mod events;
mod fingerprint;
mod garbage_collector;
mod job;
mod kubelet;
mod kubernetes_service;
mod namespace;
mod node_lifecycle;
mod owned;
mod persistent_volume;
mod placement;
mod replicaset;
mod resource_quota;
mod revisions;
mod scheduler;
mod service_pods;
mod stateful_set;
mod taint_eviction;
mod ttl_after_finished;

use std::collections::{BTreeSet, VecDeque};

use crate::api::object::{Key, Object};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::queue::Due;
use crate::cluster::{Actor, Cluster};
use crate::containers::Runtime;
pub use events::Event;

/// The variables of Services that a Pod gets which starts now in a namespace, in the kubelet's order; without
/// `links` (`enableServiceLinks`) only those of the API server.
#[must_use]
pub fn service_variables(cluster: &Cluster, namespace: &str, links: bool) -> Vec<(String, String)> {
    kubelet::service_variables(cluster, namespace, links)
}

/// A controller: what makes a key dirty, and what to do about a dirty key.
pub trait Controller {
    /// Under which name it acts. Each controller has its own.
    fn actor(&self) -> Actor;

    /// How long after a change it acts: the time that a real one spends in its watch and work queue.
    fn latency(&self) -> Span {
        Span::from_ms(4)
    }

    /// Marks the keys that a write makes dirty. The keys may be of any kind that the controller understands.
    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue);

    /// Marks the keys that other settings of the world make dirty.
    fn settings_changed(&mut self, _cluster: &Cluster, _dirty: &mut WorkQueue) {}

    /// Brings the world closer to what the object at `key` asks for. The object may be gone.
    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>);
}

/// What a controller works with while it reconciles.
pub struct Context<'a> {
    /// The cluster: to read from its cache and to make requests.
    pub cluster: &'a mut Cluster,
    /// The containers that run.
    pub runtime: &'a mut Runtime,
    actor: Actor,
    recorder: &'a mut events::Recorder,
    timer: Option<Instant>,
}

impl Context<'_> {
    /// Writes an Event about an object, or counts the one up that says the same.
    pub fn event(&mut self, about: &Object, event: Event<'_>) {
        self.recorder.record(self.cluster, self.actor, about, event);
    }

    /// Looks at the key that is being reconciled again after a while. The earliest wish of one look counts, and
    /// the next look forgets it.
    pub fn requeue(&mut self, after: Span) {
        let at = self.cluster.now() + after;
        self.timer = Some(self.timer.map_or(at, |earlier| earlier.min(at)));
    }
}

/// Dirty keys, each once, first in first out.
#[derive(Debug, Default)]
pub struct WorkQueue {
    order: VecDeque<Key>,
    members: BTreeSet<Key>,
}

impl WorkQueue {
    /// Marks a key dirty.
    pub fn add(&mut self, key: Key) {
        if self.members.insert(key.clone()) {
            self.order.push_back(key);
        }
    }

    /// Marks many keys dirty.
    pub fn add_all(&mut self, keys: impl IntoIterator<Item = Key>) {
        keys.into_iter().for_each(|key| self.add(key));
    }

    /// Takes the key that has waited longest.
    pub fn take(&mut self) -> Option<Key> {
        let key = self.order.pop_front()?;
        self.members.remove(&key);
        Some(key)
    }

    /// Whether nothing is dirty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// One controller with its dirty keys.
struct Worker {
    controller: Box<dyn Controller>,
    dirty: WorkQueue,
    scheduled: bool,
}

/// All controllers of a cluster.
pub struct Controllers {
    workers: Vec<Worker>,
    recorder: events::Recorder,
    /// Who has more dirty keys than it looks at in one go, and goes on before anybody else.
    unfinished: Option<Actor>,
    revision: u64,
    /// Which version of the settings was seen.
    settings: u64,
}

/// Keys that a controller looks at in one go: few enough for a page to be painted between two goes.
const KEYS_AT_ONCE: usize = 16;
/// Writes after which it looks at no further key in one go: one key may stand for five hundred Pods.
const WRITES_AT_ONCE: u64 = 64;

impl Default for Controllers {
    fn default() -> Self {
        let controllers: Vec<Box<dyn Controller>> = vec![
            Box::new(deployment::DeploymentController),
            Box::new(replicaset::ReplicaSetController::of_replica_sets()),
            Box::new(replicaset::ReplicaSetController::of_replication_controllers()),
            Box::new(stateful_set::StatefulSetController),
            Box::new(daemon_set::DaemonSetController),
            Box::<job::JobController>::default(),
            Box::<cron_job::CronJobController>::default(),
            Box::new(ttl_after_finished::TtlAfterFinished),
            Box::new(node_lifecycle::NodeLifecycle),
            Box::new(disruption::DisruptionController),
            Box::new(resource_quota::ResourceQuotaController),
            Box::new(persistent_volume::PersistentVolumeBinder),
            Box::<taint_eviction::TaintEviction>::default(),
            Box::<scheduler::Scheduler>::default(),
            Box::<kubelet::Kubelet>::default(),
            Box::new(endpoints::EndpointsController),
            Box::new(endpoint_slice::EndpointSliceController),
            Box::new(endpoint_slice_mirroring::EndpointSliceMirroring),
            Box::new(garbage_collector::GarbageCollector),
            Box::<namespace::NamespaceController>::default(),
            Box::<kubernetes_service::KubernetesService>::default(),
            Box::<cloud_load_balancer::CloudLoadBalancer>::default(),
        ];
        let worker = |controller| Worker { controller, dirty: WorkQueue::default(), scheduled: false };
        Self {
            workers: controllers.into_iter().map(worker).collect(),
            recorder: events::Recorder::default(),
            unfinished: None,
            revision: 0,
            settings: 0,
        }
    }
}

impl Controllers {
    /// Follows the journal and puts controllers with dirty keys into the queue.
    pub fn observe(&mut self, cluster: &mut Cluster) {
        let revision = cluster.journal().revision();
        if self.revision == 0 {
            // The journal of a restored cluster begins late: its first entries are all that there is.
            self.revision = cluster.journal().oldest() - 1;
        }
        let settings = cluster.settings_version();
        if revision == self.revision && settings == self.settings {
            return;
        }
        if settings != self.settings {
            self.settings = settings;
            for worker in &mut self.workers {
                worker.controller.settings_changed(cluster, &mut worker.dirty);
            }
        }
        match cluster.journal().since(self.revision) {
            Some(entries) => {
                for entry in entries {
                    for worker in &mut self.workers {
                        worker.controller.observe(entry, cluster, &mut worker.dirty);
                    }
                }
            }
            None => unreachable!("controllers follow every write before the journal can forget it"),
        }
        self.revision = revision;
        for worker in &mut self.workers {
            if !worker.dirty.is_empty() && !worker.scheduled {
                worker.scheduled = true;
                let at = cluster.now() + worker.controller.latency();
                cluster.queue_mut().push(at, Due::Reconcile(worker.controller.actor()));
            }
        }
    }

    /// Who has begun with its dirty keys and is to go on ([`Controllers::run`]) before anything else happens.
    #[must_use]
    pub fn unfinished(&self) -> Option<Actor> {
        self.unfinished
    }

    /// Lets one controller reconcile its dirty keys, as many as it looks at in one go.
    pub fn run(&mut self, actor: Actor, cluster: &mut Cluster, runtime: &mut Runtime) {
        let Some(index) = self.workers.iter().position(|worker| worker.controller.actor() == actor) else {
            return;
        };
        if self.unfinished.is_none() {
            self.workers[index].scheduled = false;
        }
        let begun = cluster.journal().revision();
        for _ in 0..KEYS_AT_ONCE {
            if cluster.journal().revision() - begun >= WRITES_AT_ONCE {
                break;
            }
            let Some(key) = self.workers[index].dirty.take() else { break };
            self.reconcile(index, &key, cluster, runtime);
        }
        self.unfinished = (!self.workers[index].dirty.is_empty()).then_some(actor);
    }

    /// Lets one controller look at one key again.
    pub fn run_key(&mut self, actor: Actor, key: &Key, cluster: &mut Cluster, runtime: &mut Runtime) {
        if let Some(index) = self.workers.iter().position(|worker| worker.controller.actor() == actor) {
            self.reconcile(index, key, cluster, runtime);
        }
    }

    fn reconcile(&mut self, index: usize, key: &Key, cluster: &mut Cluster, runtime: &mut Runtime) {
        let controller = &mut self.workers[index].controller;
        let actor = controller.actor();
        let recorder = &mut self.recorder;
        let mut context = Context { cluster, runtime, actor, recorder, timer: None };
        controller.reconcile(key, &mut context);
        let timer = context.timer;
        cluster.queue_mut().set_timer(actor, key, timer);
        // Follow at once: a long batch must not outrun the journal's memory.
        self.observe(cluster);
    }
}

#[cfg(test)]
mod tests;
