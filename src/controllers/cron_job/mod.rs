//! cronjob-controller: makes Jobs at the times of a schedule.
//!
//! Owns making the Job that is due, what happens if the one before still runs, and how many that have ended are
//! kept. Which times are due is in [`due`]. Source: `cronjob_controllerv2.go` of Kubernetes.

mod due;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::job::conditions;
use super::{Context, Controller, Event, WorkQueue, owned};
use due::Times;

use crate::api::cron::Schedule;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::status::Reason;
use crate::api::time::Timestamp;
use crate::api::time_zone::TimeZone;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::request::{Options, Propagation};
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The annotation with the time for which a Job was made.
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// How long after the full minute the controller looks (`nextScheduleDelta`).
const DELTA: Span = Span::from_ms(100);
/// More missed times than this are told of.
const TOO_MANY: i64 = 100;

/// The CronJob controller.
#[derive(Default)]
pub(super) struct CronJobController {
    /// CronJobs whose schedule was changed: what the new one has missed is not made up for at once.
    rescheduled: BTreeSet<Key>,
}

impl Controller for CronJobController {
    fn actor(&self) -> Actor {
        Actor::CronJob
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::CronJob => {
                if let (Some(before), Some(after)) = (&entry.before, &entry.after)
                    && ["schedule", "timeZone"]
                        .iter()
                        .any(|field| before.spec().get(field) != after.spec().get(field))
                {
                    self.rescheduled.insert(entry.key.clone());
                }
                dirty.add(entry.key.clone());
            }
            Kind::Job => {
                let owner = entry.object().controller().filter(|owner| owner.kind == Kind::CronJob.name());
                if let Some(owner) = owner {
                    dirty.add(Key::new(Kind::CronJob, entry.key.namespace.clone(), owner.name.clone()));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(object) = context.cluster.get(key).cloned() else { return };
        let owned = context.cluster.indexes().owned_by(&object.meta.uid);
        let keys: Vec<Key> = owned.filter(|key| key.kind == Kind::Job).cloned().collect();
        let jobs: Vec<Arc<Object>> =
            keys.iter().filter_map(|key| context.cluster.get(key)).cloned().collect();
        let mut status = object.status().clone();
        if status.is_null() {
            status = Value::map();
        }
        let rescheduled = self.rescheduled.remove(key);
        let mut sync = Sync { object, jobs, status, context };
        sync.follow_jobs();
        if !sync.object.is_terminating() {
            sync.schedule(rescheduled);
            sync.forget_old();
        }
        owned::write_status(sync.context.cluster, Actor::CronJob, &sync.object, sync.status);
    }
}

/// One look at a CronJob.
struct Sync<'a, 'b> {
    object: Arc<Object>,
    jobs: Vec<Arc<Object>>,
    status: Value,
    context: &'a mut Context<'b>,
}

impl Sync<'_, '_> {
    fn say(&mut self, reason: &'static str, message: String) {
        self.context.event(&self.object, Event::normal(reason, message));
    }

    fn warn(&mut self, reason: &'static str, message: String) {
        self.context.event(&self.object, Event::warning(reason, message));
    }

    /// The Jobs that the status calls active: uid and name.
    fn active(&self) -> Vec<(SmolStr, SmolStr)> {
        let active = self.status.get("active").items().iter();
        active.map(|one| (one.get("uid").smol(), one.get("name").smol())).collect()
    }

    fn drop_active(&mut self, uid: &str) {
        let active = self.status.field_mut("active").list_mut();
        active.retain(|one| one.get("uid").str() != uid);
        if active.is_empty() {
            self.status.remove("active");
        }
    }

    /// Notes which Jobs have ended or are gone.
    fn follow_jobs(&mut self) {
        let active = self.active();
        for job in self.jobs.clone() {
            let uid = &job.meta.uid;
            let known = active.iter().any(|(known, _)| known == uid);
            let ended = conditions::has_ended(job.status());
            if !known && !ended && !job.is_terminating() {
                let message =
                    format!("Saw a job that the controller did not create or forgot: {}", job.name());
                self.warn("UnexpectedJob", message);
            } else if known && ended {
                self.drop_active(uid);
                let end = conditions::end(job.status());
                self.say("SawCompletedJob", format!("Saw completed job: {}, condition: {end}", job.name()));
            }
            let completed = Timestamp::of(job.status().get("completionTime"));
            let last = Timestamp::of(self.status.get("lastSuccessfulTime"));
            if let Some(completed) = completed.filter(|at| last.is_none_or(|last| *at > last)) {
                self.status.set("lastSuccessfulTime", completed);
            }
        }
        for (uid, name) in active {
            if !self.jobs.iter().any(|job| job.meta.uid == uid) {
                self.say("MissingJob", format!("Active job went missing: {name}"));
                self.drop_active(&uid);
            }
        }
    }

    /// Makes the Job that is due, unless the schedule is new, and plans the next look.
    fn schedule(&mut self, rescheduled: bool) {
        let spec = self.object.spec().clone();
        let name = spec.get("timeZone").str();
        let zone = match TimeZone::find(name) {
            Ok(zone) => zone,
            Err(why) => return self.warn("UnknownTimeZone", format!("invalid timeZone: {name:?}: {why}")),
        };
        if spec.get("suspend").as_bool() == Some(true) {
            return;
        }
        let text = spec.get("schedule").str();
        let schedule = match Schedule::parse(text) {
            Ok(schedule) => schedule,
            Err(why) => {
                return self.warn("UnparseableSchedule", format!("unparseable schedule: {text:?} : {why}"));
            }
        };
        let times = Times { schedule, zone };
        match if rescheduled { Ok(None) } else { self.due(&times) } {
            Ok(Some(due)) => self.start(due),
            Ok(None) => {}
            Err(why) => return self.warn("InvalidSchedule", format!("invalid schedule: {text} : {why}")),
        }
        self.wait(&times);
    }

    /// Waits for the next time: after the last that has passed, whatever became of it.
    fn wait(&mut self, times: &Times) {
        let (from, now) = (self.dealt_with(), self.context.cluster.timestamp());
        let last = times.missed(from, now).map_or(Some(now), |missed| missed.last);
        if let Some(next) = times.next(last.unwrap_or(from)) {
            let after = self.context.cluster.instant_of(next) - self.context.cluster.now();
            self.context.requeue(after + DELTA);
        }
    }

    /// The time up to which everything was dealt with.
    fn dealt_with(&self) -> Timestamp {
        Timestamp::of(self.status.get("lastScheduleTime")).unwrap_or(self.object.meta.created)
    }

    /// The last time of the schedule for which no Job was made, if there is one.
    fn due(&mut self, times: &Times) -> Result<Option<Timestamp>, &'static str> {
        let now = self.context.cluster.timestamp();
        let deadline = self.object.spec().get("startingDeadlineSeconds").as_int();
        let dealt_with = self.dealt_with();
        let from = deadline.map_or(dealt_with, |deadline| dealt_with.max(Timestamp(now.0 - deadline)));
        let missed = times.missed(from, now)?;
        if missed.count > TOO_MANY {
            self.warn(
                "TooManyMissedTimes",
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
                    .to_owned(),
            );
        }
        Ok(missed.last)
    }

    fn start(&mut self, due: Timestamp) {
        let name = format!("{}-{}", self.object.name(), due.0.div_euclid(60));
        if self.active().iter().any(|(_, known)| *known == name) {
            return;
        }
        let policy = self.object.spec().get("concurrencyPolicy").smol();
        if policy == "Forbid" && !self.active().is_empty() {
            let message =
                "Not starting job because prior execution is running and concurrency policy is Forbid";
            return self.say("JobAlreadyActive", message.to_owned());
        }
        if policy == "Replace" {
            for (uid, name) in self.active() {
                self.delete(&uid, &name);
            }
        }
        let document = self.document(&name, due);
        let namespace = self.object.namespace().clone();
        match self.context.cluster.create(Actor::CronJob, Kind::Job, &namespace, document) {
            Ok(job) => {
                self.say("SuccessfulCreate", format!("Created job {name}"));
                self.status.field_mut("active").list_mut().push(value!({
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": (job.name().clone()),
                    "namespace": (job.namespace().clone()),
                    "resourceVersion": (job.meta.resource_version.to_string()),
                    "uid": (job.meta.uid.clone())
                }));
                self.status.set("lastScheduleTime", due);
            }
            Err(status) if status.reason == Reason::AlreadyExists => {
                self.status.set("lastScheduleTime", due);
            }
            Err(status) => self.warn("FailedCreate", format!("Error creating job: {}", status.message)),
        }
    }

    fn document(&self, name: &str, due: Timestamp) -> Value {
        let template = self.object.spec().get("jobTemplate");
        let mut metadata = value!({
            "name": (name.to_owned()),
            "annotations": (template.at(&["metadata", "annotations"]).clone()),
            "ownerReferences": [(owned::reference(&self.object))]
        });
        metadata.field_mut("annotations").set(SCHEDULED_AT, due);
        let labels = template.at(&["metadata", "labels"]);
        if !labels.is_empty() {
            metadata.set("labels", labels.clone());
        }
        value!({ "metadata": metadata, "spec": (template.get("spec").clone()) })
    }

    fn delete(&mut self, uid: &SmolStr, name: &SmolStr) {
        let key = Key::new(Kind::Job, self.object.namespace().clone(), name.clone());
        let options =
            Options { uid: uid.clone(), propagation: Propagation::Background, ..Options::default() };
        if self.context.cluster.delete(Actor::CronJob, &key, options).is_ok() {
            self.say("SuccessfulDelete", format!("Deleted job {name}"));
        }
        self.drop_active(uid);
        self.jobs.retain(|job| job.meta.uid != *uid);
    }

    /// Removes the oldest Jobs that have ended, beyond the limits of the history.
    fn forget_old(&mut self) {
        for (field, default, end) in
            [("failedJobsHistoryLimit", 1, "Failed"), ("successfulJobsHistoryLimit", 3, "Complete")]
        {
            let limit = self.object.spec().get(field).as_int().unwrap_or(default);
            let ended = self.jobs.iter().filter(|job| conditions::end(job.status()) == end);
            let mut ended: Vec<Arc<Object>> = ended.filter(|job| !job.is_terminating()).cloned().collect();
            ended.sort_by_key(|job| (Timestamp::of(job.status().get("startTime")), job.name().clone()));
            let excess = ended.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
            for job in ended.into_iter().take(excess) {
                self.delete(&job.meta.uid, job.name());
            }
        }
    }
}
