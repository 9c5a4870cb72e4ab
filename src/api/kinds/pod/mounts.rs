//! What is checked of a container's mounts and devices (`ValidateVolumeMounts`, `ValidateVolumeDevices`).

use super::containers::Surroundings;
use crate::api::json;
use crate::api::kinds::field::{Errors, required, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const READ_ONLY_MODES: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];

/// Checks where volumes appear in a container at `path`.
pub(super) fn validate(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    mounts(container, around, &format!("{path}.volumeMounts"), errors);
    devices(container, around, &format!("{path}.volumeDevices"), errors);
}

fn mounts(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let list = container.get("volumeMounts").items();
    let devices = container.get("volumeDevices").items();
    for (index, mount) in list.iter().enumerate() {
        let at = format!("{path}[{index}]");
        let (name, place) = (mount.get("name").str(), mount.get("mountPath").str());
        required(errors, &format!("{at}.name"), mount.get("name"));
        let volume = around.volume(name);
        if volume.is_none() {
            errors.push(FieldError::not_found(format!("{at}.name"), json::quote(name)));
        }
        required(errors, &format!("{at}.mountPath"), mount.get("mountPath"));
        let mut invalid = |field: &str, value: &str, why: &str| {
            errors.push(FieldError::invalid(format!("{at}.{field}"), json::quote(value), why));
        };
        if list[..index].iter().any(|other| other.get("mountPath").str() == place) {
            invalid("mountPath", place, "must be unique");
        }
        if devices.iter().any(|device| device.get("name").str() == name) {
            invalid("name", name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.get("devicePath").str() == place) {
            invalid("mountPath", place, "must not already exist as a path in volumeDevices");
        }
        let (sub_path, expression) = (mount.get("subPath").str(), mount.get("subPathExpr").str());
        if volume.is_some_and(|volume| !volume.get("image").is_null()) {
            for (field, value) in [("subPath", sub_path), ("subPathExpr", expression)] {
                if !value.is_empty() {
                    invalid(field, value, "not allowed in image volume sources");
                }
            }
        }
        if !expression.is_empty() && !sub_path.is_empty() {
            invalid("subPathExpr", expression, "subPathExpr and subPath are mutually exclusive");
        }
        // The server names the list for what follows, not the item.
        for (field, value) in [("subPath", sub_path), ("subPathExpr", expression)] {
            if !value.is_empty() {
                text(errors, &format!("{path}.{field}"), value, names::descending_path);
            }
        }
        propagation(container, mount, &format!("{path}.mountPropagation"), errors);
        read_only(mount, &format!("{path}.recursiveReadOnly"), errors);
    }
}

fn propagation(container: &Value, mount: &Value, path: &str, errors: &mut Errors) {
    let Some(propagation) = mount.get("mountPropagation").as_str() else { return };
    if !PROPAGATIONS.contains(&propagation) {
        errors.push(FieldError::not_supported(path, json::quote(propagation), &PROPAGATIONS));
    }
    let privileged = container.at(&["securityContext", "privileged"]).as_bool() == Some(true);
    if propagation == "Bidirectional" && !privileged {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(path, why));
    }
}

fn read_only(mount: &Value, path: &str, errors: &mut Errors) {
    let Some(mode) = mount.get("recursiveReadOnly").as_str() else { return };
    match mode {
        "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if mount.get("readOnly").as_bool() != Some(true) {
                errors.push(FieldError::forbidden(path, "may only be specified when readOnly is true"));
            }
            if !matches!(mount.get("mountPropagation").str(), "" | "None") {
                let why = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(path, why));
            }
        }
        other => errors.push(FieldError::not_supported(path, json::quote(other), &READ_ONLY_MODES)),
    }
}

fn devices(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let list = container.get("volumeDevices").items();
    let mounts = container.get("volumeMounts").items();
    for (index, device) in list.iter().enumerate() {
        let at = format!("{path}[{index}]");
        let (name, place) = (device.get("name").str(), device.get("devicePath").str());
        let invalid = |field: &str, value: &str, why: &str| {
            FieldError::invalid(format!("{at}.{field}"), json::quote(value), why)
        };
        let earlier = |field: &str, value: &str| {
            list[..index].iter().any(|other| other.get(field).str() == value && !value.is_empty())
        };
        required(errors, &format!("{at}.name"), device.get("name"));
        if earlier("name", name) {
            errors.push(invalid("name", name, "must be unique"));
        }
        let claims = |volume: &Value| {
            !volume.get("persistentVolumeClaim").is_null() || !volume.get("ephemeral").is_null()
        };
        match around.volume(name) {
            Some(volume) if !claims(volume) => errors.push(invalid(
                "name",
                name,
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            )),
            Some(_) => {}
            None => errors.push(FieldError::not_found(format!("{at}.name"), json::quote(name))),
        }
        required(errors, &format!("{at}.devicePath"), device.get("devicePath"));
        if earlier("devicePath", place) {
            errors.push(invalid("devicePath", place, "must be unique"));
        }
        if !names::no_backsteps(place).is_empty() {
            errors.push(invalid("devicePath", place, "can not contain backsteps ('..')"));
        }
        if mounts.iter().any(|mount| mount.get("name").str() == name) {
            errors.push(invalid("name", name, "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|mount| mount.get("mountPath").str() == place) {
            errors.push(invalid("devicePath", place, "must not already exist as a path in volumeMounts"));
        }
    }
}
