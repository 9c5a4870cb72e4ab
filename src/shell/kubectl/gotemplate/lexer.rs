//! Splitting a Go template into text and the tokens of its actions.
//!
//! Owns delimiters, the trimming of white space beside them, comments, and the words inside an action.
//! Source: Go's `text/template/parse/lex.go`.

/// A token with its place in the template, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub what: What,
    pub at: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Text outside actions.
    Text(String),
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    /// `.name`.
    Field(String),
    /// `$name`, with its dollar.
    Variable(String),
    /// A name: a function or a keyword.
    Name(String),
    /// A quoted text, its escapes resolved.
    Quoted(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// `.` alone.
    Dot,
    /// `|`, `(`, `)`, `,`, `=`, or `:=`.
    Sign(&'static str),
    /// White space inside an action.
    Space,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// White space that trimming takes away (Go's `spaceChars`).
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The tokens of a template.
///
/// # Errors
/// The place of a mistake and Go's words for it.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    lexer.template()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

type Lexed = Result<(), (usize, String)>;

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, what: What, at: usize) {
        self.tokens.push(Token { what, at });
    }

    fn fail(&self, words: impl Into<String>) -> Lexed {
        Err((self.at, words.into()))
    }

    fn template(&mut self) -> Lexed {
        let mut trims = false;
        while !self.rest().is_empty() {
            let Some(open) = self.rest().find(OPEN) else {
                self.outside(self.rest(), trims, false);
                return Ok(());
            };
            let text = &self.rest()[..open];
            let inside = &self.rest()[open + OPEN.len()..];
            let trims_before = inside.starts_with('-') && inside[1..].starts_with(SPACE);
            self.outside(text, trims, trims_before);
            let start = self.at;
            self.at += OPEN.len() + if trims_before { 2 } else { 0 };
            if self.rest().trim_start_matches(SPACE).starts_with("/*") && self.rest().starts_with("/*") {
                trims = self.comment()?;
                continue;
            }
            self.push(What::Open, start);
            trims = self.action()?;
        }
        Ok(())
    }

    /// Text between actions; the cursor moves behind it.
    fn outside(&mut self, text: &str, trims_start: bool, trims_end: bool) {
        let mut kept = text;
        if trims_start {
            kept = kept.trim_start_matches(SPACE);
        }
        if trims_end {
            kept = kept.trim_end_matches(SPACE);
        }
        if !kept.is_empty() {
            self.push(What::Text(kept.to_owned()), self.at);
        }
        self.at += text.len();
    }

    /// A comment; whether white space behind it goes as well.
    fn comment(&mut self) -> Result<bool, (usize, String)> {
        let Some(end) = self.rest().find("*/") else {
            return Err((self.at, "unclosed comment".to_owned()));
        };
        self.at += end + 2;
        match self.close() {
            Some(trims) => Ok(trims),
            None => Err((self.at, "comment ends before closing delimiter".to_owned())),
        }
    }

    /// Reads a closing delimiter, if one comes: whether white space behind it goes as well.
    fn close(&mut self) -> Option<bool> {
        let rest = self.rest();
        let trimmed = rest.strip_prefix(SPACE).and_then(|rest| rest.strip_prefix('-'));
        let trims = trimmed.is_some_and(|rest| rest.starts_with(CLOSE));
        if !trims && !rest.starts_with(CLOSE) {
            return None;
        }
        self.at += if trims { 2 + CLOSE.len() } else { CLOSE.len() };
        Some(trims)
    }

    /// The inside of an action up to its closing delimiter.
    fn action(&mut self) -> Result<bool, (usize, String)> {
        let mut open_brackets = 0_usize;
        loop {
            let at = self.at;
            if let Some(trims) = self.close() {
                if open_brackets > 0 {
                    return Err((at, "unclosed left paren".to_owned()));
                }
                self.push(What::Close, at);
                return Ok(trims);
            }
            let Some(letter) = self.rest().chars().next() else {
                return Err((at, "unclosed action".to_owned()));
            };
            match letter {
                ' ' | '\t' | '\r' | '\n' => {
                    let rest = self.rest();
                    let mut blanks = rest.len() - rest.trim_start_matches(SPACE).len();
                    // The blank of a trim marker is the marker's.
                    if rest[blanks..].starts_with("-}}") {
                        blanks -= 1;
                    }
                    self.at += blanks;
                    if blanks > 0 {
                        self.push(What::Space, at);
                    }
                }
                '"' => self.quoted()?,
                '`' => self.raw()?,
                '\'' => self.character()?,
                '.' if !self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) => self.field()?,
                '$' => {
                    let name = self.word(1);
                    self.end_of_word()?;
                    self.push(What::Variable(name), at);
                }
                '+' | '-' | '.' | '0'..='9' => self.number()?,
                '(' | ')' => {
                    self.at += 1;
                    if letter == '(' {
                        open_brackets += 1;
                    } else {
                        let Some(fewer) = open_brackets.checked_sub(1) else {
                            return Err((at, "unexpected right paren".to_owned()));
                        };
                        open_brackets = fewer;
                    }
                    self.push(What::Sign(if letter == '(' { "(" } else { ")" }), at);
                }
                '|' | ',' | '=' => {
                    self.at += 1;
                    let sign = match letter {
                        '|' => "|",
                        ',' => ",",
                        _ => "=",
                    };
                    self.push(What::Sign(sign), at);
                }
                ':' if self.rest().starts_with(":=") => {
                    self.at += 2;
                    self.push(What::Sign(":="), at);
                }
                ':' => return Err((at, "expected :=".to_owned())),
                letter if letter == '_' || letter.is_alphabetic() => {
                    let name = self.word(0);
                    self.end_of_word()?;
                    self.push(What::Name(name), at);
                }
                letter => {
                    return Err((at, format!("unrecognized character in action: {}", shown(letter))));
                }
            }
        }
    }

    /// Letters and digits from here on, the first `skipped` bytes taken as they are.
    fn word(&mut self, skipped: usize) -> String {
        let rest = self.rest();
        let is_part = |letter: char| letter == '_' || letter.is_alphanumeric();
        let length = rest[skipped..].find(|letter| !is_part(letter)).unwrap_or(rest.len() - skipped);
        self.at += skipped + length;
        rest[..skipped + length].to_owned()
    }

    /// A word must be followed by something that ends it.
    fn end_of_word(&self) -> Lexed {
        match self.rest().chars().next() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | '(' | ')') => Ok(()),
            Some(_) if self.rest().starts_with(CLOSE) => Ok(()),
            Some(letter) => self.fail(format!("bad character {}", shown(letter))),
        }
    }

    fn field(&mut self) -> Lexed {
        let at = self.at;
        let word = self.word(1);
        self.end_of_word()?;
        self.push(if word == "." { What::Dot } else { What::Field(word[1..].to_owned()) }, at);
        Ok(())
    }

    fn quoted(&mut self) -> Lexed {
        let at = self.at;
        let mut escaped = false;
        for (offset, letter) in self.rest().char_indices().skip(1) {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' => break,
                '"' => {
                    let inner = &self.rest()[1..offset];
                    let text = unescaped(inner).ok_or((at, "invalid syntax".to_owned()))?;
                    self.push(What::Quoted(text), at);
                    self.at += offset + 1;
                    return Ok(());
                }
                _ => {}
            }
        }
        self.fail("unterminated quoted string")
    }

    fn raw(&mut self) -> Lexed {
        let Some(end) = self.rest()[1..].find('`') else {
            return self.fail("unterminated raw quoted string");
        };
        self.push(What::Quoted(self.rest()[1..=end].to_owned()), self.at);
        self.at += end + 2;
        Ok(())
    }

    fn character(&mut self) -> Lexed {
        let Some(end) = self.rest()[1..].find('\'').filter(|end| *end > 0) else {
            return self.fail("unterminated character constant");
        };
        let letter = unescaped(&self.rest()[1..=end]).and_then(|text| text.chars().next());
        let letter = letter.ok_or((self.at, "malformed character constant".to_owned()))?;
        self.push(What::Int(i64::from(u32::from(letter))), self.at);
        self.at += end + 2;
        Ok(())
    }

    fn number(&mut self) -> Lexed {
        let rest = self.rest();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-._".contains(letter);
        let text = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        let what = match (text.parse(), text.parse()) {
            (Ok(whole), _) => What::Int(whole),
            (_, Ok(float)) => What::Float(float),
            _ => return self.fail(format!("bad number syntax: {text:?}")),
        };
        self.push(what, self.at);
        self.at += text.len();
        Ok(())
    }
}

/// A character as Go's `%#U` prints it.
fn shown(letter: char) -> String {
    format!("U+{:04X} '{letter}'", u32::from(letter))
}

/// Text with Go's escapes resolved; `None` if one is wrong.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        out.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            mark @ ('x' | 'u') => {
                let digits: String = letters.by_ref().take(if mark == 'x' { 2 } else { 4 }).collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            same @ ('\\' | '"' | '\'') => same,
            _ => return None,
        });
    }
    Some(out)
}
