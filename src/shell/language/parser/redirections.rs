//! The grammar of redirections and here-documents.

use std::cell::OnceCell;
use std::rc::Rc;

use super::{Parse, ParseError, Parser, Pending};
use crate::shell::language::tree::{Part, Redirect, RedirectKind, Word};

impl Parser<'_> {
    pub(super) fn here_document(&mut self, pending: &Pending) -> Parse<Vec<Part>> {
        let mut body = String::new();
        loop {
            if self.at >= self.text.len() {
                return Err(ParseError::Incomplete(None));
            }
            let end = self.text[self.at..].iter().position(|letter| *letter == '\n');
            let stop = end.map_or(self.text.len(), |length| self.at + length);
            let line: String = self.text[self.at..stop].iter().collect();
            self.at = (stop + 1).min(self.text.len());
            let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { &line };
            if line == pending.end {
                break;
            }
            body.push_str(line);
            body.push('\n');
        }
        if pending.quoted {
            return Ok(vec![Part::Quoted(body)]);
        }
        let mut inside = Parser::new(&body, self.aliases);
        inside.depth = self.depth;
        inside.here_parts()
    }

    pub(super) fn redirect(&mut self) -> Parse<Option<Redirect>> {
        let start = self.at;
        let digits: String =
            self.text[self.at..].iter().take_while(|letter| letter.is_ascii_digit()).collect();
        self.at += digits.len();
        let kind = if digits.is_empty() && self.take("&>>") {
            Some((RedirectKind::AppendBoth, 1))
        } else if digits.is_empty() && self.take("&>") {
            Some((RedirectKind::WriteBoth, 1))
        } else if self.take("<<<") {
            Some((RedirectKind::HereString, 0))
        } else if self.take("<<") {
            return self.here_redirect(digits.parse().unwrap_or(0)).map(Some);
        } else if self.take(">>") {
            Some((RedirectKind::Append, 1))
        } else if self.take(">&") {
            Some((RedirectKind::Duplicate, 1))
        } else if self.take("<&") {
            Some((RedirectKind::Duplicate, 0))
        } else if self.take(">|") || self.take(">") {
            Some((RedirectKind::Write, 1))
        } else if self.take("<") {
            Some((RedirectKind::Read, 0))
        } else {
            None
        };
        let Some((kind, default)) = kind else {
            self.at = start;
            return Ok(None);
        };
        self.skip_blanks();
        let Some(target) = self.word()? else { return self.unexpected_target() };
        Ok(Some(Redirect { descriptor: digits.parse().unwrap_or(default), kind, target }))
    }

    /// Behind a redirection there is no word: at the end of the text that is the end of a line.
    fn unexpected_target<T>(&mut self) -> Parse<T> {
        let token = self.token().unwrap_or_else(|| "newline".to_owned());
        Err(ParseError::Unexpected(token))
    }

    fn here_redirect(&mut self, descriptor: u32) -> Parse<Redirect> {
        let strip_tabs = self.take("-");
        self.skip_blanks();
        let Some(delimiter) = self.word()? else { return self.unexpected_target() };
        let quoted = !delimiter.0.iter().all(|part| matches!(part, Part::Text(_)));
        let text = Rc::new(OnceCell::new());
        let end = delimiter.0.iter().map(plain_text).collect();
        self.pending.push(Pending { text: Rc::clone(&text), end, quoted, strip_tabs });
        Ok(Redirect { descriptor, kind: RedirectKind::Here(text), target: Word::default() })
    }
}

/// The text of a delimiter, which is not expanded.
fn plain_text(part: &Part) -> String {
    match part {
        Part::Text(text) | Part::Quoted(text) => text.clone(),
        Part::Double(parts) => parts.iter().map(plain_text).collect(),
        Part::Parameter(_) | Part::Substitution(_) | Part::Arithmetic(_) => String::new(),
    }
}
