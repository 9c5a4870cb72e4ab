//! The document value: what a manifest, a stored object and a request body are made of.
//!
//! Owns the tree of nulls, booleans, numbers, strings, lists and maps, cheap sharing of its parts, and
//! its conversions from and to `serde_yaml` and `serde_json`. It does not know kinds or fields: see
//! [`super::schema`] for those.
//!
//! Cloning a value is O(1): lists and maps are shared (`Arc`) and copied only where they are changed
//! while somebody else still holds them. A hundred thousand Pods of one template therefore share one
//! copy of everything that the template says. What is kept is laid out by [`Prototypes`].

mod convert;
mod map;
mod prototypes;
mod serial;

use std::sync::Arc;

pub use map::{Entries, Iter, Map};
pub use prototypes::Prototypes;
pub use smol_str::SmolStr;

/// One node of a document.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; Kubernetes has no field wider than 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(SmolStr),
    /// A sequence.
    List(Arc<Vec<Value>>),
    /// A mapping, ordered by key.
    Map(Map),
}

impl PartialEq for Value {
    /// Equality of what is said; parts that both share are equal without being looked at.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// The value that absent fields read as.
static NULL: Value = Value::Null;

impl Value {
    /// An empty map.
    #[must_use]
    pub fn map() -> Self {
        Self::Map(Map::default())
    }

    /// An empty list.
    #[must_use]
    pub fn list() -> Self {
        Self::List(Arc::default())
    }

    /// Text that lives as long as the program: no allocation.
    #[must_use]
    pub const fn text(text: &'static str) -> Self {
        Self::Str(SmolStr::new_static(text))
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this is null, `""`, `[]` or `{}`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Str(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => false,
        }
    }

    /// The field `key` of a map; null where this is no map or has no such field.
    #[must_use]
    pub fn get(&self, key: &str) -> &Self {
        match self {
            Self::Map(map) => map.get(key).unwrap_or(&NULL),
            _ => &NULL,
        }
    }

    /// The value at a path of map fields, `["spec", "template"]`; null where it leads nowhere.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> &Self {
        path.iter().fold(self, |value, key| value.get(key))
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The text, or `""` if this is no text.
    #[must_use]
    pub fn str(&self) -> &str {
        self.as_str().unwrap_or("")
    }

    /// A shared copy of the text, or `""`.
    #[must_use]
    pub fn smol(&self) -> SmolStr {
        match self {
            Self::Str(text) => text.clone(),
            _ => SmolStr::default(),
        }
    }

    /// The whole number, if this is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items of a list; nothing where this is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map in key order; nothing where this is no map.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries(self.as_map())
    }

    /// The map, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The map for changing; what was no map becomes an empty one first.
    pub fn map_mut(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::map();
        }
        match self {
            Self::Map(map) => map,
            _ => unreachable!("the value was made a map above"),
        }
    }

    /// The list for changing; what was no list becomes an empty one first.
    pub fn list_mut(&mut self) -> &mut Vec<Self> {
        if !matches!(self, Self::List(_)) {
            *self = Self::list();
        }
        match self {
            Self::List(items) => Arc::make_mut(items),
            _ => unreachable!("the value was made a list above"),
        }
    }

    /// The field `key` for changing; made null first where it is absent.
    pub fn field_mut(&mut self, key: &str) -> &mut Self {
        self.map_mut().entry(key)
    }

    /// The value at a path of map fields for changing; maps on the way are made.
    pub fn at_mut(&mut self, path: &[&str]) -> &mut Self {
        path.iter().fold(self, |value, key| value.field_mut(key))
    }

    /// Sets the field `key`.
    pub fn set(&mut self, key: &'static str, value: impl Into<Self>) {
        self.map_mut().insert(SmolStr::new_static(key), value.into());
    }

    /// Sets the field at a path of map fields; maps on the way are made.
    pub fn set_at(&mut self, path: &[&str], value: impl Into<Self>) {
        *self.at_mut(path) = value.into();
    }

    /// Sets the field `key` where it is absent or null, as defaulting does.
    pub fn set_default(&mut self, key: &'static str, value: impl Into<Self>) {
        if self.get(key).is_null() {
            self.set(key, value);
        }
    }

    /// Takes the field `key` out of a map; null where there is none.
    pub fn remove(&mut self, key: &str) -> Self {
        if self.get(key).is_null() && self.as_map().is_none_or(|map| !map.contains(key)) {
            return Self::Null;
        }
        self.map_mut().remove(key).unwrap_or_default()
    }

    /// Whether two values are the very same shared list or map (a cheap test that may say no for
    /// equal values).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Map(a), Self::Map(b)) => a.same(b),
            (Self::List(_) | Self::Map(_), _) | (_, Self::List(_) | Self::Map(_)) => false,
            (a, b) => a == b,
        }
    }

    /// Where a list or map lies in memory: equal for two that are [`Value::same`], for as long as they are held. 0
    /// for other values.
    #[must_use]
    pub fn address(&self) -> usize {
        match self {
            Self::List(items) => Arc::as_ptr(items).addr(),
            Self::Map(map) => map.address(),
            _ => 0,
        }
    }

    /// What JSON calls this kind of value: `null`, `bool`, `number`, `string`, `array` or `object`.
    #[must_use]
    pub fn json_type(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Str(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }
}

