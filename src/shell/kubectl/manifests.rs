//! Manifests from files, folders and standard input, as `-f` names them.
//!
//! Owns the reading, the checks that kubectl itself makes before it sends anything, and the finding of the
//! kind. YAML is read by [`crate::api::yaml`].

use std::rc::Rc;

use super::call::Call;
use super::failure::Failure;
use super::resources::list_options;
use crate::api::decode::check_metadata;
use crate::api::registry::{KINDS, Kind};
use crate::api::selector::Selector;
use crate::api::value::Value;
use crate::api::yaml::{self, Severity};
use crate::cluster::request::FieldValidation;
use crate::shell::filesystem::absolute;
use crate::shell::language::pattern::matches;

/// Endings of the files that a folder is searched for.
const ENDINGS: [&str; 3] = [".json", ".yaml", ".yml"];

/// One document that kubectl is about to send.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file as typed; `STDIN` for standard input.
    pub source: String,
    /// The document.
    pub value: Value,
    /// Its kind.
    pub kind: Kind,
    /// The namespace that it, or the call, names; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name, or empty.
    pub name: String,
}

/// Reads all files of a call: what can be used, and what cannot.
pub async fn read(call: &Call) -> (Vec<Manifest>, Vec<Failure>) {
    let mut manifests = Vec::new();
    let mut failures = Vec::new();
    for found in read_in_order(call).await {
        match found {
            Ok(manifest) => manifests.push(manifest),
            Err(failure) => failures.push(failure),
        }
    }
    (manifests, failures)
}

/// Reads all files of a call, in their order: what can be used, and what cannot.
pub async fn read_in_order(call: &Call) -> Vec<Result<Manifest, Failure>> {
    let mut found = Vec::new();
    for file in call.flags.values("filename").iter().flat_map(|files| files.split(',')) {
        match texts(call, file).await {
            Ok(texts) => {
                for (source, text) in texts {
                    read_text(call, &source, &text, &mut found);
                }
            }
            // A file that is not there ends the call before anything is sent.
            Err(failure) => return vec![Err(failure)],
        }
    }
    found
}

/// Those of the manifests that `-l` selects; what could not be read stays.
///
/// # Errors
/// A selector that cannot be read.
pub fn selected(
    call: &Call,
    found: Vec<Result<Manifest, Failure>>,
) -> Result<Vec<Result<Manifest, Failure>>, Failure> {
    let text = list_options(call).label_selector;
    if text.trim().is_empty() {
        return Ok(found);
    }
    let selector = Selector::parse(&text)
        .map_err(|why| Failure::plain(format!("the provided selector {text:?} is not valid: {why}")))?;
    let selects = |one: &Result<Manifest, Failure>| {
        one.as_ref().map_or(true, |manifest| selector.matches(manifest.value.at(&["metadata", "labels"])))
    };
    Ok(found.into_iter().filter(selects).collect())
}

