//! What every network tool does: find addresses for a name, open a connection, exchange HTTP.
//!
//! Owns the timing of a client (retransmission, its own time limits) and the way from a delivered connection to
//! the container that answers. The packets themselves are walked by [`crate::network`], through
//! [`crate::simulation::Simulation::connect`]; names are resolved in [`super::resolver`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::forwards::{Forward, connect_inside};
use super::invocation::Invocation;
use super::places::{Address, Place};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::SmolStr;
use crate::cluster::clock::Instant;
use crate::containers::http::{Request, Response, Server, answer};
use crate::containers::{Reference, datagram, kube_proxy};
use crate::network::{Delivery, Origin, Outcome, Packet, Place as Where, Sending, Trace, Transport};
use crate::simulation::Simulation;

/// After how many milliseconds each unanswered SYN is sent again: `tcp_syn_linear_timeouts` = 4 and
/// `tcp_syn_retries` = 6 of Linux, with the timer's own lateness; 134 s in all, as measured.
const SYN_RETRIES_MS: [u64; 11] =
    [1_024, 1_024, 1_024, 1_024, 1_024, 2_048, 4_100, 8_195, 16_390, 32_780, 65_560];

/// Where a command's packets come from.
#[must_use]
pub fn origin(place: &Place) -> Origin {
    match &place.address {
        Address::Workstation => Origin::Outside,
        Address::Node(name) => Origin::node(name.as_str()),
        Address::Container { namespace, pod, .. } => Origin::pod(namespace.as_str(), pod.as_str()),
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// "Connection refused".
    Refused,
    /// "No route to host".
    NoRoute,
    /// Nothing came back until the kernel gave up ("Connection timed out").
    TimedOut,
    /// Nothing came back until the client's own limit.
    LimitReached,
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where it was opened to, as the client said it.
    pub remote: SocketAddr,
    /// How the server sees it.
    pub delivery: Delivery,
}

/// A failed attempt to connect.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub failure: Failure,
    /// How long it took.
    pub after: Duration,
    /// The way of the last packet.
    pub trace: Arc<Trace>,
}

/// Opens a TCP connection. Gives up after `limit`, or when the kernel would.
///
/// # Errors
///
/// A [`Refusal`] when there is no connection.
pub async fn connect(
    invocation: &Invocation,
    to: SocketAddr,
    limit: Option<Duration>,
) -> Result<Connection, Refusal> {
    connect_from(invocation, None, to, limit).await
}

/// As [`connect`], from a chosen port.
///
/// # Errors
///
/// As [`connect`].
pub async fn connect_from(
    invocation: &Invocation,
    port: Option<u16>,
    to: SocketAddr,
    limit: Option<Duration>,
) -> Result<Connection, Refusal> {
    let host = &invocation.host;
    if let Some(forward) = host.forwards().at(host, &invocation.place.address, to) {
        return Ok(through(invocation, &forward, to).await);
    }
    let from = origin(&invocation.place);
    let start = invocation.host.now();
    let since = |now: u64| Duration::from_micros(now - start);
    let deadline = limit.map(|limit| start.saturating_add(micros(limit)));
    let mut retries = SYN_RETRIES_MS.iter();
    // Every repetition is of the same connection: conntrack keeps the backend that the first one got.
    let port = port
        .unwrap_or_else(|| invocation.host.with(|simulation| simulation.network.any_port(Transport::Tcp)));
    let sending = Sending::new(to, Transport::Tcp).from_port(port);
    loop {
        let trace = invocation.host.with(|simulation| simulation.send(&from, &sending));
        let wait_us = match trace.outcome.answer_after_us() {
            Some(us) => us,
            None => match retries.next() {
                Some(ms) => ms * 1000,
                None => {
                    return Err(Refusal {
                        failure: Failure::TimedOut,
                        after: since(invocation.host.now()),
                        trace,
                    });
                }
            },
        };
        let until = invocation.host.now().saturating_add(wait_us);
        if let Some(deadline) = deadline.filter(|deadline| *deadline < until) {
            invocation.host.sleep_until(deadline).await;
            return Err(Refusal { failure: Failure::LimitReached, after: since(deadline), trace });
        }
        invocation.host.sleep_until(until).await;
        let failure = match &trace.outcome {
            Outcome::Delivered(delivery) => return Ok(Connection { remote: to, delivery: delivery.clone() }),
            Outcome::Refused(_) => Failure::Refused,
            Outcome::NoRoute(_) => Failure::NoRoute,
            Outcome::Dropped(_) => continue,
        };
        return Err(Refusal { failure, after: since(invocation.host.now()), trace });
    }
}

