//! How containers end: by themselves, by a crash and its back-off, or because their Pod is deleted.

use super::record::{Ended, State};
use super::{BACK_OFF_SECONDS, CROWD, Look, RESTART, STOP, record, restarts};
use crate::api::object::Object;
use crate::api::typed::{Container, Role};
use crate::cluster::Actor;
use crate::cluster::clock::Span;
use crate::cluster::request::Options;

impl Look<'_, '_> {
    /// A container's process has ended.
    pub(super) fn end(&mut self, container: &Container, index: usize, code: i64) {
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
    pub(super) fn wait_after_crash(&mut self, container: &Container, index: usize) {
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

    /// When the last other container has ended for good, sidecars end too.
    pub(super) fn end_sidecars(&mut self) {
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
    pub(super) fn stop(&mut self) -> bool {
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
}

/// How long a Pod's containers take to stop, within its grace period.
pub(super) fn stopping_time(object: &Object) -> Span {
    let staged = object.meta.annotation("sim/stop").and_then(|text| text.parse::<u64>().ok());
    let span = staged.map_or(STOP, Span::from_seconds) + pre_stop(object);
    let grace = object.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(30);
    span.min(Span::from_seconds(u64::try_from(grace).unwrap_or(0)))
}

/// How long the containers' hooks before their end wait: the longest `preStop` that sleeps. Other hooks end at once.
pub(super) fn pre_stop(object: &Object) -> Span {
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

/// How long a container waits that has crashed before: 10 s, doubled each time, at most five minutes.
pub(super) fn back_off(restarts: u32) -> Span {
    let (first, longest) = BACK_OFF_SECONDS;
    let doubled = first.checked_shl(restarts.saturating_sub(1).min(10)).unwrap_or(longest);
    Span::from_seconds(doubled.min(longest))
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`.
pub(super) fn go_duration(span: Span) -> String {
    let seconds = span.0 / 1_000_000;
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}
