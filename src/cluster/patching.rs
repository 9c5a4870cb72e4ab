//! Patches: what the document becomes when a patch is applied to it.
//!
//! Owns the choice of algorithm; the algorithms are in [`crate::api`].

use std::sync::Arc;

use super::request::Patch;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::Status;
use crate::api::value::Value;

/// The document after a patch.
///
/// # Errors
///
/// A patch that does not fit the document.
pub(super) fn patched(
    kind: Kind,
    before: &Arc<Object>,
    patch: &Patch,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let _ = (kind, &warnings);
    match patch {
        Patch::Merge(patch) | Patch::Strategic(patch) => Ok(merge(&before.value, patch)),
        Patch::Json(_) => Ok(before.value.clone()),
    }
}

/// JSON merge patch, RFC 7386.
fn merge(target: &Value, patch: &Value) -> Value {
    let Some(changes) = patch.as_map() else { return patch.clone() };
    let mut merged = if target.as_map().is_some() { target.clone() } else { Value::map() };
    for (key, change) in changes.iter() {
        if change.is_null() {
            merged.remove(key);
        } else {
            let value = merge(merged.get(key), change);
            merged.map_mut().insert(key.clone(), value);
        }
    }
    merged
}
