//! Nodes that are cordoned, tainted or broken, and the Pods on them.

use super::workloads::change;
use super::*;

fn taints(world: &Simulation, node: &str) -> Vec<String> {
    let node = world.cluster.find(Kind::Node, "", node).unwrap();
    let taints = node.spec().get("taints").items().iter();
    taints.map(|taint| format!("{}:{}", taint.get("key").str(), taint.get("effect").str())).collect()
}

fn on_node(world: &Simulation, node: &str) -> usize {
    let pods = world.cluster.list(Kind::Pod, Some("default"));
    pods.filter(|pod| pod.as_pod().unwrap().node == node).count()
}

#[test]
fn a_cordoned_node_has_a_taint_until_it_is_uncordoned() {
    let mut world = world();
    change(&mut world, Kind::Node, "k8s-w1", |node| node.set_at(&["spec", "unschedulable"], true));
    assert_eq!(taints(&world, "k8s-w1"), ["node.kubernetes.io/unschedulable:NoSchedule"]);
    apply(&mut world, WEB);
    assert_eq!((on_node(&world, "k8s-w1"), on_node(&world, "k8s-w2")), (0, 3));
    change(&mut world, Kind::Node, "k8s-w1", |node| {
        node.field_mut("spec").remove("unschedulable");
    });
    assert_eq!(taints(&world, "k8s-w1"), [""; 0]);
    let said = ["NodeNotSchedulable", "NodeSchedulable"];
    assert_eq!(
        events(&world, "k8s-w1"),
        said.map(|reason| format!("{reason}: Node k8s-w1 status is now: {reason}"))
    );
}

#[test]
fn pods_leave_a_node_whose_taint_they_do_not_tolerate() {
    let mut world = world();
    apply(&mut world, WEB);
    assert!(on_node(&world, "k8s-w1") > 0);
    change(&mut world, Kind::Node, "k8s-w1", |node| {
        node.set_at(&["spec", "taints"], crate::value!([{ "key": "a", "effect": "NoExecute" }]));
    });
    assert_eq!((on_node(&world, "k8s-w1"), on_node(&world, "k8s-w2")), (0, 3));
    assert_eq!(addresses(&world, "web"), (3, 0));
}

/// Writes the condition Ready of a node.
fn set_ready(world: &mut Simulation, node: &'static str, status: &'static str) {
    let key = Key::new(Kind::Node, "", node);
    let mut document = world.cluster.get(&key).unwrap().value.clone();
    for condition in document.at_mut(&["status", "conditions"]).list_mut() {
        if condition.get("type").str() == "Ready" {
            condition.set("status", status);
        }
    }
    world.cluster.update_status(Actor::User, &key, document).unwrap();
    world.notice();
    world.settle(LIMIT);
}

#[test]
fn the_pods_of_a_broken_node_leave_the_endpoints_at_once_and_are_replaced_after_five_minutes() {
    let mut world = world();
    apply(&mut world, WEB);
    let there = on_node(&world, "k8s-w1");
    set_ready(&mut world, "k8s-w1", "Unknown");
    assert_eq!(
        taints(&world, "k8s-w1"),
        ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]
    );
    assert_eq!((addresses(&world, "web"), on_node(&world, "k8s-w1")), ((3 - there, there), there));
    assert_eq!(events(&world, "k8s-w1"), ["NodeNotReady: Node k8s-w1 status is now: NodeNotReady"]);
    world.settle(Span::from_seconds(400));
    assert_eq!((on_node(&world, "k8s-w1"), addresses(&world, "web")), (there, (3, 0)));
    // Nobody has ended them: their kubelet does when it is back.
    set_ready(&mut world, "k8s-w1", "True");
    assert_eq!((on_node(&world, "k8s-w1"), taints(&world, "k8s-w1").len()), (0, 0));
}

#[test]
fn a_disruption_budget_lets_no_more_pods_be_evicted_than_it_can_miss() {
    use crate::cluster::{Request, Verb};

    let mut world = world();
    apply(&mut world, WEB);
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}";
    apply(&mut world, budget);
    let allowed = |world: &Simulation| {
        object(world, Kind::PodDisruptionBudget, "web").status().get("disruptionsAllowed").as_int()
    };
    assert_eq!(allowed(&world), Some(1));
    let pods: Vec<Key> = world.cluster.list(Kind::Pod, Some("default")).map(|pod| pod.key.clone()).collect();
    let evict = |world: &mut Simulation, pod: &Key| {
        let options = Options { eviction: true, ..Options::default() };
        let reply = world.request(Request::new(Actor::User, Verb::Delete, pod).options(options));
        reply.result.map(|_| ()).map_err(|status| (status.reason.code(), status.message))
    };
    assert_eq!(evict(&mut world, &pods[0]), Ok(()));
    let refusal = "Cannot evict pod as it would violate the pod's disruption budget.".to_owned();
    assert_eq!(evict(&mut world, &pods[1]), Err((429, refusal)));
    world.settle(LIMIT);
    assert_eq!((allowed(&world), addresses(&world, "web")), (Some(1), (3, 0)));
    assert_eq!(evict(&mut world, &pods[1]), Ok(()));
}
