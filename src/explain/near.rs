//! What is nearest: texts that differ by a slip, and the Pod whose labels almost match a selector.
//!
//! Owns the distance between texts and between a selector and labels. It judges; it does not explain.

use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::SmolStr;
use crate::cluster::Cluster;

/// What one pair of a selector costs when the Pod has nothing like it.
const NOTHING_LIKE_IT: usize = 20;
/// What it costs when the Pod has the key with a wholly different value.
const OTHER_VALUE: usize = 10;
/// What it costs when the Pod's name says what its labels do not.
const NAME_FITS: usize = 6;
/// Longest texts that are compared letter by letter: label values and names are no longer.
const COMPARED_LENGTH: usize = 253;

/// How many letters must be put in, left out, replaced or exchanged with their neighbour to make one text of
/// the other (optimal string alignment).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().max(b.len()) > COMPARED_LENGTH {
        return if a == b { 0 } else { COMPARED_LENGTH };
    }
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j - 1] + same).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Whether two different texts look like a slip of each other: at most a third of the letters differ.
#[must_use]
pub fn is_slip(a: &str, b: &str) -> bool {
    let longest = a.len().max(b.len());
    a != b && distance(a, b) * 3 <= longest.max(3)
}

/// The candidate that looks most like `text`, if any looks like a slip of it.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.filter(|one| is_slip(text, one)).min_by_key(|one| distance(text, one))
}

/// A pair of a selector that a Pod's labels do not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The label's key as the selector has it.
    pub key: SmolStr,
    /// The value that the selector asks for.
    pub wanted: SmolStr,
    /// The value that the Pod has under this key, if any.
    pub found: Option<SmolStr>,
    /// A key of the Pod that has the wanted value and looks like a slip of the key.
    pub lookalike: Option<SmolStr>,
}

/// The Pod that comes nearest to a selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The Pod.
    pub pod: Key,
    /// Its labels, `key=value`.
    pub labels: Vec<(SmolStr, SmolStr)>,
    /// Where it differs.
    pub differences: Vec<Difference>,
    /// What made it: a Deployment, StatefulSet, …; `None` for a Pod made by hand.
    pub owner: Option<Key>,
}

/// Where labels differ from a selector's pairs, and how much that is.
#[must_use]
pub fn differences(
    selector: &Selector,
    labels: &[(SmolStr, SmolStr)],
    name: &str,
) -> (usize, Vec<Difference>) {
    let mut cost = 0;
    let mut all = Vec::new();
    for (key, wanted) in selector.equalities() {
        let found = labels.iter().find(|(held, _)| held == key).map(|(_, value)| value);
        if found == Some(wanted) {
            continue;
        }
        let same_value = |held: &SmolStr| held == wanted || is_slip(wanted, held);
        let lookalike = labels.iter().filter(|(held, value)| is_slip(key, held) && same_value(value));
        let lookalike = lookalike.map(|(held, _)| held.clone()).next();
        cost += match (found, &lookalike) {
            (Some(value), _) if is_slip(wanted, value) => distance(wanted, value),
            (_, Some(held)) => distance(key, held),
            (Some(_), None) => OTHER_VALUE,
            (None, None) if name == wanted.as_str() || name.starts_with(&format!("{wanted}-")) => NAME_FITS,
            (None, None) => NOTHING_LIKE_IT,
        };
        let lookalike = if found.is_some() { None } else { lookalike };
        all.push(Difference { key: key.clone(), wanted: wanted.clone(), found: found.cloned(), lookalike });
    }
    (cost, all)
}

/// Labels as pairs of text.
#[must_use]
pub fn pairs(labels: &crate::api::value::Value) -> Vec<(SmolStr, SmolStr)> {
    labels.entries().iter().map(|(key, value)| (key.clone(), value.smol())).collect()
}

/// The Pod of the namespace that comes nearest to the selector: the only one there is, or one that has at
/// least something of what is asked for.
#[must_use]
pub fn nearest_pod(cluster: &Cluster, namespace: &str, selector: &Selector) -> Option<Nearest> {
    let alive = |object: &&std::sync::Arc<Object>| {
        !object.is_terminating() && object.as_pod().is_some_and(|pod| !pod.is_finished())
    };
    let mut best: Option<(usize, &Object, Vec<Difference>)> = None;
    let mut count = 0;
    for object in cluster.list(Kind::Pod, Some(namespace)).filter(alive) {
        count += 1;
        let (cost, differences) = differences(selector, &pairs(&object.meta.labels), object.name());
        if best.as_ref().is_none_or(|(least, _, _)| cost < *least) {
            best = Some((cost, object, differences));
        }
    }
    let (cost, object, differences) = best?;
    if count > 1 && cost >= NOTHING_LIKE_IT * selector.equalities().count() {
        return None;
    }
    let owner = owner(cluster, object);
    Some(Nearest { pod: object.key.clone(), labels: pairs(&object.meta.labels), differences, owner })
}

/// What manages an object at last: the Deployment of a ReplicaSet's Pod, the StatefulSet of its Pod.
#[must_use]
pub fn owner(cluster: &Cluster, object: &Object) -> Option<Key> {
    let reference = object.controller()?;
    let kind = match reference.kind.as_str() {
        "ReplicaSet" => Kind::ReplicaSet,
        "StatefulSet" => Kind::StatefulSet,
        "DaemonSet" => Kind::DaemonSet,
        "Job" => Kind::Job,
        "CronJob" => Kind::CronJob,
        "Deployment" => Kind::Deployment,
        "ReplicationController" => Kind::ReplicationController,
        _ => return None,
    };
    let key = Key::new(kind, object.namespace().clone(), reference.name.clone());
    // Owners are at most two deep (Pod, ReplicaSet, Deployment), and none owns itself.
    let above = cluster.get(&key).filter(|above| above.meta.uid == reference.uid);
    match above {
        Some(above) if kind == Kind::ReplicaSet || kind == Kind::Job => owner(cluster, above).or(Some(key)),
        _ => Some(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_slips() {
        for (a, b, expected) in
            [("web", "web", 0), ("web", "wbe", 1), ("nginx", "ngnix", 1), ("", "abc", 3), ("web", "webs", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn slips_are_told_from_other_words() {
        assert!(is_slip("hostnames", "hostname") && is_slip("web", "wbe") && is_slip("app", "ap"));
        assert!(!is_slip("web", "web") && !is_slip("web", "api") && !is_slip("frontend", "backend"));
        assert_eq!(nearest("ngnix", ["nginx", "redis"].into_iter()), Some("nginx"));
        assert_eq!(nearest("ngnix", ["mysql"].into_iter()), None);
    }

    fn check(selector: &str, labels: &[(&'static str, &'static str)], name: &str, cost: usize) {
        let labels: Vec<(SmolStr, SmolStr)> =
            labels.iter().map(|(key, value)| (SmolStr::new(key), SmolStr::new(value))).collect();
        let selector = Selector::parse(selector).expect("the test's selectors are valid");
        assert_eq!(differences(&selector, &labels, name).0, cost, "{selector}");
    }

    #[test]
    fn one_wrong_letter_costs_less_than_another_value_and_that_less_than_nothing() {
        check("app=web", &[("app", "web")], "p", 0);
        check("app=web", &[("app", "wbe")], "p", 1);
        check("app=web", &[("ap", "web")], "p", 1);
        check("app=web", &[("app", "database")], "p", OTHER_VALUE);
        check("app=web", &[], "web", NAME_FITS);
        check("app=web", &[], "p", NOTHING_LIKE_IT);
        check("app=web,tier=front", &[("app", "web"), ("tier", "frnt")], "p", 1);
    }
}
