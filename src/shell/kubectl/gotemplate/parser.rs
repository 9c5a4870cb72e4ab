//! Reading the tokens of a Go template into its tree.
//!
//! Owns the grammar of actions and pipelines and Go's words for what does not fit it.
//! Source: Go's `text/template/parse/parse.go`.

use super::functions;
use super::lexer::{Token, What, tokens};

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    /// A pipeline whose value is printed, unless it only sets a variable.
    Print(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// `$a, $b := first | second`.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// The variables that are set, with their dollars.
    pub variables: Vec<String>,
    /// Whether they are there already (`=` instead of `:=`).
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A function with its arguments, or a value alone.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub words: Vec<Operand>,
    /// Its place in the template, and its text, for errors.
    pub at: usize,
    pub text: String,
}

/// A value in a command, with its place and text for errors.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub term: Term,
    /// Fields taken of the term.
    pub fields: Vec<String>,
    pub at: usize,
    pub text: String,
}

/// The beginning of an operand.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Variable(String),
    Function(String),
    Pipeline(Box<Pipeline>),
}

/// How deep actions and brackets may stand in each other; they are read by recursion.
const DEPTH_LIMIT: usize = 50;

/// A mistake: its place, and Go's words.
pub(super) type Mistake = (usize, String);

/// The tree of a template.
///
/// # Errors
/// The place of a mistake and Go's words for it.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Mistake> {
    let mut parser =
        Parser { text, tokens: tokens(text)?, next: 0, variables: vec!["$".to_owned()], depth: 0, loops: 0 };
    let (nodes, end) = parser.list()?;
    match end {
        End::Template => Ok(nodes),
        End::Block => Err((parser.place(), "unexpected {{end}}".to_owned())),
        End::Else(_) => Err((parser.place(), "unexpected {{else}}".to_owned())),
    }
}

