//! The state that survives a reload.
//!
//! Owns its format (one JSON text under one name of a small storage) and what is kept: files, settings,
//! history, and the cluster as its objects with the clock and the generator. The objects come back as they
//! were, names, uids and addresses included; controllers look at them as after a restart of their own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::json;
use crate::api::registry::{KINDS, Kind};
use crate::api::value::Value;
use crate::cluster::Settings;
use crate::cluster::clock::Instant;
use crate::containers::{Container, ContainerKey, LogLine};
use crate::simulation::Simulation;
use crate::value;

/// Where the text is kept.
const NAME: &str = "portside";
/// Where the session is that was replaced.
const ASIDE: &str = "portside-before";
/// The format. Texts of another one are not read.
const VERSION: i64 = 1;
/// Larger clusters are not kept: a browser stores some five million characters for a page.
const OBJECT_LIMIT: usize = 2_000;
/// Lines of a container's log that are kept.
const LOG_LIMIT: usize = 200;
/// Lines of history that are kept.
const HISTORY_LIMIT: usize = 300;

/// A place that keeps texts by name.
pub trait Storage {
    /// The text under a name.
    fn get(&self, name: &str) -> Option<String>;
    /// Keeps a text under a name. Gives whether there was room.
    fn set(&self, name: &str, text: &str) -> bool;
    /// Forgets the text under a name.
    fn remove(&self, name: &str);
}

/// A storage that lasts as long as the program.
#[derive(Debug, Default)]
pub struct MemoryStorage(RefCell<BTreeMap<String, String>>);

impl Storage for MemoryStorage {
    fn get(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }

    fn set(&self, name: &str, text: &str) -> bool {
        self.0.borrow_mut().insert(name.to_owned(), text.to_owned());
        true
    }

    fn remove(&self, name: &str) {
        self.0.borrow_mut().remove(name);
    }
}

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// The editor's files: name and text.
    pub files: Vec<(String, String)>,
    /// The file that was shown.
    pub active_file: String,
    /// The language of the page: `en`, `zh`, or empty for the browser's.
    pub language: String,
    /// The colours of the page: `light`, `dark`, or empty for the system's.
    pub theme: String,
    /// The speed of the clock.
    pub speed: Option<f64>,
    /// Whether the clock was paused.
    pub paused: bool,
    /// Whether the first hint was followed.
    pub hint_used: bool,
    /// Lines typed in the terminal, oldest first.
    pub history: Vec<String>,
    /// The settings that differ from those of a new session, for a world that is made anew: `NAME=VALUE …`.
    pub settings: String,
    /// Whether this session was just begun in place of another one that is set aside.
    pub replaced: bool,
    /// The cluster; `None` if it was too large.
    pub cluster: Option<SavedCluster>,
}

/// A cluster at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedCluster {
    /// Virtual time in µs.
    pub now: u64,
    /// The journal's revision.
    pub revision: u64,
    /// The state of the generator.
    pub random: u64,
    /// The documents, owners before what they own.
    pub objects: Vec<Value>,
    /// What containers have that no object tells: environment, logs, how they ended.
    pub containers: Vec<Value>,
    /// The settings that differ from those of a new session: `NAME=VALUE …`.
    pub settings: String,
}

impl SavedCluster {
    /// A cluster as it is; `None` if it is too large to be kept.
    #[must_use]
    pub fn of(simulation: &mut Simulation) -> Option<Self> {
        let cluster = &simulation.cluster;
        let count: usize = KINDS.iter().map(|info| cluster.count(info.kind)).sum();
        if count > OBJECT_LIMIT {
            return None;
        }
        let all = KINDS.iter().flat_map(|info| cluster.list(info.kind, None));
        let mut objects: Vec<Value> = all.map(|object| object.value.clone()).collect();
        objects
            .sort_by_key(|object| object.at(&["metadata", "resourceVersion"]).str().parse().unwrap_or(0_u64));
        let (now, revision) = (simulation.now(), simulation.revision());
        let pods: BTreeSet<&str> = cluster.list(Kind::Pod, None).map(|pod| pod.meta.uid.as_str()).collect();
        let runs = simulation.runtime.runs().filter(|(key, _)| pods.contains(key.pod.as_str()));
        let containers = runs.map(|(key, run)| container_to_value(key, run)).collect();
        let settings = simulation.cluster.settings().line();
        let random = simulation.cluster.random().state();
        Some(Self { now, revision, random, objects, containers, settings })
    }

