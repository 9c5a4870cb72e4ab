//! Every kind of the schema is served: made, read, changed in each way, refused where it is wrong, removed.
//!
//! A kind has its smallest manifest beside this file; one that has none fails the test, unless it is no object
//! that is kept and stands in the table of those.

use portside::api::json;
use portside::api::object::Key;
use portside::api::registry::{KINDS, Kind};
use portside::api::schema::schema;
use portside::api::status::{Reason, Status};
use portside::api::value::{SmolStr, Value};
use portside::api::yaml;
use portside::cluster::actor::Actor;
use portside::cluster::clock::Span;
use portside::cluster::request::{Body, Options, Patch, Propagation, Request, Verb};
use portside::cluster::settings::Settings;
use portside::simulation::Simulation;

/// Kinds that are asked with but not kept: their requests are about other objects, or about the server itself.
const NOT_KEPT: [(&str, &str); 5] = [
    ("authentication.k8s.io/v1", "TokenRequest"),
    ("events.k8s.io/v1", "Event"),
    ("policy/v1", "Eviction"),
    ("v1", "Binding"),
    ("v1", "ComponentStatus"),
];

/// A world with an object of one kind to try requests on.
struct Trial {
    world: Simulation,
    manifest: Value,
    key: Key,
}

impl Trial {
    fn new(kind: Kind) -> Self {
        let manifest = manifest(kind);
        let namespace = if kind.info().namespaced { "default" } else { "" };
        let key = Key::new(kind, namespace, manifest.at(&["metadata", "name"]).smol());
        Self { world: Simulation::new(Settings::default()), manifest, key }
    }

    fn ask(&mut self, verb: Verb) -> Result<Value, Status> {
        self.ask_with(verb, Options::default())
    }

    fn ask_with(&mut self, verb: Verb, options: Options) -> Result<Value, Status> {
        let request = Request::new(Actor::User, verb, &self.key).options(options);
        let body = self.world.request(request).result?;
        Ok(body.object().map_or(Value::Null, |object| object.value.clone()))
    }

    fn labels(&self) -> String {
        let object = self.world.cluster.get(&self.key).expect("the object is there");
        json::compact(&object.meta.labels)
    }
}

fn manifest(kind: Kind) -> Value {
    let path = format!("{}/tests/kinds/{}.yaml", env!("CARGO_MANIFEST_DIR"), kind.name());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (documents, diagnostics) = yaml::read(&text);
    assert!(diagnostics.is_empty(), "{path}: {diagnostics:?}");
    documents[0].value()
}

#[test]
fn every_kind_of_the_schema_is_kept_or_known_not_to_be() {
    for (api_version, name, _) in schema().kinds() {
        let kept = KINDS.iter().any(|info| info.api_version == api_version && info.name == name);
        let not_kept = NOT_KEPT.contains(&(api_version, name));
        assert!(kept != not_kept, "{api_version} {name}");
    }
}

#[test]
fn every_kind_is_made_read_and_listed() {
    for info in KINDS {
        let mut trial = Trial::new(info.kind);
        let manifest = trial.manifest.clone();
        let made = trial
            .ask(Verb::Create(manifest.clone()))
            .unwrap_or_else(|status| panic!("{}: {status}", info.name));
        assert!(!made.at(&["metadata", "uid"]).is_empty(), "{}", info.name);
        assert_eq!(trial.ask(Verb::Get).expect(info.name).at(&["metadata", "name"]).str(), &*trial.key.name);
        let list = Request::list(Actor::User, info.kind, trial.key.namespace.clone());
        let Ok(Body::List(items, _)) = trial.world.request(list).result else {
            panic!("{} cannot be listed", info.name);
        };
        assert!(items.iter().any(|item| item.key == trial.key), "{}", info.name);
        let again = trial.ask(Verb::Create(manifest)).expect_err(info.name);
        assert_eq!(again.reason, Reason::AlreadyExists, "{}: {again}", info.name);
    }
}

#[test]
fn every_kind_is_decoded_strictly() {
    for info in KINDS {
        let mut trial = Trial::new(info.kind);
        let refused = |trial: &mut Trial, document: Value| {
            let status = trial.ask(Verb::Create(document)).expect_err(info.name);
            assert_eq!(status.reason, Reason::BadRequest, "{}: {status}", info.name);
            status.message
        };
        let start = format!("{0} in version \"{1}\" cannot be handled as a {0}: ", info.name, info.version);
        let mut unknown = trial.manifest.clone();
        unknown.set("nonsense", 1);
        let message = format!("{start}strict decoding error: unknown field \"nonsense\"");
        assert_eq!(refused(&mut trial, unknown), message);
        let mut wrong = trial.manifest.clone();
        wrong.set_at(&["metadata", "ownerReferences"], "nobody");
        let message = format!(
            "{start}json: cannot unmarshal string into Go struct field ObjectMeta.metadata.ownerReferences of type \
             []v1.OwnerReference"
        );
        assert_eq!(refused(&mut trial, wrong), message);
    }
}

