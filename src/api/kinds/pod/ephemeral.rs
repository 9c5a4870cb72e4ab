//! What is checked of containers that are added to a running Pod (`validateEphemeralContainers`).

use super::containers::image_padding;
use crate::api::json;
use crate::api::kinds::field::{Errors, required, required_text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// What a container that serves to look around cannot have.
const NOT_ALLOWED: [&str; 8] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];
const WHY: &str = "cannot be set for an Ephemeral Container";

/// Checks the ephemeral containers of a `spec`.
pub(super) fn validate(spec: &Value, path: &str, errors: &mut Errors) {
    let list = spec.get("ephemeralContainers").items();
    let others = || spec.get("containers").items().iter().chain(spec.get("initContainers").items());
    for (index, container) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = container.get("name");
        required_text(errors, &format!("{path}.name"), name, names::dns_label);
        required(errors, &format!("{path}.image"), container.get("image"));
        image_padding(container, &format!("{path}.image"), errors);
        if list[..index].iter().chain(others()).any(|other| other.get("name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
        }
        let target = container.get("targetContainerName");
        if !target.is_empty() && !others().any(|other| other.get("name") == target) {
            let path = format!("{path}.targetContainerName");
            errors.push(FieldError::not_found(path, json::quote(target.str())));
        }
        for field in NOT_ALLOWED {
            if !container.get(field).is_empty() {
                errors.push(FieldError::forbidden(format!("{path}.{field}"), WHY));
            }
        }
    }
}
