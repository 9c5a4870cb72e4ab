//! Pods that do not run or are not ready.

use portside::explain::pod::PodCause;
use portside::explain::workload::WorkloadCause;
use portside::explain::{Cause, ServiceCause};

use crate::world::{World, deployment, edits, first, service};

#[test]
fn running_is_not_ready_and_the_probe_on_a_closed_port_is_to_blame() {
    let container =
        "{name: c, image: nginx, readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    let Cause::Service(ServiceCause::NotReady { ready: 0, of: 2, unready }) = cause else {
        panic!("{findings:?}");
    };
    assert!(
        matches!(&unready[0].cause, PodCause::NotReady { probe: Some(probe), open, .. } if probe.number == Some(8080) && open[..] == [80])
    );
    assert_eq!(edits(finding), [("spec.template.spec.containers[0].readinessProbe.httpGet.port", "80")]);
}

#[test]
fn an_image_that_does_not_exist_names_the_one_that_does_and_the_service_says_so_too() {
    let world = World::with(
        &(deployment("web", "{app: web}", "{name: c, image: \"ngnix:1.25\"}")
            + &service("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    );
    let findings = world.findings("deploy/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Workload(WorkloadCause::PodsNotReady { pod: Some((_, PodCause::Image { meant: Some(meant), .. })), .. }) if meant == "nginx:1.25"),
        "{findings:?}"
    );
    let of_service = world.findings("svc/web");
    assert!(
        matches!(first(&of_service).0, Cause::Service(ServiceCause::NotReady { ready: 0, .. })),
        "{of_service:?}"
    );
    world.fix_and_check(finding, "deploy/web");
}

#[test]
fn a_shell_without_a_terminal_ends_at_once_and_is_told_to_do_something() {
    let world = World::with(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: b, image: busybox}]}",
    );
    let findings = world.findings("pod/b");
    assert!(matches!(first(&findings).0, Cause::Pod(PodCause::Crashes { idle: true, .. })), "{findings:?}");
}
