//! Services: why one has no endpoints, or answers otherwise than one thinks.
//!
//! Owns [`ServiceCause`] and the look at one Service: readiness, ports. What a selector matches is in [`super::selector`]; what concerns only the ways in
//! from outside is in [`super::external`]; what is wrong with its Pods is asked of [`super::pod`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::external;
use super::finding::{Cause, Finding, Fix, Severity, in_namespace};
use super::near::{self, Nearest};
use super::pod::{self, PodCause};
use super::selector;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::typed::{PortRef, Protocol, Service, ServicePort, ServiceType};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::open_ports;

/// The label by which a slice belongs to a Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// How many Pods or endpoints a finding names; it counts the rest.
const NAMED: usize = 3;

/// A Pod that is not ready, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Unready {
    /// The Pod.
    pub pod: Key,
    /// Why.
    pub cause: PodCause,
}

/// One way to a Service: an address, and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The Service's port.
    pub port: u16,
    /// The port on every node, or 0.
    pub node_port: u16,
    /// The address that a client uses: the ClusterIP, or nothing for a headless Service.
    pub address: Option<SocketAddr>,
    /// The endpoints that kube-proxy chooses from.
    pub endpoints: Vec<SocketAddr>,
}

/// Who should give a Service its external address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Nobody: the cluster has no cloud.
    Nobody,
    /// The cloud, which has not answered yet.
    Cloud,
    /// The controller of this `loadBalancerClass`, which does not run here.
    Class(SmolStr),
}

/// What can be the matter with a Service.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceCause {
    /// Nothing: this is how a packet goes.
    Works {
        /// Its ports.
        routes: Vec<Route>,
        /// Whether clients get the Pods' own addresses from DNS.
        headless: bool,
    },
    /// The selector matches no Pod of the namespace.
    NothingMatches {
        /// The selector, `key=value,…`.
        selector: String,
        /// The Pod that comes nearest.
        nearest: Option<Nearest>,
        /// How many Pods the namespace has.
        pods: usize,
    },
    /// The selector matches no Pod here, but does in another namespace.
    MatchesElsewhere {
        /// The selector, `key=value,…`.
        selector: String,
        /// The other namespace.
        namespace: SmolStr,
        /// How many Pods match there.
        pods: usize,
    },
    /// The selector fits the Pods of a workload that is told to have none.
    ScaledToZero {
        /// The workload.
        workload: Key,
    },
    /// Pods match, and none of them (or not all) is ready.
    NotReady {
        /// How many are ready.
        ready: usize,
        /// How many match.
        of: usize,
        /// Some that are not, with the reason.
        unready: Vec<Unready>,
    },
    /// `targetPort` is a name that Pods do not declare.
    NoSuchNamedPort {
        /// The name.
        name: SmolStr,
        /// A Pod that lacks it.
        pod: Key,
        /// The names and numbers that it declares.
        declared: Vec<(SmolStr, u16)>,
    },
    /// Nothing in the Pod listens on the target port.
    NothingListens {
        /// The Service's port.
        port: u16,
        /// The port of the Pod that it leads to.
        target: u16,
        /// The protocol.
        protocol: Protocol,
        /// A Pod in which nothing listens there.
        pod: Key,
        /// The ports of that protocol that are open in it.
        open: Vec<u16>,
        /// Whether the Pod declares the target as a `containerPort`.
        declared: bool,
    },
    /// The process listens for 127.0.0.1 only.
    OnlyLoopback {
        /// The port.
        target: u16,
        /// A Pod in which it is so.
        pod: Key,
        /// The container.
        container: SmolStr,
    },
    /// There is no selector, and no EndpointSlice belongs to the Service.
    NoSelector {
        /// Slices of the namespace that no controller made and that carry no label of this Service.
        unlabelled: Vec<SmolStr>,
    },
    /// It has endpoints, and none that kube-proxy uses: not ready, or ending without serving any more.
    NoUsableEndpoint {
        /// How many are not ready.
        not_ready: usize,
        /// How many are on their way out.
        terminating: usize,
        /// A slice that names them.
        slice: SmolStr,
    },
    /// Headless, with several Pods: nothing balances.
    HeadlessUnbalanced {
        /// How many Pods the name stands for.
        pods: usize,
    },
    /// It is only an alias in DNS.
    Alias {
        /// The name that it stands for.
        target: SmolStr,
    },
    /// Headless, with ports that differ: clients must use the Pods' own.
    HeadlessPort {
        /// The Service's port.
        port: u16,
        /// The port that is really used.
        target: PortRef,
    },
    /// Pods of several workloads match.
    TooBroad {
        /// The workloads, and how many Pods of each.
        workloads: Vec<(Key, usize)>,
        /// A label that tells them apart: its key, and the values in the same order.
        distinguishing: Option<(SmolStr, Vec<SmolStr>)>,
    },
    /// No load balancer has given it an external address.
    Pending {
        /// Who should.
        from: Awaited,
        /// A node port that works meanwhile, with a node's address.
        instead: Option<SocketAddr>,
    },
    /// A `Local` traffic policy: some nodes have no endpoint of their own.
    LocalOnly {
        /// Whether it is `externalTrafficPolicy`.
        external: bool,
        /// Nodes with a ready endpoint.
        with: Vec<SmolStr>,
        /// Nodes without.
        without: Vec<SmolStr>,
    },
    /// Session affinity by client address, where kube-proxy's masquerading or the network hides clients.
    AffinityBehindNode,
}

