//! Describing containers, volumes and Pod templates.
//!
//! Shared by Pods and workloads; the statuses of containers are there for Pods alone.

use super::page::{Page, plain};
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
    if !spec.get("priorityClassName").is_empty() {
        page.line(1, &format!("Priority Class Name:\t{}", spec.get("priorityClassName").str()));
    }
    page.labels(0, "  Node-Selectors", spec.get("nodeSelector"));
    tolerations("  Tolerations", spec.get("tolerations"), page);
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
    page.line(0, &format!("{}{title}:", inside.space));
    for container in containers.items() {
        let name = container.get("name").str();
        let status = inside.statuses.items().iter().find(|status| status.get("name").str() == name);
        basics(container, status, inside.space, page);
        words("Command", container.get("command"), page);
        words("Args", container.get("args"), page);
        if let Some(status) = status {
            states(status, page);
        }
        resources(container.get("resources"), page);
        for (field, title) in
            [("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"), ("startupProbe", "Startup")]
        {
            if !container.get(field).is_null() {
                page.line(2, &format!("{title}:\t{}", probe(container.get(field))));
            }
        }
        environment(container, inside.pod, page);
        mounts(container.get("volumeMounts"), page);
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

fn resources(resources: &Value, page: &mut Page) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = resources.get(field).entries();
        if amounts.is_empty() {
            continue;
        }
        page.line(2, &format!("{title}:"));
        for (name, amount) in amounts {
            page.line(3, &format!("{name}:\t{}", plain(amount)));
        }
    }
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
        format!("http-get {scheme}://{}:{port}{slash}{path}", http.get("host").str())
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

fn environment(container: &Value, pod: &Value, page: &mut Page) {
    let from = container.get("envFrom").items();
    if !from.is_empty() {
        page.line(2, "Environment Variables from:");
        for source in from {
            let (kind, reference) = match source.get("configMapRef") {
                Value::Null => ("Secret", source.get("secretRef")),
                reference => ("ConfigMap", reference),
            };
            let optional = truth(reference.get("optional").as_bool().unwrap_or(false)).to_lowercase();
            page.line(3, &format!("{}\t{kind}\tOptional: {optional}", reference.get("name").str()));
        }
    }
    let variables = container.get("env").items();
    if variables.is_empty() {
        page.line(2, "Environment:\t<none>");
        return;
    }
    page.line(2, "Environment:");
    for variable in variables {
        let name = variable.get("name").str();
        let from = variable.get("valueFrom");
        if from.is_null() {
            let mut lines = variable.get("value").str().split('\n');
            page.line(3, &format!("{name}:\t{}", lines.next().unwrap_or("")));
            lines.for_each(|line| page.line(3, &format!("\t{line}")));
        } else {
            page.line(3, &format!("{name}:\t{}", reference(from, pod)));
        }
    }
}

/// Where a variable gets its value from.
fn reference(from: &Value, pod: &Value) -> String {
    let optional = |source: &Value| source.get("optional").as_bool().unwrap_or(false);
    if let field @ Value::Map(_) = from.get("fieldRef") {
        let path = field.get("fieldPath").str();
        let value = match path {
            "metadata.name" | "metadata.namespace" | "metadata.uid" => {
                pod.at(&path.split('.').collect::<Vec<_>>()).str()
            }
            _ => "",
        };
        let version = field.get("apiVersion").str();
        return format!("{value} ({}:{path})", if version.is_empty() { "v1" } else { version });
    }
    if let resource @ Value::Map(_) = from.get("resourceFieldRef") {
        return format!(" ({})", resource.get("resource").str());
    }
    if let secret @ Value::Map(_) = from.get("secretKeyRef") {
        let (key, name) = (secret.get("key").str(), secret.get("name").str());
        return format!("<set to the key '{key}' in secret '{name}'>\tOptional: {}", optional(secret));
    }
    let map = from.get("configMapKeyRef");
    let (key, name) = (map.get("key").str(), map.get("name").str());
    format!("<set to the key '{key}' of config map '{name}'>\tOptional: {}", optional(map))
}

