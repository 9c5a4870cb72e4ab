//! Sets of fields, as `managedFields` writes them (FieldsV1).
//!
//! Owns paths through documents by the schema's rules for server-side apply (granular maps, lists by keys,
//! sets, atomic parts), the fields in which two documents differ, and the form `f:…`, `k:{…}`, `v:…`.
//! Who owns which fields is not its business. Source: `sigs.k8s.io/structured-merge-diff`.

use std::collections::BTreeSet;

use super::go_types::Zero;
use super::json;
use super::schema::{Field, ListKind, Shape, TypeId, schema};
use super::value::{SmolStr, Value};

/// A way to a field: its steps as they are written.
pub type Path = Vec<SmolStr>;

/// Structs that are one value as a whole (`x-kubernetes-map-type: atomic`).
const ATOMIC: [&str; 14] = [
    "ConfigMapKeySelector",
    "EndpointAddress",
    "FileKeySelector",
    "LabelSelector",
    "LocalObjectReference",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "ObjectReference",
    "ResourceFieldSelector",
    "ScopeSelector",
    "SecretKeySelector",
    "SecretReference",
    "TypedLocalObjectReference",
];

/// Maps of free keys that are one value as a whole.
const ATOMIC_MAPS: [&str; 2] = ["nodeSelector", "selector"];

/// What differs between two documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Fields that the later one has, and that are new or different.
    pub set: BTreeSet<Path>,
    /// Fields that only the earlier one has.
    pub removed: BTreeSet<Path>,
}

/// The fields in which two documents of a type differ.
#[must_use]
pub fn changes(from: &Value, to: &Value, of: TypeId) -> Changes {
    let mut changes = Changes::default();
    compare(&Shape::Struct(of), None, Some(from), Some(to), &mut Vec::new(), &mut changes);
    changes
}

/// What Go's JSON of an object that says nothing has: the fields that are always written.
#[must_use]
pub fn empty(of: TypeId) -> Value {
    let written = schema().get(of).fields.iter().filter(|field| field.zero == Zero::Written);
    written
        .map(|field| {
            let value = match field.shape {
                Shape::Struct(inner) => empty(inner),
                _ => Value::Null,
            };
            (field.name.clone(), value)
        })
        .collect()
}

/// A set as FieldsV1 writes it; `.` stands for what the set names itself besides what is below it.
#[must_use]
pub fn fields_v1(set: &BTreeSet<Path>) -> Value {
    let mut root = Value::map();
    for path in set {
        let mut at = &mut root;
        for step in path {
            at = at.field_mut(step);
            if at.is_null() {
                *at = Value::map();
            }
        }
    }
    for path in set {
        let mut at = &mut root;
        for step in path {
            at = at.field_mut(step);
        }
        if at.entries().iter().any(|(key, _)| key != ".") {
            at.set(".", Value::map());
        }
    }
    root
}

/// Whether a map of this shape is looked into.
fn is_granular(shape: &Shape, field: Option<&Field>) -> bool {
    match shape {
        Shape::Struct(of) => !ATOMIC.contains(&schema().get(*of).short_name()),
        Shape::Map(_) => field.is_none_or(|field| !ATOMIC_MAPS.contains(&field.name.as_str())),
        _ => false,
    }
}

fn compare(
    shape: &Shape,
    field: Option<&Field>,
    from: Option<&Value>,
    to: Option<&Value>,
    path: &mut Path,
    changes: &mut Changes,
) {
    let both_empty = from.is_none_or(Value::is_empty) && to.is_none_or(Value::is_empty);
    let is_map =
        |value: Option<&Value>| value.is_none_or(|value| matches!(value, Value::Map(_) | Value::Null));
    let is_list =
        |value: Option<&Value>| value.is_none_or(|value| matches!(value, Value::List(_) | Value::Null));
    let listed = field.is_some_and(|field| field.list != ListKind::Atomic);
    match shape {
        Shape::Struct(_) | Shape::Map(_)
            if is_granular(shape, field) && !both_empty && is_map(from) && is_map(to) =>
        {
            inside_map(shape, from, to, path, changes);
            note_whole(from, to, path, changes);
        }
        Shape::List(item) if listed && !both_empty && is_list(from) && is_list(to) => {
            inside_list(item, field.expect("a listed shape has a field"), from, to, path, changes);
            note_whole(from, to, path, changes);
        }
        _ => match (from, to) {
            (from, Some(to)) if from != Some(to) => {
                changes.set.insert(path.clone());
            }
            (Some(_), None) => {
                changes.removed.insert(path.clone());
            }
            _ => {}
        },
    }
}

