//! Controllers at work together, seen through the objects that they leave.

mod batch;
mod init;
mod jobs;
mod neighbours;
mod nodes;
mod refusals;
mod volumes;
mod workloads;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::object::{Key, Object};
use crate::api::registry::{KINDS, Kind};
use crate::api::value::Value;
use crate::api::yaml;
use crate::cluster::clock::Span;
use crate::cluster::request::{Options, Propagation};
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

fn remove(world: &mut Simulation, kind: Kind, name: &str, propagation: Propagation) {
    let key = Key::new(kind, if kind.info().namespaced { "default" } else { "" }, name);
    world.cluster.delete(Actor::User, &key, Options { propagation, ..Options::default() }).unwrap();
    world.notice();
    world.settle(LIMIT);
}

fn count(world: &Simulation, kind: Kind) -> usize {
    world.cluster.list(kind, Some("default")).count()
}

/// The texts of Events about a Pod, in order: `Reason: message`.
fn events(world: &Simulation, name: &str) -> Vec<String> {
    let about = world.cluster.list(Kind::Event, Some("default"));
    about
        .filter(|event| event.value.at(&["involvedObject", "name"]).str() == name)
        .map(|event| format!("{}: {}", event.value.get("reason").str(), event.value.get("message").str()))
        .collect()
}

fn pod(name: &str, image: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n  terminationGracePeriodSeconds: 30\n  containers:\n  - {{name: c, image: '{image}'}}\n{more}"
    )
}

#[test]
fn the_first_world_runs_two_dns_servers_one_of_them_on_the_control_plane() {
    let world = world();
    let pods: Vec<&Arc<Object>> = world.cluster.list(Kind::Pod, Some("kube-system")).collect();
    assert_eq!(pods.len(), 2);
    assert!(pods.iter().all(|pod| pod.as_pod().unwrap().ready));
    let nodes: BTreeSet<&str> = pods.iter().map(|pod| pod.as_pod().unwrap().node.as_str()).collect();
    assert_eq!(nodes, BTreeSet::from(["k8s-master", "k8s-w2"]), "as recorded");
    let dns = world.cluster.find(Kind::Endpoints, "kube-system", "kube-dns").unwrap();
    let ports = dns.value.at(&["subsets"]).items()[0].get("ports").items();
    let names: Vec<&str> = ports.iter().map(|port| port.get("name").str()).collect();
    assert_eq!(names, ["metrics", "dns-tcp", "dns"], "by hash, as recorded");
    assert!(world.cluster.find(Kind::Service, "default", "kubernetes").is_some());
    assert_eq!(world.cluster.list(Kind::ConfigMap, Some("default")).count(), 1);
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn dependents_follow_their_owner_in_every_way_of_deletion() {
    for (propagation, left) in
        [(Propagation::Background, (0, 0)), (Propagation::Foreground, (0, 0)), (Propagation::Orphan, (1, 3))]
    {
        let mut world = world();
        apply(&mut world, WEB);
        remove(&mut world, Kind::Deployment, "web", propagation);
        let counts = (count(&world, Kind::ReplicaSet), count(&world, Kind::Pod));
        assert_eq!(counts, left, "{propagation:?}");
        assert_eq!(count(&world, Kind::Deployment), 0, "{propagation:?}");
    }
}

#[test]
fn the_slices_and_endpoints_of_a_service_go_with_it() {
    let mut world = world();
    apply(&mut world, WEB);
    remove(&mut world, Kind::Service, "web", Propagation::Background);
    assert_eq!((count(&world, Kind::EndpointSlice), count(&world, Kind::Endpoints)), (1, 1));
}

#[test]
fn the_kubernetes_service_comes_back_within_ten_seconds() {
    let mut world = world();
    remove(&mut world, Kind::Service, "kubernetes", Propagation::Background);
    assert_eq!(addresses(&world, "kubernetes"), (1, 0));
    let service = object(&world, Kind::Service, "kubernetes").as_service().unwrap();
    assert_eq!(service.cluster_ip().unwrap().to_string(), "10.96.0.1");
}

#[test]
fn a_deleted_namespace_takes_everything_with_it() {
    let mut world = world();
    apply(&mut world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}");
    let web = WEB.replace("metadata: {name: web}", "metadata: {name: web, namespace: shop}");
    let (documents, _) = yaml::read(&web);
    for document in &documents {
        let value = document.value();
        let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()).unwrap();
        world.cluster.create(Actor::User, kind, "shop", value).unwrap();
    }
    world.notice();
    world.settle(LIMIT);
    assert_eq!(world.cluster.list(Kind::Pod, Some("shop")).count(), 3);
    remove(&mut world, Kind::Namespace, "shop", Propagation::Background);
    assert!(world.cluster.find(Kind::Namespace, "", "shop").is_none());
    for info in KINDS.iter().filter(|info| info.namespaced) {
        assert_eq!(world.cluster.list(info.kind, Some("shop")).count(), 0, "{}", info.name);
    }
}

