//! What is checked of HorizontalPodAutoscalers.
//!
//! Source: `pkg/apis/autoscaling/validation`.

use crate::api::json;
use crate::api::kinds::field::{Errors, required_text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Checks a HorizontalPodAutoscaler.
pub(in crate::api::kinds) fn autoscaler(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::HorizontalPodAutoscaler, document);
    let spec = document.get("spec");
    let (least, most) = (spec.get("minReplicas").as_int(), spec.get("maxReplicas").as_int().unwrap_or(0));
    if let Some(least) = least.filter(|least| *least < 1) {
        let why = "must be greater than or equal to 1";
        errors.push(FieldError::invalid("spec.minReplicas", least.to_string(), why));
    }
    if most < 1 {
        errors.push(FieldError::invalid("spec.maxReplicas", most.to_string(), "must be greater than 0"));
    }
    if least.is_some_and(|least| most < least) {
        let why = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", most.to_string(), why));
    }
    for field in ["kind", "name"] {
        let path = format!("spec.scaleTargetRef.{field}");
        required_text(&mut errors, &path, spec.at(&["scaleTargetRef", field]), names::path_segment);
    }
    for (index, metric) in spec.get("metrics").items().iter().enumerate() {
        one_metric(metric, &format!("spec.metrics[{index}]"), &mut errors);
    }
    errors
}

/// Kinds of metrics with the fields that describe them, in the order in which the server looks at them.
const METRICS: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const METRIC_TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
const TARGET_TYPES: [&str; 3] = ["AverageValue", "Utilization", "Value"];

fn one_metric(metric: &Value, path: &str, errors: &mut Errors) {
    let kind = metric.get("type").str();
    if kind.is_empty() {
        let why = "must specify a metric source type";
        errors.push(FieldError::required(format!("{path}.type"), why));
    }
    if !METRIC_TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(format!("{path}.type"), json::quote(kind), &METRIC_TYPES));
    }
    let given: Vec<&str> =
        METRICS.iter().map(|(_, field)| *field).filter(|field| !metric.get(field).is_null()).collect();
    if let Some(field) = given.first() {
        source(metric.get(field), field, &format!("{path}.{field}"), errors);
    }
    let wanted = METRICS.iter().find(|(name, _)| *name == kind).map_or("", |(_, field)| field);
    if !given.contains(&wanted) {
        let why = "must populate information for the given metric source";
        errors.push(FieldError::required(format!("{path}.{wanted}"), why));
    }
    if given.len() > 1 {
        for field in given.iter().filter(|field| **field != wanted) {
            let why = "must populate the given metric source only";
            errors.push(FieldError::forbidden(format!("{path}.{field}"), why));
        }
    }
}

fn source(source: &Value, field: &str, path: &str, errors: &mut Errors) {
    if matches!(field, "resource" | "containerResource") {
        if source.get("name").is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), "must specify a resource name"));
        }
        if field == "containerResource" && source.get("container").is_empty() {
            errors.push(FieldError::required(format!("{path}.container"), "must specify a container"));
        }
    } else if source.at(&["metric", "name"]).is_empty() {
        errors.push(FieldError::required(format!("{path}.metric.name"), "must specify a metric name"));
    }
    target(source.get("target"), field, &format!("{path}.target"), errors);
}

fn target(target: &Value, field: &str, path: &str, errors: &mut Errors) {
    let kind = target.get("type").str();
    if kind.is_empty() {
        errors.push(FieldError::required(format!("{path}.type"), "must specify a metric target type"));
    } else if !TARGET_TYPES.contains(&kind) {
        let why = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(format!("{path}.type"), json::quote(kind), why));
    }
    let has = |field: &str| !target.get(field).is_null();
    let needs: (&str, &str) = match field {
        "resource" | "containerResource" if !has("averageUtilization") && !has("averageValue") => {
            ("averageUtilization", "must set either a target raw value or a target utilization")
        }
        "pods" if !has("averageValue") => ("averageValue", "must specify a positive target averageValue"),
        "object" | "external" if !has("value") && !has("averageValue") => {
            ("averageValue", "must set either a target value for metric or a per-pod target")
        }
        _ => ("", ""),
    };
    if !needs.0.is_empty() {
        errors.push(FieldError::required(format!("{path}.{}", needs.0), needs.1));
    }
    if has("averageUtilization") && has("averageValue") {
        let why = "may not set both a target raw value and a target utilization";
        errors.push(FieldError::forbidden(format!("{path}.averageValue"), why));
    }
    if let Some(percent) = target.get("averageUtilization").as_int().filter(|percent| *percent < 1) {
        let path = format!("{path}.averageUtilization");
        errors.push(FieldError::invalid(path, percent.to_string(), "must be greater than 0"));
    }
}
