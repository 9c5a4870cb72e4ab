//! Packets: what a packet's header says, and what carries it.
//!
//! Owns [`Packet`] and [`Transport`]. It does not own where packets go: that is [`super::walk`].

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::api::typed::Protocol;

/// The time to live that a Linux host gives a packet (`net.ipv4.ip_default_ttl`).
pub const DEFAULT_TTL: u8 = 64;

/// What carries a packet: a transport protocol of Services, or ICMP echo (ping).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// ICMP echo request: no ports.
    Icmp,
}

impl Transport {
    /// The protocol of Services that this is, if it is one.
    #[must_use]
    pub fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Tcp => Some(Protocol::Tcp),
            Self::Udp => Some(Protocol::Udp),
            Self::Sctp => Some(Protocol::Sctp),
            Self::Icmp => None,
        }
    }

    /// `tcp`, `udp`, `sctp` or `icmp`, as rules and conntrack spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
            Self::Icmp => "icmp",
        }
    }
}

impl From<Protocol> for Transport {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Tcp,
            Protocol::Udp => Self::Udp,
            Protocol::Sctp => Self::Sctp,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Where to: names are resolved before.
    pub to: SocketAddr,
    /// What carries it.
    pub transport: Transport,
    /// From which port (for an echo request: with which identifier); any free one if none is given.
    pub port: Option<u16>,
    /// How many hosts may forward it.
    pub ttl: u8,
    /// Whether it opens a connection or repeats that; else it belongs to one that is open. For TCP alone.
    pub opens: bool,
}

impl Sending {
    /// The first packet of a connection, or a datagram.
    #[must_use]
    pub fn new(to: SocketAddr, transport: Transport) -> Self {
        Self { to, transport, port: None, ttl: DEFAULT_TTL, opens: true }
    }

    /// The same from a chosen port.
    #[must_use]
    pub fn from_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// The same with another time to live.
    #[must_use]
    pub fn with_ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }
}

/// The header of the first packet of a connection, of a datagram, or of an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What carries it.
    pub transport: Transport,
    /// Where it says it comes from. The port of an echo request is its identifier.
    pub source: SocketAddr,
    /// Where it says it goes. The port of an echo request is 0.
    pub destination: SocketAddr,
    /// How many more hosts may forward it.
    pub ttl: u8,
}

impl Packet {
    /// A packet with the usual time to live.
    #[must_use]
    pub fn new(transport: Transport, source: SocketAddr, destination: SocketAddr) -> Self {
        Self { transport, source, destination, ttl: DEFAULT_TTL }
    }

    /// The same packet with another time to live.
    #[must_use]
    pub fn with_ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same packet with another source address; the port stays.
    #[must_use]
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.source.set_ip(address);
        self
    }

    /// The same packet to another destination.
    #[must_use]
    pub fn to(mut self, destination: SocketAddr) -> Self {
        self.destination = destination;
        self
    }

    /// The header of an answer: source and destination exchanged.
    #[must_use]
    pub fn reply(self) -> Self {
        Self { source: self.destination, destination: self.source, ttl: DEFAULT_TTL, ..self }
    }
}

impl fmt::Display for Packet {
    /// `tcp 10.244.1.2:40000 > 10.96.0.1:443`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Icmp => write!(f, "icmp {} > {}", self.source.ip(), self.destination.ip()),
            _ => write!(f, "{} {} > {}", self.transport, self.source, self.destination),
        }
    }
}
