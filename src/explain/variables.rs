//! Environment variables of Services: why one is missing in a container.
//!
//! Owns [`VariableCause`]. A container gets the variables of the Services that exist when it starts, of its own
//! namespace alone: <https://kubernetes.io/docs/tutorials/services/connect-applications-service/>.

use super::finding::{Cause, Finding, Fix, Severity, in_namespace};
use super::near;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Service, ServiceType};
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::Runtime;

/// What follows a Service's name in its variables.
const ENDINGS: [&str; 3] = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];

/// What can be the matter with a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum VariableCause {
    /// It is there.
    Present {
        /// Its value.
        value: String,
    },
    /// It is there, and is no port number: `tcp://ADDRESS:PORT`, as links of old Docker had it.
    LinkForm {
        /// Its value.
        value: String,
    },
    /// The container started before the Service was made.
    OlderPod {
        /// The Pod.
        pod: Key,
    },
    /// The Service is in another namespace than the Pod.
    OtherNamespace {
        /// The Pod.
        pod: Key,
    },
    /// Headless Services and ExternalNames have no variables.
    NeverGiven {
        /// Whether it is headless.
        headless: bool,
    },
    /// The Pod has `enableServiceLinks: false`.
    LinksOff {
        /// The Pod.
        pod: Key,
    },
    /// No Service makes such a variable.
    NoSuchService {
        /// The Service whose variable looks alike.
        nearest: Option<Key>,
    },
}

/// The beginning of a Service's variables: `HU_NGINX`.
fn prefix(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// The beginning of a variable's name that stands for a Service, if it is such a variable.
fn prefix_of(variable: &str) -> Option<&str> {
    let at = ENDINGS.iter().filter_map(|ending| variable.find(ending)).min()?;
    Some(&variable[..at]).filter(|prefix| !prefix.is_empty())
}

/// Whether a text looks like the name of a Service's variable.
#[must_use]
pub fn is_variable(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(plain) && prefix_of(text).is_some()
}

/// Why a container of a Pod has a variable or has it not.
#[must_use]
pub fn variable(cluster: &Cluster, runtime: &Runtime, pod: &Key, variable: &str) -> Vec<Finding> {
    let Some(object) = cluster.get(pod) else { return Vec::new() };
    let Some(of_pod) = object.as_pod() else { return Vec::new() };
    let Some(wanted) = prefix_of(variable) else { return Vec::new() };
    let runs = of_pod.spec.containers.iter().filter_map(|one| runtime.latest(&object.meta.uid, &one.name));
    let value =
        runs.flat_map(|(_, run)| run.env()).find(|(name, _)| *name == variable).map(|(_, value)| value);
    let all = || cluster.list(Kind::Service, None);
    let fits = |name: &str| prefix(name) == wanted;
    let own = all().find(|one| *one.namespace() == pod.namespace && fits(one.name()));
    let service = own.or_else(|| all().find(|one| fits(one.name())));
    let subject = service.map_or_else(|| Key::new(Kind::Service, "", ""), |object| object.key.clone());
    let cause = match (value, service.and_then(|object| object.as_service())) {
        (Some(value), Some(_)) if variable.ends_with("_PORT") && value.contains("://") => {
            VariableCause::LinkForm { value: value.to_owned() }
        }
        (Some(value), _) => VariableCause::Present { value: value.to_owned() },
        (None, None) => {
            let names = all().filter(|one| *one.namespace() == pod.namespace);
            let nearest = names.min_by_key(|one| near::distance(&prefix(one.name()), wanted));
            let nearest = nearest.filter(|one| near::is_slip(&prefix(one.name()), wanted));
            VariableCause::NoSuchService { nearest: nearest.map(|one| one.key.clone()) }
        }
        (None, Some(_)) if subject.namespace != pod.namespace => {
            VariableCause::OtherNamespace { pod: pod.clone() }
        }
        (None, Some(Service { headless: true, .. })) => VariableCause::NeverGiven { headless: true },
        (None, Some(Service { kind: ServiceType::ExternalName, .. })) => {
            VariableCause::NeverGiven { headless: false }
        }
        (None, Some(_)) if !of_pod.spec.service_links => VariableCause::LinksOff { pod: pod.clone() },
        (None, Some(_)) => VariableCause::OlderPod { pod: pod.clone() },
    };
    let severity = match cause {
        VariableCause::Present { .. } => Severity::Fine,
        VariableCause::LinkForm { .. } => Severity::Note,
        _ => Severity::Problem,
    };
    let mut finding = Finding::new(&subject, severity, Cause::Variable(cause.clone()));
    if let VariableCause::OlderPod { .. } = cause {
        finding = finding.command(format!("kubectl delete pod {}{}", pod.name, in_namespace(pod)));
    }
    if let VariableCause::LinkForm { .. } = cause {
        let container = of_pod.spec.containers.first().map(|one| one.name.clone()).unwrap_or_default();
        finding.fixes = link_fixes(cluster, pod, &container, variable);
    }
    vec![finding]
}

/// A variable of a Service's link form that a container's command line uses, as if it were a number or a name.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkUse {
    /// The container.
    pub container: SmolStr,
    /// The variable.
    pub variable: String,
    /// The Service that makes it.
    pub service: Key,
}

