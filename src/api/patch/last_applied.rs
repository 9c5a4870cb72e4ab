//! The annotation in which `kubectl apply` keeps what was applied last.
//!
//! Owns its name and its making; what a later apply does with it is in [`super::diff`].

use crate::api::json;
use crate::api::value::Value;

/// The annotation.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A manifest with itself in the annotation.
#[must_use]
pub fn with_last_applied(manifest: &Value) -> Value {
    let mut annotated = manifest.clone();
    annotated.field_mut("metadata").field_mut("annotations").map_mut().remove(LAST_APPLIED);
    let text = json::compact(&annotated) + "\n";
    annotated.at_mut(&["metadata", "annotations"]).set(LAST_APPLIED, text);
    annotated
}
