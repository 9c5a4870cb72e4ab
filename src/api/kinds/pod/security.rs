//! What is checked of security contexts (`validatePodSpecSecurityContext`, `ValidateSecurityContext`).
//!
//! Does not know options of Windows: no node here runs it.

use crate::api::json;
use crate::api::kinds::field::{Errors, in_range, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const CONFINEMENTS: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const GROUP_POLICIES: [&str; 2] = ["Always", "OnRootMismatch"];
const SUPPLEMENTAL_POLICIES: [&str; 2] = ["Merge", "Strict"];
const LABEL_POLICIES: [&str; 2] = ["MountOption", "Recursive"];
const PROC_MOUNTS: [&str; 2] = ["Default", "Unmasked"];
/// The largest number of a user or group.
const LARGEST_ID: i64 = 2_147_483_647;
const LONGEST_SYSCTL: usize = 253;
/// The longest path of a profile on a node (`PATH_MAX`, less the zero at the end).
const LONGEST_PROFILE: usize = 4095;

/// Checks what holds for all containers of a `spec`.
pub(super) fn pod(spec: &Value, path: &str, errors: &mut Errors) {
    let context = spec.get("securityContext");
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        in_range(errors, &format!("{path}.{field}"), context.get(field), 0, LARGEST_ID);
    }
    for (index, group) in context.get("supplementalGroups").items().iter().enumerate() {
        in_range(errors, &format!("{path}.supplementalGroups[{index}]"), group, 0, LARGEST_ID);
    }
    let shares = spec.get("shareProcessNamespace").as_bool() == Some(true);
    if shares && spec.get("hostPID").as_bool() == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(format!("{path}.shareProcessNamespace"), "true", why));
    }
    kernel_parameters(context.get("sysctls").items(), &format!("{path}.sysctls"), errors);
    one_of(context, "fsGroupChangePolicy", &GROUP_POLICIES, path, errors);
    confinement(context.get("seccompProfile"), &format!("{path}.seccompProfile"), errors);
    armor(context.get("appArmorProfile"), &format!("{path}.appArmorProfile"), errors);
    one_of(context, "supplementalGroupsPolicy", &SUPPLEMENTAL_POLICIES, path, errors);
    one_of(context, "seLinuxChangePolicy", &LABEL_POLICIES, path, errors);
}

fn one_of(context: &Value, field: &str, supported: &[&str], path: &str, errors: &mut Errors) {
    let path = format!("{path}.{field}");
    crate::api::kinds::field::one_of_or_none(errors, &path, context.get(field), supported);
}

fn kernel_parameters(list: &[Value], path: &str, errors: &mut Errors) {
    for (index, entry) in list.iter().enumerate() {
        let (name, path) = (entry.get("name").str(), format!("{path}[{index}].name"));
        if name.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !is_kernel_parameter(name) {
            let why = format!(
                "must have at most {LONGEST_SYSCTL} characters and match regex \
                 ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
            );
            errors.push(FieldError::invalid(path, json::quote(name), why));
        } else if list[..index].iter().any(|other| other.get("name").str() == name) {
            errors.push(FieldError::duplicate(path, json::quote(name)));
        }
    }
}

fn is_kernel_parameter(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= LONGEST_SYSCTL
        && name.split(['.', '/']).all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(plain)
                && bytes.last().is_some_and(plain)
                && bytes.iter().all(|byte| plain(byte) || matches!(byte, b'-' | b'_'))
        })
}

