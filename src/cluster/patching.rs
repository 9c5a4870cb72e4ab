//! Patches: what the document becomes when a patch is applied to it.
//!
//! Owns the choice of algorithm and the refusals; the algorithms are in [`crate::api::patch`].

use std::sync::Arc;

use super::decoding;
use super::request::{Patch, Request};
use crate::api::object::Object;
use crate::api::patch::{json_patch, merge, strategic};
use crate::api::status::{Reason, Status};
use crate::api::value::Value;

/// The document after a patch, decoded.
///
/// # Errors
///
/// A patch that does not fit the document, or that makes it one that its kind cannot hold.
pub(super) fn patched(
    request: &Request,
    before: &Arc<Object>,
    patch: &Patch,
    warnings: &mut Vec<String>,
) -> Result<Value, Status> {
    let document = match patch {
        Patch::Merge(patch) => merge::apply(&before.value, patch),
        Patch::Strategic(patch) => strategic::apply(&before.value, patch, decoding::type_of(request.kind))
            .map_err(|error| Status::new(Reason::InternalError, error.message))?,
        // The real server tells no more than this either.
        Patch::Json(patch) => json_patch::apply(&before.value, patch).map_err(|_| {
            let why = "the server rejected our request due to an error in our request";
            Status::new(Reason::Invalid, why)
        })?,
    };
    decoding::patched(request, document, || decoding::shown(patch), warnings)
}
