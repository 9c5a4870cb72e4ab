//! What the inspector says of an object: facts, endpoints, events, variables, and why it is as it is.
//!
//! Reads objects and runtime; decides nothing that [`crate::explain`] does not say.

use crate::api::kinds;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::api::yaml;
use crate::cluster::Cluster;
use crate::explain::{self, Fix, Severity};
use crate::simulation::Simulation;
use crate::ui::words;
use crate::words::{Language, Words};

/// Endpoints that are listed.
const ENDPOINTS: usize = 250;
/// Events that are listed.
const EVENTS: usize = 100;

/// A fact of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub name: Words,
    /// What it is.
    pub value: String,
}

/// An endpoint of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointRow {
    /// Its address with its ports.
    pub address: String,
    /// The Pod behind it, or empty.
    pub pod: String,
    /// The node it is on, or empty.
    pub node: String,
    /// Whether it gets traffic.
    pub ready: bool,
    /// Whether it still answers.
    pub serving: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
}

/// An Event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Whether it warns.
    pub warning: bool,
    /// Its reason.
    pub reason: SmolStr,
    /// Who says so.
    pub source: SmolStr,
    /// What it says.
    pub message: String,
    /// How often.
    pub count: i64,
}

/// A container and the names and values of its environment.
pub type Variables = (String, Vec<(String, String)>);

/// Why something is as it is, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Whether something does not work.
    pub bad: bool,
    /// Whether all is well.
    pub fine: bool,
    /// What it is.
    pub what: String,
    /// Why.
    pub why: String,
    /// The evidence: a label and what stands there.
    pub evidence: Vec<(String, String)>,
    /// What helps, and whether it can be typed.
    pub fixes: Vec<(String, bool)>,
}

/// What kubectl prints where there is nothing.
const NONE: &str = "<none>";

/// The facts of an object.
#[must_use]
pub fn of(simulation: &Simulation, key: &Key) -> Vec<Fact> {
    let cluster = &simulation.cluster;
    let Some(object) = cluster.get(key) else { return Vec::new() };
    let mut facts = match key.kind {
        Kind::Service => service(object),
        Kind::Pod => pod(cluster, object),
        Kind::Node => node(cluster, object),
        _ => Vec::new(),
    };
    let labels = pairs(&object.meta.labels, "\n");
    if !labels.is_empty() {
        facts.push(Fact { name: words::LABELS, value: labels });
    }
    facts.push(Fact { name: words::AGE, value: kinds::age(object, cluster.timestamp()) });
    facts
}

fn pairs(map: &Value, between: &str) -> String {
    let pairs: Vec<String> =
        map.entries().iter().map(|(name, value)| format!("{name}={}", value.str())).collect();
    pairs.join(between)
}

fn fact(name: Words, value: impl Into<String>) -> Fact {
    Fact { name, value: value.into() }
}

fn service(object: &Object) -> Vec<Fact> {
    let Some(service) = object.as_service() else { return Vec::new() };
    let spec = object.spec();
    let ip = spec.get("clusterIP").str();
    let address = if ip.is_empty() { service.external_name.to_string() } else { ip.to_owned() };
    let ports: Vec<String> = service
        .ports
        .iter()
        .map(|port| {
            let name = if port.name.is_empty() { String::new() } else { format!("{} ", port.name) };
            let node = if port.node_port == 0 { String::new() } else { format!("  ⟵ {}", port.node_port) };
            format!("{name}{}/{} → {}{node}", port.port, port.protocol, port.target)
        })
        .collect();
    let selector = pairs(spec.get("selector"), "\n");
    let mut facts = vec![
        fact(words::TYPE, spec.get("type").str()),
        fact(words::ADDRESS, address),
        fact(words::PORTS, ports.join("\n")),
        fact(words::SELECTOR, if selector.is_empty() { NONE.to_owned() } else { selector }),
    ];
    let outside: Vec<String> =
        service.load_balancer_ips.iter().chain(&service.external_ips).map(ToString::to_string).collect();
    if !outside.is_empty() {
        facts.push(fact(words::EXTERNAL, outside.join("\n")));
    }
    facts
}

fn pod(cluster: &Cluster, object: &Object) -> Vec<Fact> {
    let Some(pod) = object.as_pod() else { return Vec::new() };
    let images: Vec<&str> = pod.spec.containers.iter().map(|container| container.image.as_str()).collect();
    let ports: Vec<String> = pod
        .spec
        .containers
        .iter()
        .flat_map(|container| &container.ports)
        .map(|port| format!("{}/{} {}", port.port, port.protocol, port.name))
        .collect();
    let services: Vec<&str> = cluster
        .indexes()
        .services_selecting(object)
        .filter(|name| {
            let service = cluster.find(Kind::Service, object.namespace(), name);
            let selector = service.and_then(|service| service.as_service()?.selector.as_ref());
            selector.is_some_and(|selector| selector.matches(&object.meta.labels))
        })
        .map(SmolStr::as_str)
        .collect();
    let mut facts = vec![
        fact(words::STATUS, super::map::word_of(object)),
        fact(words::ADDRESS, pod.ip().map(|ip| ip.to_string()).unwrap_or_default()),
        fact(words::NODE, pod.node.as_str()),
        fact(words::IMAGES, images.join("\n")),
    ];
    for (name, value) in [(words::PORTS, ports.join("\n")), (words::SERVED_BY, services.join("\n"))] {
        if !value.is_empty() {
            facts.push(fact(name, value));
        }
    }
    facts
}

