//! What an update of a Service keeps or drops without being asked.
//!
//! Owns the steps of `pkg/registry/core/service` that patch a new document from the old one: allocated
//! values that a client left out come back, and fields that the new type does not have go.

use super::{is_external, needs_cluster_ip, needs_health_check_port, needs_node_ports};
use crate::api::value::{SmolStr, Value};

/// `normalizeClusterIPs`: brings `clusterIPs` in line with a `clusterIP` that alone was set or changed.
/// Arguments: the new `spec`, and the old one if there is one.
pub fn sync_cluster_ips(spec: &mut Value, before: Option<&Value>) {
    let one = spec.get("clusterIP").clone();
    let Some(before) = before else {
        if !one.is_empty() && spec.get("clusterIPs").is_empty() {
            spec.set("clusterIPs", vec![one]);
        }
        return;
    };
    if before.get("clusterIPs") != spec.get("clusterIPs") || before.get("clusterIP") == &one {
        return;
    }
    if one.is_empty() {
        spec.remove("clusterIPs");
    } else {
        spec.set("clusterIPs", vec![one]);
    }
}

/// `patchAllocatedValues`: addresses and ports that were allocated and that the client did not name.
pub fn keep_allocated_values(spec: &mut Value, before: &Value) {
    if needs_cluster_ip(before) && needs_cluster_ip(spec) {
        if spec.get("clusterIP").is_empty() && !before.get("clusterIP").is_empty() {
            spec.set("clusterIP", before.get("clusterIP").clone());
        }
        let same = spec.get("clusterIP") == before.get("clusterIP");
        if same && spec.get("clusterIPs").is_empty() && !before.get("clusterIPs").is_empty() {
            spec.set("clusterIPs", before.get("clusterIPs").clone());
        }
    }
    if needs_node_ports(before) && needs_node_ports(spec) {
        keep_node_ports(spec, before);
    }
    let port = before.get("healthCheckNodePort");
    if needs_health_check_port(before) && needs_health_check_port(spec) && !port.is_null() {
        spec.set_default("healthCheckNodePort", port.clone());
    }
}

/// The node ports that a Service's `spec` names.
#[must_use]
pub fn node_ports(spec: &Value) -> Vec<i64> {
    let ports = spec.get("ports").items().iter();
    ports.filter_map(|port| port.get("nodePort").as_int()).filter(|port| *port != 0).collect()
}

/// The node port that any of the ports with this number asks for, or 0.
#[must_use]
pub fn requested_node_port(ports: &[Value], number: i64) -> i64 {
    ports
        .iter()
        .filter(|port| port.get("port").as_int() == Some(number))
        .filter_map(|port| port.get("nodePort").as_int())
        .find(|port| *port != 0)
        .unwrap_or(0)
}

/// Whether both versions prefer two families and nothing about addresses changed.
#[must_use]
pub fn keeps_preference(spec: &Value, before: &Value) -> bool {
    [spec, before].iter().all(|spec| spec.get("ipFamilyPolicy").str() == "PreferDualStack")
        && ["clusterIP", "clusterIPs", "ipFamilies"].iter().all(|field| spec.get(field) == before.get(field))
}

fn keep_node_ports(spec: &mut Value, before: &Value) {
    let named = node_ports(spec);
    let mut used: Vec<i64> = node_ports(before).into_iter().filter(|port| named.contains(port)).collect();
    let old: Vec<(SmolStr, i64)> = before
        .get("ports")
        .items()
        .iter()
        .map(|port| (port.get("name").smol(), port.get("nodePort").as_int().unwrap_or(0)))
        .collect();
    if spec.get("ports").items().iter().all(|port| !port.get("nodePort").is_null()) {
        return;
    }
    for port in spec.field_mut("ports").list_mut() {
        if !port.get("nodePort").is_null() {
            continue;
        }
        // The last of equal names counts, as in the map that the server builds.
        let name = port.get("name").str();
        let Some((_, number)) = old.iter().rev().find(|(old, _)| old == name) else { continue };
        if *number != 0 && !used.contains(number) {
            used.push(*number);
            port.set("nodePort", *number);
        }
    }
}

/// Drops the second address and family where the policy goes back to SingleStack and nothing else was said
/// (`trimFieldsForDualStackDowngrade`).
pub fn trim_to_one_family(spec: &mut Value, before: &Value) {
    let policy = |spec: &Value| spec.get("ipFamilyPolicy").str() == "SingleStack";
    if !policy(spec) || policy(before) || before.get("ipFamilyPolicy").is_null() {
        return;
    }
    for field in ["clusterIPs", "ipFamilies"] {
        if spec.get(field).items().len() == 2 && spec.get(field) == before.get(field) {
            spec.field_mut(field).list_mut().truncate(1);
        }
    }
}

/// `dropTypeDependentFields`: what the server set for the old type and the client did not touch.
pub fn drop_fields_of_old_type(spec: &mut Value, before: &Value) {
    let same = |spec: &Value, field: &str| spec.get(field) == before.get(field);
    let drop = |spec: &mut Value, fields: &[&str]| {
        for field in fields {
            if same(spec, field) {
                spec.remove(field);
            }
        }
    };
    if needs_cluster_ip(before) && !needs_cluster_ip(spec) {
        if same(spec, "clusterIP") && same(spec, "clusterIPs") {
            spec.remove("clusterIP");
            spec.remove("clusterIPs");
        }
        drop(spec, &["ipFamilies", "ipFamilyPolicy"]);
    }
    if needs_node_ports(before) && !needs_node_ports(spec) {
        // Only if the client did not change any of them.
        let old = node_ports(before);
        if node_ports(spec).iter().all(|port| old.contains(port)) && !node_ports(spec).is_empty() {
            for port in spec.field_mut("ports").list_mut() {
                port.remove("nodePort");
            }
        }
    }
    if needs_health_check_port(before) && !needs_health_check_port(spec) {
        drop(spec, &["healthCheckNodePort"]);
    }
    if before.get("type").str() == "LoadBalancer" && spec.get("type").str() != "LoadBalancer" {
        drop(spec, &["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
    }
    if is_external(before) && !is_external(spec) {
        drop(spec, &["externalTrafficPolicy"]);
    }
}
