//! kube-proxy's nftables rules: how each is spelled, and all of them on one node.
//!
//! Owns the text of rules and map elements as kube-proxy writes them (pkg/proxy/nftables/proxier.go, v1.36); the whole
//! table of an address family is [`dump`]'s (`ruleset`). What they decide for a packet is in [`super::proxy`], and for
//! which of several Services at one address in `maps`.

pub(super) mod maps;
mod ruleset;

use std::net::{IpAddr, SocketAddr};

pub use ruleset::dump;

use super::hop::Rule;
use super::iptables::External;
use super::names::nft_name;
use super::packet::Transport;
use super::proxy::{Choice, Filter, MasqueradeReason, Proxy};
use super::services::ServicePort;
use super::tables::{Frontend, Matched};
use crate::api::typed::{Affinity, Policy};

/// kube-proxy's tables: IPv4 and IPv6 have one each, which differ in the words for addresses.
#[must_use]
pub fn table(v4: bool) -> &'static str {
    if v4 { "ip kube-proxy" } else { "ip6 kube-proxy" }
}

/// What a rule or declaration that is written for IPv4 is in a family.
fn in_family(v4: bool, text: &str) -> String {
    if v4 {
        return text.to_owned();
    }
    text.replace("ip daddr", "ip6 daddr")
        .replace("ip saddr", "ip6 saddr")
        .replace("dnat ip addr", "dnat ip6 addr")
        .replace("ipv4_addr", "ipv6_addr")
        .replace(table(true), table(false))
}

/// A rule of a chain.
fn rule(v4: bool, chain: impl Into<String>, text: impl AsRef<str>) -> Rule {
    Rule { table: table(v4), chain: chain.into(), text: in_family(v4, text.as_ref()) }
}

/// An element of a set or map: its "chain" is the name with an `@`.
fn element(v4: bool, of: &str, text: String) -> Rule {
    Rule { table: table(v4), chain: format!("@{of}"), text }
}

fn is_v4(port: &ServicePort) -> bool {
    port.cluster_ip.is_ipv4()
}

fn carried(port: &ServicePort) -> &'static str {
    Transport::from(port.protocol()).name()
}

fn chain(kind: &str, port: &ServicePort) -> String {
    let name = &port.name;
    format!(
        "{kind}-{}",
        nft_name(&format!("{}/{}/{}/{}", name.namespace, name.service, carried(port), name.port))
    )
}

/// `HASH-dp/web/tcp/http__10.244.1.2/80`: part of the names of an endpoint's chain and set.
pub(super) fn endpoint_name(port: &ServicePort, endpoint: SocketAddr) -> String {
    let name = &port.name;
    let of = format!("{}/{}/{}/{}", name.namespace, name.service, carried(port), name.port);
    // A colon may not stand in a name.
    nft_name(&format!("{of}__{}/{}", endpoint.ip().to_string().replace(':', "."), endpoint.port()))
}

fn endpoint_chain(port: &ServicePort, endpoint: SocketAddr) -> String {
    format!("endpoint-{}", endpoint_name(port, endpoint))
}

fn service_chain(port: &ServicePort, local: bool) -> String {
    chain(if local { "local" } else { "service" }, port)
}

/// `10.96.0.1 . tcp . 80`.
fn socket(port: &ServicePort, address: IpAddr) -> String {
    format!("{address} . {} . {}", carried(port), port.port)
}

fn mark_cluster_ip(v4: bool, pods: &str) -> Rule {
    rule(
        v4,
        "services",
        format!(
            "ip daddr @cluster-ips ip saddr != {pods} mark set mark or 0x4000 comment \"masquerade clusterIP traffic from outside cluster\""
        ),
    )
}

fn services_map(v4: bool) -> Rule {
    rule(v4, "services", "ip daddr . meta l4proto . th dport vmap @service-ips")
}

fn node_ports_map(v4: bool) -> Rule {
    rule(v4, "services", "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports")
}

fn service_ip(port: &ServicePort, address: IpAddr, to: &str) -> Rule {
    element(is_v4(port), "service-ips", format!("{} : goto {to}", socket(port, address)))
}

