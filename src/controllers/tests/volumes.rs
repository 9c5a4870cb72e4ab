//! Volume claims: who gets which volume, and Pods that wait for theirs.

use super::*;

const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";

fn volume(name: &str, size: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec: {{accessModes: [ReadWriteOnce], capacity: {{storage: {size}}}, hostPath: {{path: /data}}}}\n"
    )
}

fn phase<'a>(world: &'a Simulation, kind: Kind, name: &str) -> &'a str {
    let namespace = if kind.info().namespaced { "default" } else { "" };
    world.cluster.find(kind, namespace, name).unwrap().status().get("phase").str()
}

#[test]
fn a_claim_gets_the_smallest_volume_that_is_enough() {
    let mut world = world();
    for (name, size) in [("small", "500Mi"), ("large", "10Gi"), ("right", "2Gi")] {
        apply(&mut world, &volume(name, size));
    }
    assert_eq!(phase(&world, Kind::PersistentVolume, "right"), "Available");
    apply(&mut world, CLAIM);
    let claim = object(&world, Kind::PersistentVolumeClaim, "data");
    assert_eq!(claim.spec().get("volumeName").str(), "right");
    assert_eq!(claim.status().at(&["capacity", "storage"]).str(), "2Gi");
    assert_eq!(phase(&world, Kind::PersistentVolume, "right"), "Bound");
    remove(&mut world, Kind::PersistentVolumeClaim, "data", Propagation::Background);
    assert_eq!(phase(&world, Kind::PersistentVolume, "right"), "Released");
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_pod_waits_until_its_claim_has_a_volume() {
    let mut world = world();
    let volumes = "  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]\n";
    apply(&mut world, &pod("web", "nginx:1.25", volumes));
    let said = |world: &Simulation| events(world, "web").last().unwrap().clone();
    let preemption = "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    assert_eq!(
        said(&world),
        format!(
            "FailedScheduling: 0/3 nodes are available: persistentvolumeclaim \"data\" not found. {preemption}"
        )
    );
    apply(&mut world, CLAIM);
    assert_eq!(
        said(&world),
        format!(
            "FailedScheduling: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. {preemption}"
        )
    );
    assert_eq!(
        events(&world, "data"),
        ["FailedBinding: no persistent volumes available for this claim and no storage class is set"]
    );
    apply(&mut world, &volume("disk", "1Gi"));
    assert!(object(&world, Kind::Pod, "web").as_pod().unwrap().ready);
}
