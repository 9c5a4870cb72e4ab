//! kube-proxy's iptables rules: how each is spelled, and all of them on one node.
//!
//! Owns the text of the rules as `iptables-save` prints them (pkg/proxy/iptables/proxier.go, v1.36) and
//! [`save`], the whole rule set (`ruleset`). What they decide for a packet is in [`super::proxy`]; a trace picks its rules
//! from the same functions ([`super::rules`]), so the two cannot differ.

pub(super) mod ruleset;

use std::net::IpAddr;

pub use ruleset::save;

use ipnet::IpNet;

use super::hop::Rule;
use super::names::endpoint_chain;
use super::services::ServicePort;
use super::tables::Frontend;
use crate::api::typed::Affinity;

/// A rule of a chain, in the form of `iptables-save`.
pub(super) fn rule(table: &'static str, chain: &str, rest: &str) -> Rule {
    Rule { table, chain: chain.to_owned(), text: format!("-A {chain} {rest}") }
}

/// `-m comment --comment "…"`.
pub(super) fn comment(text: &str) -> String {
    format!("-m comment --comment \"{text}\"")
}

/// `10.96.0.1/32`, `fd00::1/128`.
fn host(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

fn carried(port: &ServicePort) -> &'static str {
    super::packet::Transport::from(port.protocol()).name()
}

/// The chain of a Service port: `KUBE-SVC-…`, or with policy `Local` `KUBE-SVL-…`.
pub(super) fn service_chain(port: &ServicePort, local: bool) -> String {
    format!("KUBE-{}-{}", if local { "SVL" } else { "SVC" }, port.hash())
}

/// The chain of what comes from outside.
pub(super) fn external_chain(port: &ServicePort) -> String {
    format!("KUBE-EXT-{}", port.hash())
}

fn firewall_chain(port: &ServicePort) -> String {
    format!("KUBE-FW-{}", port.hash())
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
fn address_match(port: &ServicePort, address: IpAddr, words: &str) -> String {
    let carried = carried(port);
    let words = comment(&format!("{} {words}", port.name));
    format!("-d {} -p {carried} {words} -m {carried} --dport {}", host(address), port.port)
}

fn frontend_words(frontend: Frontend) -> &'static str {
    match frontend {
        Frontend::ClusterIp => "cluster IP",
        Frontend::ExternalIp => "external IP",
        Frontend::LoadBalancer => "loadbalancer IP",
        Frontend::NodePort => "",
    }
}

/// KUBE-SERVICES: from an address of the Service to a chain.
pub(super) fn address_jump(port: &ServicePort, frontend: Frontend, address: IpAddr, to: &str) -> Rule {
    let found = address_match(port, address, frontend_words(frontend));
    rule("nat", "KUBE-SERVICES", &format!("{found} -j {to}"))
}

/// KUBE-SERVICES: an address of a load balancer leads to its firewall chain if it has source ranges.
pub(super) fn balancer_jump(port: &ServicePort, address: IpAddr) -> Rule {
    let to = if port.source_ranges.is_empty() { external_chain(port) } else { firewall_chain(port) };
    address_jump(port, Frontend::LoadBalancer, address, &to)
}

/// KUBE-SERVICES: to the node ports, last of all. There are none on `::1`: only IPv4 can be told to route
/// 127.0.0.1 (`route_localnet`).
pub(super) fn node_ports_jump(v4: bool) -> Rule {
    let last = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
    let loopback = if v4 { "" } else { "! -d ::1/128 " };
    let rest = format!("{loopback}{} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS", comment(last));
    rule("nat", "KUBE-SERVICES", &rest)
}

/// KUBE-NODEPORTS: from a node port to the chain of what comes from outside.
pub(super) fn node_port_jump(port: &ServicePort) -> Rule {
    let (carried, words) = (carried(port), comment(&port.name.to_string()));
    let to = external_chain(port);
    let rest = format!("-p {carried} {words} -m {carried} --dport {} -j {to}", port.node_port);
    rule("nat", "KUBE-NODEPORTS", &rest)
}

/// KUBE-FW: a source range may go on.
pub(super) fn source_range(port: &ServicePort, range: IpNet) -> Rule {
    let words = comment(&format!("{} loadbalancer IP", port.name));
    let rest = format!("-s {range} {words} -j {}", external_chain(port));
    rule("nat", &firewall_chain(port), &rest)
}

/// The sources that may go on: the ranges, and where one of them holds the node's own address those of the load
/// balancer too, because a node may have them as its own.
pub(super) fn source_ranges(port: &ServicePort, node: Option<IpAddr>) -> impl Iterator<Item = IpNet> {
    let from_node = node.is_some_and(|node| port.source_ranges.iter().any(|range| range.contains(&node)));
    let own = port.load_balancer_ips.iter().filter(move |_| from_node).map(|ip| IpNet::from(*ip));
    port.source_ranges.iter().copied().chain(own)
}

/// The Service's chain: what comes to the cluster address from outside the Pod network is to be masqueraded.
pub(super) fn source_mark(port: &ServicePort, chain: &str, pods: &str) -> Rule {
    let found = address_match(port, port.cluster_ip, "cluster IP");
    rule("nat", chain, &format!("! -s {pods} {found} -j KUBE-MARK-MASQ"))
}

