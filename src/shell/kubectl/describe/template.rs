//! Describing containers and Pod templates.
//!
//! Shared by Pods and workloads; the statuses of containers are there for Pods alone.

use super::environment::environment;
use super::page::{Page, plain};
use super::volumes::volumes;
use crate::api::selector::Selector;
use crate::api::time::Timestamp;
use crate::api::value::Value;

/// Writes a Pod template.
pub fn describe_template(template: &Value, page: &mut Page) {
    page.line(0, "Pod Template:");
    let (metadata, spec) = (template.get("metadata"), template.get("spec"));
    page.labels(0, "  Labels", metadata.get("labels"));
    if !metadata.get("annotations").is_empty() {
        page.annotations("  Annotations", metadata.get("annotations"));
    }
    if !spec.get("serviceAccountName").is_empty() {
        page.line(1, &format!("Service Account:\t{}", spec.get("serviceAccountName").str()));
    }
    let inside = Inside { statuses: &Value::Null, space: "  ", pod: &Value::Null };
    if !spec.get("initContainers").is_empty() {
        containers("Init Containers", spec.get("initContainers"), &inside, page);
    }
    containers("Containers", spec.get("containers"), &inside, page);
    volumes(spec.get("volumes"), "  ", page);
    spread(spec.get("topologySpreadConstraints"), "  ", page);
    if !spec.get("priorityClassName").is_empty() {
        page.line(1, &format!("Priority Class Name:\t{}", spec.get("priorityClassName").str()));
    }
    page.labels(0, "  Node-Selectors", spec.get("nodeSelector"));
    tolerations("  Tolerations", spec.get("tolerations"), page);
}

/// Writes how Pods are spread, in order of the keys.
pub fn spread(constraints: &Value, space: &str, page: &mut Page) {
    let mut constraints: Vec<&Value> = constraints.items().iter().collect();
    constraints.sort_by_key(|constraint| constraint.get("topologyKey").str());
    let lines: Vec<String> = constraints.into_iter().map(spread_text).collect();
    if !lines.is_empty() {
        page.list(0, &format!("{space}Topology Spread Constraints"), &lines);
    }
}

fn spread_text(constraint: &Value) -> String {
    let (key, otherwise) = (constraint.get("topologyKey").str(), constraint.get("whenUnsatisfiable").str());
    let skew = constraint.get("maxSkew").as_int().unwrap_or(0);
    let pods = Selector::of_label_selector(constraint.get("labelSelector"));
    let pods = pods.map_or_else(String::new, |pods| format!(" for selector {pods}"));
    format!("{key}:{otherwise} when max skew {skew} is exceeded{pods}")
}

/// What containers stand in.
pub struct Inside<'a> {
    /// `status.containerStatuses`, or null in a template.
    pub statuses: &'a Value,
    /// What stands before titles: two blanks in a template.
    pub space: &'static str,
    /// The Pod, or null in a template.
    pub pod: &'a Value,
}

/// Writes a list of containers.
pub fn containers(title: &str, containers: &Value, inside: &Inside<'_>, page: &mut Page) {
    let none = if containers.items().is_empty() { " <none>" } else { "" };
    page.line(0, &format!("{}{title}:{none}", inside.space));
    for container in containers.items() {
        let name = container.get("name").str();
        let status = inside.statuses.items().iter().find(|status| status.get("name").str() == name);
        basics(container, status, inside.space, page);
        words("Command", container.get("command"), page);
        words("Args", container.get("args"), page);
        if let Some(status) = status {
            states(status, page);
        }
        resources(container.get("resources"), 2, page);
        for (field, title) in
            [("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"), ("startupProbe", "Startup")]
        {
            if !container.get(field).is_null() {
                page.line(2, &format!("{title}:\t{}", probe(container.get(field))));
            }
        }
        environment(container, inside.pod, page);
        mounts(container, page);
    }
}