    /// The world with this cluster in it; `None` if an object is of a kind that is not known.
    #[must_use]
    pub fn restore(&self) -> Option<Simulation> {
        let mut objects = Vec::with_capacity(self.objects.len());
        for document in &self.objects {
            let kind = Kind::of_manifest(document.get("apiVersion").str(), document.get("kind").str())?;
            objects.push((kind, document.clone()));
        }
        let mut simulation = Simulation::bare(Settings::default().with_line(&self.settings));
        simulation.cluster.restore_objects(objects, self.revision, Instant(self.now), self.random);
        for container in &self.containers {
            let (key, run) = container_of_value(container);
            simulation.runtime.restore(key, run);
        }
        simulation.notice();
        Some(simulation)
    }

    fn to_value(&self) -> Value {
        value!({
            "now": (number(self.now)),
            "revision": (number(self.revision)),
            // All 64 bits count, and JSON's numbers have fewer.
            "random": (self.random.to_string()),
            "objects": (self.objects.iter().cloned().collect::<Value>()),
            "containers": (self.containers.iter().cloned().collect::<Value>()),
            "settings": (self.settings.clone())
        })
    }

    fn of_value(value: &Value) -> Option<Self> {
        let natural = |name| u64::try_from(value.get(name).as_int()?).ok();
        Some(Self {
            now: natural("now")?,
            revision: natural("revision")?,
            random: value.get("random").str().parse().ok()?,
            objects: value.get("objects").items().to_vec(),
            containers: value.get("containers").items().to_vec(),
            settings: value.get("settings").str().to_owned(),
        })
    }
}

fn pairs(list: &[(String, String)]) -> Value {
    list.iter().map(|(name, value)| value!([(name.clone()), (value.clone())])).collect()
}

fn pairs_of(value: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| match pair.items() {
        [name, value] => Some((name.str().to_owned(), value.str().to_owned())),
        _ => None,
    };
    value.items().iter().filter_map(pair).collect()
}

fn container_to_value(key: &ContainerKey, run: &Container) -> Value {
    let last = &run.logs[run.logs.len().saturating_sub(LOG_LIMIT)..];
    let logs: Value = last.iter().map(|line| value!([(number(line.at.0)), (line.text.clone())])).collect();
    value!({
        "pod": (key.pod.clone()),
        "name": (key.name.clone()),
        "restart": (i64::from(key.restart)),
        "env": (pairs(&run.own_env)),
        "services": (pairs(&run.service_env)),
        "started": (number(run.started.0)),
        "ended": (run.ended.map_or(Value::Null, |code| Value::Int(i64::from(code)))),
        "logs": logs
    })
}

