//! Patches lead where they say: each kind, the three-way merge of apply, and both on documents of real kinds.

use portside::api::patch::{diff, json_patch, merge, strategic};
use portside::api::schema::{TypeId, schema};
use portside::api::value::{SmolStr, Value};
use portside::value;

const ROUNDS: u64 = 400;

fn deployment() -> TypeId {
    schema().kind("apps/v1", "Deployment").expect("the schema has Deployments")
}

fn service() -> TypeId {
    schema().kind("v1", "Service").expect("the schema has Services")
}

fn pairs(dice: &mut fastrand::Rng) -> Value {
    let count = dice.usize(0..4);
    (0..count)
        .map(|_| {
            let key = ["app", "tier", "team", "example.com/x"][dice.usize(0..4)];
            (SmolStr::new(key), Value::from(format!("v{}", dice.u8(0..3))))
        })
        .collect()
}

/// Items of a list that is merged by a key: each key at most once, in any order.
fn keyed(dice: &mut fastrand::Rng, mut item: impl FnMut(&mut fastrand::Rng, usize) -> Value) -> Value {
    let mut places: Vec<usize> = (0..4).filter(|_| dice.bool()).collect();
    dice.shuffle(&mut places);
    places.into_iter().map(|place| item(dice, place)).collect()
}

fn container(dice: &mut fastrand::Rng, place: usize) -> Value {
    let mut container =
        value!({ "name": (format!("c{place}")), "image": (format!("nginx:1.{}", dice.u8(20..23))) });
    if dice.bool() {
        let env = keyed(
            dice,
            |dice, place| value!({ "name": (format!("E{place}")), "value": (format!("{}", dice.u8(0..3))) }),
        );
        container.set("env", env);
    }
    if dice.bool() {
        let args: Value = (0..dice.usize(0..3)).map(|at| Value::from(format!("a{at}"))).collect();
        container.set("args", args);
    }
    container
}

fn some_deployment(dice: &mut fastrand::Rng) -> Value {
    let mut document = value!({
        "metadata": { "name": "web", "labels": (pairs(dice)), "annotations": (pairs(dice)) },
        "spec": {
            "replicas": (i64::from(dice.u8(0..4))),
            "template": {
                "metadata": { "labels": (pairs(dice)) },
                "spec": { "containers": (keyed(dice, container)) }
            }
        }
    });
    if dice.bool() {
        document.set_at(&["spec", "paused"], dice.bool());
    }
    if dice.bool() {
        document.set_at(&["spec", "template", "spec", "nodeSelector"], pairs(dice));
    }
    document
}

fn some_service(dice: &mut fastrand::Rng) -> Value {
    let ports = keyed(dice, |dice, place| {
        let port = i64::try_from(80 + place).expect("a small number");
        value!({ "port": port, "protocol": "TCP", "targetPort": (i64::from(dice.u8(1..4))) })
    });
    value!({
        "metadata": { "name": "web", "labels": (pairs(dice)) },
        "spec": { "ports": ports, "selector": (pairs(dice)) }
    })
}

/// Documents of a kind, by chance.
type Maker = fn(&mut fastrand::Rng) -> Value;

fn kinds() -> [(TypeId, Maker); 2] {
    [(deployment(), some_deployment), (service(), some_service)]
}

#[test]
fn a_strategic_patch_leads_from_one_document_to_the_other() {
    for (of, make) in kinds() {
        for seed in 0..ROUNDS {
            let mut dice = fastrand::Rng::with_seed(seed);
            let (from, to) = (make(&mut dice), make(&mut dice));
            let patch = diff::two_way(&from, &to, of).expect("items have their keys");
            let reached = strategic::apply(&from, &patch, of).expect("the patch fits");
            assert_eq!(lists_filled(&reached), lists_filled(&to), "seed {seed}: {from:?} by {patch:?}");
            let nothing = diff::two_way(&to, &to, of).expect("items have their keys");
            assert_eq!(nothing, Value::map(), "seed {seed}");
        }
    }
}

