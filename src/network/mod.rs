//! The network: packets, routes, kube-proxy's tables, conntrack and DNS.
//!
//! Owns everything between a client's socket and a server's. It reads what kube-proxy reads: Services and
//! EndpointSlices, never selectors; Nodes and Pods only for their addresses and sockets. Tables follow the
//! journal. It does not own what programs say to each other once they are connected. kube-proxy works by
//! iptables, nftables or IPVS (deprecated).
//!
//! [`Network::connect`] sends the first packet of a connection and tells how it ended and what happened on
//! the way; [`Network::ping`] does the same for an echo request; [`Network::stream`] is the same walk without
//! a trace, for load.
//!
//! - [`packet`]: headers; [`origin`]: senders; [`sockets`]: who listens; [`topology`]: who has which address.
//! - [`services`], [`tables`]: what kube-proxy knows; [`proxy`]: what its rules decide; [`rules`], [`names`]:
//!   which of them a packet met; [`iptables`], [`nftables`]: how they are spelled, and all
//!   of a node.
//! - [`host_ports`]: ports of nodes that lead to one Pod.
//! - `sending`: the doors for packets; `walk`, `beyond`, `endings`: their way; [`flows`]: conntrack and session affinity.
//! - [`counters`]: what rules have matched; `icmp_limit`: how many ICMP errors a host sends.
//! - `following`: the journal; `lag`: kube-proxy's rules follow the slices a little later.
//! - `address_map`: what is asked at every packet; [`hop`]: what happens to a packet; [`outcome`]: how it ends, with a cause for each failure.

mod address_map;
mod beyond;
pub mod counters;
pub mod dns;
mod endings;
pub mod flows;
mod following;
pub mod hop;
pub mod host_ports;
mod icmp_limit;
pub mod iptables;
pub mod ipvs;
mod lag;
pub mod names;
pub mod nftables;
pub mod origin;
pub mod outcome;
pub mod packet;
pub mod proxy;
mod reply;
pub mod rules;
mod sending;
pub mod services;
pub mod sockets;
pub mod tables;
pub mod topology;
mod walk;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::api::typed::Affinity;
use crate::cluster::clock::Instant;
use crate::cluster::random::Random;
use crate::cluster::settings::ProxyMode;
use flows::Flows;
use icmp_limit::IcmpLimit;
use lag::Lag;
use proxy::Proxy;
use sockets::SocketSource;
use tables::Tables;
use topology::{NodeId, Topology};

pub use hop::{Hop, Place, Rule, Step};
pub use origin::Origin;
pub use outcome::{
    Delivery, Drop, DropCause, NoRoute, NoRouteCause, Outcome, PortName, Refusal, RefusedCause, Trace,
};
pub use packet::{Packet, Sending, Transport};
pub use sending::Stream;
pub use sockets::Listener;

/// The network of a cluster.
#[derive(Debug)]
pub struct Network {
    revision: u64,
    mode: ProxyMode,
    tables: Tables,
    topology: Topology,
    flows: Flows,
    icmp_limit: IcmpLimit,
    /// What kube-proxy has not yet written; `None` for one that writes at once.
    lag: Option<Lag>,
    /// How often kube-proxy has written rules.
    syncs: u64,
    /// Whether the sync under way concerns UDP.
    datagrams_changed: bool,
    random: Option<Random>,
}

impl Default for Network {
    fn default() -> Self {
        Self::new(sockets::of_pod)
    }
}

impl Network {
    /// An empty network in which Pods listen on what `sockets` says.
    #[must_use]
    pub fn new(sockets: SocketSource) -> Self {
        Self {
            revision: 0,
            mode: ProxyMode::default(),
            tables: Tables::default(),
            topology: Topology::new(sockets),
            flows: Flows::default(),
            icmp_limit: IcmpLimit::default(),
            lag: None,
            syncs: 0,
            datagrams_changed: false,
            random: None,
        }
    }

    /// A network whose kube-proxy syncs as seldom as a real one does, and so lags behind the slices.
    #[must_use]
    pub fn lagging() -> Self {
        Self { lag: Some(Lag::default()), ..Self::default() }
    }

    /// All iptables rules of a node, as `iptables-save` prints them at a date; `None` if there is no such node.
    #[must_use]
    pub fn iptables_save(&self, node: &str, date: &str) -> Option<String> {
        let id = self.topology.node_named(node)?;
        Some(self.rules_of(id, date, true))
    }

    /// The same for IPv6, as `ip6tables-save` prints them.
    #[must_use]
    pub fn ip6tables_save(&self, node: &str, date: &str) -> Option<String> {
        let id = self.topology.node_named(node)?;
        Some(self.rules_of(id, date, false))
    }

    fn rules_of(&self, node: NodeId, date: &str, v4: bool) -> String {
        match self.mode {
            ProxyMode::Ipvs => ipvs::ruleset::save(&self.proxy(), node, date, v4),
            _ => iptables::save(&self.proxy(), node, date, v4),
        }
    }