fn container_of_value(value: &Value) -> (ContainerKey, Container) {
    let natural = |value: &Value| value.as_int().and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let restart = u32::try_from(natural(value.get("restart"))).unwrap_or(0);
    let key = ContainerKey { pod: value.get("pod").smol(), name: value.get("name").smol(), restart };
    let line = |line: &Value| match line.items() {
        [at, text] => Some(LogLine { at: Instant(natural(at)), text: text.str().to_owned() }),
        _ => None,
    };
    let run = Container {
        own_env: pairs_of(value.get("env")),
        service_env: pairs_of(value.get("services")).into(),
        started: Instant(natural(value.get("started"))),
        logs: value.get("logs").items().iter().filter_map(line).collect(),
        ended: value.get("ended").as_int().and_then(|code| u8::try_from(code).ok()),
        // Probes look again.
        probed: BTreeMap::new(),
    };
    (key, run)
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn texts(list: &[String]) -> Value {
    list.iter().map(|text| Value::from(text.clone())).collect()
}

impl Saved {
    fn to_text(&self) -> String {
        let files: Value = self
            .files
            .iter()
            .map(|(name, text)| value!({ "name": (name.clone()), "text": (text.clone()) }))
            .collect();
        let history = &self.history[self.history.len().saturating_sub(HISTORY_LIMIT)..];
        json::compact(&value!({
            "version": VERSION,
            "files": files,
            "activeFile": (self.active_file.clone()),
            "language": (self.language.clone()),
            "theme": (self.theme.clone()),
            "speed": (self.speed.map_or(Value::Null, Value::Float)),
            "paused": (self.paused),
            "hintUsed": (self.hint_used),
            "history": (texts(history)),
            "settings": (self.settings.clone()),
            "replaced": (self.replaced),
            "cluster": (self.cluster.as_ref().map_or(Value::Null, SavedCluster::to_value))
        }))
    }

    fn of_text(text: &str) -> Option<Self> {
        let value = json::parse(text).ok()?;
        if value.get("version").as_int() != Some(VERSION) {
            return None;
        }
        let string = |name| value.get(name).str().to_owned();
        let file = |file: &Value| (file.get("name").str().to_owned(), file.get("text").str().to_owned());
        Some(Self {
            files: value.get("files").items().iter().map(file).collect(),
            active_file: string("activeFile"),
            language: string("language"),
            theme: string("theme"),
            speed: match value.get("speed") {
                Value::Float(speed) => Some(*speed),
                Value::Int(speed) => Some(*speed as f64),
                _ => None,
            },
            paused: value.get("paused").as_bool().unwrap_or(false),
            hint_used: value.get("hintUsed").as_bool().unwrap_or(false),
            history: value.get("history").items().iter().map(|line| line.str().to_owned()).collect(),
            settings: string("settings"),
            replaced: value.get("replaced").as_bool().unwrap_or(false),
            cluster: SavedCluster::of_value(value.get("cluster")),
        })
    }
}

/// Keeps a session. If there is no room for its cluster, the rest is kept without it.
pub fn store(saved: &Saved, storage: &dyn Storage) {
    if !storage.set(NAME, &saved.to_text()) {
        storage.set(NAME, &Saved { cluster: None, ..saved.clone() }.to_text());
    }
}

/// The session that was kept, if there is one that can be read.
#[must_use]
pub fn load(storage: &dyn Storage) -> Option<Saved> {
    Saved::of_text(&storage.get(NAME)?)
}

/// Keeps another session in place of the present one, which is set aside until [`bring_back`].
pub fn replace(saved: &Saved, storage: &dyn Storage) {
    if let Some(text) = storage.get(NAME) {
        storage.set(ASIDE, &text);
    }
    store(&Saved { replaced: true, ..saved.clone() }, storage);
}

/// Brings back the session that was set aside; the present one is then set aside. False if there is none.
pub fn bring_back(storage: &dyn Storage) -> bool {
    let Some(before) = storage.get(ASIDE) else { return false };
    let now = storage.get(NAME);
    storage.remove(ASIDE);
    let kept = storage.set(NAME, &before);
    if let Some(now) = now {
        storage.set(ASIDE, &now);
    }
    kept
}

/// Forgets the session.
pub fn forget(storage: &dyn Storage) {
    storage.remove(NAME);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::clock::Span;

    #[test]
    fn a_session_comes_back_as_it_was() {
        let mut simulation = Simulation::new(Settings::default());
        let saved = Saved {
            files: vec![("a.yaml".to_owned(), "a: \"ü\"\n".to_owned())],
            active_file: "a.yaml".to_owned(),
            speed: Some(0.25),
            history: vec!["ls".to_owned()],
            cluster: SavedCluster::of(&mut simulation),
            ..Saved::default()
        };
        let storage = MemoryStorage::default();
        store(&saved, &storage);
        let loaded = load(&storage).expect("it was kept");
        assert_eq!(loaded, saved);
        forget(&storage);
        assert_eq!(load(&storage), None);
    }

    fn objects(simulation: &Simulation) -> Vec<Value> {
        let all = KINDS.iter().flat_map(|info| simulation.cluster.list(info.kind, None));
        all.map(|object| object.value.clone()).collect()
    }

    fn environments(simulation: &Simulation) -> Vec<(String, String)> {
        let runs = simulation.runtime.runs();
        runs.flat_map(|(_, run)| run.env().map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
    }

    #[test]
    fn a_restored_cluster_is_the_same_and_stays_at_rest() {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let saved = SavedCluster::of(&mut simulation).expect("a new cluster is small");
        let mut restored = saved.restore().expect("all kinds are known");
        assert_eq!(restored.now(), simulation.now());
        assert!(restored.revision() >= simulation.revision());
        assert_eq!(objects(&restored), objects(&simulation));
        assert_eq!(environments(&restored), environments(&simulation));
        let revision = restored.revision();
        restored.settle(Span::from_seconds(5));
        assert_eq!(restored.revision(), revision, "nothing is written when nothing happened");
        assert_eq!(restored.cluster.random().bits(), simulation.cluster.random().bits());
    }

    #[test]
    fn a_session_that_was_replaced_can_be_brought_back() {
        let storage = MemoryStorage::default();
        let session = |name: &str| Saved { active_file: name.to_owned(), ..Saved::default() };
        assert!(!bring_back(&storage), "there is none");
        store(&session("old"), &storage);
        replace(&session("new"), &storage);
        assert_eq!(
            load(&storage).map(|saved| (saved.active_file, saved.replaced)),
            Some(("new".to_owned(), true))
        );
        assert!(bring_back(&storage));
        assert_eq!(load(&storage), Some(session("old")));
        assert!(bring_back(&storage), "and forth");
        assert_eq!(load(&storage).map(|saved| saved.active_file), Some("new".to_owned()));
    }

    #[test]
    fn a_text_that_is_not_ours_is_not_read() {
        let storage = MemoryStorage::default();
        for text in ["", "{", "[]", "{\"version\":0}", "null"] {
            storage.set(NAME, text);
            assert_eq!(load(&storage), None, "{text}");
        }
    }
}