#[test]
fn an_image_that_does_not_exist_ends_in_back_off() {
    let mut world = world();
    apply(&mut world, &pod("bad", "ngnix", ""));
    let status = &object(&world, Kind::Pod, "bad").status().get("containerStatuses").items()[0].clone();
    assert_eq!(status.at(&["state", "waiting", "reason"]).str(), "ImagePullBackOff");
    let reasons: Vec<String> =
        events(&world, "bad").iter().map(|event| event.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["Scheduled", "Pulling", "Failed", "Failed", "BackOff", "Failed"]);
    assert!(world.cluster.queue().is_empty(), "a pull that cannot succeed is not repeated");
}

#[test]
fn a_container_that_ends_is_restarted_with_growing_back_off() {
    let mut world = world();
    apply(&mut world, &pod("crash", "busybox", ""));
    let status = object(&world, Kind::Pod, "crash").status().get("containerStatuses").items()[0].clone();
    assert_eq!(status.at(&["state", "waiting", "reason"]).str(), "CrashLoopBackOff");
    assert_eq!(status.get("restartCount").as_int(), Some(2), "{status:?}");
    let said = events(&world, "crash");
    assert!(said.iter().any(|event| event.starts_with("BackOff: Back-off restarting")));
    // Its image has no tag and is pulled for each run.
    assert!(!said.iter().any(|event| event.contains("already present")), "{said:?}");
}

