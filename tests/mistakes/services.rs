//! Services whose ports lead nowhere, and kinds of Services that surprise.

use portside::explain::connection::ConnectionCause;
use portside::explain::{Cause, ServiceCause};

use crate::world::{World, deployment, first, service, web};

#[test]
fn a_target_port_where_nothing_listens_names_the_open_port_although_it_is_declared() {
    let container = "{name: c, image: nginx, ports: [{containerPort: 8080}]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::NothingListens { target: 8080, open, declared: true, .. }) if open[..] == [80]),
        "{findings:?}"
    );
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 curl {address}"));
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NothingListens { port: 8080, .. })),
        "{failure:?}"
    );
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_named_target_port_that_pods_lack_names_the_port_that_they_have() {
    let container = "{name: c, image: nginx, ports: [{name: http, containerPort: 80}]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: htpp}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::NoSuchNamedPort { name, .. }) if name == "htpp"),
        "{findings:?}"
    );
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_process_on_loopback_is_seen() {
    let container = "{name: c, image: hashicorp/http-echo, args: [\"-text=hi\", \"-listen=127.0.0.1:5678\"]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: 5678}]}")),
    );
    let findings = world.findings("svc/web");
    assert!(
        matches!(first(&findings).0, Cause::Service(ServiceCause::OnlyLoopback { target: 5678, .. })),
        "{findings:?}"
    );
}

#[test]
fn a_headless_service_is_used_by_the_pods_own_port() {
    let world = web("{clusterIP: None, selector: {app: web}, ports: [{port: 8080, targetPort: 80}]}");
    let findings = world.findings("svc/web");
    let note = findings.iter().any(|finding| {
        matches!(finding.cause, Cause::Service(ServiceCause::HeadlessPort { port: 8080, .. }))
    });
    assert!(note, "{findings:?}");
}

#[test]
fn an_external_name_is_an_alias() {
    let world = World::with(&service("db", "{type: ExternalName, externalName: db.example.com}"));
    let findings = world.findings("svc/db");
    assert!(matches!(first(&findings).0, Cause::Service(ServiceCause::Alias { .. })), "{findings:?}");
}

#[test]
fn session_affinity_behind_a_node_is_noted() {
    let world = web("{type: NodePort, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    assert!(
        findings.iter().any(|finding| finding.cause == Cause::Service(ServiceCause::AffinityBehindNode)),
        "{findings:?}"
    );
}

#[test]
fn a_service_that_works_shows_how_a_packet_goes() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    let findings = world.findings("svc/web");
    let Cause::Service(ServiceCause::Works { routes, .. }) = first(&findings).0 else {
        panic!("{findings:?}")
    };
    assert_eq!((routes[0].port, routes[0].node_port, routes[0].endpoints.len()), (80, 30080, 2));
    let shown = world.run("why svc/web");
    assert!(shown.contains("✓ svc/web works.") && shown.contains("any node:30080"), "{shown}");
}
