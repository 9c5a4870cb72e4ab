//! ReplicaSets and ReplicationControllers: defaults, checks, table.

use super::{
    default_template, keep_selector, prepare, validate_counts, validate_selector, validate_template,
    warnings_with_name,
};
use crate::api::kinds::field::{Errors, labels};
use crate::api::kinds::table::{AGE, NAME, containers, count, label_pairs, selector, shown, wide};
use crate::api::kinds::{Rules, age, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// The rules of ReplicaSets.
pub(in crate::api::kinds) const RULES: Rules = Rules {
    default,
    prepare_create: |document| prepare(document, value!({ "replicas": 0 })),
    prepare_update: metadata::count_changes,
    validate,
    validate_update: |document, before| {
        let mut errors = validate(document);
        keep_selector(document, before, &mut errors);
        errors
    },
    warnings: warnings_with_name,
    columns: COLUMNS,
    cells: |object, now| cells(object, now, selector(object.spec().get("selector"))),
};

/// The rules of ReplicationControllers.
pub(in crate::api::kinds) const CONTROLLER_RULES: Rules = Rules {
    default: default_controller,
    prepare_create: |document| prepare(document, value!({ "replicas": 0 })),
    prepare_update: metadata::count_changes,
    validate: validate_controller,
    validate_update: |document, _| validate_controller(document),
    warnings: warnings_with_name,
    columns: COLUMNS,
    cells: |object, now| cells(object, now, label_pairs(object.spec().get("selector"))),
};

fn default(document: &mut Value) {
    let spec = document.field_mut("spec");
    default_template(spec);
    spec.set_default("replicas", 1);
}

/// A ReplicationController takes selector and labels from its template.
fn default_controller(document: &mut Value) {
    let template = document.at(&["spec", "template", "metadata", "labels"]).clone();
    if !template.is_empty() {
        let spec = document.field_mut("spec");
        if spec.get("selector").is_empty() {
            spec.set("selector", template.clone());
        }
        let metadata = document.field_mut("metadata");
        if metadata.get("labels").is_empty() {
            metadata.set("labels", template);
        }
    }
    default(document);
}

fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::ReplicaSet, document);
    let spec = document.get("spec");
    validate_counts(spec, &["replicas", "minReadySeconds"], &mut errors);
    // The server says "deployment" here.
    validate_selector(spec, "deployment", Kind::ReplicaSet, &mut errors);
    errors
}

fn validate_controller(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::ReplicationController, document);
    let spec = document.get("spec");
    validate_counts(spec, &["minReadySeconds"], &mut errors);
    labels(&mut errors, "spec.selector", spec.get("selector"));
    let selector = Selector::of_pairs(spec.get("selector"));
    if selector.is_none() {
        errors.push(FieldError::required("spec.selector", ""));
    }
    validate_counts(spec, &["replicas"], &mut errors);
    validate_template(spec, Some(&selector.unwrap_or_default()), Kind::ReplicationController, &mut errors);
    errors
}

const COLUMNS: &[Column] = &[
    NAME,
    shown("Desired"),
    shown("Current"),
    shown("Ready"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn cells(object: &Object, now: Timestamp, selector: String) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let [names, images] = containers(spec.get("template"));
    vec![
        object.key.name.to_string(),
        count(spec.get("replicas")),
        count(status.get("replicas")),
        count(status.get("readyReplicas")),
        age(object, now),
        names,
        images,
        selector,
    ]
}
