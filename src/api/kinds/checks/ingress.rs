//! What is checked of Ingresses and their classes.
//!
//! Source: `pkg/apis/networking/validation`.

use std::net::IpAddr;

use crate::api::json;
use crate::api::kinds::field::{Errors, immutable, one_of, port, required, required_text, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
const SCOPES: [&str; 2] = ["Cluster", "Namespace"];
/// How long the name of an ingress controller may be.
const CONTROLLER_LENGTH: usize = 250;
/// The annotation that stood for `ingressClassName`.
const CLASS: &str = "kubernetes.io/ingress.class";

/// Checks an Ingress.
pub(in crate::api::kinds) fn ingress(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Ingress, document);
    let spec = document.get("spec");
    if spec.get("rules").is_empty() && spec.get("defaultBackend").is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        errors.push(shown("spec", &Value::Null, why));
    }
    if !spec.get("defaultBackend").is_null() {
        backend(spec.get("defaultBackend"), "spec.defaultBackend", &mut errors);
    }
    for (index, rule) in spec.get("rules").items().iter().enumerate() {
        ingress_rule(rule, &format!("spec.rules[{index}]"), &mut errors);
    }
    for (index, entry) in spec.get("tls").items().iter().enumerate() {
        let path = format!("spec.tls[{index}]");
        for (at, host) in entry.get("hosts").items().iter().enumerate() {
            text(&mut errors, &format!("{path}.hosts[{at}]"), host.str(), host_name);
        }
        if let Some(secret) = entry.get("secretName").as_str().filter(|secret| !secret.is_empty()) {
            text(&mut errors, &format!("{path}.secretName"), secret, names::dns_subdomain);
        }
    }
    if let Some(class) = spec.get("ingressClassName").as_str() {
        text(&mut errors, "spec.ingressClassName", class, names::dns_subdomain);
    }
    errors
}

/// Checks an Ingress that is made.
pub(in crate::api::kinds) fn new_ingress(document: &Value) -> Errors {
    let mut errors = ingress(document);
    let (given, class) =
        (document.at(&["metadata", "annotations", CLASS]), document.at(&["spec", "ingressClassName"]));
    if !given.is_null() && !class.is_null() && given != class {
        let why = "must match `ingressClassName` when both are specified";
        errors.push(FieldError::invalid(format!("annotations.{CLASS}"), json::quote(given.str()), why));
    }
    errors
}

/// The name of a host, or of all hosts of a domain: `*.example.com`.
fn host_name(text: &str) -> names::Problems {
    if text.contains('*') { names::wildcard_subdomain(text) } else { names::dns_subdomain(text) }
}

fn ingress_rule(rule: &Value, path: &str, errors: &mut Errors) {
    let host = rule.get("host").str();
    if !host.is_empty() {
        let path = format!("{path}.host");
        if host.parse::<IpAddr>().is_ok() {
            let why = "must be a DNS name, not an IP address";
            errors.push(FieldError::invalid(path.clone(), json::quote(host), why));
        }
        text(errors, &path, host, host_name);
    }
    if rule.get("http").is_null() {
        return;
    }
    let path = format!("{path}.http.paths");
    let paths = rule.at(&["http", "paths"]);
    required(errors, &path, paths);
    for (index, entry) in paths.items().iter().enumerate() {
        http_path(entry, &format!("{path}[{index}]"), errors);
    }
}

fn http_path(entry: &Value, path: &str, errors: &mut Errors) {
    let Some(kind) = entry.get("pathType").as_str() else {
        errors.push(FieldError::required(format!("{path}.pathType"), "pathType must be specified"));
        return;
    };
    let place = entry.get("path").str();
    let mut wrong = |why: String| {
        errors.push(FieldError::invalid(format!("{path}.path"), json::quote(place), why));
    };
    let absolute = place.starts_with('/');
    match kind {
        "Exact" | "Prefix" => {
            if !absolute {
                wrong("must be an absolute path".to_owned());
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if place.contains(part) {
                    wrong(format!("must not contain '{part}'"));
                }
            }
            for end in ["/..", "/."] {
                if place.ends_with(end) {
                    wrong(format!("cannot end with '{end}'"));
                }
            }
        }
        "ImplementationSpecific" => {
            if !place.is_empty() && !absolute {
                wrong("must be an absolute path".to_owned());
            }
        }
        _ => one_of(errors, &format!("{path}.pathType"), entry.get("pathType"), &PATH_TYPES),
    }
    backend(entry.get("backend"), &format!("{path}.backend"), errors);
}

