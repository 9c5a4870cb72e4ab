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
//! - `walk`, `beyond`, `endings`: the way of a packet; [`flows`]: conntrack and session affinity.
//! - `lag`: kube-proxy's rules follow the slices a little later.
//! - [`hop`]: what happens to a packet; [`outcome`]: how it ends, with a cause for each failure.

mod beyond;
pub mod dns;
mod endings;
pub mod flows;
pub mod hop;
pub mod host_ports;
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
pub mod services;
pub mod sockets;
pub mod tables;
pub mod topology;
mod walk;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::typed::{Affinity, Protocol};
use crate::cluster::clock::Instant;
use crate::cluster::journal::Entry;
use crate::cluster::random::Random;
use crate::cluster::settings::ProxyMode;
use crate::cluster::{Cluster, Settings};
use flows::{FlowAnswer, Flows};
use hop::{FullRecorder, NullRecorder, Recorder};
use lag::Lag;
use proxy::Proxy;
use sockets::SocketSource;
use tables::{Matched, Tables};
use topology::{NodeId, Owner, Topology};
use walk::{Sender, Walk};

pub use hop::{Hop, Place, Rule, Step};
pub use origin::Origin;
pub use outcome::{
    Delivery, Drop, DropCause, NoRoute, NoRouteCause, Outcome, PortName, Refusal, RefusedCause, Trace,
};
pub use packet::{Packet, Sending, Transport};
pub use sockets::Listener;

/// The lowest and the number of source ports (`net.ipv4.ip_local_port_range`: 32768 to 60999).
const SOURCE_PORTS: (u16, u16) = (32_768, 28_232);
/// The hops through a Service to a Pod on another node and back; other ways may have more.
const USUAL_HOPS: usize = 8;

