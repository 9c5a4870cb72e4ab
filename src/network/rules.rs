//! The text of the rules that a packet meets.
//!
//! Owns which rules a packet met, for the trace; kube-proxy's are spelled in [`super::iptables`], routes as
//! `ip route` prints them here. It decides nothing: see [`super::proxy`].

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;

use super::flows::Flow;
use super::hop::{Rule, Rules};
use super::host_ports;
use super::iptables::{self, External};
use super::ipvs;
use super::nftables;
use super::packet::Packet;
use super::proxy::{Choice, Filter, MasqueradeReason, Proxy};
use super::tables::{Frontend, Matched};
use super::topology::{NodeId, Topology};
use crate::api::typed::{Affinity, Policy};
use crate::cluster::settings::ProxyMode;

fn pod_network(topology: &Topology, like: IpAddr) -> Option<IpNet> {
    topology.pod_networks.iter().find(|network| network.addr().is_ipv4() == like.is_ipv4()).copied()
}

/// What is known, or nothing.
fn known(fact: Option<impl ToString>) -> String {
    fact.map(|fact| fact.to_string()).unwrap_or_default()
}

/// The rules that led a packet to its backend, the last one being the DNAT: spelled when they are read, from
/// the Service port as it is now.
#[must_use]
pub fn translation(proxy: &Proxy<'_>, choice: &Choice<'_>, packet: &Packet) -> Rules {
    let port = choice.matched.port.clone();
    let (frontend, packet) = (choice.matched.frontend, *packet);
    // What is borrowed are the usable endpoints of the port, which is kept.
    let among = match &choice.among {
        Cow::Borrowed(_) => None,
        Cow::Owned(among) => Some(among.clone()),
    };
    let (index, local, remembered) = (choice.index, choice.local, choice.remembered);
    let (masquerade, answer_lost, mode) = (choice.masquerade, choice.answer_lost, proxy.mode);
    let pods = pod_network(proxy.topology, packet.destination.ip());
    Rules::later(move || {
        let among = Cow::Borrowed(among.as_deref().unwrap_or(&port.usable));
        let (matched, backend) = (Matched { port: &port, frontend }, &port.endpoints[among[index] as usize]);
        let choice = Choice { matched, backend, index, among, local, remembered, answer_lost, masquerade };
        spell_translation(mode, &choice, &packet, &known(pods))
    })
}

fn spell_translation(mode: ProxyMode, choice: &Choice<'_>, packet: &Packet, pods: &str) -> Vec<Rule> {
    let matched = choice.matched;
    let port = matched.port;
    let to = packet.destination.ip();
    match mode {
        ProxyMode::Nftables => return nftables::translation(choice, to, pods),
        ProxyMode::Ipvs => return ipvs::ruleset::translation(choice, packet, pods),
        ProxyMode::Iptables => {}
    }
    let service = iptables::service_chain(port, choice.local);
    let mut rules = Vec::with_capacity(6);
    if matched.frontend == Frontend::ClusterIp {
        rules.push(iptables::address_jump(port, matched.frontend, to, &service));
        if choice.masquerade == Some(MasqueradeReason::SourceOutsidePods) {
            rules.push(iptables::source_mark(port, &service, pods));
        }
    } else {
        external_rules(&mut rules, choice, packet, pods);
    }
    let endpoint = choice.backend.address.to_string();
    rules.push(match port.affinity {
        Affinity::ClientIp { timeout_seconds } if choice.remembered => {
            iptables::remembered(port, &service, &endpoint, timeout_seconds)
        }
        _ => iptables::pick(port, &service, &endpoint, choice.among.len() - choice.index),
    });
    if choice.backend.address.ip() == packet.source.ip() {
        rules.push(iptables::hairpin_mark(port, &endpoint, packet.source.ip()));
    }
    rules.push(iptables::dnat(port, &endpoint));
    rules
}

/// The rules from an external address or node port to the chain of a Service.
fn external_rules(rules: &mut Vec<Rule>, choice: &Choice<'_>, packet: &Packet, pods: &str) {
    let (matched, port, to) = (choice.matched, choice.matched.port, packet.destination.ip());
    match matched.frontend {
        Frontend::NodePort => {
            rules.push(iptables::node_ports_jump(to.is_ipv4()));
            rules.push(iptables::node_port_jump(port));
        }
        Frontend::LoadBalancer => {
            rules.push(iptables::balancer_jump(port, to));
            let source = packet.source.ip();
            let range = port.source_ranges.iter().find(|range| range.contains(&source));
            rules.extend(range.map(|range| iptables::source_range(port, *range)));
        }
        _ => {
            let chain = iptables::external_chain(port);
            rules.push(iptables::address_jump(port, matched.frontend, to, &chain));
        }
    }
    let which: &[External] = match (port.external_policy, choice.masquerade) {
        (Policy::Cluster, _) => &[External::Mark, External::All],
        (Policy::Local, _) if choice.local => &[External::Local],
        (Policy::Local, Some(MasqueradeReason::FromNode)) => &[External::MarkNode, External::Node],
        (Policy::Local, _) => &[External::Pods],
    };
    rules.extend(which.iter().map(|one| iptables::external(port, *one, pods)));
}

