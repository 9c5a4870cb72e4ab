//! The ipsets that kube-proxy keeps in IPVS mode.
//!
//! Owns their names, types and comments, and which members each has on a node.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::packet::Transport;
use super::super::proxy::Proxy;
use super::super::services::ServicePort;
use super::super::topology::NodeId;
use crate::api::typed::{Policy, Protocol};

/// One of kube-proxy's sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set {
    /// Its name for IPv4.
    pub name: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// The comment of the rules that use it.
    pub comment: &'static str,
}

const fn set(name: &'static str, kind: &'static str, comment: &'static str) -> Set {
    Set { name, kind, comment }
}

/// Endpoints of the node, with themselves as source.
pub const LOOP_BACK: Set = set(
    "KUBE-LOOP-BACK",
    "hash:ip,port,ip",
    "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
);
/// ClusterIPs with their ports.
pub const CLUSTER_IP: Set =
    set("KUBE-CLUSTER-IP", "hash:ip,port", "Kubernetes service cluster ip + port for masquerade purpose");
/// externalIPs with their ports.
pub const EXTERNAL_IP: Set = set(
    "KUBE-EXTERNAL-IP",
    "hash:ip,port",
    "Kubernetes service external ip + port for masquerade and filter purpose",
);
/// externalIPs under policy `Local`.
pub const EXTERNAL_IP_LOCAL: Set = set(
    "KUBE-EXTERNAL-IP-LOCAL",
    "hash:ip,port",
    "Kubernetes service external ip + port with externalTrafficPolicy=local",
);
/// Addresses of load balancers with their ports.
pub const LOAD_BALANCER: Set = set("KUBE-LOAD-BALANCER", "hash:ip,port", "Kubernetes service lb portal");
/// Those with source ranges.
pub const LOAD_BALANCER_FW: Set = set(
    "KUBE-LOAD-BALANCER-FW",
    "hash:ip,port",
    "Kubernetes service load balancer ip + port for load balancer with sourceRange",
);
/// Those under policy `Local`.
pub const LOAD_BALANCER_LOCAL: Set = set(
    "KUBE-LOAD-BALANCER-LOCAL",
    "hash:ip,port",
    "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
);
/// Their source ranges.
pub const SOURCE_CIDR: Set = set(
    "KUBE-LOAD-BALANCER-SOURCE-CIDR",
    "hash:ip,port,net",
    "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
);
/// Those that the node itself may use.
pub const SOURCE_IP: Set = set(
    "KUBE-LOAD-BALANCER-SOURCE-IP",
    "hash:ip,port,ip",
    "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
);
/// TCP node ports.
pub const NODE_PORT_TCP: Set =
    set("KUBE-NODE-PORT-TCP", "bitmap:port", "Kubernetes nodeport TCP port for masquerade purpose");
/// TCP node ports under policy `Local`.
pub const NODE_PORT_LOCAL_TCP: Set = set(
    "KUBE-NODE-PORT-LOCAL-TCP",
    "bitmap:port",
    "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
);
/// UDP node ports.
pub const NODE_PORT_UDP: Set =
    set("KUBE-NODE-PORT-UDP", "bitmap:port", "Kubernetes nodeport UDP port for masquerade purpose");
/// UDP node ports under policy `Local`.
pub const NODE_PORT_LOCAL_UDP: Set = set(
    "KUBE-NODE-PORT-LOCAL-UDP",
    "bitmap:port",
    "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
);
/// SCTP node ports.
pub const NODE_PORT_SCTP: Set = set(
    "KUBE-NODE-PORT-SCTP-HASH",
    "hash:ip,port",
    "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
);
/// SCTP node ports under policy `Local`.
pub const NODE_PORT_LOCAL_SCTP: Set = set(
    "KUBE-NODE-PORT-LOCAL-SCTP-HASH",
    "hash:ip,port",
    "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
);
/// Health check ports of load balancers.
pub const HEALTH_CHECK: Set =
    set("KUBE-HEALTH-CHECK-NODE-PORT", "bitmap:port", "Kubernetes health check node port");
/// Everything that is bound to `kube-ipvs0`.
pub const IPVS_IPS: Set = set("KUBE-IPVS-IPS", "hash:ip", "Virtual server IP addresses");

/// All sets, in the order in which kube-proxy makes them.
pub const SETS: [Set; 17] = [
    LOOP_BACK,
    CLUSTER_IP,
    EXTERNAL_IP,
    EXTERNAL_IP_LOCAL,
    LOAD_BALANCER,
    LOAD_BALANCER_FW,
    LOAD_BALANCER_LOCAL,
    SOURCE_IP,
    SOURCE_CIDR,
    NODE_PORT_TCP,
    NODE_PORT_LOCAL_TCP,
    NODE_PORT_UDP,
    NODE_PORT_LOCAL_UDP,
    NODE_PORT_SCTP,
    NODE_PORT_LOCAL_SCTP,
    HEALTH_CHECK,
    IPVS_IPS,
];

impl Set {
    /// Its name in an address family: `KUBE-6-…` for IPv6, cut to the 31 signs that a name may have.
    #[must_use]
    pub fn name_in(self, v4: bool) -> String {
        const LONGEST: usize = 31;
        if v4 {
            return self.name.to_owned();
        }
        let name = self.name.replacen("KUBE-", "KUBE-6-", 1);
        name.chars().take(LONGEST).collect()
    }
}

