//! What nodes remember of connections, as rows of a table.
//!
//! Reads conntrack of every node; decides nothing.

use crate::cluster::clock::Instant;
use crate::network::flows::Flow;
use crate::simulation::Simulation;

/// Rows that are shown, newest first.
const ROWS: usize = 200;

/// One flow on one node.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowRow {
    /// The node that remembers it.
    pub node: String,
    /// `tcp`, `udp`, `sctp` or `icmp`.
    pub transport: &'static str,
    /// Who sent the first packet.
    pub source: String,
    /// Where it was sent to.
    pub destination: String,
    /// Where it was translated to, if it was.
    pub backend: Option<String>,
    /// The source that the backend sees, if it was translated.
    pub masquerade: Option<String>,
    /// When its last packet passed, in µs of virtual time.
    pub seen: u64,
}

/// The flows of all nodes, newest first, and how many more there are.
#[must_use]
pub fn of_all(simulation: &Simulation) -> (Vec<FlowRow>, usize) {
    let network = &simulation.network;
    let mut flows = network.flows().all(Instant(simulation.now())).rev();
    let row = |flow: &Flow| {
        let (came, left) = (flow.original, flow.translated);
        FlowRow {
            node: network.topology().node(flow.node).name.to_string(),
            transport: came.transport.name(),
            source: came.source.to_string(),
            destination: came.destination.to_string(),
            backend: (left.destination != came.destination).then(|| left.destination.to_string()),
            masquerade: (left.source != came.source).then(|| left.source.to_string()),
            seen: flow.seen.0,
        }
    };
    let rows = flows.by_ref().take(ROWS).map(row).collect();
    (rows, flows.count())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::api::registry::Kind;
    use crate::cluster::Settings;
    use crate::network::{Origin, Transport};

    #[test]
    fn a_connection_through_a_service_leaves_a_row_with_its_backend() {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let web = simulation.cluster.find(Kind::Service, "demo", "web").expect("it is there");
        let address = web.as_service().and_then(|web| web.cluster_ip()).expect("it has an address");
        let to = SocketAddr::new(address, 80);
        simulation.connect(&Origin::node("k8s-w1"), to, Transport::Tcp);
        let (rows, more) = of_all(&simulation);
        let row = rows.iter().find(|row| row.destination == to.to_string()).expect("it is remembered");
        assert_eq!((row.node.as_str(), row.transport, more), ("k8s-w1", "tcp", 0));
        assert!(row.backend.as_deref().is_some_and(|backend| backend.starts_with("10.244.")), "{row:?}");
        assert!(row.masquerade.is_some(), "a node is outside the Pod network");
    }
}
