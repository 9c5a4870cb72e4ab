//! What is checked of a Pod's `spec` (`ValidatePodSpec`), in the server's order.

use super::containers::{self, Surroundings};
use super::{affinity, ephemeral, placement, resolver, resources, security, volumes};
use crate::api::json;
use crate::api::kinds::field::{Errors, labels, one_of, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const RESTART_POLICIES: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTION_POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];

/// Checks a Pod that is made.
pub(super) fn validate(document: &Value) -> Errors {
    let mut errors = metadata_and_spec(document);
    let spec = document.get("spec");
    if !spec.get("ephemeralContainers").is_empty() {
        errors.push(FieldError::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    }
    if !spec.get("nodeName").is_empty() && !spec.get("schedulingGates").is_empty() {
        let why = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden("spec.nodeName", why));
    }
    errors
}

/// Checks what every version of a Pod must keep (`validatePodMetadataAndSpec`).
pub(super) fn metadata_and_spec(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Pod, document);
    let spec = document.get("spec");
    validate_spec(spec, "spec", true, &mut errors);
    volumes::tokens_without_account(spec, "spec", &mut errors);
    containers::images(spec.get("containers"), "spec.containers", &mut errors);
    containers::images(spec.get("initContainers"), "spec.initContainers", &mut errors);
    errors
}

/// Checks a Pod template at `path`.
pub(in crate::api::kinds) fn validate_template(template: &Value, path: &str, errors: &mut Errors) {
    let meta = template.get("metadata");
    // The server leaves out `metadata` in these paths.
    labels(errors, &format!("{path}.labels"), meta.get("labels"));
    metadata::annotations(errors, &format!("{path}.annotations"), meta.get("annotations"));
    let spec = template.get("spec");
    validate_spec(spec, &format!("{path}.spec"), false, errors);
    if !spec.get("ephemeralContainers").is_empty() {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(format!("{path}.spec.ephemeralContainers"), why));
    }
}

/// Checks the `spec` of a Pod or a template at `path`.
fn validate_spec(spec: &Value, path: &str, is_pod: bool, errors: &mut Errors) {
    let at = |field: &str| format!("{path}.{field}");
    if spec.get("terminationGracePeriodSeconds").is_null() {
        errors.push(FieldError::required(at("terminationGracePeriodSeconds"), ""));
    }
    let volumes = volumes::validate(spec.get("volumes").items(), &at("volumes"), errors);
    let around = Surroundings { spec, volumes };
    containers::regular(&around, &at("containers"), errors);
    containers::initial(&around, &at("initContainers"), errors);
    ephemeral::validate(spec, &at("ephemeralContainers"), errors);
    resources::container(spec.get("resources"), &at("resources"), errors);
    containers::host_network(spec, path, is_pod, errors);
    one_of(errors, &at("restartPolicy"), spec.get("restartPolicy"), &RESTART_POLICIES);
    one_of(errors, &at("dnsPolicy"), spec.get("dnsPolicy"), &DNS_POLICIES);
    labels(errors, &at("nodeSelector"), spec.get("nodeSelector"));
    security::pod(spec, &at("securityContext"), errors);
    affinity::validate(spec.get("affinity"), &at("affinity"), errors);
    resolver::validate(spec, &at("dnsConfig"), errors);
    placement::gates(spec, path, errors);
    let spread = spec.get("topologySpreadConstraints").items();
    placement::spread(spread, &at("topologySpreadConstraints"), errors);
    security::host_users(spec, path, errors);
    names_in(
        spec,
        &[("serviceAccountName", names::dns_subdomain), ("nodeName", names::dns_subdomain)],
        path,
        errors,
    );
    containers::deadline(spec, &at("activeDeadlineSeconds"), errors);
    names_in(spec, &[("hostname", names::dns_label), ("subdomain", names::dns_label)], path, errors);
    placement::tolerations(spec.get("tolerations").items(), &at("tolerations"), errors);
    resolver::host_aliases(spec.get("hostAliases").items(), &at("hostAliases"), errors);
    let classes: [(&str, names::Check); 2] =
        [("priorityClassName", names::dns_subdomain), ("runtimeClassName", names::dns_subdomain)];
    names_in(spec, &classes, path, errors);
    if !spec.get("preemptionPolicy").is_null() {
        one_of(errors, &at("preemptionPolicy"), spec.get("preemptionPolicy"), &PREEMPTION_POLICIES);
    }
    operating_system(spec.get("os"), &at("os"), errors);
}

fn names_in(spec: &Value, fields: &[(&str, names::Check)], path: &str, errors: &mut Errors) {
    for (field, rule) in fields {
        if let Some(value) = spec.get(field).as_str().filter(|value| !value.is_empty()) {
            text(errors, &format!("{path}.{field}"), value, *rule);
        }
    }
}

fn operating_system(os: &Value, path: &str, errors: &mut Errors) {
    if os.is_null() {
        return;
    }
    match os.get("name").str() {
        "" => errors.push(FieldError::required(format!("{path}.name"), "cannot be empty")),
        "linux" | "windows" => {}
        other => errors.push(FieldError::not_supported(path, json::quote(other), &["linux", "windows"])),
    }
}

/// Checks that a list of tolerations only grew (`validateOnlyAddedTolerations`).
pub(super) fn only_added_tolerations(new: &[Value], old: &[Value], errors: &mut Errors) {
    let path = "spec.tolerations";
    let same = |one: &Value, other: &Value| {
        ["key", "operator", "value", "effect"].iter().all(|field| one.get(field) == other.get(field))
    };
    if old.iter().any(|toleration| !new.iter().any(|other| same(toleration, other))) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden(path, why));
        return;
    }
    placement::tolerations(new, path, errors);
}

/// Checks how long a Pod may run: only ever less.
pub(super) fn deadline_change(spec: &Value, old: &Value, errors: &mut Errors) -> bool {
    let path = "spec.activeDeadlineSeconds";
    let (new, old) = (spec.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"));
    match (new.as_int(), old.as_int()) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.push(FieldError::invalid(
                path,
                seconds.to_string(),
                names::between(0, i64::from(i32::MAX)),
            ));
            false
        }
        (Some(seconds), Some(before)) if seconds > before => {
            let why = "must be less than or equal to previous value";
            errors.push(FieldError::invalid(path, seconds.to_string(), why));
            false
        }
        (None, Some(_)) => {
            errors.push(shown(path, new, "must not update from a positive integer to nil value"));
            true
        }
        _ => true,
    }
}