/// The variables `NAME_PORT` of Services that a Pod's containers use in their command lines or environment and do not set
/// themselves.
#[must_use]
pub fn links_used(cluster: &Cluster, object: &Object) -> Vec<LinkUse> {
    let Some(pod) = object.as_pod().filter(|pod| pod.spec.service_links) else { return Vec::new() };
    let mut found = Vec::new();
    for container in &pod.spec.containers {
        let document = &container.document;
        let own = |name: &str| document.get("env").items().iter().any(|one| one.get("name").str() == name);
        let words = ["command", "args"].into_iter().flat_map(|field| document.get(field).items());
        let values = document.get("env").items().iter().map(|one| one.get("value"));
        for used in words.chain(values).flat_map(|word| referred(word.str())) {
            if own(&used) || found.iter().any(|one: &LinkUse| one.variable == used) {
                continue;
            }
            if let Some(service) = maker(cluster, &object.key.namespace, &used) {
                found.push(LinkUse { container: container.name.clone(), variable: used, service });
            }
        }
    }
    found
}

/// The Service of a namespace that makes the variable `NAME_PORT`.
#[must_use]
pub fn maker(cluster: &Cluster, namespace: &str, variable: &str) -> Option<Key> {
    let wanted = variable.strip_suffix("_PORT").filter(|name| !name.is_empty())?;
    let makes = |object: &&std::sync::Arc<Object>| {
        object.as_service().is_some_and(|service| service.cluster_ip().is_some())
            && prefix(object.name()) == wanted
    };
    cluster.list(Kind::Service, Some(namespace)).find(makes).map(|object| object.key.clone())
}

/// The variables named `…_PORT` that a text refers to: `$A_PORT`, `${A_PORT}`, `$(A_PORT)`.
pub fn referred(text: &str) -> impl Iterator<Item = String> {
    text.split('$').skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches(['{', '(']);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(rest[..end].to_owned()).filter(|name| name.ends_with("_PORT"))
    })
}

/// What gives a container a port number instead of the link form: a variable of its own, or no variables of
/// Services at all.
pub(super) fn link_fixes(cluster: &Cluster, pod: &Key, container: &str, variable: &str) -> Vec<Fix> {
    let service = maker(cluster, &pod.namespace, variable);
    let service = service.and_then(|key| cluster.get(&key)).and_then(|object| object.as_service());
    let port = service.and_then(|service| service.ports.first()).map_or(0, |port| port.port);
    let owner = cluster.get(pod).and_then(|object| near::owner(cluster, object));
    let Some(owner) = owner else {
        let key = pod.clone();
        let value = format!("{{ name: {variable}, value: \"{port}\" }}");
        let off = Fix::Edit {
            key: key.clone(),
            field: "spec.enableServiceLinks".to_owned(),
            value: "false".to_owned(),
        };
        return vec![Fix::Edit { key, field: format!("spec.containers[{container}].env"), value }, off];
    };
    let (kind, name, namespace) = (owner.kind.info().singular, &owner.name, in_namespace(&owner));
    let off = "{\"spec\":{\"template\":{\"spec\":{\"enableServiceLinks\":false}}}}";
    vec![
        Fix::Command(format!("kubectl set env {kind}/{name} {variable}={port}{namespace}")),
        Fix::Command(format!("kubectl patch {kind} {name} -p '{off}'{namespace}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_services_are_told_from_others() {
        for (text, expected) in [
            ("HU_NGINX_SERVICE_HOST", true),
            ("HU_NGINX_SERVICE_PORT_HTTP", true),
            ("HU_NGINX_PORT_80_TCP_ADDR", true),
            ("PATH", false),
            ("_PORT", false),
            ("web", false),
        ] {
            assert_eq!(is_variable(text), expected, "{text}");
        }
    }
}
