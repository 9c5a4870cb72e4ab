//! The Node as scheduler, kubelet and network read it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::api::value::{SmolStr, Value};

/// What the simulation reads of a Node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// `status.addresses` of type InternalIP, first the primary one.
    pub addresses: Vec<IpAddr>,
    /// `spec.podCIDRs`.
    pub pod_ranges: Vec<IpNet>,
    /// `spec.unschedulable` (cordoned).
    pub unschedulable: bool,
    /// `spec.taints`, as documents.
    pub taints: Value,
    /// Whether the condition `Ready` is `True`.
    pub ready: bool,
    /// Whether the condition `Ready` says something else than `True`: its kubelet is not at work.
    pub broken: bool,
    /// The label `topology.kubernetes.io/zone`, or empty.
    pub zone: SmolStr,
    /// `status.allocatable.pods`: how many Pods fit.
    pub pod_limit: i64,
}

impl Node {
    pub(super) fn of(value: &Value) -> Self {
        let status = value.get("status");
        let spec = value.get("spec");
        let addresses = status.get("addresses").items().iter();
        let internal = addresses.filter(|address| address.get("type").str() == "InternalIP");
        let conditions = status.get("conditions").items();
        let ready = conditions.iter().find(|condition| condition.get("type").str() == "Ready");
        let ready = ready.map(|condition| condition.get("status").str() == "True");
        Self {
            addresses: internal.filter_map(|address| address.get("address").str().parse().ok()).collect(),
            pod_ranges: spec
                .get("podCIDRs")
                .items()
                .iter()
                .filter_map(|range| range.str().parse().ok())
                .collect(),
            unschedulable: spec.get("unschedulable").as_bool().unwrap_or(false),
            taints: spec.get("taints").clone(),
            ready: ready == Some(true),
            broken: ready == Some(false),
            zone: value.at(&["metadata", "labels", "topology.kubernetes.io/zone"]).smol(),
            pod_limit: match status.at(&["allocatable", "pods"]) {
                Value::Int(number) => *number,
                other => other.str().parse().unwrap_or(110),
            },
        }
    }

    /// The primary address, if it has reported one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.addresses.first().copied()
    }
}
