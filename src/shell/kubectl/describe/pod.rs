//! Describing a Pod.

use super::About;
use super::page::Page;
use super::template::{Inside, containers, long_time, tolerations, volumes};
use crate::api::object::Object;
use crate::api::time::human_duration;
use crate::api::value::Value;

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let pod = about.object;
    head(about, page);
    let (spec, status) = (pod.spec(), pod.status());
    let inside = |field: &str| Inside { statuses: status.get(field), space: "", pod: &pod.value };
    if !spec.get("initContainers").is_empty() {
        containers("Init Containers", spec.get("initContainers"), &inside("initContainerStatuses"), page);
    }
    containers("Containers", spec.get("containers"), &inside("containerStatuses"), page);
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(0, "  Type\tStatus");
        for condition in conditions {
            page.line(0, &format!("  {} \t{} ", condition.get("type").str(), condition.get("status").str()));
        }
    }
    volumes(spec.get("volumes"), "", page);
    page.line(0, &format!("QoS Class:\t{}", status.get("qosClass").str()));
    page.labels(0, "Node-Selectors", spec.get("nodeSelector"));
    tolerations("Tolerations", spec.get("tolerations"), page);
    about.events(page);
}

fn head(about: &About<'_>, page: &mut Page) {
    let pod = about.object;
    let (spec, status) = (pod.spec(), pod.status());
    page.line(0, &format!("Name:\t{}", pod.name()));
    page.line(0, &format!("Namespace:\t{}", pod.namespace()));
    if let Some(priority) = spec.get("priority").as_int() {
        page.line(0, &format!("Priority:\t{priority}"));
    }
    for (title, field) in
        [("Priority Class Name", "priorityClassName"), ("Service Account", "serviceAccountName")]
    {
        if !spec.get(field).is_empty() {
            page.line(0, &format!("{title}:\t{}", spec.get(field).str()));
        }
    }
    match spec.get("nodeName").str() {
        "" => page.line(0, "Node:\t<none>"),
        node => page.line(0, &format!("Node:\t{node}/{}", status.get("hostIP").str())),
    }
    if !status.get("startTime").is_null() {
        page.line(0, &format!("Start Time:\t{}", long_time(status.get("startTime"))));
    }
    page.labels(0, "Labels", &pod.meta.labels);
    page.annotations("Annotations", &pod.meta.annotations);
    phase(about, page);
    for (title, field) in [("Reason", "reason"), ("Message", "message")] {
        if !status.get(field).is_empty() {
            page.line(0, &format!("{title}:\t{}", status.get(field).str()));
        }
    }
    addresses(pod, page);
    if let Some(owner) = pod.controller() {
        page.line(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
}

fn phase(about: &About<'_>, page: &mut Page) {
    let pod = about.object;
    let Some(deletion) = pod.meta.deletion else {
        page.line(0, &format!("Status:\t{}", pod.status().get("phase").str()));
        return;
    };
    let now = about.call.host().with(|simulation| simulation.cluster.timestamp());
    page.line(0, &format!("Status:\tTerminating (lasts {})", human_duration(now.0 - deletion.0)));
    let grace = pod.value.at(&["metadata", "deletionGracePeriodSeconds"]).as_int().unwrap_or(0);
    page.line(0, &format!("Termination Grace Period:\t{grace}s"));
}

fn addresses(pod: &Object, page: &mut Page) {
    let status = pod.status();
    page.line(0, &format!("IP:\t{}", status.get("podIP").str()));
    let ips = status.get("podIPs").items();
    if ips.is_empty() {
        page.line(0, "IPs:\t<none>");
        return;
    }
    page.line(0, "IPs:");
    for ip in ips.iter().map(|ip: &Value| ip.get("ip").str()) {
        page.line(0, &format!("  IP:\t{ip}"));
    }
}
