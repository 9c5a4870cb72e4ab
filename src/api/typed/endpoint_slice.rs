//! The EndpointSlice as kube-proxy and DNS read it.

use std::net::IpAddr;

use super::{Protocol, port};
use crate::api::value::{SmolStr, Value};

/// What the simulation reads of an EndpointSlice.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSlice {
    /// The Service it belongs to, by the label `kubernetes.io/service-name`; empty without one.
    pub service: SmolStr,
    /// `addressType`: `IPv4`, `IPv6` or `FQDN`.
    pub address_type: SmolStr,
    /// `ports`.
    pub ports: Vec<EndpointPort>,
    /// `endpoints`, in the order stored.
    pub endpoints: Vec<Endpoint>,
}

/// One entry of a slice's `ports`.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointPort {
    /// Its name, or empty: the name of the Service port it serves.
    pub name: SmolStr,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its number; 0 means every port.
    pub port: u16,
}

/// One entry of a slice's `endpoints`.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its addresses; consumers use the first.
    pub addresses: Vec<IpAddr>,
    /// `conditions.ready`; an absent condition counts as true.
    pub ready: bool,
    /// `conditions.serving`; an absent condition counts as `ready`.
    pub serving: bool,
    /// `conditions.terminating`.
    pub terminating: bool,
    /// `nodeName`, or empty.
    pub node: SmolStr,
    /// `zone`, or empty.
    pub zone: SmolStr,
    /// `hostname`, or empty.
    pub hostname: SmolStr,
    /// The name of the Pod in `targetRef`, or empty.
    pub pod: SmolStr,
    /// Zones named in `hints.forZones`.
    pub zone_hints: Vec<SmolStr>,
    /// Nodes named in `hints.forNodes`.
    pub node_hints: Vec<SmolStr>,
}

impl EndpointSlice {
    pub(super) fn of(value: &Value) -> Self {
        Self {
            service: value.at(&["metadata", "labels", "kubernetes.io/service-name"]).smol(),
            address_type: value.get("addressType").smol(),
            ports: value.get("ports").items().iter().map(EndpointPort::of).collect(),
            endpoints: value.get("endpoints").items().iter().map(Endpoint::of).collect(),
        }
    }
}

impl EndpointPort {
    fn of(value: &Value) -> Self {
        Self {
            name: value.get("name").smol(),
            protocol: Protocol::of(value.get("protocol")),
            port: port(value.get("port")),
        }
    }
}

impl Endpoint {
    fn of(value: &Value) -> Self {
        let conditions = value.get("conditions");
        let ready = conditions.get("ready").as_bool().unwrap_or(true);
        let names = |list: &Value| list.items().iter().map(|hint| hint.get("name").smol()).collect();
        let target = value.get("targetRef");
        Self {
            addresses: value.get("addresses").items().iter().filter_map(|ip| ip.str().parse().ok()).collect(),
            ready,
            serving: conditions.get("serving").as_bool().unwrap_or(ready),
            terminating: conditions.get("terminating").as_bool().unwrap_or(false),
            node: value.get("nodeName").smol(),
            zone: value.get("zone").smol(),
            hostname: value.get("hostname").smol(),
            pod: if target.get("kind").str() == "Pod" {
                target.get("name").smol()
            } else {
                SmolStr::default()
            },
            zone_hints: names(value.at(&["hints", "forZones"])),
            node_hints: names(value.at(&["hints", "forNodes"])),
        }
    }
}
