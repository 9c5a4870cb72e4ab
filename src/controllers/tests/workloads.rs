//! StatefulSets, DaemonSets, ReplicationControllers and Jobs, seen through the Pods that they make.

use super::*;

/// Changes an object as a person does, and lets the world settle.
pub(super) fn change(world: &mut Simulation, kind: Kind, name: &str, change: impl FnOnce(&mut Value)) {
    let namespace = if kind.info().namespaced { "default" } else { "" };
    let key = Key::new(kind, namespace, name);
    let mut document = world.cluster.get(&key).unwrap().value.clone();
    change(&mut document);
    world.cluster.update(Actor::User, &key, document).unwrap();
    world.notice();
    world.settle(LIMIT);
}

fn set_image(document: &mut Value) {
    let containers = document.at_mut(&["spec", "template", "spec", "containers"]).list_mut();
    containers[0].set("image", "nginx:1.14.2");
}

/// The images of the Pods of `default` by name.
fn images(world: &Simulation) -> Vec<(String, String)> {
    let pods = world.cluster.list(Kind::Pod, Some("default"));
    pods.map(|pod| (pod.name().to_string(), pod.as_pod().unwrap().spec.containers[0].image.to_string()))
        .collect()
}

fn names(world: &Simulation) -> Vec<String> {
    images(world).into_iter().map(|(name, _)| name).collect()
}

fn status(world: &Simulation, kind: Kind, name: &str, field: &str) -> i64 {
    object(world, kind, name).status().get(field).as_int().unwrap_or(0)
}

fn stateful_set(more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: 3
  selector: {{matchLabels: {{app: db}}}}
{more}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      terminationGracePeriodSeconds: 30
      containers: [{{name: c, image: 'nginx:1.25'}}]
"
    )
}

/// The order in which Pods were made and removed, from the Events of their StatefulSet.
fn order(world: &Simulation) -> Vec<String> {
    let said = events(world, "db");
    let word = |text: &String, at: usize| text.split_whitespace().nth(at).unwrap().to_owned();
    said.iter().map(|text| format!("{} {}", word(text, 1), word(text, 3))).collect()
}

