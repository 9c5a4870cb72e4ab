//! Shells as programs: the loop that reads a terminal, `sh -c TEXT`, and scripts.

use std::rc::Rc;

use super::executor::{Either, first};
use super::interpreter::{Flow, Shell};
use super::invocation::{INTERRUPTED, Invocation};
use super::io::Streams;
use super::language::parser::{ParseError, parse};
use super::language::tree::List;
use super::places::Dialect;
use super::tty::{Stream, Tty};

/// Exit status of a text that is no script.
const SYNTAX_ERROR: i32 = 2;
/// A line is continued on so many lines at most.
const CONTINUED_LINES: usize = 2_000;

/// What one line from the terminal became.
enum Read {
    /// A script, and the lines that it was typed as.
    Script(List, String),
    /// Nothing to run: Ctrl-C, or an error that has been told.
    Nothing,
    End,
}

impl Shell {
    /// The prompt.
    pub fn prompt(&self) -> String {
        self.place.prompt(self.dialect, &self.directory)
    }

    /// Reads and runs lines of the terminal until `exit` or Ctrl-D; the answer is the exit status.
    pub async fn interact(&mut self, tty: Rc<Tty>) -> i32 {
        self.interactive = true;
        self.jobs.end_with_shell = true;
        let interrupt = tty.catch_interrupt();
        let streams = Streams::terminal(&tty);
        loop {
            for (mark, job) in self.jobs.take_ended() {
                streams.stderr.line(&job.shown(mark));
            }
            tty.show_shell(self.clone_for_view());
            // Ctrl-C comes first: it forgot what was typed before it, so a line that waits was typed after it.
            let (list, text) = match first(interrupt.next(), self.read(&tty, &streams)).await {
                Either::Right(Read::Script(list, text)) => (list, text),
                Either::Right(Read::Nothing) => continue,
                Either::Right(Read::End) => {
                    self.say_goodbye(&streams);
                    return self.status;
                }
                Either::Left(()) => {
                    self.status = INTERRUPTED;
                    continue;
                }
            };
            self.exhausted.set(false);
            let positional = self.positional.clone();
            let from = super::client::origin(&self.place);
            let running = self.host.with(|simulation| simulation.incidents.begin(text.trim(), from));
            let flow = match first(self.list(&list, &streams), interrupt.next()).await {
                Either::Left(flow) => flow,
                Either::Right(()) => {
                    self.status = INTERRUPTED;
                    Flow::Abandon
                }
            };
            self.host.with(|simulation| simulation.incidents.end(running, self.status));
            if flow == Flow::Abandon {
                self.forget_nesting(positional);
            }
            if flow == Flow::Exit {
                self.say_goodbye(&streams);
                return self.status;
            }
        }
    }

    /// A line was given up in the middle of whatever it did.
    fn forget_nesting(&mut self, positional: Vec<String>) {
        self.positional = positional;
        self.leave_all();
    }

    fn clone_for_view(&self) -> Self {
        let mut view = self.subshell();
        view.depth = 0;
        view.interactive = true;
        view
    }

    fn say_goodbye(&self, streams: &Streams) {
        if self.is_bash() {
            streams.stderr.line(if self.login { "logout" } else { "exit" });
        }
    }

    /// Reads lines until they are a script.
    async fn read(&mut self, tty: &Rc<Tty>, streams: &Streams) -> Read {
        let mut text = String::new();
        let mut prompt = self.prompt();
        for _ in 0..CONTINUED_LINES {
            let Some(line) = tty.read_command(prompt).await else {
                if text.is_empty() {
                    return Read::End;
                }
                self.complain_of(&ParseError::Incomplete(None), &text, streams);
                return Read::Nothing;
            };
            let line = match self.recall(&line) {
                Ok(None) => line,
                Ok(Some(recalled)) => {
                    tty.write(Stream::Echo, &format!("{recalled}\n"));
                    recalled
                }
                Err(event) => {
                    streams.stderr.line(&format!(
                        "{}bash: {event}: event not found",
                        if self.login { "-" } else { "" }
                    ));
                    return Read::Nothing;
                }
            };
            self.history.borrow_mut().add(&line);
            text.push_str(&line);
            text.push('\n');
            match parse(&text, &self.aliases) {
                Ok(list) => return Read::Script(list, text),
                Err(ParseError::Incomplete(_)) => prompt = "> ".to_owned(),
                Err(error) => {
                    self.complain_of(&error, &text, streams);
                    return Read::Nothing;
                }
            }
        }
        Read::Nothing
    }

