//! What `# until` waits for.
//!
//! Owns the reading of conditions and the ones that look at the world; those that are commands are run by
//! [`super::replay`].

use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::Value;
use crate::simulation::Simulation;

/// The namespace that conditions look at.
const NAMESPACE: &str = "default";

/// A condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// So many ready addresses in the slices of a Service, and in its Endpoints.
    Endpoints(String, usize),
    /// Exactly so many Pods that match, all ready, none terminating.
    ReadyPods(usize, Selector),
    /// `kubectl get` with these words lists nothing.
    Gone(String),
    /// A command succeeds.
    Command(String),
}

impl Condition {
    /// Reads what follows `# until`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |word: &str| word.parse::<usize>().ok();
        let read = match words.as_slice() {
            ["endpoints", name, count] => {
                number(count).map(|count| Self::Endpoints((*name).to_owned(), count))
            }
            ["ready-pods", count, rest @ ..] => number(count).and_then(|count| {
                let selector = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("");
                Selector::parse(selector).ok().map(|selector| Self::ReadyPods(count, selector))
            }),
            ["gone", rest @ ..] => Some(Self::Gone(rest.join(" "))),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Command(text.to_owned()))
    }

    /// Whether the world is so. Conditions that are commands never hold by themselves.
    #[must_use]
    pub fn holds(&self, simulation: &Simulation) -> bool {
        match self {
            Self::Endpoints(name, count) => {
                slices(simulation, name) == *count && endpoints(simulation, name) == *count
            }
            Self::ReadyPods(count, selector) => {
                let pods = simulation.cluster.matching(Kind::Pod, NAMESPACE, selector);
                pods.len() == *count && pods.iter().all(|pod| is_ready(pod))
            }
            Self::Gone(_) | Self::Command(_) => false,
        }
    }
}

fn is_ready(pod: &Object) -> bool {
    let ready =
        pod.status().get("conditions").items().iter().any(|condition| {
            condition.get("type").str() == "Ready" && condition.get("status").str() == "True"
        });
    ready && !pod.is_terminating()
}

/// The ready addresses in the slices, of one family: an Endpoints object has no other.
fn slices(simulation: &Simulation, service: &str) -> usize {
    let slices = simulation.cluster.list(Kind::EndpointSlice, Some(NAMESPACE));
    let object = simulation.cluster.find(Kind::Service, NAMESPACE, service);
    let family = object.and_then(|object| object.as_service()?.families.first().cloned());
    slices
        .filter(|slice| family.as_ref().is_none_or(|family| slice.value.get("addressType").str() == family))
        .filter(|slice| slice.meta.label("kubernetes.io/service-name") == service)
        .flat_map(|slice| slice.value.get("endpoints").items())
        .filter(|endpoint| endpoint.at(&["conditions", "ready"]) == &Value::Bool(true))
        .map(|endpoint| endpoint.get("addresses").items().len())
        .sum()
}

/// The addresses of the Endpoints; none of an object that is not there.
fn endpoints(simulation: &Simulation, name: &str) -> usize {
    let mut addresses: Vec<&str> = simulation
        .cluster
        .find(Kind::Endpoints, NAMESPACE, name)
        .map(|object| object.value.get("subsets").items())
        .unwrap_or_default()
        .iter()
        .flat_map(|subset| subset.get("addresses").items())
        .map(|address| address.get("ip").str())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.len()
}
