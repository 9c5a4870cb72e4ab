//! Services: defaults, checks, warnings, table.
//!
//! Owns what depends on the document alone. Which addresses, families and node ports a Service gets depends
//! on the cluster: see `crate::cluster::services`.

mod changes;
pub mod families;
mod table;
mod validate;
mod warnings;

pub use changes::{
    keep_allocated_values, keeps_preference, node_ports, requested_node_port, sync_cluster_ips,
    trim_to_one_family,
};

use super::Rules;
use super::field::{each, fill, within};
use crate::api::value::Value;
use crate::value;

/// The rules of Services.
pub(super) const RULES: Rules = Rules {
    default,
    prepare_create,
    prepare_update: |document, before| {
        changes::drop_fields_of_old_type(document.field_mut("spec"), before.get("spec"));
        let balanced = |document: &Value| document.at(&["spec", "type"]).str() == "LoadBalancer";
        if balanced(before) && !balanced(document) {
            document.set_at(&["status", "loadBalancer"], Value::map());
        }
    },
    validate: validate::validate,
    validate_update: validate::validate_update,
    warnings: warnings::of_service,
    columns: table::COLUMNS,
    cells: table::cells,
};

/// How long a client keeps its backend where nothing is said (three hours).
const AFFINITY_SECONDS: i64 = 10_800;

/// Whether a Service of this `spec` has a cluster address, `None` included.
#[must_use]
pub fn needs_cluster_ip(spec: &Value) -> bool {
    matches!(spec.get("type").str(), "ClusterIP" | "NodePort" | "LoadBalancer")
}

/// Whether a Service of this `spec` has node ports.
#[must_use]
pub fn needs_node_ports(spec: &Value) -> bool {
    matches!(spec.get("type").str(), "NodePort" | "LoadBalancer")
}

/// Whether a Service of this `spec` has a port where nodes tell a load balancer their health.
#[must_use]
pub fn needs_health_check_port(spec: &Value) -> bool {
    spec.get("type").str() == "LoadBalancer" && spec.get("externalTrafficPolicy").str() == "Local"
}

/// Whether a Service of this `spec` can be reached from outside, so that `externalTrafficPolicy` applies.
pub(super) fn is_external(spec: &Value) -> bool {
    needs_node_ports(spec) || spec.get("type").str() == "ClusterIP" && !spec.get("externalIPs").is_empty()
}

/// Whether a Service of this `spec` has no cluster address of its own.
#[must_use]
pub fn is_headless(spec: &Value) -> bool {
    spec.get("clusterIPs").items().first().is_some_and(|ip| ip.str() == "None")
}

/// `SetDefaults_Service`.
fn default(document: &mut Value) {
    within(document, "status", |status| {
        within(status, "loadBalancer", |balancer| each(balancer, "ingress", default_ingress));
    });
    let spec = document.field_mut("spec");
    fill(spec, &[("sessionAffinity", Value::text("None")), ("type", Value::text("ClusterIP"))]);
    match spec.get("sessionAffinity").str() {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" if spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]).is_null() => {
            spec.set_at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"], AFFINITY_SECONDS);
        }
        _ => {}
    }
    each(spec, "ports", default_port);
    if is_external(spec) && spec.get("externalTrafficPolicy").is_empty() {
        spec.set("externalTrafficPolicy", "Cluster");
    }
    if needs_cluster_ip(spec) {
        spec.set_default("internalTrafficPolicy", "Cluster");
    }
    if spec.get("type").str() == "LoadBalancer" {
        spec.set_default("allocateLoadBalancerNodePorts", true);
    }
    drop_empty(spec);
}

/// Fields that Go leaves out of a document where they are empty.
fn drop_empty(spec: &mut Value) {
    for field in [
        "clusterIP",
        "clusterIPs",
        "externalIPs",
        "externalName",
        "externalTrafficPolicy",
        "ipFamilies",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "ports",
        "selector",
    ] {
        if spec.get(field).is_empty() {
            spec.remove(field);
        }
    }
    for field in ["healthCheckNodePort", "publishNotReadyAddresses"] {
        if matches!(spec.get(field), Value::Int(0) | Value::Bool(false)) {
            spec.remove(field);
        }
    }
}

/// An address that a load balancer gives is handled by the nodes, unless it says otherwise.
fn default_ingress(entry: &mut Value) {
    if !entry.get("ip").is_empty() {
        entry.set_default("ipMode", "VIP");
    }
}

fn default_port(port: &mut Value) {
    if port.get("protocol").is_empty() {
        port.set("protocol", "TCP");
    }
    let target = port.get("targetPort");
    if target.is_empty() || *target == Value::Int(0) {
        let number = port.get("port").clone();
        port.set("targetPort", if number.is_null() { Value::Int(0) } else { number });
    }
    if port.get("port").is_null() {
        port.set("port", 0);
    }
    if *port.get("nodePort") == Value::Int(0) {
        port.remove("nodePort");
    }
    if port.get("name").is_empty() {
        port.remove("name");
    }
}

fn prepare_create(document: &mut Value) {
    document.set("status", value!({ "loadBalancer": {} }));
}
