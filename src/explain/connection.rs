//! Connections: why a packet did not arrive, from its trace.
//!
//! Owns [`ConnectionCause`]. The network has already decided what happened; this file adds who is meant, and asks
//! [`super::service`] where a Service is to blame. What would work instead is in [`super::remedy`].

use std::net::{IpAddr, SocketAddr};

use super::external::{any_node, node_with_endpoint, of_external_ip};
use super::finding::{Cause, Finding, Severity};
use super::remedy;
use super::service::service;
use super::whose::{
    all_node_ports, by_proxy, former_pod, former_service, meant_on_node, pod_at, service_at, service_target,
};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::{Policy, Protocol};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::open_ports;
use crate::network::{
    Drop, DropCause, NoRoute, NoRouteCause, Outcome, Place, PortName, Refusal, RefusedCause, Step, Trace,
    Transport,
};

/// How many node ports a finding names.
const NAMED: usize = 5;

/// What can be the matter with a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionCause {
    /// It arrived.
    Arrived {
        /// Where.
        server: String,
        /// The client's address as the server sees it.
        seen_as: IpAddr,
        /// The node that rewrote the client's address on the way, if one did.
        rewritten_at: Option<String>,
        /// Whether the client and the server are the same Pod, which reached itself through its Service.
        itself: bool,
    },
    /// The Service has no endpoint that could be used.
    NoEndpoints,
    /// The address is there, and nothing listens on the port.
    NothingListens {
        /// Where.
        place: String,
        /// The port.
        port: u16,
        /// Ports that are open there.
        open: Vec<u16>,
        /// Node ports that Services have, when a node port was tried.
        node_ports: Vec<(Key, u16)>,
        /// The Service whose own port or target port was tried on a node's address, with its node port.
        meant: Option<(Key, u16)>,
    },
    /// The port of a headless Service was tried, and nothing translates it to the Pods' own.
    HeadlessPort {
        /// The port that was tried.
        asked: u16,
        /// The port that the Pod has.
        target: u16,
    },
    /// The process listens for 127.0.0.1 only.
    OnlyLoopback {
        /// Where.
        place: String,
        /// The port.
        port: u16,
    },
    /// The Service has no such port.
    NoSuchPort {
        /// The port that was tried.
        asked: u16,
        /// The protocol it was tried with.
        protocol: Protocol,
        /// The ports that the Service has.
        ports: Vec<(u16, Protocol)>,
        /// Whether the port that was tried is one of its node ports.
        is_node_port: bool,
        /// Whether the port that was tried is one of its target ports.
        is_target: bool,
        /// Whether nothing came back, rather than a refusal.
        silent: bool,
    },
    /// A `Local` policy, and the node has no endpoint.
    NoLocalEndpoints {
        /// The node.
        node: SmolStr,
        /// Whether it is `externalTrafficPolicy`.
        external: bool,
    },
    /// The client is outside `loadBalancerSourceRanges`.
    SourceRanges {
        /// The client.
        client: IpAddr,
    },
    /// No Service has the address.
    NoSuchService {
        /// The address.
        address: IpAddr,
        /// The Service that had it.
        was: Option<Key>,
    },
    /// Nobody has the address.
    NobodyHas {
        /// The address.
        address: IpAddr,
        /// The Pod that had it.
        was: Option<Key>,
        /// Whether no node has the range of the Pod network that it is in.
        no_range: bool,
    },
    /// The Pod that kube-proxy chose was on its way out: its end overtook its removal from the endpoints.
    Ending {
        /// The Pod.
        pod: Key,
        /// Whether its containers wait before they end (`lifecycle.preStop`).
        waits: bool,
    },
    /// The address exists inside the cluster only, and the client is outside.
    InsideOnly {
        /// The address.
        address: IpAddr,
        /// Whose it is.
        of: Option<Key>,
        /// An address that works from outside.
        instead: Option<SocketAddr>,
    },
    /// The network knows no way there.
    NoWay {
        /// The address.
        address: IpAddr,
        /// The Service that has it among its `externalIPs`.
        external: Option<Key>,
    },
    /// The load balancer has no node to send to.
    NoBalancerTarget,
    /// A Pod reached for itself through its Service.
    Hairpin,
    /// A node does not forward packets.
    NotForwarded {
        /// The node.
        place: String,
    },
    /// The answer of a backend on the client's node goes past the rules.
    BridgedAnswer,
    /// The network outside sent the packet back to the node that it came from.
    SentBack {
        /// The address.
        address: IpAddr,
        /// The Service that names the address and that kube-proxy leaves to others (`ipMode: Proxy`).
        by_proxy: Option<Key>,
    },
    /// A ping of a Service.
    Ping,
    /// A datagram without an answer.
    Unanswered,
    /// The answer was an ICMP error, which SCTP does not take as a refusal.
    TriesOn,
    /// The answer was an ICMP error, and its sender kept it to itself: too many went to this client of late.
    AnswerHeldBack {
        /// Who would have sent it.
        place: String,
    },
    /// The sender has no address.
    NoSource,
    /// The packet went round in circles.
    TimeToLive {
        /// The address.
        address: IpAddr,
        /// The Service that names the address and that kube-proxy leaves to others (`ipMode: Proxy`).
        by_proxy: Option<Key>,
    },
}

