//! Packets that were sent of late: what the page animates and `trace` shows.
//!
//! Owns a short list of traces with the time and the sender of each, and [`Simulation::connect`], through which
//! every command sends its packets. The walk itself is [`crate::network`]'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Simulation;
use super::incidents::Incident;
use super::initiator::Initiator;
use crate::cluster::clock::Instant;
use crate::network::{Origin, Sending, Trace, Transport};

/// How many traces are kept: more than fly at once, and few enough to hold whole.
const TRACE_LIMIT: usize = 512;

/// A packet that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Counts from 1 on, through the life of the world.
    pub number: u64,
    /// When it was sent.
    pub at: Instant,
    /// Who sent it.
    pub from: Origin,
    /// On whose behalf.
    pub initiator: Initiator,
    /// Its way.
    pub trace: Arc<Trace>,
}

/// What was sent of late.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: VecDeque<Sent>,
    count: u64,
}

impl Traffic {
    /// How many packets were sent since the world began.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What was sent after packet number `number` and is still kept, oldest first.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(move |sent| sent.number > number)
    }

    /// The last packet that was sent, if it is kept.
    #[must_use]
    pub fn last(&self) -> Option<&Sent> {
        self.sent.back()
    }

    fn record(&mut self, at: Instant, from: Origin, initiator: Initiator, trace: Arc<Trace>) {
        self.count += 1;
        self.sent.push_back(Sent { number: self.count, at, from, initiator, trace });
        if self.sent.len() > TRACE_LIMIT {
            self.sent.pop_front();
        }
    }
}

impl Simulation {
    /// Opens a connection, or sends a datagram or a ping: how it ended, and every hop on the way.
    pub fn connect(&mut self, from: &Origin, to: SocketAddr, transport: Transport) -> Arc<Trace> {
        self.send(from, &Sending::new(to, transport))
    }

    /// Sends a packet with details of its own: source port, time to live.
    pub fn send(&mut self, from: &Origin, sending: &Sending) -> Arc<Trace> {
        let trace = Arc::new(self.network.send(&self.cluster, from, sending));
        self.traffic.record(self.cluster.now(), from.clone(), self.initiator, trace.clone());
        self.counters.add(&self.network, trace.clone(), 1);
        self.note(Incident::Connection { from: from.clone(), trace: trace.clone() });
        trace
    }
}
