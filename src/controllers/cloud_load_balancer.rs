//! service-controller with the cloud behind it: load balancers for Services of type LoadBalancer.
//!
//! Owns the finalizer, the Events and `status.loadBalancer`, and which address the cloud gives. A Service with a
//! `loadBalancerClass` is another controller's, and nobody's here. When the cloud is off nothing is made and
//! nothing is cleaned up: a Service that has a load balancer then waits for its deletion. How the balancer sends
//! packets on is in [`crate::network`]. Source: `k8s.io/cloud-provider/controllers/service/controller.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{CLOUD_FINALIZER as FINALIZER, Service, ServiceType};
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::settings::{Cloud, after};
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The label of nodes that get no traffic of load balancers.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// Chooses `ipMode` of the addresses that the cloud gives: `VIP`, the usual one, or `Proxy`.
const MODE: &str = "sim/ip-mode";
/// The addresses that the cloud has, the first one and how many: documentation ranges (RFC 5737, RFC 3849).
const POOLS: &[(&str, u32)] = &[("203.0.113.200", 40), ("198.51.100.10", 200), ("2001:db8:0:113::200", 240)];
/// How long the cloud takes to make or remove a load balancer.
const QUICK: Span = Span::from_ms(500);
/// The same for a slow cloud: of the order of what large providers take.
const SLOW: Span = Span::from_seconds(45);

/// What the cloud is asked to do with a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Ensure,
    Delete,
}

/// A request to the cloud that is under way.
#[derive(Clone, Copy, Debug)]
struct Call {
    wish: Wish,
    done: Instant,
}

/// The controller.
#[derive(Default)]
pub(super) struct CloudLoadBalancer {
    calls: BTreeMap<Key, Call>,
    /// Each Service as it was when its load balancer was last asked for, as the real controller caches it.
    known: BTreeMap<Key, Arc<Object>>,
    hosts: BTreeSet<SmolStr>,
}

impl Controller for CloudLoadBalancer {
    fn actor(&self) -> Actor {
        Actor::CloudLoadBalancer
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Service => {
                let concerns =
                    |object: &Arc<Object>| object.as_service().is_some_and(wants) || has_finalizer(object);
                if entry.before.iter().chain(&entry.after).any(concerns) {
                    dirty.add(entry.key.clone());
                }
            }
            Kind::Node => dirty.add(nodes_key()),
            _ => {}
        }
    }

    fn settings_changed(&mut self, cluster: &Cluster, dirty: &mut WorkQueue) {
        for object in cluster.list(Kind::Service, None) {
            if object.as_service().is_some_and(wants) || has_finalizer(object) {
                dirty.add(object.key.clone());
            }
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let delay = match context.cluster.settings().cloud {
            Cloud::Off => return self.stop(),
            Cloud::On => QUICK,
            Cloud::Slow => SLOW,
        };
        if key.kind == Kind::Node {
            return self.nodes_changed(context);
        }
        let Some(object) = context.cluster.get(key).cloned() else {
            self.calls.remove(key);
            self.known.remove(key);
            return;
        };
        let service = object.as_service().expect("objects of kind Service are Services");
        match wish(&object, service, self.known.get(key)) {
            Some(Wish::Delete) => self.delete(&object, context, delay),
            Some(Wish::Ensure) => self.ensure(&object, service, context, delay),
            None => {}
        }
    }
}

/// Stands for all nodes: their set is looked at as a whole.
fn nodes_key() -> Key {
    Key::new(Kind::Node, "", "")
}

fn wants(service: &Service) -> bool {
    service.kind == ServiceType::LoadBalancer && service.load_balancer_class.is_empty()
}

fn has_finalizer(object: &Object) -> bool {
    object.meta.finalizers && finalizers(object).iter().any(|one| one.str() == FINALIZER)
}

fn finalizers(object: &Object) -> &[Value] {
    object.value.at(&["metadata", "finalizers"]).items()
}

/// What a Service asks for now.
fn wish(object: &Arc<Object>, service: &Service, known: Option<&Arc<Object>>) -> Option<Wish> {
    let owned = has_finalizer(object);
    if owned && (object.is_terminating() || service.kind != ServiceType::LoadBalancer) {
        return Some(Wish::Delete);
    }
    if !wants(service) || object.is_terminating() {
        return None;
    }
    let ready = owned && !object.status().at(&["loadBalancer", "ingress"]).is_empty();
    let same = known.is_none_or(|known| known.meta.uid == object.meta.uid && change(known, object).is_none());
    (!ready || !same).then_some(Wish::Ensure)
}

