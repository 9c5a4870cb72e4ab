//! Describing an Ingress.

use std::collections::BTreeSet;

use super::About;
use super::page::{Page, plain};
use crate::api::registry::Kind;
use crate::api::value::Value;

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let spec = object.spec();
    page.line(0, &format!("Name:\t{}", object.name()));
    page.labels(0, "Labels", &object.meta.labels);
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    let points = object.status().at(&["loadBalancer", "ingress"]).items().iter();
    let addresses: BTreeSet<&str> = points
        .map(|point| match point.get("ip").str() {
            "" => point.get("hostname").str(),
            ip => ip,
        })
        .filter(|address| !address.is_empty())
        .collect();
    page.line(0, &format!("Address:\t{}", Vec::from_iter(addresses).join(",")));
    let class = spec.get("ingressClassName").str();
    page.line(0, &format!("Ingress Class:\t{}", if class.is_empty() { "<none>" } else { class }));
    let default = match spec.get("defaultBackend") {
        Value::Null => "<default>".to_owned(),
        default => backend(about, default),
    };
    page.line(0, &format!("Default backend:\t{default}"));
    let secured = spec.get("tls").items();
    if !secured.is_empty() {
        page.line(0, "TLS:");
    }
    for one in secured {
        let hosts: Vec<&str> = one.get("hosts").items().iter().map(Value::str).collect();
        page.line(
            1,
            &match one.get("secretName").str() {
                "" => format!("SNI routes {}", hosts.join(",")),
                secret => format!("{secret} terminates {}", hosts.join(",")),
            },
        );
    }
    rules(about, &default, page);
    page.annotations("Annotations", &object.meta.annotations);
    about.events(page);
}

fn rules(about: &About<'_>, default: &str, page: &mut Page) {
    page.line(0, "Rules:");
    page.line(1, "Host\tPath\tBackends");
    page.line(1, "----\t----\t--------");
    let rules = about.object.spec().get("rules").items();
    let rules: Vec<&Value> = rules.iter().filter(|rule| !rule.get("http").is_null()).collect();
    for rule in &rules {
        let host = rule.get("host").str();
        page.line(1, &format!("{}\t", if host.is_empty() { "*" } else { host }));
        for path in rule.at(&["http", "paths"]).items() {
            page.line(2, &format!("\t{} \t{}", path.get("path").str(), backend(about, path.get("backend"))));
        }
    }
    if rules.is_empty() {
        page.line(1, &format!("*\t*\t{default}"));
    }
}

/// `svc:80` with its endpoints, or why there are none.
fn backend(about: &About<'_>, backend: &Value) -> String {
    let resource = backend.get("resource");
    if !resource.is_null() {
        let group = resource.get("apiGroup").as_str().unwrap_or("<none>");
        let [kind, name] = ["kind", "name"].map(|field| resource.get(field).str());
        return format!("APIGroup: {group}, Kind: {kind}, Name: {name}");
    }
    let service = backend.get("service");
    let name = service.get("name").str();
    let port = service.get("port");
    let numbered = port.get("number").as_int().is_some_and(|number| number != 0);
    let shown = plain(port.get(if numbered { "number" } else { "name" }));
    match about.call.get(Kind::Service, about.object.namespace(), name) {
        Err(status) => format!("{name}:{shown} (<error: {}>)", status.message),
        Ok(found) => {
            let labels = format!("kubernetes.io/service-name={name}");
            let slices = about.others(Kind::EndpointSlice, &labels);
            let field = if numbered { "port" } else { "name" };
            let mut ports = found.spec().get("ports").items().iter().rev();
            let named = ports.find(|one| plain(one.get(field)) == shown);
            let port_name = named.map_or("", |port| port.get("name").str());
            format!("{name}:{shown} ({})", super::service::endpoints(port_name, &slices))
        }
    }
}
