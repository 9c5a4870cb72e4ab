//! The evaluation of a Go template on a document.
//!
//! Owns dot, variables, fields and pipelines, and Go's words for what does not fit.
//! Source: Go's `text/template/exec.go`.

use super::format;
use super::functions::{self, Refusal};
use super::parser::{Command, Node, Operand, Pipeline, Term};
use super::value::Datum;
use crate::api::value::{SmolStr, Value};

/// Steps that one printing may take: ranges in ranges multiply them.
const STEP_LIMIT: usize = 1_000_000;
/// What one printing may write, in bytes.
const OUTPUT_LIMIT: usize = 10_000_000;

/// Prints `nodes` for a document.
///
/// # Errors
/// The text printed so far, and Go's words for what does not fit.
pub(super) fn run(
    text: &str,
    nodes: &[Node],
    value: &Value,
    keys_may_miss: bool,
) -> Result<String, (String, String)> {
    let root = Dot { datum: Datum::Document(value.clone()), boxed: false };
    let variables = vec![("$".to_owned(), root.clone())];
    let mut run = Run { text, keys_may_miss, variables, out: String::new(), steps: STEP_LIMIT };
    match run.list(nodes, &root) {
        Ok(_) => Ok(run.out),
        Err(why) => Err((run.out, why)),
    }
}

/// A value with what Go's static type says of it: a value of an `interface {}`, or of its own type.
#[derive(Clone, Debug)]
struct Dot {
    datum: Datum,
    boxed: bool,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    text: &'a str,
    keys_may_miss: bool,
    variables: Vec<(String, Dot)>,
    out: String,
    steps: usize,
}

