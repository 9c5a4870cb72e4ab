//! A session as a link carries it: files, settings, and the objects that a person made.
//!
//! Owns the choice of what is carried, its text and its bounds. A link carries state and no commands; nothing
//! in it is trusted: objects of a link are created through the API server like anything else, so that what
//! it refuses does not come in. How the text gets into an address is the page's.

use crate::api::json;
use crate::api::object::{Key, Object};
use crate::api::registry::{KINDS, Kind};
use crate::api::value::Value;
use crate::cluster::clock::Span;
use crate::cluster::{Actor, Cluster, Request, Settings, Verb};
use crate::simulation::Simulation;
use crate::value;

/// The format. Texts of another one are not read.
const VERSION: i64 = 1;
/// Bytes of the text, before it is compressed: a link is small, and what it unpacks to is bounded by this.
pub const TEXT_LIMIT: usize = 2_000_000;
/// Objects of one link.
const OBJECTS: usize = 1_000;
/// Files of one link.
const FILES: usize = 100;
/// How long a new world may take to come to rest.
const SETTLE_LIMIT: Span = Span::from_seconds(30);

/// What a link carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared {
    /// The settings that differ from those of a new session: `NAME=VALUE …`.
    pub settings: String,
    /// Names and texts of files.
    pub files: Vec<(String, String)>,
    /// The file that was shown.
    pub active_file: String,
    /// The objects that a person made.
    pub objects: Vec<Value>,
}

/// Kinds that the cluster keeps by itself.
const KEPT: [Kind; 7] = [
    Kind::Node,
    Kind::Event,
    Kind::Lease,
    Kind::ServiceCIDR,
    Kind::IPAddress,
    Kind::ControllerRevision,
    Kind::Endpoints,
];

/// The objects that a person made, as manifests; namespaces first.
#[must_use]
pub fn objects(cluster: &Cluster) -> Vec<Value> {
    // What every cluster has, a small one too, is not carried.
    let usual = Simulation::new(Settings { nodes: 2, ..Settings::default() });
    let mut kinds: Vec<Kind> =
        KINDS.iter().map(|info| info.kind).filter(|kind| !KEPT.contains(kind)).collect();
    kinds.sort_by_key(|kind| *kind != Kind::Namespace);
    let all = kinds.into_iter().flat_map(|kind| cluster.list(kind, None));
    let made = all.filter(|object| is_made(object) && usual.cluster.get(&object.key).is_none());
    made.take(OBJECTS).map(|object| manifest(object)).collect()
}

/// Whether an object is neither a controller's nor on its way out.
fn is_made(object: &Object) -> bool {
    let given = match object.key.kind {
        Kind::ServiceAccount => object.name() == "default",
        Kind::ConfigMap => object.name() == "kube-root-ca.crt",
        _ => false,
    };
    let owned = !object.value.at(&["metadata", "ownerReferences"]).is_empty();
    let managed = !object.meta.labels.get("endpointslice.kubernetes.io/managed-by").is_null();
    let system = object.namespace().starts_with("kube-");
    !(given || owned || managed || system || object.is_terminating())
}

/// An object without what the server adds.
fn manifest(object: &Object) -> Value {
    let mut value = object.value.clone();
    value.remove("status");
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"] {
        value.field_mut("metadata").remove(field);
    }
    value
}

impl Shared {
    /// The text of a link.
    #[must_use]
    pub fn to_text(&self) -> String {
        let files: Value =
            self.files.iter().map(|(name, text)| value!([(name.clone()), (text.clone())])).collect();
        json::compact(&value!({
            "portside": VERSION,
            "settings": (self.settings.clone()),
            "files": files,
            "active": (self.active_file.clone()),
            "objects": (self.objects.iter().cloned().collect::<Value>())
        }))
    }

