//! JSON merge patch (RFC 7386): maps merge, null removes, all else replaces.

use crate::api::value::Value;

/// The document after a merge patch.
#[must_use]
pub fn apply(target: &Value, patch: &Value) -> Value {
    let Value::Map(changes) = patch else { return patch.clone() };
    let mut merged = if target.as_map().is_some() { target.clone() } else { Value::map() };
    for (key, change) in changes.iter() {
        if change.is_null() {
            merged.remove(key);
            continue;
        }
        let value = apply(merged.get(key), change);
        if !value.same(merged.get(key)) || value.is_null() {
            merged.map_mut().insert(key.clone(), value);
        }
    }
    merged
}

/// The merge patch that leads from one document to another; `{}` if they are equal.
///
/// A null inside a map of the other document cannot be told from a removal: such fields are removed.
#[must_use]
pub fn diff(from: &Value, to: &Value) -> Value {
    let (Value::Map(old), Value::Map(new)) = (from, to) else {
        return to.clone();
    };
    let removed = old.keys().filter(|key| !new.contains(key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter_map(|(key, value)| match old.get(key) {
        Some(before) if before == value => None,
        Some(before @ Value::Map(_)) if matches!(value, Value::Map(_)) => {
            Some((key.clone(), diff(before, value)))
        }
        _ => Some((key.clone(), value.clone())),
    });
    removed.chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::value::tests::arbitrary;
    use crate::value;

    /// What a merge patch can say: a document without nulls in its maps.
    fn without_nulls(value: Value) -> Value {
        match value {
            Value::Map(map) => map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value.clone())))
                .collect(),
            other => other,
        }
    }

    #[test]
    fn the_difference_leads_from_one_to_the_other() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..2000 {
            let from = without_nulls(arbitrary(&mut random, 4));
            let to = without_nulls(arbitrary(&mut random, 4));
            let (Value::Map(_), Value::Map(_)) = (&from, &to) else { continue };
            assert_eq!(apply(&from, &diff(&from, &to)), to);
            assert_eq!(diff(&from, &from), Value::map());
        }
    }

    #[test]
    fn null_removes_and_lists_are_replaced() {
        let before = value!({ "a": { "b": 1, "c": 2 }, "l": [1, 2] });
        let patch = value!({ "a": { "b": null }, "l": [3], "x": { "y": null } });
        assert_eq!(apply(&before, &patch), value!({ "a": { "c": 2 }, "l": [3], "x": {} }));
    }
}
