//! What is left in a namespace that is being deleted, and how its conditions tell of it.
//!
//! Source: `status_condition_utils.go` of Kubernetes.

use std::collections::BTreeMap;

use crate::api::registry::{KINDS, Kind, KindInfo};
use crate::api::time::Timestamp;
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::value;

/// What is left: how many objects of each resource, and how many hold a finalizer.
#[derive(Debug, Default)]
pub(super) struct Remains {
    resources: BTreeMap<String, usize>,
    finalizers: BTreeMap<SmolStr, usize>,
}

/// Counts what is left in a namespace: its Pods, as long as there are any.
pub(super) fn of(cluster: &Cluster, namespace: &str) -> Remains {
    let mut remains = Remains::default();
    let has_pods = cluster.list(Kind::Pod, Some(namespace)).next().is_some();
    let looked_at = |info: &&KindInfo| if has_pods { info.kind == Kind::Pod } else { info.namespaced };
    for info in KINDS.iter().filter(looked_at) {
        for object in cluster.list(info.kind, Some(namespace)) {
            *remains.resources.entry(format!("{}.{}", info.plural, info.group)).or_default() += 1;
            for finalizer in object.value.at(&["metadata", "finalizers"]).items() {
                *remains.finalizers.entry(finalizer.smol()).or_default() += 1;
            }
        }
    }
    remains
}

impl Remains {
    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// The conditions of the namespace, as they follow from those before.
    pub(super) fn conditions(&self, before: &Value, now: Timestamp) -> Value {
        let resources: Vec<String> = self
            .resources
            .iter()
            .map(|(resource, count)| format!("{resource} has {count} resource instances"))
            .collect();
        let finalizers: Vec<String> = self
            .finalizers
            .iter()
            .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
            .collect();
        let content = match resources.as_slice() {
            [] => (false, "ContentRemoved", "All content successfully removed".to_owned()),
            left => {
                (true, "SomeResourcesRemain", format!("Some resources are remaining: {}", left.join(", ")))
            }
        };
        let held = match finalizers.as_slice() {
            [] => (false, "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned()),
            left => (
                true,
                "SomeFinalizersRemain",
                format!("Some content in the namespace has finalizers remaining: {}", left.join(", ")),
            ),
        };
        let well = |reason, message: &str| (false, reason, message.to_owned());
        [
            (
                "NamespaceDeletionDiscoveryFailure",
                well("ResourcesDiscovered", "All resources successfully discovered"),
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                well("ParsedGroupVersions", "All legacy kube types successfully parsed"),
            ),
            (
                "NamespaceDeletionContentFailure",
                well(
                    "ContentDeleted",
                    "All content successfully deleted, may be waiting on finalization",
                ),
            ),
            ("NamespaceContentRemaining", content),
            ("NamespaceFinalizersRemaining", held),
        ]
        .into_iter()
        .map(|(kind, (holds, reason, message))| {
            let status = if holds { "True" } else { "False" };
            let known = before.get("conditions").items().iter().find(|one| one.get("type").str() == kind);
            let same = known.filter(|one| one.get("status").str() == status);
            let since = same.map_or_else(|| now.into(), |one| one.get("lastTransitionTime").clone());
            value!({
                "lastTransitionTime": (since), "message": message, "reason": reason, "status": status, "type": kind
            })
        })
        .collect()
    }
}