/// Checks a seccomp profile.
fn confinement(profile: &Value, path: &str, errors: &mut Errors) {
    if profile.is_null() {
        return;
    }
    let kind = profile.get("type").str();
    if kind.is_empty() {
        let why = "type is required when seccompProfile is set";
        errors.push(FieldError::required(format!("{path}.type"), why));
    } else if !CONFINEMENTS.contains(&kind) {
        errors.push(FieldError::not_supported(format!("{path}.type"), json::quote(kind), &CONFINEMENTS));
    }
    let (local, path) = (profile.get("localhostProfile"), format!("{path}.localhostProfile"));
    match (kind, local.as_str()) {
        ("Localhost", None) => {
            errors.push(FieldError::required(path, "must be set when seccomp type is Localhost"));
        }
        ("Localhost", Some(file)) => text(errors, &path, file, names::descending_path),
        (_, Some(file)) => {
            // The server shows its own form of the profile here.
            let value =
                format!("{{\"Type\":{},\"LocalhostProfile\":{}}}", json::quote(kind), json::quote(file));
            errors.push(FieldError::invalid(path, value, "can only be set when seccomp type is Localhost"));
        }
        (_, None) => {}
    }
}

/// Checks an AppArmor profile.
fn armor(profile: &Value, path: &str, errors: &mut Errors) {
    if profile.is_null() {
        return;
    }
    let kind = profile.get("type").str();
    let (file, at) = (profile.get("localhostProfile").as_str(), format!("{path}.localhostProfile"));
    match (kind, file) {
        ("Localhost", Some(file)) if file.trim() != file => {
            errors.push(FieldError::invalid(at, json::quote(file), "must not be padded with whitespace"));
        }
        ("Localhost", None | Some("")) => {
            errors.push(FieldError::required(at, "must be set when AppArmor type is Localhost"));
        }
        ("Localhost", Some(file)) if file.len() > LONGEST_PROFILE => {
            errors.push(FieldError::too_long(at, LONGEST_PROFILE));
        }
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            let why = "can only be set when AppArmor type is Localhost";
            errors.push(FieldError::invalid(at, json::quote(file), why));
        }
        ("Localhost" | "RuntimeDefault" | "Unconfined", _) => {}
        ("", _) => {
            let why = "type is required when appArmorProfile is set";
            errors.push(FieldError::required(format!("{path}.type"), why));
        }
        (other, _) => {
            let path = format!("{path}.type");
            errors.push(FieldError::not_supported(path, json::quote(other), &CONFINEMENTS));
        }
    }
}

/// Checks what holds for one container; `spec` is that of its Pod.
pub(super) fn container(context: &Value, spec: &Value, path: &str, errors: &mut Errors) {
    for field in ["runAsUser", "runAsGroup"] {
        in_range(errors, &format!("{path}.{field}"), context.get(field), 0, LARGEST_ID);
    }
    if let Some(mount) = context.get("procMount").as_str() {
        let path = format!("{path}.procMount");
        if !PROC_MOUNTS.contains(&mount) {
            errors.push(FieldError::not_supported(path.clone(), json::quote(mount), &PROC_MOUNTS));
        }
        if mount == "Unmasked" && spec.get("hostUsers").as_bool() != Some(false) {
            let why = "`hostUsers` must be false to use `Unmasked`";
            errors.push(FieldError::invalid(path, json::quote(mount), why));
        }
    }
    confinement(context.get("seccompProfile"), &format!("{path}.seccompProfile"), errors);
    if context.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        let shown = || super::internal::json("SecurityContext", context);
        if context.get("privileged").as_bool() == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(path, shown(), why));
        }
        let added = context.at(&["capabilities", "add"]).items();
        if added.iter().any(|capability| capability.str() == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(FieldError::invalid(path, shown(), why));
        }
    }
    armor(context.get("appArmorProfile"), &format!("{path}.appArmorProfile"), errors);
}

/// Users of its own forbid a Pod the node's namespaces.
pub(super) fn host_users(spec: &Value, path: &str, errors: &mut Errors) {
    if spec.get("hostUsers").as_bool() != Some(false) {
        return;
    }
    for (field, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.get(field).as_bool() == Some(true) {
            let why = "when `pod.Spec.HostUsers` is false";
            errors.push(FieldError::forbidden(format!("{path}.{shown}"), why));
        }
    }
}
