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
use crate::api::quantity::Quantity;
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
        let mut line = String::new();
        self.write_row(columns, row, event, &mut line);
        line
    }

    /// Adds the line of a row: a large list has many, so nothing is made on the way.
    fn write_row(&self, columns: &[Column], row: &Row, event: &str, line: &mut String) {
        let object = &row.object;
        let mut cells = Cells { line, first: true };
        if self.events {
            cells.add("", event);
        }
        if self.with_namespace && object.key.kind.info().namespaced {
            cells.add("", object.namespace());
        }
        let shown = columns.iter().zip(&row.cells).filter(|(column, _)| self.shows(column));
        for (at, (column, cell)) in shown.enumerate() {
            if at == 0 && column.name == "Name" && self.with_kind {
                cells.add(&format!("{}/", object.key.kind.info().group_singular()), cell);
            } else {
                cells.add("", cell);
            }
        }
        for label in &self.label_columns {
            cells.add("", object.meta.label(label));
        }
        if self.labels {
            cells.add("", &labels_of(object));
        }
        line.push('\n');
    }

    /// A whole table.
    pub fn text(&self, kind: Kind, table: &Table, remembered: Option<&mut Vec<usize>>) -> String {
        let mut text = if self.headers { self.header(kind, table.columns) } else { String::new() };
        for row in &table.rows {
            self.write_row(table.columns, row, "ADDED", &mut text);
        }
        tabs::lay_out(&text, tabs::TABLE, remembered)
    }

    fn shows(&self, column: &Column) -> bool {
        self.wide || column.priority == 0
    }
}

/// The cells of one line, as they are added.
struct Cells<'a> {
    line: &'a mut String,
    first: bool,
}

impl Cells<'_> {
    /// A cell is one line: what follows its first line break is left away, as kubectl does.
    fn add(&mut self, prefix: &str, cell: &str) {
        if !std::mem::take(&mut self.first) {
            self.line.push('\t');
        }
        self.line.push_str(prefix);
        let shown = cell.find(['\n', '\r', '\u{c}']).map_or(cell, |end| &cell[..end]);
        if shown.len() < cell.len() {
            self.line.push_str(shown);
            self.line.push_str("...");
        } else {
            for (at, piece) in cell.split('\t').enumerate() {
                self.line.push_str(if at == 0 { "" } else { "\\t" });
                self.line.push_str(piece);
            }
        }
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
        // Texts that both read as amounts are compared as such.
        (Value::Str(a), Value::Str(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => natural(a, b),
        },
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
    fn amounts_sort_by_what_they_are_worth() {
        let mut found = ["2Gi", "10Mi", "1Gi", "500Mi"].map(Value::text);
        found.sort_by(order);
        assert_eq!(found, ["10Mi", "500Mi", "1Gi", "2Gi"].map(Value::text));
    }

    #[test]
    fn numbers_in_text_sort_as_numbers() {
        let mut found = ["None", "10.96.101.1", "10.96.0.1", "10.96.9.1"];
        found.sort_by(|a, b| natural(a, b));
        assert_eq!(found, ["10.96.0.1", "10.96.9.1", "10.96.101.1", "None"]);
    }

    /// Services whose names, addresses and ports are chosen, so that every width is.
    const SERVICES: &str = "kubectl create service clusterip a --tcp=80 --clusterip=10.96.200.1 >/dev/null; kubectl create service nodeport longer-name --tcp=80:8080 --node-port=30080 >/dev/null; kubectl delete svc kubernetes >/dev/null; kubectl patch svc longer-name --type=merge -p '{\"spec\":{\"externalIPs\":[\"203.0.113.7\"]}}' >/dev/null 2>&1; ";

    #[track_caller]
    fn check(command: &str, expected: &str) {
        // Ages and the one address that is allocated are not chosen.
        let script = format!("{SERVICES} {command} | sed 's/10\\.[0-9.]*  */10.x   /'");
        crate::shell::testing::check_in_world(&script, expected, 0);
    }

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_and_three_blanks() {
        check(
            "kubectl get svc a -o custom-columns=NAME:.metadata.name,PORT:.spec.ports[0].port,T:.spec.type",
            "NAME   PORT   T\na      80     ClusterIP",
        );
        check(
            "kubectl get svc a longer-name -o custom-columns=N:.metadata.name,NODEPORT:.spec.ports[*].nodePort,TYPE:.spec.type",
            "N             NODEPORT   TYPE\na             <none>     ClusterIP\nlonger-name   30080      NodePort",
        );
        check(
            "kubectl get svc a --no-headers -o custom-columns=:.metadata.name,:.spec.type",
            "a     ClusterIP",
        );
    }

    #[test]
    fn headers_kinds_and_labels_take_part_in_the_widths() {
        check(
            "kubectl get svc -L app,tier --no-headers | cut -c1-24",
            "a             ClusterIP \nlonger-name   NodePort  ",
        );
        check(
            "kubectl get svc --show-kind --no-headers | cut -c1-33",
            "service/a             ClusterIP  \nservice/longer-name   NodePort   ",
        );
        check("kubectl get svc a longer-name | head -n 1 | cut -c1-26", "NAME          TYPE        ");
        check("kubectl get svc a | head -n 1 | cut -c1-20", "NAME   TYPE        C");
    }
}