fn node(cluster: &Cluster, object: &Object) -> Vec<Fact> {
    let Some(node) = object.as_node() else { return Vec::new() };
    let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
    let ranges: Vec<String> = node.pod_ranges.iter().map(ToString::to_string).collect();
    vec![
        fact(words::STATUS, if node.ready { "Ready" } else { "NotReady" }),
        fact(words::ADDRESS, addresses.join("\n")),
        fact(words::POD_RANGE, ranges.join("\n")),
        fact(words::PODS, cluster.indexes().count_on(object.name()).to_string()),
    ]
}

/// The object as `kubectl get -o yaml` prints it.
#[must_use]
pub fn yaml(cluster: &Cluster, key: &Key) -> String {
    cluster.get(key).map(|object| yaml::write(&object.value)).unwrap_or_default()
}

/// The endpoints of a Service, as its slices list them.
#[must_use]
pub fn endpoints(cluster: &Cluster, key: &Key) -> Vec<EndpointRow> {
    let slices = cluster.list(Kind::EndpointSlice, Some(&key.namespace));
    let own = slices.filter_map(|slice| slice.as_endpoint_slice().filter(|slice| slice.service == key.name));
    let rows = own.flat_map(|slice| {
        let ports: Vec<String> = slice.ports.iter().map(|port| port.port.to_string()).collect();
        let ports = ports.join(",");
        slice.endpoints.iter().map(move |endpoint| EndpointRow {
            address: format!(
                "{}:{ports}",
                endpoint.addresses.first().map(ToString::to_string).unwrap_or_default()
            ),
            pod: endpoint.pod().to_string(),
            node: endpoint.node.to_string(),
            ready: endpoint.ready,
            serving: endpoint.serving,
            terminating: endpoint.terminating,
        })
    });
    rows.take(ENDPOINTS).collect()
}

/// The Events about an object, newest first.
#[must_use]
pub fn events(cluster: &Cluster, key: &Key) -> Vec<EventRow> {
    let namespace = if key.namespace.is_empty() { "default" } else { key.namespace.as_str() };
    let about = |event: &&std::sync::Arc<Object>| {
        let object = event.value.get("involvedObject");
        object.get("kind").str() == key.kind.name() && object.get("name").str() == key.name
    };
    let mut found: Vec<_> = cluster.list(Kind::Event, Some(namespace)).filter(about).collect();
    found.sort_by_key(|event| std::cmp::Reverse(event.meta.resource_version));
    let row = |event: &std::sync::Arc<Object>| EventRow {
        warning: event.value.get("type").str() == "Warning",
        reason: event.value.get("reason").smol(),
        source: event.value.at(&["source", "component"]).smol(),
        message: event.value.get("message").str().to_owned(),
        count: event.value.get("count").as_int().unwrap_or(1),
    };
    found.into_iter().take(EVENTS).map(row).collect()
}

/// The environment of each running container of a Pod.
#[must_use]
pub fn variables(simulation: &Simulation, key: &Key) -> Vec<Variables> {
    let Some(object) = simulation.cluster.get(key) else { return Vec::new() };
    let containers = object.as_pod().map(|pod| pod.spec.containers.iter()).into_iter().flatten();
    let run = |name: &SmolStr| {
        let (_, run) = simulation.runtime.latest(&object.meta.uid, name)?;
        let variables = run.env().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some((name.to_string(), variables.collect()))
    };
    containers.filter_map(|container| run(&container.name)).collect()
}

/// Why an object is as it is.
#[must_use]
pub fn why(simulation: &Simulation, key: &Key, language: Language) -> Vec<Said> {
    let findings = match key.kind {
        Kind::Service | Kind::Pod => explain::object(&simulation.cluster, key),
        _ => Vec::new(),
    };
    let said = findings.iter().map(|finding| {
        let words = explain::render::render(finding, language);
        Said {
            bad: finding.severity == Severity::Problem,
            fine: finding.severity == Severity::Fine,
            what: words.what,
            why: words.why,
            evidence: words.evidence,
            fixes: finding
                .fixes
                .iter()
                .map(|fix| match fix {
                    Fix::Command(command) => (command.clone(), true),
                    Fix::Edit { .. } => (explain::render::fix(fix, language), false),
                })
                .collect(),
        }
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;
    use crate::session::first_world;

    fn world() -> Simulation {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        simulation
    }

    #[test]
    fn a_service_lists_its_facts_and_endpoints() {
        let simulation = world();
        let key = Key::new(Kind::Service, "demo", "web");
        let facts = of(&simulation, &key);
        let selector = facts.iter().find(|fact| fact.name == words::SELECTOR).expect("it has a selector");
        assert_eq!(selector.value, "app=web");
        let endpoints = endpoints(&simulation.cluster, &key);
        assert_eq!(endpoints.len(), 3);
        assert!(endpoints.iter().all(|endpoint| endpoint.ready && endpoint.address.ends_with(":80")));
    }

    #[test]
    fn a_pod_names_its_services_and_shows_its_variables() {
        let simulation = world();
        let pod = simulation.cluster.list(Kind::Pod, Some("demo")).find(|pod| pod.name().starts_with("web-"));
        let key = pod.expect("the Deployment has Pods").key.clone();
        let facts = of(&simulation, &key);
        assert!(facts.iter().any(|fact| fact.name == words::SERVED_BY && fact.value == "web"));
        let variables = variables(&simulation, &key);
        assert!(variables[0].1.iter().any(|(name, _)| name == "KUBERNETES_SERVICE_HOST"));
        assert!(!events(&simulation.cluster, &key).is_empty());
    }
}
