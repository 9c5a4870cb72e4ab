//! The state of a shell.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::jobs::Jobs;
use crate::shell::filesystem::absolute;
use crate::shell::history::History;
use crate::shell::host::Host;
use crate::shell::invocation::Invocation;
use crate::shell::io::Streams;
use crate::shell::language::tree::Stage;
use crate::shell::places::{Dialect, Place};
use crate::shell::tty::Tty;

/// So many subshells of one shell may be at once: a real system's limit of processes, and what a frame can carry.
const SUBSHELL_LIMIT: usize = 500;

/// Where a shell goes on after a command; the status is in the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next command.
    Next,
    /// Behind so many loops.
    Break(u32),
    /// With the next round of the loop so many levels out.
    Continue(u32),
    /// Behind the function or the sourced file.
    Return,
    /// Nowhere: the shell ends.
    Exit,
    /// With the next line of the terminal.
    Abandon,
}

/// A variable.
#[derive(Clone, Debug, Default)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// Whether commands see it.
    pub exported: bool,
    /// Whether it cannot be changed.
    pub readonly: bool,
}

/// What `set -o` switches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `-e`: a failing command ends the shell.
    pub errexit: bool,
    /// `-u`: an unset variable is an error.
    pub nounset: bool,
    /// `-x`: commands are shown before they run.
    pub xtrace: bool,
    /// `-o pipefail`: a pipeline has the status of the last stage that failed.
    pub pipefail: bool,
    /// `-f`: no file names for patterns.
    pub noglob: bool,
}

/// A shell. A clone is a subshell: what it changes, it changes for itself.
#[derive(Clone)]
pub struct Shell {
    /// The world.
    pub host: Host,
    /// Where it runs.
    pub place: Rc<Place>,
    /// The terminal of the session.
    pub tty: Option<Rc<Tty>>,
    /// How it speaks.
    pub dialect: Dialect,
    /// `$0`.
    pub name: String,
    /// Whether it reads a terminal.
    pub interactive: bool,
    /// Whether it is the first shell of a session.
    pub login: bool,
    /// The working directory, absolute.
    pub directory: String,
    /// Variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// Functions by name.
    pub functions: BTreeMap<String, Rc<Stage>>,
    /// Aliases by name.
    pub aliases: BTreeMap<String, String>,
    /// `$1`, `$2`, …
    pub positional: Vec<String>,
    /// `$?`
    pub status: i32,
    /// What `set` switches.
    pub options: Options,
    /// Background jobs.
    pub jobs: Jobs,
    /// `$!`
    pub last_job_pid: Option<u32>,
    /// Loops around the running command.
    pub loops: u32,
    /// Functions, substitutions and subshells around the running command.
    pub depth: u32,
    /// Held by all subshells of one shell together; true once there were too many, until the next line.
    pub exhausted: Rc<Cell<bool>>,
    /// The lines typed so far.
    pub history: Rc<RefCell<History>>,
    /// The line of the running command, from 1.
    pub(super) line: usize,
    /// What `local` has covered, per function.
    pub(super) locals: Vec<Vec<(String, Option<Variable>)>>,
    /// Conditions around the running command, in which failures do not count.
    pub(super) excused: u32,
    /// The status of the last `$(…)` of the command.
    pub(super) substituted: Option<i32>,
    pub(super) commands_run: u32,
}

/// How long a variable may become, in bytes: a loop that doubles it must end somewhere.
const VALUE_LIMIT: usize = 1 << 22;

impl Shell {
    /// A shell with what `invocation` has: its place, environment and directory.
    pub fn new(invocation: &Invocation, dialect: Dialect, name: &str) -> Self {
        let mut shell = Self {
            host: invocation.host.clone(),
            place: Rc::clone(&invocation.place),
            tty: invocation.tty.clone(),
            dialect,
            name: name.to_owned(),
            interactive: false,
            login: false,
            directory: invocation.directory.clone(),
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            positional: Vec::new(),
            status: 0,
            options: Options::default(),
            jobs: Jobs::default(),
            last_job_pid: None,
            loops: 0,
            depth: 0,
            exhausted: Rc::default(),
            history: Rc::default(),
            line: 1,
            locals: Vec::new(),
            excused: 0,
            substituted: None,
            commands_run: 0,
        };
        for (name, value) in invocation.environment.iter() {
            let variable = Variable { value: value.clone(), exported: true, readonly: false };
            shell.variables.insert(name.clone(), variable);
        }
        shell.set("PWD", shell.directory.clone());
        shell.set("IFS", " \t\n".to_owned());
        shell
    }

