//! The network in a cluster of 5,000 nodes, 150,000 Pods and 10,000 Services: packets a second (of the best of several
//! rounds), and how soon the tables are right after one endpoint's readiness flips.

use std::net::SocketAddr;
use std::time::Instant;

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::api::value::Value;
use portside::cluster::{Actor, Cluster, Settings};
use portside::network::{Network, Origin, Outcome, Transport};
use portside::value;

const NODES: u32 = 5_000;
const SERVICES: u32 = 10_000;
const ENDPOINTS: u32 = 15;
const PACKETS: u32 = 2_000_000;
const TRACES: u32 = 200_000;
const FLIPS: u32 = 20_000;
const STREAMS: u32 = 100;
const ROUNDS: u32 = 5;

fn address(node: u32, host: u32) -> String {
    format!("10.{}.{}.{}", 128 + node / 256, node % 256, host)
}

fn create(cluster: &mut Cluster, kind: Kind, namespace: &str, document: Value) {
    let status = document.get("status").clone();
    let made =
        cluster.create(Actor::ApiServer, kind, namespace, document).expect("the bench's objects are valid");
    if !status.is_null() {
        let mut whole = made.value.clone();
        whole.set("status", status);
        cluster.update_status(Actor::ApiServer, &made.key, whole).expect("the object exists");
    }
}

fn slice(service: u32, flipped: bool) -> Value {
    let endpoints: Value = (0..ENDPOINTS)
        .map(|endpoint| {
            let number = service * ENDPOINTS + endpoint;
            let ready = !(flipped && endpoint == 7);
            value!({
                "addresses": [(address(number % NODES, 2 + number / NODES))],
                "conditions": { "ready": ready, "serving": ready, "terminating": false },
                "nodeName": (format!("n{}", number % NODES))
            })
        })
        .collect();
    value!({
        "metadata": {
            "name": (format!("s{service}-x")),
            "namespace": "default",
            "labels": { "kubernetes.io/service-name": (format!("s{service}")) }
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{ "name": "", "port": 80, "protocol": "TCP" }]
    })
}

fn world() -> Cluster {
    let settings =
        Settings { pod_networks: vec!["10.128.0.0/9".parse().expect("a range")], ..Settings::default() };
    let mut cluster = Cluster::new(settings);
    create(&mut cluster, Kind::Namespace, "", value!({ "metadata": { "name": "default" } }));
    for node in 0..NODES {
        let range = format!("{}/24", address(node, 0));
        let lan = format!("192.168.{}.{}", 1 + node / 250, 2 + node % 250);
        let document = value!({
            "metadata": { "name": (format!("n{node}")) },
            "spec": { "podCIDR": (range.clone()), "podCIDRs": [range] },
            "status": {
                "addresses": [{ "type": "InternalIP", "address": lan }],
                "conditions": [{ "type": "Ready", "status": "True" }]
            }
        });
        create(&mut cluster, Kind::Node, "", document);
    }
    let containers = value!([{ "name": "nginx", "image": "nginx:1.27" }]);
    let statuses = value!([{ "name": "nginx", "state": { "running": {} } }]);
    let conditions = value!([{ "type": "Ready", "status": "True" }]);
    for number in 0..SERVICES * ENDPOINTS {
        let ip = address(number % NODES, 2 + number / NODES);
        let document = value!({
            "metadata": { "name": (format!("p{number}")), "namespace": "default" },
            "spec": { "containers": (containers.clone()), "nodeName": (format!("n{}", number % NODES)) },
            "status": {
                "phase": "Running",
                "podIP": (ip.clone()),
                "podIPs": [{ "ip": ip }],
                "conditions": (conditions.clone()),
                "containerStatuses": (statuses.clone())
            }
        });
        create(&mut cluster, Kind::Pod, "default", document);
    }
    for service in 0..SERVICES {
        let document = value!({
            "metadata": { "name": (format!("s{service}")), "namespace": "default" },
            "spec": { "ports": [{ "port": 80, "targetPort": 80, "protocol": "TCP" }] }
        });
        create(&mut cluster, Kind::Service, "default", document);
        create(&mut cluster, Kind::EndpointSlice, "default", slice(service, false));
    }
    cluster
}