/// What is the matter with a connection, with what is the matter with the Service behind it.
#[must_use]
pub fn connection(cluster: &Cluster, trace: &Trace) -> Vec<Finding> {
    let behind = service_at(cluster, trace.target, trace.transport.protocol());
    let subject = behind.unwrap_or_else(|| Key::new(Kind::Service, "", ""));
    let (subject, cause) = match trace.outcome.in_the_end() {
        Outcome::Delivered(delivery) => {
            let rewritten = trace.hops.iter().find(|hop| hop.step == Step::Masquerade);
            let rewritten_at = rewritten.map(|hop| hop.place.to_string());
            let itself = rewritten_at.is_some()
                && trace
                    .hops
                    .first()
                    .is_some_and(|hop| hop.place == delivery.server && matches!(hop.place, Place::Pod(_)));
            let (server, seen_as) = (delivery.server.to_string(), delivery.packet.source.ip());
            (subject, ConnectionCause::Arrived { server, seen_as, rewritten_at, itself })
        }
        Outcome::Refused(refusal) => refused(cluster, trace, refusal, subject),
        Outcome::Dropped(drop) => dropped(cluster, trace, drop, subject),
        Outcome::NoRoute(no_route) => unreachable(cluster, trace, no_route, subject),
    };
    let severity = match cause {
        ConnectionCause::Arrived { .. } => Severity::Fine,
        _ => Severity::Problem,
    };
    let ask_service = matches!(
        cause,
        ConnectionCause::NoEndpoints
            | ConnectionCause::NothingListens { .. }
            | ConnectionCause::OnlyLoopback { .. }
            | ConnectionCause::NoBalancerTarget
    );
    let mut finding = Finding::new(&subject, severity, Cause::Connection(cause.clone()));
    finding.field = remedy::field(&cause).to_owned();
    finding.fixes = remedy::fixes(cluster, trace, &subject, &cause);
    let mut findings = vec![finding];
    if let Outcome::Dropped(Drop { place, cause: DropCause::AnswerHeldBack(_), .. }) = &trace.outcome {
        let cause = ConnectionCause::AnswerHeldBack { place: place.to_string() };
        findings.push(Finding::new(&subject, Severity::Note, Cause::Connection(cause)));
    }
    if let (Transport::Sctp, Outcome::Refused(refusal)) = (trace.transport, &trace.outcome)
        && refusal.cause.is_reject()
    {
        findings.push(Finding::new(&subject, Severity::Note, Cause::Connection(ConnectionCause::TriesOn)));
    }
    if ask_service && subject.kind == Kind::Service {
        let about = service(cluster, &subject);
        let mut about: Vec<Finding> =
            about.into_iter().filter(|finding| finding.severity == Severity::Problem).collect();
        if cause == ConnectionCause::NoEndpoints && about.iter().any(|finding| !finding.fixes.is_empty()) {
            // What is known of the Service is better than a look at its slices.
            findings[0].fixes.clear();
        }
        findings.append(&mut about);
    }
    findings
}

