//! DaemonSets: defaults, checks, table.

use super::deployment::{amount, capitalized, count_or_percent};
use super::{
    default_template, keep_selector, match_template, only_endless, prepare, validate_counts, warnings,
};
use crate::api::json;
use crate::api::kinds::field::{Errors, fill, label_selector, shown as shown_value};
use crate::api::kinds::table::{AGE, NAME, containers, count, label_pairs, selector, shown, wide};
use crate::api::kinds::{Rules, age, count_generation, metadata, pod};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// Where the number of the template is kept, for clients of old.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// The rules of DaemonSets.
pub(in crate::api::kinds) const RULES: Rules = Rules {
    default,
    prepare_create: |document| {
        document.at_mut(&["metadata", "annotations"]).set(TEMPLATE_GENERATION, "1");
        prepare(
            document,
            value!({
                "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0
            }),
        );
    },
    prepare_update,
    validate,
    validate_update: |document, before| {
        let mut errors = validate(document);
        keep_selector(document, before, &mut errors);
        errors
    },
    warnings,
    columns: COLUMNS,
    cells,
};

/// `SetDefaults_DaemonSet`.
fn default(document: &mut Value) {
    let spec = document.field_mut("spec");
    default_template(spec);
    spec.set_default("revisionHistoryLimit", 10);
    let strategy = spec.get("updateStrategy");
    if matches!(strategy.get("type").str(), "" | "RollingUpdate") {
        let complete = ["maxUnavailable", "maxSurge"]
            .iter()
            .all(|field| !strategy.at(&["rollingUpdate", field]).is_null());
        if !complete || strategy.get("type").is_empty() {
            let strategy = spec.field_mut("updateStrategy");
            strategy.set("type", "RollingUpdate");
            let update = strategy.field_mut("rollingUpdate");
            fill(update, &[("maxUnavailable", Value::Int(1)), ("maxSurge", Value::Int(0))]);
        }
    }
}

fn prepare_update(document: &mut Value, before: &Value) {
    let annotation = ["metadata", "annotations", TEMPLATE_GENERATION];
    let number: i64 = before.at(&annotation).str().parse().unwrap_or(1);
    let template = ["spec", "template"];
    let changed = document.at(&template) != before.at(&template);
    let number = (number + i64::from(changed)).to_string();
    if document.at(&annotation).str() != number {
        document.at_mut(&["metadata", "annotations"]).set(TEMPLATE_GENERATION, number);
    }
    if document.get("spec") != before.get("spec") {
        count_generation(document);
    }
}

fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::DaemonSet, document);
    let (spec, before) = (document.get("spec"), errors.len());
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    label_selector(&mut errors, "spec.selector", selector);
    if errors.len() == before {
        match_template(
            template,
            Selector::of_label_selector(selector).as_ref(),
            "spec.template",
            &mut errors,
        );
    }
    let empty = selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty();
    if !selector.is_null() && empty {
        errors.push(shown_value("spec.selector", selector, "empty selector is invalid for daemonset"));
    }
    pod::validate_template(template, "spec.template", &mut errors);
    only_endless(template, Kind::DaemonSet, &mut errors);
    validate_counts(spec, &["minReadySeconds"], &mut errors);
    strategy(spec.get("updateStrategy"), &mut errors);
    validate_counts(spec, &["revisionHistoryLimit"], &mut errors);
    errors
}

fn strategy(strategy: &Value, errors: &mut Errors) {
    let update = strategy.get("rollingUpdate");
    match strategy.get("type").str() {
        "OnDelete" => {}
        "RollingUpdate" if update.is_null() => {
            errors.push(FieldError::required("spec.updateStrategy.rollingUpdate", ""));
        }
        "RollingUpdate" => limits(update, errors),
        other => {
            // The server shows its own form of the object here.
            let shown =
                format!("{{\"Type\":{},\"RollingUpdate\":{}}}", json::quote(other), capitalized(update));
            let supported = ["RollingUpdate", "OnDelete"];
            errors.push(FieldError::not_supported("spec.updateStrategy", shown, &supported));
        }
    }
}

/// Exactly one of the two limits of a rolling update is more than nothing.
fn limits(update: &Value, errors: &mut Errors) {
    let path = |field: &str| format!("spec.updateStrategy.rollingUpdate.{field}");
    let values = ["maxUnavailable", "maxSurge"].map(|field| (field, update.get(field)));
    for (field, value) in values {
        count_or_percent(value, &path(field), errors);
    }
    for (field, value) in values {
        if value.as_str().is_some() && amount(value) > 100 {
            errors.push(shown_value(path(field), value, "must not be greater than 100%"));
        }
    }
    match values.map(|(_, value)| amount(value) != 0) {
        [true, true] => {
            let why = "may not be set when maxUnavailable is non-zero";
            errors.push(shown_value(path("maxSurge"), update.get("maxSurge"), why));
        }
        [false, false] => {
            let why = "cannot be 0 when maxSurge is 0";
            errors.push(FieldError::required(path("maxUnavailable"), why));
        }
        _ => {}
    }
}

const COLUMNS: &[Column] = &[
    NAME,
    shown("Desired"),
    shown("Current"),
    shown("Ready"),
    shown("Up-to-date"),
    shown("Available"),
    shown("Node Selector"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let [names, images] = containers(spec.get("template"));
    let mut cells = vec![object.key.name.to_string()];
    for field in [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ] {
        cells.push(count(status.get(field)));
    }
    cells.push(label_pairs(spec.at(&["template", "spec", "nodeSelector"])));
    cells.extend([age(object, now), names, images, selector(spec.get("selector"))]);
    cells
}