fn basics(container: &Value, status: Option<&Value>, space: &str, page: &mut Page) {
    let indent = if space.is_empty() { "" } else { " " };
    page.line(1, &format!("{indent}{}:", container.get("name").str()));
    if let Some(status) = status {
        page.line(2, &format!("Container ID:\t{}", status.get("containerID").str()));
    }
    page.line(2, &format!("Image:\t{}", container.get("image").str()));
    if let Some(status) = status {
        page.line(2, &format!("Image ID:\t{}", status.get("imageID").str()));
    }
    let ports = |field: &str| -> Vec<String> {
        container.get("ports").items().iter().map(|port| port_text(port, field)).collect()
    };
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports = ports(field);
        match ports.as_slice() {
            [] => page.line(2, &format!("{title}:\t<none>")),
            [port] => page.line(2, &format!("{title}:\t{port}")),
            many => page.line(2, &format!("{title}s:\t{}", many.join(", "))),
        }
    }
    seccomp(container.get("securityContext"), 2, 3, page);
}

/// Writes a seccomp profile, if there is one; a profile of the node's own stands `deeper`.
pub fn seccomp(context: &Value, level: usize, deeper: usize, page: &mut Page) {
    let profile = context.get("seccompProfile");
    if profile.is_null() {
        return;
    }
    page.line(level, &format!("SeccompProfile:\t{}", profile.get("type").str()));
    if profile.get("type").str() == "Localhost" {
        page.line(deeper, &format!("LocalhostProfile:\t{}", profile.get("localhostProfile").str()));
    }
}

fn port_text(port: &Value, field: &str) -> String {
    let number = port.get(field).as_int().unwrap_or(0);
    let name = port.get("name").str();
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let protocol = port.get("protocol").str();
    format!("{number}/{}{name}", if protocol.is_empty() { "TCP" } else { protocol })
}

fn words(title: &str, words: &Value, page: &mut Page) {
    if words.items().is_empty() {
        return;
    }
    page.line(2, &format!("{title}:"));
    for line in words.items().iter().flat_map(|word| word.str().split('\n')) {
        page.line(3, line);
    }
}

fn states(status: &Value, page: &mut Page) {
    state("State", status.get("state"), page);
    if !status.at(&["lastState", "terminated"]).is_null() {
        state("Last State", status.get("lastState"), page);
    }
    page.line(2, &format!("Ready:\t{}", truth(status.get("ready").as_bool().unwrap_or(false))));
    page.line(2, &format!("Restart Count:\t{}", status.get("restartCount").as_int().unwrap_or(0)));
}

/// Go's `True` and `False`.
pub fn truth(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// A time as descriptions print it.
pub fn long_time(value: &Value) -> String {
    Timestamp::of(value).map_or_else(|| "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(), Timestamp::rfc1123)
}

fn state(title: &str, state: &Value, page: &mut Page) {
    let (running, terminated) = (state.get("running"), state.get("terminated"));
    if !running.is_null() {
        page.line(2, &format!("{title}:\tRunning"));
        page.line(3, &format!("Started:\t{}", long_time(running.get("startedAt"))));
    } else if !terminated.is_null() {
        page.line(2, &format!("{title}:\tTerminated"));
        for (title, field) in [("Reason", "reason"), ("Message", "message")] {
            if !terminated.get(field).is_empty() {
                page.line(3, &format!("{title}:\t{}", terminated.get(field).str()));
            }
        }
        page.line(3, &format!("Exit Code:\t{}", terminated.get("exitCode").as_int().unwrap_or(0)));
        if let Some(signal) = terminated.get("signal").as_int().filter(|signal| *signal > 0) {
            page.line(3, &format!("Signal:\t{signal}"));
        }
        page.line(3, &format!("Started:\t{}", long_time(terminated.get("startedAt"))));
        page.line(3, &format!("Finished:\t{}", long_time(terminated.get("finishedAt"))));
    } else {
        page.line(2, &format!("{title}:\tWaiting"));
        let reason = state.at(&["waiting", "reason"]);
        if !reason.is_empty() {
            page.line(3, &format!("Reason:\t{}", reason.str()));
        }
    }
}

/// Writes limits and requests.
pub fn resources(resources: &Value, level: usize, page: &mut Page) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = resources.get(field).entries();
        if amounts.is_empty() {
            continue;
        }
        page.line(level, &format!("{title}:"));
        for (name, amount) in amounts {
            page.line(level + 1, &format!("{name}:\t{}", plain(amount)));
        }
    }
}

