//! The declaration of a command: one table that feeds parsing, `--help`, completion and "not simulated".
//!
//! Owns [`Command`], its flags' table and the choice of what can be run where ([`look_up`]). Does not own
//! the commands themselves (`tools/`, `kubectl/`), the reading of flags ([`super::flags`]) nor what a running
//! command may do ([`super::invocation::Invocation`]).

use super::completion::Candidates;
use super::executor::Boxed;
use super::invocation::Invocation;
use super::places::Place;
use crate::words::Words;

/// The running of a command that may wait: ends with its exit status.
pub type CommandFuture = Boxed<'static, i32>;

/// How a command runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// At once: it never waits for input, time or changes.
    Now(fn(&Invocation) -> i32),
    /// As a future. Write `Run::Waits(|invocation| Box::pin(run(invocation)))`.
    Waits(fn(Invocation) -> CommandFuture),
    /// By the interpreter, because it changes the shell itself (`cd`, `export`, …).
    Builtin,
}

/// Where a command exists, apart from containers, which have what their image has in its PATH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// On the workstation and on nodes.
    OnHosts,
    /// On the workstation alone.
    OnWorkstation,
    /// On nodes alone.
    OnNodes,
    /// Everywhere, containers included: it is part of the shell, or Portside's own.
    Everywhere,
}

/// What an argument stands for, which is what Tab offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The flag takes no value.
    None,
    /// Free text.
    Text,
    /// A number.
    Number,
    /// A length of time (`5s`, `2m`).
    Duration,
    /// A file of the place.
    File,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A value that may be left away, then this one is meant; given only as `--flag=value`.
    Optional(&'static str),
    /// The name of a Namespace.
    Namespace,
    /// The name of a Node.
    Node,
    /// The name of a host: Services as DNS knows them, nodes, addresses.
    Host,
    /// The name of a command, then its arguments.
    Command,
}

/// One flag of a command.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The letter after one dash, if there is one.
    pub short: Option<char>,
    /// The name after two dashes, or empty.
    pub long: &'static str,
    /// What follows it.
    pub value: Value,
    /// What it does, in a line without a full stop.
    pub summary: Words,
    /// Set when the real command has this flag and Portside does not: the nearest thing that works, or empty.
    pub not_simulated: Option<&'static str>,
}

/// A flag without a value. `short` is a letter or `'\0'`, `long` a name or `""`.
pub const fn switch(short: char, long: &'static str, en: &'static str, zh: &'static str) -> Flag {
    option(short, long, Value::None, en, zh)
}

/// A flag with a value. `short` is a letter or `'\0'`, `long` a name or `""`.
pub const fn option(
    short: char,
    long: &'static str,
    value: Value,
    en: &'static str,
    zh: &'static str,
) -> Flag {
    let short = if short == '\0' { None } else { Some(short) };
    Flag { short, long, value, summary: Words { en, zh }, not_simulated: None }
}

/// A flag that the real command has and Portside has not; `nearest` is what to use instead, or `""`.
pub const fn not_simulated(short: char, long: &'static str, value: Value, nearest: &'static str) -> Flag {
    let short = if short == '\0' { None } else { Some(short) };
    Flag { short, long, value, summary: Words { en: "", zh: "" }, not_simulated: Some(nearest) }
}

/// A command: one of these per command, and one line in `tools::COMMANDS`.
pub struct Command {
    /// What is typed.
    pub name: &'static str,
    /// What follows the name, as in a usage line: `[-n COUNT] [FILE]...`.
    pub usage: &'static str,
    /// What it does, in a line without a full stop.
    pub summary: Words,
    /// Its flags.
    pub flags: &'static [Flag],
    /// What its operands stand for.
    pub operands: Value,
    /// Completion of its own, instead of `flags` and `operands` (commands with verbs).
    pub complete: Option<Complete>,
    /// Where it exists.
    pub found: Found,
    /// How it runs.
    pub run: Run,
}

