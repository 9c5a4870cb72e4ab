//! What a kubelet remembers of a Pod while something is under way.
//!
//! Owns the states of containers and when each changes next. A record can be made anew from the Pod's status at
//! any time: nothing in it outlives the kubelet's interest, and undo needs to know nothing of it.

use super::probe::{Facts, Subject};
use super::pull;
use crate::api::object::Object;
use crate::api::time::Timestamp;
use crate::api::typed::{Container, Pod, Role};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::cluster::clock::{Instant, Span};
use crate::containers::{ContainerKey, Runtime};

/// Why a container waits whose init containers have not done their part.
const INITIALIZING: &str = "PodInitializing";

/// A Pod on its way.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) uid: SmolStr,
    pub(super) runs: Vec<Run>,
    /// When its containers have stopped, once it is being deleted.
    pub(super) stops_at: Option<Instant>,
}

/// One container.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) state: State,
    pub(super) last: Option<Ended>,
    pub(super) restarts: u32,
    pub(super) id: SmolStr,
    pub(super) ready: bool,
    pub(super) started: bool,
    /// How often in a row its readiness probe was heard to fail.
    pub(super) complaints: u32,
    pub(super) next: Next,
}

/// When a container changes by itself, by what happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Next {
    /// It is started (again).
    pub(super) start: Option<Instant>,
    /// The failed pull is called a back-off.
    pub(super) back_off: Option<Instant>,
    /// Its process ends with a code.
    pub(super) exit: Option<(Instant, i64)>,
    /// Its probes are looked at.
    pub(super) probe: Option<Instant>,
    /// The kubelet stops it because a probe failed too often.
    pub(super) kill: Option<Instant>,
}

/// The state of a container.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// It does not run yet, or not again yet.
    Waiting { reason: SmolStr, message: String },
    /// It runs.
    Running { since: Timestamp },
    /// It has ended.
    Ended(Ended),
}

/// How a run of a container ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) code: i64,
    pub(super) reason: SmolStr,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
    pub(super) id: SmolStr,
    /// Why it could not be started; empty for one that ran.
    pub(super) message: String,
}

impl Next {
    /// The earliest of all.
    pub(super) fn earliest(&self) -> Option<Instant> {
        let exit = self.exit.map(|(at, _)| at);
        [self.start, self.back_off, exit, self.probe, self.kill].into_iter().flatten().min()
    }
}

impl Run {
    /// A container that was never started; the others of its Pod may have to come first.
    pub(super) fn creating(initializes: bool) -> Self {
        let reason = if initializes { INITIALIZING } else { "ContainerCreating" };
        Self {
            state: State::Waiting { reason: reason.into(), message: String::new() },
            last: None,
            restarts: 0,
            id: SmolStr::default(),
            ready: false,
            started: false,
            complaints: 0,
            next: Next::default(),
        }
    }

    /// Reads an entry of `containerStatuses`.
    fn of(status: &Value) -> Self {
        let state = status.get("state");
        let waiting = state.get("waiting");
        let state = if !state.get("running").is_null() {
            let since = Timestamp::of(state.at(&["running", "startedAt"])).unwrap_or_default();
            State::Running { since }
        } else if !state.get("terminated").is_null() {
            State::Ended(Ended::of(state.get("terminated")))
        } else {
            State::Waiting {
                reason: waiting.get("reason").smol(),
                message: waiting.get("message").str().to_owned(),
            }
        };
        let last = status.at(&["lastState", "terminated"]);
        Self {
            state,
            last: (!last.is_null()).then(|| Ended::of(last)),
            restarts: status.get("restartCount").as_int().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            id: status.get("containerID").smol(),
            ready: status.get("ready").as_bool().unwrap_or(false),
            started: status.get("started").as_bool().unwrap_or(false),
            complaints: 0,
            next: Next::default(),
        }
    }

    /// Whether it runs.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }
}

impl Ended {
    fn of(terminated: &Value) -> Self {
        let time = |field| Timestamp::of(terminated.get(field)).unwrap_or_default();
        Self {
            code: terminated.get("exitCode").as_int().unwrap_or(0),
            reason: terminated.get("reason").smol(),
            started: time("startedAt"),
            finished: time("finishedAt"),
            id: terminated.get("containerID").smol(),
            message: terminated.get("message").str().to_owned(),
        }
    }
}

