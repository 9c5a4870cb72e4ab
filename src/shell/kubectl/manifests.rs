//! Manifests from files, folders and standard input, as `-f` names them.
//!
//! Owns the reading, the checks that kubectl itself makes before it sends anything, and the finding of the
//! kind. YAML is read by [`crate::api::yaml`].

use std::rc::Rc;

use super::call::Call;
use super::failure::Failure;
use crate::api::decode::check_metadata;
use crate::api::registry::{KINDS, Kind};
use crate::api::value::Value;
use crate::api::yaml::{self, Severity};
use crate::shell::filesystem::absolute;

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
    for file in call.flags.values("filename").iter().flat_map(|files| files.split(',')) {
        match texts(call, file).await {
            Ok(texts) => {
                for (source, text) in texts {
                    read_text(call, &source, &text, &mut manifests, &mut failures);
                }
            }
            Err(failure) => {
                // A file that is not there ends the call before anything is sent.
                return (Vec::new(), vec![failure]);
            }
        }
    }
    (manifests, failures)
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
        let text = call.invocation.read_file(file).map_err(|_| missing(file))?;
        return Ok(vec![(file.to_owned(), text)]);
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
            if call.has("recursive") {
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

fn read_text(
    call: &Call,
    source: &str,
    text: &str,
    manifests: &mut Vec<Manifest>,
    failures: &mut Vec<Failure>,
) {
    let (documents, diagnostics) = yaml::read(text);
    for document in documents {
        if let Err(failure) = accept(call, source, document.value(), manifests) {
            failures.push(failure);
        }
    }
    if let Some(error) = diagnostics.iter().find(|found| found.severity == Severity::Error) {
        failures.push(Failure::plain(format!("error parsing {source}: {}", error.message)));
    }
}

/// Takes a document, or the items of a list.
fn accept(call: &Call, source: &str, value: Value, manifests: &mut Vec<Manifest>) -> Result<(), Failure> {
    if validates(call) {
        check_shape(&value).map_err(|why| {
            Failure::plain(format!(
                "error validating \"{source}\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false"
            ))
        })?;
    } else if value.get("kind").is_empty() {
        let text = crate::api::json::compact(&value);
        return Err(Failure::plain(format!(
            "unable to decode \"{source}\": Object 'Kind' is missing in '{text}'"
        )));
    }
    check_metadata(&value).map_err(|why| Failure::plain(format!("unable to decode \"{source}\": {why}")))?;
    if value.get("kind").str().ends_with("List") && value.get("items").as_str().is_none() {
        for item in value.get("items").items() {
            accept(call, source, item.clone(), manifests)?;
        }
        return Ok(());
    }
    manifests.push(identify(call, source, value)?);
    Ok(())
}

fn validates(call: &Call) -> bool {
    !call.declares("validate") || !matches!(call.text("validate"), "false" | "ignore" | "warn")
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
        if super::discovery::is_unstored_manifest(version, kind_name) {
            return Failure::NotSimulated(format!("{version} {kind_name}"), "");
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
    if namespaced && metadata_is_map(&value) {
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
