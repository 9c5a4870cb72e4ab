//! What is checked of disruption budgets, priorities, quotas and ranges of limits.
//!
//! What follows from them is elsewhere: evictions and admission.

use crate::api::json;
use crate::api::kinds::field::{Errors, immutable, label_selector, one_of_or_none, shown};
use crate::api::kinds::metadata;
use crate::api::kinds::pod::resources;
use crate::api::kinds::workload::{amount, count_or_percent};
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const SELECTS_ALL: &str = "spec.selector: an empty selector matches all pods in the namespace";
const EVICTION_POLICIES: [&str; 2] = ["AlwaysAllow", "IfHealthyBudget"];
const PREEMPTION_POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];
/// The largest priority that anybody but the system may give.
const LARGEST_PRIORITY: i64 = 1_000_000_000;
/// Classes of the system with their priorities.
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
const LIMIT_TYPES: [&str; 3] = ["Container", "PersistentVolumeClaim", "Pod"];
const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

/// Checks a PodDisruptionBudget.
pub(in crate::api::kinds) fn budget(document: &Value) -> Errors {
    let mut errors = Vec::new();
    let spec = document.get("spec");
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if !least.is_null() && !most.is_null() {
        // The server shows its own form of the object here.
        let go = |value: &Value| if value.is_null() { "null".to_owned() } else { json::compact(value) };
        let value = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            go(least),
            go(spec.get("selector")),
            go(most),
            go(spec.get("unhealthyPodEvictionPolicy"))
        );
        errors.push(FieldError::invalid("spec", value, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (field, value) in [("minAvailable", least), ("maxUnavailable", most)] {
        let path = format!("spec.{field}");
        if value.is_null() {
            continue;
        }
        count_or_percent(value, &path, &mut errors);
        if value.as_str().is_some() && amount(value) > 100 {
            errors.push(shown(path, value, "must not be greater than 100%"));
        }
    }
    label_selector(&mut errors, "spec.selector", spec.get("selector"));
    one_of_or_none(
        &mut errors,
        "spec.unhealthyPodEvictionPolicy",
        spec.get("unhealthyPodEvictionPolicy"),
        &EVICTION_POLICIES,
    );
    errors.extend(metadata::validate(Kind::PodDisruptionBudget, document));
    errors
}

/// Warns of a budget that selects every Pod.
pub(in crate::api::kinds) fn budget_warnings(document: &Value, _before: Option<&Value>) -> Vec<String> {
    let selector = document.at(&["spec", "selector"]);
    let all = !selector.is_null()
        && selector.get("matchLabels").is_empty()
        && selector.get("matchExpressions").is_empty();
    if all { vec![SELECTS_ALL.to_owned()] } else { Vec::new() }
}

/// Checks a change of a PriorityClass: its value stays.
pub(in crate::api::kinds) fn priority_class_change(document: &Value, before: &Value) -> Errors {
    let mut errors = Vec::new();
    if document.get("value") != before.get("value") {
        errors.push(FieldError::forbidden("value", "may not be changed in an update."));
    }
    let field = "preemptionPolicy";
    immutable(&mut errors, field, document.get(field), before.get(field));
    errors
}

/// Checks a PriorityClass.
pub(in crate::api::kinds) fn priority_class(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::PriorityClass, document);
    let name = document.at(&["metadata", "name"]).str();
    let value = document.get("value").as_int().unwrap_or(0);
    if name.starts_with("system-") {
        match SYSTEM_CLASSES.iter().find(|(class, _)| *class == name) {
            None => {
                let why = format!(
                    "priority class names with 'system-' prefix are reserved for system use only. error: {name} is \
                     not a known system priority class"
                );
                errors.push(FieldError::forbidden("metadata.name", why));
            }
            Some((_, wanted)) if value != *wanted => {
                let why = format!("value of {name} PriorityClass must be {wanted}");
                errors.push(FieldError::forbidden("value", why));
            }
            Some(_) => {}
        }
    } else if value > LARGEST_PRIORITY {
        let why = format!("maximum allowed value of a user defined priority is {LARGEST_PRIORITY}");
        errors.push(FieldError::forbidden("value", why));
    }
    one_of_or_none(&mut errors, "preemptionPolicy", document.get("preemptionPolicy"), &PREEMPTION_POLICIES);
    errors
}

/// Checks a ResourceQuota.
pub(in crate::api::kinds) fn quota(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::ResourceQuota, document);
    let spec = document.get("spec");
    for (name, value) in spec.get("hard").entries() {
        let path = format!("spec.hard[{name}]");
        resources::quota_resource(name, &path, &mut errors);
        resources::amount(name, value.str(), &path, &mut errors);
    }
    let scopes = spec.get("scopes");
    let has = |scope: &str| scopes.items().iter().any(|one| one.str() == scope);
    for scope in scopes.items() {
        if !SCOPES.contains(&scope.str()) {
            errors.push(shown("spec.scopes", scopes, "unsupported scope"));
        }
    }
    if has("BestEffort") && has("NotBestEffort") || has("Terminating") && has("NotTerminating") {
        errors.push(shown("spec.scopes", scopes, "conflicting scopes"));
    }
    errors
}

