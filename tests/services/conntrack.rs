//! What nodes remember of flows, how kube-proxy lags behind, and how long packets live.

use std::net::SocketAddr;

use portside::api::registry::Kind;
use portside::api::value::Value;
use portside::cluster::clock::Span;
use portside::cluster::request::Options;
use portside::cluster::settings::ProxyMode;
use portside::cluster::{Actor, Settings};
use portside::network::{NoRouteCause, Origin, Outcome, Place, Sending, Transport};
use portside::simulation::Simulation;
use portside::value;

const AT: &str = "10.96.0.80";

/// A world with so many Pods of agnhost behind a Service with TCP and UDP, and a client Pod on k8s-w1.
fn world(mode: ProxyMode, replicas: i64) -> Simulation {
    let mut simulation = Simulation::new(Settings { proxy_mode: mode, ..Settings::default() });
    let container = |arguments: &'static str| value!([{ "name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost", "args": [arguments] }]);
    let deployment = value!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": (container("netexec")), "terminationGracePeriodSeconds": 0 }
            }
        }
    });
    let service = value!({
        "metadata": { "name": "web" },
        "spec": {
            "type": "NodePort",
            "clusterIP": AT,
            "selector": { "app": "web" },
            "ports": [
                { "name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080 },
                { "name": "udp", "port": 53, "targetPort": 8081, "protocol": "UDP" }
            ]
        }
    });
    let client = value!({
        "metadata": { "name": "client" },
        "spec": { "nodeName": "k8s-w1", "containers": (container("pause")) }
    });
    for (kind, document) in [(Kind::Deployment, deployment), (Kind::Service, service), (Kind::Pod, client)] {
        make(&mut simulation, kind, document);
    }
    simulation.settle(Span::from_seconds(30));
    simulation
}

fn make(simulation: &mut Simulation, kind: Kind, document: Value) {
    simulation.cluster.create(Actor::User, kind, "default", document).expect("it is valid");
    simulation.notice();
}

fn client() -> Origin {
    Origin::pod("default", "client")
}

fn to(port: u16) -> SocketAddr {
    SocketAddr::new(AT.parse().expect("an address"), port)
}

/// The Pod that a packet reaches, if it reaches any.
fn reached(simulation: &mut Simulation, sending: &Sending) -> Option<String> {
    match &simulation.send(&client(), sending).outcome {
        Outcome::Delivered(delivery) => match &delivery.server {
            Place::Pod(key) => Some(key.name.to_string()),
            other => panic!("{other} answered"),
        },
        _ => None,
    }
}

fn delete_pod(simulation: &mut Simulation, name: &str) {
    let key = portside::api::object::Key::new(Kind::Pod, "default", name);
    let options = Options { grace_seconds: Some(0), ..Options::default() };
    simulation.cluster.delete(Actor::User, &key, options).expect("it exists");
    simulation.notice();
}

#[test]
fn datagrams_of_one_flow_keep_their_backend_until_it_is_gone_or_they_rest() {
    let mut simulation = world(ProxyMode::Iptables, 3);
    let flow = Sending::new(to(53), Transport::Udp).from_port(40_000);
    let first = reached(&mut simulation, &flow).expect("it arrives");
    for _ in 0..30 {
        let now = simulation.now();
        simulation.advance_to(now + 20_000_000);
        assert_eq!(reached(&mut simulation, &flow).as_ref(), Some(&first), "each datagram renews the flow");
    }
    delete_pod(&mut simulation, &first);
    // The Pod is gone, and conntrack still leads there until kube-proxy has heard of it.
    assert_eq!(reached(&mut simulation, &flow), None);
    let now = simulation.now();
    simulation.advance_to(now + 2_000_000);
    let second = reached(&mut simulation, &flow).expect("kube-proxy has cleared the flow");
    assert_ne!(second, first);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let now = simulation.now();
        simulation.advance_to(now + 31_000_000);
        seen.extend(reached(&mut simulation, &flow));
    }
    assert_eq!(seen.len(), 3, "a flow that rests for 30 s is chosen anew");
}

