//! Nodes and Namespaces: defaults, checks, tables.

use super::field::{Errors, labels};
use super::table::{AGE, NAME, or_none, shown, wide};
use super::{Rules, STORED, age, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
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
    validate_update: |document, _| validate_node(document),
    columns: NODE_COLUMNS,
    cells: node_cells,
    ..STORED
};

fn validate_node(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Node, document);
    for (index, taint) in document.at(&["spec", "taints"]).items().iter().enumerate() {
        let path = format!("spec.taints[{index}]");
        super::field::required_text(
            &mut errors,
            &format!("{path}.key"),
            taint.get("key"),
            super::names::label_key,
        );
        let value = Value::from_iter([("value", taint.get("value").clone())]);
        if !taint.get("value").is_empty() {
            labels(&mut errors, &path, &value);
        }
        super::field::one_of(
            &mut errors,
            &format!("{path}.effect"),
            taint.get("effect"),
            &["NoExecute", "NoSchedule", "PreferNoSchedule"],
        );
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
