//! What Services and Pods have to do with each other, for the controllers that keep endpoints.
//!
//! Owns which Services a Pod's change concerns, which Pods belong to a Service's endpoints, what its ports
//! are in a Pod, and the order in which ports are kept. Sources: `endpointslice/util` and
//! `endpoints_controller.go` of Kubernetes.

use std::sync::Arc;

use super::WorkQueue;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Pod, PortRef, Service, ServicePort};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::cluster::journal::Entry;

/// Marks the Services whose endpoints a Pod's change concerns.
pub(super) fn concerned(entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
    if let (Some(before), Some(after)) = (&entry.before, &entry.after)
        && before.meta.labels == after.meta.labels
    {
        if !seen_by_endpoints(before, after) {
            return;
        }
        return mark(after, cluster, dirty);
    }
    for object in [&entry.before, &entry.after].into_iter().flatten() {
        if object.as_pod().is_some_and(|pod| !pod.ips.is_empty()) {
            mark(object, cluster, dirty);
        }
    }
}

fn mark(object: &Object, cluster: &Cluster, dirty: &mut WorkQueue) {
    for name in cluster.indexes().services_selecting(object) {
        let service = cluster.find(Kind::Service, object.namespace(), name).and_then(|one| one.as_service());
        let selects = service.and_then(|service| service.selector.as_ref());
        if selects.is_some_and(|selector| selector.matches(&object.meta.labels)) {
            dirty.add(Key::new(Kind::Service, object.namespace().clone(), name.clone()));
        }
    }
}

/// Whether anything changed that endpoints say of a Pod.
fn seen_by_endpoints(before: &Object, after: &Object) -> bool {
    let (Some(old), Some(new)) = (before.as_pod(), after.as_pod()) else { return false };
    old.ips != new.ips
        || old.ready != new.ready
        || old.node != new.node
        || old.is_finished() != new.is_finished()
        || before.is_terminating() != after.is_terminating()
        || before.meta.uid != after.meta.uid
}

/// The Pods that a Service selects, by name.
pub(super) fn selected(cluster: &Cluster, object: &Object, service: &Service) -> Vec<Arc<Object>> {
    let Some(selector) = &service.selector else { return Vec::new() };
    cluster.matching(Kind::Pod, object.namespace(), selector)
}

/// Whether a Pod may be an endpoint: it has an address and has not ended.
pub(super) fn is_backend(pod: &Pod) -> bool {
    !pod.ips.is_empty() && !pod.is_finished()
}

/// The number of a Service's port in a Pod; `None` if it names a port that the Pod has not.
pub(super) fn target(port: &ServicePort, pod: &Pod) -> Option<u16> {
    match &port.target {
        PortRef::Number(number) => Some(*number),
        PortRef::Name(name) => pod
            .spec
            .lasting()
            .flat_map(|container| &container.ports)
            .find(|declared| declared.name == *name && declared.protocol == port.protocol)
            .map(|declared| declared.port),
    }
}

/// The host name that a Pod has under a headless Service, or nothing.
pub(super) fn hostname<'a>(pod: &'a Pod, object: &Object, service: &Object) -> Option<&'a SmolStr> {
    let named = !pod.spec.hostname.is_empty() && pod.spec.subdomain == *service.name();
    (named && object.namespace() == service.namespace()).then_some(&pod.spec.hostname)
}

/// The `targetRef` of an endpoint.
pub(super) fn target_reference(object: &Object) -> Value {
    crate::value!({
        "kind": "Pod",
        "name": (object.name().clone()),
        "namespace": (object.namespace().clone()),
        "uid": (object.meta.uid.clone())
    })
}

/// FNV-1a with 128 bits, by which Kubernetes puts ports into a stable order (`DeepHashObject` of what Go's spew
/// prints; the orders of the recorded sessions agree).
pub(super) fn fnv1a(text: &str) -> u128 {
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(START, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// An optional text as spew prints a pointer to it.
pub(super) fn spew_pointer(text: &str) -> String {
    if text.is_empty() { "(*string)<nil>".to_owned() } else { format!("(*string){text}") }
}
