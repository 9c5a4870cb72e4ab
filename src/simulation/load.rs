//! Load: many requests a second from one place to one target, and what becomes of them.
//!
//! Owns plans, running loads and their statistics, and [`Simulation::step_loads`], which sends what is due through
//! the network's fast path. Requests cost no trace; a few a second are sent with one, so that they can be seen on
//! their way. Servers are asked for each request; what one says to a request is taken to stay the same for one tick.
//! Whoever moves the clock calls `step_loads` often ([`LOAD_TICK`]); `crate::shell::load` does.

mod latency;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::mem::{Discriminant, discriminant};
use std::net::{IpAddr, SocketAddr};

pub use latency::Latencies;
use rustc_hash::FxHashMap;

use super::Simulation;
use crate::cluster::clock::{Instant, Span};
use crate::containers::http::Request;
use crate::network::{
    Delivery, Drop, DropCause, NoRouteCause, Origin, Outcome, Place, RefusedCause, Transport,
};

/// How often requests that are due are sent: short against kube-proxy's sync, so that races can be seen.
pub const LOAD_TICK: Span = Span::from_ms(20);
/// How long a client waits for an answer before it counts a failure.
const ANSWER_LIMIT: Span = Span::from_seconds(2);
/// When a client's kernel sends an unanswered SYN again.
const SYN_AGAIN: Span = Span::from_ms(1_000);
/// At most one request in this time is sent with a trace, which is what the page draws.
const SAMPLE_EVERY: Span = Span::from_ms(250);
/// The most requests a second that a load may ask for.
pub const RATE_LIMIT: u32 = 100_000;
/// The most connections that a load may have open.
pub const CONCURRENCY_LIMIT: u32 = 10_000;
/// How long a load may run at most, in seconds.
pub const DURATION_LIMIT_SECONDS: u64 = 3_600;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPlan {
    /// Who sends.
    pub from: Origin,
    /// What the target is called, for people.
    pub name: String,
    /// Where to: connections take these addresses in turn (several where a headless name gives several).
    pub to: Vec<SocketAddr>,
    /// Requests a second, at most [`RATE_LIMIT`].
    pub rate: u32,
    /// How many requests may be under way at once, at most [`CONCURRENCY_LIMIT`].
    pub concurrency: u32,
    /// The request; none where connections alone are counted.
    pub request: Option<Request>,
    /// Whether requests use a connection again.
    pub keep_alive: bool,
    /// How long to send.
    pub duration: Span,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadFailure {
    /// kube-proxy refused: no endpoints.
    NoEndpoints,
    /// kube-proxy refused: the Service has no such port.
    NoSuchPort,
    /// Nothing listens there (any more).
    Closed,
    /// A connection that was kept broke: its Pod is gone.
    Broken,
    /// Dropped: no local endpoint.
    NoLocalEndpoints,
    /// Dropped: the client is outside `loadBalancerSourceRanges`.
    SourceRanges,
    /// Nothing came back, for another reason.
    TimedOut,
    /// Nobody has the address.
    NoRoute,
    /// The connection was there, and what answered does not speak HTTP.
    NotHttp,
}

/// What one backend got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendCount {
    /// Connections opened to it.
    pub connections: u64,
    /// Requests sent over them.
    pub requests: u64,
}

/// What failed for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// How often.
    pub count: u64,
    /// When it happened first, since the load began.
    pub first: Span,
    /// When it happened last.
    pub last: Span,
}

/// What happened in one second of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadSecond {
    /// Requests answered.
    pub answered: u32,
    /// Requests failed.
    pub failed: u32,
}

/// Running statistics of a load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadStatistics {
    /// Requests sent.
    pub sent: u64,
    /// Requests answered.
    pub answered: u64,
    /// Requests failed.
    pub failed: u64,
    /// How often each HTTP status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// What each backend got, by place.
    pub backends: BTreeMap<String, BackendCount>,
    /// What failed, by reason.
    pub failures: BTreeMap<LoadFailure, FailureCount>,
    /// How long answered requests took.
    pub latencies: Latencies,
    /// Second by second.
    pub seconds: Vec<LoadSecond>,
}

/// Names a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadId(u64);

/// One of a client's connections.
#[derive(Clone, Debug, Default)]
struct Worker {
    /// When it can send again.
    free: Instant,
    kept: Option<Delivery>,
}

/// A load under way, or one that has ended.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is sent.
    pub plan: LoadPlan,
    /// When it began.
    pub started: Instant,
    /// Whether it still runs.
    pub running: bool,
    /// What happened so far.
    pub statistics: LoadStatistics,
    workers: Vec<Worker>,
    /// The workers by when they are free.
    idle: BinaryHeap<Reverse<(Instant, usize)>>,
    connections: u64,
    last_sample: Option<Instant>,
    /// What each backend said in this tick.
    said: FxHashMap<SocketAddr, Option<u16>>,
    /// Connections that no trace has told the counters of.
    untold: FxHashMap<Way, u64>,
}

