//! DaemonSets: defaults, checks, table.

use super::deployment::rolling_update;
use super::{default_template, keep_selector, prepare, validate_counts, validate_selector, warnings};
use crate::api::json;
use crate::api::kinds::field::{Errors, fill};
use crate::api::kinds::table::{AGE, NAME, containers, count, label_pairs, selector, shown, wide};
use crate::api::kinds::{Rules, age, count_generation, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
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
    let spec = document.get("spec");
    validate_selector(spec, "daemonset", &mut errors);
    validate_counts(spec, &["minReadySeconds"], &mut errors);
    let strategy = spec.get("updateStrategy");
    match strategy.get("type").str() {
        "OnDelete" => {}
        "RollingUpdate" => {
            rolling_update(strategy.get("rollingUpdate"), "spec.updateStrategy.rollingUpdate", &mut errors);
        }
        other => errors.push(FieldError::not_supported(
            "spec.updateStrategy.type",
            json::quote(other),
            &["OnDelete", "RollingUpdate"],
        )),
    }
    validate_counts(spec, &["revisionHistoryLimit"], &mut errors);
    errors
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