/// The network of a cluster.
#[derive(Debug)]
pub struct Network {
    revision: u64,
    mode: ProxyMode,
    tables: Tables,
    topology: Topology,
    flows: Flows,
    /// What kube-proxy has not yet written; `None` for one that writes at once.
    lag: Option<Lag>,
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
            lag: None,
            datagrams_changed: false,
            random: None,
        }
    }

    /// A network whose kube-proxy syncs as seldom as a real one does, and so lags behind the slices.
    #[must_use]
    pub fn lagging() -> Self {
        Self { lag: Some(Lag::default()), ..Self::default() }
    }

    /// When kube-proxy next syncs; `None` if its rules say what Services and slices say.
    #[must_use]
    pub fn next_sync(&self) -> Option<Instant> {
        self.lag.as_ref()?.due()
    }

    /// Follows the journal: brings the tables up to date with what was written since the last call. The work
    /// is in proportion to what was written.
    pub fn observe(&mut self, cluster: &Cluster) {
        let revision = cluster.journal().revision();
        self.set_world(cluster.settings());
        if revision != self.revision {
            match cluster.journal().since(self.revision) {
                Some(entries) => {
                    for entry in entries {
                        self.follow(entry, cluster.now());
                    }
                }
                None => self.list(cluster),
            }
            self.revision = revision;
        }
        if self.next_sync().is_some_and(|due| due <= cluster.now()) {
            self.sync_now(cluster.now());
        }
    }

    /// kube-proxy writes all that it has heard of, due or not.
    pub fn sync_now(&mut self, now: Instant) {
        let changes = self.lag.as_mut().map(|lag| lag.sync(now)).unwrap_or_default();
        for change in changes {
            self.sync(change.before.as_ref(), change.after.as_ref());
        }
        self.clear_stale_flows();
    }

    /// kube-proxy writes rules for one changed object.
    fn sync(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after.or(before) else { return };
        let udp = |object: &Arc<Object>| match object.key.kind {
            Kind::Service => object
                .as_service()
                .is_some_and(|one| one.ports.iter().any(|port| port.protocol == Protocol::Udp)),
            _ => object
                .as_endpoint_slice()
                .is_some_and(|one| one.ports.iter().any(|port| port.protocol == Protocol::Udp)),
        };
        self.datagrams_changed |= before.into_iter().chain(after).any(udp);
        if object.key.kind == Kind::Service {
            self.tables.service(before, after);
        } else {
            self.tables.slice(before, after);
        }
    }

    /// After a sync that concerned UDP kube-proxy deletes the flows to Services that lead to no serving endpoint
    /// of theirs; without any such endpoint it leaves them (`pkg/proxy/conntrack`).
    fn clear_stale_flows(&mut self) {
        if !std::mem::take(&mut self.datagrams_changed) {
            return;
        }
        let tables = &self.tables;
        let leads_nowhere = |matched: Option<Matched<'_>>, to: IpAddr| {
            let Some(Matched { port, .. }) = matched else { return false };
            let mut serving = port.endpoints.iter().filter(|one| one.serving).peekable();
            serving.peek().is_some() && !serving.any(|one| one.address.ip() == to)
        };
        self.flows.clear_stale(|flow| {
            let (asked, to) = (flow.original.destination, flow.translated.destination.ip());
            flow.original.transport == Transport::Udp
                && (leads_nowhere(tables.at(asked.ip(), Protocol::Udp, asked.port()), to)
                    || leads_nowhere(tables.at_node_port(asked.is_ipv4(), Protocol::Udp, asked.port()), to))
        });
    }

    fn set_world(&mut self, settings: &Settings) {
        self.mode = settings.proxy_mode;
        self.topology.set_world(settings);
        if self.random.is_none() {
            // Its own generator, so that looking at packets changes no name that a controller makes.
            self.random = Some(Random::new(settings.seed ^ 0x006e_6574_776f_726b));
        }
    }

    fn follow(&mut self, entry: &Entry, now: Instant) {
        let (before, after) = (entry.before.as_ref(), entry.after.as_ref());
        match entry.key.kind {
            Kind::Service | Kind::EndpointSlice => match &mut self.lag {
                Some(lag) => lag.add(&entry.key, before, after, now),
                None => {
                    self.sync(before, after);
                    self.clear_stale_flows();
                }
            },
            Kind::Node => self.topology.write_node(before, after),
            Kind::Pod => self.topology.write_pod(before, after),
            _ => {}
        }
    }

    /// Reads everything anew: the journal forgot what happened since the last call.
    fn list(&mut self, cluster: &Cluster) {
        self.tables = Tables::default();
        if let Some(lag) = &mut self.lag {
            lag.sync(cluster.now());
        }
        self.topology.clear();
        for node in cluster.list(Kind::Node, None) {
            self.topology.write_node(None, Some(node));
        }
        for pod in cluster.list(Kind::Pod, None) {
            self.topology.write_pod(None, Some(pod));
        }
        for slice in cluster.list(Kind::EndpointSlice, None) {
            self.tables.slice(None, Some(slice));
        }
        for service in cluster.list(Kind::Service, None) {
            self.tables.service(None, Some(service));
        }
    }

    /// Opens a connection (or sends a datagram): how that ended, and every hop of the way.
    ///
    /// `to` is an address and a port; names are resolved before. A refused or unanswered connection is an
    /// outcome, not an error.
    pub fn connect(
        &mut self,
        cluster: &Cluster,
        from: &Origin,
        to: SocketAddr,
        transport: Transport,
    ) -> Trace {
        self.send(cluster, from, &Sending::new(to, transport))
    }

    /// As [`Network::connect`], from a chosen source port: a second packet of the same flow finds what
    /// conntrack remembers.
    pub fn connect_from(
        &mut self,
        cluster: &Cluster,
        from: &Origin,
        port: u16,
        to: SocketAddr,
        transport: Transport,
    ) -> Trace {
        self.send(cluster, from, &Sending { opens: false, ..Sending::new(to, transport).from_port(port) })
    }

    /// Sends a packet: how that ended, and every hop of the way.
    pub fn send(&mut self, cluster: &Cluster, from: &Origin, sending: &Sending) -> Trace {
        let (to, transport) = (sending.to, sending.transport);
        let port = sending.port.unwrap_or_else(|| self.any_port(transport));
        let mut recorder = FullRecorder(Vec::with_capacity(USUAL_HOPS));
        let outcome = match self.stream(cluster, from, to, transport) {
            Some(mut stream) => {
                stream.packet.ttl = sending.ttl;
                stream.walk(port, Some(sending.opens), &mut recorder)
            }
            None => no_source(cluster, from, to, transport),
        };
        let mut hops = recorder.0;
        reply::append(&mut hops, &outcome);
        Trace { transport, target: to, outcome, hops }
    }

    /// A free source port, or an identifier for an echo request.
    pub fn any_port(&mut self, transport: Transport) -> u16 {
        let (least, count) = if transport == Transport::Icmp { (1, 65_535) } else { SOURCE_PORTS };
        least + u16::try_from(self.generator().below(u64::from(count))).expect("below 65,536")
    }

    /// Sends an echo request.
    pub fn ping(&mut self, cluster: &Cluster, from: &Origin, to: IpAddr) -> Trace {
        self.send(cluster, from, &Sending::new(SocketAddr::new(to, 0), Transport::Icmp))
    }

    /// A stream of packets from one sender to one target, for load. `None` if the sender has no address for
    /// that target.
    pub fn stream<'n>(
        &'n mut self,
        cluster: &Cluster,
        from: &Origin,
        to: SocketAddr,
        transport: Transport,
    ) -> Option<Stream<'n>> {
        self.generator();
        let proxy = Proxy { tables: &self.tables, topology: &self.topology, mode: self.mode };
        let (sender, source) = sender(proxy, cluster, from, to.ip())?;
        Some(Stream {
            proxy,
            flows: &mut self.flows,
            random: self.random.as_mut().expect("the generator was made above"),
            now: cluster.now(),
            sender,
            packet: Packet::new(transport, SocketAddr::new(source, 0), to),
        })
    }

    /// Whether a connection that was open still leads to a socket: its server is where it was and listens.
    #[must_use]
    pub fn is_open(&self, delivery: &Delivery) -> bool {
        let (to, protocol) = (delivery.packet.destination, delivery.packet.transport.protocol());
        match (&delivery.server, self.topology.owner(to.ip())) {
            (Place::Pod(key), Some(Owner::Pod(entry))) => {
                let open = self.topology.pod_listeners(entry);
                entry.object.key == *key
                    && open.iter().any(|one| one.port == to.port() && Some(one.protocol) == protocol)
            }
            (Place::Pod(_), _) => false,
            _ => true,
        }
    }

    /// The addresses from which a sender can send, with the lengths of their networks' prefixes.
    #[must_use]
    pub fn interfaces(&self, cluster: &Cluster, from: &Origin) -> Vec<IpNet> {
        let topology = &self.topology;
        let on_node = |name: &str| {
            let id = topology.node_named(name)?;
            let entry = topology.node(id);
            let of_lan = entry
                .addresses
                .iter()
                .filter_map(|address| IpNet::new(*address, topology.lan_of(*address)?.prefix_len()).ok());
            Some(of_lan.collect())
        };
        let found = match from {
            Origin::Pod(key) => match cluster.get(key).and_then(|object| object.as_pod()) {
                Some(pod) if pod.spec.host_network => on_node(&pod.node),
                Some(pod) => {
                    let entry = topology.node_named(&pod.node).map(|id| topology.node(id));
                    let ranges = entry.map_or(&[][..], |entry| &entry.ranges);
                    let length =
                        |ip: &IpAddr| ranges.iter().find(|range| range.contains(ip)).map(IpNet::prefix_len);
                    Some(pod.ips.iter().filter_map(|ip| IpNet::new(*ip, length(ip)?).ok()).collect())
                }
                None => None,
            },
            Origin::Node(name) => on_node(name),
            Origin::Outside => Some(topology.workstations.iter().map(|ip| outside_interface(*ip)).collect()),
            Origin::OutsideHost(address) => Some(vec![outside_interface(*address)]),
        };
        found.unwrap_or_default()
    }

    fn generator(&mut self) -> &mut Random {
        self.random.get_or_insert_with(|| Random::new(1))
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

    /// How kube-proxy works.
    #[must_use]
    pub fn mode(&self) -> ProxyMode {
        self.mode
    }

    /// All nftables rules of a node, in the commands with which kube-proxy writes them; `None` if there is no
    /// such node.
    #[must_use]
    pub fn nftables(&self, node: &str) -> Option<String> {
        let id = self.topology.node_named(node)?;
        Some(nftables::dump(&self.proxy(), id))
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

/// Packets from one sender to one target: see [`Network::stream`].
#[derive(Debug)]
pub struct Stream<'n> {
    proxy: Proxy<'n>,
    flows: &'n mut Flows,
    random: &'n mut Random,
    now: Instant,
    sender: Sender<'n>,
    packet: Packet,
}

impl Stream<'_> {
    /// Sends one packet of a new connection and keeps nothing: neither a trace nor conntrack entries.
    pub fn send(&mut self, port: u16) -> Outcome {
        self.walk(port, None, &mut NullRecorder)
    }

    /// Walks a packet; with `remember`, through conntrack, and it says whether the packet opens a connection.
    fn walk(&mut self, port: u16, remember: Option<bool>, recorder: &mut impl Recorder) -> Outcome {
        let mut packet = self.packet;
        packet.source.set_port(port);
        self.flows.begin();
        let mut walk = Walk {
            proxy: self.proxy,
            flows: self.flows,
            remember,
            random: self.random,
            now: self.now,
            recorder,
            latency_us: 0,
            target: packet.destination,
            through: None,
            translated: false,
            answer_lost: false,
        };
        let outcome = walk.send(self.sender, packet);
        if remember.is_some() {
            match &outcome {
                Outcome::Delivered(_) => self.flows.answered(FlowAnswer::Reply),
                Outcome::Refused(refusal) if !refusal.cause.is_reject() => {
                    self.flows.answered(FlowAnswer::Reset);
                }
                _ => {}
            }
        }
        outcome
    }
}

