//! Where each field of a document stands in its text.
//!
//! Owns the table that leads from a field path, as the API server writes it
//! (`spec.ports[0].port`, `metadata.annotations[a.b/c]`), to lines and columns, and back. It holds no
//! values. Start at [`Positions::lookup`].

use smol_str::SmolStr;

/// A stretch of text. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The line of the first character.
    pub line: u32,
    /// The column of the first character.
    pub column: u32,
    /// The line of the first character after it.
    pub end_line: u32,
    /// The column of the first character after it.
    pub end_column: u32,
}

impl Span {
    /// The empty stretch before one character.
    #[must_use]
    pub fn point(line: u32, column: u32) -> Self {
        Self { line, column, end_line: line, end_column: column }
    }

    /// Whether a character's place lies in this stretch, its end included (where a cursor may stand).
    #[must_use]
    pub fn contains(&self, line: u32, column: u32) -> bool {
        (self.line, self.column) <= (line, column) && (line, column) <= (self.end_line, self.end_column)
    }
}

/// How one leads from a node to its child.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The document itself.
    Root,
    /// A field of a map.
    Key(SmolStr),
    /// An item of a list.
    Index(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) step: Step,
    /// Where the key stands; for list items and the document the same as `value`.
    pub(super) key: Span,
    pub(super) value: Span,
    /// Ids of children, in the order of the text.
    pub(super) children: Vec<u32>,
    pub(super) parent: u32,
}

/// What [`Positions::lookup`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where the field's key stands (for a list item, the item).
    pub key: Span,
    /// Where its value stands.
    pub value: Span,
    /// Whether this is the field itself; else it is the nearest parent that the text has.
    pub exact: bool,
}

/// Positions of all fields of one document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Positions {
    pub(super) nodes: Vec<Node>,
}

impl Positions {
    /// The place of a field path, or of the nearest parent that the text has; nothing only if the
    /// document is empty.
    ///
    /// A step is `.name`, `[3]` into a list, or `[key]` into a map. Keys with dots in them are found in
    /// either form: the longest key that fits is taken.
    #[must_use]
    pub fn lookup(&self, path: &str) -> Option<Found> {
        let mut id = 0;
        let mut node = self.nodes.first()?;
        let mut rest = path;
        loop {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if rest.is_empty() {
                break;
            }
            let Some((child, after)) = self.child(id, rest) else {
                break;
            };
            (id, rest) = (child, after);
            node = &self.nodes[id];
        }
        Some(Found { key: node.key, value: node.value, exact: rest.is_empty() })
    }

    /// The child that `rest` leads to first, and what remains of `rest` after it.
    fn child<'a>(&self, id: usize, rest: &'a str) -> Option<(usize, &'a str)> {
        let mut best: Option<(usize, usize)> = None;
        let bracket = rest.strip_prefix('[').and_then(|inner| {
            let end = inner.find(']')?;
            Some((inner[..end].trim_matches('"'), end + 2))
        });
        for &child in &self.nodes[id].children {
            let length = match (&self.nodes[child as usize].step, bracket) {
                (Step::Root, _) => None,
                (Step::Index(index), Some((inner, length))) => {
                    (inner.parse::<u32>() == Ok(*index)).then_some(length)
                }
                (Step::Index(_), None) => None,
                (Step::Key(key), Some((inner, length))) => (inner == key).then_some(length),
                (Step::Key(key), None) => rest
                    .strip_prefix(key.as_str())
                    .is_some_and(|after| after.is_empty() || after.starts_with(['.', '[']))
                    .then_some(key.len()),
            };
            // Of equal keys the later one counts, as in reading.
            if let Some(length) = length.filter(|&length| best.is_none_or(|(_, old)| length >= old)) {
                best = Some((child as usize, length));
            }
        }
        best.map(|(child, length)| (child, &rest[length..]))
    }

    /// The path of the innermost field whose key or value holds a place; `""` for the document itself.
    #[must_use]
    pub fn path_at(&self, line: u32, column: u32) -> String {
        let mut id = 0;
        while let Some(node) = self.nodes.get(id) {
            let inside = |&&child: &&u32| {
                let child = &self.nodes[child as usize];
                child.key.contains(line, column) || child.value.contains(line, column)
            };
            match node.children.iter().rev().find(inside) {
                Some(&child) => id = child as usize,
                None => break,
            }
        }
        self.path(id)
    }

    /// The path of a node, from the document's root.
    fn path(&self, mut id: usize) -> String {
        let mut steps = Vec::new();
        while let Some(node) = self.nodes.get(id).filter(|node| node.step != Step::Root) {
            steps.push(&node.step);
            id = node.parent as usize;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            match step {
                Step::Root => {}
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
                Step::Key(key) if key.contains(['.', '[', '/']) => {
                    path.push('[');
                    path.push_str(key);
                    path.push(']');
                }
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
            }
        }
        path
    }
}