impl Record {
    /// What the Pod's status says, with everything that is yet to happen.
    pub(super) fn of(object: &Object, cluster: &Cluster, runtime: &Runtime) -> Self {
        let pod = object.as_pod().expect("the kubelet reads Pods");
        let lists = ["initContainerStatuses", "containerStatuses"];
        let statuses: Vec<&Value> = lists.iter().flat_map(|list| object.status().get(list).items()).collect();
        let known = |container: &Container| {
            statuses.iter().find(|one| one.get("name").str() == container.name).copied()
        };
        let initializes = !pod.spec.init_containers.is_empty();
        let mut record = Self {
            uid: object.meta.uid.clone(),
            runs: pod
                .spec
                .all()
                .map(|one| known(one).map_or_else(|| Run::creating(initializes), Run::of))
                .collect(),
            stops_at: None,
        };
        for (index, container) in pod.spec.all().enumerate() {
            let turn = record.is_turn(pod, index);
            let run = &mut record.runs[index];
            run.recover(object, index, container, cluster, runtime);
            if !turn && matches!(run.state, State::Waiting { .. }) {
                run.next = Next::default();
            }
        }
        record
    }

    /// Lets containers that are to be started start later.
    pub(super) fn delay(&mut self, span: Span) {
        for start in self.runs.iter_mut().filter_map(|run| run.next.start.as_mut()) {
            *start = *start + span;
        }
    }

    /// Whether all init containers before a place have done their part.
    pub(super) fn is_turn(&self, pod: &Pod, index: usize) -> bool {
        let before = index.min(pod.spec.init_containers.len());
        self.runs[..before].iter().enumerate().all(|(at, run)| run.has_initialized(pod.spec.role(at)))
    }

    /// Whether a container only waits for its turn.
    pub(super) fn awaits_turn(&self, index: usize) -> bool {
        let run = &self.runs[index];
        let waits = matches!(&run.state, State::Waiting { reason, .. } if reason == INITIALIZING);
        waits && run.next.start.is_none()
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.runs.iter().filter_map(|run| run.next.earliest()).chain(self.stops_at).min()
    }
}

impl Run {
    /// Whether an init container has done what others wait for: it ended well, or it is a sidecar that has
    /// started.
    pub(super) fn has_initialized(&self, role: Role) -> bool {
        match role {
            Role::Init => matches!(&self.state, State::Ended(ended) if ended.code == 0),
            Role::Sidecar => self.started || matches!(self.state, State::Ended(_)),
            Role::Main => true,
        }
    }

    /// Works out what happens next from what is.
    fn recover(
        &mut self,
        object: &Object,
        index: usize,
        container: &Container,
        cluster: &Cluster,
        runtime: &Runtime,
    ) {
        let now = cluster.now();
        match &self.state {
            State::Waiting { reason, .. } => match reason.as_str() {
                "ErrImagePull" => self.next.back_off = Some(now + super::PULL_BACK_OFF),
                _ if super::staged_failure(object).is_some() && self.restarts > 0 => {}
                "ImagePullBackOff" if pull::exists(&container.image) => {
                    self.next.start = Some(now + super::START);
                }
                "ImagePullBackOff" => {}
                "CrashLoopBackOff" => self.next.start = Some(now + super::ending::back_off(self.restarts)),
                _ => self.next.start = Some(now + super::START),
            },
            State::Running { since } => {
                let key = ContainerKey {
                    pod: object.meta.uid.clone(),
                    name: container.name.clone(),
                    restart: self.restarts,
                };
                let started = runtime.container(&key).map_or(cluster.instant_of(*since), |run| run.started);
                let ips = &object.as_pod().expect("the kubelet reads Pods").ips;
                let facts = Facts::of(container, &key, runtime, cluster.settings().kubelet);
                let subject = facts.subject(object, container, ips);
                self.plan(subject, started);
            }
            State::Ended(ended) => {
                if super::restarts(object, index, ended.code) {
                    self.next.start = Some(now + super::RESTART);
                }
            }
        }
    }

    /// Plans what happens to a container that was started at an instant.
    pub(super) fn plan(&mut self, subject: Subject<'_>, started: Instant) {
        self.next = Next::default();
        self.next.exit = match super::staged_exit(subject.object, subject.container) {
            Some(code) => Some((started + super::STAGED_EXIT, code)),
            None if subject.watched && subject.process.program.is_some() => None,
            None => subject.process.end.map(|end| (started + end.after, i64::from(end.code))),
        };
        super::probe::plan(self, subject, started);
    }
}
