//! The interpreter: what a script does.
//!
//! Owns the state of a shell and the running of lists, pipelines and compound commands. Words are expanded in
//! `expand`, streams led elsewhere in `redirect`, background jobs kept in [`jobs`]; the shell's own commands are
//! in [`super::builtins`], the loop that reads a terminal in [`super::interactive`].
//!
//! A subshell is a clone of the state. Everything runs inside the future of the command that was typed, so
//! dropping that future (Ctrl-C) ends all of it; only background jobs are tasks of their own.

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
use std::time::Duration;

pub use state::{Flow, Options, Shell, Variable};
pub use test::evaluate as evaluate_test;

use super::command::{LookUp, Run, look_up};
use super::executor::{Boxed, all, give_way};
use super::filesystem::Entry;
use super::flags::not_simulated;
use super::invocation::{NOT_FOUND, start};
use super::io::{Input, Output, Streams, pipe};
use super::language::pattern::matches;
use super::language::tree::{Assignment, Chain, Command, Item, Joint, List, Pipeline, Stage, Word};

/// After so many commands a shell lets others go first.
const COMMANDS_PER_TURN: u32 = 32;
/// So many rounds of a loop take no virtual time; then each costs [`ROUND_COST`], so that an endless loop
/// neither stops the clock nor the page.
const FREE_ROUNDS: u32 = 1_000;
/// Virtual time of a round beyond the free ones: about what starting a process takes.
const ROUND_COST: Duration = Duration::from_millis(1);
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

/// Counts the rounds of a loop.
struct Rounds {
    since: u64,
    count: u32,
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

    async fn compound(&mut self, command: &Command, streams: &Streams) -> Flow {
        match command {
            Command::Simple { .. } => Flow::Next,
            Command::Group(list) => self.list(list, streams).await,
            Command::Subshell(list) => {
                let mut inside = self.subshell();
                if inside.depth > DEPTH_LIMIT {
                    return self.refuse(NO_FORK, streams);
                }
                inside.list(list, streams).await;
                self.status = inside.status;
                Flow::Next
            }
            Command::For { name, words, body } => self.for_words(name, words.as_deref(), body, streams).await,
            Command::ForArithmetic { parts, body } => self.for_arithmetic(parts, body, streams).await,
            Command::While { condition, body, until } => {
                self.while_loop(condition, body, *until, streams).await
            }
            Command::If { branches, otherwise } => self.branch(branches, otherwise.as_ref(), streams).await,
            Command::Case { word, arms } => self.case(word, arms, streams).await,
            Command::Arithmetic(parts) => match self.arithmetic(parts, streams).await {
                Ok(value) => {
                    self.status = i32::from(value == 0);
                    Flow::Next
                }
                Err(message) => self.refuse(&format!("((: {message}"), streams),
            },
            Command::Test(words) => self.double_bracket(words, streams).await,
            Command::Function { name, body } => {
                self.functions.insert(name.clone(), Rc::clone(body));
                self.status = 0;
                Flow::Next
            }
        }
    }

    async fn branch(
        &mut self,
        branches: &[(List, List)],
        otherwise: Option<&List>,
        streams: &Streams,
    ) -> Flow {
        for (condition, body) in branches {
            match self.condition(condition, streams).await {
                Flow::Next => {}
                other => return other,
            }
            if self.status == 0 {
                return self.list(body, streams).await;
            }
        }
        self.status = 0;
        match otherwise {
            Some(body) => self.list(body, streams).await,
            None => Flow::Next,
        }
    }

    /// Runs a list whose failure does not count under `set -e`.
    async fn condition(&mut self, list: &List, streams: &Streams) -> Flow {
        self.excused += 1;
        let flow = self.list(list, streams).await;
        self.excused -= 1;
        flow
    }

    async fn case(&mut self, word: &Word, arms: &[(Vec<Word>, List)], streams: &Streams) -> Flow {
        let text = match self.expand_single(word, streams).await {
            Ok(text) => text,
            Err(message) => return self.give_up(&message, streams),
        };
        for (patterns, body) in arms {
            for pattern in patterns {
                match self.expand_pattern(pattern, streams).await {
                    Ok(pattern) if matches(&pattern, &text) => {
                        self.status = 0;
                        return self.list(body, streams).await;
                    }
                    Ok(_) => {}
                    Err(message) => return self.give_up(&message, streams),
                }
            }
        }
        self.status = 0;
        Flow::Next
    }

    async fn for_words(
        &mut self,
        name: &str,
        words: Option<&[Word]>,
        body: &List,
        streams: &Streams,
    ) -> Flow {
        let values = match words {
            None => self.positional.clone(),
            Some(words) => match self.expand_words(words, streams).await {
                Ok(values) => values,
                Err(message) => return self.give_up(&message, streams),
            },
        };
        self.status = 0;
        let mut rounds = self.rounds();
        for value in values {
            self.set(name, value);
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
        }
        Flow::Next
    }

    async fn for_arithmetic(
        &mut self,
        parts: &[Vec<super::language::tree::Part>; 3],
        body: &List,
        streams: &Streams,
    ) -> Flow {
        let mut rounds = self.rounds();
        let mut result = self.arithmetic(&parts[0], streams).await.map(|_| 1);
        loop {
            if result.is_ok() && !parts[1].is_empty() {
                result = self.arithmetic(&parts[1], streams).await;
            }
            match result {
                Ok(0) => return Flow::Next,
                Ok(_) => {}
                Err(message) => return self.refuse(&format!("((: {message}"), streams),
            }
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
            result = self.arithmetic(&parts[2], streams).await.map(|_| 1);
        }
    }

    async fn while_loop(&mut self, condition: &List, body: &List, until: bool, streams: &Streams) -> Flow {
        let mut rounds = self.rounds();
        let mut status = 0;
        loop {
            match self.condition(condition, streams).await {
                Flow::Next => {}
                other => return other,
            }
            if (self.status == 0) == until {
                self.status = status;
                return Flow::Next;
            }
            if let Some(flow) = self.round(body, streams, &mut rounds).await {
                return flow;
            }
            status = self.status;
        }
    }

    fn rounds(&self) -> Rounds {
        Rounds { since: self.host.now(), count: 0 }
    }

    /// Runs the body of a loop once; an answer ends the loop.
    async fn round(&mut self, body: &List, streams: &Streams, rounds: &mut Rounds) -> Option<Flow> {
        self.loops += 1;
        let flow = self.list(body, streams).await;
        self.loops -= 1;
        rounds.count += 1;
        if self.host.now() != rounds.since {
            *rounds = self.rounds();
        } else if rounds.count >= FREE_ROUNDS {
            self.host.sleep(ROUND_COST).await;
            // This wait is no reason for more free rounds.
            rounds.since = self.host.now();
        }
        self.pause(streams).await;
        match flow {
            Flow::Next | Flow::Continue(1) => None,
            Flow::Break(1) => Some(Flow::Next),
            Flow::Break(levels) => Some(Flow::Break(levels - 1)),
            Flow::Continue(levels) => Some(Flow::Continue(levels - 1)),
            other => Some(other),
        }
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
