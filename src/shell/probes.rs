//! `exec` probes: the commands that kubelets run inside containers.
//!
//! Owns the rounds of a probe: when its command runs, for how long, and what the kubelet is told. What follows
//! from that (readiness, restarts) is the kubelet's business.

use std::time::Duration;

use super::containers;
use super::executor::{Either, first};
use super::host::Host;
use super::io::Output;
use crate::api::object::Key;
use crate::api::typed::Container;
use crate::api::value::Value;
use crate::containers::{ContainerKey, Reference, Runs, runs};

/// The fields of a container that hold probes.
const KINDS: [&str; 3] = ["startupProbe", "readinessProbe", "livenessProbe"];
/// The most that is kept of what a command prints, in bytes, as kubelets keep it.
const OUTPUT_LIMIT: usize = 10 * 1024;

/// An `exec` probe of a container.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Probe {
    /// The field that holds it.
    pub(super) kind: &'static str,
    words: Vec<String>,
    runs: Runs,
    /// It waits for the startup probe.
    after_start: bool,
    delay: Duration,
    period: Duration,
    timeout: Duration,
}

impl Probe {
    /// The `exec` probes of a container.
    pub(super) fn of(container: &Container) -> Vec<Self> {
        let document = &container.document;
        let Some(image) = Reference::parse(&container.image) else { return Vec::new() };
        let probe = |kind: &'static str| {
            let probe = document.get(kind);
            let command = probe.at(&["exec", "command"]);
            let words: Vec<String> = command.items().iter().map(|word| word.str().to_owned()).collect();
            Some(Self {
                kind,
                runs: runs(words.first()?, &image),
                after_start: kind != KINDS[0] && !document.get(KINDS[0]).is_null(),
                delay: seconds(probe, "initialDelaySeconds", 0),
                period: seconds(probe, "periodSeconds", 10),
                timeout: seconds(probe, "timeoutSeconds", 1),
                words,
            })
        };
        KINDS.into_iter().filter_map(probe).collect()
    }

    /// Goes round for as long as it is polled: a probe ends with its container.
    pub(super) async fn run(self, host: Host, pod: Key, run: ContainerKey) {
        if self.after_start {
            let started = |simulation: &mut crate::simulation::Simulation| {
                let found = &simulation.runtime.container(&run)?.probed;
                found.get(KINDS[0]).is_none_or(|probed| probed.passes).then_some(())
            };
            host.until(started).await;
        }
        host.sleep(self.delay).await;
        loop {
            let found = self.once(&host, &pod, &run).await;
            host.with(|simulation| simulation.note_probe(&pod, &run, self.kind, found));
            host.announce();
            host.sleep(self.period).await;
        }
    }

    async fn once(&self, host: &Host, pod: &Key, run: &ContainerKey) -> Result<(), String> {
        match self.runs {
            Runs::Assumed => return Ok(()),
            Runs::Missing => {
                return Err(format!(
                    "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{}\": executable file not found in $PATH: unknown",
                    self.words[0]
                ));
            }
            Runs::InShell => {}
        }
        let output = Output::buffer();
        let Some(invocation) = containers::command(host, pod, &run.name, &self.words, &output) else {
            return Err("container is not running".to_owned());
        };
        let running = invocation.run(&self.words)?;
        match first(running, host.sleep(self.timeout)).await {
            Either::Left(0) => Ok(()),
            Either::Left(_) => {
                let mut said = output.take_buffer();
                let end = (0..=OUTPUT_LIMIT.min(said.len())).rev().find(|at| said.is_char_boundary(*at));
                said.truncate(end.unwrap_or(0));
                Err(said)
            }
            Either::Right(()) => Err(format!("command {:?} timed out", self.words.join(" "))),
        }
    }
}

fn seconds(probe: &Value, field: &str, default: u64) -> Duration {
    let given = probe.get(field).as_int().and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(given.filter(|seconds| *seconds > 0).unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::cluster::Settings;
    use crate::cluster::{Actor, Request, Verb};
    use crate::simulation::Simulation;

    fn world(container: Value) -> (Host, Key) {
        let host = Host::new(Simulation::new(Settings::default()));
        let key = Key::new(Kind::Pod, "default", "p");
        let pod = crate::value!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "default" },
            "spec": { "containers": [container] }
        });
        host.with(|simulation| {
            let reply = simulation.request(Request::new(Actor::User, Verb::Create(pod), &key));
            reply.result.expect("the Pod is valid");
        });
        (host, key)
    }

    fn pass(host: &Host, seconds: u64) {
        for _ in 0..seconds {
            host.run_until(host.now() + 1_000_000, 50_000);
        }
    }

    fn status(host: &Host, key: &Key) -> (bool, i64) {
        host.with(|simulation| {
            let object = simulation.cluster.get(key).expect("the Pod stays");
            let status = &object.status().get("containerStatuses").items()[0];
            (status.get("ready").as_bool() == Some(true), status.get("restartCount").as_int().unwrap_or(0))
        })
    }

    /// <https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/>
    #[test]
    fn a_container_whose_liveness_command_fails_three_times_is_started_again() {
        let (host, key) = world(crate::value!({
            "name": "liveness", "image": "busybox",
            "args": ["/bin/sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"],
            "livenessProbe": { "exec": { "command": ["cat", "/tmp/healthy"] }, "initialDelaySeconds": 5, "periodSeconds": 5 }
        }));
        pass(&host, 25);
        assert_eq!(status(&host, &key), (true, 0));
        pass(&host, 30);
        assert_eq!(status(&host, &key).1, 1);
        let said = host.with(|simulation| {
            let events = simulation.cluster.list(Kind::Event, Some("default"));
            events.map(|event| event.value.get("message").str().to_owned()).collect::<Vec<_>>()
        });
        let message = "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n";
        assert!(said.iter().any(|one| one == message), "{said:?}");
    }

    #[test]
    fn a_file_that_a_person_makes_turns_readiness() {
        let (host, key) = world(crate::value!({
            "name": "c", "image": "nginx",
            "readinessProbe": { "exec": { "command": ["test", "-f", "/tmp/ready"] }, "periodSeconds": 2, "failureThreshold": 1 }
        }));
        pass(&host, 5);
        assert!(!status(&host, &key).0);
        let files = host.with(|simulation| {
            let object = simulation.cluster.get(&key).expect("the Pod stays");
            containers::place(simulation, object, None).expect("it runs")
        });
        files.files(&host).borrow_mut().write("/tmp/ready", "").expect("there is room");
        pass(&host, 3);
        assert!(status(&host, &key).0);
        files.files(&host).borrow_mut().remove("/tmp/ready", false).expect("it is there");
        pass(&host, 3);
        assert!(!status(&host, &key).0);
    }

    #[test]
    fn a_command_that_takes_too_long_fails() {
        let (host, key) = world(crate::value!({
            "name": "c", "image": "busybox", "args": ["sleep", "600"],
            "readinessProbe": { "exec": { "command": ["sleep", "5"] }, "periodSeconds": 3 }
        }));
        pass(&host, 20);
        assert!(!status(&host, &key).0);
    }
}