/// What a list of nodes ended with.
enum End {
    Template,
    /// `{{end}}`.
    Block,
    /// `{{else}}`, or `{{else if …}}` with its keyword.
    Else(Option<&'static str>),
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    /// Variables in scope.
    variables: Vec<String>,
    depth: usize,
    loops: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&What> {
        self.tokens.get(self.next).map(|token| &token.what)
    }

    /// The place of the token read last.
    fn place(&self) -> usize {
        self.tokens.get(self.next.saturating_sub(1)).map_or(self.text.len(), |token| token.at)
    }

    /// The place of the next token.
    fn place_of_next(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |token| token.at)
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&What::Space) {
            self.next += 1;
        }
    }

    fn peek_word(&mut self) -> Option<What> {
        self.skip_space();
        self.peek().cloned()
    }

    fn fail<T>(&self, words: impl Into<String>) -> Result<T, Mistake> {
        Err((self.place_of_next(), words.into()))
    }

    fn unexpected<T>(&self, context: &str) -> Result<T, Mistake> {
        match self.tokens.get(self.next) {
            None => self.fail(format!("unexpected EOF in {context}")),
            Some(token) => self.fail(format!("unexpected {} in {context}", spelled(&token.what))),
        }
    }

    fn deeper(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT { self.fail("template nested too deeply") } else { Ok(()) }
    }

    fn list(&mut self) -> Result<(Vec<Node>, End), Mistake> {
        let mut nodes = Vec::new();
        loop {
            match self.peek().cloned() {
                None => return Ok((nodes, End::Template)),
                Some(What::Text(text)) => {
                    self.next += 1;
                    nodes.push(Node::Text(text));
                }
                Some(_) => {
                    self.next += 1;
                    match self.action()? {
                        Ok(node) => nodes.push(node),
                        Err(end) => return Ok((nodes, end)),
                    }
                }
            }
        }
    }

    /// One action, its `{{` read; the inner error is an action that ends a list.
    fn action(&mut self) -> Result<Result<Node, End>, Mistake> {
        let keyword = match self.peek_word() {
            Some(What::Name(name)) => name,
            _ => String::new(),
        };
        match keyword.as_str() {
            "if" | "with" | "range" => {
                self.next += 1;
                self.block(&keyword).map(Ok)
            }
            "end" => {
                self.next += 1;
                self.close("end")?;
                Ok(Err(End::Block))
            }
            "else" => {
                self.next += 1;
                let chained = match self.peek_word() {
                    Some(What::Name(name)) if name == "if" => Some("if"),
                    Some(What::Name(name)) if name == "with" => Some("with"),
                    _ => None,
                };
                if chained.is_none() {
                    self.close("else")?;
                } else {
                    self.next += 1;
                }
                Ok(Err(End::Else(chained)))
            }
            "break" | "continue" => {
                self.next += 1;
                if self.loops == 0 {
                    return self.fail(format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
                }
                self.close(&keyword)?;
                Ok(Ok(if keyword == "break" { Node::Break } else { Node::Continue }))
            }
            "define" | "template" | "block" => {
                self.fail(format!("{{{{{keyword}}}}} is not simulated in Portside"))
            }
            _ => {
                let pipeline = self.pipeline("command")?;
                self.close("command")?;
                Ok(Ok(Node::Print(pipeline)))
            }
        }
    }

    fn close(&mut self, context: &str) -> Result<(), Mistake> {
        self.skip_space();
        if self.peek() != Some(&What::Close) {
            return self.unexpected(context);
        }
        self.next += 1;
        Ok(())
    }

    /// `if`, `with` or `range` from its pipeline to its `end`.
    fn block(&mut self, keyword: &str) -> Result<Node, Mistake> {
        self.deeper()?;
        let scope = self.variables.len();
        let pipeline = self.pipeline(keyword)?;
        self.close(keyword)?;
        self.loops += usize::from(keyword == "range");
        let (inner, end) = self.list()?;
        self.loops -= usize::from(keyword == "range");
        let otherwise = match end {
            End::Template => return self.fail("unexpected EOF"),
            End::Block => Vec::new(),
            End::Else(Some(chained)) if chained == keyword => vec![self.block(chained)?],
            End::Else(Some(_)) => return self.unexpected("else"),
            End::Else(None) => match self.list()? {
                (nodes, End::Block) => nodes,
                (_, End::Template) => return self.fail("unexpected EOF"),
                (_, End::Else(_)) => return self.fail("expected end; found {{else}}"),
            },
        };
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(match keyword {
            "if" => Node::If(pipeline, inner, otherwise),
            "with" => Node::With(pipeline, inner, otherwise),
            _ => Node::Range(pipeline, inner, otherwise),
        })
    }

    fn pipeline(&mut self, context: &str) -> Result<Pipeline, Mistake> {
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            match self.peek_word() {
                None => return self.fail("unclosed action"),
                Some(What::Close | What::Sign(")")) => break,
                Some(What::Sign("|")) if !commands.is_empty() => {
                    self.next += 1;
                    if matches!(self.peek_word(), Some(What::Close | What::Sign(")"))) {
                        return self.fail(format!("missing value for {context}"));
                    }
                    commands.push(self.command(context)?);
                }
                Some(_) if commands.is_empty() => commands.push(self.command(context)?),
                Some(_) => return self.unexpected(context),
            }
        }
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (place, command) in commands.iter().enumerate().skip(1) {
            let is_value = matches!(
                command.words[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Int(_) | Term::Float(_) | Term::Text(_)
            ) && command.words[0].fields.is_empty();
            if is_value {
                return self.fail(format!("non executable command in pipeline stage {}", place + 1));
            }
        }
        // What the pipeline sets is in scope behind it.
        if !assigns {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, assigns, commands })
    }

    /// `$a :=`, `$a =` or `$a, $b :=` at the beginning of a pipeline.
    fn declarations(&mut self, context: &str) -> Result<(Vec<String>, bool), Mistake> {
        let start = self.next;
        let mut variables = Vec::new();
        while let Some(What::Variable(name)) = self.peek_word() {
            self.next += 1;
            variables.push(name);
            match self.peek_word() {
                Some(What::Sign(sign @ (":=" | "="))) => {
                    self.next += 1;
                    let assigns = sign == "=";
                    if let Some(unknown) =
                        variables.iter().find(|name| assigns && !self.variables.contains(name))
                    {
                        return self.fail(format!("undefined variable \"{unknown}\""));
                    }
                    return Ok((variables, assigns));
                }
                Some(What::Sign(",")) if context == "range" && variables.len() < 2 => self.next += 1,
                Some(What::Sign(",")) => return self.fail(format!("too many declarations in {context}")),
                _ => break,
            }
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self, context: &str) -> Result<Command, Mistake> {
        self.skip_space();
        let (first, at) = (self.next, self.place_of_next());
        let mut words = Vec::new();
        while let Some(word) = self.operand()? {
            words.push(word);
            match self.peek() {
                Some(What::Space) => self.skip_space(),
                Some(What::Close | What::Sign(")" | "|")) => break,
                None => return self.fail("unclosed action"),
                Some(_) => return self.unexpected("operand"),
            }
        }
        if words.is_empty() {
            return match self.peek() {
                Some(What::Sign("|")) => self.fail(format!("missing value for {context}")),
                _ => self.unexpected(context),
            };
        }
        Ok(Command { words, at, text: self.text_since(first) })
    }

    /// The text of the tokens from `first` on, without the blanks at its end.
    fn text_since(&self, first: usize) -> String {
        let from = self.tokens.get(first).map_or(self.text.len(), |token| token.at);
        self.text[from..self.place_of_next().max(from)].trim().to_owned()
    }

    fn operand(&mut self) -> Result<Option<Operand>, Mistake> {
        let first = self.next;
        let mut at = self.place_of_next();
        let mut fields = Vec::new();
        let term = match self.peek().cloned() {
            Some(What::Dot) => Term::Dot,
            Some(What::Field(name)) => {
                fields.push(name);
                Term::Dot
            }
            Some(What::Variable(name)) => {
                if !self.variables.contains(&name) {
                    return self.fail(format!("undefined variable \"{name}\""));
                }
                Term::Variable(name)
            }
            Some(What::Quoted(text)) => Term::Text(text),
            Some(What::Int(number)) => Term::Int(number),
            Some(What::Float(number)) => Term::Float(number),
            Some(What::Name(name)) => match name.as_str() {
                "true" | "false" => Term::Bool(name == "true"),
                "nil" => Term::Nil,
                name if functions::exists(name) => Term::Function(name.to_owned()),
                name => return self.fail(format!("function \"{name}\" not defined")),
            },
            Some(What::Sign("(")) => {
                self.deeper()?;
                self.next += 1;
                let inner = self.pipeline("parenthesized pipeline")?;
                self.skip_space();
                if self.peek() != Some(&What::Sign(")")) {
                    return self.unexpected("parenthesized pipeline");
                }
                self.depth -= 1;
                Term::Pipeline(Box::new(inner))
            }
            _ => return Ok(None),
        };
        self.next += 1;
        if let Some(What::Field(_)) = self.peek() {
            // Go places a chain at its second part.
            at = self.place_of_next();
        }
        while let Some(What::Field(name)) = self.peek().cloned() {
            if matches!(term, Term::Bool(_) | Term::Text(_) | Term::Int(_) | Term::Float(_) | Term::Nil) {
                return self.unexpected("operand");
            }
            self.next += 1;
            fields.push(name);
        }
        Ok(Some(Operand { term, fields, at, text: self.text_since(first) }))
    }
}

/// A token as Go's errors show it.
fn spelled(what: &What) -> String {
    match what {
        What::Text(text) | What::Quoted(text) => format!("{text:?}"),
        What::Open => "\"{{\"".to_owned(),
        What::Close => "\"}}\"".to_owned(),
        What::Field(name) => format!("<.{name}>"),
        What::Variable(name) => format!("{name:?}"),
        What::Name(name) => match name.as_str() {
            "if" | "else" | "end" | "range" | "with" | "nil" | "break" | "continue" => format!("<{name}>"),
            name => format!("{name:?}"),
        },
        What::Int(number) => format!("\"{number}\""),
        What::Float(number) => format!("\"{number}\""),
        What::Dot => "<.>".to_owned(),
        What::Sign(sign) => format!("{sign:?}"),
        What::Space => "\" \"".to_owned(),
    }
}
