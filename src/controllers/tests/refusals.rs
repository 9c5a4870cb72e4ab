//! What controllers say when the server refuses what they want, when they are paused, and of what is left over.

use super::workloads::change;
use super::*;

/// `Type=Status Reason` of each condition of an object.
fn conditions(object: &Object) -> Vec<String> {
    let conditions = object.status().get("conditions").items().iter();
    let text = |one: &Value, field: &str| one.get(field).str().to_owned();
    conditions
        .map(|one| format!("{}={} {}", text(one, "type"), text(one, "status"), text(one, "reason")))
        .collect()
}

#[test]
fn a_refused_pod_is_told_on_replica_set_and_deployment_until_it_can_be_made() {
    let mut world = world();
    apply(
        &mut world,
        &WEB.replace(
            "      restartPolicy: Always",
            "      serviceAccountName: robot\n      restartPolicy: Always",
        ),
    );
    let failure = "ReplicaFailure=True FailedCreate";
    let set = world.cluster.list(Kind::ReplicaSet, Some("default")).next().unwrap();
    assert_eq!(conditions(set), [failure]);
    let message = set.status().get("conditions").items()[0].get("message").str();
    assert!(
        message.ends_with(
            "is forbidden: error looking up service account default/robot: serviceaccount \"robot\" not found"
        ),
        "{message}"
    );
    let said = format!("FailedCreate: Error creating: pods \"{}-\" is forbidden: ", set.name());
    assert!(events(&world, set.name())[0].starts_with(&said), "{said}");
    assert!(conditions(object(&world, Kind::Deployment, "web")).contains(&failure.to_owned()));
    apply(&mut world, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}");
    let deployment = object(&world, Kind::Deployment, "web");
    assert_eq!(
        conditions(deployment),
        ["Available=True MinimumReplicasAvailable", "Progressing=True NewReplicaSetAvailable"]
    );
}

#[test]
fn a_paused_deployment_says_so_and_goes_on_when_resumed() {
    let mut world = world();
    apply(&mut world, WEB);
    let pause = |world: &mut Simulation, paused: bool| {
        change(world, Kind::Deployment, "web", |document| document.set_at(&["spec", "paused"], paused));
    };
    pause(&mut world, true);
    let paused = conditions(object(&world, Kind::Deployment, "web"));
    assert!(paused.contains(&"Progressing=Unknown DeploymentPaused".to_owned()), "{paused:?}");
    pause(&mut world, false);
    let resumed = conditions(object(&world, Kind::Deployment, "web"));
    assert!(resumed.contains(&"Progressing=True NewReplicaSetAvailable".to_owned()), "{resumed:?}");
}

#[test]
fn a_namespace_that_is_being_deleted_loses_its_pods_first_and_says_what_is_left() {
    let mut world = world();
    apply(&mut world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}");
    for text in [
        pod("slow", "nginx", "")
            .replace("labels:", "namespace: shop, annotations: {sim/stop: '20'}, labels:"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, namespace: shop}".to_owned(),
    ] {
        let (documents, _) = yaml::read(&text);
        let value = documents[0].value();
        let kind = Kind::of_manifest("v1", value.get("kind").str()).unwrap();
        world.cluster.create(Actor::User, kind, "shop", value).unwrap();
    }
    world.notice();
    world.settle(LIMIT);
    let key = Key::new(Kind::Namespace, "", "shop");
    world.cluster.delete(Actor::User, &key, Options::default()).unwrap();
    world.notice();
    let until = world.now() + 10_000_000;
    world.advance_to(until);
    let shop = world.cluster.get(&key).unwrap();
    assert_eq!(
        conditions(shop)[3..],
        [
            "NamespaceContentRemaining=True SomeResourcesRemain",
            "NamespaceFinalizersRemaining=False ContentHasNoFinalizers"
        ]
    );
    let remaining = shop.status().get("conditions").items()[3].get("message").str();
    assert_eq!(remaining, "Some resources are remaining: pods. has 1 resource instances");
    assert!(world.cluster.find(Kind::ConfigMap, "shop", "kept").is_some(), "it goes after the Pods");
    world.settle(LIMIT);
    assert!(world.cluster.get(&key).is_none());
}

#[test]
fn a_budget_without_pods_says_that_it_matches_none() {
    let mut world = world();
    apply(
        &mut world,
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: none}\nspec: {minAvailable: 1, selector: {matchLabels: {app: none}}}",
    );
    assert_eq!(events(&world, "none"), ["NoPods: No matching pods found"]);
}

/// The claims that are left.
fn claims(world: &Simulation) -> Vec<&str> {
    world.cluster.list(Kind::PersistentVolumeClaim, Some("default")).map(|one| one.name().as_str()).collect()
}

#[test]
fn claims_of_a_stateful_set_go_as_its_retention_policy_says() {
    let set = |deleted: &str, scaled: &str| {
        format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: 2
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy: {{whenDeleted: {deleted}, whenScaled: {scaled}}}
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{terminationGracePeriodSeconds: 30, containers: [{{name: c, image: 'nginx:1.25'}}]}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"
        )
    };
    for (deleted, scaled, after_scaling, after_deletion) in [
        ("Retain", "Retain", 2, 2),
        ("Retain", "Delete", 1, 1),
        ("Delete", "Retain", 2, 0),
        ("Delete", "Delete", 1, 0),
    ] {
        let mut world = world();
        apply(&mut world, &set(deleted, scaled));
        assert_eq!(claims(&world), ["data-db-0", "data-db-1"]);
        change(&mut world, Kind::StatefulSet, "db", |document| document.set_at(&["spec", "replicas"], 1));
        assert_eq!(claims(&world).len(), after_scaling, "{deleted} {scaled}");
        remove(&mut world, Kind::StatefulSet, "db", Propagation::Background);
        assert_eq!(claims(&world).len(), after_deletion, "{deleted} {scaled}");
    }
}
