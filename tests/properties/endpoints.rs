//! The endpoints of a Service are the addresses of the ready Pods that its selector matches.

use std::collections::BTreeSet;
use std::net::IpAddr;

use portside::api::object::Object;
use portside::api::registry::Kind;
use portside::simulation::Simulation;

use crate::player::{ACTIONS, Player, SEEDS};

type Addresses = BTreeSet<IpAddr>;

/// What a Service should lead to: by labels and states of Pods alone.
pub fn expected(world: &Simulation, object: &Object) -> Addresses {
    let service = object.as_service().expect("it is a Service");
    let Some(selector) = &service.selector else { return Addresses::new() };
    let pods = world.cluster.list(Kind::Pod, Some(object.namespace()));
    pods.filter(|pod| selector.matches(&pod.meta.labels) && !pod.is_terminating())
        .filter_map(|pod| pod.as_pod())
        .filter(|pod| pod.ready && !pod.is_finished())
        .filter_map(|pod| pod.ip())
        .collect()
}

fn in_slices(world: &Simulation, service: &Object) -> Addresses {
    let slices = world.cluster.list(Kind::EndpointSlice, Some(service.namespace()));
    slices
        .filter_map(|object| object.as_endpoint_slice())
        .filter(|slice| slice.service == *service.name())
        .flat_map(|slice| &slice.endpoints)
        .filter(|endpoint| endpoint.ready)
        .flat_map(|endpoint| endpoint.addresses.iter().copied())
        .collect()
}

fn in_endpoints(world: &Simulation, service: &Object) -> Addresses {
    let found = world.cluster.find(Kind::Endpoints, service.namespace(), service.name());
    let subsets = found.map(|object| object.value.get("subsets").items()).unwrap_or_default();
    let addresses = subsets.iter().flat_map(|subset| subset.get("addresses").items());
    addresses.map(|address| address.get("ip").str().parse().expect("an address")).collect()
}

pub fn check(world: &Simulation) {
    let people = world.cluster.list(Kind::Service, None).filter(|object| object.name() != "kubernetes");
    for service in people {
        let expected = expected(world, service);
        assert_eq!(in_slices(world, service), expected, "slices of {:?}", service.key);
        assert_eq!(in_endpoints(world, service), expected, "Endpoints of {:?}", service.key);
    }
    for kind in [Kind::Endpoints, Kind::EndpointSlice] {
        for object in world.cluster.list(kind, None) {
            let owner = match kind {
                Kind::Endpoints => object.name().as_str(),
                _ => object.meta.label("kubernetes.io/service-name"),
            };
            let there = world.cluster.find(Kind::Service, object.namespace(), owner).is_some();
            assert!(there, "{:?} outlives its Service", object.key);
        }
    }
}

#[test]
fn endpoints_are_the_ready_pods_that_match() {
    let mut seen = 0;
    for seed in SEEDS {
        let mut player = Player::new(seed);
        for _ in 0..4 {
            player.plays(ACTIONS / 4);
            player.rests();
            check(&player.world);
            let services = player.world.cluster.list(Kind::Service, None);
            seen += services.map(|service| expected(&player.world, service).len()).sum::<usize>();
        }
    }
    assert!(seen > 300, "the worlds are not empty: {seen} endpoints");
}
