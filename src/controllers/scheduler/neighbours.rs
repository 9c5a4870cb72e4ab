//! Which nodes a Pod may share with which others: affinity and anti-affinity between Pods, and topology spread.
//!
//! Owns what is required; preferences between Pods are not simulated. What holds for one Pod is worked out once and then
//! asked of each node. Source: the plug-ins `interpodaffinity` and `podtopologyspread` of the scheduler.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::filter::{Reason, reason};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::controllers::placement::selected;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// The required terms of `podAffinity` or `podAntiAffinity`.
fn terms<'a>(pod: &'a Object, field: &str) -> &'a [Value] {
    pod.spec().at(&["affinity", field, REQUIRED]).items()
}

/// Whether a Pod refuses to share a node, a zone, … with certain others.
pub(super) fn is_averse(pod: &Object) -> bool {
    !terms(pod, "podAntiAffinity").is_empty()
}

/// Whether a term of a Pod means another Pod: by namespace and labels.
fn means(term: &Value, owner: &Object, other: &Object, cluster: &Cluster) -> bool {
    let named = term.get("namespaces").items();
    let selector = term.get("namespaceSelector");
    let by_name = named.iter().any(|one| one.str() == other.namespace().as_str());
    let by_labels = || {
        let namespace = cluster.find(Kind::Namespace, "", other.namespace());
        let selector = Selector::of_label_selector(selector);
        selector.zip(namespace).is_some_and(|(selector, namespace)| selector.matches(&namespace.meta.labels))
    };
    let here = if named.is_empty() && selector.is_null() {
        other.namespace() == owner.namespace()
    } else {
        by_name || (!selector.is_null() && by_labels())
    };
    let fits = Selector::of_label_selector(term.get("labelSelector"));
    here && fits.is_some_and(|fits| fits.matches(&other.meta.labels))
}

/// The value of a node's label.
fn label(node: &Object, key: &str) -> Option<SmolStr> {
    node.meta.labels.get(key).as_str().map(SmolStr::from)
}

/// Places by a label of their nodes.
type Domain = (SmolStr, SmolStr);

/// One topology spread constraint that must hold.
struct Spread {
    key: SmolStr,
    most: i64,
    least: i64,
    counts: BTreeMap<SmolStr, i64>,
    itself: i64,
}

/// What a Pod asks of its neighbours.
#[derive(Default)]
pub(super) struct Neighbours {
    /// The keys of the affinity terms, and where all of what they mean runs.
    wanted: Vec<SmolStr>,
    found: BTreeSet<Domain>,
    /// Nothing is there yet that the affinity means, and the Pod itself is such: it may begin anywhere.
    begins: bool,
    /// Where those run that the Pod refuses.
    refused: BTreeSet<Domain>,
    /// Where those run that refuse the Pod.
    refusing: BTreeSet<Domain>,
    spreads: Vec<Spread>,
}

impl Neighbours {
    /// What a Pod asks, and what the `averse` Pods say to it.
    pub(super) fn of(pod: &Object, averse: &BTreeSet<Key>, cluster: &Cluster) -> Self {
        let mut this = Self::default();
        let (wanted, refused) = (terms(pod, "podAffinity"), terms(pod, "podAntiAffinity"));
        if !wanted.is_empty() || !refused.is_empty() {
            for (other, node) in placed(cluster, None) {
                if !wanted.is_empty() && wanted.iter().all(|term| means(term, pod, other, cluster)) {
                    this.found.extend(wanted.iter().filter_map(|term| domain(term, node)));
                }
                let met = refused.iter().filter(|term| means(term, pod, other, cluster));
                this.refused.extend(met.filter_map(|term| domain(term, node)));
            }
            this.begins = this.found.is_empty() && wanted.iter().all(|term| means(term, pod, pod, cluster));
            this.wanted = wanted.iter().map(|term| term.get("topologyKey").smol()).collect();
        }
        for other in averse.iter().filter_map(|key| cluster.get(key)) {
            let Some(node) = node_of(other, cluster) else { continue };
            let met = terms(other, "podAntiAffinity").iter().filter(|term| means(term, other, pod, cluster));
            this.refusing.extend(met.filter_map(|term| domain(term, node)));
        }
        let constraints = pod.spec().get("topologySpreadConstraints").items().iter();
        let required = constraints.filter(|one| one.get("whenUnsatisfiable").str() == "DoNotSchedule");
        this.spreads = required.map(|one| Spread::of(one, pod, cluster)).collect();
        this
    }

