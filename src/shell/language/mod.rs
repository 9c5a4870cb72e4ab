//! The language of the shell: the POSIX shell's, with what bash adds and people use daily.
//!
//! - [`tree`]: what a script is; [`parser`] and [`words`]: from text to the tree, with the shells' own messages.
//! - [`expansion`]: fields out of words, without running anything; [`braces`]: `{a,b}` and `{1..5}`.
//! - [`pattern`]: `*`, `?` and `[…]`; [`arithmetic`]: `$((…))`.
//!
//! Nothing here runs a command or reads a file: [`super::interpreter`] does.

pub mod arithmetic;
pub mod braces;
pub mod expansion;
pub mod parser;
pub mod pattern;
pub mod tree;
mod words;
