//! Pods and Pod templates: defaults, checks, warnings, table.
//!
//! Owns `spec` of Pods wherever it stands: in a Pod, and in the `template` of a workload. Templates are
//! filled when the workload is written, so that creating a Pod from one copies next to nothing.

mod affinity;
mod containers;
mod defaults;
mod environment;
mod ephemeral;
mod internal;
mod mounts;
mod placement;
mod probes;
mod resolver;
pub(super) mod resources;
mod security;
mod table;
#[cfg(test)]
mod tests;
mod update;
mod validate;
mod volumes;
mod warnings;

pub(super) use affinity::node_selector;
pub(super) use defaults::default_spec;
pub(super) use internal::claim_lines;
pub(super) use placement::taint_effect;
pub(super) use validate::validate_template;
pub(super) use warnings::of_template as template_warnings;

use std::sync::OnceLock;

use super::{Rules, metadata};
use crate::api::value::Value;
use crate::value;

/// The rules of Pods.
pub(super) const RULES: Rules = Rules {
    default: defaults::default,
    prepare_create,
    prepare_update: metadata::count_changes,
    validate: validate::validate,
    validate_update: update::validate,
    // Pods are written too often to be warned of at each change.
    warnings: |document, before| if before.is_none() { warnings::of_pod(document) } else { Vec::new() },
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
