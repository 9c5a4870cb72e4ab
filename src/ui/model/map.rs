//! What the map shows: nodes, Pods, Services and the endpoints between them.
//!
//! Follows the journal with a cursor, so that a change costs what changed and not what exists. It knows no
//! places on the screen: see [`super::layout`].

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::ServiceType;
use crate::api::value::SmolStr;
use crate::cluster::Cluster;

/// How a Pod is doing, as far as its Services care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodState {
    /// It runs and is ready.
    Ready,
    /// It does not serve, or not yet.
    NotReady,
    /// It is being deleted.
    Terminating,
    /// It has ended, well or not.
    Finished,
}

/// How an endpoint stands in its slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// Gets traffic.
    Ready,
    /// Is listed, and gets none.
    NotReady,
    /// Is being deleted, and still serves.
    Serving,
}

/// A Pod on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct PodView {
    /// Its key.
    pub key: Key,
    /// Its uid.
    pub uid: SmolStr,
    /// Its node; empty while it waits for the scheduler.
    pub node: SmolStr,
    /// Its address, or empty.
    pub ip: SmolStr,
    /// How it is doing.
    pub state: PodState,
    /// The word for it, as `kubectl get pod` prints it in STATUS.
    pub word: SmolStr,
    /// Its cell on its node.
    pub cell: usize,
}

/// A Service on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceView {
    /// Its key.
    pub key: Key,
    /// Its address as `kubectl get svc` prints it: `10.96.0.1`, `None`, an external name.
    pub address: SmolStr,
    /// Its ports: `80`, `80:30080`.
    pub ports: String,
    /// Its type.
    pub kind: ServiceType,
    /// Addresses outside that lead to it; for a LoadBalancer without one, empty.
    pub outside: Vec<SmolStr>,
    /// Endpoints that lead to Pods, by Pod name.
    pub links: Vec<(SmolStr, LinkState)>,
    /// Endpoints that get traffic.
    pub ready: usize,
    /// All endpoints.
    pub endpoints: usize,
}

/// A node on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// Its name.
    pub name: SmolStr,
    /// Its address.
    pub ip: SmolStr,
    /// Whether its kubelet says that it is ready.
    pub ready: bool,
    /// Whether it takes new Pods.
    pub cordoned: bool,
    /// Whether it is the control plane.
    pub control_plane: bool,
}

/// Everything on the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// The journal's revision that this shows.
    pub revision: u64,
    /// Nodes by name.
    pub nodes: BTreeMap<SmolStr, NodeView>,
    /// Pods by key.
    pub pods: BTreeMap<Key, PodView>,
    /// Services by key.
    pub services: BTreeMap<Key, ServiceView>,
    /// Nodes that must be seen, where not all of them are.
    pub wanted: BTreeSet<SmolStr>,
    cells: Cells,
    /// How many Pods there are in each state.
    counts: [usize; 4],
    /// Pods by node; by the empty name those that have none yet.
    by_node: BTreeMap<SmolStr, BTreeSet<Key>>,
    /// Keys by address, for telling whose an address is.
    addresses: BTreeMap<SmolStr, Key>,
    slices: BTreeMap<(SmolStr, SmolStr), BTreeSet<SmolStr>>,
}

impl Map {
    /// Follows the journal. Gives whether anything on the map changed.
    pub fn observe(&mut self, cluster: &Cluster) -> bool {
        let Some(entries) = cluster.journal().since(self.revision) else {
            self.list(cluster);
            return true;
        };
        let mut changed = false;
        let mut services = BTreeSet::new();
        for entry in entries {
            self.revision = entry.revision;
            let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
            match entry.key.kind {
                Kind::Pod => changed |= self.pod(&entry.key, before, after),
                Kind::Node => changed |= self.node(&entry.key, after),
                Kind::Service => {
                    services.insert(entry.key.clone());
                }
                Kind::EndpointSlice => {
                    for slice in [before, after].into_iter().flatten() {
                        services.extend(service_of(slice));
                    }
                    self.slice(&entry.key, before, after);
                }
                _ => {}
            }
        }
        for key in services {
            changed |= self.service(&key, cluster);
        }
        changed
    }