/// The rules that refused or dropped a packet for a Service port, the last one doing it.
#[must_use]
pub fn filter(
    proxy: &Proxy<'_>,
    node: NodeId,
    matched: Matched<'_>,
    packet: &Packet,
    filter: Filter,
) -> Vec<Rule> {
    let (port, to) = (matched.port, packet.destination.ip());
    match proxy.mode {
        ProxyMode::Nftables => {
            let own = proxy.topology.node(node).address_for(to);
            return nftables::filter(matched, to, filter, own);
        }
        ProxyMode::Ipvs => return ipvs::ruleset::filter(matched, packet, filter),
        ProxyMode::Iptables => {}
    }
    vec![match filter {
        Filter::SourceRanges => iptables::not_accepted(port, to),
        // What may come, and finds no endpoint on this node, comes by the rule for what may not.
        Filter::NoLocalEndpoints if proxy.is_firewalled(matched) => iptables::not_accepted(port, to),
        Filter::NoEndpoints => iptables::no_endpoints(port, matched.frontend, to, false),
        Filter::NoLocalEndpoints => iptables::no_endpoints(port, matched.frontend, to, true),
    }]
}

/// The rule that stops a packet for an address of a Service on no port of its, or in nftables mode (where `reject`
/// is false) for an address that no Service has.
#[must_use]
pub fn stray(proxy: &Proxy<'_>, packet: &Packet, reject: bool) -> Rule {
    match proxy.mode {
        ProxyMode::Ipvs => ipvs::ruleset::stray(packet),
        _ => nftables::cluster_ips_check(proxy, packet.destination.is_ipv4(), reject),
    }
}

/// The rule that masquerades: kube-proxy's for marked packets and for what a Pod sends to itself, else the
/// network plugin's for what Pods send out of the Pod network.
#[must_use]
pub fn masquerade(proxy: &Proxy<'_>, reason: Option<MasqueradeReason>, source: IpAddr) -> Rule {
    if reason == Some(MasqueradeReason::HostPort) {
        return host_ports::masquerade();
    }
    if let Some(reason) = reason {
        return match proxy.mode {
            ProxyMode::Nftables => {
                nftables::masquerade(source.is_ipv4(), reason == MasqueradeReason::Hairpin)
            }
            ProxyMode::Ipvs => ipvs::ruleset::masquerade(reason, source.is_ipv4()),
            _ => iptables::masquerade(),
        };
    }
    let multicast = if source.is_ipv4() { "224.0.0.0/4" } else { "ff00::/8" };
    let words = iptables::comment("flanneld masq");
    let pods = known(pod_network(proxy.topology, source));
    iptables::rule(
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
pub fn route_to_pod(topology: &Topology, node: NodeId, to: IpAddr) -> Rules {
    let entry = topology.node(node).clone();
    Rules::later(move || {
        let range = known(entry.ranges.iter().find(|range| range.contains(&to)));
        let bridge = known(entry.bridge_for(to));
        vec![route(format!("{range} dev cni0 proto kernel scope link src {bridge}"))]
    })
}

/// The route to another node, or to the Pods there.
#[must_use]
pub fn route_to_node(topology: &Topology, node: NodeId, next: NodeId, to: IpAddr) -> Rules {
    let (from, entry) = (topology.node(node).clone(), topology.node(next).clone());
    let lan = topology.lan_of(to).copied();
    Rules::later(move || {
        let range = entry.ranges.iter().find(|range| range.contains(&to));
        let address = known(if range.is_some() { entry.address_for(to) } else { from.address_for(to) });
        vec![route(match range {
            Some(range) => format!("{range} via {address} dev eth0"),
            None => format!("{} dev eth0 proto kernel scope link src {address}", known(lan)),
        })]
    })
}

/// The default route.
#[must_use]
pub fn route_to_router(topology: &Topology, to: IpAddr) -> Rule {
    route(format!("default via {} dev eth0", topology.router(to)))
}
