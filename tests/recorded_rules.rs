//! The promise that the API server refuses, fills and warns as the real one: manifests and patches of the
//! recorded sessions are sent through the door, and its answers compared with what was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use portside::api::object::Key;
use portside::api::patch::diff;
use portside::api::registry::Kind;
use portside::api::schema::schema;
use portside::api::status::Status;
use portside::api::value::Value;
use portside::api::{json, yaml};
use portside::cluster::request::{FieldValidation, Options, Subresource};
use portside::cluster::{Actor, Cluster, Patch, Request, Settings, Verb};
use portside::simulation::Simulation;

/// What a command printed: warnings, and either refusals or what was done.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    warnings: Vec<String>,
    refusals: Vec<String>,
}

/// A session's folder, its cluster, and what `apply` remembers of each object.
struct Replay {
    folder: PathBuf,
    cluster: Cluster,
    applied: BTreeMap<Key, Value>,
}

impl Replay {
    fn new(session: &str, settings: Settings) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions").join(session);
        Self { folder, cluster: Simulation::new(settings).cluster, applied: BTreeMap::new() }
    }

    fn send(&mut self, request: Request, answer: &mut Answer) -> Option<Value> {
        let reply = self.cluster.request(request);
        answer.warnings.extend(reply.warnings);
        match reply.result {
            Ok(body) => body.object().map(|object| object.value.clone()),
            Err(status) => {
                answer.refusals.extend(messages(&status));
                None
            }
        }
    }

    /// `kubectl apply`, `create` or `replace` of a file; `None` where kubectl itself refuses the file.
    fn file(&mut self, verb: &str, name: &str, namespace: &str) -> Option<Answer> {
        let text = fs::read_to_string(self.folder.join(name)).expect("the session has the file");
        let (documents, diagnostics) = yaml::read(&text);
        if !diagnostics.is_empty() {
            return None;
        }
        let mut answer = Answer::default();
        for document in documents.iter().map(|document| document.value()) {
            let kind = document.get("kind").str();
            // Only the first letter of the kind may be wrong: kubectl finds the resource in any case.
            let kind = Kind::of_manifest(document.get("apiVersion").str(), kind)?;
            if document.at(&["metadata", "name"]).is_empty()
                || portside::api::decode::check_metadata(&document).is_err()
            {
                return None;
            }
            let given = document.at(&["metadata", "namespace"]).str();
            let namespace = if given.is_empty() { namespace } else { given };
            let namespace = if kind.info().namespaced { namespace } else { "" };
            let key = Key::new(kind, namespace, document.at(&["metadata", "name"]).smol());
            let live = self.cluster.get(&key).map(|object| object.value.clone());
            let verb = match (verb, live) {
                ("apply", Some(live)) => {
                    let of = schema().kind(kind.info().api_version, kind.info().name).expect("it is stored");
                    let last = self.applied.get(&key).cloned().unwrap_or_default();
                    let patch = diff::three_way(&last, &document, &live, of).expect("the patch can be made");
                    Verb::Patch(Patch::Strategic(patch))
                }
                ("replace", _) => Verb::Update(document.clone()),
                _ => Verb::Create(document.clone()),
            };
            if self.send(Request::new(Actor::User, verb, &key), &mut answer).is_some() {
                self.applied.insert(key, document);
            }
        }
        Some(answer)
    }

    /// `kubectl patch KIND NAME [--type=T] -p 'PATCH'`; `None` where kubectl itself refuses it.
    fn patch(&mut self, words: &[String]) -> Option<Answer> {
        let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let at = words.iter().position(|word| word == "-p")?;
        let (documents, _) = yaml::read(&words[at + 1]);
        let patch = documents.first()?.value();
        let patch = match option("--type=") {
            None | Some("strategic") => Patch::Strategic(patch),
            Some("merge") => Patch::Merge(patch),
            Some("json") => Patch::Json(patch),
            Some(_) => return None,
        };
        let (kind, name) = (Kind::of_resource(&words[0])?, &words[1]);
        let key = Key::new(kind, if kind.info().namespaced { "default" } else { "" }, name.as_str());
        let options = Options { field_validation: FieldValidation::Warn, ..Options::default() };
        let mut request = Request::new(Actor::User, Verb::Patch(patch), &key).options(options);
        match option("--subresource=") {
            Some("status") => request = request.subresource(Subresource::Status),
            Some("scale") => request = request.subresource(Subresource::Scale),
            _ => {}
        }
        let mut answer = Answer::default();
        self.send(request, &mut answer);
        Some(answer)
    }
}

/// The single messages of a refusal: the causes, or the message as a whole.
fn messages(status: &Status) -> Vec<String> {
    if status.causes.is_empty() {
        return vec![status.message.clone()];
    }
    status.causes.iter().map(ToString::to_string).collect()
}

/// What a recorded output says, in the same form; `None` where kubectl itself refused.
fn recorded(output: &str) -> Option<Answer> {
    let mut answer = Answer::default();
    for line in output.lines() {
        if let Some(warning) = line.strip_prefix("Warning: ") {
            answer.warnings.push(warning.to_owned());
        } else if let Some(cause) = line.strip_prefix("* ") {
            answer.refusals.push(cause.to_owned());
        } else if let Some((_, cause)) = line.split_once(" is invalid: ").filter(|_| line.starts_with("The "))
        {
            answer.refusals.extend(Some(cause.to_owned()).filter(|cause| !cause.is_empty()));
        } else if let Some((_, message)) = line.split_once("error when creating ") {
            let (_, message) = message.split_once(": ").expect("the file's name ends in a colon");
            answer.refusals.push(message.to_owned());
        } else if let Some(message) = line.strip_prefix("Error from server (") {
            answer.refusals.push(message.split_once("): ").expect("a reason ends so").1.to_owned());
        } else if line.starts_with("error: ") {
            return None;
        }
    }
    Some(answer)
}

