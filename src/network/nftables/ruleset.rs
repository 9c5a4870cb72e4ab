//! All nftables rules of a node.
//!
//! Owns what is there without a Service and the order of everything; each rule is spelled in [`super`].

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::{
    NODE_PORT_CHECK, SERVICE_CHECK, carried, chain, cluster_ips_check, element, endpoint_name,
    endpoint_rules, external, firewall, firewall_ip, in_family, is_v4, maps, mark_cluster_ip, masquerade,
    no_endpoints, node_ports_map, pick, remembered, rule, service_chain, service_ip, service_node_port,
    services_map, table,
};
use crate::api::typed::{Affinity, Policy};
use crate::network::hop::Rule;
use crate::network::iptables::External;
use crate::network::proxy::Proxy;
use crate::network::services::{ServicePort, Vantage};
use crate::network::tables::Frontend;
use crate::network::topology::NodeId;

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

/// All rules of a node in an address family, in the commands with which kube-proxy writes them: declarations, rules,
/// elements. Empty where the cluster has no Services of that family.
#[must_use]
pub fn dump(proxy: &Proxy<'_>, node: NodeId, v4: bool) -> String {
    if !proxy.topology.service_networks.iter().any(|network| network.addr().is_ipv4() == v4) {
        return String::new();
    }
    let pods = proxy.topology.pod_networks.iter().find(|network| network.addr().is_ipv4() == v4);
    let pods = pods.map(ToString::to_string).unwrap_or_default();
    let mut rules: Vec<Rule> = FIXED.iter().map(|(chain, text)| rule(v4, *chain, *text)).collect();
    rules.extend([true, false].map(|reject| cluster_ips_check(proxy, v4, reject)));
    rules.extend([masquerade(v4, false), masquerade(v4, true)]);
    rules.extend([mark_cluster_ip(v4, &pods), services_map(v4), node_ports_map(v4)]);
    let entry = proxy.topology.node(node);
    let own = entry.addresses.iter().find(|ip| ip.is_ipv4() == v4);
    rules.extend(own.map(|ip| element(v4, "nodeport-ips", ip.to_string())));
    let mut sets = BTreeSet::new();
    for port in proxy.tables.all().filter(|port| is_v4(port) == v4) {
        let vantage = Vantage { node: &entry.name, zone: &entry.zone };
        service(port, vantage, own.copied(), &pods, &mut rules, &mut sets);
    }
    let table = table(v4);
    let mut lines: Vec<String> = DECLARED.iter().map(|line| in_family(v4, line)).collect();
    let chains: BTreeSet<&str> = rules.iter().map(|rule| rule.chain.as_str()).collect();
    for chain in chains.iter().filter(|chain| chain.contains('/')) {
        lines.push(format!("add chain {table} {chain}"));
    }
    lines.extend(sets);
    let (elements, rules): (Vec<Rule>, Vec<Rule>) =
        rules.into_iter().partition(|rule| rule.chain.starts_with('@'));
    lines.extend(rules.iter().map(|rule| format!("add rule {table} {} {}", rule.chain, rule.text)));
    // A set or map has each key once: what several Services claim, the first of them has.
    let mut seen = BTreeSet::new();
    for rule in &elements {
        if seen.insert((&rule.chain, key(&rule.text))) {
            lines.push(format!("add element {table} {} {{ {} }}", &rule.chain[1..], rule.text));
        }
    }
    lines.join("\n") + "\n"
}

/// The key of an element, before its comment and verdict.
fn key(element: &str) -> &str {
    let end = element.find(" comment ").or_else(|| element.find(" : "));
    &element[..end.unwrap_or(element.len())]
}

/// The rules, elements and sets of one Service port on a node.
fn service(
    port: &ServicePort,
    vantage: Vantage<'_>,
    own: Option<IpAddr>,
    pods: &str,
    rules: &mut Vec<Rule>,
    sets: &mut BTreeSet<String>,
) {
    let internal_local = port.internal_policy == Policy::Local;
    let external_local = port.external_policy == Policy::Local && port.is_external();
    let (all, local) = maps::used(port, vantage);
    let reject = !port.has_endpoints();
    rules.push(element(is_v4(port), "cluster-ips", port.cluster_ip.to_string()));
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
            rules.push(firewall(port, own));
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
            let text = format!(
                "add set ip kube-proxy affinity-{set} {{ type ipv4_addr ; flags dynamic,timeout ; timeout {timeout_seconds}s ; }}"
            );
            sets.insert(in_family(is_v4(port), &text));
        }
        if backend.node == *vantage.node {
            let (ip, number) = (backend.address.ip(), backend.address.port());
            let text = format!("{ip} . {ip} . {} . {number}", carried(port));
            rules.push(element(is_v4(port), "hairpin-connections", text));
        }
    }
}
