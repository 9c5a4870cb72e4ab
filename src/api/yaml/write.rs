//! Values into YAML, as `kubectl -o yaml` prints them.
//!
//! Owns the order of keys, the layout, and when text is quoted: the rules of go-yaml v2, which
//! `sigs.k8s.io/yaml` writes with. Learners read this output more than any other, so it is exact.

use std::cmp::Ordering;
use std::fmt::Write;

use serde_yaml::Value as Yaml;

use super::scalar;
use crate::api::json;
use crate::api::value::{Map, SmolStr, Value};

/// Keys longer than this, in bytes, get a `? ` line of their own.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Columns after which a line is broken at the next single blank.
const WIDTH: usize = 80;

/// Columns that a level of maps is indented by; lists in maps are not indented.
const INDENT: usize = 2;

/// The YAML of a value, with a newline at its end.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Map(map) if !map.is_empty() => put_map(&mut out, map, 0, false),
        Value::List(items) if !items.is_empty() => put_list(&mut out, items, 0, false),
        other => {
            put_scalar(&mut out, other, INDENT);
            out.push('\n');
        }
    }
    out
}

/// Writes a map at an indentation; its first key stands on the line that is begun if `inline`.
fn put_map(out: &mut String, map: &Map, indent: usize, inline: bool) {
    let mut entries: Vec<(&SmolStr, &Value)> = map.iter().collect();
    if !entries.is_sorted_by(|(a, _), (b, _)| key_order(a, b) != Ordering::Greater) {
        entries.sort_by(|(a, _), (b, _)| key_order(a, b));
    }
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 || !inline {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        if key.len() > LONGEST_SIMPLE_KEY || key.contains('\n') {
            out.push_str("? ");
            put_text(out, key, indent, true);
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        } else {
            put_text(out, key, indent, true);
        }
        out.push(':');
        match value {
            Value::Map(map) if !map.is_empty() => {
                out.push('\n');
                put_map(out, map, indent + INDENT, false);
            }
            Value::List(items) if !items.is_empty() => {
                out.push('\n');
                put_list(out, items, indent, false);
            }
            other => {
                out.push(' ');
                put_scalar(out, other, indent + INDENT);
                out.push('\n');
            }
        }
    }
}

fn put_list(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !inline {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str("- ");
        match item {
            Value::Map(map) if !map.is_empty() => put_map(out, map, indent + INDENT, true),
            Value::List(items) if !items.is_empty() => put_list(out, items, indent + INDENT, true),
            other => {
                put_scalar(out, other, indent + INDENT);
                out.push('\n');
            }
        }
    }
}

/// Writes what takes one line, or a block of lines at an indentation.
fn put_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => write!(out, "{number}").expect("writing to a string cannot fail"),
        Value::Float(number) if number.is_nan() => out.push_str(".nan"),
        Value::Float(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { ".inf" } else { "-.inf" })
        }
        Value::Float(number) => out.push_str(&json::float(*number)),
        Value::Str(text) => put_text(out, text, indent, false),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

/// What a text allows of the ways to write it.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Allowed {
    plain: bool,
    single_quotes: bool,
    block: bool,
}

fn put_text(out: &mut String, text: &str, indent: usize, key: bool) {
    let allowed = analyze(text);
    if text.contains('\n') {
        if allowed.block && !key {
            put_block(out, text, indent);
        } else {
            put_double_quoted(out, text, indent, key);
        }
    } else if reads_as_text(text) {
        if allowed.plain {
            Line::new(out, text, indent, key).put(out, |out, c| out.push(c));
        } else if allowed.single_quotes {
            out.push('\'');
            Line::new(out, text, indent, key).put(out, |out, c| match c {
                '\'' => out.push_str("''"),
                c => out.push(c),
            });
            out.push('\'');
        } else {
            put_double_quoted(out, text, indent, key);
        }
    } else {
        put_double_quoted(out, text, indent, key);
    }
}

/// Text that is written on the line at hand and broken where that gets too long.
struct Line<'a> {
    text: &'a str,
    indent: usize,
    column: usize,
    /// Keys are never broken.
    breakable: bool,
}

impl<'a> Line<'a> {
    fn new(out: &str, text: &'a str, indent: usize, key: bool) -> Self {
        let line = out.rsplit('\n').next().unwrap_or_default();
        Self { text, indent, column: line.chars().count(), breakable: !key }
    }

    /// Writes the text, each character by `put`.
    fn put(mut self, out: &mut String, put: impl Fn(&mut String, char)) {
        let mut before = ' ';
        for (at, c) in self.text.char_indices() {
            let lone = c == ' ' && before != ' ' && self.text[at + 1..].starts_with(|after| after != ' ');
            if self.breakable && lone && self.column > WIDTH {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', self.indent));
                self.column = self.indent;
            } else {
                let start = out.len();
                put(out, c);
                self.column += out[start..].chars().count();
            }
            before = c;
        }
    }
}

