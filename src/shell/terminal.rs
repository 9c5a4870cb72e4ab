//! One terminal tab: lines in, output out.
//!
//! Owns the shells of one terminal as a task of the host, and the keys that a shell's line editor knows: Up,
//! Down, Ctrl-R, Tab, Ctrl-C, Ctrl-D. Does not own the text being typed (the page does).

use std::rc::Rc;
use std::time::Duration;

use super::command::declared;
use super::completion::{Candidates, Situation};
use super::executor::TaskId;
use super::host::{Host, Progress};
use super::interpreter::Shell;
use super::invocation::Invocation;
use super::io::Streams;
use super::places::Place;
use super::tty::{Chunk, Tty};

/// One terminal. Dropping it ends everything that runs in it.
pub struct Terminal {
    host: Host,
    tty: Rc<Tty>,
    task: TaskId,
}

/// What Tab offers: the candidates replace the text between `start` and the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// Where the word being typed begins, in bytes of the line.
    pub start: usize,
    /// What could stand there.
    pub candidates: Candidates,
}

impl Terminal {
    /// A terminal with a login shell in `place`. After `exit` a new one starts.
    pub fn new(host: &Host, place: Place) -> Self {
        let tty = Rc::new(Tty::default());
        let place = Rc::new(place);
        let session = Self::session(host.clone(), Rc::clone(&tty), place);
        let task = host.spawn(Box::pin(session));
        let terminal = Self { host: host.clone(), tty, task };
        // The first prompt is there at once.
        host.run_while(host.now(), FIRST_PROMPT_BUDGET, || terminal.is_busy());
        terminal
    }

    async fn session(host: Host, tty: Rc<Tty>, place: Rc<Place>) {
        let history = Rc::default();
        loop {
            let invocation = Invocation {
                name: "bash".to_owned(),
                arguments: Vec::new(),
                environment: Rc::new(place.environment.clone()),
                directory: place.start.clone(),
                place: Rc::clone(&place),
                streams: Streams::terminal(&tty),
                tty: Some(Rc::clone(&tty)),
                host: host.clone(),
            };
            let mut shell = Shell::new(&invocation, place.dialect, "bash");
            shell.login = true;
            shell.history = Rc::clone(&history);
            shell.interact(Rc::clone(&tty)).await;
        }
    }

    /// Types a line and Enter. Nothing runs before the host does ([`Host::run_until`]).
    pub fn submit(&self, line: &str) {
        self.tty.type_line(line);
    }

    /// Ctrl-C; `draft` is what stood in the input.
    pub fn interrupt(&self, draft: &str) {
        self.tty.interrupt(draft);
    }

    /// Ctrl-D on an empty line.
    pub fn end_input(&self) {
        self.tty.type_end();
    }

    /// What was shown since the last call.
    pub fn take_output(&self) -> Vec<Chunk> {
        self.tty.take_output()
    }

    /// The prompt of the shell that waits for a line; empty while a command runs.
    pub fn prompt(&self) -> String {
        self.tty.prompt().unwrap_or_default()
    }

    /// Whether a command runs: no shell waits for a line, or lines are still to be read.
    pub fn is_busy(&self) -> bool {
        self.tty.prompt().is_none() || self.tty.has_typed_ahead()
    }

    /// Whether the running command waits for a line of input.
    pub fn is_reading(&self) -> bool {
        self.tty.is_read_by_command()
    }

    /// How many columns the page shows.
    pub fn set_columns(&self, columns: usize) {
        self.tty.set_columns(columns);
    }

    /// The status of the last command.
    pub fn status(&self) -> i32 {
        self.tty.shown_shell().map_or(0, |shell| shell.status)
    }

    /// The place, directory and variables of the shell that waits for a line.
    pub fn shell(&self) -> Option<Rc<Shell>> {
        self.tty.shown_shell()
    }

    /// Runs a line to its end, or until `limit` of virtual time has passed, and answers what it showed (the
    /// prompt and the line included) and its status. For sessions and tests; the page lets its frames run it.
    pub fn run(&self, line: &str, limit: Duration) -> (Vec<Chunk>, i32) {
        self.submit(line);
        self.run_on(limit);
        (self.take_output(), self.status())
    }

    /// Lets what runs go on until it ends or `limit` of virtual time has passed.
    pub fn run_on(&self, limit: Duration) {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let until = self.host.now().saturating_add(micros);
        let goes_on = || self.is_busy() && (!self.is_reading() || self.tty.has_typed_ahead());
        while self.host.run_while(until, super::host::DEFAULT_BUDGET, goes_on) == Progress::OutOfBudget {}
    }

