//! What makes an object the same one after an update: its name, and what the server alone writes of its metadata.

use super::request::Request;
use crate::api::status::{Reason, Status};
use crate::api::value::Value;

/// An update names the object that it is sent to, or none.
pub(super) fn same_object(request: &Request, document: &Value) -> Result<(), Status> {
    let metadata = document.get("metadata");
    let refuse = |what: &str, given: &str, place: &str, wanted: &str| {
        let why =
            format!("the {what} of the object ({given}) does not match the {what} on the {place} ({wanted})");
        Err(Status::new(Reason::BadRequest, why))
    };
    let (name, namespace) = (metadata.get("name").str(), metadata.get("namespace").str());
    if !name.is_empty() && name != request.name {
        return refuse("name", name, "URL", &request.name);
    }
    if request.kind.info().namespaced && !namespace.is_empty() && namespace != request.namespace {
        return refuse("namespace", namespace, "request", &request.namespace);
    }
    Ok(())
}

/// What an update cannot change: the server's part of `metadata`.
pub(super) fn keep_identity(document: &mut Value, before: &Value) {
    let old = before.get("metadata");
    let metadata = document.field_mut("metadata");
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generateName",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
    ] {
        restore_field(metadata, old, field);
    }
    metadata.remove("managedFields");
    metadata.remove("selfLink");
}

/// Gives a field the value it had before, be it none.
pub(super) fn restore_field(document: &mut Value, before: &Value, field: &'static str) {
    let old = before.get(field);
    if old == document.get(field) {
        return;
    }
    if old.is_null() {
        document.remove(field);
    } else {
        document.set(field, old.clone());
    }
}