/// A host outside stands in a network of the usual size.
fn outside_interface(address: IpAddr) -> IpNet {
    IpNet::new(address, if address.is_ipv4() { 25 } else { 64 }).expect("the prefix is valid")
}

/// Looks a sender up: what it is, and the source address it takes for a destination.
fn sender<'a>(
    proxy: Proxy<'a>,
    cluster: &Cluster,
    from: &Origin,
    to: IpAddr,
) -> Option<(Sender<'a>, IpAddr)> {
    let topology = proxy.topology;
    match from {
        Origin::Pod(key) => {
            let pod = cluster.get(key)?.as_pod()?;
            if pod.spec.host_network {
                return node_sender(proxy, &pod.node, to);
            }
            // Every host has a loopback of both families.
            let same_family = |ip: &&IpAddr| to.is_loopback() || to.is_ipv4() == ip.is_ipv4();
            let address = *pod.ips.iter().find(same_family)?;
            match topology.owner(address)? {
                Owner::Pod(entry) if entry.object.key == *key => {
                    Some((Sender::Pod(entry), if to.is_loopback() { to } else { address }))
                }
                _ => None,
            }
        }
        Origin::Node(name) => node_sender(proxy, name, to),
        Origin::Outside => {
            let address =
                if to.is_loopback() { *topology.workstations.first()? } else { topology.workstation(to)? };
            Some((Sender::Outside(address), if to.is_loopback() { to } else { address }))
        }
        Origin::OutsideHost(address) if address.is_ipv4() == to.is_ipv4() => {
            Some((Sender::Outside(*address), *address))
        }
        Origin::OutsideHost(_) => None,
    }
}