/// What is the matter with a Service, worst first. Never empty for a Service that exists.
#[must_use]
pub fn service(cluster: &Cluster, key: &Key) -> Vec<Finding> {
    let Some(object) = cluster.get(key) else { return Vec::new() };
    let Some(service) = object.as_service() else { return Vec::new() };
    let finding = |severity, cause| Finding::new(key, severity, Cause::Service(cause));
    if service.kind == ServiceType::ExternalName {
        let target = service.external_name.clone();
        return vec![finding(Severity::Note, ServiceCause::Alias { target }).at("spec.externalName")];
    }
    let slices = slices(cluster, key);
    let mut findings = Vec::new();
    match &service.selector {
        None if slices.is_empty() => findings.push(no_selector(cluster, key)),
        None => {}
        Some(labels) => {
            let pods = selected(cluster, key, labels);
            if pods.is_empty() {
                findings.push(selector::nothing_matches(cluster, key, object, labels));
            } else {
                findings.extend(ports(cluster, key, service, &pods));
                findings.extend(readiness(cluster, key, service, &pods));
                findings.extend(selector::too_broad(cluster, key, object, &pods));
            }
        }
    }
    findings.extend(external::ways_in(cluster, key, service, &slices));
    if service.headless {
        findings.extend(headless_ports(key, service));
        findings.extend(unbalanced(cluster, key, &slices));
    }
    if findings.iter().all(|finding| finding.severity != Severity::Problem) {
        findings.extend(unusable(key, &slices));
    }
    if findings.iter().all(|finding| finding.severity != Severity::Problem) {
        let routes = routes(service, &slices);
        findings.push(finding(Severity::Fine, ServiceCause::Works { routes, headless: service.headless }));
    }
    findings.sort_by_key(|finding| (finding.severity == Severity::Note, finding.severity));
    findings
}

/// The EndpointSlices of a Service.
pub(super) fn slices(cluster: &Cluster, key: &Key) -> Vec<Arc<Object>> {
    let mut selector = Selector::default();
    let pairs = crate::api::value::Value::from_iter([(SERVICE_NAME, (&key.name).into())]);
    if let Some(by_name) = Selector::of_pairs(&pairs) {
        selector = by_name;
    }
    cluster.matching(Kind::EndpointSlice, &key.namespace, &selector)
}

/// Pods that a selector selects and that are not on their way out.
pub(super) fn selected(cluster: &Cluster, key: &Key, selector: &Selector) -> Vec<Arc<Object>> {
    let mut pods = cluster.matching(Kind::Pod, &key.namespace, selector);
    pods.retain(|object| !object.is_terminating());
    pods
}

fn no_selector(cluster: &Cluster, key: &Key) -> Finding {
    let by_hand = |object: &&Arc<Object>| {
        object.controller().is_none()
            && object.as_endpoint_slice().is_some_and(|slice| slice.service.is_empty())
    };
    let all = cluster.list(Kind::EndpointSlice, Some(&key.namespace)).filter(by_hand);
    let unlabelled: Vec<SmolStr> = all.map(|object| object.name().clone()).collect();
    let label = unlabelled.first().map(|slice| {
        format!("kubectl label endpointslice {slice} {SERVICE_NAME}={}{}", key.name, in_namespace(key))
    });
    let mut finding =
        Finding::new(key, Severity::Problem, Cause::Service(ServiceCause::NoSelector { unlabelled }));
    finding.fixes.extend(label.map(Fix::Command));
    finding.at("spec").edit("spec.selector", "{ app: … }")
}

