//! Memory of flows: conntrack, and the lists behind session affinity.
//!
//! Owns what a node remembers of connections. It does not own how a new connection is translated: that is
//! [`super::proxy`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::outcome::PortName;
use super::packet::{Packet, Transport};
use super::proxy::MasqueradeReason;
use super::topology::NodeId;
use crate::cluster::clock::Instant;

/// How many flows are remembered in all: `nf_conntrack_max` of a small node, and a bound on memory.
const FLOW_LIMIT: usize = 65_536;

/// What names a flow on a node: the header of its first packet there, as numbers, which are hashed several times as
/// fast as addresses: source, destination, and the ports with the transport and the node.
type FlowKey = (u128, u128, u32, NodeId, Transport);

/// One flow as a node remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The node.
    pub node: NodeId,
    /// The first packet as it came.
    pub original: Packet,
    /// The first packet as it left.
    pub translated: Packet,
    /// Whether, and why, kube-proxy has it masqueraded on its way out.
    pub masquerade: Option<MasqueradeReason>,
    /// When its last packet passed.
    pub seen: Instant,
    /// What came back so far.
    pub answer: FlowAnswer,
}

/// What came back of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowAnswer {
    /// Nothing yet: `UNREPLIED`, for TCP `SYN_SENT`.
    #[default]
    None,
    /// An answer. Connections of clients are short here: they have been closed again, TCP is in `TIME_WAIT`, SCTP
    /// `CLOSED`.
    Reply,
    /// An RST: `CLOSE`; an ABORT: `CLOSED`.
    Reset,
}

impl Flow {
    /// How long it is remembered after its last packet, in µs: `nf_conntrack_tcp_timeout_syn_sent` and
    /// `_time_wait` (120 s), `_close` (10 s), `nf_conntrack_udp_timeout` and `nf_conntrack_icmp_timeout` (30 s),
    /// `nf_conntrack_sctp_timeout_cookie_wait` (3 s) and `_closed` (10 s).
    #[must_use]
    pub fn timeout_us(&self) -> u64 {
        const SECOND: u64 = 1_000_000;
        match (self.original.transport, self.answer) {
            (Transport::Tcp, FlowAnswer::Reset) => 10 * SECOND,
            (Transport::Tcp, _) => 120 * SECOND,
            (Transport::Udp | Transport::Icmp, _) => 30 * SECOND,
            (Transport::Sctp, FlowAnswer::None) => 3 * SECOND,
            (Transport::Sctp, _) => 10 * SECOND,
        }
    }

    fn lives(&self, now: Instant) -> bool {
        (now - self.seen).0 < self.timeout_us()
    }
}

/// All flows of all nodes, in the order in which they came, and the session affinity of all nodes.
#[derive(Debug, Default)]
pub struct Flows {
    flows: IndexMap<FlowKey, Flow, FxBuildHasher>,
    affinity: FxHashMap<(NodeId, Arc<PortName>, IpAddr), (SocketAddr, Instant)>,
    /// The places in `flows` that the packet under way has touched.
    touched: Vec<usize>,
    turns: FxHashMap<(NodeId, Transport, SocketAddr), usize>,
}

/// An address as a number: IPv4 addresses as IPv4-mapped IPv6 ones, which no packet carries.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => 0xffff_0000_0000 | u128::from(u32::from(address)),
        IpAddr::V6(address) => address.into(),
    }
}

fn key(node: NodeId, packet: &Packet) -> FlowKey {
    let (source, destination) = (packet.source, packet.destination);
    let ports = u32::from(source.port()) << 16 | u32::from(destination.port());
    (number(source.ip()), number(destination.ip()), ports, node, packet.transport)
}

impl Flows {
    /// The flow that a packet belongs to, if the node knows it and it has not timed out. A packet that `opens` a
    /// TCP connection belongs to none that was answered before: the kernel forgets a closed connection when its
    /// ports are used anew.
    #[must_use]
    pub fn find(&self, node: NodeId, packet: &Packet, opens: bool, now: Instant) -> Option<&Flow> {
        let flow = self.flows.get(&key(node, packet))?;
        let over = opens && packet.transport == Transport::Tcp && flow.answer != FlowAnswer::None;
        (flow.lives(now) && !over).then_some(flow)
    }

    /// A packet sets out.
    pub(super) fn begin(&mut self) {
        self.touched.clear();
    }

    /// What came back of the packet that set out last: every node on its way has seen it.
    pub(super) fn answered(&mut self, answer: FlowAnswer) {
        for at in self.touched.drain(..) {
            self.flows[at].answer = answer;
        }
    }

    /// Forgets the flows for which `stale` holds.
    pub(super) fn clear_stale(&mut self, stale: impl Fn(&Flow) -> bool) {
        self.flows.retain(|_, flow| !stale(flow));
    }

    /// Remembers a flow.
    pub fn remember(&mut self, flow: Flow) {
        if self.flows.len() >= FLOW_LIMIT {
            self.flows.clear();
            self.touched.clear();
        }
        let (at, _) = self.flows.insert_full(key(flow.node, &flow.original), flow);
        self.touched.push(at);
    }

    /// Whose turn it is among the backends of a virtual server of a node (round robin).
    pub fn next_turn(
        &mut self,
        node: NodeId,
        transport: Transport,
        server: SocketAddr,
        backends: usize,
    ) -> usize {
        let turn = self.turns.entry((node, transport, server)).or_default();
        let now = *turn % backends;
        *turn = now + 1;
        now
    }

    /// The flows that a node remembers, in the order in which they came.
    pub fn of_node(&self, node: NodeId, now: Instant) -> impl Iterator<Item = &Flow> {
        self.flows.values().filter(move |flow| flow.node == node && flow.lives(now))
    }

    /// The flows of all nodes, in the order in which they came.
    pub fn all(&self, now: Instant) -> impl DoubleEndedIterator<Item = &Flow> {
        self.flows.values().filter(move |flow| flow.lives(now))
    }

    /// The backend that a client keeps at a Service port on a node, if it was there recently.
    #[must_use]
    pub fn affine(
        &self,
        node: NodeId,
        port: &Arc<PortName>,
        client: IpAddr,
        now: Instant,
        seconds: u32,
    ) -> Option<SocketAddr> {
        let (backend, last) = self.affinity.get(&(node, port.clone(), client))?;
        ((now - *last).0 <= u64::from(seconds) * 1_000_000).then_some(*backend)
    }

    /// What session affinity remembers on a node: the Service port, the client, its backend, and when it came last;
    /// by backend and client.
    pub fn affinities(&self, node: NodeId) -> Vec<(&Arc<PortName>, IpAddr, SocketAddr, Instant)> {
        let own = self.affinity.iter().filter(|((of, ..), _)| *of == node);
        let mut all: Vec<_> =
            own.map(|((_, port, client), (backend, last))| (port, *client, *backend, *last)).collect();
        all.sort_by(|a, b| (a.0, a.2, a.1).cmp(&(b.0, b.2, b.1)));
        all
    }

    /// Remembers which backend a client got.
    pub fn attach(
        &mut self,
        node: NodeId,
        port: &Arc<PortName>,
        client: IpAddr,
        backend: SocketAddr,
        now: Instant,
    ) {
        self.affinity.insert((node, port.clone(), client), (backend, now));
    }
}
