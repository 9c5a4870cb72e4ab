//! Describing a Node.

use std::collections::BTreeSet;

use super::About;
use super::page::{Page, joined, plain};
use super::template::long_time;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::Value;

/// What makes a label a role.
const ROLE: &str = "node-role.kubernetes.io/";
/// The label whose value is a role.
const OLD_ROLE: &str = "kubernetes.io/role";
/// Facts about the machine, with their titles.
const SYSTEM: [(&str, &str); 9] = [
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
];

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let node = about.object;
    let status = node.status();
    head(node, page);
    lease(about, page);
    conditions(status, page);
    page.line(0, "Addresses:");
    for address in status.get("addresses").items() {
        page.line(1, &format!("{}:\t{}", address.get("type").str(), address.get("address").str()));
    }
    for (title, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        if status.get(field).entries().is_empty() {
            continue;
        }
        page.line(0, &format!("{title}:"));
        for (name, amount) in status.get(field).entries() {
            page.line(1, &format!("{name}:\t{}", plain(amount)));
        }
    }
    page.line(0, "System Info:");
    for (title, field) in SYSTEM {
        page.line(0, &format!("  {title}:\t{}", status.at(&["nodeInfo", field]).str()));
    }
    let spec = node.spec();
    if !spec.get("podCIDR").is_empty() {
        page.line(0, &format!("PodCIDR:\t{}", spec.get("podCIDR").str()));
    }
    if !spec.get("podCIDRs").is_empty() {
        page.line(0, &format!("PodCIDRs:\t{}", joined(spec.get("podCIDRs").items().iter().map(Value::str))));
    }
    if !spec.get("providerID").is_empty() {
        page.line(0, &format!("ProviderID:\t{}", spec.get("providerID").str()));
    }
    super::node_pods::describe(about, page);
    about.events(page);
}

fn head(node: &Object, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", node.name()));
    let roles = node.meta.labels.entries().iter().filter_map(|(key, value)| match key.strip_prefix(ROLE) {
        None if key == OLD_ROLE => Some(value.str()),
        role => role,
    });
    let roles: BTreeSet<&str> = roles.filter(|role| !role.is_empty()).collect();
    page.line(0, &format!("Roles:\t{}", joined(roles.into_iter())));
    page.labels(0, "Labels", &node.meta.labels);
    page.annotations("Annotations", &node.meta.annotations);
    page.line(0, &format!("CreationTimestamp:\t{}", node.meta.created.rfc1123()));
    let mut taints: Vec<&Value> = node.spec().get("taints").items().iter().collect();
    taints.sort_by_key(|taint| format!("{},{}", taint.get("effect").str(), taint.get("key").str()));
    page.list(0, "Taints", &taints.into_iter().map(taint).collect::<Vec<_>>());
    let unschedulable = node.spec().get("unschedulable").as_bool().unwrap_or(false);
    page.line(0, &format!("Unschedulable:\t{unschedulable}"));
}

fn taint(taint: &Value) -> String {
    let [key, value, effect] = ["key", "value", "effect"].map(|field| taint.get(field).str());
    match (value, effect) {
        ("", "") => key.to_owned(),
        ("", effect) => format!("{key}:{effect}"),
        (value, "") => format!("{key}={value}:"),
        (value, effect) => format!("{key}={value}:{effect}"),
    }
}

fn lease(about: &About<'_>, page: &mut Page) {
    let lease = about.call.get(Kind::Lease, "kube-node-lease", about.object.name());
    match lease {
        Err(status) => page.line(0, &format!("Lease:\tFailed to get lease: {}", status.message)),
        Ok(lease) => {
            let spec = lease.spec();
            let time = |field: &str| match spec.get(field) {
                Value::Null => "<unset>".to_owned(),
                at => micro_time(at),
            };
            page.line(0, "Lease:");
            let holder = spec.get("holderIdentity").as_str().unwrap_or("<unset>");
            page.line(1, &format!("HolderIdentity:\t{holder}"));
            page.line(1, &format!("AcquireTime:\t{}", time("acquireTime")));
            page.line(1, &format!("RenewTime:\t{}", time("renewTime")));
        }
    }
}

/// A time with fractions of a second, as descriptions print it.
fn micro_time(value: &Value) -> String {
    let whole = value.str().split('.').next().unwrap_or("").trim_end_matches('Z');
    Timestamp::parse(&format!("{whole}Z")).map_or_else(|| "<unset>".to_owned(), Timestamp::rfc1123)
}

fn conditions(status: &Value, page: &mut Page) {
    let conditions = status.get("conditions").items();
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    page.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let field = |name: &str| condition.get(name).str();
        page.line(
            1,
            &format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                field("type"),
                field("status"),
                long_time(condition.get("lastHeartbeatTime")),
                long_time(condition.get("lastTransitionTime")),
                field("reason"),
                field("message")
            ),
        );
    }
}
