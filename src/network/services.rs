//! Service ports and their endpoints, as kube-proxy keeps them.
//!
//! Owns [`ServicePort`] and which of its endpoints a node uses ([`ServicePort::candidates`]); the rules for
//! that are those of kube-proxy's `CategorizeEndpoints` (pkg/proxy/topology.go). It does not own lookups by
//! address ([`super::tables`]) nor what is done to a packet ([`super::proxy`]).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

use super::names::service_hash;
use super::outcome::PortName;
use crate::api::typed::{Affinity, Endpoint, EndpointSlice, Policy, Protocol, Service};
use crate::api::value::SmolStr;

/// One port of one Service in one address family.
#[derive(Clone, Debug)]
pub struct ServicePort {
    /// Its name.
    pub name: Arc<PortName>,
    /// The address inside the cluster.
    pub cluster_ip: IpAddr,
    /// The port at that address.
    pub port: u16,
    /// The port on every node, or 0.
    pub node_port: u16,
    /// Addresses outside that lead here by routing.
    pub external_ips: Vec<IpAddr>,
    /// Addresses of the load balancer that kube-proxy handles.
    pub load_balancer_ips: Vec<IpAddr>,
    /// All addresses of the load balancer: those that kube-proxy handles, and those of a proxy (`ipMode`).
    pub balancer_ips: Vec<IpAddr>,
    /// Whether a cloud made the load balancer, which then enforces the source ranges.
    pub cloud_balanced: bool,
    /// `loadBalancerSourceRanges`.
    pub source_ranges: Vec<IpNet>,
    /// `internalTrafficPolicy`.
    pub internal_policy: Policy,
    /// `externalTrafficPolicy`.
    pub external_policy: Policy,
    /// `sessionAffinity`.
    pub affinity: Affinity,
    /// All endpoints that the slices name for this port, sorted as kube-proxy sorts them: by their text.
    pub endpoints: Vec<Backend>,
    /// Which endpoints any node uses: the ready ones; if there are none, those still serving while they
    /// terminate.
    pub usable: Vec<u32>,
    /// Whether slices name zones or nodes that an endpoint is meant for.
    pub hinted: bool,
    hash: OnceLock<String>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Its address and port.
    pub address: SocketAddr,
    /// The node it is on, or empty.
    pub node: SmolStr,
    /// `ready`.
    pub ready: bool,
    /// `serving`.
    pub serving: bool,
    /// Whether it is terminating but still serves.
    pub draining: bool,
    /// The zones it is meant for.
    pub zone_hints: Box<[SmolStr]>,
    /// The nodes it is meant for.
    pub node_hints: Box<[SmolStr]>,
}

/// A node, as far as the choice of endpoints depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Vantage<'a> {
    /// Its name.
    pub node: &'a SmolStr,
    /// Its zone, or empty.
    pub zone: &'a SmolStr,
}

