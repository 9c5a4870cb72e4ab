//! The walk: one packet, hop by hop, through the tables of every node it meets.
//!
//! Owns the order in which Linux asks routes and rules: PREROUTING or OUTPUT (kube-proxy's nat rules), the
//! routing decision, INPUT or FORWARD (kube-proxy's filter rules), POSTROUTING (masquerading). It is generic
//! over the recorder, and there is only this one walk. It does not own what the rules decide
//! ([`super::proxy`]), how they are spelled ([`super::rules`]), nor what is beyond the nodes' LAN
//! ([`super::beyond`]), nor how it ends ([`super::endings`]).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::flows::{Flow, FlowAnswer, Flows};
use super::hop::{Hop, Place, Recorder, Rules, Step};
use super::host_ports::{self, HostPort};
use super::icmp_limit::{Host, IcmpLimit};
use super::nftables::maps;
use super::outcome::{DropCause, NoRouteCause, Outcome, PortName, RefusedCause};
use super::packet::Packet;
use super::proxy::{Draw, Filter, Hook, MasqueradeReason, Proxy};
use super::rules;
use super::sockets::Listener;
use super::tables::Matched;
use super::topology::{NodeId, Owner, PodEntry, Topology};
use crate::cluster::clock::Instant;
use crate::cluster::random::Random;
use crate::cluster::settings::ProxyMode;

/// Over the veth pair between a Pod and its node. The times are ours: of the order of a small LAN, and such
/// that a whole connection takes the 0.3 to 0.7 ms that were measured.
pub(super) const POD_LINK_US: u64 = 15;
/// Between two machines of the nodes' LAN.
pub(super) const LAN_US: u64 = 120;
/// Between the router and a host outside.
pub(super) const OUTSIDE_US: u64 = 250;

/// Who sends, looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sender<'a> {
    /// A process in a Pod.
    Pod(&'a PodEntry),
    /// A process on a node, or in a Pod on the node's network.
    Node(NodeId),
    /// A host outside.
    Outside(IpAddr),
}

/// Where a packet entered a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// From one of its Pods.
    FromPod,
    /// From the LAN.
    FromLan,
    /// It was sent by a process on the node.
    Locally,
}

/// A packet passing a node.
pub(super) struct Passing<'a> {
    pub(super) node: NodeId,
    pub(super) entered: Entered,
    original: Packet,
    pub(super) packet: Packet,
    /// The Service port that it is addressed to, if no rule translated it.
    matched: Option<Matched<'a>>,
    translated: bool,
    masquerade: Option<MasqueradeReason>,
    /// What conntrack knew of it: the source port that it leaves with, and what came back so far.
    known: Option<(u16, FlowAnswer)>,
}

impl<'a> Passing<'a> {
    #[inline]
    fn new(proxy: &Proxy<'a>, node: NodeId, packet: Packet, entered: Entered) -> Self {
        Self {
            node,
            entered,
            original: packet,
            packet,
            matched: proxy.lookup(node, &packet),
            translated: false,
            masquerade: None,
            known: None,
        }
    }

    /// Whether the answer of a Pod on the same node goes to the client by the bridge alone, as it is.
    fn is_answered_past_the_rules(&self, topology: &Topology) -> bool {
        let translated = self.translated && self.packet.source == self.original.source;
        !topology.bridge_netfilter && self.entered == Entered::FromPod && translated
    }

    /// Whether a Pod sent it.
    fn is_from(&self, pod: &PodEntry) -> bool {
        let ips = || pod.object.as_pod().map(|pod| &*pod.ips).unwrap_or_default();
        self.entered == Entered::FromPod && ips().contains(&self.original.source.ip())
    }
}

/// Where a node sends a packet that is not its own.
enum Egress<'a> {
    Pod(&'a PodEntry),
    Node(NodeId),
    Router,
    Nobody,
}

