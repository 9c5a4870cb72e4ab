//! The ways into a Service from outside: external addresses, node ports, traffic policies.
//!
//! Owns the look at them; the causes are [`ServiceCause`]s.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::finding::{Cause, Finding, Severity};
use super::service::{Awaited, ServiceCause};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Affinity, Policy, Service, ServiceType};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::cluster::settings::Cloud;

/// What there is to say about the ways into a Service.
pub(super) fn ways_in(
    cluster: &Cluster,
    key: &Key,
    service: &Service,
    slices: &[Arc<Object>],
) -> Vec<Finding> {
    let finding = |severity, cause| Finding::new(key, severity, Cause::Service(cause));
    let outside = matches!(service.kind, ServiceType::NodePort | ServiceType::LoadBalancer);
    let mut findings = Vec::new();
    if service.kind == ServiceType::LoadBalancer && pending(cluster, key) {
        let instead = service
            .ports
            .iter()
            .find(|port| port.node_port != 0)
            .and_then(|port| any_node(cluster).map(|address| SocketAddr::new(address, port.node_port)));
        let from = match (&service.load_balancer_class, cluster.settings().cloud) {
            (class, _) if !class.is_empty() => Awaited::Class(class.clone()),
            (_, Cloud::Off) => Awaited::Nobody,
            _ => Awaited::Cloud,
        };
        let field = if matches!(from, Awaited::Class(_)) { "spec.loadBalancerClass" } else { "spec.type" };
        let none = from == Awaited::Nobody;
        let mut pending = finding(Severity::Note, ServiceCause::Pending { from, instead }).at(field);
        if let Some(address) = instead {
            pending = pending.command(format!("curl http://{address}"));
        }
        if none {
            pending = pending.command("world cloud=on".to_owned());
        }
        findings.push(pending);
    }
    let policies = [
        (true, outside && service.external_policy == Policy::Local),
        (false, service.internal_policy == Policy::Local),
    ];
    for (external, _) in policies.into_iter().filter(|(_, local)| *local) {
        let (with, without) = split_nodes(cluster, slices);
        if with.is_empty() || without.is_empty() {
            continue;
        }
        let field = if external { "spec.externalTrafficPolicy" } else { "spec.internalTrafficPolicy" };
        let cause = ServiceCause::LocalOnly { external, with, without };
        let mut found = finding(Severity::Note, cause).at(field);
        found.fixes.extend(super::remedy::set(key, field.trim_start_matches("spec."), "Cluster"));
        findings.push(found);
    }
    if matches!(service.affinity, Affinity::ClientIp { .. })
        && outside
        && service.external_policy == Policy::Cluster
    {
        findings.push(finding(Severity::Note, ServiceCause::AffinityBehindNode).at("spec.sessionAffinity"));
    }
    findings
}

fn pending(cluster: &Cluster, key: &Key) -> bool {
    cluster.get(key).is_some_and(|object| {
        object.value.at(&["status", "loadBalancer", "ingress"]).items().is_empty()
            && object.spec().get("externalIPs").items().is_empty()
    })
}

/// The address of a worker node, or of any node.
pub(super) fn any_node(cluster: &Cluster) -> Option<IpAddr> {
    let nodes = || cluster.list(Kind::Node, None).filter_map(|object| object.as_node());
    nodes().find(|node| node.taints.is_empty()).or_else(|| nodes().next())?.address()
}

/// The address of a node that has a ready endpoint of a Service.
pub(super) fn node_with_endpoint(cluster: &Cluster, service: &Key) -> Option<IpAddr> {
    let (with, _) = split_nodes(cluster, &super::service::slices(cluster, service));
    let node = with.into_iter().find_map(|name| cluster.find(Kind::Node, "", &name))?;
    node.as_node()?.address()
}

/// Nodes with a ready endpoint in the slices, and nodes without.
fn split_nodes(cluster: &Cluster, slices: &[Arc<Object>]) -> (Vec<SmolStr>, Vec<SmolStr>) {
    let endpoints =
        slices.iter().filter_map(|object| object.as_endpoint_slice()).flat_map(|one| &one.endpoints);
    let with: BTreeSet<&SmolStr> = endpoints.filter(|one| one.ready).map(|one| &one.node).collect();
    cluster.list(Kind::Node, None).map(|node| node.name().clone()).partition(|name| with.contains(name))
}

/// The Service that has an address among its `externalIPs`.
pub(super) fn of_external_ip(cluster: &Cluster, address: IpAddr) -> Option<Key> {
    let has = |object: &&Arc<Object>| {
        object.as_service().is_some_and(|service| service.external_ips.contains(&address))
    };
    cluster.list(Kind::Service, None).find(has).map(|object| object.key.clone())
}
