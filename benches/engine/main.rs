//! The engine's rows of the table of numbers (`make bench`): what is promised, and what was measured.
//!
//! Each part of the engine has a file of rows; this one calls them in turn.

use std::io::Write;

mod network;

/// Prints one row.
pub fn row(what: &str, must_hold: &str, measured: &str) {
    let line = format!("| {what} | {must_hold} | {measured} |\n");
    std::io::stdout().write_all(line.as_bytes()).expect("the table can be written");
}

fn main() {
    network::rows();
}
