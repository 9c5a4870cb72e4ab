//! What a running command has: its arguments, its streams, its place and the world.
//!
//! Owns [`Invocation`] and the running of one command from within another. Does not own what commands do.

use std::rc::Rc;
use std::time::Duration;

use super::command::{Command, LookUp, Run, look_up};
use super::executor::Boxed;
use super::filesystem::{FileError, Files, absolute};
use super::flags::{Parsed, Style, not_simulated, parse};
use super::host::Host;
use super::io::{Output, Streams};
use super::places::Place;
use super::tty::Tty;

/// Exit status of a command that does not exist.
pub const NOT_FOUND: i32 = 127;
/// Exit status of a command ended by Ctrl-C (128 + SIGINT).
pub const INTERRUPTED: i32 = 130;

/// One running command. Cloning it is cheap and gives another handle to the same streams.
#[derive(Clone)]
pub struct Invocation {
    /// The command's name, as typed without a path.
    pub name: String,
    /// What was typed after the name, expanded.
    pub arguments: Vec<String>,
    /// The exported variables, in order of name.
    pub environment: Rc<Vec<(String, String)>>,
    /// The working directory, absolute.
    pub directory: String,
    /// Where it runs.
    pub place: Rc<Place>,
    /// Standard input, output and error.
    pub streams: Streams,
    /// The terminal of the session, also when the streams lead elsewhere; `None` for tasks without one.
    pub tty: Option<Rc<Tty>>,
    /// The world.
    pub host: Host,
}

impl Invocation {
    /// Standard output.
    pub fn stdout(&self) -> &Output {
        &self.streams.stdout
    }

    /// Standard error.
    pub fn stderr(&self) -> &Output {
        &self.streams.stderr
    }

    /// Writes a line to standard output.
    pub fn say(&self, line: &str) {
        self.streams.stdout.line(line);
    }

    /// Writes `NAME: message` to standard error and answers status 1.
    pub fn fail(&self, message: &str) -> i32 {
        self.streams.stderr.line(&format!("{}: {message}", self.name));
        1
    }

    /// The value of an exported variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The files of the place.
    pub fn files(&self) -> Files {
        self.place.files(&self.host)
    }

    /// A path as typed, made absolute.
    pub fn path(&self, typed: &str) -> String {
        absolute(&self.directory, typed)
    }

    /// The text of a file, by its path as typed.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn read_file(&self, typed: &str) -> Result<Rc<str>, FileError> {
        if typed.ends_with("/dev/null") {
            return Ok(Rc::from(""));
        }
        self.files().borrow().read(&self.path(typed))
    }

    /// The text of a file, or of standard input for `-`; a message is written when it cannot be read.
    pub async fn read_operand(&self, typed: &str) -> Option<Rc<str>> {
        if typed == "-" {
            return Some(Rc::from(self.streams.stdin.read_to_end().await));
        }
        match self.read_file(typed) {
            Ok(text) => Some(text),
            Err(error) => {
                self.fail(&format!("{typed}: {}", error.words()));
                None
            }
        }
    }

    /// Reads the arguments by the flags of `command` as the GNU tools do. On `--help`, or an error, the answer
    /// is printed and `Err` holds the status to end with.
    ///
    /// # Errors
    /// The exit status of a command that is not to go on.
    pub fn parse(&self, command: &Command, style: Style) -> Result<Parsed, i32> {
        let before_dashes = self.arguments.iter().take_while(|argument| *argument != "--");
        let help_asked = match style {
            Style::GnuInOrder => self.arguments.first().is_some_and(|argument| argument == "--help"),
            _ => before_dashes.clone().any(|argument| argument == "--help"),
        };
        if help_asked {
            self.streams.stdout.write(&command.help(self.host.language()));
            return Err(0);
        }
        parse(command.flags, style, &self.arguments).map_err(|error| {
            self.streams.stderr.write(&error.gnu(&self.name));
            if self.name == "grep" || self.name == "ls" { 2 } else { 1 }
        })
    }

    /// Lets virtual time pass.
    pub async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }

    /// The same surroundings for another command.
    pub fn with_command(&self, name: &str, arguments: Vec<String>) -> Self {
        Self { name: name.to_owned(), arguments, ..self.clone() }
    }

    /// The same terminal in another place: its environment, and its first directory.
    pub fn in_place(&self, place: &Rc<Place>) -> Self {
        Self {
            environment: Rc::new(place.environment.clone()),
            directory: place.start.clone(),
            place: Rc::clone(place),
            ..self.clone()
        }
    }

    /// Runs the command that `words` name (the first word is the command), with these streams and in this place.
    /// `sh` or `bash` without arguments on a terminal is an interactive shell. `Err` when there is no such
    /// command here: the caller knows the words for that.
    ///
    /// # Errors
    /// The name that was not found.
    pub fn run(&self, words: &[String]) -> Result<Boxed<'static, i32>, String> {
        let Some((name, arguments)) = words.split_first() else {
            return Ok(Box::pin(async { 0 }));
        };
        match look_up(&self.place, name) {
            LookUp::Missing => Err(name.clone()),
            LookUp::NotSimulated(nearest) => {
                self.stderr().write(&not_simulated(name, nearest));
                Ok(Box::pin(async { NOT_FOUND }))
            }
            LookUp::Found(command) => {
                let short = command.name;
                Ok(start(command, self.with_command(short, arguments.to_vec())))
            }
        }
    }
}

/// Starts `command`; its future ends with its exit status.
pub fn start(command: &'static Command, invocation: Invocation) -> Boxed<'static, i32> {
    match command.run {
        Run::Now(run) => Box::pin(async move { run(&invocation) }),
        Run::Waits(run) => run(invocation),
        Run::Builtin => super::builtins::start_outside_shell(command, invocation),
    }
}
