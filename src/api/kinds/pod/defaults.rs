//! What the server fills into a Pod's `spec` (`SetDefaults_Pod`, `SetDefaults_PodSpec` and those of its
//! parts).
//!
//! Everything here leaves complete values untouched and shared.

use crate::api::kinds::field::{each, empty_map, fill, within};
use crate::api::value::Value;

/// The mode of files in volumes: 0644.
const FILE_MODE: i64 = 0o644;
/// How long a projected token is valid where nothing is said.
const TOKEN_SECONDS: i64 = 3600;

/// Fills a Pod.
pub(super) fn default(document: &mut Value) {
    let spec = document.field_mut("spec");
    default_spec(spec);
    // These two are defaults of Pods alone, not of templates.
    spec.set_default("enableServiceLinks", true);
    for list in ["containers", "initContainers"] {
        each(spec, list, default_requests);
    }
    if spec.get("hostNetwork").as_bool() == Some(true) {
        each(spec, "containers", |container| each(container, "ports", default_host_port));
    }
}

/// Fills the `spec` of a Pod or of a template.
pub(in crate::api::kinds) fn default_spec(spec: &mut Value) {
    fill(
        spec,
        &[
            ("dnsPolicy", Value::text("ClusterFirst")),
            ("restartPolicy", Value::text("Always")),
            ("schedulerName", Value::text("default-scheduler")),
            ("terminationGracePeriodSeconds", Value::Int(30)),
        ],
    );
    if spec.get("securityContext").is_null() {
        spec.set("securityContext", empty_map());
    }
    each(spec, "containers", default_container);
    each(spec, "initContainers", default_container);
    each(spec, "volumes", default_volume);
    // The field has two names: the older one follows the newer one, or stands for it.
    if spec.get("serviceAccountName").is_empty() && !spec.get("serviceAccount").is_empty() {
        let account = spec.get("serviceAccount").clone();
        spec.set("serviceAccountName", account);
    }
    if let Some(account) = spec.get("serviceAccountName").as_str().filter(|name| !name.is_empty())
        && spec.get("serviceAccount").str() != account
    {
        let account = spec.get("serviceAccountName").clone();
        spec.set("serviceAccount", account);
    }
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec.get(field).as_bool() == Some(false) {
            spec.remove(field);
        }
    }
}

/// Limits stand for absent requests.
fn default_requests(container: &mut Value) {
    let limits = container.at(&["resources", "limits"]).entries();
    let requests = container.at(&["resources", "requests"]);
    if limits.iter().all(|(name, _)| !requests.get(name).is_null()) {
        return;
    }
    let mut filled = requests.clone();
    for (name, limit) in limits {
        if requests.get(name).is_null() {
            filled.map_mut().insert(name.clone(), limit.clone());
        }
    }
    container.set_at(&["resources", "requests"], filled);
}

fn default_host_port(port: &mut Value) {
    let number = port.get("containerPort").clone();
    port.set_default("hostPort", number);
}

fn default_container(container: &mut Value) {
    if container.get("imagePullPolicy").is_empty() {
        container.set("imagePullPolicy", pull_policy(container.get("image").str()));
    }
    fill(
        container,
        &[
            ("terminationMessagePath", Value::text("/dev/termination-log")),
            ("terminationMessagePolicy", Value::text("File")),
        ],
    );
    if container.get("resources").is_null() {
        container.set("resources", empty_map());
    }
    each(container, "ports", |port| {
        if port.get("protocol").is_empty() {
            port.set("protocol", "TCP");
        }
    });
    each(container, "env", |variable| {
        within(variable, "valueFrom", |from| within(from, "fieldRef", field_ref))
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        within(container, probe, default_probe);
    }
    within(container, "lifecycle", |lifecycle| {
        for hook in ["postStart", "preStop"] {
            within(lifecycle, hook, |hook| within(hook, "httpGet", default_http));
        }
    });
}

/// `Always` for the tag `latest`, said or not; a digest says exactly which image.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None | Some((_, "latest" | "")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn field_ref(reference: &mut Value) {
    reference.set_default("apiVersion", "v1");
}

fn default_http(get: &mut Value) {
    fill(get, &[("path", Value::text("/")), ("scheme", Value::text("HTTP"))]);
}

fn default_probe(probe: &mut Value) {
    for (field, number) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if probe.get(field).as_int().unwrap_or(0) == 0 {
            probe.set(field, number);
        }
    }
    if *probe.get("initialDelaySeconds") == Value::Int(0) {
        probe.remove("initialDelaySeconds");
    }
    within(probe, "httpGet", default_http);
    within(probe, "grpc", |grpc| grpc.set_default("service", ""));
}

fn default_volume(volume: &mut Value) {
    if volume.as_map().is_some_and(|map| map.len() == 1) && !volume.get("name").is_null() {
        volume.set("emptyDir", empty_map());
        return;
    }
    for source in ["configMap", "secret", "downwardAPI", "projected"] {
        within(volume, source, |source| source.set_default("defaultMode", FILE_MODE));
    }
    within(volume, "hostPath", |path| path.set_default("type", ""));
    within(volume, "downwardAPI", default_fields);
    within(volume, "projected", |projected| {
        each(projected, "sources", |source| {
            within(source, "serviceAccountToken", |token| {
                token.set_default("expirationSeconds", TOKEN_SECONDS)
            });
            within(source, "downwardAPI", default_fields);
        });
    });
}

fn default_fields(source: &mut Value) {
    each(source, "items", |item| within(item, "fieldRef", field_ref));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn images_with_a_tag_are_pulled_once() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("registry:5000/nginx", "Always"),
            ("registry:5000/nginx:1.25", "IfNotPresent"),
            ("nginx@sha256:0123", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn a_filled_template_stays_shared() {
        let mut spec = value!({
            "containers": [{ "name": "c", "image": "nginx", "ports": [{ "containerPort": 80 }],
                "readinessProbe": { "httpGet": { "port": 80 } } }],
            "volumes": [{ "name": "v" }, { "name": "w", "configMap": { "name": "x" } }]
        });
        default_spec(&mut spec);
        let mut again = spec.clone();
        default_spec(&mut again);
        assert!(again.same(&spec));
    }
}
