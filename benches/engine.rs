//! The engine's numbers, measured natively: rows of the table that `make bench` prints.
//!
//! `cargo bench --profile native --bench engine [-- FILTER]` runs all rows, or those of the groups whose name
//! contains FILTER (`small`, `text`, `network`, `big`).

#[path = "engine/network.rs"]
mod network;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::api::value::Value;
use portside::api::yaml;
use portside::cluster::clock::Span;
use portside::cluster::{Actor, Request, Settings, Verb};
use portside::simulation::Simulation;
use portside::value;

/// How long a world may take to come to rest, in virtual time.
const REST: Span = Span::from_seconds(3600);

fn main() {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let groups: [(&str, fn()); 4] =
        [("small", small), ("text", hostile_text), ("network", network::rows), ("big", big)];
    for (name, run) in groups {
        if name.contains(&filter) {
            run();
        }
    }
}

fn row(what: &str, must_hold: &str, measured: &str) {
    let line = format!("| {what} | {must_hold} | {measured} |\n");
    std::io::stdout().write_all(line.as_bytes()).expect("the table can be written");
}

fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// The median of several runs.
fn median(mut runs: Vec<Duration>) -> Duration {
    runs.sort_unstable();
    runs[runs.len() / 2]
}

fn create(simulation: &mut Simulation, kind: Kind, document: Value) {
    let key = Key::new(kind, if kind.info().namespaced { "default" } else { "" }, "");
    let reply = simulation.request(Request::new(Actor::User, Verb::Create(document), &key));
    if let Err(status) = reply.result {
        panic!("the benchmark's objects are valid: {status}");
    }
}

fn deployment(name: &str, replicas: i32) -> Value {
    value!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": (name.to_owned()) },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": (name.to_owned()) } },
            "template": {
                "metadata": { "labels": { "app": (name.to_owned()) } },
                "spec": { "containers": [{ "name": "c", "image": "nginx:1.25", "ports": [{ "containerPort": 80 }] }] }
            }
        }
    })
}

fn service(name: &str) -> Value {
    value!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": (name.to_owned()) },
        "spec": { "selector": { "app": (name.to_owned()) }, "ports": [{ "port": 80 }] }
    })
}

fn ready_endpoints(simulation: &Simulation, name: &str) -> usize {
    let slices = simulation.cluster.list(Kind::EndpointSlice, Some("default"));
    let mine = slices.filter_map(|object| object.as_endpoint_slice()).filter(|slice| slice.service == name);
    mine.flat_map(|slice| &slice.endpoints).filter(|endpoint| endpoint.ready).count()
}

fn world_of(nodes: u32) -> Settings {
    Settings { nodes, pod_networks: vec!["100.64.0.0/10".parse().expect("a range")], ..Settings::default() }
}

/// 1,000 replicas, and undo among them.
fn small() {
    let mut builds = Vec::new();
    let mut undos = Vec::new();
    for _ in 0..5 {
        let mut simulation = Simulation::new(world_of(12));
        let start = Instant::now();
        create(&mut simulation, Kind::Service, service("web"));
        create(&mut simulation, Kind::Deployment, deployment("web", 1000));
        simulation.settle(REST);
        builds.push(start.elapsed());
        assert_eq!(ready_endpoints(&simulation, "web"), 1000, "all replicas became endpoints");
        simulation.cluster.begin_step("scale");
        let key = Key::new(Kind::Deployment, "default", "web");
        let scaled = value!({ "spec": { "replicas": 1010 } });
        let patch = Verb::Patch(portside::cluster::Patch::Merge(scaled));
        simulation.request(Request::new(Actor::User, patch, &key)).result.expect("scaling is valid");
        simulation.settle(REST);
        let start = Instant::now();
        simulation.undo().expect("there is a step to undo");
        undos.push(start.elapsed());
    }
    row("1,000 replicas and a Service → 1,000 endpoints ready", "≤ 200 ms (goal 50 ms)", &ms(median(builds)));
    row("one step of undo in a 1,000-Pod cluster", "≤ 16 ms", &ms(median(undos)));
}

