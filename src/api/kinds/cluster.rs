//! Nodes and Namespaces: defaults, checks, tables.

use super::field::Errors;
use super::table::{AGE, NAME, or_none, shown, wide};
use super::{Rules, STORED, age, metadata, names, pod};
use crate::api::json;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// The rules of Namespaces.
pub(super) const NAMESPACE: Rules = Rules {
    default: |document| {
        let name = document.at(&["metadata", "name"]).clone();
        if !name.is_empty() {
            document.at_mut(&["metadata", "labels"]).set("kubernetes.io/metadata.name", name);
        }
    },
    prepare_create: |document| {
        document.set("spec", value!({ "finalizers": ["kubernetes"] }));
        document.set("status", value!({ "phase": "Active" }));
    },
    // Finalizers of a namespace go by a request of their own.
    prepare_update: |document, before| document.set("spec", before.get("spec").clone()),
    validate: |document| metadata::validate(Kind::Namespace, document),
    validate_update: |document, _| metadata::validate(Kind::Namespace, document),
    warnings: |document, before| {
        let problem = before.is_none() && document.at(&["metadata", "name"]).str().starts_with("kube-");
        let warning = "metadata.name: the \"kube-\" prefix is reserved for Kubernetes system namespaces";
        if problem { vec![warning.to_owned()] } else { Vec::new() }
    },
    columns: &[NAME, shown("Status"), AGE],
    cells: |object, now| {
        let phase = object.status().get("phase").str().to_owned();
        vec![object.key.name.to_string(), phase, age(object, now)]
    },
};

/// The rules of Nodes.
pub(super) const NODE: Rules = Rules {
    validate: validate_node,
    validate_update: |document, before| {
        let mut errors = validate_node(document);
        let (spec, old) = (document.get("spec"), before.get("spec"));
        for (field, shown) in [("podCIDRs", "podCIDR"), ("providerID", "providerID")] {
            if !old.get(field).is_empty() && spec.get(field) != old.get(field) {
                let why = format!("node updates may not change {shown} except from \"\" to valid");
                errors.push(FieldError::forbidden(format!("spec.{field}"), why));
            }
        }
        errors
    },
    warnings: |document, _| {
        let mut warnings = Vec::new();
        if !document.at(&["spec", "configSource"]).is_null() {
            warnings.push("spec.configSource: the feature is removed".to_owned());
        }
        if !document.at(&["spec", "externalID"]).is_empty() {
            let why = "this field is deprecated, and is unused by Kubernetes";
            warnings.push(format!("spec.externalID: {why}"));
        }
        warnings
    },
    columns: NODE_COLUMNS,
    cells: node_cells,
    ..STORED
};

fn validate_node(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Node, document);
    let taints = document.at(&["spec", "taints"]).items();
    for (index, taint) in taints.iter().enumerate() {
        // The server takes taints for a part of the metadata here.
        let path = format!("metadata.taints[{index}]");
        let (key, value, effect) = (taint.get("key"), taint.get("value").str(), taint.get("effect"));
        super::field::text(&mut errors, &format!("{path}.key"), key.str(), names::label_key);
        let problems = names::label_value(value);
        if !problems.is_empty() {
            let why = problems.join(";");
            errors.push(FieldError::invalid(format!("{path}.value"), json::quote(value), why));
        }
        pod::taint_effect(effect, &format!("{path}.effect"), &mut errors);
        let same = |other: &Value| other.get("key") == key && other.get("effect") == effect;
        if taints[..index].iter().any(same) {
            let shown = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":{}}}",
                json::quote(key.str()),
                json::quote(value),
                json::quote(effect.str()),
                json::compact(taint.get("timeAdded"))
            );
            let detail = "taints must be unique by key and effect pair".to_owned();
            errors.push(FieldError { detail, ..FieldError::duplicate(path, shown) });
        }
    }
    for (index, range) in document.at(&["spec", "podCIDRs"]).items().iter().enumerate() {
        super::field::text(&mut errors, &format!("spec.podCIDRs[{index}]"), range.str(), names::cidr);
    }
    for list in ["capacity", "allocatable"] {
        for (name, amount) in document.at(&["status", list]).entries() {
            pod::resources::amount(name, amount.str(), &format!("status.{list}.{name}"), &mut errors);
        }
    }
    errors
}

const NODE_COLUMNS: &[Column] = &[
    NAME,
    shown("Status"),
    shown("Roles"),
    AGE,
    shown("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];

fn node_cells(object: &Object, now: Timestamp) -> Vec<String> {
    let status = object.status();
    let info = status.get("nodeInfo");
    let said = |field: &str| match info.get(field).str() {
        "" => "<unknown>".to_owned(),
        text => text.to_owned(),
    };
    let address = |kind: &str| {
        let addresses = status.get("addresses").items();
        let found = addresses.iter().find(|address| address.get("type").str() == kind);
        or_none(found.map_or("", |address| address.get("address").str()))
    };
    let mut kernel = said("kernelVersion");
    if !info.get("architecture").is_empty() {
        kernel = format!("{kernel} ({})", info.get("architecture").str());
    }
    vec![
        object.key.name.to_string(),
        node_status(object),
        roles(object),
        age(object, now),
        info.get("kubeletVersion").str().to_owned(),
        address("InternalIP"),
        address("ExternalIP"),
        said("osImage"),
        kernel,
        said("containerRuntimeVersion"),
    ]
}

fn node_status(object: &Object) -> String {
    let conditions = object.status().get("conditions").items();
    let ready = conditions.iter().find(|condition| condition.get("type").str() == "Ready");
    let mut status = match ready.map(|condition| condition.get("status").str()) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object.spec().get("unschedulable").as_bool() == Some(true) {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// The roles that a node's labels name, in alphabetical order.
fn roles(object: &Object) -> String {
    let mut roles: Vec<&str> = object
        .meta
        .labels
        .entries()
        .iter()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None => (key == "kubernetes.io/role").then(|| value.str()),
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    or_none(&roles.join(","))
}