    /// A shell for a part of a command.
    pub fn subshell(&self) -> Self {
        Self { interactive: false, depth: self.depth + 1, ..self.clone() }
    }

    /// Whether there may be no more subshells beside those that are.
    pub fn cannot_fork(&self) -> bool {
        if Rc::strong_count(&self.exhausted) > SUBSHELL_LIMIT {
            self.exhausted.set(true);
        }
        self.exhausted.get()
    }

    /// Forgets functions, loops and conditions around a command that was given up.
    pub fn leave_all(&mut self) {
        while let Some(covered) = self.locals.pop() {
            self.restore(covered);
        }
        (self.loops, self.depth, self.excused) = (0, 0, 0);
        self.exhausted.set(false);
    }

    /// Sets the line that messages name.
    pub fn set_line(&mut self, line: usize) {
        self.line = line;
    }

    /// Whether it is bash.
    pub fn is_bash(&self) -> bool {
        self.dialect == Dialect::Bash
    }

    /// The value of a variable.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|variable| variable.value.as_str())
    }

    /// Sets a variable, exported or not as it was.
    pub fn set(&mut self, name: &str, value: String) {
        let variable = self.variables.entry(name.to_owned()).or_default();
        if !variable.readonly {
            variable.value = value;
        }
    }

    /// Sets a variable as an assignment does: a read-only one is an error.
    pub fn assign(&mut self, name: &str, value: String, streams: &Streams) {
        if self.variables.get(name).is_some_and(|variable| variable.readonly) {
            let words = if self.is_bash() { "readonly variable" } else { "is read only" };
            self.complain(streams, &format!("{name}: {words}"));
            self.substituted = Some(1);
            return;
        }
        if value.len() > VALUE_LIMIT {
            self.complain(streams, &format!("{name}: cannot allocate {} bytes", value.len()));
            self.substituted = Some(1);
            return;
        }
        self.set(name, value);
    }

    /// Sets exported variables for one command; the answer is what [`Shell::restore`] needs.
    pub(super) fn assign_for_a_while(
        &mut self,
        assigned: Vec<(String, String)>,
    ) -> Vec<(String, Option<Variable>)> {
        let mut before = Vec::new();
        for (name, value) in assigned {
            let variable = Variable { value, exported: true, readonly: false };
            let held = self.variables.insert(name.clone(), variable);
            before.push((name, held));
        }
        before
    }

    /// Puts variables back as they were.
    pub(super) fn restore(&mut self, before: Vec<(String, Option<Variable>)>) {
        for (name, held) in before.into_iter().rev() {
            match held {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }

    /// Makes a variable local to the running function; false outside of functions.
    pub fn make_local(&mut self, name: &str) -> bool {
        let held = self.variables.get(name).cloned();
        let Some(covered) = self.locals.last_mut() else { return false };
        if !covered.iter().any(|(covered, _)| covered == name) {
            covered.push((name.to_owned(), held));
        }
        true
    }

    /// A path as typed, made absolute.
    pub fn path(&self, typed: &str) -> String {
        absolute(&self.directory, typed)
    }

    /// Writes a message to standard error as this shell words it: behind its name, and perhaps the line.
    pub fn complain(&self, streams: &Streams, message: &str) {
        streams.stderr.line(&format!("{}{message}", self.complaint_prefix()));
    }

    fn complaint_prefix(&self) -> String {
        let dash = if self.login { "-" } else { "" };
        match self.dialect {
            Dialect::Bash if self.interactive || (self.login && self.tty.is_some()) => {
                format!("{dash}bash: ")
            }
            Dialect::Bash => format!("{}: line {}: ", self.name, self.line),
            Dialect::Ash => format!("{}: ", self.name),
            Dialect::Dash => format!("{}: {}: ", self.name, self.line),
        }
    }

    /// What a command started by this shell has.
    pub fn invocation(
        &self,
        name: &str,
        arguments: &[String],
        assigned: Vec<(String, String)>,
        streams: &Streams,
    ) -> Invocation {
        let mut environment: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, variable) in self.variables.iter().filter(|(_, variable)| variable.exported) {
            environment.insert(name, &variable.value);
        }
        for (name, value) in &assigned {
            environment.insert(name, value);
        }
        let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Invocation {
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            environment: Rc::new(owned.collect()),
            directory: self.directory.clone(),
            place: Rc::clone(&self.place),
            streams: streams.clone(),
            tty: self.tty.clone(),
            host: self.host.clone(),
        }
    }
}