/// One packet under way.
pub(super) struct Walk<'a, R> {
    pub(super) proxy: Proxy<'a>,
    pub(super) flows: &'a mut Flows,
    pub(super) icmp_limit: &'a mut IcmpLimit,
    /// Whether flows are remembered and found again, and then whether the packet opens a connection.
    pub(super) remember: Option<bool>,
    pub(super) random: &'a mut Random,
    pub(super) now: Instant,
    pub(super) recorder: &'a mut R,
    /// Time since sending.
    pub(super) latency_us: u64,
    /// What the client sent to.
    pub(super) target: SocketAddr,
    /// The Service whose backend was chosen.
    pub(super) through: Option<Arc<PortName>>,
    /// Whether the destination was translated on the way: answers of any kind then seem to come from the target.
    pub(super) translated: bool,
    /// Whether an answer would come from an address that the client does not know.
    pub(super) answer_lost: bool,
}

impl<'a, R: Recorder> Walk<'a, R> {
    /// Sends the packet.
    pub(super) fn send(&mut self, sender: Sender<'a>, packet: Packet) -> Outcome {
        match sender {
            Sender::Pod(pod) => self.leave_pod(pod, packet),
            Sender::Node(node) => {
                let topology = self.proxy.topology;
                self.recorder.hop(|| hop(topology.place(node), Step::Send, packet));
                self.output(node, packet)
            }
            Sender::Outside(host) => self.leave_outside(host, packet),
        }
    }

    fn leave_pod(&mut self, pod: &'a PodEntry, packet: Packet) -> Outcome {
        let topology = self.proxy.topology;
        let to = packet.destination.ip();
        let place = || Place::Pod(pod.key.clone());
        if to == packet.source.ip() || to.is_loopback() {
            self.recorder.hop(|| hop(place(), Step::Send, packet));
            return self.socket(place(), topology.pod_listeners(pod), packet);
        }
        let on_link = topology.in_pod_network(to) && topology.range_owner(to) == Some(pod.node);
        let owner = if on_link { topology.owner(to) } else { None };
        if on_link && owner.is_none() {
            self.recorder.hop(|| hop(place(), Step::Send, packet));
            return self.no_route(place(), None, packet.source.ip(), packet, NoRouteCause::NobodyHasAddress);
        }
        self.leave(place, Step::Send, packet, Vec::new, || topology.place(pod.node), POD_LINK_US);
        if on_link && let Some(Owner::Pod(peer)) = owner {
            // Same /24: the bridge carries the frame, no routing, the time to live stays.
            let route = || vec![rules::route(format!("{to} dev cni0 (bridged)"))];
            self.pass(pod.node, Step::Route, packet, packet, route, Some(peer));
            return self.socket(Place::Pod(peer.key.clone()), topology.pod_listeners(peer), packet);
        }
        self.arrive(pod.node, packet, Entered::FromPod)
    }

    /// A packet comes to a node: PREROUTING, then routing.
    pub(super) fn arrive(&mut self, node: NodeId, packet: Packet, entered: Entered) -> Outcome {
        if entered == Entered::FromLan && self.proxy.topology.is_local(node, packet.source.ip()) {
            return self.dropped(self.proxy.topology.place(node), packet, DropCause::OwnSource, Vec::new);
        }
        let mut passing = Passing::new(&self.proxy, node, packet, entered);
        self.translate(&mut passing);
        self.route(&mut passing)
    }

    /// A process on a node sends: OUTPUT, then routing.
    fn output(&mut self, node: NodeId, packet: Packet) -> Outcome {
        let mut passing = Passing::new(&self.proxy, node, packet, Entered::Locally);
        self.translate(&mut passing);
        if let Some(outcome) = self.filter(&passing, Hook::Output) {
            return outcome;
        }
        self.route(&mut passing)
    }