/// Checks where an Ingress leads.
fn backend(backend: &Value, path: &str, errors: &mut Errors) {
    let (resource, service) = (backend.get("resource"), backend.get("service"));
    match (resource.is_null(), service.is_null()) {
        (false, false) => {
            let why = "cannot set both resource and service backends";
            errors.push(FieldError::invalid(path, "\"\"", why));
        }
        (true, true) => {
            errors.push(FieldError::invalid(path, "\"\"", "resource or service backend is required"));
        }
        (false, true) => reference(resource, &format!("{path}.resource"), errors),
        (true, false) => {
            let at = format!("{path}.service");
            required_text(errors, &format!("{at}.name"), service.get("name"), names::dns_label);
            let (name, number) = (service.at(&["port", "name"]), service.at(&["port", "number"]));
            let numbered = number.as_int().unwrap_or(0) != 0;
            if !name.is_empty() && numbered {
                let why = "cannot set both port name & port number";
                errors.push(FieldError::invalid(path, "\"\"", why));
            } else if !name.is_empty() {
                text(errors, &format!("{at}.port.name"), name.str(), names::port_name);
            } else if numbered {
                port(errors, &format!("{at}.port.number"), number);
            } else {
                errors.push(FieldError::required(path, "port name or number is required"));
            }
        }
    }
}

/// Checks a reference to an object by group, kind and name.
fn reference(reference: &Value, path: &str, errors: &mut Errors) {
    if let Some(group) = reference.get("apiGroup").as_str() {
        text(errors, &format!("{path}.apiGroup"), group, names::dns_subdomain);
    }
    for field in ["kind", "name"] {
        let path = format!("{path}.{field}");
        required_text(errors, &path, reference.get(field), names::path_segment);
    }
}

/// Warns of the annotation where it is set.
pub(in crate::api::kinds) fn ingress_warnings(document: &Value, before: Option<&Value>) -> Vec<String> {
    let annotation = !document.at(&["metadata", "annotations", CLASS]).is_null();
    let warning = format!("annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead");
    if before.is_none() && annotation { vec![warning] } else { Vec::new() }
}

/// Checks a change of an IngressClass: it stays with its controller.
pub(in crate::api::kinds) fn ingress_class_change(document: &Value, before: &Value) -> Errors {
    let path = ["spec", "controller"];
    let mut errors = Vec::new();
    immutable(&mut errors, "spec.controller", document.at(&path), before.at(&path));
    errors.extend(ingress_class(document));
    errors
}

/// Checks an IngressClass.
pub(in crate::api::kinds) fn ingress_class(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::IngressClass, document);
    let spec = document.get("spec");
    let controller = spec.get("controller").str();
    if controller.is_empty() {
        errors.push(FieldError::required("spec.controller", ""));
    } else {
        if controller.len() > CONTROLLER_LENGTH {
            errors.push(FieldError::too_long("spec.controller", CONTROLLER_LENGTH));
        }
        for (part, why) in names::domain_path(controller) {
            errors.push(FieldError::invalid("spec.controller", json::quote(part), why));
        }
    }
    let parameters = spec.get("parameters");
    if parameters.is_null() {
        return errors;
    }
    const PATH: &str = "spec.parameters";
    reference(parameters, PATH, &mut errors);
    let (scope, namespace) = (parameters.get("scope"), parameters.get("namespace"));
    let at = format!("{PATH}.namespace");
    one_of(&mut errors, &format!("{PATH}.scope"), scope, &SCOPES);
    match (scope.str(), namespace.as_str()) {
        ("Namespace", None) => {
            errors.push(FieldError::required(at, "`parameters.scope` is set to 'Namespace'"));
        }
        ("Namespace", Some(name)) => text(&mut errors, &at, name, names::dns_label),
        ("Cluster", Some(_)) => {
            errors.push(FieldError::forbidden(at, "`parameters.scope` is set to 'Cluster'"));
        }
        _ => {}
    }
    errors
}
