//! Connections: why a packet did not arrive, from its trace.
//!
//! Owns [`ConnectionCause`]. The network has already decided what happened; this file adds who is meant and what
//! would work instead, and asks [`super::service`] where a Service is to blame.

use std::net::{IpAddr, SocketAddr};

use super::external::any_node;
use super::finding::{Cause, Finding, Severity};
use super::service::service;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::Policy;
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::open_ports;
use crate::network::{
    Drop, DropCause, NoRoute, NoRouteCause, Outcome, Place, PortName, Refusal, RefusedCause, Step, Trace,
};

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
        /// The ports that the Service has.
        ports: Vec<u16>,
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
    },
    /// Nobody has the address.
    NobodyHas {
        /// The address.
        address: IpAddr,
        /// The Pod that had it.
        was: Option<Key>,
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
    },
    /// The load balancer has no node to send to.
    NoBalancerTarget,
    /// A Pod reached for itself through its Service.
    Hairpin,
    /// A ping of a Service.
    Ping,
    /// A datagram without an answer.
    Unanswered,
    /// The sender has no address.
    NoSource,
    /// The packet went round in circles.
    TimeToLive,
}

/// What is the matter with a connection, with what is the matter with the Service behind it.
#[must_use]
pub fn connection(cluster: &Cluster, trace: &Trace) -> Vec<Finding> {
    let behind = service_at(cluster, trace.target);
    let subject = behind.clone().unwrap_or_else(|| Key::new(Kind::Service, "", ""));
    let (subject, cause) = match &trace.outcome {
        Outcome::Delivered(delivery) => {
            let rewritten = trace.hops.iter().find(|hop| hop.step == Step::Masquerade);
            let rewritten_at = rewritten.map(|hop| hop.place.to_string());
            let (server, seen_as) = (delivery.server.to_string(), delivery.packet.source.ip());
            (subject, ConnectionCause::Arrived { server, seen_as, rewritten_at })
        }
        Outcome::Refused(refusal) => refused(cluster, trace, refusal, subject),
        Outcome::Dropped(drop) => dropped(cluster, trace, drop, subject),
        Outcome::NoRoute(no_route) => (subject, unreachable(cluster, no_route)),
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
    );
    let mut finding = Finding::new(&subject, severity, Cause::Connection(cause.clone()));
    match &cause {
        ConnectionCause::InsideOnly { instead: Some(instead), .. } => {
            finding = finding.command(format!("curl http://{instead}"));
        }
        ConnectionCause::InsideOnly { of: Some(of), .. } if of.kind == Kind::Service => {
            finding = finding.edit("spec.type", "NodePort");
        }
        ConnectionCause::NothingListens { port, node_ports, .. } => {
            let same = node_ports.iter().any(|(_, node_port)| node_port == port);
            if let Some(node) = any_node(cluster).filter(|_| same) {
                finding = finding.command(format!("curl http://{}", SocketAddr::new(node, *port)));
            }
        }
        ConnectionCause::NoLocalEndpoints { external, .. } => {
            let field = if *external { "spec.externalTrafficPolicy" } else { "spec.internalTrafficPolicy" };
            finding = finding.at(field).edit(field, "Cluster");
        }
        ConnectionCause::SourceRanges { client } => {
            let field = "spec.loadBalancerSourceRanges";
            finding = finding.at(field).edit(field, format!("[\"{client}/32\"]"));
        }
        _ => {}
    }
    let mut findings = vec![finding];
    if ask_service && subject.kind == Kind::Service {
        let about = service(cluster, &subject);
        findings.extend(about.into_iter().filter(|finding| finding.severity == Severity::Problem));
    }
    findings
}

fn key_of(name: &PortName) -> Key {
    Key::new(Kind::Service, name.namespace.clone(), name.service.clone())
}

/// The Service that an address and port lead to: by ClusterIP, external address or node port.
#[must_use]
pub fn service_at(cluster: &Cluster, to: SocketAddr) -> Option<Key> {
    let is_node = cluster.indexes().node_at(to.ip()).is_some();
    let leads = |object: &&std::sync::Arc<crate::api::object::Object>| {
        object.as_service().is_some_and(|service| {
            service.cluster_ips.contains(&to.ip())
                || service.external_ips.contains(&to.ip())
                || service.load_balancer_ips.contains(&to.ip())
                || is_node && to.port() != 0 && service.ports.iter().any(|port| port.node_port == to.port())
        })
    };
    cluster.list(Kind::Service, None).find(leads).map(|object| object.key.clone())
}

