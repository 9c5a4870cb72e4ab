//! Text into documents.
//!
//! Owns what kubectl's decoder does before YAML begins: telling JSON from YAML, cutting text at `---`
//! lines, skipping documents that hold nothing, stopping at the first that cannot be read.

use std::ops::Range;

use serde_yaml::Value as Yaml;

use super::compose::{Composed, Refused, compose};
use super::positions::{Positions, Span};
use super::problem::{self, Failure, Problem, narrow};
use super::{MAX_BYTES, MAX_DOCUMENTS, MAX_NODES, MAX_REPAIRED_BYTES, MAX_REPAIRS};
use crate::api::json;
use crate::api::value::Value;

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says; never null.
    pub value: Yaml,
    /// Where its fields stand; lines count from the beginning of the file.
    pub positions: Positions,
    /// The line of the file on which its text begins, from 1.
    pub line: u32,
    /// Its text, as a range of the file's bytes, without the `---` lines around it.
    pub text: Range<usize>,
}

impl Document {
    /// What it says, as the API server gets it from kubectl: numbers without a fraction are whole.
    #[must_use]
    pub fn value(&self) -> Value {
        convert(&self.value)
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The document cannot be read, nor what follows it in the file.
    Error,
    /// It can be read, but hardly as it was meant.
    Warning,
}

/// Something wrong with the text of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of slip it is.
    pub problem: Problem,
    /// What kubectl prints after `error parsing FILE: ` (for a warning, our own words).
    pub message: String,
    /// The exact place in the file, for the editor.
    pub span: Span,
}

/// Reads a file of YAML documents or of JSON.
///
/// Gives back the documents that are there, without empty ones, up to the first that cannot be read,
/// and everything that is wrong: at most one error, which is about the text after these documents.
#[must_use]
pub fn read(text: &str) -> (Vec<Document>, Vec<Diagnostic>) {
    let mut reading = Reading::default();
    if text.len() > MAX_BYTES {
        let message = format!("the text is longer than {MAX_BYTES} bytes");
        reading.error(Problem::Limit, message, Span::point(1, 1));
    } else if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        reading.json(text);
    } else {
        reading.yaml(text, 0, 1);
    }
    (reading.documents, reading.diagnostics)
}

#[derive(Default)]
struct Reading {
    documents: Vec<Document>,
    diagnostics: Vec<Diagnostic>,
}

impl Reading {
    fn error(&mut self, problem: Problem, message: String, span: Span) {
        self.diagnostics.push(Diagnostic { severity: Severity::Error, problem, message, span });
    }

    /// Reads YAML documents from `from` on, which is the beginning of line `line`.
    fn yaml(&mut self, text: &str, from: usize, mut line: u32) {
        let mut start = from;
        let mut at = from;
        let mut first_line = line;
        for piece in text[from..].split_inclusive('\n') {
            if let Some(after) = piece.strip_prefix("---") {
                let after = after.trim();
                if !after.is_empty() && !after.starts_with('#') {
                    let message = format!("invalid Yaml document separator: {after}");
                    return self.error(Problem::Syntax, message, Span::point(line, 4));
                }
                // As kubectl does: a separator before any text is the first line of its document.
                if at > start {
                    if !self.document(text, start..at, first_line) {
                        return;
                    }
                    (start, first_line) = (at + piece.len(), line + 1);
                }
            }
            at += piece.len();
            line += 1;
        }
        if at > start {
            self.document(text, start..at, first_line);
        }
    }

    /// Reads one document; says whether reading may go on.
    fn document(&mut self, text: &str, range: Range<usize>, line: u32) -> bool {
        if self.full(line) {
            return false;
        }
        match compose_document(&text[range.clone()]) {
            Ok(composed) => {
                self.add(composed, range, line);
                true
            }
            Err(failure) => {
                let message = format!("error converting YAML to JSON: yaml: {}", failure.message);
                self.error(failure.problem, message, moved(failure.span, line));
                false
            }
        }
    }

    /// Refuses what follows if there are as many documents as are read.
    fn full(&mut self, line: u32) -> bool {
        let full = self.documents.len() >= MAX_DOCUMENTS;
        if full {
            let message = format!("the text has more than {MAX_DOCUMENTS} documents");
            self.error(Problem::Limit, message, Span::point(line, 1));
        }
        full
    }

