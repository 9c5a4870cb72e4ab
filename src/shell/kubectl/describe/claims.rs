//! Describing PersistentVolumeClaims, and the claims that a StatefulSet makes.

use super::About;
use super::page::{Page, plain};
use crate::api::registry::Kind;
use crate::api::value::Value;

/// The words of a list as Go prints them: `[a b]`.
fn bracketed(list: &Value) -> String {
    let words: Vec<&str> = list.items().iter().map(Value::str).collect();
    format!("[{}]", words.join(" "))
}

/// Access modes as they are shortened.
fn short(modes: &Value) -> String {
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

/// Writes the description of a claim.
pub fn claim(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.line(0, &format!("StorageClass:\t{}", spec.get("storageClassName").str()));
    page.line(0, &format!("Status:\t{}", status.get("phase").str()));
    page.line(0, &format!("Volume:\t{}", spec.get("volumeName").str()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    let finalizers = object.value.at(&["metadata", "finalizers"]);
    page.line(0, &format!("Finalizers:\t{}", bracketed(finalizers)));
    page.line(0, &format!("Capacity:\t{}", plain(status.at(&["capacity", "storage"]))));
    page.line(0, &format!("Access Modes:\t{}", short(status.get("accessModes"))));
    page.line(0, &format!("VolumeMode:\t{}", spec.get("volumeMode").str()));
    let pods = about.others(Kind::Pod, "");
    let uses = |volumes: &Value| {
        let mut claims =
            volumes.items().iter().map(|volume| volume.at(&["persistentVolumeClaim", "claimName"]));
        claims.any(|name| name.str() == object.name())
    };
    let mut head = "Used By:";
    for pod in pods.iter().filter(|pod| uses(pod.spec().get("volumes"))) {
        page.line(0, &format!("{head}\t{}", pod.name()));
        head = "";
    }
    if !head.is_empty() {
        page.line(0, "Used By:\t<none>");
    }
    about.events(page);
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
        page.line(1, &format!("StorageClass:\t{}", spec.get("storageClassName").str()));
        page.labels(1, "Labels", metadata.get("labels"));
        page.labels(1, "Annotations", metadata.get("annotations"));
        let capacity = plain(spec.at(&["resources", "requests", "storage"]));
        let capacity = if capacity.is_empty() { "<default>" } else { &capacity };
        page.line(1, &format!("Capacity:\t{capacity}"));
        page.line(1, &format!("Access Modes:\t{}", bracketed(spec.get("accessModes"))));
    }
}
