//! What is due and when.
//!
//! Owns the one queue of a cluster, ordered by (time, sequence). It runs nothing: the simulation takes what
//! is due and hands it to whom it concerns. An idle cluster has an empty queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::actor::Actor;
use super::clock::Instant;
use crate::api::object::Key;

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A controller has keys to reconcile.
    Reconcile(Actor),
    /// A controller wants to look at one key again (back-off, probe, grace period).
    Requeue(Actor, Key),
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<(Instant, u64, Due)>>,
    sequence: u64,
}

impl Queue {
    /// Puts something in. Things due at the same time keep the order in which they were put in.
    pub fn push(&mut self, at: Instant, due: Due) {
        self.sequence += 1;
        self.heap.push(Reverse((at, self.sequence, due)));
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next thing, with its time.
    pub fn pop(&mut self) -> Option<(Instant, Due)> {
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }

    /// The number of things in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is due, ever.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