    /// kube-proxy's nat rules, or what conntrack remembers of them.
    fn translate(&mut self, passing: &mut Passing<'a>) {
        let (node, packet) = (passing.node, passing.original);
        if let Some(opens) = self.remember
            && let Some(flow) = self.flows.find(node, &packet, opens, self.now).copied()
        {
            passing.packet = packet.to(flow.translated.destination);
            passing.translated = passing.packet.destination != packet.destination;
            self.translated |= passing.translated;
            passing.masquerade = flow.masquerade;
            passing.known = Some((flow.translated.source.port(), flow.answer));
            if let Some(first) = passing.matched.filter(|_| passing.translated) {
                self.through = self.known_through(first, node, &packet, passing.packet.destination);
                let known = || vec![rules::conntrack(&flow)];
                self.pass(node, Step::Dnat, packet, passing.packet, known, None);
            }
            return;
        }
        let from_node = passing.entered == Entered::Locally;
        let draw = &mut Draw { flows: self.flows, random: self.random, now: self.now };
        let proxy = self.proxy;
        let mut choose = |matched| proxy.translate(matched, node, &packet, from_node, draw);
        let chosen = passing.matched.and_then(|first| {
            choose(first).or_else(|| proxy.others(first, node, &packet).into_iter().find_map(choose))
        });
        let Some(choice) = chosen else {
            self.forward_host_port(passing);
            return;
        };
        passing.packet = packet.to(choice.backend.address);
        passing.translated = true;
        self.translated = true;
        passing.masquerade = choice.masquerade;
        self.answer_lost |= choice.answer_lost;
        self.through = Some(choice.matched.port.name.clone());
        let why = || rules::translation(&proxy, &choice, &packet);
        self.pass(node, Step::Dnat, packet, passing.packet, why, None);
    }

    /// The Service port by which a flow came that conntrack remembers; `None` if it was a host port.
    fn known_through(
        &self,
        first: Matched<'a>,
        node: NodeId,
        packet: &Packet,
        to: SocketAddr,
    ) -> Option<Arc<PortName>> {
        if host_ports::forward(self.proxy.topology, node, packet).is_some_and(|way| way.host_port.to == to) {
            return None;
        }
        let mut others = self.proxy.others(first, node, packet).into_iter();
        let leads = |one: &Matched<'_>| one.port.endpoints.iter().any(|backend| backend.address == to);
        let by_other = others.len() > 0 && !leads(&first);
        Some(others.find(leads).filter(|_| by_other).unwrap_or(first).port.name.clone())
    }

    /// The rules of the portmap plugin, for what kube-proxy does not translate: for no port of a Service, and for a
    /// port of one that has nowhere to lead here, which kube-proxy's filter rules would stop under its old address.
    fn forward_host_port(&mut self, passing: &mut Passing<'a>) {
        let (topology, node, packet) = (self.proxy.topology, passing.node, passing.packet);
        let Some(way) = host_ports::forward(topology, node, &packet) else { return };
        passing.packet = packet.to(way.host_port.to);
        passing.translated = true;
        passing.masquerade = way.masquerade.then(|| self.host_port_reason(node, &packet, way.host_port));
        self.translated = true;
        let from_node = passing.entered == Entered::Locally;
        let why = || host_ports::translation(topology, node, &packet, from_node, way);
        self.pass(node, Step::Dnat, packet, passing.packet, why, None);
    }

    /// Whose rule masquerades what comes by a host port. That of nftables for what a Pod sends to itself asks not who
    /// translated it, and stands before the plugin's.
    fn host_port_reason(&self, node: NodeId, packet: &Packet, host_port: &HostPort) -> MasqueradeReason {
        let to_itself = self.proxy.mode == ProxyMode::Nftables && packet.source.ip() == host_port.to.ip();
        if to_itself && maps::is_hairpin(&self.proxy, node, host_port.protocol, host_port.to) {
            return MasqueradeReason::Hairpin;
        }
        MasqueradeReason::HostPort
    }

    /// kube-proxy's filter rules. What was translated passes them all.
    #[inline]
    fn filter(&mut self, passing: &Passing<'a>, hook: Hook) -> Option<Outcome> {
        // iptables has no rule for what is no Service port.
        let none = passing.matched.is_none() && self.proxy.mode == ProxyMode::Iptables;
        if passing.translated || none { None } else { self.filter_untranslated(passing, hook) }
    }

    fn filter_untranslated(&mut self, passing: &Passing<'a>, hook: Hook) -> Option<Outcome> {
        let (node, packet, proxy) = (passing.node, passing.packet, self.proxy);
        let Some(matched) = passing.matched else {
            let reject = proxy.stray(node, &packet, hook)?;
            let why = move || vec![rules::stray(&proxy, &packet, reject)];
            return Some(if reject {
                self.refused(passing, hook, RefusedCause::NoSuchServicePort, why)
            } else {
                self.dropped(self.proxy.topology.place(node), packet, DropCause::NoSuchService, why)
            });
        };
        let (matched, verdict) = proxy.stops(matched, node, &packet, hook)?;
        let why = move || rules::filter(&proxy, node, matched, &packet, verdict);
        let service = matched.port.name.clone();
        Some(match verdict {
            Filter::NoEndpoints => self.refused(passing, hook, RefusedCause::NoEndpoints(service), why),
            Filter::NoLocalEndpoints => {
                let cause = DropCause::NoLocalEndpoints { service, external: matched.is_external() };
                self.dropped(self.proxy.topology.place(node), packet, cause, why)
            }
            Filter::SourceRanges => {
                self.dropped(self.proxy.topology.place(node), packet, DropCause::SourceRanges(service), why)
            }
        })
    }

