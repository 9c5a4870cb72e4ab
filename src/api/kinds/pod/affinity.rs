//! What is checked of wishes about nodes and neighbours (`validateAffinity`).

use crate::api::json;
use crate::api::kinds::field::{Errors, label_selector, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const NOT_WITHOUT_SELECTOR: &str = "must not be specified when labelSelector is not set";

/// Checks the affinities of a `spec`.
pub(super) fn validate(affinity: &Value, path: &str, errors: &mut Errors) {
    let node = affinity.get("nodeAffinity");
    let at = format!("{path}.nodeAffinity");
    if !node.get(REQUIRED).is_null() {
        node_selector(node.get(REQUIRED), &format!("{at}.{REQUIRED}"), errors);
    }
    for (index, term) in node.get(PREFERRED).items().iter().enumerate() {
        let at = format!("{at}.{PREFERRED}[{index}]");
        weight(term, &at, errors);
        // A value that no label can have is let pass here: it only makes the wish vain.
        node_term(term.get("preference"), false, &format!("{at}.preference"), errors);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (wishes, at) = (affinity.get(kind), format!("{path}.{kind}"));
        for (index, term) in wishes.get(REQUIRED).items().iter().enumerate() {
            pod_term(term, &format!("{at}.{REQUIRED}[{index}]"), errors);
        }
        for (index, term) in wishes.get(PREFERRED).items().iter().enumerate() {
            let at = format!("{at}.{PREFERRED}[{index}]");
            weight(term, &at, errors);
            pod_term(term.get("podAffinityTerm"), &format!("{at}.podAffinityTerm"), errors);
        }
    }
}

fn weight(term: &Value, path: &str, errors: &mut Errors) {
    let weight = term.get("weight").as_int().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        let path = format!("{path}.weight");
        errors.push(FieldError::invalid(path, weight.to_string(), "must be in the range 1-100"));
    }
}

/// Checks a selector of nodes (`ValidateNodeSelector`).
pub(in crate::api::kinds) fn node_selector(selector: &Value, path: &str, errors: &mut Errors) {
    let path = format!("{path}.nodeSelectorTerms");
    let terms = selector.get("nodeSelectorTerms").items();
    if terms.is_empty() {
        errors.push(FieldError::required(path, "must have at least one node selector term"));
        return;
    }
    for (index, term) in terms.iter().enumerate() {
        node_term(term, true, &format!("{path}[{index}]"), errors);
    }
}

fn node_term(term: &Value, check_values: bool, path: &str, errors: &mut Errors) {
    for (index, expression) in term.get("matchExpressions").items().iter().enumerate() {
        node_expression(expression, check_values, &format!("{path}.matchExpressions[{index}]"), errors);
    }
    for (index, expression) in term.get("matchFields").items().iter().enumerate() {
        node_field(expression, &format!("{path}.matchFields[{index}]"), errors);
    }
}

fn node_expression(expression: &Value, check_values: bool, path: &str, errors: &mut Errors) {
    let values = expression.get("values").items();
    let at = format!("{path}.values");
    match expression.get("operator").str() {
        "In" | "NotIn" if values.is_empty() => {
            let why = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.push(FieldError::required(at.clone(), why));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(FieldError::forbidden(at.clone(), why));
        }
        "Gt" | "Lt" if values.len() != 1 => {
            let why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.push(FieldError::required(at.clone(), why));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => not_an_operator(other, path, errors),
    }
    text(errors, &format!("{path}.key"), expression.get("key").str(), names::label_key);
    if check_values {
        for (index, value) in values.iter().enumerate() {
            text(errors, &format!("{at}[{index}]"), value.str(), names::label_value);
        }
    }
}

fn not_an_operator(operator: &str, path: &str, errors: &mut Errors) {
    let path = format!("{path}.operator");
    errors.push(FieldError::invalid(path, json::quote(operator), "not a valid selector operator"));
}

fn node_field(expression: &Value, path: &str, errors: &mut Errors) {
    let values = expression.get("values").items();
    match expression.get("operator").str() {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => {
            let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.push(FieldError::required(format!("{path}.values"), why));
        }
        other => not_an_operator(other, path, errors),
    }
    match expression.get("key").str() {
        "metadata.name" => {
            for (index, value) in values.iter().enumerate() {
                text(errors, &format!("{path}.values[{index}]"), value.str(), names::dns_subdomain);
            }
        }
        other => {
            let why = "not a valid field selector key";
            errors.push(FieldError::invalid(format!("{path}.key"), json::quote(other), why));
        }
    }
}

fn pod_term(term: &Value, path: &str, errors: &mut Errors) {
    let selector = term.get("labelSelector");
    label_selector(errors, &format!("{path}.labelSelector"), selector);
    label_selector(errors, &format!("{path}.namespaceSelector"), term.get("namespaceSelector"));
    for name in term.get("namespaces").items() {
        text(errors, &format!("{path}.namespace"), name.str(), names::dns_label);
    }
    let unlike = term.get("mismatchLabelKeys").items();
    for (field, keys) in
        [("matchLabelKeys", term.get("matchLabelKeys").items()), ("mismatchLabelKeys", unlike)]
    {
        let path = format!("{path}.{field}");
        if !keys.is_empty() && selector.is_null() {
            errors.push(FieldError::forbidden(path, NOT_WITHOUT_SELECTOR));
            continue;
        }
        for (index, key) in keys.iter().enumerate() {
            text(errors, &format!("{path}[{index}]"), key.str(), names::label_key);
        }
    }
    for (index, key) in term.get("matchLabelKeys").items().iter().enumerate() {
        if unlike.contains(key) {
            let path = format!("{path}.matchLabelKeys[{index}]");
            let why = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.push(FieldError::invalid(path, json::quote(key.str()), why));
        }
    }
    let topology = term.get("topologyKey").str();
    let path = format!("{path}.topologyKey");
    if topology.is_empty() {
        errors.push(FieldError::required(path.clone(), "can not be empty"));
    }
    text(errors, &path, topology, names::label_key);
}
