//! What may stand where the cursor is in a manifest: fields, their values, kinds, labels that Pods have.
//!
//! Owns the choice and its order. Where the cursor is comes from [`outline`], what may stand there from the
//! schema that the API server decodes by, what it is for from `api::field_words`.

pub mod outline;

use std::collections::BTreeSet;

use self::outline::{Place, Step, Typed, place};
use crate::api::field_words;
use crate::api::registry::Kind;
use crate::api::schema::{Field, Shape, TypeId, schema};
use crate::api::value::Value;
use crate::cluster::Cluster;
use crate::words::Language;

/// Something that may be typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// What it is called.
    pub label: String,
    /// What kind of value it takes, in short.
    pub detail: String,
    /// What it is for.
    pub info: &'static str,
    /// What is put into the text.
    pub apply: String,
    /// Whether it must be there: it is offered before the others.
    pub required: bool,
}

/// Pods whose labels are looked at.
const PODS: usize = 1_000;
/// The fields of every manifest, in the order in which they are written.
const FIRST: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// What may stand at `at` bytes into the text.
#[must_use]
pub fn complete(text: &str, at: usize, cluster: &Cluster, language: Language) -> Vec<Candidate> {
    let Some(place) = place(text, at) else { return Vec::new() };
    if let Some(found) = heads(&place) {
        return found;
    }
    let Some(top) = schema().kind(place.api_version, place.kind) else { return Vec::new() };
    if let Some(found) = known_to_the_cluster(&place, cluster) {
        return found;
    }
    let Some(here) = follow(top, &place.path) else { return Vec::new() };
    match (&here.shape, place.typed) {
        (Shape::Struct(id), Typed::Name) => fields(*id, &place, "", language),
        (Shape::List(inner), Typed::Name) => match &**inner {
            Shape::Struct(id) => fields(*id, &place, "- ", language),
            _ => values(here.field, inner, "- "),
        },
        (shape, _) => values(here.field, shape, ""),
    }
}

/// `apiVersion` and `kind`, before and while they are known.
fn heads(place: &Place<'_>) -> Option<Vec<Candidate>> {
    let kinds = || schema().kinds().filter(|(version, kind, _)| Kind::of_manifest(version, kind).is_some());
    let offer = |words: BTreeSet<&str>| words.into_iter().map(word).collect();
    match place.path.as_slice() {
        [Step::Key("kind")] if place.typed == Typed::Value => {
            let fits = |version: &str| place.api_version.is_empty() || version == place.api_version;
            Some(offer(kinds().filter(|(version, ..)| fits(version)).map(|(_, kind, _)| kind).collect()))
        }
        [Step::Key("apiVersion")] if place.typed == Typed::Value => {
            let fits = |kind: &str| place.kind.is_empty() || kind == place.kind;
            Some(offer(kinds().filter(|(_, kind, _)| fits(kind)).map(|(version, ..)| version).collect()))
        }
        [] if schema().kind(place.api_version, place.kind).is_none() => {
            let missing = FIRST.iter().filter(|name| !place.siblings.contains(name));
            let apply = |name: &str| match name {
                "metadata" | "spec" => format!("{name}:\n  "),
                _ => format!("{name}: "),
            };
            let candidate = |name: &&str| Candidate {
                label: (*name).to_owned(),
                apply: apply(name),
                required: true,
                ..Candidate::default()
            };
            Some(missing.map(candidate).collect())
        }
        _ => None,
    }
}

fn word(word: &str) -> Candidate {
    Candidate { label: word.to_owned(), apply: word.to_owned(), ..Candidate::default() }
}

