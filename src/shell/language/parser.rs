//! From text to the tree: the grammar.
//!
//! Owns lists, pipelines and simple commands; `compound` and `redirections` are beside it, the parts of words
//! in `words`. Aliases are replaced while reading, as shells do. A text that ends too early is told apart
//! ([`ParseError::Incomplete`]) so that an interactive shell can ask for more.

mod compound;
mod redirections;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::tree::{Assignment, Chain, Command, Item, Joint, List, Part, Pipeline, Stage, Word};

/// Commands may be nested this deep.
const DEPTH_LIMIT: u32 = 60;
/// A script may be this long, in characters.
const LENGTH_LIMIT: usize = 1024 * 1024;
/// So many aliases may be replaced in one text: they can name each other.
const ALIAS_LIMIT: u32 = 1_000;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It ended inside something: a quote, as which character; or a command (`None`).
    Incomplete(Option<char>),
    /// This token is not allowed where it stands.
    Unexpected(String),
    /// `${…}` that means nothing.
    BadSubstitution(String),
    /// A limit of Portside's.
    TooLarge,
}

pub(super) type Parse<T> = Result<T, ParseError>;

/// Reads a whole script.
///
/// # Errors
/// The first reason why it is none.
pub fn parse(text: &str, aliases: &BTreeMap<String, String>) -> Result<List, ParseError> {
    let mut parser = Parser::new(text, aliases);
    if parser.text.len() > LENGTH_LIMIT {
        return Err(ParseError::TooLarge);
    }
    let list = parser.list()?;
    if let Some(token) = parser.token() {
        return Err(ParseError::Unexpected(token));
    }
    match parser.pending.is_empty() {
        true => Ok(list),
        false => Err(ParseError::Incomplete(None)),
    }
}

/// A here-document whose text has not come yet.
struct Pending {
    text: Rc<OnceCell<Vec<Part>>>,
    end: String,
    quoted: bool,
    strip_tabs: bool,
}

pub(super) struct Parser<'a> {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) aliases: &'a BTreeMap<String, String>,
    pub(super) depth: u32,
    pending: Vec<Pending>,
    replaced: u32,
    /// Where `((` opens no arithmetic, counted from the end: it is not tried again.
    pub(super) not_arithmetic: BTreeSet<usize>,
    /// Names being replaced, with how much text was left behind the alias.
    replacing: Vec<(String, usize)>,
    /// A position with the number of the line in which it is, to count on from.
    counted: (usize, usize),
}

