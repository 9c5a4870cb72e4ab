//! The mapping of a document: text to values, in the order of the keys.
//!
//! Owns how a mapping lies in memory. One that is being made or changed has its entries to itself. One that
//! is kept ([`Prototypes`](super::Prototypes)) takes keys and values from another of the same keys, its
//! prototype, and holds only the values in which it differs: a Pod's `metadata` differs from its sibling's in
//! four values of nine.

use std::array;
use std::iter::FusedIterator;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::{SmolStr, Value};

/// A key with its value.
pub(super) type Entry = (SmolStr, Value);

/// A mapping from text to values, kept in the order of its keys (as Go prints maps).
///
/// A clone is O(1): both share their entries until one of them is changed.
#[derive(Clone, Debug)]
pub struct Map(pub(super) Layout);

/// How the entries of a map lie in memory.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// Keys and values side by side.
    Entries(Arc<Vec<Entry>>),
    /// The entries of a prototype, but for some values. Which ones those are is never changed in place.
    Derived(Arc<Derived>),
}

/// What a map has of its own beside its prototype.
#[derive(Debug)]
pub(super) struct Derived<Values: ?Sized = [Value]> {
    prototype: Arc<Vec<Entry>>,
    /// Which of the prototype's values are replaced: one bit for each entry, the first is the lowest.
    replaced: u64,
    /// The values in their place, in order; rounded up with nulls to a size of [`Derived::with`].
    pub(super) values: Values,
}

/// The most entries of a map that can be derived.
pub(super) const DERIVED_LIMIT: usize = 64;

impl Derived {
    /// `entries` as what differs from a prototype of the same keys; nothing where that is too much.
    pub(super) fn of(prototype: &Arc<Vec<Entry>>, replaced: u64, entries: &mut [Entry]) -> Option<Arc<Self>> {
        let own = |at: &usize| replaced >> at & 1 == 1;
        let mut values = (0..entries.len()).filter(own).map(|at| std::mem::take(&mut entries[at].1));
        Self::with(prototype, replaced, &mut values)
    }

    /// A copy for changing.
    fn copy(&self) -> Arc<Self> {
        let copy = Self::with(&self.prototype, self.replaced, &mut self.values.iter().cloned());
        copy.expect("as many values fit again")
    }

    /// As many of the values as are replaced; nothing where that is too many.
    fn with(
        prototype: &Arc<Vec<Entry>>,
        replaced: u64,
        values: &mut dyn Iterator<Item = Value>,
    ) -> Option<Arc<Self>> {
        let count = replaced.count_ones() as usize;
        // An allocation of any length that also holds the other fields needs a type for each length.
        macro_rules! first_that_fits {
            ($($size:literal)*) => {
                $(if count <= $size {
                    let values: [Value; $size] = array::from_fn(|_| values.next().unwrap_or_default());
                    return Some(Arc::new(Derived { prototype: prototype.clone(), replaced, values }));
                })*
            };
        }
        first_that_fits!(1 2 3 4 5 6 8 10 12 16);
        None
    }

    /// Which of its values replaces the prototype's at a place, if one does.
    fn replacement(&self, at: usize) -> Option<usize> {
        let before = self.replaced & ((1 << at) - 1);
        (self.replaced >> at & 1 == 1).then_some(before.count_ones() as usize)
    }

    fn value(&self, at: usize) -> &Value {
        self.replacement(at).map_or(&self.prototype[at].1, |own| &self.values[own])
    }
}