    /// The routing decision of a node, and what follows from it.
    fn route(&mut self, passing: &mut Passing<'a>) -> Outcome {
        let topology = self.proxy.topology;
        let to = passing.packet.destination.ip();
        let owner = topology.owner(to);
        if !matches!(owner, Some(Owner::Pod(_))) && self.proxy.is_local(passing.node, to) {
            return self.local_in(passing);
        }
        let egress = self.egress(passing.node, to, owner);
        if passing.entered != Entered::Locally {
            // What the bridge translates to another of its own Pods it hands on without routing it
            // (`br_nf_pre_routing_finish`), so that the time to live stays.
            let near = matches!(egress, Egress::Pod(_)) && passing.entered == Entered::FromPod;
            if !(near && passing.translated && topology.bridge_netfilter) {
                if !topology.ip_forward {
                    let place = topology.place(passing.node);
                    return self.dropped(place, passing.packet, DropCause::NotForwarded, Vec::new);
                }
                if passing.packet.ttl <= 1 {
                    let by = self.answer_address(passing.node, passing.packet.source.ip());
                    let place = self.proxy.topology.place(passing.node);
                    let host = Some(Host::Node(passing.node));
                    return self.no_route(place, host, by, passing.packet, NoRouteCause::TimeToLive);
                }
                passing.packet.ttl -= 1;
            }
            if let Some(outcome) = self.filter(passing, Hook::Forward) {
                return outcome;
            }
        }
        self.postrouting(passing, matches!(egress, Egress::Pod(_)));
        let (node, packet) = (passing.node, passing.packet);
        let place = || topology.place(node);
        match egress {
            Egress::Pod(pod) if !topology.hairpin && passing.is_from(pod) => {
                self.dropped(place(), packet, DropCause::NoHairpin, Vec::new)
            }
            Egress::Pod(pod) if passing.is_answered_past_the_rules(topology) => {
                let route = || rules::route_to_pod(topology, node, to);
                self.pass(node, Step::Route, packet, packet, route, Some(pod));
                let place = Place::Pod(pod.key.clone());
                self.dropped(place, packet, DropCause::BridgedAnswer, Vec::new)
            }
            Egress::Pod(pod) if packet.source.is_ipv6() && packet.source.ip().is_loopback() => {
                let route = || rules::route_to_pod(topology, node, to);
                self.pass(node, Step::Route, packet, packet, route, Some(pod));
                self.dropped(Place::Pod(pod.key.clone()), packet, DropCause::LoopbackSource, Vec::new)
            }
            Egress::Pod(pod) => {
                let route = || rules::route_to_pod(topology, node, to);
                self.pass(node, Step::Route, packet, packet, route, Some(pod));
                self.socket(Place::Pod(pod.key.clone()), topology.pod_listeners(pod), packet)
            }
            Egress::Node(next) => {
                let route = || rules::route_to_node(topology, node, next, to);
                self.leave(place, Step::Route, packet, route, || topology.place(next), LAN_US);
                self.arrive(next, packet, Entered::FromLan)
            }
            Egress::Router => {
                let route = || vec![rules::route_to_router(topology, to)];
                self.leave(place, Step::Route, packet, route, || Place::Router, LAN_US);
                self.at_router(packet)
            }
            Egress::Nobody => {
                let (host, by) = match passing.entered {
                    Entered::Locally => (None, passing.original.source.ip()),
                    _ => (Some(Host::Node(node)), self.answer_address(node, passing.original.source.ip())),
                };
                self.no_route(topology.place(node), host, by, packet, NoRouteCause::NobodyHasAddress)
            }
        }
    }

