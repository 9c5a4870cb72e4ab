//! One cluster with its controllers, its network and its containers, moving in virtual time.
//!
//! Owns the clock's movement: it takes what is due from the cluster's queue, sets the clock, and hands the
//! work to whom it concerns. It knows no commands and no page; [`crate::shell::host`] and the page drive it.

pub mod answering;
pub mod incidents;
pub mod initiator;
pub mod load;
pub mod traffic;
mod world;

use self::incidents::{Incident, Incidents};
use self::initiator::Initiator;
use self::load::Loads;
use self::traffic::Traffic;
use crate::api::object::Key;
use crate::api::value::Value;
use crate::cluster::clock::{Instant, Span};
use crate::cluster::queue::Due;
use crate::cluster::{Actor, Cluster, Reply, Request, Settings, Verb};
use crate::containers::{ContainerKey, Runtime};
use crate::controllers::Controllers;
use crate::network::Network;
use crate::network::counters::Counters;

/// How many queue entries one call of [`Simulation::settle`] runs at most: a guard against a world that
/// keeps itself busy at one instant.
const SETTLE_STEPS: usize = 20_000_000;

/// A whole simulated world.
pub struct Simulation {
    /// The objects and the clock.
    pub cluster: Cluster,
    /// The network tables.
    pub network: Network,
    /// The containers.
    pub runtime: Runtime,
    /// What went wrong of late, and in which command line.
    pub incidents: Incidents,
    /// On whose behalf the world is acted on now; whoever does it says so.
    pub initiator: Initiator,
    /// What iptables rules have matched.
    pub counters: Counters,
    /// What was sent of late.
    pub traffic: Traffic,
    /// Loads that run, or have run of late.
    pub loads: Loads,
    controllers: Controllers,
    /// The sync of kube-proxy that stands in the queue.
    sync: Option<Instant>,
}

