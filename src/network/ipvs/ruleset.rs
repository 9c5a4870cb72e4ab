//! The rules of IPVS mode as programs print them: `iptables-save` and `ipvsadm -Ln`, and those that a packet met.
//!
//! Owns the texts. kube-proxy writes the same iptables rules whatever Services there are; what differs is in the
//! sets ([`super::sets`]) and the virtual servers ([`super::virtual_servers`]).

use std::net::{IpAddr, SocketAddr};

use super::super::hop::Rule;
use super::super::iptables::ruleset::{Fixed, Table, plugin};
use super::super::iptables::{comment, masquerade as masquerade_marked, rule};
use super::super::packet::Packet;
use super::super::proxy::{Choice, Filter, MasqueradeReason, Proxy};
use super::super::services::ServicePort;
use super::super::tables::{Frontend, Matched};
use super::super::topology::NodeId;
use super::sets::{self, Members, Set};
use super::{VirtualServer, virtual_servers};
use crate::api::typed::{Policy, Protocol};

const FILTER: Fixed = &[
    (
        "INPUT",
        &[
            "-m comment --comment \"kubernetes ipvs access filter\" -j KUBE-IPVS-FILTER",
            "-m comment --comment \"kube-proxy firewall rules\" -j KUBE-PROXY-FIREWALL",
            "-m comment --comment \"kubernetes health check rules\" -j KUBE-NODE-PORT",
            "-j KUBE-FIREWALL",
        ],
    ),
    (
        "FORWARD",
        &[
            "-m comment --comment \"kube-proxy firewall rules\" -j KUBE-PROXY-FIREWALL",
            "-m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD",
        ],
    ),
    (
        "OUTPUT",
        &[
            "-m comment --comment \"kubernetes ipvs access filter\" -j KUBE-IPVS-OUT-FILTER",
            "-j KUBE-FIREWALL",
        ],
    ),
    (
        "KUBE-FIREWALL",
        &[
            "! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        ],
    ),
    (
        "KUBE-FORWARD",
        &[
            "-m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT",
            "-m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ],
    ),
    ("KUBE-IPVS-FILTER", &[]),
    ("KUBE-IPVS-OUT-FILTER", &[]),
    ("KUBE-NODE-PORT", &[]),
    ("KUBE-PROXY-FIREWALL", &[]),
    ("KUBE-SOURCE-RANGES-FIREWALL", &[]),
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
    ("KUBE-LOAD-BALANCER", &[]),
    ("KUBE-MARK-MASQ", &["-j MARK --set-xmark 0x4000/0x4000"]),
    ("KUBE-NODE-PORT", &[]),
    ("KUBE-POSTROUTING", &[]),
    ("KUBE-SERVICES", &[]),
];

/// The rules of a table that are there without a Service.
pub(in crate::network) fn fixed(table: &str) -> Fixed {
    if table == "nat" { NAT } else { FILTER }
}

/// Sets with one rule each: the set, the table, the chain, what is matched, the protocol, and where it leads.
const BY_SET: &[(Set, &str, &str, &str, &str, &str)] = &[
    (sets::LOOP_BACK, "nat", "KUBE-POSTROUTING", "dst,dst,src", "", "MASQUERADE"),
    (sets::LOAD_BALANCER, "nat", "KUBE-SERVICES", "dst,dst", "", "KUBE-LOAD-BALANCER"),
    (sets::LOAD_BALANCER_LOCAL, "nat", "KUBE-LOAD-BALANCER", "dst,dst", "", "RETURN"),
    (sets::NODE_PORT_LOCAL_TCP, "nat", "KUBE-NODE-PORT", "dst", "tcp", "RETURN"),
    (sets::NODE_PORT_TCP, "nat", "KUBE-NODE-PORT", "dst", "tcp", "KUBE-MARK-MASQ"),
    (sets::NODE_PORT_LOCAL_UDP, "nat", "KUBE-NODE-PORT", "dst", "udp", "RETURN"),
    (sets::NODE_PORT_UDP, "nat", "KUBE-NODE-PORT", "dst", "udp", "KUBE-MARK-MASQ"),
    (sets::NODE_PORT_LOCAL_SCTP, "nat", "KUBE-NODE-PORT", "dst,dst", "sctp", "RETURN"),
    (sets::NODE_PORT_SCTP, "nat", "KUBE-NODE-PORT", "dst,dst", "sctp", "KUBE-MARK-MASQ"),
    (sets::LOAD_BALANCER_FW, "filter", "KUBE-PROXY-FIREWALL", "dst,dst", "", "KUBE-SOURCE-RANGES-FIREWALL"),
    (sets::SOURCE_CIDR, "filter", "KUBE-SOURCE-RANGES-FIREWALL", "dst,dst,src", "", "RETURN"),
    (sets::SOURCE_IP, "filter", "KUBE-SOURCE-RANGES-FIREWALL", "dst,dst,src", "", "RETURN"),
];

fn match_set(set: Set, v4: bool, sides: &str) -> String {
    format!("-m set --match-set {} {sides}", set.name_in(v4))
}

/// The rule of a set that [`BY_SET`] has.
fn by_set(set: Set, v4: bool) -> Rule {
    let found = BY_SET.iter().find(|row| row.0 == set);
    let (set, table, chain, sides, carried, to) = found.expect("the set has a rule of its own");
    let carried = if carried.is_empty() { String::new() } else { format!("-p {carried} ") };
    let rest = format!("{carried}{} {} -j {to}", comment(set.comment), match_set(*set, v4, sides));
    rule(table, chain, &rest)
}

fn mark_cluster_ip(pods: &str, v4: bool) -> Rule {
    let set = sets::CLUSTER_IP;
    let found = format!("{} {}", comment(set.comment), match_set(set, v4, "dst,dst"));
    rule("nat", "KUBE-SERVICES", &format!("! -s {pods} {found} -j KUBE-MARK-MASQ"))
}

fn mark_external(v4: bool) -> Rule {
    let set = sets::EXTERNAL_IP;
    let found = format!("{} {}", comment(set.comment), match_set(set, v4, "dst,dst"));
    rule("nat", "KUBE-SERVICES", &format!("{found} -j KUBE-MARK-MASQ"))
}

fn to_node_ports() -> Rule {
    rule("nat", "KUBE-SERVICES", "-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT")
}

fn mark_load_balancer() -> Rule {
    rule("nat", "KUBE-LOAD-BALANCER", "-j KUBE-MARK-MASQ")
}

fn reject_stray(v4: bool) -> Rule {
    let with = if v4 { "icmp-port-unreachable" } else { "icmp6-port-unreachable" };
    let found = match_set(sets::IPVS_IPS, v4, "dst");
    let rest = format!("-m conntrack --ctstate NEW {found} -j REJECT --reject-with {with}");
    rule("filter", "KUBE-IPVS-FILTER", &rest)
}

fn drop_ranges() -> Rule {
    rule("filter", "KUBE-SOURCE-RANGES-FIREWALL", "-j DROP")
}

fn drop_from_node(address: IpAddr, port: u16, protocol: Protocol) -> Rule {
    let (length, number) = (if address.is_ipv4() { 32 } else { 128 }, protocol_number(protocol));
    let at = format!("-m ipvs --vproto {number} --vaddr {address} --vport {port}");
    rule("filter", "KUBE-IPVS-OUT-FILTER", &format!("-s {address}/{length} {at} -j DROP"))
}

fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}

/// All iptables rules of a node in one address family, as `iptables-save` prints them.
#[must_use]
pub fn save(proxy: &Proxy<'_>, node: NodeId, date: &str, v4: bool) -> String {
    let (mut filter, mut nat) = (Table::new("filter", FILTER), Table::new("nat", NAT));
    let Some(pods) = plugin(proxy, v4, &mut nat) else { return String::new() };
    let members = Members::on(proxy, node, v4);
    let loopback = if v4 { "127.0.0.0/8" } else { "::1/128" };
    nat.add(rule("nat", "KUBE-SERVICES", &format!("-s {loopback} -j RETURN")));
    for (set, table, ..) in BY_SET {
        if !members.is_empty(*set) {
            if *table == "nat" { nat.add(by_set(*set, v4)) } else { filter.add(by_set(*set, v4)) }
        }
    }
    if !members.is_empty(sets::CLUSTER_IP) {
        nat.add(mark_cluster_ip(&pods, v4));
    }
    if !members.is_empty(sets::EXTERNAL_IP) {
        nat.add(mark_external(v4));
    }
    for set in [sets::EXTERNAL_IP, sets::EXTERNAL_IP_LOCAL] {
        if !members.is_empty(set) {
            let found = format!("{} {}", comment(set.comment), match_set(set, v4, "dst,dst"));
            let outside = "-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT";
            nat.add(rule("nat", "KUBE-SERVICES", &format!("{found} {outside}")));
            nat.add(rule("nat", "KUBE-SERVICES", &format!("{found} -m addrtype --dst-type LOCAL -j ACCEPT")));
        }
    }
    nat.add(to_node_ports());
    nat.add(mark_load_balancer());
    for set in [sets::CLUSTER_IP, sets::LOAD_BALANCER] {
        if !members.is_empty(set) {
            nat.add(rule("nat", "KUBE-SERVICES", &format!("{} -j ACCEPT", match_set(set, v4, "dst,dst"))));
        }
    }
    for rest in ["-m mark ! --mark 0x4000/0x4000 -j RETURN", "-j MARK --set-xmark 0x4000/0x0"] {
        nat.add(rule("nat", "KUBE-POSTROUTING", rest));
    }
    nat.add(masquerade_marked());
    filters(proxy, node, v4, &mut filter);
    let program = if v4 { "iptables-save" } else { "ip6tables-save" };
    filter.save(program, date) + &nat.save(program, date)
}

fn filters(proxy: &Proxy<'_>, node: NodeId, v4: bool, filter: &mut Table) {
    filter.add(drop_ranges());
    for port in proxy.tables.all().filter(|port| port.cluster_ip.is_ipv4() == v4) {
        for ip in &port.load_balancer_ips {
            if !port.source_ranges.is_empty() && sets::shut_to_node(proxy, node, port, *ip) {
                filter.add(drop_from_node(*ip, port.port, port.protocol()));
            }
        }
    }
    let health = match_set(sets::HEALTH_CHECK, v4, "dst");
    let words = comment(sets::HEALTH_CHECK.comment);
    filter.add(rule("filter", "KUBE-NODE-PORT", &format!("{words} {health} -j ACCEPT")));
    for set in [sets::LOAD_BALANCER, sets::CLUSTER_IP, sets::EXTERNAL_IP, sets::EXTERNAL_IP_LOCAL] {
        let found = match_set(set, v4, "dst,dst");
        filter.add(rule("filter", "KUBE-IPVS-FILTER", &format!("{found} -j RETURN")));
    }
    filter.add(rule("filter", "KUBE-IPVS-FILTER", &format!("{health} -j RETURN")));
    filter.add(reject_stray(v4));
}

/// The line of a virtual server in `ipvsadm -Ln`.
fn server_line(server: &VirtualServer) -> String {
    let flags = server.persistent_seconds.map(|seconds| format!(" persistent {seconds}")).unwrap_or_default();
    format!("{:<4} {} rr{flags}", server.protocol.name(), server.address)
}

/// `ipvsadm -Ln` of a node. `connections` counts the active and the inactive ones of a virtual server's backend.
#[must_use]
pub fn list(
    proxy: &Proxy<'_>,
    node: NodeId,
    connections: impl Fn(&VirtualServer, SocketAddr) -> (usize, usize),
) -> String {
    let mut text = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n".to_owned();
    for server in virtual_servers(proxy, node) {
        text.push_str(&server_line(&server));
        text.push('\n');
        for real in &server.real {
            let (active, inactive) = connections(&server, *real);
            let real = real.to_string();
            text.push_str(&format!("  -> {real:<28} Masq    {:<6} {active:<10} {inactive:<10}\n", 1));
        }
    }
    text
}

/// A rule of the kernel's virtual servers.
fn virtual_rule(text: String) -> Rule {
    Rule { table: "ipvs", chain: String::new(), text }
}

/// The virtual server of a Service port at an address, as a rule that a packet met.
fn server_rule(port: &ServicePort, address: SocketAddr) -> Rule {
    virtual_rule(server_line(&VirtualServer::of(port, address, Vec::new())))
}

/// The rules that led a packet to its backend, the last one being the virtual server's choice.
pub(in crate::network) fn translation(choice: &Choice<'_>, packet: &Packet, pods: &str) -> Vec<Rule> {
    let (matched, port) = (choice.matched, choice.matched.port);
    let (to, v4) = (packet.destination, packet.destination.is_ipv4());
    let mut rules = Vec::with_capacity(5);
    match matched.frontend {
        Frontend::ClusterIp if choice.masquerade == Some(MasqueradeReason::SourceOutsidePods) => {
            rules.push(mark_cluster_ip(pods, v4));
        }
        Frontend::ClusterIp => {}
        Frontend::ExternalIp if port.external_policy == Policy::Cluster => rules.push(mark_external(v4)),
        Frontend::ExternalIp => {}
        Frontend::LoadBalancer => {
            rules.push(by_set(sets::LOAD_BALANCER, v4));
            rules.push(match port.external_policy {
                Policy::Local => by_set(sets::LOAD_BALANCER_LOCAL, v4),
                Policy::Cluster => mark_load_balancer(),
            });
        }
        Frontend::NodePort => {
            rules.push(to_node_ports());
            rules.push(by_set(node_port_set(port.protocol(), port.external_policy), v4));
        }
    }
    if matched.frontend != Frontend::NodePort {
        rules.push(local_route(to.ip()));
    }
    rules.push(server_rule(port, to));
    rules.push(virtual_rule(format!("  -> {:<28} Masq    1", choice.backend.address.to_string())));
    rules
}

fn node_port_set(protocol: Protocol, policy: Policy) -> Set {
    match (protocol, policy) {
        (Protocol::Tcp, Policy::Cluster) => sets::NODE_PORT_TCP,
        (Protocol::Tcp, Policy::Local) => sets::NODE_PORT_LOCAL_TCP,
        (Protocol::Udp, Policy::Cluster) => sets::NODE_PORT_UDP,
        (Protocol::Udp, Policy::Local) => sets::NODE_PORT_LOCAL_UDP,
        (Protocol::Sctp, Policy::Cluster) => sets::NODE_PORT_SCTP,
        (Protocol::Sctp, Policy::Local) => sets::NODE_PORT_LOCAL_SCTP,
    }
}

/// The route that makes the address of a Service the node's own, as `ip route show table local` prints it.
fn local_route(address: IpAddr) -> Rule {
    let text = format!("local {address} dev kube-ipvs0 proto kernel scope host src {address}");
    Rule { table: "route", chain: "local".to_owned(), text }
}

/// The rules that refused or dropped a packet for a Service port, the last one doing it.
pub(in crate::network) fn filter(matched: Matched<'_>, packet: &Packet, filter: Filter) -> Vec<Rule> {
    let v4 = packet.destination.is_ipv4();
    if filter == Filter::SourceRanges {
        if packet.source.ip() == packet.destination.ip() {
            let (ip, port) = (packet.destination.ip(), packet.destination.port());
            return vec![drop_from_node(ip, port, matched.port.protocol())];
        }
        return vec![by_set(sets::LOAD_BALANCER_FW, v4), drop_ranges()];
    }
    vec![server_rule(matched.port, packet.destination)]
}

/// The rule that keeps the node's own ports from being reached at the address of a Service.
pub(in crate::network) fn stray(packet: &Packet) -> Rule {
    reject_stray(packet.destination.is_ipv4())
}

/// The rule that masquerades: by mark, or what a Pod sends to itself.
pub(in crate::network) fn masquerade(reason: MasqueradeReason, v4: bool) -> Rule {
    match reason {
        MasqueradeReason::Hairpin => by_set(sets::LOOP_BACK, v4),
        _ => masquerade_marked(),
    }
}
