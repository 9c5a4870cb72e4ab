//! Laying out what is kept for long so that it takes little memory.
//!
//! Owns which map is the prototype of which: of each set of keys one map, by which those that come after it are
//! derived. Lists and maps that say the same as one that was kept a short while ago become that one. Nothing
//! follows from either choice but how much memory the values take.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::map::{DERIVED_LIMIT, Derived, Entry, Layout};
use super::{Map, Value};

/// How many sets of keys are remembered: many times those of Kubernetes' objects. Beyond it all are forgotten
/// and learnt anew, so that labels of ever new keys cost no memory.
const KEY_SETS: usize = 2_000;

/// How many lists and maps are remembered as kept of late: about those that a busy cluster writes within the
/// milliseconds in which several controllers say the same of the same Pods. A power of two.
const RECENT: usize = 1 << 13;
/// The most items of a list that is compared with others.
const COMPARED_ITEMS: usize = 16;

/// The prototypes of one cluster's objects.
#[derive(Debug, Default)]
pub struct Prototypes {
    /// By the hash of their keys.
    by_keys: FxHashMap<u64, Known>,
    recent: Recent,
}

/// Lists and maps that were kept of late, at the place that the hash of their parts gives them.
#[derive(Debug, Default)]
struct Recent(Vec<Value>);

/// What was kept with one set of keys.
#[derive(Debug)]
struct Known {
    prototype: Arc<Vec<Entry>>,
    /// The map that was kept last.
    last: Map,
    /// How many of its maps were held against those kept of late, and how many were the same.
    compared: u32,
    shared: u32,
}

impl Prototypes {
    /// Lays out every part of a value that nobody else holds as what differs from its prototype, without the
    /// memory that growing left over. A stored object is compacted once.
    pub fn compact(&mut self, value: &mut Value) {
        match value {
            Value::List(items) => {
                let Some(own) = Arc::get_mut(items) else { return };
                own.shrink_to_fit();
                own.iter_mut().for_each(|item| self.compact(item));
                if (1..=COMPARED_ITEMS).contains(&own.len()) {
                    self.recent.share_list(items);
                }
            }
            Value::Map(map) => self.compact_map(map),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => {}
        }
    }

    fn compact_map(&mut self, map: &mut Map) {
        // What others hold too stays theirs.
        let shared = match &mut map.0 {
            Layout::Entries(shared) => shared,
            Layout::Derived(derived) => {
                let own = Arc::get_mut(derived).map(|derived| &mut derived.values);
                return own.into_iter().flatten().for_each(|value| self.compact(value));
            }
        };
        let Some(entries) = Arc::get_mut(shared) else { return };
        entries.iter_mut().for_each(|(_, value)| self.compact(value));
        if entries.is_empty() || entries.len() > DERIVED_LIMIT {
            return entries.shrink_to_fit();
        }
        let known = self.by_keys.get_mut(&hash(entries)).filter(|known| has_keys(&known.prototype, entries));
        match known {
            Some(known) => {
                if known.derive(map) && known.may_recur() {
                    known.compared += 1;
                    known.shared += u32::from(self.recent.share_map(map));
                }
            }
            None => self.remember(map),
        }
    }

    /// Makes the first map with its keys a prototype.
    fn remember(&mut self, map: &mut Map) {
        let Layout::Entries(shared) = &mut map.0 else { return };
        if let Some(entries) = Arc::get_mut(shared) {
            entries.shrink_to_fit();
        }
        if self.by_keys.len() >= KEY_SETS {
            self.by_keys.clear();
        }
        let prototype = shared.clone();
        self.by_keys.insert(hash(&prototype), Known { prototype, last: map.clone(), compared: 0, shared: 0 });
    }
}

impl Known {
    /// Whether maps of these keys come more than once, as far as is known: a reference to a Pod does, a Pod's
    /// `metadata` does not.
    fn may_recur(&self) -> bool {
        const ENOUGH: u32 = 64;
        self.compared < ENOUGH || self.shared > self.compared / 16
    }

    /// Lays out a map of these keys; says whether it became a derived one.
    fn derive(&mut self, map: &mut Map) -> bool {
        let Layout::Entries(shared) = &mut map.0 else { return false };
        let Some(entries) = Arc::get_mut(shared) else { return false };
        let replaced = difference(entries, |at| &self.prototype[at].1);
        let changed = difference(entries, |at| self.last.value(at));
        if changed == 0 {
            *map = self.last.clone();
            return false;
        }
        // Where two in a row agree in more than they do with the prototype, more of their like will follow:
        // the Pods of the next template.
        if changed.count_ones() + 1 < replaced.count_ones() {
            entries.shrink_to_fit();
            self.prototype = shared.clone();
        } else if replaced == 0 {
            map.0 = Layout::Entries(self.prototype.clone());
        } else if let Some(derived) = Derived::of(&self.prototype, replaced, entries) {
            map.0 = Layout::Derived(derived);
        } else {
            entries.shrink_to_fit();
        }
        self.last = map.clone();
        matches!(map.0, Layout::Derived(_))
    }
}

