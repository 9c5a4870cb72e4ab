//! `metadata`: what is checked of it for every kind.
//!
//! Owns the checks of names, labels, annotations and finalizers, and the counting of `generation`. Source:
//! k8s.io/apimachinery `ValidateObjectMeta`.

use super::field::{self, Errors};
use super::names::{self, Check};
use crate::api::json;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// How many bytes the annotations of one object may have, keys and values together.
const ANNOTATION_LIMIT: usize = 256 * 1024;

/// Which names a kind's objects may have.
pub(super) fn name_rule(kind: Kind) -> Check {
    match kind {
        Kind::Service | Kind::Namespace | Kind::StatefulSet => names::dns_label,
        Kind::ClusterRole | Kind::ClusterRoleBinding | Kind::Role | Kind::RoleBinding => names::path_segment,
        _ => names::dns_subdomain,
    }
}

/// Checks the metadata of an object of this kind.
pub(super) fn validate(kind: Kind, document: &Value) -> Errors {
    let metadata = document.get("metadata");
    let rule = name_rule(kind);
    let mut errors = Vec::new();
    let prefix = metadata.get("generateName").str();
    if !prefix.is_empty() {
        // The prefix may end in what only may stand inside: the suffix follows.
        let masked = prefix.strip_suffix('-').map(|rest| format!("{rest}a"));
        for why in rule(masked.as_deref().unwrap_or(prefix)) {
            errors.push(FieldError::invalid("metadata.generateName", json::quote(prefix), why));
        }
    }
    match metadata.get("name").str() {
        "" => errors.push(FieldError::required("metadata.name", "name or generateName is required")),
        name => field::text(&mut errors, "metadata.name", name, rule),
    }
    field::labels(&mut errors, "metadata.labels", metadata.get("labels"));
    annotations(&mut errors, "metadata.annotations", metadata.get("annotations"));
    for (index, finalizer) in metadata.get("finalizers").items().iter().enumerate() {
        let path = format!("metadata.finalizers[{index}]");
        field::text(&mut errors, &path, finalizer.str(), names::label_key);
    }
    errors
}

/// Checks annotations: keys as those of labels in any case, and the size of all together.
pub(super) fn annotations(errors: &mut Errors, path: &str, annotations: &Value) {
    let mut size = 0;
    for (key, value) in annotations.entries() {
        for why in names::label_key(&key.to_lowercase()) {
            errors.push(FieldError::invalid(path, json::quote(key), why));
        }
        size += key.len() + value.str().len();
    }
    if size > ANNOTATION_LIMIT {
        errors.push(FieldError::too_long(path, ANNOTATION_LIMIT));
    }
}

/// Starts to count generations.
pub(super) fn first_generation(document: &mut Value) {
    document.field_mut("metadata").set("generation", 1);
}

/// Counts the generation up where `spec` changed.
pub(super) fn count_changes(document: &mut Value, before: &Value) {
    if document.get("spec") != before.get("spec") {
        super::count_generation(document);
    }
}