fn service_node_port(port: &ServicePort) -> Rule {
    let to = chain("external", port);
    element(is_v4(port), "service-nodeports", format!("{} . {} : goto {to}", carried(port), port.node_port))
}

fn external(port: &ServicePort, which: External, pods: &str) -> Rule {
    let all = service_chain(port, false);
    let text = match which {
        External::Mark => "mark set mark or 0x4000 comment \"masquerade\"".to_owned(),
        External::All => format!("goto {all}"),
        External::Pods => format!("ip saddr {pods} goto {all} comment \"short-circuit pod traffic\""),
        External::MarkNode => {
            "fib saddr type local mark set mark or 0x4000 comment \"masquerade local traffic\"".to_owned()
        }
        External::Node => {
            format!("fib saddr type local goto {all} comment \"short-circuit local traffic\"")
        }
        External::Local => format!("goto {}", service_chain(port, true)),
    };
    rule(is_v4(port), chain("external", port), text)
}

/// The rule that picks one of several endpoints.
fn pick(port: &ServicePort, local: bool, endpoints: &[SocketAddr]) -> Rule {
    let count = endpoints.len();
    let entries: Vec<String> = match port.affinity {
        Affinity::None => (0..)
            .zip(endpoints)
            .map(|(n, at): (usize, _)| format!("{n} : {} . {}", at.ip(), at.port()))
            .collect(),
        Affinity::ClientIp { .. } => (0..)
            .zip(endpoints)
            .map(|(n, at): (usize, _)| format!("{n} : goto {}", endpoint_chain(port, *at)))
            .collect(),
    };
    let entries = entries.join(" , ");
    let text = match port.affinity {
        Affinity::None => {
            let carried = carried(port);
            format!(
                "meta l4proto {carried} dnat ip addr . port to numgen random mod {count} map {{ {entries} }}"
            )
        }
        Affinity::ClientIp { .. } => format!("numgen random mod {count} vmap {{ {entries} }}"),
    };
    rule(is_v4(port), service_chain(port, local), text)
}

fn remembered(port: &ServicePort, local: bool, endpoint: SocketAddr) -> Rule {
    let (set, to) = (endpoint_name(port, endpoint), endpoint_chain(port, endpoint));
    rule(is_v4(port), service_chain(port, local), format!("ip saddr @affinity-{set} goto {to}"))
}

fn endpoint_rules(port: &ServicePort, endpoint: SocketAddr) -> [Rule; 2] {
    let to = endpoint_chain(port, endpoint);
    let set = endpoint_name(port, endpoint);
    [
        rule(is_v4(port), to.clone(), format!("update @affinity-{set} {{ ip saddr }}")),
        rule(is_v4(port), to, format!("meta l4proto {} dnat to {endpoint}", carried(port))),
    ]
}

fn no_endpoints(port: &ServicePort, frontend: Frontend, address: IpAddr, local: bool) -> Rule {
    let verdict = if local { "drop" } else { "goto reject-chain" };
    let words = format!("comment \"{}\" : {verdict}", port.name);
    if frontend == Frontend::NodePort {
        let text = format!("{} . {} {words}", carried(port), port.node_port);
        return element(is_v4(port), "no-endpoint-nodeports", text);
    }
    element(is_v4(port), "no-endpoint-services", format!("{} {words}", socket(port, address)))
}

fn firewall_ip(port: &ServicePort, address: IpAddr) -> Rule {
    let to = chain("firewall", port);
    element(is_v4(port), "firewall-ips", format!("{} : goto {to}", socket(port, address)))
}

/// `node` is the address of the node: where a range holds it, the Service's own addresses are let in too, because a
/// node may have them as its own.
fn firewall(port: &ServicePort, node: Option<IpAddr>) -> Rule {
    let mut sources: Vec<String> = port.source_ranges.iter().map(ToString::to_string).collect();
    if node.is_some_and(|node| port.source_ranges.iter().any(|range| range.contains(&node))) {
        sources.extend(port.load_balancer_ips.iter().map(ToString::to_string));
    }
    let text = format!("ip saddr != {{ {} }} drop", sources.join(" , "));
    rule(is_v4(port), chain("firewall", port), text)
}

