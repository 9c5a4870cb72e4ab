//! `-o custom-columns=NAME:.metadata.name,…`.
//!
//! Owns the reading of the column list and the table that it makes.

use super::jsonpath::{Template, text_of};
use super::tabs;
use crate::api::value::Value;

/// Columns with the paths of their cells.
#[derive(Clone, Debug)]
pub struct Columns(Vec<(String, Template)>);

impl Columns {
    /// Reads `HEADER:PATH,HEADER:PATH`.
    ///
    /// # Errors
    /// A part without a path, or a path that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("custom-columns format specified but no custom columns given".to_owned());
        }
        let mut columns = Vec::new();
        for part in text.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                return Err(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ));
            };
            columns.push((header.to_owned(), template(path)?));
        }
        Ok(Self(columns))
    }

    /// Reads a file: a line of headers and a line of paths below them.
    ///
    /// # Errors
    /// Lines that do not fit each other, or a path that is none.
    pub fn parse_file(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let missing = |which: &str| {
            format!(
                "invalid template, missing {which} line. Expected format is one line of space separated headers, one line of space separated column specs."
            )
        };
        let headers = lines.next().ok_or_else(|| missing("header"))?;
        let paths = lines.next().ok_or_else(|| missing("spec"))?;
        if headers.len() != paths.len() {
            return Err(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            ));
        }
        let column = |(header, path): (&str, &str)| Ok((header.to_owned(), template(path)?));
        headers.into_iter().zip(paths).map(column).collect::<Result<_, String>>().map(Self)
    }

    /// The table of some documents.
    pub fn table(&self, values: &[Value], without_headers: bool) -> String {
        let mut text = String::new();
        if !without_headers {
            let headers: Vec<&str> = self.0.iter().map(|(header, _)| header.as_str()).collect();
            text.push_str(&headers.join("\t"));
            text.push('\n');
        }
        for value in values {
            let cells: Vec<String> = self.0.iter().map(|(_, path)| cell(path, value)).collect();
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        tabs::aligned(&text, tabs::TABLE)
    }
}

/// A column's path; none at all finds nothing.
fn template(path: &str) -> Result<Template, String> {
    if path.is_empty() { Template::parse("") } else { Template::relaxed(path) }
}

fn cell(path: &Template, value: &Value) -> String {
    let found = path.results(value).unwrap_or_default();
    if found.is_empty() {
        return "<none>".to_owned();
    }
    let words: Vec<String> = found
        .iter()
        .map(|value| match value {
            Value::Null => "<none>".to_owned(),
            Value::List(_) | Value::Map(_) => go_text(value),
            other => text_of(other),
        })
        .collect();
    words.join(",")
}

/// A list or map as Go's `%v` prints it: `[a b]`, `map[app:web]`.
pub fn go_text(value: &Value) -> String {
    match value {
        Value::List(items) => {
            format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => text_of(other),
    }
}