    /// The line before the shown one (Up).
    pub fn history_up(&self, typed: &str) -> Option<String> {
        self.tty.shown_shell()?.history.borrow_mut().up(typed).map(str::to_owned)
    }

    /// The line after the shown one (Down).
    pub fn history_down(&self) -> Option<String> {
        self.tty.shown_shell()?.history.borrow_mut().down().map(str::to_owned)
    }

    /// The `nth` newest line that contains `text` (Ctrl-R).
    pub fn history_search(&self, text: &str, nth: usize) -> Option<String> {
        self.tty.shown_shell()?.history.borrow().search(text, nth).map(str::to_owned)
    }

    /// What could stand at the cursor, a byte position in `line`.
    pub fn complete(&self, line: &str, cursor: usize) -> Completions {
        let Some(shell) = self.tty.shown_shell() else { return Completions::default() };
        let before = line.get(..cursor).unwrap_or(line);
        let mut words = last_command(before);
        let Some(Typed { start, text: current }) = words.pop() else { return Completions::default() };
        let situation = Situation { host: &self.host, place: &shell.place, directory: &shell.directory };
        let skipped = words.iter().take_while(|word| is_assignment(&word.text)).count();
        let words: Vec<String> = words.drain(skipped..).map(|word| word.text).collect();
        let candidates = complete_word(&situation, &shell, words, current);
        Completions { start, candidates }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.host.abort(self.task);
    }
}

/// Polls until the first prompt: far more than needed.
const FIRST_PROMPT_BUDGET: u32 = 100;

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| super::language::parser::is_name(name))
}

fn complete_word(
    situation: &Situation<'_>,
    shell: &Shell,
    words: Vec<String>,
    current: String,
) -> Candidates {
    if let Some(at) = current.rfind('$')
        && current[at + 1..].chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        let (left, prefix) = current.split_at(at + 1);
        let names = shell.variables.keys().filter(|name| name.starts_with(prefix));
        return Candidates::beginning(&current, names.map(|name| format!("{left}{name}")));
    }
    let redirected = words.last().is_some_and(|word| matches!(word.as_str(), "<" | ">" | ">>" | "2>" | "&>"));
    if redirected {
        return situation.files(&current);
    }
    let Some((name, arguments)) = words.split_first() else {
        if current.contains('/') {
            return situation.files(&current);
        }
        let names = super::command::names(situation.place).into_iter().map(str::to_owned);
        let mut all: Vec<String> =
            names.chain(shell.aliases.keys().cloned()).chain(shell.functions.keys().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        return Candidates::beginning(&current, all);
    };
    let mut arguments = arguments.to_vec();
    arguments.push(current);
    let alias: Vec<&str> =
        shell.aliases.get(name).map(|alias| alias.split_whitespace().collect()).unwrap_or_default();
    let name = match alias.split_first() {
        Some((name, more)) => {
            arguments.splice(0..0, more.iter().map(|word| (*word).to_owned()));
            name
        }
        None => name.as_str(),
    };
    match declared(name) {
        Some(command) => situation.arguments(command, &arguments),
        None => situation.files(arguments.last().map(String::as_str).unwrap_or_default()),
    }
}

/// A word as typed so far, without its quotes.
struct Typed {
    start: usize,
    text: String,
}

/// The words of the command in which `line` ends; the last one is being typed and may be empty.
fn last_command(line: &str) -> Vec<Typed> {
    let mut words = Vec::new();
    let mut current: Option<Typed> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let open = |current: &mut Option<Typed>, text: Option<char>| {
            current.get_or_insert_with(|| Typed { start: at, text: String::new() }).text.extend(text);
        };
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (Some(_), _) => open(&mut current, Some(letter)),
            (None, '\'' | '"') => {
                quote = Some(letter);
                open(&mut current, None);
            }
            (None, '\\') => {
                let escaped = letters.next().map(|(_, escaped)| escaped);
                open(&mut current, escaped);
            }
            (None, ' ' | '\t') => words.extend(current.take()),
            (None, ';' | '|' | '&' | '(' | '`' | '\n') => {
                words.clear();
                current = None;
            }
            (None, _) => open(&mut current, Some(letter)),
        }
    }
    words.push(current.unwrap_or(Typed { start: line.len(), text: String::new() }));
    let is_opening = |word: &Typed| {
        matches!(word.text.as_str(), "if" | "then" | "do" | "while" | "until" | "else" | "!" | "{" | "time")
    };
    let skipped = words.iter().take(words.len() - 1).take_while(|word| is_opening(word)).count();
    words.drain(..skipped);
    words
}
