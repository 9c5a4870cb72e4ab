//! What is checked of a Service (`ValidateService`, `ValidateServiceUpdate`), in the server's order.

use super::{families, is_external, is_headless, needs_cluster_ip, needs_health_check_port};
use crate::api::json;
use crate::api::kinds::field::{Errors, labels, one_of, port, port_or_name, required_text, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES: [&str; 2] = ["Cluster", "Local"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const MODES: [&str; 2] = ["Proxy", "VIP"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];
/// The longest time that a client keeps its backend (a day).
const AFFINITY_LIMIT_SECONDS: i64 = 86_400;
/// The annotation that asks for hints, and its older name.
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
/// The annotation that stood for `loadBalancerSourceRanges`.
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";

pub(super) fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Service, document);
    let spec = document.get("spec");
    topology_annotations(document, &mut errors);
    let kind = spec.get("type").str();
    if spec.get("ports").is_empty() && !is_headless(spec) && kind != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    match kind {
        "LoadBalancer" | "NodePort" => exposed(spec, kind, &mut errors),
        "ExternalName" => external_name(spec, &mut errors),
        _ => {}
    }
    ports(spec, &mut errors);
    labels(&mut errors, "spec.selector", spec.get("selector"));
    affinity(spec, &mut errors);
    errors.extend(families::validate(spec));
    external_ips(spec, &mut errors);
    one_of(&mut errors, "spec.type", spec.get("type"), &TYPES);
    port_numbers(spec, &mut errors);
    load_balancer(document, &mut errors);
    policies(spec, &mut errors);
    ingress(document.get("status"), &mut errors);
    errors
}

/// The annotation about topology has two names, which may not disagree.
fn topology_annotations(document: &Value, errors: &mut Errors) {
    let annotations = document.at(&["metadata", "annotations"]);
    let (mode, hints) = (annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_HINTS));
    if !mode.is_null() && !hints.is_null() && mode != hints {
        let why = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        let path = format!("metadata.annotations[{TOPOLOGY_MODE}]");
        errors.push(FieldError::invalid(path, json::quote(mode.str()), why));
    }
}

fn exposed(spec: &Value, kind: &str, errors: &mut Errors) {
    if is_headless(spec) {
        let why = format!("may not be set to 'None' for {kind} services");
        errors.push(FieldError::invalid("spec.clusterIPs[0]", "\"None\"", why));
    }
}

fn external_name(spec: &Value, errors: &mut Errors) {
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if !spec.get(field).is_empty() {
            let why = "may not be set for ExternalName services";
            errors.push(FieldError::forbidden(format!("spec.{field}"), why));
        }
    }
    // A dot at the end says that the name is complete.
    let name = spec.get("externalName").str();
    match name.strip_suffix('.').unwrap_or(name) {
        "" => errors.push(FieldError::required("spec.externalName", "")),
        name => text(errors, "spec.externalName", name, names::dns_subdomain),
    }
}

fn ports(spec: &Value, errors: &mut Errors) {
    let list = spec.get("ports").items();
    for (index, entry) in list.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        let name = entry.get("name");
        if !name.is_empty() || list.len() > 1 {
            required_text(errors, &format!("{path}.name"), name, names::dns_label);
            if !name.is_empty() && list[..index].iter().any(|other| other.get("name") == name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
            }
        }
        port(errors, &format!("{path}.port"), entry.get("port"));
        one_of(errors, &format!("{path}.protocol"), entry.get("protocol"), &PROTOCOLS);
        port_or_name(errors, &format!("{path}.targetPort"), entry.get("targetPort"));
        if let Some(protocol) = entry.get("appProtocol").as_str() {
            text(errors, &format!("{path}.appProtocol"), protocol, names::label_key);
        }
    }
}

fn affinity(spec: &Value, errors: &mut Errors) {
    one_of(errors, "spec.sessionAffinity", spec.get("sessionAffinity"), &["ClientIP", "None"]);
    if spec.get("sessionAffinity").str() == "ClientIP" {
        let seconds = spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
        let seconds = seconds.as_int().unwrap_or(0);
        if !(1..=AFFINITY_LIMIT_SECONDS).contains(&seconds) {
            errors.push(FieldError::invalid(
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                seconds.to_string(),
                format!("must be greater than 0 and less than {AFFINITY_LIMIT_SECONDS}"),
            ));
        }
    }
}

fn external_ips(spec: &Value, errors: &mut Errors) {
    for (index, ip) in spec.get("externalIPs").items().iter().enumerate() {
        let path = format!("spec.externalIPs[{index}]");
        match ip.str().parse() {
            Ok(address) if names::ip(ip.str()).is_empty() => {
                for why in names::endpoint_ip(address) {
                    errors.push(FieldError::invalid(path.clone(), json::quote(ip.str()), why));
                }
            }
            _ => text(errors, &path, ip.str(), names::ip),
        }
    }
}

