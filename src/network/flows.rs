//! Memory of flows: conntrack, and the lists behind session affinity.
//!
//! Owns what a node remembers of connections. It does not own how a new connection is translated: that is
//! [`super::proxy`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::outcome::PortName;
use super::packet::{Packet, Transport};
use super::proxy::MasqueradeReason;
use super::topology::NodeId;
use crate::cluster::clock::Instant;

/// How many flows are remembered in all: `nf_conntrack_max` of a small node, and a bound on memory.
const FLOW_LIMIT: usize = 65_536;

/// What names a flow on a node: the header of its first packet there.
type FlowKey = (NodeId, Transport, SocketAddr, SocketAddr);

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
}

/// All flows of all nodes, in the order in which they came, and the session affinity of all nodes.
#[derive(Debug, Default)]
pub struct Flows {
    flows: Vec<Flow>,
    index: FxHashMap<FlowKey, usize>,
    affinity: FxHashMap<(NodeId, Arc<PortName>, IpAddr), (SocketAddr, Instant)>,
}

fn key(node: NodeId, packet: &Packet) -> FlowKey {
    (node, packet.transport, packet.source, packet.destination)
}

impl Flows {
    /// The flow that a packet belongs to, if the node knows it and it has not timed out.
    #[must_use]
    pub fn find(&self, node: NodeId, packet: &Packet, now: Instant) -> Option<&Flow> {
        let flow = &self.flows[*self.index.get(&key(node, packet))?];
        ((now - flow.seen).0 < timeout_us(packet.transport)).then_some(flow)
    }

    /// Remembers a flow.
    pub fn remember(&mut self, flow: Flow) {
        if self.flows.len() >= FLOW_LIMIT {
            self.flows.clear();
            self.index.clear();
        }
        let at = *self.index.entry(key(flow.node, &flow.original)).or_insert(self.flows.len());
        if at == self.flows.len() {
            self.flows.push(flow);
        } else {
            self.flows[at] = flow;
        }
    }

    /// The flows that a node remembers, in the order in which they came.
    pub fn of_node(&self, node: NodeId, now: Instant) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| {
            flow.node == node && (now - flow.seen).0 < timeout_us(flow.original.transport)
        })
    }

    /// The flows of all nodes, in the order in which they came.
    pub fn all(&self, now: Instant) -> impl DoubleEndedIterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| (now - flow.seen).0 < timeout_us(flow.original.transport))
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

/// How long a flow is remembered after its last packet: `nf_conntrack_tcp_timeout_established` as kube-proxy
/// sets it (`conntrack.tcpEstablishedTimeout`, 24 h), and the kernel's `nf_conntrack_udp_timeout` (30 s),
/// `nf_conntrack_icmp_timeout` (30 s), `nf_conntrack_sctp_timeout_established` (210 s).
fn timeout_us(transport: Transport) -> u64 {
    const SECOND: u64 = 1_000_000;
    match transport {
        Transport::Tcp => 86_400 * SECOND,
        Transport::Udp | Transport::Icmp => 30 * SECOND,
        Transport::Sctp => 210 * SECOND,
    }
}