fn key_of(name: &PortName) -> Key {
    Key::new(Kind::Service, name.namespace.clone(), name.service.clone())
}

fn refused(cluster: &Cluster, trace: &Trace, refusal: &Refusal, subject: Key) -> (Key, ConnectionCause) {
    let port = refusal.packet.destination.port();
    match &refusal.cause {
        RefusedCause::NoEndpoints(name) => (key_of(name), ConnectionCause::NoEndpoints),
        RefusedCause::NoSuchServicePort => {
            let cause = no_such_port(cluster, &subject, trace, false);
            (subject, cause)
        }
        _ if let Some(cause) = ending(cluster, trace, &refusal.place) => (subject, cause),
        RefusedCause::ListensOnLoopback(listener) => {
            (subject, ConnectionCause::OnlyLoopback { place: refusal.place.to_string(), port: listener.port })
        }
        RefusedCause::NothingListens => {
            let (mut open, mut node_ports, mut meant) = (Vec::new(), Vec::new(), None);
            let mut headless = None;
            match &refusal.place {
                Place::Pod(key) => {
                    let listeners = cluster.get(key).map(|object| open_ports(object)).unwrap_or_default();
                    open.extend(
                        listeners.into_iter().filter(|(_, one)| !one.loopback).map(|(_, one)| one.port),
                    );
                    headless = super::spread::headless_of(cluster, refusal.packet.destination)
                        .and_then(|service| Some((service_target(cluster, &service, key, port)?, service)));
                }
                Place::Node(_) => {
                    meant = meant_on_node(cluster, port);
                    node_ports = meant.clone().map_or_else(|| all_node_ports(cluster), |one| vec![one]);
                    node_ports.truncate(NAMED);
                }
                Place::LoadBalancer(_) => {
                    let service = cluster.get(&subject).and_then(|object| object.as_service());
                    open.extend(service.into_iter().flat_map(|service| &service.ports).map(|one| one.port));
                }
                // Somebody tried a node port on a machine that is no node: localhost, most often.
                _ => {
                    node_ports = all_node_ports(cluster);
                    node_ports.retain(|(_, node_port)| *node_port == port);
                }
            }
            open.sort_unstable();
            open.dedup();
            let place = refusal.place.to_string();
            if let Some((target, service)) = headless {
                return (service, ConnectionCause::HeadlessPort { asked: port, target });
            }
            (subject, ConnectionCause::NothingListens { place, port, open, node_ports, meant })
        }
    }
}

fn no_such_port(cluster: &Cluster, key: &Key, trace: &Trace, silent: bool) -> ConnectionCause {
    let service = cluster.get(key).and_then(|object| object.as_service());
    let ports = service.map(|service| service.ports.as_slice()).unwrap_or_default();
    let asked = trace.target.port();
    let number = crate::api::typed::PortRef::Number(asked);
    ConnectionCause::NoSuchPort {
        asked,
        protocol: trace.transport.protocol().unwrap_or(Protocol::Tcp),
        ports: ports.iter().map(|port| (port.port, port.protocol)).collect(),
        is_node_port: ports.iter().any(|port| port.node_port == asked),
        is_target: ports.iter().any(|port| port.target == number && port.port != asked),
        silent,
    }
}

/// Whether the Pod that was chosen for a connection is being ended, or has ended since.
fn ending(cluster: &Cluster, trace: &Trace, place: &Place) -> Option<ConnectionCause> {
    let Place::Pod(pod) = place else { return None };
    let chosen = trace.hops.iter().any(|hop| hop.step == Step::Dnat);
    let object = cluster.get(pod);
    if !chosen || object.is_some_and(|object| !object.is_terminating()) {
        return None;
    }
    let waits = object.is_some_and(|object| waits(object));
    Some(ConnectionCause::Ending { pod: pod.clone(), waits })
}

/// Whether a container of a Pod waits before it ends.
fn waits(object: &crate::api::object::Object) -> bool {
    let containers = object.spec().get("containers").items();
    containers.iter().any(|container| !container.at(&["lifecycle", "preStop"]).is_null())
}

