//! Which Service port kube-proxy's maps lead to where several have one address, protocol and port, as people may write
//! in `externalIPs`.
//!
//! Owns that choice, and which endpoints a node uses at all. A map holds one element for a key (`nftElementStorage`);
//! of several Service ports that would have it, kube-proxy writes any, here the first by name. But each map is asked
//! for itself: who has no endpoint has no element among `service-ips`, and leaves it to others there, and the other
//! way round.

use std::net::SocketAddr;

use crate::api::typed::{Policy, Protocol};
use crate::network::packet::Packet;
use crate::network::proxy::{Filter, Hook, Proxy};
use crate::network::services::{ServicePort, Vantage};
use crate::network::tables::{Frontend, Matched};
use crate::network::topology::NodeId;

/// All Service ports that a packet on a node is addressed to.
fn claims<'a>(proxy: &Proxy<'a>, node: NodeId, packet: &Packet) -> impl Iterator<Item = Matched<'a>> {
    let (to, tables) = (packet.destination, proxy.tables);
    let protocol = packet.transport.protocol().into_iter();
    let by_address = protocol.flat_map(move |protocol| {
        let first = tables.at(to.ip(), protocol, to.port());
        first.into_iter().chain(tables.rivals(to.ip(), protocol, to.port()))
    });
    by_address.chain(node_port(proxy, node, packet))
}

fn node_port<'a>(proxy: &Proxy<'a>, node: NodeId, packet: &Packet) -> Option<Matched<'a>> {
    proxy.lookup_node_port(node, packet.transport.protocol()?, packet.destination)
}

/// The Service port whose element leads a packet on to a chain (`service-ips`, `service-nodeports`): the first one that
/// is given, if it has one.
pub fn leading<'a>(proxy: &Proxy<'a>, first: Matched<'a>, node: NodeId, packet: &Packet) -> Matched<'a> {
    let leads = |one: &Matched<'a>| {
        let local = !one.is_external() && one.policy() == Policy::Local;
        one.port.has_endpoints() && !(local && one.port.local_candidates(proxy.vantage(node)).is_empty())
    };
    if leads(&first) { first } else { claims(proxy, node, packet).find(leads).unwrap_or(first) }
}

/// The Service port whose source ranges (`firewall-ips`) keep a packet out: that is asked before all else.
pub fn keeps_out<'a>(proxy: &Proxy<'a>, node: NodeId, packet: &Packet) -> Option<Matched<'a>> {
    let has_ranges = |one: &Matched<'a>| {
        let ranges = &one.port.source_ranges;
        one.frontend == Frontend::LoadBalancer && !ranges.is_empty() && one.port.has_endpoints()
    };
    let holder = claims(proxy, node, packet).find(has_ranges)?;
    let accepts = holder.port.source_ranges.iter().any(|range| range.contains(&packet.source.ip()));
    (!accepts).then_some(holder)
}

/// What the filter chains do to a packet that was not translated, and for which Service port.
pub fn stops<'a>(
    proxy: &Proxy<'a>,
    node: NodeId,
    packet: &Packet,
    hook: Hook,
) -> Option<(Matched<'a>, Filter)> {
    if let Some(holder) = keeps_out(proxy, node, packet) {
        return Some((holder, Filter::SourceRanges));
    }
    // nodeport-endpoints-check stands before service-endpoints-check.
    let by_address = claims(proxy, node, packet).filter(|one| one.frontend != Frontend::NodePort);
    let all = node_port(proxy, node, packet).into_iter().chain(by_address);
    all.filter_map(|one| Some((one, proxy.lacks_endpoints(one, node, hook)?))).next()
}

/// The endpoints that a node uses for a Service port under policy `Cluster`, and those under policy `Local`: none where
/// no address of it has that policy.
pub fn used(port: &ServicePort, vantage: Vantage<'_>) -> (Vec<u32>, Vec<u32>) {
    let internal_local = port.internal_policy == Policy::Local;
    let external_local = port.external_policy == Policy::Local && port.is_external();
    let uses_all = !internal_local || port.is_external();
    let all = if uses_all { port.cluster_candidates(vantage).into_owned() } else { Vec::new() };
    let local = if internal_local || external_local { port.local_candidates(vantage) } else { Vec::new() };
    (all, local)
}

/// Whether an endpoint is one of the node's own that send to themselves by a Service (`hairpin-connections`): it is
/// masqueraded then whoever translated the packet.
pub fn is_hairpin(proxy: &Proxy<'_>, node: NodeId, protocol: Protocol, to: SocketAddr) -> bool {
    let vantage = proxy.vantage(node);
    proxy.tables.all().filter(|port| port.protocol() == protocol && port.has_endpoints()).any(|port| {
        let (all, local) = used(port, vantage);
        let mut backends = all.iter().chain(&local).map(|index| &port.endpoints[*index as usize]);
        backends.any(|backend| backend.address == to && backend.node == *vantage.node)
    })
}
