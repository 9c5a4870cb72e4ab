//! Text in columns, as Go's `text/tabwriter` lays it out.
//!
//! Owns the algorithm alone: cells end with a tab, a column is a block of consecutive lines that have such
//! a cell, and each block is as wide as its widest cell. The last cell of a line is in no column.
//! Source: <https://pkg.go.dev/text/tabwriter>.

/// How columns are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The least width of a column, padding included.
    pub min_width: usize,
    /// Blanks behind the widest cell.
    pub padding: usize,
}

/// The layout of kubectl's tables (`printers.GetNewTabWriter`).
pub const TABLE: Layout = Layout { min_width: 6, padding: 3 };
/// The layout of `kubectl describe`.
pub const DESCRIBE: Layout = Layout { min_width: 0, padding: 2 };

/// Lays out one text.
pub fn aligned(text: &str, layout: Layout) -> String {
    lay_out(text, layout, None)
}

/// Lays out text with tabs. `remembered` holds the widths of earlier texts of the same stream
/// (`kubectl get -w`): a column does not become narrower.
pub fn lay_out(text: &str, layout: Layout, remembered: Option<&mut Vec<usize>>) -> String {
    let mut lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let ends_with_newline = lines.last().is_some_and(|line| line.len() == 1 && line[0].is_empty());
    if ends_with_newline {
        lines.pop();
    }
    let mut writer = Writer { lines: &lines, layout, widths: Vec::new(), remembered, out: String::new() };
    writer.format(0, lines.len());
    let mut out = writer.out;
    if !ends_with_newline {
        out.pop();
    }
    out
}

struct Writer<'a> {
    lines: &'a [Vec<&'a str>],
    layout: Layout,
    widths: Vec<usize>,
    remembered: Option<&'a mut Vec<usize>>,
    out: String,
}

impl Writer<'_> {
    fn format(&mut self, mut from: usize, to: usize) {
        let column = self.widths.len();
        let has_cell = |line: &Vec<&str>| column + 1 < line.len();
        let mut this = from;
        while this < to {
            if !has_cell(&self.lines[this]) {
                this += 1;
                continue;
            }
            self.write(from, this);
            from = this;
            let mut width = self.layout.min_width;
            while this < to && has_cell(&self.lines[this]) {
                width = width.max(self.lines[this][column].chars().count() + self.layout.padding);
                this += 1;
            }
            let width = self.remember(column, width);
            self.widths.push(width);
            self.format(from, this);
            self.widths.pop();
            from = this;
        }
        self.write(from, to);
    }

    fn remember(&mut self, column: usize, width: usize) -> usize {
        let Some(remembered) = self.remembered.as_deref_mut() else { return width };
        if remembered.len() <= column {
            remembered.push(width);
        }
        remembered[column] = remembered[column].max(width);
        remembered[column]
    }

    fn write(&mut self, from: usize, to: usize) {
        for line in &self.lines[from..to] {
            for (at, cell) in line.iter().enumerate() {
                self.out.push_str(cell);
                if let (Some(width), true) = (self.widths.get(at), at + 1 < line.len()) {
                    let blanks = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, layout: Layout, expected: &str) {
        assert_eq!(aligned(text, layout), expected, "{text}");
    }

    #[test]
    fn tables_have_three_blanks_between_columns() {
        check("NAME\tAGE\nkubernetes\t1s\n", TABLE, "NAME         AGE\nkubernetes   1s\n");
        check("a\tb\n", TABLE, "a     b\n");
    }

    #[test]
    fn a_column_ends_where_a_line_has_no_such_cell() {
        check(
            "Name:\ta\nLabels:\t<none>\nPorts:\n  Name\tPort\n",
            DESCRIBE,
            "Name:    a\nLabels:  <none>\nPorts:\n  Name  Port\n",
        );
        check("Labels:\ta\n\tb\n", DESCRIBE, "Labels:  a\n         b\n");
    }
}