/// Leaves out the digits of an IPv6 Service address, which the server chooses.
fn mask_address(text: &str) -> String {
    let Some((before, address)) = text.split_once("\"fd00:10:96::") else { return text.to_owned() };
    // Short ones are those that the session itself chose.
    let digits = address.find('"').filter(|digits| *digits > 1).unwrap_or(0);
    format!("{before}\"fd00:10:96::{}", &address[digits..])
}

/// The words of a command line; single and double quotes keep a word together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("there is always a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Replays the commands of a session that send manifests or patches. `wanted` is how many there are, so
/// that none is passed over.
fn check(session: &str, settings: Settings, wanted: usize) {
    let mut replay = Replay::new(session, settings);
    let text = fs::read_to_string(replay.folder.join("session.txt")).expect("the session is there");
    let mut seen = 0;
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with("$ ") || line.starts_with("# ") {
            blocks.push((line, String::new()));
        } else if let Some((_, output)) = blocks.last_mut() {
            output.push_str(line);
            output.push('\n');
        }
    }
    for (command, output) in blocks {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let option = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
        let answer = match words.as_slice() {
            ["#", "run", "kubectl", "delete", kinds, "web", ..] => {
                for kind in kinds.split(',').filter_map(Kind::of_resource) {
                    let key = Key::new(kind, "default", "web");
                    // It may not be there; the session ignores that too.
                    let _gone = replay.cluster.delete(Actor::User, &key, Options::default());
                }
                continue;
            }
            ["$", "kubectl", verb @ ("apply" | "create" | "replace"), "-f", file, ..] if *file != "-" => {
                replay.file(verb, file, option("-n").unwrap_or("default"))
            }
            ["$", "kubectl", "patch", rest @ ..] if option("-p").is_some() => {
                let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
                replay.patch(&rest)
            }
            _ => continue,
        };
        let (Some(mut answer), Some(mut expected)) = (answer, recorded(&output)) else { continue };
        for text in answer.refusals.iter_mut().chain(&mut expected.refusals) {
            *text = mask_address(text);
        }
        assert_eq!(answer, expected, "{session}: {command}");
        seen += 1;
    }
    assert!(seen >= wanted, "{session}: {seen} commands were compared");
}

#[test]
fn wrong_types_and_unknown_fields_are_refused() {
    check("51-bad-types", Settings::default(), 35);
}

#[test]
fn wrong_services_are_refused() {
    check("53-bad-service-spec", Settings::default(), 58);
}

#[test]
fn wrong_names_and_labels_are_refused() {
    check("54-bad-names-labels", Settings::default(), 20);
}

#[test]
fn wrong_deployments_are_refused() {
    check("55-bad-deployment", Settings::default(), 26);
}

#[test]
fn services_change_their_type() {
    check("62-externalname", Settings::default(), 5);
    check("63-loadbalancer", Settings::default(), 6);
    check("36-patch", Settings::default(), 12);
}

#[test]
fn address_families_follow_the_cluster() {
    check("70-ipfamily-single", Settings::default(), 5);
    check("71-ipfamily-dual", Settings::default().dual_stack(), 6);
}

#[test]
fn all_workloads_are_accepted() {
    check("60-headless-statefulset", Settings::default(), 1);
    check("72-other-workloads", Settings::default(), 1);
}

#[test]
fn hand_made_endpoint_slices_are_checked() {
    check("64-noselector-endpointslice", Settings::default(), 5);
}

/// Drops what the server chooses freely, and what `apply` and controllers add.
fn settled(document: &Value) -> Value {
    let mut document = document.clone();
    let metadata = document.field_mut("metadata");
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        metadata.remove(field);
    }
    if !document.at(&["spec", "healthCheckNodePort"]).is_null() {
        document.set_at(&["spec", "healthCheckNodePort"], 0);
    }
    document
}

#[test]
fn absent_fields_are_filled() {
    let mut replay = Replay::new("46-server-side-defaults", Settings::default());
    let session = fs::read_to_string(replay.folder.join("session.txt")).expect("the session is there");
    let mut seen = 0;
    for block in session.split("$ kubectl ").filter(|block| block.starts_with("create -f ")) {
        let (command, output) = block.split_once('\n').expect("a command has an output");
        let file = command.split(' ').nth(2).expect("a file is named");
        let output = output.split("\n# ").next().unwrap_or(output);
        let (documents, _) = yaml::read(output);
        let expected = settled(&documents[0].value());
        let answer = replay.file("create", file, "default").expect("the file is valid");
        assert_eq!(answer, Answer::default(), "{file}");
        let kind = Kind::of_manifest(expected.get("apiVersion").str(), expected.get("kind").str());
        let name = expected.at(&["metadata", "name"]).smol();
        let key = Key::new(kind.expect("the kind is stored"), "default", name);
        let found = settled(&replay.cluster.get(&key).expect("it was created").value);
        let pretty = |value: &Value| mask_volume(&json::pretty(value, 2));
        assert_eq!(pretty(&found), pretty(&expected), "{file}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// The generated suffix of the service account's volume.
fn mask_volume(text: &str) -> String {
    const PREFIX: &str = "kube-api-access-";
    let mut parts = text.split(PREFIX);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str(PREFIX);
        masked.push_str(&part[5..]);
    }
    masked
}