/// A document without empty lists and maps: a patch takes the last item out and leaves what held it.
fn lists_filled(value: &Value) -> Value {
    match value {
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), lists_filled(value)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        Value::List(items) => items.iter().map(lists_filled).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_merge_patch_leads_from_one_document_to_the_other() {
    for (_, make) in kinds() {
        for seed in 0..ROUNDS {
            let mut dice = fastrand::Rng::with_seed(seed);
            let (from, to) = (make(&mut dice), make(&mut dice));
            assert_eq!(merge::apply(&from, &merge::diff(&from, &to)), to, "seed {seed}");
        }
    }
}

#[test]
fn a_json_patch_does_what_its_operations_say_and_can_be_taken_back() {
    for seed in 0..ROUNDS {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (document, other) = (some_deployment(&mut dice), some_deployment(&mut dice));
        let label = value!([{ "op": "replace", "path": "/spec/replicas", "value": 9 }]);
        let replaced = json_patch::apply(&document, &label).expect("the field is there");
        assert_eq!(replaced.at(&["spec", "replicas"]).as_int(), Some(9));
        let back = value!([{ "op": "replace", "path": "/spec/replicas",
            "value": (document.at(&["spec", "replicas"]).clone()) }]);
        assert_eq!(json_patch::apply(&replaced, &back), Ok(document.clone()), "seed {seed}");
        let template = other.at(&["spec", "template"]).clone();
        let added = value!([
            { "op": "add", "path": "/metadata/labels/a~1b", "value": "x" },
            { "op": "copy", "from": "/metadata/labels/a~1b", "path": "/metadata/labels/c" },
            { "op": "replace", "path": "/spec/template", "value": (template.clone()) }
        ]);
        let changed = json_patch::apply(&document, &added).expect("every path is there");
        assert_eq!(changed.at(&["metadata", "labels", "a/b"]).str(), "x");
        assert_eq!(changed.at(&["metadata", "labels", "c"]).str(), "x");
        assert_eq!(*changed.at(&["spec", "template"]), template);
        let taken_back = value!([
            { "op": "test", "path": "/metadata/labels/c", "value": "x" },
            { "op": "remove", "path": "/metadata/labels/c" },
            { "op": "remove", "path": "/metadata/labels/a~1b" },
            { "op": "replace", "path": "/spec/template", "value": (document.at(&["spec", "template"]).clone()) }
        ]);
        assert_eq!(json_patch::apply(&changed, &taken_back), Ok(document.clone()), "seed {seed}");
        let missing = value!([{ "op": "remove", "path": "/spec/nosuch" }]);
        assert!(json_patch::apply(&document, &missing).is_err(), "seed {seed}");
    }
}

/// Asserts of a three-way merge: what is wanted is there, what is wanted no more is gone, and what only
/// others set has stayed.
fn check_merged(last: &Value, wanted: &Value, live: &Value, merged: &Value, when: &str) {
    match (wanted, merged) {
        (Value::Map(wanted), Value::Map(_)) => {
            for (key, value) in wanted.iter() {
                let old = live.get(key);
                check_merged(last.get(key), value, old, merged.get(key), &format!("{when}.{key}"));
            }
            for (key, _) in last.entries().iter().filter(|(key, _)| !wanted.contains(key)) {
                assert!(merged.get(key).is_null(), "{when}.{key} is wanted no more: {merged:?}");
            }
            let others = live.entries().iter();
            let others = others.filter(|(key, _)| {
                let was_wanted = last.as_map().is_some_and(|last| last.contains(key));
                !wanted.contains(key) && !was_wanted
            });
            for (key, value) in others {
                assert_eq!(merged.get(key), value, "{when}.{key} is somebody else's");
            }
        }
        (Value::List(wanted), Value::List(merged)) => {
            for item in wanted.iter().filter(|item| item.as_map().is_some()) {
                let same =
                    |other: &&Value| ["name", "port"].iter().all(|key| other.get(key) == item.get(key));
                let merged = merged.iter().find(same);
                let merged = merged.unwrap_or_else(|| panic!("{when}: {item:?} is missing"));
                let found = |list: &Value| list.items().iter().find(same).cloned().unwrap_or_default();
                check_merged(&found(last), item, &found(live), merged, &format!("{when}[]"));
            }
            if !wanted.is_empty() && wanted.iter().all(|item| item.as_map().is_none()) {
                assert_eq!(merged, wanted, "{when}");
            }
        }
        (wanted, merged) => assert_eq!(merged, wanted, "{when}"),
    }
}

#[test]
fn apply_sets_what_is_wanted_removes_what_was_wanted_and_keeps_the_rest() {
    for (of, make) in kinds() {
        for seed in 0..ROUNDS {
            let mut dice = fastrand::Rng::with_seed(seed);
            let (last, wanted, live) = (make(&mut dice), make(&mut dice), make(&mut dice));
            let patch = diff::three_way(&last, &wanted, &live, of).expect("items have their keys");
            let merged = strategic::apply(&live, &patch, of).expect("the patch fits");
            check_merged(&last, &wanted, &live, &merged, &format!("seed {seed}"));
            let again = diff::three_way(&wanted, &wanted, &merged, of).expect("items have their keys");
            let twice = strategic::apply(&merged, &again, of).expect("the patch fits");
            assert_eq!(twice, merged, "seed {seed}: a second apply changes nothing: {again:?}");
        }
    }
}
