//! The patch that `kubectl apply` sends: what changed since it was last applied, and what differs now.
//!
//! Owns the strategic difference of two documents and the three-way patch; how patches are applied is in
//! [`super::strategic`].

use super::strategic::{combine, field, inner, same_item};
use super::{DELETE_FROM_LIST, DIRECTIVE, ELEMENT_ORDER, PatchError, RETAIN_KEYS};
use crate::api::schema::{Field, TypeId};
use crate::api::value::{Map, Value};

/// The patch that leads a live document to what a person wants, keeping what others set.
///
/// `last_applied` is what the person wanted before (null if never applied): what it has and `modified`
/// has not is deleted. `{}` if nothing is to be done.
///
/// # Errors
/// A list item without its merge key.
pub fn three_way(
    last_applied: &Value,
    modified: &Value,
    live: &Value,
    of: TypeId,
) -> Result<Value, PatchError> {
    let changes = Diff { deletions: false, changes: true }.maps(live, modified, Some(of), false)?;
    let deletions = Diff { deletions: true, changes: false }.maps(last_applied, modified, Some(of), false)?;
    combine(&deletions, &changes, of)
}

/// The strategic merge patch that leads from one document to another; `{}` if they are equal.
///
/// # Errors
/// A list item without its merge key.
pub fn two_way(from: &Value, to: &Value, of: TypeId) -> Result<Value, PatchError> {
    Diff { deletions: true, changes: true }.maps(from, to, Some(of), false)
}

/// Which differences are told.
#[derive(Clone, Copy)]
struct Diff {
    deletions: bool,
    changes: bool,
}

impl Diff {
    fn maps(self, from: &Value, to: &Value, of: Option<TypeId>, retain: bool) -> Result<Value, PatchError> {
        let mut patch = Map::default();
        for (key, new) in to.entries() {
            let old = from.as_map().and_then(|map| map.get(key));
            let field = field(of, key);
            match (old, new) {
                (Some(old @ Value::Map(_)), Value::Map(_)) => {
                    let retain = field.is_some_and(|field| field.retain_keys);
                    let inner = self.maps(old, new, inner(field), retain)?;
                    if !inner.is_empty() {
                        patch.insert(key.clone(), inner);
                    }
                }
                (Some(Value::List(old)), Value::List(new)) if field.is_some_and(|field| field.merge) => {
                    self.lists(&mut patch, old, new, field.expect("the guard saw a field"))?;
                }
                (Some(old), new) if old == new => {}
                _ if self.changes => drop(patch.insert(key.clone(), new.clone())),
                _ => {}
            }
        }
        let gone = from.entries().iter().filter(|(key, _)| to.as_map().is_none_or(|to| !to.contains(key)));
        let gone: Vec<_> = gone.map(|(key, _)| key.clone()).collect();
        if retain && (!patch.is_empty() || !gone.is_empty()) && !to.entries().is_empty() {
            let kept = to.entries().iter().filter(|(_, value)| !value.is_null());
            patch.insert(RETAIN_KEYS, kept.map(|(key, _)| Value::from(key)).collect());
        }
        if self.deletions {
            for key in gone {
                patch.insert(key, Value::Null);
            }
        }
        Ok(patch.into())
    }

