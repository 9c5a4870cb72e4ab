//! Describing classes and other cluster-scoped settings: StorageClass, VolumeAttributesClass, IngressClass,
//! PriorityClass, ServiceCIDR, IPAddress, CSINode.

use super::About;
use super::claims::bracketed;
use super::page::{Page, plain};
use super::template::{long_time, truth};
use crate::api::value::Value;
use crate::shell::kubectl::table::label_text;

/// Annotations that make a StorageClass the default, in the order in which they are looked at.
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// Name, labels and annotations.
fn head(about: &About<'_>, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.labels(0, "Labels", &about.object.meta.labels);
    page.annotations("Annotations", &about.object.meta.annotations);
}

/// Writes a StorageClass.
pub fn storage_class(about: &About<'_>, page: &mut Page) {
    let class = &about.object.value;
    let annotations = &about.object.meta.annotations;
    let default = DEFAULT_CLASS.iter().any(|key| annotations.get(key).str() == "true");
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("IsDefaultClass:\t{}", if default { "Yes" } else { "No" }));
    page.line(0, &format!("Annotations:\t{}", label_text(annotations)));
    page.line(0, &format!("Provisioner:\t{}", class.get("provisioner").str()));
    page.line(0, &format!("Parameters:\t{}", label_text(class.get("parameters"))));
    let expands = class.get("allowVolumeExpansion").as_bool().map_or("<unset>", truth);
    page.line(0, &format!("AllowVolumeExpansion:\t{expands}"));
    let options = class.get("mountOptions").items();
    page.line(0, if options.is_empty() { "MountOptions:\t<none>" } else { "MountOptions:" });
    options.iter().for_each(|option| page.line(1, option.str()));
    for (title, field) in [("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")] {
        if !class.get(field).is_null() {
            page.line(0, &format!("{title}:\t{}", class.get(field).str()));
        }
    }
    topologies(class.get("allowedTopologies"), page);
    about.events(page);
}

fn topologies(topologies: &Value, page: &mut Page) {
    if topologies.is_null() {
        return;
    }
    let terms = topologies.items();
    page.line(0, &format!("AllowedTopologies:\t{}", if terms.is_empty() { "<none>" } else { "" }));
    for (index, term) in terms.iter().enumerate() {
        let wanted = term.get("matchLabelExpressions").items().iter().map(|one| {
            let values: Vec<&str> = one.get("values").items().iter().map(Value::str).collect();
            let list = if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
            format!("{} in{list}", one.get("key").str())
        });
        page.list(1, &format!("Term {index}"), &wanted.collect::<Vec<_>>());
    }
}

/// Writes a VolumeAttributesClass.
pub fn attributes_class(about: &About<'_>, page: &mut Page) {
    let class = &about.object.value;
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Annotations:\t{}", label_text(&about.object.meta.annotations)));
    page.line(0, &format!("DriverName:\t{}", class.get("driverName").str()));
    page.line(0, &format!("Parameters:\t{}", label_text(class.get("parameters"))));
    about.events(page);
}

/// Writes an IngressClass.
pub fn ingress_class(about: &About<'_>, page: &mut Page) {
    head(about, page);
    let spec = about.object.spec();
    page.line(0, &format!("Controller:\t{}", spec.get("controller").str()));
    let parameters = spec.get("parameters");
    if !parameters.is_null() {
        page.line(0, "Parameters:");
        if !parameters.get("apiGroup").is_null() {
            page.line(1, &format!("APIGroup:\t{}", parameters.get("apiGroup").str()));
        }
        page.line(1, &format!("Kind:\t{}", parameters.get("kind").str()));
        page.line(1, &format!("Name:\t{}", parameters.get("name").str()));
    }
    about.events(page);
}

/// Writes a PriorityClass.
pub fn priority_class(about: &About<'_>, page: &mut Page) {
    let class = &about.object.value;
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Value:\t{}", class.get("value").as_int().unwrap_or(0)));
    page.line(0, &format!("GlobalDefault:\t{}", class.get("globalDefault").as_bool().unwrap_or(false)));
    page.line(0, &format!("PreemptionPolicy:\t{}", class.get("preemptionPolicy").str()));
    page.line(0, &format!("Description:\t{}", class.get("description").str()));
    page.line(0, &format!("Annotations:\t{}", label_text(&about.object.meta.annotations)));
    about.events(page);
}

/// Writes a ServiceCIDR.
pub fn service_range(about: &About<'_>, page: &mut Page) {
    head(about, page);
    let ranges: Vec<&str> = about.object.spec().get("cidrs").items().iter().map(Value::str).collect();
    page.line(0, &format!("CIDRs:\t{}", ranges.join(", ")));
    let conditions = about.object.status().get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Status:");
    }
    timed_conditions(conditions, page);
    about.events(page);
}

/// Writes conditions with the times of their changes.
pub fn timed_conditions(conditions: &[Value], page: &mut Page) {
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
    page.line(1, "----\t------\t------------------\t------\t-------");
    for condition in conditions {
        let field = |name: &str| plain(condition.get(name));
        let changed = long_time(condition.get("lastTransitionTime"));
        let row = format!("{}\t{}\t{changed}", field("type"), field("status"));
        page.line(1, &format!("{row}\t{}\t{}", field("reason"), field("message")));
    }
}

/// Writes an IPAddress.
pub fn address(about: &About<'_>, page: &mut Page) {
    head(about, page);
    let parent = about.object.spec().get("parentRef");
    if !parent.is_null() {
        page.line(0, "Parent Reference:");
        for (title, field) in
            [("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")]
        {
            page.line(1, &format!("{title}:\t{}", parent.get(field).str()));
        }
    }
    about.events(page);
}

/// Writes a CSINode: its drivers.
pub fn drivers(about: &About<'_>, page: &mut Page) {
    head(about, page);
    page.line(0, &format!("CreationTimestamp:\t{}", about.object.meta.created.rfc1123()));
    page.line(0, "Spec:");
    let drivers = about.object.spec().get("drivers");
    if !drivers.is_null() {
        page.line(1, "Drivers:");
    }
    for driver in drivers.items() {
        page.line(2, &format!("{}:", driver.get("name").str()));
        page.line(3, &format!("Node ID:\t{}", driver.get("nodeID").str()));
        if let Some(count) = driver.at(&["allocatable", "count"]).as_int() {
            page.line(3, "Allocatables:");
            page.line(4, &format!("Count:\t{count}"));
        }
        if !driver.get("topologyKeys").is_null() {
            page.line(3, &format!("Topology Keys:\t{}", bracketed(driver.get("topologyKeys"))));
        }
    }
    about.events(page);
}
