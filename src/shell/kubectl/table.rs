//! Tables as `kubectl get` prints them.
//!
//! Owns the choice of columns (`-o wide`, `-L`, `--show-labels`, `-A`), the order of rows (`--sort-by`) and
//! the printing. The cells come from the server.

use std::cmp::Ordering;

use super::call::Call;
use super::failure::Failure;
use super::jsonpath::Template;
use super::output::Format;
use super::tabs;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::table::{Column, Row, Table};
use crate::api::value::Value;

/// What is shown of tables.
pub struct Style {
    wide: bool,
    headers: bool,
    with_namespace: bool,
    with_kind: bool,
    labels: bool,
    label_columns: Vec<String>,
    events: bool,
}

impl Style {
    /// The style that a call asks for.
    pub fn of(call: &Call, format: &Format, with_kind: bool) -> Self {
        let columns = call.flags.values("label-columns");
        Self {
            wide: matches!(format, Format::Wide),
            headers: !call.has("no-headers"),
            with_namespace: call.has("all-namespaces"),
            with_kind,
            labels: call.has("show-labels"),
            label_columns: columns.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect(),
            events: call.has("output-watch-events"),
        }
    }

    /// The header line of a kind.
    pub fn header(&self, kind: Kind, columns: &[Column]) -> String {
        let mut cells = Vec::new();
        if self.events {
            cells.push("EVENT".to_owned());
        }
        if self.with_namespace && kind.info().namespaced {
            cells.push("NAMESPACE".to_owned());
        }
        cells.extend(
            columns.iter().filter(|column| self.shows(column)).map(|column| column.name.to_uppercase()),
        );
        for label in &self.label_columns {
            cells.push(label.rsplit('/').next().unwrap_or(label).to_uppercase());
        }
        if self.labels {
            cells.push("LABELS".to_owned());
        }
        cells.join("\t") + "\n"
    }

    /// The line of a row.
    pub fn row(&self, columns: &[Column], row: &Row, event: &str) -> String {
        let object = &row.object;
        let mut cells = Vec::new();
        if self.events {
            cells.push(event.to_owned());
        }
        if self.with_namespace && object.key.kind.info().namespaced {
            cells.push(object.namespace().to_string());
        }
        let prefix = if self.with_kind {
            format!("{}/", object.key.kind.info().group_singular())
        } else {
            String::new()
        };
        for (at, (column, cell)) in
            columns.iter().zip(&row.cells).filter(|(column, _)| self.shows(column)).enumerate()
        {
            let named = at == 0 && column.name == "Name";
            cells.push(if named { format!("{prefix}{cell}") } else { cell.clone() });
        }
        cells.extend(self.label_columns.iter().map(|label| object.meta.label(label).to_owned()));
        if self.labels {
            cells.push(labels_of(object));
        }
        let line = cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join("\t");
        line + "\n"
    }

    /// A whole table.
    pub fn text(&self, kind: Kind, table: &Table, remembered: Option<&mut Vec<usize>>) -> String {
        let mut text = if self.headers { self.header(kind, table.columns) } else { String::new() };
        for row in &table.rows {
            text.push_str(&self.row(table.columns, row, "ADDED"));
        }
        tabs::lay_out(&text, tabs::TABLE, remembered)
    }

    fn shows(&self, column: &Column) -> bool {
        self.wide || column.priority == 0
    }
}

/// A cell is one line: what follows its first line break is left away, as kubectl does.
fn escaped(cell: &str) -> String {
    match cell.split_once(['\n', '\r', '\u{c}']) {
        Some((first, _)) => format!("{first}..."),
        None => cell.replace('\t', "\\t"),
    }
}

fn labels_of(object: &Object) -> String {
    label_text(&object.meta.labels)
}

/// Labels as `--show-labels` prints them; `<none>` without any.
pub fn label_text(labels: &Value) -> String {
    if labels.entries().is_empty() {
        return "<none>".to_owned();
    }
    let labels: Vec<String> =
        labels.entries().iter().map(|(key, value)| format!("{key}={}", value.str())).collect();
    labels.join(",")
}

/// Orders things by what a path of `--sort-by` leads to. `false` if no object has the field.
///
/// # Errors
/// A path that is none.
pub fn sort<T>(items: &mut [T], path: &str, value: impl Fn(&T) -> &Value) -> Result<bool, Failure> {
    let template = Template::relaxed(path).map_err(Failure::plain)?;
    let found = |item: &T| template.results(value(item)).ok().and_then(|found| found.into_iter().next());
    if items.iter().all(|item| found(item).is_none()) {
        return Ok(items.is_empty());
    }
    items.sort_by(|a, b| match (found(a), found(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => order(&a, &b),
    });
    Ok(true)
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => natural(a, b),
        _ => Ordering::Equal,
    }
}

/// The order in which numbers inside texts count as numbers (`natsort`).
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (piece_a, rest_a) = piece(a);
        let (piece_b, rest_b) = piece(b);
        if piece_a.is_empty() || piece_b.is_empty() {
            return piece_a.len().cmp(&piece_b.len());
        }
        let order = match (piece_a.parse::<u64>(), piece_b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => piece_a.cmp(piece_b),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The digits, or what is no digit, at the beginning.
fn piece(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|letter: char| letter.is_ascii_digit());
    let end = text.find(|letter: char| letter.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_text_sort_as_numbers() {
        let mut found = ["None", "10.96.101.1", "10.96.0.1", "10.96.9.1"];
        found.sort_by(|a, b| natural(a, b));
        assert_eq!(found, ["10.96.0.1", "10.96.9.1", "10.96.101.1", "None"]);
    }
}
