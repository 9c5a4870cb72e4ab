//! deployment-controller: keeps ReplicaSets as a Deployment asks for.
//!
//! Owns finding or making the ReplicaSet of the present template, scaling, the two strategies and clearing up
//! old ReplicaSets. The status is in [`status`]. Source: `pkg/controller/deployment` of Kubernetes (`sync.go`,
//! `rolling.go`, `recreate.go`, `util/deployment_util.go`).

mod rollout;
mod status;
mod template;

use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue, fingerprint, owned};
use crate::api::object::{Key, Object};
use crate::api::patch::last_applied::LAST_APPLIED;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::Reason;
use crate::api::value::Value;
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The annotation that counts a Deployment's templates.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
/// The label that tells the Pods of one template.
const HASH: &str = "pod-template-hash";

/// The Deployment controller.
pub(super) struct DeploymentController;

impl Controller for DeploymentController {
    fn actor(&self) -> Actor {
        Actor::Deployment
    }

    fn latency(&self) -> Span {
        Span::from_ms(4)
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::Deployment => dirty.add(entry.key.clone()),
            Kind::ReplicaSet => owned::observe(Kind::Deployment, entry, cluster, dirty),
            // Recreate waits for the last old Pod to be gone.
            Kind::Pod if entry.after.is_none() => {
                let set = entry.object().controller().filter(|owner| owner.kind == "ReplicaSet");
                let set =
                    set.and_then(|owner| cluster.find(Kind::ReplicaSet, &entry.key.namespace, &owner.name));
                if let Some(owner) = set.and_then(|set| set.controller()) {
                    dirty.add(Key::new(Kind::Deployment, entry.key.namespace.clone(), owner.name.clone()));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(object) = context.cluster.get(key).cloned() else { return };
        if object.is_terminating() {
            return;
        }
        let Some(selector) = Selector::of_label_selector(object.spec().get("selector")) else { return };
        let sets = owned::claim(context.cluster, Actor::Deployment, &object, Kind::ReplicaSet, &selector);
        Sync { deployment: object, seen: sets.clone(), sets, context }.run();
    }
}

/// One pass over a Deployment.
struct Sync<'a, 'b> {
    deployment: Arc<Object>,
    /// The ReplicaSets as the pass found them.
    seen: Vec<Arc<Object>>,
    /// The ReplicaSets as they are after what the pass did so far.
    sets: Vec<Arc<Object>>,
    context: &'a mut Context<'b>,
}

/// `status.NAME` of a ReplicaSet or Deployment, 0 where absent.
fn counted(object: &Object, field: &str) -> i64 {
    object.status().get(field).as_int().unwrap_or(0)
}

impl Sync<'_, '_> {
    fn recreates(&self) -> bool {
        self.deployment.spec().at(&["strategy", "type"]).str() == "Recreate"
    }

    fn is_paused(&self) -> bool {
        self.deployment.spec().get("paused").as_bool() == Some(true)
    }

    fn wanted(&self) -> i64 {
        owned::replicas(&self.deployment)
    }

    /// `maxSurge` in Pods.
    fn surge(&self) -> i64 {
        if self.recreates() {
            return 0;
        }
        owned::share(
            self.deployment.spec().at(&["strategy", "rollingUpdate", "maxSurge"]),
            self.wanted(),
            true,
        )
    }

    /// `maxUnavailable` in Pods; one where that and the surge would be none.
    fn unavailable(&self) -> i64 {
        if self.recreates() {
            return 0;
        }
        let rolling = self.deployment.spec().at(&["strategy", "rollingUpdate", "maxUnavailable"]);
        let unavailable = owned::share(rolling, self.wanted(), false);
        let unavailable = if self.surge() == 0 && unavailable == 0 { 1 } else { unavailable };
        unavailable.min(self.wanted())
    }

    fn new_set(&self) -> Option<&Arc<Object>> {
        self.sets
            .iter()
            .filter(|set| template::same(&self.deployment, set))
            .min_by_key(|set| (set.meta.created, set.name().clone()))
    }

    /// The ReplicaSets of earlier templates, oldest first.
    fn old_sets(&self) -> Vec<Arc<Object>> {
        let new = self.new_set().map(|set| set.key.clone());
        let mut old: Vec<Arc<Object>> =
            self.sets.iter().filter(|set| Some(&set.key) != new.as_ref()).cloned().collect();
        old.sort_by_key(|set| (set.meta.created, set.name().clone()));
        old
    }

    /// The sum of `spec.replicas`.
    fn total(&self) -> i64 {
        self.sets.iter().map(|set| owned::replicas(set)).sum()
    }

    /// The sum of `spec.replicas` as the pass found it: the status that a pass writes does not know yet what the
    /// pass changed.
    fn total_seen(&self) -> i64 {
        let seen = |set: &Arc<Object>| self.seen.iter().find(|one| one.key == set.key).cloned();
        self.sets.iter().map(|set| owned::replicas(&seen(set).unwrap_or_else(|| set.clone()))).sum()
    }

    fn run(mut self) {
        self.note_pause();
        if self.is_paused() {
            self.refresh_new_set();
            self.scale_all();
            return self.write_status();
        }
        if self.was_scaled() {
            self.refresh_new_set();
            self.scale_all();
            return self.write_status();
        }
        if self.recreates() {
            self.recreate()
        } else {
            self.roll()
        }
        self.write_status();
    }

    /// Whether `spec.replicas` changed since the ReplicaSets were last scaled.
    fn was_scaled(&self) -> bool {
        let desired =
            |set: &Arc<Object>| set.meta.annotation(DESIRED).and_then(|text| text.parse::<i64>().ok());
        self.sets
            .iter()
            .filter(|set| owned::replicas(set) > 0)
            .any(|set| desired(set).is_some_and(|desired| desired != self.wanted()))
    }

    fn highest_revision(&self, sets: &[Arc<Object>]) -> i64 {
        sets.iter().filter_map(|set| set.meta.annotation(REVISION)?.parse().ok()).max().unwrap_or(0)
    }

    /// Brings the annotations of the present template's ReplicaSet up to date, if there is one: its revision
    /// becomes the highest, which is what an undone rollout does.
    fn refresh_new_set(&mut self) {
        let Some(set) = self.new_set().cloned() else { return };
        let revision = self.highest_revision(&self.old_sets()) + 1;
        let current = set.meta.annotation(REVISION).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let revision = revision.max(current);
        let mut annotations = self.annotations(revision);
        for key in [DESIRED, MAX] {
            if let Some(value) = set.meta.annotation(key) {
                *annotations.field_mut(key) = value.to_owned().into();
            }
        }
        if set.meta.annotations != annotations
            || set.spec().get("minReadySeconds") != self.deployment.spec().get("minReadySeconds")
        {
            let mut document = set.value.clone();
            document.field_mut("metadata").set("annotations", annotations);
            let seconds = self.deployment.spec().get("minReadySeconds").clone();
            if !seconds.is_null() {
                document.set_at(&["spec", "minReadySeconds"], seconds);
            }
            self.update_set(&set, document);
        }
        self.set_revision(revision);
        self.note_progress("FoundNewReplicaSet", format!("Found new replica set \"{}\"", set.name()), true);
    }

    /// The annotations of the present template's ReplicaSet: those of the Deployment with counters.
    fn annotations(&self, revision: i64) -> Value {
        const OWN: [&str; 5] =
            [LAST_APPLIED, REVISION, "deployment.kubernetes.io/revision-history", DESIRED, MAX];
        let mut annotations = Value::map();
        for (key, value) in self.deployment.meta.annotations.entries() {
            if !OWN.contains(&key.as_str()) {
                *annotations.field_mut(key) = value.clone();
            }
        }
        annotations.set(REVISION, revision.to_string());
        annotations.set(DESIRED, self.wanted().to_string());
        annotations.set(MAX, (self.wanted() + self.surge()).to_string());
        annotations
    }

    /// Notes the revision on the Deployment itself.
    fn set_revision(&mut self, revision: i64) {
        let text = revision.to_string();
        if self.deployment.meta.annotation(REVISION) == Some(&text) {
            return;
        }
        let mut document = self.deployment.value.clone();
        document.field_mut("metadata").field_mut("annotations").set(REVISION, text);
        if let Ok(written) = self.context.cluster.update(Actor::Deployment, &self.deployment.key, document) {
            self.deployment = written;
        }
    }

    fn update_set(&mut self, set: &Arc<Object>, document: Value) {
        if let Ok(written) = self.context.cluster.update(Actor::Deployment, &set.key, document)
            && let Some(place) = self.sets.iter_mut().find(|one| one.key == set.key)
        {
            *place = written;
        }
    }

    /// Makes the ReplicaSet of the present template, unless it is there.
    fn make_new_set(&mut self) {
        if self.new_set().is_some() {
            return self.refresh_new_set();
        }
        let revision = self.highest_revision(&self.sets) + 1;
        let collisions = counted(&self.deployment, "collisionCount");
        let hash = fingerprint::hash(self.deployment.spec().get("template"), collisions);
        let replicas = self.room_for_new(None);
        let document = self.new_set_document(&hash, revision, replicas);
        match self.context.cluster.create(
            Actor::Deployment,
            Kind::ReplicaSet,
            self.deployment.namespace(),
            document,
        ) {
            Ok(set) => {
                self.sets.push(set.clone());
                if replicas > 0 {
                    self.say_scaled(&set, 0, replicas);
                }
                self.set_revision(revision);
                self.note_progress(
                    "NewReplicaSetCreated",
                    format!("Created new replica set \"{}\"", set.name()),
                    false,
                );
            }
            Err(status) if status.reason == Reason::AlreadyExists => self.count_collision(collisions + 1),
            Err(status) => {
                let message = format!("Failed to create new replica set: {status}");
                self.context.event(&self.deployment, Event::warning("ReplicaSetCreateError", message));
            }
        }
    }

    fn count_collision(&mut self, collisions: i64) {
        let mut status = self.deployment.status().clone();
        status.set("collisionCount", collisions);
        owned::write_status(self.context.cluster, Actor::Deployment, &self.deployment, status);
    }

    fn new_set_document(&self, hash: &str, revision: i64, replicas: i64) -> Value {
        let spec = self.deployment.spec();
        let mut template = spec.get("template").clone();
        template.field_mut("metadata").field_mut("labels").set(HASH, hash.to_owned());
        let mut selector = spec.get("selector").clone();
        selector.field_mut("matchLabels").set(HASH, hash.to_owned());
        let labels = template.at(&["metadata", "labels"]).clone();
        let mut document = value!({
            "metadata": {
                "name": (format!("{}-{hash}", self.deployment.name())),
                "labels": labels,
                "annotations": (self.annotations(revision)),
                "ownerReferences": [(owned::reference(&self.deployment))]
            },
            "spec": { "replicas": replicas, "selector": selector, "template": template }
        });
        let seconds = spec.get("minReadySeconds");
        if !seconds.is_null() {
            document.set_at(&["spec", "minReadySeconds"], seconds.clone());
        }
        document
    }

    /// Sets a ReplicaSet's size; whether that changed it.
    fn scale(&mut self, set: &Arc<Object>, replicas: i64) -> bool {
        let before = owned::replicas(set);
        let annotations = [(DESIRED, self.wanted()), (MAX, self.wanted() + self.surge())];
        let same =
            annotations.iter().all(|(key, number)| set.meta.annotation(key) == Some(&number.to_string()));
        if before == replicas && same {
            return false;
        }
        let mut document = set.value.clone();
        document.set_at(&["spec", "replicas"], replicas);
        for (key, number) in annotations {
            document.field_mut("metadata").field_mut("annotations").set(key, number.to_string());
        }
        self.update_set(set, document);
        if before != replicas {
            self.say_scaled(set, before, replicas);
        }
        before != replicas
    }

    fn say_scaled(&mut self, set: &Object, from: i64, to: i64) {
        let direction = if to > from { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {} from {from} to {to}", set.name());
        self.context.event(&self.deployment, Event::normal("ScalingReplicaSet", message));
    }
}
