//! Objects as the Kubernetes API sees them.
//!
//! Owns the document value, reading and writing YAML and JSON, strict decoding, defaults, validation,
//! selectors, the registry of kinds, `Status` errors and tables. It knows nothing of a store, of time
//! passing or of a network. Start at [`value::Value`], then [`object::Object`] and [`registry`].

pub mod base64;
pub mod cron;
pub mod decode;
pub mod field_set;
pub mod field_words;
mod go_time;
pub mod go_types;
pub mod json;
pub mod kinds;
pub mod line_diff;
pub mod object;
pub mod patch;
pub mod quantity;
pub mod registry;
pub mod schema;
pub mod selector;
pub mod status;
pub mod table;
pub mod time;
pub mod time_zone;
pub mod typed;
pub mod value;
pub mod yaml;
