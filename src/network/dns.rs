//! DNS as CoreDNS answers it for a cluster.
//!
//! Owns questions, answers, and what the `kubernetes` plugin knows: Services, their endpoints, Pods by address,
//! and reverse names, all under `cluster.local`. It moves no packets (a question travels to kube-dns like any
//! datagram) and knows no search lists: those belong to the asking host. Rules: the Kubernetes DNS
//! specification (<https://github.com/kubernetes/dns/blob/master/docs/specification.md>) and the recorded tools.
//! Of names outside the cluster only those of hosts outside have an answer: Portside has no internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::topology::OutsideHost;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::typed::{Endpoint, EndpointSlice, Protocol, Service, ServiceType};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::value;

/// The cluster's domain.
pub const DOMAIN: &str = "cluster.local";

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name for the same thing.
    Cname,
    /// The name of an address.
    Ptr,
    /// Host and port of a service.
    Srv,
    /// Text; nothing in a cluster has any.
    Txt,
}

impl RecordKind {
    /// The type of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            "CNAME" => Self::Cname,
            "PTR" => Self::Ptr,
            "SRV" => Self::Srv,
            "TXT" => Self::Txt,
            _ => return None,
        })
    }

    /// The type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The true name.
    Cname(SmolStr),
    /// The name of an address.
    Ptr(SmolStr),
    /// Host and port.
    Srv {
        /// Lower ones are used first.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host's name.
        target: SmolStr,
    },
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose record it is, without a final dot.
    pub name: SmolStr,
    /// What it says.
    pub data: Data,
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The name exists (perhaps without a record of that type).
    NoError,
    /// The name does not exist.
    NxDomain,
    /// The server could not find out.
    ServFail,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub code: Code,
    /// Whether the server answers for the name itself.
    pub authoritative: bool,
    /// The records, addresses in random order.
    pub records: Vec<Record>,
}

/// Seconds for which CoreDNS lets its answers be kept.
pub const TTL_SECONDS: u32 = 30;

/// What a server outside the cluster answers: it knows no name of the cluster, only those of hosts outside.
#[must_use]
pub fn outside_answer(outside: &[OutsideHost], name: &str, kind: RecordKind) -> Answer {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let hosts: Vec<&OutsideHost> =
        outside.iter().filter(|host| host.names.iter().any(|one| *one == name)).collect();
    let records = hosts.iter().filter_map(|host| address_record(&name, host.address, kind)).collect();
    let code = if hosts.is_empty() { Code::NxDomain } else { Code::NoError };
    Answer { code, authoritative: false, records }
}

/// What CoreDNS answers. Addresses come in random order (its `loadbalance` plugin). Questions about other names
/// than the cluster's are forwarded to a server that knows the hosts outside.
pub fn answer(cluster: &mut Cluster, outside: &[OutsideHost], name: &str, kind: RecordKind) -> Answer {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let mut answer = if name.ends_with(".in-addr.arpa") || name.ends_with(".ip6.arpa") {
        reverse(cluster, &name, kind)
    } else if name == DOMAIN || name.ends_with(&format!(".{DOMAIN}")) {
        let mut answer = forward(cluster, &name, kind);
        // CoreDNS looks up what an alias leads to (`upstream`).
        if let Some(Record { data: Data::Cname(target), .. }) = answer.records.last()
            && kind != RecordKind::Cname
        {
            answer.records.extend(outside_answer(outside, target, kind).records);
        }
        answer
    } else {
        outside_answer(outside, &name, kind)
    };
    cluster.random().shuffle(&mut answer.records);
    // An alias stands before what it leads to.
    answer.records.sort_by_key(|record| !matches!(record.data, Data::Cname(_)));
    answer
}

/// The name exists; these are its records.
fn found(records: Vec<Record>) -> Answer {
    Answer { code: Code::NoError, authoritative: true, records }
}

