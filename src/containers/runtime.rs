//! Running containers.
//!
//! Owns what is true of a container from its start to its end and is in no API object: environment and logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::value::SmolStr;
use crate::cluster::clock::Instant;

/// Names a container: the Pod's uid, the container's name, how often it was restarted before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerKey {
    /// The Pod's uid.
    pub pod: SmolStr,
    /// The container's name.
    pub name: SmolStr,
    /// How often the container was restarted before this run.
    pub restart: u32,
}

/// One run of a container. It is kept after its end, for `logs --previous` and undo.
#[derive(Clone, Debug)]
pub struct Container {
    /// The variables that it declares itself, in order. They never change after its start.
    pub own_env: Vec<(String, String)>,
    /// The variables of Services at its start, in the kubelet's order, shared by containers that start together.
    pub service_env: Arc<[(String, String)]>,
    /// When it started.
    pub started: Instant,
    /// What it wrote.
    pub logs: Vec<LogLine>,
    /// The exit code of its process, once that has ended.
    pub ended: Option<u8>,
    /// What its `exec` probes found, by kind: `startup`, `readiness`, `liveness`.
    pub probed: BTreeMap<&'static str, Probed>,
}

/// What an `exec` probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Whether its command ended with status 0.
    pub passes: bool,
    /// How often in a row it has found the same.
    pub in_a_row: u32,
    /// What the command printed when it last failed.
    pub said: String,
}

impl Container {
    /// The environment it was started with: its own variables, then those of Services that it did not set
    /// itself.
    pub fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = |name: &str| self.own_env.iter().any(|(own, _)| own == name);
        let services = self.service_env.iter().filter(move |(name, _)| !set(name));
        self.own_env.iter().chain(services).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A line of a container's log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// When it was written.
    pub at: Instant,
    /// The text, without line end.
    pub text: String,
}

/// All containers of a cluster.
#[derive(Debug, Default)]
pub struct Runtime {
    containers: BTreeMap<ContainerKey, Container>,
    /// Whether somebody runs the programs of containers ([`crate::shell::programs`]): then a container whose
    /// command is a program ends when that says so, and not before.
    pub runs_programs: bool,
}

impl Runtime {
    /// Starts a container with its environment.
    pub fn start(
        &mut self,
        key: ContainerKey,
        own_env: Vec<(String, String)>,
        service_env: Arc<[(String, String)]>,
        now: Instant,
    ) {
        let container = Container {
            own_env,
            service_env,
            started: now,
            logs: Vec::new(),
            ended: None,
            probed: BTreeMap::new(),
        };
        self.containers.insert(key, container);
    }

    /// All runs that are kept, by key.
    pub fn runs(&self) -> impl Iterator<Item = (&ContainerKey, &Container)> {
        self.containers.iter()
    }

    /// Puts a run back that was kept elsewhere.
    pub fn restore(&mut self, key: ContainerKey, container: Container) {
        self.containers.insert(key, container);
    }

    /// Notes that a container's process has ended. Whoever ends one by other means than the kubelet, such as
    /// an attached shell, wakes the kubelet afterwards ([`crate::simulation::Simulation::end_process`]).
    pub fn end(&mut self, key: &ContainerKey, code: u8) {
        if let Some(container) = self.containers.get_mut(key) {
            container.ended.get_or_insert(code);
        }
    }

    /// Notes what an `exec` probe found: nothing that its command printed, or what it printed when it failed.
    /// Whoever notes it wakes the kubelet afterwards.
    pub fn note_probe(&mut self, key: &ContainerKey, kind: &'static str, found: Result<(), String>) {
        let Some(container) = self.containers.get_mut(key) else { return };
        let fresh = || Probed { passes: found.is_ok(), in_a_row: 0, said: String::new() };
        let probed = container.probed.entry(kind).or_insert_with(fresh);
        if probed.passes != found.is_ok() {
            *probed = fresh();
        }
        probed.in_a_row = probed.in_a_row.saturating_add(1);
        if let Err(said) = found {
            probed.said = said;
        }
    }

    /// A container's run, if it has started.
    #[must_use]
    pub fn container(&self, key: &ContainerKey) -> Option<&Container> {
        self.containers.get(key)
    }

    /// A container's run for changing.
    pub fn container_mut(&mut self, key: &ContainerKey) -> Option<&mut Container> {
        self.containers.get_mut(key)
    }

    /// The latest run of a Pod's container, with the number of restarts before it.
    #[must_use]
    pub fn latest(&self, pod: &str, name: &str) -> Option<(u32, &Container)> {
        let from = ContainerKey { pod: pod.into(), name: name.into(), restart: 0 };
        let to = ContainerKey { restart: u32::MAX, ..from.clone() };
        self.containers.range(from..=to).next_back().map(|(key, container)| (key.restart, container))
    }

    /// Writes a line to a container's log.
    pub fn log(&mut self, key: &ContainerKey, at: Instant, text: impl Into<String>) {
        if let Some(container) = self.containers.get_mut(key) {
            container.logs.push(LogLine { at, text: text.into() });
        }
    }
}
