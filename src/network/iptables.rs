//! kube-proxy's iptables rules: how each is spelled, and all of them on one node.
//!
//! Owns the text of the rules as `iptables-save` prints them (pkg/proxy/iptables/proxier.go, v1.36) and
//! [`save`], the whole rule set. What they decide for a packet is in [`super::proxy`]; a trace picks its rules
//! from the same functions ([`super::rules`]), so the two cannot differ.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::hop::Rule;
use super::names::endpoint_chain;
use super::proxy::Proxy;
use super::services::{ServicePort, Vantage};
use super::tables::Frontend;
use super::topology::NodeId;
use crate::api::typed::{Affinity, Policy};
use crate::cluster::settings::ProxyMode;

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

/// KUBE-SERVICES: to the node ports, last of all.
pub(super) fn node_ports_jump() -> Rule {
    let last = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
    let rest = format!("{} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS", comment(last));
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
pub(super) fn source_range(port: &ServicePort, range: &ipnet::IpNet) -> Rule {
    let words = comment(&format!("{} loadbalancer IP", port.name));
    let rest = format!("-s {range} {words} -j {}", external_chain(port));
    rule("nat", &firewall_chain(port), &rest)
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
    let (why, target) = if local {
        ("has no local endpoints", "DROP")
    } else {
        ("has no endpoints", "REJECT --reject-with icmp-port-unreachable")
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

/// Built-in chains and kube-proxy's own of one table: each with the rules that are there without a Service.
type Fixed = &'static [(&'static str, &'static [&'static str])];

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

/// The rules of one table, chain by chain.
struct Table {
    name: &'static str,
    built_in: Vec<&'static str>,
    chains: BTreeMap<String, Vec<String>>,
}

impl Table {
    fn new(name: &'static str, fixed: Fixed) -> Self {
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

    fn add(&mut self, rule: Rule) {
        self.chains.entry(rule.chain).or_default().push(rule.text);
    }

    /// The chains in the order of `iptables-save`: the built-in ones, then the others by name.
    fn order(&self) -> impl Iterator<Item = (&str, &[String])> {
        let of = |name: &str| self.chains.get_key_value(name);
        let others = self.chains.iter().filter(|(name, _)| !self.built_in.contains(&name.as_str()));
        let built_in = self.built_in.iter().filter_map(move |name| of(name));
        built_in.chain(others).map(|(name, rules)| (name.as_str(), rules.as_slice()))
    }

    fn save(&self, date: &str) -> String {
        let mut text = format!("# Generated by iptables-save v1.8.9 (nf_tables) on {date}\n*{}\n", self.name);
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

/// All IPv4 rules of a node, as `iptables-save` prints them at a date (`Sun Nov 22 21:50:39 2026`). Counters
/// are not simulated: they read 0. In nftables mode only the network plugin has rules here.
#[must_use]
pub fn save(proxy: &Proxy<'_>, node: NodeId, date: &str) -> String {
    let by_kube_proxy = proxy.mode != ProxyMode::Nftables;
    let (mut filter, mut nat) = if by_kube_proxy {
        (Table::new("filter", FILTER), Table::new("nat", NAT))
    } else {
        (Table::new("filter", &[]), Table::new("nat", PLUGIN_NAT))
    };
    let pods = proxy.topology.pod_networks.iter().find(|network| network.addr().is_ipv4());
    let pods = pods.map(ToString::to_string).unwrap_or_default();
    let plugin = comment("flanneld masq");
    for rest in [
        format!("-m mark --mark 0x4000/0x4000 {plugin} -j RETURN"),
        format!("-s {pods} -d {pods} {plugin} -j RETURN"),
        format!("-s {pods} ! -d 224.0.0.0/4 {plugin} -j MASQUERADE --random-fully"),
    ] {
        nat.add(rule("nat", "FLANNEL-POSTRTG", &rest));
    }
    if !by_kube_proxy {
        return nat.save(date);
    }
    nat.add(masquerade());
    for (port, (namespace, service)) in proxy.tables.health_ports() {
        let words = comment(&format!("{namespace}/{service} health check node port"));
        let rest = format!("-p tcp {words} -m tcp --dport {port} -j ACCEPT");
        filter.add(rule("filter", "KUBE-NODEPORTS", &rest));
    }
    for port in proxy.tables.all().filter(|port| port.cluster_ip.is_ipv4()) {
        OnNode::of(proxy, port, node, &pods).add(&mut filter, &mut nat);
    }
    nat.add(node_ports_jump());
    filter.save(date) + &nat.save(date)
}

/// One Service port as a node sees it.
struct OnNode<'a> {
    port: &'a ServicePort,
    pods: &'a str,
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
            for range in &port.source_ranges {
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
