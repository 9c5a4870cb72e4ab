//! Every kind of the schema is served: made, read, changed in each way, refused where it is wrong, removed.
//!
//! A kind has its smallest manifest beside this file; one that has none fails the test, unless nothing of it is
//! kept: those have tests of what they have instead.

use portside::api::json;
use portside::api::object::Key;
use portside::api::registry::{KINDS, Kind, KindInfo, Serving};
use portside::api::schema::schema;
use portside::api::status::{Reason, Status};
use portside::api::value::{SmolStr, Value};
use portside::api::yaml;
use portside::cluster::actor::Actor;
use portside::cluster::clock::Span;
use portside::cluster::request::{Body, Options, Patch, Propagation, Request, Verb};
use portside::cluster::settings::Settings;
use portside::simulation::Simulation;

/// Kinds of subresources alone: nothing of that kind can be created by itself.
const SUBRESOURCES: [(&str, &str); 2] =
    [("authentication.k8s.io/v1", "TokenRequest"), ("policy/v1", "Eviction")];

/// The kinds whose objects are kept, under their own name or as another kind.
fn kept() -> impl Iterator<Item = &'static KindInfo> {
    KINDS.iter().filter(|info| matches!(info.serving, Serving::Stored | Serving::Converted(_)))
}

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

    fn labels(&mut self) -> String {
        let object = self.ask(Verb::Get).expect("the object is there");
        json::compact(object.at(&["metadata", "labels"]))
    }
}

fn manifest(kind: Kind) -> Value {
    let path = format!("{}/tests/kinds/{kind:?}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (documents, diagnostics) = yaml::read(&text);
    assert!(diagnostics.is_empty(), "{path}: {diagnostics:?}");
    documents[0].value()
}

#[test]
fn every_kind_of_the_schema_is_served_or_a_subresource() {
    for (api_version, name, _) in schema().kinds() {
        let served = KINDS.iter().any(|info| info.api_version == api_version && info.name == name);
        let part = SUBRESOURCES.contains(&(api_version, name));
        assert!(served != part, "{api_version} {name}");
    }
}

#[test]
fn every_kind_is_made_read_and_listed() {
    for info in kept() {
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
    for info in kept() {
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
    for info in kept() {
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
            let labels = trial.labels();
            assert!(labels.contains(label), "{}: {labels}", info.name);
        }
        let stale = trial.ask(Verb::Update(first.clone())).expect_err(info.name);
        assert_eq!(stale.reason, Reason::Conflict, "{}: {stale}", info.name);
        let end =
            "the object has been modified; please apply your changes to the latest version and try again";
        assert!(stale.message.ends_with(end), "{}", stale.message);
        let mut fresh = first;
        fresh.field_mut("metadata").remove("resourceVersion");
        trial.ask(Verb::Update(fresh)).unwrap_or_else(|status| panic!("{}: {status}", info.name));
        let labels = trial.labels();
        assert!(!labels.contains(r#""d":"3""#), "{}: {labels}", info.name);
    }
}

#[test]
fn a_dry_run_leaves_no_trace() {
    for info in kept() {
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
    for info in kept() {
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

#[test]
fn an_event_is_the_same_object_in_both_of_its_versions() {
    let mut trial = Trial::new(Kind::EventOfEvents);
    trial.ask(Verb::Create(trial.manifest.clone())).expect("a valid Event");
    let shown = trial.ask(Verb::Get).expect("it was made");
    assert_eq!(shown.get("apiVersion").str(), "events.k8s.io/v1");
    assert_eq!(shown.get("note"), trial.manifest.get("note"));
    let stored =
        trial.world.cluster.get(&trial.key.of_kind(Kind::Event)).expect("it is stored").value.clone();
    assert_eq!(stored.get("apiVersion").str(), "v1");
    assert_eq!(stored.get("message"), trial.manifest.get("note"));
    let change = json::parse(r#"{"note":"another"}"#).expect("JSON");
    let refused = trial.ask(Verb::Patch(Patch::Merge(change))).expect_err("what was noted stays");
    assert_eq!(
        refused.message,
        "Event \"sample\" is invalid: message: Invalid value: \"another\": field is immutable"
    );
    trial.ask(Verb::Delete).expect("it is there");
    assert!(trial.world.cluster.get(&trial.key.of_kind(Kind::Event)).is_none());
}

#[test]
fn an_event_of_its_own_group_must_say_more_than_one_of_v1() {
    for (field, message) in [
        ("eventTime", "eventTime: Required value"),
        ("type", "type: Invalid value: \"\": has invalid value: "),
    ] {
        let mut trial = Trial::new(Kind::EventOfEvents);
        let mut document = trial.manifest.clone();
        document.remove(field);
        let refused = trial.ask(Verb::Create(document)).expect_err(field);
        assert_eq!(refused.message, format!("Event \"sample\" is invalid: {message}"));
    }
}

#[test]
fn component_statuses_can_be_read_alone() {
    let mut world = Simulation::new(Settings::default());
    let mut ask = |verb: Verb, name: &str| {
        let key = Key::new(Kind::ComponentStatus, "", name);
        world.request(Request::new(Actor::User, verb, &key))
    };
    let reply = ask(Verb::List, "");
    assert_eq!(reply.warnings, ["v1 ComponentStatus is deprecated in v1.19+"]);
    let Ok(Body::List(items, _)) = reply.result else { panic!("they cannot be listed") };
    assert_eq!(items.len(), 3);
    for item in items {
        let read = ask(Verb::Get, item.name()).result.expect("it was listed").object().expect("it is one");
        assert_eq!(read.value.get("conditions").items()[0].get("status").str(), "True");
    }
    let refused = ask(Verb::Get, "kubelet").result.expect_err("no such component");
    assert_eq!(refused.message, "Component not found: kubelet");
    for verb in [Verb::Create(yaml::read("metadata: {name: a}").0[0].value()), Verb::Delete] {
        let refused = ask(verb, "scheduler").result.expect_err("they cannot be changed");
        assert_eq!(refused.reason, Reason::MethodNotAllowed);
    }
}

#[test]
fn a_binding_gives_a_waiting_pod_to_a_node_once() {
    let mut world = Simulation::new(Settings::default());
    let mut pod = manifest(Kind::Pod);
    pod.set_at(&["spec", "schedulerName"], "by-hand");
    let name = pod.at(&["metadata", "name"]).smol();
    let key = Key::new(Kind::Pod, "default", name.clone());
    world.request(Request::new(Actor::User, Verb::Create(pod), &key)).result.expect("a valid Pod");
    let mut bind = |target: &str| {
        let text = format!("metadata: {{name: {name}}}\ntarget: {target}");
        let binding = Key::new(Kind::Binding, "default", "");
        let verb = Verb::Create(yaml::read(&text).0[0].value());
        let result = world.request(Request::new(Actor::User, verb, &binding)).result;
        result.map_err(|status| (status.reason, status.message)).map(|_| ())
    };
    assert_eq!(bind("{}"), Err((Reason::Unknown, "target.name: Required value".to_owned())));
    assert_eq!(bind("{kind: Node, name: k8s-w1}"), Ok(()));
    let message = format!(
        "Operation cannot be fulfilled on pods/binding \"{name}\": pod {name} is already assigned to node \"k8s-w1\""
    );
    assert_eq!(bind("{kind: Node, name: k8s-w2}"), Err((Reason::Conflict, message)));
    assert_eq!(world.cluster.get(&key).expect("it is there").spec().get("nodeName").str(), "k8s-w1");
}
