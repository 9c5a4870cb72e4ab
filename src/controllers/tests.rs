//! Controllers at work together, seen through the objects that they leave.

use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::clock::Span;
use crate::cluster::{Actor, Settings};
use crate::simulation::Simulation;

/// Long enough for everything that does not wait on purpose.
const LIMIT: Span = Span::from_seconds(30);

fn world() -> Simulation {
    Simulation::new(Settings::default())
}

/// Creates the objects of a manifest in `default` and lets the world settle.
fn apply(world: &mut Simulation, manifest: &str) {
    let (documents, diagnostics) = yaml::read(manifest);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    for document in &documents {
        let value = document.value();
        let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()).unwrap();
        let namespace = if kind.info().namespaced { "default" } else { "" };
        world.cluster.create(Actor::User, kind, namespace, value).unwrap();
        world.notice();
    }
    world.settle(LIMIT);
}

fn object<'a>(world: &'a Simulation, kind: Kind, name: &str) -> &'a Object {
    world.cluster.find(kind, "default", name).unwrap()
}

/// The addresses of an Endpoints object as `IP` texts: (ready, not ready).
fn addresses(world: &Simulation, name: &str) -> (usize, usize) {
    let endpoints = object(world, Kind::Endpoints, name);
    let count = |field: &str| {
        let subsets = endpoints.value.get("subsets").items().iter();
        subsets.map(|subset| subset.get(field).items().len()).sum()
    };
    (count("addresses"), count("notReadyAddresses"))
}

fn slices(world: &Simulation, service: &str) -> Vec<usize> {
    let label = "kubernetes.io/service-name";
    let of = world.cluster.list(Kind::EndpointSlice, Some("default"));
    of.filter(|slice| slice.meta.label(label) == service)
        .map(|slice| slice.value.get("endpoints").items().len())
        .collect()
}

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Always
      terminationGracePeriodSeconds: 30
      containers: [{name: c, image: 'nginx:1.25'}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: ClusterIP, ipFamilies: [IPv4], selector: {app: web}, ports: [{port: 80, protocol: TCP}]}
";

fn scale(world: &mut Simulation, replicas: i64) {
    let key = Key::new(Kind::Deployment, "default", "web");
    let mut document = world.cluster.get(&key).unwrap().value.clone();
    document.set_at(&["spec", "replicas"], replicas);
    document.set_at(&["metadata", "generation"], Value::Null);
    world.cluster.update(Actor::User, &key, document).unwrap();
    world.notice();
    world.settle(LIMIT);
}

#[test]
fn a_deployment_runs_and_its_service_has_endpoints() {
    let mut world = world();
    apply(&mut world, WEB);
    let deployment = object(&world, Kind::Deployment, "web");
    assert_eq!(deployment.status().get("availableReplicas").as_int(), Some(3));
    assert_eq!(addresses(&world, "web"), (3, 0));
    assert_eq!(slices(&world, "web"), [3]);
    assert!(world.cluster.queue().is_empty(), "a quiet cluster has nothing due");
}

#[test]
fn scaling_down_removes_endpoints_and_pods() {
    let mut world = world();
    apply(&mut world, WEB);
    scale(&mut world, 1);
    assert_eq!(addresses(&world, "web"), (1, 0));
    assert_eq!(world.cluster.list(Kind::Pod, Some("default")).count(), 1);
    scale(&mut world, 0);
    assert_eq!((addresses(&world, "web"), slices(&world, "web")), ((0, 0), vec![0]));
}
