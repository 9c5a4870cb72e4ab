//! All of kube-proxy's iptables rules on one node.
//!
//! Owns the order of tables, chains and rules as `iptables-save` prints them, and which rules a Service port
//! needs on a node. How a single rule is spelled is in [`super`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{
    External, address_jump, balancer_jump, comment, dnat, external, external_chain, firewall_chain,
    hairpin_mark, masquerade, no_endpoints, node_port_jump, node_ports_jump, not_accepted, pick, remembered,
    rule, service_chain, source_mark, source_range, source_ranges,
};
use crate::api::typed::{Affinity, Policy};
use crate::cluster::settings::ProxyMode;
use crate::network::hop::Rule;
use crate::network::host_ports;
use crate::network::proxy::Proxy;
use crate::network::services::{ServicePort, Vantage};
use crate::network::tables::Frontend;
use crate::network::topology::NodeId;

/// Built-in chains and kube-proxy's own of one table: each with the rules that are there without a Service.
pub(in crate::network) type Fixed = &'static [(&'static str, &'static [&'static str])];

const FILTER: Fixed = &[
    (
        "INPUT",
        &[
            "-j KUBE-FIREWALL",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
        ],
    ),
    (
        "FORWARD",
        &[
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
        ],
    ),
    (
        "OUTPUT",
        &[
            "-j KUBE-FIREWALL",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
        ],
    ),
    ("KUBE-EXTERNAL-SERVICES", &[]),
    (
        "KUBE-FIREWALL",
        &[
            "! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        ],
    ),
    (
        "KUBE-FORWARD",
        &[
            "-m conntrack --ctstate INVALID -j DROP",
            "-m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT",
            "-m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ],
    ),
    ("KUBE-NODEPORTS", &[]),
    ("KUBE-PROXY-FIREWALL", &[]),
    ("KUBE-SERVICES", &[]),
];

const NAT: Fixed = &[
    ("PREROUTING", &["-m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"]),
    ("INPUT", &[]),
    ("OUTPUT", &["-m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"]),
    (
        "POSTROUTING",
        &[
            "-m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING",
            "-m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG",
        ],
    ),
    ("FLANNEL-POSTRTG", &[]),
    ("KUBE-MARK-MASQ", &["-j MARK --set-xmark 0x4000/0x4000"]),
    ("KUBE-NODEPORTS", &[]),
    ("KUBE-POSTROUTING", &["-m mark ! --mark 0x4000/0x4000 -j RETURN", "-j MARK --set-xmark 0x4000/0x0"]),
    ("KUBE-SERVICES", &[]),
];

/// What the nat table has of the network plugin alone, where kube-proxy writes nftables.
const PLUGIN_NAT: Fixed = &[
    ("PREROUTING", &[]),
    ("INPUT", &[]),
    ("OUTPUT", &[]),
    ("POSTROUTING", &["-m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG"]),
    ("FLANNEL-POSTRTG", &[]),
];

/// The rules of a table that are there without a Service.
pub(in crate::network) fn fixed(table: &str) -> Fixed {
    if table == "nat" { NAT } else { FILTER }
}

/// The rules of one table, chain by chain.
pub(in crate::network) struct Table {
    name: &'static str,
    built_in: Vec<&'static str>,
    chains: BTreeMap<String, Vec<String>>,
}

impl Table {
    pub(in crate::network) fn new(name: &'static str, fixed: Fixed) -> Self {
        let mut table = Self { name, built_in: Vec::new(), chains: BTreeMap::new() };
        for (chain, rules) in fixed {
            if !chain.contains('-') {
                table.built_in.push(chain);
            }
            table.chains.insert((*chain).to_owned(), Vec::new());
            for rest in *rules {
                table.add(rule(name, chain, rest));
            }
        }
        table
    }

    pub(in crate::network) fn add(&mut self, rule: Rule) {
        self.chains.entry(rule.chain).or_default().push(rule.text);
    }

    /// The chains in the order of `iptables-save`: the built-in ones, then the others by name.
    fn order(&self) -> impl Iterator<Item = (&str, &[String])> {
        let of = |name: &str| self.chains.get_key_value(name);
        let others = self.chains.iter().filter(|(name, _)| !self.built_in.contains(&name.as_str()));
        let built_in = self.built_in.iter().filter_map(move |name| of(name));
        built_in.chain(others).map(|(name, rules)| (name.as_str(), rules.as_slice()))
    }

    pub(in crate::network) fn save(&self, program: &str, date: &str) -> String {
        let mut text = format!("# Generated by {program} v1.8.9 (nf_tables) on {date}\n*{}\n", self.name);
        for (chain, _) in self.order() {
            let policy = if self.built_in.contains(&chain) { "ACCEPT" } else { "-" };
            text.push_str(&format!(":{chain} {policy} [0:0]\n"));
        }
        for line in self.order().flat_map(|(_, rules)| rules) {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!("COMMIT\n# Completed on {date}\n"));
        text
    }
}

/// All rules of a node in one address family, as `iptables-save` or `ip6tables-save` prints them at a date
/// (`Sun Nov 22 21:50:39 2026`). Counters are not simulated: they read 0. In nftables mode only the network
/// plugin has rules here. Nothing where the cluster has no Pod network of that family.
#[must_use]
pub fn save(proxy: &Proxy<'_>, node: NodeId, date: &str, v4: bool) -> String {
    let by_kube_proxy = proxy.mode != ProxyMode::Nftables;
    let (mut filter, mut nat) = if by_kube_proxy {
        (Table::new("filter", FILTER), Table::new("nat", NAT))
    } else {
        (Table::new("filter", &[]), Table::new("nat", PLUGIN_NAT))
    };
    let Some(pods) = plugin(proxy, v4, &mut nat) else { return String::new() };
    let program = if v4 { "iptables-save" } else { "ip6tables-save" };
    for one in host_ports::all(proxy.topology, node, v4) {
        nat.add(one);
    }
    if !by_kube_proxy {
        return nat.save(program, date);
    }
    if !v4 {
        // Nobody may come to ::1 by a node port, so nothing has to be kept from it (`localhostNodePorts`).
        filter.chains.entry("KUBE-FIREWALL".to_owned()).or_default().clear();
    }
    nat.add(masquerade());
    for (number, (namespace, service)) in proxy.tables.health_ports() {
        let ports = proxy.tables.ports_of(namespace, service);
        // Once for each port of the Service, by its name.
        for port in ports.filter(|port| port.cluster_ip.is_ipv4() == v4) {
            let words = comment(&format!("{} health check node port", port.name));
            let rest = format!("-p tcp {words} -m tcp --dport {number} -j ACCEPT");
            filter.add(rule("filter", "KUBE-NODEPORTS", &rest));
        }
    }
    for port in proxy.tables.all().filter(|port| port.cluster_ip.is_ipv4() == v4) {
        OnNode::of(proxy, port, node, &pods).add(&mut filter, &mut nat);
    }
    nat.add(node_ports_jump(v4));
    filter.save(program, date) + &nat.save(program, date)
}

/// Adds the network plugin's rules; gives the Pod network of the family, if the cluster has one.
pub(in crate::network) fn plugin(proxy: &Proxy<'_>, v4: bool, nat: &mut Table) -> Option<String> {
    let of_family = |network: &&ipnet::IpNet| network.addr().is_ipv4() == v4;
    let pods = proxy.topology.pod_networks.iter().find(of_family)?.to_string();
    let multicast = if v4 { "224.0.0.0/4" } else { "ff00::/8" };
    let plugin = comment("flanneld masq");
    for rest in [
        format!("-m mark --mark 0x4000/0x4000 {plugin} -j RETURN"),
        format!("-s {pods} -d {pods} {plugin} -j RETURN"),
        format!("-s {pods} ! -d {multicast} {plugin} -j MASQUERADE --random-fully"),
    ] {
        nat.add(rule("nat", "FLANNEL-POSTRTG", &rest));
    }
    Some(pods)
}

/// One Service port as a node sees it.
struct OnNode<'a> {
    port: &'a ServicePort,
    pods: &'a str,
    /// The node's address.
    address: Option<IpAddr>,
    all: Vec<u32>,
    local: Vec<u32>,
    internal_local: bool,
    external_local: bool,
}

impl<'a> OnNode<'a> {
    fn of(proxy: &Proxy<'a>, port: &'a ServicePort, node: NodeId, pods: &'a str) -> Self {
        let entry = proxy.topology.node(node);
        let vantage = Vantage { node: &entry.name, zone: &entry.zone };
        let internal_local = port.internal_policy == Policy::Local;
        let external_local = port.external_policy == Policy::Local && port.is_external();
        let uses_all = !internal_local || port.is_external();
        let uses_local = internal_local || external_local;
        Self {
            port,
            pods,
            address: entry.address_for(port.cluster_ip),
            all: if uses_all { port.cluster_candidates(vantage).into_owned() } else { Vec::new() },
            local: if uses_local { port.local_candidates(vantage) } else { Vec::new() },
            internal_local,
            external_local,
        }
    }

    fn add(&self, filter: &mut Table, nat: &mut Table) {
        let port = self.port;
        let reject = !port.has_endpoints();
        let internal = if self.internal_local { !self.local.is_empty() } else { !reject };
        let outside = if self.external_local { !self.local.is_empty() } else { !reject };
        let cluster_ip = port.cluster_ip;
        if internal && !reject {
            let chain = service_chain(port, self.internal_local);
            nat.add(address_jump(port, Frontend::ClusterIp, cluster_ip, &chain));
        } else {
            filter.add(no_endpoints(port, Frontend::ClusterIp, cluster_ip, !reject));
        }
        for ip in &port.external_ips {
            self.frontend(Frontend::ExternalIp, *ip, outside, filter, nat);
        }
        for ip in &port.load_balancer_ips {
            self.frontend(Frontend::LoadBalancer, *ip, outside, filter, nat);
        }
        if port.node_port != 0 {
            self.frontend(Frontend::NodePort, cluster_ip, outside, filter, nat);
        }
        if reject {
            return;
        }
        if port.is_external() {
            self.external_chains(nat);
        }
        for (local, chosen) in [(false, &self.all), (true, &self.local)] {
            self.service_chain(local, chosen, nat);
        }
        let mut used: Vec<u32> = self.all.iter().chain(&self.local).copied().collect();
        used.sort_unstable();
        used.dedup();
        for index in used {
            let address = port.endpoints[index as usize].address;
            let endpoint = address.to_string();
            nat.add(hairpin_mark(port, &endpoint, address.ip()));
            nat.add(dnat(port, &endpoint));
        }
    }

    fn frontend(&self, frontend: Frontend, ip: IpAddr, usable: bool, filter: &mut Table, nat: &mut Table) {
        let port = self.port;
        let reject = !port.has_endpoints();
        if !reject {
            nat.add(match frontend {
                Frontend::NodePort => node_port_jump(port),
                Frontend::LoadBalancer => balancer_jump(port, ip),
                _ => address_jump(port, frontend, ip, &external_chain(port)),
            });
            if frontend == Frontend::LoadBalancer && !port.source_ranges.is_empty() {
                filter.add(not_accepted(port, ip));
            }
        }
        if !usable {
            filter.add(no_endpoints(port, frontend, ip, !reject));
        }
    }

    fn external_chains(&self, nat: &mut Table) {
        let port = self.port;
        let which: &[External] = match (self.external_local, self.local.is_empty()) {
            (false, _) => &[External::Mark, External::All],
            (true, false) => &[External::Pods, External::MarkNode, External::Node, External::Local],
            (true, true) => &[External::Pods, External::MarkNode, External::Node],
        };
        for one in which {
            nat.add(external(port, *one, self.pods));
        }
        if !port.load_balancer_ips.is_empty() && !port.source_ranges.is_empty() {
            for range in source_ranges(port, self.address) {
                nat.add(source_range(port, range));
            }
            let words = format!("other traffic to {} will be dropped by KUBE-PROXY-FIREWALL", port.name);
            nat.add(rule("nat", &firewall_chain(port), &comment(&words)));
        }
    }

    fn service_chain(&self, local: bool, chosen: &[u32], nat: &mut Table) {
        if chosen.is_empty() {
            return;
        }
        let port = self.port;
        let chain = service_chain(port, local);
        if local == self.internal_local {
            nat.add(source_mark(port, &chain, self.pods));
        }
        let endpoint = |index: &u32| port.endpoints[*index as usize].address.to_string();
        if let Affinity::ClientIp { timeout_seconds } = port.affinity {
            for index in chosen {
                nat.add(remembered(port, &chain, &endpoint(index), timeout_seconds));
            }
        }
        for (place, index) in chosen.iter().enumerate() {
            nat.add(pick(port, &chain, &endpoint(index), chosen.len() - place));
        }
    }
}
