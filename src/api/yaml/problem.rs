//! What is wrong with YAML text, in the words and line numbers that kubectl prints.
//!
//! Owns the way from `saphyr-parser`'s errors to go-yaml's. go-yaml counts lines from 0 and adds 1 only
//! to what its scanner finds, not to what its parser finds, and names no line at all where that gives 0:
//! both habits are kept, because learners search for these messages.

use saphyr_parser::ScanError;

use super::positions::Span;

/// What kind of slip a diagnostic is about; `explain` has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A tab stands where only blanks may.
    Tab,
    /// A character that needs quotes begins a value: `@`, `` ` ``, `%`.
    Character,
    /// A key without its colon, or a text that runs into the next key.
    Colon,
    /// A second `: ` in a line, or a line indented too far.
    Mapping,
    /// A line whose indentation fits no block that is open.
    Indentation,
    /// A list item that does not begin with `- `.
    Dash,
    /// A bracket or brace without its partner.
    Bracket,
    /// A quote that is never closed.
    Quote,
    /// An alias of no anchor, or of an anchor that holds it.
    Alias,
    /// The same key twice in one map; the last one counts.
    DuplicateKey,
    /// A character that text cannot hold.
    Control,
    /// Larger or deeper than is read.
    Limit,
    /// Text that begins as JSON and is none.
    Json,
    /// Anything else that YAML does not allow.
    Syntax,
}

/// A problem in one document: the words after `yaml: ` and the place, relative to the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    pub(super) message: String,
    pub(super) span: Span,
}

/// Which half of go-yaml finds a problem: that decides how it counts lines.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Scanner,
    Parser,
}

/// The end of an error of saphyr, go-yaml's words for it, who finds it there, and the kind of slip.
const WORDS: [(&str, &str, By, Problem); 24] = [
    ("simple key expect ':'", "could not find expected ':'", By::Scanner, Problem::Colon),
    ("simple key expected", "could not find expected ':'", By::Scanner, Problem::Colon),
    ("comment intercepting the multiline text", "could not find expected ':'", By::Scanner, Problem::Colon),
    (
        "wrongly indented line in block scalar",
        "could not find expected ':'",
        By::Scanner,
        Problem::Indentation,
    ),
    ("tabs disallowed within this context (block indentation)", CANNOT_START, By::Scanner, Problem::Tab),
    ("tabs disallowed in this context", CANNOT_START, By::Scanner, Problem::Tab),
    ("tab cannot be used as indentation", CANNOT_START, By::Scanner, Problem::Tab),
    ("found a tab", CANNOT_START, By::Scanner, Problem::Tab),
    (
        "cannot start with a tab",
        "found a tab character where an indentation space is expected",
        By::Scanner,
        Problem::Tab,
    ),
    ("mapping values are not allowed in this context", MAPPING, By::Scanner, Problem::Mapping),
    ("illegal placement of ':' indicator", MAPPING, By::Scanner, Problem::Mapping),
    (
        "mapping keys are not allowed in this context",
        "mapping keys are not allowed in this context",
        By::Scanner,
        Problem::Mapping,
    ),
    (
        "block sequence entries are not allowed in this context",
        "block sequence entries are not allowed in this context",
        By::Scanner,
        Problem::Dash,
    ),
    (
        "\"-\" is only valid inside a block",
        "block sequence entries are not allowed in this context",
        By::Scanner,
        Problem::Dash,
    ),
    (
        "plain scalar cannot start with '-' followed by ,[]{}",
        "block sequence entries are not allowed in this context",
        By::Scanner,
        Problem::Dash,
    ),
    ("misplaced bracket", "did not find expected node content", By::Parser, Problem::Bracket),
    ("did not find expected node content", "did not find expected node content", By::Parser, Problem::Syntax),
    ("did not find expected '-' indicator", "did not find expected '-' indicator", By::Parser, Problem::Dash),
    ("expected ',' or ']'", "did not find expected ',' or ']'", By::Parser, Problem::Bracket),
    ("did not find expected ',' or '}'", "did not find expected ',' or '}'", By::Parser, Problem::Bracket),
    ("did not find expected key", "did not find expected key", By::Parser, Problem::Indentation),
    (
        "invalid trailing content after double-quoted scalar",
        "did not find expected key",
        By::Parser,
        Problem::Quote,
    ),
    ("invalid indentation", "did not find expected key", By::Parser, Problem::Indentation),
    (
        "did not find expected <document start>",
        "did not find expected <document start>",
        By::Parser,
        Problem::Syntax,
    ),
];
const CANNOT_START: &str = "found character that cannot start any token";
const MAPPING: &str = "mapping values are not allowed in this context";

