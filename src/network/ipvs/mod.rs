//! kube-proxy in IPVS mode (deprecated since v1.35): what it does otherwise than iptables and nftables do.
//!
//! Owns the decisions of this mode: addresses of Services are the node's own (on the dummy interface `kube-ipvs0`),
//! the kernel's virtual servers choose backends in turn (`rr`), and ipset rules mark and filter. The facts are
//! those of pkg/proxy/ipvs/proxier.go and of the kernel's ip_vs; nothing of it could be measured on the bench. The
//! texts are in [`ruleset`], the members of sets in [`sets`].
//!
//! The differences: an unknown port of a ClusterIP, and a ping of one, is rejected (chain KUBE-IPVS-FILTER, since
//! v1.27); a node port answers on every address of the node but loopback; policy `Local` is not left aside for
//! the node's own Pods; without a local endpoint it uses the others, and what comes from elsewhere loses its
//! answer, because nobody masquerades it.

pub mod ruleset;
pub mod sets;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::packet::Packet;
use super::proxy::{Choice, Draw, Filter, Hook, MasqueradeReason, Proxy};
use super::services::{ServicePort, Vantage};
use super::tables::{Frontend, Matched};
use super::topology::NodeId;
use crate::api::typed::{Affinity, Policy, Protocol};

/// Whether an address is bound to a node's `kube-ipvs0`: it is an address of a Service, and not the node's own
/// elsewhere.
#[must_use]
pub fn is_bound(proxy: &Proxy<'_>, node: NodeId, address: IpAddr) -> bool {
    proxy.tables.is_service_address(address) && !proxy.topology.is_local(node, address)
}

/// Whether a virtual server for node ports stands at an address of a node: at its own, without loopback.
#[must_use]
pub fn has_node_ports(proxy: &Proxy<'_>, node: NodeId, address: IpAddr) -> bool {
    proxy.topology.is_local(node, address) && !address.is_loopback()
}

/// The endpoints of a virtual server on a node: under policy `Local` the node's own, and where it has none all of
/// them (kubernetes/kubernetes#97081).
pub(super) fn real_servers<'a>(
    port: &'a ServicePort,
    vantage: Vantage<'_>,
    local: bool,
) -> (Cow<'a, [u32]>, bool) {
    let own = if local { port.local_candidates(vantage) } else { Vec::new() };
    match own.is_empty() {
        true => (port.cluster_candidates(vantage), false),
        false => (Cow::Owned(own), true),
    }
}

/// The backend that a virtual server chooses; `None` if there is none to choose.
pub(super) fn translate<'a>(
    proxy: &Proxy<'a>,
    matched: Matched<'a>,
    node: NodeId,
    packet: &Packet,
    from_node: bool,
    draw: &mut Draw<'_>,
) -> Option<Choice<'a>> {
    let port = matched.port;
    let source = packet.source.ip();
    let policy_local = matched.policy() == Policy::Local;
    let (candidates, local) = real_servers(port, proxy.vantage(node), policy_local);
    if candidates.is_empty() {
        return None;
    }
    let mut remembered = None;
    if let Affinity::ClientIp { timeout_seconds } = port.affinity
        && let Some(kept) = draw.flows.affine(node, &port.name, source, draw.now, timeout_seconds)
    {
        remembered = candidates.iter().position(|index| port.endpoints[*index as usize].address == kept);
    }
    let index = remembered.unwrap_or_else(|| {
        draw.flows.next_turn(node, packet.transport, packet.destination, candidates.len())
    });
    let backend = &port.endpoints[candidates[index] as usize];
    if port.affinity != Affinity::None {
        draw.flows.attach(node, &port.name, source, backend.address, draw.now);
    }
    let from_pods = proxy.topology.in_pod_network(source);
    let mut masquerade = match (matched.frontend, policy_local) {
        (Frontend::ClusterIp, _) => (!from_pods).then_some(MasqueradeReason::SourceOutsidePods),
        (_, false) => Some(MasqueradeReason::External),
        (_, true) => None,
    };
    if masquerade.is_none() && backend.address.ip() == source {
        masquerade = Some(MasqueradeReason::Hairpin);
    }
    let here = from_node || proxy.topology.range_owner(source) == Some(node);
    let elsewhere = backend.node != proxy.topology.node(node).name;
    Some(Choice {
        matched,
        backend,
        index,
        among: candidates,
        local,
        remembered: remembered.is_some(),
        answer_lost: matched.is_external() && policy_local && elsewhere && !here && masquerade.is_none(),
        masquerade,
    })
}