/// Node ports of a type that has none, and numbers that are there twice.
fn port_numbers(spec: &Value, errors: &mut Errors) {
    let list = spec.get("ports").items();
    let node_port = |entry: &Value| entry.get("nodePort").as_int().unwrap_or(0);
    if spec.get("type").str() == "ClusterIP" {
        for (index, _) in list.iter().enumerate().filter(|(_, entry)| node_port(entry) != 0) {
            let why = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(format!("spec.ports[{index}].nodePort"), why));
        }
    }
    let twice = |index: usize, field: &str| {
        let entry = &list[index];
        let same = |other: &Value| {
            other.get("protocol") == entry.get("protocol") && other.get(field) == entry.get(field)
        };
        list[..index].iter().any(same)
    };
    for (index, entry) in list.iter().enumerate() {
        if node_port(entry) != 0 && twice(index, "nodePort") {
            let path = format!("spec.ports[{index}].nodePort");
            errors.push(FieldError::duplicate(path, node_port(entry).to_string()));
        }
    }
    for (index, entry) in list.iter().enumerate().filter(|(index, _)| twice(*index, "port")) {
        let value = format!(
            "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
            json::quote(entry.get("protocol").str()),
            entry.get("port").as_int().unwrap_or(0)
        );
        errors.push(FieldError::duplicate(format!("spec.ports[{index}]"), value));
    }
}

fn load_balancer(document: &Value, errors: &mut Errors) {
    let spec = document.get("spec");
    // The server writes this path with a capital letter.
    const RANGES: &str = "spec.LoadBalancerSourceRanges";
    let balanced = spec.get("type").str() == "LoadBalancer";
    let ranges = spec.get("loadBalancerSourceRanges").items();
    if !ranges.is_empty() && !balanced {
        errors.push(FieldError::forbidden(RANGES, ONLY_LOAD_BALANCER));
    }
    for (index, range) in ranges.iter().enumerate() {
        text(errors, &format!("{RANGES}[{index}]"), range.str().trim(), names::cidr);
    }
    let annotation = document.at(&["metadata", "annotations", SOURCE_RANGES]);
    if ranges.is_empty() && !annotation.is_null() {
        let path = format!("metadata.annotations[{SOURCE_RANGES}]");
        if !balanced {
            errors.push(FieldError::forbidden(path.clone(), ONLY_LOAD_BALANCER));
        }
        for range in annotation.str().split(',').filter(|_| !annotation.str().trim().is_empty()) {
            text(errors, &path, range.trim(), names::cidr);
        }
    }
    if !balanced && !spec.get("allocateLoadBalancerNodePorts").is_null() {
        errors.push(FieldError::forbidden("spec.allocateLoadBalancerNodePorts", ONLY_LOAD_BALANCER));
    }
    if let Some(class) = spec.get("loadBalancerClass").as_str() {
        if balanced {
            text(errors, "spec.loadBalancerClass", class, names::label_key);
        } else {
            errors.push(FieldError::forbidden("spec.loadBalancerClass", ONLY_LOAD_BALANCER));
        }
    }
}

fn policies(spec: &Value, errors: &mut Errors) {
    let external = spec.get("externalTrafficPolicy");
    if is_external(spec) {
        one_of(errors, "spec.externalTrafficPolicy", external, &POLICIES);
    } else if !external.is_empty() {
        let why = "may only be set for externally-accessible services";
        errors.push(FieldError::invalid("spec.externalTrafficPolicy", json::compact(external), why));
    }
    let health = spec.get("healthCheckNodePort");
    if needs_health_check_port(spec) {
        match health.as_int().unwrap_or(0) {
            0 => errors.push(FieldError::required("spec.healthCheckNodePort", "")),
            _ => port(errors, "spec.healthCheckNodePort", health),
        }
    } else if let Some(number) = health.as_int().filter(|number| *number != 0) {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(FieldError::invalid("spec.healthCheckNodePort", number.to_string(), why));
    }
    let internal = spec.get("internalTrafficPolicy");
    if needs_cluster_ip(spec) || !internal.is_null() {
        one_of(errors, "spec.internalTrafficPolicy", internal, &POLICIES);
    }
    if let Some(distribution) = spec.get("trafficDistribution").as_str()
        && !DISTRIBUTIONS.contains(&distribution)
    {
        let (path, value) = ("spec.trafficDistribution", json::quote(distribution));
        errors.push(FieldError::not_supported(path, value, &DISTRIBUTIONS));
    }
}

