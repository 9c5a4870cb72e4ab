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

/// The annotation that lets an account's Pods mount the account's Secrets alone.
const MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";

/// The rules of ServiceAccounts.
pub(super) const SERVICE_ACCOUNT: Rules = Rules {
    validate: |document| metadata::validate(Kind::ServiceAccount, document),
    validate_update: |document, _| metadata::validate(Kind::ServiceAccount, document),
    warnings: |document, before| {
        let old = before.is_some_and(|before| !before.at(&["metadata", "annotations", MOUNTABLE]).is_null());
        let given = !document.at(&["metadata", "annotations", MOUNTABLE]).is_null();
        let why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
        if given && !old { vec![format!("metadata.annotations[{MOUNTABLE}]: {why}")] } else { Vec::new() }
    },
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

/// How many bytes an object may hold.
const LIMIT: usize = 1024 * 1024;

fn validate(kind: Kind, document: &Value) -> Errors {
    let mut errors = metadata::validate(kind, document);
    let (data, binary) = (document.get("data"), document.get("binaryData"));
    let mut size = 0;
    for (key, value) in data.entries() {
        config_key("data", key, &mut errors);
        if !binary.get(key).is_null() {
            let why = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(format!("data[{key}]"), json::quote(key), why));
        }
        size += if kind == Kind::Secret { decoded_size(value) } else { value.str().len() };
    }
    for (key, value) in binary.entries() {
        config_key("binaryData", key, &mut errors);
        size += decoded_size(value);
    }
    if size > LIMIT {
        // The server names the whole of a ConfigMap by nothing.
        errors.push(FieldError::too_long(if kind == Kind::Secret { "data" } else { "[]" }, LIMIT));
    }
    if kind == Kind::Secret {
        contents(document, &mut errors);
    }
    errors
}

fn decoded_size(value: &Value) -> usize {
    value.str().trim_end_matches('=').len() * 3 / 4
}

fn config_key(field: &str, key: &str, errors: &mut Errors) {
    for why in names::config_key(key) {
        errors.push(FieldError::invalid(format!("{field}[{key}]"), json::quote(key), why));
    }
}

/// What a Secret of a well-known type must hold.
fn contents(document: &Value, errors: &mut Errors) {
    let data = document.get("data");
    let missing = |key: &str| FieldError::required(format!("data[{key}]"), "");
    match document.get("type").str() {
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            if document.at(&["metadata", "annotations", NAME]).is_empty() {
                errors.push(FieldError::required(format!("metadata.annotations[{NAME}]"), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_file(data, ".dockercfg", errors),
        "kubernetes.io/dockerconfigjson" => json_file(data, ".dockerconfigjson", errors),
        "kubernetes.io/basic-auth" => {
            let keys = ["username", "password"];
            if keys.iter().all(|key| data.get(key).is_null()) {
                errors.extend(keys.iter().map(|key| missing(key)));
            }
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_empty() => {
            errors.push(missing("ssh-privatekey"));
        }
        "kubernetes.io/tls" => {
            let keys = ["tls.crt", "tls.key"];
            errors.extend(keys.iter().filter(|key| data.get(key).is_null()).map(|key| missing(key)));
        }
        _ => {}
    }
}

fn json_file(data: &Value, key: &str, errors: &mut Errors) {
    let path = format!("data[{key}]");
    if data.get(key).is_null() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let bytes = base64::decode(data.get(key).str()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let problem = match json::parse(&text) {
        Ok(Value::Map(_) | Value::Null) => return,
        Ok(other) => format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            other.json_type()
        ),
        Err(error) if error.unexpected_end => "unexpected end of JSON input".to_owned(),
        Err(error) => error.message,
    };
    errors.push(FieldError::invalid(path, "\"<secret contents redacted>\"", problem));
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
