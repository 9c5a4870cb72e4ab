//! StatefulSets: defaults, checks, table.

use super::{default_template, prepare, validate_counts, validate_selector, warnings};
use crate::api::kinds::field::{Errors, each, fill, one_of};
use crate::api::kinds::table::{AGE, NAME, containers, count, shown, wide};
use crate::api::kinds::{Rules, age, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// The rules of StatefulSets.
pub(in crate::api::kinds) const RULES: Rules = Rules {
    default,
    prepare_create: |document| prepare(document, value!({ "availableReplicas": 0, "replicas": 0 })),
    prepare_update: metadata::count_changes,
    validate,
    validate_update,
    warnings,
    columns: COLUMNS,
    cells,
};

/// What of a StatefulSet's `spec` may change.
const MUTABLE: [&str; 8] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "paused",
];

/// `SetDefaults_StatefulSet`.
fn default(document: &mut Value) {
    let spec = document.field_mut("spec");
    default_template(spec);
    fill(
        spec,
        &[
            ("podManagementPolicy", Value::text("OrderedReady")),
            ("replicas", Value::Int(1)),
            ("revisionHistoryLimit", Value::Int(10)),
        ],
    );
    if spec.at(&["updateStrategy", "type"]).is_empty() {
        spec.field_mut("updateStrategy").set("type", "RollingUpdate");
    }
    let strategy = spec.get("updateStrategy");
    if strategy.get("type").str() == "RollingUpdate" && strategy.at(&["rollingUpdate", "partition"]).is_null()
    {
        spec.set_at(&["updateStrategy", "rollingUpdate", "partition"], 0);
    }
    for field in ["whenDeleted", "whenScaled"] {
        if spec.at(&["persistentVolumeClaimRetentionPolicy", field]).is_empty() {
            spec.field_mut("persistentVolumeClaimRetentionPolicy").set(field, "Retain");
        }
    }
    each(spec, "volumeClaimTemplates", |claim| {
        fill(claim, &[("apiVersion", Value::text("v1")), ("kind", Value::text("PersistentVolumeClaim"))]);
        if claim.at(&["spec", "volumeMode"]).is_null() {
            claim.set_at(&["spec", "volumeMode"], "Filesystem");
        }
        if claim.get("status").is_null() {
            claim.set("status", value!({ "phase": "Pending" }));
        }
    });
}

fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::StatefulSet, document);
    let spec = document.get("spec");
    one_of(
        &mut errors,
        "spec.podManagementPolicy",
        spec.get("podManagementPolicy"),
        &["OrderedReady", "Parallel"],
    );
    let strategy = spec.get("updateStrategy");
    one_of(&mut errors, "spec.updateStrategy.type", strategy.get("type"), &["OnDelete", "RollingUpdate"]);
    if strategy.get("type").str() == "OnDelete" && !strategy.get("rollingUpdate").is_null() {
        let why = "only allowed for updateStrategy 'RollingUpdate'";
        let shown = crate::api::json::compact(strategy.get("rollingUpdate"));
        errors.push(FieldError::invalid("spec.updateStrategy.rollingUpdate", shown, why));
    }
    validate_counts(spec, &["replicas", "minReadySeconds"], &mut errors);
    validate_selector(spec, "statefulset", &mut errors);
    errors
}

fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = validate(document);
    let rest = |document: &Value| {
        let mut spec = document.get("spec").clone();
        spec.map_mut().retain(|field, _| !MUTABLE.contains(&field));
        spec
    };
    if rest(document) != rest(before) {
        errors.push(FieldError::forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
             'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
             'minReadySeconds' are forbidden",
        ));
    }
    errors
}

const COLUMNS: &[Column] = &[NAME, shown("Ready"), AGE, wide("Containers"), wide("Images")];

fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let [names, images] = containers(object.spec().get("template"));
    let ready = count(object.status().get("readyReplicas"));
    vec![
        object.key.name.to_string(),
        format!("{ready}/{}", count(object.spec().get("replicas"))),
        age(object, now),
        names,
        images,
    ]
}
