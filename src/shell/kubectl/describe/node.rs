//! Describing a Node.

use super::About;
use super::page::{Page, joined, plain};
use super::template::long_time;
use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;
use crate::cluster::request::Options;
use std::sync::Arc;

/// What makes a label a role.
const ROLE: &str = "node-role.kubernetes.io/";
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
    page.flush();
    for (title, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        page.line(0, &format!("{title}:"));
        for (name, amount) in status.get(field).entries() {
            page.line(1, &format!("{name}:\t{}", plain(amount)));
        }
    }
    page.flush();
    page.line(0, "System Info:");
    for (title, field) in SYSTEM {
        page.line(0, &format!("  {title}:\t{}", status.at(&["nodeInfo", field]).str()));
    }
    let spec = node.spec();
    if !spec.get("podCIDR").is_empty() {
        page.line(0, &format!("PodCIDR:\t{}", spec.get("podCIDR").str()));
        page.line(0, &format!("PodCIDRs:\t{}", joined(spec.get("podCIDRs").items().iter().map(Value::str))));
    }
    pods(about, page);
    about.events(page);
}

fn head(node: &Object, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", node.name()));
    let roles = node.meta.labels.entries().iter().filter_map(|(key, _)| key.strip_prefix(ROLE));
    page.line(0, &format!("Roles:\t{}", joined(roles)));
    page.labels(0, "Labels", &node.meta.labels);
    page.annotations("Annotations", &node.meta.annotations);
    page.line(0, &format!("CreationTimestamp:\t{}", node.meta.created.rfc1123()));
    let mut taints: Vec<String> = node.spec().get("taints").items().iter().map(taint).collect();
    taints.sort();
    if taints.is_empty() {
        page.line(0, "Taints:\t<none>");
    }
    for (at, taint) in taints.iter().enumerate() {
        page.line(0, &format!("{}\t{taint}", if at == 0 { "Taints:" } else { "" }));
    }
    let unschedulable = node.spec().get("unschedulable").as_bool().unwrap_or(false);
    page.line(0, &format!("Unschedulable:\t{unschedulable}"));
}

fn taint(taint: &Value) -> String {
    let value = taint.get("value").str();
    let equals = if value.is_empty() { "" } else { "=" };
    format!("{}{equals}{value}:{}", taint.get("key").str(), taint.get("effect").str())
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
            page.flush();
            page.line(0, "Lease:");
            page.line(1, &format!("HolderIdentity:\t{}", spec.get("holderIdentity").str()));
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
    page.flush();
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

/// Requests and limits of one resource, in thousandths.
#[derive(Clone, Copy, Default)]
struct Amounts {
    requests: i64,
    limits: i64,
}

fn amounts(pod: &Object, resource: &str) -> Amounts {
    let mut sum = Amounts::default();
    for container in pod.spec().get("containers").items() {
        let read = |field: &str| {
            let text = plain(container.at(&["resources", field, resource]));
            Quantity::parse(&text).map_or(0, Quantity::millis)
        };
        sum.requests += read("requests");
        sum.limits += read("limits");
    }
    sum
}

/// An amount with its share of what the node has.
fn share(millis: i64, resource: &str, node: &Object) -> String {
    let total = plain(node.status().at(&["allocatable", resource]));
    let total = Quantity::parse(&total).map_or(0, Quantity::millis);
    let percent = if total == 0 { 0 } else { millis * 100 / total };
    format!("{} ({percent}%)", amount(millis, resource))
}

fn amount(millis: i64, resource: &str) -> String {
    const KI: i64 = 1024;
    let whole = millis / 1000;
    if resource == "cpu" {
        return if millis % 1000 == 0 { whole.to_string() } else { format!("{millis}m") };
    }
    for (unit, size) in [("Gi", KI * KI * KI), ("Mi", KI * KI), ("Ki", KI)] {
        if whole > 0 && whole % size == 0 {
            return format!("{}{unit}", whole / size);
        }
    }
    whole.to_string()
}

fn pods(about: &About<'_>, page: &mut Page) {
    let node = about.object;
    let options = Options { field_selector: format!("spec.nodeName={}", node.name()), ..Options::default() };
    let mut pods: Vec<Arc<Object>> = about.call.list(Kind::Pod, "", options).unwrap_or_default();
    pods.retain(|pod| pod.as_pod().is_some_and(|pod| !pod.is_finished()));
    let now = about.call.host().with(|simulation| simulation.cluster.timestamp());
    page.line(0, &format!("Non-terminated Pods:\t({} in total)", pods.len()));
    page.flush();
    page.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    page.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for pod in &pods {
        let (cpu, memory) = (amounts(pod, "cpu"), amounts(pod, "memory"));
        page.line(
            1,
            &format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                pod.namespace(),
                pod.name(),
                share(cpu.requests, "cpu", node),
                share(cpu.limits, "cpu", node),
                share(memory.requests, "memory", node),
                share(memory.limits, "memory", node),
                human_duration(now.0 - pod.meta.created.0)
            ),
        );
    }
    page.flush();
    page.line(0, "Allocated resources:");
    page.line(0, "  (Total limits may be over 100 percent, i.e., overcommitted.)");
    page.line(1, "Resource\tRequests\tLimits");
    page.line(1, "--------\t--------\t------");
    for resource in ordered(node) {
        let total = pods.iter().map(|pod| amounts(pod, resource)).fold(Amounts::default(), |sum, one| {
            Amounts { requests: sum.requests + one.requests, limits: sum.limits + one.limits }
        });
        page.line(
            1,
            &format!(
                "{resource}\t{}\t{}",
                share(total.requests, resource, node),
                share(total.limits, resource, node)
            ),
        );
    }
}

/// cpu, memory and ephemeral-storage first, then the rest by name.
fn ordered(node: &Object) -> Vec<&'static str> {
    let held = node.status().get("allocatable");
    ["cpu", "memory", "ephemeral-storage", "hugepages-1Gi", "hugepages-2Mi"]
        .into_iter()
        .filter(|name| ["cpu", "memory", "ephemeral-storage"].contains(name) || !held.get(name).is_null())
        .collect()
}
