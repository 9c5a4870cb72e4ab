//! Sending packets: who sends, from which address, and what came of it.
//!
//! Owns the doors through which packets enter the network, with a trace or without, and the choice of a source
//! address. The way of a packet is [`super::walk`]'s.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::flows::{FlowAnswer, Flows};
use super::hop::{FullRecorder, NullRecorder, Recorder};
use super::icmp_limit::IcmpLimit;
use super::proxy::Proxy;
use super::topology::Owner;
use super::walk::{Sender, Walk};
use super::{
    Delivery, Network, NoRoute, NoRouteCause, Origin, Outcome, Packet, Place, Sending, Trace, Transport,
    reply,
};
use crate::cluster::Cluster;
use crate::cluster::clock::Instant;
use crate::cluster::random::Random;

/// The lowest and the number of source ports (`net.ipv4.ip_local_port_range`: 32768 to 60999).
const SOURCE_PORTS: (u16, u16) = (32_768, 28_232);
/// The hops through a Service to a Pod on another node and back; other ways may have more.
const USUAL_HOPS: usize = 8;

impl Network {
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
                stream.walk_remembered(port, sending.opens, &mut recorder)
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
            icmp_limit: &mut self.icmp_limit,
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
                entry.key == *key
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
}

/// Packets from one sender to one target: see [`Network::stream`].
#[derive(Debug)]
pub struct Stream<'n> {
    proxy: Proxy<'n>,
    flows: &'n mut Flows,
    icmp_limit: &'n mut IcmpLimit,
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

    /// Walks a packet through conntrack, which remembers it and what came back. `opens` says whether it opens a
    /// connection.
    fn walk_remembered(&mut self, port: u16, opens: bool, recorder: &mut impl Recorder) -> Outcome {
        let outcome = self.walk(port, Some(opens), recorder);
        match &outcome {
            Outcome::Delivered(_) => self.flows.answered(FlowAnswer::Reply),
            Outcome::Refused(refusal) if !refusal.cause.is_reject() => {
                self.flows.answered(FlowAnswer::Reset);
            }
            _ => {}
        }
        outcome
    }

    /// Walks a packet; with `remember`, through conntrack, and it says whether the packet opens a connection.
    #[inline]
    fn walk(&mut self, port: u16, remember: Option<bool>, recorder: &mut impl Recorder) -> Outcome {
        let mut packet = self.packet;
        packet.source.set_port(port);
        self.flows.begin();
        let mut walk = Walk {
            proxy: self.proxy,
            flows: self.flows,
            icmp_limit: self.icmp_limit,
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
        walk.send(self.sender, packet)
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
                Owner::Pod(entry) if entry.key == *key => {
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