#[test]
fn a_pod_that_may_not_restart_completes() {
    let mut world = world();
    apply(&mut world, &pod("done", "busybox", "  restartPolicy: Never\n"));
    assert_eq!(object(&world, Kind::Pod, "done").as_pod().unwrap().phase, "Succeeded");
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_pod_without_a_node_says_why() {
    let mut world = world();
    apply(&mut world, &pod("lost", "nginx", "  nodeSelector: {disk: ssd}\n"));
    assert_eq!(
        events(&world, "lost"),
        [
            "FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        ]
    );
}

#[test]
fn containers_get_the_services_that_existed_when_they_started() {
    let mut world = world();
    apply(&mut world, &pod("early", "nginx", ""));
    apply(&mut world, WEB);
    apply(&mut world, &pod("late", "nginx", ""));
    let has = |name: &str| {
        let uid = &object(&world, Kind::Pod, name).meta.uid;
        let (_, container) = world.runtime.latest(uid, "c").unwrap();
        container.env().any(|(name, _)| name == "WEB_SERVICE_HOST")
    };
    assert!(!has("early"));
    assert!(has("late"));
}

#[test]
fn a_rolling_update_replaces_every_pod_and_keeps_its_history() {
    let mut world = world();
    apply(&mut world, WEB);
    let key = Key::new(Kind::Deployment, "default", "web");
    let mut document = world.cluster.get(&key).unwrap().value.clone();
    let containers = document.at_mut(&["spec", "template", "spec", "containers"]).list_mut();
    containers[0].set("image", "nginx:1.14.2");
    world.cluster.update(Actor::User, &key, document).unwrap();
    world.notice();
    world.settle(LIMIT);
    let pods: Vec<&Arc<Object>> = world.cluster.list(Kind::Pod, Some("default")).collect();
    assert_eq!(pods.len(), 3);
    assert!(pods.iter().all(|pod| pod.as_pod().unwrap().spec.containers[0].image == "nginx:1.14.2"));
    assert_eq!(count(&world, Kind::ReplicaSet), 2);
    let deployment = object(&world, Kind::Deployment, "web");
    assert_eq!(deployment.meta.annotation("deployment.kubernetes.io/revision"), Some("2"));
    assert_eq!(addresses(&world, "web"), (3, 0));
}

#[test]
fn undo_takes_a_deployment_back_for_good_and_redo_brings_it_again() {
    let mut world = world();
    world.cluster.begin_step("apply");
    apply(&mut world, WEB);
    world.undo().unwrap();
    world.settle(LIMIT);
    assert_eq!((count(&world, Kind::Deployment), count(&world, Kind::Pod)), (0, 0));
    assert_eq!((count(&world, Kind::ReplicaSet), count(&world, Kind::EndpointSlice)), (0, 1));
    world.redo().unwrap();
    world.settle(LIMIT);
    assert_eq!((count(&world, Kind::Pod), addresses(&world, "web")), (3, (3, 0)));
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_pod_that_is_undone_while_it_starts_never_comes_up() {
    let mut world = world();
    world.cluster.begin_step("apply");
    let (documents, _) = yaml::read(&pod("web", "nginx", ""));
    world.cluster.create(Actor::User, Kind::Pod, "default", documents[0].value()).unwrap();
    world.notice();
    let soon = world.now() + 100_000;
    world.advance_to(soon);
    // Who only looks takes nothing from what is undone.
    world.cluster.begin_step("get pods");
    world.advance_to(soon + 400_000);
    assert_eq!(world.undo().as_deref(), Ok("apply"));
    world.settle(LIMIT);
    assert_eq!(count(&world, Kind::Pod), 0);
}

#[test]
fn readiness_follows_probes_and_the_annotation() {
    for (probe, ready) in [
        ("{httpGet: {path: /, port: 80}}", true),
        ("{httpGet: {path: /nowhere, port: 80}}", false),
        ("{tcpSocket: {port: 81}}", false),
        ("{tcpSocket: {port: 80}, initialDelaySeconds: 2}", true),
    ] {
        let mut world = world();
        let manifest = pod("web", "nginx", "")
            .replace("image: 'nginx'", &format!("image: nginx, readinessProbe: {probe}"));
        apply(&mut world, &manifest);
        assert_eq!(object(&world, Kind::Pod, "web").as_pod().unwrap().ready, ready, "{probe}");
    }
}

#[test]
fn a_failing_liveness_probe_restarts_the_container() {
    let mut world = world();
    let manifest = pod("web", "nginx", "").replace(
        "image: 'nginx'",
        "image: nginx, livenessProbe: {tcpSocket: {port: 81}, periodSeconds: 1, failureThreshold: 2}",
    );
    apply(&mut world, &manifest);
    let all = events(&world, "web");
    assert!(
        all.iter().any(|event| event == "Killing: Container c failed liveness probe, will be restarted"),
        "{all:?}"
    );
    let status = object(&world, Kind::Pod, "web").status().get("containerStatuses").items()[0].clone();
    assert!(status.get("restartCount").as_int() > Some(0));
}

#[test]
fn ports_stand_in_the_order_of_their_hashes() {
    // From the sessions 01, 14 and 67: name, port, protocol in the order of Endpoints, then of the slice.
    let check = |endpoints: &[(&str, i64, &str)], slice: &[&str]| {
        let mut world = world();
        let mut sorted = endpoints.to_vec();
        sorted.sort_unstable();
        let mut ports = String::new();
        for (name, port, protocol) in sorted {
            ports.push_str(&format!("{{name: {name}, port: {port}, protocol: {protocol}}},"));
        }
        let service = format!(
            "spec: {{type: ClusterIP, ipFamilies: [IPv4], selector: {{app: web}}, ports: [{ports}]}}\n"
        );
        let manifest = WEB.replace(&WEB[WEB.rfind("spec:").unwrap()..], &service);
        apply(&mut world, &manifest);
        let names = |object: &Object, path: &[&str]| -> Vec<String> {
            let ports = object.value.at(path).items().iter();
            ports.map(|port| port.get("name").str().to_owned()).collect()
        };
        let subset = &object(&world, Kind::Endpoints, "web").value.get("subsets").items()[0];
        let seen: Vec<&str> = subset.get("ports").items().iter().map(|port| port.get("name").str()).collect();
        assert_eq!(seen, endpoints.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        let mut slices = world.cluster.list(Kind::EndpointSlice, Some("default"));
        let mine = slices.find(|one| one.meta.label("kubernetes.io/service-name") == "web").unwrap();
        assert_eq!(names(mine, &["ports"]), slice);
    };
    check(&[("http", 80, "TCP"), ("https", 443, "TCP")], &["https", "http"]);
    check(
        &[("metrics", 9153, "TCP"), ("dns-tcp", 53, "TCP"), ("dns", 53, "UDP")],
        &["dns", "dns-tcp", "metrics"],
    );
    check(
        &[("c", 3, "TCP"), ("d", 4, "TCP"), ("b", 2, "TCP"), ("a", 1, "SCTP"), ("e", 5, "TCP")],
        &["e", "a", "b", "c", "d"],
    );
}

#[test]
fn endpoints_that_a_person_keeps_are_mirrored_until_they_go() {
    let mut world = world();
    apply(
        &mut world,
        "apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {ports: [{port: 5432}]}\n---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: db}\nsubsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 5432}]}]",
    );
    assert_eq!(slices(&world, "db"), [1]);
    remove(&mut world, Kind::Endpoints, "db", Propagation::Background);
    assert_eq!(slices(&world, "db"), [0; 0]);
}