fn readiness(cluster: &Cluster, key: &Key, service: &Service, pods: &[Arc<Object>]) -> Option<Finding> {
    let is_ready = |object: &&Arc<Object>| object.as_pod().is_some_and(|pod| pod.ready);
    let ready = pods.iter().filter(is_ready).count();
    if ready == pods.len() {
        return None;
    }
    let unready: Vec<Unready> = pods
        .iter()
        .filter(|object| !is_ready(object))
        .take(NAMED)
        .map(|object| Unready { pod: object.key.clone(), cause: pod::cause(cluster, object) })
        .collect();
    let severity = if ready == 0 && !service.publish_not_ready { Severity::Problem } else { Severity::Note };
    let fixes = unready.first().map(|one| pod::fixes(cluster, &one.pod, &one.cause)).unwrap_or_default();
    let cause = ServiceCause::NotReady { ready, of: pods.len(), unready };
    let mut finding = Finding::new(key, severity, Cause::Service(cause));
    finding.fixes = fixes;
    Some(finding)
}

/// The port of a Pod that a Service port leads to.
pub(super) fn target_of(pod: &Object, port: &ServicePort) -> Option<u16> {
    match &port.target {
        PortRef::Number(number) => Some(*number),
        PortRef::Name(name) => {
            let containers = &pod.as_pod()?.spec.containers;
            let mut declared = containers.iter().flat_map(|container| &container.ports);
            declared.find(|one| one.name == *name && one.protocol == port.protocol).map(|one| one.port)
        }
    }
}

/// Ports that lead nowhere.
fn ports(cluster: &Cluster, key: &Key, service: &Service, pods: &[Arc<Object>]) -> Vec<Finding> {
    let faults = service.ports.iter().enumerate().filter_map(|(index, port)| {
        let (cause, target) = pods.iter().find_map(|pod| port_fault(pod, port))?;
        let field = format!("spec.ports[{index}].targetPort");
        let finding = Finding::new(key, Severity::Problem, Cause::Service(cause.clone())).at(field.clone());
        if let ServiceCause::OnlyLoopback { pod, .. } = &cause {
            let everywhere = super::remedy::listen_everywhere(cluster, pod);
            return Some(everywhere.into_iter().fold(finding, Finding::fix));
        }
        let Some(target) = target else { return Some(finding) };
        let quoted = match &target {
            PortRef::Number(number) => number.to_string(),
            PortRef::Name(name) => format!("\"{name}\""),
        };
        let command = format!(
            "kubectl patch svc {} -p '{{\"spec\":{{\"ports\":[{{\"port\":{},\"targetPort\":{quoted}}}]}}}}'{}",
            key.name,
            port.port,
            in_namespace(key)
        );
        Some(finding.command(command).edit(field, target.to_string()))
    });
    faults.collect()
}

/// What is wrong with a Service port in one Pod, and the target that would be right, if one is clear.
fn port_fault(object: &Object, port: &ServicePort) -> Option<(ServiceCause, Option<PortRef>)> {
    let pod = object.as_pod()?;
    let declared = || pod.spec.containers.iter().flat_map(|container| &container.ports);
    let Some(target) = target_of(object, port) else {
        let PortRef::Name(name) = &port.target else { return None };
        let same = declared().filter(|one| one.protocol == port.protocol);
        let declared: Vec<(SmolStr, u16)> = same.map(|one| (one.name.clone(), one.port)).collect();
        let names = declared.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty());
        let meant = near::nearest(name, names.clone()).map(|name| PortRef::Name(name.into()));
        let only = match declared.as_slice() {
            [(name, number)] if name.is_empty() => Some(PortRef::Number(*number)),
            [(name, _)] => Some(PortRef::Name(name.clone())),
            _ => None,
        };
        let pod = object.key.clone();
        let cause = ServiceCause::NoSuchNamedPort { name: name.clone(), pod, declared: declared.clone() };
        return Some((cause, meant.or(only)));
    };
    let open = open_ports(object);
    if pod.phase != "Running" || !pod.ready && open.is_empty() {
        return None;
    }
    let mut fitting = open.iter().filter(|(_, one)| one.port == target && one.protocol == port.protocol);
    if fitting.clone().any(|(_, one)| !one.loopback) {
        return None;
    }
    if let Some((container, _)) = fitting.next() {
        let (pod, container) = (object.key.clone(), container.clone());
        return Some((ServiceCause::OnlyLoopback { target, pod, container }, None));
    }
    let reachable = open.iter().filter(|(_, one)| one.protocol == port.protocol && !one.loopback);
    let mut numbers: Vec<u16> = reachable.map(|(_, one)| one.port).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let right = match numbers.as_slice() {
        [only] => Some(PortRef::Number(*only)),
        several if several.contains(&port.port) => Some(PortRef::Number(port.port)),
        _ => None,
    };
    let cause = ServiceCause::NothingListens {
        port: port.port,
        target,
        protocol: port.protocol,
        pod: object.key.clone(),
        open: numbers,
        declared: declared().any(|one| one.port == target && one.protocol == port.protocol),
    };
    Some((cause, right))
}