    /// Whether the Pod may run on a node as far as its neighbours go.
    pub(super) fn fits(&self, node: &Object) -> Result<(), Reason> {
        for spread in &self.spreads {
            spread.fits(node)?;
        }
        let at = |key: &SmolStr| Some((key.clone(), label(node, key)?));
        let near = |key: &SmolStr| at(key).is_some_and(|place| self.begins || self.found.contains(&place));
        if !self.wanted.iter().all(near) {
            return Err(reason("node(s) didn't match pod affinity rules", false));
        }
        let on = |places: &BTreeSet<Domain>| {
            places.iter().any(|(key, value)| label(node, key).as_ref() == Some(value))
        };
        if on(&self.refused) {
            return Err(reason("node(s) didn't match pod anti-affinity rules", true));
        }
        if on(&self.refusing) {
            return Err(reason("node(s) didn't satisfy existing pods anti-affinity rules", true));
        }
        Ok(())
    }
}

/// Pods that are on a node and have not ended, with their nodes.
fn placed<'a>(
    cluster: &'a Cluster,
    namespace: Option<&'a str>,
) -> impl Iterator<Item = (&'a Arc<Object>, &'a Arc<Object>)> {
    cluster.list(Kind::Pod, namespace).filter_map(|pod| Some((pod, node_of(pod, cluster)?)))
}

fn node_of<'a>(pod: &Object, cluster: &'a Cluster) -> Option<&'a Arc<Object>> {
    let placed = pod.as_pod().filter(|pod| !pod.node.is_empty() && !pod.is_finished())?;
    cluster.find(Kind::Node, "", &placed.node)
}

/// The place that a term names where a node is.
fn domain(term: &Value, node: &Object) -> Option<Domain> {
    let key = term.get("topologyKey").smol();
    let value = label(node, &key)?;
    Some((key, value))
}

impl Spread {
    fn of(constraint: &Value, pod: &Object, cluster: &Cluster) -> Self {
        let key = constraint.get("topologyKey").smol();
        let selector = Selector::of_label_selector(constraint.get("labelSelector"));
        let same = constraint.get("matchLabelKeys").items();
        let counts_with = |other: &Object| {
            selector.as_ref().is_some_and(|selector| selector.matches(&other.meta.labels))
                && same.iter().all(|key| pod.meta.labels.get(key.str()) == other.meta.labels.get(key.str()))
        };
        let honoured = constraint.get("nodeAffinityPolicy").str() != "Ignore";
        let nodes = cluster.list(Kind::Node, None);
        let eligible = nodes.filter(|node| !honoured || selected(pod.spec(), node));
        let mut counts: BTreeMap<SmolStr, i64> =
            eligible.filter_map(|node| Some((label(node, &key)?, 0))).collect();
        for (other, node) in placed(cluster, Some(pod.namespace())) {
            if !other.is_terminating()
                && counts_with(other)
                && let Some(count) = label(node, &key).and_then(|value| counts.get_mut(&value))
            {
                *count += 1;
            }
        }
        let domains = i64::try_from(counts.len()).unwrap_or(i64::MAX);
        let enough = constraint.get("minDomains").as_int().is_none_or(|wanted| domains >= wanted);
        let least = if enough { counts.values().copied().min().unwrap_or(0) } else { 0 };
        let most = constraint.get("maxSkew").as_int().unwrap_or(1);
        let itself = i64::from(counts_with(pod));
        Self { key, most, least, counts, itself }
    }

    fn fits(&self, node: &Object) -> Result<(), Reason> {
        let words = "node(s) didn't match pod topology spread constraints";
        let Some(value) = label(node, &self.key) else {
            let words = "node(s) didn't match pod topology spread constraints (missing required label)";
            return Err(reason(words, false));
        };
        let count = self.counts.get(&value).copied().unwrap_or(0);
        if count + self.itself - self.least > self.most { Err(reason(words, true)) } else { Ok(()) }
    }
}
