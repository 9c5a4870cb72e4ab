//! What a new cluster has: system namespaces, nodes, the `kubernetes` Service, CoreDNS.
//!
//! Owns the making of the first objects; from there on controllers keep them. The objects are those of the
//! reference sessions (13-get-nodes-ns, 14-get-kube-system).

use std::net::IpAddr;

use super::Simulation;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::clock::Span;
use crate::cluster::{Actor, Settings};
use crate::value;

/// How long the world may take to come to rest before a session begins.
const SETTLE_LIMIT: Span = Span::from_seconds(60);

/// The manifests of what a new cluster runs.
const SYSTEM: &str = include_str!("system.yaml");

/// Fills an empty world and lets it settle.
pub(super) fn build(simulation: &mut Simulation) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        create(simulation, Kind::Namespace, "", value!({ "metadata": { "name": name } }));
    }
    let settings = simulation.cluster.settings().clone();
    for index in 0..settings.nodes {
        let node = node(&settings, index, &simulation.cluster.allocators().node_ranges(index));
        create(simulation, Kind::Node, "", node);
    }
    let (documents, diagnostics) = yaml::read(SYSTEM);
    assert!(diagnostics.is_empty(), "the system manifests are valid YAML");
    for document in &documents {
        let value = document.value();
        let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str());
        let namespace = value.at(&["metadata", "namespace"]).smol();
        create(simulation, kind.expect("the system manifests are of known kinds"), &namespace, value);
    }
    simulation.settle(SETTLE_LIMIT);
}

fn create(simulation: &mut Simulation, kind: Kind, namespace: &str, document: Value) {
    let created = simulation.cluster.create(Actor::ApiServer, kind, namespace, document);
    if let Err(status) = created {
        unreachable!("the first objects are valid: {status}");
    }
    simulation.notice();
}

/// The address of node number `index`.
fn node_address(settings: &Settings, index: u32) -> IpAddr {
    match settings.first_node_address {
        IpAddr::V4(first) => IpAddr::V4((u32::from(first).wrapping_add(index)).into()),
        IpAddr::V6(first) => IpAddr::V6((u128::from(first).wrapping_add(u128::from(index))).into()),
    }
}

fn node(settings: &Settings, index: u32, ranges: &[ipnet::IpNet]) -> Value {
    let name = settings.node_name(index);
    let mut labels = value!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": (name.clone()),
        "kubernetes.io/os": "linux"
    });
    if index == 0 {
        labels.set("node-role.kubernetes.io/control-plane", "");
        labels.set("node.kubernetes.io/exclude-from-external-load-balancers", "");
    } else if !settings.zones.is_empty() {
        let zone = settings.zones[(index as usize - 1) % settings.zones.len()].clone();
        labels.set("topology.kubernetes.io/zone", zone);
    }
    let ranges: Value = ranges.iter().map(|range| Value::from(range.to_string())).collect();
    let mut node = value!({
        "metadata": { "name": (name.clone()), "labels": labels },
        "spec": { "podCIDR": (ranges.items().first().cloned()), "podCIDRs": ranges },
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": (node_address(settings, index).to_string()) },
                { "type": "Hostname", "address": name }
            ],
            "allocatable": { "cpu": "4", "memory": "8Gi", "pods": (settings.pods_per_node.to_string()) },
            "capacity": { "cpu": "4", "memory": "8Gi", "pods": (settings.pods_per_node.to_string()) },
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }]
        }
    });
    if index == 0 {
        node.set_at(
            &["spec", "taints"],
            value!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]),
        );
    }
    node
}
