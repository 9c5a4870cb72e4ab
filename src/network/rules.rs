//! The text of the rules that a packet meets.
//!
//! Owns how kube-proxy's iptables rules, the network plugin's masquerading and routes are spelled, as
//! `iptables-save` and `ip route` print them. It decides nothing: see [`super::proxy`].

use std::net::IpAddr;

use super::flows::Flow;
use super::hop::Rule;
use super::names::endpoint_chain;
use super::packet::Packet;
use super::proxy::{Choice, Filter, MasqueradeReason, Proxy};
use super::services::ServicePort;
use super::tables::{Frontend, Matched};
use super::topology::{NodeEntry, NodeId, Topology};
use crate::api::typed::{Affinity, Policy};

/// A rule of a chain, in the form of `iptables-save`.
fn rule(table: &'static str, chain: &str, rest: &str) -> Rule {
    Rule { table, chain: chain.to_owned(), text: format!("-A {chain} {rest}") }
}

fn comment(text: &str) -> String {
    format!("-m comment --comment \"{text}\"")
}

/// `10.96.0.1/32`, `fd00::1/128`.
fn host(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

fn pod_network(topology: &Topology, like: IpAddr) -> String {
    let network = topology.pod_networks.iter().find(|network| network.addr().is_ipv4() == like.is_ipv4());
    network.map(ToString::to_string).unwrap_or_default()
}

fn protocol(port: &ServicePort) -> String {
    port.protocol().name().to_lowercase()
}

/// The probability of one of several equal choices as iptables prints it back: kube-proxy writes ten digits,
/// the kernel keeps steps of 2^-31, iptables-save prints eleven digits.
#[must_use]
pub fn probability(choices: usize) -> String {
    const STEPS: f64 = 2_147_483_648.0;
    let written: f64 = format!("{:.10}", 1.0 / choices as f64).parse().expect("a number reads back");
    format!("{:.11}", (written * STEPS).round() / STEPS)
}

/// The match on a Service's address: `-d IP -p tcp -m comment --comment "…" -m tcp --dport N`.
fn address_match(matched: Matched<'_>, address: IpAddr, words: &str) -> String {
    let port = matched.port;
    let carried = protocol(port);
    format!(
        "-d {} -p {carried} {} -m {carried} --dport {}",
        host(address),
        comment(&format!("{} {words}", port.name)),
        port.port
    )
}

fn frontend_words(frontend: Frontend) -> &'static str {
    match frontend {
        Frontend::ClusterIp => "cluster IP",
        Frontend::ExternalIp => "external IP",
        Frontend::LoadBalancer => "loadbalancer IP",
        Frontend::NodePort => "",
    }
}

/// The rules that led a packet to its backend, the last one being the DNAT.
#[must_use]
pub fn translation(proxy: &Proxy<'_>, choice: &Choice<'_>, packet: &Packet) -> Vec<Rule> {
    let matched = choice.matched;
    let name = &matched.port.name;
    let hash = matched.port.hash();
    let to = packet.destination.ip();
    let service = format!("KUBE-{}-{hash}", if choice.local { "SVL" } else { "SVC" });
    let pods = pod_network(proxy.topology, to);
    let mut rules = Vec::new();
    if matched.frontend == Frontend::ClusterIp {
        let to_service = address_match(matched, to, frontend_words(matched.frontend));
        rules.push(rule("nat", "KUBE-SERVICES", &format!("{to_service} -j {service}")));
        if choice.masquerade == Some(MasqueradeReason::SourceOutsidePods) {
            rules.push(rule("nat", &service, &format!("! -s {pods} {to_service} -j KUBE-MARK-MASQ")));
        }
    } else {
        external_rules(&mut rules, choice, packet, hash, &service, &pods);
    }
    let endpoint = choice.backend.address.to_string();
    let chain = endpoint_chain(name, &endpoint);
    rules.push(rule("nat", &service, &format!("{} -j {chain}", selection(choice, &endpoint, &chain))));
    let words = comment(&name.to_string());
    if choice.backend.address.ip() == packet.source.ip() {
        let from = host(packet.source.ip());
        rules.push(rule("nat", &chain, &format!("-s {from} {words} -j KUBE-MARK-MASQ")));
    }
    let carried = protocol(matched.port);
    let recent = match matched.port.affinity {
        Affinity::None => String::new(),
        Affinity::ClientIp { .. } => format!(" -m recent --set --name {chain} {}", recent_tail(to)),
    };
    let dnat = format!("-p {carried} {words}{recent} -m {carried} -j DNAT --to-destination {endpoint}");
    rules.push(rule("nat", &chain, &dnat));
    rules
}

