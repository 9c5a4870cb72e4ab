//! Replaying a session in a new world.
//!
//! Owns [`Replay`]: it types the commands into a shell, lets virtual time pass as directives say, and gives
//! the same session with Portside's answers. The shell and the world do the rest.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::condition::Condition;
use super::format::{Exchange, Session, Step, shown};
use crate::api::registry::Kind;
use crate::cluster::{Cluster, Kubelets, Settings};
use crate::controllers;
use crate::shell::filesystem::parent;
use crate::shell::host::{Host, Progress};
use crate::shell::interpreter::Shell;
use crate::shell::invocation::Invocation;
use crate::shell::io::{Input, Output, Streams};
use crate::shell::places::Place;
use crate::simulation::Simulation;

/// How long the cluster has run when a person comes, in µs: the recorded sessions began after some time too.
const BEFORE_MICROS: u64 = 20_000_000;
/// What a command takes at least, in µs of virtual time.
const COMMAND_MICROS: u64 = 100_000;
/// What a command may take at most, in µs of virtual time: longer than any wait that kubectl has.
const COMMAND_LIMIT_MICROS: u64 = 3_600_000_000;
/// How often a condition is looked at, in µs.
const LOOK_MICROS: u64 = 150_000;
/// How long a condition is waited for, and a world is let settle, in µs.
const PATIENCE_MICROS: u64 = 60_000_000;
/// Polls and steps of one call of the host; there is no frame to keep.
const BUDGET: u32 = 100_000;
/// Exit status of a command that did not end.
const ENDLESS: i32 = 124;

/// A file of a session: its name relative to the session's folder, and its text.
pub type File = (String, String);

/// A session that is being replayed.
pub struct Replay {
    host: Host,
    place: Rc<Place>,
    /// The shell of the present place; out while a command runs.
    shell: Rc<RefCell<Option<Shell>>>,
}

/// Replays a session from the beginning: the same text with what Portside answers. `files` are those that its
/// commands can name.
#[must_use]
pub fn replay(text: &str, files: &[File]) -> String {
    let session = Session::parse(text);
    let mut replay = Replay::new(settings(&session), files);
    let mut out = String::new();
    for step in &session.steps {
        out.push_str(&replay.step(step));
    }
    out
}

/// The settings of the world: sessions are bound to the stand-in kubelet of the recordings unless they say
/// `# world kubelet=strict`. The directives before the first command decide what it is built with.
fn settings(session: &Session) -> Settings {
    let mut settings = Settings { kubelet: Kubelets::StandIn, ..Settings::default() };
    for step in &session.steps {
        match step {
            Step::Directive(word, rest) if word == "world" => settings = settings.with_line(rest),
            Step::Command(_) => break,
            _ => {}
        }
    }
    settings
}

/// What `service-env -n NAMESPACE` stands for in recorded sessions: the variables of Services that a Pod gets which
/// starts now. It is a word of sessions, no program, and takes no time.
fn service_env(command: &str, cluster: &Cluster) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let ["service-env", "-n", namespace, more @ ..] = words.as_slice() else { return None };
    let links = !more.contains(&"-service-links=false");
    let variables = controllers::service_variables(cluster, namespace, links);
    let lines: Vec<String> = variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(lines.join("\n"))
}

impl Replay {
    /// A new world with the session's files on its workstation.
    #[must_use]
    pub fn new(settings: Settings, files: &[File]) -> Self {
        let host = Host::new(Simulation::new(settings));
        while host.run_until(host.now() + BEFORE_MICROS, BUDGET) == Progress::OutOfBudget {}
        let place = Rc::new(Place::workstation());
        for (name, text) in files {
            let path = format!("{}/{name}", place.home);
            let held = place.files(&host);
            let mut held = held.borrow_mut();
            // A file that does not fit the limits is not there, and the commands say so.
            let _ = held.make_directory(parent(&path), true).and_then(|()| held.write(&path, text));
        }
        let replay = Self { host, place, shell: Rc::default() };
        replay.enter();
        replay
    }

    /// The world.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Does a step of a session and gives its text, with Portside's answer.
    pub fn step(&mut self, step: &Step) -> String {
        match step {
            Step::Command(exchange) => shown(&self.command(&exchange.command)),
            Step::Comment(line) => format!("{line}\n"),
            Step::Directive(word, rest) => {
                self.directive(word, rest);
                format!("# {word}{}{rest}\n", if rest.is_empty() { "" } else { " " })
            }
        }
    }

    /// Types a command; what comes back. It takes its time.
    pub fn command(&mut self, command: &str) -> Exchange {
        if let Some(output) = self.host.with(|simulation| service_env(command, &simulation.cluster)) {
            return Exchange { command: command.to_owned(), output, status: 0 };
        }
        let started = self.host.now();
        let from = crate::shell::client::origin(&self.place);
        let running = self.host.with(|simulation| simulation.incidents.begin(command.trim(), from));
        let (output, status) = self.execute(command);
        self.host.with(|simulation| simulation.incidents.end(running, status));
        self.pass_until(started + COMMAND_MICROS);
        Exchange { command: command.to_owned(), output, status }
    }

