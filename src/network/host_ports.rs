//! Ports of nodes that lead to one Pod there: `hostPort`, as the portmap plugin of CNI makes them.
//!
//! Owns which host ports there are, what their rules do to a packet, and how the rules are spelled
//! (`plugins/meta/portmap`). kube-proxy's rules are asked before these. Pods on the node's own network have none:
//! their sockets are the node's.

use std::net::{IpAddr, SocketAddr};

use super::hop::Rule;
use super::iptables::{comment, rule};
use super::names::sandbox_chain;
use super::packet::{Packet, Transport};
use super::topology::{NodeId, Topology};
use crate::api::object::{Key, Object};
use crate::api::typed::{Pod, Protocol};

/// The name of the network plugin's configuration, which stands in comments.
const NETWORK: &str = "cbr0";

/// A port of a node that leads to a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The Pod.
    pub pod: Key,
    /// What stands for the Pod's sandbox in comments and in the name of its chain.
    sandbox: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The port of the node.
    pub port: u16,
    /// The one address of the node on which it is open; all where none is.
    address: Option<IpAddr>,
    /// Where it leads.
    pub to: SocketAddr,
}

/// What the rules of a host port do to a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forwarded<'a> {
    pub(super) host_port: &'a HostPort,
    /// Whether the packet is masqueraded, or the answer would not come back by the node.
    pub(super) masquerade: bool,
}

/// The host ports of a Pod.
pub(super) fn of_pod(object: &Object, pod: &Pod) -> Vec<HostPort> {
    let mut found = Vec::new();
    if pod.spec.host_network {
        return found;
    }
    for port in pod.spec.containers.iter().flat_map(|container| &container.ports) {
        if port.host_port == 0 {
            continue;
        }
        let address = port.host_ip.parse().ok().filter(|ip: &IpAddr| !ip.is_unspecified());
        let fits = |ip: &&IpAddr| address.is_none_or(|address| address.is_ipv4() == ip.is_ipv4());
        found.extend(pod.ips.iter().filter(fits).map(|ip| HostPort {
            pod: object.key.clone(),
            sandbox: object.meta.uid.replace('-', ""),
            protocol: port.protocol,
            port: port.host_port,
            address,
            to: SocketAddr::new(*ip, port.port),
        }));
    }
    found
}

/// What the host ports of a node do to a packet that is addressed to the node itself.
#[inline]
pub(super) fn forward<'a>(topology: &'a Topology, node: NodeId, packet: &Packet) -> Option<Forwarded<'a>> {
    let host_ports = &topology.node(node).host_ports;
    if host_ports.is_empty() { None } else { forward_by(host_ports, topology, node, packet) }
}

fn forward_by<'a>(
    host_ports: &'a [HostPort],
    topology: &Topology,
    node: NodeId,
    packet: &Packet,
) -> Option<Forwarded<'a>> {
    let to = packet.destination;
    let fits = |one: &&HostPort| {
        one.port == to.port()
            && Some(one.protocol) == packet.transport.protocol()
            && one.to.is_ipv4() == to.is_ipv4()
            && one.address.is_none_or(|address| address == to.ip())
    };
    let host_port = host_ports.iter().find(fits)?;
    if !topology.is_local(node, to.ip()) {
        return None;
    }
    let source = packet.source.ip();
    let near = topology.range_owner(source) == Some(node);
    // The plugin masquerades what comes from 127.0.0.1, and forgets ::1.
    let loopback = source.is_ipv4() && source.is_loopback();
    Some(Forwarded { host_port, masquerade: near || loopback })
}

/// The rules that led a packet to a Pod by its host port, the last one being the DNAT.
pub(super) fn translation(
    topology: &Topology,
    node: NodeId,
    packet: &Packet,
    from_node: bool,
    way: Forwarded<'_>,
) -> Vec<Rule> {
    let [jump, marks @ .., dnat] = &of_host_port(topology, node, way.host_port)[..] else {
        unreachable!("a host port has a jump and a DNAT")
    };
    let chain = if from_node { "OUTPUT" } else { "PREROUTING" };
    let hook = rule("nat", chain, "-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT");
    let mut rules = vec![hook, jump.clone()];
    if way.masquerade {
        let loopback = packet.source.ip().is_loopback();
        rules.extend(marks.get(usize::from(loopback)).cloned());
    }
    rules.push(dnat.clone());
    rules
}

/// The rule that masquerades what a host port marked.
pub(super) fn masquerade() -> Rule {
    rule("nat", "CNI-HOSTPORT-MASQ", "-m mark --mark 0x2000/0x2000 -j MASQUERADE")
}

/// The rules of one host port: the jump to the Pod's chain, the marks, and the DNAT.
fn of_host_port(topology: &Topology, node: NodeId, one: &HostPort) -> Vec<Rule> {
    let chain = sandbox_chain(NETWORK, &one.sandbox);
    let carried = Transport::from(one.protocol).name();
    let words = comment(&format!("dnat name: \\\"{NETWORK}\\\" id: \\\"{}\\\"", one.sandbox));
    let at = one.address.map(|address| format!("-d {address} ")).unwrap_or_default();
    let jump = format!("-p {carried} {words} -m multiport --dports {} -j {chain}", one.port);
    let matched = format!("-p {carried} -m {carried} --dport {}", one.port);
    let range = topology.node(node).ranges.iter().find(|range| range.contains(&one.to.ip()));
    let range = range.map(ToString::to_string).unwrap_or_default();
    let mut rules = vec![rule("nat", "CNI-HOSTPORT-DNAT", &jump)];
    rules.push(rule("nat", &chain, &format!("-s {range} {at}{matched} -j CNI-HOSTPORT-SETMARK")));
    if one.to.is_ipv4() {
        rules.push(rule("nat", &chain, &format!("-s 127.0.0.1/32 {at}{matched} -j CNI-HOSTPORT-SETMARK")));
    }
    let to = one.to;
    rules.push(rule("nat", &chain, &format!("{at}{matched} -j DNAT --to-destination {to}")));
    rules
}

/// All rules of a node's host ports in one family; none where it has none, for the plugin makes its chains with
/// the first.
pub(super) fn all(topology: &Topology, node: NodeId, v4: bool) -> Vec<Rule> {
    let ports = topology.node(node).host_ports.iter().filter(|one| one.to.is_ipv4() == v4);
    let mut rules: Vec<Rule> = ports.flat_map(|one| of_host_port(topology, node, one)).collect();
    if rules.is_empty() {
        return rules;
    }
    let hook = "-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
    let words = comment("CNI portfwd requiring masquerade");
    let mark = comment("CNI portfwd masquerade mark");
    rules.extend([
        rule("nat", "PREROUTING", hook),
        rule("nat", "OUTPUT", hook),
        rule("nat", "POSTROUTING", &format!("{words} -j CNI-HOSTPORT-MASQ")),
        rule("nat", "CNI-HOSTPORT-SETMARK", &format!("{mark} -j MARK --set-xmark 0x2000/0x2000")),
        masquerade(),
    ]);
    rules
}