/// A map or list that is new, or gone, is itself among the changes.
fn note_whole(from: Option<&Value>, to: Option<&Value>, path: &Path, changes: &mut Changes) {
    match (from, to) {
        (None, Some(_)) => {
            changes.set.insert(path.clone());
        }
        (Some(_), None) => {
            changes.removed.insert(path.clone());
        }
        _ => {}
    }
}

fn inside_map(
    shape: &Shape,
    from: Option<&Value>,
    to: Option<&Value>,
    path: &mut Path,
    changes: &mut Changes,
) {
    let held = |value: Option<&Value>, key: &str| {
        value.and_then(Value::as_map).and_then(|map| map.get(key)).cloned()
    };
    let mut all: BTreeSet<SmolStr> = BTreeSet::new();
    for value in [from, to].into_iter().flatten() {
        all.extend(value.entries().iter().map(|(key, _)| key.clone()));
    }
    for key in all {
        let (inner, field) = match shape {
            Shape::Struct(of) => match schema().get(*of).field(&key) {
                Some(field) => (&field.shape, Some(field)),
                None => continue,
            },
            Shape::Map(inner) => (inner.as_ref(), None),
            _ => continue,
        };
        path.push(SmolStr::new(format!("f:{key}")));
        compare(inner, field, held(from, &key).as_ref(), held(to, &key).as_ref(), path, changes);
        path.pop();
    }
}

fn inside_list(
    item: &Shape,
    field: &Field,
    from: Option<&Value>,
    to: Option<&Value>,
    path: &mut Path,
    changes: &mut Changes,
) {
    let named = |value: Option<&Value>| -> Vec<(SmolStr, Value)> {
        let items = value.map_or(&[][..], Value::items).iter();
        items.map(|item| (step(field, item), item.clone())).collect()
    };
    let (old, new) = (named(from), named(to));
    let find = |list: &[(SmolStr, Value)], step: &SmolStr| {
        list.iter().find(|(held, _)| held == step).map(|(_, value)| value.clone())
    };
    let all: BTreeSet<SmolStr> = old.iter().chain(&new).map(|(step, _)| step.clone()).collect();
    for step in all {
        let (from, to) = (find(&old, &step), find(&new, &step));
        path.push(step);
        compare(item, None, from.as_ref(), to.as_ref(), path, changes);
        path.pop();
    }
}

/// The step to an item of a list: its keys, or itself.
fn step(field: &Field, item: &Value) -> SmolStr {
    if field.list == ListKind::Set {
        return SmolStr::new(format!("v:{}", json::compact(item)));
    }
    let keys: Value = field
        .list_keys
        .iter()
        .filter(|key| !item.get(key).is_null())
        .map(|key| (key.clone(), item.get(key).clone()))
        .collect();
    SmolStr::new(format!("k:{}", json::compact(&keys)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn set_of(kind: &str, version: &str, to: &Value) -> String {
        let of = schema().kind(version, kind).expect("the kind has a schema");
        json::compact(&fields_v1(&changes(&empty(of), to, of).set))
    }

    #[test]
    fn lists_are_named_by_their_keys_and_new_parts_by_a_dot() {
        let service = value!({
            "metadata": { "labels": { "app": "a" } },
            "spec": { "ports": [{ "port": 80, "protocol": "TCP" }], "selector": { "app": "a" } }
        });
        assert_eq!(
            set_of("Service", "v1", &service),
            r#"{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:protocol":{}}},"f:selector":{}}}"#
        );
    }

    #[test]
    fn parts_that_go_always_writes_are_not_new() {
        let deployment = value!({
            "spec": {
                "selector": { "matchLabels": { "a": "b" } },
                "strategy": { "rollingUpdate": { "maxSurge": 1 }, "type": "RollingUpdate" },
                "template": { "spec": { "containers": [{ "name": "c", "resources": {} }] } }
            }
        });
        assert_eq!(
            set_of("Deployment", "apps/v1", &deployment),
            r#"{"f:spec":{"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{}},"f:type":{}},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:resources":{}}}}}}}"#
        );
    }

    #[test]
    fn a_change_names_what_is_new_different_and_gone() {
        let of = schema().kind("v1", "Service").expect("the schema has Services");
        let from = value!({ "spec": { "type": "NodePort", "clusterIP": "10.96.0.9" } });
        let to =
            value!({ "spec": { "type": "ClusterIP", "clusterIP": "10.96.0.9", "sessionAffinity": "None" } });
        let found = changes(&from, &to, of);
        assert_eq!(
            json::compact(&fields_v1(&found.set)),
            r#"{"f:spec":{"f:sessionAffinity":{},"f:type":{}}}"#
        );
        let found = changes(&to, &value!({ "spec": { "type": "ClusterIP" } }), of);
        assert_eq!(
            json::compact(&fields_v1(&found.removed)),
            r#"{"f:spec":{"f:clusterIP":{},"f:sessionAffinity":{}}}"#
        );
    }
}