/// The members of all sets on a node, in one address family.
#[derive(Debug, Default)]
pub struct Members(BTreeMap<&'static str, BTreeSet<String>>);

impl Members {
    /// The members that a set has, sorted by their text.
    pub fn of(&self, set: Set) -> impl Iterator<Item = &str> {
        self.0.get(set.name).into_iter().flatten().map(String::as_str)
    }

    /// Whether a set has none.
    #[must_use]
    pub fn is_empty(&self, set: Set) -> bool {
        self.0.get(set.name).is_none_or(BTreeSet::is_empty)
    }

    fn add(&mut self, set: Set, member: String) {
        self.0.entry(set.name).or_default().insert(member);
    }

    /// The members on a node.
    #[must_use]
    pub fn on(proxy: &Proxy<'_>, node: NodeId, v4: bool) -> Self {
        let mut members = Self::default();
        for port in proxy.tables.all().filter(|port| port.cluster_ip.is_ipv4() == v4) {
            members.service(proxy, node, port);
        }
        for (port, (namespace, name)) in proxy.tables.health_ports() {
            if proxy.tables.ports_of(namespace, name).any(|one| one.cluster_ip.is_ipv4() == v4) {
                members.add(HEALTH_CHECK, port.to_string());
            }
        }
        members
    }

    fn service(&mut self, proxy: &Proxy<'_>, node: NodeId, port: &ServicePort) {
        let carried = Transport::from(port.protocol()).name();
        let entry = proxy.topology.node(node);
        let at = |ip: &IpAddr, number: u16| format!("{ip},{carried}:{number}");
        let local = port.external_policy == Policy::Local;
        for backend in port.endpoints.iter().filter(|backend| backend.node == entry.name) {
            let ip = backend.address.ip();
            self.add(LOOP_BACK, format!("{},{ip}", at(&ip, backend.address.port())));
        }
        self.add(CLUSTER_IP, at(&port.cluster_ip, port.port));
        for ip in &port.external_ips {
            self.add(if local { EXTERNAL_IP_LOCAL } else { EXTERNAL_IP }, at(ip, port.port));
        }
        for ip in &port.load_balancer_ips {
            self.add(LOAD_BALANCER, at(ip, port.port));
            if local {
                self.add(LOAD_BALANCER_LOCAL, at(ip, port.port));
            }
            if !port.source_ranges.is_empty() {
                self.ranges(proxy, node, port, *ip, &at(ip, port.port));
            }
        }
        let bound = port.external_ips.iter().chain(&port.load_balancer_ips).chain([&port.cluster_ip]);
        for ip in bound.filter(|ip| super::is_bound(proxy, node, **ip)) {
            self.add(IPVS_IPS, ip.to_string());
        }
        if port.node_port != 0 {
            self.node_port(proxy, node, port, local);
        }
    }

    fn ranges(&mut self, proxy: &Proxy<'_>, node: NodeId, port: &ServicePort, ip: IpAddr, at: &str) {
        self.add(LOAD_BALANCER_FW, at.to_owned());
        for range in &port.source_ranges {
            self.add(SOURCE_CIDR, format!("{at},{range}"));
        }
        if !shut_to_node(proxy, node, port, ip) {
            self.add(SOURCE_IP, format!("{at},{ip}"));
        }
    }

    fn node_port(&mut self, proxy: &Proxy<'_>, node: NodeId, port: &ServicePort, local: bool) {
        let (all, only_local) = match port.protocol() {
            Protocol::Tcp => (NODE_PORT_TCP, NODE_PORT_LOCAL_TCP),
            Protocol::Udp => (NODE_PORT_UDP, NODE_PORT_LOCAL_UDP),
            Protocol::Sctp => (NODE_PORT_SCTP, NODE_PORT_LOCAL_SCTP),
        };
        let v4 = port.cluster_ip.is_ipv4();
        let members: Vec<String> = match port.protocol() {
            Protocol::Sctp => {
                let own = proxy.topology.own_addresses(node).filter(|ip| ip.is_ipv4() == v4);
                own.map(|ip| format!("{ip},sctp:{}", port.node_port)).collect()
            }
            _ => vec![port.node_port.to_string()],
        };
        for member in members {
            if local {
                self.add(only_local, member.clone());
            }
            self.add(all, member);
        }
    }
}

/// A set as it can be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// Whether it is for IPv4.
    pub v4: bool,
    /// What the kernel hashes with: a number of its own for each set.
    pub salt: u32,
    /// How many iptables rules look at it.
    pub references: usize,
    /// Its members: ports by their number, everything else by its text.
    pub members: Vec<String>,
}

/// The sets of a node in an address family, in the order in which kube-proxy makes them.
#[must_use]
pub fn listed(proxy: &Proxy<'_>, node: NodeId, v4: bool) -> Vec<Listed> {
    let rules = super::ruleset::save(proxy, node, "", v4);
    if rules.is_empty() {
        return Vec::new();
    }
    let members = Members::on(proxy, node, v4);
    let list = |set: &Set| {
        let name = set.name_in(v4);
        let mut members: Vec<String> = members.of(*set).map(str::to_owned).collect();
        if set.kind == "bitmap:port" {
            members.sort_by_key(|port| port.parse::<u16>().unwrap_or(0));
        }
        let place = format!("{}{name}", proxy.topology.node(node).name);
        // FNV-1a of the node and the name stands for the kernel's chance.
        let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        Listed {
            kind: set.kind,
            v4,
            salt: place.bytes().fold(0x811c_9dc5, mix),
            references: rules.matches(&format!("--match-set {name} ")).count(),
            members,
            name,
        }
    };
    SETS.iter().map(list).collect()
}

/// Whether source ranges keep the node itself from a load balancer's address.
pub(super) fn shut_to_node(proxy: &Proxy<'_>, node: NodeId, port: &ServicePort, ip: IpAddr) -> bool {
    let own = proxy.topology.node(node).address_for(ip);
    !port.source_ranges.iter().any(|range| own.is_some_and(|own| range.contains(&own)))
}
