//! The network: packets, routes, kube-proxy's tables, conntrack, DNS and HTTP.
//!
//! Owns everything between a client's socket and a server's. It reads Services, EndpointSlices, Nodes and
//! the sockets that containers open; never selectors. Tables follow the journal.

use crate::cluster::Cluster;

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
