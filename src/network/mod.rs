//! The network: packets, routes, kube-proxy's tables, conntrack and DNS.
//!
//! Owns everything between a client's socket and a server's. It reads what kube-proxy reads: Services and
//! EndpointSlices, never selectors; Nodes and Pods only for their addresses and sockets. Tables follow the
//! journal. It does not own what programs say to each other once they are connected.
//!
//! The one thing to call is `Network::connect(&mut self, from: &Origin, to: SocketAddr, transport: Transport,
//! now: Instant) -> Trace`: it sends the first packet of a connection and tells how it ended and what happened
//! on the way.
//!
//! - [`packet`]: headers; [`origin`]: senders; [`sockets`]: who listens.
//! - [`hop`]: what happens to a packet; [`outcome`]: how it ends, with a cause for each failure.

pub mod dns;
pub mod hop;
pub mod origin;
pub mod outcome;
pub mod packet;
pub mod sockets;

use crate::cluster::Cluster;

pub use hop::{Hop, Place, Rule, Step};
pub use origin::Origin;
pub use outcome::{
    Delivery, Drop, DropCause, NoRoute, NoRouteCause, Outcome, PortName, Refusal, RefusedCause, Trace,
};
pub use packet::{Packet, Transport};
pub use sockets::Listener;

/// The network of a cluster.
#[derive(Debug, Default)]
pub struct Network {
    revision: u64,
}

impl Network {
    /// Follows the journal: brings the tables up to date with what was written since the last call.
    pub fn observe(&mut self, cluster: &Cluster) {
        self.revision = cluster.journal().revision();
    }
}
