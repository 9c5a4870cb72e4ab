//! Describing PersistentVolumeClaims, and the claims that StatefulSets and volumes make.

use super::About;
use super::page::{Page, plain};
use super::template::long_time;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;

/// The annotation that named the class before there was a field for it.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// The words of a list as Go prints them: `[a b]`.
pub fn bracketed(list: &Value) -> String {
    let words: Vec<&str> = list.items().iter().map(Value::str).collect();
    format!("[{}]", words.join(" "))
}

/// Access modes as they are shortened.
pub fn short(modes: &Value) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |mode: &str| modes.items().iter().any(|one| one.str() == mode);
    let held: Vec<&str> = SHORT.into_iter().filter(|(mode, _)| has(mode)).map(|(_, short)| short).collect();
    held.join(",")
}

/// The finalizers of an object.
pub fn finalizers(object: &Object) -> String {
    bracketed(object.value.at(&["metadata", "finalizers"]))
}

/// The class of a volume or claim.
pub fn storage_class(document: &Value) -> String {
    let annotations = document.at(&["metadata", "annotations"]);
    match annotations.get(OLD_CLASS) {
        Value::Null => document.at(&["spec", "storageClassName"]).str().to_owned(),
        class => class.str().to_owned(),
    }
}

/// An amount; 0 where there is none.
pub fn amount(value: &Value) -> String {
    if value.is_null() { "0".to_owned() } else { plain(value) }
}

/// Writes the description of a claim.
pub fn claim(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.line(0, &format!("StorageClass:\t{}", storage_class(&object.value)));
    page.line(0, &format!("Status:\t{}", about.phase()));
    page.line(0, &format!("Volume:\t{}", object.spec().get("volumeName").str()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    page.line(0, &format!("Finalizers:\t{}", finalizers(object)));
    storage(0, &object.value, page);
    page.list(0, "Used By", &users(about));
    conditions(object.status(), page);
    about.events(page);
}

/// What a claim asks for, and what it got once it is bound.
fn storage(level: usize, claim: &Value, page: &mut Page) {
    let (spec, status) = (claim.get("spec"), claim.get("status"));
    let (mut capacity, mut modes) = (String::new(), String::new());
    if !spec.get("volumeName").is_empty() {
        capacity = amount(status.at(&["capacity", "storage"]));
        modes = short(status.get("accessModes"));
    }
    page.line(level, &format!("Capacity:\t{capacity}"));
    page.line(level, &format!("Access Modes:\t{modes}"));
    if !spec.get("volumeMode").is_null() {
        page.line(level, &format!("VolumeMode:\t{}", spec.get("volumeMode").str()));
    }
    let source = spec.get("dataSource");
    if source.is_null() {
        return;
    }
    page.line(level, "DataSource:");
    for (title, field) in [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")] {
        if field != "apiGroup" || !source.get(field).is_null() {
            page.line(level + 1, &format!("{title}:\t{}", source.get(field).str()));
        }
    }
}

/// The Pods that name the claim in a volume.
fn users(about: &About<'_>) -> Vec<String> {
    let uses = |volumes: &Value| {
        let mut claims =
            volumes.items().iter().map(|volume| volume.at(&["persistentVolumeClaim", "claimName"]));
        claims.any(|name| name.str() == about.object.name())
    };
    let owns = |pod: &Object| about.object.meta.owners.iter().any(|owner| owner.uid == pod.meta.uid);
    let pods = about.others(Kind::Pod, "");
    let users = pods.iter().filter(|pod| uses(pod.spec().get("volumes")) || owns(pod));
    let mut names: Vec<String> = users.map(|pod| pod.name().to_string()).collect();
    names.sort();
    names
}

fn conditions(status: &Value, page: &mut Page) {
    let conditions = status.get("conditions").items();
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
    page.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let field = |name: &str| condition.get(name).str();
        let [probed, changed] =
            ["lastProbeTime", "lastTransitionTime"].map(|field| long_time(condition.get(field)));
        let row = format!("{} \t{} \t{probed} \t{changed}", field("type"), field("status"));
        page.line(1, &format!("{row} \t{} \t{}", field("reason"), field("message")));
    }
}

/// Writes the claim that a volume makes for its Pod.
pub fn ephemeral(template: &Value, page: &mut Page) {
    if template.is_null() {
        return;
    }
    let metadata = template.get("metadata");
    page.line(2, &format!("StorageClass:\t{}", storage_class(template)));
    page.line(2, &format!("Volume:\t{}", template.at(&["spec", "volumeName"]).str()));
    page.labels(2, "Labels", metadata.get("labels"));
    page.annotations("    Annotations", metadata.get("annotations"));
    storage(2, template, page);
}

/// Writes the claims that a StatefulSet makes for each of its Pods.
pub fn templates(claims: &[Value], page: &mut Page) {
    if claims.is_empty() {
        return page.line(0, "Volume Claims:\t<none>");
    }
    page.line(0, "Volume Claims:");
    for claim in claims {
        let (metadata, spec) = (claim.get("metadata"), claim.get("spec"));
        page.line(1, &format!("Name:\t{}", metadata.get("name").str()));
        page.line(1, &format!("StorageClass:\t{}", storage_class(claim)));
        page.labels(1, "Labels", metadata.get("labels"));
        page.labels(1, "Annotations", metadata.get("annotations"));
        let capacity = plain(spec.at(&["resources", "requests", "storage"]));
        let capacity = if capacity.is_empty() { "<default>" } else { &capacity };
        page.line(1, &format!("Capacity:\t{capacity}"));
        page.line(1, &format!("Access Modes:\t{}", bracketed(spec.get("accessModes"))));
    }
}