    fn directive(&mut self, word: &str, rest: &str) {
        match word {
            "until" => self.until(rest),
            "settle" => self.settle(),
            "sleep" => self.pass_until(self.host.now() + micros(rest)),
            "run" => {
                self.command(rest);
            }
            "after" => self.after(rest),
            "place" => self.move_to(rest),
            "world" => self.host.with(|simulation| {
                let settings = simulation.cluster.settings().clone().with_line(rest);
                simulation.change_settings(settings);
            }),
            _ => {}
        }
    }

    fn pass_until(&self, time: u64) {
        while self.host.run_until(time, BUDGET) == Progress::OutOfBudget {}
    }

    fn until(&mut self, text: &str) {
        let condition = Condition::parse(text);
        let deadline = self.host.now() + PATIENCE_MICROS;
        while !self.holds(&condition) && self.host.now() < deadline {
            self.pass_until(self.host.now() + LOOK_MICROS);
        }
        // Who waits for something finds it in kube-proxy's rules too.
        self.host.with(|simulation| simulation.network.sync_now(simulation.cluster.now()));
    }

    fn holds(&mut self, condition: &Condition) -> bool {
        match condition {
            Condition::Command(command) => self.execute(command).1 == 0,
            Condition::Gone(query) => {
                let (output, status) = self.execute(&format!("kubectl get {query} -o name 2>/dev/null"));
                status != 0 || output.trim().is_empty()
            }
            world => self.host.with(|simulation| world.holds(simulation)),
        }
    }

    fn settle(&self) {
        let deadline = self.host.now() + PATIENCE_MICROS;
        while let Some(due) = self.host.next_change_due().filter(|due| *due <= deadline) {
            self.pass_until(due);
        }
    }

    /// `1s COMMAND`: runs a command in the background, that much later.
    fn after(&self, rest: &str) {
        let (time, command) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut shell = self.fresh_shell(Output::null());
        let (command, streams) = (command.to_owned(), streams(Output::null()));
        let (host, wait) = (self.host.clone(), Duration::from_micros(micros(time)));
        self.host.spawn(Box::pin(async move {
            host.sleep(wait).await;
            shell.run_text(&command, &streams).await;
        }));
    }

    fn move_to(&mut self, rest: &str) {
        let place = match rest.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["node", name] => Some(Place::node(name)),
            ["pod", name, more @ ..] => self.pod_place(name, more.first().copied()),
            _ => Some(Place::workstation()),
        };
        if let Some(place) = place {
            self.place = Rc::new(place);
            self.enter();
        }
    }

    /// The first container of a Pod.
    fn pod_place(&self, name: &str, namespace: Option<&str>) -> Option<Place> {
        let namespace = namespace.unwrap_or("default");
        self.host.with(|simulation| {
            let pod = simulation.cluster.find(Kind::Pod, namespace, name)?.clone();
            crate::shell::containers::place(simulation, &pod, None).ok()
        })
    }

    /// A shell of the present place.
    fn enter(&self) {
        self.shell.replace(Some(self.fresh_shell(Output::null())));
    }

    fn fresh_shell(&self, output: Output) -> Shell {
        let invocation = Invocation {
            name: "bash".to_owned(),
            arguments: Vec::new(),
            environment: Rc::new(self.place.environment.clone()),
            directory: self.place.start.clone(),
            place: Rc::clone(&self.place),
            streams: streams(output),
            tty: None,
            host: self.host.clone(),
        };
        Shell::new(&invocation, self.place.dialect, "bash")
    }

    /// Runs a command to its end: what it wrote, and its status.
    fn execute(&self, command: &str) -> (String, i32) {
        let output = Output::buffer();
        let mut shell = self.shell.take().unwrap_or_else(|| self.fresh_shell(Output::null()));
        let (slot, text, into) = (Rc::clone(&self.shell), command.to_owned(), output.clone());
        let task = self.host.spawn(Box::pin(async move {
            shell.run_text(&text, &streams(into)).await;
            slot.replace(Some(shell));
        }));
        let limit = self.host.now() + COMMAND_LIMIT_MICROS;
        let going = || self.host.is_running(task);
        while self.host.run_while(limit, BUDGET, going) == Progress::OutOfBudget {}
        let status = self.shell.borrow().as_ref().map(|shell| shell.status);
        if status.is_none() {
            self.host.abort(task);
            self.enter();
        }
        (output.take_buffer(), status.unwrap_or(ENDLESS))
    }
}

fn streams(output: Output) -> Streams {
    Streams { stdin: Input::null(), stdout: output.clone(), stderr: output }
}

/// `3s`, `0.6s` or `150ms` in µs.
fn micros(text: &str) -> u64 {
    let time = crate::shell::duration::duration(text.trim()).ok();
    time.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
