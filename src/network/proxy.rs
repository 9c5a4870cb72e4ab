//! What kube-proxy's rules on one node do to a packet.
//!
//! Owns the decisions: which backend, whether to masquerade, whether to refuse or drop. The order of
//! the rules is that of pkg/proxy/iptables and pkg/proxy/nftables (v1.36); every case was measured
//! (reference/network/truth.tsv). What IPVS mode does otherwise is in [`super::ipvs`]. It does not own the text of the rules ([`super::rules`]) nor the way of a
//! packet ([`super::walk`]).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::flows::Flows;
use super::ipvs;
use super::nftables::maps;
use super::packet::Packet;
use super::services::{Backend, Vantage};
use super::tables::{Frontend, Matched, Tables};
use super::topology::{NodeId, Topology};
use crate::api::typed::{Affinity, Policy, Protocol};
use crate::cluster::clock::Instant;
use crate::cluster::random::Random;
use crate::cluster::settings::ProxyMode;

/// Where in a node's packet path the filter rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// For a process on the node.
    Input,
    /// Passing through.
    Forward,
    /// From a process on the node.
    Output,
}

/// Why a packet is masqueraded when it leaves the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasqueradeReason {
    /// It came to a cluster address from outside the Pod network.
    SourceOutsidePods,
    /// It came to an external address under policy `Cluster`.
    External,
    /// It came to an external address under policy `Local` from the node itself.
    FromNode,
    /// The backend is the sender itself.
    Hairpin,
    /// It came to a host port from a Pod of the node or from its loopback: the portmap plugin's rule.
    HostPort,
}

/// The backend that was chosen for a packet.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The Service port.
    pub matched: Matched<'a>,
    /// The backend.
    pub backend: &'a Backend,
    /// Its place among the candidates.
    pub index: usize,
    /// The candidates: indexes into the endpoints of the Service port.
    pub among: Cow<'a, [u32]>,
    /// Whether the candidates were those of the node alone (policy `Local`).
    pub local: bool,
    /// Whether session affinity chose.
    pub remembered: bool,
    /// Whether the answer will not come back by this node, so that the client does not know it (IPVS).
    pub answer_lost: bool,
    /// Whether, and why, it will be masqueraded.
    pub masquerade: Option<MasqueradeReason>,
}

/// What a filter rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// No endpoints: reject.
    NoEndpoints,
    /// No endpoints on this node: drop.
    NoLocalEndpoints,
    /// Source outside `loadBalancerSourceRanges`: drop.
    SourceRanges,
}

/// What the choice of a backend depends on besides the tables.
#[derive(Debug)]
pub struct Draw<'d> {
    /// Session affinity.
    pub flows: &'d mut Flows,
    /// Chance.
    pub random: &'d mut Random,
    /// The time.
    pub now: Instant,
}

/// The rules of the nodes.
#[derive(Clone, Copy, Debug)]
pub struct Proxy<'a> {
    /// Services.
    pub tables: &'a Tables,
    /// Addresses.
    pub topology: &'a Topology,
    /// How the rules are written.
    pub mode: ProxyMode,
}

impl<'a> Proxy<'a> {
    /// Whether an address is a node's own. In IPVS mode those of Services are.
    #[must_use]
    pub fn is_local(&self, node: NodeId, address: IpAddr) -> bool {
        self.topology.is_local(node, address)
            || self.mode == ProxyMode::Ipvs && ipvs::is_bound(self, node, address)
    }

