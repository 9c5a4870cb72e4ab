//! Events: what controllers say about objects.
//!
//! Owns the recorder: it writes objects of kind Event, counts the same Event up instead of writing it
//! again, and folds many similar ones into one, as client-go's recorder does (`tools/record`,
//! `events_cache.go`). It also keeps Events cheap: a burst beyond [`BURST`] a second is dropped, as
//! client-go's full queue drops, and no more than [`KEPT`] Events are kept, as etcd's lease ends them.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How many Events are written in one second of virtual time; further ones are dropped
/// (`maxQueuedEvents` of client-go).
pub const BURST: u32 = 1000;
/// How many Events are kept; the oldest go first. Stands for the API server's `--event-ttl`.
pub const KEPT: usize = 2000;
/// From how many different messages of one kind on they are folded into one Event (`maxEvents`).
const SIMILAR: usize = 10;
/// How long similar Events are folded (`maxIntervalInSeconds`).
const SIMILAR_SPAN: Span = Span::from_seconds(600);
/// How many series are remembered (`maxLruCacheEntries`).
const REMEMBERED: usize = 4096;

/// What a controller says.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Whether it is of type Warning, not Normal.
    pub warning: bool,
    /// The reason: one word.
    pub reason: &'static str,
    /// The message.
    pub message: String,
    /// The part of the object, such as `spec.containers{web}`; empty for the whole.
    pub field_path: &'a str,
    /// The node on which the component runs; empty for those of the control plane.
    pub host: &'a str,
}

impl Event<'static> {
    /// An Event of type Normal about a whole object.
    #[must_use]
    pub fn normal(reason: &'static str, message: String) -> Self {
        Self { warning: false, reason, message, field_path: "", host: "" }
    }

    /// An Event of type Warning about a whole object.
    #[must_use]
    pub fn warning(reason: &'static str, message: String) -> Self {
        Self { warning: true, ..Self::normal(reason, message) }
    }
}

/// What makes Events similar: everything but the message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Similar {
    actor: Actor,
    uid: SmolStr,
    reason: &'static str,
    warning: bool,
    field_path: SmolStr,
}

/// The Events of one similarity.
#[derive(Debug)]
struct Series {
    last: Instant,
    messages: Vec<(SmolStr, Key)>,
}

/// Writes Events.
#[derive(Debug, Default)]
pub struct Recorder {
    series: FxHashMap<Similar, Series>,
    kept: VecDeque<Key>,
    second: u64,
    written: u32,
    stamp: u64,
}

impl Recorder {
    /// Writes an Event, or counts up the one that says the same.
    pub(super) fn record(&mut self, cluster: &mut Cluster, actor: Actor, about: &Object, event: Event<'_>) {
        if !self.admit(cluster.now()) {
            return;
        }
        let similar = Similar {
            actor,
            uid: about.meta.uid.clone(),
            reason: event.reason,
            warning: event.warning,
            field_path: event.field_path.into(),
        };
        if self.series.len() >= REMEMBERED {
            self.series.clear();
        }
        let now = cluster.now();
        let series = self.series.entry(similar).or_insert_with(|| Series { last: now, messages: Vec::new() });
        if now - series.last > SIMILAR_SPAN {
            series.messages.clear();
        }
        series.last = now;
        let known =
            series.messages.iter().take(SIMILAR - 1).position(|(message, _)| *message == event.message);
        let folded = known.is_none() && series.messages.len() + 1 >= SIMILAR;
        let at = if folded { (series.messages.len() >= SIMILAR).then_some(SIMILAR - 1) } else { known };
        let prefix = if folded { "(combined from similar events): " } else { "" };
        if let Some(at) = at
            && count_up(cluster, actor, &series.messages[at].1, prefix, &event.message)
        {
            return;
        }
        self.stamp = self.stamp.max(now.0) + 1;
        let namespace = if about.namespace().is_empty() { "default" } else { about.namespace() };
        let name = event_name(cluster, about, self.stamp);
        let document = document(cluster, actor, about, &event, prefix, &name);
        let key = Key::new(Kind::Event, namespace, name);
        if cluster.create(actor, Kind::Event, namespace, document).is_err() {
            return; // The namespace is being deleted: nobody could read it.
        }
        match at {
            Some(at) => series.messages[at].1 = key.clone(),
            None => series.messages.push((event.message.into(), key.clone())),
        }
        self.keep(cluster, key);
    }

    /// Whether there is room for one more in this second.
    fn admit(&mut self, now: Instant) -> bool {
        if self.second != now.as_seconds() {
            self.second = now.as_seconds();
            self.written = 0;
        }
        self.written += 1;
        self.written <= BURST
    }

    /// Remembers a new Event and lets the oldest go.
    fn keep(&mut self, cluster: &mut Cluster, key: Key) {
        self.kept.push_back(key);
        if self.kept.len() > KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            // It may be gone already, with its namespace or by undo.
            let _gone = cluster.delete(Actor::ApiServer, &oldest, Options::default());
        }
    }
}

/// Counts an Event up. False if it is gone.
fn count_up(cluster: &mut Cluster, actor: Actor, key: &Key, prefix: &str, message: &str) -> bool {
    let Some(object) = cluster.get(key) else { return false };
    let mut document = object.value.clone();
    let count = document.get("count").as_int().unwrap_or(1);
    document.set("count", count + 1);
    document.set("lastTimestamp", cluster.timestamp());
    if !prefix.is_empty() {
        document.set("message", format!("{prefix}{message}"));
    }
    cluster.update(actor, key, document).is_ok()
}

/// `web.18a9f3c…`: the object's name and the time in nanoseconds, which makes names unique and sorts them.
fn event_name(cluster: &Cluster, about: &Object, stamp: u64) -> String {
    let epoch = u64::try_from(cluster.settings().epoch.0).unwrap_or(0);
    format!("{}.{:x}", about.name(), (epoch * 1_000_000 + stamp) * 1000)
}

fn document(
    cluster: &Cluster,
    actor: Actor,
    about: &Object,
    event: &Event<'_>,
    prefix: &str,
    name: &str,
) -> Value {
    let info = about.key.kind.info();
    let mut involved = value!({
        "apiVersion": (info.api_version),
        "kind": (info.name),
        "name": (about.name().clone()),
        "resourceVersion": (about.meta.resource_version.to_string()),
        "uid": (about.meta.uid.clone())
    });
    if info.namespaced {
        involved.set("namespace", about.namespace().clone());
    }
    if !event.field_path.is_empty() {
        involved.set("fieldPath", event.field_path.to_owned());
    }
    let mut source = value!({ "component": (actor.component()) });
    if !event.host.is_empty() {
        source.set("host", event.host.to_owned());
    }
    let now = Value::from(cluster.timestamp());
    value!({
        "metadata": { "name": (name.to_owned()) },
        "count": 1,
        "eventTime": null,
        "firstTimestamp": (now.clone()),
        "lastTimestamp": now,
        "involvedObject": involved,
        "message": (format!("{prefix}{}", event.message)),
        "reason": (event.reason),
        "reportingComponent": (actor.component()),
        "reportingInstance": (event.host.to_owned()),
        "source": source,
        "type": (if event.warning { "Warning" } else { "Normal" })
    })
}
