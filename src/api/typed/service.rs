//! The Service as allocators, endpoint controllers, kube-proxy and DNS read it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{PortRef, Protocol, port};
use crate::api::selector::Selector;
use crate::api::value::{SmolStr, Value};

/// What the simulation reads of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `spec.type`.
    pub kind: ServiceType,
    /// `spec.clusterIPs`; empty for headless and ExternalName Services.
    pub cluster_ips: Vec<IpAddr>,
    /// Whether `spec.clusterIP` is `None`.
    pub headless: bool,
    /// `spec.ports`.
    pub ports: Vec<ServicePort>,
    /// `spec.selector`; `None` if it is absent or empty.
    pub selector: Option<Selector>,
    /// `spec.sessionAffinity`.
    pub affinity: Affinity,
    /// `spec.internalTrafficPolicy`.
    pub internal_policy: Policy,
    /// `spec.externalTrafficPolicy`.
    pub external_policy: Policy,
    /// `spec.externalIPs`.
    pub external_ips: Vec<IpAddr>,
    /// `spec.externalName`.
    pub external_name: SmolStr,
    /// `spec.publishNotReadyAddresses`.
    pub publish_not_ready: bool,
    /// `spec.ipFamilies`: `IPv4`, `IPv6`.
    pub families: Vec<SmolStr>,
    /// `spec.loadBalancerSourceRanges`.
    pub source_ranges: Vec<IpNet>,
    /// `spec.loadBalancerClass`, or empty.
    pub load_balancer_class: SmolStr,
    /// `status.loadBalancer.ingress` addresses that kube-proxy handles (`ipMode` VIP).
    pub load_balancer_ips: Vec<IpAddr>,
    /// All addresses of `status.loadBalancer.ingress`.
    pub balancer_ips: Vec<IpAddr>,
    /// Whether the cloud made the load balancer: it then enforces `loadBalancerSourceRanges` itself.
    pub cloud_balanced: bool,
    /// `spec.healthCheckNodePort`, or 0.
    pub health_check_port: u16,
    /// `spec.trafficDistribution`, or empty.
    pub traffic_distribution: SmolStr,
}

/// `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceType {
    /// An address inside the cluster (or headless).
    ClusterIp,
    /// In addition a port on every node.
    NodePort,
    /// In addition a load balancer outside.
    LoadBalancer,
    /// A DNS alias.
    ExternalName,
}

/// `spec.sessionAffinity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Each connection is balanced anew.
    None,
    /// One client address keeps its backend for so many seconds.
    ClientIp {
        /// `sessionAffinityConfig.clientIP.timeoutSeconds`.
        timeout_seconds: u32,
    },
}

/// `spec.internalTrafficPolicy` and `spec.externalTrafficPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Any endpoint.
    Cluster,
    /// Only endpoints on the node.
    Local,
}

/// One entry of `spec.ports`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// Its name, or empty.
    pub name: SmolStr,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port of the Service.
    pub port: u16,
    /// The port of the Pods; the Service's own port where it is absent.
    pub target: PortRef,
    /// The port on every node, or 0.
    pub node_port: u16,
    /// `appProtocol`, or empty.
    pub app_protocol: SmolStr,
}

/// The finalizer of Services whose load balancer a cloud made.
pub const CLOUD_FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";

fn addresses(list: &Value) -> Vec<IpAddr> {
    list.items().iter().filter_map(|ip| ip.str().parse().ok()).collect()
}

fn policy(value: &Value) -> Policy {
    if value.str() == "Local" { Policy::Local } else { Policy::Cluster }
}

impl Service {
    pub(super) fn of(value: &Value) -> Self {
        let spec = value.get("spec");
        let timeout = spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]).as_int();
        let ingress = || value.at(&["status", "loadBalancer", "ingress"]).items().iter();
        let address = |entry: &Value| entry.get("ip").str().parse().ok();
        let handled = ingress().filter(|entry| entry.get("ipMode").str() != "Proxy");
        let finalizers = value.at(&["metadata", "finalizers"]).items();
        Self {
            kind: match spec.get("type").str() {
                "NodePort" => ServiceType::NodePort,
                "LoadBalancer" => ServiceType::LoadBalancer,
                "ExternalName" => ServiceType::ExternalName,
                _ => ServiceType::ClusterIp,
            },
            cluster_ips: addresses(spec.get("clusterIPs")),
            headless: spec.get("clusterIP").str() == "None",
            ports: spec.get("ports").items().iter().map(ServicePort::of).collect(),
            selector: Selector::of_pairs(spec.get("selector")),
            affinity: match spec.get("sessionAffinity").str() {
                "ClientIP" => Affinity::ClientIp {
                    timeout_seconds: timeout.and_then(|t| u32::try_from(t).ok()).unwrap_or(10_800),
                },
                _ => Affinity::None,
            },
            internal_policy: policy(spec.get("internalTrafficPolicy")),
            external_policy: policy(spec.get("externalTrafficPolicy")),
            external_ips: addresses(spec.get("externalIPs")),
            external_name: spec.get("externalName").smol(),
            publish_not_ready: spec.get("publishNotReadyAddresses").as_bool().unwrap_or(false),
            families: spec.get("ipFamilies").items().iter().map(Value::smol).collect(),
            source_ranges: spec
                .get("loadBalancerSourceRanges")
                .items()
                .iter()
                .filter_map(|range| range.str().trim().parse().ok())
                .collect(),
            load_balancer_class: spec.get("loadBalancerClass").smol(),
            load_balancer_ips: handled.filter_map(address).collect(),
            balancer_ips: ingress().filter_map(address).collect(),
            cloud_balanced: finalizers.iter().any(|one| one.str() == CLOUD_FINALIZER),
            health_check_port: port(spec.get("healthCheckNodePort")),
            traffic_distribution: spec.get("trafficDistribution").smol(),
        }
    }

    /// The primary cluster address, if it has one.
    #[must_use]
    pub fn cluster_ip(&self) -> Option<IpAddr> {
        self.cluster_ips.first().copied()
    }
}

impl ServicePort {
    fn of(value: &Value) -> Self {
        let number = port(value.get("port"));
        Self {
            name: value.get("name").smol(),
            protocol: Protocol::of(value.get("protocol")),
            port: number,
            target: PortRef::of(value.get("targetPort")).unwrap_or(PortRef::Number(number)),
            node_port: port(value.get("nodePort")),
            app_protocol: value.get("appProtocol").smol(),
        }
    }
}