/// Completion of a command's own arguments: the words after the command's name up to the cursor; the last
/// one is being typed and may be empty.
pub type Complete = fn(&super::completion::Situation<'_>, words: &[String]) -> Candidates;

impl Command {
    /// What `--help` prints.
    pub fn help(&self, language: crate::words::Language) -> String {
        let mut text =
            format!("Usage: {} {}\n{}\n", self.name, self.usage, self.summary.in_language(language));
        let shown = || self.flags.iter().filter(|flag| flag.not_simulated.is_none());
        let width = shown().map(|flag| flag.spelled().len()).max().unwrap_or(0);
        if width > 0 {
            text.push('\n');
        }
        for flag in shown() {
            text.push_str(&format!("  {:width$}  {}\n", flag.spelled(), flag.summary.in_language(language)));
        }
        text
    }
}

impl Flag {
    /// As a usage text shows it: `-n, --lines=NUMBER`.
    pub fn spelled(&self) -> String {
        let value = self.value.placeholder();
        match (self.short, self.long) {
            (Some(short), "") if value.is_empty() => format!("-{short}"),
            (Some(short), "") => format!("-{short} {value}"),
            (short, long) => {
                let short = short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
                let join = if value.is_empty() { "" } else { "=" };
                format!("{short}--{long}{join}{value}")
            }
        }
    }

    /// Whether `name` is this flag's long name, or its letter.
    pub fn is_called(&self, name: &str) -> bool {
        (!self.long.is_empty() && self.long == name)
            || self.short.is_some_and(|short| name.len() == short.len_utf8() && name.starts_with(short))
    }
}

impl Value {
    /// The word that stands for a value in a usage text.
    fn placeholder(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Text | Self::OneOf(_) | Self::Optional(_) => "VALUE",
            Self::Number => "NUMBER",
            Self::Duration => "TIME",
            Self::File => "FILE",
            Self::Namespace => "NAMESPACE",
            Self::Node => "NODE",
            Self::Host => "HOST",
            Self::Command => "COMMAND",
        }
    }
}

/// What a name means in a place.
pub enum LookUp {
    /// This command.
    Found(&'static Command),
    /// A real command of that name is there, but Portside has none; with the nearest one that it has.
    NotSimulated(&'static str),
    /// Nothing.
    Missing,
}

/// Commands that real machines have and Portside has not, with the nearest that it has.
const NOT_SIMULATED: &[(&str, &str)] = &[
    ("ab", "for i in $(seq 20); do curl …; done"),
    ("awk", "cut"),
    ("chmod", "ls"),
    ("chown", "ls"),
    ("crictl", "kubectl get pods -o wide"),
    ("ctr", "kubectl get pods -o wide"),
    ("df", "ls"),
    ("diff", "grep"),
    ("docker", "kubectl"),
    ("egrep", "grep -E"),
    ("etcdctl", "kubectl get -o yaml"),
    ("fgrep", "grep"),
    ("find", "ls"),
    ("free", "kubectl describe node"),
    ("git", "cat"),
    ("helm", "kubectl apply -f"),
    ("ifconfig", "ip addr"),
    ("journalctl", "kubectl logs"),
    ("jq", "kubectl get -o jsonpath=…"),
    ("kubeadm", "kubectl get nodes"),
    ("less", "cat"),
    ("ln", "cp"),
    ("lsof", "ss"),
    ("make", "sh"),
    ("more", "cat"),
    ("mount", "ls"),
    ("nano", "the editor of the page"),
    ("netstat", "ss"),
    ("nmap", "nc"),
    ("perl", "sed"),
    ("ps", "kubectl get pods"),
    ("python", "sed"),
    ("python3", "sed"),
    ("scp", "cp"),
    ("systemctl", "kubectl get nodes"),
    ("tar", "cp"),
    ("tcpdump", "trace"),
    ("telnet", "nc"),
    ("top", "kubectl get pods -w"),
    ("trap", "timeout"),
    ("vi", "the editor of the page"),
    ("vim", "the editor of the page"),
    ("yq", "kubectl get -o jsonpath=…"),
];

/// The declared command of that name, wherever it exists.
pub fn declared(name: &str) -> Option<&'static Command> {
    let table = super::tools::COMMANDS.iter().chain(super::builtins::COMMANDS);
    table.copied().find(|command| command.name == name)
}

/// What `name` (perhaps a path such as `/bin/sh`) means in `place`.
pub fn look_up(place: &Place, name: &str) -> LookUp {
    let base = if name.contains('/') { super::filesystem::file_name(name) } else { name };
    let there = |found| place.has_command(base, found);
    match declared(base) {
        Some(command) if there(command.found) => LookUp::Found(command),
        Some(_) => LookUp::Missing,
        None => match NOT_SIMULATED.iter().find(|(name, _)| *name == base) {
            Some((_, nearest)) if there(Found::OnHosts) => LookUp::NotSimulated(nearest),
            _ => LookUp::Missing,
        },
    }
}

/// The names of all commands of `place`, in order.
pub fn names(place: &Place) -> Vec<&'static str> {
    let table = super::tools::COMMANDS.iter().chain(super::builtins::COMMANDS);
    let mut names: Vec<_> = table
        .filter(|command| place.has_command(command.name, command.found))
        .map(|command| command.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