    fn add(&mut self, mut composed: Composed, text: Range<usize>, line: u32) {
        for (key, span) in composed.duplicates {
            self.diagnostics.push(Diagnostic {
                severity: Severity::Warning,
                problem: Problem::DuplicateKey,
                message: format!("the key \"{key}\" stands twice; the last one counts"),
                span: moved(span, line),
            });
        }
        if composed.value.is_null() {
            return;
        }
        for node in &mut composed.positions.nodes {
            node.key = moved(node.key, line);
            node.value = moved(node.value, line);
        }
        self.documents.push(Document { value: composed.value, positions: composed.positions, line, text });
    }

    /// Reads a stream of JSON values; where it is no JSON it may still be YAML.
    fn json(&mut self, text: &str) {
        let (mut start, mut line) = (0, 1);
        loop {
            let rest = &text[start..];
            let blank = rest.len() - rest.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).len();
            if blank == rest.len() {
                return;
            }
            let from = start + blank;
            line += narrow(text[start..from].matches('\n').count());
            if self.full(line) {
                return;
            }
            match json::first(&text[from..]) {
                Ok((value, length)) => {
                    let range = from..from + length;
                    match compose_document(&text[range.clone()]) {
                        Ok(mut composed) => {
                            // Only columns of the first line depend on what stands before it.
                            indent_first_line(&mut composed.positions, &text[..from]);
                            self.add(composed, range, line);
                        }
                        Err(_) => self.documents.push(Document {
                            value: serde_yaml::to_value(&value).unwrap_or_default(),
                            positions: Positions::default(),
                            line,
                            text: range,
                        }),
                    }
                    start = from + length;
                    line += narrow(text[from..start].matches('\n').count());
                }
                Err(error) => return self.json_or_yaml(text, from, line, &error),
            }
        }
    }

    /// What begins as JSON and is none is read as YAML; if that fails too, JSON's error is told.
    fn json_or_yaml(&mut self, text: &str, from: usize, line: u32, error: &json::SyntaxError) {
        let mut yaml = Self::default();
        yaml.yaml(text, from, line);
        if yaml.diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error) {
            self.documents.append(&mut yaml.documents);
            self.diagnostics.append(&mut yaml.diagnostics);
            return;
        }
        let before = &text[..(from + error.offset.saturating_sub(1)).min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let message = match error.unexpected_end {
            true => error.message.clone(),
            false => format!("json: offset {}: {}", error.offset, error.message),
        };
        self.error(Problem::Json, message, Span::point(narrow(line), narrow(column)));
    }
}

/// Composes one document, with lines inside quotes and brackets free to begin anywhere.
/// How far into a line its first bracket may stand for [`crowded_line`] to look at it.
const BRACKET_COLUMN: usize = 256;

/// The first line that holds more bracketed values than a document may. The parser reads a bracket to its end
/// before it gives anything back, so the limit on values alone would come too late.
fn crowded_line(text: &str) -> Option<u32> {
    let crowded = |line: &str| {
        line.len() > MAX_NODES
            && line.bytes().take(BRACKET_COLUMN).any(|byte| matches!(byte, b'[' | b'{'))
            && line.bytes().filter(|byte| *byte == b',').count() > MAX_NODES
    };
    text.lines().position(crowded).map(|line| narrow(line + 1))
}