impl ServicePort {
    /// The ports of a Service in the families it has addresses in. Endpoints come later.
    pub(super) fn of<'a>(
        namespace: &'a SmolStr,
        name: &'a SmolStr,
        service: &'a Service,
    ) -> impl Iterator<Item = Self> + 'a {
        service.cluster_ips.iter().flat_map(move |cluster_ip| {
            let same_family = |ip: &&IpAddr| ip.is_ipv4() == cluster_ip.is_ipv4();
            service.ports.iter().map(move |port| Self {
                name: Arc::new(PortName {
                    namespace: namespace.clone(),
                    service: name.clone(),
                    port: port.name.clone(),
                    protocol: port.protocol,
                }),
                cluster_ip: *cluster_ip,
                port: port.port,
                node_port: port.node_port,
                external_ips: service.external_ips.iter().filter(same_family).copied().collect(),
                load_balancer_ips: service.load_balancer_ips.iter().filter(same_family).copied().collect(),
                balancer_ips: service.balancer_ips.iter().filter(same_family).copied().collect(),
                cloud_balanced: service.cloud_balanced,
                source_ranges: (service.source_ranges.iter())
                    .filter(|range| range.addr().is_ipv4() == cluster_ip.is_ipv4())
                    .copied()
                    .collect(),
                internal_policy: service.internal_policy,
                external_policy: service.external_policy,
                affinity: service.affinity,
                endpoints: Vec::new(),
                usable: Vec::new(),
                hinted: false,
                hash: OnceLock::new(),
            })
        })
    }

    /// Takes the endpoints from the Service's slices.
    pub(super) fn set_endpoints<'a>(&mut self, slices: impl Iterator<Item = &'a EndpointSlice>) {
        self.endpoints.clear();
        for slice in slices {
            for port in &slice.ports {
                if port.name == self.name.port && port.protocol == self.name.protocol && port.port != 0 {
                    let found =
                        slice.endpoints.iter().filter_map(|endpoint| Backend::of(endpoint, port.port));
                    let v4 = self.cluster_ip.is_ipv4();
                    self.endpoints.extend(found.filter(|backend| backend.address.is_ipv4() == v4));
                }
            }
        }
        self.endpoints.sort_by_cached_key(|backend| backend.address.to_string());
        self.endpoints.dedup_by(|a, b| a.address == b.address);
        self.endpoints.shrink_to_fit();
        self.hinted =
            self.endpoints.iter().any(|one| !one.zone_hints.is_empty() || !one.node_hints.is_empty());
        self.usable = self.indexes(|backend| backend.ready);
        if self.usable.is_empty() {
            self.usable = self.indexes(|backend| backend.draining);
        }
    }

    fn indexes(&self, wanted: impl Fn(&Backend) -> bool) -> Vec<u32> {
        (0..).zip(&self.endpoints).filter(|(_, backend)| wanted(backend)).map(|(index, _)| index).collect()
    }

    /// The letters that stand for it in the names of chains.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| service_hash(&self.name))
    }

    /// The port's protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.name.protocol
    }

    /// Whether anything outside the cluster may reach it: it has a node port or an external address.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.node_port != 0 || !self.external_ips.is_empty() || !self.load_balancer_ips.is_empty()
    }

    /// Whether a node passes the health check of a load balancer: it has ready endpoints of its own.
    #[must_use]
    pub fn is_healthy_on(&self, node: &str) -> bool {
        self.endpoints.iter().any(|backend| backend.ready && backend.node == node)
    }

    /// Whether there is any endpoint that some node could use. Without one, traffic is rejected.
    #[must_use]
    pub fn has_endpoints(&self) -> bool {
        !self.usable.is_empty()
    }

    /// The endpoints that a node uses under policy `Cluster`: indexes into `endpoints`.
    #[must_use]
    #[inline]
    pub fn cluster_candidates(&self, vantage: Vantage<'_>) -> Cow<'_, [u32]> {
        if self.hinted { self.hinted_candidates(vantage) } else { Cow::Borrowed(&self.usable) }
    }

    fn hinted_candidates(&self, vantage: Vantage<'_>) -> Cow<'_, [u32]> {
        let ready = || self.endpoints.iter().filter(|backend| backend.ready);
        let for_node = |backend: &Backend| backend.node_hints.iter().any(|node| node == vantage.node);
        let for_zone = |backend: &Backend| backend.zone_hints.iter().any(|zone| zone == vantage.zone);
        if ready().all(|backend| !backend.node_hints.is_empty()) && ready().any(for_node) {
            return Cow::Owned(self.indexes(|backend| backend.ready && for_node(backend)));
        }
        if ready().all(|backend| !backend.zone_hints.is_empty()) && ready().any(for_zone) {
            return Cow::Owned(self.indexes(|backend| backend.ready && for_zone(backend)));
        }
        Cow::Borrowed(&self.usable)
    }

    /// The endpoints that a node uses under policy `Local`: the ready ones there; if there are none, those
    /// there that still serve while they terminate.
    #[must_use]
    pub fn local_candidates(&self, vantage: Vantage<'_>) -> Vec<u32> {
        let ready = self.indexes(|backend| backend.ready && backend.node == *vantage.node);
        if ready.is_empty() {
            return self.indexes(|backend| backend.draining && backend.node == *vantage.node);
        }
        ready
    }
}

impl Backend {
    fn of(endpoint: &Endpoint, port: u16) -> Option<Self> {
        Some(Self {
            address: SocketAddr::new(*endpoint.addresses.first()?, port),
            node: endpoint.node.clone(),
            ready: endpoint.ready,
            serving: endpoint.serving,
            draining: endpoint.serving && endpoint.terminating,
            zone_hints: endpoint.zone_hints().collect(),
            node_hints: endpoint.node_hints().collect(),
        })
    }
}