    /// What a text carries; `None` if it is not ours or too large.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        if text.len() > TEXT_LIMIT {
            return None;
        }
        let value = json::parse(text).ok()?;
        if value.get("portside").as_int() != Some(VERSION) {
            return None;
        }
        let file = |file: &Value| match file.items() {
            [name, text] => {
                let name = name.str();
                let plain = !name.is_empty() && name.len() < 200 && !name.contains(['/', '\0']);
                plain.then(|| (name.to_owned(), text.str().to_owned()))
            }
            _ => None,
        };
        Some(Self {
            settings: value.get("settings").str().to_owned(),
            files: value.get("files").items().iter().take(FILES).filter_map(file).collect(),
            active_file: value.get("active").str().to_owned(),
            objects: value.get("objects").items().iter().take(OBJECTS).cloned().collect(),
        })
    }

    /// The world of a link, at rest; and how many of its objects were refused.
    #[must_use]
    pub fn world(&self) -> (Simulation, usize) {
        let mut simulation = Simulation::new(Settings::default().with_line(&self.settings));
        let mut refused = 0;
        for document in &self.objects {
            let kind = Kind::of_manifest(document.get("apiVersion").str(), document.get("kind").str());
            let made = kind.is_some_and(|kind| {
                let key = Key::new(kind, document.at(&["metadata", "namespace"]).smol(), "");
                let request = Request::new(Actor::User, Verb::Create(document.clone()), &key);
                simulation.request(request).result.is_ok()
            });
            refused += usize::from(!made);
        }
        simulation.settle(SETTLE_LIMIT);
        (simulation, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{examples, first_world};

    fn shared() -> Shared {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        Shared {
            files: vec![("a.yaml".to_owned(), "a: 1\n".to_owned())],
            objects: objects(&simulation.cluster),
            ..Shared::default()
        }
    }

    fn names(shared: &Shared) -> Vec<String> {
        let name = |object: &Value| {
            format!("{}/{}", object.get("kind").str(), object.at(&["metadata", "name"]).str())
        };
        shared.objects.iter().map(name).collect()
    }

    #[test]
    fn a_link_carries_what_a_person_made_and_nothing_that_follows_from_it() {
        let shared = shared();
        assert_eq!(names(&shared), ["Namespace/demo", "Pod/client", "Service/web", "Deployment/web"]);
        assert_eq!(Shared::of_text(&shared.to_text()), Some(shared));
    }

    #[test]
    fn the_world_of_a_link_is_the_same_again() {
        let shared = shared();
        let (simulation, refused) = shared.world();
        assert_eq!(refused, 0);
        assert_eq!(objects(&simulation.cluster).len(), shared.objects.len());
        let service = simulation.cluster.find(Kind::Service, "demo", "web").expect("it is there");
        let web = shared
            .objects
            .iter()
            .find(|object| object.get("kind").str() == "Service")
            .expect("it is carried");
        assert_eq!(service.spec().get("clusterIP"), web.at(&["spec", "clusterIP"]));
        let ready = simulation.cluster.list(Kind::Pod, Some("demo"));
        assert_eq!(ready.filter(|pod| pod.as_pod().is_some_and(|pod| pod.ready)).count(), 4);
    }

    #[test]
    fn every_example_survives_being_shared() {
        for example in examples::EXAMPLES {
            let (documents, _) = crate::api::yaml::read(example.text);
            let mut objects_of: Vec<Value> =
                documents.iter().map(crate::api::yaml::read::Document::value).collect();
            for object in &mut objects_of {
                object.set_at(&["metadata", "namespace"], "default");
            }
            let first = Shared { objects: objects_of, ..Shared::default() };
            let (simulation, refused) = first.world();
            let again = Shared { objects: objects(&simulation.cluster), ..Shared::default() };
            assert_eq!((refused, again.world().1), (0, 0), "{}", example.file);
            assert_eq!(again.objects.len(), first.objects.len(), "{}: {:?}", example.file, names(&again));
        }
    }

    #[test]
    fn a_hostile_text_does_no_harm() {
        for text in
            ["", "[]", "{\"portside\":2}", "{\"portside\":1,\"files\":3,\"objects\":[1,{\"kind\":\"Pod\"}]}"]
        {
            let shared = Shared::of_text(text);
            assert!(shared.is_none_or(|shared| shared.world().1 == shared.objects.len()), "{text}");
        }
        let slip = "{\"portside\":1,\"files\":[[\"../../etc/passwd\",\"x\"],[\"\",\"y\"]]}";
        assert_eq!(Shared::of_text(slip).expect("it is ours").files, []);
        assert_eq!(Shared::of_text(&" ".repeat(TEXT_LIMIT + 1)), None);
    }
}
