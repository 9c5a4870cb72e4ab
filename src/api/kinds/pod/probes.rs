//! What is checked of probes and of the hooks of a container's life (`validateProbe`, `validateLifecycle`).

use super::containers::Surroundings;
use crate::api::json;
use crate::api::kinds::field::{Errors, nonnegative, port, port_or_name, required, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PROBE_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
const HOOK_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "sleep"];
const COUNTS: [&str; 5] =
    ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
const SCHEMES: [&str; 2] = ["HTTP", "HTTPS"];

/// Checks the hooks and probes of a container at `path`.
pub(super) fn validate(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let grace = around.grace_seconds();
    for hook in ["postStart", "preStop"] {
        let handler = container.get("lifecycle").get(hook);
        if !handler.is_null() {
            handlers(handler, &HOOK_HANDLERS, grace, &format!("{path}.lifecycle.{hook}"), errors);
        }
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        probe(container.get(kind), kind, grace, &format!("{path}.{kind}"), errors);
    }
}

fn probe(probe: &Value, kind: &str, grace: i64, path: &str, errors: &mut Errors) {
    if probe.is_null() {
        return;
    }
    handlers(probe, &PROBE_HANDLERS, grace, path, errors);
    for field in COUNTS {
        nonnegative(errors, &format!("{path}.{field}"), probe.get(field));
    }
    let ends = probe.get("terminationGracePeriodSeconds").as_int();
    let at = format!("{path}.terminationGracePeriodSeconds");
    if let Some(seconds) = ends.filter(|seconds| *seconds <= 0) {
        errors.push(FieldError::invalid(at.clone(), seconds.to_string(), "must be greater than 0"));
    }
    let successes = probe.get("successThreshold").as_int().unwrap_or(1);
    if kind != "readinessProbe" && successes != 1 {
        let path = format!("{path}.successThreshold");
        errors.push(FieldError::invalid(path, successes.to_string(), "must be 1"));
    }
    if let (Some(seconds), "readinessProbe") = (ends, kind) {
        errors.push(FieldError::invalid(at, seconds.to_string(), "must not be set for readinessProbes"));
    }
}

/// Checks that exactly one of the handlers is there, and that one.
fn handlers(of: &Value, known: &[&str], grace: i64, path: &str, errors: &mut Errors) {
    let given: Vec<&str> = known.iter().copied().filter(|handler| !of.get(handler).is_null()).collect();
    for (at, handler) in given.iter().enumerate() {
        let path = format!("{path}.{handler}");
        if at > 0 {
            errors.push(FieldError::forbidden(path, "may not specify more than 1 handler type"));
        } else {
            one(of.get(handler), handler, grace, &path, errors);
        }
    }
    if given.is_empty() {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

fn one(handler: &Value, kind: &str, grace: i64, path: &str, errors: &mut Errors) {
    match kind {
        "exec" => required(errors, &format!("{path}.command"), handler.get("command")),
        "httpGet" => {
            required(errors, &format!("{path}.path"), handler.get("path"));
            port_or_name(errors, &format!("{path}.port"), handler.get("port"));
            let scheme = handler.get("scheme").str();
            if !SCHEMES.contains(&scheme) {
                let path = format!("{path}.scheme");
                errors.push(FieldError::not_supported(path, json::quote(scheme), &SCHEMES));
            }
            for header in handler.get("httpHeaders").items() {
                text(errors, &format!("{path}.httpHeaders"), header.get("name").str(), names::header_name);
            }
        }
        "tcpSocket" => port_or_name(errors, &format!("{path}.port"), handler.get("port")),
        "grpc" => port(errors, &format!("{path}.port"), handler.get("port")),
        "sleep" => {
            let seconds = handler.get("seconds").as_int().unwrap_or(0);
            if !(0..=grace).contains(&seconds) {
                let why =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                errors.push(FieldError::invalid(path, seconds.to_string(), why));
            }
        }
        _ => {}
    }
}