fn dropped(cluster: &Cluster, trace: &Trace, drop: &Drop, subject: Key) -> (Key, ConnectionCause) {
    let address = trace.target.ip();
    let cause = match &drop.cause {
        DropCause::NoLocalEndpoints { service, external } => {
            let node = match &drop.place {
                Place::Node(name) => name.clone(),
                other => other.to_string().into(),
            };
            return (key_of(service), ConnectionCause::NoLocalEndpoints { node, external: *external });
        }
        DropCause::SourceRanges(service) => {
            return (key_of(service), ConnectionCause::SourceRanges { client: drop.packet.source.ip() });
        }
        DropCause::NoSuchServicePort => no_such_port(cluster, &subject, trace, true),
        DropCause::NoSuchService => {
            ConnectionCause::NoSuchService { address, was: former_service(cluster, address) }
        }
        DropCause::NoSuchPodRange => {
            ConnectionCause::NobodyHas { address, was: former_pod(cluster, address), no_range: true }
        }
        DropCause::ClusterNetworkFromOutside => match trace.hops.first().map(|hop| &hop.place) {
            Some(Place::Pod(_) | Place::Node(_)) => {
                ConnectionCause::NobodyHas { address, was: former_pod(cluster, address), no_range: true }
            }
            _ => inside_only(cluster, trace.target),
        },
        DropCause::NoRouteBeyond => {
            ConnectionCause::NoWay { address, external: of_external_ip(cluster, address) }
        }
        DropCause::NoBalancerTarget => ConnectionCause::NoBalancerTarget,
        DropCause::OwnSource => ConnectionCause::SentBack { address, by_proxy: by_proxy(cluster, address) },
        DropCause::NoHairpin => ConnectionCause::Hairpin,
        DropCause::NotForwarded => ConnectionCause::NotForwarded { place: drop.place.to_string() },
        DropCause::BridgedAnswer => ConnectionCause::BridgedAnswer,
        DropCause::PingOfService => ConnectionCause::Ping,
        DropCause::Unanswered | DropCause::LoopbackSource => ConnectionCause::Unanswered,
        DropCause::AnswerHeldBack(_) => ConnectionCause::AnswerHeldBack { place: drop.place.to_string() },
    };
    (subject, cause)
}

fn inside_only(cluster: &Cluster, target: SocketAddr) -> ConnectionCause {
    let address = target.ip();
    let pod = pod_at(cluster, address);
    let of = service_at(cluster, target, None).or(pod);
    let object = of.as_ref().and_then(|key| cluster.get(key));
    let service = object.and_then(|object| object.as_service());
    let ports = service.map(|service| service.ports.as_slice()).unwrap_or_default();
    let asked = ports.iter().find(|port| port.port == target.port()).or(ports.first());
    let node_port = asked.map_or(0, |port| port.node_port);
    let local = service.is_some_and(|service| service.external_policy == Policy::Local);
    let node = match &of {
        _ if node_port == 0 => None,
        Some(of) if local => node_with_endpoint(cluster, of),
        _ => any_node(cluster),
    };
    let instead = node.map(|node| SocketAddr::new(node, node_port));
    ConnectionCause::InsideOnly { address, of, instead }
}

fn unreachable(cluster: &Cluster, trace: &Trace, no_route: &NoRoute, subject: Key) -> (Key, ConnectionCause) {
    let address = no_route.packet.destination.ip();
    let cause = match no_route.cause {
        NoRouteCause::NobodyHasAddress => {
            let was = former_pod(cluster, address);
            let place = was.clone().map(Place::Pod);
            match place.and_then(|place| ending(cluster, trace, &place)) {
                Some(ending) => ending,
                None => ConnectionCause::NobodyHas { address, was, no_range: false },
            }
        }
        NoRouteCause::TimeToLive => {
            ConnectionCause::TimeToLive { address, by_proxy: by_proxy(cluster, address) }
        }
        NoRouteCause::NoSource => ConnectionCause::NoSource,
    };
    (subject, cause)
}