/// The rules that led a packet to its backend, the last one being the DNAT.
pub(super) fn translation(choice: &Choice<'_>, to: IpAddr, pods: &str) -> Vec<Rule> {
    let (matched, port) = (choice.matched, choice.matched.port);
    let service = service_chain(port, choice.local);
    let v4 = is_v4(port);
    let mut rules = Vec::new();
    if choice.masquerade == Some(MasqueradeReason::SourceOutsidePods) {
        rules.push(mark_cluster_ip(v4, pods));
    }
    match matched.frontend {
        Frontend::ClusterIp => rules.extend([services_map(v4), service_ip(port, to, &service)]),
        Frontend::NodePort => rules.extend([node_ports_map(v4), service_node_port(port)]),
        _ => rules.extend([services_map(v4), service_ip(port, to, &chain("external", port))]),
    }
    if matched.is_external() {
        let which: &[External] = match (port.external_policy, choice.masquerade) {
            (Policy::Cluster, _) => &[External::Mark, External::All],
            (Policy::Local, _) if choice.local => &[External::Local],
            (Policy::Local, Some(MasqueradeReason::FromNode)) => &[External::MarkNode, External::Node],
            (Policy::Local, _) => &[External::Pods],
        };
        rules.extend(which.iter().map(|one| external(port, *one, pods)));
    }
    let endpoint = choice.backend.address;
    if choice.remembered {
        rules.push(remembered(port, choice.local, endpoint));
    } else {
        let among: Vec<SocketAddr> =
            choice.among.iter().map(|index| port.endpoints[*index as usize].address).collect();
        rules.push(pick(port, choice.local, &among));
    }
    if port.affinity != Affinity::None {
        rules.extend(endpoint_rules(port, endpoint));
    }
    rules
}

/// The rules that refused or dropped a packet for a Service port.
pub(super) fn filter(matched: Matched<'_>, to: IpAddr, filter: Filter, node: Option<IpAddr>) -> Vec<Rule> {
    let port = matched.port;
    let v4 = is_v4(port);
    if filter == Filter::SourceRanges {
        let check = rule(v4, "firewall-check", "ip daddr . meta l4proto . th dport vmap @firewall-ips");
        return vec![check, firewall_ip(port, to), firewall(port, node)];
    }
    let local = filter == Filter::NoLocalEndpoints;
    let check = if matched.frontend == Frontend::NodePort {
        rule(v4, "nodeport-endpoints-check", NODE_PORT_CHECK)
    } else {
        rule(v4, "service-endpoints-check", SERVICE_CHECK)
    };
    let mut rules = vec![check, no_endpoints(port, matched.frontend, to, local)];
    if !local {
        rules.push(rule(v4, "reject-chain", "reject"));
    }
    rules
}

/// The rule that masquerades what kube-proxy marked, or what a Pod sends to itself.
pub(super) fn masquerade(v4: bool, hairpin: bool) -> Rule {
    let text = if hairpin {
        HAIRPIN
    } else {
        "mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random"
    };
    rule(v4, "masquerading", text)
}

const NODE_PORT_CHECK: &str = "ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports";
const SERVICE_CHECK: &str = "ip daddr . meta l4proto . th dport vmap @no-endpoint-services";
const HAIRPIN: &str = "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random";

/// The rule for addresses of the Service network: those of Services on ports that they do not have (`reject`), and
/// those that no Service has.
pub(super) fn cluster_ips_check(proxy: &Proxy<'_>, v4: bool, reject: bool) -> Rule {
    let text = if reject {
        "ip daddr @cluster-ips reject comment \"Reject traffic to invalid ports of ClusterIPs\"".to_owned()
    } else {
        let networks = proxy.topology.service_networks.iter();
        let networks: Vec<String> =
            networks.filter(|network| network.addr().is_ipv4() == v4).map(ToString::to_string).collect();
        let networks = networks.join(", ");
        format!("ip daddr {{ {networks} }} drop comment \"Drop traffic to unallocated ClusterIPs\"")
    };
    rule(v4, "cluster-ips-check", text)
}