/// Characters that end a word.
pub(super) fn ends_word(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

/// Words that end a list in command position.
const CLOSING: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, aliases: &'a BTreeMap<String, String>) -> Self {
        let text = text.chars().collect();
        Self {
            text,
            at: 0,
            aliases,
            depth: 0,
            pending: Vec::new(),
            replaced: 0,
            not_arithmetic: BTreeSet::new(),
            replacing: Vec::new(),
            counted: (0, 1),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, letter)| self.text.get(self.at + index) == Some(&letter))
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// The number of the line at the cursor.
    fn line(&mut self) -> usize {
        let (from, line) = self.counted;
        let between = self.text.get(from..self.at).unwrap_or_default();
        let line = line + between.iter().filter(|letter| **letter == '\n').count();
        self.counted = (self.at, line);
        line
    }

    /// Goes one level deeper while `read` runs.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            self.depth -= 1;
            return Err(ParseError::TooLarge);
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Over blanks, continued lines and comments, but not over the end of a line.
    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.text.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|letter| letter != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Over blanks and ends of lines.
    fn skip_lines(&mut self) -> Parse<()> {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// Over the end of a line, and the here-documents that follow it.
    fn newline(&mut self) -> Parse<()> {
        self.at += 1;
        for pending in std::mem::take(&mut self.pending) {
            let parts = self.here_document(&pending)?;
            pending.text.set(parts).expect("a here-document is read once");
        }
        Ok(())
    }

    /// The operator or word at the cursor, for messages; `None` at the end.
    fn token(&mut self) -> Option<String> {
        self.skip_blanks();
        let first = self.peek()?;
        for operator in ["&&", "||", ";;", "<<", ">>", "|&"] {
            if self.looking_at(operator) {
                return Some(operator.to_owned());
            }
        }
        if first == '\n' {
            return Some("newline".to_owned());
        }
        if ends_word(first) {
            return Some(first.to_string());
        }
        Some(self.raw_word())
    }

    /// The unquoted text up to the next end of a word.
    fn raw_word(&self) -> String {
        self.text[self.at..].iter().take_while(|letter| !ends_word(**letter)).collect()
    }

    fn unexpected<T>(&mut self) -> Parse<T> {
        Err(self.token().map_or(ParseError::Incomplete(None), ParseError::Unexpected))
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        self.skip_lines()?;
        if self.raw_word() != word {
            return self.unexpected();
        }
        self.at += word.chars().count();
        Ok(())
    }

    fn expect(&mut self, operator: &str) -> Parse<()> {
        self.skip_blanks();
        if self.take(operator) { Ok(()) } else { self.unexpected() }
    }

    pub(super) fn list(&mut self) -> Parse<List> {
        self.deeper(|parser| {
            let mut items = Vec::new();
            loop {
                parser.skip_lines()?;
                if parser.list_ends() {
                    return Ok(List(items));
                }
                let start = parser.at;
                let line = parser.line();
                let chain = Rc::new(parser.chain()?);
                let text: String = parser.text[start.min(parser.at)..parser.at].iter().collect();
                parser.skip_blanks();
                let background = !parser.looking_at("&&") && parser.take("&");
                let separated = background || (!parser.looking_at(";;") && parser.take(";"));
                items.push(Item { chain, background, text: text.trim().to_owned(), line });
                parser.skip_blanks();
                if !separated && !matches!(parser.peek(), None | Some('\n')) {
                    return Ok(List(items));
                }
            }
        })
    }

    fn list_ends(&mut self) -> bool {
        match self.peek() {
            None | Some(')') => true,
            _ => self.looking_at(";;") || CLOSING.contains(&self.raw_word().as_str()),
        }
    }

    fn body(&mut self) -> Parse<List> {
        let list = self.list()?;
        if list.0.is_empty() {
            return self.unexpected();
        }
        Ok(list)
    }

    fn chain(&mut self) -> Parse<Chain> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let joint = if self.take("&&") {
                Joint::And
            } else if self.take("||") {
                Joint::Or
            } else {
                return Ok(Chain { first, rest });
            };
            self.skip_lines()?;
            rest.push((joint, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parse<Pipeline> {
        let (mut negated, mut timed) = (false, false);
        loop {
            self.skip_blanks();
            match self.raw_word().as_str() {
                "!" => {
                    negated = !negated;
                    self.at += 1;
                }
                "time" => {
                    timed = true;
                    self.at += 4;
                }
                _ => break,
            }
        }
        let mut stages = vec![self.stage()?];
        loop {
            self.skip_blanks();
            if self.looking_at("||") || !self.take("|") {
                return Ok(Pipeline { negated, timed, stages });
            }
            if self.take("&")
                && let Some(last) = stages.last_mut()
            {
                last.with_stderr = true;
            }
            self.skip_lines()?;
            stages.push(self.stage()?);
        }
    }

    fn stage(&mut self) -> Parse<Stage> {
        self.skip_blanks();
        self.replace_alias()?;
        let compound = self.deeper(Self::compound)?;
        let Some(command) = compound else { return self.simple() };
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(Stage { command, redirects, with_stderr: false }),
            }
        }
    }

    /// Puts the text of an alias in its name's place.
    fn replace_alias(&mut self) -> Parse<()> {
        loop {
            let left = self.text.len() - self.at;
            self.replacing.retain(|(_, behind)| *behind < left);
            let name = self.raw_word();
            let Some(alias) = self.aliases.get(&name) else { return Ok(()) };
            if self.replacing.iter().any(|(held, _)| *held == name) {
                return Ok(());
            }
            self.replaced += 1;
            if self.replaced > ALIAS_LIMIT || self.text.len() > LENGTH_LIMIT {
                return Err(ParseError::TooLarge);
            }
            let end = self.at + name.chars().count();
            self.replacing.push((name, self.text.len() - end));
            self.text.splice(self.at..end, alias.chars());
            self.skip_blanks();
        }
    }

    fn words(&mut self) -> Parse<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            match self.word()? {
                Some(word) => words.push(word),
                None => return Ok(words),
            }
        }
    }

    fn simple(&mut self) -> Parse<Stage> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                assignments.push(assignment);
                continue;
            }
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() || self.peek() == Some('(') {
            return self.unexpected();
        }
        Ok(Stage { command: Command::Simple { assignments, words }, redirects, with_stderr: false })
    }

    fn assignment(&mut self) -> Parse<Option<Assignment>> {
        let start = self.at;
        let raw = self.raw_word();
        let Some((left, _)) = raw.split_once('=') else { return Ok(None) };
        let (name, append) = left.strip_suffix('+').map_or((left, false), |name| (name, true));
        if !is_name(name) {
            return Ok(None);
        }
        self.at = start + left.chars().count() + 1;
        let value = self.word()?.unwrap_or_default();
        Ok(Some(Assignment { name: name.to_owned(), append, value }))
    }
}

/// Whether `text` can name a variable.
pub fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
