//! Worlds full of Services of every kind, from a seed.
//!
//! Owns what stands in such a world: Pods that serve, that are not ready, on the node's network and with host ports,
//! Services with every policy, and EndpointSlices that a person wrote; and who can send there, and to what.

use std::net::{IpAddr, SocketAddr};

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::api::value::SmolStr;
use portside::api::yaml;
use portside::cluster::clock::Span;
use portside::cluster::settings::{Cloud, ProxyMode};
use portside::cluster::{Actor, Request, Settings, Verb};
use portside::network::{Origin, Transport};
use portside::simulation::Simulation;

/// How many Services each world has besides those that every cluster has.
const SERVICES: u16 = 10;
const LIMIT: Span = Span::from_seconds(600);
/// The first of the node ports that the Services have; some of them are host ports too.
const NODE_PORTS: u16 = 30_000;

/// Ports of Services: protocol, and where they lead. Nobody listens on 9999; the last is a node port too.
const PORTS: &[&str] = &[
    "port: 80, targetPort: http",
    "port: 81, targetPort: 8080",
    "port: 82, targetPort: 9999",
    "port: 53, protocol: UDP, targetPort: datagrams",
    "port: 80, protocol: UDP, targetPort: 9999",
    "port: 90, protocol: SCTP, targetPort: 9090",
    "port: 30010, targetPort: http",
];

/// Sources that a load balancer accepts.
const RANGES: &[&str] = &[
    "203.0.113.0/24",
    "203.0.113.10/32",
    "10.244.1.0/24",
    "192.168.1.0/24",
    "192.168.1.73/32",
    "198.51.100.0/24",
];

/// Addresses in `externalIPs`: some of them are routed to a node, one is a node's own, one is a Service's inside the
/// cluster and one might be.
const EXTERNAL: &[&str] =
    &["203.0.113.50", "203.0.113.241", "203.0.113.242", "192.168.1.74", "10.96.0.10", "10.96.77.77"];

/// What serves, by the label `app`: where each Pod is, and what else is said of it.
const PODS: &[(&str, &str, &str, &str)] = &[
    ("echo-1", "echo", "k8s-w1", ""),
    ("echo-2", "echo", "k8s-w2", ""),
    ("echo-3", "echo", "k8s-w2", ""),
    ("lone-1", "lone", "k8s-w1", ""),
    ("lone-2", "lone", "k8s-master", "sim/ready: \"false\""),
    ("hollow-1", "hollow", "k8s-w1", "sim/ready: \"false\""),
    ("client", "client", "k8s-master", ""),
];

/// Makes a world.
pub struct Builder {
    pub world: Simulation,
    dice: fastrand::Rng,
}

/// A world, settled, with kube-proxy's rules written.
pub fn world(seed: u64, proxy_mode: ProxyMode) -> Simulation {
    let zones = vec!["a".to_owned(), "b".to_owned()];
    let settings = Settings { seed, zones, cloud: Cloud::On, proxy_mode, ..Settings::default() };
    let settings = if seed.is_multiple_of(3) { settings.dual_stack() } else { settings };
    let mut builder = Builder { world: Simulation::new(settings), dice: fastrand::Rng::with_seed(seed) };
    builder.pods();
    builder.settles();
    builder.services();
    builder.settles();
    builder.routes();
    builder.world
}

/// The same world without some of its Services and Pods: others take over what they had in common.
pub fn with_less(mut world: Simulation) -> Simulation {
    for (kind, name) in [(Kind::Service, "service-1"), (Kind::Service, "service-2"), (Kind::Pod, "echo-2")] {
        let request = Request::new(Actor::User, Verb::Delete, &Key::new(kind, "default", name));
        world.request(request).result.expect("every world has it");
    }
    assert!(world.settle(LIMIT), "the world comes to rest");
    world.network.sync_now(world.cluster.now());
    world
}

/// Everybody who can send there.
pub fn origins(world: &Simulation) -> Vec<Origin> {
    let pods = world.cluster.list(Kind::Pod, None).map(|pod| Origin::Pod(pod.key.clone()));
    let nodes = world.cluster.list(Kind::Node, None).map(|node| Origin::node(node.name().clone()));
    let outside = [Origin::Outside, Origin::OutsideHost(IpAddr::from([198, 51, 100, 7]))];
    // Nodes and hosts outside as often as Pods.
    let few: Vec<Origin> = nodes.chain(outside.clone()).chain(outside).collect();
    pods.chain(few.iter().cycle().take(3 * few.len()).cloned()).collect()
}

