//! Pods with init containers and sidecars, and Pods that wait for a ConfigMap or Secret.

use super::*;

fn with_init(first: &str, more: &str) -> String {
    pod("web", "nginx:1.25", &format!("  initContainers:\n{first}{more}"))
}

const SETUP: &str = "  - {name: one, image: 'busybox:1.36', command: [sleep, '2']}\n  - {name: two, image: 'busybox:1.36', command: ['true']}\n";

/// What `kubectl get pod web` shows: READY and STATUS.
fn row(world: &Simulation) -> (String, String) {
    let pod = world.cluster.find(Kind::Pod, "default", "web").unwrap().clone();
    let table = world.cluster.table(Kind::Pod, vec![pod]);
    (table.rows[0].cells[1].clone(), table.rows[0].cells[2].clone())
}

fn create(world: &mut Simulation, manifest: &str) {
    let (documents, _) = yaml::read(manifest);
    let value = documents[0].value();
    let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()).unwrap();
    world.cluster.create(Actor::User, kind, "default", value).unwrap();
    world.notice();
}

fn wait(world: &mut Simulation, ms: u64) {
    let until = world.now() + ms * 1000;
    world.advance_to(until);
}

#[test]
fn init_containers_run_one_after_the_other_before_the_others() {
    let mut world = world();
    create(&mut world, &with_init(SETUP, ""));
    wait(&mut world, 500);
    assert_eq!(row(&world), ("0/1".to_owned(), "Init:0/2".to_owned()));
    wait(&mut world, 2500);
    assert_eq!(row(&world), ("0/1".to_owned(), "Init:1/2".to_owned()));
    let initialized = |world: &Simulation| {
        let conditions = object(world, Kind::Pod, "web").status().get("conditions").items();
        conditions.iter().find(|one| one.get("type").str() == "Initialized").unwrap().clone()
    };
    assert_eq!(initialized(&world).get("message").str(), "containers with incomplete status: [two]");
    world.settle(LIMIT);
    assert_eq!(row(&world), ("1/1".to_owned(), "Running".to_owned()));
    assert_eq!(initialized(&world).get("status").str(), "True");
    let started: Vec<String> =
        events(&world, "web").into_iter().filter(|text| text.starts_with("Started")).collect();
    assert_eq!(started.len(), 3);
}

#[test]
fn a_failing_init_container_is_repeated_or_ends_the_pod() {
    let failing = "  - {name: one, image: 'busybox:1.36', command: ['false']}\n";
    for (more, status) in [("", "Init:CrashLoopBackOff"), ("  restartPolicy: Never\n", "Init:Error")] {
        let mut world = world();
        create(&mut world, &with_init(failing, more));
        world.settle(LIMIT);
        assert_eq!(row(&world), ("0/1".to_owned(), status.to_owned()));
        assert!(!object(&world, Kind::Pod, "web").as_pod().unwrap().ready);
    }
}

#[test]
fn a_sidecar_runs_beside_the_others_and_ends_after_them() {
    let sidecar = "  - {name: log, image: 'nginx:1.25', restartPolicy: Always}\n";
    let mut world = world();
    create(&mut world, &with_init(sidecar, ""));
    world.settle(LIMIT);
    assert_eq!(row(&world), ("2/2".to_owned(), "Running".to_owned()));
    let mut world = self::world();
    let short = with_init(sidecar, "  restartPolicy: Never\n")
        .replace("{name: c, image: 'nginx:1.25'}", "{name: c, image: 'busybox:1.36', command: [sleep, '1']}");
    create(&mut world, &short);
    world.settle(LIMIT);
    assert_eq!(object(&world, Kind::Pod, "web").as_pod().unwrap().phase, "Succeeded");
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_pod_starts_when_the_object_that_it_waits_for_appears() {
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";
    for (part, status, said) in [
        (
            "envFrom: [{configMapRef: {name: settings}}]",
            "CreateContainerConfigError",
            "configmap \"settings\" not found",
        ),
        (
            "volumeMounts: [{name: v, mountPath: /v}]",
            "ContainerCreating",
            "MountVolume.SetUp failed for volume \"v\" : configmap \"settings\" not found",
        ),
    ] {
        let mut world = world();
        let manifest = pod(
            "web",
            "nginx:1.25",
            "  volumes: [{name: v, configMap: {name: settings, optional: OPTIONAL}}]\n",
        )
        .replace("OPTIONAL", if part.starts_with("env") { "true" } else { "false" })
        .replace("image: 'nginx:1.25'", &format!("image: 'nginx:1.25', {part}"));
        create(&mut world, &manifest);
        world.settle(LIMIT);
        assert_eq!(row(&world).1, status);
        assert!(events(&world, "web").iter().any(|text| text.ends_with(said)), "{:?}", events(&world, "web"));
        assert!(world.cluster.queue().is_empty(), "nobody polls");
        create(&mut world, settings);
        world.settle(LIMIT);
        assert_eq!(row(&world), ("1/1".to_owned(), "Running".to_owned()));
    }
}