#[test]
fn every_kind_is_patched_in_three_ways_and_replaced() {
    let parse = |text: &str| json::parse(text).expect("the test's own JSON");
    for info in KINDS {
        let mut trial = Trial::new(info.kind);
        let mut document = trial.manifest.clone();
        document.set_at(&["metadata", "labels", "a"], "0");
        trial.ask(Verb::Create(document)).expect(info.name);
        let first = trial.ask(Verb::Get).expect(info.name);
        for patch in [
            Patch::Strategic(parse(r#"{"metadata":{"labels":{"b":"1"}}}"#)),
            Patch::Merge(parse(r#"{"metadata":{"labels":{"c":"2"}}}"#)),
            Patch::Json(parse(r#"[{"op":"add","path":"/metadata/labels/d","value":"3"}]"#)),
        ] {
            trial.ask(Verb::Patch(patch)).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        }
        for label in [r#""a":"0""#, r#""b":"1""#, r#""c":"2""#, r#""d":"3""#] {
            assert!(trial.labels().contains(label), "{}: {}", info.name, trial.labels());
        }
        let stale = trial.ask(Verb::Update(first.clone())).expect_err(info.name);
        assert_eq!(stale.reason, Reason::Conflict, "{}: {stale}", info.name);
        let end =
            "the object has been modified; please apply your changes to the latest version and try again";
        assert!(stale.message.ends_with(end), "{}", stale.message);
        let mut fresh = first;
        fresh.field_mut("metadata").remove("resourceVersion");
        trial.ask(Verb::Update(fresh)).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        assert!(!trial.labels().contains(r#""d":"3""#), "{}: {}", info.name, trial.labels());
    }
}

#[test]
fn a_dry_run_leaves_no_trace() {
    for info in KINDS {
        let mut trial = Trial::new(info.kind);
        let revision = trial.world.revision();
        let dry = || Options { dry_run: true, ..Options::default() };
        let manifest = trial.manifest.clone();
        trial
            .ask_with(Verb::Create(manifest.clone()), dry())
            .unwrap_or_else(|status| panic!("{}: {status}", info.name));
        assert_eq!(trial.world.revision(), revision, "{} was made", info.name);
        trial.ask(Verb::Create(manifest)).expect(info.name);
        let revision = trial.world.revision();
        trial.ask_with(Verb::Delete, dry()).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        assert_eq!(trial.world.revision(), revision, "{} was removed", info.name);
    }
}

#[test]
fn every_kind_is_removed_and_waits_for_finalizers() {
    for info in KINDS {
        let mut trial = Trial::new(info.kind);
        let mut document = trial.manifest.clone();
        document.set_at(&["metadata", "finalizers"], vec![Value::text("example.com/wait")]);
        trial.ask(Verb::Create(document)).expect(info.name);
        let options = Options {
            uid: SmolStr::from("somebody-else"),
            propagation: Propagation::Background,
            ..Options::default()
        };
        let other = trial.ask_with(Verb::Delete, options).expect_err(info.name);
        assert!(
            other.message.contains("the UID in the precondition (somebody-else) does not match"),
            "{other}"
        );
        trial.ask(Verb::Delete).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        trial.world.settle(Span::from_ms(60_000));
        let waiting = trial.ask(Verb::Get).expect(info.name);
        assert!(!waiting.at(&["metadata", "deletionTimestamp"]).is_null(), "{}", info.name);
        let more = json::parse(r#"{"metadata":{"finalizers":["example.com/wait","example.com/more"]}}"#);
        let more = trial.ask(Verb::Patch(Patch::Merge(more.expect("JSON")))).expect_err(info.name);
        assert!(
            more.message.contains("no new finalizers can be added if the object is being deleted"),
            "{more}"
        );
        let none = json::parse(r#"{"metadata":{"finalizers":null}}"#).expect("JSON");
        trial.ask(Verb::Patch(Patch::Merge(none))).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        trial.world.settle(Span::from_ms(60_000));
        let gone = trial.ask(Verb::Get).expect_err(info.name);
        assert_eq!(gone.reason, Reason::NotFound, "{}: {gone}", info.name);
    }
}
