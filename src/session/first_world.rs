//! What a person finds who comes for the first time.
//!
//! A small living world beside the empty one: a Service, three Pods and a client in a namespace of their
//! own, so that the map explains itself before anyone reads, and the default namespace stays as a new
//! cluster has it. It is made of manifests by the same door as
//! anything else, as if they had been applied.

use crate::api::object::Key;
use crate::api::patch::last_applied::with_last_applied;
use crate::api::registry::Kind;
use crate::api::yaml;
use crate::cluster::clock::Span;
use crate::cluster::{Actor, Request, Verb};
use crate::simulation::Simulation;

/// The name of the file with [`MANIFEST`] in the editor.
pub const FILE: &str = "demo.yaml";
/// The manifests of the first world.
pub const MANIFEST: &str = include_str!("first_world.yaml");
/// How long it may take to come to rest.
const SETTLE_LIMIT: Span = Span::from_seconds(30);

/// Makes the first world.
pub fn build(simulation: &mut Simulation) {
    let (documents, _) = yaml::read(MANIFEST);
    for document in &documents {
        let value = document.value();
        let Some(kind) = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()) else {
            continue;
        };
        let namespace = value.at(&["metadata", "namespace"]).smol();
        let key = Key::new(kind, namespace, "");
        let applied = with_last_applied(&value);
        simulation.request(Request::new(Actor::User, Verb::Create(applied), &key));
    }
    simulation.settle(SETTLE_LIMIT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;

    #[test]
    fn the_first_world_stands_and_leaves_the_default_namespace_alone() {
        let mut simulation = Simulation::new(Settings::default());
        let before = simulation.cluster.list(Kind::Service, Some("default")).count();
        build(&mut simulation);
        assert_eq!(simulation.cluster.list(Kind::Service, Some("default")).count(), before);
        assert_eq!(simulation.cluster.list(Kind::Pod, Some("default")).count(), 0);
        assert_eq!(simulation.cluster.list(Kind::Service, Some("demo")).count(), 1);
        assert_eq!(simulation.cluster.list(Kind::Deployment, Some("demo")).count(), 1);
    }
}
