//! From text to the tree: quotes and expansions inside a word.

use std::rc::Rc;

use super::parser::{Parse, ParseError, Parser, ends_word};
use super::tree::{Operation, Parameter, Part, Word};

/// What ends the parts that are being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// A blank or an operator.
    Word,
    /// `}` of `${…}`.
    Brace,
    /// `}` or this character (`/` or `:`).
    BraceOr(char),
}

impl Parser<'_> {
    /// The word at the cursor, if there is one.
    pub(super) fn word(&mut self) -> Parse<Option<Word>> {
        let start = self.at;
        let parts = self.parts(Until::Word)?;
        Ok((self.at > start && !parts.is_empty()).then_some(Word(parts)))
    }

    fn parts(&mut self, until: Until) -> Parse<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            let Some(letter) = self.peek() else {
                return if until == Until::Word { Ok(parts) } else { Err(ParseError::Incomplete(Some('}'))) };
            };
            let ends = match until {
                Until::Word => ends_word(letter),
                Until::Brace => letter == '}',
                Until::BraceOr(other) => letter == '}' || letter == other,
            };
            if ends {
                return Ok(parts);
            }
            self.at += 1;
            match letter {
                '\'' => parts.push(Part::Quoted(self.up_to('\'')?)),
                '"' => {
                    let inside = self.deeper(|parser| parser.double_parts(Some('"')))?;
                    parts.push(Part::Double(inside));
                }
                '\\' => match self.peek() {
                    Some('\n') => self.at += 1,
                    Some(escaped) => {
                        self.at += 1;
                        parts.push(Part::Quoted(escaped.to_string()));
                    }
                    None => return Err(ParseError::Incomplete(None)),
                },
                '$' if self.take("'") => parts.push(Part::Quoted(self.ansi_quoted()?)),
                '$' => {
                    let part = self.deeper(Self::dollar)?;
                    parts.push(part);
                }
                '`' => parts.push(self.backquoted()?),
                _ => push_text(&mut parts, letter),
            }
        }
    }

    fn up_to(&mut self, end: char) -> Parse<String> {
        let length = self.text[self.at..].iter().position(|letter| *letter == end);
        let Some(length) = length else { return Err(ParseError::Incomplete(Some(end))) };
        let text = self.text[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Ok(text)
    }

    /// `$'…'`, behind its first quote.
    fn ansi_quoted(&mut self) -> Parse<String> {
        let mut raw = String::new();
        loop {
            let Some(letter) = self.peek() else { return Err(ParseError::Incomplete(Some('\''))) };
            self.at += 1;
            match letter {
                '\'' => return Ok(crate::shell::escapes::unescape(&raw)),
                '\\' => {
                    raw.push('\\');
                    if let Some(escaped) = self.peek() {
                        raw.push(escaped);
                        self.at += 1;
                    }
                }
                _ => raw.push(letter),
            }
        }
    }

    /// The parts of a here-document.
    pub(super) fn here_parts(&mut self) -> Parse<Vec<Part>> {
        self.double_parts(None)
    }

    /// Parts in which blanks and single quotes stand for themselves, up to `end`.
    fn double_parts(&mut self, end: Option<char>) -> Parse<Vec<Part>> {
        let mut parts = Vec::new();
        let mut text = String::new();
        loop {
            let letter = self.peek();
            if letter.is_none() && end.is_some() {
                return Err(ParseError::Incomplete(end));
            }
            if letter == end {
                self.at += usize::from(end.is_some());
                break;
            }
            let Some(letter) = letter else { break };
            self.at += 1;
            match letter {
                '\\' => match self.peek() {
                    Some('\n') => self.at += 1,
                    Some(escaped) if matches!(escaped, '$' | '`' | '\\') || Some(escaped) == end => {
                        self.at += 1;
                        text.push(escaped);
                    }
                    _ => text.push('\\'),
                },
                '$' => {
                    let part = self.deeper(Self::dollar)?;
                    match part {
                        Part::Text(dollar) => text.push_str(&dollar),
                        part => {
                            flush(&mut parts, &mut text);
                            parts.push(part);
                        }
                    }
                }
                '`' => {
                    flush(&mut parts, &mut text);
                    parts.push(self.backquoted()?);
                }
                _ => text.push(letter),
            }
        }
        flush(&mut parts, &mut text);
        Ok(parts)
    }

    /// What follows `$`; a lone `$` is text.
    fn dollar(&mut self) -> Parse<Part> {
        if let Some(parts) = self.try_arithmetic()? {
            return Ok(Part::Arithmetic(parts));
        }
        if self.take("(") {
            let list = self.list()?;
            return match self.peek() {
                Some(')') => {
                    self.at += 1;
                    Ok(Part::Substitution(Rc::new(list)))
                }
                None => Err(ParseError::Incomplete(Some(')'))),
                Some(other) => Err(ParseError::Unexpected(other.to_string())),
            };
        }
        if self.take("{") {
            return self.braced();
        }
        let Some(first) = self.peek() else { return Ok(Part::Text("$".to_owned())) };
        let name: String = match first {
            '0'..='9' | '@' | '*' | '#' | '?' | '$' | '!' | '-' => first.to_string(),
            _ => self.name(),
        };
        if name.is_empty() {
            return Ok(Part::Text("$".to_owned()));
        }
        if !first.is_ascii_alphabetic() && first != '_' {
            self.at += 1;
        }
        Ok(Part::Parameter(Rc::new(Parameter { name, operation: Operation::Plain })))
    }

    /// Takes the name of a variable, perhaps empty.
    fn name(&mut self) -> String {
        let letters = &self.text[self.at..];
        let name: String =
            letters.iter().take_while(|letter| letter.is_ascii_alphanumeric() || **letter == '_').collect();
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            return String::new();
        }
        self.at += name.len();
        name
    }

    /// `${…}`, behind its brace.
    fn braced(&mut self) -> Parse<Part> {
        let start = self.at;
        if self.peek() == Some('#')
            && !matches!(self.text.get(self.at + 1), Some('}' | ':' | '-' | '#' | '%'))
        {
            self.at += 1;
            let name = self.parameter_name();
            return self.close(start, name, Operation::Length);
        }
        if self.peek() == Some('!') && self.text.get(self.at + 1) != Some(&'}') {
            self.at += 1;
            let name = self.parameter_name();
            return self.close(start, name, Operation::Indirect);
        }
        let name = self.parameter_name();
        let operation = self.operation()?;
        self.close(start, name, operation)
    }

    fn parameter_name(&mut self) -> String {
        match self.peek() {
            Some(special @ ('@' | '*' | '#' | '?' | '$' | '!' | '-')) => {
                self.at += 1;
                special.to_string()
            }
            Some('0'..='9') => {
                let digits: String =
                    self.text[self.at..].iter().take_while(|letter| letter.is_ascii_digit()).collect();
                self.at += digits.len();
                digits
            }
            _ => self.name(),
        }
    }

    fn operation(&mut self) -> Parse<Operation> {
        if self.peek() == Some('}') {
            return Ok(Operation::Plain);
        }
        for mark in ['-', '=', '?', '+'] {
            for (spelled, or_empty) in [(format!(":{mark}"), true), (mark.to_string(), false)] {
                if self.take(&spelled) {
                    let word = Word(self.parts(Until::Brace)?);
                    return Ok(Operation::When { mark, or_empty, word });
                }
            }
        }
        for (spelled, suffix, longest) in
            [("##", false, true), ("#", false, false), ("%%", true, true), ("%", true, false)]
        {
            if self.take(spelled) {
                let pattern = Word(self.parts(Until::Brace)?);
                return Ok(Operation::Trim { suffix, longest, pattern });
            }
        }
        for (spelled, upper, every) in
            [("^^", true, true), ("^", true, false), (",,", false, true), (",", false, false)]
        {
            if self.take(spelled) {
                return Ok(Operation::Case { upper, every });
            }
        }
        if self.take("/") {
            let every = self.take("/");
            let pattern = Word(self.parts(Until::BraceOr('/'))?);
            let text = if self.take("/") { Word(self.parts(Until::Brace)?) } else { Word::default() };
            return Ok(Operation::Replace { every, pattern, text });
        }
        if self.take(":") {
            let offset = Word(self.parts(Until::BraceOr(':'))?);
            let length = if self.take(":") { Some(Word(self.parts(Until::Brace)?)) } else { None };
            return Ok(Operation::Slice { offset, length });
        }
        Ok(Operation::Plain)
    }

    fn close(&mut self, start: usize, name: String, operation: Operation) -> Parse<Part> {
        if !name.is_empty() && self.take("}") {
            return Ok(Part::Parameter(Rc::new(Parameter { name, operation })));
        }
        let rest = &self.text[start..];
        let Some(length) = rest.iter().position(|letter| *letter == '}') else {
            return Err(ParseError::Incomplete(Some('}')));
        };
        let inside: String = rest[..length].iter().collect();
        Err(ParseError::BadSubstitution(format!("${{{inside}}}")))
    }

    /// The expression at `((`; `None` (and nothing read) if it is none: then it opens two subshells.
    ///
    /// An expression that does not end is an error, so that a terminal asks for more.
    pub(super) fn try_arithmetic(&mut self) -> Parse<Option<Vec<Part>>> {
        let start = self.at;
        let from_end = self.text.len() - start;
        if !self.looking_at("((") || self.not_arithmetic.contains(&from_end) {
            return Ok(None);
        }
        self.at += 2;
        match self.arithmetic_parts() {
            Ok(parts) => Ok(Some(parts)),
            Err(error) => {
                self.at = start;
                self.not_arithmetic.insert(from_end);
                match error {
                    ParseError::Incomplete(_) => Err(ParseError::Incomplete(Some(')'))),
                    ParseError::TooLarge => Err(error),
                    _ => Ok(None),
                }
            }
        }
    }

    /// Up to `))`, behind `((`.
    pub(super) fn arithmetic_parts(&mut self) -> Parse<Vec<Part>> {
        let mut parts = Vec::new();
        let mut open = 0_u32;
        loop {
            let Some(letter) = self.peek() else { return Err(ParseError::Incomplete(Some(')'))) };
            self.at += 1;
            match letter {
                '(' => {
                    open += 1;
                    push_text(&mut parts, letter);
                }
                ')' if open > 0 => {
                    open -= 1;
                    push_text(&mut parts, letter);
                }
                ')' if self.take(")") => return Ok(parts),
                ')' => return Err(ParseError::Unexpected(")".to_owned())),
                '"' => {}
                '$' => {
                    let part = self.deeper(Self::dollar)?;
                    parts.push(part);
                }
                '`' => parts.push(self.backquoted()?),
                _ => push_text(&mut parts, letter),
            }
        }
    }

    /// `` `…` ``, behind its first backquote.
    fn backquoted(&mut self) -> Parse<Part> {
        let mut inside = String::new();
        loop {
            let Some(letter) = self.peek() else { return Err(ParseError::Incomplete(Some('`'))) };
            self.at += 1;
            match letter {
                '`' => break,
                '\\' if matches!(self.peek(), Some('`' | '\\' | '$')) => {
                    inside.extend(self.peek());
                    self.at += 1;
                }
                _ => inside.push(letter),
            }
        }
        let depth = self.depth;
        let mut parser = Parser::new(&inside, self.aliases);
        parser.depth = depth;
        let list = parser.list()?;
        match parser.peek() {
            None => Ok(Part::Substitution(Rc::new(list))),
            Some(other) => Err(ParseError::Unexpected(other.to_string())),
        }
    }
}

fn push_text(parts: &mut Vec<Part>, letter: char) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(letter),
        _ => parts.push(Part::Text(letter.to_string())),
    }
}

fn flush(parts: &mut Vec<Part>, text: &mut String) {
    if !text.is_empty() {
        parts.push(Part::Quoted(std::mem::take(text)));
    }
}