impl Default for Map {
    fn default() -> Self {
        static EMPTY: LazyLock<Arc<Vec<Entry>>> = LazyLock::new(Arc::default);
        Self(Layout::Entries(EMPTY.clone()))
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

impl Map {
    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keyed().len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are the very same shared map.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Layout::Entries(a), Layout::Entries(b)) => Arc::ptr_eq(a, b),
            (Layout::Derived(a), Layout::Derived(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Where the shared map lies: equal for two that are [`Map::same`].
    pub(super) fn address(&self) -> usize {
        match &self.0 {
            Layout::Entries(entries) => Arc::as_ptr(entries).addr(),
            Layout::Derived(derived) => Arc::as_ptr(derived).addr(),
        }
    }

    /// Entries that have the keys of this map; the values are those of its prototype.
    pub(super) fn keyed(&self) -> &[Entry] {
        match &self.0 {
            Layout::Entries(entries) => entries,
            Layout::Derived(derived) => &derived.prototype,
        }
    }

    /// The value of the entry at a place.
    pub(super) fn value(&self, at: usize) -> &Value {
        match &self.0 {
            Layout::Entries(entries) => &entries[at].1,
            Layout::Derived(derived) => derived.value(at),
        }
    }

    /// The values that are not those of its prototype.
    pub(super) fn replacements(&self) -> impl Iterator<Item = &Value> {
        let values = match &self.0 {
            Layout::Derived(derived) => &derived.values,
            Layout::Entries(_) => &[][..],
        };
        values.iter()
    }

    /// Whether both have one prototype and the very same values instead of its.
    pub(super) fn derives_as(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Layout::Derived(a), Layout::Derived(b)) => {
                Arc::ptr_eq(&a.prototype, &b.prototype)
                    && a.replaced == b.replaced
                    && a.values.iter().zip(&b.values).all(|(a, b)| a.same(b))
            }
            _ => false,
        }
    }

    /// The entries for changing, with nobody else.
    fn own(&mut self) -> &mut Vec<Entry> {
        if let Layout::Derived(_) = &self.0 {
            let entries = self.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            self.0 = Layout::Entries(Arc::new(entries));
        }
        match &mut self.0 {
            Layout::Entries(entries) => Arc::make_mut(entries),
            Layout::Derived(_) => unreachable!("the entries were made its own above"),
        }
    }

    /// The value at a place for changing. One that replaces the prototype's is changed where it is.
    fn value_mut(&mut self, at: usize) -> &mut Value {
        let replacement = match &self.0 {
            Layout::Derived(derived) => derived.replacement(at),
            Layout::Entries(_) => None,
        };
        let Some(own) = replacement else { return &mut self.own()[at].1 };
        if let Layout::Derived(derived) = &mut self.0
            && Arc::get_mut(derived).is_none()
        {
            *derived = derived.copy();
        }
        match &mut self.0 {
            Layout::Derived(derived) => {
                &mut Arc::get_mut(derived).expect("it was made its own above").values[own]
            }
            Layout::Entries(_) => unreachable!("only a derived map has replacements"),
        }
    }

    /// The place of `key`, or where it would be.
    fn position(&self, key: &str) -> Result<usize, usize> {
        self.keyed().binary_search_by(|(k, _)| k.as_str().cmp(key))
    }

    /// The place of `key`, if it is there.
    fn find(&self, key: &str) -> Option<usize> {
        /// Up to here it is quicker to look at the lengths of all keys than to compare the texts of some.
        const FEW: usize = 16;
        let entries = self.keyed();
        if entries.len() > FEW {
            return self.position(key).ok();
        }
        entries.iter().position(|(k, _)| k.len() == key.len() && k.as_str() == key)
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|at| self.value(at))
    }

    /// Whether `key` is there, be it null.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Sets `key`; gives back what it held before.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(self.value_mut(at), value)),
            Err(at) => {
                self.own().insert(at, (key, value));
                None
            }
        }
    }

    /// The value of `key` for changing; null is put there first where it is absent.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        match self.position(key) {
            Ok(at) => self.value_mut(at),
            Err(at) => {
                let entries = self.own();
                entries.insert(at, (SmolStr::new(key), Value::Null));
                &mut entries[at].1
            }
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).map(|at| self.own().remove(at).1)
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.own().retain_mut(|(key, value)| keep(key, value));
    }

    /// The entries in key order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { map: Some(self), range: 0..self.len() }
    }

    /// The entries in key order, with values for changing.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&SmolStr, &mut Value)> {
        self.own().iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &SmolStr> {
        self.keyed().iter().map(|(key, _)| key)
    }
}

impl<K: Into<SmolStr>> FromIterator<(K, Value)> for Map {
    /// Later entries win over earlier ones of the same key.
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = std::mem::take(&mut later.1);
            }
            same
        });
        Self(Layout::Entries(Arc::new(entries)))
    }
}

/// The entries of a value that may be a map: none where it is not.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a>(pub(super) Option<&'a Map>);

impl<'a> Entries<'a> {
    /// The number of entries.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.map_or(0, Map::len)
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The entries in key order.
    #[must_use]
    pub fn iter(self) -> Iter<'a> {
        Iter { map: self.0, range: 0..self.len() }
    }

    /// The first entry.
    #[must_use]
    pub fn first(self) -> Option<(&'a SmolStr, &'a Value)> {
        self.iter().next()
    }
}

impl<'a> IntoIterator for Entries<'a> {
    type Item = (&'a SmolStr, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Entries one after the other, in key order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    map: Option<&'a Map>,
    range: Range<usize>,
}

impl<'a> Iter<'a> {
    fn entry(&self, at: usize) -> Option<(&'a SmolStr, &'a Value)> {
        self.map.map(|map| (&map.keyed()[at].0, map.value(at)))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a SmolStr, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.range.next().and_then(|at| self.entry(at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().and_then(|at| self.entry(at))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
