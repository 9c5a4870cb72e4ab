//! kubectl's dialect of JSONPath.
//!
//! Owns templates and their evaluation on documents; how they are read is in [`parser`]. Source:
//! <https://kubernetes.io/docs/reference/kubectl/jsonpath/> and `k8s.io/client-go/util/jsonpath`.

mod parser;

use std::cmp::Ordering;

use super::failure::Failure;
use crate::api::json;
use crate::api::value::Value;

/// A template, read.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
    keys_may_miss: bool,
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
    /// An `{end}` without its range, which is refused when the template is executed.
    StrayEnd,
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Wildcard,
    Recursive,
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
        single: bool,
    },
    Union(Vec<Vec<Step>>),
    Filter(Operand, String, Operand),
    /// A word that means nothing, which is refused when the template is executed.
    Unknown(String),
}

#[derive(Clone, Debug)]
enum Operand {
    Path(Vec<Step>),
    Value(Value),
    Nothing,
}

/// Steps and nodes of one template at most.
const LENGTH_LIMIT: usize = 10_000;
/// How deep brackets and ranges may stand in each other; they are read by recursion.
const DEPTH_LIMIT: usize = 50;
/// How many values one printing may look at: ranges in ranges and `..` after `..` multiply them.
const VALUE_LIMIT: usize = 4_000_000;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Text that is none, in the words of client-go.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_LIMIT {
            return Err("template too long".to_owned());
        }
        if depth(text) > DEPTH_LIMIT {
            return Err("template nested too deeply".to_owned());
        }
        Ok(Self { text: text.to_owned(), nodes: parser::nodes(text)?, keys_may_miss: true })
    }

    /// The same template; `keys_may_miss`: whether it may name fields that are not there.
    #[must_use]
    pub fn with_missing_keys(mut self, keys_may_miss: bool) -> Self {
        self.keys_may_miss = keys_may_miss;
        self
    }

    /// Reads a path as flags take it, with or without braces and the first dot.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn relaxed(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let unexpected = || {
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'".to_owned()
        };
        if inner.contains(['{', '}']) {
            return Err(unexpected());
        }
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        Self::parse(&format!("{{.{inner}}}"))
    }

    /// What the template prints for a document.
    ///
    /// # Errors
    /// An index that the document does not have.
    pub fn print(&self, value: &Value) -> Result<String, String> {
        let mut out = String::new();
        self.walker().print(&self.nodes, value, &mut out)?;
        Ok(out)
    }

    /// What the paths of the template lead to.
    ///
    /// # Errors
    /// As [`Template::print`].
    pub fn results(&self, value: &Value) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        let mut walker = self.walker();
        for node in &self.nodes {
            if let Node::Path(steps) = node {
                all.extend(walker.walk(steps, vec![value.clone()])?);
            }
        }
        Ok(all)
    }

    fn walker(&self) -> Walker {
        Walker { left: VALUE_LIMIT, keys_may_miss: self.keys_may_miss }
    }

    /// kubectl's error when a template does not fit a document.
    pub fn failure(&self, why: &str, value: &Value) -> Failure {
        Failure::plain(format!(
            "error executing jsonpath \"{}\": Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n",
            self.text.replace('"', "\\\""),
            self.text,
            go_syntax(value)
        ))
    }
}

/// A value as Go's `%#v` prints it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}:{}", go_quote(key), go_syntax(value))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Str(text) => go_quote(text),
        other => json::compact(other),
    }
}

/// Text as Go's `%q` prints it, for text without control characters.
fn go_quote(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
    )
}

/// A value as kubectl prints it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => "<nil>".to_owned(),
        other => json::compact(other),
    }
}

/// The walk of one template over a document.
struct Walker {
    /// How many values may still be looked at.
    left: usize,
    keys_may_miss: bool,
}

