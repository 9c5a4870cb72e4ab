//! StatefulSets: defaults, checks, table.

use super::{default_template, match_template, only_endless, prepare, validate_counts, warnings};
use crate::api::json;
use crate::api::kinds::field::{
    Errors, each, fill, label_selector, labels, nonnegative, one_of, shown as shown_value,
};
use crate::api::kinds::table::{AGE, NAME, containers, count, shown, wide};
use crate::api::kinds::{Rules, age, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
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
    match spec.get("podManagementPolicy").str() {
        "" => errors.push(FieldError::required("spec.podManagementPolicy", "")),
        "OrderedReady" | "Parallel" => {}
        other => {
            let why = "must be 'OrderedReady' or 'Parallel'";
            errors.push(FieldError::invalid("spec.podManagementPolicy", json::quote(other), why));
        }
    }
    strategy(spec.get("updateStrategy"), &mut errors);
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"] {
        let path = format!("spec.persistentVolumeClaimRetentionPolicy.{field}");
        one_of(&mut errors, &path, retention.get(field), &["Retain", "Delete"]);
    }
    validate_counts(spec, &["replicas", "minReadySeconds"], &mut errors);
    nonnegative(&mut errors, "spec.ordinals.start", spec.at(&["ordinals", "start"]));
    selector(spec, &mut errors);
    let template = spec.get("template");
    only_endless(template, Kind::StatefulSet, &mut errors);
    errors
}

fn strategy(strategy: &Value, errors: &mut Errors) {
    let update = strategy.get("rollingUpdate");
    // The server shows its own form of these objects.
    let shown = || {
        if update.is_null() {
            return "null".to_owned();
        }
        let partition = update.get("partition").as_int().unwrap_or(0);
        format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}")
    };
    match strategy.get("type").str() {
        "" => errors.push(FieldError::required("spec.updateStrategy", "")),
        "OnDelete" if !update.is_null() => {
            let why = "only allowed for updateStrategy 'RollingUpdate'";
            errors.push(FieldError::invalid("spec.updateStrategy.rollingUpdate", shown(), why));
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            nonnegative(errors, "spec.updateStrategy.rollingUpdate.partition", update.get("partition"));
        }
        other => {
            let value = format!("{{\"Type\":{},\"RollingUpdate\":{}}}", json::quote(other), shown());
            let why = "must be 'RollingUpdate' or 'OnDelete'";
            errors.push(FieldError::invalid("spec.updateStrategy", value, why));
        }
    }
}

/// The selector and the labels of the template. The rest of the template is checked when a Pod is made from
/// it: claims, which its containers may mount, are no volumes yet.
fn selector(spec: &Value, errors: &mut Errors) {
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    let before = errors.len();
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(errors, "spec.selector", selector);
        if selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty() {
            errors.push(shown_value("spec.selector", selector, "empty selector is invalid for statefulset"));
        }
    }
    match Selector::of_label_selector(selector) {
        Some(found) if errors.len() == before => {
            match_template(template, Some(&found), "spec.template", errors);
        }
        Some(_) if !super::is_selector(selector) => errors.push(shown_value("spec.selector", selector, "")),
        Some(_) => {}
        None => match_template(template, None, "spec.template", errors),
    }
    let meta = template.get("metadata");
    labels(errors, "spec.template.labels", meta.get("labels"));
    metadata::annotations(errors, "spec.template.annotations", meta.get("annotations"));
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
