//! The text of a session.
//!
//! Owns [`Session`] and its reading: `$ ` begins a command (`> ` continues it), what follows is its output,
//! `[exit N]` closes the output of a command that failed, and lines that begin with `# ` and one of the
//! words of [`WORDS`] are directives. Other lines before the first command are comments.

/// Words that make a line a directive.
pub const WORDS: [&str; 9] = ["until", "settle", "sleep", "after", "run", "world", "place", "env", "comment"];

/// A line or a command of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command.
    Command(Exchange),
    /// A directive: its word and the rest of its line.
    Directive(String, String),
    /// Anything else that stands outside commands.
    Comment(String),
}

/// A command with what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// What was typed; several lines for one that was continued.
    pub command: String,
    /// Standard output and error together, without a last newline.
    pub output: String,
    /// The exit status.
    pub status: i32,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its lines, in order.
    pub steps: Vec<Step>,
}

impl Session {
    /// Reads a session.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.line(line);
        }
        reader.close();
        Self { steps: reader.steps }
    }

    /// The commands, in order.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Command(exchange) => Some(exchange),
            _ => None,
        })
    }
}

#[derive(Default)]
struct Reader {
    steps: Vec<Step>,
    open: Option<Exchange>,
    lines: Vec<String>,
}

impl Reader {
    fn close(&mut self) {
        let output = std::mem::take(&mut self.lines).join("\n");
        if let Some(exchange) = self.open.take() {
            self.steps.push(Step::Command(Exchange { output, ..exchange }));
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(command) = line.strip_prefix("$ ") {
            self.close();
            self.open = Some(Exchange { command: command.to_owned(), ..Exchange::default() });
            return;
        }
        if let Some((word, rest)) = directive(line) {
            self.close();
            self.steps.push(Step::Directive(word.to_owned(), rest.to_owned()));
            return;
        }
        let Some(exchange) = &mut self.open else {
            self.steps.push(Step::Comment(line.to_owned()));
            return;
        };
        if let (true, Some(more)) = (self.lines.is_empty(), line.strip_prefix("> ")) {
            exchange.command.push('\n');
            exchange.command.push_str(more);
        } else if let Some(status) = exit_status(line) {
            exchange.status = status;
        } else {
            self.lines.push(line.to_owned());
        }
    }
}

/// The word and the rest of a directive's line.
fn directive(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("# ")?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    WORDS.contains(&word).then_some((word, rest.trim_start()))
}

fn exit_status(line: &str) -> Option<i32> {
    line.strip_prefix("[exit ")?.strip_suffix(']')?.parse().ok()
}

/// A command and what came back, as a session shows it.
#[must_use]
pub fn shown(exchange: &Exchange) -> String {
    let mut text = format!("$ {}\n", exchange.command.replace('\n', "\n> "));
    text.push_str(&exchange.output);
    if !exchange.output.is_empty() && !exchange.output.ends_with('\n') {
        text.push('\n');
    }
    if exchange.status != 0 {
        text.push_str(&format!("[exit {}]\n", exchange.status));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_back_what_it_shows() {
        let text = "$ cat <<E\n> a\n> E\na\n$ false\n[exit 1]\n# until gone pods\n$ kubectl set env\n# Deployment web\nA=b\n";
        let session = Session::parse(text);
        let commands: Vec<&Exchange> = session.exchanges().collect();
        assert_eq!(commands.len(), 3);
        assert_eq!(commands[0].command, "cat <<E\na\nE");
        assert_eq!(commands[1].status, 1);
        assert_eq!(commands[2].output, "# Deployment web\nA=b");
        assert_eq!(session.steps[2], Step::Directive("until".to_owned(), "gone pods".to_owned()));
        let printed: String = session
            .steps
            .iter()
            .map(|step| match step {
                Step::Command(exchange) => shown(exchange),
                Step::Directive(word, rest) => format!("# {word} {rest}\n"),
                Step::Comment(line) => format!("{line}\n"),
            })
            .collect();
        assert_eq!(printed, text);
    }
}
