//! Which line of a person's file is to blame.
//!
//! Owns the way from a finding's subject and field to a line and column of a text.

use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::yaml::{self, Document, Span};

/// Where a field of an object stands in a text, if the text has a document of that object. A field that the
/// text does not have leads to the nearest parent that it has.
#[must_use]
pub fn locate(text: &str, key: &Key, field: &str) -> Option<Span> {
    let (documents, _) = yaml::read(text);
    let document = documents.iter().find(|document| names(document, key))?;
    let found = document.positions.lookup(field)?;
    Some(found.key)
}

/// Whether a document describes the object.
fn names(document: &Document, key: &Key) -> bool {
    let value = document.value();
    let namespace = value.at(&["metadata", "namespace"]);
    Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()) == Some(key.kind)
        && value.at(&["metadata", "name"]).str() == key.name
        && (namespace.is_null() || namespace.str() == key.namespace)
}