impl Recent {
    /// The value that has a place by the hash of some parts.
    fn place<'a>(&mut self, parts: impl Iterator<Item = &'a Value>) -> &mut Value {
        if self.0.is_empty() {
            self.0.resize(RECENT, Value::Null);
        }
        let mut hasher = FxHasher::default();
        parts.for_each(|part| hash_part(part, &mut hasher));
        let hash = hasher.finish();
        let at = usize::try_from(hash >> 32 ^ hash & 0xffff_ffff).expect("it has 32 bits") % RECENT;
        &mut self.0[at]
    }

    /// Makes a list the one that was kept of late, if that has the very same items.
    fn share_list(&mut self, items: &mut Arc<Vec<Value>>) {
        let kept = self.place(items.iter());
        match kept {
            Value::List(known)
                if known.len() == items.len() && known.iter().zip(items.iter()).all(|(a, b)| a.same(b)) =>
            {
                *items = known.clone();
            }
            _ => *kept = Value::List(items.clone()),
        }
    }

    /// Makes a derived map the one that was kept of late, if that has the very same values; says whether it has.
    fn share_map(&mut self, map: &mut Map) -> bool {
        let kept = self.place(map.replacements());
        match kept {
            Value::Map(known) if known.derives_as(map) => {
                *map = known.clone();
                true
            }
            _ => {
                *kept = Value::Map(map.clone());
                false
            }
        }
    }
}

/// Hashes a part of a list or map by what [`Value::same`] compares.
fn hash_part(value: &Value, hasher: &mut FxHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(flag) => flag.hash(hasher),
        Value::Int(number) => number.hash(hasher),
        Value::Float(number) => number.to_bits().hash(hasher),
        Value::Str(text) => text.hash(hasher),
        Value::List(_) | Value::Map(_) => value.address().hash(hasher),
    }
}

/// The entries whose value is not the one that `other` has at the same place, as bits.
fn difference<'a>(entries: &[Entry], other: impl Fn(usize) -> &'a Value) -> u64 {
    let differs = |(at, (_, value)): (usize, &Entry)| u64::from(!value.same(other(at))) << at;
    entries.iter().enumerate().map(differs).fold(0, |bits, bit| bits | bit)
}

fn has_keys(prototype: &[Entry], entries: &[Entry]) -> bool {
    prototype.len() == entries.len() && prototype.iter().zip(entries).all(|((a, _), (b, _))| a == b)
}

fn hash(entries: &[Entry]) -> u64 {
    let mut hasher = FxHasher::default();
    for (key, _) in entries {
        key.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::tests::arbitrary;
    use super::*;
    use crate::value;

    fn kept(prototypes: &mut Prototypes, mut value: Value) -> Value {
        prototypes.compact(&mut value);
        value
    }

    fn derived(value: &Value) -> bool {
        matches!(value, Value::Map(Map(Layout::Derived(_))))
    }

    #[test]
    fn a_map_like_the_one_before_holds_only_what_differs() {
        let mut prototypes = Prototypes::default();
        let one = kept(&mut prototypes, value!({ "kind": "Pod", "name": "a", "uid": "1" }));
        let two = kept(&mut prototypes, value!({ "kind": "Pod", "name": "b", "uid": "2" }));
        assert!(!derived(&one) && derived(&two));
        assert_eq!(two, value!({ "kind": "Pod", "name": "b", "uid": "2" }));
        assert_eq!((two.get("name").str(), two.get("kind").str()), ("b", "Pod"));
    }

    #[test]
    fn equal_maps_become_one() {
        let mut prototypes = Prototypes::default();
        let one = kept(&mut prototypes, value!({ "ip": "10.0.0.1" }));
        let other = kept(&mut prototypes, value!({ "ip": "10.0.0.2" }));
        assert!(kept(&mut prototypes, value!({ "ip": "10.0.0.2" })).same(&other));
        assert!(kept(&mut prototypes, value!({ "ip": "10.0.0.1" })).same(&one));
        let list = kept(&mut prototypes, value!([{ "ip": "10.0.0.2" }, 3, "x"]));
        kept(&mut prototypes, value!([{ "ip": "10.0.0.1" }, 3, "x"]));
        assert!(kept(&mut prototypes, value!([{ "ip": "10.0.0.2" }, 3, "x"])).same(&list));
    }

    #[test]
    fn a_change_leaves_prototype_and_siblings_alone() {
        let mut prototypes = Prototypes::default();
        let one = kept(&mut prototypes, value!({ "a": 1, "b": 1, "c": 1 }));
        let two = kept(&mut prototypes, value!({ "a": 1, "b": 2, "c": 1 }));
        let mut three = two.clone();
        three.set("a", 3);
        three.remove("b");
        three.set("d", 4);
        let mut four = two.clone();
        four.set("b", 4);
        assert_eq!(four, value!({ "a": 1, "b": 4, "c": 1 }));
        assert!(derived(&four), "a value that is not the prototype's is changed where it is");
        assert_eq!(one, value!({ "a": 1, "b": 1, "c": 1 }));
        assert_eq!(two, value!({ "a": 1, "b": 2, "c": 1 }));
        assert_eq!(three, value!({ "a": 3, "c": 1, "d": 4 }));
    }

    #[test]
    fn what_others_hold_is_left_as_it_is() {
        let mut prototypes = Prototypes::default();
        let shared = value!({ "a": { "b": 1 } });
        let mut value = value!({ "x": (shared.clone()) });
        prototypes.compact(&mut value);
        assert!(value.get("x").same(&shared));
    }

    #[test]
    fn compacting_never_changes_what_is_said() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut prototypes = Prototypes::default();
        for _ in 0..3_000 {
            let value = arbitrary(&mut random, 3);
            let text = serde_json::to_string(&value).unwrap();
            let mut compact: Value = serde_json::from_str(&text).unwrap();
            prototypes.compact(&mut compact);
            assert_eq!(compact, value);
            assert_eq!(serde_json::to_string(&compact).unwrap(), text);
        }
    }
}
