//! Patches: what the document becomes when a patch is applied to it.
//!
//! Owns the choice of algorithm and the refusals; the algorithms are in [`crate::api::patch`].

use std::sync::Arc;

use super::actor::Actor;
use super::decoding;
use super::request::{Patch, Request};
use crate::api::object::Object;
use crate::api::patch::{json_patch, merge, strategic};
use crate::api::status::{FieldError, Reason, Status};
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
            .map_err(|error| Status::new(Reason::Unknown, error.message))?,
        // The real server tells no more than this either.
        Patch::Json(patch) => json_patch::apply(&before.value, patch).map_err(|_| {
            let why = "the server rejected our request due to an error in our request";
            Status::new(Reason::Invalid, why)
        })?,
    };
    let mut document = decoding::patched(request, document, || decoding::shown(patch), warnings)?;
    // What an object is no patch changes.
    for field in ["apiVersion", "kind"] {
        document.set(field, before.value.get(field).clone());
    }
    if request.actor == Actor::User {
        refuse_another(request, &document, before)?;
    }
    Ok(document)
}

/// Refuses a document of another object.
fn refuse_another(request: &Request, document: &Value, before: &Object) -> Result<(), Status> {
    let metadata = document.get("metadata");
    if metadata.get("namespace").str() != request.namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::new(Reason::BadRequest, why));
    }
    let name = metadata.get("name").str();
    if name != request.name {
        let why =
            format!("the name of the object ({name}) does not match the name on the URL ({})", request.name);
        return Err(Status::new(Reason::BadRequest, why));
    }
    let (uid, version) = (metadata.get("uid").str(), metadata.get("resourceVersion").str());
    let current = version.is_empty() || version.parse() == Ok(before.meta.resource_version);
    if current && !uid.is_empty() && uid != before.meta.uid {
        let causes = vec![FieldError::invalid("metadata.uid", format!("{uid:?}"), "field is immutable")];
        return Err(Status::invalid(request.kind, &request.name, causes));
    }
    Ok(())
}