fn recent_tail(like: IpAddr) -> &'static str {
    if like.is_ipv4() {
        "--mask 255.255.255.255 --rsource"
    } else {
        "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource"
    }
}

/// How a chain of a Service picks one endpoint.
fn selection(choice: &Choice<'_>, endpoint: &str, chain: &str) -> String {
    let words = comment(&format!("{} -> {endpoint}", choice.matched.port.name));
    let left = choice.candidates - choice.index;
    match choice.matched.port.affinity {
        Affinity::ClientIp { timeout_seconds } if choice.remembered => format!(
            "{words} -m recent --rcheck --seconds {timeout_seconds} --reap --name {chain} {}",
            recent_tail(choice.backend.address.ip())
        ),
        _ if left > 1 => {
            format!("{words} -m statistic --mode random --probability {}", probability(left))
        }
        _ => words,
    }
}

/// The rules from an external address or node port to the chain of a Service.
fn external_rules(
    rules: &mut Vec<Rule>,
    choice: &Choice<'_>,
    packet: &Packet,
    hash: &str,
    service: &str,
    pods: &str,
) {
    let (matched, port) = (choice.matched, choice.matched.port);
    let (external, carried) = (format!("KUBE-EXT-{hash}"), protocol(port));
    if matched.frontend == Frontend::NodePort {
        let last = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
        let jump = format!("{} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS", comment(last));
        rules.push(rule("nat", "KUBE-SERVICES", &jump));
        let words = comment(&port.name.to_string());
        let to = format!("-p {carried} {words} -m {carried} --dport {} -j {external}", port.node_port);
        rules.push(rule("nat", "KUBE-NODEPORTS", &to));
    } else {
        let to = address_match(matched, packet.destination.ip(), frontend_words(matched.frontend));
        let source = packet.source.ip();
        let range = port.source_ranges.iter().find(|range| range.contains(&source));
        if let Some(range) = range.filter(|_| matched.frontend == Frontend::LoadBalancer) {
            let firewall = format!("KUBE-FW-{hash}");
            rules.push(rule("nat", "KUBE-SERVICES", &format!("{to} -j {firewall}")));
            let words = comment(&format!("{} loadbalancer IP", port.name));
            rules.push(rule("nat", &firewall, &format!("-s {range} {words} -j {external}")));
        } else {
            rules.push(rule("nat", "KUBE-SERVICES", &format!("{to} -j {external}")));
        }
    }
    let words = |what: &str| comment(&format!("{what} for {} external destinations", port.name));
    match (port.external_policy, choice.masquerade) {
        (Policy::Cluster, _) => {
            let masquerade = format!("{} -j KUBE-MARK-MASQ", words("masquerade traffic"));
            rules.push(rule("nat", &external, &masquerade));
            rules.push(rule("nat", &external, &format!("-j {service}")));
        }
        (Policy::Local, _) if choice.local => {
            rules.push(rule("nat", &external, &format!("-j {service}")));
        }
        (Policy::Local, Some(MasqueradeReason::FromNode)) => {
            let local = "-m addrtype --src-type LOCAL -j";
            let mark = format!("{} {local} KUBE-MARK-MASQ", words("masquerade LOCAL traffic"));
            rules.push(rule("nat", &external, &mark));
            let route = format!("{} {local} {service}", words("route LOCAL traffic"));
            rules.push(rule("nat", &external, &route));
        }
        (Policy::Local, _) => {
            let pods = format!("-s {pods} {} -j {service}", words("pod traffic"));
            rules.push(rule("nat", &external, &pods));
        }
    }
}

/// The rule that refused or dropped a packet for a Service port.
#[must_use]
pub fn filter(_proxy: &Proxy<'_>, matched: Matched<'_>, packet: &Packet, filter: Filter) -> Rule {
    let port = matched.port;
    let to = packet.destination.ip();
    let (why, target) = match filter {
        Filter::NoEndpoints => ("has no endpoints", "REJECT --reject-with icmp-port-unreachable"),
        Filter::NoLocalEndpoints => ("has no local endpoints", "DROP"),
        Filter::SourceRanges => {
            let words = format!("traffic not accepted by KUBE-FW-{}", port.hash());
            let rest = format!("{} -j DROP", address_match(matched, to, &words));
            return rule("filter", "KUBE-PROXY-FIREWALL", &rest);
        }
    };
    let chain = if matched.is_external() { "KUBE-EXTERNAL-SERVICES" } else { "KUBE-SERVICES" };
    if matched.frontend == Frontend::NodePort {
        let carried = protocol(port);
        let words = comment(&format!("{} {why}", port.name));
        let rest = format!(
            "-p {carried} {words} -m addrtype --dst-type LOCAL -m {carried} --dport {} -j {target}",
            port.node_port
        );
        return rule("filter", chain, &rest);
    }
    rule("filter", chain, &format!("{} -j {target}", address_match(matched, to, why)))
}

