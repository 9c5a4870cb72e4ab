//! What may change in a Pod (`ValidatePodUpdate`).

use super::{containers, internal, validate};
use crate::api::kinds::field::{Errors, required};
use crate::api::line_diff;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// What the server says may change.
const CHANGEABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,\
    `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Checks a change of a Pod. Arguments: new, old.
pub(super) fn validate(document: &Value, before: &Value) -> Errors {
    let mut errors = validate::metadata_and_spec(document);
    let (spec, old) = (document.get("spec"), before.get("spec"));
    for list in ["containers", "initContainers"] {
        if !same_containers(spec, old, list, &mut errors) {
            return errors;
        }
    }
    if !validate::deadline_change(spec, old, &mut errors) {
        return errors;
    }
    let (added, earlier) = (spec.get("tolerations").items(), old.get("tolerations").items());
    validate::only_added_tolerations(added, earlier, &mut errors);
    only_removed_gates(spec, old, &mut errors);
    if spec == old {
        return errors;
    }
    let mut kept = without_changeable(spec, old);
    if !old.get("schedulingGates").is_empty() {
        gated(&mut kept, old, &mut errors);
    }
    if &kept != old {
        let difference = line_diff::unified(&internal::spec_lines(old), &internal::spec_lines(&kept));
        let why = format!("pod updates may not change fields other than {CHANGEABLE}\n{difference}");
        errors.push(FieldError::forbidden("spec", why));
    }
    errors
}

/// Containers neither come nor go; says whether it is so.
fn same_containers(spec: &Value, old: &Value, list: &str, errors: &mut Errors) -> bool {
    let path = format!("spec.{list}");
    if spec.get(list).items().len() != old.get(list).items().len() {
        errors.push(FieldError::forbidden(path, "pod updates may not add or remove containers"));
        return false;
    }
    for (index, container) in spec.get(list).items().iter().enumerate() {
        let path = format!("{path}[{index}].image");
        required(errors, &path, container.get("image"));
        containers::image_padding(container, &path, errors);
    }
    true
}

fn only_removed_gates(spec: &Value, old: &Value, errors: &mut Errors) {
    let old = old.get("schedulingGates").items();
    for (index, gate) in spec.get("schedulingGates").items().iter().enumerate() {
        if !old.iter().any(|one| one.get("name") == gate.get("name")) {
            let name = gate.get("name").str();
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.push(FieldError::forbidden(format!("spec.schedulingGates[{index}].name"), why));
        }
    }
}

/// The new `spec` with the old values of all that may change.
fn without_changeable(spec: &Value, old: &Value) -> Value {
    let mut kept = spec.clone();
    for list in ["containers", "initContainers"] {
        restore_images(&mut kept, old, list);
    }
    let mut restored = vec!["activeDeadlineSeconds", "tolerations", "schedulingGates"];
    let grace = |spec: &Value| spec.get("terminationGracePeriodSeconds").as_int();
    if grace(old).is_some_and(|seconds| seconds < 0) && grace(spec) == Some(1) {
        restored.push("terminationGracePeriodSeconds");
    }
    for field in restored {
        restore(&mut kept, old, field);
    }
    kept
}

fn restore(spec: &mut Value, old: &Value, field: &'static str) {
    if old.get(field).is_null() {
        spec.remove(field);
    } else if spec.get(field) != old.get(field) {
        spec.set(field, old.get(field).clone());
    }
}

fn restore_images(spec: &mut Value, before: &Value, list: &'static str) {
    if spec.get(list) == before.get(list) {
        return;
    }
    for (container, old) in spec.field_mut(list).list_mut().iter_mut().zip(before.get(list).items()) {
        if container.get("image") != old.get("image") {
            container.set("image", old.get("image").clone());
        }
    }
}

/// A Pod that is not to be scheduled yet may be told more exactly where to go.
fn gated(kept: &mut Value, old: &Value, errors: &mut Errors) {
    let (new, earlier) = (kept.get("nodeSelector").clone(), old.get("nodeSelector"));
    if &new != earlier {
        let lost = earlier.entries().iter().any(|(key, value)| new.get(key) != value);
        if lost {
            let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.push(crate::api::kinds::field::shown("spec.nodeSelector", &new, why));
        }
        restore(kept, old, "nodeSelector");
    }
}