/// A connection to a port that a `kubectl port-forward` forwards. It is always there; if nothing listens in
/// the Pod, it leads to nobody, and kubectl ends.
async fn through(invocation: &Invocation, forward: &Forward, to: SocketAddr) -> Connection {
    forward.output.line(&format!("Handling connection for {}", forward.port));
    let trace = connect_inside(&invocation.host, forward);
    if let Outcome::Delivered(delivery) = &trace.outcome {
        let delivery = delivery.clone();
        invocation.sleep(Duration::from_micros(delivery.latency_us)).await;
        return Connection { remote: to, delivery };
    }
    forward.lost.notify();
    let delivery = Delivery {
        server: Where::Outside(to.ip()),
        listener: None,
        packet: Packet::new(Transport::Tcp, to, to),
        through: None,
        latency_us: 0,
    };
    Connection { remote: to, delivery }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Sends an HTTP request over a connection. `None` if the server does not speak HTTP, or is gone.
#[must_use]
pub fn exchange(invocation: &Invocation, connection: &Connection, request: &Request) -> Option<Response> {
    let listener = connection.delivery.listener.as_ref()?;
    let port = connection.delivery.packet.destination.port();
    let key = match &connection.delivery.server {
        Where::Pod(key) => key.clone(),
        Where::Node(node) if listener.program == "kube-proxy" => {
            return invocation.host.with(|simulation| kube_proxy_answer(simulation, node, port, request));
        }
        // A Pod on the node's own network.
        Where::Node(node) => invocation.host.with(|simulation| {
            let topology = simulation.network.topology();
            Some(topology.host_pod(node, listener.protocol, port)?.key.clone())
        })?,
        _ => return None,
    };
    let key = &key;
    let written = written_files(invocation, key, &listener.program);
    invocation.host.with(|simulation| {
        let file = |path: &str| written.as_ref().and_then(|read| read(path));
        pod_answer(simulation, key, connection, request, &file)
    })
}

/// What a server answers to a datagram that it got. `None` if it says nothing.
#[must_use]
pub fn datagram_answer(invocation: &Invocation, delivery: &Delivery, text: &str) -> Option<String> {
    let listener = delivery.listener.as_ref()?;
    let port = delivery.packet.destination.port();
    let hostname = match &delivery.server {
        Where::Pod(key) => {
            invocation.host.with(|simulation| Some(hostname(simulation.cluster.get(key)?)?.clone()))?
        }
        Where::Node(node) => invocation.host.with(|simulation| {
            let topology = simulation.network.topology();
            Some(hostname(topology.host_pod(node, listener.protocol, port)?)?.clone())
        })?,
        _ => return None,
    };
    datagram::answer(listener.app, text, &hostname, delivery.packet.source)
}

/// What a Pod calls itself.
fn hostname(object: &Object) -> Option<&SmolStr> {
    let pod = object.as_pod()?;
    Some(match pod.spec.hostname.as_str() {
        _ if pod.spec.host_network => &pod.node,
        "" => &object.key.name,
        _ => &pod.spec.hostname,
    })
}

/// What kube-proxy answers on a node: health checks.
fn kube_proxy_answer(simulation: &Simulation, node: &str, port: u16, request: &Request) -> Option<Response> {
    let now = simulation.cluster.timestamp();
    if port == kube_proxy::HEALTH_PORT {
        return Some(kube_proxy::node_health(request, now));
    }
    let tables = simulation.network.tables();
    let (namespace, name) = tables.health_service(port)?;
    let count = tables.local_ready(namespace, name, node);
    Some(kube_proxy::service_health(namespace, name, count, request, now))
}

/// Reads files that somebody wrote into a container.
type ReadFile = Box<dyn Fn(&str) -> Option<String>>;

fn written_files(invocation: &Invocation, pod: &Key, container: &str) -> Option<ReadFile> {
    let uid = invocation
        .host
        .with(|simulation| simulation.cluster.get(pod).map(|object| object.meta.uid.clone()))?;
    let address = Address::Container {
        namespace: pod.namespace.to_string(),
        pod: pod.name.to_string(),
        uid: uid.to_string(),
        container: container.to_owned(),
    };
    let files = invocation.host.existing_files(&address)?;
    Some(Box::new(move |path| files.borrow().read(path).ok().map(|text| text.to_string())))
}

/// What the container behind a connection answers.
fn pod_answer(
    simulation: &Simulation,
    key: &Key,
    connection: &Connection,
    request: &Request,
    file: &dyn Fn(&str) -> Option<String>,
) -> Option<Response> {
    debug_assert_eq!(key.kind, Kind::Pod, "a place in a Pod is named by the Pod's key");
    let object = simulation.cluster.get(key)?;
    let pod = object.as_pod()?;
    let packet = &connection.delivery.packet;
    let listener = connection.delivery.listener.as_ref()?;
    let container = pod.spec.containers.iter().find(|one| one.name == listener.program)?;
    let args: Vec<String> = ["command", "args"]
        .iter()
        .flat_map(|field| container.document.get(field).items())
        .map(|word| word.str().to_owned())
        .collect();
    let started = simulation
        .runtime
        .latest(&object.meta.uid, &container.name)
        .map_or(Instant(0), |(_, run)| run.started);
    let server = Server {
        image: &Reference::parse(&container.image)?,
        args: &args,
        hostname: hostname(object)?,
        addresses: &pod.ips,
        client: packet.source,
        local: packet.destination,
        now: simulation.cluster.timestamp(),
        up_seconds: (simulation.cluster.now() - started).as_ms() / 1000.0,
        file,
    };
    answer(listener.app, request, &server)
}
