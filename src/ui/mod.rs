//! The page: components over a simulated cluster.
//!
//! Start at [`page`], which puts the parts together, and [`world`], through which every part reads and
//! changes the simulation. [`model`] and [`words`] know no browser and are tested natively; everything else
//! exists only in the browser.
//!
//! A component gets ids and small values and subscribes to the topics that it shows. What has a name on the
//! map carries it in a `data-thing` attribute: [`focus`] lights up the same thing everywhere by it.

pub mod model;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod alarm;
#[cfg(target_arch = "wasm32")]
mod code_mirror;
#[cfg(target_arch = "wasm32")]
mod dom;
#[cfg(target_arch = "wasm32")]
mod edit_pane;
#[cfg(target_arch = "wasm32")]
mod editor;
#[cfg(target_arch = "wasm32")]
mod files;
#[cfg(target_arch = "wasm32")]
mod focus;
#[cfg(target_arch = "wasm32")]
mod icons;
#[cfg(target_arch = "wasm32")]
mod inspector;
#[cfg(target_arch = "wasm32")]
mod link;
#[cfg(target_arch = "wasm32")]
mod map;
#[cfg(target_arch = "wasm32")]
mod notices;
#[cfg(target_arch = "wasm32")]
mod packet;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod palette;
#[cfg(target_arch = "wasm32")]
mod panels;
#[cfg(target_arch = "wasm32")]
mod paste;
#[cfg(target_arch = "wasm32")]
mod player;
#[cfg(target_arch = "wasm32")]
mod send;
#[cfg(target_arch = "wasm32")]
mod settings;
#[cfg(target_arch = "wasm32")]
mod terminal;
#[cfg(target_arch = "wasm32")]
mod top_bar;
#[cfg(target_arch = "wasm32")]
pub mod world;

#[cfg(target_arch = "wasm32")]
pub use page::{Page, mount, mount_in};