fn mounts(mounts: &Value, page: &mut Page) {
    if mounts.items().is_empty() {
        page.line(2, "Mounts:\t<none>");
        return;
    }
    page.line(2, "Mounts:");
    let mut mounts: Vec<&Value> = mounts.items().iter().collect();
    mounts.sort_by_key(|mount| mount.get("mountPath").str());
    for mount in mounts {
        let mut flags = (if mount.get("readOnly").as_bool() == Some(true) { "ro" } else { "rw" }).to_owned();
        if !mount.get("subPath").is_empty() {
            flags.push_str(&format!(",path=\"{}\"", mount.get("subPath").str()));
        }
        page.line(3, &format!("{} from {} ({flags})", mount.get("mountPath").str(), mount.get("name").str()));
    }
}

/// Writes the volumes of a Pod or template.
pub fn volumes(volumes: &Value, space: &str, page: &mut Page) {
    if volumes.items().is_empty() {
        page.line(0, &format!("{space}Volumes:\t<none>"));
        return;
    }
    page.line(0, &format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        page.line(1, &format!("{indent}{}:", volume.get("name").str()));
        describe_volume(volume, page);
    }
}

fn describe_volume(volume: &Value, page: &mut Page) {
    let optional = |source: &Value| source.get("optional").as_bool().unwrap_or(false);
    let mut say = |title: &str, text: String| page.line(2, &format!("{title}:\t{text}"));
    if let source @ Value::Map(_) = volume.get("configMap") {
        say("Type", "ConfigMap (a volume populated by a ConfigMap)".to_owned());
        say("Name", plain(source.get("name")));
        say("Optional", optional(source).to_string());
    } else if let source @ Value::Map(_) = volume.get("secret") {
        say("Type", "Secret (a volume populated by a Secret)".to_owned());
        say("SecretName", plain(source.get("secretName")));
        say("Optional", optional(source).to_string());
    } else if let source @ Value::Map(_) = volume.get("emptyDir") {
        say("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)".to_owned());
        say("Medium", plain(source.get("medium")));
        let limit = plain(source.get("sizeLimit"));
        say("SizeLimit", if limit.is_empty() { "<unset>".to_owned() } else { limit });
    } else if let source @ Value::Map(_) = volume.get("hostPath") {
        say("Type", "HostPath (bare host directory volume)".to_owned());
        say("Path", plain(source.get("path")));
        say("HostPathType", plain(source.get("type")));
    } else if let source @ Value::Map(_) = volume.get("persistentVolumeClaim") {
        say(
            "Type",
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)".to_owned(),
        );
        say("ClaimName", plain(source.get("claimName")));
        say("ReadOnly", source.get("readOnly").as_bool().unwrap_or(false).to_string());
    } else if let source @ Value::Map(_) = volume.get("projected") {
        say("Type", "Projected (a volume that contains injected data from multiple sources)".to_owned());
        for part in source.get("sources").items() {
            projected(part, page);
        }
    } else {
        say("Type", "<unknown>".to_owned());
    }
}

fn projected(source: &Value, page: &mut Page) {
    let optional = |part: &Value| part.get("optional").as_bool().unwrap_or(false);
    if let token @ Value::Map(_) = source.get("serviceAccountToken") {
        page.line(2, &format!("TokenExpirationSeconds:\t{}", plain(token.get("expirationSeconds"))));
    }
    if let map @ Value::Map(_) = source.get("configMap") {
        page.line(2, &format!("ConfigMapName:\t{}", map.get("name").str()));
        page.line(2, &format!("Optional:\t{}", optional(map)));
    }
    if let secret @ Value::Map(_) = source.get("secret") {
        page.line(2, &format!("SecretName:\t{}", secret.get("name").str()));
        page.line(2, &format!("Optional:\t{}", optional(secret)));
    }
    if !source.get("downwardAPI").is_null() {
        page.line(2, "DownwardAPI:\ttrue");
    }
}

/// Writes tolerations, in order of their keys.
pub fn tolerations(title: &str, tolerations: &Value, page: &mut Page) {
    let mut items: Vec<&Value> = tolerations.items().iter().collect();
    items.sort_by_key(|toleration| toleration.get("key").str());
    if items.is_empty() {
        page.line(0, &format!("{title}:\t<none>"));
    }
    for (at, toleration) in items.into_iter().enumerate() {
        let head = if at == 0 { format!("{title}:") } else { String::new() };
        page.line(0, &format!("{head}\t{}", toleration_text(toleration)));
    }
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
