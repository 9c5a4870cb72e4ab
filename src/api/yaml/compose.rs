//! From the events of one document to its value and positions.
//!
//! Owns nesting, anchors and aliases, merge keys, equal keys and the limits on depth and nodes. What a
//! scalar means is in [`super::scalar`], where text is split into documents in [`super::read`].

use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Stretch};
use serde_yaml::{Mapping, Value};
use smol_str::SmolStr;

use super::positions::{Node, Positions, Span, Step};
use super::problem::{self, Failure, Problem, narrow};
use super::{MAX_DEPTH, MAX_NODES, scalar};

/// One composed document: its value, where its parts stand, and the keys that stand twice.
pub(super) struct Composed {
    pub(super) value: Value,
    pub(super) positions: Positions,
    pub(super) duplicates: Vec<(String, Span)>,
}

/// Why a document could not be composed.
pub(super) enum Refused {
    /// The text is no YAML, in saphyr's words.
    Scan(ScanError),
    /// It is, but it cannot be read.
    Other(Failure),
}

impl From<ScanError> for Refused {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

/// A list or map that is still open.
struct Open {
    kind: Kind,
    node: u32,
    anchor: usize,
    /// How many nodes there were before it.
    before: usize,
}

enum Kind {
    List(Vec<Value>),
    Map { map: Mapping, key: Option<Key>, merges: Vec<Value> },
}

struct Key {
    text: String,
    span: Span,
    merge: bool,
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    positions: Positions,
    /// Values of anchors with the number of nodes in each: an alias costs as many again.
    anchors: FxHashMap<usize, (Value, usize)>,
    nodes: usize,
    /// Whether an alias was used: then it is to blame for too many nodes.
    aliased: bool,
    duplicates: Vec<(String, Span)>,
    root: Option<Value>,
}

/// Composes the first document of `text`; nothing there is null.
pub(super) fn compose(text: &str) -> Result<Composed, Refused> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let (event, stretch) = event?;
        composer.event(event, span(stretch)).map_err(Refused::Other)?;
        if composer.root.is_some() && composer.open.is_empty() {
            // What follows the first document is not read, but must begin as YAML does.
            break;
        }
    }
    Ok(Composed {
        value: composer.root.unwrap_or_default(),
        positions: composer.positions,
        duplicates: composer.duplicates,
    })
}

