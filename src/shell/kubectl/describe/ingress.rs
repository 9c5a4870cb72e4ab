//! Describing an Ingress.

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
    let addresses: Vec<&str> = object
        .status()
        .at(&["loadBalancer", "ingress"])
        .items()
        .iter()
        .map(
            |point| {
                if point.get("ip").is_empty() { point.get("hostname").str() } else { point.get("ip").str() }
            },
        )
        .collect();
    page.line(0, &format!("Address:\t{}", addresses.join(",")));
    let class = spec.get("ingressClassName").str();
    page.line(0, &format!("Ingress Class:\t{}", if class.is_empty() { "<none>" } else { class }));
    let default = match spec.get("defaultBackend") {
        Value::Null => "<default>".to_owned(),
        default => backend(about, default),
    };
    page.line(0, &format!("Default backend:\t{default}"));
    rules(about, page);
    page.annotations("Annotations", &object.meta.annotations);
    about.events(page);
}

fn rules(about: &About<'_>, page: &mut Page) {
    page.flush();
    page.line(0, "Rules:");
    page.line(1, "Host\tPath\tBackends");
    page.line(1, "----\t----\t--------");
    let rules = about.object.spec().get("rules").items();
    for rule in rules {
        let host = rule.get("host").str();
        page.line(1, &format!("{}\t", if host.is_empty() { "*" } else { host }));
        for path in rule.at(&["http", "paths"]).items() {
            page.line(1, &format!("\t{} \t{}", path.get("path").str(), backend(about, path.get("backend"))));
        }
    }
    if rules.is_empty() {
        page.line(1, "*\t*\t<default>");
    }
}

/// `svc:80` with its endpoints, or why there are none.
fn backend(about: &About<'_>, backend: &Value) -> String {
    let service = backend.get("service");
    let name = service.get("name").str();
    let port = service.get("port");
    let shown = plain(if port.get("name").is_empty() { port.get("number") } else { port.get("name") });
    match about.call.get(Kind::Service, about.object.namespace(), name) {
        Err(status) => format!("{name}:{shown} (<error: {}>)", status.message),
        Ok(found) => {
            let labels = format!("kubernetes.io/service-name={name}");
            let slices = about.others(Kind::EndpointSlice, &labels);
            let named = found
                .spec()
                .get("ports")
                .items()
                .iter()
                .find(|one| plain(one.get("port")) == shown || one.get("name").str() == shown);
            let port_name = named.map_or("", |port| port.get("name").str());
            format!("{name}:{shown} ({})", super::service::endpoints(port_name, &slices))
        }
    }
}
