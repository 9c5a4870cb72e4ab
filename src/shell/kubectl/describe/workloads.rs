//! Describing Deployments, ReplicaSets, ReplicationControllers, StatefulSets and DaemonSets.

use std::sync::Arc;

use super::About;
use super::page::{Page, plain};
use super::template::{describe_template, long_time};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::Value;

/// The label by which a ReplicaSet tells its Pods from those of others.
const HASH: &str = "pod-template-hash";

fn number(value: &Value) -> i64 {
    value.as_int().unwrap_or(0)
}

/// Writes the description of a Deployment.
pub fn deployment(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.line(0, &format!("CreationTimestamp:\t{}", object.meta.created.rfc1123()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    page.line(0, &format!("Selector:\t{}", selector(spec)));
    page.line(
        0,
        &format!(
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
            number(spec.get("replicas")),
            number(status.get("updatedReplicas")),
            number(status.get("replicas")),
            number(status.get("availableReplicas")),
            number(status.get("unavailableReplicas"))
        ),
    );
    let strategy = spec.get("strategy");
    page.line(0, &format!("StrategyType:\t{}", strategy.get("type").str()));
    page.line(0, &format!("MinReadySeconds:\t{}", number(spec.get("minReadySeconds"))));
    if let rolling @ Value::Map(_) = strategy.get("rollingUpdate") {
        let (unavailable, surge) = (plain(rolling.get("maxUnavailable")), plain(rolling.get("maxSurge")));
        page.line(0, &format!("RollingUpdateStrategy:\t{unavailable} max unavailable, {surge} max surge"));
    }
    describe_template(spec.get("template"), page);
    conditions(status, page);
    replica_sets(about, page);
    about.events(page);
}

fn conditions(status: &Value, page: &mut Page) {
    let conditions = status.get("conditions").items();
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(0, "  Type\tStatus\tReason");
    page.line(0, "  ----\t------\t------");
    for condition in conditions {
        let field = |name: &str| condition.get(name).str();
        page.line(0, &format!("  {} \t{}\t{}", field("type"), field("status"), field("reason")));
    }
}

fn selector(spec: &Value) -> String {
    Selector::of_label_selector(spec.get("selector")).map_or_else(|| "<none>".to_owned(), |it| it.to_string())
}

/// The ReplicaSets of a Deployment: the one of its present template, and the others by age.
fn replica_sets(about: &About<'_>, page: &mut Page) {
    let mut sets: Vec<Arc<Object>> = about.others(Kind::ReplicaSet, "");
    sets.retain(|set| set.controller().is_some_and(|owner| owner.uid == about.object.meta.uid));
    sets.sort_by_key(|set| (set.meta.created, set.name().clone()));
    let template = about.object.spec().get("template");
    let (new, old): (Vec<_>, Vec<_>) = sets.iter().partition(|set| same_template(set, template));
    let list = |sets: &[&Arc<Object>]| {
        let words: Vec<String> = sets
            .iter()
            .map(|set| {
                let (made, wanted) =
                    (number(set.status().get("replicas")), number(set.spec().get("replicas")));
                format!("{} ({made}/{wanted} replicas created)", set.name())
            })
            .collect();
        if words.is_empty() { "<none>".to_owned() } else { words.join(", ") }
    };
    if sets.is_empty() {
        return;
    }
    page.line(0, &format!("OldReplicaSets:\t{}", list(&old)));
    page.line(0, &format!("NewReplicaSet:\t{}", list(&new)));
}

/// Whether a ReplicaSet was made from a template.
fn same_template(set: &Object, template: &Value) -> bool {
    let mut own = set.spec().get("template").clone();
    own.at_mut(&["metadata", "labels"]).remove(HASH);
    own == *template
}

/// Writes the description of a ReplicaSet or ReplicationController.
pub fn replica_set(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    let spec = object.spec();
    let chosen = if object.key.kind == Kind::ReplicationController {
        super::service::selector_text(spec.get("selector"))
    } else {
        selector(spec)
    };
    page.line(0, &format!("Selector:\t{chosen}"));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    if let Some(owner) = object.controller() {
        page.line(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
    let (current, desired) = (number(object.status().get("replicas")), number(spec.get("replicas")));
    page.line(0, &format!("Replicas:\t{current} current / {desired} desired"));
    page.line(0, &format!("Pods Status:\t{}", pods_status(about)));
    describe_template(spec.get("template"), page);
    conditions(object.status(), page);
    about.events(page);
}

/// How many Pods of a workload are in which phase.
fn pods_status(about: &About<'_>) -> String {
    let uid = &about.object.meta.uid;
    let pods = about.others(Kind::Pod, "");
    let count = |phase: &str| {
        pods.iter()
            .filter(|pod| pod.controller().is_some_and(|owner| owner.uid == *uid))
            .filter(|pod| pod.status().get("phase").str() == phase)
            .count()
    };
    format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    )
}

/// Writes the description of a StatefulSet.
pub fn stateful_set(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.line(
        0,
        &format!("CreationTimestamp:\t{}", long_time(object.value.at(&["metadata", "creationTimestamp"]))),
    );
    page.line(0, &format!("Selector:\t{}", selector(spec)));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    let (desired, total) = (number(spec.get("replicas")), number(status.get("replicas")));
    page.line(0, &format!("Replicas:\t{desired} desired | {total} total"));
    let strategy = spec.get("updateStrategy");
    page.line(0, &format!("Update Strategy:\t{}", strategy.get("type").str()));
    if let Some(partition) = strategy.at(&["rollingUpdate", "partition"]).as_int() {
        page.line(1, &format!("Partition:\t{partition}"));
        let most = strategy.at(&["rollingUpdate", "maxUnavailable"]);
        if !most.is_null() {
            page.line(1, &format!("MaxUnavailable:\t{}", plain(most)));
        }
    }
    page.line(0, &format!("Pods Status:\t{}", pods_status(about)));
    describe_template(spec.get("template"), page);
    super::claims::templates(spec.get("volumeClaimTemplates").items(), page);
    about.events(page);
}

/// Writes the description of a DaemonSet.
pub fn daemon_set(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.line(0, &format!("Selector:\t{}", selector(spec)));
    let nodes = super::service::selector_text(spec.at(&["template", "spec", "nodeSelector"]));
    page.line(0, &format!("Node-Selector:\t{nodes}"));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    for (title, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        page.line(0, &format!("{title}: {}", number(status.get(field))));
    }
    page.line(0, &format!("Pods Status:\t{}", pods_status(about)));
    describe_template(spec.get("template"), page);
    about.events(page);
}
