//! Describing a Pod.

use super::About;
use super::page::Page;
use super::template::{Inside, containers, long_time, resources, seccomp, spread, tolerations};
use super::volumes::volumes;
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
    let ephemeral = spec.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        containers("Ephemeral Containers", ephemeral, &inside("ephemeralContainerStatuses"), page);
    }
    let conditions = status.get("conditions").items();
    gates(spec.get("readinessGates").items(), conditions, page);
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
    spread(spec.get("topologySpreadConstraints"), "", page);
    about.events(page);
}

/// Writes the conditions that others set, without which the Pod is not ready.
fn gates(gates: &[Value], conditions: &[Value], page: &mut Page) {
    if gates.is_empty() {
        return;
    }
    page.line(0, "Readiness Gates:");
    page.line(0, "  Type\tStatus");
    for kind in gates.iter().map(|gate| gate.get("conditionType").str()) {
        let found = conditions.iter().find(|condition| condition.get("type").str() == kind);
        let status = found.map_or("<none>", |condition| condition.get("status").str());
        page.line(1, &format!("{kind} \t{status} "));
    }
}

fn head(about: &About<'_>, page: &mut Page) {
    let pod = about.object;
    let (spec, status) = (pod.spec(), pod.status());
    page.line(0, &format!("Name:\t{}", pod.name()));
    page.line(0, &format!("Namespace:\t{}", pod.namespace()));
    if let Some(priority) = spec.get("priority").as_int() {
        page.line(0, &format!("Priority:\t{priority}"));
    }
    for (title, field) in [
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ] {
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
    seccomp(spec.get("securityContext"), 0, 0, page);
    addresses(pod, page);
    if let Some(owner) = pod.controller() {
        page.line(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
    if !status.get("nominatedNodeName").is_empty() {
        page.line(0, &format!("NominatedNodeName:\t{}", status.get("nominatedNodeName").str()));
    }
    if !spec.get("resources").is_null() {
        page.line(0, "Resources:");
        resources(spec.get("resources"), 1, page);
    }
}

fn phase(about: &About<'_>, page: &mut Page) {
    let pod = about.object;
    let phase = pod.status().get("phase").str();
    let Some(deletion) = pod.meta.deletion.filter(|_| !matches!(phase, "Failed" | "Succeeded")) else {
        page.line(0, &format!("Status:\t{phase}"));
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
