//! What is checked of tolerations, gates and the spreading of Pods, and of taints, which Nodes have.

use crate::api::json;
use crate::api::kinds::field::{Errors, label_selector, one_of_or_none, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// What a taint does.
const TAINT_EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const SPREAD_ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
const NODE_POLICIES: [&str; 2] = ["Honor", "Ignore"];
const NOT_POSITIVE: &str = "must be greater than zero";

/// Checks the effect of a taint that must have one.
pub(in crate::api::kinds) fn taint_effect(effect: &Value, path: &str, errors: &mut Errors) {
    crate::api::kinds::field::one_of(errors, path, effect, &TAINT_EFFECTS);
}

/// Checks which taints a Pod tolerates (`ValidateTolerations`).
pub(super) fn tolerations(tolerations: &[Value], path: &str, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let (key, operator) = (toleration.get("key").str(), toleration.get("operator").str());
        let effect = toleration.get("effect");
        let invalid = |field: &str, value: &str, why: String| {
            FieldError::invalid(format!("{path}.{field}"), json::quote(value), why)
        };
        if !key.is_empty() {
            text(errors, &format!("{path}.key"), key, names::label_key);
        } else if operator != "Exists" {
            let why =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(invalid("operator", operator, why.to_owned()));
        }
        if !toleration.get("tolerationSeconds").is_null() && effect.str() != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(invalid("effect", effect.str(), why.to_owned()));
        }
        let value = toleration.get("value").str();
        match operator {
            "" | "Equal" => {
                let problems = names::label_value(value);
                if !problems.is_empty() {
                    errors.push(invalid("operator", value, problems.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                errors.push(invalid("operator", value, why.to_owned()));
            }
            "Exists" => {}
            other => {
                let path = format!("{path}.operator");
                errors.push(FieldError::not_supported(path, json::quote(other), &["Equal", "Exists"]));
            }
        }
        if !effect.is_empty() {
            taint_effect(effect, &format!("{path}.effect"), errors);
        }
    }
}

/// Checks what a Pod's readiness and scheduling wait for.
pub(super) fn gates(spec: &Value, path: &str, errors: &mut Errors) {
    for (index, gate) in spec.get("readinessGates").items().iter().enumerate() {
        let path = format!("{path}.readinessGates[{index}].conditionType");
        text(errors, &path, gate.get("conditionType").str(), names::label_key);
    }
    let gates = spec.get("schedulingGates").items();
    for (index, gate) in gates.iter().enumerate() {
        let (name, path) = (gate.get("name").str(), format!("{path}.schedulingGates[{index}]"));
        text(errors, &path, name, names::label_key);
        if gates[..index].iter().any(|other| other.get("name").str() == name) {
            errors.push(FieldError::duplicate(path, json::quote(name)));
        }
    }
}

/// Checks how Pods are spread (`validateTopologySpreadConstraints`).
pub(super) fn spread(constraints: &[Value], path: &str, errors: &mut Errors) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let skew = constraint.get("maxSkew").as_int().unwrap_or(0);
        if skew <= 0 {
            errors.push(FieldError::invalid(format!("{path}.maxSkew"), skew.to_string(), NOT_POSITIVE));
        }
        let (key, action) = (constraint.get("topologyKey").str(), constraint.get("whenUnsatisfiable").str());
        if key.is_empty() {
            errors.push(FieldError::required(format!("{path}.topologyKey"), "can not be empty"));
        }
        if !SPREAD_ACTIONS.contains(&action) {
            let path = format!("{path}.whenUnsatisfiable");
            errors.push(FieldError::not_supported(path, json::quote(action), &SPREAD_ACTIONS));
        }
        let same = |other: &Value| {
            other.get("topologyKey").str() == key && other.get("whenUnsatisfiable").str() == action
        };
        if constraints[index + 1..].iter().any(same) {
            let path = format!("{path}.{{topologyKey, whenUnsatisfiable}}");
            errors.push(FieldError::duplicate(path, json::quote(&format!("{{{key}, {action}}}"))));
        }
        least_domains(constraint, action, &format!("{path}.minDomains"), errors);
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of_or_none(errors, &format!("{path}.{field}"), constraint.get(field), &NODE_POLICIES);
        }
        match_keys(constraint, &format!("{path}.matchLabelKeys"), errors);
        label_selector(errors, &format!("{path}.labelSelector"), constraint.get("labelSelector"));
    }
}

fn least_domains(constraint: &Value, action: &str, path: &str, errors: &mut Errors) {
    let Some(count) = constraint.get("minDomains").as_int() else { return };
    if count <= 0 {
        errors.push(FieldError::invalid(path, count.to_string(), NOT_POSITIVE));
    }
    if action != "DoNotSchedule" {
        let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.push(FieldError::invalid(path, count.to_string(), why));
    }
}

fn match_keys(constraint: &Value, path: &str, errors: &mut Errors) {
    let keys = constraint.get("matchLabelKeys").items();
    let selector = constraint.get("labelSelector");
    if !keys.is_empty() && selector.is_null() {
        errors.push(FieldError::forbidden(path, "must not be specified when labelSelector is not set"));
    }
    for (index, key) in keys.iter().enumerate() {
        let path = format!("{path}[{index}]");
        text(errors, &path, key.str(), names::label_key);
        let expressions = selector.get("matchExpressions").items();
        let named = !selector.get("matchLabels").get(key.str()).is_null()
            || expressions.iter().any(|expression| expression.get("key") == key);
        if named {
            let why = "exists in both matchLabelKeys and labelSelector";
            errors.push(FieldError::invalid(path, json::quote(key.str()), why));
        }
    }
}