/// A path as it stands in a URL (`url.URL`).
fn url_path(path: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    path.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A probe in one line.
fn probe(probe: &Value) -> String {
    let number = |field: &str| probe.get(field).as_int().unwrap_or(0);
    let numbers = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let (http, tcp, exec, grpc) =
        (probe.get("httpGet"), probe.get("tcpSocket"), probe.get("exec"), probe.get("grpc"));
    let what = if !http.is_null() {
        let scheme = http.get("scheme").str().to_lowercase();
        let port = plain(http.get("port"));
        let path = http.get("path").str();
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        let host = http.get("host").str();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        format!("http-get {scheme}://{host}:{port}{slash}{}", url_path(path))
    } else if !tcp.is_null() {
        format!("tcp-socket {}:{}", tcp.get("host").str(), plain(tcp.get("port")))
    } else if !exec.is_null() {
        let words: Vec<&str> = exec.get("command").items().iter().map(Value::str).collect();
        format!("exec [{}]", words.join(" "))
    } else if !grpc.is_null() {
        format!("grpc <pod>:{} {}", plain(grpc.get("port")), grpc.get("service").str())
    } else {
        "unknown".to_owned()
    };
    format!("{what} {numbers}")
}

fn mounts(container: &Value, page: &mut Page) {
    let sorted = |list: &str, path: &'static str| {
        let mut items: Vec<Value> = container.get(list).items().to_vec();
        items.sort_by_key(|item| item.get(path).smol());
        items
    };
    let mounts = sorted("volumeMounts", "mountPath");
    page.line(2, if mounts.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    for mount in &mounts {
        let mut flags = (if mount.get("readOnly").as_bool() == Some(true) { "ro" } else { "rw" }).to_owned();
        if !mount.get("subPath").is_empty() {
            flags.push_str(&format!(",path=\"{}\"", mount.get("subPath").str()));
        }
        page.line(3, &format!("{} from {} ({flags})", mount.get("mountPath").str(), mount.get("name").str()));
    }
    let devices = sorted("volumeDevices", "devicePath");
    if !devices.is_empty() {
        // kubectl puts the word for no mounts here too.
        page.line(2, if mounts.is_empty() { "Devices:\t<none>" } else { "Devices:" });
    }
    for device in &devices {
        page.line(3, &format!("{} from {}", device.get("devicePath").str(), device.get("name").str()));
    }
}

/// Writes tolerations, in order of their keys.
pub fn tolerations(title: &str, tolerations: &Value, page: &mut Page) {
    let mut items: Vec<&Value> = tolerations.items().iter().collect();
    items.sort_by_key(|toleration| toleration.get("key").str());
    page.list(0, title, &items.into_iter().map(toleration_text).collect::<Vec<_>>());
}

fn toleration_text(toleration: &Value) -> String {
    let mut text = toleration.get("key").str().to_owned();
    for (mark, field) in [("=", "value"), (":", "effect")] {
        if !toleration.get(field).is_empty() {
            text.push_str(mark);
            text.push_str(toleration.get(field).str());
        }
    }
    if toleration.get("operator").str() == "Exists" && toleration.get("value").is_empty() {
        text.push_str(if text.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = toleration.get("tolerationSeconds").as_int() {
        text.push_str(&format!(" for {seconds}s"));
    }
    text
}