/// The source address of a process on a node: the destination itself for its own addresses, the bridge's for
/// its Pods, else its address in the LAN.
fn node_sender<'a>(proxy: Proxy<'a>, name: &str, to: IpAddr) -> Option<(Sender<'a>, IpAddr)> {
    let topology = proxy.topology;
    let id = topology.node_named(name)?;
    let node = topology.node(id);
    let source = if proxy.is_local(id, to) {
        to
    } else if topology.range_owner(to) == Some(id) {
        node.bridge_for(to)?
    } else {
        node.address_for(to)?
    };
    Some((Sender::Node(id), source))
}

/// The outcome for a sender that has no address: "Network is unreachable" at once.
fn no_source(cluster: &Cluster, from: &Origin, to: SocketAddr, transport: Transport) -> Outcome {
    let place = match from {
        Origin::Pod(key) => Place::Pod(key.clone()),
        Origin::Node(name) => Place::Node(name.clone()),
        Origin::Outside => Place::Outside(cluster.settings().workstation_address),
        Origin::OutsideHost(address) => Place::Outside(*address),
    };
    let unspecified = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0);
    Outcome::NoRoute(NoRoute {
        place,
        by: unspecified.ip(),
        packet: Packet::new(transport, unspecified, to),
        cause: NoRouteCause::NoSource,
        latency_us: 0,
    })
}
