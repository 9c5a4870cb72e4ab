//! Programs of containers: the scripts that run in Pods by themselves.
//!
//! Owns the tasks of containers whose command the shell can run, such as a client that calls a Service every
//! few seconds: they run in their container's place like anything typed there, what they print goes to the
//! container's log, and when they end the kubelet is told. Beside them it keeps the tasks of `exec` probes
//! ([`super::probes`]). Whether a container runs is the kubelet's business;
//! which commands are programs, and what a server's image listens on, is [`crate::containers`]'.

use std::collections::BTreeMap;

use super::containers;
use super::executor::TaskId;
use super::host::Host;
use super::io::Output;
use super::probes::Probe;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::Container;
use crate::cluster::Kubelets;
use crate::containers::{ContainerKey, process};
use crate::simulation::Simulation;

/// How many programs run at most; containers beyond only stand there, and their log says so.
const PROGRAM_LIMIT: usize = 200;

/// The programs that run.
#[derive(Default)]
pub(super) struct Programs {
    revision: u64,
    running: BTreeMap<Role, Program>,
}

/// What runs in a container: its own program, or one of its probes by the field that holds it.
type Role = (ContainerKey, Option<&'static str>);

struct Program {
    pod: Key,
    task: TaskId,
}

/// What a container should run now.
enum Work {
    Program(Vec<String>),
    Probe(Probe),
}

impl Programs {
    /// Follows the journal: starts the programs of containers that have started, and ends those of others.
    pub(super) fn follow(&mut self, host: &Host) {
        let (revision, pods) =
            host.with(|simulation| (simulation.revision(), changed(simulation, self.revision)));
        self.revision = revision;
        for pod in pods {
            self.look(host, &pod);
        }
    }

    /// Whether none runs.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Brings the programs of one Pod up to date.
    fn look(&mut self, host: &Host, pod: &Key) {
        let wanted = host.with(|simulation| wanted(simulation, pod));
        let ended: Vec<Role> = self
            .running
            .iter()
            .filter(|(key, program)| program.pod == *pod && !wanted.iter().any(|(one, _)| one == *key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            if let Some(program) = self.running.remove(&key) {
                host.abort(program.task);
            }
        }
        for (role, work) in wanted {
            if self.running.contains_key(&role) {
                continue;
            }
            let room = self.running.len() < PROGRAM_LIMIT;
            let task = match work {
                Work::Program(words) if room => start(host, pod, &role.0, &words),
                Work::Program(_) => {
                    host.with(|simulation| stand_idle(simulation, &role.0));
                    None
                }
                Work::Probe(probe) if room => {
                    Some(host.spawn_program(Box::pin(probe.run(host.clone(), pod.clone(), role.0.clone()))))
                }
                Work::Probe(probe) => {
                    host.with(|simulation| simulation.note_probe(pod, &role.0, probe.kind, Ok(())));
                    None
                }
            };
            if let Some(task) = task {
                self.running.insert(role, Program { pod: pod.clone(), task });
            }
        }
    }
}

/// The Pods that were written since a revision; all of them if the journal does not reach back.
fn changed(simulation: &Simulation, revision: u64) -> Vec<Key> {
    let cluster = &simulation.cluster;
    let mut keys: Vec<Key> = match cluster.journal().since(revision) {
        Some(entries) => {
            entries.filter(|entry| entry.key.kind == Kind::Pod).map(|entry| entry.key.clone()).collect()
        }
        None => cluster.list(Kind::Pod, None).map(|pod| pod.key.clone()).collect(),
    };
    keys.sort();
    keys.dedup();
    keys
}

/// What the containers of a Pod should run now.
fn wanted(simulation: &Simulation, pod: &Key) -> Vec<(Role, Work)> {
    let Some(object) = simulation.cluster.get(pod).filter(|object| !object.is_terminating()) else {
        return Vec::new();
    };
    let strict = simulation.cluster.settings().kubelet == Kubelets::Strict;
    let mut all = Vec::new();
    for container in object.as_pod().map(|pod| pod.spec.all()).into_iter().flatten() {
        let program = process(container).program;
        let probes = if strict { Probe::of(container) } else { Vec::new() };
        let nothing = program.is_none() && probes.is_empty();
        if nothing || containers::place(simulation, object, Some(&container.name)).is_err() {
            continue;
        }
        let Some(run) = run_of(simulation, object, container) else { continue };
        all.extend(program.map(|words| ((run.clone(), None), Work::Program(words))));
        all.extend(probes.into_iter().map(|probe| ((run.clone(), Some(probe.kind)), Work::Probe(probe))));
    }
    all
}

fn run_of(simulation: &Simulation, object: &Object, container: &Container) -> Option<ContainerKey> {
    let (restart, run) = simulation.runtime.latest(&object.meta.uid, &container.name)?;
    let key = ContainerKey { pod: object.meta.uid.clone(), name: container.name.clone(), restart };
    run.ended.is_none().then_some(key)
}

/// Says in the log of a container that its program is one too many.
fn stand_idle(simulation: &mut Simulation, key: &ContainerKey) {
    let now = simulation.cluster.now();
    let quiet = simulation.runtime.container(key).is_some_and(|run| run.logs.is_empty());
    if quiet {
        let line =
            format!("Portside runs {PROGRAM_LIMIT} programs of containers at most; this one is not run.");
        simulation.runtime.log(key, now, line);
    }
}

fn start(host: &Host, pod: &Key, key: &ContainerKey, words: &[String]) -> Option<TaskId> {
    let output = Output::buffer();
    let invocation = containers::command(host, pod, &key.name, words, &output)?;
    let mut running = invocation.run(words).ok()?;
    let (pod, key, program) = (pod.clone(), key.clone(), host.clone());
    Some(host.spawn_program(Box::pin(async move {
        let status = std::future::poll_fn(|context| {
            let progress = running.as_mut().poll(context);
            write_log(&program, &key, &output, progress.is_ready());
            progress
        })
        .await;
        let code = u8::try_from(status & 0xff).expect("eight bits");
        program.with(|simulation| simulation.end_process(&pod, &key.name, code));
    })))
}

/// Takes the whole lines that were printed to the container's log; what is no whole line waits, unless it is
/// the last.
pub(super) fn write_log(host: &Host, key: &ContainerKey, output: &Output, last: bool) {
    let text = output.take_buffer();
    let (lines, rest) = match text.rfind('\n') {
        Some(end) if !last => text.split_at(end + 1),
        _ if last => (text.as_str(), ""),
        _ => ("", text.as_str()),
    };
    if !rest.is_empty() {
        output.write(rest);
    }
    if !lines.is_empty() {
        host.with(|simulation| {
            let now = simulation.cluster.now();
            for line in lines.lines() {
                simulation.runtime.log(key, now, line);
            }
        });
        host.announce();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::value::Value;
    use crate::cluster::Settings;
    use crate::cluster::request::Options;
    use crate::cluster::{Actor, Request, Verb};
    use crate::session::first_world;
    use crate::shell::places::Place;
    use crate::shell::terminal::Terminal;
    use crate::simulation::initiator::Initiator;
    use std::time::Duration;

    /// Lets seconds pass as the page does: frame by frame.
    fn run(host: &Host, seconds: u64) {
        for _ in 0..seconds * 10 {
            host.run_until(host.now() + 100_000, 5_000);
        }
    }

    #[test]
    fn the_client_of_the_first_world_calls_its_service_until_it_is_deleted() {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        let host = Host::new(simulation);
        run(&host, 10);
        let sent = host.with(|simulation| simulation.traffic.count());
        assert!(sent > 0, "the client has called");
        let client = Key::new(Kind::Pod, "demo", "client");
        host.with(|simulation| {
            let delete = Request::new(Actor::User, Verb::Delete, &client);
            simulation.request(delete.options(Options { grace_seconds: Some(0), ..Options::default() }))
        });
        run(&host, 2);
        let sent = host.with(|simulation| simulation.traffic.count());
        run(&host, 20);
        assert_eq!(host.with(|simulation| simulation.traffic.count()), sent, "nobody calls any more");
    }

    #[test]
    fn what_programs_send_is_no_persons_and_no_command_lines() {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        let host = Host::new(simulation);
        let terminal = Terminal::new(&host, Place::workstation());
        let initiators = || -> Vec<Initiator> {
            host.with(|simulation| simulation.traffic.since(0).map(|sent| sent.initiator).collect())
        };
        terminal.run("sleep 10", Duration::from_secs(20));
        assert!(!initiators().is_empty() && initiators().iter().all(|one| *one == Initiator::Program));
        let last = |host: &Host| {
            host.with(|simulation| {
                simulation.incidents.commands().next().map_or(0, |one| one.incidents.len())
            })
        };
        assert_eq!(last(&host), 0, "the client's packets are not the sleeper's");
        terminal.run("P=client; kubectl exec -n demo $P -- wget -qO- web", Duration::from_secs(20));
        assert!(initiators().contains(&Initiator::Person));
        assert!(last(&host) > 0, "a command line causes what it starts in a Pod");
    }

    /// A Pod of one busybox container that runs a script, and what its log holds after some seconds.
    fn log_of(script: &str, seconds: u64) -> (Value, Vec<String>) {
        let host = Host::new(Simulation::new(Settings::default()));
        let key = Key::new(Kind::Pod, "default", "p");
        let words: Value = ["sh", "-c", script].iter().map(|word| Value::from((*word).to_owned())).collect();
        let pod = crate::value!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "default" },
            "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "busybox", "command": words }] }
        });
        host.with(|simulation| {
            let reply = simulation.request(Request::new(Actor::User, Verb::Create(pod), &key));
            reply.result.expect("the Pod is valid");
        });
        run(&host, seconds);
        host.with(|simulation| {
            let object = simulation.cluster.get(&key).expect("the Pod stays").clone();
            let (_, run) = simulation.runtime.latest(&object.meta.uid, "c").expect("it was started");
            (object.status().clone(), run.logs.iter().map(|line| line.text.clone()).collect())
        })
    }

    #[test]
    fn a_script_writes_what_it_prints_to_the_log_and_its_end_is_the_containers() {
        let (status, log) = log_of("for i in 1 2 3; do echo round $i; sleep 1; done; ls /nosuch", 8);
        assert_eq!(log[..3], ["round 1", "round 2", "round 3"]);
        assert_eq!(log[3], "ls: /nosuch: No such file or directory");
        assert_eq!(status.get("phase").str(), "Failed");
        let ended = status.get("containerStatuses").items()[0].at(&["state", "terminated"]);
        assert_eq!(ended.get("exitCode").as_int(), Some(1));
    }

    #[test]
    fn a_command_that_the_image_lacks_is_not_found_by_its_shell() {
        let (status, log) = log_of("curl web", 4);
        assert_eq!(log, ["sh: curl: not found"]);
        let ended = status.get("containerStatuses").items()[0].at(&["state", "terminated"]);
        assert_eq!(ended.get("exitCode").as_int(), Some(127));
    }
}