    fn lists(self, patch: &mut Map, old: &[Value], new: &[Value], field: &Field) -> Result<(), PatchError> {
        let key = field.patch_key.as_str();
        let find =
            |list: &'_ [Value], item: &Value| list.iter().position(|other| same_item(other, item, key));
        let mut changed = Vec::new();
        for item in new {
            if !key.is_empty() && item.get(key).is_null() {
                return Err(PatchError::no_merge_key(item, key));
            }
            match find(old, item) {
                None if self.changes => changed.push(item.clone()),
                Some(at) if !key.is_empty() => {
                    let mut inner = self.maps(&old[at], item, inner(Some(field)), field.retain_keys)?;
                    if !inner.is_empty() {
                        inner.map_mut().insert(key, item.get(key).clone());
                        changed.push(inner);
                    }
                }
                _ => {}
            }
        }
        let gone: Vec<&Value> =
            old.iter().filter(|item| self.deletions && find(new, item).is_none()).collect();
        let same_order = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| same_item(a, b, key));
        if changed.is_empty() && gone.is_empty() && same_order {
            return Ok(());
        }
        let order = new.iter().map(|item| match key {
            "" => item.clone(),
            key => Value::from_iter([(key, item.get(key).clone())]),
        });
        let order: Vec<Value> = order.collect();
        if !order.is_empty() {
            patch.insert(format!("{ELEMENT_ORDER}{}", field.name), order.into());
        }
        if key.is_empty() {
            if !gone.is_empty() {
                let gone = gone.into_iter().cloned().collect();
                patch.insert(format!("{DELETE_FROM_LIST}{}", field.name), gone);
            }
        } else {
            changed.extend(gone.into_iter().map(|item| {
                Value::from_iter([(DIRECTIVE, Value::text("delete")), (key, item.get(key).clone())])
            }));
        }
        if !changed.is_empty() {
            patch.insert(field.name.clone(), changed.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::strategic;
    use super::*;
    use crate::api::json;
    use crate::api::schema::schema;

    fn parse(text: &str) -> Value {
        json::parse(text).unwrap()
    }

    #[test]
    fn apply_keeps_what_others_set_and_deletes_what_was_dropped() {
        let of = schema().kind("v1", "Service").unwrap();
        let check = |last: &str, modified: &str, live: &str, patch: &str, after: &str| {
            let live = parse(live);
            let made = three_way(&parse(last), &parse(modified), &live, of).unwrap();
            assert_eq!(json::compact(&made), patch);
            assert_eq!(json::compact(&strategic::apply(&live, &made, of).unwrap()), after);
        };
        check(
            r#"{"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}"#,
            r#"{"spec":{"selector":{"tier":"x"},"ports":[{"port":80}]}}"#,
            r#"{"spec":{"clusterIP":"1","selector":{"app":"web"},"ports":[{"nodePort":3,"port":80}]}}"#,
            r#"{"spec":{"selector":{"app":null,"tier":"x"}}}"#,
            r#"{"spec":{"clusterIP":"1","ports":[{"nodePort":3,"port":80}],"selector":{"tier":"x"}}}"#,
        );
        check(
            r#"{"spec":{"ports":[{"port":80},{"port":81}]}}"#,
            r#"{"spec":{"ports":[{"port":82},{"port":80}]}}"#,
            r#"{"spec":{"ports":[{"nodePort":3,"port":80},{"nodePort":4,"port":81}]}}"#,
            r#"{"spec":{"$setElementOrder/ports":[{"port":82},{"port":80}],"ports":[{"port":82},{"$patch":"delete","port":81}]}}"#,
            r#"{"spec":{"ports":[{"port":82},{"nodePort":3,"port":80}]}}"#,
        );
        check(
            "null",
            r#"{"spec":{"type":"NodePort"}}"#,
            r#"{"spec":{"type":"NodePort"}}"#,
            "{}",
            r#"{"spec":{"type":"NodePort"}}"#,
        );
    }

    #[test]
    fn a_changed_strategy_drops_the_settings_of_the_old_one() {
        let of = schema().kind("apps/v1", "Deployment").unwrap();
        let live = parse(r#"{"spec":{"strategy":{"rollingUpdate":{"maxSurge":1},"type":"RollingUpdate"}}}"#);
        let patch =
            three_way(&Value::Null, &parse(r#"{"spec":{"strategy":{"type":"Recreate"}}}"#), &live, of)
                .unwrap();
        assert_eq!(
            json::compact(&patch),
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#
        );
        let after = strategic::apply(&live, &patch, of).unwrap();
        assert_eq!(json::compact(&after), r#"{"spec":{"strategy":{"type":"Recreate"}}}"#);
    }

    /// A random Service whose lists have distinct keys.
    fn arbitrary_service(random: &mut fastrand::Rng) -> Value {
        let mut ports: Vec<i32> = (1..6).filter(|_| random.bool()).collect();
        random.shuffle(&mut ports);
        let mut port = |port: i32| {
            let mut item = Value::from_iter([("port", Value::Int(port.into()))]);
            if random.bool() {
                item.set("name", ["a", "b"][random.usize(..2)]);
            }
            item
        };
        let ports: Value = ports.into_iter().map(&mut port).collect();
        let mut service = Value::from_iter([("spec", Value::from_iter([("ports", ports)]))]);
        for key in ["type", "clusterIP"] {
            if random.bool() {
                service.at_mut(&["spec", key]).clone_from(&["x", "y"][random.usize(..2)].into());
            }
        }
        for key in ["p", "q", "r"] {
            if random.bool() {
                service.set_at(&["spec", "selector", key], i32::from(random.bool()));
            }
        }
        let finalizers: Vec<Value> =
            ["f", "g", "h"].into_iter().filter(|_| random.bool()).map(Value::from).collect();
        service.set_at(&["metadata", "finalizers"], finalizers);
        service
    }

    #[test]
    fn the_difference_leads_from_one_document_to_the_other() {
        let of = schema().kind("v1", "Service").unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..2000 {
            let (from, to) = (arbitrary_service(&mut random), arbitrary_service(&mut random));
            let patch = two_way(&from, &to, of).unwrap();
            assert_eq!(
                strategic::apply(&from, &patch, of).unwrap(),
                to,
                "{} {}",
                json::compact(&from),
                json::compact(&patch)
            );
            // Applied over itself with nothing changed by others, three ways are two.
            let patch = three_way(&from, &to, &from, of).unwrap();
            assert_eq!(
                strategic::apply(&from, &patch, of).unwrap(),
                to,
                "{} {}",
                json::compact(&from),
                json::compact(&patch)
            );
        }
    }
}
