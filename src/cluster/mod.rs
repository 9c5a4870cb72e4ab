//! One cluster: its objects, their history, its addresses, its clock, and the API server's door.
//!
//! Owns the store, the journal with undo, the indexes, the allocators, the event queue and the seeded
//! generator. It does not own controllers, packets or commands: those follow the journal and come back
//! through [`Cluster::request`]. Start at [`request`] (what can be asked), then [`journal`].

pub mod actor;
mod admission;
pub mod allocators;
pub mod clock;
mod decoding;
mod deletion;
pub mod disruption;
mod door;
mod field_selector;
mod identity;
pub mod indexes;
mod ip_addresses;
pub mod journal;
mod label_selector;
mod limits;
pub mod managers;
mod patching;
pub mod queue;
pub mod quota;
#[cfg(test)]
mod quota_tests;
pub mod random;
pub mod request;
mod restore;
mod scale;
mod services;
pub mod setting;
pub mod settings;
mod siblings;
mod store;
pub mod undo;
mod unstored;

use std::sync::Arc;

use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::time::Timestamp;
use crate::api::value::Prototypes;

pub use actor::Actor;
use allocators::Allocators;
use clock::Instant;
use indexes::Indexes;
use journal::Journal;
use queue::Queue;
use random::Random;
pub use request::{Body, Patch, Reply, Request, Verb};
pub use settings::{Kubelets, Settings};
use store::Store;

/// A simulated cluster.
#[derive(Debug)]
pub struct Cluster {
    settings: Settings,
    settings_version: u64,
    now: Instant,
    store: Store,
    journal: Journal,
    indexes: Indexes,
    allocators: Allocators,
    queue: Queue,
    random: Random,
    steps: undo::Steps,
    siblings: siblings::Siblings,
    prototypes: Prototypes,
    writer: managers::Writer,
}

impl Cluster {
    /// An empty cluster: no object at all. [`crate::simulation`] fills it with what a new cluster has.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            now: Instant::default(),
            store: Store::default(),
            journal: Journal::default(),
            indexes: Indexes::default(),
            allocators: Allocators::new(&settings),
            queue: Queue::default(),
            random: Random::new(settings.seed),
            steps: undo::Steps::default(),
            siblings: siblings::Siblings::default(),
            settings_version: 0,
            prototypes: Prototypes::default(),
            writer: managers::Writer::default(),
            settings,
        }
    }

    /// The settings of this world.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, for changing. What exists already is not changed by it.
    pub fn settings_mut(&mut self) -> &mut Settings {
        self.settings_version += 1;
        &mut self.settings
    }

    /// How often the settings may have changed: controllers that depend on them look when it grows.
    #[must_use]
    pub fn settings_version(&self) -> u64 {
        self.settings_version
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The virtual time as objects carry it: whole seconds on the world's calendar.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp_of(self.now)
    }

    /// An instant as objects carry it.
    #[must_use]
    pub fn timestamp_of(&self, at: Instant) -> Timestamp {
        Timestamp(
            self.settings.epoch.0 + i64::try_from(at.as_seconds()).expect("the clock stays within centuries"),
        )
    }

    /// The instant at which a timestamp's second begins; time zero for earlier ones.
    #[must_use]
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        Instant::from_seconds(u64::try_from(at.0 - self.settings.epoch.0).unwrap_or(0))
    }

    /// Moves the clock forward; it never goes back.
    pub fn set_now(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// The object with this key, if it exists. Reading through this is what a watch cache is to a real
    /// controller.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.store.get(key)
    }

    /// The object with this name, if it exists.
    #[must_use]
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.store.find(kind, namespace, name)
    }

    /// All objects of a kind, by namespace and name; of one namespace if one is given.
    pub fn list<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.store.list(kind, namespace)
    }

    /// The number of objects of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.store.count(kind)
    }

    /// Lookups by label, owner, node and address.
    #[must_use]
    pub fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    /// The history of writes.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What is due and when.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What is due and when, for putting something in or taking it out.
    pub fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// The seeded generator.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Pod addresses, Service addresses and node ports that are given out.
    #[must_use]
    pub fn allocators(&self) -> &Allocators {
        &self.allocators
    }

    /// The allocators, for taking a Pod address (the network plugin's business) or a Pod range for a node.
    pub fn allocators_mut(&mut self) -> &mut Allocators {
        &mut self.allocators
    }
}
