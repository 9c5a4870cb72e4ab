//! endpoint-slice-controller: keeps the EndpointSlices of every Service that has a selector.
//!
//! Owns what endpoints there shall be, by family and ports, and the writing of slices; how endpoints are spread
//! over them is in [`packing`]. Source: `k8s.io/endpointslice/reconciler.go`.

mod packing;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use packing::{Plan, spread};

use super::service_pods::{self, fnv1a};
use super::{Context, Controller, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::typed::{Pod, Service, ServiceType};
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const CONTROLLER: &str = "endpointslice-controller.k8s.io";

/// The endpoint slice controller.
pub(super) struct EndpointSliceController;

/// The endpoints that have the same ports, by address, in the order of their Pods' names.
#[derive(Default)]
struct Group {
    ports: Value,
    endpoints: Vec<(IpAddr, Value)>,
}

impl Controller for EndpointSliceController {
    fn actor(&self) -> Actor {
        Actor::EndpointSlice
    }

    fn latency(&self) -> Span {
        Span::from_ms(5)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Service => dirty.add(entry.key.clone()),
            Kind::Pod => service_pods::concerned(entry, cluster, dirty),
            Kind::EndpointSlice if entry.actor != Actor::EndpointSlice => {
                let object = entry.object();
                if object.meta.label(MANAGED_BY) == CONTROLLER {
                    let service = object.meta.labels.get(SERVICE_NAME).smol();
                    dirty.add(Key::new(Kind::Service, entry.key.namespace.clone(), service));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let cluster = &mut *context.cluster;
        // The slices of a Service that is gone go with it: they are its dependents.
        let Some(object) = cluster.get(key).cloned() else { return };
        let service = object.as_service().expect("objects of kind Service are Services");
        if service.selector.is_none() || service.kind == ServiceType::ExternalName || object.is_terminating()
        {
            return;
        }
        let pods = service_pods::selected(cluster, &object, service);
        let existing = managed_slices(cluster, &object);
        let (known, foreign): (Vec<_>, Vec<_>) =
            existing.into_iter().partition(|slice| has_family(slice, service));
        for slice in foreign {
            let _gone = cluster.delete(Actor::EndpointSlice, &slice.key, Options::default());
        }
        for family in &service.families {
            let of_family = |slice: &&Arc<Object>| slice.value.get("addressType").str() == family;
            let existing: Vec<Arc<Object>> = known.iter().filter(of_family).cloned().collect();
            let groups = groups(cluster, &object, service, &pods, family == "IPv6");
            Reconcile { cluster, service: &object, labels: labels(&object, service), family }
                .all(existing, groups);
        }
    }
}

fn has_family(slice: &Arc<Object>, service: &Service) -> bool {
    service.families.iter().any(|family| slice.value.get("addressType").str() == family)
}

/// The slices of a Service that this controller made.
fn managed_slices(cluster: &Cluster, service: &Object) -> Vec<Arc<Object>> {
    let pairs = Value::from_iter([(SmolStr::new_static(SERVICE_NAME), Value::from(service.name()))]);
    let selector = Selector::of_pairs(&pairs).expect("the selector has a pair");
    let mut slices = cluster.matching(Kind::EndpointSlice, service.namespace(), &selector);
    slices.retain(|slice| slice.meta.label(MANAGED_BY) == CONTROLLER && !slice.is_terminating());
    slices
}

fn labels(object: &Object, service: &Service) -> Value {
    let mut labels = object.meta.labels.clone();
    labels.set(SERVICE_NAME, object.name());
    labels.set(MANAGED_BY, CONTROLLER);
    if service.headless {
        labels.set("service.kubernetes.io/headless", "");
    } else {
        labels.remove("service.kubernetes.io/headless");
    }
    labels
}

/// The endpoints that shall be, by their ports.
fn groups(
    cluster: &Cluster,
    object: &Object,
    service: &Service,
    pods: &[Arc<Object>],
    v6: bool,
) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut keys: BTreeMap<Vec<Option<u16>>, String> = BTreeMap::new();
    for one in pods {
        let pod = one.as_pod().expect("objects of kind Pod are Pods");
        if !service_pods::is_backend(pod) {
            continue;
        }
        // A Pod that outlives its node is left out, unless its address is to be published in any case.
        if !service.publish_not_ready && cluster.find(Kind::Node, "", &pod.node).is_none() {
            continue;
        }
        let Some(ip) = pod.ips.iter().find(|ip| ip.is_ipv6() == v6) else { continue };
        let numbers: Vec<Option<u16>> =
            service.ports.iter().map(|port| service_pods::target(port, pod)).collect();
        let key = match keys.get(&numbers) {
            Some(key) => key.clone(),
            None => {
                let (key, ports) = ports(service, &numbers);
                groups.entry(key.clone()).or_default().ports = ports;
                keys.insert(numbers, key.clone());
                key
            }
        };
        let endpoint = endpoint(cluster, object, service, one, pod, *ip);
        groups.entry(key).or_default().endpoints.push((*ip, endpoint));
    }
    groups
}

/// The ports of a slice in their order, and the text that tells sets of ports apart.
fn ports(service: &Service, numbers: &[Option<u16>]) -> (String, Value) {
    let found = service.ports.iter().zip(numbers).filter_map(|(port, number)| Some((port, (*number)?)));
    let mut ports: Vec<(u128, Value)> = found
        .map(|(port, number)| {
            let printed = format!(
                "(v1.EndpointPort){{Name:(*string){} Protocol:(*v1.Protocol){} Port:(*int32){number} AppProtocol:{}}}",
                port.name,
                port.protocol,
                service_pods::spew_pointer(&port.app_protocol)
            );
            let mut document = value!({
                "name": (port.name.clone()), "port": number, "protocol": (port.protocol.name())
            });
            if !port.app_protocol.is_empty() {
                document.set("appProtocol", &port.app_protocol);
            }
            (fnv1a(&printed), document)
        })
        .collect();
    ports.sort_by_key(|(hash, _)| *hash);
    let documents: Vec<Value> = ports.into_iter().map(|(_, document)| document).collect();
    // Go writes an empty list that was never made as null.
    let documents = if documents.is_empty() { Value::Null } else { documents.into() };
    (port_key(&documents), documents)
}

/// What tells sets of ports apart.
fn port_key(ports: &Value) -> String {
    let mut parts: Vec<String> = ports
        .items()
        .iter()
        .map(|port| {
            let text = |field: &str| port.get(field).str();
            format!(
                "{}/{}/{}/{};",
                text("name"),
                port.get("port").as_int().unwrap_or(0),
                text("protocol"),
                text("appProtocol")
            )
        })
        .collect();
    parts.sort_unstable();
    parts.concat()
}

/// `conditions` of an endpoint; there are few, so they are shared.
fn conditions(ready: bool, serving: bool, terminating: bool) -> Value {
    static SHARED: OnceLock<Vec<Value>> = OnceLock::new();
    let all = SHARED.get_or_init(|| {
        let one = |bits: u8| {
            value!({ "ready": (bits & 4 != 0), "serving": (bits & 2 != 0), "terminating": (bits & 1 != 0) })
        };
        (0..8).map(one).collect()
    });
    all[usize::from(ready) * 4 + usize::from(serving) * 2 + usize::from(terminating)].clone()
}

fn endpoint(
    cluster: &Cluster,
    service_object: &Object,
    service: &Service,
    object: &Object,
    pod: &Pod,
    ip: IpAddr,
) -> Value {
    let terminating = object.is_terminating();
    let ready = service.publish_not_ready || (pod.ready && !terminating);
    let mut endpoint = value!({
        "addresses": [(Value::from(ip.to_string()))],
        "conditions": (conditions(ready, pod.ready, terminating)),
        "nodeName": (pod.node.clone()),
        "targetRef": (service_pods::target_reference(object))
    });
    if let Some(hostname) = service_pods::hostname(pod, object, service_object) {
        endpoint.set("hostname", hostname);
    }
    let node = cluster.find(Kind::Node, "", &pod.node).and_then(|node| node.as_node());
    let zone = node.map(|node| &node.zone).filter(|zone| !zone.is_empty());
    if let Some(zone) = zone {
        endpoint.set("zone", zone);
    }
    if let Some(hints) = hints(service_object, service, ready, zone, &pod.node) {
        endpoint.set("hints", hints);
    }
    endpoint
}

/// For whom an endpoint is meant, by `trafficDistribution`: its own zone, and with `PreferSameNode` its own node.
/// Endpoints that are not ready have no hints (`k8s.io/endpointslice/trafficdist`).
fn hints(
    object: &Object,
    service: &Service,
    ready: bool,
    zone: Option<&SmolStr>,
    node: &SmolStr,
) -> Option<Value> {
    // The older annotation would have hints made by another rule, which is not simulated.
    let by_annotation = matches!(object.meta.annotations.get(TOPOLOGY_MODE).str(), "Auto" | "auto");
    let by_node = match service.traffic_distribution.as_str() {
        "PreferClose" | "PreferSameZone" => false,
        "PreferSameNode" => true,
        _ => return None,
    };
    if !ready || by_annotation {
        return None;
    }
    let mut hints = Value::map();
    if by_node {
        hints.set("forNodes", value!([{ "name": node }]));
    }
    if let Some(zone) = zone {
        hints.set("forZones", value!([{ "name": zone }]));
    }
    (!hints.is_empty()).then_some(hints)
}

/// Bringing the slices of one Service and address family to what they shall be.
struct Reconcile<'a> {
    cluster: &'a mut Cluster,
    service: &'a Object,
    labels: Value,
    family: &'a SmolStr,
}

impl Reconcile<'_> {
    fn all(&mut self, existing: Vec<Arc<Object>>, groups: BTreeMap<String, Group>) {
        let mut groups = groups;
        let mut by_ports: BTreeMap<String, Vec<Arc<Object>>> = BTreeMap::new();
        for slice in existing {
            by_ports.entry(port_key(slice.value.get("ports"))).or_default().push(slice);
        }
        let mut superfluous: Vec<Arc<Object>> = Vec::new();
        let mut missing: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut kept: Vec<(Value, Plan)> = Vec::new();
        if groups.is_empty() {
            groups.insert(String::new(), Group::default());
        }
        for (key, slices) in &by_ports {
            if !groups.contains_key(key) {
                superfluous.extend(slices.iter().cloned());
            }
        }
        for (key, group) in groups {
            let slices = by_ports.remove(&key).unwrap_or_default();
            let placeholder = group.endpoints.is_empty();
            let (plans, new) = spread(&slices, &self.labels, group.endpoints);
            for (count, plan) in plans.into_iter().enumerate() {
                if plan.endpoints.is_empty() && !(placeholder && count == 0) {
                    superfluous.push(plan.object);
                } else {
                    kept.push((group.ports.clone(), plan));
                }
            }
            if placeholder && slices.is_empty() {
                missing.push((group.ports.clone(), Vec::new()));
            }
            missing.extend(new.into_iter().map(|endpoints| (group.ports.clone(), endpoints)));
        }
        self.write(kept, superfluous, missing);
    }

    /// Writes what changes: a slice that would be deleted is used for one that would be made.
    fn write(
        &mut self,
        kept: Vec<(Value, Plan)>,
        superfluous: Vec<Arc<Object>>,
        missing: Vec<(Value, Vec<Value>)>,
    ) {
        let mut superfluous = superfluous;
        superfluous.reverse();
        for (ports, endpoints) in missing {
            match superfluous.pop() {
                Some(object) => self.update(&object, ports, endpoints),
                None => self.create(ports, endpoints),
            }
        }
        for (ports, plan) in kept {
            if plan.changed {
                self.update(&plan.object, ports, plan.endpoints);
            }
        }
        for object in superfluous {
            let _gone = self.cluster.delete(Actor::EndpointSlice, &object.key, Options::default());
        }
    }

    fn update(&mut self, object: &Object, ports: Value, endpoints: Vec<Value>) {
        let mut document = object.value.clone();
        document.field_mut("metadata").set("labels", self.labels.clone());
        document.set("endpoints", endpoints);
        document.set("ports", ports);
        // Somebody may have deleted it; then its deletion makes the Service dirty again.
        let _written = self.cluster.update(Actor::EndpointSlice, &object.key, document);
    }

    fn create(&mut self, ports: Value, endpoints: Vec<Value>) {
        let document = value!({
            "addressType": (self.family.clone()),
            "endpoints": endpoints,
            "metadata": {
                "generateName": (format!("{}-", self.service.name())),
                "labels": (self.labels.clone()),
                "ownerReferences": [{
                    "apiVersion": "v1",
                    "blockOwnerDeletion": true,
                    "controller": true,
                    "kind": "Service",
                    "name": (self.service.name().clone()),
                    "uid": (self.service.meta.uid.clone())
                }]
            },
            "ports": ports
        });
        // A refusal means that the namespace is being deleted.
        let _created = self.cluster.create(
            Actor::EndpointSlice,
            Kind::EndpointSlice,
            self.service.namespace(),
            document,
        );
    }
}