/// KUBE-EXT: what each rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum External {
    /// Policy `Cluster`: masquerade.
    Mark,
    /// Policy `Cluster`: on to all endpoints.
    All,
    /// Policy `Local`: Pods of the cluster reach all endpoints.
    Pods,
    /// Policy `Local`: the node itself is masqueraded.
    MarkNode,
    /// Policy `Local`: the node itself reaches all endpoints.
    Node,
    /// Policy `Local`: everybody else reaches the endpoints on this node.
    Local,
}

/// KUBE-EXT: one of its rules.
pub(super) fn external(port: &ServicePort, which: External, pods: &str) -> Rule {
    let words = |what: &str| comment(&format!("{what} for {} external destinations", port.name));
    let all = service_chain(port, false);
    let local = "-m addrtype --src-type LOCAL -j";
    let rest = match which {
        External::Mark => format!("{} -j KUBE-MARK-MASQ", words("masquerade traffic")),
        External::All => format!("-j {all}"),
        External::Pods => format!("-s {pods} {} -j {all}", words("pod traffic")),
        External::MarkNode => format!("{} {local} KUBE-MARK-MASQ", words("masquerade LOCAL traffic")),
        External::Node => format!("{} {local} {all}", words("route LOCAL traffic")),
        External::Local => format!("-j {}", service_chain(port, true)),
    };
    rule("nat", &external_chain(port), &rest)
}

fn recent_tail(like: IpAddr) -> &'static str {
    if like.is_ipv4() {
        "--mask 255.255.255.255 --rsource"
    } else {
        "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource"
    }
}

/// The Service's chain: an endpoint that session affinity remembers.
pub(super) fn remembered(port: &ServicePort, chain: &str, endpoint: &str, seconds: u32) -> Rule {
    let to = endpoint_chain(&port.name, endpoint);
    let words = comment(&format!("{} -> {endpoint}", port.name));
    let tail = recent_tail(port.cluster_ip);
    let recent = format!("-m recent --rcheck --seconds {seconds} --reap --name {to} {tail}");
    rule("nat", chain, &format!("{words} {recent} -j {to}"))
}

/// The Service's chain: one of `left` endpoints that are left to choose from.
pub(super) fn pick(port: &ServicePort, chain: &str, endpoint: &str, left: usize) -> Rule {
    let to = endpoint_chain(&port.name, endpoint);
    let words = comment(&format!("{} -> {endpoint}", port.name));
    let chance = match left {
        0 | 1 => String::new(),
        _ => format!(" -m statistic --mode random --probability {}", probability(left)),
    };
    rule("nat", chain, &format!("{words}{chance} -j {to}"))
}

/// The endpoint's chain: what it sends to itself is to be masqueraded.
pub(super) fn hairpin_mark(port: &ServicePort, endpoint: &str, address: IpAddr) -> Rule {
    let words = comment(&port.name.to_string());
    let rest = format!("-s {} {words} -j KUBE-MARK-MASQ", host(address));
    rule("nat", &endpoint_chain(&port.name, endpoint), &rest)
}

/// The endpoint's chain: the destination is rewritten.
pub(super) fn dnat(port: &ServicePort, endpoint: &str) -> Rule {
    let chain = endpoint_chain(&port.name, endpoint);
    let (carried, words) = (carried(port), comment(&port.name.to_string()));
    let recent = match port.affinity {
        Affinity::None => String::new(),
        Affinity::ClientIp { .. } => {
            format!(" -m recent --set --name {chain} {}", recent_tail(port.cluster_ip))
        }
    };
    let rest = format!("-p {carried} {words}{recent} -m {carried} -j DNAT --to-destination {endpoint}");
    rule("nat", &chain, &rest)
}

/// The filter table: no endpoints at all (reject) or none on this node (drop).
pub(super) fn no_endpoints(port: &ServicePort, frontend: Frontend, address: IpAddr, local: bool) -> Rule {
    let (why, target) = match (local, address.is_ipv4()) {
        (true, _) => ("has no local endpoints", "DROP"),
        (false, true) => ("has no endpoints", "REJECT --reject-with icmp-port-unreachable"),
        (false, false) => ("has no endpoints", "REJECT --reject-with icmp6-port-unreachable"),
    };
    let chain = if frontend == Frontend::ClusterIp { "KUBE-SERVICES" } else { "KUBE-EXTERNAL-SERVICES" };
    if frontend == Frontend::NodePort {
        let (carried, words) = (carried(port), comment(&format!("{} {why}", port.name)));
        let to = format!("-m addrtype --dst-type LOCAL -m {carried} --dport {}", port.node_port);
        return rule("filter", chain, &format!("-p {carried} {words} {to} -j {target}"));
    }
    rule("filter", chain, &format!("{} -j {target}", address_match(port, address, why)))
}

/// The filter table: what the source ranges of a load balancer do not accept.
pub(super) fn not_accepted(port: &ServicePort, address: IpAddr) -> Rule {
    let words = format!("traffic not accepted by {}", firewall_chain(port));
    let rest = format!("{} -j DROP", address_match(port, address, &words));
    rule("filter", "KUBE-PROXY-FIREWALL", &rest)
}

/// kube-proxy's rule that masquerades marked packets.
pub(super) fn masquerade() -> Rule {
    let words = comment("kubernetes service traffic requiring SNAT");
    rule("nat", "KUBE-POSTROUTING", &format!("{words} -j MASQUERADE --random-fully"))
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
