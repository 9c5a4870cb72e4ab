//! statefulset-controller: keeps numbered Pods, one for each ordinal.
//!
//! Owns the order in which Pods are made, replaced and removed, their claims, the revisions of the template and
//! the status. What a Pod of an ordinal looks like is in [`identity`]. It makes claims for volumes; whether a
//! claim is ever bound is not its business. Source: `stateful_set_control.go` of Kubernetes.

pub(super) mod identity;

use std::sync::Arc;

use super::revisions::{self, Draft};
use super::{Context, Controller, Event, WorkQueue, owned};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::value::{SmolStr, Value};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The label under which a StatefulSet's revision carries its hash.
const REVISION_HASH: &str = "controller.kubernetes.io/hash";

/// The StatefulSet controller.
pub(super) struct StatefulSetController;

impl Controller for StatefulSetController {
    fn actor(&self) -> Actor {
        Actor::StatefulSet
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::StatefulSet => dirty.add(entry.key.clone()),
            Kind::Pod => {
                owned::observe(Kind::StatefulSet, entry, cluster, dirty);
                // A name that a foreign Pod held becomes free.
                if entry.after.is_none()
                    && let Some((parent, _)) = identity::parse(&entry.key.name)
                    && let Some(set) = cluster.find(Kind::StatefulSet, &entry.key.namespace, parent)
                {
                    dirty.add(set.key.clone());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(set) = context.cluster.get(key).cloned() else { return };
        let Some(selector) = owned::selector_of(&set) else { return };
        let fits =
            |pod: &Object| selector.matches(&pod.meta.labels) && identity::ordinal(&set, pod).is_some();
        let pods = owned::claim_where(context.cluster, Actor::StatefulSet, &set, Kind::Pod, &fits);
        let revisions = revisions::list(context.cluster, Actor::StatefulSet, &set, &selector);
        let mut collisions = set.status().get("collisionCount").as_int().unwrap_or(0);
        let Some((current, update)) = present(context.cluster, &set, &revisions, &mut collisions) else {
            return;
        };
        let mut sync = Sync { current, update, collisions, start: identity::start(&set), set, context };
        let (mut replicas, mut condemned) = sync.sort(pods);
        sync.run(&mut replicas, &mut condemned);
        let all: Vec<Arc<Object>> = replicas.into_iter().flatten().chain(condemned).collect();
        sync.write_status(&all);
        sync.forget_old(&revisions, &all);
    }
}

/// The revisions that Pods had and shall have.
fn present(
    cluster: &mut Cluster,
    set: &Object,
    revisions: &[Arc<Object>],
    collisions: &mut i64,
) -> Option<(Arc<Object>, Arc<Object>)> {
    let data = revisions::data(set);
    let next = revisions.last().map_or(0, |last| revisions::number(last)) + 1;
    let equal = revisions.iter().rfind(|one| *one.value.get("data") == data);
    let update = match (equal, revisions.last()) {
        (Some(_), Some(last)) if *last.value.get("data") == data => last.clone(),
        (Some(equal), _) => revisions::renumber(cluster, Actor::StatefulSet, equal, next),
        (None, _) => Draft { owner: set, number: next, hash_label: REVISION_HASH }.create(
            cluster,
            Actor::StatefulSet,
            collisions,
        )?,
    };
    let named = set.status().get("currentRevision").str();
    let current = revisions.iter().find(|one| one.name() == named).unwrap_or(&update).clone();
    Some((current, update))
}

/// One pass over a StatefulSet.
struct Sync<'a, 'b> {
    set: Arc<Object>,
    current: Arc<Object>,
    update: Arc<Object>,
    collisions: i64,
    start: i64,
    context: &'a mut Context<'b>,
}

/// Whether a pass goes on after a Pod was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl Sync<'_, '_> {
    fn wanted(&self) -> usize {
        usize::try_from(owned::replicas(&self.set)).unwrap_or(0)
    }

    fn min_ready(&self) -> i64 {
        self.set.spec().get("minReadySeconds").as_int().unwrap_or(0)
    }

    /// Whether one Pod waits for the other.
    fn is_ordered(&self) -> bool {
        self.set.spec().get("podManagementPolicy").str() != "Parallel"
    }

    /// The Pods by ordinal, and those beyond the last ordinal, highest first.
    fn sort(&self, pods: Vec<Arc<Object>>) -> (Vec<Option<Arc<Object>>>, Vec<Arc<Object>>) {
        let mut replicas = vec![None; self.wanted()];
        let mut condemned = Vec::new();
        for pod in pods {
            let Some(ordinal) = identity::ordinal(&self.set, &pod) else { continue };
            let place = usize::try_from(ordinal - self.start).ok().and_then(|at| replicas.get_mut(at));
            match place {
                Some(place) => *place = Some(pod),
                None => condemned.push(pod),
            }
        }
        condemned.sort_by_key(|pod| std::cmp::Reverse(identity::ordinal(&self.set, pod)));
        (replicas, condemned)
    }

    fn is_available(&self, pod: &Object) -> bool {
        is_running_and_ready(pod)
            && owned::is_available(pod, self.min_ready(), self.context.cluster.timestamp())
    }

    fn run(&mut self, replicas: &mut [Option<Arc<Object>>], condemned: &mut [Arc<Object>]) {
        if self.set.is_terminating() {
            return;
        }
        let lowest = condemned.iter().rev();
        let first_unavailable = replicas
            .iter()
            .map(|pod| pod.as_ref())
            .chain(lowest.map(Some))
            .find(|pod| pod.is_none_or(|pod| pod.is_terminating() || !self.is_available(pod)))
            .flatten()
            .map(|pod| pod.key.clone());
        for at in 0..replicas.len() {
            if self.keep(replicas, at) == Then::Stop && self.is_ordered() {
                return;
            }
        }
        for pod in condemned.iter() {
            if self.condemn(pod, first_unavailable.as_ref()) == Then::Stop && self.is_ordered() {
                return;
            }
        }
        if self.set.spec().at(&["updateStrategy", "type"]).str() != "OnDelete" {
            self.roll(replicas);
        }
    }

    /// Sees to the Pod at a place (`processReplica`).
    fn keep(&mut self, replicas: &mut [Option<Arc<Object>>], at: usize) -> Then {
        let ordinal = self.start + i64::try_from(at).expect("replicas are counted with 32 bits");
        let Some(pod) = replicas[at].clone() else {
            match self.create(ordinal) {
                Some(pod) => replicas[at] = Some(pod),
                None => return Then::Stop,
            }
            return if self.is_ordered() { Then::Stop } else { Then::GoOn };
        };
        if pod.as_pod().is_some_and(|pod| pod.is_finished()) {
            if !pod.is_terminating() {
                self.delete(&pod);
            }
            return Then::Stop;
        }
        if pod.as_pod().is_some_and(|pod| pod.phase == "Pending") {
            // Whatever became of it, the Pod waits by itself for its claims.
            let _made = self.make_claims(ordinal, pod.name());
        }
        if pod.is_terminating() || !self.is_available(&pod) {
            return if self.is_ordered() { Then::Stop } else { Then::GoOn };
        }
        self.own_claims(ordinal, None);
        if !identity::is_labelled(&pod) {
            let document = identity::labelled(&pod, ordinal);
            let updated = self.context.cluster.update(Actor::StatefulSet, &pod.key, document);
            self.say("Update", pod.name(), updated.as_ref().err());
            if let Ok(updated) = updated {
                replicas[at] = Some(updated);
            }
        }
        Then::GoOn
    }

    /// Removes a Pod beyond the last ordinal (`processCondemned`).
    fn condemn(&mut self, pod: &Arc<Object>, first_unavailable: Option<&Key>) -> Then {
        if pod.is_terminating() {
            return Then::Stop;
        }
        if self.is_ordered() && !self.is_available(pod) && first_unavailable != Some(&pod.key) {
            return Then::Stop;
        }
        if let Some(ordinal) = identity::ordinal(&self.set, pod) {
            self.own_claims(ordinal, Some(pod));
        }
        self.delete(pod);
        Then::Stop
    }

    /// Lets the claims of an ordinal go with whom the retention policy says: with the set, or with a Pod that is
    /// removed for good.
    fn own_claims(&mut self, ordinal: i64, condemned: Option<&Object>) {
        let policy = self.set.spec().get("persistentVolumeClaimRetentionPolicy");
        let deletes = |when: &str| policy.get(when).str() == "Delete";
        if !deletes("whenDeleted") && !deletes("whenScaled") {
            return;
        }
        let owner = match condemned.filter(|_| deletes("whenScaled")) {
            Some(pod) => Some(owned::reference(pod)),
            None => deletes("whenDeleted").then(|| owned::reference(&self.set)),
        };
        let references: Vec<Value> = owner.into_iter().collect();
        for claim in identity::claims(&self.set, ordinal) {
            let name = claim.at(&["metadata", "name"]).smol();
            let key = Key::new(Kind::PersistentVolumeClaim, self.set.namespace().clone(), name);
            let Some(found) = self.context.cluster.get(&key).cloned() else { continue };
            if found.value.at(&["metadata", "ownerReferences"]).items() == references {
                continue;
            }
            let mut document = found.value.clone();
            document.field_mut("metadata").set("ownerReferences", references.clone());
            // It may have changed meanwhile; the next look sets it right.
            let _written = self.context.cluster.update(Actor::StatefulSet, &key, document);
        }
    }

    /// Replaces the highest Pod of another revision, one at a time.
    fn roll(&mut self, replicas: &[Option<Arc<Object>>]) {
        let partition = self.set.spec().at(&["updateStrategy", "rollingUpdate", "partition"]).as_int();
        let least = usize::try_from(partition.unwrap_or(0)).unwrap_or(0);
        for pod in replicas.iter().skip(least).rev().flatten() {
            if revisions::of_pod(pod) != *self.update.name() && !pod.is_terminating() {
                return self.delete(pod);
            }
            if pod.is_terminating() || !self.is_available(pod) {
                return;
            }
        }
    }

    /// The revision that the Pod of an ordinal is made from (`newVersionedStatefulSetPod`).
    fn revision_for(&self, ordinal: i64) -> &Arc<Object> {
        let strategy = self.set.spec().get("updateStrategy");
        let rolling = strategy.get("rollingUpdate");
        let kept = match rolling.get("partition").as_int() {
            Some(partition) => partition,
            None if strategy.get("type").str() == "RollingUpdate" => {
                self.set.status().get("currentReplicas").as_int().unwrap_or(0)
            }
            None => 0,
        };
        if ordinal < self.start + kept { &self.current } else { &self.update }
    }

    fn create(&mut self, ordinal: i64) -> Option<Arc<Object>> {
        let revision = self.revision_for(ordinal).clone();
        let template = revisions::template(&revision);
        let document = identity::pod(&self.set, &template, revision.name(), ordinal);
        let name = document.at(&["metadata", "name"]).smol();
        if let Err(status) = self.make_claims(ordinal, &name) {
            self.say("Create", &name, Some(&status));
            return None;
        }
        let namespace = self.set.namespace().clone();
        let created = self.context.cluster.create(Actor::StatefulSet, Kind::Pod, &namespace, document);
        match created {
            Ok(pod) => {
                self.say("Create", &name, None);
                Some(pod)
            }
            // A Pod that is not of this set has the name; the controller waits for it to go.
            Err(status) if status.reason == Reason::AlreadyExists => None,
            Err(status) => {
                self.say("Create", &name, Some(&status));
                None
            }
        }
    }

    fn make_claims(&mut self, ordinal: i64, pod: &SmolStr) -> Result<(), Status> {
        for claim in identity::claims(&self.set, ordinal) {
            let name = claim.at(&["metadata", "name"]).smol();
            let namespace = self.set.namespace().clone();
            if self.context.cluster.find(Kind::PersistentVolumeClaim, &namespace, &name).is_some() {
                continue;
            }
            let made = self.context.cluster.create(
                Actor::StatefulSet,
                Kind::PersistentVolumeClaim,
                &namespace,
                claim,
            );
            let set = self.set.name();
            let event = match &made {
                Ok(_) => Event::normal(
                    "SuccessfulCreate",
                    format!("Create Claim {name} Pod {pod} in StatefulSet {set} success"),
                ),
                Err(why) => Event::warning(
                    "FailedCreate",
                    format!(
                        "Create Claim {name} for Pod {pod} in StatefulSet {set} failed error: {}",
                        why.message
                    ),
                ),
            };
            self.context.event(&self.set, event);
            made?;
        }
        self.own_claims(ordinal, None);
        Ok(())
    }

    fn delete(&mut self, pod: &Object) {
        let options = Options { uid: pod.meta.uid.clone(), ..Options::default() };
        let deleted = self.context.cluster.delete(Actor::StatefulSet, &pod.key, options);
        self.say("Delete", pod.name(), deleted.as_ref().err());
    }

    fn say(&mut self, verb: &'static str, pod: &SmolStr, failure: Option<&Status>) {
        let set = self.set.name();
        let event = match (verb, failure) {
            ("Create", None) => Event::normal("SuccessfulCreate", String::new()),
            ("Delete", None) => Event::normal("SuccessfulDelete", String::new()),
            (_, None) => Event::normal("SuccessfulUpdate", String::new()),
            ("Create", Some(_)) => Event::warning("FailedCreate", String::new()),
            ("Delete", Some(_)) => Event::warning("FailedDelete", String::new()),
            (_, Some(_)) => Event::warning("FailedUpdate", String::new()),
        };
        let message = match failure {
            None => format!("{verb} Pod {pod} in StatefulSet {set} successful"),
            Some(why) => format!("{verb} Pod {pod} in StatefulSet {set} failed error: {}", why.message),
        };
        self.context.event(&self.set, Event { message, ..event });
    }

    fn write_status(&mut self, pods: &[Arc<Object>]) {
        let pods: Vec<Arc<Object>> =
            pods.iter().map(|pod| self.context.cluster.get(&pod.key).unwrap_or(pod).clone()).collect();
        let made = |pod: &&Arc<Object>| !pod.as_pod().is_some_and(|pod| pod.phase.is_empty());
        let of = |revision: &Object| {
            let living = pods.iter().filter(made).filter(|pod| !pod.is_terminating());
            living.filter(|pod| revisions::of_pod(pod) == *revision.name()).count()
        };
        let ready = pods.iter().filter(|pod| is_running_and_ready(pod)).count();
        let available = pods.iter().filter(|pod| self.is_available(pod)).count();
        let (total, updated) = (pods.iter().filter(made).count(), of(&self.update));
        let (mut current, mut revision) = (of(&self.current), self.current.name());
        let wanted = self.wanted();
        let rolls = self.set.spec().at(&["updateStrategy", "type"]).str() == "RollingUpdate";
        if rolls && [updated, ready, total].iter().all(|count| *count == wanted) {
            (current, revision) = (updated, self.update.name());
        }
        let mut status = value!({
            "availableReplicas": available,
            "collisionCount": (self.collisions),
            "currentRevision": revision,
            "observedGeneration": (self.set.meta.generation),
            "replicas": total,
            "updateRevision": (self.update.name())
        });
        for (field, count) in
            [("currentReplicas", current), ("readyReplicas", ready), ("updatedReplicas", updated)]
        {
            if count > 0 {
                status.set(field, count);
            }
        }
        if let Some(after) = owned::until_available(&pods, self.min_ready(), self.context.cluster) {
            self.context.requeue(after);
        }
        owned::write_status(self.context.cluster, Actor::StatefulSet, &self.set, status);
    }

    /// Removes revisions that no Pod has, beyond `revisionHistoryLimit`.
    fn forget_old(&mut self, revisions: &[Arc<Object>], pods: &[Arc<Object>]) {
        let limit = self.set.spec().get("revisionHistoryLimit").as_int().unwrap_or(10);
        let in_use = |revision: &Object| {
            let name = revision.name();
            name == self.current.name()
                || name == self.update.name()
                || pods.iter().any(|pod| revisions::of_pod(pod) == *name)
        };
        let old: Vec<Arc<Object>> = revisions.iter().filter(|one| !in_use(one)).cloned().collect();
        revisions::forget(self.context.cluster, Actor::StatefulSet, &old, limit, &|_| false);
    }
}

/// Whether a Pod runs and is ready.
fn is_running_and_ready(object: &Object) -> bool {
    object.as_pod().is_some_and(|pod| pod.phase == "Running" && pod.ready)
}
