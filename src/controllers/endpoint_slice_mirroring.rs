//! endpoint-slice-mirroring-controller: copies Endpoints that people keep themselves into EndpointSlices.
//!
//! Owns the slices of Services without a selector. Endpoints that a controller keeps, that ask not to be copied,
//! or that have no Service are left alone. Source: `pkg/controller/endpointslicemirroring`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Context, Controller, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
/// The most addresses of one subset that are copied (`--mirroring-max-endpoints-per-subset`).
const PER_SUBSET: usize = 1000;

/// The mirroring controller.
pub(super) struct EndpointSliceMirroring;

impl Controller for EndpointSliceMirroring {
    fn actor(&self) -> Actor {
        Actor::EndpointSliceMirroring
    }

    fn latency(&self) -> Span {
        Span::from_ms(8)
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        let name = match entry.key.kind {
            Kind::Endpoints | Kind::Service => entry.key.name.clone(),
            Kind::EndpointSlice if entry.actor != Actor::EndpointSliceMirroring => {
                let labels = &entry.object().meta.labels;
                if labels.get(MANAGED_BY).str() != CONTROLLER {
                    return;
                }
                labels.get(SERVICE_NAME).smol()
            }
            _ => return,
        };
        dirty.add(Key::new(Kind::Endpoints, entry.key.namespace.clone(), name));
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let cluster = &mut *context.cluster;
        let existing = mirrored(cluster, key);
        let endpoints = cluster.get(key).filter(|endpoints| is_mirrored(cluster, endpoints)).cloned();
        let wanted = endpoints.as_ref().map(|endpoints| slices(endpoints)).unwrap_or_default();
        let mut existing = existing.into_iter();
        for document in wanted {
            match existing.next() {
                Some(slice) => update(cluster, &slice, &document),
                // A refusal means that the namespace is being deleted.
                None => drop(cluster.create(
                    Actor::EndpointSliceMirroring,
                    Kind::EndpointSlice,
                    &key.namespace,
                    document,
                )),
            }
        }
        for slice in existing {
            let _gone = cluster.delete(Actor::EndpointSliceMirroring, &slice.key, Options::default());
        }
    }
}

/// Whether Endpoints are somebody's own, and of a Service without a selector.
fn is_mirrored(cluster: &Cluster, endpoints: &Object) -> bool {
    let service = cluster.find(Kind::Service, endpoints.namespace(), endpoints.name());
    let own =
        service.and_then(|service| service.as_service()).is_some_and(|service| service.selector.is_none());
    let leader = endpoints.meta.annotation("control-plane.alpha.kubernetes.io/leader").is_some();
    own && !leader && endpoints.meta.label(SKIP) != "true" && !endpoints.is_terminating()
}

/// The slices that are copies of some Endpoints, by name.
fn mirrored(cluster: &Cluster, key: &Key) -> Vec<Arc<Object>> {
    let pairs = Value::from_iter([(SmolStr::new_static(SERVICE_NAME), Value::from(&key.name))]);
    let selector = Selector::of_pairs(&pairs).expect("the selector has a pair");
    let mut slices = cluster.matching(Kind::EndpointSlice, &key.namespace, &selector);
    slices.retain(|slice| slice.meta.label(MANAGED_BY) == CONTROLLER);
    slices
}

fn update(cluster: &mut Cluster, slice: &Object, wanted: &Value) {
    let mut document = slice.value.clone();
    for field in ["addressType", "endpoints", "ports"] {
        *document.field_mut(field) = wanted.get(field).clone();
    }
    document.field_mut("metadata").set("labels", wanted.at(&["metadata", "labels"]).clone());
    if document != slice.value {
        // Somebody may have deleted it; then its deletion brings it here again.
        let _written = cluster.update(Actor::EndpointSliceMirroring, &slice.key, document);
    }
}

/// The slices that copy Endpoints: one for each subset and address family.
fn slices(endpoints: &Object) -> Vec<Value> {
    let mut labels = endpoints.meta.labels.clone();
    labels.remove("endpoints.kubernetes.io/managed-by");
    labels.set(SERVICE_NAME, endpoints.name());
    labels.set(MANAGED_BY, CONTROLLER);
    let mut documents = Vec::new();
    for subset in endpoints.value.get("subsets").items() {
        let mut by_family: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
            for address in subset.get(field).items().iter().take(PER_SUBSET) {
                let Ok(ip) = address.get("ip").str().parse::<IpAddr>() else { continue };
                let family = if ip.is_ipv6() { "IPv6" } else { "IPv4" };
                by_family.entry(family).or_default().push(endpoint(address, ready));
            }
        }
        for (family, endpoint_list) in by_family {
            documents.push(value!({
                "addressType": (SmolStr::from(family)),
                "endpoints": endpoint_list,
                "metadata": {
                    "generateName": (format!("{}-", endpoints.name())),
                    "labels": (labels.clone()),
                    "ownerReferences": [(super::owned::reference(endpoints))]
                },
                "ports": (ports(subset.get("ports")))
            }));
        }
    }
    documents
}

fn endpoint(address: &Value, ready: bool) -> Value {
    let mut endpoint = value!({
        "addresses": [(address.get("ip").clone())],
        "conditions": { "ready": ready }
    });
    for field in ["hostname", "nodeName", "targetRef"] {
        let given = address.get(field);
        if !given.is_null() {
            *endpoint.field_mut(field) = given.clone();
        }
    }
    endpoint
}

/// The ports of a slice have a name even where those of Endpoints have none.
fn ports(ports: &Value) -> Value {
    let named = ports.items().iter().map(|port| {
        let mut port = port.clone();
        port.set_default("name", "");
        port.set_default("protocol", "TCP");
        port
    });
    named.collect()
}