/// What tells ways through the network apart: how it ended, where, and from which address.
type Way = (Discriminant<Outcome>, SocketAddr, IpAddr);

/// The loads of a world, the last ones that have ended among them.
#[derive(Debug, Default)]
pub struct Loads {
    all: BTreeMap<LoadId, Load>,
    count: u64,
}

/// How many loads are kept; those that have ended go first, oldest first.
const LOAD_LIMIT: usize = 8;

impl Loads {
    /// Begins a load; what is beyond the limits is cut to them.
    pub fn start(&mut self, mut plan: LoadPlan, now: Instant) -> LoadId {
        plan.rate = plan.rate.clamp(1, RATE_LIMIT);
        plan.concurrency = plan.concurrency.clamp(1, CONCURRENCY_LIMIT);
        plan.duration = plan.duration.min(Span::from_seconds(DURATION_LIMIT_SECONDS));
        while self.all.len() >= LOAD_LIMIT {
            let ended = self.all.iter().find(|(_, load)| !load.running).or(self.all.iter().next());
            let Some(id) = ended.map(|(id, _)| *id) else { break };
            self.all.remove(&id);
        }
        self.count += 1;
        let workers = vec![Worker { free: now, kept: None }; plan.concurrency as usize];
        let load = Load {
            plan,
            started: now,
            running: true,
            statistics: LoadStatistics::default(),
            idle: (0..workers.len()).map(|at| Reverse((now, at))).collect(),
            workers,
            connections: 0,
            last_sample: None,
            said: FxHashMap::default(),
            untold: FxHashMap::default(),
        };
        self.all.insert(LoadId(self.count), load);
        LoadId(self.count)
    }

    /// Ends a load before its time; its statistics stay.
    pub fn stop(&mut self, id: LoadId) {
        if let Some(load) = self.all.get_mut(&id) {
            load.running = false;
        }
    }

    /// A load.
    #[must_use]
    pub fn get(&self, id: LoadId) -> Option<&Load> {
        self.all.get(&id)
    }

    /// The loads, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (LoadId, &Load)> {
        self.all.iter().map(|(id, load)| (*id, load))
    }

    /// Whether any load runs.
    #[must_use]
    pub fn are_running(&self) -> bool {
        self.all.values().any(|load| load.running)
    }
}

impl LoadStatistics {
    fn second(&mut self, at: Span) -> &mut LoadSecond {
        let index =
            usize::try_from(at.0 / 1_000_000).unwrap_or(usize::MAX).min(DURATION_LIMIT_SECONDS as usize);
        if self.seconds.len() <= index {
            self.seconds.resize(index + 1, LoadSecond::default());
        }
        &mut self.seconds[index]
    }

    fn answer(&mut self, at: Span, server: &Place, opened: bool, status: Option<u16>, took_us: u64) {
        self.answered += 1;
        self.second(at).answered += 1;
        self.latencies.add(took_us);
        if let Some(status) = status {
            *self.statuses.entry(status).or_default() += 1;
        }
        let name = server.to_string();
        let backend = self.backends.entry(name).or_default();
        backend.requests += 1;
        backend.connections += u64::from(opened);
    }

    fn fail(&mut self, at: Span, why: LoadFailure) {
        self.failed += 1;
        self.second(at).failed += 1;
        let known = self.failures.entry(why).or_insert(FailureCount { count: 0, first: at, last: at });
        known.count += 1;
        known.last = at;
    }
}

impl Load {
    /// How many requests are due by a time.
    fn due(&self, now: Instant) -> u64 {
        let passed = (now - self.started).0.min(self.plan.duration.0);
        passed * u64::from(self.plan.rate) / 1_000_000
    }

    /// When a request is due, by its number from 0.
    fn due_at(&self, number: u64) -> Instant {
        self.started + Span(number * 1_000_000 / u64::from(self.plan.rate))
    }
}

impl Simulation {
    /// Sends what the running loads have to send by now. Loads whose time is over end.
    pub fn step_loads(&mut self) {
        let mut loads = std::mem::take(&mut self.loads.all);
        for load in loads.values_mut().filter(|load| load.running) {
            self.step_load(load);
        }
        self.loads.all = loads;
    }

    fn step_load(&mut self, load: &mut Load) {
        let now = self.cluster.now();
        let due = load.due(now);
        load.said.clear();
        while load.statistics.sent < due {
            // The worker that is free longest takes the next request; while all wait for answers, it waits too.
            let Some(Reverse((free, at))) = load.idle.peek().copied() else { break };
            let start = free.max(load.due_at(load.statistics.sent));
            if start > now {
                break;
            }
            load.idle.pop();
            self.request_of_load(load, at, start);
            load.idle.push(Reverse((load.workers[at].free, at)));
        }
        load.running = now - load.started < load.plan.duration;
    }

