//! kube-proxy's nftables rules: how each is spelled, and all of them on one node.
//!
//! Owns the text of rules and map elements as kube-proxy writes them (pkg/proxy/nftables/proxier.go, v1.36) and
//! [`dump`], the whole table. What they decide for a packet is in [`super::proxy`].

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::hop::Rule;
use super::iptables::External;
use super::names::nft_name;
use super::packet::Transport;
use super::proxy::{Choice, Filter, MasqueradeReason, Proxy};
use super::services::{ServicePort, Vantage};
use super::tables::{Frontend, Matched};
use super::topology::NodeId;
use crate::api::typed::{Affinity, Policy};

/// kube-proxy's table.
const TABLE: &str = "ip kube-proxy";

/// A rule of a chain.
fn rule(chain: impl Into<String>, text: impl Into<String>) -> Rule {
    Rule { table: TABLE, chain: chain.into(), text: text.into() }
}

/// An element of a set or map: its "chain" is the name with an `@`.
fn element(of: &str, text: String) -> Rule {
    rule(format!("@{of}"), text)
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
    nft_name(&format!("{of}__{}/{}", endpoint.ip(), endpoint.port()))
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

fn mark_cluster_ip(pods: &str) -> Rule {
    rule(
        "services",
        format!(
            "ip daddr @cluster-ips ip saddr != {pods} mark set mark or 0x4000 comment \"masquerade clusterIP traffic from outside cluster\""
        ),
    )
}

fn services_map() -> Rule {
    rule("services", "ip daddr . meta l4proto . th dport vmap @service-ips")
}

fn node_ports_map() -> Rule {
    rule("services", "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports")
}

fn service_ip(port: &ServicePort, address: IpAddr, to: &str) -> Rule {
    element("service-ips", format!("{} : goto {to}", socket(port, address)))
}

fn service_node_port(port: &ServicePort) -> Rule {
    let to = chain("external", port);
    element("service-nodeports", format!("{} . {} : goto {to}", carried(port), port.node_port))
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
    rule(chain("external", port), text)
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
    rule(service_chain(port, local), text)
}

fn remembered(port: &ServicePort, local: bool, endpoint: SocketAddr) -> Rule {
    let (set, to) = (endpoint_name(port, endpoint), endpoint_chain(port, endpoint));
    rule(service_chain(port, local), format!("ip saddr @affinity-{set} goto {to}"))
}

fn endpoint_rules(port: &ServicePort, endpoint: SocketAddr) -> [Rule; 2] {
    let to = endpoint_chain(port, endpoint);
    let set = endpoint_name(port, endpoint);
    [
        rule(to.clone(), format!("update @affinity-{set} {{ ip saddr }}")),
        rule(to, format!("meta l4proto {} dnat to {endpoint}", carried(port))),
    ]
}

fn no_endpoints(port: &ServicePort, frontend: Frontend, address: IpAddr, local: bool) -> Rule {
    let verdict = if local { "drop" } else { "goto reject-chain" };
    let words = format!("comment \"{}\" : {verdict}", port.name);
    if frontend == Frontend::NodePort {
        return element("no-endpoint-nodeports", format!("{} . {} {words}", carried(port), port.node_port));
    }
    element("no-endpoint-services", format!("{} {words}", socket(port, address)))
}

fn firewall_ip(port: &ServicePort, address: IpAddr) -> Rule {
    let to = chain("firewall", port);
    element("firewall-ips", format!("{} : goto {to}", socket(port, address)))
}

fn firewall(port: &ServicePort) -> Rule {
    let ranges: Vec<String> = port.source_ranges.iter().map(ToString::to_string).collect();
    rule(chain("firewall", port), format!("ip saddr != {{ {} }} drop", ranges.join(" , ")))
}

/// The rules that led a packet to its backend, the last one being the DNAT.
pub(super) fn translation(choice: &Choice<'_>, to: IpAddr, pods: &str) -> Vec<Rule> {
    let (matched, port) = (choice.matched, choice.matched.port);
    let service = service_chain(port, choice.local);
    let mut rules = Vec::new();
    if choice.masquerade == Some(MasqueradeReason::SourceOutsidePods) {
        rules.push(mark_cluster_ip(pods));
    }
    match matched.frontend {
        Frontend::ClusterIp => rules.extend([services_map(), service_ip(port, to, &service)]),
        Frontend::NodePort => rules.extend([node_ports_map(), service_node_port(port)]),
        _ => rules.extend([services_map(), service_ip(port, to, &chain("external", port))]),
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
pub(super) fn filter(matched: Matched<'_>, to: IpAddr, filter: Filter) -> Vec<Rule> {
    let port = matched.port;
    if filter == Filter::SourceRanges {
        let check = rule("firewall-check", "ip daddr . meta l4proto . th dport vmap @firewall-ips");
        return vec![check, firewall_ip(port, to), firewall(port)];
    }
    let local = filter == Filter::NoLocalEndpoints;
    let check = if matched.frontend == Frontend::NodePort {
        rule("nodeport-endpoints-check", NODE_PORT_CHECK)
    } else {
        rule("service-endpoints-check", SERVICE_CHECK)
    };
    let mut rules = vec![check, no_endpoints(port, matched.frontend, to, local)];
    if !local {
        rules.push(rule("reject-chain", "reject"));
    }
    rules
}

/// The rule that masquerades what kube-proxy marked, or what a Pod sends to itself.
pub(super) fn masquerade(hairpin: bool) -> Rule {
    let text = if hairpin {
        HAIRPIN
    } else {
        "mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random"
    };
    rule("masquerading", text)
}

const NODE_PORT_CHECK: &str = "ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports";
const SERVICE_CHECK: &str = "ip daddr . meta l4proto . th dport vmap @no-endpoint-services";
const HAIRPIN: &str = "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random";

/// Chains, sets and maps that are there without a Service.
const DECLARED: &[&str] = &[
    "add table ip kube-proxy { comment \"rules for kube-proxy\" ; }",
    "add chain ip kube-proxy cluster-ips-check",
    "add chain ip kube-proxy filter-forward { type filter hook forward priority 0 ; }",
    "add chain ip kube-proxy filter-input { type filter hook input priority 0 ; }",
    "add chain ip kube-proxy filter-output { type filter hook output priority 0 ; }",
    "add chain ip kube-proxy filter-output-pre-dnat { type filter hook output priority -110 ; }",
    "add chain ip kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }",
    "add chain ip kube-proxy firewall-check",
    "add chain ip kube-proxy masquerading",
    "add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }",
    "add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100 ; }",
    "add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }",
    "add chain ip kube-proxy nodeport-endpoints-check",
    "add chain ip kube-proxy reject-chain { comment \"helper for @no-endpoint-services / @no-endpoint-nodeports\" ; }",
    "add chain ip kube-proxy service-endpoints-check",
    "add chain ip kube-proxy services",
    "add set ip kube-proxy cluster-ips { type ipv4_addr ; comment \"Active ClusterIPs\" ; }",
    "add set ip kube-proxy hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service ; comment \"service hairpin connections\" ; }",
    "add set ip kube-proxy nodeport-ips { type ipv4_addr ; comment \"IPs that accept NodePort traffic\" ; }",
    "add map ip kube-proxy firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment \"destinations that are subject to LoadBalancerSourceRanges\" ; }",
    "add map ip kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict ; comment \"vmap to drop or reject packets to service nodeports with no endpoints\" ; }",
    "add map ip kube-proxy no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict ; comment \"vmap to drop or reject packets to services with no endpoints\" ; }",
    "add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; comment \"ClusterIP, ExternalIP and LoadBalancer IP traffic\" ; }",
    "add map ip kube-proxy service-nodeports { type inet_proto . inet_service : verdict ; comment \"NodePort traffic\" ; }",
];

/// Rules that are there without a Service.
const FIXED: &[(&str, &str)] = &[
    ("filter-forward", "ct state new jump service-endpoints-check"),
    ("filter-forward", "ct state new jump cluster-ips-check"),
    ("filter-input", "ct state new jump nodeport-endpoints-check"),
    ("filter-input", "ct state new jump service-endpoints-check"),
    ("filter-output", "ct state new jump service-endpoints-check"),
    ("filter-output", "ct state new jump cluster-ips-check"),
    ("filter-output-pre-dnat", "ct state new jump firewall-check"),
    ("filter-prerouting-pre-dnat", "ct state new jump firewall-check"),
    ("firewall-check", "ip daddr . meta l4proto . th dport vmap @firewall-ips"),
    ("nat-output", "jump services"),
    ("nat-postrouting", "jump masquerading"),
    ("nat-prerouting", "jump services"),
    ("nodeport-endpoints-check", NODE_PORT_CHECK),
    ("reject-chain", "reject"),
    ("service-endpoints-check", SERVICE_CHECK),
];

/// All IPv4 rules of a node, in the commands with which kube-proxy writes them: declarations, rules, elements.
#[must_use]
pub fn dump(proxy: &Proxy<'_>, node: NodeId) -> String {
    let pods = proxy.topology.pod_networks.iter().find(|network| network.addr().is_ipv4());
    let pods = pods.map(ToString::to_string).unwrap_or_default();
    let mut rules: Vec<Rule> = FIXED.iter().map(|(chain, text)| rule(*chain, *text)).collect();
    rules.extend([true, false].map(|reject| super::rules::cluster_ips_check(proxy, reject)));
    rules.extend([masquerade(false), masquerade(true)]);
    rules.extend([mark_cluster_ip(&pods), services_map(), node_ports_map()]);
    let entry = proxy.topology.node(node);
    rules.extend(entry.addresses.iter().take(1).map(|ip| element("nodeport-ips", ip.to_string())));
    let mut sets = BTreeSet::new();
    for port in proxy.tables.all().filter(|port| port.cluster_ip.is_ipv4()) {
        let vantage = Vantage { node: &entry.name, zone: &entry.zone };
        service(port, vantage, &pods, &mut rules, &mut sets);
    }
    let mut lines: Vec<String> = DECLARED.iter().map(|line| (*line).to_owned()).collect();
    let chains: BTreeSet<&str> = rules.iter().map(|rule| rule.chain.as_str()).collect();
    for chain in chains.iter().filter(|chain| chain.contains('/')) {
        lines.push(format!("add chain {TABLE} {chain}"));
    }
    lines.extend(sets);
    let (elements, rules): (Vec<Rule>, Vec<Rule>) =
        rules.into_iter().partition(|rule| rule.chain.starts_with('@'));
    lines.extend(rules.iter().map(|rule| format!("add rule {TABLE} {} {}", rule.chain, rule.text)));
    let mut seen = BTreeSet::new();
    for rule in elements {
        let line = format!("add element {TABLE} {} {{ {} }}", &rule.chain[1..], rule.text);
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

/// The rules, elements and sets of one Service port on a node.
fn service(
    port: &ServicePort,
    vantage: Vantage<'_>,
    pods: &str,
    rules: &mut Vec<Rule>,
    sets: &mut BTreeSet<String>,
) {
    let internal_local = port.internal_policy == Policy::Local;
    let external_local = port.external_policy == Policy::Local && port.is_external();
    let all = if !internal_local || port.is_external() {
        port.cluster_candidates(vantage).into_owned()
    } else {
        Vec::new()
    };
    let local = if internal_local || external_local { port.local_candidates(vantage) } else { Vec::new() };
    let reject = !port.has_endpoints();
    rules.push(element("cluster-ips", port.cluster_ip.to_string()));
    if reject || (internal_local && local.is_empty()) {
        rules.push(no_endpoints(port, Frontend::ClusterIp, port.cluster_ip, !reject));
    } else {
        rules.push(service_ip(port, port.cluster_ip, &service_chain(port, internal_local)));
    }
    let mut frontends: Vec<(Frontend, IpAddr)> =
        port.external_ips.iter().map(|ip| (Frontend::ExternalIp, *ip)).collect();
    frontends.extend(port.load_balancer_ips.iter().map(|ip| (Frontend::LoadBalancer, *ip)));
    for (frontend, ip) in &frontends {
        if !reject {
            rules.push(service_ip(port, *ip, &chain("external", port)));
            if *frontend == Frontend::LoadBalancer && !port.source_ranges.is_empty() {
                rules.push(firewall_ip(port, *ip));
            }
        }
    }
    if port.node_port != 0 {
        frontends.push((Frontend::NodePort, port.cluster_ip));
        if !reject {
            rules.push(service_node_port(port));
        }
    }
    if reject || (external_local && local.is_empty()) {
        rules.extend(frontends.iter().map(|(frontend, ip)| no_endpoints(port, *frontend, *ip, !reject)));
    }
    if reject {
        return;
    }
    if port.is_external() {
        let which: &[External] = match (external_local, local.is_empty()) {
            (false, _) => &[External::Mark, External::All],
            (true, false) => &[External::Pods, External::MarkNode, External::Node, External::Local],
            (true, true) => &[External::Pods, External::MarkNode, External::Node],
        };
        rules.extend(which.iter().map(|one| external(port, *one, pods)));
        if !port.load_balancer_ips.is_empty() && !port.source_ranges.is_empty() {
            rules.push(firewall(port));
        }
    }
    let address = |index: &u32| port.endpoints[*index as usize].address;
    for (only_local, chosen) in [(false, &all), (true, &local)] {
        if chosen.is_empty() {
            continue;
        }
        let endpoints: Vec<SocketAddr> = chosen.iter().map(address).collect();
        if port.affinity != Affinity::None {
            rules.extend(endpoints.iter().map(|endpoint| remembered(port, only_local, *endpoint)));
        }
        rules.push(pick(port, only_local, &endpoints));
    }
    let used: BTreeSet<u32> = all.iter().chain(&local).copied().collect();
    for index in &used {
        let backend = &port.endpoints[*index as usize];
        if let Affinity::ClientIp { timeout_seconds } = port.affinity {
            rules.extend(endpoint_rules(port, backend.address));
            let set = endpoint_name(port, backend.address);
            sets.insert(format!(
                "add set {TABLE} affinity-{set} {{ type ipv4_addr ; flags dynamic,timeout ; timeout {timeout_seconds}s ; }}"
            ));
        }
        if backend.node == vantage.node {
            let (ip, number) = (backend.address.ip(), backend.address.port());
            rules.push(element("hairpin-connections", format!("{ip} . {ip} . {} . {number}", carried(port))));
        }
    }
}
