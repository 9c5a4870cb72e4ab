//! A person who does random things: creates, scales, deletes, labels, breaks, undoes, waits.

use portside::api::object::Key;
use portside::api::registry::{KINDS, Kind};
use portside::api::value::Value;
use portside::cluster::clock::Span;
use portside::cluster::request::Options;
use portside::cluster::{Actor, Patch, Request, Settings, Verb};
use portside::simulation::Simulation;
use portside::value;

/// How many different worlds each property is tried in.
pub const SEEDS: std::ops::Range<u64> = 0..24;
/// How many things are done in each.
pub const ACTIONS: usize = 40;
/// Few names, so that things meet.
const NAMES: &[&str] = &["ant", "bee", "cat"];
const NAMESPACES: &[&str] = &["default", "zoo"];
const KINDS_OF_PEOPLE: &[Kind] = &[Kind::Service, Kind::Deployment, Kind::Pod];
/// Longer than anything that ends by itself.
const LIMIT: Span = Span::from_seconds(3600);

/// A world and who plays in it.
pub struct Player {
    pub world: Simulation,
    pub dice: fastrand::Rng,
}

impl Player {
    pub fn new(seed: u64) -> Self {
        let mut world = Simulation::new(Settings { seed, ..Settings::default() });
        let key = Key::new(Kind::Namespace, "", "zoo");
        let document = value!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "zoo" } });
        world.request(Request::new(Actor::User, Verb::Create(document), &key)).result.expect("zoo is new");
        Self { world, dice: fastrand::Rng::with_seed(seed) }
    }

    /// Does so many random things, with random time between them.
    pub fn plays(&mut self, actions: usize) {
        for _ in 0..actions {
            self.acts();
            let micros = self.dice.u64(0..3_000_000);
            self.world.advance_to(self.world.now() + micros);
        }
    }

    /// Does one random thing, as a step that can be undone.
    pub fn acts(&mut self) {
        match self.dice.u8(0..24) {
            0 => drop(self.world.undo()),
            1 => drop(self.world.redo()),
            action => {
                self.world.cluster.begin_step("something");
                self.writes(action);
            }
        }
    }

    /// Lets everything come to rest.
    pub fn rests(&mut self) {
        assert!(self.world.settle(LIMIT), "the world comes to rest");
    }

    /// Sends one random request. Refusals are as good as anything: names meet, objects are gone.
    pub fn writes(&mut self, action: u8) {
        let kind = *self.pick(KINDS_OF_PEOPLE);
        match action {
            2..=5 => self.creates(Kind::Service),
            6..=8 => self.creates(Kind::Deployment),
            9..=11 => self.creates(Kind::Pod),
            12..=14 => {
                let replicas = self.dice.i64(0..7);
                self.patches(Kind::Deployment, value!({ "spec": { "replicas": replicas } }));
            }
            15..=16 => {
                let app = *self.pick(NAMES);
                self.patches(Kind::Pod, value!({ "metadata": { "labels": { "app": app } } }));
            }
            17..=18 => {
                let ready = *self.pick(&["true", "false"]);
                self.patches(Kind::Pod, value!({ "metadata": { "annotations": { "sim/ready": ready } } }));
            }
            19 => {
                let app = *self.pick(NAMES);
                self.patches(Kind::Service, value!({ "spec": { "selector": { "app": app } } }));
            }
            20 => {
                let kind = *self.pick(&["ClusterIP", "NodePort", "LoadBalancer"]);
                self.patches(Kind::Service, value!({ "spec": { "type": kind } }));
            }
            _ => {
                let Some(key) = self.some(kind) else { return };
                let verb = Verb::Delete;
                let request = Request::new(Actor::User, verb, &key).options(Options::default());
                drop(self.world.request(request));
            }
        }
    }

    fn creates(&mut self, kind: Kind) {
        let name = *self.pick(NAMES);
        let namespace = *self.pick(NAMESPACES);
        let app = *self.pick(NAMES);
        let template = value!({
            "metadata": { "labels": { "app": app } },
            "spec": { "containers": [{ "name": "c", "image": "nginx" }] }
        });
        let mut document = match kind {
            Kind::Service => {
                let kind = *self.pick(&["ClusterIP", "NodePort", "LoadBalancer"]);
                value!({ "spec": {
                    "type": kind,
                    "selector": { "app": app },
                    "ports": [
                        { "name": "http", "port": 80 },
                        { "name": "closed", "port": 81, "targetPort": 8081 }
                    ]
                } })
            }
            Kind::Deployment => {
                let replicas = self.dice.i64(0..5);
                value!({ "spec": {
                    "replicas": replicas,
                    "selector": { "matchLabels": { "app": app } },
                    "template": template
                } })
            }
            _ => template,
        };
        document.set("apiVersion", kind.info().api_version);
        document.set("kind", kind.info().name);
        document.set_at(&["metadata", "name"], name);
        let key = Key::new(kind, namespace, name);
        drop(self.world.request(Request::new(Actor::User, Verb::Create(document), &key)));
    }

    fn patches(&mut self, kind: Kind, patch: Value) {
        let Some(key) = self.some(kind) else { return };
        let verb = Verb::Patch(Patch::Merge(patch));
        drop(self.world.request(Request::new(Actor::User, verb, &key)));
    }

    /// Some object of a kind that a person made, or a Pod of such an object.
    fn some(&mut self, kind: Kind) -> Option<Key> {
        let all: Vec<Key> = NAMESPACES
            .iter()
            .flat_map(|namespace| self.world.cluster.list(kind, Some(namespace)))
            .filter(|object| object.name() != "kubernetes")
            .map(|object| object.key.clone())
            .collect();
        self.dice.choice(&all).cloned()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.dice.choice(from).expect("there is something to pick from")
    }
}

/// All documents of a world, by kind, namespace and name.
pub fn documents(world: &Simulation) -> Vec<(Key, Value)> {
    KINDS
        .iter()
        .flat_map(|info| world.cluster.list(info.kind, None))
        .map(|object| (object.key.clone(), object.value.clone()))
        .collect()
}

/// Asserts that two worlds hold the same documents, and names the first that differs.
#[track_caller]
pub fn same(one: &[(Key, Value)], other: &[(Key, Value)], when: &str) {
    let keys =
        |documents: &[(Key, Value)]| -> Vec<Key> { documents.iter().map(|(key, _)| key.clone()).collect() };
    assert_eq!(keys(one), keys(other), "{when}: the same objects");
    for ((key, one), (_, other)) in one.iter().zip(other) {
        assert_eq!(one, other, "{when}: {key:?}");
    }
}
