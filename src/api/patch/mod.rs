//! Patches: what a document becomes by one, and which one leads from a document to another.
//!
//! Owns the three kinds that the API server accepts and the patch that `kubectl apply` makes. All work on
//! [`Value`](super::value::Value)s and share what they do not touch, which is also why JSON patch is our
//! own: the crate for it works on `serde_json`'s values. Start at [`strategic::apply`], [`merge::apply`],
//! [`json_patch::apply`] and [`diff::three_way`].

use std::fmt;

use super::value::Value;

pub mod diff;
pub mod json_patch;
pub mod last_applied;
pub mod merge;
pub mod strategic;

/// Why a patch does not fit a document, in the API server's words.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchError {
    /// What the API server says.
    pub message: String,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl PatchError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// An item of a merged list that lacks the field by which items are matched.
    fn no_merge_key(item: &Value, key: &str) -> Self {
        Self::new(format!("map: {} does not contain declared merge key: {key}", super::json::go_print(item)))
    }
}

/// Replace, delete or merge: what a map says about itself in a strategic merge patch.
const DIRECTIVE: &str = "$patch";
/// The keys that stay, all others go.
const RETAIN_KEYS: &str = "$retainKeys";
/// The items of a list of words that go; the field's name follows.
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
/// The order of a merged list; the field's name follows.
const ELEMENT_ORDER: &str = "$setElementOrder/";
