//! Regular expressions as grep and sed write them, for the `regex-lite` crate.

use regex_lite::{Regex, RegexBuilder};

/// A compiled expression may take so many bytes.
const SIZE_LIMIT: usize = 1024 * 1024;

/// How an expression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Basic: `\(`, `\{`, `\+`, `\|` are special, `(`, `{`, `+`, `|` are not.
    Basic,
    /// Extended (`-E`).
    Extended,
    /// Plain text (`-F`).
    Fixed,
}

/// Compiles `pattern`; `None` if it is no expression or too large.
pub fn compile(pattern: &str, syntax: Syntax, ignore_case: bool) -> Option<Regex> {
    let translated = match syntax {
        Syntax::Fixed => regex_lite::escape(pattern),
        Syntax::Basic | Syntax::Extended => translate(pattern, syntax == Syntax::Basic),
    };
    RegexBuilder::new(&translated).case_insensitive(ignore_case).size_limit(SIZE_LIMIT).build().ok()
}

fn translate(pattern: &str, basic: bool) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars().peekable();
    let mut at_start = true;
    while let Some(letter) = letters.next() {
        let was_start = std::mem::take(&mut at_start);
        match letter {
            '\\' => match letters.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) => {
                    if !basic {
                        out.push('\\');
                    }
                    at_start = basic && matches!(special, '(' | '|');
                    out.push(special);
                }
                Some('<') => out.push_str("\\b"),
                Some('>') => out.push_str("\\b"),
                Some(class @ ('w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 't')) => out.extend(['\\', class]),
                Some(other) => out.push_str(&regex_lite::escape(other.encode_utf8(&mut [0; 4]))),
                None => out.push_str("\\\\"),
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' if basic => out.extend(['\\', letter]),
            '*' if was_start => out.push_str("\\*"),
            '^' if basic && !was_start => out.push_str("\\^"),
            '$' if basic && !ends(&letters) => out.push_str("\\$"),
            '{' if !letters.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            '[' => copy_set(&mut letters, &mut out),
            '^' => {
                at_start = true;
                out.push('^');
            }
            '(' | '|' => {
                at_start = true;
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Whether `$` is an anchor here: nothing follows but the end of a group or of an alternative.
fn ends(letters: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut rest = letters.clone();
    match rest.next() {
        None => true,
        Some('\\') => matches!(rest.next(), Some(')' | '|')),
        Some(_) => false,
    }
}

/// Copies `[…]`: a backslash in it stands for itself, and so does a bracket.
fn copy_set(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if letters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(letter) = letters.next() {
        match letter {
            ']' if !first => break,
            '[' if letters.peek() == Some(&':') => {
                out.push('[');
                for inside in letters.by_ref() {
                    out.push(inside);
                    if inside == ']' {
                        break;
                    }
                }
            }
            '[' | ']' | '\\' | '&' | '~' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
        first = false;
    }
    out.push(']');
}