fn headless_ports(key: &Key, service: &Service) -> Option<Finding> {
    let differs = |port: &&ServicePort| port.target != PortRef::Number(port.port);
    let (index, port) = service.ports.iter().enumerate().find(|(_, port)| differs(port))?;
    let cause = ServiceCause::HeadlessPort { port: port.port, target: port.target.clone() };
    let field = format!("spec.ports[{index}].port");
    Some(Finding::new(key, Severity::Note, Cause::Service(cause)).at(field))
}

/// Endpoints of which none is used.
fn unusable(key: &Key, slices: &[Arc<Object>]) -> Option<Finding> {
    let decoded = || slices.iter().filter_map(|object| object.as_endpoint_slice());
    let endpoints = || decoded().flat_map(|slice| &slice.endpoints);
    let used = endpoints().any(|one| one.ready || one.serving && one.terminating);
    if used || endpoints().next().is_none() {
        return None;
    }
    let terminating = endpoints().filter(|one| one.terminating).count();
    let not_ready = endpoints().count() - terminating;
    let slice = slices.first()?.name().clone();
    let namespace = in_namespace(key);
    let command = format!("kubectl get endpointslice {slice} -o yaml{namespace}");
    let cause = ServiceCause::NoUsableEndpoint { not_ready, terminating, slice };
    Some(Finding::new(key, Severity::Problem, Cause::Service(cause)).command(command))
}

/// A name that stands for several Pods, with nobody between who balances.
fn unbalanced(cluster: &Cluster, key: &Key, slices: &[Arc<Object>]) -> Option<Finding> {
    let endpoints =
        slices.iter().filter_map(|object| object.as_endpoint_slice()).flat_map(|one| &one.endpoints);
    let pods = endpoints.filter(|endpoint| endpoint.ready).count();
    if pods < 2 {
        return None;
    }
    let cause = ServiceCause::HeadlessUnbalanced { pods };
    let mut finding = Finding::new(key, Severity::Note, Cause::Service(cause)).at("spec.clusterIP");
    finding.fixes.extend(super::spread::with_address(cluster, key));
    Some(finding)
}

/// How packets go, by the EndpointSlices that kube-proxy reads.
pub(super) fn routes(service: &Service, slices: &[Arc<Object>]) -> Vec<Route> {
    let route = |port: &ServicePort| {
        let mut endpoints = Vec::new();
        for slice in slices.iter().filter_map(|object| object.as_endpoint_slice()) {
            let same = |one: &&crate::api::typed::EndpointPort| {
                one.name == port.name && one.protocol == port.protocol
            };
            for target in slice.ports.iter().filter(same) {
                let ready = slice.endpoints.iter().filter(|endpoint| endpoint.ready);
                let address = |ip: &IpAddr| SocketAddr::new(*ip, target.port);
                endpoints.extend(ready.filter_map(|endpoint| endpoint.addresses.first().map(address)));
            }
        }
        endpoints.sort_unstable();
        endpoints.dedup();
        Route {
            port: port.port,
            node_port: port.node_port,
            address: service.cluster_ip().map(|ip| SocketAddr::new(ip, port.port)),
            endpoints,
        }
    };
    service.ports.iter().map(route).collect()
}
