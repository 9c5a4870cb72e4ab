//! Conditions: `test`, `[` and `[[`.

use super::{Flow, Shell};
use crate::shell::filesystem::{Entry, FileSystem, absolute};
use crate::shell::io::Streams;
use crate::shell::language::pattern::matches;
use crate::shell::language::tree::{Part, Word};

/// Reads the operands of a condition from left to right.
struct Condition<'a> {
    words: &'a [String],
    at: usize,
    files: &'a FileSystem,
    directory: &'a str,
    /// `[[`: `==` compares with a pattern, `&&` and `||` join.
    double: bool,
    is_tty: bool,
}

/// Whether the condition holds; `double` for `[[`, in which right operands are patterns.
///
/// # Errors
/// The message for a text that is no condition.
pub fn evaluate(
    words: &[String],
    files: &FileSystem,
    directory: &str,
    double: bool,
    is_tty: bool,
) -> Result<bool, String> {
    if words.is_empty() {
        return Ok(false);
    }
    let mut condition = Condition { words, at: 0, files, directory, double, is_tty };
    let value = condition.or()?;
    match condition.words.get(condition.at) {
        None => Ok(value),
        Some(_) if condition.at == 1 && words.len() == 3 => {
            Err(format!("{}: binary operator expected", words[1]))
        }
        Some(_) => Err("too many arguments".to_owned()),
    }
}

impl Condition<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.take(if self.double { "||" } else { "-o" }) {
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.take(if self.double { "&&" } else { "-a" }) {
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.words.len() - self.at > 1 && !self.is_binary_next() && self.take("!") {
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn is_binary_next(&self) -> bool {
        self.words.len() - self.at >= 3
            && self.words.get(self.at + 1).is_some_and(|word| BINARY.contains(&word.as_str()))
    }

    fn primary(&mut self) -> Result<bool, String> {
        let left = self.words.len() - self.at;
        if self.is_binary_next() {
            let (first, operator, second) =
                (&self.words[self.at], &self.words[self.at + 1], &self.words[self.at + 2]);
            self.at += 3;
            return self.binary(first, operator, second);
        }
        if left >= 2 && self.peek() == Some("(") {
            self.at += 1;
            let value = self.or()?;
            return if self.take(")") { Ok(value) } else { Err("`)' expected".to_owned()) };
        }
        let Some(word) = self.words.get(self.at) else { return Err("argument expected".to_owned()) };
        let is_operator = word.len() == 2 && word.starts_with('-') && UNARY.contains(&word[1..]);
        if is_operator && left >= 2 {
            self.at += 2;
            return Ok(self.unary(&word[1..], &self.words[self.at - 1]));
        }
        if left == 2 && word.starts_with('-') {
            return Err(format!("{word}: unary operator expected"));
        }
        self.at += 1;
        Ok(!word.is_empty())
    }

    fn unary(&self, operator: &str, operand: &str) -> bool {
        let entry = self.files.entry(&absolute(self.directory, operand));
        match operator {
            "n" => !operand.is_empty(),
            "z" => operand.is_empty(),
            "d" => matches!(entry, Some(Entry::Directory)),
            "f" => matches!(entry, Some(Entry::File(_))),
            "s" => matches!(entry, Some(Entry::File(text)) if !text.is_empty()),
            "t" => self.is_tty && matches!(operand, "0" | "1" | "2"),
            "x" => matches!(entry, Some(Entry::Directory)),
            // No links, pipes or devices are simulated.
            "L" | "h" | "p" | "S" | "b" | "c" => false,
            _ => entry.is_some(),
        }
    }

    fn binary(&self, first: &str, operator: &str, second: &str) -> Result<bool, String> {
        Ok(match operator {
            "=" | "==" if self.double => matches(second, first),
            "!=" if self.double => !matches(second, first),
            "=~" => {
                let expression = regex_lite::Regex::new(second).map_err(|_| "invalid regular expression")?;
                expression.is_match(first)
            }
            "=" | "==" => first == second,
            "!=" => first != second,
            "<" => first < second,
            ">" => first > second,
            _ => {
                let (left, right) = (integer(first)?, integer(second)?);
                match operator {
                    "-eq" => left == right,
                    "-ne" => left != right,
                    "-lt" => left < right,
                    "-le" => left <= right,
                    "-gt" => left > right,
                    _ => left >= right,
                }
            }
        })
    }
}

const BINARY: &[&str] = &["=", "==", "!=", "=~", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
const UNARY: &str = "nzdfestrwxLhpSbc";

fn integer(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{text}: integer expression expected"))
}

impl Shell {
    /// `[[ … ]]`
    pub(super) async fn double_bracket(&mut self, words: &[Word], streams: &Streams) -> Flow {
        let mut texts: Vec<String> = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| words[before].literal());
            let is_pattern = matches!(before, Some("=" | "==" | "!="));
            let is_expression = matches!(before, Some("=~"));
            let text = match word.0.as_slice() {
                [Part::Text(text)] if is_expression => Ok(text.clone()),
                _ if is_pattern => self.expand_pattern(word, streams).await,
                _ => self.expand_single(word, streams).await,
            };
            match text {
                Ok(text) => texts.push(text),
                Err(message) => return self.give_up(&message, streams),
            }
        }
        let files = self.place.files(&self.host);
        let is_tty = streams.stdout.is_terminal();
        let value = evaluate(&texts, &files.borrow(), &self.directory, true, is_tty);
        self.status = match value {
            Ok(value) => i32::from(!value),
            Err(message) => {
                self.complain(streams, &message);
                2
            }
        };
        Flow::Next
    }
}
