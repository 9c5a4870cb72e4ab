//! Describing a Service.

use super::About;
use super::page::{Page, joined, or_unset, plain};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;
use std::sync::Arc;

/// How many endpoints are shown before the rest is counted.
const SHOWN_ENDPOINTS: usize = 3;

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    about.head(page);
    let spec = about.object.spec();
    page.line(0, &format!("Selector:\t{}", selector_text(spec.get("selector"))));
    page.line(0, &format!("Type:\t{}", spec.get("type").str()));
    addresses(about.object, page);
    if !spec.get("externalName").is_empty() {
        page.line(0, &format!("External Name:\t{}", spec.get("externalName").str()));
    }
    ingress(about.object, page);
    let labels = format!("kubernetes.io/service-name={}", about.object.name());
    let slices = about.others(Kind::EndpointSlice, &labels);
    for port in spec.get("ports").items() {
        describe_port(port, &slices, page);
    }
    page.line(0, &format!("Session Affinity:\t{}", spec.get("sessionAffinity").str()));
    policies(spec, page);
    about.events(page);
}

fn addresses(service: &Object, page: &mut Page) {
    let spec = service.spec();
    let texts = |field: &str| joined(spec.get(field).items().iter().map(Value::str));
    if !spec.get("ipFamilyPolicy").is_empty() {
        page.line(0, &format!("IP Family Policy:\t{}", spec.get("ipFamilyPolicy").str()));
    }
    page.line(0, &format!("IP Families:\t{}", texts("ipFamilies")));
    page.line(0, &format!("IP:\t{}", spec.get("clusterIP").str()));
    page.line(0, &format!("IPs:\t{}", texts("clusterIPs")));
    if !spec.get("externalIPs").is_empty() {
        page.line(0, &format!("External IPs:\t{}", texts("externalIPs")));
    }
    if !spec.get("loadBalancerIP").is_empty() {
        page.line(0, &format!("Desired LoadBalancer IP:\t{}", spec.get("loadBalancerIP").str()));
    }
}

fn ingress(service: &Object, page: &mut Page) {
    let ingress = service.status().at(&["loadBalancer", "ingress"]).items();
    // What a load balancer left behind is not shown of a Service that is none any more.
    if ingress.is_empty() || service.spec().get("type").str() != "LoadBalancer" {
        return;
    }
    let words: Vec<String> = ingress
        .iter()
        .map(|point| match point.get("ip").str() {
            "" => point.get("hostname").str().to_owned(),
            ip if point.get("ipMode").is_empty() => ip.to_owned(),
            ip => format!("{ip} ({})", point.get("ipMode").str()),
        })
        .collect();
    page.line(0, &format!("LoadBalancer Ingress:\t{}", words.join(", ")));
}

fn describe_port(port: &Value, slices: &[Arc<Object>], page: &mut Page) {
    let name = or_unset(port.get("name").str());
    let protocol = port.get("protocol").str();
    page.line(0, &format!("Port:\t{name}\t{}/{protocol}", plain(port.get("port"))));
    page.line(0, &format!("TargetPort:\t{}/{protocol}", plain(port.get("targetPort"))));
    if !port.get("appProtocol").is_null() {
        page.line(0, &format!("AppProtocol:\t{}", port.get("appProtocol").str()));
    }
    if let Some(node_port) = port.get("nodePort").as_int().filter(|port| *port != 0) {
        page.line(0, &format!("NodePort:\t{name}\t{node_port}/{protocol}"));
    }
    page.line(0, &format!("Endpoints:\t{}", endpoints(port.get("name").str(), slices)));
}

/// The ready addresses behind a port, in the order of the slices.
pub fn endpoints(name: &str, slices: &[Arc<Object>]) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut found: Vec<String> = Vec::new();
    for slice in slices {
        let ports = slice.value.get("ports").items();
        let ready = || {
            slice
                .value
                .get("endpoints")
                .items()
                .iter()
                .filter(|endpoint| endpoint.at(&["conditions", "ready"]).as_bool().unwrap_or(true))
        };
        if ports.is_empty() {
            found.extend(ready().map(|endpoint| first_address(endpoint).to_owned()));
        }
        for port in ports.iter().filter(|port| port.get("name").str() == name) {
            found.extend(ready().map(|endpoint| {
                let address = first_address(endpoint);
                let brackets = address.contains(':');
                let number = plain(port.get("port"));
                if brackets { format!("[{address}]:{number}") } else { format!("{address}:{number}") }
            }));
        }
    }
    if found.len() <= SHOWN_ENDPOINTS {
        return found.join(",");
    }
    format!("{} + {} more...", found[..SHOWN_ENDPOINTS].join(","), found.len() - SHOWN_ENDPOINTS)
}

fn first_address(endpoint: &Value) -> &str {
    endpoint.get("addresses").items().first().map_or("", Value::str)
}

fn policies(spec: &Value, page: &mut Page) {
    let mut policy = |title: &str, field: &str| {
        if !spec.get(field).is_empty() {
            page.line(0, &format!("{title}:\t{}", spec.get(field).str()));
        }
    };
    policy("External Traffic Policy", "externalTrafficPolicy");
    policy("Internal Traffic Policy", "internalTrafficPolicy");
    if let Some(port) = spec.get("healthCheckNodePort").as_int().filter(|port| *port != 0) {
        page.line(0, &format!("HealthCheck NodePort:\t{port}"));
    }
    let ranges = spec.get("loadBalancerSourceRanges").items();
    if !ranges.is_empty() {
        page.line(0, &format!("LoadBalancer Source Ranges:\t{}", joined(ranges.iter().map(Value::str))));
    }
    if !spec.get("trafficDistribution").is_empty() {
        page.line(0, &format!("Traffic Distribution:\t{}", spec.get("trafficDistribution").str()));
    }
}

/// `KEY=VALUE` pairs of a plain selector; `<none>` without any.
pub fn selector_text(selector: &Value) -> String {
    crate::shell::kubectl::table::label_text(selector)
}