    /// Begins anew from what exists.
    fn list(&mut self, cluster: &Cluster) {
        let (cells, wanted) = (self.cells.clone(), self.wanted.clone());
        *self = Self { revision: cluster.journal().revision(), cells, wanted, ..Self::default() };
        for node in cluster.list(Kind::Node, None) {
            self.node(&node.key, Some(node));
        }
        for pod in cluster.list(Kind::Pod, None) {
            self.pod(&pod.key, None, Some(pod));
        }
        for slice in cluster.list(Kind::EndpointSlice, None) {
            self.slice(&slice.key, None, Some(slice));
        }
        for service in cluster.list(Kind::Service, None) {
            self.service(&service.key, cluster);
        }
    }

    /// Whose an address is: a Pod's, a Service's or a node's.
    #[must_use]
    pub fn at_address(&self, address: &str) -> Option<&Key> {
        self.addresses.get(address)
    }

    /// How many cells of a node are in use.
    #[must_use]
    pub fn cells_on(&self, node: &str) -> usize {
        match node {
            // Who waits for a node stands in a queue, and has no cell.
            "" => self.by_node.get("").map_or(0, BTreeSet::len),
            _ => self.cells.count(node),
        }
    }

    /// How many Pods there are in a state.
    #[must_use]
    pub fn count(&self, state: PodState) -> usize {
        self.counts[state as usize]
    }

    /// Names of nodes, those that were asked for first, then in the order in which people count.
    #[must_use]
    pub fn node_names(&self, most: usize) -> Vec<SmolStr> {
        let mut names: Vec<&SmolStr> = self.nodes.keys().collect();
        names.sort_by_cached_key(|name| (!self.wanted.contains(*name), counted(name)));
        let mut names: Vec<SmolStr> = names.into_iter().take(most).cloned().collect();
        names.sort_by_cached_key(|name| counted(name));
        names
    }

    /// The Pods on a node, by key.
    pub fn pods_on<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a PodView> {
        self.by_node.get(node).into_iter().flatten().filter_map(|key| self.pods.get(key))
    }

    /// The Services that list a Pod as an endpoint.
    pub fn services_of<'a>(&'a self, pod: &'a Key) -> impl Iterator<Item = &'a ServiceView> {
        self.services.values().filter(move |service| {
            service.key.namespace == pod.namespace && service.links.iter().any(|(name, _)| *name == pod.name)
        })
    }

    fn pod(&mut self, key: &Key, before: Option<&Object>, after: Option<&Object>) -> bool {
        let old = self.pods.get(key);
        if let Some(old) = old {
            self.counts[old.state as usize] -= 1;
            let moved = after.is_none_or(|pod| {
                pod.meta.uid != old.uid || pod.as_pod().is_none_or(|pod| pod.node != old.node)
            });
            if moved {
                self.cells.free(&old.node, &old.uid);
                if let Some(keys) = self.by_node.get_mut(&old.node) {
                    keys.remove(key);
                }
            }
            if after.is_none_or(|pod| address_of(pod) != old.ip) {
                self.addresses.remove(&old.ip);
            }
        }
        let Some(object) = after else { return self.pods.remove(key).is_some() || before.is_some() };
        let Some(pod) = object.as_pod() else { return false };
        let ip = if pod.spec.host_network { SmolStr::default() } else { address_of(object) };
        if !ip.is_empty() {
            self.addresses.insert(ip, key.clone());
        }
        let view = PodView {
            key: key.clone(),
            uid: object.meta.uid.clone(),
            node: pod.node.clone(),
            ip: address_of(object),
            state: state_of(object),
            word: word_of(object),
            cell: if pod.node.is_empty() { 0 } else { self.cells.take(&pod.node, &object.meta.uid) },
        };
        self.counts[view.state as usize] += 1;
        let changed = self.pods.get(key) != Some(&view);
        self.by_node.entry(view.node.clone()).or_default().insert(key.clone());
        self.pods.insert(key.clone(), view);
        changed
    }

