//! What every network tool does: find addresses for a name, open a connection, exchange HTTP.
//!
//! Owns the timing of a client (retransmission, its own time limits). What a server answers is
//! [`crate::simulation::answering`]'s. The packets themselves are walked by [`crate::network`], through
//! [`crate::simulation::Simulation::connect`]; names are resolved in [`super::resolver`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::forwards::{Forward, connect_inside};
use super::invocation::Invocation;
use super::places::{Address, Place};
use crate::api::object::Key;
use crate::containers::datagram;
use crate::containers::http::{Request, Response};
use crate::network::{
    Delivery, NoRouteCause, Origin, Outcome, Packet, Place as Where, Sending, Trace, Transport,
};
use crate::simulation::answering::hostname;

/// After how many milliseconds each unanswered SYN is sent again: `tcp_syn_linear_timeouts` = 4 and
/// `tcp_syn_retries` = 6 of Linux, with the timer's own lateness; 134 s in all, as measured.
const SYN_RETRIES_MS: [u64; 11] =
    [1_024, 1_024, 1_024, 1_024, 1_024, 2_048, 4_100, 8_195, 16_390, 32_780, 65_560];

/// The same for an INIT of SCTP: `net.sctp.rto_initial` = 3 s, doubled up to `rto_max` = 60 s,
/// `max_init_retransmits` = 8.
const INIT_RETRIES_MS: [u64; 9] = [3_000, 6_000, 12_000, 24_000, 48_000, 60_000, 60_000, 60_000, 60_000];

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
    connect_by(invocation, Transport::Tcp, port, to, limit).await
}

/// Opens a connection of TCP, or an association of SCTP.
///
/// # Errors
///
/// As [`connect`].
pub async fn connect_by(
    invocation: &Invocation,
    transport: Transport,
    port: Option<u16>,
    to: SocketAddr,
    limit: Option<Duration>,
) -> Result<Connection, Refusal> {
    let sctp = transport == Transport::Sctp;
    let from = origin(&invocation.place);
    let start = invocation.host.now();
    let since = |now: u64| Duration::from_micros(now - start);
    let deadline = limit.map(|limit| start.saturating_add(micros(limit)));
    let mut retries = if sctp { INIT_RETRIES_MS.iter() } else { SYN_RETRIES_MS.iter() };
    // Every repetition is of the same connection: conntrack keeps the backend that the first one got.
    let port =
        port.unwrap_or_else(|| invocation.host.with(|simulation| simulation.network.any_port(transport)));
    let sending = Sending::new(to, transport).from_port(port);
    loop {
        let trace = invocation.host.with(|simulation| simulation.send(&from, &sending));
        let heard = trace.outcome.answer_after_us().filter(|_| !(sctp && is_icmp(&trace.outcome)));
        let wait_us = match heard {
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
            _ if heard.is_none() => continue,
            Outcome::Refused(_) => Failure::Refused,
            Outcome::NoRoute(_) => Failure::NoRoute,
            Outcome::Dropped(_) => continue,
        };
        return Err(Refusal { failure, after: since(invocation.host.now()), trace });
    }
}

/// Whether an answer was an ICMP error, which SCTP takes as a hint and sends on (`sctp_v4_err`): an association is
/// refused by an ABORT alone.
fn is_icmp(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(refusal) => refusal.cause.is_reject(),
        Outcome::NoRoute(no_route) => no_route.cause != NoRouteCause::NoSource,
        Outcome::Delivered(_) | Outcome::Dropped(_) => false,
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
    let delivery = &connection.delivery;
    let listener = delivery.listener.as_ref()?;
    let pod = invocation.host.with(|simulation| simulation.server_pod(delivery));
    let written = pod.and_then(|pod| written_files(invocation, &pod, &listener.program));
    invocation.host.with(|simulation| {
        let file = |path: &str| written.as_ref().and_then(|read| read(path));
        simulation.http_answer(delivery, request, &file)
    })
}

/// What a server answers to a datagram that it got. `None` if it says nothing.
#[must_use]
pub fn datagram_answer(invocation: &Invocation, delivery: &Delivery, text: &str) -> Option<String> {
    let listener = delivery.listener.as_ref()?;
    let hostname = invocation.host.with(|simulation| {
        let pod = simulation.server_pod(delivery)?;
        Some(hostname(simulation.cluster.get(&pod)?)?.clone())
    })?;
    datagram::answer(listener.app, text, &hostname, delivery.packet.source)
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