impl Walker {
    fn print(&mut self, nodes: &[Node], value: &Value, out: &mut String) -> Result<(), String> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Path(steps) => {
                    let found = self.walk(steps, vec![value.clone()])?;
                    let words: Vec<String> = found.iter().map(text_of).collect();
                    out.push_str(&words.join(" "));
                }
                Node::Range(steps, inner) => {
                    for item in self.walk(steps, vec![value.clone()])? {
                        self.print(inner, &item, out)?;
                    }
                }
                Node::StrayEnd => return Err("not in range, nothing to end".to_owned()),
            }
        }
        Ok(())
    }

    fn walk(&mut self, steps: &[Step], mut found: Vec<Value>) -> Result<Vec<Value>, String> {
        for step in steps {
            let mut next = Vec::new();
            for value in &found {
                let before = next.len();
                self.take(step, value, &mut next)?;
                let looked_at = next.len() - before + 1;
                self.left = self.left.checked_sub(looked_at).ok_or("the template finds too many values")?;
            }
            if let (Step::Field(name), true, false) = (step, next.is_empty(), self.keys_may_miss) {
                return Err(format!("{name} is not found"));
            }
            found = next;
        }
        Ok(found)
    }

    fn take(&mut self, step: &Step, value: &Value, out: &mut Vec<Value>) -> Result<(), String> {
        match step {
            Step::Field(name) => {
                if let Some(found) = value.as_map().and_then(|map| map.get(name)) {
                    out.push(found.clone());
                }
            }
            Step::Wildcard => match value {
                Value::List(items) => out.extend(items.iter().cloned()),
                Value::Map(map) => out.extend(map.iter().map(|(_, value)| value.clone())),
                _ => {}
            },
            Step::Recursive => descend(value, out),
            Step::Slice { start, end, step, single } => slice(value, (*start, *end, *step), *single, out)?,
            Step::Union(parts) => {
                for steps in parts {
                    out.extend(self.walk(steps, vec![value.clone()])?);
                }
            }
            Step::Filter(left, operator, right) => {
                let Value::List(items) = value else {
                    return Err(format!(
                        "{} is not array or slice and cannot be filtered",
                        json::go_print(value)
                    ));
                };
                for item in items.iter() {
                    if self.holds((left, operator, right), item)? {
                        out.push(item.clone());
                    }
                }
            }
            Step::Unknown(name) => return Err(format!("unrecognized identifier {name}")),
        }
        Ok(())
    }

    fn holds(&mut self, filter: (&Operand, &str, &Operand), item: &Value) -> Result<bool, String> {
        let (left, operator, right) = filter;
        let lefts = self.operand(left, item);
        if operator.is_empty() {
            return Ok(lefts.is_ok_and(|found| !found.is_empty()));
        }
        let lefts = lefts?;
        let rights = self.operand(right, item)?;
        let (Some(left), Some(right)) = (lefts.first(), rights.first()) else { return Ok(false) };
        if lefts.len() > 1 || rights.len() > 1 {
            return Err("can only compare one element at a time".to_owned());
        }
        let fits: fn(Ordering) -> bool = match operator {
            "==" => Ordering::is_eq,
            "!=" => Ordering::is_ne,
            "<" => Ordering::is_lt,
            ">" => Ordering::is_gt,
            "<=" => Ordering::is_le,
            ">=" => Ordering::is_ge,
            other => return Err(format!("unrecognized filter operator {other}")),
        };
        compare(left, right).map(fits).ok_or_else(|| "incompatible types for comparison".to_owned())
    }

    fn operand(&mut self, operand: &Operand, item: &Value) -> Result<Vec<Value>, String> {
        match operand {
            Operand::Path(steps) => self.walk(steps, vec![item.clone()]),
            Operand::Value(value) => Ok(vec![value.clone()]),
            Operand::Nothing => Ok(Vec::new()),
        }
    }
}

/// A value and everything below it.
fn descend(value: &Value, out: &mut Vec<Value>) {
    out.push(value.clone());
    match value {
        Value::List(items) => items.iter().for_each(|item| descend(item, out)),
        Value::Map(map) => map.iter().for_each(|(_, value)| descend(value, out)),
        _ => {}
    }
}