/// What changed that a load balancer depends on: an Event, where the real controller writes one.
fn change(old: &Object, new: &Object) -> Option<Option<Event<'static>>> {
    let (before, after) = (old.spec(), new.spec());
    let differs = |field: &str| before.get(field) != after.get(field);
    let arrow = |field: &str| {
        let shown = |spec: &Value| match spec.get(field) {
            Value::Null => String::new(),
            value => value.as_str().map_or_else(|| format!("{}", value.as_int().unwrap_or(0)), str::to_owned),
        };
        format!("{} -> {}", shown(before), shown(after))
    };
    let list = |spec: &Value| {
        let items: Vec<&str> = spec.get("loadBalancerSourceRanges").items().iter().map(Value::str).collect();
        format!("[{}]", items.join(" "))
    };
    let told = |reason, message| Some(Some(Event::normal(reason, message)));
    if differs("type") {
        return told("Type", arrow("type"));
    }
    if differs("loadBalancerSourceRanges") {
        return told("LoadBalancerSourceRanges", format!("{} -> {}", list(before), list(after)));
    }
    if differs("ports") || differs("sessionAffinity") || differs("sessionAffinityConfig") {
        return Some(None);
    }
    if differs("loadBalancerIP") {
        return told("LoadbalancerIP", arrow("loadBalancerIP"));
    }
    if differs("externalIPs") {
        let (had, has) = (before.get("externalIPs").items(), after.get("externalIPs").items());
        if had.len() != has.len() {
            return told("ExternalIP", format!("Count: {} -> {}", had.len(), has.len()));
        }
        let added = has.iter().zip(had).find(|(new, old)| new != old).map_or("", |(new, _)| new.str());
        return told("ExternalIP", format!("Added: {added}"));
    }
    if old.meta.annotations != new.meta.annotations {
        return Some(None);
    }
    for (field, reason) in
        [("externalTrafficPolicy", "ExternalTrafficPolicy"), ("healthCheckNodePort", "HealthCheckNodePort")]
    {
        if differs(field) {
            return told(reason, arrow(field));
        }
    }
    let families = |spec: &Value| spec.get("ipFamilies").items().len();
    if families(before) != families(after) {
        return told("IPFamilies", format!("Count: {} -> {}", families(before), families(after)));
    }
    None
}

impl CloudLoadBalancer {
    /// The controller does not run: what was under way is forgotten.
    fn stop(&mut self) {
        self.calls.clear();
        self.known.clear();
        self.hosts.clear();
    }

    fn ensure(&mut self, object: &Arc<Object>, service: &Service, context: &mut Context<'_>, delay: Span) {
        let key = &object.key;
        let now = context.cluster.now();
        let changed = self.known.get(key).and_then(|known| change(known, object));
        let call = self.calls.get(key).copied().filter(|call| call.wish == Wish::Ensure && changed.is_none());
        match call {
            Some(call) if call.done <= now => {
                self.calls.remove(key);
                self.ensured(object, service, context);
            }
            Some(call) => context.requeue(call.done - now),
            None => {
                if let Some(Some(event)) = changed {
                    context.event(object, event);
                }
                let words = "Ensuring load balancer".to_owned();
                context.event(object, Event::normal("EnsuringLoadBalancer", words));
                self.known.insert(key.clone(), object.clone());
                self.calls.insert(key.clone(), Call { wish: Wish::Ensure, done: now + delay });
                context.requeue(delay);
                if !has_finalizer(object) {
                    let mut document = object.value.clone();
                    let held = document.field_mut("metadata").field_mut("finalizers");
                    held.list_mut().push(Value::text(FINALIZER));
                    // Somebody may have deleted it meanwhile: then there is nothing to ensure.
                    let _written = context.cluster.update(Actor::CloudLoadBalancer, key, document);
                }
            }
        }
    }

    /// The cloud has made the load balancer.
    fn ensured(&mut self, object: &Arc<Object>, service: &Service, context: &mut Context<'_>) {
        if eligible(context.cluster).is_empty() {
            let words = "There are no available nodes for LoadBalancer".to_owned();
            context.event(object, Event::warning("UnAvailableLoadBalancer", words));
        }
        let ingress = match ingress(context.cluster, object, service) {
            Ok(ingress) => ingress,
            Err(why) => {
                let words = format!("Error syncing load balancer: failed to ensure load balancer: {why}");
                return context.event(object, Event::warning("SyncLoadBalancerFailed", words));
            }
        };
        context.event(object, Event::normal("EnsuredLoadBalancer", "Ensured load balancer".to_owned()));
        set_status(context.cluster, object, ingress);
    }

