//! endpoint-controller: keeps the Endpoints object of every Service that has a selector.
//!
//! Owns packing addresses and ports into subsets as `RepackSubsets` does: one subset for each set of
//! addresses that have the same ports; addresses by text, ports and subsets by hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::service_pods::{self, fnv1a};
use super::{Context, Controller, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Service, ServiceType};
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The most addresses that an Endpoints object holds (`maxCapacity`).
const CAPACITY: usize = 1000;
/// Says that addresses were left out.
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// The endpoint controller.
pub(super) struct EndpointsController;

/// A port of a subset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    hash: u128,
    name: SmolStr,
    port: u16,
    protocol: &'static str,
    app_protocol: SmolStr,
}

/// An address of a subset: its text, the Pod's place in the list, whether it is ready.
type Address = (SmolStr, usize, bool);

impl Port {
    fn new(name: &SmolStr, port: u16, protocol: &'static str, app_protocol: &SmolStr) -> Self {
        let app = service_pods::spew_pointer(app_protocol);
        // How Go's spew prints the struct, which the real controller hashes.
        let printed = format!(
            "(v1.EndpointPort){{Name:(string){name} Port:(int32){port} Protocol:(v1.Protocol){protocol} AppProtocol:{app}}}"
        );
        Self { hash: fnv1a(&printed), name: name.clone(), port, protocol, app_protocol: app_protocol.clone() }
    }

    fn document(&self) -> Value {
        let mut port = value!({ "port": (self.port), "protocol": (self.protocol) });
        if !self.name.is_empty() {
            port.set("name", &self.name);
        }
        if !self.app_protocol.is_empty() {
            port.set("appProtocol", &self.app_protocol);
        }
        port
    }
}

impl Controller for EndpointsController {
    fn actor(&self) -> Actor {
        Actor::Endpoints
    }

