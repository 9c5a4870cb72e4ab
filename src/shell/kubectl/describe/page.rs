//! The text of a description while it is written.
//!
//! Owns indentation, the alignment of blocks, and the parts that every description has.

use crate::api::patch::last_applied::LAST_APPLIED;
use crate::api::value::Value;
use crate::shell::kubectl::tabs;

/// The longest annotation that stands on the line of its key.
const ANNOTATION_LIMIT: usize = 140;

/// A description: lines with tabs, aligned block by block.
#[derive(Default)]
pub struct Page {
    done: String,
    pending: String,
}

impl Page {
    /// A line, two blanks deeper per level.
    pub fn line(&mut self, level: usize, text: &str) {
        for _ in 0..level {
            self.pending.push_str("  ");
        }
        self.pending.push_str(text);
        self.pending.push('\n');
    }

    /// Ends a block: what follows is aligned by itself.
    pub fn flush(&mut self) {
        let block = std::mem::take(&mut self.pending);
        if !block.is_empty() {
            self.done.push_str(&tabs::aligned(&block, tabs::DESCRIBE));
        }
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        self.flush();
        self.done
    }

    /// The whole text with its tabs.
    pub fn raw(self) -> String {
        self.done + &self.pending
    }

    /// `KEY=VALUE` lines under one title; `<none>` without any.
    pub fn labels(&mut self, level: usize, title: &str, labels: &Value) {
        let pairs = labels.entries();
        let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", value.str()));
        self.list(level, title, &pairs.collect::<Vec<_>>());
    }

    /// Lines under one title, the first beside it; `<none>` without any.
    pub fn list(&mut self, level: usize, title: &str, lines: &[String]) {
        if lines.is_empty() {
            self.line(level, &format!("{title}:\t<none>"));
        }
        for (at, text) in lines.iter().enumerate() {
            let head = if at == 0 { format!("{title}:") } else { String::new() };
            self.line(level, &format!("{head}\t{text}"));
        }
    }

    /// Annotations under one title, without what apply keeps.
    pub fn annotations(&mut self, title: &str, annotations: &Value) {
        let shown = annotations.entries().iter().filter(|(key, _)| *key != LAST_APPLIED);
        let mut head = format!("{title}:");
        for (key, value) in shown {
            let value = value.str();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > ANNOTATION_LIMIT || value.contains('\n') {
                self.line(0, &format!("{head}\t{key}:"));
                for line in value.split('\n') {
                    self.line(0, &format!("\t  {}", shortened(line)));
                }
            } else {
                self.line(0, &format!("{head}\t{key}: {value}"));
            }
            head.clear();
        }
        if !head.is_empty() {
            self.line(0, &format!("{head}\t<none>"));
        }
    }
}

/// A line cut at a number of bytes, as kubectl counts; no letter is cut in two.
fn shortened(line: &str) -> String {
    let limit = ANNOTATION_LIMIT - 2;
    if line.len() <= limit {
        return line.to_owned();
    }
    let end = (0..=limit).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    format!("{}...", &line[..end])
}

/// Words joined by commas; `<none>` without any.
pub fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "<none>".to_owned() } else { words.join(",") }
}

/// Text, or `<none>`.
pub fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

/// Text, or `<unset>`.
pub fn or_unset(text: &str) -> &str {
    if text.is_empty() { "<unset>" } else { text }
}

/// A scalar as it is printed.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => (if *flag { "true" } else { "false" }).to_owned(),
        other => crate::shell::kubectl::jsonpath::text_of(other),
    }
}
