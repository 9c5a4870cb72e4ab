//! What the server warns of in Services (`service.GetWarningsForService`).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::api::json::quote;
use crate::api::value::Value;

/// Warnings about a Service, in the server's order.
pub(super) fn of_service(document: &Value, _before: Option<&Value>) -> Vec<String> {
    let spec = document.get("spec");
    let mut out = Vec::new();
    if !document.at(&["metadata", "annotations", "service.kubernetes.io/topology-aware-hints"]).is_null() {
        out.push(
            "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use \
             service.kubernetes.io/topology-mode instead"
                .to_owned(),
        );
    }
    let headless = spec.get("type").str() == "ClusterIP" && spec.get("clusterIP").str() == "None";
    let named = spec.get("type").str() == "ExternalName";
    addresses(spec, "clusterIPs", &mut out);
    if headless {
        for (field, shown) in [("loadBalancerIP", "loadBalancerIP"), ("externalIPs", "externalIPs")] {
            if !spec.get(field).is_empty() {
                out.push(format!("spec.{shown} is ignored for headless services"));
            }
        }
        if spec.get("sessionAffinity").str() != "None" {
            out.push("spec.SessionAffinity is ignored for headless services".to_owned());
        }
    }
    addresses(spec, "externalIPs", &mut out);
    let external = !spec.get("externalIPs").is_empty();
    if external && !headless && !named {
        out.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned(),
        );
    }
    out.extend(of_address("spec.loadBalancerIP", spec.get("loadBalancerIP").str()));
    for (index, range) in spec.get("loadBalancerSourceRanges").items().iter().enumerate() {
        out.extend(of_range(&format!("spec.loadBalancerSourceRanges[{index}]"), range.str().trim()));
    }
    if named && external {
        out.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if !named && !spec.get("externalName").is_empty() {
        out.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if spec.get("trafficDistribution").str() == "PreferClose" {
        out.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"".to_owned(),
        );
    }
    out
}

fn addresses(spec: &Value, field: &str, out: &mut Vec<String>) {
    for (index, address) in spec.get(field).items().iter().enumerate() {
        out.extend(of_address(&format!("spec.{field}[{index}]"), address.str()));
    }
}

/// IPv6 has many ways to write an address; one is preferred.
fn of_address(path: &str, text: &str) -> Option<String> {
    let address @ IpAddr::V6(_) = text.parse::<IpAddr>().ok()? else { return None };
    let written = address.to_string();
    (written != text).then(|| {
        format!(
            "{path}: IPv6 address {} should be in RFC 5952 canonical format ({})",
            quote(text),
            quote(&written)
        )
    })
}

fn of_range(path: &str, text: &str) -> Option<String> {
    let net @ IpNet::V6(_) = text.parse::<IpNet>().ok()? else { return None };
    let written = net.to_string();
    (written != text).then(|| {
        format!(
            "{path}: IPv6 CIDR value {} should be in RFC 5952 canonical format ({})",
            quote(text),
            quote(&written)
        )
    })
}