    fn latency(&self) -> Span {
        Span::from_ms(6)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Service => dirty.add(entry.key.clone()),
            Kind::Pod => service_pods::concerned(entry, cluster, dirty),
            Kind::Endpoints if entry.actor != Actor::Endpoints => {
                dirty.add(entry.key.of_kind(Kind::Service));
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let cluster = &mut *context.cluster;
        let at = key.of_kind(Kind::Endpoints);
        let Some(object) = cluster.get(key).cloned() else {
            if cluster.get(&at).is_some() {
                let _gone = cluster.delete(Actor::Endpoints, &at, Options::default());
            }
            return;
        };
        let service = object.as_service().expect("objects of kind Service are Services");
        if service.selector.is_none() || service.kind == ServiceType::ExternalName || object.is_terminating()
        {
            return;
        }
        let pods = service_pods::selected(cluster, &object, service);
        let subsets = subsets(&object, service, &pods);
        write(cluster, &at, &object, service, subsets);
    }
}

fn write(
    cluster: &mut Cluster,
    at: &Key,
    object: &Object,
    service: &Service,
    (subsets, over_capacity): (Value, bool),
) {
    let mut labels = object.meta.labels.clone();
    labels.set("endpoints.kubernetes.io/managed-by", "endpoint-controller");
    if service.headless {
        labels.set("service.kubernetes.io/headless", "");
    }
    let existing = cluster.get(at);
    let mut document = match existing {
        Some(existing)
            if existing.meta.labels == labels
                && existing.value.get("subsets") == &subsets
                && (existing.meta.annotations.get(OVER_CAPACITY).str() == "truncated") == over_capacity =>
        {
            return;
        }
        Some(existing) => existing.value.clone(),
        None => value!({ "metadata": { "name": (at.name.clone()) } }),
    };
    let create = existing.is_none();
    document.field_mut("metadata").set("labels", labels);
    if over_capacity {
        document.set_at(&["metadata", "annotations", OVER_CAPACITY], "truncated");
    } else if !document.at(&["metadata", "annotations", OVER_CAPACITY]).is_null() {
        let metadata = document.field_mut("metadata");
        metadata.field_mut("annotations").remove(OVER_CAPACITY);
        if metadata.get("annotations").is_empty() {
            metadata.remove("annotations");
        }
    }
    if subsets.is_null() {
        document.remove("subsets");
    } else {
        document.set("subsets", subsets);
    }
    // A refusal means that the namespace is being deleted.
    let _written = if create {
        cluster.create(Actor::Endpoints, Kind::Endpoints, &at.namespace, document)
    } else {
        cluster.update(Actor::Endpoints, at, document)
    };
}

/// The `subsets` of a Service, null where there are none; and whether there were more than it holds.
fn subsets(object: &Object, service: &Service, pods: &[Arc<Object>]) -> (Value, bool) {
    let mut by_port: BTreeMap<Option<Port>, Vec<Address>> = BTreeMap::new();
    let mut known: BTreeMap<(usize, u16), Port> = BTreeMap::new();
    let family = service.families.first().map_or("IPv4", SmolStr::as_str);
    for (index, one) in pods.iter().enumerate() {
        let pod = one.as_pod().expect("objects of kind Pod are Pods");
        if !service_pods::is_backend(pod) || (one.is_terminating() && !service.publish_not_ready) {
            continue;
        }
        let Some(ip) = pod.ips.iter().find(|ip| ip.is_ipv6() == (family == "IPv6")) else { continue };
        let address = (SmolStr::from(ip.to_string()), index, pod.ready || service.publish_not_ready);
        if service.ports.is_empty() && service.headless {
            by_port.entry(None).or_default().push(address.clone());
        }
        for (place, port) in service.ports.iter().enumerate() {
            let Some(number) = service_pods::target(port, pod) else { continue };
            let port = known
                .entry((place, number))
                .or_insert_with(|| Port::new(&port.name, number, port.protocol.name(), &port.app_protocol));
            by_port.entry(Some(port.clone())).or_default().push(address.clone());
        }
    }
    let mut by_addresses: BTreeMap<Vec<Address>, Vec<Port>> = BTreeMap::new();
    for (port, mut addresses) in by_port {
        addresses.sort_unstable();
        addresses.dedup();
        by_addresses.entry(addresses).or_default().extend(port);
    }
    let mut subsets: Vec<(Vec<Address>, Vec<Port>)> = by_addresses.into_iter().collect();
    let over_capacity = truncate(&mut subsets);
    let subsets: Vec<Value> =
        subsets.iter().map(|(addresses, ports)| subset(object, pods, addresses, ports)).collect();
    (if subsets.is_empty() { Value::Null } else { subsets.into() }, over_capacity)
}

/// Leaves out what is beyond the capacity: not ready addresses first, and of each subset in proportion to its
/// size, rounded up. Gives whether anything was left out (`truncateEndpoints`).
fn truncate(subsets: &mut [(Vec<Address>, Vec<Port>)]) -> bool {
    let count =
        |addresses: &[Address], wanted: bool| addresses.iter().filter(|(.., ready)| *ready == wanted).count();
    let total = |wanted| subsets.iter().map(|(addresses, _)| count(addresses, wanted)).sum::<usize>();
    let (ready, waiting) = (total(true), total(false));
    if ready + waiting <= CAPACITY {
        return false;
    }
    let cut = ready > CAPACITY;
    let (room, of) = if cut { (CAPACITY, ready) } else { (CAPACITY - ready, waiting) };
    let mut left = room;
    for (addresses, _) in subsets.iter_mut() {
        let mut keep = (count(addresses, cut) * room).div_ceil(of).min(left);
        left -= keep;
        addresses.retain(|(.., is_ready)| {
            if *is_ready != cut {
                return !cut;
            }
            let kept = keep > 0;
            keep = keep.saturating_sub(1);
            kept
        });
    }
    true
}

fn subset(object: &Object, pods: &[Arc<Object>], addresses: &[Address], ports: &[Port]) -> Value {
    let list = |wanted: bool| -> Value {
        let fitting = addresses.iter().filter(|(.., ready)| *ready == wanted);
        fitting.map(|(ip, index, _)| address(object, &pods[*index], ip)).collect()
    };
    let mut subset = Value::map();
    for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
        let addresses = list(ready);
        if !addresses.is_empty() {
            subset.set(field, addresses);
        }
    }
    if !ports.is_empty() {
        subset.set("ports", ports.iter().map(Port::document).collect::<Value>());
    }
    subset
}

fn address(service: &Object, object: &Object, ip: &SmolStr) -> Value {
    let pod = object.as_pod().expect("objects of kind Pod are Pods");
    let mut address = value!({
        "ip": ip,
        "nodeName": (pod.node.clone()),
        "targetRef": (service_pods::target_reference(object))
    });
    if let Some(hostname) = service_pods::hostname(pod, object, service) {
        address.set("hostname", hostname);
    }
    address
}
