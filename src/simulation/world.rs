//! What a new cluster has: system namespaces, nodes, the `kubernetes` Service, CoreDNS.
//!
//! Owns the making of the first objects; from there on controllers keep them. The objects are those of the
//! reference sessions (13-get-nodes-ns, 14-get-kube-system).

use super::Simulation;
use crate::api::patch::last_applied::with_last_applied;
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::clock::Span;
use crate::cluster::settings::after;
use crate::cluster::{Actor, Settings};
use crate::value;

/// How long the world may take to come to rest before a session begins.
const SETTLE_LIMIT: Span = Span::from_seconds(60);
/// How long the API server is up before something is deployed.
const FIRST_SECOND: Span = Span::from_seconds(1);

/// The manifests of what a new cluster runs.
const SYSTEM: &str = include_str!("system.yaml");

/// Kinds of [`SYSTEM`] that an administrator applied; the API server makes the others itself.
const APPLIED: [Kind; 3] = [Kind::Service, Kind::Deployment, Kind::ServiceAccount];

/// Fills an empty world and lets it settle.
pub(super) fn build(simulation: &mut Simulation) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        create(simulation, Kind::Namespace, "", value!({ "metadata": { "name": name } }));
    }
    let settings = simulation.cluster.settings().clone();
    let now = simulation.cluster.timestamp();
    for index in 0..settings.nodes {
        let node = node(&settings, index, &simulation.cluster.allocators().node_ranges(index), now);
        create(simulation, Kind::Node, "", node);
        create(simulation, Kind::Lease, "kube-node-lease", lease(&settings.node_name(index), now));
    }
    let ranges: Value =
        settings.service_networks.iter().map(|range| Value::from(range.to_string())).collect();
    create(
        simulation,
        Kind::ServiceCIDR,
        "",
        value!({
            "metadata": { "name": "kubernetes" },
            "spec": { "cidrs": ranges }
        }),
    );
    // The first objects are there before anything runs on them.
    simulation.settle(FIRST_SECOND);
    let (documents, diagnostics) = yaml::read(SYSTEM);
    assert!(diagnostics.is_empty(), "the system manifests are valid YAML");
    for document in &documents {
        let mut value = document.value();
        let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str())
            .expect("the system manifests are of known kinds");
        let namespace = value.at(&["metadata", "namespace"]).smol();
        if kind == Kind::Service {
            value.set_at(&["spec", "clusterIP"], settings.dns_address().to_string());
        }
        if APPLIED.contains(&kind) || value.at(&["metadata", "name"]).str() == "coredns" {
            value = with_last_applied(&value);
        }
        create(simulation, kind, &namespace, value);
    }
    simulation.settle(SETTLE_LIMIT);
}

/// A node's Lease, as the kubelet took it when it registered. Nobody renews it: nodes do not fail by themselves.
fn lease(name: &str, now: Timestamp) -> Value {
    value!({
        "metadata": { "name": (name.to_owned()) },
        "spec": {
            "holderIdentity": (name.to_owned()),
            "leaseDurationSeconds": 40,
            "renewTime": (format!("{}.000000Z", now.to_string().trim_end_matches('Z')))
        }
    })
}

fn create(simulation: &mut Simulation, kind: Kind, namespace: &str, document: Value) {
    let created = simulation.cluster.create(Actor::ApiServer, kind, namespace, document);
    if let Err(status) = created {
        unreachable!("the first objects are valid: {status}");
    }
    simulation.notice();
}

/// `status.addresses` of node number `index`: one address per family, the primary one first.
fn node_addresses(settings: &Settings, index: u32, name: &str) -> Value {
    let firsts = std::iter::once(settings.first_node_address).chain(settings.second_node_address);
    let internal = firsts.map(|first| {
        let address = after(first, index);
        value!({ "type": "InternalIP", "address": (address.to_string()) })
    });
    internal.chain([value!({ "type": "Hostname", "address": (name.to_owned()) })]).collect()
}

fn node(settings: &Settings, index: u32, ranges: &[ipnet::IpNet], now: Timestamp) -> Value {
    let name = settings.node_name(index);
    let ranges: Value = ranges.iter().map(|range| Value::from(range.to_string())).collect();
    let mut spec = value!({ "podCIDR": (ranges.items().first().cloned()), "podCIDRs": ranges });
    if index == 0 {
        spec.set(
            "taints",
            value!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]),
        );
    }
    value!({
        "metadata": {
            "name": (name.clone()),
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true"
            },
            "labels": (node_labels(settings, index, &name))
        },
        "spec": spec,
        "status": {
            "addresses": (node_addresses(settings, index, &name)),
            "allocatable": (resources(settings, "47439278820", "8043004Ki")),
            "capacity": (resources(settings, "51474912Ki", "8145404Ki")),
            "conditions": (node_conditions(now)),
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "nodeInfo": (node_info(index, &name))
        }
    })
}

fn node_labels(settings: &Settings, index: u32, name: &str) -> Value {
    let mut labels = value!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": (name.to_owned()),
        "kubernetes.io/os": "linux"
    });
    if index == 0 {
        labels.set("node-role.kubernetes.io/control-plane", "");
        labels.set("node.kubernetes.io/exclude-from-external-load-balancers", "");
    } else if !settings.zones.is_empty() {
        let zone = settings.zones[(index as usize - 1) % settings.zones.len()].clone();
        labels.set("topology.kubernetes.io/zone", zone);
    }
    labels
}

fn resources(settings: &Settings, storage: &'static str, memory: &'static str) -> Value {
    value!({
        "cpu": "4",
        "ephemeral-storage": storage,
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory,
        "pods": (settings.pods_per_node.to_string())
    })
}

fn node_conditions(now: Timestamp) -> Value {
    let rows = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let condition =
        |(kind, status, reason, message): (&'static str, &'static str, &'static str, &'static str)| {
            value!({
                "lastHeartbeatTime": now, "lastTransitionTime": now, "message": message,
                "reason": reason, "status": status, "type": kind
            })
        };
    rows.into_iter().map(condition).collect()
}

/// The machine ID of the recorded control plane; those of other nodes follow it.
const MACHINE_ID: u128 = 0x7bbb_ec64_e000_ce1d_25cb_2e9c_ee8c_79b0;

/// What the node's machine is; its ids are made from its number and name.
fn node_info(index: u32, name: &str) -> Value {
    let id = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let uuid = |id: u64| {
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            id >> 32,
            (id >> 16) & 0xffff,
            id & 0xfff,
            (id >> 4) & 0xfff,
            id & 0xffff_ffff_ffff
        )
    };
    value!({
        "architecture": "amd64",
        "bootID": (uuid(id)),
        "containerRuntimeVersion": "containerd://2.1.0",
        "kernelVersion": "6.1.0-32-amd64",
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.36.2",
        "machineID": (format!("{:032x}", MACHINE_ID + u128::from(index))),
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": (uuid(id.rotate_left(31)))
    })
}
