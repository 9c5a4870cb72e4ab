//! What is checked of containers (`validateContainers`, `validateInitContainers`).
//!
//! Owns the lists and what all containers have in common; their parts are in the files beside.

use super::{environment, mounts, probes, resources, security};
use crate::api::json;
use crate::api::kinds::field::{Errors, in_range, one_of, port, required, required_text, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const RESIZABLE: [&str; 2] = ["cpu", "memory"];
const RESIZE_POLICIES: [&str; 2] = ["NotRequired", "RestartContainer"];
/// How many rules about restarts a container may have.
const RULE_LIMIT: usize = 20;
/// How many exit codes a rule about restarts may name.
const CODE_LIMIT: usize = 255;
const ENDLESS_ONLY: &str = "may not be set for init containers without restartPolicy=Always";

/// What containers are checked against.
pub(super) struct Surroundings<'a> {
    /// The Pod's `spec`.
    pub(super) spec: &'a Value,
    /// The volumes that are fine.
    pub(super) volumes: Vec<&'a Value>,
}

impl<'a> Surroundings<'a> {
    /// The volume of a name.
    pub(super) fn volume(&self, name: &str) -> Option<&'a Value> {
        self.volumes.iter().copied().find(|volume| volume.get("name").str() == name)
    }

    /// The seconds that the Pod has to end.
    pub(super) fn grace_seconds(&self) -> i64 {
        self.spec.get("terminationGracePeriodSeconds").as_int().unwrap_or(0)
    }
}

/// Checks the containers that make up the Pod.
pub(super) fn regular(around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let list = around.spec.get("containers").items();
    if list.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    for (index, container) in list.iter().enumerate() {
        let at = format!("{path}[{index}]");
        common(container, around, &at, errors);
        unique_name(container, &list[..index], &[], &at, errors);
        probes::validate(container, around, &at, errors);
        restart_policy(container, &at, errors);
    }
    host_ports(list, path, errors);
}

/// Checks the containers that run before the others.
pub(super) fn initial(around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let list = around.spec.get("initContainers").items();
    let regular = around.spec.get("containers").items();
    for (index, container) in list.iter().enumerate() {
        let at = format!("{path}[{index}]");
        common(container, around, &at, errors);
        restart_policy(container, &at, errors);
        unique_name(container, &list[..index], regular, &at, errors);
        host_ports(std::slice::from_ref(container), path, errors);
        if container.get("restartPolicy").str() == "Always" {
            probes::validate(container, around, &at, errors);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if !container.get(field).is_null() {
                errors.push(FieldError::forbidden(format!("{at}.{field}"), ENDLESS_ONLY));
            }
        }
    }
}

/// Checks what only Pods are told: a template may hold an image that something else completes.
pub(super) fn images(list: &Value, path: &str, errors: &mut Errors) {
    for (index, container) in list.items().iter().enumerate() {
        image_padding(container, &format!("{path}[{index}].image"), errors);
    }
}

/// Checks that no blanks surround an image.
pub(super) fn image_padding(container: &Value, path: &str, errors: &mut Errors) {
    let image = container.get("image").str();
    if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(path, json::quote(image), why));
    }
}

fn common(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    required_text(errors, &format!("{path}.name"), container.get("name"), names::dns_label);
    required(errors, &format!("{path}.image"), container.get("image"));
    let policy = container.get("terminationMessagePolicy");
    one_of(errors, &format!("{path}.terminationMessagePolicy"), policy, &MESSAGE_POLICIES);
    ports(container.get("ports").items(), &format!("{path}.ports"), errors);
    environment::variables(container.get("env").items(), &format!("{path}.env"), errors);
    environment::sources(container.get("envFrom").items(), &format!("{path}.envFrom"), errors);
    mounts::validate(container, around, path, errors);
    one_of(errors, &format!("{path}.imagePullPolicy"), container.get("imagePullPolicy"), &PULL_POLICIES);
    resources::container(container.get("resources"), &format!("{path}.resources"), errors);
    resize_policy(container, around, &format!("{path}.resizePolicy"), errors);
    let context = container.get("securityContext");
    security::container(context, around.spec, &format!("{path}.securityContext"), errors);
}

