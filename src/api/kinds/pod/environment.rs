//! What is checked of a container's variables (`ValidateEnv`, `ValidateEnvFrom`), and of the references
//! to fields that variables and volumes share.

use crate::api::json;
use crate::api::kinds::field::{Errors, required_text, text};
use crate::api::kinds::names;
use crate::api::quantity::Quantity;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Fields of a Pod that a variable may take its value from.
const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that have a name in the downward API, though not everywhere.
const OTHER_FIELDS: [&str; 6] = [
    "metadata.annotations",
    "metadata.labels",
    "spec.host",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const SIZES: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

const NO_SOURCE: &str =
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";

/// Checks single variables.
pub(super) fn variables(variables: &[Value], path: &str, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let path = format!("{path}[{index}]");
        required_text(errors, &format!("{path}.name"), variable.get("name"), names::env_name);
        let from = variable.get("valueFrom");
        if !from.is_null() {
            value_from(from, !variable.get("value").is_empty(), &format!("{path}.valueFrom"), errors);
        }
    }
}

fn value_from(from: &Value, has_value: bool, path: &str, errors: &mut Errors) {
    let mut sources = 0;
    if !from.get("fieldRef").is_null() {
        sources += 1;
        field_reference(from.get("fieldRef"), &VARIABLE_FIELDS, &format!("{path}.fieldRef"), errors);
    }
    if !from.get("resourceFieldRef").is_null() {
        sources += 1;
        let path = format!("{path}.resourceFieldRef");
        resource_reference(from.get("resourceFieldRef"), false, &path, errors);
    }
    for source in ["configMapKeyRef", "secretKeyRef"] {
        if !from.get(source).is_null() {
            sources += 1;
            key_reference(from.get(source), &format!("{path}.{source}"), errors);
        }
    }
    sources += usize::from(!from.get("fileKeyRef").is_null());
    let why = match sources {
        0 => NO_SOURCE,
        _ if has_value => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(path, "\"\"", why));
}

fn key_reference(reference: &Value, path: &str, errors: &mut Errors) {
    text(errors, &format!("{path}.name"), reference.get("name").str(), names::dns_subdomain);
    required_text(errors, &format!("{path}.key"), reference.get("key"), names::config_key);
}

/// Checks a reference to a field of the Pod.
pub(super) fn field_reference(reference: &Value, allowed: &[&str], path: &str, errors: &mut Errors) {
    for field in ["apiVersion", "fieldPath"] {
        if reference.get(field).is_empty() {
            errors.push(FieldError::required(format!("{path}.{field}"), ""));
            return;
        }
    }
    let (version, field) = (reference.get("apiVersion").str(), reference.get("fieldPath").str());
    let at = format!("{path}.fieldPath");
    let fails = |why: String| {
        FieldError::invalid(at.clone(), json::quote(field), format!("error converting fieldPath: {why}"))
    };
    if version != "v1" {
        errors.push(fails(format!("unsupported pod version: {version}")));
        return;
    }
    match subscript(field) {
        Some(("metadata.annotations", key)) => text(errors, path, &key.to_lowercase(), names::label_key),
        Some(("metadata.labels", key)) => text(errors, path, key, names::label_key),
        Some(_) => errors.push(fails(format!("field label does not support subscript: {field}"))),
        None if !VARIABLE_FIELDS.contains(&field) && !OTHER_FIELDS.contains(&field) => {
            errors.push(fails(format!("field label not supported: {field}")));
        }
        // The field has an older name, which is still understood.
        None if field == "spec.host" && allowed.contains(&"spec.nodeName") => {}
        None if !allowed.contains(&field) => {
            errors.push(FieldError::not_supported(at, json::quote(field), allowed));
        }
        None => {}
    }
}

/// `metadata.labels['app']` in its two parts.
fn subscript(field: &str) -> Option<(&str, &str)> {
    field.strip_suffix("']")?.split_once("['").filter(|(path, _)| !path.is_empty())
}

/// Checks a reference to a resource of a container.
pub(super) fn resource_reference(reference: &Value, in_volume: bool, path: &str, errors: &mut Errors) {
    let resource = reference.get("resource").str();
    if in_volume && reference.get("containerName").is_empty() {
        errors.push(FieldError::required(format!("{path}.containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(format!("{path}.resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_huge_page(resource) {
        errors.push(FieldError::not_supported(format!("{path}.resource"), json::quote(resource), &RESOURCES));
    }
    let divisor = reference.get("divisor").str();
    if divisor.is_empty() || Quantity::parse(divisor).is_ok_and(|divisor| divisor.millis() == 0) {
        return;
    }
    let (allowed, list, name): (&[&str], _, _) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"], "1m and 1".to_owned(), "cpu"),
        "limits.memory" | "requests.memory" => (&SIZES, SIZES.join(", "), "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (&SIZES, SIZES.join(", "), "local ephemeral storage")
        }
        other if is_huge_page(other) => (&SIZES, SIZES.join(", "), "hugepages"),
        _ => return,
    };
    if !allowed.contains(&divisor) {
        let why = format!("only divisor's values {list} are supported with the {name} resource");
        errors.push(FieldError::invalid(format!("{path}.divisor"), json::quote(resource), why));
    }
}

fn is_huge_page(resource: &str) -> bool {
    resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-")
}

/// Checks sources of many variables.
pub(super) fn sources(list: &[Value], path: &str, errors: &mut Errors) {
    for (index, source) in list.iter().enumerate() {
        let at = format!("{path}[{index}]");
        if let Some(prefix) = source.get("prefix").as_str().filter(|prefix| !prefix.is_empty()) {
            text(errors, &format!("{at}.prefix"), prefix, names::env_name);
        }
        let kinds = ["configMapRef", "secretRef"];
        let given: Vec<&str> = kinds.into_iter().filter(|kind| !source.get(kind).is_null()).collect();
        for kind in &given {
            let name = source.get(kind).get("name");
            required_text(errors, &format!("{at}.{kind}.name"), name, names::dns_subdomain);
        }
        match given.len() {
            // The server names the list here, not the item.
            0 => errors.push(FieldError::invalid(
                path,
                "\"\"",
                "must specify one of: `configMapRef` or `secretRef`",
            )),
            1 => {}
            _ => errors.push(FieldError::invalid(
                path,
                "\"\"",
                "may not have more than one field specified at a time",
            )),
        }
    }
}
