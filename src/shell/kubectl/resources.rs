//! Which objects a verb is about: `TYPE NAME…`, `TYPE/NAME…`, `TYPE -l …`, `-f FILE`.
//!
//! Owns the reading of operands by kubectl's rules (`resource.Builder`) and its error words. It asks the
//! server only in [`objects`].

use std::sync::Arc;

use super::call::{Call, key};
use super::failure::Failure;
use super::manifests::Manifest;
use crate::api::object::{Key, Object};
use crate::api::registry::{KINDS, Kind};
use crate::cluster::request::Options;

/// What is said when nothing names an object.
const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// What is said of an object without a name.
pub const NAMELESS: &str = "resource name may not be empty";

/// What is said when `--local` comes with objects of the server, or without a file.
const LOCAL_NEEDS_FILES: &str = "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/// What the operands and flags of a call mean.
#[derive(Clone, Debug)]
pub enum Query {
    /// One object.
    One {
        /// Its name in the cluster.
        key: Key,
        /// The file that it was named in, or empty.
        source: String,
        /// The object of the file itself, where `--local` asks for it.
        local: Option<Arc<Object>>,
    },
    /// All objects of a kind that the selectors select.
    Many {
        /// The kind.
        kind: Kind,
        /// The namespace; empty for all.
        namespace: String,
    },
}

impl Query {
    /// The kind that is asked for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::One { key, .. } => key.kind,
            Self::Many { kind, .. } => *kind,
        }
    }
}

/// The error of a call that names nothing.
pub fn nothing_named() -> Failure {
    Failure::plain(NOTHING_NAMED)
}

/// How operands are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// A resource alone means all objects of it.
    pub resource_alone: bool,
    /// In every namespace (`-A`).
    pub all_namespaces: bool,
}

/// One object that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The object.
    pub object: Arc<Object>,
    /// The file that it was named in, or empty.
    pub source: String,
}

/// The kinds that a word of resources means: `svc`, `svc,ep`, `all`.
///
/// # Errors
/// A resource that the server does not have.
pub fn kinds(words: &str) -> Result<Vec<Kind>, Failure> {
    let mut kinds = Vec::new();
    for word in words.split(',') {
        if word == "all" {
            kinds.extend(KINDS.iter().filter(|info| info.categories.contains(&"all")).map(|info| info.kind));
        } else {
            kinds.push(kind(word)?);
        }
    }
    let mut seen = Vec::new();
    kinds.retain(|kind| {
        let fresh = !seen.contains(kind);
        seen.push(*kind);
        fresh
    });
    Ok(kinds)
}

/// The kind that a resource name means.
///
/// # Errors
/// A resource that the server does not have, or Portside has not.
pub fn kind(word: &str) -> Result<Kind, Failure> {
    Kind::of_resource(word).ok_or_else(|| {
        if super::discovery::is_unserved(word) {
            return Failure::NotSimulated(format!("the resource type \"{word}\""), "kubectl api-resources");
        }
        // The group, if one was typed, is not repeated.
        let resource = word.split('.').next().unwrap_or(word);
        Failure::plain(format!("the server doesn't have a resource type \"{resource}\""))
    })
}

/// Reads a call's files and operands.
///
/// # Errors
/// Operands that name nothing, or too much at once.
pub fn queries(
    call: &Call,
    operands: &[String],
    manifests: Vec<Manifest>,
    reading: Reading,
) -> Result<Vec<Query>, Failure> {
    let operands = multiplied(operands);
    let tuples = are_tuples(&operands)?;
    if selects_all(call) && given_selector(call) {
        return Err(Failure::plain("setting 'all' parameter but found a non empty selector. "));
    }
    if call.declares("filename") && call.flags.value("filename").is_some() {
        refuse_operands_beside_files(&operands, tuples)?;
        let local = call.is_local();
        let selected = super::manifests::selected(call, manifests.into_iter().map(Ok).collect())?;
        return selected.into_iter().map(|manifest| Ok(of_manifest(manifest?, local))).collect();
    }
    if call.is_local() {
        return Err(local_needs_files());
    }
    let selects = selects(call);
    if tuples {
        if selects {
            return Err(Failure::plain(
                "selectors and the all flag cannot be used when passing resource/name arguments",
            ));
        }
        return operands.iter().map(|word| tuple(call, word, reading)).collect();
    }
    let Some((first, names)) = operands.split_first() else {
        let text =
            if selects { "at least one resource must be specified to use a selector" } else { NOTHING_NAMED };
        return Err(Failure::plain(text));
    };
    if selects && !names.is_empty() {
        return Err(Failure::plain("name cannot be provided when a selector is specified"));
    }
    // `--all` of verbs that have no selection of their own is a resource alone (`scale --all deploy`).
    let alone = reading.resource_alone || (call.declares("all") && call.has("all"));
    if selects || (names.is_empty() && alone) {
        let namespace = |kind: Kind| {
            if reading.all_namespaces || !kind.info().namespaced {
                String::new()
            } else {
                call.namespace.clone()
            }
        };
        let many = |kind| Query::Many { kind, namespace: namespace(kind) };
        return Ok(kinds(first)?.into_iter().map(many).collect());
    }
    if !names.is_empty() && first == "all" {
        return Err(Failure::plain("you must specify only one resource"));
    }
    let kinds = kinds(first)?;
    match (names, kinds.first()) {
        ([], _) | (_, None) => Err(Failure::plain("resource(s) were provided, but no name was specified")),
        (names, Some(kind)) => names.iter().map(|name| one(call, *kind, name, reading)).collect(),
    }
}