fn unique_name(container: &Value, before: &[Value], others: &[Value], path: &str, errors: &mut Errors) {
    let name = container.get("name");
    let taken = before.iter().chain(others).any(|other| other.get("name") == name);
    if taken && !name.is_empty() {
        errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
    }
}

fn ports(ports: &[Value], path: &str, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, entry) in ports.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = entry.get("name").str();
        if !name.is_empty() {
            let before = errors.len();
            text(errors, &format!("{path}.name"), name, names::port_name);
            if errors.len() == before && seen.contains(&name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name)));
            }
            seen.push(name);
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

/// No two containers may ask for the same port of the node.
fn host_ports(containers: &[Value], path: &str, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        for (at, port) in container.get("ports").items().iter().enumerate() {
            let Some(number) = port.get("hostPort").as_int().filter(|number| *number != 0) else { continue };
            let key = format!("{}/{}/{number}", port.get("protocol").str(), port.get("hostIP").str());
            if seen.contains(&key) {
                let path = format!("{path}[{index}].ports[{at}].hostPort");
                errors.push(FieldError::duplicate(path, json::quote(&key)));
            } else {
                seen.push(key);
            }
        }
    }
}

/// Whether a container starts again by itself, and by which exit codes it is decided.
fn restart_policy(container: &Value, path: &str, errors: &mut Errors) {
    let rules = container.get("restartPolicyRules").items();
    let Some(policy) = container.get("restartPolicy").as_str() else {
        if !rules.is_empty() {
            let why = "must specify restartPolicy when restart rules are used";
            errors.push(FieldError::required(format!("{path}.restartPolicy"), why));
        }
        return;
    };
    if !RESTART_POLICIES.contains(&policy) {
        let path = format!("{path}.restartPolicy");
        errors.push(FieldError::not_supported(path, json::quote(policy), &RESTART_POLICIES));
    }
    let path = format!("{path}.restartPolicyRules");
    if rules.len() > RULE_LIMIT {
        errors.push(FieldError::too_many(path.clone(), rules.len(), RULE_LIMIT));
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("{path}[{index}]");
        one_of(errors, &format!("{path}.action"), rule.get("action"), &["Restart"]);
        let codes = rule.get("exitCodes");
        let path = format!("{path}.exitCodes");
        if codes.is_null() {
            errors.push(FieldError::required(path, "must be specified"));
            continue;
        }
        one_of(errors, &format!("{path}.operator"), codes.get("operator"), &["In", "NotIn"]);
        let values = codes.get("values").items();
        if values.len() > CODE_LIMIT {
            errors.push(FieldError::too_many(format!("{path}.values"), values.len(), CODE_LIMIT));
        }
    }
}

fn resize_policy(container: &Value, around: &Surroundings<'_>, path: &str, errors: &mut Errors) {
    let list = container.get("resizePolicy").items();
    for (index, policy) in list.iter().enumerate() {
        let (resource, restart) = (policy.get("resourceName"), policy.get("restartPolicy"));
        if list[..index].iter().any(|other| other.get("resourceName") == resource) {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), json::quote(resource.str())));
        }
        one_of(errors, path, resource, &RESIZABLE);
        one_of(errors, path, restart, &RESIZE_POLICIES);
        if around.spec.get("restartPolicy").str() == "Never" && restart.str() != "NotRequired" {
            let why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, json::quote(restart.str()), why));
        }
    }
}

/// Ports of containers on the node's own network are the node's.
pub(super) fn host_network(spec: &Value, path: &str, is_pod: bool, errors: &mut Errors) {
    if spec.get("hostNetwork").as_bool() != Some(true) {
        return;
    }
    for (index, container) in spec.get("containers").items().iter().enumerate() {
        for (at, port) in container.get("ports").items().iter().enumerate() {
            let host = port.get("hostPort").as_int().unwrap_or(0);
            let own = port.get("containerPort").as_int().unwrap_or(0);
            if (is_pod || host != 0) && host != own {
                let path = format!("{path}.containers[{index}].ports[{at}].hostPort");
                let why = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(path, host.to_string(), why));
            }
        }
    }
}

/// The seconds after which a Pod is ended, if it says so.
pub(super) fn deadline(spec: &Value, path: &str, errors: &mut Errors) {
    in_range(errors, path, spec.get("activeDeadlineSeconds"), 1, i64::from(i32::MAX));
}
