//! Every packet's way ends, and where it ends agrees with what the objects say.

use std::net::{IpAddr, SocketAddr};

use portside::api::registry::Kind;
use portside::network::{Origin, Outcome, Trace, Transport};
use portside::simulation::Simulation;

use crate::endpoints::expected;
use crate::player::{ACTIONS, Player, SEEDS};

/// More hops than any way has: out of a Pod, over two nodes, and the answer back.
const HOP_LIMIT: usize = 64;

fn origins(world: &Simulation) -> Vec<Origin> {
    let pods = world.cluster.list(Kind::Pod, None).map(|pod| Origin::Pod(pod.key.clone()));
    let nodes = world.cluster.list(Kind::Node, None).map(|node| Origin::node(node.name().clone()));
    let outside =
        [Origin::Outside, Origin::OutsideHost(IpAddr::from([198, 51, 100, 7])), Origin::pod("no", "one")];
    pods.chain(nodes).chain(outside).collect()
}

fn targets(world: &Simulation) -> Vec<IpAddr> {
    let pods = world.cluster.list(Kind::Pod, None).filter_map(|pod| pod.as_pod()?.ip());
    let nodes =
        world.cluster.list(Kind::Node, None).filter_map(|node| node.as_node()?.addresses.first().copied());
    let services = world.cluster.list(Kind::Service, None);
    let services = services.flat_map(|object| {
        let service = object.as_service().expect("it is a Service");
        service.cluster_ips.iter().chain(&service.load_balancer_ips).copied().collect::<Vec<_>>()
    });
    let nowhere =
        ["10.244.9.9", "10.96.77.77", "127.0.0.1", "0.0.0.0", "255.255.255.255", "8.8.8.8", "::1", "fd00::1"];
    let nowhere = nowhere.iter().map(|text| text.parse().expect("an address"));
    pods.chain(nodes).chain(services).chain(nowhere).collect()
}

fn sends(player: &mut Player) -> (Origin, Trace) {
    let origins = origins(&player.world);
    let mut targets: Vec<SocketAddr> =
        targets(&player.world).into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
    let from = player.pick(&origins).clone();
    let mut to = *player.pick(&targets);
    targets.clear();
    let node_ports = player.world.cluster.list(Kind::Service, None).flat_map(|object| {
        let service = object.as_service().expect("it is a Service");
        service.ports.iter().map(|port| port.node_port).collect::<Vec<_>>()
    });
    let ports: Vec<u16> = node_ports.chain([0, 22, 53, 80, 80, 80, 81, 443, 8081, 65_535]).collect();
    to.set_port(*player.pick(&ports));
    let transport = *player.pick(&[Transport::Tcp, Transport::Udp, Transport::Icmp]);
    let world = &mut player.world;
    (from.clone(), world.network.connect(&world.cluster, &from, to, transport))
}

#[test]
fn every_packet_ends_somewhere() {
    let (mut delivered, mut failed) = (0, 0);
    for seed in SEEDS {
        let mut player = Player::new(seed);
        for _ in 0..ACTIONS {
            player.plays(1);
            for _ in 0..20 {
                let (from, trace) = sends(&mut player);
                let hops = trace.hops.len();
                assert!(hops <= HOP_LIMIT, "{hops} hops from {from:?} to {}", trace.target);
                match &trace.outcome {
                    Outcome::Delivered(delivery) => {
                        delivered += 1;
                        assert!(hops > 0, "what arrives went somewhere: {from:?} to {}", trace.target);
                        assert_ne!(delivery.packet.destination.ip().to_string(), "0.0.0.0");
                    }
                    _ => failed += 1,
                }
            }
        }
    }
    assert!(delivered > 1_000 && failed > 1_000, "both happen: {delivered} delivered, {failed} failed");
}

#[test]
fn a_service_leads_to_its_ready_pods_or_refuses() {
    let mut reached = 0;
    for seed in SEEDS {
        let mut player = Player::new(seed);
        player.plays(ACTIONS);
        player.rests();
        let services: Vec<_> = ["default", "zoo"]
            .iter()
            .flat_map(|namespace| player.world.cluster.list(Kind::Service, Some(namespace)))
            .filter(|object| object.name() != "kubernetes")
            .cloned()
            .collect();
        for object in services {
            let service = object.as_service().expect("it is a Service");
            let ready = expected(&player.world, &object);
            let world = &mut player.world;
            let from = Origin::node("k8s-w1");
            let address = SocketAddr::new(service.cluster_ips[0], 80);
            let trace = world.network.connect(&world.cluster, &from, address, Transport::Tcp);
            match &trace.outcome {
                Outcome::Delivered(delivery) => {
                    reached += 1;
                    let seen = delivery.packet.destination.ip();
                    assert!(ready.contains(&seen), "{seen} is ready for {:?}", object.key);
                }
                Outcome::Refused(_) => assert!(ready.is_empty(), "{:?} has {ready:?}", object.key),
                other => panic!("{:?}: {other:?}", object.key),
            }
            let closed = SocketAddr::new(service.cluster_ips[0], 81);
            let trace = world.network.connect(&world.cluster, &from, closed, Transport::Tcp);
            assert!(
                matches!(trace.outcome, Outcome::Refused(_)),
                "nothing listens on 8081: {:?}",
                trace.outcome
            );
        }
    }
    assert!(reached > 10, "{reached} Services were reached");
}