    fn request_of_load(&mut self, load: &mut Load, at: usize, now: Instant) {
        let since = now - load.started;
        load.statistics.sent += 1;
        if let Some(kept) = load.workers[at].kept.take() {
            if self.network.is_open(&kept) {
                let took_us = 2 * kept.latency_us;
                self.answer_of_load(load, since, &kept, false, took_us);
                load.workers[at] = Worker { free: now + Span(took_us), kept: Some(kept) };
            } else {
                load.statistics.fail(since, LoadFailure::Broken);
            }
            return;
        }
        let outcome = self.connection_of_load(load, now);
        match outcome {
            Some(Outcome::Delivered(delivery)) => {
                // A handshake, then the request and its answer.
                let took_us = 4 * delivery.latency_us;
                self.answer_of_load(load, since, &delivery, true, took_us);
                let kept = load.plan.keep_alive.then_some(delivery);
                load.workers[at] = Worker { free: now + Span(took_us), kept };
            }
            other => {
                let (why, waited) = failure(other.as_ref());
                load.statistics.fail(since, why);
                load.workers[at].free = now + waited;
            }
        }
    }

    /// What the server says to a request over a connection.
    fn answer_of_load(&self, load: &mut Load, at: Span, delivery: &Delivery, opened: bool, took_us: u64) {
        let status = load.plan.request.as_ref().map(|request| {
            *load.said.entry(delivery.packet.destination).or_insert_with(|| {
                self.http_answer(delivery, request, &|_| None).map(|response| response.status)
            })
        });
        match status {
            Some(None) => load.statistics.fail(at, LoadFailure::NotHttp),
            known => load.statistics.answer(at, &delivery.server, opened, known.flatten(), took_us),
        }
    }

    /// Opens a connection: with a trace now and then, else by the fast path. `None` if the sender has no address.
    fn connection_of_load(&mut self, load: &mut Load, now: Instant) -> Option<Outcome> {
        let to =
            *load.plan.to.get(usize::try_from(load.connections).unwrap_or(0) % load.plan.to.len().max(1))?;
        load.connections += 1;
        if load.last_sample.is_none_or(|last| now >= last + SAMPLE_EVERY) {
            load.last_sample = Some(now);
            let trace = self.connect(&load.plan.from, to, Transport::Tcp);
            // Its rules are those of all that went the same way without a trace.
            if let Some(times) = load.untold.remove(&way(&trace.outcome)) {
                self.counters.add(&self.network, trace.clone(), times);
            }
            return Some(trace.outcome.clone());
        }
        let port = self.network.any_port(Transport::Tcp);
        let stream = self.network.stream(&self.cluster, &load.plan.from, to, Transport::Tcp);
        let outcome = stream?.send(port);
        *load.untold.entry(way(&outcome)).or_default() += 1;
        Some(outcome)
    }
}

fn way(outcome: &Outcome) -> Way {
    let packet = match outcome {
        Outcome::Delivered(delivery) => delivery.packet,
        Outcome::Refused(refusal) => refusal.packet,
        Outcome::Dropped(drop) => drop.packet,
        Outcome::NoRoute(no_route) => no_route.packet,
    };
    (discriminant(outcome), packet.destination, packet.source.ip())
}

/// Why a connection failed, and how long its client waits before it knows.
fn failure(outcome: Option<&Outcome>) -> (LoadFailure, Span) {
    match outcome {
        Some(Outcome::Refused(refusal)) => {
            let why = match refusal.cause {
                RefusedCause::NoEndpoints(_) => LoadFailure::NoEndpoints,
                RefusedCause::NoSuchServicePort => LoadFailure::NoSuchPort,
                RefusedCause::NothingListens | RefusedCause::ListensOnLoopback(_) => LoadFailure::Closed,
            };
            (why, Span(2 * refusal.latency_us))
        }
        Some(Outcome::Dropped(Drop { cause: DropCause::AnswerHeldBack(inner), .. })) => {
            // The client's kernel sends its SYN again, and is told then.
            (failure(Some(inner)).0, SYN_AGAIN)
        }
        Some(Outcome::Dropped(drop)) => {
            let why = match drop.cause {
                DropCause::NoLocalEndpoints { .. } => LoadFailure::NoLocalEndpoints,
                DropCause::SourceRanges(_) => LoadFailure::SourceRanges,
                _ => LoadFailure::TimedOut,
            };
            (why, ANSWER_LIMIT)
        }
        Some(Outcome::NoRoute(no_route)) if no_route.cause == NoRouteCause::NobodyHasAddress => {
            (LoadFailure::NoRoute, ANSWER_LIMIT)
        }
        _ => (LoadFailure::NoRoute, Span(0)),
    }
}
