//! The objects that exist now.
//!
//! Owns one ordered map per kind, for lists, and one map of all by key, for the many who ask for one object: strings
//! are compared once there, not at every step down a tree. It checks nothing and tells nobody: writes come from the
//! door's commit step alone (see `super::door`).

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::{Key, Object};
use crate::api::registry::{KINDS, Kind};
use crate::api::value::SmolStr;

type Names = BTreeMap<SmolStr, Arc<Object>>;

/// Every object, by kind, namespace and name.
#[derive(Debug)]
pub(super) struct Store {
    kinds: Vec<BTreeMap<SmolStr, Names>>,
    by_key: FxHashMap<Key, Arc<Object>>,
}

impl Default for Store {
    fn default() -> Self {
        Self { kinds: vec![BTreeMap::new(); KINDS.len()], by_key: FxHashMap::default() }
    }
}

impl Store {
    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.by_key.get(key)
    }

    pub(super) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.kinds[kind as usize].get(namespace)?.get(name)
    }

    pub(super) fn put(&mut self, object: Arc<Object>) {
        let names = self.kinds[object.key.kind as usize].entry(object.key.namespace.clone()).or_default();
        names.insert(object.key.name.clone(), object.clone());
        self.by_key.insert(object.key.clone(), object);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.by_key.remove(key);
        let namespaces = &mut self.kinds[key.kind as usize];
        if let Some(names) = namespaces.get_mut(&key.namespace) {
            names.remove(&key.name);
            if names.is_empty() {
                namespaces.remove(&key.namespace);
            }
        }
    }

    pub(super) fn list<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        let namespaces = &self.kinds[kind as usize];
        let one = namespace.map(|name| namespaces.get(name));
        let all = if one.is_none() { Some(namespaces.values()) } else { None };
        one.flatten().into_iter().chain(all.into_iter().flatten()).flat_map(BTreeMap::values)
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        self.kinds[kind as usize].values().map(BTreeMap::len).sum()
    }
}
