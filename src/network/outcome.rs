//! Outcomes: how a packet's way ended, and why.
//!
//! Owns [`Outcome`] and one cause type per kind of failure, for tools (which words to print) and for
//! explanations (what is to blame). The three kinds of failure and their times were measured
//! (reference/network/README.md, rules 1 to 3).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::hop::{Hop, Place};
use super::packet::{Packet, Transport};
use super::sockets::Listener;
use crate::api::typed::Protocol;
use crate::api::value::SmolStr;

/// How long a host waits for an answer to ARP before it says "no route to host": three requests a second
/// apart (`net.ipv4.neigh.*.mcast_solicit` = 3), 3.07 s as measured.
pub const ARP_FAILURE_US: u64 = 3_070_000;

/// A port of a Service, by name: what kube-proxy calls a ServicePortName.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortName {
    /// The Service's namespace.
    pub namespace: SmolStr,
    /// The Service's name.
    pub service: SmolStr,
    /// The port's name, or empty.
    pub port: SmolStr,
    /// The port's protocol.
    pub protocol: Protocol,
}

impl fmt::Display for PortName {
    /// `default/web:http`, or `default/web` for a port without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.service)?;
        if self.port.is_empty() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// How a packet's way ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A socket got it (or a host, for a ping).
    Delivered(Delivery),
    /// An error came back at once: "Connection refused".
    Refused(Refusal),
    /// Nothing ever comes back: the client waits until its own timeout.
    Dropped(Drop),
    /// "No route to host".
    NoRoute(NoRoute),
}

/// A packet that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Whose socket.
    pub server: Place,
    /// The socket; `None` for a ping.
    pub listener: Option<Listener>,
    /// The header as the server sees it: its `source` is the client that the server sees.
    pub packet: Packet,
    /// The backend of a Service that was chosen, if one was.
    pub through: Option<Arc<PortName>>,
    /// The time from sending to arrival, in microseconds.
    pub latency_us: u64,
}

/// A packet that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Where.
    pub place: Place,
    /// Who the answer comes from.
    pub by: IpAddr,
    /// The header as it was when it was refused.
    pub packet: Packet,
    /// Why.
    pub cause: RefusedCause,
    /// Whether the refusing rule stands on the sender itself: a UDP `sendto` then fails with "Operation not
    /// permitted" instead of a later "Connection refused".
    pub on_sender: bool,
    /// The time from sending to the refusal, in microseconds.
    pub latency_us: u64,
}

/// Why a packet was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum RefusedCause {
    /// kube-proxy rejects traffic for a Service without any usable endpoint (ICMP port unreachable).
    NoEndpoints(Arc<PortName>),
    /// kube-proxy in nftables mode rejects ports that a Service does not have (ICMP port unreachable).
    NoSuchServicePort,
    /// The address is there, nobody listens on that port (RST; for UDP ICMP port unreachable).
    NothingListens,
    /// A socket is open on that port, but only for 127.0.0.1 (RST).
    ListensOnLoopback(Listener),
}

impl RefusedCause {
    /// Whether the answer is an ICMP message of a rule, not the RST of a host without a socket.
    #[must_use]
    pub fn is_reject(&self) -> bool {
        matches!(self, Self::NoEndpoints(_) | Self::NoSuchServicePort)
    }
}

/// A packet that was swallowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// Where.
    pub place: Place,
    /// The header as it was.
    pub packet: Packet,
    /// Why.
    pub cause: DropCause,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq)]
pub enum DropCause {
    /// A traffic policy `Local`, and no usable endpoint on this node.
    NoLocalEndpoints {
        /// The Service.
        service: Arc<PortName>,
        /// Whether it is `externalTrafficPolicy`; else `internalTrafficPolicy`.
        external: bool,
    },
    /// The source is outside `loadBalancerSourceRanges`.
    SourceRanges(Arc<PortName>),
    /// The destination is an address of a Service, but not on this port: no rule matched, and the packet left
    /// the cluster network towards a router that knows no such address.
    NoSuchServicePort,
    /// The destination is in the Service network, but no Service has it.
    NoSuchService,
    /// The destination is in the Pod network, but in no node's range.
    NoSuchPodRange,
    /// The packet came from outside and its destination is inside the cluster's own networks, which only
    /// nodes and Pods can reach.
    ClusterNetworkFromOutside,
    /// The router knows no way to the destination.
    NoRouteBeyond,
    /// No node can take the traffic of this load balancer.
    NoBalancerTarget,
    /// The packet came back to the node whose own address it carries as source, which Linux drops.
    OwnSource,
    /// The packet came over the network from `::1`, which Linux takes from nobody: a host port was asked for there,
    /// whose rules masquerade only what comes from 127.0.0.1.
    LoopbackSource,
    /// The backend is the sender itself, and its node's bridge does not send a packet back where it came from.
    NoHairpin,
    /// The node does not forward packets (`ip_forward` is 0).
    NotForwarded,
    /// The backend is on the client's own node, and its answer goes over the bridge, past the rules that would
    /// give it the Service's address back (`bridge-nf-call-iptables` is 0).
    BridgedAnswer,
    /// ICMP to an address of a Service: rules translate only the ports of the Service.
    PingOfService,
    /// A UDP datagram, or an answer to one, that nobody takes.
    Unanswered,
    /// The answer was an ICMP error, and the host that would have sent it has sent so many to the client of late
    /// that it keeps this one to itself (`net.ipv4.icmp_ratelimit`): what would have come back. A client that
    /// tries again a second later is answered.
    AnswerHeldBack(Box<Outcome>),
}

/// A packet to an address that nobody has.
#[derive(Clone, Debug, PartialEq)]
pub struct NoRoute {
    /// Where it ended.
    pub place: Place,
    /// Who says so: the sender itself, or the node that owns the range.
    pub by: IpAddr,
    /// The header as it was.
    pub packet: Packet,
    /// Why.
    pub cause: NoRouteCause,
    /// The time from sending to the error, in microseconds.
    pub latency_us: u64,
}

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRouteCause {
    /// Nobody answers ARP for the address (ICMP host unreachable).
    NobodyHasAddress,
    /// The packet was forwarded too often (ICMP time exceeded).
    TimeToLive,
    /// The sender has no address of that family, or does not run.
    NoSource,
}

impl Outcome {
    /// What became of the packet, whether its sender was told or not.
    #[must_use]
    pub fn in_the_end(&self) -> &Self {
        match self {
            Self::Dropped(Drop { cause: DropCause::AnswerHeldBack(inner), .. }) => inner.in_the_end(),
            other => other,
        }
    }

    /// The delivery, if it was delivered.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        match self {
            Self::Delivered(delivery) => Some(delivery),
            _ => None,
        }
    }

    /// Where the packet ended.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Delivered(delivery) => &delivery.server,
            Self::Refused(refusal) => &refusal.place,
            Self::Dropped(drop) => &drop.place,
            Self::NoRoute(no_route) => &no_route.place,
        }
    }

    /// How long the client waits until it knows, in microseconds; `None` if nothing ever comes back.
    #[must_use]
    pub fn answer_after_us(&self) -> Option<u64> {
        match self {
            Self::Delivered(delivery) => Some(2 * delivery.latency_us),
            Self::Refused(refusal) => Some(2 * refusal.latency_us),
            Self::NoRoute(no_route) => Some(no_route.latency_us),
            Self::Dropped(_) => None,
        }
    }
}

/// A packet's whole way.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What was sent.
    pub transport: Transport,
    /// Where it was sent to, as the client said it.
    pub target: SocketAddr,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened on the way, the answer's way back included.
    pub hops: Vec<Hop>,
}