/// Text that wants to hurt.
fn hostile_text() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(","));
    }
    let controls: String =
        (0..200_000_u32).map(|n| char::from_u32(n % 32).expect("a control character")).collect();
    let cases = [
        ("1 MB of plain lines", "key: value # and a comment\n".repeat(40_000)),
        ("1 MB in one line", "x".repeat(1_000_000)),
        ("an alias bomb", bomb),
        ("3,000 nested brackets", "[".repeat(3_000)),
        ("3,000 nested maps", (0..3_000).map(|n| format!("{}a:\n", " ".repeat(n % 1000))).collect()),
        ("control characters", controls),
        ("500,000 items in a line", format!("[{}]", "1,".repeat(500_000))),
    ];
    let mut worst = (Duration::ZERO, "");
    for (name, text) in &cases {
        let start = Instant::now();
        let (documents, diagnostics) = yaml::read(text);
        let took = start.elapsed();
        assert!(documents.len() + diagnostics.len() > 0, "{name}: something came of it");
        if took > worst.0 {
            worst = (took, name);
        }
    }
    row(
        "hostile text refused or survived, the worst of 7",
        "≤ 100 ms",
        &format!("{} ({})", ms(worst.0), worst.1),
    );
}

/// The memory that the process used at most, in MB.
fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// 150,000 Pods on 5,000 nodes with 10,000 Services.
fn big() {
    const SERVICES: usize = 10_000;
    const REPLICAS: i32 = 15;
    /// Virtual time between two Deployments: a busy client creates a hundred a second.
    const CREATE_US: u64 = 10_000;
    let start = Instant::now();
    let mut simulation = Simulation::new(world_of(5_001));
    // Services first: every Pod holds the variables of all Services that are older than it.
    for number in 0..SERVICES {
        create(&mut simulation, Kind::Service, service(&format!("app-{number}")));
    }
    for number in 0..SERVICES {
        create(&mut simulation, Kind::Deployment, deployment(&format!("app-{number}"), REPLICAS));
        simulation.advance_to(simulation.now() + CREATE_US);
    }
    simulation.settle(REST);
    let built = start.elapsed();
    let pods = simulation.cluster.count(Kind::Pod);
    let ready: usize =
        (0..SERVICES).step_by(1000).map(|n| ready_endpoints(&simulation, &format!("app-{n}"))).sum();
    assert_eq!((pods, ready), (150_002, 150), "every Pod runs and is an endpoint");
    row(
        "5,000 nodes, 150,000 Pods, 10,000 Services from nothing",
        "≤ 20 s (goal 5 s)",
        &format!("{:.1} s", built.as_secs_f64()),
    );
    row(
        "memory of that cluster, at its peak",
        "≤ 1,000 MB (goal 400 MB)",
        &format!("{} MB", peak_megabytes()),
    );
    flips(&mut simulation);
}

/// Readiness flips of single Pods, until the network's tables are right again.
fn flips(simulation: &mut Simulation) {
    const FLIPS: usize = 400;
    let pods: Vec<Key> = simulation
        .cluster
        .list(Kind::Pod, Some("default"))
        .step_by(150_000 / FLIPS)
        .map(|pod| pod.key.clone())
        .collect();
    let start = Instant::now();
    for key in &pods {
        let pod = simulation.cluster.get(key).expect("the Pod is there").clone();
        let mut document = pod.value.clone();
        let now = simulation.cluster.timestamp();
        portside::api::kinds::set_condition(&mut document, "Ready", false, now);
        simulation.cluster.update_status(Actor::Kubelet, key, document).expect("a status is valid");
        simulation.notice();
        simulation.settle(Span::from_seconds(2));
    }
    let all = start.elapsed() / u32::try_from(pods.len()).expect("few");
    row(
        "one Pod's readiness flips there → slices, Endpoints and tables right",
        "(the tables alone: ≤ 50 µs, above)",
        &format!("{:.0} µs with all controllers", all.as_secs_f64() * 1e6),
    );
}