    fn egress(&self, node: NodeId, to: IpAddr, owner: Option<&'a Owner>) -> Egress<'a> {
        let topology = self.proxy.topology;
        let next = match owner {
            Some(Owner::Pod(pod)) if pod.node == node => return Egress::Pod(pod),
            Some(Owner::Pod(pod)) => Some(pod.node),
            Some(Owner::Node(owner) | Owner::Bridge(owner)) => Some(*owner),
            None => topology.range_owner(to),
        };
        match next {
            Some(next) if next == node || topology.node(next).addresses.is_empty() => Egress::Nobody,
            Some(next) => Egress::Node(next),
            None if topology.in_lan(to) && to != topology.router(to) => Egress::Nobody,
            None => Egress::Router,
        }
    }

    /// POSTROUTING: masquerading by kube-proxy's mark or by the network plugin's rule, then conntrack.
    fn postrouting(&mut self, passing: &mut Passing<'a>, to_bridge: bool) {
        let topology = self.proxy.topology;
        let (source, to) = (passing.packet.source.ip(), passing.packet.destination.ip());
        let plugin = topology.in_pod_network(source) && !topology.in_pod_network(to);
        if passing.masquerade.is_some() || plugin {
            let node = topology.node(passing.node);
            let address = if to_bridge { node.bridge_for(to) } else { node.address_for(to) };
            let before = passing.packet;
            if let Some(address) = address {
                // --random-fully: the port is chosen anew.
                let port = match passing.known {
                    Some((port, _)) => port,
                    None => 1024 + u16::try_from(self.random.below(64_512)).expect("below 65,536"),
                };
                passing.packet.source = SocketAddr::new(address, port);
                let (reason, proxy) = (passing.masquerade, self.proxy);
                let why = || vec![rules::masquerade(&proxy, reason, source)];
                self.pass(passing.node, Step::Masquerade, before, passing.packet, why, None);
            }
        }
        self.remember(passing);
    }

    fn remember(&mut self, passing: &Passing<'_>) {
        if self.remember.is_some() && !self.answer_lost {
            self.flows.remember(Flow {
                node: passing.node,
                original: passing.original,
                translated: passing.packet,
                masquerade: passing.masquerade,
                seen: self.now,
                answer: passing.known.map(|(_, answer)| answer).unwrap_or_default(),
            });
        }
    }

    /// INPUT, then a socket of the node.
    fn local_in(&mut self, passing: &Passing<'a>) -> Outcome {
        if let Some(outcome) = self.filter(passing, Hook::Input) {
            return outcome;
        }
        self.remember(passing);
        let mut open = self.proxy.topology.node_listeners(passing.node);
        if self.proxy.tables.is_health_port(passing.packet.destination.port()) {
            open.push(Listener::tcp(passing.packet.destination.port(), "kube-proxy"));
        }
        self.socket(self.proxy.topology.place(passing.node), &open, passing.packet)
    }

    /// Something happened to a packet on a node; with `pod`, it goes on to that Pod.
    fn pass<W: Into<Rules>>(
        &mut self,
        node: NodeId,
        step: Step,
        before: Packet,
        after: Packet,
        why: impl FnOnce() -> W,
        pod: Option<&PodEntry>,
    ) {
        let latency_us = if pod.is_some() { POD_LINK_US } else { 0 };
        self.latency_us += latency_us;
        let topology = self.proxy.topology;
        self.recorder.hop(|| Hop {
            place: topology.place(node),
            step,
            before,
            after,
            rules: why().into(),
            next: pod.map(|pod| Place::Pod(pod.key.clone())),
            latency_us,
        });
    }

    /// A packet leaves a place for another one.
    pub(super) fn leave<W: Into<Rules>>(
        &mut self,
        place: impl FnOnce() -> Place,
        step: Step,
        packet: Packet,
        why: impl FnOnce() -> W,
        next: impl FnOnce() -> Place,
        latency_us: u64,
    ) {
        self.latency_us += latency_us;
        self.recorder.hop(|| Hop {
            rules: why().into(),
            next: Some(next()),
            latency_us,
            ..hop(place(), step, packet)
        });
    }
}

/// A hop without rules that changes nothing and stays.
pub(super) fn hop(place: Place, step: Step, packet: Packet) -> Hop {
    Hop { place, step, before: packet, after: packet, rules: Rules::default(), next: None, latency_us: 0 }
}
