//! Strategic merge patch: merging by what the schema says of each list and map.
//!
//! Owns the API server's algorithm, its directives and its order of merged lists, as in
//! `k8s.io/apimachinery/pkg/util/strategicpatch`.

use super::{DELETE_FROM_LIST, DIRECTIVE, ELEMENT_ORDER, PatchError, RETAIN_KEYS};
use crate::api::schema::{Field, Shape, TypeId, schema};
use crate::api::value::Value;

/// The document of a type after a strategic merge patch.
///
/// # Errors
/// A list item without its merge key, or a directive that is none.
pub fn apply(document: &Value, patch: &Value, of: TypeId) -> Result<Value, PatchError> {
    Merging { of_patches: false }.map(document, patch, Some(of))
}

/// What is left of a patch once it was applied, which is what the API server shows in its messages: lists
/// whose order was asked for are used up.
#[must_use]
pub fn leftover(patch: &Value) -> Value {
    let Value::Map(map) = patch else { return patch.clone() };
    let used = |key: &str| {
        key.starts_with(ELEMENT_ORDER) || map.contains(&format!("{ELEMENT_ORDER}{key}")) || key == RETAIN_KEYS
    };
    map.iter().filter(|(key, _)| !used(key)).map(|(key, value)| (key.clone(), leftover(value))).collect()
}

/// Two patches of a type made one; what the second says wins.
pub(super) fn combine(first: &Value, second: &Value, of: TypeId) -> Result<Value, PatchError> {
    Merging { of_patches: true }.map(first, second, Some(of))
}

/// The field of a type, if both are known.
pub(super) fn field(of: Option<TypeId>, name: &str) -> Option<&'static Field> {
    schema().get(of?).field(name)
}

/// The type of the maps that a field holds, itself or in a list.
pub(super) fn inner(field: Option<&Field>) -> Option<TypeId> {
    match &field?.shape {
        Shape::Struct(of) => Some(*of),
        Shape::List(item) => match **item {
            Shape::Struct(of) => Some(of),
            _ => None,
        },
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Merging {
    /// Whether directives and nulls stay, because the result is a patch again.
    of_patches: bool,
}

impl Merging {
    fn map(self, original: &Value, patch: &Value, of: Option<TypeId>) -> Result<Value, PatchError> {
        let Value::Map(changes) = patch else { return Ok(patch.clone()) };
        match changes.get(DIRECTIVE).map(Value::str) {
            Some("replace") => {
                let mut replaced = patch.clone();
                replaced.remove(DIRECTIVE);
                return Ok(replaced);
            }
            Some("delete") => return Ok(Value::map()),
            Some("merge") | None => {}
            Some(other) => return Err(PatchError::new(format!("unknown patch type found: {other}"))),
        }
        let mut merged = if original.as_map().is_some() { original.clone() } else { Value::map() };
        if let (Some(kept), false) = (changes.get(RETAIN_KEYS), self.of_patches) {
            merged.map_mut().retain(|key, _| kept.items().iter().any(|kept| kept.str() == key));
        }
        for (key, change) in changes.iter() {
            if key == DIRECTIVE || (key == RETAIN_KEYS && !self.of_patches) {
                continue;
            }
            if let (Some(name), false) = (key.strip_prefix(DELETE_FROM_LIST), self.of_patches) {
                if !merged.get(name).is_null() {
                    merged.field_mut(name).list_mut().retain(|item| !change.items().contains(item));
                }
                continue;
            }
            if key.starts_with('$') {
                // Orders are kept after their lists are merged; in a patch of patches all stay.
                if self.of_patches {
                    merged.map_mut().insert(key.clone(), change.clone());
                }
                continue;
            }
            self.field(&mut merged, key, change, field(of, key))?;
        }
        if !self.of_patches {
            order_lists(&mut merged, original, patch, of)?;
        }
        Ok(merged)
    }

    fn field(
        self,
        merged: &mut Value,
        key: &str,
        change: &Value,
        field: Option<&Field>,
    ) -> Result<(), PatchError> {
        let present = merged.as_map().and_then(|map| map.get(key));
        let new = match (present, change) {
            (_, Value::Null) if !self.of_patches => {
                merged.remove(key);
                return Ok(());
            }
            (Some(old @ Value::Map(_)), Value::Map(_)) => self.map(old, change, inner(field))?,
            (Some(Value::List(old)), Value::List(new)) => match field.filter(|field| field.merge) {
                Some(field) => self.list(old, new, field)?,
                None => change.clone(),
            },
            _ if self.of_patches => change.clone(),
            (_, change) => without_directives(change),
        };
        if !present.is_some_and(|old| old.same(&new)) {
            merged.map_mut().insert(key, new);
        }
        Ok(())
    }

    fn list(self, original: &[Value], patch: &[Value], field: &Field) -> Result<Value, PatchError> {
        let key = field.patch_key.as_str();
        if key.is_empty() {
            let added = patch.iter().filter(|item| !original.contains(item));
            let merged: Vec<Value> = original.iter().chain(added).cloned().collect();
            return Ok(Value::from(in_order(merged, patch, original, key)));
        }
        let mut merged = original.to_vec();
        let mut plain = Vec::new();
        for item in patch {
            let id = merge_key(item, key);
            match item.get(DIRECTIVE).str() {
                // An item marked for deletion stays marked in a patch of patches.
                "" => plain.push(item.clone()),
                "delete" if self.of_patches => plain.push(item.clone()),
                "delete" => {
                    let id = id?;
                    merged.retain(|old| old.get(key) != id);
                }
                "replace" => {
                    let kept = patch.iter().filter(|item| item.get(DIRECTIVE).is_null());
                    return Ok(kept.cloned().collect());
                }
                other => return Err(PatchError::new(format!("unknown patch type found: {other}"))),
            }
        }
        let server_order = merged.clone();
        for item in &plain {
            let id = merge_key(item, key)?;
            match merged.iter_mut().find(|old| old.get(key) == id) {
                Some(old) => *old = self.map(old, item, inner(Some(field)))?,
                None if self.of_patches => merged.push(item.clone()),
                None => merged.push(without_directives(item)),
            }
        }
        Ok(Value::from(in_order(merged, &plain, &server_order, key)))
    }
}

fn merge_key<'a>(item: &'a Value, key: &str) -> Result<&'a Value, PatchError> {
    let id = item.get(key);
    if id.is_null() { Err(PatchError::no_merge_key(item, key)) } else { Ok(id) }
}

