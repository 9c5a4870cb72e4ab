//! Beyond the nodes' LAN: the router, load balancers, and hosts outside.
//!
//! Owns the part of the walk that is not on a node. The router knows the LAN, addresses that are routed to a
//! node, load balancers and hosts outside; it knows no Pod and no Service network and drops what it cannot
//! route, as a home or provider router does (reference/network/README.md, "The bench").

use std::net::{IpAddr, SocketAddr};

use super::hop::{Place, Recorder, Step};
use super::icmp_limit::Host;
use super::outcome::{DropCause, NoRouteCause, Outcome, Refusal, RefusedCause};
use super::packet::{Packet, Transport};
use super::rules;
use super::topology::{NodeId, Owner};
use super::walk::{Entered, LAN_US, OUTSIDE_US, Walk, hop};
use crate::api::typed::Policy;

impl<'a, R: Recorder> Walk<'a, R> {
    pub(super) fn leave_outside(&mut self, host: IpAddr, packet: Packet) -> Outcome {
        let to = packet.destination.ip();
        if to == host || to.is_loopback() {
            self.recorder.hop(|| hop(Place::Outside(host), Step::Send, packet));
            return self.at_outside(host, packet);
        }
        self.leave(|| Place::Outside(host), Step::Send, packet, Vec::new, || Place::Router, OUTSIDE_US);
        self.at_router(packet)
    }

    /// A packet comes to the router.
    pub(super) fn at_router(&mut self, mut packet: Packet) -> Outcome {
        let topology = self.proxy.topology;
        let (from, to) = (packet.source.ip(), packet.destination.ip());
        if to == topology.router(to) {
            return self.socket(Place::Router, &[], packet);
        }
        // What has no route is lost before anybody looks at its time to live.
        let routed = topology.routed.iter().find(|(range, _)| range.contains(&to));
        let outside = topology.outside.iter().any(|host| host.address == to);
        let balanced = self.proxy.tables.balanced(to).is_some();
        if !(topology.in_lan(to) || routed.is_some() || balanced || outside) {
            let cause = self.why_lost(packet.transport, from, to);
            let blackhole = || vec![rules::route("blackhole default".to_owned())];
            return self.dropped(Place::Router, packet, cause, blackhole);
        }
        if packet.ttl <= 1 {
            let by = topology.router(from);
            return self.no_route(Place::Router, Some(Host::Router), by, packet, NoRouteCause::TimeToLive);
        }
        packet.ttl -= 1;
        if topology.in_lan(to) {
            return match topology.owner(to) {
                Some(Owner::Node(node)) => self.enter_lan(*node, packet),
                _ => {
                    let by = topology.router(to);
                    self.no_route(
                        Place::Router,
                        Some(Host::Router),
                        by,
                        packet,
                        NoRouteCause::NobodyHasAddress,
                    )
                }
            };
        }
        if let Some((_, name)) = routed
            && let Some(node) = topology.node_named(name)
        {
            return self.enter_lan(node, packet);
        }
        if balanced {
            return self.at_balancer(to, packet);
        }
        self.leave(|| Place::Router, Step::Route, packet, Vec::new, || Place::Outside(to), OUTSIDE_US);
        self.at_outside(to, packet)
    }

    /// Why the router knows no way.
    fn why_lost(&self, transport: Transport, from: IpAddr, to: IpAddr) -> DropCause {
        let topology = self.proxy.topology;
        let inside = topology.in_pod_network(to) || topology.in_service_network(to);
        if inside && !topology.in_lan(from) {
            DropCause::ClusterNetworkFromOutside
        } else if self.proxy.tables.is_cluster_ip(to) && transport == Transport::Icmp {
            DropCause::PingOfService
        } else if self.proxy.tables.is_cluster_ip(to) {
            DropCause::NoSuchServicePort
        } else if topology.in_service_network(to) {
            DropCause::NoSuchService
        } else if topology.in_pod_network(to) {
            DropCause::NoSuchPodRange
        } else {
            DropCause::NoRouteBeyond
        }
    }

    fn enter_lan(&mut self, node: NodeId, packet: Packet) -> Outcome {
        let topology = self.proxy.topology;
        let next = || topology.place(node);
        self.leave(|| Place::Router, Step::Route, packet, Vec::new, next, LAN_US);
        self.arrive(node, packet, Entered::FromLan)
    }

    fn at_outside(&mut self, address: IpAddr, packet: Packet) -> Outcome {
        let hosts = &self.proxy.topology.outside;
        let open = hosts.iter().find(|host| host.address == address);
        self.socket(Place::Outside(address), open.map_or(&[], |host| &host.listeners), packet)
    }

    /// A load balancer in line: it rewrites the destination to a node port and leaves the source alone; one with
    /// `ipMode: Proxy` opens a connection of its own.
    fn at_balancer(&mut self, address: IpAddr, packet: Packet) -> Outcome {
        let place = Place::LoadBalancer(address);
        let (proxy, to) = (self.proxy, packet.destination);
        if packet.transport == Transport::Icmp {
            return self.socket(place, &[], packet);
        }
        let mut ports = proxy.tables.balanced(address).into_iter().flatten();
        let fits =
            ports.find(|port| Some(port.protocol()) == packet.transport.protocol() && port.port == to.port());
        let Some(port) = fits else {
            self.recorder.hop(|| hop(place.clone(), Step::Reset, packet));
            let (cause, by) = (RefusedCause::NothingListens, address);
            let latency_us = self.latency_us;
            return Outcome::Refused(Refusal { place, by, packet, cause, on_sender: false, latency_us });
        };
        let outside_ranges = !port.source_ranges.is_empty()
            && !port.source_ranges.iter().any(|range| range.contains(&packet.source.ip()));
        if port.cloud_balanced && outside_ranges {
            let cause = DropCause::SourceRanges(port.name.clone());
            return self.dropped(place, packet, cause, Vec::new);
        }
        // Health checks take nodes without a local endpoint out of the balancing.
        let serves = |node: &str| port.external_policy == Policy::Cluster || port.is_healthy_on(node);
        let targets: Vec<(NodeId, IpAddr)> = proxy
            .topology
            .nodes()
            .filter(|(_, node)| node.balanced && serves(&node.name))
            .filter_map(|(id, node)| Some((id, node.address_for(address)?)))
            .collect();
        let proxies = !port.load_balancer_ips.contains(&address);
        if targets.is_empty() || (proxies && port.node_port == 0) {
            return self.dropped(place, packet, DropCause::NoBalancerTarget, Vec::new);
        }
        let (node, target) = targets[self.random.index(targets.len())];
        // Without node ports it hands packets on as they are, to a node that knows its address.
        let mut balanced = match port.node_port {
            0 => packet,
            node_port => packet.to(SocketAddr::new(target, node_port)),
        };
        if proxies {
            let source_port = 1024 + u16::try_from(self.random.below(64_512)).expect("below 65,536");
            balanced.source = SocketAddr::new(address, source_port);
        }
        self.latency_us += LAN_US;
        self.translated = true;
        let next = || proxy.topology.place(node);
        let from = place.clone();
        self.recorder.hop(|| super::hop::Hop {
            next: Some(next()),
            latency_us: LAN_US,
            after: balanced,
            ..hop(from, Step::Balance, packet)
        });
        if !proxies && proxy.topology.in_lan(packet.source.ip()) {
            // The node answers the sender directly, from an address that it never sent to.
            return self.dropped(self.proxy.topology.place(node), balanced, DropCause::Unanswered, Vec::new);
        }
        self.arrive(node, balanced, Entered::FromLan)
    }
}