type Bounds = (Option<i64>, Option<i64>, Option<i64>);

/// The items between two bounds (`evalArray`); a bound below zero counts from the end.
fn slice(value: &Value, bounds: Bounds, single: bool, out: &mut Vec<Value>) -> Result<(), String> {
    let Value::List(items) = value else {
        return match value {
            Value::Null => Ok(()),
            other => Err(format!("{} is not array or slice", go_type(other))),
        };
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let start = from_end(bounds.0.unwrap_or(0));
    let end = match bounds.1 {
        Some(end) => from_end(end),
        None if single => start.saturating_add(1),
        None => length,
    };
    if start == end {
        return Ok(());
    }
    let outside = |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
    if start < 0 || start >= length {
        return outside(start);
    }
    if end < 0 || end > length {
        return outside(end.saturating_sub(1));
    }
    if start > end {
        return Err(format!("starting index {start} is greater than ending index {end}"));
    }
    let step = bounds.2.unwrap_or(1);
    if step <= 0 {
        return Err("step must be > 0".to_owned());
    }
    let place = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
    out.extend(items[place(start)..place(end)].iter().step_by(place(step)).cloned());
    Ok(())
}

/// The name of a value's type in Go.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

/// How deep brackets and ranges stand in each other.
fn depth(text: &str) -> usize {
    let (mut ranges, mut brackets, mut deepest) = (0_usize, 0_usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            '{' if text[at..].starts_with("{range") => ranges += 1,
            '{' if text[at..].starts_with("{end}") => ranges = ranges.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(ranges + brackets);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn check(template: &str, expected: Result<&str, &str>) {
        let value = value!({
            "items": [
                { "name": "a", "port": 80, "labels": { "app.io/x": "1" } },
                { "name": "b", "port": 443 }
            ],
            "empty": []
        });
        let printed = Template::parse(template).and_then(|template| template.print(&value));
        assert_eq!(printed.as_deref().map_err(String::as_str), expected, "{template}");
    }

    #[test]
    fn templates_print_what_their_paths_find() {
        check("{.items[*].name}", Ok("a b"));
        check("{.items[0].port}x", Ok("80x"));
        check("{.items[-1].name}", Ok("b"));
        check("{range .items[*]}{.name}{\"\\t\"}{.port}{\"\\n\"}{end}", Ok("a\t80\nb\t443\n"));
        check("{.items[?(@.name==\"b\")].port}", Ok("443"));
        check("{.items[?(@.port>100)].name}", Ok("b"));
        check("{.items[?(@.labels)].name}", Ok("a"));
        check("{.items[0]['name','port']}", Ok("a 80"));
        check("{..port}", Ok("80 443"));
        check("{.items[0].labels.app\\.io/x}", Ok("1"));
        check("{.nosuch}", Ok(""));
        check("{.empty}", Ok("[]"));
        check("{.items[1]}", Ok("{\"name\":\"b\",\"port\":443}"));
        check("{.items[0:1].name}", Ok("a"));
        check("{.items[].name}", Ok("a"));
        check("{.items[0]['labels.app\\.io/x', 'port']}", Ok("1 80"));
        check("{$.items[?(@.port==80)].name}{@.items[1].name}", Ok("ab"));
        check("{.items[0:0]}", Ok(""));
    }

    #[test]
    fn broken_templates_are_refused_in_go_words() {
        check("{.items", Err("unclosed action"));
        check("{.items[5].name}", Err("array index out of bounds: index 5, length 2"));
        check("{end}", Err("not in range, nothing to end"));
        check("{items[0].name}", Err("unrecognized identifier items"));
        check("{.items[0:5].name}", Err("array index out of bounds: index 4, length 2"));
        check("{.items[0][*]}", Err("map[string]interface {} is not array or slice"));
        check("{.items[?(@.name==1)].name}", Err("incompatible types for comparison"));
        check("{.items[?(@.name=~/a/)].name}", Err("unrecognized character in action: U+007E '~'"));
    }
}
