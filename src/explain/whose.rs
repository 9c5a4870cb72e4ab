//! Whose address or port it is: now, or as far as the journal remembers.
//!
//! Owns the lookups from addresses and ports to Services and Pods. What follows from them for a connection is in
//! [`super::connection`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::service::target_of;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{PortRef, Protocol, ServicePort};
use crate::cluster::Cluster;

/// The Service that an address and port lead to: by ClusterIP, external address or node port. Where none has the
/// port, the one that has the address.
#[must_use]
pub fn service_at(cluster: &Cluster, to: SocketAddr, protocol: Option<Protocol>) -> Option<Key> {
    let is_node = cluster.indexes().node_at(to.ip()).is_some();
    let mut by_address = None;
    for object in cluster.list(Kind::Service, None) {
        let Some(service) = object.as_service() else { continue };
        let own = service.cluster_ips.contains(&to.ip())
            || service.external_ips.contains(&to.ip())
            || service.load_balancer_ips.contains(&to.ip());
        let fits = |one: &&ServicePort| {
            let same = protocol.is_none_or(|protocol| protocol == one.protocol);
            same && (own && one.port == to.port() || is_node && to.port() != 0 && one.node_port == to.port())
        };
        if service.ports.iter().any(|one| fits(&one)) {
            return Some(object.key.clone());
        }
        if own && !is_node && by_address.is_none() {
            by_address = Some(object.key.clone());
        }
    }
    by_address
}

/// The Pod that has an address of the Pod network.
pub(super) fn pod_at(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    let has = |object: &&Arc<Object>| {
        object.as_pod().is_some_and(|pod| !pod.spec.host_network && pod.ips.contains(&address))
    };
    cluster.list(Kind::Pod, None).find(has).map(|pod| pod.key.clone())
}

/// The Service that a client on a node's address probably means by a port that is closed there: one whose own
/// port or target port it is, with its node port.
pub(super) fn meant_on_node(cluster: &Cluster, port: u16) -> Option<(Key, u16)> {
    let target = PortRef::Number(port);
    cluster.list(Kind::Service, None).find_map(|object| {
        let ports = object.as_service()?.ports.iter().filter(|one| one.node_port != 0);
        let mut fitting = ports.filter(|one| one.port == port || one.target == target);
        fitting.next().map(|one| (object.key.clone(), one.node_port))
    })
}

/// The port of a Pod that a Service's port stands for, where they differ.
pub(super) fn service_target(cluster: &Cluster, service: &Key, pod: &Key, asked: u16) -> Option<u16> {
    let object = cluster.get(pod)?;
    let ports = &cluster.get(service)?.as_service()?.ports;
    let target = target_of(object, ports.iter().find(|port| port.port == asked)?)?;
    (target != asked).then_some(target)
}

/// The Service whose load balancer has an address that kube-proxy leaves alone.
pub(super) fn by_proxy(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    let names = |object: &&Arc<Object>| {
        let ingress = object.value.at(&["status", "loadBalancer", "ingress"]).items();
        ingress.iter().any(|one| {
            one.get("ipMode").str() == "Proxy"
                && one.get("ip").str().parse().is_ok_and(|ip: IpAddr| ip == address)
        })
    };
    cluster.list(Kind::Service, None).find(names).map(|object| object.key.clone())
}

/// Who had an address last, as far as the journal remembers.
fn former(cluster: &Cluster, had: impl Fn(&Object) -> bool) -> Option<Key> {
    let journal = cluster.journal();
    let mut entries = journal.since(journal.oldest().saturating_sub(1))?.rev();
    let found = entries.find(|entry| entry.before.as_ref().is_some_and(|object| had(object)));
    found.map(|entry| entry.key.clone())
}

pub(super) fn former_pod(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    former(cluster, |object| object.as_pod().is_some_and(|pod| pod.ips.contains(&address)))
}

pub(super) fn former_service(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    former(cluster, |object| {
        object.as_service().is_some_and(|service| service.cluster_ips.contains(&address))
    })
}

pub(super) fn all_node_ports(cluster: &Cluster) -> Vec<(Key, u16)> {
    let mut all = Vec::new();
    for object in cluster.list(Kind::Service, None) {
        let ports = object.as_service().map(|service| service.ports.as_slice()).unwrap_or_default();
        let ports = ports.iter().filter(|port| port.node_port != 0);
        all.extend(ports.map(|port| (object.key.clone(), port.node_port)));
    }
    all
}