/// The rule of nftables mode for the Service network: `reject` for ports that a Service does not have, else
/// the drop of addresses that no Service has.
#[must_use]
pub fn stray(proxy: &Proxy<'_>, reject: bool) -> Rule {
    let text = if reject {
        "ip daddr @cluster-ips reject comment \"Reject traffic to invalid ports of ClusterIPs\"".to_owned()
    } else {
        let networks: Vec<String> = proxy.topology.service_networks.iter().map(ToString::to_string).collect();
        let networks = networks.join(", ");
        format!("ip daddr {{ {networks} }} drop comment \"Drop traffic to unallocated ClusterIPs\"")
    };
    Rule { table: "ip kube-proxy", chain: "cluster-ips-check".to_owned(), text }
}

/// The rule that masquerades: kube-proxy's for marked packets, else the network plugin's for what Pods send
/// out of the Pod network.
#[must_use]
pub fn masquerade(proxy: &Proxy<'_>, marked: bool, source: IpAddr) -> Rule {
    if marked {
        let words = comment("kubernetes service traffic requiring SNAT");
        return rule("nat", "KUBE-POSTROUTING", &format!("{words} -j MASQUERADE --random-fully"));
    }
    let multicast = if source.is_ipv4() { "224.0.0.0/4" } else { "ff00::/8" };
    let words = comment("flanneld masq");
    let pods = pod_network(proxy.topology, source);
    rule(
        "nat",
        "FLANNEL-POSTRTG",
        &format!("-s {pods} ! -d {multicast} {words} -j MASQUERADE --random-fully"),
    )
}

/// The flow that a packet belongs to: no rule of the nat table is asked again.
#[must_use]
pub fn conntrack(flow: &Flow) -> Rule {
    let (sent, answer) = (flow.original, flow.translated.reply());
    let side = |packet: Packet| {
        format!(
            "src={} dst={} sport={} dport={}",
            packet.source.ip(),
            packet.destination.ip(),
            packet.source.port(),
            packet.destination.port()
        )
    };
    let text = format!("{} {} {}", sent.transport, side(sent), side(answer));
    Rule { table: "conntrack", chain: String::new(), text }
}

/// A route, as `ip route` prints it.
#[must_use]
pub fn route(text: String) -> Rule {
    Rule { table: "route", chain: "main".to_owned(), text }
}

/// The route to the Pods of the node itself.
#[must_use]
pub fn route_to_pod(topology: &Topology, node: NodeId, to: IpAddr) -> Rule {
    let entry = topology.node(node);
    let range = entry.ranges.iter().find(|range| range.contains(&to)).map(ToString::to_string);
    let bridge = entry.bridge_for(to).map(|ip| ip.to_string()).unwrap_or_default();
    route(format!("{} dev cni0 proto kernel scope link src {bridge}", range.unwrap_or_default()))
}

/// The route to another node, or to the Pods there.
#[must_use]
pub fn route_to_node(topology: &Topology, node: NodeId, next: NodeId, to: IpAddr) -> Rule {
    let entry = topology.node(next);
    let address = |entry: &NodeEntry| entry.address_for(to).map(|ip| ip.to_string()).unwrap_or_default();
    match entry.ranges.iter().find(|range| range.contains(&to)) {
        Some(range) => route(format!("{range} via {} dev eth0", address(entry))),
        None => {
            let lan = topology.lan_of(to).map(|lan| lan.to_string()).unwrap_or_default();
            let own = address(topology.node(node));
            route(format!("{lan} dev eth0 proto kernel scope link src {own}"))
        }
    }
}

/// The default route.
#[must_use]
pub fn route_to_router(topology: &Topology) -> Rule {
    route(format!("default via {} dev eth0", topology.router()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_read_back_as_the_kernel_keeps_them() {
        for (choices, expected) in [(2, "0.50000000000"), (3, "0.33333333349"), (4, "0.25000000000")] {
            assert_eq!(probability(choices), expected);
        }
    }
}