/// The texts that one `-f` means, with their names.
async fn texts(call: &Call, file: &str) -> Result<Vec<(String, Rc<str>)>, Failure> {
    if file == "-" {
        let text = call.invocation.streams.stdin.read_to_end().await;
        return Ok(vec![("STDIN".to_owned(), Rc::from(text))]);
    }
    if file.starts_with("http://") || file.starts_with("https://") {
        return Err(unreachable_url(file));
    }
    let path = call.invocation.path(file);
    if !call.invocation.files().borrow().is_directory(&path) {
        if file.ends_with('/') {
            return Err(missing(file));
        }
        return match call.invocation.read_file(file) {
            Ok(text) => Ok(vec![(file.to_owned(), text)]),
            Err(_) => matching(call, file),
        };
    }
    let mut found = Vec::new();
    collect(call, file, &path, &mut found);
    if found.is_empty() {
        return Err(Failure::plain(format!(
            "error reading [{file}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(found)
}

/// The files of a pattern in quotes: `-f '*.yaml'`.
fn matching(call: &Call, pattern: &str) -> Result<Vec<(String, Rc<str>)>, Failure> {
    let (folder, level) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, level)| (folder, level));
    let directory = call.invocation.path(if folder.is_empty() { "." } else { folder });
    let files = call.invocation.files();
    let mut found = Vec::new();
    let names = files.borrow().names(&directory);
    for name in names.into_iter().filter(|name| matches(level, name)) {
        if let Ok(text) = files.borrow().read(&absolute(&directory, &name)) {
            found.push((join(folder, &name), text));
        }
    }
    if found.is_empty() { Err(missing(pattern)) } else { Ok(found) }
}

fn missing(file: &str) -> Failure {
    Failure::plain(format!("the path \"{file}\" does not exist"))
}

/// Nothing answers at the addresses of URLs: there is no network outside the world.
fn unreachable_url(url: &str) -> Failure {
    let address = url.split("//").nth(1).unwrap_or("").split('/').next().unwrap_or("");
    let local = address.starts_with("127.") || address.starts_with("localhost");
    if local {
        return Failure::Exact(format!(
            "The connection to the server {address} was refused - did you specify the right host or port?"
        ));
    }
    Failure::NotSimulated(format!("kubectl -f {url}"), "paste the manifest into a file")
}

fn collect(call: &Call, shown: &str, directory: &str, found: &mut Vec<(String, Rc<str>)>) {
    let files = call.invocation.files();
    let names = files.borrow().names(directory);
    for name in names {
        let path = absolute(directory, &name);
        let shown = join(shown, &name);
        if files.borrow().is_directory(&path) {
            if call.declares("recursive") && call.has("recursive") {
                collect(call, &shown, &path, found);
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = files.borrow().read(&path)
        {
            found.push((shown, text));
        }
    }
}

/// A file of a folder as messages name it (`filepath.Join`): `-f .` finds `svc.yaml`.
fn join(folder: &str, name: &str) -> String {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    if folder.is_empty() || folder == "." { name.to_owned() } else { format!("{folder}/{name}") }
}

fn read_text(call: &Call, source: &str, text: &str, found: &mut Vec<Result<Manifest, Failure>>) {
    let (documents, diagnostics) = yaml::read(text);
    for document in documents {
        let value = document.value();
        if validates(call)
            && let Err(why) = check_shape(&value)
        {
            found.push(Err(Failure::plain(format!(
                "error validating \"{source}\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false"
            ))));
            // What follows in this file is not looked at any more.
            return;
        }
        if let Err(failure) = accept(call, source, value, found) {
            found.push(Err(failure));
        }
    }
    if let Some(error) = diagnostics.iter().find(|found| found.severity == Severity::Error) {
        found.push(Err(Failure::plain(format!("error parsing {source}: {}", error.message))));
    }
}

/// Takes a document, or the items of a list.
fn accept(
    call: &Call,
    source: &str,
    value: Value,
    found: &mut Vec<Result<Manifest, Failure>>,
) -> Result<(), Failure> {
    if value.get("kind").is_empty() {
        let text = crate::api::json::compact(&value);
        return Err(Failure::plain(format!(
            "unable to decode \"{source}\": Object 'Kind' is missing in '{text}'"
        )));
    }
    check_metadata(&value).map_err(|why| Failure::plain(format!("unable to decode \"{source}\": {why}")))?;
    if value.get("kind").str().ends_with("List") && value.get("items").as_str().is_none() {
        for item in value.get("items").items() {
            accept(call, source, item.clone(), found)?;
        }
        return Ok(());
    }
    found.push(Ok(identify(call, source, value)?));
    Ok(())
}

fn validates(call: &Call) -> bool {
    !call.declares("validate") || call.field_validation() == Ok(FieldValidation::Strict)
}

/// What kubectl checks of any document.
fn check_shape(value: &Value) -> Result<(), String> {
    if value.as_map().is_none() {
        return Err("invalid object to validate".to_owned());
    }
    let mut wrong = Vec::new();
    for field in ["apiVersion", "kind"] {
        match value.get(field) {
            Value::Null => wrong.push(format!("{field} not set")),
            Value::Str(text) if text.is_empty() => wrong.push(format!("{field} not set")),
            Value::Str(_) => {}
            _ => wrong.push(format!("{field} isn't string type")),
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

fn identify(call: &Call, source: &str, value: Value) -> Result<Manifest, Failure> {
    let metadata = value.get("metadata");
    let (name, given) = (metadata.get("name").smol(), metadata.get("namespace").smol());
    let (version, kind_name) = (value.get("apiVersion").str(), value.get("kind").str());
    let kind = kind_of(version, kind_name).ok_or_else(|| {
        if super::discovery::is_unserved_manifest(version, kind_name) {
            let nearest = KINDS.iter().find(|info| info.name == kind_name).map_or("", |info| info.api_version);
            return Failure::NotSimulated(format!("{version} {kind_name}"), nearest);
        }
        Failure::plain(format!(
            "resource mapping not found for name: \"{name}\" namespace: \"{given}\" from \"{source}\": no matches for kind \"{kind_name}\" in version \"{version}\"\nensure CRDs are installed first"
        ))
    })?;
    let namespaced = kind.info().namespaced;
    if namespaced && call.namespace_given() && !given.is_empty() && given != call.namespace {
        return Err(Failure::plain(format!(
            "the namespace from the provided object \"{given}\" does not match the namespace \"{}\". You must pass '--namespace={given}' to perform this operation.",
            call.namespace
        )));
    }
    let namespace = match (namespaced, given.is_empty()) {
        (false, _) => String::new(),
        (true, true) => call.namespace.clone(),
        (true, false) => given.to_string(),
    };
    let mut value = value;
    // Without the server nothing tells which kinds have a namespace.
    if namespaced && metadata_is_map(&value) && !call.is_local() {
        value.set_at(&["metadata", "namespace"], crate::api::value::SmolStr::new(&namespace));
    }
    Ok(Manifest { source: source.to_owned(), kind, namespace, name: name.to_string(), value })
}

fn metadata_is_map(value: &Value) -> bool {
    matches!(value.get("metadata"), Value::Map(_) | Value::Null)
}

/// The kind of a manifest; kubectl also takes the name in small letters.
fn kind_of(version: &str, kind: &str) -> Option<Kind> {
    Kind::of_manifest(version, kind).or_else(|| {
        let small = |name: &str| name.to_ascii_lowercase();
        KINDS
            .iter()
            .find(|info| info.api_version == version && small(info.name) == kind)
            .map(|info| info.kind)
    })
}
