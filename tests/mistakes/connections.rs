//! Connections that are refused, dropped or lead nowhere.

use portside::explain::connection::ConnectionCause;
use portside::explain::{Cause, Finding, ServiceCause};
use portside::words::Language;

use crate::world::{World, commands, edits, first, service, web};

#[test]
fn a_cluster_ip_from_outside_names_what_works_from_there() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("curl -m 2 {address}"));
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Connection(ConnectionCause::InsideOnly { of: Some(of), instead: None, .. }) if of.name == "web"),
        "{failure:?}"
    );
    assert_eq!(edits(finding), [("spec.type", "NodePort")]);
    let shown = world.run("why");
    assert!(shown.contains("exists inside the cluster only"), "{shown}");
}

#[test]
fn a_load_balancer_without_a_controller_stays_pending_and_its_node_port_works() {
    let world = web("{type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    let pending =
        findings.iter().find(|finding| matches!(finding.cause, Cause::Service(ServiceCause::Pending { .. })));
    let pending = pending.unwrap_or_else(|| panic!("{findings:?}"));
    let shown = world.run(commands(pending)[0]);
    assert!(shown.contains("Welcome to nginx"), "{shown}");
}

#[test]
fn a_node_port_on_the_wrong_port_lists_the_node_ports_that_there_are() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    world.run("curl 192.168.1.73:30081");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NothingListens { node_ports, .. }) if node_ports.iter().any(|(key, port)| key.name == "web" && *port == 30080)),
        "{failure:?}"
    );
}

#[test]
fn a_port_that_the_service_does_not_have_is_told_from_its_node_port() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 curl -m 2 {address}:30080"));
    let failure = world.failure();
    assert!(
        matches!(
            first(&failure).0,
            Cause::Connection(ConnectionCause::NoSuchPort {
                asked: 30080,
                is_node_port: true,
                silent: true,
                ..
            })
        ),
        "{failure:?}"
    );
}

#[test]
fn a_local_policy_names_the_nodes_that_answer() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {nodeName: k8s-w2, containers: [{name: c, image: nginx}]}\n---\n";
    let world = World::with(
        &(pod.to_owned()
            + &service(
                "web",
                "{type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}",
            )),
    );
    let findings = world.findings("svc/web");
    let local = findings.iter().find_map(|finding| match &finding.cause {
        Cause::Service(ServiceCause::LocalOnly { external: true, with, .. }) => Some(with.clone()),
        _ => None,
    });
    assert_eq!(local.unwrap_or_default(), ["k8s-w2"], "{findings:?}");
    world.run("curl -m 2 192.168.1.73:30080");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NoLocalEndpoints { node, external: true }) if node == "k8s-w1"),
        "{failure:?}"
    );
}

#[test]
fn a_service_does_not_answer_ping() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 ping -c 1 -W 1 {address}"));
    let failure = world.failure();
    assert!(matches!(first(&failure).0, Cause::Connection(ConnectionCause::Ping)), "{failure:?}");
}

#[test]
fn an_address_of_a_pod_that_is_gone_is_remembered() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let pod = world.pod_of("web-");
    let address = world.host.with(|simulation| {
        simulation.cluster.get(&pod).and_then(|object| object.as_pod()?.ip()).expect("it has an address")
    });
    world.run(&format!("kubectl delete pod {}", pod.name));
    world.run("sleep 40");
    world.run(&format!("ssh k8s-w1 curl -m 5 {address}"));
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NobodyHas { was: Some(was), .. }) if *was == pod),
        "{failure:?}"
    );
}

#[test]
fn a_node_port_on_localhost_of_the_wrong_machine_names_a_node() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    world.run("curl -m 2 localhost:30080");
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Connection(ConnectionCause::NothingListens { port: 30080, node_ports, .. }) if node_ports.len() == 1),
        "{failure:?}"
    );
    let shown = world.run(commands(finding)[0]);
    assert!(shown.contains("Welcome to nginx"), "{shown}");
}

#[test]
fn a_client_that_the_server_does_not_see_names_the_node_that_hid_it() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    world.run("curl 192.168.1.72:30080");
    let found = world.failure();
    assert!(
        matches!(first(&found).0, Cause::Connection(ConnectionCause::Arrived { rewritten_at: Some(place), .. }) if place == "node k8s-master"),
        "{found:?}"
    );
    let pod = world.pod_of("web-");
    let address = world.cluster_ip("web");
    world.run_in(&pod.name, &format!("curl {address}"));
    let found = world.failure();
    assert!(matches!(first(&found).0, Cause::Connection(ConnectionCause::Arrived { .. })), "{found:?}");
}

#[test]
fn a_refusal_that_was_held_back_is_explained_by_its_cause_and_the_limit_of_icmp_errors() {
    let world = web("{selector: {app: nobody}, ports: [{port: 53, protocol: UDP}]}");
    let address = world.cluster_ip("web");
    world.run("kubectl run client --image=nicolaka/netshoot --command -- sleep 36000; sleep 20");
    let shown = world.run_in("client", &format!("dig @{address} x; dig @{address} x; dig @{address} x"));
    // Each dig asks three times: six answers come at once, a token comes each second that a query waits for.
    assert_eq!(shown.matches("connection refused").count(), 8, "{shown}");
    assert_eq!(shown.matches("timed out").count(), 1, "{shown}");
    let send = format!("for i in 1 2 3 4 5 6 7; do echo hi | nc -u -w 1 {address} 53; done");
    world.run("sleep 10");
    world.run_in("client", &send);
    let failure = world.failure();
    assert!(matches!(first(&failure).0, Cause::Connection(ConnectionCause::NoEndpoints)), "{failure:?}");
    let held =
        |found: &Finding| matches!(found.cause, Cause::Connection(ConnectionCause::AnswerHeldBack { .. }));
    assert!(failure.iter().any(held), "{failure:?}");
}

#[test]
fn sctp_that_kube_proxy_rejects_tries_on_and_is_explained() {
    let world = web("{selector: {app: nobody}, ports: [{port: 9999, protocol: SCTP}]}");
    let address = world.cluster_ip("web");
    let shown = world.run(&format!("ssh k8s-w1 ncat --sctp -w 5 {address} 9999"));
    assert!(shown.contains("Ncat: TIMEOUT."), "{shown}");
    let failure = world.failure();
    assert!(matches!(first(&failure).0, Cause::Connection(ConnectionCause::NoEndpoints)), "{failure:?}");
    let tries = |found: &Finding| matches!(found.cause, Cause::Connection(ConnectionCause::TriesOn));
    assert!(failure.iter().any(tries), "{failure:?}");
    for (language, expected) in [(Language::English, "SCTP tries on"), (Language::Chinese, "SCTP 会一直重试")]
    {
        world.host.set_language(language);
        let shown = world.run("why");
        assert!(shown.contains(expected), "{shown}");
    }
}
