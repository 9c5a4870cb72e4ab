//! No two Pods have the same address, nor two Services, nor two of their ports on nodes.

use std::collections::BTreeSet;

use portside::api::registry::Kind;
use portside::simulation::Simulation;

use crate::player::{ACTIONS, Player, SEEDS};

fn check(world: &Simulation) {
    let settings = world.cluster.settings();
    let mut pods = BTreeSet::new();
    for object in world.cluster.list(Kind::Pod, None) {
        let pod = object.as_pod().expect("it is a Pod");
        // What has ended keeps the text of its address, and gives the address back.
        if pod.spec.host_network || pod.is_finished() {
            continue;
        }
        for ip in &pod.ips {
            assert!(pods.insert(*ip), "{ip} of {:?} is given twice", object.key);
            let inside = settings.pod_networks.iter().any(|range| range.contains(ip));
            assert!(inside, "{ip} of {:?} lies in the Pods' network", object.key);
        }
    }
    let (mut services, mut node_ports) = (BTreeSet::new(), BTreeSet::new());
    for object in world.cluster.list(Kind::Service, None) {
        let service = object.as_service().expect("it is a Service");
        for ip in &service.cluster_ips {
            assert!(services.insert(*ip), "{ip} of {:?} is given twice", object.key);
            let inside = settings.service_networks.iter().any(|range| range.contains(ip));
            assert!(inside, "{ip} of {:?} lies in the Services' network", object.key);
        }
        for port in service.ports.iter().map(|port| port.node_port).filter(|port| *port != 0) {
            assert!(node_ports.insert(port), "{port} of {:?} is given twice", object.key);
            let (first, last) = settings.node_ports;
            assert!((first..=last).contains(&port), "{port} of {:?} lies in the range", object.key);
        }
    }
}

#[test]
fn no_address_and_no_node_port_is_given_twice() {
    for seed in SEEDS {
        let mut player = Player::new(seed);
        for _ in 0..ACTIONS {
            player.plays(1);
            check(&player.world);
        }
        player.rests();
        check(&player.world);
    }
}
