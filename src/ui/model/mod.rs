//! What the page shows, as plain values: no browser in here, so all of it is tested natively.
//!
//! - [`map`]: nodes, Pods, Services and endpoints, kept up to date from the journal; [`cells`]: which cell a
//!   Pod has; [`layout`]: where everything stands.
//! - [`facts`]: what the inspector says of an object.
//! - [`journey`]: the way of a packet over the map; [`passing`]: what would let one pass that failed;
//!   [`flows`]: what nodes remember of connections; [`rules`]: the rules of a node, and which of them matched.
//! - [`screen`]: what a terminal has printed, in blocks that are painted once.
//! - [`things`]: names and addresses in any text, and what they mean.
//! - [`completion`]: what may stand where the cursor is in a manifest.
//! - [`marks`]: what is wrong with a manifest, and which Pods its Services select; [`plan`]: what applying it
//!   would change.
//! - [`palette`]: what ⌘K finds.
//! - [`clock`]: from frames of the browser to virtual time.

pub mod cells;
pub mod clock;
pub mod completion;
pub mod facts;
pub mod flows;
pub mod journey;
pub mod journey_words;
pub mod layout;
pub mod map;
pub mod marks;
pub mod palette;
pub mod passing;
pub mod plan;
pub mod rules;
pub mod screen;
pub mod things;