/// The error of `--local` without a file, or with objects of the server.
pub fn local_needs_files() -> Failure {
    Failure::plain(LOCAL_NEEDS_FILES)
}

/// `svc,pod a b` as `svc/a svc/b pod/a pod/b`; everything else as it is.
fn multiplied(operands: &[String]) -> Vec<String> {
    let Some((first, names)) = operands.split_first() else { return Vec::new() };
    let mut resources: Vec<&str> = Vec::new();
    for resource in first.split(',') {
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    if names.is_empty() || resources.len() < 2 {
        return operands.to_vec();
    }
    let each = |resource: &&str| names.iter().map(|name| format!("{resource}/{name}")).collect::<Vec<_>>();
    resources.iter().flat_map(each).collect()
}

/// Whether operands are all `TYPE/NAME`.
fn are_tuples(operands: &[String]) -> Result<bool, Failure> {
    let count = operands.iter().filter(|word| word.contains('/')).count();
    if count > 0 && count != operands.len() {
        return Err(Failure::plain(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        ));
    }
    if let Some(word) = operands.iter().find(|word| count > 0 && split_tuple(word).is_err()) {
        split_tuple(word)?;
    }
    Ok(count > 0)
}

/// `TYPE/NAME` in two.
fn split_tuple(word: &str) -> Result<(&str, &str), Failure> {
    match word.split('/').collect::<Vec<_>>().as_slice() {
        [resource, name] if !resource.is_empty() && !name.is_empty() && !resource.contains(',') => {
            Ok((resource, name))
        }
        [_, _] => Err(Failure::plain("arguments in resource/name form must have a single resource and name")),
        _ => Err(Failure::plain("arguments in resource/name form may not have more than one slash")),
    }
}

fn tuple(call: &Call, word: &str, reading: Reading) -> Result<Query, Failure> {
    let (resource, name) = split_tuple(word)?;
    one(call, kind(resource)?, name, reading)
}

fn refuse_operands_beside_files(operands: &[String], tuples: bool) -> Result<(), Failure> {
    match operands {
        [] => Ok(()),
        _ if tuples => {
            Err(Failure::plain("resource/name arguments cannot be provided when a path is specified"))
        }
        _ => Err(Failure::plain(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
        )),
    }
}

/// Whether flags choose objects.
fn selects(call: &Call) -> bool {
    given_selector(call) || selects_all(call)
}

fn given_selector(call: &Call) -> bool {
    let given = |flag: &str| call.declares(flag) && !call.text(flag).trim().is_empty();
    (chooses_by_selector(call) && given("selector")) || given("field-selector")
}

/// Whether `--all` selects, as it does where objects are also chosen by their fields.
fn selects_all(call: &Call) -> bool {
    call.declares("field-selector") && call.declares("all") && call.has("all")
}

/// `expose` and `set selector` have a `--selector` of their own, which chooses nothing.
fn chooses_by_selector(call: &Call) -> bool {
    call.verb.flags.iter().any(|flag| flag.long == "selector" && flag.short == Some('l'))
}

fn of_manifest(manifest: Manifest, local: bool) -> Query {
    let key = key(manifest.kind, &manifest.namespace, &manifest.name);
    let local = local.then(|| Arc::new(Object::new(manifest.kind, manifest.value, None)));
    Query::One { key, source: manifest.source, local }
}

fn one(call: &Call, kind: Kind, name: &str, reading: Reading) -> Result<Query, Failure> {
    if reading.all_namespaces && kind.info().namespaced {
        return Err(Failure::plain("a resource cannot be retrieved by name across all namespaces"));
    }
    if name.is_empty() {
        return Err(Failure::plain(NAMELESS));
    }
    if let Some(why) = unusable_name(name) {
        return Err(Failure::plain(format!("invalid resource name \"{name}\": [{why}]")));
    }
    Ok(Query::One { key: key(kind, &call.namespace, name), source: String::new(), local: None })
}

/// Why a name cannot stand in a request's path.
pub fn unusable_name(name: &str) -> Option<String> {
    if name == "." || name == ".." {
        return Some(format!("may not be '{name}'"));
    }
    let found: Vec<String> = ["/", "%"]
        .iter()
        .filter(|bad| name.contains(**bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect();
    (!found.is_empty()).then(|| found.join(" "))
}

/// The options of list requests that flags choose.
pub fn list_options(call: &Call) -> Options {
    let given = |flag: &str| if call.declares(flag) { call.text(flag).to_owned() } else { String::new() };
    Options {
        label_selector: if chooses_by_selector(call) { given("selector") } else { String::new() },
        field_selector: given("field-selector"),
        ..Options::default()
    }
}

/// Reads what queries mean: the objects, and what could not be read.
pub fn objects(call: &Call, queries: &[Query]) -> (Vec<Found>, Vec<Failure>) {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for query in queries {
        match query {
            Query::One { local: Some(object), source, .. } => {
                found.push(Found { object: Arc::clone(object), source: source.clone() });
            }
            Query::One { key, source, .. } => match call.get(key.kind, &key.namespace, &key.name) {
                Ok(object) => {
                    found.push(Found { object, source: source.clone() });
                }
                Err(status) => failures.push(status.into()),
            },
            Query::Many { kind, namespace } => match call.list(*kind, namespace, list_options(call)) {
                Ok(objects) => {
                    found.extend(objects.into_iter().map(|object| Found { object, source: String::new() }))
                }
                Err(status) => failures.push(status.into()),
            },
        }
    }
    (found, failures)
}

/// `deployment.apps/web`, as results name objects.
pub fn named(key: &Key) -> String {
    format!("{}/{}", key.kind.info().group_singular(), key.name)
}
