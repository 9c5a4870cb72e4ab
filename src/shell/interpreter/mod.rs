//! The interpreter: what a script does.
//!
//! Owns the state of a shell and the running of lists, pipelines and compound commands. Compound commands are
//! in `compound`, words are expanded in `expand`, streams led elsewhere in `redirect`, background jobs kept in [`jobs`]; the shell's own commands are
//! in [`super::builtins`], the loop that reads a terminal in [`super::interactive`].
//!
//! A subshell is a clone of the state. Everything runs inside the future of the command that was typed, so
//! dropping that future (Ctrl-C) ends all of it; only background jobs are tasks of their own.

mod compound;
mod expand;
pub mod jobs;
mod redirect;
mod state;
mod test;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::rc::Rc;
use std::task::Poll;

pub use state::{Flow, Options, Shell, Variable};
pub use test::evaluate as evaluate_test;

use super::command::{LookUp, Run, look_up};
use super::executor::{Boxed, all, give_way};
use super::filesystem::Entry;
use super::flags::not_simulated;
use super::invocation::{NOT_FOUND, start};
use super::io::{Input, Output, Streams, pipe};
use super::language::tree::{Assignment, Chain, Command, Item, Joint, List, Pipeline, Stage, Word};

/// After so many commands a shell lets others go first.
const COMMANDS_PER_TURN: u32 = 32;
/// What bash says when there are too many processes.
const NO_FORK: &str = "fork: retry: Resource temporarily unavailable";
/// Functions, substitutions, subshells and `eval` may be nested this deep.
const DEPTH_LIMIT: u32 = 50;
/// Exit status of a command whose reader is gone (128 + SIGPIPE).
const BROKEN_PIPE: i32 = 141;
/// Exit status of a file that cannot be run.
const CANNOT_RUN: i32 = 126;

/// Runs `future` until it ends or writes where nobody reads.
async fn until_broken(output: Output, future: impl Future<Output = i32>) -> i32 {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Pending if output.is_broken() => Poll::Ready(BROKEN_PIPE),
        other => other,
    })
    .await
}

