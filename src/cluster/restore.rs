//! Putting saved objects back into an empty cluster.
//!
//! Owns the way in that is no request: documents that a cluster has already accepted are stored as they
//! are, through the same commit as any other write. Followers of the journal see that it begins late, and
//! list anew.

use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use super::clock::Instant;
use super::random::Random;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;

impl Cluster {
    /// Puts objects into an empty cluster: they come back as they were at `revision` and at the time `now`,
    /// and the generator goes on where it was ([`Random::state`]).
    pub fn restore_objects(&mut self, objects: Vec<(Kind, Value)>, revision: u64, now: Instant, random: u64) {
        self.journal.begin_after(revision);
        self.set_now(now);
        for (kind, mut value) in objects {
            self.prototypes.compact(&mut value);
            self.commit(Actor::Undo, None, Some(Arc::new(Object::new(kind, value, None))));
        }
        self.random = Random::new(random);
    }
}
