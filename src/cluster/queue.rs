//! What is due and when.
//!
//! Owns the one queue of a cluster, ordered by (time, sequence). It runs nothing: the simulation takes what
//! is due and hands it to whom it concerns. An idle cluster has an empty queue.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

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
    /// kube-proxy writes what it has heard of.
    ProxySync,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    entries: BTreeMap<(Instant, u64), Due>,
    /// The one timer that a controller has for a key.
    timers: FxHashMap<(Actor, Key), (Instant, u64)>,
    sequence: u64,
}

impl Queue {
    /// Puts something in. Things due at the same time keep the order in which they were put in.
    pub fn push(&mut self, at: Instant, due: Due) {
        self.sequence += 1;
        self.entries.insert((at, self.sequence), due);
    }

    /// Sets or clears the time at which a controller looks at a key again; it replaces an earlier wish.
    pub fn set_timer(&mut self, actor: Actor, key: &Key, at: Option<Instant>) {
        if at.is_none() && self.timers.is_empty() {
            return;
        }
        let timer = (actor, key.clone());
        if let Some(place) = self.timers.get(&timer) {
            if Some(place.0) == at {
                return;
            }
            self.entries.remove(place);
            self.timers.remove(&timer);
        }
        if let Some(at) = at {
            self.push(at, Due::Requeue(actor, key.clone()));
            self.timers.insert(timer, (at, self.sequence));
        }
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next thing, with its time.
    pub fn pop(&mut self) -> Option<(Instant, Due)> {
        let (place, due) = self.entries.pop_first()?;
        if let Due::Requeue(actor, key) = &due {
            let timer = (*actor, key.clone());
            if self.timers.get(&timer) == Some(&place) {
                self.timers.remove(&timer);
            }
        }
        Some((place.0, due))
    }

    /// The number of things in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is due, ever.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;

    #[test]
    fn things_due_at_the_same_time_keep_their_order() {
        let mut queue = Queue::default();
        queue.push(Instant(5), Due::Reconcile(Actor::Kubelet));
        queue.push(Instant(5), Due::Reconcile(Actor::Scheduler));
        queue.push(Instant(1), Due::Reconcile(Actor::Job));
        let order: Vec<Due> = std::iter::from_fn(|| queue.pop()).map(|(_, due)| due).collect();
        let expected = [Actor::Job, Actor::Kubelet, Actor::Scheduler].map(Due::Reconcile);
        assert_eq!(order, expected);
    }

    #[test]
    fn a_timer_replaces_the_one_before_and_can_be_cleared() {
        let key = Key::new(Kind::Pod, "default", "web");
        let mut queue = Queue::default();
        queue.set_timer(Actor::Kubelet, &key, Some(Instant(9)));
        queue.set_timer(Actor::Kubelet, &key, Some(Instant(4)));
        assert_eq!((queue.len(), queue.next_at()), (1, Some(Instant(4))));
        queue.set_timer(Actor::Kubelet, &key, None);
        assert!(queue.is_empty());
    }
}