    fn delete(&mut self, object: &Arc<Object>, context: &mut Context<'_>, delay: Span) {
        let key = &object.key;
        let now = context.cluster.now();
        match self.calls.get(key).copied().filter(|call| call.wish == Wish::Delete) {
            Some(call) if call.done <= now => {
                self.calls.remove(key);
                self.known.remove(key);
                let words = "Deleted load balancer".to_owned();
                let mut document = object.value.clone();
                let metadata = document.field_mut("metadata");
                let held = metadata.field_mut("finalizers").list_mut();
                held.retain(|one| one.str() != FINALIZER);
                if held.is_empty() {
                    metadata.remove("finalizers");
                }
                let _written = context.cluster.update(Actor::CloudLoadBalancer, key, document);
                context.event(object, Event::normal("DeletedLoadBalancer", words));
                if let Some(left) = context.cluster.get(key).cloned() {
                    set_status(context.cluster, &left, Vec::new());
                }
            }
            Some(call) => context.requeue(call.done - now),
            None => {
                if let Some(Some(event)) = self.known.get(key).and_then(|known| change(known, object)) {
                    context.event(object, event);
                }
                let words = "Deleting load balancer".to_owned();
                context.event(object, Event::normal("DeletingLoadBalancer", words));
                self.calls.insert(key.clone(), Call { wish: Wish::Delete, done: now + delay });
                context.requeue(delay);
            }
        }
    }

    /// Tells every load balancer when the set of nodes behind them is another.
    fn nodes_changed(&mut self, context: &mut Context<'_>) {
        let hosts = eligible(context.cluster);
        if hosts == self.hosts {
            return;
        }
        let first = self.hosts.is_empty();
        self.hosts = hosts;
        if first {
            return;
        }
        for object in self.known.keys().cloned().collect::<Vec<_>>() {
            let Some(object) = context.cluster.get(&object).cloned() else { continue };
            if self.calls.contains_key(&object.key) {
                continue;
            }
            let event = if self.hosts.is_empty() {
                let words = "There are no available nodes for LoadBalancer".to_owned();
                Event::warning("UnAvailableLoadBalancer", words)
            } else {
                Event::normal("UpdatedLoadBalancer", "Updated load balancer with new hosts".to_owned())
            };
            context.event(&object, event);
        }
    }
}

/// The nodes that load balancers may send to.
fn eligible(cluster: &Cluster) -> BTreeSet<SmolStr> {
    let fits = |object: &&Arc<Object>| {
        object.as_node().is_some_and(|node| node.ready) && object.meta.labels.get(EXCLUDED).is_null()
    };
    cluster.list(Kind::Node, None).filter(fits).map(|object| object.name().clone()).collect()
}

/// `status.loadBalancer.ingress`: what the Service has already, and an address for each family that lacks one.
fn ingress(cluster: &Cluster, object: &Object, service: &Service) -> Result<Vec<Value>, String> {
    let held = object.status().at(&["loadBalancer", "ingress"]).items();
    let mode = match object.meta.annotations.get(MODE).str() {
        "Proxy" => "Proxy",
        _ => "VIP",
    };
    let wanted = object.spec().get("loadBalancerIP").str();
    let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
    for other in cluster.list(Kind::Service, None).filter(|other| other.key != object.key) {
        taken.extend(other.as_service().into_iter().flat_map(|one| &one.balancer_ips));
    }
    let mut ingress = Vec::new();
    for family in &service.families {
        let fits = |ip: &IpAddr| ip.is_ipv4() == (family == "IPv4");
        let own = held.iter().find_map(|entry| entry.get("ip").str().parse().ok().filter(fits));
        let asked = wanted.parse().ok().filter(fits);
        let address = match asked {
            Some(asked) if taken.contains(&asked) => return Err(format!("address {asked} is in use")),
            Some(asked) if !pool().any(|ip| ip == asked) => {
                return Err(format!("address {asked} is not one of this cloud"));
            }
            Some(asked) => asked,
            None => own
                .or_else(|| pool().find(|ip| fits(ip) && !taken.contains(ip)))
                .ok_or_else(|| "no address is left".to_owned())?,
        };
        ingress.push(value!({ "ip": (address.to_string()), "ipMode": mode }));
    }
    Ok(ingress)
}

fn pool() -> impl Iterator<Item = IpAddr> {
    POOLS.iter().flat_map(|(first, count)| {
        let first: IpAddr = first.parse().expect("the pools are valid");
        (0..*count).map(move |index| after(first, index))
    })
}

fn set_status(cluster: &mut Cluster, object: &Object, ingress: Vec<Value>) {
    let Some(now) = cluster.get(&object.key) else { return };
    let mut document = now.value.clone();
    if document.at(&["status", "loadBalancer", "ingress"]).items() == ingress.as_slice() {
        return;
    }
    let balancer = if ingress.is_empty() { Value::map() } else { value!({ "ingress": ingress }) };
    document.set_at(&["status", "loadBalancer"], balancer);
    // It may be gone since: then its status matters to nobody.
    let _written = cluster.update_status(Actor::CloudLoadBalancer, &object.key, document);
}
