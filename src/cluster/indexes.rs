//! Lookups that would otherwise scan: by label, owner, node and address.
//!
//! Owns indexes over Pods, Services and owned objects, kept up to date entry by entry. Everything here
//! can be rebuilt from the store; nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::SmolStr;

/// One label of objects of one kind in one namespace.
type LabelKey = (Kind, SmolStr, SmolStr, SmolStr);

/// The indexes of a cluster.
#[derive(Debug, Default)]
pub struct Indexes {
    /// Pods, EndpointSlices and ReplicaSets by label.
    by_label: FxHashMap<LabelKey, BTreeSet<Key>>,
    /// Services by one pair of their selector.
    by_selector: FxHashMap<(SmolStr, SmolStr, SmolStr), BTreeSet<SmolStr>>,
    /// Dependents by the uid of an owner.
    by_owner: FxHashMap<SmolStr, BTreeSet<Key>>,
    /// Pods by node.
    by_node: BTreeMap<SmolStr, BTreeSet<Key>>,
    /// Pods, ReplicaSets and ControllerRevisions that no controller manages, by kind and namespace.
    orphans: BTreeMap<(Kind, SmolStr), BTreeSet<SmolStr>>,
    /// Nodes by address.
    nodes_by_address: FxHashMap<IpAddr, SmolStr>,
}

/// Kinds whose labels are looked up.
fn has_label_index(kind: Kind) -> bool {
    matches!(kind, Kind::Pod | Kind::EndpointSlice | Kind::ReplicaSet)
}

/// Kinds whose objects a controller may adopt by their labels.
fn is_adopted(kind: Kind) -> bool {
    matches!(kind, Kind::Pod | Kind::ReplicaSet | Kind::ControllerRevision)
}

impl Indexes {
    /// Follows one write.
    pub(super) fn apply(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        if let Some(object) = before {
            self.change(object, after, false);
        }
        if let Some(object) = after {
            self.change(object, before, true);
        }
    }

    /// Adds or removes what `object` stands for, where `other` (the other version) differs.
    fn change(&mut self, object: &Object, other: Option<&Arc<Object>>, add: bool) {
        let key = &object.key;
        if has_label_index(key.kind) && other.is_none_or(|other| other.meta.labels != object.meta.labels) {
            for (label, value) in object.meta.labels.entries() {
                let at = (key.kind, key.namespace.clone(), label.clone(), value.smol());
                toggle(&mut self.by_label, at, key.clone(), add);
            }
        }
        if other.is_none_or(|other| other.meta.owners != object.meta.owners) {
            for owner in object.meta.owners.iter() {
                toggle(&mut self.by_owner, owner.uid.clone(), key.clone(), add);
            }
        }
        self.change_orphan(object, other, add);
        self.change_pod(object, other, add);
        self.change_service(object, other, add);
        for ip in object.as_node().into_iter().flat_map(|node| &node.addresses) {
            if add {
                self.nodes_by_address.insert(*ip, key.name.clone());
            } else {
                self.nodes_by_address.remove(ip);
            }
        }
    }

    fn change_pod(&mut self, object: &Object, other: Option<&Arc<Object>>, add: bool) {
        let Some(pod) = object.as_pod() else { return };
        let other = other.and_then(|other| other.as_pod());
        let key = &object.key;
        if !pod.node.is_empty() && other.is_none_or(|other| other.node != pod.node) {
            let pods = self.by_node.entry(pod.node.clone()).or_default();
            if add {
                pods.insert(key.clone())
            } else {
                pods.remove(key)
            };
        }
    }

    fn change_orphan(&mut self, object: &Object, other: Option<&Arc<Object>>, add: bool) {
        let key = &object.key;
        let counts = is_adopted(key.kind) && object.controller().is_none();
        if !counts || other.is_some_and(|other| other.controller().is_none()) {
            return;
        }
        let names = self.orphans.entry((key.kind, key.namespace.clone())).or_default();
        if add {
            names.insert(key.name.clone());
        } else {
            names.remove(&key.name);
        }
    }

    fn change_service(&mut self, object: &Object, other: Option<&Arc<Object>>, add: bool) {
        let Some(service) = object.as_service() else { return };
        let other = other.and_then(|other| other.as_service());
        if other.is_some_and(|other| other.selector == service.selector) {
            return;
        }
        if let Some((label, value)) = service.selector.as_ref().and_then(Selector::any_equality) {
            let at = (object.key.namespace.clone(), label.clone(), value.clone());
            toggle(&mut self.by_selector, at, object.key.name.clone(), add);
        }
    }

    /// The keys of a namespace's Pods (or EndpointSlices, ReplicaSets) that may match a selector: all that
    /// have the rarest label that it asks for. `None` if the selector asks for no label by value, or the
    /// kind has no label index: then every object must be looked at.
    #[must_use]
    pub fn candidates(&self, kind: Kind, namespace: &str, selector: &Selector) -> Option<&BTreeSet<Key>> {
        static NONE: BTreeSet<Key> = BTreeSet::new();
        if !has_label_index(kind) {
            return None;
        }
        let mut best: Option<&BTreeSet<Key>> = None;
        for (label, value) in selector.equalities() {
            let keys =
                self.by_label.get(&(kind, namespace.into(), label.clone(), value.clone())).unwrap_or(&NONE);
            if best.is_none_or(|best| keys.len() < best.len()) {
                best = Some(keys);
            }
        }
        best
    }

    /// The names of the Services in the object's namespace whose selector may match its labels: the
    /// caller still asks each selector.
    pub fn services_selecting<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a SmolStr> {
        object.meta.labels.entries().iter().flat_map(move |(label, value)| {
            let at = (object.key.namespace.clone(), label.clone(), value.smol());
            self.by_selector.get(&at).into_iter().flatten()
        })
    }

    /// The objects that name this uid as an owner, in order of their keys.
    pub fn owned_by<'a>(&'a self, uid: &str) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.by_owner.get(uid).into_iter().flatten()
    }

    /// The names of a namespace's Pods (or ReplicaSets, ControllerRevisions) that no controller manages.
    pub fn orphans(&self, kind: Kind, namespace: &SmolStr) -> impl Iterator<Item = &SmolStr> {
        self.orphans.get(&(kind, namespace.clone())).into_iter().flatten()
    }

    /// The Pods bound to a node, in order.
    pub fn pods_on<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.by_node.get(node).into_iter().flatten()
    }

    /// The number of Pods bound to a node.
    #[must_use]
    pub fn count_on(&self, node: &str) -> usize {
        self.by_node.get(node).map_or(0, BTreeSet::len)
    }

    /// The node that has this address.
    #[must_use]
    pub fn node_at(&self, address: IpAddr) -> Option<&SmolStr> {
        self.nodes_by_address.get(&address)
    }
}

fn toggle<K: std::hash::Hash + Eq, V: Ord>(map: &mut FxHashMap<K, BTreeSet<V>>, at: K, value: V, add: bool) {
    if add {
        map.entry(at).or_default().insert(value);
    } else if let Some(set) = map.get_mut(&at) {
        set.remove(&value);
        if set.is_empty() {
            map.remove(&at);
        }
    }
}
