//! Reading JSONPath templates, with the errors of client-go.

use super::{Node, OPERATORS, Operand, Step};
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
        if let Some(path) = action.strip_prefix("range") {
            self.ranges.push(steps(path.trim())?);
            self.nodes.push(Vec::new());
            return Ok(());
        }
        if action == "end" {
            let steps = self.ranges.pop().ok_or("not in range, nothing to end")?;
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
    let mut rest = path.strip_prefix(['$', '@']).unwrap_or(path);
    if rest.is_empty() || path == "." {
        return Ok(steps);
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Recursive);
            rest = after;
            if !rest.starts_with('[') {
                rest = field(rest, &mut steps)?;
            }
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = if after.starts_with('[') { after } else { field(after, &mut steps)? };
        } else if let Some(after) = rest.strip_prefix('[') {
            let close = closing_bracket(after).ok_or("unterminated array")?;
            steps.push(brackets(after[..close].trim())?);
            rest = &after[close + 1..];
        } else if steps.is_empty() && path.len() == rest.len() {
            return Err(format!("unrecognized identifier {rest}"));
        } else {
            return Err(format!(
                "unrecognized character in action: {:?}",
                rest.chars().next().unwrap_or(' ')
            ));
        }
    }
    Ok(steps)
}

/// A name after a dot; a dot behind a backslash belongs to it.
fn field<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let mut name = String::new();
    let mut letters = rest.char_indices();
    let mut end = rest.len();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            '.' | '[' | ' ' | '|' | ')' => {
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
    Ok(rest[end..].trim_start())
}

fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

fn brackets(inner: &str) -> Result<Step, String> {
    if inner == "*" {
        return Ok(Step::Wildcard);
    }
    if let Some(filter) = inner.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        return self::filter(filter);
    }
    if inner.contains(',') {
        let parts: Result<Vec<Step>, String> = inner.split(',').map(|part| brackets(part.trim())).collect();
        return parts.map(Step::Union);
    }
    if let Some(name) = quoted(inner) {
        return Ok(Step::Field(name));
    }
    let parts: Vec<&str> = inner.split(':').collect();
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("invalid array index {inner}")),
    };
    if inner.is_empty() || parts.len() > 3 {
        return Err(format!("invalid array index {inner}"));
    }
    Ok(Step::Slice {
        start: number(parts[0])?,
        end: parts.get(1).map_or(Ok(None), |part| number(part))?,
        step: parts.get(2).map_or(Ok(None), |part| number(part))?,
        single: parts.len() == 1,
    })
}

fn filter(text: &str) -> Result<Step, String> {
    for operator in OPERATORS {
        if let Some((left, right)) = text.split_once(operator) {
            return Ok(Step::Filter(side(left.trim())?, operator, side(right.trim())?));
        }
    }
    Ok(Step::Filter(side(text.trim())?, "", Operand::Nothing))
}

fn side(text: &str) -> Result<Operand, String> {
    if let Some(text) = quoted(text) {
        return Ok(Operand::Value(Value::from(text)));
    }
    if text.starts_with(['@', '$', '.']) {
        return steps(text).map(Operand::Path);
    }
    json::parse(text).map(Operand::Value).map_err(|_| format!("unrecognized identifier {text}"))
}