impl Simulation {
    /// The world that a new session finds: nodes, system namespaces, CoreDNS, everything settled.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut simulation = Self::bare(settings);
        world::build(&mut simulation);
        simulation
    }

    /// A world with no object in it.
    #[must_use]
    pub fn bare(settings: Settings) -> Self {
        Self {
            cluster: Cluster::new(settings),
            network: Network::lagging(),
            runtime: Runtime::default(),
            incidents: Incidents::default(),
            initiator: Initiator::default(),
            counters: Counters::default(),
            traffic: Traffic::default(),
            loads: Loads::default(),
            controllers: Controllers::default(),
            sync: None,
        }
    }

    /// Changes the settings of the world while it runs; who depends on them looks again.
    pub fn change_settings(&mut self, settings: Settings) {
        *self.cluster.settings_mut() = settings;
        self.notice();
    }

    /// Serves a request and lets everyone notice what it changed.
    pub fn request(&mut self, request: Request) -> Reply {
        let asked = (request.actor == Actor::User).then(|| asked(&request));
        let reply = self.cluster.request(request);
        match (asked, &reply.result) {
            (Some((key, document)), Err(status)) => {
                self.note(Incident::Refusal { key, status: status.clone(), document });
            }
            (Some((key, _)), Ok(_)) => self.incidents.overcome(&key),
            (None, _) => {}
        }
        self.notice();
        reply
    }

    /// Remembers for `why` what happened to a person; programs ask nobody why.
    pub fn note(&mut self, incident: Incident) {
        if self.initiator == Initiator::Person {
            self.incidents.record(incident);
        }
    }

    /// Lets controllers and network follow what was written since the last call. Whoever changes
    /// [`Simulation::cluster`] directly calls this afterwards.
    pub fn notice(&mut self) {
        self.controllers.observe(&mut self.cluster);
        self.network.observe(&self.cluster);
        let sync = self.network.next_sync();
        if let Some(at) = sync.filter(|_| sync != self.sync) {
            self.cluster.queue_mut().push(at, Due::ProxySync);
        }
        self.sync = sync;
    }

    /// Ends the process of a container's latest run, as a person does who leaves an attached shell.
    pub fn end_process(&mut self, pod: &Key, container: &str, code: u8) {
        let Some(object) = self.cluster.get(pod) else { return };
        let uid = object.meta.uid.clone();
        let Some((restart, _)) = self.runtime.latest(&uid, container) else { return };
        self.runtime.end(&ContainerKey { pod: uid, name: container.into(), restart }, code);
        let now = self.cluster.now();
        self.cluster.queue_mut().push(now, Due::Requeue(Actor::Kubelet, pod.clone()));
    }

    /// Tells the kubelet what an `exec` probe of a container's run found ([`Runtime::note_probe`]).
    pub fn note_probe(
        &mut self,
        pod: &Key,
        run: &ContainerKey,
        kind: &'static str,
        found: Result<(), String>,
    ) {
        self.runtime.note_probe(run, kind, found);
        let now = self.cluster.now();
        self.cluster.queue_mut().push(now, Due::Requeue(Actor::Kubelet, pod.clone()));
    }

    /// Virtual time in microseconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.cluster.now().0
    }

    /// The journal's revision: grows with every write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.cluster.journal().revision()
    }

    /// When the world next does something by itself, in microseconds; `None` when nothing is due.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        if self.controllers.unfinished().is_some() {
            return Some(self.cluster.now().0);
        }
        self.cluster.queue().next_at().map(|at| at.0)
    }

    /// Runs the next thing that is due, moving the clock to it. False if nothing is due.
    pub fn step(&mut self) -> bool {
        if let Some(actor) = self.controllers.unfinished() {
            self.controllers.run(actor, &mut self.cluster, &mut self.runtime);
            self.notice();
            return true;
        }
        let Some((at, due)) = self.cluster.queue_mut().pop() else { return false };
        self.cluster.set_now(at);
        match due {
            Due::Reconcile(actor) => self.controllers.run(actor, &mut self.cluster, &mut self.runtime),
            Due::Requeue(actor, key) => {
                self.controllers.run_key(actor, &key, &mut self.cluster, &mut self.runtime)
            }
            Due::ProxySync => {}
        }
        self.notice();
        true
    }

    /// Runs everything due up to a time in microseconds, then sets the clock to it.
    pub fn advance_to(&mut self, until: u64) {
        let mut steps = u32::MAX;
        while !self.advance_within(until, &mut steps) {
            steps = u32::MAX;
        }
    }

    /// As [`Simulation::advance_to`], with so many steps at most, which are counted down. Gives whether the
    /// time was reached.
    pub fn advance_within(&mut self, until: u64, steps: &mut u32) -> bool {
        while self.next_due().is_some_and(|at| at <= until) {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            self.step();
        }
        self.cluster.set_now(Instant(until));
        true
    }

    /// Runs until nothing is due, or nothing is due within `limit` from now. Gives whether all is quiet.
    pub fn settle(&mut self, limit: Span) -> bool {
        let deadline = self.cluster.now() + limit;
        for _ in 0..SETTLE_STEPS {
            match self.next_due() {
                None => return true,
                Some(at) if at > deadline.0 => return false,
                Some(_) => {
                    self.step();
                }
            }
        }
        false
    }

    /// Undoes the last step of a person; see [`Cluster::undo`].
    ///
    /// # Errors
    ///
    /// As [`Cluster::undo`].
    pub fn undo(&mut self) -> Result<String, crate::cluster::undo::UndoError> {
        let label = self.cluster.undo()?;
        self.notice();
        Ok(label)
    }

    /// Does again what was undone; see [`Cluster::redo`].
    ///
    /// # Errors
    ///
    /// As [`Cluster::redo`].
    pub fn redo(&mut self) -> Result<String, crate::cluster::undo::UndoError> {
        let label = self.cluster.redo()?;
        self.notice();
        Ok(label)
    }
}

/// Which object a request is about, and the document that it brings.
fn asked(request: &Request) -> (Key, Option<Value>) {
    let document = match &request.verb {
        Verb::Create(document) | Verb::Update(document) => Some(document.clone()),
        _ => None,
    };
    let named = document.as_ref().map(|document| document.at(&["metadata", "name"]).smol());
    let name = if request.name.is_empty() { named.unwrap_or_default() } else { request.name.clone() };
    (Key::new(request.kind, request.namespace.clone(), name), document)
}
