//! Splits a linked WebAssembly module in two: what the first paint needs, and the rest.
//!
//! The page is one program, and most of it is commands that nobody has typed yet. This tool takes the module
//! as wasm-bindgen and wasm-opt leave it and a record of the functions that run until the page can be typed
//! into, and writes two modules that together are the one:
//!
//! - The **first part** has the recorded functions and the data that they can reach. Its imports and exports
//!   are those of the whole module, so wasm-bindgen's script fits it; one import more, [`LOAD`] of
//!   [`PAGE`], asks the page's script to add the second part at once.
//! - The **second part** has all else. It imports memory, tables and globals from the first one.
//!
//! Calls between the two go through the function table, where every function that the other part needs has a
//! place. What was moved away is answered in the first part by a small stub that loads the second part and
//! calls again. So a record that misses a function costs time, never correctness: any set of functions gives
//! a program that does the same.
//!
//! Start at [`split`]. [`module`] reads, [`plan`] decides, [`data`] finds what data the kept functions can
//! reach, [`write`] writes; [`record`] makes the module whose run tells which functions run.
//!
//! The tool knows nothing of Portside: it reads no names, and works on any module that [`module`] accepts.

mod access;
pub mod cold;
pub mod data;
mod live;
pub mod module;
pub mod outline;
pub mod plan;
pub mod record;
pub mod write;

pub use module::Error;

use std::collections::BTreeSet;

/// The module name of what a part imports from the page's script.
pub const PAGE: &str = "page";
/// The function of [`PAGE`] that instantiates the second part before it returns.
pub const LOAD: &str = "load_second_part";
/// The module name under which the second part imports the exports of the first.
pub const FIRST: &str = "first";

/// The two parts.
#[derive(Debug)]
pub struct Parts {
    /// What takes the place of the whole module.
    pub first: Vec<u8>,
    /// What is instantiated with the exports of the first part as its imports.
    pub second: Vec<u8>,
}

/// What was seen of a run of a recording module (see [`record::recording`]).
#[derive(Debug, Default)]
pub struct Seen {
    /// The points that were passed.
    pub points: BTreeSet<u32>,
    /// Addresses of static data that was read, with the number of bytes.
    pub reads: BTreeSet<(u32, u32)>,
}

/// Splits a module: what was seen is kept in the first part.
///
/// # Errors
///
/// When the module is broken, or uses a feature that linked Rust programs do not.
pub fn split(module: &[u8], seen: &Seen) -> Result<Parts, Error> {
    split_at(module, seen, outline::LEAST_BYTES)
}

/// Like [`split`], with another size from which parts of functions are moved.
///
/// # Errors
///
/// As [`split`].
pub fn split_at(module: &[u8], seen: &Seen, least: u64) -> Result<Parts, Error> {
    let outlined = outline::outline(module, &seen.points, least)?;
    let module = module::Module::read(&outlined.module)?;
    let uses = plan::uses(&module)?;
    let plan = plan::Plan::new(&module, &uses, &outlined.ran)?;
    let data = data::Placement::new(&module, &uses, &plan, &seen.reads);
    Ok(Parts { first: write::first(&module, &plan, &data)?, second: write::second(&module, &plan, &data)? })
}
