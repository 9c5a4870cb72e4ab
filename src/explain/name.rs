//! Names: why one does not resolve.
//!
//! Owns [`NameCause`]: the search path, other namespaces, headless Services without Pods, DNS itself being away.
//! Sources: <https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/>.

use std::net::SocketAddr;

use super::external::{any_node, node_with_endpoint};
use super::finding::{Cause, Finding, Fix, Severity};
use super::service::{routes, slices};
use super::{near, remedy};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::{Policy, ServiceType};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::{Reference, commands};
use crate::network::Origin;

/// The newest busybox whose nslookup uses the search path for names with a dot.
const LAST_SEARCHING_BUSYBOX: (u32, u32) = (1, 28);

/// What can be the matter with a name.
#[derive(Clone, Debug, PartialEq)]
pub enum NameCause {
    /// It resolves now.
    Resolves {
        /// The Service's full name.
        full: String,
        /// Whether the asker's nslookup counts every search domain without the name as a failure.
        noisy: bool,
    },
    /// The asker is no Pod: nodes and machines outside do not ask the cluster's DNS.
    NotInAPod {
        /// The Service that is meant, if there is one.
        service: Option<Key>,
        /// Its address, which nodes can use.
        address: Option<String>,
        /// Whether the asker is a node.
        on_node: bool,
    },
    /// The Service is in another namespace.
    OtherNamespace {
        /// The namespace of the Pod that asks.
        own: SmolStr,
        /// The Service.
        service: Key,
    },
    /// There is no such Service.
    NoSuchService {
        /// The name looked for.
        name: SmolStr,
        /// The namespace that was looked in.
        namespace: SmolStr,
        /// A Service whose name looks alike.
        nearest: Option<Key>,
    },
    /// There is no such namespace.
    NoSuchNamespace {
        /// The namespace.
        namespace: SmolStr,
        /// One whose name looks alike.
        nearest: Option<SmolStr>,
    },
    /// A headless Service without ready Pods has no addresses.
    NoReadyPods {
        /// The Service.
        service: Key,
    },
    /// An ExternalName Service whose target has no address here.
    AliasUnresolved {
        /// The name that it stands for.
        target: SmolStr,
    },
    /// busybox' nslookup does not use the search path for names with a dot.
    NotSearched {
        /// The full name, which works.
        full: String,
    },
    /// DNS itself has no endpoints.
    DnsAway {
        /// The Service of DNS.
        service: Key,
    },
    /// It is the name of a Pod, and Pods have no names of their own in DNS.
    PodName {
        /// The Pod.
        pod: Key,
    },
}

/// A name split into what it can mean.
struct Parts<'a> {
    service: &'a str,
    namespace: Option<&'a str>,
}

fn parts(name: &str) -> Parts<'_> {
    let name = name.trim_end_matches('.');
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    let name = name.strip_suffix(".svc").unwrap_or(name);
    let mut labels = name.rsplit('.');
    match (labels.next(), labels.next()) {
        (Some(service), None) => Parts { service, namespace: None },
        (namespace, Some(service)) => Parts { service, namespace },
        (None, None) => Parts { service: name, namespace: None },
    }
}