/// Whether a text without quotes is read as text again, and not as a number, a date or the like.
fn reads_as_text(text: &str) -> bool {
    matches!(scalar::plain(text), Yaml::String(_)) && text != "<<" && !sexagesimal(text) && !timestamp(text)
}

/// A number in base 60, which other readers of YAML 1.1 would see: `10:30`.
fn sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    rest.push(last);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let sixtieth = |part: &&str| match part.as_bytes() {
        [ones] => ones.is_ascii_digit(),
        [tens, ones] => (b'0'..=b'5').contains(tens) && ones.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest.iter().all(sixtieth)
}

/// A date, or a date and time, in one of the forms that go-yaml knows.
fn timestamp(text: &str) -> bool {
    let number = |text: &mut &str, longest: usize, largest: u32| {
        let length = text.bytes().take(longest).take_while(u8::is_ascii_digit).count();
        let fits = text[..length].parse::<u32>().is_ok_and(|number| number <= largest);
        *text = &text[length..];
        fits
    };
    let skip = |text: &mut &str, one_of: &[char]| match text.strip_prefix(one_of) {
        Some(rest) => {
            *text = rest;
            true
        }
        None => false,
    };
    let mut rest = text;
    let year = rest.bytes().take_while(u8::is_ascii_digit).count() == 4 && number(&mut rest, 4, 9999);
    let date = year
        && skip(&mut rest, &['-'])
        && number(&mut rest, 2, 12)
        && skip(&mut rest, &['-'])
        && number(&mut rest, 2, 31);
    if !date || rest.is_empty() {
        return date;
    }
    let zoned = rest.starts_with(['T', 't']);
    let time = skip(&mut rest, &['T', 't', ' '])
        && number(&mut rest, 2, 23)
        && skip(&mut rest, &[':'])
        && number(&mut rest, 2, 59)
        && skip(&mut rest, &[':'])
        && number(&mut rest, 2, 59);
    if !time {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    match rest {
        "" => !zoned,
        "Z" => zoned,
        _ => {
            zoned
                && skip(&mut rest, &['+', '-'])
                && number(&mut rest, 2, 24)
                && skip(&mut rest, &[':'])
                && number(&mut rest, 2, 60)
                && rest.is_empty()
        }
    }
}

/// Which ways to write a text would be read as that text again; go-yaml's `analyze_scalar`.
fn analyze(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { plain: true, single_quotes: true, block: false };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut breaks, mut space_break, mut break_space) = (false, false, false, false);
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let blank_after = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
        let blank_before = before.is_none_or(|before| matches!(before, ' ' | '\t' | '\n' | '\r'));
        indicators |= match c {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                before.is_none()
            }
            '#' => blank_before,
            ':' => blank_after,
            '?' | '-' => before.is_none() && blank_after,
            _ => false,
        };
        special |= !printable(c);
        breaks |= c == '\n';
        space_break |= c == '\n' && before == Some(' ');
        break_space |= c == ' ' && before == Some('\n');
        before = Some(c);
    }
    let outer = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
    let odd = special || space_break;
    Allowed {
        plain: !(indicators || outer || breaks || odd || break_space),
        single_quotes: !(odd || break_space),
        block: !(odd || text.ends_with(' ')),
    }
}

/// What go-yaml writes as it is; a tab is not among it, nor anything beyond 16 bits.
fn printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn put_double_quoted(out: &mut String, text: &str, indent: usize, key: bool) {
    out.push('"');
    Line::new(out, text, indent, key).put(out, put_escaped);
    out.push('"');
}

fn put_escaped(out: &mut String, c: char) {
    let escape = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if printable(c) => return out.push(c),
        c => {
            let code = u32::from(c);
            return match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            }
            .expect("writing to a string cannot fail");
        }
    };
    out.push('\\');
    out.push(escape);
}

/// Writes a `|` block: its lines follow, the last newline is the caller's.
fn put_block(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        write!(out, "{INDENT}").expect("writing to a string cannot fail");
    }
    let body = text.trim_end_matches('\n');
    match text.len() - body.len() {
        0 => out.push('-'),
        1 if !body.is_empty() => {}
        _ => out.push('+'),
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    for line in text.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

/// go-yaml's order of keys: letters after everything else, numbers by value.
fn key_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let digits_before = a[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let leading = (x == '0' || y == '0') && digits_before.clone().any(|&c| c != '0');
    let number = |chars: &[char]| {
        let digits = chars[at..].iter().take_while(|c| c.is_ascii_digit());
        let start = u64::from(leading);
        digits.fold((start, 0usize), |(number, length), &c| {
            (number.wrapping_mul(10).wrapping_add(u64::from(u32::from(c) - u32::from('0'))), length + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(x.cmp(&y))
}

#[cfg(test)]
mod tests;