fn refused(cluster: &Cluster, trace: &Trace, refusal: &Refusal, subject: Key) -> (Key, ConnectionCause) {
    let port = refusal.packet.destination.port();
    match &refusal.cause {
        RefusedCause::NoEndpoints(name) => (key_of(name), ConnectionCause::NoEndpoints),
        RefusedCause::NoSuchServicePort => {
            let cause = no_such_port(cluster, &subject, trace.target.port(), false);
            (subject, cause)
        }
        RefusedCause::ListensOnLoopback(listener) => {
            (subject, ConnectionCause::OnlyLoopback { place: refusal.place.to_string(), port: listener.port })
        }
        RefusedCause::NothingListens => {
            let (mut open, mut node_ports) = (Vec::new(), Vec::new());
            match &refusal.place {
                Place::Pod(key) => {
                    let listeners = cluster.get(key).map(|object| open_ports(object)).unwrap_or_default();
                    open.extend(
                        listeners.into_iter().filter(|(_, one)| !one.loopback).map(|(_, one)| one.port),
                    );
                }
                Place::Node(_) => node_ports = all_node_ports(cluster),
                // Somebody tried a node port on a machine that is no node: localhost, most often.
                _ => {
                    node_ports = all_node_ports(cluster);
                    node_ports.retain(|(_, node_port)| *node_port == port);
                }
            }
            open.sort_unstable();
            open.dedup();
            let place = refusal.place.to_string();
            (subject, ConnectionCause::NothingListens { place, port, open, node_ports })
        }
    }
}

fn all_node_ports(cluster: &Cluster) -> Vec<(Key, u16)> {
    let mut all = Vec::new();
    for object in cluster.list(Kind::Service, None) {
        let ports = object.as_service().map(|service| service.ports.as_slice()).unwrap_or_default();
        let ports = ports.iter().filter(|port| port.node_port != 0);
        all.extend(ports.map(|port| (object.key.clone(), port.node_port)));
    }
    all
}

fn no_such_port(cluster: &Cluster, key: &Key, asked: u16, silent: bool) -> ConnectionCause {
    let service = cluster.get(key).and_then(|object| object.as_service());
    let ports = service.map(|service| service.ports.as_slice()).unwrap_or_default();
    let number = crate::api::typed::PortRef::Number(asked);
    ConnectionCause::NoSuchPort {
        asked,
        ports: ports.iter().map(|port| port.port).collect(),
        is_node_port: ports.iter().any(|port| port.node_port == asked),
        is_target: ports.iter().any(|port| port.target == number),
        silent,
    }
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
        DropCause::NoSuchServicePort => no_such_port(cluster, &subject, trace.target.port(), true),
        DropCause::NoSuchService => ConnectionCause::NoSuchService { address },
        DropCause::NoSuchPodRange => ConnectionCause::NobodyHas { address, was: former(cluster, address) },
        DropCause::ClusterNetworkFromOutside => inside_only(cluster, trace.target),
        DropCause::NoRouteBeyond => ConnectionCause::NoWay { address },
        DropCause::NoBalancerTarget => ConnectionCause::NoBalancerTarget,
        DropCause::OwnSource => ConnectionCause::Hairpin,
        DropCause::PingOfService => ConnectionCause::Ping,
        DropCause::Unanswered => ConnectionCause::Unanswered,
    };
    (subject, cause)
}

fn inside_only(cluster: &Cluster, target: SocketAddr) -> ConnectionCause {
    let address = target.ip();
    let pod = cluster.indexes().pods_at(address).next().cloned();
    let of = service_at(cluster, target).or(pod);
    let object = of.as_ref().and_then(|key| cluster.get(key));
    let service = object.and_then(|object| object.as_service());
    let ports = service.map(|service| service.ports.as_slice()).unwrap_or_default();
    let asked = ports.iter().find(|port| port.port == target.port()).or(ports.first());
    let node_port = asked.map_or(0, |port| port.node_port);
    let local = service.is_some_and(|service| service.external_policy == Policy::Local);
    let node = if node_port == 0 || local { None } else { any_node(cluster) };
    let instead = node.map(|node| SocketAddr::new(node, node_port));
    ConnectionCause::InsideOnly { address, of, instead }
}

fn unreachable(cluster: &Cluster, no_route: &NoRoute) -> ConnectionCause {
    match no_route.cause {
        NoRouteCause::NobodyHasAddress => {
            let gone = no_route.packet.destination.ip();
            ConnectionCause::NobodyHas { address: gone, was: former(cluster, gone) }
        }
        NoRouteCause::TimeToLive => ConnectionCause::TimeToLive,
        NoRouteCause::NoSource => ConnectionCause::NoSource,
    }
}

/// The Pod that had an address last, as far as the journal remembers.
fn former(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    let journal = cluster.journal();
    let mut entries = journal.since(journal.oldest().saturating_sub(1))?.rev();
    let had = |entry: &&crate::cluster::journal::Entry| {
        let pod = entry.before.as_ref().and_then(|object| object.as_pod());
        pod.is_some_and(|pod| pod.ips.contains(&address))
    };
    entries.find(had).map(|entry| entry.key.clone())
}