/// Why a name does not resolve for somebody.
#[must_use]
pub fn name(cluster: &Cluster, from: &Origin, name: &str) -> Vec<Finding> {
    let parts = parts(name);
    let full = |key: &Key| format!("{}.{}.svc.cluster.local", key.name, key.namespace);
    let service =
        |namespace: &str| cluster.find(Kind::Service, namespace, parts.service).map(|one| one.key.clone());
    let found = |subject: &Key, cause| vec![Finding::new(subject, Severity::Problem, Cause::Name(cause))];
    let nobody = Key::new(Kind::Service, "", "");
    let Origin::Pod(pod) = from else {
        let service =
            service(parts.namespace.unwrap_or("default")).or_else(|| anywhere(cluster, parts.service));
        let on_node = matches!(from, Origin::Node(_));
        let object = service.as_ref().and_then(|key| cluster.get(key)).and_then(|object| object.as_service());
        let address = object.and_then(|service| {
            let port = service.ports.first().map_or(0, |port| port.port);
            service.cluster_ip().map(|ip| SocketAddr::new(ip, port).to_string())
        });
        let subject = service.clone().unwrap_or(nobody);
        let fixes = match &service {
            Some(key) => outside_pods(cluster, key, address.as_deref().filter(|_| on_node)),
            None => vec![Fix::Command("kubectl get svc -A".to_owned())],
        };
        let mut findings = found(&subject, NameCause::NotInAPod { service, address, on_node });
        findings[0].fixes = fixes;
        return findings;
    };
    if let Some(findings) = dns_away(cluster) {
        return findings;
    }
    let namespace = parts.namespace.unwrap_or(&pod.namespace);
    if let Some(key) = service(namespace) {
        let object = cluster.get(&key).and_then(|object| object.as_service());
        if let Some(alias) = object.filter(|service| service.kind == ServiceType::ExternalName) {
            let target = alias.external_name.clone();
            let command = format!("nslookup {target}");
            let cause = NameCause::AliasUnresolved { target };
            let one = Finding::new(&key, Severity::Problem, Cause::Name(cause));
            return vec![one.at("spec.externalName").command(command)];
        }
        let headless = object.is_some_and(|service| service.headless);
        let none = object.is_some_and(|service| {
            routes(service, &slices(cluster, &key)).iter().all(|route| route.endpoints.is_empty())
        });
        if headless && none {
            let mut findings = found(&key, NameCause::NoReadyPods { service: key.clone() });
            let about = super::service::service(cluster, &key);
            findings.extend(about.into_iter().filter(|finding| finding.severity == Severity::Problem));
            return findings;
        }
        if name.contains('.') && !name.contains("cluster.local") && new_busybox(cluster, pod) {
            let cause = NameCause::NotSearched { full: full(&key) };
            let command = format!("nslookup {}", full(&key));
            return found(&key, cause).into_iter().map(|finding| finding.command(command.clone())).collect();
        }
        let noisy = !name.contains('.') && new_busybox(cluster, pod);
        let cause = NameCause::Resolves { full: full(&key), noisy };
        return vec![Finding::new(&key, Severity::Fine, Cause::Name(cause))];
    }
    if let (None, Some(key)) = (parts.namespace, anywhere(cluster, parts.service)) {
        let command = format!("nslookup {}.{}", key.name, key.namespace);
        let command = if new_busybox(cluster, pod) { format!("nslookup {}", full(&key)) } else { command };
        let cause = NameCause::OtherNamespace { own: pod.namespace.clone(), service: key.clone() };
        return found(&key, cause).into_iter().map(|finding| finding.command(command.clone())).collect();
    }
    if cluster.find(Kind::Namespace, "", namespace).is_none() {
        let names = cluster.list(Kind::Namespace, None).map(|object| object.name().as_str());
        let nearest = near::nearest(namespace, names).map(SmolStr::new);
        let command = match &nearest {
            Some(nearest) => format!("nslookup {}.{nearest}", parts.service),
            None => "kubectl get namespaces".to_owned(),
        };
        let cause = NameCause::NoSuchNamespace { namespace: namespace.into(), nearest };
        return found(&nobody, cause).into_iter().map(|finding| finding.command(command.clone())).collect();
    }
    if cluster.find(Kind::Pod, namespace, parts.service).is_some() {
        let pod = Key::new(Kind::Pod, namespace, parts.service);
        let command =
            format!("kubectl expose pod {} --port=80{}", pod.name, super::finding::in_namespace(&pod));
        let cause = NameCause::PodName { pod: pod.clone() };
        return found(&pod, cause).into_iter().map(|finding| finding.command(command.clone())).collect();
    }
    let all = cluster.list(Kind::Service, Some(namespace)).map(|object| object.name().as_str());
    let nearest = near::nearest(parts.service, all).map(|name| Key::new(Kind::Service, namespace, name));
    let cause = NameCause::NoSuchService {
        name: parts.service.into(),
        namespace: namespace.into(),
        nearest: nearest.clone(),
    };
    let mut findings = found(&nobody, cause);
    findings[0].fixes.push(Fix::Command(match nearest {
        Some(key) => format!("nslookup {}", key.name),
        None => format!("kubectl get svc -n {namespace}"),
    }));
    findings
}

/// What works where no cluster name does: on a node the address inside the cluster, outside a node port.
fn outside_pods(cluster: &Cluster, key: &Key, address: Option<&str>) -> Vec<Fix> {
    if let Some(address) = address {
        return vec![Fix::Command(format!("curl http://{address}"))];
    }
    let Some(service) = cluster.get(key).and_then(|object| object.as_service()) else { return Vec::new() };
    let node_port = service.ports.iter().map(|port| port.node_port).find(|port| *port != 0);
    let node = match service.external_policy {
        Policy::Local => node_with_endpoint(cluster, key),
        Policy::Cluster => any_node(cluster),
    };
    match node_port.zip(node) {
        Some((port, node)) => vec![Fix::Command(format!("curl http://{}", SocketAddr::new(node, port)))],
        None if service.headless => super::spread::with_address(cluster, key).into_iter().collect(),
        None => remedy::set(key, "type", "NodePort").into(),
    }
}

/// A Service of that name in any namespace.
fn anywhere(cluster: &Cluster, name: &str) -> Option<Key> {
    cluster.list(Kind::Service, None).find(|object| object.name() == name).map(|object| object.key.clone())
}

/// DNS without endpoints explains every failure.
fn dns_away(cluster: &Cluster) -> Option<Vec<Finding>> {
    let key = Key::new(Kind::Service, "kube-system", "kube-dns");
    let service = cluster.get(&key).and_then(|object| object.as_service());
    let serves = service.is_some_and(|service| {
        routes(service, &slices(cluster, &key)).iter().any(|route| !route.endpoints.is_empty())
    });
    if serves {
        return None;
    }
    let cause = Cause::Name(NameCause::DnsAway { service: key.clone() });
    let mut findings = vec![
        Finding::new(&key, Severity::Problem, cause)
            .command("kubectl get pods -n kube-system -l k8s-app=kube-dns".to_owned()),
    ];
    let about = super::service::service(cluster, &key);
    findings.extend(about.into_iter().filter(|finding| finding.severity == Severity::Problem));
    Some(findings)
}

/// Whether a Pod runs a busybox newer than the last one that searches.
fn new_busybox(cluster: &Cluster, pod: &Key) -> bool {
    let containers = cluster.get(pod).and_then(|object| object.as_pod()).map(|pod| &pod.spec.containers);
    let references = containers.into_iter().flatten().filter_map(|one| Reference::parse(&one.image));
    references
        .filter_map(|reference| commands::contents(&reference).busybox)
        .any(|version| version > LAST_SEARCHING_BUSYBOX)
}
