//! Tables as the API server answers them: columns and rows of cells.
//!
//! Owns the shape only. Which columns a kind has is said in [`super::kinds`]; widths and padding are
//! kubectl's business.

use std::sync::Arc;

use super::object::Object;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The header as the server names it (`Name`); kubectl prints it in capitals.
    pub name: &'static str,
    /// 0 for columns that are always shown, 1 for those of `-o wide`.
    pub priority: u8,
}

/// A table: the server's answer to a `get` that asks for one.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: &'static [Column],
    /// The rows, in the order of the list.
    pub rows: Vec<Row>,
}

/// A row with the object it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One text per column.
    pub cells: Vec<String>,
    /// The object.
    pub object: Arc<Object>,
}
