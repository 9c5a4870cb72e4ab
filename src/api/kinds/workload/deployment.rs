//! Deployments: defaults, checks, table.

use super::{
    default_template, keep_selector, prepare, validate_counts, validate_selector, warnings_with_name,
};
use crate::api::json;
use crate::api::kinds::field::{Errors, fill, nonnegative};
use crate::api::kinds::table::{AGE, NAME, containers, count, selector, shown, wide};
use crate::api::kinds::{Rules, age, count_generation, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;

/// The annotation in which the controller counts the revisions of the template.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The rules of Deployments.
pub(in crate::api::kinds) const RULES: Rules = Rules {
    default,
    prepare_create: |document| prepare(document, Value::map()),
    prepare_update,
    validate,
    validate_update,
    warnings: warnings_with_name,
    columns: COLUMNS,
    cells,
};

/// `SetDefaults_Deployment`.
fn default(document: &mut Value) {
    let spec = document.field_mut("spec");
    default_template(spec);
    fill(
        spec,
        &[
            ("replicas", Value::Int(1)),
            ("revisionHistoryLimit", Value::Int(10)),
            ("progressDeadlineSeconds", Value::Int(600)),
        ],
    );
    let strategy = spec.get("strategy");
    if matches!(strategy.get("type").str(), "" | "RollingUpdate") {
        let complete = ["maxUnavailable", "maxSurge"]
            .iter()
            .all(|field| !strategy.at(&["rollingUpdate", field]).is_null());
        if !complete || strategy.get("type").is_empty() {
            let strategy = spec.field_mut("strategy");
            strategy.set("type", "RollingUpdate");
            let update = strategy.field_mut("rollingUpdate");
            fill(update, &[("maxUnavailable", Value::text("25%")), ("maxSurge", Value::text("25%"))]);
        }
    }
}

/// A Deployment's annotations count as part of what it asks for, all but the number of its revision, which
/// the controller writes.
fn prepare_update(document: &mut Value, before: &Value) {
    let annotations = |document: &Value| {
        let mut annotations = document.at(&["metadata", "annotations"]).clone();
        annotations.remove(REVISION);
        if annotations.is_empty() { Value::Null } else { annotations }
    };
    if document.get("spec") != before.get("spec") || annotations(document) != annotations(before) {
        count_generation(document);
    }
}

fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Deployment, document);
    let spec = document.get("spec");
    validate_counts(spec, &["replicas"], &mut errors);
    validate_selector(spec, "deployment", Kind::ReplicaSet, &mut errors);
    strategy(spec.get("strategy"), &mut errors);
    validate_counts(
        spec,
        &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"],
        &mut errors,
    );
    let ready = spec.get("minReadySeconds").as_int().unwrap_or(0);
    if let Some(deadline) = spec.get("progressDeadlineSeconds").as_int().filter(|deadline| *deadline <= ready)
    {
        let why = "must be greater than minReadySeconds";
        errors.push(FieldError::invalid("spec.progressDeadlineSeconds", deadline.to_string(), why));
    }
    errors
}

fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = validate(document);
    keep_selector(document, before, &mut errors);
    errors
}

fn strategy(strategy: &Value, errors: &mut Errors) {
    let update = strategy.get("rollingUpdate");
    match strategy.get("type").str() {
        "RollingUpdate" => rolling_update(update, "spec.strategy.rollingUpdate", errors),
        "Recreate" if !update.is_null() => errors.push(FieldError::forbidden(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
        )),
        "Recreate" => {}
        other => {
            // The server shows its own form of the object here.
            let shown =
                format!("{{\"Type\":{},\"RollingUpdate\":{}}}", json::quote(other), capitalized(update));
            errors.push(FieldError::not_supported("spec.strategy", shown, &["Recreate", "RollingUpdate"]));
        }
    }
}

/// The limits of a rolling update in the server's own form.
pub(super) fn capitalized(update: &Value) -> String {
    if update.is_null() {
        return "null".to_owned();
    }
    let field = |name: &str| match update.get(name) {
        Value::Null => "0".to_owned(),
        value => json::compact(value),
    };
    format!("{{\"MaxUnavailable\":{},\"MaxSurge\":{}}}", field("maxUnavailable"), field("maxSurge"))
}

/// Checks the two limits of a rolling update at `path`.
pub(super) fn rolling_update(update: &Value, path: &str, errors: &mut Errors) {
    let (unavailable, surge) = (update.get("maxUnavailable"), update.get("maxSurge"));
    for (field, value) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
        count_or_percent(value, &format!("{path}.{field}"), errors);
    }
    let unavailable_path = format!("{path}.maxUnavailable");
    if amount(unavailable) == 0 && amount(surge) == 0 {
        let why = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(unavailable_path.clone(), json::compact(unavailable), why));
    }
    if unavailable.as_str().is_some() && amount(unavailable) > 100 {
        let why = "must not be greater than 100%";
        errors.push(FieldError::invalid(unavailable_path, json::compact(unavailable), why));
    }
}

/// Checks a number or a percentage.
pub(in crate::api::kinds) fn count_or_percent(value: &Value, path: &str, errors: &mut Errors) {
    let Some(text) = value.as_str() else {
        nonnegative(errors, path, value);
        return;
    };
    if percent(text).is_none() {
        let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
        errors.push(FieldError::invalid(path, json::quote(text), why));
    }
}

fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// How much a number or percentage is, whatever it is of.
pub(in crate::api::kinds) fn amount(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_int().unwrap_or(0), |text| percent(text).unwrap_or(0))
}

const COLUMNS: &[Column] = &[
    NAME,
    shown("Ready"),
    shown("Up-to-date"),
    shown("Available"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let [names, images] = containers(spec.get("template"));
    vec![
        object.key.name.to_string(),
        format!("{}/{}", count(status.get("readyReplicas")), count(spec.get("replicas"))),
        count(status.get("updatedReplicas")),
        count(status.get("availableReplicas")),
        age(object, now),
        names,
        images,
        selector(spec.get("selector")),
    ]
}
