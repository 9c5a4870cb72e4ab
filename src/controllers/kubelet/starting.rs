//! How containers come up: images, addresses, variables, and all that can go wrong on the way.

use std::net::IpAddr;

use super::pull::Pull;
use super::record::{Ended, State};
use super::{Look, PULL_BACK_OFF, RESTART, environment, mounts, pull, record, restarts, staged_failure};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::typed::{Container, Role};
use crate::cluster::Kubelets;

impl Look<'_, '_> {
    /// The Pod was just bound: images are pulled, the status says that containers are being created.
    pub(super) fn begin(&mut self) {
        let object = self.object.clone();
        let spec = &object.as_pod().expect("the kubelet reads Pods").spec;
        match spec.init_containers.first() {
            Some(first) => self.announce_pull(first),
            None => spec.containers.iter().for_each(|container| self.announce_pull(container)),
        }
        self.write();
    }

    /// Says how the image of a container that is to be created comes.
    pub(super) fn announce_pull(&mut self, container: &Container) {
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

    /// Tries to start a container, for the first time or again.
    pub(super) fn start(&mut self, container: &Container, index: usize) {
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
    pub(super) fn image_failure(&mut self, container: &Container) -> Option<Pull> {
        let node = self.pod().node.clone();
        match self.kubelet.images.pull(&node, container) {
            Pull::Present | Pull::Pulled(_) => None,
            failure => Some(failure),
        }
    }

    /// Starts a container's process.
    pub(super) fn run(&mut self, container: &Container, index: usize, again: bool) {
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
            // What is always pulled is pulled for each run.
            self.announce_pull(container);
        }
        let key = self.container_key(container, index);
        let facts = self.facts(container, index);
        let process = &facts.process;
        if let Some(program) = &process.missing
            && self.context.cluster.settings().kubelet == Kubelets::Strict
        {
            return self.fail_to_start(container, index, program);
        }
        self.context.runtime.start(key.clone(), own, services, self.now);
        if !facts.watched || process.program.is_none() {
            for line in &process.prints {
                self.context.runtime.log(&key, self.now, line.clone());
            }
        }
        let id = format!("containerd://{}", self.context.cluster.random().digest());
        let since = self.context.cluster.timestamp();
        let subject = facts.subject(&self.object, container, &self.ips);
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
    pub(super) fn fail_to_start(&mut self, container: &Container, index: usize, program: &str) {
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
    pub(super) fn take_addresses(&mut self) -> Vec<IpAddr> {
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
    pub(super) fn fail_pull(&mut self, container: &Container, index: usize, failure: Pull) {
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
    pub(super) fn back_off_pull(&mut self, container: &Container, index: usize) {
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
    pub(super) fn fail_as_staged(&mut self, container: &Container, index: usize, reason: &str) {
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
}
