//! What is checked of containers (`validateContainers`).

use crate::api::json;
use crate::api::kinds::field::{Errors, nonnegative, one_of, port, port_or_name, required_text, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

/// Checks a list of containers at `path`; `volumes` are those of the Pod.
pub(super) fn validate(containers: &Value, volumes: &Value, path: &str, errors: &mut Errors) {
    let list = containers.items();
    for (index, container) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        one(container, volumes, &path, errors);
        let name = container.get("name");
        if !name.is_empty() && list[..index].iter().any(|other| other.get("name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
        }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            probe(container.get(kind), kind, &format!("{path}.{kind}"), errors);
        }
    }
}

fn one(container: &Value, volumes: &Value, path: &str, errors: &mut Errors) {
    required_text(errors, &format!("{path}.name"), container.get("name"), names::dns_label);
    let image = container.get("image").str();
    if image.is_empty() {
        errors.push(FieldError::required(format!("{path}.image"), ""));
    } else if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(format!("{path}.image"), json::quote(image), why));
    }
    let policy = container.get("terminationMessagePolicy");
    one_of(errors, &format!("{path}.terminationMessagePolicy"), policy, &["FallbackToLogsOnError", "File"]);
    ports(container.get("ports").items(), &format!("{path}.ports"), errors);
    variables(container.get("env").items(), &format!("{path}.env"), errors);
    mounts(container.get("volumeMounts").items(), volumes, &format!("{path}.volumeMounts"), errors);
    one_of(errors, &format!("{path}.imagePullPolicy"), container.get("imagePullPolicy"), &PULL_POLICIES);
}

fn ports(ports: &[Value], path: &str, errors: &mut Errors) {
    for (index, entry) in ports.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = entry.get("name");
        if !name.is_empty() {
            text(errors, &format!("{path}.name"), name.str(), names::port_name);
            if ports[..index].iter().any(|other| other.get("name") == name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
            }
        }
        match entry.get("containerPort") {
            Value::Null | Value::Int(0) => {
                errors.push(FieldError::required(format!("{path}.containerPort"), ""));
            }
            number => port(errors, &format!("{path}.containerPort"), number),
        }
        if entry.get("hostPort").as_int().unwrap_or(0) != 0 {
            port(errors, &format!("{path}.hostPort"), entry.get("hostPort"));
        }
        one_of(errors, &format!("{path}.protocol"), entry.get("protocol"), &PROTOCOLS);
    }
}

fn variables(variables: &[Value], path: &str, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let path = format!("{path}[{index}]");
        required_text(errors, &format!("{path}.name"), variable.get("name"), names::env_name);
        let from = variable.get("valueFrom");
        if !from.is_null() && !variable.get("value").is_empty() {
            let why = "may not be specified when `value` is not empty";
            errors.push(FieldError::invalid(format!("{path}.valueFrom"), "\"\"", why));
        } else if from.as_map().is_some_and(|map| map.is_empty()) {
            let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
            errors.push(FieldError::invalid(format!("{path}.valueFrom"), "\"\"", why));
        }
    }
}

fn mounts(mounts: &[Value], volumes: &Value, path: &str, errors: &mut Errors) {
    for (index, mount) in mounts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = mount.get("name");
        if name.is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        } else if !volumes.items().iter().any(|volume| volume.get("name") == name) {
            errors.push(FieldError {
                kind: crate::api::status::FieldErrorKind::NotFound,
                ..FieldError::duplicate(format!("{path}.name"), json::quote(name.str()))
            });
        }
        let place = mount.get("mountPath");
        if place.is_empty() {
            errors.push(FieldError::required(format!("{path}.mountPath"), ""));
        } else if mounts[..index].iter().any(|other| other.get("mountPath") == place) {
            let why = "must be unique";
            errors.push(FieldError::invalid(format!("{path}.mountPath"), json::quote(place.str()), why));
        }
    }
}

fn probe(probe: &Value, kind: &str, path: &str, errors: &mut Errors) {
    if probe.is_null() {
        return;
    }
    let given: Vec<&str> = HANDLERS.into_iter().filter(|handler| !probe.get(handler).is_null()).collect();
    for (at, handler) in given.iter().enumerate() {
        if at > 0 {
            let why = "may not specify more than 1 handler type";
            errors.push(FieldError::forbidden(format!("{path}.{handler}"), why));
        } else {
            probe_handler(probe.get(handler), handler, &format!("{path}.{handler}"), errors);
        }
    }
    if given.is_empty() {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
    for field in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        nonnegative(errors, &format!("{path}.{field}"), probe.get(field));
    }
    let successes = probe.get("successThreshold").as_int().unwrap_or(1);
    if kind != "readinessProbe" && successes != 1 {
        let path = format!("{path}.successThreshold");
        errors.push(FieldError::invalid(path, successes.to_string(), "must be 1"));
    }
}

fn probe_handler(handler: &Value, kind: &str, path: &str, errors: &mut Errors) {
    match kind {
        "exec" if handler.get("command").is_empty() => {
            errors.push(FieldError::required(format!("{path}.command"), ""));
        }
        "httpGet" => {
            port_or_name(errors, &format!("{path}.port"), handler.get("port"));
            one_of(errors, &format!("{path}.scheme"), handler.get("scheme"), &["HTTP", "HTTPS"]);
        }
        "tcpSocket" => port_or_name(errors, &format!("{path}.port"), handler.get("port")),
        "grpc" => port(errors, &format!("{path}.port"), handler.get("port")),
        _ => {}
    }
}