/// Checks what a load balancer gave (`ValidateLoadBalancerStatus`).
fn ingress(status: &Value, errors: &mut Errors) {
    for (index, entry) in status.at(&["loadBalancer", "ingress"]).items().iter().enumerate() {
        let path = format!("status.loadBalancer.ingress[{index}]");
        let (ip, mode) = (entry.get("ip").str(), entry.get("ipMode").as_str());
        if !ip.is_empty() {
            text(errors, &format!("{path}.ip"), ip, names::ip);
        }
        match mode {
            None if !ip.is_empty() => {
                let why = "must be specified when `ip` is set";
                errors.push(FieldError::required(format!("{path}.ipMode"), why));
            }
            Some(_) if ip.is_empty() => {
                let why = "may not be specified when `ip` is not set";
                errors.push(FieldError::forbidden(format!("{path}.ipMode"), why));
            }
            Some(mode) if !MODES.contains(&mode) => {
                let path = format!("{path}.ipMode");
                errors.push(FieldError::not_supported(path, json::quote(mode), &MODES));
            }
            _ => {}
        }
        let host = entry.get("hostname").str();
        if !host.is_empty() {
            text(errors, &format!("{path}.hostname"), host, names::dns_subdomain);
            if names::ip(host).is_empty() {
                let why = "must be a DNS name, not an IP address";
                errors.push(FieldError::invalid(format!("{path}.hostname"), json::quote(host), why));
            }
        }
    }
}

pub(super) fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = Vec::new();
    let (spec, old) = (document.get("spec"), before.get("spec"));
    // A type that there is not is told of alone.
    let without = [spec, old].iter().any(|spec| !needs_cluster_ip(spec));
    let (headless, was_headless) = (is_headless(spec), is_headless(old));
    let both_headless = headless && was_headless;
    if !without && !both_headless {
        kept_addresses(spec, old, &mut errors);
    }
    if !without && !headless && !was_headless {
        kept_families(spec, old, &mut errors);
    }
    load_balancer_class(spec, old, &mut errors);
    let checked = |spec: &Value| needs_health_check_port(spec);
    let port = |spec: &Value| spec.get("healthCheckNodePort").as_int().unwrap_or(0);
    if checked(spec) && checked(old) && port(spec) != port(old) {
        errors.push(FieldError::forbidden("spec.healthCheckNodePort", "field is immutable"));
    }
    errors.extend(validate(document));
    errors
}

/// A load balancer is of one class as long as it is one.
fn load_balancer_class(spec: &Value, old: &Value, errors: &mut Errors) {
    let balanced = |spec: &Value| spec.get("type").str() == "LoadBalancer";
    let class = spec.get("loadBalancerClass");
    if balanced(spec) && balanced(old) && class != old.get("loadBalancerClass") {
        // Go tells of a pointer to nothing in quotes.
        let value = if class.is_null() { "\"null\"".to_owned() } else { json::compact(class) };
        errors.push(FieldError::invalid("spec.loadBalancerClass", value, "may not change once set"));
    }
}

/// A second address may come and go; the first may not change.
fn kept_addresses(spec: &Value, old: &Value, errors: &mut Errors) {
    let (new, old) = (spec.get("clusterIPs"), old.get("clusterIPs"));
    let (count, before) = (new.items().len(), old.items().len());
    let changed = |index: usize| shown(format!("spec.clusterIPs[{index}]"), new, "may not change once set");
    if count == before {
        let pairs = new.items().iter().zip(old.items()).enumerate();
        errors.extend(pairs.filter(|(_, (one, other))| one != other).map(|(index, _)| changed(index)));
        return;
    }
    if count == 0 {
        errors.push(shown("spec.clusterIPs[0]", new, "primary clusterIP can not be unset"));
    } else if before > 0 && new.items()[0] != old.items()[0] {
        errors.push(changed(0));
    }
    if before > count && count == 1 {
        single_stack(spec, "clusterIP", errors);
    }
}

/// The same for families. The server shows the addresses where it means the families.
fn kept_families(spec: &Value, old: &Value, errors: &mut Errors) {
    let (new, old) = (spec.get("ipFamilies"), old.get("ipFamilies"));
    let (count, before) = (new.items().len(), old.items().len());
    const PATH: &str = "spec.ipFamilies[0]";
    if count == before {
        let changed = new.items().iter().zip(old.items()).filter(|(one, other)| one != other);
        errors.extend(changed.map(|_| shown(PATH, new, "may not change once set")));
        return;
    }
    if before > count && spec.get("clusterIPs").is_empty() {
        errors.push(shown(PATH, new, "primary ipFamily can not be unset"));
    }
    if count > 0 && before > 0 && new.items()[0] != old.items()[0] {
        errors.push(shown(PATH, spec.get("clusterIPs"), "may not change once set"));
    }
    if before > count && count == 1 {
        single_stack(spec, "ipFamily", errors);
    }
}

fn single_stack(spec: &Value, what: &str, errors: &mut Errors) {
    let policy = spec.get("ipFamilyPolicy");
    if policy.str() == "SingleStack" {
        return;
    }
    let value = if policy.is_null() { "\"null\"".to_owned() } else { json::compact(policy) };
    let why = format!("must be set to 'SingleStack' when releasing the secondary {what}");
    errors.push(FieldError::invalid("spec.ipFamilyPolicy", value, why));
}