fn missing() -> Answer {
    Answer { code: Code::NxDomain, authoritative: true, records: Vec::new() }
}

/// Names under the cluster's domain.
fn forward(cluster: &Cluster, name: &str, kind: RecordKind) -> Answer {
    let labels: Vec<&str> =
        name.strip_suffix(DOMAIN).unwrap_or("").trim_end_matches('.').split('.').rev().collect();
    match labels.as_slice() {
        [""] | ["svc" | "pod"] => found(Vec::new()),
        ["svc" | "pod", namespace] => {
            let exists = cluster.find(Kind::Namespace, "", namespace).is_some();
            if exists { found(Vec::new()) } else { missing() }
        }
        ["pod", namespace, dashed] => pod_record(cluster, namespace, dashed, name, kind),
        ["svc", namespace, service, rest @ ..] => match cluster.find(Kind::Service, namespace, service) {
            Some(object) => service_record(cluster, object, rest, name, kind),
            None => missing(),
        },
        _ => missing(),
    }
}

/// `10-244-1-5.default.pod.cluster.local` (Corefile `pods insecure`).
fn pod_record(cluster: &Cluster, namespace: &str, dashed: &str, name: &str, kind: RecordKind) -> Answer {
    if cluster.find(Kind::Namespace, "", namespace).is_none() {
        return missing();
    }
    let address =
        dashed.replace('-', ".").parse().map(IpAddr::V4).or_else(|_| dashed.replace('-', ":").parse());
    address.map_or_else(
        |_| missing(),
        |address| found(address_record(name, address, kind).into_iter().collect()),
    )
}

/// The record of an address, if it is of the type asked for.
fn address_record(name: &str, address: IpAddr, kind: RecordKind) -> Option<Record> {
    let data = match (address, kind) {
        (IpAddr::V4(address), RecordKind::A) => Data::A(address),
        (IpAddr::V6(address), RecordKind::Aaaa) => Data::Aaaa(address),
        _ => return None,
    };
    Some(Record { name: name.into(), data })
}

/// A Service's own name, or one below it.
fn service_record(cluster: &Cluster, object: &Object, rest: &[&str], name: &str, kind: RecordKind) -> Answer {
    let Some(service) = object.as_service() else { return missing() };
    if service.kind == ServiceType::ExternalName {
        return if rest.is_empty() { alias(cluster, service, name, kind) } else { missing() };
    }
    let slices = slices_of(cluster, object);
    match rest {
        [] if kind == RecordKind::Srv => found(all_ports(&slices, object, service)),
        [] if service.headless => {
            let mut addresses: Vec<IpAddr> =
                ready(&slices).flat_map(|(_, endpoint)| endpoint.addresses.first().copied()).collect();
            addresses.sort_unstable();
            addresses.dedup();
            if addresses.is_empty() {
                return missing();
            }
            found(addresses.into_iter().filter_map(|address| address_record(name, address, kind)).collect())
        }
        [] => found(
            service.cluster_ips.iter().filter_map(|address| address_record(name, *address, kind)).collect(),
        ),
        [protocol, port] if protocol.starts_with('_') && port.starts_with('_') => {
            let records = port_records(&slices, object, service, &port[1..], &protocol[1..], name);
            match (records.is_empty(), kind) {
                (true, _) => missing(),
                (false, RecordKind::Srv) => found(records),
                (false, _) => found(Vec::new()),
            }
        }
        [host] => {
            let named = ready(&slices).filter(|(_, endpoint)| host_label(endpoint) == *host);
            let addresses: Vec<IpAddr> =
                named.flat_map(|(_, endpoint)| endpoint.addresses.first().copied()).collect();
            if addresses.is_empty() {
                return missing();
            }
            found(addresses.into_iter().filter_map(|address| address_record(name, address, kind)).collect())
        }
        _ => missing(),
    }
}