/// Fills a LimitRange. Of what a container gets, and of what it asks for, nothing said is what is most allowed, and of requests also
/// what is least allowed (`SetDefaults_LimitRangeItem`).
pub(in crate::api::kinds) fn default_limits(limits: &mut Value) {
    if limits.get("type").str() != "Container" {
        return;
    }
    for (field, sources) in [("default", &["max"][..]), ("defaultRequest", &["default", "min"][..])] {
        for source in sources {
            let given: Vec<_> = limits
                .get(source)
                .entries()
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            for (resource, amount) in given {
                if limits.get(field).get(&resource).is_null() {
                    limits.field_mut(field).map_mut().insert(resource, amount);
                }
            }
        }
    }
}

/// Checks a change of a ResourceQuota: its scopes stay.
pub(in crate::api::kinds) fn quota_change(document: &Value, before: &Value) -> Errors {
    let mut errors = quota(document);
    let scopes = |document: &Value| document.at(&["spec", "scopes"]).clone();
    if scopes(document) != scopes(before) {
        errors.push(shown("spec.scopes", &scopes(document), "field is immutable"));
    }
    errors
}

/// Checks a LimitRange.
pub(in crate::api::kinds) fn limit_range(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::LimitRange, document);
    let list = document.at(&["spec", "limits"]).items();
    for (index, item) in list.iter().enumerate() {
        let path = format!("spec.limits[{index}]");
        let kind = item.get("type").str();
        if !kind.contains('/') && !LIMIT_TYPES.contains(&kind) {
            let why = "must be a standard limit type or fully qualified";
            errors.push(FieldError::invalid(format!("{path}.type"), json::quote(kind), why));
        }
        if list[..index].iter().any(|other| other.get("type").str() == kind) {
            errors.push(FieldError::duplicate(format!("{path}.type"), json::quote(kind)));
        }
        limit_item(item, kind, &path, &mut errors);
    }
    errors
}

fn limit_item(item: &Value, kind: &str, path: &str, errors: &mut Errors) {
    let mut names: Vec<&str> = Vec::new();
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        if kind == "Pod" && field.starts_with("default") {
            if !item.get(field).is_empty() {
                let why = "may not be specified when `type` is 'Pod'";
                errors.push(FieldError::forbidden(format!("{path}.{field}"), why));
            }
            continue;
        }
        for (name, _) in item.get(field).entries() {
            let path = format!("{path}.{field}[{name}]");
            if matches!(kind, "Pod" | "Container") {
                resources::container_resource(name, &path, errors);
            } else {
                resources::resource(name, &path, errors);
            }
            names.push(name);
        }
    }
    let storage = |field: &str| !item.get(field).get("storage").is_null();
    if kind == "PersistentVolumeClaim" && !storage("min") && !storage("max") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(FieldError::required(format!("{path}.limits"), why));
    }
    names.sort_unstable();
    names.dedup();
    for name in names {
        limit_order(item, name, path, errors);
    }
}

/// Least, most and what stands between are in order. Each row: two fields of which the first may not be more
/// than the second, the field that is told, which of both is shown, and the words for both.
fn limit_order(item: &Value, resource: &str, path: &str, errors: &mut Errors) {
    const ORDER: [([&str; 2], &str, usize, [&str; 2]); 6] = [
        (["min", "max"], "min", 0, ["min value", "max value"]),
        (["min", "defaultRequest"], "defaultRequest", 1, ["min value", "default request value"]),
        (["defaultRequest", "max"], "defaultRequest", 0, ["default request value", "max value"]),
        (
            ["defaultRequest", "default"],
            "defaultRequest",
            0,
            ["default request value", "default limit value"],
        ),
        (["min", "default"], "default", 0, ["min value", "default value"]),
        (["default", "max"], "default", 1, ["default value", "max value"]),
    ];
    let text = |field: &str| item.get(field).get(resource).str();
    for (fields, told, shows, words) in ORDER {
        let texts = fields.map(text);
        let [Ok(less), Ok(more)] = texts.map(Quantity::parse) else { continue };
        if less.amount_order(more).is_gt() {
            let why = format!("{} {} is greater than {} {}", words[0], texts[0], words[1], texts[1]);
            let path = format!("{path}.{told}[{resource}]");
            errors.push(FieldError::invalid(path, json::quote(texts[shows]), why));
        }
    }
    let ratio = text("maxLimitRequestRatio");
    if Quantity::parse(ratio).is_ok_and(|ratio| ratio.millis() < 1000) {
        let path = format!("{path}.maxLimitRequestRatio[{resource}]");
        errors.push(FieldError::invalid(path, json::quote(ratio), format!("ratio {ratio} is less than 1")));
    }
}