impl Run<'_> {
    /// An error at a place of the template.
    fn error(&self, at: usize, context: &str, words: &str) -> String {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        format!("template: output:{line}:{column}: executing \"output\" at <{context}>: {words}")
    }

    fn step(&mut self) -> Result<(), String> {
        self.steps = self.steps.checked_sub(1).ok_or("the template takes too many steps")?;
        if self.out.len() > OUTPUT_LIMIT { Err("the template prints too much".to_owned()) } else { Ok(()) }
    }

    fn list(&mut self, nodes: &[Node], dot: &Dot) -> Result<Flow, String> {
        for node in nodes {
            self.step()?;
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Dot) -> Result<Flow, String> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let found = self.pipeline(pipeline, dot)?;
                self.declare(pipeline, &found);
                if pipeline.variables.is_empty() {
                    self.out.push_str(&format::printed(&found));
                }
            }
            Node::If(pipeline, inner, otherwise) | Node::With(pipeline, inner, otherwise) => {
                let scope = self.variables.len();
                let found = self.pipeline(pipeline, dot)?;
                self.declare(pipeline, &found);
                let flow = if !found.is_true() {
                    self.list(otherwise, dot)
                } else if matches!(node, Node::With(..)) {
                    self.list(inner, &Dot { datum: found, boxed: false })
                } else {
                    self.list(inner, dot)
                };
                self.variables.truncate(scope);
                return flow;
            }
            Node::Range(pipeline, inner, otherwise) => return self.range(pipeline, inner, otherwise, dot),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn declare(&mut self, pipeline: &Pipeline, found: &Datum) {
        for name in &pipeline.variables {
            let dot = Dot { datum: found.clone(), boxed: false };
            self.set(name, dot, pipeline.assigns);
        }
    }

    fn set(&mut self, name: &str, dot: Dot, assigns: bool) {
        match self.variables.iter_mut().rev().find(|(held, _)| assigns && held == name) {
            Some((_, held)) => *held = dot,
            None => self.variables.push((name.to_owned(), dot)),
        }
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        inner: &[Node],
        otherwise: &[Node],
        dot: &Dot,
    ) -> Result<Flow, String> {
        let scope = self.variables.len();
        let found = self.pipeline(pipeline, dot)?;
        let pairs: Vec<(Datum, Datum)> = match &found {
            Datum::Document(Value::List(items)) => (0..)
                .zip(items.iter())
                .map(|(at, item)| (Datum::Int(at), Datum::Document(item.clone())))
                .collect(),
            Datum::Document(Value::Map(map)) => {
                let entry = |(key, value): (&SmolStr, &Value)| {
                    (Datum::Document(Value::Str(key.clone())), Datum::Document(value.clone()))
                };
                map.iter().map(entry).collect()
            }
            Datum::Int(count) => {
                let most = i64::try_from(STEP_LIMIT).unwrap_or(i64::MAX);
                (0..(*count).min(most)).map(|at| (Datum::Int(at), Datum::Int(at))).collect()
            }
            Datum::Nothing | Datum::Document(Value::Null) => Vec::new(),
            other => {
                let words = format!("range can't iterate over {}", format::value(other));
                return Err(match pipeline.commands.last().and_then(|command| command.words.first()) {
                    Some(word) => self.error(word.at, &word.text, &words),
                    None => words,
                });
            }
        };
        if pairs.is_empty() {
            let flow = self.list(otherwise, dot);
            self.variables.truncate(scope);
            return flow;
        }
        for (key, item) in pairs {
            self.step()?;
            let item = Dot { datum: item, boxed: true };
            match pipeline.variables.as_slice() {
                [] => {}
                [value] => self.set(value, item.clone(), pipeline.assigns),
                [at, value, ..] => {
                    self.set(at, Dot { datum: key, boxed: false }, pipeline.assigns);
                    self.set(value, item.clone(), pipeline.assigns);
                }
            }
            let flow = self.list(inner, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(Flow::On)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Dot) -> Result<Datum, String> {
        let mut found: Option<Datum> = None;
        for command in &pipeline.commands {
            self.step()?;
            found = Some(self.command(command, dot, found)?);
        }
        Ok(found.unwrap_or(Datum::Nothing))
    }

    fn command(&mut self, command: &Command, dot: &Dot, last: Option<Datum>) -> Result<Datum, String> {
        let (first, rest) = command.words.split_first().expect("the parser refuses empty commands");
        let Term::Function(name) = &first.term else {
            if !rest.is_empty() || last.is_some() {
                let words = match (&first.term, first.fields.last()) {
                    (Term::Dot | Term::Variable(_), Some(field)) => {
                        format!("{field} is not a method but has arguments")
                    }
                    _ => format!("can't give argument to non-function {}", first.text),
                };
                return Err(self.error(first.at, &first.text, &words));
            }
            if matches!(first.term, Term::Nil) {
                return Err(self.error(first.at, "nil", "nil is not a command"));
            }
            return self.operand(first, dot);
        };
        if matches!(name.as_str(), "and" | "or") {
            return self.choose(name == "and", rest, last, dot);
        }
        let mut args = Vec::new();
        for word in rest {
            args.push(self.operand(word, dot)?);
        }
        args.extend(last);
        let found = functions::call(name, &args).map_err(|refusal| match refusal {
            Refusal::Count(words) => self.error(first.at, &first.text, &words),
            Refusal::Call(words) => {
                self.error(command.at, &command.text, &format!("error calling {name}: {words}"))
            }
        })?;
        self.fields(first, Dot { datum: found, boxed: false })
    }

    /// `and` and `or`: the first argument that decides, or the last.
    fn choose(
        &mut self,
        and: bool,
        words: &[Operand],
        last: Option<Datum>,
        dot: &Dot,
    ) -> Result<Datum, String> {
        let mut found = Datum::Nothing;
        for word in words {
            found = self.operand(word, dot)?;
            if found.is_true() != and {
                return Ok(found);
            }
        }
        Ok(last.unwrap_or(found))
    }

    fn operand(&mut self, word: &Operand, dot: &Dot) -> Result<Datum, String> {
        let start = match &word.term {
            Term::Dot => dot.clone(),
            Term::Nil => Dot { datum: Datum::Nothing, boxed: false },
            Term::Bool(flag) => Dot { datum: Datum::from(*flag), boxed: false },
            Term::Int(number) => Dot { datum: Datum::Int(*number), boxed: false },
            Term::Float(number) => Dot { datum: Datum::Document(Value::Float(*number)), boxed: false },
            Term::Text(text) => Dot { datum: Datum::from(text.clone()), boxed: false },
            Term::Variable(name) => {
                let held = self.variables.iter().rev().find(|(held, _)| held == name);
                held.map(|(_, dot)| dot.clone()).expect("the parser looked the variable up")
            }
            Term::Function(name) => {
                let called = if matches!(name.as_str(), "and" | "or") {
                    Err(Refusal::Count(format!("wrong number of args for {name}: want at least 1 got 0")))
                } else {
                    functions::call(name, &[])
                };
                let datum = called.map_err(|refusal| match refusal {
                    Refusal::Count(words) | Refusal::Call(words) => self.error(word.at, &word.text, &words),
                })?;
                Dot { datum, boxed: false }
            }
            Term::Pipeline(inner) => Dot { datum: self.pipeline(inner, dot)?, boxed: false },
        };
        self.fields(word, start)
    }

    /// Follows the fields of an operand.
    fn fields(&self, word: &Operand, start: Dot) -> Result<Datum, String> {
        let mut at = start;
        for name in &word.fields {
            let type_name = if at.boxed { "interface {}" } else { at.datum.type_name() };
            let found = match &at.datum {
                Datum::Document(Value::Map(map)) => match map.get(name) {
                    Some(found) => Datum::Document(found.clone()),
                    None if self.keys_may_miss => Datum::Nothing,
                    None => {
                        let words = format!("map has no entry for key {name:?}");
                        return Err(self.error(word.at, &word.text, &words));
                    }
                },
                Datum::Nothing => Datum::Nothing,
                Datum::Document(Value::Null) => {
                    let words = format!("nil pointer evaluating interface {{}}.{name}");
                    return Err(self.error(word.at, &word.text, &words));
                }
                _ => {
                    let words = format!("can't evaluate field {name} in type {type_name}");
                    return Err(self.error(word.at, &word.text, &words));
                }
            };
            at = Dot { datum: found, boxed: true };
        }
        Ok(at.datum)
    }
}
