//! Sessions: what outlives a page or a run, and what a person typed with what came back.
//!
//! - [`save`]: the state that survives a reload; [`share`]: what a link carries.
//! - [`first_world`]: what a person finds who comes for the first time; [`examples`]: manifests to begin with.
//! - [`format`]: recorded sessions as text; [`replay`]: typing them into a new world, which is what
//!   `portside run` and the tests do; [`compare`]: where two of them differ.

pub mod compare;
pub mod condition;
pub mod examples;
pub mod first_world;
pub mod format;
mod masks;
pub mod replay;
pub mod save;
pub mod share;
