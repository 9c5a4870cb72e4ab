//! Load: who answers, how long it takes, and what fails while things change.

use portside::cluster::clock::Span;
use portside::network::Origin;
use portside::shell::load::{page, start, stop};
use portside::simulation::load::{LoadFailure, LoadId, LoadPlan, LoadStatistics};

#[path = "mistakes/world.rs"]
#[allow(dead_code, reason = "the tests of mistakes use more of it")]
mod world;

use world::{World, service};

const CLIENT: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec: {containers: [{name: c, image: curlimages/curl, command: [sleep, \"36000\"]}]}\n---\n";

fn web(hook: &str) -> World {
    let container = format!("{{name: c, image: nginx{hook}}}");
    let deployment = world::deployment("web", "{app: web}", &container).replace("replicas: 2", "replicas: 4");
    World::with(
        &(deployment
            + CLIENT
            + &service(
                "web",
                "{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}",
            )),
    )
}

fn plan(world: &World, rate: u32, concurrency: u32, keep_alive: bool, seconds: u64) -> LoadPlan {
    LoadPlan {
        from: Origin::pod("default", "client"),
        name: "web".to_owned(),
        to: vec![std::net::SocketAddr::new(world.cluster_ip("web"), 80)],
        rate,
        concurrency,
        request: Some(page("web", "/")),
        keep_alive,
        duration: Span::from_seconds(seconds),
    }
}

fn statistics(world: &World, id: LoadId) -> LoadStatistics {
    world.host.with(|simulation| simulation.loads.get(id).expect("it is kept").statistics.clone())
}

#[test]
fn every_request_is_sent_and_spread_evenly_over_the_backends() {
    let world = web("");
    let id = start(&world.host, plan(&world, 2_000, 10, false, 2));
    world.run("sleep 3");
    let found = statistics(&world, id);
    assert_eq!((found.sent, found.answered, found.failed), (4_000, 4_000, 0));
    assert_eq!(found.backends.len(), 4);
    // Chi-square with three degrees of freedom stays below 16.3 in 999 of 1,000 seeds; the seed is fixed.
    let counts = found.backends.values().map(|count| count.requests as f64);
    let chi_square: f64 = counts.map(|count| (count - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(chi_square < 16.3, "{:?}", found.backends);
    assert_eq!(found.latencies.count(), 4_000);
    assert_eq!(found.statuses.iter().collect::<Vec<_>>(), [(&200, &4_000)]);
    assert_eq!(found.seconds.iter().map(|second| second.answered).sum::<u32>(), 4_000);
}

#[test]
fn kept_connections_keep_their_backends_and_are_as_many_as_asked_for() {
    let world = web("");
    let id = start(&world.host, plan(&world, 1_000, 3, true, 2));
    world.run("sleep 3");
    let found = statistics(&world, id);
    let connections: u64 = found.backends.values().map(|count| count.connections).sum();
    assert_eq!((found.answered, connections), (2_000, 3), "{:?}", found.backends);
}

#[test]
fn a_load_ends_when_it_is_stopped_and_counts_no_more() {
    let world = web("");
    let id = start(&world.host, plan(&world, 100, 10, false, 60));
    world.run("sleep 2");
    stop(&world.host, id);
    let sent = statistics(&world, id).sent;
    world.run("sleep 5");
    assert!((190..=210).contains(&sent), "{sent}");
    assert_eq!(statistics(&world, id).sent, sent);
    assert!(world.host.with(|simulation| !simulation.loads.are_running()));
}

/// Endpoint removal races termination: servers stop at SIGTERM, and kube-proxy hears of it a little later.
#[test]
fn a_rollout_costs_requests_unless_containers_wait_before_they_end() {
    for (hook, fails) in [("", true), (", lifecycle: {preStop: {sleep: {seconds: 5}}}", false)] {
        let world = web(hook);
        let id = start(&world.host, plan(&world, 500, 20, false, 40));
        world.run("kubectl rollout restart deployment web; kubectl rollout status deployment web; sleep 30");
        let found = statistics(&world, id);
        assert_eq!(found.failed > 0, fails, "{hook}: {:?}", found.failures);
        let expected = [LoadFailure::Closed, LoadFailure::NoRoute];
        assert!(found.failures.keys().all(|why| expected.contains(why)), "{:?}", found.failures);
        assert!(found.answered > 10_000, "{hook}: {}", found.answered);
    }
}

#[test]
fn a_load_typed_during_a_rollout_is_explained_by_the_pods_that_ended() {
    let world = web("");
    world.run("kubectl exec client -- load -q -r 500 -d 20s http://web & sleep 2; kubectl rollout restart deployment web; wait");
    let shown = world.run("why");
    assert!(shown.contains("which was ending") && shown.contains("preStop"), "{shown}");
}

#[test]
fn the_command_shows_the_spread_from_every_place() {
    let world = web("");
    let address = world.cluster_ip("web");
    for line in [
        "load -q -d 2s -r 50 192.168.1.73:30080".to_owned(),
        format!("ssh k8s-w1 'load -q -d 2s -r 50 http://{address}'"),
        "kubectl exec client -- load -q -d 2s -r 50 web".to_owned(),
    ] {
        let shown = world.run(&line);
        assert!(shown.contains("100 requests: 100 answered, 0 failed"), "{line}: {shown}");
        assert_eq!(shown.matches("pod default/web-").count(), 4, "{line}: {shown}");
    }
    let shown = world.run("kubectl exec client -- load -q -d 2s -r 50 -k http://web/nosuch");
    assert!(shown.contains("100 answered HTTP 404"), "{shown}");
    let shown = world.run("kubectl exec client -- load -q -d 1s -r 50 kube-dns.kube-system:53");
    assert!(shown.contains("50 connected, and no HTTP answer"), "{shown}");
    let shown = world.run("kubectl exec client -- load -q -d 1s -r 50 tcp://kube-dns.kube-system:53");
    assert!(shown.contains("50 requests: 50 answered, 0 failed") && !shown.contains("HTTP"), "{shown}");
    world.run("kubectl scale deployment web --replicas=0; sleep 5");
    let shown = world.run("kubectl exec client -- load -d 2s -r 50 web");
    assert!(shown.contains("refused: no endpoints") && shown.contains(" 0 answered"), "{shown}");
    // Six are told at once, then one a second: the ten connections wait for their SYN to be sent again.
    assert!(shown.contains("27 requests"), "{shown}");
    let shown = world.run("load -r 0 web");
    assert!(shown.contains("--rate needs a number from 1 to 100000, not 0"), "{shown}");
}