    fn node(&mut self, key: &Key, after: Option<&Object>) -> bool {
        let Some((object, node)) = after.and_then(|object| Some((object, object.as_node()?))) else {
            return self.nodes.remove(&key.name).is_some();
        };
        let ip: SmolStr = node.addresses.first().map(ToString::to_string).unwrap_or_default().into();
        self.addresses.insert(ip.clone(), key.clone());
        let view = NodeView {
            name: key.name.clone(),
            ip,
            ready: node.ready,
            cordoned: node.unschedulable,
            control_plane: !object.meta.labels.get("node-role.kubernetes.io/control-plane").is_null(),
        };
        let changed = self.nodes.get(&key.name) != Some(&view);
        self.nodes.insert(key.name.clone(), view);
        changed
    }

    fn slice(&mut self, key: &Key, before: Option<&Object>, after: Option<&Object>) {
        if let Some(service) = before.and_then(service_of)
            && let Some(names) = self.slices.get_mut(&(service.namespace.clone(), service.name.clone()))
        {
            names.remove(&key.name);
        }
        if let Some(service) = after.and_then(service_of) {
            let of = (service.namespace.clone(), service.name.clone());
            self.slices.entry(of).or_default().insert(key.name.clone());
        }
    }

    fn service(&mut self, key: &Key, cluster: &Cluster) -> bool {
        let found = cluster.get(key).and_then(|object| Some((object, object.as_service()?)));
        if let Some(old) = self.services.get(key) {
            self.addresses.remove(&old.address);
        }
        let Some((object, service)) = found else { return self.services.remove(key).is_some() };
        let mut view = ServiceView {
            key: key.clone(),
            address: match service.cluster_ip() {
                Some(ip) => ip.to_string().into(),
                None if service.headless => "None".into(),
                None => service.external_name.clone(),
            },
            ports: ports_of(object),
            kind: service.kind,
            outside: service
                .load_balancer_ips
                .iter()
                .chain(&service.external_ips)
                .map(|ip| ip.to_string().into())
                .collect(),
            links: Vec::new(),
            ready: 0,
            endpoints: 0,
        };
        let names = self.slices.get(&(key.namespace.clone(), key.name.clone()));
        for name in names.into_iter().flatten() {
            let slice = cluster.find(Kind::EndpointSlice, &key.namespace, name);
            for endpoint in
                slice.and_then(|slice| slice.as_endpoint_slice()).iter().flat_map(|slice| &slice.endpoints)
            {
                let state = match (endpoint.ready, endpoint.serving && endpoint.terminating) {
                    (true, _) => LinkState::Ready,
                    (_, true) => LinkState::Serving,
                    _ => LinkState::NotReady,
                };
                view.endpoints += 1;
                view.ready += usize::from(state == LinkState::Ready);
                let pod = endpoint.pod();
                if !pod.is_empty() {
                    view.links.push((pod, state));
                }
            }
        }
        // A Pod may stand in several slices, one per address family.
        view.links.sort_by(|(a, _), (b, _)| a.cmp(b));
        view.links.dedup_by(|(a, _), (b, _)| a == b);
        if service.cluster_ip().is_some() {
            self.addresses.insert(view.address.clone(), key.clone());
        }
        for ip in &view.outside {
            self.addresses.insert(ip.clone(), key.clone());
        }
        let changed = self.services.get(key) != Some(&view);
        self.services.insert(key.clone(), view);
        changed
    }
}

/// A name as people count: `k8s-w2` before `k8s-w10`.
fn counted(name: &str) -> (SmolStr, u64) {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (head, number) = name.split_at(name.len() - digits);
    (head.into(), number.parse().unwrap_or(0))
}