/// What stops a packet for a Service port that no virtual server translated.
pub(super) fn filter(
    proxy: &Proxy<'_>,
    matched: Matched<'_>,
    node: NodeId,
    packet: &Packet,
    hook: Hook,
) -> Option<Filter> {
    if hook == Hook::Forward {
        return None;
    }
    if outside_ranges(proxy, matched, node, packet) {
        return Some(Filter::SourceRanges);
    }
    (!matched.port.has_endpoints()).then_some(Filter::NoEndpoints)
}

/// Whether `loadBalancerSourceRanges` keep a client out. A process of a node counts by the node's own address:
/// it sends from the load balancer's, which is the node's too.
pub(super) fn outside_ranges(proxy: &Proxy<'_>, matched: Matched<'_>, node: NodeId, packet: &Packet) -> bool {
    let ranges = &matched.port.source_ranges;
    if matched.frontend != Frontend::LoadBalancer || ranges.is_empty() {
        return false;
    }
    let own = packet.source.ip() == packet.destination.ip();
    let source = if own { proxy.topology.node(node).address_for(packet.source.ip()) } else { None };
    let source = source.unwrap_or(packet.source.ip());
    !ranges.iter().any(|range| range.contains(&source))
}

/// Whether KUBE-IPVS-FILTER rejects a packet for a process of the node: it is for the address of a Service, on
/// no port of its, so that nobody reaches the node's own ports there.
pub(super) fn is_stray(proxy: &Proxy<'_>, node: NodeId, packet: &Packet, hook: Hook) -> bool {
    let to = packet.destination;
    hook == Hook::Input && is_bound(proxy, node, to.ip()) && !proxy.tables.is_health_port(to.port())
}

/// A virtual server, as `ipvsadm -Ln` lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualServer {
    /// What it carries.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long a client keeps its backend, in seconds.
    pub persistent_seconds: Option<u32>,
    /// Its backends.
    pub real: Vec<SocketAddr>,
}

impl VirtualServer {
    /// The virtual server of a Service port at one of its addresses.
    fn of(port: &ServicePort, address: SocketAddr, real: Vec<SocketAddr>) -> Self {
        let persistent_seconds = match port.affinity {
            Affinity::ClientIp { timeout_seconds } => Some(timeout_seconds),
            Affinity::None => None,
        };
        Self { protocol: port.protocol(), address, persistent_seconds, real }
    }
}

/// The virtual servers of a node, in the order of `ipvsadm`: by protocol, address and port.
#[must_use]
pub fn virtual_servers(proxy: &Proxy<'_>, node: NodeId) -> Vec<VirtualServer> {
    let entry = proxy.topology.node(node);
    let mut all = Vec::new();
    for port in proxy.tables.all() {
        let v4 = port.cluster_ip.is_ipv4();
        let node_addresses = proxy.topology.own_addresses(node).filter(|ip| ip.is_ipv4() == v4);
        let outside = port.external_ips.iter().chain(&port.load_balancer_ips).map(|ip| (*ip, port.port));
        let at_nodes = node_addresses.map(|ip| (ip, port.node_port)).filter(|(_, port)| *port != 0);
        let internal = std::iter::once((port.cluster_ip, port.port, port.internal_policy));
        let external = outside.chain(at_nodes).map(|(ip, number)| (ip, number, port.external_policy));
        for (ip, number, policy) in internal.chain(external) {
            let vantage = Vantage { node: &entry.name, zone: &entry.zone };
            let (chosen, _) = real_servers(port, vantage, policy == Policy::Local);
            let mut real: Vec<SocketAddr> =
                chosen.iter().map(|index| port.endpoints[*index as usize].address).collect();
            real.sort_unstable();
            all.push(VirtualServer::of(port, SocketAddr::new(ip, number), real));
        }
    }
    all.sort_by_key(|server| (server.protocol as u8, server.address));
    all.dedup_by(|a, b| a.protocol == b.protocol && a.address == b.address);
    all
}
