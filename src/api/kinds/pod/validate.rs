//! What is checked of a Pod's `spec` (`ValidatePodSpec`), in the server's order.

use super::containers;
use crate::api::json;
use crate::api::kinds::field::{Errors, labels, one_of, required_text, text};
use crate::api::kinds::{metadata, names};
use crate::api::status::FieldError;
use crate::api::value::Value;

const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const DNS_POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const TAINT_EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

/// Checks a Pod template at `path`.
pub(in crate::api::kinds) fn validate_template(template: &Value, path: &str, errors: &mut Errors) {
    let meta = template.get("metadata");
    labels(errors, &format!("{path}.metadata.labels"), meta.get("labels"));
    metadata::annotations(errors, &format!("{path}.metadata.annotations"), meta.get("annotations"));
    validate_spec(template.get("spec"), &format!("{path}.spec"), errors);
}

/// Checks the `spec` of a Pod or a template at `path`.
pub(super) fn validate_spec(spec: &Value, path: &str, errors: &mut Errors) {
    volumes(spec.get("volumes").items(), path, errors);
    let list = spec.get("containers");
    if list.is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    containers::validate(list, spec.get("volumes"), &format!("{path}.containers"), errors);
    let first = spec.get("initContainers");
    containers::validate(first, spec.get("volumes"), &format!("{path}.initContainers"), errors);
    one_of(errors, &format!("{path}.restartPolicy"), spec.get("restartPolicy"), &RESTART_POLICIES);
    one_of(errors, &format!("{path}.dnsPolicy"), spec.get("dnsPolicy"), &DNS_POLICIES);
    labels(errors, &format!("{path}.nodeSelector"), spec.get("nodeSelector"));
    for (field, rule) in [
        ("serviceAccountName", names::dns_subdomain as names::Check),
        ("nodeName", names::dns_subdomain),
        ("hostname", names::dns_label),
        ("subdomain", names::dns_label),
    ] {
        if let Some(value) = spec.get(field).as_str().filter(|value| !value.is_empty()) {
            text(errors, &format!("{path}.{field}"), value, rule);
        }
    }
    let grace = spec.get("terminationGracePeriodSeconds");
    crate::api::kinds::field::nonnegative(errors, &format!("{path}.terminationGracePeriodSeconds"), grace);
    tolerations(spec.get("tolerations").items(), path, errors);
}

fn volumes(volumes: &[Value], path: &str, errors: &mut Errors) {
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        let name = volume.get("name");
        required_text(errors, &format!("{path}.name"), name, names::dns_label);
        if !name.is_empty() && volumes[..index].iter().any(|other| other.get("name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
        }
        if volume.as_map().is_some_and(|map| map.len() > 2) {
            for (source, _) in volume.entries().iter().filter(|(key, _)| *key != "name").skip(1) {
                let why = "may not specify more than 1 volume type";
                errors.push(FieldError::forbidden(format!("{path}.{source}"), why));
            }
        }
    }
}

fn tolerations(tolerations: &[Value], path: &str, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = format!("{path}.tolerations[{index}]");
        let key = toleration.get("key").str();
        let operator = toleration.get("operator").str();
        if !key.is_empty() {
            text(errors, &format!("{path}.key"), key, names::label_key);
        } else if operator != "Exists" {
            let why =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(format!("{path}.operator"), json::quote(operator), why));
        }
        match operator {
            "" | "Equal" => {
                let value = toleration.get("value").str();
                for why in names::label_value(value) {
                    errors.push(FieldError::invalid(format!("{path}.operator"), json::quote(value), why));
                }
            }
            "Exists" if !toleration.get("value").is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                let value = json::compact(toleration.get("value"));
                errors.push(FieldError::invalid(format!("{path}.operator"), value, why));
            }
            "Exists" => {}
            other => errors.push(FieldError::not_supported(
                format!("{path}.operator"),
                json::quote(other),
                &["Equal", "Exists"],
            )),
        }
        if !toleration.get("effect").is_empty() {
            one_of(errors, &format!("{path}.effect"), toleration.get("effect"), &TAINT_EFFECTS);
        }
    }
}