fn compose_document(text: &str) -> Result<Composed, Failure> {
    if let Some(failure) = problem::control_character(text) {
        return Err(failure);
    }
    if let Some(line) = crowded_line(text) {
        let message = "document has too many values".to_owned();
        return Err(Failure { problem: Problem::Limit, message, span: Span::point(line, 1) });
    }
    // kubectl ends the last line if the file does not.
    let mut owned = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let mut shifts: Vec<(u32, u32)> = Vec::new();
    let repairs = MAX_REPAIRS.min(1 + MAX_REPAIRED_BYTES / owned.len());
    for _ in 0..repairs {
        let error = match compose(&owned) {
            Ok(mut composed) => {
                unshift(&mut composed, &shifts);
                return Ok(composed);
            }
            Err(Refused::Other(failure)) => return Err(failure),
            Err(Refused::Scan(error)) => error,
        };
        let marker = error.marker();
        let lines = match error.info() {
            "invalid indentation in quoted scalar" | "tab cannot be used as indentation" => {
                match quote_end(&owned, marker.line(), marker.col()) {
                    Some(end) if end > marker.line() => marker.line() + 1..end + 1,
                    Some(_) => return Err(problem::from_scan(&error, text)),
                    None => {
                        return Err(problem::unclosed_quote(&owned, marker.line(), marker.col() + 1));
                    }
                }
            }
            "while scanning a quoted scalar, found unexpected end of stream" => {
                return Err(problem::unclosed_quote(&owned, marker.line(), marker.col() + 1));
            }
            "invalid indentation in flow construct" | "invalid indentation" => {
                marker.line()..marker.line() + 1
            }
            // go-yaml takes a tab for a blank here; the columns stay the same.
            "':' must be followed by a valid YAML whitespace" => {
                match blank_tabs(&owned, marker.line(), marker.col()) {
                    Some(text) => owned = text,
                    None => return Err(problem::from_scan(&error, text)),
                }
                continue;
            }
            _ => return Err(problem::from_scan(&error, text)),
        };
        owned = indented(&owned, &lines);
        shifts.extend(lines.map(|line| (narrow(line), INDENT)));
    }
    let message = "brackets or quotes over too many lines that are not indented".to_owned();
    Err(Failure { problem: Problem::Limit, message, span: Span::point(1, 1) })
}

/// How far a line is moved to the right for saphyr: further than blocks are indented in practice.
const INDENT: u32 = 32;

fn indented(text: &str, lines: &Range<usize>) -> String {
    let mut moved = String::with_capacity(text.len() + lines.len() * INDENT as usize);
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if lines.contains(&(at + 1)) {
            moved.push_str(&" ".repeat(INDENT as usize));
        }
        moved.push_str(line);
    }
    moved
}

/// The text with the tabs right before a place (column from 0) as blanks; nothing if there are none.
fn blank_tabs(text: &str, line: usize, column: usize) -> Option<String> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let before = text[start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at);
    let tabs = text[start..before].bytes().rev().take_while(|byte| *byte == b'\t').count();
    (tabs > 0).then(|| format!("{}{}{}", &text[..before - tabs], " ".repeat(tabs), &text[before..]))
}

/// The line on which the quoted text ends that begins at a line and column (from 0).
fn quote_end(text: &str, line: usize, column: usize) -> Option<usize> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let mut chars = text[start..].chars().skip(column);
    let quote = chars.next()?;
    let mut line = line;
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            '\\' if quote == '"' => line += usize::from(chars.next() == Some('\n')),
            c if c == quote => return Some(line),
            _ => {}
        }
    }
    None
}

fn unshift(composed: &mut Composed, shifts: &[(u32, u32)]) {
    if shifts.is_empty() {
        return;
    }
    let shift = |line: u32| shifts.iter().filter(|(at, _)| *at == line).map(|(_, by)| by).sum::<u32>();
    let back = |span: &mut Span| {
        span.column = span.column.saturating_sub(shift(span.line)).max(1);
        span.end_column = span.end_column.saturating_sub(shift(span.end_line)).max(1);
    };
    for node in &mut composed.positions.nodes {
        back(&mut node.key);
        back(&mut node.value);
    }
    composed.duplicates.iter_mut().for_each(|(_, span)| back(span));
}

/// Lines of a document as lines of its file.
fn moved(mut span: Span, first_line: u32) -> Span {
    span.line += first_line - 1;
    span.end_line += first_line - 1;
    span
}

fn indent_first_line(positions: &mut Positions, before: &str) {
    let by = narrow(before.chars().rev().take_while(|&c| c != '\n').count());
    for span in positions.nodes.iter_mut().flat_map(|node| [&mut node.key, &mut node.value]) {
        if span.line == 1 {
            span.column += by;
        }
        if span.end_line == 1 {
            span.end_column += by;
        }
    }
}

/// The document value of what was read.
#[must_use]
pub fn convert(value: &Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(*flag),
        Yaml::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => json::number(number.as_f64().unwrap_or_default()),
        },
        Yaml::String(text) => Value::Str(text.into()),
        Yaml::Sequence(items) => items.iter().map(convert).collect(),
        Yaml::Mapping(map) => {
            map.iter().map(|(key, value)| (key.as_str().unwrap_or_default(), convert(value))).collect()
        }
        Yaml::Tagged(tagged) => convert(&tagged.value),
    }
}