/// Whether two items of a list are the same one: by their key, or by themselves if there is none.
pub(super) fn same_item(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() { a == b } else { a.get(key) == b.get(key) }
}

/// A merged list in its order: items that the patch names in the patch's order, the others between them
/// as they stood before.
fn in_order(merged: Vec<Value>, patch: &[Value], server: &[Value], key: &str) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| list.iter().position(|other| same_item(other, item, key));
    let (mut named, others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(patch, item).is_some());
    named.sort_by_key(|item| place(patch, item));
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    let mut ordered = Vec::new();
    while let Some(right) = named.peek() {
        let before = |left: &Value| match (place(server, left), place(server, right)) {
            (Some(left), Some(right)) => left < right,
            _ => false,
        };
        let next = if others.peek().is_some_and(before) { others.next() } else { named.next() };
        ordered.extend(next);
    }
    ordered.extend(others);
    ordered
}

/// Puts lists into the order that a patch asks for.
fn order_lists(
    merged: &mut Value,
    original: &Value,
    patch: &Value,
    of: Option<TypeId>,
) -> Result<(), PatchError> {
    for (directive, order) in patch.entries() {
        let Some(name) = directive.strip_prefix(ELEMENT_ORDER) else { continue };
        let key = field(of, name).map_or("", |field| field.patch_key.as_str());
        let unordered = patch.get(name).items().iter().any(|item| {
            item.get(DIRECTIVE).is_null() && !order.items().iter().any(|other| same_item(item, other, key))
        });
        if unordered {
            return Err(PatchError::new(format!(
                "The order in patch list:\n{}\n doesn't match {directive} list:\n{}\n",
                crate::api::json::go_print(patch.get(name)),
                crate::api::json::go_print(order)
            )));
        }
        if let Value::List(items) = merged.get(name) {
            let ordered = in_order(items.to_vec(), order.items(), original.get(name).items(), key);
            if ordered != **items {
                merged.map_mut().insert(name, Value::from(ordered));
            }
        }
    }
    Ok(())
}

