//! Reading JSONPath templates, with the errors of client-go.

use super::{Node, Operand, Step};
use crate::api::json;
use crate::api::value::Value;

/// The nodes of a template.
///
/// # Errors
/// Text that is no template, in the words of client-go.
pub(super) fn nodes(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser { rest: text, nodes: vec![Vec::new()], ranges: Vec::new() };
    parser.template()?;
    Ok(parser.nodes.pop().unwrap_or_default())
}

struct Parser<'a> {
    rest: &'a str,
    /// Nodes of the template and of open ranges.
    nodes: Vec<Vec<Node>>,
    ranges: Vec<Vec<Step>>,
}

impl Parser<'_> {
    fn push(&mut self, node: Node) {
        self.nodes.last_mut().expect("the template itself is always open").push(node);
    }

    fn template(&mut self) -> Result<(), String> {
        while !self.rest.is_empty() {
            let Some(open) = self.rest.find('{') else {
                let text = self.rest.to_owned();
                self.push(Node::Text(text));
                self.rest = "";
                break;
            };
            if open > 0 {
                let text = self.rest[..open].to_owned();
                self.push(Node::Text(text));
            }
            let inner = &self.rest[open + 1..];
            let close = closing_brace(inner).ok_or("unclosed action")?;
            self.rest = &inner[close + 1..];
            self.action(inner[..close].trim())?;
        }
        if self.ranges.is_empty() { Ok(()) } else { Err("unexpected end of range".to_owned()) }
    }

    fn action(&mut self, action: &str) -> Result<(), String> {
        if let Some(text) = quoted(action) {
            self.push(Node::Text(text));
            return Ok(());
        }
        if let Some(path) = action.strip_prefix("range").filter(|path| !path.starts_with(is_word)) {
            self.ranges.push(steps(path.trim())?);
            self.nodes.push(Vec::new());
            return Ok(());
        }
        if action == "end" {
            let Some(steps) = self.ranges.pop() else {
                self.push(Node::StrayEnd);
                return Ok(());
            };
            let inner = self.nodes.pop().unwrap_or_default();
            self.push(Node::Range(steps, inner));
            return Ok(());
        }
        let steps = steps(action)?;
        self.push(Node::Path(steps));
        Ok(())
    }
}

/// The brace that ends an action, outside quotes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// The text of a quoted word.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let inner = text[1..].strip_suffix(quote)?;
    let mut out = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    Some(out)
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        rest = match letter {
            // The present object, as it is.
            ' ' | '@' | '$' => &rest[1..],
            '[' if rest.starts_with("[?(") => filter(&rest[3..], &mut steps)?,
            '[' => brackets(&rest[1..], &mut steps)?,
            '.' if rest.starts_with("..") => {
                if matches!(steps.last(), Some(Step::Recursive)) {
                    return Err("invalid multiple recursive descent".to_owned());
                }
                steps.push(Step::Recursive);
                let after = &rest[2..];
                if after.starts_with(is_word) { field(after, &mut steps) } else { after }
            }
            '.' => field(&rest[1..], &mut steps),
            letter if is_word(letter) => {
                let end = rest.find(is_terminator).unwrap_or(rest.len());
                steps.push(Step::Unknown(rest[..end].to_owned()));
                &rest[end..]
            }
            letter => {
                return Err(format!(
                    "unrecognized character in action: U+{:04X} '{letter}'",
                    u32::from(letter)
                ));
            }
        };
    }
    Ok(steps)
}

fn is_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// What ends a name, unless a backslash stands before it.
fn is_terminator(letter: char) -> bool {
    " \n\r.,[]$@{}".contains(letter)
}

/// A name after a dot; a terminator behind a backslash belongs to it. Gives what follows.
fn field<'a>(rest: &'a str, steps: &mut Vec<Step>) -> &'a str {
    let mut name = String::new();
    let mut letters = rest.char_indices();
    let mut end = rest.len();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            letter if is_terminator(letter) => {
                end = at;
                break;
            }
            letter => name.push(letter),
        }
    }
    match name.as_str() {
        "" => {}
        "*" => steps.push(Step::Wildcard),
        _ => steps.push(Step::Field(name)),
    }
    &rest[end..]
}

/// An index, a slice, a quoted path, or several of them, up to its bracket. Gives what follows.
fn brackets<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let close = rest.find([']', '\n']).filter(|at| rest[*at..].starts_with(']'));
    let close = close.ok_or("unterminated array")?;
    let (inner, after) = (&rest[..close], &rest[close + 1..]);
    if inner.contains(',') {
        let mut parts = Vec::new();
        for part in inner.split(',') {
            let mut one = Vec::new();
            element(part.trim_matches(' '), &mut one)?;
            parts.push(one);
        }
        steps.push(Step::Union(parts));
    } else {
        element(inner, steps)?;
    }
    Ok(after)
}

fn element(inner: &str, steps: &mut Vec<Step>) -> Result<(), String> {
    let path = inner.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    if let Some(path) = path.filter(|path| !path.contains('\'')) {
        steps.extend(self::steps(&format!(".{path}"))?);
        return Ok(());
    }
    let text = if inner == "*" { ":" } else { inner };
    let parts: Vec<&str> = text.split(':').collect();
    let number = |text: &str| match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("invalid array index {inner}")),
    };
    if parts.len() > 3 {
        return Err(format!("invalid array index {inner}"));
    }
    steps.push(Step::Slice {
        start: number(parts[0])?,
        end: parts.get(1).map_or(Ok(None), |part| number(part))?,
        step: parts.get(2).map_or(Ok(None), |part| number(part))?,
        single: parts.len() == 1,
    });
    Ok(())
}

/// A filter behind its `[?(`. Gives what follows.
fn filter<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let close = closing_round(rest).ok_or("unterminated filter")?;
    let after = rest[close + 1..].strip_prefix(']').ok_or("unclosed array expect ]")?;
    let text = &rest[..close];
    let is_sign = |letter: char| "!<>=".contains(letter);
    let sides = text.find(is_sign).filter(|at| *at > 0).and_then(|at| {
        let signs = text[at..].find(|letter| !is_sign(letter))?;
        Some((&text[..at], &text[at..at + signs], &text[at + signs..]))
    });
    steps.push(match sides {
        Some((left, operator, right)) => {
            Step::Filter(side(left.trim())?, operator.to_owned(), side(right.trim())?)
        }
        None => Step::Filter(side(text.trim())?, String::new(), Operand::Nothing),
    });
    Ok(after)
}

/// The bracket that ends a filter: one behind a quoted text, if there is one.
fn closing_round(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (_, '\n') => return None,
            (Some(open), letter) if letter == open && !escaped => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, ')') => return Some(at),
            _ => {}
        }
        escaped = letter == '\\';
    }
    None
}

fn side(text: &str) -> Result<Operand, String> {
    if let Some(text) = quoted(text) {
        return Ok(Operand::Value(Value::from(text)));
    }
    if text.starts_with(|letter: char| letter.is_ascii_digit() || "+-".contains(letter)) {
        return json::parse(text).map(Operand::Value).map_err(|_| format!("cannot parse number {text}"));
    }
    match text {
        "true" => Ok(Operand::Value(Value::Bool(true))),
        "false" => Ok(Operand::Value(Value::Bool(false))),
        path => steps(path).map(Operand::Path),
    }
}
