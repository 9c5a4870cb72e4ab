//! What a person sends by hand over an open connection, and what comes back.
//!
//! Owns the exchange that `ncat` and `socat` have in common: a request of HTTP over TCP, a message for each line over
//! SCTP, a datagram for each line over UDP.

use std::net::SocketAddr;
use std::time::Duration;

use super::nc::{parse_request, spelled};
use crate::network::{Outcome, Sending, Transport};
use crate::shell::client::{Connection, Failure, datagram_answer, exchange, origin};
use crate::shell::invocation::Invocation;

/// How many bytes went each way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchanged {
    /// To the server.
    pub(super) sent: usize,
    /// From it.
    pub(super) received: usize,
}

/// How datagrams fared.
pub(super) enum Ended {
    /// No error came back.
    Well(Exchanged),
    /// One did.
    Failed(Failure),
}

/// Sends standard input over a connection and prints what comes back.
pub(super) async fn talk(invocation: &Invocation, connection: &Connection) -> Exchanged {
    let mut exchanged = Exchanged::default();
    if connection.delivery.packet.transport == Transport::Sctp {
        while let Some(line) = invocation.streams.stdin.line().await {
            exchanged.sent += line.len() + 1;
            if let Some(answer) = datagram_answer(invocation, &connection.delivery, &line) {
                exchanged.received += answer.len();
                invocation.stdout().write(&answer);
            }
        }
        return exchanged;
    }
    let text = invocation.streams.stdin.read_to_end().await;
    exchanged.sent = text.len();
    if let Some(response) =
        parse_request(&text).and_then(|request| exchange(invocation, connection, &request))
    {
        let shown = spelled(&response);
        exchanged.received = shown.len();
        invocation.stdout().write(&shown);
    }
    exchanged
}

/// Sends a datagram for each line of standard input, or a single empty one, and prints what comes back.
pub(super) async fn datagrams(
    invocation: &Invocation,
    to: SocketAddr,
    source: Option<u16>,
    single: bool,
) -> Ended {
    let host = &invocation.host;
    let any = || host.with(|simulation| simulation.network.any_port(Transport::Udp));
    let sending = Sending::new(to, Transport::Udp).from_port(source.unwrap_or_else(any));
    let from = origin(&invocation.place);
    let mut exchanged = Exchanged::default();
    loop {
        let line = match single {
            true => String::new(),
            false => match invocation.streams.stdin.line().await {
                Some(line) => line,
                None => return Ended::Well(exchanged),
            },
        };
        exchanged.sent += line.len() + usize::from(!single);
        let trace = host.with(|simulation| simulation.send(&from, &sending));
        let wait = trace.outcome.answer_after_us().unwrap_or(0);
        invocation.sleep(Duration::from_micros(wait)).await;
        match &trace.outcome {
            Outcome::Refused(_) => return Ended::Failed(Failure::Refused),
            Outcome::NoRoute(_) => return Ended::Failed(Failure::NoRoute),
            Outcome::Delivered(delivery) => {
                if let Some(answer) = datagram_answer(invocation, delivery, &line) {
                    exchanged.received += answer.len();
                    invocation.stdout().write(&answer);
                }
            }
            Outcome::Dropped(_) => {}
        }
        if single {
            return Ended::Well(exchanged);
        }
    }
}
