//! The kubelets of all nodes: they run the containers of the Pods that are bound to their node.
//!
//! Owns the life of a Pod from its binding to its end: pulling, starting, probing, restarting with back-off,
//! stopping, and the status that tells of it. It does not choose nodes, and what a process does is
//! [`crate::containers`]' knowledge. Times are those of the reference sessions' README.
//!
//! Annotations stage faults: `sim/ready: "false"`, `sim/fail: REASON`, `sim/exit: CODE` (after a second),
//! `sim/stop: SECONDS` (time to stop), `sim/events: "false"`.

mod environment;
mod mounts;
mod probe;
mod pull;
mod record;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::typed::{Container, Pod, Role};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster, Kubelets};
use crate::containers::{ContainerKey, process};
use environment::ServiceVariables;
use probe::Subject;
use pull::{Images, Pull};
use record::{Ended, Record, State};

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

/// How long a container waits that has crashed before: 10 s, doubled each time, at most five minutes.
fn back_off(restarts: u32) -> Span {
    let (first, longest) = BACK_OFF_SECONDS;
    let doubled = first.checked_shl(restarts.saturating_sub(1).min(10)).unwrap_or(longest);
    Span::from_seconds(doubled.min(longest))
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(span: Span) -> String {
    let seconds = span.0 / 1_000_000;
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
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

    /// The Pod was just bound: images are pulled, the status says that containers are being created.
    fn begin(&mut self) {
        let object = self.object.clone();
        let spec = &object.as_pod().expect("the kubelet reads Pods").spec;
        match spec.init_containers.first() {
            Some(first) => self.announce_pull(first),
            None => spec.containers.iter().for_each(|container| self.announce_pull(container)),
        }
        self.write();
    }

    /// Says how the image of a container that is to be created comes.
    fn announce_pull(&mut self, container: &Container) {
        let object = self.object.clone();
        {
            let fails = staged_failure(&object).is_some_and(|reason| reason.contains("ImagePull"));
            if fails || !pull::exists(&container.image) {
                let parsed = crate::containers::Reference::parse(&container.image).is_some();
                if parsed {
                    self.say(
                        false,
                        &container.name,
                        "Pulling",
                        format!("Pulling image \"{}\"", container.image),
                    );
                }
                return;
            }
            let node = self.pod().node.clone();
            match self.kubelet.images.pull(&node, container) {
                Pull::Pulled(message) => {
                    self.say(
                        false,
                        &container.name,
                        "Pulling",
                        format!("Pulling image \"{}\"", container.image),
                    );
                    self.say(false, &container.name, "Pulled", message);
                }
                Pull::Present => {
                    let message = format!(
                        "Container image \"{}\" already present on machine and can be accessed by the pod",
                        container.image
                    );
                    self.say(false, &container.name, "Pulled", message);
                }
                Pull::Failed(_) | Pull::InvalidName(_) | Pull::Never => {}
            }
        }
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

    /// Tries to start a container, for the first time or again.
    fn start(&mut self, container: &Container, index: usize) {
        let again = self.record.runs[index].last.is_some()
            || matches!(self.record.runs[index].state, State::Ended(_));
        let fresh = self.record.runs.iter().all(|run| run.id.is_empty());
        if fresh && let Some(why) = mounts::missing(self.context.cluster, &self.object) {
            self.record.runs[index].next = record::Next::default();
            // The volumes are the Pod's: it is told once for all its containers.
            if self.kubelet.stuck.insert(self.object.key.clone()) {
                self.say(true, "", "FailedMount", why);
            }
            return;
        }
        if self.ips.is_empty() {
            self.ips = self.take_addresses();
        }
        if again {
            let run = &mut self.record.runs[index];
            if let State::Ended(ended) = &run.state {
                run.last = Some(ended.clone());
            }
        } else if self.pod().spec.role(index) == Role::Main
            && let Some(reason) = staged_failure(&self.object).map(str::to_owned)
        {
            return self.fail_as_staged(container, index, &reason);
        }
        if let Some(failure) = self.image_failure(container) {
            return self.fail_pull(container, index, failure);
        }
        self.run(container, index, again);
    }

    /// Why a container's image cannot be used, if it cannot.
    fn image_failure(&mut self, container: &Container) -> Option<Pull> {
        let node = self.pod().node.clone();
        match self.kubelet.images.pull(&node, container) {
            Pull::Present | Pull::Pulled(_) => None,
            failure => Some(failure),
        }
    }

    /// Starts a container's process.
    fn run(&mut self, container: &Container, index: usize, again: bool) {
        let links = self.pod().spec.service_links;
        let services = self.kubelet.services.of(self.context.cluster, self.object.namespace(), links);
        let declared =
            environment::declared(self.context.cluster, &self.object, container, &services, &self.ips);
        let own = match declared {
            Ok(own) => own,
            Err(why) => {
                self.say(true, &container.name, "Failed", format!("Error: {why}"));
                let run = &mut self.record.runs[index];
                run.state = State::Waiting { reason: "CreateContainerConfigError".into(), message: why };
                run.next = record::Next::default();
                self.kubelet.stuck.insert(self.object.key.clone());
                return;
            }
        };
        if again {
            self.record.runs[index].restarts += 1;
            let message = format!(
                "Container image \"{}\" already present on machine and can be accessed by the pod",
                container.image
            );
            self.say(false, &container.name, "Pulled", message);
        }
        let key = self.container_key(container, index);
        let process = process(container);
        let watched = self.context.runtime.runs_programs;
        let kubelet = self.context.cluster.settings().kubelet;
        let found = probe::found(self.context.runtime, kubelet, &self.container_key(container, index));
        if let Some(program) = &process.missing
            && kubelet == Kubelets::Strict
        {
            return self.fail_to_start(container, index, program);
        }
        self.context.runtime.start(key.clone(), own, services, self.now);
        if !watched || process.program.is_none() {
            for line in &process.prints {
                self.context.runtime.log(&key, self.now, line.clone());
            }
        }
        let id = format!("containerd://{}", self.context.cluster.random().digest());
        let since = self.context.cluster.timestamp();
        let subject = Subject {
            object: &self.object,
            container,
            process: &process,
            ips: &self.ips,
            watched,
            kubelet,
            probed: found.as_ref(),
        };
        let run = &mut self.record.runs[index];
        run.id = id.into();
        run.state = State::Running { since };
        run.ready = false;
        run.started = false;
        run.complaints = 0;
        run.plan(subject, self.now);
        run.started = container.document.get("startupProbe").is_null();
        self.say(false, &container.name, "Created", "Container created".to_owned());
        self.say(false, &container.name, "Started", "Container started".to_owned());
    }

    /// The image does not have the program that its container is to run.
    fn fail_to_start(&mut self, container: &Container, index: usize, program: &str) {
        let missing = if program.contains('/') {
            format!("stat {program}: no such file or directory")
        } else {
            "executable file not found in $PATH".to_owned()
        };
        let why = format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"{program}\": {missing}: unknown"
        );
        self.say(false, &container.name, "Created", "Container created".to_owned());
        self.say(true, &container.name, "Failed", format!("Error: {why}"));
        let id = format!("containerd://{}", self.context.cluster.random().digest());
        // A container that never ran began, for its runtime, when the epoch did.
        let (started, finished) = (Timestamp(0), self.context.cluster.timestamp());
        let ended = Ended {
            code: 128,
            reason: "StartError".into(),
            started,
            finished,
            id: id.clone().into(),
            message: why.clone(),
        };
        let run = &mut self.record.runs[index];
        run.id = id.into();
        run.ready = false;
        run.next = record::Next::default();
        let before = run.last.is_some();
        if !restarts(&self.object, index, ended.code) {
            run.state = State::Ended(ended);
            return;
        }
        run.last = Some(ended);
        if before {
            return self.wait_after_crash(container, index);
        }
        run.state = State::Waiting { reason: "RunContainerError".into(), message: why };
        run.next.start = Some(self.now + RESTART);
    }

    /// The Pod's addresses: those it had, or new ones of its node.
    fn take_addresses(&mut self) -> Vec<IpAddr> {
        let node = self.pod().node.clone();
        if self.pod().spec.host_network {
            let node = self.context.cluster.find(Kind::Node, "", &node);
            return node
                .and_then(|node| node.as_node())
                .map(|node| node.addresses.clone())
                .unwrap_or_default();
        }
        self.context.cluster.allocators_mut().take_pod_addresses(&node).unwrap_or_default()
    }

    /// The image could not be pulled.
    fn fail_pull(&mut self, container: &Container, index: usize, failure: Pull) {
        let image = &container.image;
        let (reason, message) = match failure {
            Pull::Failed(why) => {
                self.say(true, &container.name, "Failed", format!("Failed to pull image \"{image}\": {why}"));
                self.say(true, &container.name, "Failed", "Error: ErrImagePull".to_owned());
                ("ErrImagePull", why)
            }
            Pull::InvalidName(why) => {
                self.say(true, &container.name, "InspectFailed", why.clone());
                self.say(true, &container.name, "Failed", "Error: InvalidImageName".to_owned());
                ("InvalidImageName", why)
            }
            _ => {
                let why = format!("Container image \"{image}\" is not present with pull policy of Never");
                self.say(true, &container.name, "ErrImageNeverPull", why.clone());
                self.say(true, &container.name, "Failed", "Error: ErrImageNeverPull".to_owned());
                ("ErrImageNeverPull", why)
            }
        };
        let run = &mut self.record.runs[index];
        run.state = State::Waiting { reason: reason.into(), message };
        run.next = record::Next::default();
        if reason == "ErrImagePull" {
            run.next.back_off = Some(self.now + PULL_BACK_OFF);
        }
    }

    /// A failed pull waits for its next try. It is not tried again: whether an image exists does not change.
    fn back_off_pull(&mut self, container: &Container, index: usize) {
        let image = &container.image;
        self.say(false, &container.name, "BackOff", format!("Back-off pulling image \"{image}\""));
        self.say(true, &container.name, "Failed", "Error: ImagePullBackOff".to_owned());
        let run = &mut self.record.runs[index];
        run.next.back_off = None;
        if let State::Waiting { reason, message } = &mut run.state {
            *reason = "ImagePullBackOff".into();
            *message = format!("Back-off pulling image \"{image}\": ErrImagePull: {message}");
        }
    }

    /// `sim/fail`: what its reason would look like.
    fn fail_as_staged(&mut self, container: &Container, index: usize, reason: &str) {
        if reason.contains("ImagePull") {
            let full = pull::full_name(&container.image);
            let why = format!(
                "failed to pull and unpack image \"{full}\": failed to resolve image: {full}: not found"
            );
            self.fail_pull(container, index, Pull::Failed(why));
            if reason == "ErrImagePull" {
                self.record.runs[index].next.back_off = None;
            }
            return;
        }
        if reason == "CrashLoopBackOff" {
            self.run(container, index, false);
            let now = self.context.cluster.timestamp();
            let run = &mut self.record.runs[index];
            run.last = Some(Ended {
                code: 1,
                reason: "Error".into(),
                started: now,
                finished: now,
                id: run.id.clone(),
                message: String::new(),
            });
            run.restarts = 1;
            self.wait_after_crash(container, index);
            self.record.runs[index].next = record::Next::default();
            return;
        }
        self.say(true, &container.name, "Failed", format!("Error: {reason}"));
        let run = &mut self.record.runs[index];
        run.state = State::Waiting { reason: reason.into(), message: String::new() };
        run.next = record::Next::default();
    }

    /// A container's process has ended.
    fn end(&mut self, container: &Container, index: usize, code: i64) {
        let key = self.container_key(container, index);
        self.context.runtime.end(&key, u8::try_from(code & 0xff).expect("eight bits"));
        let finished = self.context.cluster.timestamp();
        let role = self.pod().spec.role(index);
        let run = &mut self.record.runs[index];
        let State::Running { since } = run.state else { return };
        let reason = if code == 0 { "Completed" } else { "Error" };
        let crashed = run.last.is_some();
        let ended = Ended {
            code,
            reason: reason.into(),
            started: since,
            finished,
            id: run.id.clone(),
            message: String::new(),
        };
        run.ready = false;
        run.started = false;
        run.next = record::Next::default();
        if !restarts(&self.object, index, code) {
            run.state = State::Ended(ended);
            run.ready = code == 0 && role == Role::Init;
        } else if crashed {
            run.last = Some(ended);
            self.wait_after_crash(container, index);
        } else {
            run.state = State::Ended(ended);
            run.next.start = Some(self.now + RESTART);
        }
    }

    /// A container that crashed before waits before it is started again.
    fn wait_after_crash(&mut self, container: &Container, index: usize) {
        let name = self.object.name();
        let namespace = self.object.namespace();
        let uid = &self.object.meta.uid;
        let run = &mut self.record.runs[index];
        let span = back_off(run.restarts);
        let message = format!(
            "back-off {} restarting failed container={} pod={name}_{namespace}({uid})",
            go_duration(span),
            container.name
        );
        run.state = State::Waiting { reason: "CrashLoopBackOff".into(), message };
        run.next.start = Some(self.now + span);
        run.ready = false;
        run.started = false;
        let message = format!(
            "Back-off restarting failed container {} in pod {name}_{namespace}({uid})",
            container.name
        );
        self.say(true, &container.name, "BackOff", message);
    }

    /// Whether a probe whose command is run has failed too often.
    fn is_condemned(&self, container: &Container, index: usize) -> bool {
        let kubelet = self.context.cluster.settings().kubelet;
        let key = self.container_key(container, index);
        let Some(found) = probe::found(self.context.runtime, kubelet, &key) else { return false };
        if !self.record.runs[index].is_running() || found.is_empty() {
            return false;
        }
        let process = process(container);
        let (object, ips) = (&self.object, &self.ips);
        let subject = Subject {
            object,
            container,
            process: &process,
            ips,
            watched: true,
            kubelet,
            probed: Some(&found),
        };
        probe::fatal(&self.record.runs[index], subject).is_some()
    }

    /// A probe has failed too often: the container is stopped, and started again by its restart policy.
    fn kill(&mut self, container: &Container, index: usize) {
        let process = process(container);
        let watched = self.context.runtime.runs_programs;
        let kubelet = self.context.cluster.settings().kubelet;
        let found = probe::found(self.context.runtime, kubelet, &self.container_key(container, index));
        let subject = Subject {
            object: &self.object,
            container,
            process: &process,
            ips: &self.ips,
            watched,
            kubelet,
            probed: found.as_ref(),
        };
        let Some((kind, message)) = probe::fatal(&self.record.runs[index], subject) else {
            self.record.runs[index].next.kill = None;
            return;
        };
        self.say(true, &container.name, "Unhealthy", message);
        let restarted = if restarts(&self.object, index, 1) { "will be restarted" } else { "will be killed" };
        let message = format!("Container {} failed {kind} probe, {restarted}", container.name);
        self.say(false, &container.name, "Killing", message);
        // A shell that is the first process of its container does not hear SIGTERM.
        let deaf = process.assumed || process.program.is_some();
        self.end(container, index, if deaf { 137 } else { 0 });
    }

    /// Settles whether a running container is ready.
    fn check_ready(&mut self, container: &Container, index: usize) {
        let run = &self.record.runs[index];
        if !run.is_running() {
            return;
        }
        if run.next.probe.is_some_and(|at| at > self.now) {
            return;
        }
        let first = run.next.probe.is_some();
        let process = process(container);
        let watched = self.context.runtime.runs_programs;
        let kubelet = self.context.cluster.settings().kubelet;
        let found = probe::found(self.context.runtime, kubelet, &self.container_key(container, index));
        let subject = Subject {
            object: &self.object,
            container,
            process: &process,
            ips: &self.ips,
            watched,
            kubelet,
            probed: found.as_ref(),
        };
        let started = run.started || probe::started(run, subject);
        let result = if started { probe::readiness(run, subject) } else { Err(None) };
        let complaint = probe::complaint(subject).filter(|_| started);
        let role = self.pod().spec.role(index);
        let run = &mut self.record.runs[index];
        run.next.probe = None;
        run.started = started;
        let ready = result.is_ok() && role != Role::Init;
        let was = std::mem::replace(&mut run.ready, ready);
        let times = complaint.as_ref().map_or(0, |(times, _)| *times);
        let news = std::mem::replace(&mut run.complaints, times) < times;
        if let Err(Some(why)) = result
            && (was || first)
        {
            self.say(true, &container.name, "Unhealthy", why);
        } else if let Some((_, why)) = complaint.filter(|_| news) {
            self.say(true, &container.name, "Unhealthy", why);
        }
    }

    /// When the last other container has ended for good, sidecars end too.
    fn end_sidecars(&mut self) {
        let object = self.object.clone();
        let spec = &object.as_pod().expect("the kubelet reads Pods").spec;
        let first = spec.init_containers.len();
        let over = self.record.runs[first..]
            .iter()
            .all(|run| matches!(run.state, State::Ended(_)) && run.next.start.is_none());
        if first == 0 || !over {
            return;
        }
        for (index, container) in spec.init_containers.iter().enumerate() {
            let run = &self.record.runs[index];
            let State::Running { since } = run.state else { continue };
            let (started, finished) = (since, self.context.cluster.timestamp());
            let id = run.id.clone();
            self.say(false, &container.name, "Killing", format!("Stopping container {}", container.name));
            let key = self.container_key(container, index);
            self.context.runtime.end(&key, 0);
            let (reason, message) = ("Completed".into(), String::new());
            let run = &mut self.record.runs[index];
            run.state = State::Ended(Ended { code: 0, reason, started, finished, id, message });
            (run.ready, run.started, run.next) = (false, false, record::Next::default());
        }
    }

    /// The Pod is being deleted: its containers stop, then it goes.
    fn stop(&mut self) -> bool {
        let object = self.object.clone();
        let Some(stops_at) = self.record.stops_at else {
            let span = stopping_time(&object);
            let crowd = self.kubelet.records.len() > CROWD;
            let stagger = if crowd { Span::default() } else { self.kubelet.stopped.next(self.now) };
            self.record.stops_at = Some(self.now + span + stagger);
            for (index, container) in object.as_pod().expect("the kubelet reads Pods").spec.all().enumerate()
            {
                if self.record.runs[index].is_running() {
                    self.say(
                        false,
                        &container.name,
                        "Killing",
                        format!("Stopping container {}", container.name),
                    );
                }
                self.record.runs[index].next = record::Next::default();
            }
            return false;
        };
        if stops_at > self.now {
            return false;
        }
        let finished = self.context.cluster.timestamp();
        for (index, container) in object.as_pod().expect("the kubelet reads Pods").spec.all().enumerate() {
            let key = self.container_key(container, index);
            self.context.runtime.end(&key, 0);
            let run = &mut self.record.runs[index];
            run.ready = false;
            run.started = false;
            let started = match &run.state {
                State::Ended(_) => continue,
                State::Running { since } => *since,
                State::Waiting { .. } => finished,
            };
            let (code, reason) =
                if run.is_running() { (0, "Completed") } else { (137, "ContainerStatusUnknown") };
            run.state = State::Ended(Ended {
                code,
                reason: reason.into(),
                started,
                finished,
                id: run.id.clone(),
                message: String::new(),
            });
        }
        self.write();
        let options = Options { grace_seconds: Some(0), uid: object.meta.uid.clone(), ..Options::default() };
        // Somebody may have removed it by force a moment ago.
        let _gone = self.context.cluster.delete(Actor::Kubelet, &object.key, options);
        true
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

/// How long a Pod's containers take to stop, within its grace period.
fn stopping_time(object: &Object) -> Span {
    let staged = object.meta.annotation("sim/stop").and_then(|text| text.parse::<u64>().ok());
    let span = staged.map_or(STOP, Span::from_seconds) + pre_stop(object);
    let grace = object.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(30);
    span.min(Span::from_seconds(u64::try_from(grace).unwrap_or(0)))
}

/// How long the containers' hooks before their end wait: the longest `preStop` that sleeps. Other hooks end at once.
fn pre_stop(object: &Object) -> Span {
    let seconds = object.spec().get("containers").items().iter().filter_map(|container| {
        let hook = container.at(&["lifecycle", "preStop"]);
        let words = hook.at(&["exec", "command"]).items();
        let by_command = words.iter().rev().find_map(|word| {
            let text = word.str().rsplit(' ').next().unwrap_or_default();
            text.parse::<u64>().ok().filter(|_| words.iter().any(|word| word.str().contains("sleep")))
        });
        let by_field =
            hook.at(&["sleep", "seconds"]).as_int().and_then(|seconds| u64::try_from(seconds).ok());
        by_field.or(by_command)
    });
    Span::from_seconds(seconds.max().unwrap_or(0))
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
