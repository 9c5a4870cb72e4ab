//! Connections that work otherwise than one thinks, and variables that are no ports.

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::explain::connection::ConnectionCause;
use portside::explain::pod::PodCause;
use portside::explain::spread::SameReason;
use portside::explain::{self, Cause, Finding, ServiceCause};
use portside::network::{Origin, Transport};

use crate::world::{World, commands, deployment, first, service, web};

const CLIENT: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec: {containers: [{name: c, image: curlimages/curl, command: [sleep, \"3600\"]}]}\n---\n";

/// Three Pods that tell their names, behind a Service with a spec.
fn hostnames(spec: &str) -> World {
    let container = "{name: c, image: \"registry.k8s.io/e2e-test-images/agnhost:2.40\", args: [netexec, --http-port=8080]}";
    let world = World::with(&(deployment("web", "{app: web}", container) + &service("web", spec) + CLIENT));
    world.run("kubectl scale deployment web --replicas=4; sleep 20");
    world
}

fn reason(findings: &[Finding]) -> Option<(SameReason, &Finding)> {
    findings.iter().find_map(|finding| match &finding.cause {
        Cause::Spread(cause) => Some((cause.reason, finding)),
        _ => None,
    })
}

#[test]
fn requests_over_one_connection_reach_one_pod_and_new_connections_reach_others() {
    let world = hostnames("{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}");
    world.run(
        "kubectl exec client -- curl -s web/hostname web/hostname web/hostname web/hostname web/hostname",
    );
    let found = world.failure();
    let (reason, finding) = reason(&found).unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(reason, SameReason::OneConnection);
    let typed = commands(finding)[0].replace(":80", ":80/hostname");
    let shown = world.run(&typed.replace("-- curl", "-- curl -s"));
    let pods: std::collections::BTreeSet<&str> =
        shown.split("web-").map(|name| &name[..name.len().min(16)]).filter(|name| !name.is_empty()).collect();
    assert!(pods.len() > 1, "{typed}: {shown}");
}

#[test]
fn a_headless_name_is_not_balanced_and_a_service_with_an_address_is() {
    let world = hostnames("{clusterIP: None, selector: {app: web}, ports: [{port: 8080}]}");
    world.run("kubectl exec client -- curl -s web:8080/hostname web:8080/hostname");
    let found = world.failure();
    assert_eq!(reason(&found).map(|(reason, _)| reason), Some(SameReason::Headless), "{found:?}");
    let about = world.findings("svc/web");
    let unbalanced = |finding: &&Finding| {
        matches!(finding.cause, Cause::Service(ServiceCause::HeadlessUnbalanced { pods: 4 }))
    };
    let finding = about.iter().find(unbalanced).unwrap_or_else(|| panic!("{about:?}"));
    world.run(commands(finding)[0]);
    world.run("sleep 10");
    let after = world.findings("svc/web-balanced");
    assert!(
        matches!(first(&after).0, Cause::Service(ServiceCause::Works { headless: false, .. })),
        "{after:?}"
    );
}

#[test]
fn session_affinity_is_why_one_pod_answers_every_connection() {
    let world =
        hostnames("{sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}");
    world.run("kubectl exec client -- sh -c 'for i in 1 2 3; do curl -s web/hostname; done'");
    let found = world.failure();
    let (reason, finding) = reason(&found).unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(reason, SameReason::Affinity);
    world.run(commands(finding)[0]);
    let shown = world.run("kubectl get svc web -o jsonpath={.spec.sessionAffinity}");
    assert!(shown.ends_with("\nNone"), "{shown}");
}

#[test]
fn a_variable_in_the_form_of_a_link_breaks_a_program_that_wants_a_port() {
    let world = World::with(
        "apiVersion: v1\nkind: Service\nmetadata: {name: redis}\nspec: {selector: {app: redis}, ports: [{port: 6379}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: redis, labels: {app: redis}}\nspec: {containers: [{name: c, image: \"redis:7\"}]}\n",
    );
    let container = "{name: c, image: \"busybox:1.36\", command: [sh, -c, 'while true; do echo PING | nc -w 1 redis $REDIS_PORT || exit 1; sleep 5; done']}";
    world.write("app.yaml", &deployment("app", "{app: app}", container));
    world.run("kubectl apply -f app.yaml");
    world.run("sleep 40");
    let shown = world.run("kubectl get pods -l app=app; kubectl logs -l app=app --previous");
    assert!(shown.contains("CrashLoopBackOff") || shown.contains("Error"), "{shown}");
    let pod = world.pod_of("app-");
    let findings = world.findings(&format!("pod/{}", pod.name));
    let used =
        findings.iter().find(|finding| matches!(&finding.cause, Cause::Pod(PodCause::UsesLink { .. })));
    let used = used.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!(used.severity, explain::Severity::Problem);
    let asked = world.run(&format!("why REDIS_PORT pod/{}", pod.name));
    assert!(asked.contains("tcp://") && asked.contains("enableServiceLinks"), "{asked}");
    world.run(commands(used)[0]);
    world.run("sleep 40");
    let after = world.findings("deploy/app");
    assert!(after.iter().all(|finding| finding.severity == explain::Severity::Fine), "{after:?}");
}

#[test]
fn a_line_that_uses_a_link_variable_as_a_port_is_told_the_variable_of_the_port() {
    let world = World::with(&service("redis", "{selector: {app: redis}, ports: [{port: 6379}]}"));
    world.apply("client.yaml", CLIENT);
    world.run("kubectl exec client -- sh -c 'curl -m 2 redis:$REDIS_PORT'");
    let found = world.failure();
    let (cause, finding) = first(&found);
    assert!(
        matches!(cause, Cause::Command(explain::CommandCause::LinkPort { variable, .. }) if variable == "REDIS_PORT"),
        "{found:?}"
    );
    let better = "kubectl exec client -- sh -c 'curl -m 2 redis:$REDIS_SERVICE_PORT'";
    assert_eq!(commands(finding), [better]);
}

/// A rollout's race, as conntrack keeps it: the Pod that was chosen for a flow is gone when the next packet comes.
#[test]
fn a_pod_that_ends_before_its_node_hears_of_it_is_named_and_a_pre_stop_hook_is_proposed() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let to = std::net::SocketAddr::new(world.cluster_ip("web"), 80);
    let connect = |world: &World| {
        world.host.with(|simulation| {
            let from = Origin::node("k8s-w1");
            let trace =
                simulation.network.connect_from(&simulation.cluster, &from, 40_000, to, Transport::Tcp);
            (explain::connection::connection(&simulation.cluster, &trace), trace)
        })
    };
    let (_, trace) = connect(&world);
    let server = trace.outcome.delivery().expect("it arrives").server.to_string();
    let name = server.rsplit('/').next().expect("a place of a Pod names it").to_owned();
    world.run(&format!("kubectl delete pod {name} --grace-period=0 --force"));
    world.run("sleep 5");
    let (found, trace) = connect(&world);
    let (cause, finding) = first(&found);
    let gone = Key::new(Kind::Pod, "default", name.as_str());
    assert!(
        matches!(cause, Cause::Connection(ConnectionCause::Ending { pod, waits: false }) if *pod == gone),
        "{found:?}\n{:?}",
        trace.outcome
    );
    let shown = world.run(commands(finding)[0]);
    assert!(shown.contains("deployment.apps/web patched"), "{shown}");
    let kept =
        world.run("kubectl get deploy web -o jsonpath={.spec.template.spec.containers[0].lifecycle.preStop}");
    assert!(kept.contains("seconds"), "{kept}");
}

#[test]
fn a_pod_that_reaches_itself_through_its_service_is_told_why_it_sees_its_node() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: c, image: nginx}]}\n---\n";
    let world =
        World::with(&(pod.to_owned() + &service("front", "{selector: {app: web}, ports: [{port: 80}]}")));
    world.run("kubectl exec web -- curl -s front");
    let found = world.failure();
    assert!(
        matches!(first(&found).0, Cause::Connection(ConnectionCause::Arrived { itself: true, .. })),
        "{found:?}"
    );
}

#[test]
fn a_pod_that_cannot_reach_itself_is_told_of_hairpin_mode() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: c, image: nginx}]}\n---\n";
    let world =
        World::with(&(pod.to_owned() + &service("front", "{selector: {app: web}, ports: [{port: 80}]}")));
    world.run("world hairpin=off");
    let shown = world.run("kubectl exec web -- curl -sS -m 2 front");
    assert!(shown.contains("Connection timed out"), "{shown}");
    let found = world.failure();
    let (cause, finding) = first(&found);
    assert!(matches!(cause, Cause::Connection(ConnectionCause::Hairpin)), "{found:?}");
    world.run(commands(finding)[0]);
    let shown = world.run("kubectl exec web -- curl -sS -m 2 front");
    assert!(shown.contains("Welcome to nginx"), "{shown}");
}