/// Every address of every Service with a port of it, and with one that it does not have; and some that are no
/// Service's.
pub fn frontends(world: &Simulation) -> Vec<(SocketAddr, Transport)> {
    let topology = world.network.topology();
    let of_nodes = topology.nodes().flat_map(|(id, _)| topology.own_addresses(id));
    let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
    let of_nodes: Vec<IpAddr> = of_nodes.chain(loopback).collect();
    let mut found = Vec::new();
    for object in world.cluster.list(Kind::Service, None) {
        let service = object.as_service().expect("it is a Service");
        let addresses =
            || service.cluster_ips.iter().chain(&service.external_ips).chain(&service.balancer_ips);
        for port in &service.ports {
            let transport = Transport::from(port.protocol);
            let at = |ip: &IpAddr, port| (SocketAddr::new(*ip, port), transport);
            // As often as node ports, of which each node has several; and a port that it does not have.
            for number in [port.port; 6].into_iter().chain([port.port + 7]) {
                found.extend(addresses().map(|ip| at(ip, number)));
            }
            if port.node_port != 0 {
                found.extend(of_nodes.iter().map(|ip| at(ip, port.node_port)));
            }
        }
    }
    let pods = world.cluster.list(Kind::Pod, None).filter_map(|pod| pod.as_pod());
    let of_pods = pods.flat_map(|pod| pod.ips.iter()).map(|ip| SocketAddr::new(*ip, 8080));
    let others = of_nodes.iter().flat_map(|ip| [22, 30_032].map(|port| SocketAddr::new(*ip, port)));
    let nobodys = SocketAddr::new(IpAddr::from([10, 96, 200, 200]), 80);
    found.extend(of_pods.chain(others).chain([nobodys; 6]).map(|to| (to, Transport::Tcp)));
    found
}

impl Builder {
    fn settles(&mut self) {
        assert!(self.world.settle(LIMIT), "the world comes to rest");
        self.world.network.sync_now(self.world.cluster.now());
    }