#[test]
fn a_stateful_set_makes_its_pods_one_after_the_other_and_removes_the_last_first() {
    let mut world = world();
    apply(&mut world, &stateful_set(""));
    assert_eq!(names(&world), ["db-0", "db-1", "db-2"]);
    let made = |name: &str| {
        let conditions = object(&world, Kind::Pod, name).status().get("conditions").items();
        let scheduled = conditions.iter().find(|one| one.get("type").str() == "PodScheduled").unwrap();
        scheduled.get("lastTransitionTime").str().to_owned()
    };
    assert!(made("db-0") < made("db-2"), "the last is made when the first are ready");
    change(&mut world, Kind::StatefulSet, "db", |document| document.set_at(&["spec", "replicas"], 1));
    assert_eq!(names(&world), ["db-0"]);
    assert_eq!(order(&world), ["Create db-0", "Create db-1", "Create db-2", "Delete db-2", "Delete db-1"]);
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn parallel_pods_do_not_wait_for_each_other() {
    let mut world = world();
    apply(&mut world, &stateful_set("  podManagementPolicy: Parallel"));
    let times: BTreeSet<i64> =
        world.cluster.list(Kind::Pod, Some("default")).map(|pod| pod.meta.created.0).collect();
    assert_eq!((names(&world).len(), times.len()), (3, 1));
}

#[test]
fn pods_of_a_stateful_set_have_names_in_dns_and_claims_of_their_own() {
    let mut world = world();
    let claims = "  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}";
    apply(&mut world, &stateful_set(claims));
    let pod = object(&world, Kind::Pod, "db-0");
    assert_eq!((pod.spec().get("hostname").str(), pod.spec().get("subdomain").str()), ("db-0", "db"));
    assert_eq!(pod.meta.label("statefulset.kubernetes.io/pod-name"), "db-0");
    assert_eq!(pod.meta.label("apps.kubernetes.io/pod-index"), "0");
    let claim = object(&world, Kind::PersistentVolumeClaim, "data-db-0");
    assert_eq!(claim.meta.label("app"), "db");
    assert_eq!(
        pod.spec().get("volumes").items()[0].at(&["persistentVolumeClaim", "claimName"]).str(),
        "data-db-0"
    );
    let said = events(&world, "db");
    assert!(said[0].ends_with("Create Claim data-db-0 Pod db-0 in StatefulSet db success"), "{said:?}");
}

#[test]
fn a_rolling_update_of_a_stateful_set_begins_at_the_end_and_stops_at_the_partition() {
    for (partition, updated) in [(0, 3), (1, 2), (3, 0)] {
        let mut world = world();
        let strategy =
            format!("  updateStrategy: {{type: RollingUpdate, rollingUpdate: {{partition: {partition}}}}}");
        apply(&mut world, &stateful_set(&strategy));
        change(&mut world, Kind::StatefulSet, "db", set_image);
        let new: Vec<String> = images(&world)
            .into_iter()
            .filter(|(_, image)| image == "nginx:1.14.2")
            .map(|(name, _)| name)
            .collect();
        let expected: Vec<String> = (3 - updated..3).map(|ordinal| format!("db-{ordinal}")).collect();
        assert_eq!(new, expected, "partition {partition}");
        assert_eq!(count(&world, Kind::ControllerRevision), 2);
        let status = object(&world, Kind::StatefulSet, "db").status().clone();
        let complete = status.get("currentRevision") == status.get("updateRevision");
        assert_eq!(complete, updated == 3, "partition {partition}");
        // A Pod below the partition comes back as it was.
        remove(&mut world, Kind::Pod, "db-0", Propagation::Background);
        let first = if updated == 3 { "nginx:1.14.2" } else { "nginx:1.25" };
        assert_eq!(images(&world)[0].1, first, "partition {partition}");
    }
}

#[test]
fn on_delete_pods_are_replaced_when_somebody_deletes_them() {
    let mut world = world();
    apply(&mut world, &stateful_set("  updateStrategy: {type: OnDelete}"));
    change(&mut world, Kind::StatefulSet, "db", set_image);
    assert!(images(&world).iter().all(|(_, image)| image == "nginx:1.25"));
    remove(&mut world, Kind::Pod, "db-1", Propagation::Background);
    let new: Vec<bool> = images(&world).iter().map(|(_, image)| image == "nginx:1.14.2").collect();
    assert_eq!(new, [false, true, false]);
}

#[test]
fn old_revisions_are_forgotten_beyond_the_limit() {
    let mut world = world();
    apply(&mut world, &stateful_set("  revisionHistoryLimit: 1"));
    for label in ["a", "b", "c"] {
        change(&mut world, Kind::StatefulSet, "db", |document| {
            document.at_mut(&["spec", "template", "metadata", "annotations"]).set("version", label);
        });
    }
    assert_eq!(count(&world, Kind::ControllerRevision), 2, "the present one and one before");
}

#[test]
fn orphaned_pods_and_revisions_are_adopted_again() {
    let mut world = world();
    apply(&mut world, &stateful_set(""));
    let before: Vec<String> =
        world.cluster.list(Kind::Pod, Some("default")).map(|pod| pod.meta.uid.to_string()).collect();
    remove(&mut world, Kind::StatefulSet, "db", Propagation::Orphan);
    assert_eq!(names(&world).len(), 3);
    apply(&mut world, &stateful_set(""));
    let pods = world.cluster.list(Kind::Pod, Some("default"));
    let after: Vec<String> = pods.map(|pod| pod.meta.uid.to_string()).collect();
    assert_eq!(before, after);
    assert_eq!(count(&world, Kind::ControllerRevision), 1);
}

const AGENT: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 30
      containers: [{name: c, image: 'nginx:1.25'}]
";

fn nodes(world: &Simulation) -> Vec<String> {
    let pods = world.cluster.list(Kind::Pod, Some("default"));
    let mut nodes: Vec<String> = pods.map(|pod| pod.as_pod().unwrap().node.to_string()).collect();
    nodes.sort_unstable();
    nodes
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_that_it_fits() {
    for (spec, expected) in [
        ("", vec!["k8s-w1", "k8s-w2"]),
        ("      tolerations: [{operator: Exists}]\n", vec!["k8s-master", "k8s-w1", "k8s-w2"]),
        ("      nodeSelector: {kubernetes.io/hostname: k8s-w2}\n", vec!["k8s-w2"]),
        ("      nodeSelector: {disk: ssd}\n", vec![]),
    ] {
        let mut world = world();
        apply(&mut world, &format!("{AGENT}{spec}"));
        assert_eq!(nodes(&world), expected, "{spec}");
        let desired = status(&world, Kind::DaemonSet, "agent", "desiredNumberScheduled");
        assert_eq!(usize::try_from(desired), Ok(expected.len()), "{spec}");
    }
}

#[test]
fn daemons_follow_labels_and_taints_of_nodes() {
    let mut world = world();
    apply(&mut world, AGENT);
    let taint = |effect: &'static str| {
        move |document: &mut Value| {
            document
                .set_at(&["spec", "taints"], crate::value!([{ "key": "a", "value": "b", "effect": effect }]));
        }
    };
    change(&mut world, Kind::Node, "k8s-w1", taint("NoSchedule"));
    assert_eq!(nodes(&world), ["k8s-w1", "k8s-w2"], "who is there may stay");
    assert_eq!(status(&world, Kind::DaemonSet, "agent", "numberMisscheduled"), 1);
    change(&mut world, Kind::Node, "k8s-w1", taint("NoExecute"));
    assert_eq!(nodes(&world), ["k8s-w2"]);
    change(&mut world, Kind::Node, "k8s-w1", |document| {
        document.field_mut("spec").remove("taints");
    });
    assert_eq!(nodes(&world), ["k8s-w1", "k8s-w2"]);
    change(&mut world, Kind::Node, "k8s-w2", |document| document.set_at(&["spec", "unschedulable"], true));
    assert_eq!(nodes(&world), ["k8s-w1", "k8s-w2"], "daemons tolerate a cordon");
}

#[test]
fn a_rolling_update_of_a_daemon_set_goes_node_by_node() {
    let mut world = world();
    apply(&mut world, AGENT);
    change(&mut world, Kind::DaemonSet, "agent", set_image);
    assert!(images(&world).iter().all(|(_, image)| image == "nginx:1.14.2"));
    let said: Vec<String> =
        events(&world, "agent").iter().map(|text| text.split(':').next().unwrap().to_owned()).collect();
    let (made, removed) = ("SuccessfulCreate", "SuccessfulDelete");
    assert_eq!(said, [made, made, removed, made, removed, made]);
    assert_eq!(status(&world, Kind::DaemonSet, "agent", "updatedNumberScheduled"), 2);
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn with_a_surge_the_new_daemon_comes_before_the_old_one_goes() {
    let mut world = world();
    apply(&mut world, &AGENT.replace("maxUnavailable: 1, maxSurge: 0", "maxUnavailable: 0, maxSurge: 1"));
    change(&mut world, Kind::DaemonSet, "agent", set_image);
    assert_eq!(nodes(&world), ["k8s-w1", "k8s-w2"]);
    assert!(images(&world).iter().all(|(_, image)| image == "nginx:1.14.2"));
    let said: Vec<String> =
        events(&world, "agent").iter().map(|text| text.split(':').next().unwrap().to_owned()).collect();
    let (made, removed) = ("SuccessfulCreate", "SuccessfulDelete");
    assert_eq!(said, [made, made, made, removed, made, removed]);
}

#[test]
fn a_replication_controller_keeps_its_pods() {
    let mut world = world();
    apply(
        &mut world,
        "apiVersion: v1
kind: ReplicationController
metadata: {name: rc}
spec:
  replicas: 2
  selector: {app: rc}
  template:
    metadata: {labels: {app: rc}}
    spec: {terminationGracePeriodSeconds: 30, containers: [{name: c, image: 'nginx:1.25'}]}
",
    );
    let first = names(&world)[0].clone();
    remove(&mut world, Kind::Pod, &first, Propagation::Background);
    assert_eq!((names(&world).len(), names(&world).contains(&first)), (2, false));
    assert_eq!(status(&world, Kind::ReplicationController, "rc", "readyReplicas"), 2);
    assert_eq!(events(&world, "rc").len(), 3);
}

pub(super) fn job(name: &str, exit: &str, more: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
{more}
  template:
    metadata: {{annotations: {{sim/exit: '{exit}'}}}}
    spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 30, containers: [{{name: c, image: 'nginx:1.25'}}]}}
"
    )
}