/// Names that are the cluster's: labels of Pods in selectors, namespaces.
fn known_to_the_cluster(place: &Place<'_>, cluster: &Cluster) -> Option<Vec<Candidate>> {
    let (last, above) = place.path.split_last()?;
    let is_selector = |step: Option<&Step<'_>>| matches!(step, Some(Step::Key("selector" | "matchLabels")));
    if place.typed == Typed::Value && place.path == [Step::Key("metadata"), Step::Key("namespace")] {
        let names = cluster.list(Kind::Namespace, None).map(|namespace| word(&namespace.key.name));
        return Some(names.collect());
    }
    let selects_pods =
        place.kind == "Service" || above.iter().chain([last]).any(|step| *step == Step::Key("matchLabels"));
    // Labels of Pods are gathered only where they are asked for.
    let in_selector = match place.typed {
        Typed::Name => is_selector(Some(last)),
        Typed::Value => is_selector(above.last()),
    };
    if !selects_pods || !in_selector {
        return None;
    }
    let namespace = if place.namespace.is_empty() { "default" } else { place.namespace };
    let pods = || cluster.list(Kind::Pod, Some(namespace)).take(PODS);
    let labels = |pod: &'_ Value| -> Vec<(String, String)> {
        pod.entries().iter().map(|(key, value)| (key.to_string(), value.str().to_owned())).collect()
    };
    let all: BTreeSet<(String, String)> = pods().flat_map(|pod| labels(&pod.meta.labels)).collect();
    match (place.typed, *last) {
        (Typed::Name, Step::Key(_)) => {
            let keys: BTreeSet<&String> = all.iter().map(|(key, _)| key).collect();
            let fresh = keys.into_iter().filter(|key| !place.siblings.contains(&key.as_str()));
            Some(
                fresh
                    .map(|key| Candidate {
                        label: key.clone(),
                        apply: format!("{key}: "),
                        ..Candidate::default()
                    })
                    .collect(),
            )
        }
        (Typed::Value, Step::Key(key)) => {
            let values: BTreeSet<&String> =
                all.iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect();
            Some(values.into_iter().map(|value| word(value)).collect())
        }
        _ => None,
    }
}

/// Where a path leads.
struct Here {
    shape: Shape,
    /// The field that was entered last.
    field: Option<&'static Field>,
}

fn follow(top: TypeId, path: &[Step<'_>]) -> Option<Here> {
    let mut here = Here { shape: Shape::Struct(top), field: None };
    for step in path {
        here = match (here.shape, step) {
            (Shape::Struct(id), Step::Key(name)) => {
                let field = schema().get(id).field(name)?;
                Here { shape: field.shape.clone(), field: Some(field) }
            }
            (Shape::Map(inner), Step::Key(_)) | (Shape::List(inner), Step::Item) => {
                Here { shape: *inner, field: here.field }
            }
            _ => return None,
        };
    }
    Some(here)
}

/// The fields of a type that are not there yet. A field of an item that has no dash yet gets one.
fn fields(id: TypeId, place: &Place<'_>, dash: &str, language: Language) -> Vec<Candidate> {
    let of = schema().get(id);
    let top = place.path.is_empty();
    let candidate = |field: &Field| {
        let required = field.required || (top && FIRST.contains(&field.name.as_str()));
        Candidate {
            label: field.name.to_string(),
            detail: field.shape.to_string(),
            info: field_words::of_field(&of.name, &field.name, language).unwrap_or(""),
            apply: format!("{dash}{}:{}", field.name, opening(&field.shape, place.column + dash.len())),
            required,
        }
    };
    let fresh = of.fields.iter().filter(|field| !place.siblings.contains(&field.name.as_str()));
    // What the cluster says of an object is nothing that one writes.
    let written = fresh.filter(|field| !(top && field.name == "status"));
    let mut found: Vec<Candidate> = written.map(candidate).collect();
    found.sort_by_key(|candidate| !candidate.required);
    found
}

/// What follows a field's colon: a blank, or the beginning of the next line.
fn opening(shape: &Shape, column: usize) -> String {
    let blanks = " ".repeat(column);
    match shape {
        Shape::Struct(_) | Shape::Map(_) => format!("\n{blanks}  "),
        Shape::List(_) => format!("\n{blanks}- "),
        _ => " ".to_owned(),
    }
}

/// The values that a field may have, where they can be counted.
fn values(field: Option<&'static Field>, shape: &Shape, dash: &str) -> Vec<Candidate> {
    let words = field.map_or(&[][..], |field| field.words.as_slice());
    let booleans = ["true", "false"].iter().filter(|_| *shape == Shape::Boolean).copied();
    let all = words.iter().map(|word| word.as_str()).chain(booleans);
    let default = field.map_or("", |field| field.default.str());
    all.map(|text| Candidate {
        detail: if text == default { "default".to_owned() } else { String::new() },
        apply: format!("{dash}{text}"),
        ..word(text)
    })
    .collect()
}

#[cfg(test)]
mod tests;