/// A map or list written as literal data: `value!({ "kind": "Pod", "metadata": { "name": name } })`.
///
/// Keys are string literals; a value is a nested `{…}` or `[…]`, or any expression that converts into
/// a [`Value`].
#[macro_export]
macro_rules! value {
    (null) => { $crate::api::value::Value::Null };
    ([ $($item:tt),* $(,)? ]) => {
        $crate::api::value::Value::from(vec![ $( $crate::value!($item) ),* ])
    };
    ({ $($key:literal : $value:tt),* $(,)? }) => {
        $crate::api::value::Value::from_iter::<[($crate::api::value::SmolStr, $crate::api::value::Value); _]>([
            $( ($crate::api::value::SmolStr::new_static($key), $crate::value!($value)) ),*
        ])
    };
    ($other:expr) => { $crate::api::value::Value::from($other) };
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A random value for property tests: few keys and words, so that equal ones meet often.
    pub(crate) fn arbitrary(random: &mut fastrand::Rng, depth: usize) -> Value {
        const WORDS: [&str; 12] =
            ["a", "b c", "true", "80", "", "x: y", "# no", "two\nlines\n", " lead", "-", "'", "é"];
        const KEYS: [&str; 5] = ["a", "name", "app.kubernetes.io/x", "k e y", "z"];
        match random.usize(..if depth == 0 { 5 } else { 9 }) {
            0 => Value::Null,
            1 => Value::Bool(random.bool()),
            2 => Value::Int(random.i64(-3..1000)),
            3 | 4 => Value::text(WORDS[random.usize(..WORDS.len())]),
            5 => (0..random.usize(..4)).map(|_| arbitrary(random, depth - 1)).collect(),
            _ => (0..random.usize(..4))
                .map(|_| (KEYS[random.usize(..KEYS.len())], arbitrary(random, depth - 1)))
                .collect(),
        }
    }

    #[test]
    fn a_clone_shares_until_one_side_changes() {
        let one = value!({ "spec": { "replicas": 3 } });
        let mut two = one.clone();
        assert!(one.same(&two));
        two.set_at(&["spec", "replicas"], 4);
        assert_eq!(one.at(&["spec", "replicas"]), &Value::Int(3));
        assert_eq!(two.at(&["spec", "replicas"]), &Value::Int(4));
    }

    #[test]
    fn maps_keep_key_order_and_the_last_of_equal_keys() {
        let map = Value::from_iter([("b", Value::Int(1)), ("a", Value::Int(2)), ("b", Value::Int(3))]);
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn removing_an_absent_field_copies_nothing() {
        let one = value!({ "a": 1 });
        let mut two = one.clone();
        assert!(two.remove("b").is_null());
        assert!(one.same(&two));
    }

    #[test]
    fn a_value_stays_small() {
        assert_eq!(size_of::<Value>(), 24);
    }
}
