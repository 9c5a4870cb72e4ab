//! Where Pods run that ask for certain neighbours, or for none, or for even spread.

use super::*;

/// A Deployment whose Pods carry more in their `spec`.
fn web(replicas: usize, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      restartPolicy: Always
      terminationGracePeriodSeconds: 30
      containers: [{{name: c, image: 'nginx:1.25'}}]
      {more}
"
    )
}

fn affinity(kind: &str, app: &str) -> String {
    format!(
        "affinity: {{{kind}: {{requiredDuringSchedulingIgnoredDuringExecution: [{{labelSelector: {{matchLabels: {{app: {app}}}}}, topologyKey: kubernetes.io/hostname}}]}}}}"
    )
}

/// How many of the Pods run on each node, the most first, and how many wait.
fn spread(world: &Simulation) -> (Vec<usize>, usize) {
    let pods: Vec<&Arc<Object>> = world.cluster.list(Kind::Pod, Some("default")).collect();
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for pod in &pods {
        *counts.entry(pod.as_pod().unwrap().node.as_str()).or_default() += 1;
    }
    let waiting = counts.remove("").unwrap_or(0);
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    (counts, waiting)
}

/// Why a Pod waits.
fn complaint(world: &Simulation) -> String {
    let waiting =
        world.cluster.list(Kind::Pod, Some("default")).find(|pod| pod.as_pod().unwrap().node.is_empty());
    let conditions = waiting.unwrap().status().get("conditions").items();
    conditions[0].get("message").str().to_owned()
}

#[test]
fn pods_that_refuse_their_like_run_one_on_each_node_and_the_others_wait() {
    let mut world = world();
    apply(&mut world, &web(3, &affinity("podAntiAffinity", "web")));
    assert_eq!(spread(&world), (vec![1, 1], 1));
    assert_eq!(
        complaint(&world),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    );
    scale(&mut world, 2);
    assert_eq!(spread(&world), (vec![1, 1], 0));
}

#[test]
fn who_is_refused_by_a_pod_keeps_away_from_it_too() {
    let mut world = world();
    apply(&mut world, &web(2, &affinity("podAntiAffinity", "loud")));
    apply(&mut world, &pod("loud", "nginx", ""));
    assert!(complaint(&world).contains("2 node(s) didn't satisfy existing pods anti-affinity rules"));
}

#[test]
fn pods_follow_those_that_they_want_to_be_near() {
    let mut world = world();
    apply(&mut world, &web(2, &affinity("podAffinity", "db")));
    assert_eq!(spread(&world), (vec![], 2));
    assert!(complaint(&world).contains("2 node(s) didn't match pod affinity rules"));
    apply(&mut world, &pod("db", "redis", ""));
    assert_eq!(spread(&world), (vec![3], 0));
}

#[test]
fn the_first_of_pods_that_want_to_be_together_may_run_anywhere() {
    let mut world = world();
    apply(&mut world, &web(3, &affinity("podAffinity", "web")));
    assert_eq!(spread(&world), (vec![3], 0));
}

#[test]
fn spread_constraints_hold_even_where_it_means_to_wait() {
    let constraint = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]";
    let mut world = world();
    apply(&mut world, &web(4, constraint));
    // The control plane counts as a place, and nobody may run there.
    assert_eq!(spread(&world), (vec![1, 1], 2));
    assert!(complaint(&world).contains("2 node(s) didn't match pod topology spread constraints"));
}

#[test]
fn what_no_node_could_ever_hold_is_not_got_by_preemption() {
    let mut world = world();
    let big = pod("big", "nginx", "").replace(
        "image: 'nginx'}",
        "image: 'nginx', resources: {requests: {cpu: '1000'}, limits: {cpu: '1000', nvidia.com/gpu: '1'}}}",
    );
    apply(&mut world, &big);
    assert_eq!(
        complaint(&world),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
}
