//! Environment variables of Services: why one is missing in a container.
//!
//! Owns [`VariableCause`]. A container gets the variables of the Services that exist when it starts, of its own
//! namespace alone: <https://kubernetes.io/docs/tutorials/services/connect-applications-service/>.

use super::finding::{Cause, Finding, Severity, in_namespace};
use super::near;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::{Service, ServiceType};
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
    let severity =
        if matches!(cause, VariableCause::Present { .. }) { Severity::Fine } else { Severity::Problem };
    let mut finding = Finding::new(&subject, severity, Cause::Variable(cause.clone()));
    if let VariableCause::OlderPod { .. } = cause {
        finding = finding.command(format!("kubectl delete pod {}{}", pod.name, in_namespace(pod)));
    }
    vec![finding]
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
