//! Sessions: what outlives a page or a run.
//!
//! - [`save`]: the state that survives a reload.
//! - [`first_world`]: what a person finds who comes for the first time.

pub mod first_world;
pub mod save;