/// ExternalName: an alias, and what it leads to where the cluster knows that.
fn alias(cluster: &Cluster, service: &Service, name: &str, kind: RecordKind) -> Answer {
    /// How many aliases may follow each other (CoreDNS' `maxCnameDepth`).
    const DEPTH: usize = 8;
    let mut records = vec![Record { name: name.into(), data: Data::Cname(service.external_name.clone()) }];
    if kind == RecordKind::Cname {
        return found(records);
    }
    let mut target = service.external_name.to_ascii_lowercase();
    for _ in 0..DEPTH {
        if !target.trim_end_matches('.').ends_with(DOMAIN) {
            break;
        }
        let next = forward_once(cluster, target.trim_end_matches('.'), kind);
        let Some(record) = next.first() else { break };
        match &record.data {
            Data::Cname(further) => {
                target = further.to_ascii_lowercase();
                records.extend(next.iter().cloned());
            }
            _ => {
                records.extend(next);
                break;
            }
        }
    }
    found(records)
}

/// One step of an alias: the target's records, or its own alias.
fn forward_once(cluster: &Cluster, name: &str, kind: RecordKind) -> Vec<Record> {
    let labels: Vec<&str> =
        name.strip_suffix(DOMAIN).unwrap_or("").trim_end_matches('.').split('.').rev().collect();
    if let ["svc", namespace, service] = labels.as_slice()
        && let Some(target) =
            cluster.find(Kind::Service, namespace, service).and_then(|object| object.as_service())
        && target.kind == ServiceType::ExternalName
    {
        return vec![Record { name: name.into(), data: Data::Cname(target.external_name.clone()) }];
    }
    forward(cluster, name, kind).records
}

fn slices_of(cluster: &Cluster, service: &Object) -> Vec<Arc<Object>> {
    let labels = value!({ "kubernetes.io/service-name": (service.key.name.clone()) });
    let selector = Selector::of_pairs(&labels).expect("the label is not empty");
    cluster.matching(Kind::EndpointSlice, &service.key.namespace, &selector)
}

/// The endpoints that DNS gives out, each with its slice.
fn ready(slices: &[Arc<Object>]) -> impl Iterator<Item = (&EndpointSlice, &Endpoint)> {
    let typed = slices.iter().filter_map(|object| object.as_endpoint_slice());
    typed.flat_map(|slice| {
        slice.endpoints.iter().filter(|endpoint| endpoint.ready).map(move |endpoint| (slice, endpoint))
    })
}

/// The label of an endpoint below its Service's name: its host name, or its address with dashes.
fn host_label(endpoint: &Endpoint) -> String {
    if !endpoint.hostname().is_empty() {
        return endpoint.hostname().to_owned();
    }
    endpoint.addresses.first().map(|address| address.to_string().replace(['.', ':'], "-")).unwrap_or_default()
}

fn service_name(object: &Object) -> String {
    format!("{}.{}.svc.{DOMAIN}", object.key.name, object.key.namespace)
}

/// SRV records of every port, for a question about the Service's own name.
fn all_ports(slices: &[Arc<Object>], object: &Object, service: &Service) -> Vec<Record> {
    let name = service_name(object);
    let ports = service.ports.iter();
    ports
        .flat_map(|port| {
            port_records(slices, object, service, &port.name, &protocol_label(port.protocol), &name)
        })
        .collect()
}

fn protocol_label(protocol: Protocol) -> String {
    protocol.name().to_ascii_lowercase()
}