/// The Service that a slice belongs to.
fn service_of(slice: &Object) -> Option<Key> {
    let service = &slice.as_endpoint_slice()?.service;
    (!service.is_empty()).then(|| Key::new(Kind::Service, slice.namespace().clone(), service.clone()))
}

fn address_of(pod: &Object) -> SmolStr {
    pod.as_pod().and_then(|pod| pod.ip()).map(|ip| ip.to_string()).unwrap_or_default().into()
}

fn state_of(object: &Object) -> PodState {
    match object.as_pod() {
        _ if object.is_terminating() => PodState::Terminating,
        Some(pod) if pod.is_finished() => PodState::Finished,
        Some(pod) if pod.ready => PodState::Ready,
        _ => PodState::NotReady,
    }
}

/// What a Pod waits for or ended with, else its phase: the STATUS of `kubectl get pod` in short.
#[must_use]
pub fn word_of(object: &Object) -> SmolStr {
    if object.is_terminating() {
        return "Terminating".into();
    }
    let containers = object.status().get("containerStatuses").items();
    let mut reasons = containers.iter().filter_map(|container| {
        let state = container.get("state");
        let waiting = state.at(&["waiting", "reason"]);
        let reason = if waiting.is_null() { state.at(&["terminated", "reason"]) } else { waiting };
        reason.as_str().map(SmolStr::new)
    });
    reasons.next_back().unwrap_or_else(|| object.as_pod().map(|pod| pod.phase.clone()).unwrap_or_default())
}

fn ports_of(service: &Object) -> String {
    let mut text = String::new();
    for port in service.as_service().iter().flat_map(|service| &service.ports) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&port.port.to_string());
        if port.node_port != 0 {
            text.push(':');
            text.push_str(&port.node_port.to_string());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Actor, Settings};
    use crate::simulation::Simulation;
    use crate::value;

    #[test]
    fn nodes_are_counted_as_people_count_and_the_wanted_ones_are_among_the_first() {
        let simulation = Simulation::new(Settings { nodes: 14, ..Settings::default() });
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        assert_eq!(map.node_names(4), ["k8s-master", "k8s-w1", "k8s-w2", "k8s-w3"]);
        map.wanted.insert("k8s-w12".into());
        assert_eq!(map.node_names(4), ["k8s-master", "k8s-w1", "k8s-w2", "k8s-w12"]);
    }

    #[test]
    fn states_of_pods_are_counted_as_they_change() {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        assert_eq!(map.count(PodState::Ready), map.pods.len());
        let key = Key::new(Kind::Pod, "demo", "client");
        let request = crate::cluster::Request::new(Actor::User, crate::cluster::Verb::Delete, &key);
        simulation.request(request);
        map.observe(&simulation.cluster);
        assert_eq!(map.count(PodState::Terminating), 1);
        assert_eq!(map.count(PodState::Ready), map.pods.len() - 1);
    }

    #[test]
    fn the_map_follows_the_journal_and_agrees_with_a_fresh_one() {
        let mut simulation = Simulation::new(Settings::default());
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        assert_eq!(map.nodes.len(), 3);
        assert!(map.nodes["k8s-master"].control_plane);
        let service = value!({ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80 }], "selector": { "app": "web" } } });
        simulation
            .cluster
            .create(Actor::User, Kind::Service, "default", service)
            .expect("the Service is valid");
        simulation.notice();
        assert!(map.observe(&simulation.cluster));
        assert!(!map.observe(&simulation.cluster), "nothing happened since");
        let key = Key::new(Kind::Service, "default", "web");
        assert_eq!(map.services[&key].ports, "80");
        assert_eq!(map.services[&key].ready, 0);
        let mut fresh = Map::default();
        fresh.list(&simulation.cluster);
        assert_eq!(fresh.services, map.services);
        assert_eq!(fresh.nodes, map.nodes);
    }
}