impl Shell {
    /// Runs a list; the status is left in the shell.
    pub fn list<'a>(&'a mut self, list: &'a List, streams: &'a Streams) -> Boxed<'a, Flow> {
        Box::pin(async move {
            for item in &list.0 {
                self.line = item.line;
                if item.background {
                    self.start_job(item, streams);
                    continue;
                }
                match self.chain(&item.chain, streams).await {
                    Flow::Next => {}
                    other => return other,
                }
                if streams.stdout.is_broken() {
                    self.status = BROKEN_PIPE;
                    return Flow::Exit;
                }
            }
            Flow::Next
        })
    }

    fn start_job(&mut self, item: &Item, streams: &Streams) {
        if self.cannot_fork() {
            self.refuse(NO_FORK, streams);
            return;
        }
        let mut inside = self.subshell();
        let streams = Streams { stdin: Input::null(), ..streams.clone() };
        let chain = Rc::clone(&item.chain);
        let job = self.jobs.add(&self.host, &item.text);
        self.last_job_pid = Some(job.pid);
        self.status = 0;
        if self.interactive {
            streams.stderr.line(&format!("[{}] {}", job.number, job.pid));
        }
        let state = Rc::clone(&job.state);
        let task = self.host.spawn(Box::pin(async move {
            inside.chain(&chain, &streams).await;
            state.finish(inside.status);
        }));
        self.jobs.set_task(job.number, task);
    }

    async fn chain(&mut self, chain: &Chain, streams: &Streams) -> Flow {
        let last = chain.rest.len();
        let mut flow = self.pipeline_in_chain(&chain.first, last == 0, streams).await;
        for (index, (joint, pipeline)) in chain.rest.iter().enumerate() {
            if flow != Flow::Next {
                return flow;
            }
            if (*joint == Joint::And) == (self.status == 0) {
                flow = self.pipeline_in_chain(pipeline, index + 1 == last, streams).await;
            }
        }
        flow
    }

    /// Runs a pipeline; under `set -e` the last one of a chain ends the shell when it fails.
    async fn pipeline_in_chain(&mut self, pipeline: &Pipeline, last: bool, streams: &Streams) -> Flow {
        let excused = !last || pipeline.negated;
        self.excused += u32::from(excused);
        let flow = self.pipeline(pipeline, streams).await;
        self.excused -= u32::from(excused);
        let failed = flow == Flow::Next && self.status != 0;
        if failed && self.options.errexit && self.excused == 0 && !excused {
            return Flow::Exit;
        }
        flow
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, streams: &Streams) -> Flow {
        let began = self.host.now();
        let flow = match pipeline.stages.as_slice() {
            [only] => self.stage(only, streams).await,
            stages => {
                self.status = self.run_stages(stages, streams).await;
                Flow::Next
            }
        };
        if pipeline.timed {
            let seconds = (self.host.now() - began) as f64 / 1e6;
            let minutes = (seconds / 60.0).floor();
            let real = format!("{minutes:.0}m{:.3}s", seconds - minutes * 60.0);
            streams.stderr.write(&format!("\nreal\t{real}\nuser\t0m0.000s\nsys\t0m0.000s\n"));
        }
        if pipeline.negated {
            self.status = i32::from(self.status == 0);
        }
        flow
    }

    /// Runs stages side by side, each in a subshell, joined by pipes.
    async fn run_stages(&mut self, stages: &[Stage], streams: &Streams) -> i32 {
        if self.cannot_fork() {
            self.refuse(NO_FORK, streams);
            return self.status;
        }
        let mut running: Vec<Boxed<'_, i32>> = Vec::new();
        let mut stdin = streams.stdin.clone();
        for (index, stage) in stages.iter().enumerate() {
            let (stdout, next) = match index + 1 == stages.len() {
                true => (streams.stdout.clone(), Input::null()),
                false => pipe(),
            };
            let stderr = if stage.with_stderr { stdout.clone() } else { streams.stderr.clone() };
            let own = Streams { stdin: std::mem::replace(&mut stdin, next), stdout, stderr };
            let mut inside = self.subshell();
            running.push(Box::pin(async move {
                let output = own.stdout.clone();
                let work = async {
                    inside.stage(stage, &own).await;
                    inside.status
                };
                until_broken(output, work).await
            }));
        }
        let statuses = all(running).await;
        let last = statuses.last().copied().unwrap_or(0);
        let failed = statuses.iter().rev().find(|status| **status != 0);
        if self.options.pipefail { failed.copied().unwrap_or(0) } else { last }
    }

    fn stage<'a>(&'a mut self, stage: &'a Stage, streams: &'a Streams) -> Boxed<'a, Flow> {
        Box::pin(async move {
            if let Command::Simple { assignments, words } = &stage.command {
                return self.simple(stage, assignments, words, streams).await;
            }
            match self.redirected(&stage.redirects, streams).await {
                Ok(streams) => self.compound(&stage.command, &streams).await,
                Err(message) => self.refuse(&message, streams),
            }
        })
    }

    /// Says why something cannot be done; the shell goes on with status 1.
    fn refuse(&mut self, message: &str, streams: &Streams) -> Flow {
        self.complain(streams, message);
        self.status = 1;
        Flow::Next
    }

    /// As `refuse`, for a word that cannot be expanded: a script ends, a terminal's shell gives up the line.
    fn give_up(&mut self, message: &str, streams: &Streams) -> Flow {
        self.complain(streams, message);
        self.status = if self.is_bash() { 1 } else { 2 };
        if self.interactive { Flow::Abandon } else { Flow::Exit }
    }

    /// Lets others go on after some commands, and waits for a slow reader.
    async fn pause(&mut self, streams: &Streams) {
        streams.stdout.ready().await;
        self.commands_run += 1;
        if self.commands_run >= COMMANDS_PER_TURN {
            self.commands_run = 0;
            give_way().await;
        }
    }

    async fn simple(
        &mut self,
        stage: &Stage,
        assignments: &[Assignment],
        words: &[Word],
        streams: &Streams,
    ) -> Flow {
        self.substituted = None;
        let arguments = match self.expand_words(words, streams).await {
            Ok(arguments) => arguments,
            Err(message) => return self.give_up(&message, streams),
        };
        let mut assigned = Vec::new();
        for assignment in assignments {
            match self.expand_assignment(assignment, streams).await {
                // With no command, a later assignment sees an earlier one.
                Ok(value) if arguments.is_empty() => self.assign(&assignment.name, value, streams),
                Ok(value) => assigned.push((assignment.name.clone(), value)),
                Err(message) => return self.give_up(&message, streams),
            }
        }
        if self.options.xtrace && !arguments.is_empty() {
            streams.stderr.line(&format!("+ {}", arguments.join(" ")));
        }
        let streams = match self.redirected(&stage.redirects, streams).await {
            Ok(streams) => streams,
            Err(message) => return self.refuse(&message, streams),
        };
        let Some((name, arguments)) = arguments.split_first() else {
            self.status = self.substituted.take().unwrap_or(0);
            return Flow::Next;
        };
        let flow = self.call(name, arguments, assigned, &streams).await;
        self.pause(&streams).await;
        flow
    }

    /// Runs a function, a builtin or a command by its name.
    pub fn call<'a>(
        &'a mut self,
        name: &'a str,
        arguments: &'a [String],
        assigned: Vec<(String, String)>,
        streams: &'a Streams,
    ) -> Boxed<'a, Flow> {
        Box::pin(async move {
            if let Some(body) = self.functions.get(name).map(Rc::clone) {
                let before = self.assign_for_a_while(assigned);
                let flow = self.function(name, &body, arguments, streams).await;
                self.restore(before);
                return flow;
            }
            match look_up(&self.place, name) {
                LookUp::Found(command) if matches!(command.run, Run::Builtin) => {
                    let before = self.assign_for_a_while(assigned);
                    let flow = super::builtins::run(self, name, arguments, streams).await;
                    self.restore(before);
                    flow
                }
                LookUp::Found(command) if self.is_reachable(name) => {
                    let invocation = self.invocation(command.name, arguments, assigned, streams);
                    self.status = until_broken(streams.stdout.clone(), start(command, invocation)).await;
                    Flow::Next
                }
                LookUp::NotSimulated(nearest) if self.is_reachable(name) => {
                    streams.stderr.write(&not_simulated(name, nearest));
                    self.status = NOT_FOUND;
                    Flow::Next
                }
                _ => self.not_found(name, streams),
            }
        })
    }

    /// Whether a name is no path, or one into a directory of programs.
    fn is_reachable(&self, name: &str) -> bool {
        !name.contains('/') || super::places::is_program_path(name)
    }

    fn not_found(&mut self, name: &str, streams: &Streams) -> Flow {
        let (status, words) = match name.contains('/') {
            false if self.is_bash() => (NOT_FOUND, "command not found"),
            false => (NOT_FOUND, "not found"),
            true => {
                let files = self.place.files(&self.host);
                let entry = files.borrow().entry(&self.path(name)).cloned();
                match entry {
                    Some(Entry::Directory) => (CANNOT_RUN, "Is a directory"),
                    Some(Entry::File(_)) => (CANNOT_RUN, "Permission denied"),
                    None if self.is_bash() => (NOT_FOUND, "No such file or directory"),
                    None => (NOT_FOUND, "not found"),
                }
            }
        };
        self.complain(streams, &format!("{name}: {words}"));
        self.status = status;
        Flow::Next
    }

    async fn function(
        &mut self,
        name: &str,
        body: &Rc<Stage>,
        arguments: &[String],
        streams: &Streams,
    ) -> Flow {
        if self.depth >= DEPTH_LIMIT {
            // What called this by pipes must not try all its other branches as deep.
            self.exhausted.set(true);
            let message = format!("{name}: maximum function nesting level exceeded ({DEPTH_LIMIT})");
            self.complain(streams, &message);
            self.status = 1;
            return if self.interactive { Flow::Abandon } else { Flow::Exit };
        }
        let positional = std::mem::replace(&mut self.positional, arguments.to_vec());
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(Vec::new());
        self.depth += 1;
        self.status = 0;
        let flow = self.stage(body, streams).await;
        self.depth -= 1;
        let before = self.locals.pop().unwrap_or_default();
        self.restore(before);
        self.loops = loops;
        self.positional = positional;
        if flow == Flow::Return { Flow::Next } else { flow }
    }
}