    pub(super) fn vantage(&self, node: NodeId) -> Vantage<'a> {
        let node = self.topology.node(node);
        Vantage { node: &node.name, zone: &node.zone }
    }

    /// The Service port that a packet on a node is addressed to.
    #[must_use]
    pub fn lookup(&self, node: NodeId, packet: &Packet) -> Option<Matched<'a>> {
        let protocol = packet.transport.protocol()?;
        let to = packet.destination;
        if let Some(first) = self.tables.at(to.ip(), protocol, to.port()) {
            let maps = self.mode == ProxyMode::Nftables;
            return Some(if maps { maps::leading(self, first, node, packet) } else { first });
        }
        self.lookup_node_port(node, protocol, to)
    }

    /// The further Service ports that a packet on a node is addressed to, in the order of kube-proxy's rules: the
    /// rules of one lead on to those of the next where it has no endpoint to lead to. Several Services may have one
    /// external address, and it may be the node's own. In iptables mode alone: the maps of nftables ([`maps`]) and the
    /// kernel's virtual servers hold one of them.
    #[must_use]
    pub fn others(&self, first: Matched<'a>, node: NodeId, packet: &Packet) -> Vec<Matched<'a>> {
        let to = packet.destination;
        let (ProxyMode::Iptables, Some(protocol)) = (self.mode, packet.transport.protocol()) else {
            return Vec::new();
        };
        if first.frontend == Frontend::NodePort {
            return Vec::new();
        }
        let rivals = self.tables.rivals(to.ip(), protocol, to.port());
        rivals.chain(self.lookup_node_port(node, protocol, to)).collect()
    }

    pub(super) fn lookup_node_port(
        &self,
        node: NodeId,
        protocol: Protocol,
        to: SocketAddr,
    ) -> Option<Matched<'a>> {
        // Few ports are node ports: that is found out sooner than whether the address is the node's own.
        let matched = self.tables.at_node_port(to.is_ipv4(), protocol, to.port())?;
        let here = match self.mode {
            // `-m addrtype --dst-type LOCAL`: every address of the node, loopback included.
            ProxyMode::Ipvs => ipvs::has_node_ports(self, node, to.ip()),
            ProxyMode::Iptables => self.topology.is_local(node, to.ip()),
            // `ip daddr @nodeport-ips`: the node's primary address alone.
            ProxyMode::Nftables => self.topology.node(node).address_for(to.ip()) == Some(to.ip()),
        };
        here.then_some(matched)
    }

    /// The backend that the node's rules choose; `None` if no rule translates the packet.
    #[must_use]
    pub fn translate(
        &self,
        matched: Matched<'a>,
        node: NodeId,
        packet: &Packet,
        from_node: bool,
        draw: &mut Draw<'_>,
    ) -> Option<Choice<'a>> {
        let port = matched.port;
        let source = packet.source.ip();
        // Not on `::1`, from which IPv6 routes to nowhere else; the filter rules know no such exception.
        let to = packet.destination;
        let nowhere = matched.frontend == Frontend::NodePort && to.is_ipv6() && to.ip().is_loopback();
        if nowhere && self.mode == ProxyMode::Iptables || self.outside_ranges(matched, node, packet) {
            return None;
        }
        if self.mode == ProxyMode::Ipvs {
            return ipvs::translate(self, matched, node, packet, from_node, draw);
        }
        let from_pods = self.topology.in_pod_network(source);
        let (mut masquerade, local) = match (matched.is_external(), matched.policy()) {
            (false, policy) => {
                ((!from_pods).then_some(MasqueradeReason::SourceOutsidePods), policy == Policy::Local)
            }
            (true, Policy::Cluster) => (Some(MasqueradeReason::External), false),
            (true, Policy::Local) if from_pods => (None, false),
            (true, Policy::Local) if from_node => (Some(MasqueradeReason::FromNode), false),
            (true, Policy::Local) => (None, true),
        };
        // nftables asks for the address alone: it may be another Service's inside the cluster.
        let marked = self.mode == ProxyMode::Nftables && !from_pods && self.tables.is_cluster_ip(to.ip());
        if masquerade.is_none() && marked {
            masquerade = Some(MasqueradeReason::SourceOutsidePods);
        }
        let vantage = self.vantage(node);
        let candidates =
            if local { Cow::Owned(port.local_candidates(vantage)) } else { port.cluster_candidates(vantage) };
        if candidates.is_empty() {
            return None;
        }
        let mut remembered = None;
        if let Affinity::ClientIp { timeout_seconds } = port.affinity
            && let Some(kept) = draw.flows.affine(node, &port.name, source, draw.now, timeout_seconds)
        {
            remembered = candidates.iter().position(|index| port.endpoints[*index as usize].address == kept);
        }
        let index = remembered.unwrap_or_else(|| draw.random.index(candidates.len()));
        let backend = &port.endpoints[candidates[index] as usize];
        if port.affinity != Affinity::None {
            draw.flows.attach(node, &port.name, source, backend.address, draw.now);
        }
        if masquerade.is_none() && backend.address.ip() == source {
            masquerade = Some(MasqueradeReason::Hairpin);
        }
        Some(Choice {
            matched,
            backend,
            index,
            among: candidates,
            local,
            remembered: remembered.is_some(),
            answer_lost: false,
            masquerade,
        })
    }

    fn outside_ranges(&self, matched: Matched<'_>, node: NodeId, packet: &Packet) -> bool {
        match self.mode {
            ProxyMode::Ipvs => return ipvs::outside_ranges(self, matched, node, packet),
            ProxyMode::Nftables => return maps::keeps_out(self, node, packet).is_some(),
            ProxyMode::Iptables => {}
        }
        let ranges = &matched.port.source_ranges;
        matched.frontend == Frontend::LoadBalancer
            && !ranges.is_empty()
            && !ranges.iter().any(|range| range.contains(&packet.source.ip()))
    }

    /// What the filter rules do to a packet that was not translated, and for which of the Service ports that it is
    /// addressed to, the first of which is given.
    #[must_use]
    pub fn stops(
        &self,
        first: Matched<'a>,
        node: NodeId,
        packet: &Packet,
        hook: Hook,
    ) -> Option<(Matched<'a>, Filter)> {
        if self.mode == ProxyMode::Nftables {
            return maps::stops(self, node, packet, hook);
        }
        let others = self.others(first, node, packet);
        let verdict = |matched: Matched<'a>| Some((matched, self.filter(matched, node, packet, hook)?));
        if others.is_empty() {
            return verdict(first);
        }
        let mut all: Vec<Matched<'a>> = std::iter::once(first).chain(others).collect();
        all.sort_by(|one, other| (&one.port.name, one.frontend).cmp(&(&other.port.name, other.frontend)));
        let mut verdicts: Vec<_> = all.into_iter().filter_map(verdict).collect();
        // KUBE-PROXY-FIREWALL, KUBE-SERVICES, KUBE-EXTERNAL-SERVICES: one chain after the other.
        verdicts.sort_by_key(|(matched, _)| (!self.is_firewalled(*matched), matched.is_external()));
        verdicts.into_iter().next()
    }

    /// Whether a rule of iptables drops what came to a load balancer with source ranges and was not translated.
    #[must_use]
    pub fn is_firewalled(&self, matched: Matched<'_>) -> bool {
        self.mode == ProxyMode::Iptables
            && matched.frontend == Frontend::LoadBalancer
            && !matched.port.source_ranges.is_empty()
            && matched.port.has_endpoints()
    }

    /// What the filter rules do to a packet for a Service port that was not translated.
    #[must_use]
    pub fn filter(&self, matched: Matched<'_>, node: NodeId, packet: &Packet, hook: Hook) -> Option<Filter> {
        if self.mode == ProxyMode::Ipvs {
            return ipvs::filter(self, matched, node, packet, hook);
        }
        if matched.port.has_endpoints() && self.outside_ranges(matched, node, packet) {
            return Some(Filter::SourceRanges);
        }
        self.lacks_endpoints(matched, node, hook)
    }

    /// What the filter rules do to a packet for a Service port that has no endpoint for it, in iptables and nftables
    /// mode.
    pub(super) fn lacks_endpoints(&self, matched: Matched<'_>, node: NodeId, hook: Hook) -> Option<Filter> {
        let asked = match (self.mode, matched.frontend) {
            // iptables: KUBE-SERVICES in FORWARD and OUTPUT, KUBE-EXTERNAL-SERVICES in INPUT and FORWARD.
            (ProxyMode::Iptables, Frontend::ClusterIp) => hook != Hook::Input,
            (ProxyMode::Iptables, _) => hook != Hook::Output,
            // nftables: nodeport-endpoints-check in input alone, service-endpoints-check everywhere.
            (ProxyMode::Nftables, Frontend::NodePort) => hook == Hook::Input,
            (ProxyMode::Nftables | ProxyMode::Ipvs, _) => true,
        };
        if !asked {
            return None;
        }
        if !matched.port.has_endpoints() {
            return Some(Filter::NoEndpoints);
        }
        let local =
            matched.policy() == Policy::Local && matched.port.local_candidates(self.vantage(node)).is_empty();
        local.then_some(Filter::NoLocalEndpoints)
    }

    /// Whether a check of Services' addresses stops a packet that is for no Service port: it rejects it for the
    /// address of a Service (`Some(true)`), and nftables drops it for other addresses of the Service network
    /// (`Some(false)`). iptables has no such check; that of IPVS stands before the node's own processes.
    #[must_use]
    pub fn stray(&self, node: NodeId, packet: &Packet, hook: Hook) -> Option<bool> {
        match self.mode {
            ProxyMode::Iptables => return None,
            ProxyMode::Ipvs => return ipvs::is_stray(self, node, packet, hook).then_some(true),
            ProxyMode::Nftables if hook == Hook::Input => return None,
            ProxyMode::Nftables => {}
        }
        let to = packet.destination.ip();
        if self.tables.is_cluster_ip(to) {
            return Some(true);
        }
        self.topology.in_service_network(to).then_some(false)
    }
}