impl Composer {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
            Event::Scalar(text, style, anchor, tag) => {
                let merge = style == ScalarStyle::Plain && text == "<<";
                let value = scalar::resolve(&text, style, tag.as_deref());
                if self.expects_key() {
                    return self.key(&value, span, merge, anchor);
                }
                let node = self.node(span)?;
                self.finish(value, node, anchor, 1)?;
            }
            Event::Alias(anchor) => {
                let Some((value, size)) = self.anchors.get(&anchor) else {
                    return Err(failure(Problem::Alias, "anchor value contains itself", span));
                };
                self.nodes += size;
                self.aliased = true;
                self.within_limits(span)?;
                let (value, size) = (value.clone(), *size);
                if self.expects_key() {
                    return self.key(&value, span, false, 0);
                }
                let node = self.node(span)?;
                self.finish(value, node, 0, size)?;
            }
            Event::SequenceStart(anchor, _) => self.start(Kind::List(Vec::new()), span, anchor)?,
            Event::MappingStart(anchor, _) => {
                self.start(Kind::Map { map: Mapping::new(), key: None, merges: Vec::new() }, span, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, value: &Value, span: Span, merge: bool, anchor: usize) -> Result<(), Failure> {
        let text = key_text(value).ok_or_else(|| failure(Problem::Syntax, "invalid map key", span))?;
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), 1));
        }
        if let Some(Open { kind: Kind::Map { map, key, .. }, .. }) = self.open.last_mut() {
            if !merge && map.contains_key(text.as_str()) {
                self.duplicates.push((text.clone(), span));
            }
            *key = Some(Key { text, span, merge });
        }
        Ok(())
    }

    fn within_limits(&self, span: Span) -> Result<(), Failure> {
        match (self.nodes > MAX_NODES, self.aliased) {
            (false, _) => Ok(()),
            (true, true) => Err(failure(Problem::Limit, "document contains excessive aliasing", span)),
            (true, false) => Err(failure(Problem::Limit, "document has too many values", span)),
        }
    }

    /// Makes the position of a value that begins here.
    fn node(&mut self, span: Span) -> Result<u32, Failure> {
        self.nodes += 1;
        self.within_limits(span)?;
        let id = narrow(self.positions.nodes.len());
        let (step, key, parent) = match self.open.last() {
            None => (Step::Root, span, 0),
            Some(Open { kind: Kind::List(items), node, .. }) => {
                (Step::Index(narrow(items.len())), span, *node)
            }
            Some(Open { kind: Kind::Map { key, .. }, node, .. }) => {
                let key = key.as_ref().expect("a value in a map follows its key");
                (Step::Key(SmolStr::new(&key.text)), key.span, *node)
            }
        };
        if step != Step::Root {
            self.positions.nodes[parent as usize].children.push(id);
        }
        self.positions.nodes.push(Node { step, key, value: span, children: Vec::new(), parent });
        Ok(id)
    }

    fn start(&mut self, kind: Kind, span: Span, anchor: usize) -> Result<(), Failure> {
        if self.open.len() >= MAX_DEPTH {
            return Err(problem::too_deep(span.line as usize, span.column as usize));
        }
        if self.expects_key() {
            return Err(failure(Problem::Syntax, "invalid map key", span));
        }
        let before = self.nodes;
        let node = self.node(span)?;
        self.open.push(Open { kind, node, anchor, before });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Failure> {
        let open = self.open.pop().expect("saphyr closes only what it opened");
        // A block ends where the next thing begins; its own text ends with its last child.
        let children = &self.positions.nodes[open.node as usize].children;
        let last = children.last().map(|&child| self.positions.nodes[child as usize].value);
        let flow = (span.line, span.column) != (span.end_line, span.end_column);
        let stretch = &mut self.positions.nodes[open.node as usize].value;
        let end = if flow { span } else { last.unwrap_or(*stretch) };
        (stretch.end_line, stretch.end_column) = (end.end_line, end.end_column);
        let size = self.nodes - open.before;
        let value = match open.kind {
            Kind::List(items) => Value::Sequence(items),
            Kind::Map { mut map, merges, .. } => {
                merges.iter().for_each(|merge| merge_into(&mut map, merge));
                Value::Mapping(map)
            }
        };
        self.finish(value, open.node, open.anchor, size)
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, value: Value, node: u32, anchor: usize, size: usize) -> Result<(), Failure> {
        if anchor != 0 {
            // Keeping a copy costs as many nodes again: nested anchors must not multiply them.
            self.nodes += size;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(value),
            Some(Kind::List(items)) => items.push(value),
            Some(Kind::Map { map, key, merges }) => {
                let key = key.take().expect("a value in a map follows its key");
                if key.merge {
                    let span = self.positions.nodes[node as usize].value;
                    merges.extend(merged(value).ok_or_else(|| {
                        failure(
                            Problem::Alias,
                            "map merge requires map or sequence of maps as the value",
                            span,
                        )
                    })?);
                } else {
                    map.insert(Value::String(key.text), value);
                }
            }
        }
        Ok(())
    }
}

/// The maps that a merge key names, the one that wins first.
fn merged(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Mapping(_) => Some(vec![value]),
        Value::Sequence(items) if items.iter().all(Value::is_mapping) => Some(items),
        _ => None,
    }
}

/// Fields of `from` that `map` does not have.
fn merge_into(map: &mut Mapping, from: &Value) {
    for (key, value) in from.as_mapping().into_iter().flatten() {
        if !map.contains_key(key) {
            map.insert(key.clone(), value.clone());
        }
    }
}

/// A map key as JSON has it: text. Lists, maps and null are no keys.
fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => scalar::float_key(float),
            None => number.to_string(),
        }),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

fn failure(problem: Problem, message: &str, span: Span) -> Failure {
    Failure { problem, message: message.to_owned(), span }
}

fn span(stretch: Stretch) -> Span {
    Span {
        line: narrow(stretch.start.line()),
        column: narrow(stretch.start.col() + 1),
        end_line: narrow(stretch.end.line()),
        end_column: narrow(stretch.end.col() + 1),
    }
}
