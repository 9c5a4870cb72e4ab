//! What is checked of a Service (`ValidateService`, `ValidateServiceUpdate`), in the server's order.

use super::{families, is_external, is_headless, needs_cluster_ip, needs_health_check_port};
use crate::api::json;
use crate::api::kinds::field::{Errors, labels, one_of, port, port_or_name, required_text, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::{FieldError, FieldErrorKind};
use crate::api::value::Value;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const POLICIES: [&str; 2] = ["Cluster", "Local"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];
/// The port of the kubelet, which no load balancer may lead to.
const KUBELET_PORT: i64 = 10_250;
/// The longest time that a client keeps its backend (a day).
const AFFINITY_LIMIT_SECONDS: i64 = 86_400;
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";

pub(super) fn validate(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Service, document);
    let spec = document.get("spec");
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
    load_balancer(spec, &mut errors);
    policies(spec, &mut errors);
    ingress(document.get("status"), &mut errors);
    errors
}

fn exposed(spec: &Value, kind: &str, errors: &mut Errors) {
    for (index, entry) in spec.get("ports").items().iter().enumerate() {
        if kind == "LoadBalancer" && *entry.get("port") == Value::Int(KUBELET_PORT) {
            let why = format!("may not expose port {KUBELET_PORT} externally since it is used by kubelet");
            errors.push(FieldError::invalid(format!("spec.ports[{index}]"), KUBELET_PORT.to_string(), why));
        }
    }
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

fn load_balancer(spec: &Value, errors: &mut Errors) {
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
        port(errors, "spec.healthCheckNodePort", health);
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
        // The one enumeration that the server does not sort.
        let supported: Vec<String> = DISTRIBUTIONS.iter().map(|one| json::quote(one)).collect();
        errors.push(FieldError {
            field: "spec.trafficDistribution".to_owned(),
            kind: FieldErrorKind::NotSupported,
            value: json::quote(distribution),
            detail: format!("supported values: {}", supported.join(", ")),
        });
    }
}

fn ingress(status: &Value, errors: &mut Errors) {
    for (index, entry) in status.at(&["loadBalancer", "ingress"]).items().iter().enumerate() {
        if let Some(ip) = entry.get("ip").as_str().filter(|ip| !ip.is_empty()) {
            text(errors, &format!("status.loadBalancer.ingress[{index}].ip"), ip, names::ip);
        }
    }
}

pub(super) fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = Vec::new();
    let (spec, old) = (document.get("spec"), before.get("spec"));
    if needs_cluster_ip(spec) && needs_cluster_ip(old) {
        for (field, one) in [("clusterIPs", "clusterIP"), ("ipFamilies", "ipFamily")] {
            unchanged_list(spec, old, field, one, &mut errors);
        }
    }
    let class = |spec: &Value| spec.get("loadBalancerClass").clone();
    let both = [spec, old].iter().all(|spec| spec.get("type").str() == "LoadBalancer");
    if both && class(spec) != class(old) {
        errors.push(shown("spec.loadBalancerClass", &class(spec), "may not change once set"));
    }
    errors.extend(validate(document));
    errors
}

/// A second value may come and go; what both versions have may not change.
fn unchanged_list(spec: &Value, old: &Value, field: &str, one: &str, errors: &mut Errors) {
    let (new, old) = (spec.get(field), old.get(field));
    let path = |index: usize| format!("spec.{field}[{index}]");
    if new.items().is_empty() && !old.items().is_empty() {
        errors.push(shown(path(0), new, &format!("primary {one} can not be unset")));
        return;
    }
    for (index, (new_one, old_one)) in new.items().iter().zip(old.items()).enumerate() {
        if new_one != old_one {
            errors.push(shown(path(index), new, "may not change once set"));
        }
    }
    if new.items().len() < old.items().len() && spec.get("ipFamilyPolicy").str() != "SingleStack" {
        let why = format!("must be set to 'SingleStack' when releasing the secondary {one}");
        errors.push(shown("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), &why));
    }
}