    /// bash's `!!`, `!N` and `!text` at the start of a line: what it stands for.
    fn recall(&self, line: &str) -> Result<Option<String>, String> {
        let Some(rest) = line.strip_prefix('!').filter(|_| self.is_bash()) else { return Ok(None) };
        if rest.is_empty() || rest.starts_with([' ', '=', '(']) {
            return Ok(None);
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (event, behind) = rest.split_at(end);
        let history = self.history.borrow();
        let found = match event.parse::<usize>() {
            Ok(number) => history.line(number),
            Err(_) if event.starts_with('!') => history.newest_beginning(""),
            Err(_) => history.newest_beginning(event),
        };
        let behind = event.strip_prefix('!').unwrap_or_default().to_owned() + behind;
        found.map(|line| Some(format!("{line}{behind}"))).ok_or_else(|| format!("!{event}"))
    }

    /// Parses and runs a text in this shell (`sh -c`, `eval`, `source`, a script).
    pub async fn run_text(&mut self, text: &str, streams: &Streams) -> Flow {
        match parse(text, &self.aliases) {
            Ok(list) if list.0.is_empty() => {
                self.status = 0;
                Flow::Next
            }
            Ok(list) => self.list(&list, streams).await,
            Err(error) => {
                self.complain_of(&error, text, streams);
                Flow::Next
            }
        }
    }

    /// Says why a text is no script.
    fn complain_of(&mut self, error: &ParseError, text: &str, streams: &Streams) {
        self.status = SYNTAX_ERROR;
        self.set_line(1);
        let bash = self.is_bash();
        let message = match (error, self.dialect) {
            (ParseError::Unexpected(token), Dialect::Bash) => {
                format!("syntax error near unexpected token `{token}'")
            }
            (ParseError::Unexpected(token), Dialect::Ash) => format!("syntax error: unexpected \"{token}\""),
            (ParseError::Unexpected(token), Dialect::Dash) => {
                let quoted = if token == "newline" { token.clone() } else { format!("\"{token}\"") };
                format!("Syntax error: {quoted} unexpected")
            }
            (ParseError::Incomplete(Some(quote)), Dialect::Bash) => {
                format!("unexpected EOF while looking for matching `{quote}'")
            }
            (ParseError::Incomplete(None), Dialect::Bash) => {
                "syntax error: unexpected end of file".to_owned()
            }
            (ParseError::Incomplete(Some('\'' | '"')), Dialect::Ash) => {
                "syntax error: unterminated quoted string".to_owned()
            }
            (ParseError::Incomplete(Some('\'' | '"')), Dialect::Dash) => {
                "Syntax error: Unterminated quoted string".to_owned()
            }
            (ParseError::Incomplete(_), Dialect::Ash) => "syntax error: unexpected end of file".to_owned(),
            (ParseError::Incomplete(_), Dialect::Dash) => "Syntax error: end of file unexpected".to_owned(),
            (ParseError::BadSubstitution(text), Dialect::Bash) => format!("{text}: bad substitution"),
            (ParseError::BadSubstitution(_), Dialect::Ash) => "syntax error: bad substitution".to_owned(),
            (ParseError::BadSubstitution(_), Dialect::Dash) => "Bad substitution".to_owned(),
            (ParseError::TooLarge, _) => {
                "the script is nested too deeply or too long for Portside".to_owned()
            }
        };
        self.complain(streams, &message);
        if bash && !self.interactive && matches!(error, ParseError::Unexpected(_)) {
            self.complain(streams, &format!("`{}'", text.lines().next().unwrap_or_default()));
        }
    }
}

/// Runs `sh` or `bash`: a terminal's shell, `-c TEXT`, a script, or what comes from standard input.
pub async fn run_shell(invocation: Invocation, dialect: Dialect) -> i32 {
    let mut arguments = invocation.arguments.iter().peekable();
    let mut options = Vec::new();
    let (mut login, mut text) = (false, None);
    while let Some(argument) =
        arguments.next_if(|argument| argument.len() > 1 && argument.starts_with(['-', '+']))
    {
        match argument.as_str() {
            "--" => break,
            "--login" | "-l" => login = true,
            "-i" | "-s" | "--norc" | "--noprofile" => {}
            "-o" => options.extend(arguments.next().map(|name| vec!["-o".to_owned(), name.clone()])),
            letters if letters.ends_with('c') && !letters.starts_with("--") => {
                match arguments.next() {
                    Some(script) => text = Some(script.clone()),
                    None => return shell_error(&invocation, "-c: option requires an argument"),
                }
                if letters.len() > 2 {
                    options.push(vec![letters.trim_end_matches('c').to_owned()]);
                }
                break;
            }
            letters if letters.starts_with("--") => {
                return shell_error(&invocation, &format!("{letters}: invalid option"));
            }
            letters => options.push(vec![letters.to_owned()]),
        }
    }
    let rest: Vec<String> = arguments.cloned().collect();
    let mut shell = Shell::new(&invocation, dialect, &invocation.name);
    shell.login = login;
    for option in options {
        if let Err(bad) = shell.set_options(&option) {
            return shell_error(&invocation, &format!("{bad}: invalid option"));
        }
    }
    let streams = &invocation.streams;
    if let Some(text) = text {
        if let Some((name, positional)) = rest.split_first() {
            shell.name.clone_from(name);
            shell.positional = positional.to_vec();
        }
        shell.run_text(&text, streams).await;
        return shell.status;
    }
    if let Some((script, positional)) = rest.split_first() {
        let text = match invocation.read_file(script) {
            Ok(text) => text,
            Err(error) => {
                let words = match dialect {
                    Dialect::Bash => format!("{script}: {}", error.words()),
                    Dialect::Ash => format!("can't open '{script}': {}", error.words()),
                    Dialect::Dash => format!("0: cannot open {script}: No such file"),
                };
                invocation.fail(&words);
                return if dialect == Dialect::Dash { 2 } else { super::invocation::NOT_FOUND };
            }
        };
        shell.name.clone_from(script);
        shell.positional = positional.to_vec();
        shell.run_text(&text, streams).await;
        return shell.status;
    }
    match &invocation.tty {
        Some(tty) if streams.stdin.is_terminal() => shell.interact(Rc::clone(tty)).await,
        _ => {
            let text = streams.stdin.read_to_end().await;
            shell.run_text(&text, streams).await;
            shell.status
        }
    }
}

fn shell_error(invocation: &Invocation, message: &str) -> i32 {
    invocation.fail(message);
    SYNTAX_ERROR
}
