//! What follows from probes: readiness, and the end of a container that fails too often.

use super::probe::Facts;
use super::{Look, probe, restarts};
use crate::api::typed::{Container, Role};

impl Look<'_, '_> {
    /// What probes of a container's latest run go by.
    pub(super) fn facts(&self, container: &Container, index: usize) -> Facts {
        let kubelet = self.context.cluster.settings().kubelet;
        Facts::of(container, &self.container_key(container, index), self.context.runtime, kubelet)
    }

    /// Whether a probe whose command is run has failed too often.
    pub(super) fn is_condemned(&self, container: &Container, index: usize) -> bool {
        // Few containers have such probes: look for what they found before anything else is worked out.
        let run = self.context.runtime.container(&self.container_key(container, index));
        let probed = run.is_some_and(|run| !run.probed.is_empty());
        if !probed || !self.record.runs[index].is_running() {
            return false;
        }
        let facts = self.facts(container, index);
        if facts.found.is_none() {
            return false;
        }
        let subject = facts.subject(&self.object, container, &self.ips);
        probe::fatal(&self.record.runs[index], subject).is_some()
    }

    /// A probe has failed too often: the container is stopped, and started again by its restart policy.
    pub(super) fn kill(&mut self, container: &Container, index: usize) {
        let facts = self.facts(container, index);
        let subject = facts.subject(&self.object, container, &self.ips);
        let Some((kind, message)) = probe::fatal(&self.record.runs[index], subject) else {
            self.record.runs[index].next.kill = None;
            return;
        };
        self.say(true, &container.name, "Unhealthy", message);
        let restarted = if restarts(&self.object, index, 1) { "will be restarted" } else { "will be killed" };
        let message = format!("Container {} failed {kind} probe, {restarted}", container.name);
        self.say(false, &container.name, "Killing", message);
        // A shell that is the first process of its container does not hear SIGTERM.
        let deaf = facts.process.assumed || facts.process.program.is_some();
        self.end(container, index, if deaf { 137 } else { 0 });
    }

    /// Settles whether a running container is ready.
    pub(super) fn check_ready(&mut self, container: &Container, index: usize) {
        let run = &self.record.runs[index];
        if !run.is_running() {
            return;
        }
        if run.next.probe.is_some_and(|at| at > self.now) {
            return;
        }
        let first = run.next.probe.is_some();
        let facts = self.facts(container, index);
        let subject = facts.subject(&self.object, container, &self.ips);
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
}
