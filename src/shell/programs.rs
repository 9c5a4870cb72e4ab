//! Programs of containers: the scripts that run in Pods by themselves.
//!
//! Owns the tasks of containers whose command is a shell script with a loop, such as a client that calls a
//! Service every few seconds: they run in their container's place like anything typed there, and what they
//! print goes to the container's log. Whether a container runs is the kubelet's business; what a server's
//! image listens on is [`crate::containers`]'. A script that never sleeps is not run: nobody could watch it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::containers;
use super::executor::TaskId;
use super::host::Host;
use super::invocation::Invocation;
use super::io::{Input, Output, Streams};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::Container;
use crate::containers::ContainerKey;
use crate::simulation::Simulation;

/// How many programs run at most; containers beyond only stand there.
const PROGRAM_LIMIT: usize = 100;

/// The programs that run.
#[derive(Default)]
pub struct Programs {
    revision: u64,
    running: BTreeMap<ContainerKey, Program>,
}

struct Program {
    pod: Key,
    task: TaskId,
    output: Output,
}

impl Programs {
    /// Follows the journal: starts the programs of containers that have started, ends those of others, and
    /// takes what was printed to the logs.
    pub fn follow(&mut self, host: &Host) {
        let (revision, pods) =
            host.with(|simulation| (simulation.revision(), changed(simulation, self.revision)));
        self.revision = revision;
        for pod in pods {
            self.look(host, &pod);
        }
        host.with(|simulation| {
            let now = simulation.cluster.now();
            for (key, program) in &self.running {
                for line in program.output.take_buffer().lines() {
                    simulation.runtime.log(key, now, line);
                }
            }
        });
    }

    /// Brings the programs of one Pod up to date.
    fn look(&mut self, host: &Host, pod: &Key) {
        let wanted = host.with(|simulation| wanted(simulation, pod));
        let ended: Vec<ContainerKey> = self
            .running
            .iter()
            .filter(|(key, program)| program.pod == *pod && !wanted.iter().any(|(one, ..)| one == *key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            if let Some(program) = self.running.remove(&key) {
                host.abort(program.task);
            }
        }
        for (key, container, words) in wanted {
            let room = self.running.len() < PROGRAM_LIMIT && !self.running.contains_key(&key);
            if let Some(program) = room.then(|| start(host, pod, &container, &words)).flatten() {
                self.running.insert(key, program);
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

/// The programs that a Pod should run now: run of the container, its name, and the words of its command.
fn wanted(simulation: &Simulation, pod: &Key) -> Vec<(ContainerKey, String, Vec<String>)> {
    let Some(object) = simulation.cluster.get(pod).filter(|object| !object.is_terminating()) else {
        return Vec::new();
    };
    let containers = object.as_pod().map(|pod| pod.spec.containers.iter()).into_iter().flatten();
    let program = |container: &Container| {
        let words = command(container)?;
        containers::place(simulation, object, Some(&container.name)).ok()?;
        Some((run_of(simulation, object, container)?, container.name.to_string(), words))
    };
    containers.filter_map(program).collect()
}

fn run_of(simulation: &Simulation, object: &Object, container: &Container) -> Option<ContainerKey> {
    let (restart, run) = simulation.runtime.latest(&object.meta.uid, &container.name)?;
    let key = ContainerKey { pod: object.meta.uid.clone(), name: container.name.clone(), restart };
    run.ended.is_none().then_some(key)
}

/// The words of a container's command, if it is a script that loops and sleeps.
fn command(container: &Container) -> Option<Vec<String>> {
    let words: Vec<String> = ["command", "args"]
        .iter()
        .flat_map(|field| container.document.get(field).items())
        .map(|word| word.str().to_owned())
        .collect();
    let [shell, flag, script] = words.as_slice() else { return None };
    let shell = matches!(shell.rsplit('/').next(), Some("sh" | "bash" | "ash"));
    let loops = ["while ", "until ", "for "].iter().any(|word| script.contains(word));
    (shell && flag == "-c" && loops && script.contains("sleep")).then_some(words)
}

fn start(host: &Host, pod: &Key, container: &str, words: &[String]) -> Option<Program> {
    let place = host.with(|simulation| {
        let object = simulation.cluster.get(pod)?;
        containers::place(simulation, object, Some(container)).ok()
    })?;
    let output = Output::buffer();
    let invocation = Invocation {
        name: words[0].clone(),
        arguments: words[1..].to_vec(),
        environment: Rc::new(place.environment.clone()),
        directory: place.start.clone(),
        place: Rc::new(place),
        streams: Streams { stdin: Input::null(), stdout: output.clone(), stderr: output.clone() },
        tty: None,
        host: host.clone(),
    };
    let running = invocation.run(words).ok()?;
    let (world, of, name) = (host.clone(), pod.clone(), container.to_owned());
    let task = host.spawn(Box::pin(async move {
        // The script is the container's main process: the container ends with it.
        let status = running.await;
        world.with(|simulation| simulation.end_process(&of, &name, u8::try_from(status).unwrap_or(1)));
    }));
    Some(Program { pod: pod.clone(), task, output })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;
    use crate::cluster::request::Options;
    use crate::cluster::{Actor, Request, Verb};
    use crate::session::first_world;

    /// Lets seconds pass as the page does: frame by frame.
    fn run(host: &Host, programs: &mut Programs, seconds: u64) {
        for _ in 0..seconds * 10 {
            host.run_until(host.now() + 100_000, 5_000);
            programs.follow(host);
        }
    }

    #[test]
    fn the_client_of_the_first_world_calls_its_service_until_it_is_deleted() {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        let host = Host::new(simulation);
        let mut programs = Programs::default();
        run(&host, &mut programs, 10);
        let sent = host.with(|simulation| simulation.traffic.count());
        assert!(sent > 0, "the client has called");
        let client = Key::new(Kind::Pod, "demo", "client");
        host.with(|simulation| {
            let delete = Request::new(Actor::User, Verb::Delete, &client);
            simulation.request(delete.options(Options { grace_seconds: Some(0), ..Options::default() }))
        });
        run(&host, &mut programs, 2);
        let sent = host.with(|simulation| simulation.traffic.count());
        run(&host, &mut programs, 20);
        assert_eq!(host.with(|simulation| simulation.traffic.count()), sent, "nobody calls any more");
    }

    #[test]
    fn a_loop_that_never_sleeps_is_not_run() {
        let container = |script: &str| {
            let value = crate::value!({ "spec": { "containers": [{ "name": "c", "command": ["sh", "-c", (script.to_owned())] }] } });
            Object::new(Kind::Pod, value, None).as_pod().map(|pod| command(&pod.spec.containers[0]).is_some())
        };
        assert_eq!(container("while true; do :; done"), Some(false));
        assert_eq!(container("while true; do date; sleep 5; done"), Some(true));
        assert_eq!(container("sleep 3600"), Some(false));
    }
}
