//! Pods and Pod templates: defaults, checks, warnings, table.
//!
//! Owns `spec` of Pods wherever it stands: in a Pod, and in the `template` of a workload. Templates are
//! filled when the workload is written, so that creating a Pod from one copies next to nothing.

mod containers;
mod defaults;
mod table;
mod validate;

pub(super) use defaults::default_spec;
pub(super) use validate::validate_template;

use std::sync::OnceLock;

use super::field::Errors;
use super::names;
use super::{Rules, metadata};
use crate::api::json;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;
use crate::value;

/// The rules of Pods.
pub(super) const RULES: Rules = Rules {
    default: defaults::default,
    prepare_create,
    prepare_update: metadata::count_changes,
    validate,
    validate_update,
    warnings,
    columns: table::COLUMNS,
    cells: table::cells,
};

fn prepare_create(document: &mut Value) {
    metadata::first_generation(document);
    let class = quality_of_service(document.get("spec"));
    document.set("status", first_status(class));
}

/// The status of a Pod that was just created; Pods of one class share it.
fn first_status(class: &'static str) -> Value {
    static BEST_EFFORT: OnceLock<Value> = OnceLock::new();
    let status = || value!({ "phase": "Pending", "qosClass": class });
    if class == "BestEffort" { BEST_EFFORT.get_or_init(status).clone() } else { status() }
}

/// `status.qosClass`: Guaranteed if every container has limits for both resources and asks for just these,
/// BestEffort if none asks for anything.
fn quality_of_service(spec: &Value) -> &'static str {
    let lists = [spec.get("containers"), spec.get("initContainers")];
    let mut any = false;
    let mut all = true;
    for container in lists.iter().flat_map(|list| list.items()) {
        let resources = container.get("resources");
        for resource in ["cpu", "memory"] {
            let limit = resources.get("limits").get(resource);
            let request = resources.get("requests").get(resource);
            any |= !limit.is_null() || !request.is_null();
            all &= !limit.is_null() && (request.is_null() || request == limit);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Pod, document);
    validate::validate_spec(document.get("spec"), "spec", &mut errors);
    errors
}

/// Only a few fields of a Pod's `spec` may change.
fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Pod, document);
    let mut kept = document.get("spec").clone();
    let old = before.get("spec");
    for list in ["containers", "initContainers"] {
        restore_images(&mut kept, old, list);
    }
    for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"]
    {
        if kept.get(field) != old.get(field) {
            *kept.field_mut(field) = old.get(field).clone();
        }
    }
    if document.get("spec").get("containers").items().len() != old.get("containers").items().len() {
        errors.push(FieldError::forbidden("spec.containers", "pod updates may not add or remove containers"));
        return errors;
    }
    kept.map_mut().retain(|_, value| !value.is_null());
    if &kept != old {
        errors.push(FieldError::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
             `spec.tolerations` (only additions to existing tolerations),\
             `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ));
    }
    errors
}

fn restore_images(spec: &mut Value, before: &Value, list: &'static str) {
    if spec.get(list) == before.get(list) || spec.get(list).items().len() != before.get(list).items().len() {
        return;
    }
    for (container, old) in spec.field_mut(list).list_mut().iter_mut().zip(before.get(list).items()) {
        if container.get("image") != old.get("image") {
            container.set("image", old.get("image").clone());
        }
    }
}

/// Warnings about a Pod (`pod.GetWarningsForPod`).
fn warnings(document: &Value, before: Option<&Value>) -> Vec<String> {
    let name = document.at(&["metadata", "name"]).str();
    let problems = names::dns_label(name);
    let mut warnings = Vec::new();
    if before.is_none() && !problems.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; \
             a DNS label is recommended: [{}]",
            problems.join(", ")
        ));
    }
    warnings.extend(template_warnings(document.get("spec"), "spec"));
    warnings
}

/// Warnings about the `spec` of a Pod or a template at `path`.
pub(super) fn template_warnings(spec: &Value, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, container) in spec.get("containers").items().iter().enumerate() {
        let ports = container.get("ports").items();
        for (at, port) in ports.iter().enumerate() {
            let key = |port: &Value| {
                (
                    port.get("containerPort").clone(),
                    port.get("protocol").clone(),
                    port.get("hostPort").clone(),
                )
            };
            if let Some(first) = ports[..at].iter().position(|other| key(other) == key(port)) {
                warnings.push(format!(
                    "{path}.containers[{index}].ports[{at}]: duplicate port definition with \
                     {path}.containers[{index}].ports[{first}]"
                ));
            }
        }
        let variables = container.get("env").items();
        for (at, variable) in variables.iter().enumerate() {
            let name = variable.get("name");
            if variables[at + 1..].iter().any(|other| other.get("name") == name) {
                warnings.push(format!(
                    "{path}.containers[{index}].env[{}]: hides previous definition of {}, which may be dropped \
                     when using apply",
                    at + 1 + variables[at + 1..].iter().position(|other| other.get("name") == name).unwrap_or(0),
                    json::quote(name.str())
                ));
            }
        }
    }
    warnings
}