/// The failure that an error of saphyr stands for.
pub(super) fn from_scan(error: &ScanError, text: &str) -> Failure {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    let info = error.info();
    if info == "while parsing node, found unknown anchor" {
        let name: String = rest_of(text, line, column)
            .trim_start_matches('*')
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        let message = format!("unknown anchor '{name}' referenced");
        return Failure { problem: Problem::Alias, message, span: point(line, column) };
    }
    if info.ends_with("while scanning a plain scalar, found a tab")
        && let Some(at) = tab_indented_line(text, line)
    {
        let message = at_line(at, By::Scanner, "found a tab character that violates indentation");
        return Failure { problem: Problem::Tab, message, span: point(at, 1) };
    }
    if info == "illegal placement of ':' indicator"
        && let Some(closing) = open_bracket(text, line, column)
    {
        let message = at_line(line, By::Parser, &format!("did not find expected ',' or '{closing}'"));
        return Failure { problem: Problem::Bracket, message, span: point(line, column) };
    }
    if let Some(at) = unknown_directive(text) {
        let message = at_line(at, By::Scanner, "found unexpected non-alphabetical character");
        return Failure { problem: Problem::Character, message, span: point(at, 1) };
    }
    let (words, by, problem) = if info.starts_with("unexpected character") {
        (CANNOT_START, By::Scanner, Problem::Character)
    } else if info == "recursion limit exceeded" {
        return too_deep(line, column);
    } else if let Some((_, words, by, problem)) = WORDS.iter().find(|(end, ..)| info.ends_with(end)) {
        (*words, *by, *problem)
    } else {
        // saphyr's own wording descends from the same library: what follows the context is the same.
        (info.rsplit(", ").next().unwrap_or(info), By::Scanner, Problem::Syntax)
    };
    Failure { problem, message: at_line(line, by, words), span: point(line, column) }
}

/// A quote that is open at the end of the text, which begins at a place.
pub(super) fn unclosed_quote(text: &str, line: usize, column: usize) -> Failure {
    let last = text.matches('\n').count() + 1;
    let message = at_line(last, By::Scanner, "found unexpected end of stream");
    Failure { problem: Problem::Quote, message, span: point(line, column) }
}

/// More levels than [`super::MAX_DEPTH`].
pub(super) fn too_deep(line: usize, column: usize) -> Failure {
    let message = at_line(line, By::Scanner, &format!("exceeded max depth of {}", super::MAX_DEPTH));
    Failure { problem: Problem::Limit, message, span: point(line, column) }
}

/// A character that YAML text must not hold, if there is one: where.
pub(super) fn control_character(text: &str) -> Option<Failure> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let at = text.find(|c| !allowed(c))?;
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    Some(Failure {
        problem: Problem::Control,
        message: "control characters are not allowed".to_owned(),
        span: point(line, column),
    })
}

/// The line of a `%` line that is no directive; saphyr skips these, go-yaml refuses them.
fn unknown_directive(text: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let (at, line) = lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#'))?;
    let name_ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let after = line.strip_prefix('%')?.trim_start_matches(|c| !name_ends(c));
    after.starts_with(|c: char| !c.is_whitespace()).then_some(at + 1)
}

fn at_line(line: usize, by: By, words: &str) -> String {
    // go-yaml counts from 0 here, and names no line where that is 0.
    let shown = match (line - 1, by) {
        (0, _) => return words.to_owned(),
        (before, By::Parser) => before,
        (before, By::Scanner) => before + 1,
    };
    format!("line {shown}: {words}")
}

/// The first line after `line` whose indentation holds a tab.
fn tab_indented_line(text: &str, line: usize) -> Option<usize> {
    let indented = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    text.lines().enumerate().skip(line).find(|(_, line)| indented(line)).map(|(at, _)| at + 1)
}

/// What would close the bracket that is open at a place; brackets in quotes are taken for brackets.
fn open_bracket(text: &str, line: usize, column: usize) -> Option<char> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let end = text[start..].char_indices().nth(column - 1).map_or(text.len(), |(at, _)| start + at);
    let mut closed = 0;
    text[..end].chars().rev().find_map(|c| match c {
        ']' | '}' => {
            closed += 1;
            None
        }
        '[' | '{' if closed > 0 => {
            closed -= 1;
            None
        }
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    })
}

/// What stands at a place and after it in its line.
fn rest_of(text: &str, line: usize, column: usize) -> &str {
    let line = text.lines().nth(line - 1).unwrap_or_default();
    let at = line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at);
    &line[at..]
}

fn point(line: usize, column: usize) -> Span {
    Span::point(narrow(line), narrow(column))
}

/// A line or column as it is stored; text is limited far below 32 bits.
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