#[test]
fn rules_lag_behind_slices_by_a_sync_period_at_most() {
    let mut simulation = world(ProxyMode::Iptables, 2);
    let one = reached(&mut simulation, &Sending::new(to(80), Transport::Tcp)).expect("it arrives");
    let scale = |simulation: &mut Simulation, count: i64| {
        let key = portside::api::object::Key::new(Kind::Deployment, "default", "web");
        let mut document = simulation.cluster.get(&key).expect("it exists").value.clone();
        document.set_at(&["spec", "replicas"], count);
        simulation.cluster.update(Actor::User, &key, document).expect("it is valid");
        simulation.notice();
    };
    scale(&mut simulation, 0);
    // Within the first 10 ms nobody but the API server knows; a second later everybody does.
    assert!(reached(&mut simulation, &Sending::new(to(80), Transport::Tcp)).is_some(), "{one} serves");
    let now = simulation.now();
    simulation.advance_to(now + 1_500_000);
    assert!(matches!(simulation.connect(&client(), to(80), Transport::Tcp).outcome, Outcome::Refused(_)));
    assert_eq!(simulation.network.next_sync(), None, "nothing is left to write");
}

#[test]
fn a_connection_that_is_repeated_stays_with_a_dead_backend_and_a_new_one_chooses_anew() {
    let mut simulation = world(ProxyMode::Nftables, 2);
    let sending = Sending::new(to(80), Transport::Tcp).from_port(41_000);
    // As long as the rules lag, half of the connections go to the Pod that is gone.
    let mut dead = None;
    for port in 41_000..41_020 {
        let found = reached(&mut simulation, &sending.from_port(port)).expect("both serve");
        dead.get_or_insert(found);
    }
    delete_pod(&mut simulation, &dead.expect("one was reached"));
    let lost: Vec<u16> = (42_000..42_030)
        .filter(|port| reached(&mut simulation, &sending.from_port(*port)).is_none())
        .collect();
    assert!(!lost.is_empty() && lost.len() < 30, "{lost:?}");
    let now = simulation.now();
    simulation.advance_to(now + 5_000_000);
    for port in &lost {
        assert_eq!(reached(&mut simulation, &sending.from_port(*port)), None, "the first SYN chose for all");
    }
    assert!(reached(&mut simulation, &sending.from_port(43_000)).is_some());
}

#[test]
fn each_host_that_forwards_a_packet_tells_when_its_time_is_up() {
    let mut simulation = world(ProxyMode::Iptables, 2);
    let by = |simulation: &mut Simulation, to: &str, transport, ttl| {
        // A second apart: no more errors than that are sent to one client.
        let later = simulation.cluster.now() + Span::from_seconds(1);
        simulation.cluster.set_now(later);
        let sending = Sending::new(to.parse().expect("an address"), transport).with_ttl(ttl);
        match &simulation.send(&client(), &sending).outcome {
            Outcome::NoRoute(no_route) if no_route.cause == NoRouteCause::TimeToLive => {
                no_route.by.to_string()
            }
            Outcome::Delivered(_) => "there".to_owned(),
            Outcome::Refused(_) => "refused".to_owned(),
            _ => "*".to_owned(),
        }
    };
    let far = simulation
        .cluster
        .list(Kind::Pod, Some("default"))
        .find(|pod| pod.as_pod().is_some_and(|pod| pod.node == "k8s-w2"))
        .and_then(|pod| pod.as_pod()?.ip())
        .expect("one Pod is on k8s-w2");
    let far = format!("{far}:33434");
    let ways: Vec<String> = (1..=3).map(|ttl| by(&mut simulation, &far, Transport::Udp, ttl)).collect();
    assert_eq!(ways, ["10.244.1.1", "192.168.1.74", "refused"]);
    let outside: Vec<String> =
        (1..=3).map(|ttl| by(&mut simulation, "203.0.113.10:22", Transport::Tcp, ttl)).collect();
    assert_eq!(outside, ["10.244.1.1", "192.168.1.1", "there"]);
    // A ClusterIP has no rule for this port: the router drops what it has no route for, whatever its time.
    let service: Vec<String> =
        (1..=3).map(|ttl| by(&mut simulation, "10.96.0.80:33434", Transport::Udp, ttl)).collect();
    assert_eq!(service, ["10.244.1.1", "*", "*"]);
    // Once translated, answers of every hop seem to come from the Service; the bridge hands a packet to a Pod of
    // its own without counting it.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        seen.insert(by(&mut simulation, "10.96.0.80:80", Transport::Tcp, 1));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["10.96.0.80", "there"]);
}