/// SRV records of one named port.
fn port_records(
    slices: &[Arc<Object>],
    object: &Object,
    service: &Service,
    port: &str,
    protocol: &str,
    name: &str,
) -> Vec<Record> {
    let own = service_name(object);
    let srv = |weight: usize, port: u16, target: String| Record {
        name: name.into(),
        data: Data::Srv {
            priority: 0,
            weight: u16::try_from(weight).unwrap_or(1),
            port,
            target: target.into(),
        },
    };
    if !service.headless {
        let named = service
            .ports
            .iter()
            .filter(|held| held.name == port && protocol_label(held.protocol) == protocol);
        return named.map(|held| srv(100, held.port, own.clone())).collect();
    }
    let mut hosts = Vec::new();
    for (slice, endpoint) in ready(slices) {
        let named =
            slice.ports.iter().filter(|held| held.name == port && protocol_label(held.protocol) == protocol);
        hosts.extend(named.map(|held| (held.port, format!("{}.{own}", host_label(endpoint)))));
    }
    let weight = 100 / hosts.len().max(1);
    hosts.into_iter().map(|(port, target)| srv(weight.max(1), port, target)).collect()
}

/// Names of addresses: Services by their cluster address, endpoints by theirs. Every Service and slice is
/// looked at; such questions come from people, not from traffic.
fn reverse(cluster: &Cluster, name: &str, kind: RecordKind) -> Answer {
    let Some(address) = reverse_address(name) else { return missing() };
    let mut names = Vec::new();
    for object in cluster.list(Kind::Service, None) {
        if object.as_service().is_some_and(|service| service.cluster_ips.contains(&address)) {
            names.push(service_name(object));
        }
    }
    if names.is_empty() {
        for object in cluster.list(Kind::EndpointSlice, None) {
            let Some(slice) = object.as_endpoint_slice().filter(|slice| !slice.service.is_empty()) else {
                continue;
            };
            let here = slice.endpoints.iter().filter(|endpoint| endpoint.addresses.first() == Some(&address));
            names.extend(here.map(|endpoint| {
                format!("{}.{}.{}.svc.{DOMAIN}", host_label(endpoint), slice.service, object.key.namespace)
            }));
        }
    }
    if names.is_empty() {
        return missing();
    }
    if kind != RecordKind::Ptr {
        return found(Vec::new());
    }
    found(
        names
            .into_iter()
            .map(|target| Record { name: name.into(), data: Data::Ptr(target.into()) })
            .collect(),
    )
}

