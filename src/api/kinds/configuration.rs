//! ConfigMaps, Secrets and ServiceAccounts: defaults, checks, tables.

use super::field::{Errors, immutable};
use super::table::{AGE, NAME, shown};
use super::{Rules, STORED, age, metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;
use crate::api::{base64, json};

/// The rules of ConfigMaps.
pub(super) const CONFIG_MAP: Rules = Rules {
    validate: |document| validate(Kind::ConfigMap, document),
    validate_update: |document, before| validate_update(Kind::ConfigMap, document, before),
    columns: &[NAME, shown("Data"), AGE],
    cells: |object, now| {
        let count = ["data", "binaryData"].iter().map(|field| object.value.get(field).entries().len());
        vec![object.key.name.to_string(), count.sum::<usize>().to_string(), age(object, now)]
    },
    ..STORED
};

/// The rules of Secrets.
pub(super) const SECRET: Rules = Rules {
    default: |document| {
        if document.get("type").is_empty() {
            document.set("type", "Opaque");
        }
    },
    prepare_create: take_plain_text,
    prepare_update: |document, _| take_plain_text(document),
    validate: |document| validate(Kind::Secret, document),
    validate_update: |document, before| {
        let mut errors = Vec::new();
        immutable(&mut errors, "type", document.get("type"), before.get("type"));
        errors.extend(validate_update(Kind::Secret, document, before));
        errors
    },
    columns: &[NAME, shown("Type"), shown("Data"), AGE],
    cells: |object, now| {
        let count = object.value.get("data").entries().len().to_string();
        vec![object.key.name.to_string(), object.value.get("type").str().to_owned(), count, age(object, now)]
    },
    ..STORED
};

/// The rules of ServiceAccounts.
pub(super) const SERVICE_ACCOUNT: Rules = Rules {
    validate: |document| metadata::validate(Kind::ServiceAccount, document),
    validate_update: |document, _| metadata::validate(Kind::ServiceAccount, document),
    ..STORED
};

/// `stringData` is written into `data`, in base64.
fn take_plain_text(document: &mut Value) {
    let plain = document.remove("stringData");
    for (key, text) in plain.entries() {
        let coded = base64::encode(text.str().as_bytes());
        document.field_mut("data").map_mut().insert(key.clone(), coded.into());
    }
}

fn validate(kind: Kind, document: &Value) -> Errors {
    let mut errors = metadata::validate(kind, document);
    for field in ["data", "binaryData"] {
        for (key, _) in document.get(field).entries() {
            for why in names::config_key(key) {
                errors.push(FieldError::invalid(format!("{field}[{key}]"), json::quote(key), why));
            }
            if field == "binaryData" && document.get("data").as_map().is_some_and(|data| data.contains(key)) {
                let why = "duplicate of key present in data";
                errors.push(FieldError::invalid(format!("data[{key}]"), json::quote(key), why));
            }
        }
    }
    errors
}

fn validate_update(kind: Kind, document: &Value, before: &Value) -> Errors {
    let mut errors = Vec::new();
    if before.get("immutable").as_bool() == Some(true) {
        const WHY: &str = "field is immutable when `immutable` is set";
        if document.get("immutable").as_bool() != Some(true) {
            errors.push(FieldError::forbidden("immutable", WHY));
        }
        for field in ["data", "binaryData"] {
            if document.get(field) != before.get(field) {
                errors.push(FieldError::forbidden(field, WHY));
            }
        }
    }
    errors.extend(validate(kind, document));
    errors
}
