//! The EndpointSlice as kube-proxy and DNS read it.

use super::{Addresses, Protocol, port};
use crate::api::value::{SmolStr, Value};

/// What the simulation reads of an EndpointSlice.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSlice {
    /// The Service it belongs to, by the label `kubernetes.io/service-name`; empty without one.
    pub service: SmolStr,
    /// `addressType`: `IPv4`, `IPv6` or `FQDN`.
    pub address_type: SmolStr,
    /// `ports`.
    pub ports: Box<[EndpointPort]>,
    /// `endpoints`, in the order stored.
    pub endpoints: Box<[Endpoint]>,
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
    pub addresses: Addresses,
    /// `conditions.ready`; an absent condition counts as true.
    pub ready: bool,
    /// `conditions.serving`; an absent condition counts as `ready`.
    pub serving: bool,
    /// `conditions.terminating`.
    pub terminating: bool,
    /// `nodeName`, or empty.
    pub node: SmolStr,
    /// The whole entry, for what is seldom asked.
    document: Value,
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
        Self {
            addresses: value.get("addresses").items().iter().filter_map(|ip| ip.str().parse().ok()).collect(),
            ready,
            serving: conditions.get("serving").as_bool().unwrap_or(ready),
            terminating: conditions.get("terminating").as_bool().unwrap_or(false),
            node: value.get("nodeName").smol(),
            document: value.clone(),
        }
    }

    /// `hostname`, or empty.
    #[must_use]
    pub fn hostname(&self) -> &str {
        self.document.get("hostname").str()
    }

    /// The name of the Pod in `targetRef`, or empty.
    #[must_use]
    pub fn pod(&self) -> SmolStr {
        let target = self.document.get("targetRef");
        if target.get("kind").str() == "Pod" { target.get("name").smol() } else { SmolStr::default() }
    }

    /// Zones named in `hints.forZones`.
    pub fn zone_hints(&self) -> impl Iterator<Item = SmolStr> {
        self.hints("forZones")
    }

    /// Nodes named in `hints.forNodes`.
    pub fn node_hints(&self) -> impl Iterator<Item = SmolStr> {
        self.hints("forNodes")
    }

    fn hints(&self, field: &str) -> impl Iterator<Item = SmolStr> + use<'_> {
        self.document.at(&["hints", field]).items().iter().map(|hint| hint.get("name").smol())
    }
}
