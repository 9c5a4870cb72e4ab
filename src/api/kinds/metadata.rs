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

/// What the server calls finalizers of its own.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
/// What an update may not change, though it may leave it out.
const FIXED: [&str; 4] = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// Which names a kind's objects may have.
pub(super) fn name_rule(kind: Kind) -> Check {
    match kind {
        Kind::Service | Kind::Namespace | Kind::StatefulSet => names::dns_label,
        Kind::ClusterRole
        | Kind::ClusterRoleBinding
        | Kind::Role
        | Kind::RoleBinding
        | Kind::PodDisruptionBudget => names::path_segment,
        Kind::IPAddress => names::canonical_ip,
        // Events are named by the server's clients, Endpoints and their like by Services.
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
        // The prefix may end in what only may stand inside: the suffix follows (`maskTrailingDash`).
        let masked = prefix.strip_suffix('-').filter(|rest| !rest.is_empty()).map(|rest| {
            let kept = rest.char_indices().next_back().map_or(0, |(at, _)| at);
            format!("{}a", &rest[..kept])
        });
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
    owners(metadata.get("ownerReferences"), &mut errors);
    finalizers(metadata.get("finalizers"), &mut errors);
    errors
}

/// Checks who owns the object. The server does not say which of the references it means.
fn owners(references: &Value, errors: &mut Errors) {
    const PATH: &str = "metadata.ownerReferences";
    let mut controller: Option<String> = None;
    for reference in references.items() {
        let version = reference.get("apiVersion").str();
        if version.rsplit('/').next().is_none_or(str::is_empty) {
            let (path, value) = (format!("{PATH}.apiVersion"), json::quote(version));
            errors.push(FieldError::invalid(path, value, "version must not be empty"));
        }
        for field in ["kind", "name", "uid"] {
            if reference.get(field).is_empty() {
                errors.push(FieldError::invalid(format!("{PATH}.{field}"), "\"\"", "must not be empty"));
            }
        }
        if version == "v1" && reference.get("kind").str() == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(field::shown(PATH, reference, why));
        }
        if reference.get("controller").as_bool() == Some(true) {
            let name = format!("{}/{}", reference.get("kind").str(), reference.get("name").str());
            match &controller {
                Some(first) => {
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for \
                         {first} and {name}"
                    );
                    errors.push(field::shown(PATH, references, &why));
                }
                None => controller = Some(name),
            }
        }
    }
}

fn finalizers(finalizers: &Value, errors: &mut Errors) {
    const PATH: &str = "metadata.finalizers";
    let has = |name: &str| finalizers.items().iter().any(|one| one.str() == name);
    for finalizer in finalizers.items() {
        field::text(errors, PATH, finalizer.str(), names::label_key);
    }
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(field::shown(PATH, finalizers, why));
    }
    for (index, finalizer) in finalizers.items().iter().enumerate() {
        let name = finalizer.str();
        if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(format!("{PATH}[{index}]"), json::quote(name), why));
        }
    }
}

/// Checks what no update of any kind may change (`ValidateObjectMetaUpdate`). Arguments: new, old.
pub fn validate_change(document: &Value, before: &Value) -> Errors {
    let (metadata, old) = (document.get("metadata"), before.get("metadata"));
    let mut errors = Vec::new();
    if !old.get("deletionTimestamp").is_null() {
        let earlier = old.get("finalizers").items();
        let added = metadata.get("finalizers").items().iter().filter(|one| !earlier.contains(one));
        let mut added: Vec<String> = added.map(|one| json::quote(one.str())).collect();
        added.sort_unstable();
        if !added.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            errors.push(FieldError::forbidden("metadata.finalizers", why));
        }
    }
    for field in FIXED {
        if !metadata.get(field).is_null() {
            field::immutable(&mut errors, &format!("metadata.{field}"), metadata.get(field), old.get(field));
        }
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
