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

/// What is said when `--local` comes without a file.
const LOCAL_NEEDS_FILES: &str =
    "resource(s) were provided, but no name, label selector, or --all flag specified";

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
        if super::discovery::is_unstored(word) {
            return Failure::NotSimulated(format!("the resource type \"{word}\""), "kubectl api-resources");
        }
        Failure::plain(format!("the server doesn't have a resource type \"{word}\""))
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
    if call.declares("filename") && call.flags.value("filename").is_some() {
        if !operands.is_empty() {
            return Err(Failure::plain(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            ));
        }
        let local = call.is_local();
        return Ok(manifests.into_iter().map(|manifest| of_manifest(manifest, local)).collect());
    }
    if call.is_local() {
        return Err(Failure::plain(LOCAL_NEEDS_FILES));
    }
    let selects = selects(call);
    if operands.iter().any(|word| word.contains('/')) {
        return tuples(call, operands, selects);
    }
    let Some((first, names)) = operands.split_first() else {
        let text =
            if selects { "at least one resource must be specified to use a selector" } else { NOTHING_NAMED };
        return Err(Failure::plain(text));
    };
    let kinds = kinds(first)?;
    let namespace = |kind: Kind| {
        if reading.all_namespaces || !kind.info().namespaced { String::new() } else { call.namespace.clone() }
    };
    if selects || (names.is_empty() && reading.resource_alone) {
        if !names.is_empty() {
            return Err(Failure::plain("name cannot be provided when a selector is specified"));
        }
        return Ok(kinds.into_iter().map(|kind| Query::Many { kind, namespace: namespace(kind) }).collect());
    }
    match (names, kinds.as_slice()) {
        ([], _) => Err(Failure::plain("resource(s) were provided, but no name was specified")),
        (names, [kind]) => names.iter().map(|name| one(call, *kind, name)).collect(),
        _ => Err(Failure::plain("you must specify only one resource")),
    }
}

/// Whether flags choose objects.
fn selects(call: &Call) -> bool {
    let given = |flag: &str| call.declares(flag) && !call.text(flag).is_empty();
    chooses_by_selector(call) && given("selector")
        || given("field-selector")
        || (call.declares("all") && call.has("all"))
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

fn one(call: &Call, kind: Kind, name: &str) -> Result<Query, Failure> {
    if name.is_empty() {
        return Err(Failure::plain("resource name may not be empty"));
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

fn tuples(call: &Call, operands: &[String], selects: bool) -> Result<Vec<Query>, Failure> {
    if operands.iter().any(|word| !word.contains('/')) {
        return Err(Failure::plain(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        ));
    }
    if selects {
        return Err(Failure::plain(
            "selectors and the all flag cannot be used when passing resource/name arguments",
        ));
    }
    let mut queries = Vec::new();
    for word in operands {
        match word.split('/').collect::<Vec<_>>().as_slice() {
            [resource, name] if !resource.is_empty() && !name.is_empty() && !resource.contains(',') => {
                queries.push(one(call, kind(resource)?, name)?);
            }
            [_, _] => {
                return Err(Failure::plain(
                    "arguments in resource/name form must have a single resource and name",
                ));
            }
            _ => {
                return Err(Failure::plain(
                    "arguments in resource/name form may not have more than one slash",
                ));
            }
        }
    }
    Ok(queries)
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