fn targets(cluster: &Cluster) -> Vec<SocketAddr> {
    let services = cluster.list(Kind::Service, None).filter_map(|object| object.as_service());
    services.filter_map(|service| Some(SocketAddr::new(service.cluster_ip()?, 80))).collect()
}

/// Prints the rows.
pub fn rows() {
    let mut cluster = world();
    let mut network = Network::default();
    let begun = Instant::now();
    network.observe(&cluster);
    eprintln!("  the network lists 150,000 Pods in {} ms", begun.elapsed().as_millis());
    let targets = targets(&cluster);
    packets(&mut network, &cluster, &targets);
    traces(&mut network, &cluster, &targets);
    flips(&mut network, &mut cluster);
}

/// The shortest of several rounds in seconds: what else the machine does only makes a round longer. A round before them
/// does not count; it finds out what each Pod's image listens on.
fn shortest(mut round: impl FnMut() -> f64) -> f64 {
    round();
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn packets(network: &mut Network, cluster: &Cluster, targets: &[SocketAddr]) {
    let spent = shortest(|| {
        let (mut delivered, mut spent) = (0, 0.0);
        for stream in 0..STREAMS {
            let from = Origin::pod("default", format!("p{}", stream * 1_499));
            let to = targets[(stream as usize * 97) % targets.len()];
            let mut stream =
                network.stream(cluster, &from, to, Transport::Tcp).expect("the Pod has an address");
            let begun = Instant::now();
            for packet in 0..PACKETS / STREAMS {
                let port = 1024 + u16::try_from(packet % 60_000).expect("below 65,536");
                delivered += u32::from(matches!(stream.send(port), Outcome::Delivered(_)));
            }
            spent += begun.elapsed().as_secs_f64();
        }
        assert_eq!(delivered, PACKETS, "every packet arrives");
        spent
    });
    let measured = format!("{:.1} million", f64::from(PACKETS) / spent / 1e6);
    super::row("packets a second through a ClusterIP, no trace, 150,000 Pods", "≥ 5 million", &measured);
}

/// From the number of a packet to those of its sender and its target.
type Choose<'c> = &'c dyn Fn(u32) -> (u32, usize);

/// Traces, first from the streams that sent the packets above, then each from another Pod, whose data no cache
/// holds.
fn traces(network: &mut Network, cluster: &Cluster, targets: &[SocketAddr]) {
    let of_streams = |number: u32| {
        let stream = number / (TRACES / STREAMS);
        (stream * 1_499, stream as usize * 97)
    };
    let of_all = |number: u32| (number % (SERVICES * ENDPOINTS), number as usize);
    let rows: [(&str, &str, Choose<'_>); 2] = [
        ("the same with a full trace", "≥ 200,000", &of_streams),
        ("the same with a full trace, every one from another Pod", "≥ 200,000", &of_all),
    ];
    for (what, must_hold, choose) in rows {
        let spent = shortest(|| {
            let begun = Instant::now();
            for number in 0..TRACES {
                let (from, to) = choose(number);
                let from = Origin::pod("default", format!("p{from}"));
                let trace = network.connect(cluster, &from, targets[to % targets.len()], Transport::Tcp);
                assert!(trace.outcome.delivery().is_some(), "every packet arrives");
            }
            begun.elapsed().as_secs_f64()
        });
        super::row(what, must_hold, &format!("{:.0}", f64::from(TRACES) / spent));
    }
}

fn flips(network: &mut Network, cluster: &mut Cluster) {
    let mut spent = 0.0;
    for flip in 0..FLIPS {
        let service = flip % SERVICES;
        let key = Key::new(Kind::EndpointSlice, "default", format!("s{service}-x"));
        let document = slice(service, flip < SERVICES);
        cluster.update(Actor::EndpointSlice, &key, document).expect("the slice exists");
        let begun = Instant::now();
        network.observe(cluster);
        spent += begun.elapsed().as_secs_f64();
    }
    let measured = format!("{:.1} µs", spent * 1e6 / f64::from(FLIPS));
    super::row("one endpoint's readiness flips → network tables right, 150,000 Pods", "≤ 50 µs", &measured);
}