pub(super) fn conditions(world: &Simulation, name: &str) -> Vec<String> {
    let conditions = object(world, Kind::Job, name).status().get("conditions").items();
    let held = conditions.iter().filter(|one| one.get("status").str() == "True");
    held.map(|one| format!("{}: {}", one.get("type").str(), one.get("reason").str())).collect()
}

#[test]
fn a_job_is_complete_when_enough_pods_have_succeeded() {
    let mut world = world();
    apply(&mut world, &job("sum", "0", "  completions: 5\n  parallelism: 2"));
    assert_eq!(status(&world, Kind::Job, "sum", "succeeded"), 5);
    assert_eq!(
        conditions(&world, "sum"),
        ["SuccessCriteriaMet: CompletionsReached", "Complete: CompletionsReached"]
    );
    assert_eq!(events(&world, "sum").last().unwrap(), "Completed: Job completed");
    assert!(world.cluster.list(Kind::Pod, Some("default")).all(|pod| !pod.meta.finalizers));
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_job_gives_up_after_its_back_off_limit() {
    let mut world = world();
    apply(&mut world, &job("bad", "1", "  backoffLimit: 1"));
    assert_eq!(status(&world, Kind::Job, "bad", "failed"), 2);
    assert_eq!(
        conditions(&world, "bad"),
        ["FailureTarget: BackoffLimitExceeded", "Failed: BackoffLimitExceeded"]
    );
    let pods: Vec<i64> =
        world.cluster.list(Kind::Pod, Some("default")).map(|pod| pod.meta.created.0).collect();
    assert_eq!(
        (pods[0] - pods[1]).abs() / 10,
        1,
        "the second Pod comes some ten seconds after the first failed"
    );
}

#[test]
fn a_job_that_takes_too_long_loses_its_pods() {
    let mut world = world();
    let long = job("long", "", "  activeDeadlineSeconds: 3").replace("sim/exit: ''", "a: b");
    apply(&mut world, &long);
    assert_eq!(conditions(&world, "long"), ["FailureTarget: DeadlineExceeded", "Failed: DeadlineExceeded"]);
    assert_eq!((names(&world).len(), status(&world, Kind::Job, "long", "failed")), (0, 1));
}

#[test]
fn each_index_of_a_job_succeeds_once() {
    let mut world = world();
    apply(&mut world, &job("each", "0", "  completionMode: Indexed\n  completions: 4\n  parallelism: 3"));
    let status = object(&world, Kind::Job, "each").status().clone();
    assert_eq!((status.get("completedIndexes").str(), status.get("succeeded").as_int()), ("0-3", Some(4)));
    let hosts: Vec<String> = world
        .cluster
        .list(Kind::Pod, Some("default"))
        .map(|pod| pod.spec().get("hostname").str().to_owned())
        .collect();
    assert_eq!(hosts, ["each-0", "each-1", "each-2", "each-3"]);
}

#[test]
fn a_suspended_job_has_no_pods_and_goes_on_when_resumed() {
    let mut world = world();
    apply(&mut world, &job("later", "0", "  suspend: true"));
    assert_eq!(
        (names(&world).len(), conditions(&world, "later")),
        (0, vec!["Suspended: JobSuspended".to_owned()])
    );
    assert!(object(&world, Kind::Job, "later").status().get("startTime").is_null());
    change(&mut world, Kind::Job, "later", |document| {
        document.set_at(&["spec", "suspend"], false);
        // Kubernetes counts this as a change of what is asked for.
        document.set_at(&["metadata", "generation"], Value::Null);
    });
    assert_eq!(status(&world, Kind::Job, "later", "succeeded"), 1);
    let said = events(&world, "later");
    let reasons: Vec<&str> = said.iter().filter_map(|text| text.split(':').next()).collect();
    assert_eq!(reasons, ["Suspended", "SuccessfulCreate", "Resumed", "Completed"]);
}

#[test]
fn a_deleted_job_takes_its_pods_with_it() {
    let mut world = world();
    apply(&mut world, &job("gone", "", "").replace("sim/exit: ''", "a: b"));
    assert_eq!(names(&world).len(), 1);
    remove(&mut world, Kind::Job, "gone", Propagation::Background);
    assert_eq!((names(&world).len(), count(&world, Kind::Job)), (0, 0));
}