    fn creates(&mut self, manifest: &str) {
        let (documents, diagnostics) = yaml::read(manifest);
        assert!(diagnostics.is_empty(), "{diagnostics:?}\n{manifest}");
        for document in documents {
            let value = document.value();
            let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str());
            let kind = kind.expect("the manifests are of known kinds");
            let key = Key::new(kind, "default", value.at(&["metadata", "name"]).smol());
            let reply = self.world.request(Request::new(Actor::User, Verb::Create(value), &key));
            assert!(reply.result.is_ok(), "{:?}\n{manifest}", reply.result.err());
        }
    }

    fn chance(&mut self, one_in: u8) -> bool {
        self.dice.u8(0..one_in) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        self.dice.choice(from).expect("there is something to pick from")
    }

    fn some(&mut self, from: &[&'static str], most: usize) -> Vec<&'static str> {
        let mut chosen = from.to_vec();
        self.dice.shuffle(&mut chosen);
        chosen.truncate(self.dice.usize(1..=most));
        chosen
    }

    fn pods(&mut self) {
        for (name, app, node, annotation) in PODS {
            self.pod(name, app, node, annotation, "", false);
        }
        if self.chance(2) {
            self.pod("echo-host", "echo", "k8s-w1", "", "", true);
        }
        // Host ports of which some are node ports too: kube-proxy's rules come first.
        for (name, node, port) in
            [("held-1", "k8s-w1", 0), ("held-2", "k8s-w2", 10), ("held-3", "k8s-w1", 32)]
        {
            let address = if self.chance(3) { ", hostIP: 192.168.1.73" } else { "" };
            let host = format!(", hostPort: {}{address}", NODE_PORTS + port);
            self.pod(name, "held", node, "", &host, false);
        }
    }

    fn pod(&mut self, name: &str, app: &str, node: &str, annotation: &str, host: &str, on_node: bool) {
        self.creates(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {app}}}, annotations: {{{annotation}}}}}\n\
             spec:\n  nodeName: {node}\n  hostNetwork: {on_node}\n  containers:\n  - name: c\n    \
             image: registry.k8s.io/e2e-test-images/agnhost:2.40\n    args: [netexec]\n    \
             ports: [{{name: http, containerPort: 8080{host}}}, {{name: datagrams, protocol: UDP, containerPort: 8081}}]\n"
        ));
    }

    fn services(&mut self) {
        for number in 0..SERVICES {
            self.service(number);
        }
        // Chance has no say in this one: three endpoints, in no way restricted.
        self.creates(
            "apiVersion: v1\nkind: Service\nmetadata: {name: three}\n\
             spec: {type: NodePort, selector: {app: held}, ports: [{port: 80, targetPort: http, nodePort: 32000}]}\n",
        );
    }

    fn service(&mut self, number: u16) {
        let app = self.pick(&["echo", "echo", "echo", "lone", "hollow", "nothing", ""]);
        let kind = self.pick(&["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer"]);
        let mut spec = vec![format!("type: {kind}")];
        if !app.is_empty() {
            spec.push(format!("selector: {{app: {app}}}"));
        }
        let bare = kind == "LoadBalancer" && self.chance(5);
        let ports = self.ports(number, kind != "ClusterIP" && !bare);
        spec.push(format!("ports: [{}]", ports.join(", ")));
        if bare {
            spec.push("allocateLoadBalancerNodePorts: false".to_owned());
        }
        let external = self.chance(2);
        if external {
            let addresses = self.some(EXTERNAL, 2);
            spec.push(format!("externalIPs: [{}]", addresses.join(", ")));
        }
        self.policies(kind, external, &mut spec);
        let manifest = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: service-{number}}}\nspec: {{{}}}\n",
            spec.join(", ")
        );
        self.creates(&manifest);
        if app.is_empty() {
            self.slices(number, &ports);
        }
    }

    fn ports(&mut self, number: u16, node_ports: bool) -> Vec<String> {
        let chosen = self.some(PORTS, 3);
        let each = (0..).zip(chosen).map(|(place, port)| {
            let node_port = NODE_PORTS + number * 10 + place;
            let node_port = if node_ports { format!(", nodePort: {node_port}") } else { String::new() };
            format!("{{name: p{place}, {port}{node_port}}}")
        });
        each.collect()
    }

    fn policies(&mut self, kind: &str, external: bool, spec: &mut Vec<String>) {
        if self.chance(3) {
            spec.push("internalTrafficPolicy: Local".to_owned());
        }
        if (kind != "ClusterIP" || external) && self.chance(2) {
            spec.push("externalTrafficPolicy: Local".to_owned());
        }
        if self.chance(4) {
            spec.push("sessionAffinity: ClientIP".to_owned());
        }
        if self.chance(4) {
            spec.push("publishNotReadyAddresses: true".to_owned());
        }
        if kind == "LoadBalancer" && self.chance(2) {
            let ranges = self.some(RANGES, 3);
            spec.push(format!("loadBalancerSourceRanges: [{}]", ranges.join(", ")));
        }
        if self.chance(3) {
            let wish = self.pick(&["PreferSameZone", "PreferSameNode"]);
            spec.push(format!("trafficDistribution: {wish}"));
        }
        if self.world.cluster.settings().pod_networks.len() > 1 && self.chance(2) {
            spec.push("ipFamilyPolicy: PreferDualStack".to_owned());
        }
    }

    /// Slices that nobody but a person writes: endpoints anywhere, in any state, for anybody.
    fn slices(&mut self, number: u16, ports: &[String]) {
        for family in ["IPv4", "IPv6"] {
            let endpoints: Vec<String> =
                (0..self.dice.usize(0..4)).filter_map(|_| self.endpoint(family == "IPv4")).collect();
            if endpoints.is_empty() {
                continue;
            }
            let ports: Vec<String> = (0..)
                .zip(ports)
                .map(|(place, port): (u16, &String)| {
                    let protocol =
                        ["UDP", "SCTP"].into_iter().find(|name| port.contains(name)).unwrap_or("TCP");
                    format!("{{name: p{place}, protocol: {protocol}, port: 8080}}")
                })
                .collect();
            self.creates(&format!(
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: {family}\n\
                 metadata: {{name: service-{number}-{}, labels: {{kubernetes.io/service-name: service-{number}}}}}\n\
                 ports: [{}]\nendpoints: [{}]\n",
                family.to_lowercase(),
                ports.join(", "),
                endpoints.join(", ")
            ));
        }
    }

    fn endpoint(&mut self, v4: bool) -> Option<String> {
        let pods = self.world.cluster.list(Kind::Pod, Some("default"));
        let of_pods = pods.filter_map(|object| {
            let pod = object.as_pod()?;
            Some((*pod.ips.iter().find(|ip| ip.is_ipv4() == v4)?, pod.node.clone()))
        });
        let mut all: Vec<(IpAddr, SmolStr)> = of_pods.collect();
        if v4 {
            all.push((IpAddr::from([203, 0, 113, 10]), SmolStr::default()));
            all.push((IpAddr::from([192, 168, 1, 72]), SmolStr::from("k8s-master")));
        }
        let (address, node) = self.dice.choice(&all)?.clone();
        let conditions = self.pick(&[
            "ready: true",
            "ready: true",
            "ready: false",
            "ready: false, serving: true, terminating: true",
            "ready: false, serving: false, terminating: true",
        ]);
        let hints = self.pick(&[
            "",
            "",
            ", hints: {forZones: [{name: a}]}",
            ", hints: {forZones: [{name: b}], forNodes: [{name: k8s-w2}]}",
            ", hints: {forNodes: [{name: k8s-w1}]}",
        ]);
        let node = if node.is_empty() { String::new() } else { format!(", nodeName: {node}") };
        Some(format!("{{addresses: [\"{address}\"], conditions: {{{conditions}}}{node}{hints}}}"))
    }

    /// The router sends some addresses to a node as they are, as MetalLB and static routes do.
    fn routes(&mut self) {
        let balancers: Vec<IpAddr> = (self.world.cluster.list(Kind::Service, Some("default")))
            .filter_map(|object| object.as_service())
            .flat_map(|service| service.load_balancer_ips.clone())
            .collect();
        let mut ranges: Vec<String> = vec!["203.0.113.240/29".to_owned()];
        ranges.extend(balancers.iter().filter(|_| self.dice.bool()).map(ToString::to_string));
        if self.chance(2) {
            ranges.extend(["10.96.0.0/12".to_owned(), "fd00:10:96::/112".to_owned()]);
        }
        for range in ranges {
            let address = || range.parse().map(|address: IpAddr| address.into());
            let network = range.parse().or_else(|_| address()).expect("an address or a network");
            let node = self.pick(&["k8s-master", "k8s-w1", "k8s-w2"]);
            self.world.network.topology_mut().routed.push((network, node.into()));
        }
    }
}