    /// The clients that nftables' sets of session affinity hold on a node: by the set's name, each client with the
    /// time that is left to it in microseconds.
    #[must_use]
    pub fn nft_affinity(&self, node: &str, now: Instant) -> BTreeMap<String, Vec<(IpAddr, u64)>> {
        let mut sets: BTreeMap<String, Vec<(IpAddr, u64)>> = BTreeMap::new();
        let Some(node) = self.topology.node_named(node) else { return sets };
        for (name, client, backend, last) in self.flows.affinities(node) {
            let mut ports = self.tables.ports_of(&name.namespace, &name.service);
            let Some(port) = ports.find(|port| port.name == *name) else { continue };
            let Affinity::ClientIp { timeout_seconds } = port.affinity else { continue };
            let left = (u64::from(timeout_seconds) * 1_000_000).saturating_sub((now - last).0);
            if left > 0 {
                let set = format!("affinity-{}", nftables::endpoint_name(port, backend));
                sets.entry(set).or_default().push((client, left));
            }
        }
        sets
    }

    /// The kernel's virtual servers on a node, as `ipvsadm -Ln` prints them; `None` if there is no such node, or
    /// kube-proxy does not work by IPVS.
    #[must_use]
    pub fn ipvsadm(&self, node: &str, now: Instant) -> Option<String> {
        let id = self.topology.node_named(node).filter(|_| self.mode == ProxyMode::Ipvs)?;
        let connections = |server: &ipvs::VirtualServer, real: SocketAddr| {
            let of_server = |flow: &&flows::Flow| {
                flow.original.destination == server.address
                    && flow.translated.destination == real
                    && flow.original.transport.protocol() == Some(server.protocol)
            };
            // Connections end with their request here: what is left of them is inactive.
            (0, self.flows.of_node(id, now).filter(of_server).count())
        };
        Some(ipvs::ruleset::list(&self.proxy(), id, connections))
    }

    /// The kernel's virtual servers on a node; `None` if there is no such node, or kube-proxy does not work by IPVS.
    #[must_use]
    pub fn virtual_servers(&self, node: &str) -> Option<Vec<ipvs::VirtualServer>> {
        let id = self.topology.node_named(node).filter(|_| self.mode == ProxyMode::Ipvs)?;
        Some(ipvs::virtual_servers(&self.proxy(), id))
    }

    /// The IP sets of a node, IPv4 before IPv6: kube-proxy keeps some in IPVS mode alone.
    #[must_use]
    pub fn ipsets(&self, node: &str) -> Vec<ipvs::sets::Listed> {
        match self.topology.node_named(node).filter(|_| self.mode == ProxyMode::Ipvs) {
            Some(id) => [true, false].map(|v4| ipvs::sets::listed(&self.proxy(), id, v4)).concat(),
            None => Vec::new(),
        }
    }

    /// The addresses on a node's `kube-ipvs0`, sorted; `None` outside IPVS mode.
    #[must_use]
    pub fn bound_addresses(&self, node: &str) -> Option<Vec<IpAddr>> {
        let id = self.topology.node_named(node).filter(|_| self.mode == ProxyMode::Ipvs)?;
        let members = |v4| ipvs::sets::Members::on(&self.proxy(), id, v4);
        let (four, six) = (members(true), members(false));
        let texts = four.of(ipvs::sets::IPVS_IPS).chain(six.of(ipvs::sets::IPVS_IPS));
        let mut addresses: Vec<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
        addresses.sort_unstable();
        Some(addresses)
    }

    /// How often kube-proxy has written rules.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// How kube-proxy works.
    #[must_use]
    pub fn mode(&self) -> ProxyMode {
        self.mode
    }

    /// All nftables rules of a node, in the commands with which kube-proxy writes them, IPv4 before IPv6; `None` if
    /// there is no such node.
    #[must_use]
    pub fn nftables(&self, node: &str) -> Option<String> {
        let id = self.topology.node_named(node)?;
        Some([true, false].map(|v4| nftables::dump(&self.proxy(), id, v4)).concat())
    }

    fn proxy(&self) -> Proxy<'_> {
        Proxy { tables: &self.tables, topology: &self.topology, mode: self.mode }
    }

    /// The lookups of kube-proxy.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The addresses and networks.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The addresses and networks, for adding hosts outside and routes to nodes.
    pub fn topology_mut(&mut self) -> &mut Topology {
        &mut self.topology
    }

    /// What nodes remember of connections.
    #[must_use]
    pub fn flows(&self) -> &Flows {
        &self.flows
    }

    /// Makes a node forget the flows that are wanted gone.
    pub fn delete_flows(&mut self, node: &str, wanted: impl Fn(&flows::Flow) -> bool) {
        if let Some(id) = self.topology.node_named(node) {
            self.flows.clear_stale(|flow| flow.node == id && wanted(flow));
        }
    }

    /// The flows that a node remembers now, in the order in which they came.
    pub fn flows_of(&self, node: &str, now: Instant) -> impl Iterator<Item = &flows::Flow> {
        let node = self.topology.node_named(node);
        node.into_iter().flat_map(move |node| self.flows.of_node(node, now))
    }
}