#[test]
fn a_ping_of_a_service_is_answered_by_mode() {
    for (mode, refused) in [(ProxyMode::Iptables, false), (ProxyMode::Nftables, true)] {
        let mut simulation = world(mode, 1);
        let sending = Sending::new(to(0), Transport::Icmp);
        let outcome = &simulation.send(&client(), &sending).outcome;
        assert_eq!(matches!(outcome, Outcome::Refused(_)), refused, "{mode:?}");
        assert_eq!(matches!(outcome, Outcome::Dropped(_)), !refused, "{mode:?}");
    }
}

#[test]
fn datagrams_typed_by_hand_are_answered_and_keep_their_backend_by_their_source_port() {
    let manifest = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec, --sctp-port=9999]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [pause]}]}
---
apiVersion: v1
kind: Service
metadata: {name: udp}
spec: {selector: {app: web}, ports: [{port: 53, protocol: UDP, targetPort: 8081}]}
";
    let ask = "do echo hostname | nc -u -w 1 PORT udp 53; echo; done | sort -u | wc -l";
    let (same, any) = (ask.replace("PORT", "-p 40000"), ask.replace("PORT", ""));
    let session = format!(
        "# run kubectl create -f svc.yaml\n# until endpoints udp 3\n# until ready-pods 1 app=client\n# place pod client\n\
         $ for i in $(seq 20); {same} # same\n$ for i in $(seq 60); {any} # any\n\
         $ echo echo Hi | nc -u -w 1 udp 53\n$ echo x | nc -u -w 1 udp 54\n"
    );
    super::check(&session, manifest, &[("# same", "1"), ("# any", "3"), ("Hi", "hi"), ("udp 54", "")]);
}

#[test]
fn nodes_that_do_not_forward_or_do_not_filter_their_bridges_break_part_of_the_traffic() {
    // What the client on k8s-w1 reaches of the two Pods behind the Service, one on each worker.
    let outcome = |forward: bool, bridge: bool| {
        let mut simulation = world(ProxyMode::Iptables, 2);
        let mut settings = simulation.cluster.settings().clone();
        (settings.ip_forward, settings.bridge_netfilter) = (forward, bridge);
        simulation.change_settings(settings);
        let nodes = |simulation: &Simulation, name: &str| {
            let key = portside::api::object::Key::new(Kind::Pod, "default", name);
            simulation.cluster.get(&key).and_then(|pod| Some(pod.as_pod()?.node.to_string()))
        };
        let mut seen = std::collections::BTreeSet::new();
        let mut lost = false;
        for _ in 0..40 {
            match reached(&mut simulation, &Sending::new(to(80), Transport::Tcp)) {
                Some(name) => {
                    seen.extend(nodes(&simulation, &name));
                }
                None => lost = true,
            }
        }
        (seen.into_iter().collect::<Vec<_>>().join(" "), lost)
    };
    let told = |nodes: &str, lost| (nodes.to_owned(), lost);
    assert_eq!(outcome(true, true), told("k8s-w1 k8s-w2", false));
    assert_eq!(outcome(false, true), told("k8s-w1", true), "only the bridge carries packets");
    assert_eq!(outcome(true, false), told("k8s-w2", true), "answers over the bridge keep the Pod's address");
}

#[test]
fn sctp_is_translated_like_the_others() {
    let mut simulation = world(ProxyMode::Iptables, 2);
    let service = value!({
        "metadata": { "name": "sctp" },
        "spec": {
            "clusterIP": "10.96.0.81",
            "selector": { "app": "web" },
            "ports": [{ "port": 9, "targetPort": 8080, "protocol": "SCTP" }]
        }
    });
    make(&mut simulation, Kind::Service, service);
    simulation.settle(Span::from_seconds(5));
    let at = "10.96.0.81:9".parse().expect("an address");
    // Nothing in the Pods listens on SCTP: they say so, and the packet did reach one of them.
    match &simulation.connect(&client(), at, Transport::Sctp).outcome {
        Outcome::Refused(refusal) => assert!(matches!(refusal.place, Place::Pod(_)), "{refusal:?}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(simulation.connect(&client(), at, Transport::Tcp).outcome, Outcome::Dropped(_)));
    let rules = simulation.network.iptables_save("k8s-w1", "").expect("the node exists");
    assert!(
        rules.contains("-d 10.96.0.81/32 -p sctp -m comment --comment \"default/sctp cluster IP\" -m sctp --dport 9 -j KUBE-SVC-"),
        "{rules}"
    );
}