/// What a patch adds where there was nothing: itself, without nulls in maps and without directives.
fn without_directives(value: &Value) -> Value {
    match value {
        Value::Map(map) => map
            .iter()
            .filter(|(key, value)| !value.is_null() && !key.starts_with('$'))
            .map(|(key, value)| (key.clone(), without_directives(value)))
            .collect(),
        Value::List(items) => {
            items.iter().filter(|item| item.get(DIRECTIVE).is_null()).map(without_directives).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    fn check(kind: (&str, &str), document: &str, patch: &str, expected: &str) {
        let of = schema().kind(kind.0, kind.1).unwrap();
        let parse = |text: &str| json::parse(text).unwrap();
        let result = apply(&parse(document), &parse(patch), of)
            .map_or_else(|error| error.message, |value| json::compact(&value));
        assert_eq!(result, expected, "{document} + {patch}");
    }

    const SERVICE: (&str, &str) = ("v1", "Service");

    #[test]
    fn ports_merge_by_number_and_new_ones_come_first() {
        // Session 36-patch: the new port stands before the old one.
        let ports = |ports: &str| format!(r#"{{"spec":{{"ports":[{ports}]}}}}"#);
        let check = |before: &str, patch: &str, after: &str| {
            check(SERVICE, &ports(before), &ports(patch), &ports(after));
        };
        check(
            r#"{"name":"http","port":8080}"#,
            r#"{"name":"https","port":443}"#,
            r#"{"name":"https","port":443},{"name":"http","port":8080}"#,
        );
        check(
            r#"{"name":"a","port":1},{"name":"b","port":2}"#,
            r#"{"port":2,"name":"c"}"#,
            r#"{"name":"a","port":1},{"name":"c","port":2}"#,
        );
        check(r#"{"port":1},{"port":2}"#, r#"{"port":1,"$patch":"delete"}"#, r#"{"port":2}"#);
        check(r#"{"port":1},{"port":2}"#, r#"{"$patch":"replace"},{"port":3}"#, r#"{"port":3}"#);
    }

    #[test]
    fn items_without_their_key_are_refused() {
        check(
            SERVICE,
            r#"{"spec":{"ports":[{"port":1}]}}"#,
            r#"{"spec":{"ports":[{"name":"x"}]}}"#,
            "map: map[name:x] does not contain declared merge key: port",
        );
    }

    #[test]
    fn maps_merge_and_atomic_lists_are_replaced() {
        check(
            SERVICE,
            r#"{"spec":{"selector":{"app":"web"},"externalIPs":["1"]}}"#,
            r#"{"spec":{"selector":{"tier":"x"},"externalIPs":["2"]}}"#,
            r#"{"spec":{"externalIPs":["2"],"selector":{"app":"web","tier":"x"}}}"#,
        );
        check(
            SERVICE,
            r#"{"spec":{"selector":{"app":"web"}}}"#,
            r#"{"spec":{"selector":{"$patch":"replace","tier":"x"}}}"#,
            r#"{"spec":{"selector":{"tier":"x"}}}"#,
        );
        check(
            SERVICE,
            r#"{"spec":{"selector":{"app":"web"}}}"#,
            r#"{"spec":{"selector":null,"type":null}}"#,
            r#"{"spec":{}}"#,
        );
        check(
            SERVICE,
            r#"{"metadata":{"finalizers":["a"]}}"#,
            r#"{"metadata":{"finalizers":["b"]}}"#,
            r#"{"metadata":{"finalizers":["b","a"]}}"#,
        );
        check(
            SERVICE,
            r#"{"metadata":{"finalizers":["a","b"]}}"#,
            r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}}"#,
            r#"{"metadata":{"finalizers":["b"]}}"#,
        );
    }

    #[test]
    fn retained_keys_drive_out_the_others() {
        check(
            ("apps/v1", "Deployment"),
            r#"{"spec":{"strategy":{"rollingUpdate":{"maxSurge":1},"type":"RollingUpdate"}}}"#,
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#,
            r#"{"spec":{"strategy":{"type":"Recreate"}}}"#,
        );
    }

    #[test]
    fn messages_show_what_is_left_of_a_patch() {
        // Session 51-bad-types.
        let patch = json::parse(r#"{"spec":{"$setElementOrder/ports":[{"port":80}],"foo":null,"ports":[{"port":80,"targetport":1}]}}"#).unwrap();
        assert_eq!(json::go_print(&leftover(&patch)), "map[spec:map[foo:<nil>]]");
    }

    #[test]
    fn the_order_of_a_list_can_be_asked_for() {
        check(
            SERVICE,
            r#"{"spec":{"ports":[{"port":1},{"port":2},{"port":3}]}}"#,
            r#"{"spec":{"$setElementOrder/ports":[{"port":3},{"port":1}],"ports":[{"port":2,"$patch":"delete"}]}}"#,
            r#"{"spec":{"ports":[{"port":3},{"port":1}]}}"#,
        );
    }
}