/// The address in `81.3.96.10.in-addr.arpa` or an `ip6.arpa` name.
fn reverse_address(name: &str) -> Option<IpAddr> {
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let forward: Vec<&str> = digits.split('.').rev().collect();
        return forward.join(".").parse().map(IpAddr::V4).ok();
    }
    let digits: String = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    (digits.len() == 32)
        .then(|| u128::from_str_radix(&digits, 16).ok().map(|bits| IpAddr::V6(bits.into())))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::value::Value;
    use crate::cluster::{Actor, Settings};

    fn cluster() -> Cluster {
        let mut cluster = Cluster::new(Settings::default());
        let mut make = |kind, namespace: &str, document: Value| {
            cluster.create(Actor::ApiServer, kind, namespace, document).unwrap();
        };
        make(Kind::Namespace, "", value!({ "metadata": { "name": "dp" } }));
        make(
            Kind::Service,
            "dp",
            value!({
                "metadata": { "name": "web" },
                "spec": { "clusterIP": "10.96.3.81", "clusterIPs": ["10.96.3.81"], "type": "ClusterIP",
                    "ports": [{ "name": "http", "port": 80, "protocol": "TCP" }] }
            }),
        );
        make(
            Kind::Service,
            "dp",
            value!({
                "metadata": { "name": "db" },
                "spec": { "clusterIP": "None", "clusterIPs": ["None"], "type": "ClusterIP",
                    "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }] }
            }),
        );
        make(
            Kind::EndpointSlice,
            "dp",
            value!({
                "metadata": { "name": "db-1", "labels": { "kubernetes.io/service-name": "db" } },
                "addressType": "IPv4",
                "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
                "endpoints": [
                    { "addresses": ["10.244.2.21"], "hostname": "db-0", "conditions": { "ready": true } },
                    { "addresses": ["10.244.1.21"], "conditions": { "ready": true } },
                    { "addresses": ["10.244.1.22"], "conditions": { "ready": false } }
                ]
            }),
        );
        make(
            Kind::Service,
            "dp",
            value!({
                "metadata": { "name": "ext" }, "spec": { "type": "ExternalName", "externalName": "web.dp.svc.cluster.local" }
            }),
        );
        cluster
    }

    fn check(name: &str, kind: RecordKind, code: Code, shown: &[&str]) {
        let answer = answer(&mut cluster(), &[], name, kind);
        let mut records: Vec<String> = answer
            .records
            .iter()
            .map(|record| match &record.data {
                Data::A(address) => address.to_string(),
                Data::Aaaa(address) => address.to_string(),
                Data::Cname(name) => format!("CNAME {name}"),
                Data::Ptr(name) => format!("PTR {name}"),
                Data::Srv { weight, port, target, .. } => format!("SRV {weight} {port} {target}"),
            })
            .collect();
        records.sort();
        assert_eq!(
            (answer.code, records.as_slice()),
            (code, shown.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice()),
            "{name}"
        );
    }

    #[test]
    fn names_resolve_by_the_dns_specification() {
        use Code::{NoError, NxDomain};
        check("web.dp.svc.cluster.local", RecordKind::A, NoError, &["10.96.3.81"]);
        check("web.dp.svc.cluster.local.", RecordKind::Aaaa, NoError, &[]);
        check("nosuch.dp.svc.cluster.local", RecordKind::A, NxDomain, &[]);
        check("dp.svc.cluster.local", RecordKind::A, NoError, &[]);
        check("nosuch.svc.cluster.local", RecordKind::A, NxDomain, &[]);
        check("web", RecordKind::A, NxDomain, &[]);
        check("10-244-1-5.dp.pod.cluster.local", RecordKind::A, NoError, &["10.244.1.5"]);
    }

    #[test]
    fn headless_names_give_the_ready_endpoints() {
        check("db.dp.svc.cluster.local", RecordKind::A, Code::NoError, &["10.244.1.21", "10.244.2.21"]);
        check("db-0.db.dp.svc.cluster.local", RecordKind::A, Code::NoError, &["10.244.2.21"]);
        check("10-244-1-21.db.dp.svc.cluster.local", RecordKind::A, Code::NoError, &["10.244.1.21"]);
        check("10-244-1-22.db.dp.svc.cluster.local", RecordKind::A, Code::NxDomain, &[]);
    }

    #[test]
    fn ports_have_srv_records() {
        check(
            "_http._tcp.web.dp.svc.cluster.local",
            RecordKind::Srv,
            Code::NoError,
            &["SRV 100 80 web.dp.svc.cluster.local"],
        );
        check(
            "_http._tcp.db.dp.svc.cluster.local",
            RecordKind::Srv,
            Code::NoError,
            &["SRV 50 8080 10-244-1-21.db.dp.svc.cluster.local", "SRV 50 8080 db-0.db.dp.svc.cluster.local"],
        );
        check("_nosuch._tcp.web.dp.svc.cluster.local", RecordKind::Srv, Code::NxDomain, &[]);
    }

    #[test]
    fn addresses_have_names_and_external_names_are_aliases() {
        check("81.3.96.10.in-addr.arpa", RecordKind::Ptr, Code::NoError, &["PTR web.dp.svc.cluster.local"]);
        check(
            "21.2.244.10.in-addr.arpa",
            RecordKind::Ptr,
            Code::NoError,
            &["PTR db-0.db.dp.svc.cluster.local"],
        );
        check("9.9.9.9.in-addr.arpa", RecordKind::Ptr, Code::NxDomain, &[]);
        check(
            "ext.dp.svc.cluster.local",
            RecordKind::A,
            Code::NoError,
            &["10.96.3.81", "CNAME web.dp.svc.cluster.local"],
        );
    }
}
