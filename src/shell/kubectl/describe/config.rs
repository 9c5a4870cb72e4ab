//! Describing Namespaces, ConfigMaps, Secrets and ServiceAccounts.

use super::About;
use super::page::{Page, joined};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::request::Options;

/// Writes the description of a Namespace.
pub fn namespace(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.line(0, &format!("Status:\t{}", about.object.status().get("phase").str()));
    for (kind, words) in [
        (Kind::ResourceQuota, ("No resource quota.", "Resource Quotas")),
        (Kind::LimitRange, ("No LimitRange resource.", "Resource Limits")),
    ] {
        let found = about.call.list(kind, about.object.name(), Options::default()).unwrap_or_default();
        page.line(0, "");
        if found.is_empty() {
            page.line(0, words.0);
        } else {
            page.line(0, words.1);
            for object in found {
                page.line(0, &format!("  Name:\t{}", object.name()));
            }
        }
    }
}

/// Writes the description of a ConfigMap.
pub fn config_map(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.flush();
    page.line(0, "\nData\n====");
    for (key, text) in about.object.value.get("data").entries() {
        page.line(0, &format!("{key}:\n----"));
        page.line(0, &text.str().replace('\t', "    "));
        page.line(0, "");
    }
    page.line(0, "\nBinaryData\n====");
    for (key, text) in about.object.value.get("binaryData").entries() {
        page.line(0, &format!("{key}: {} bytes", decoded_length(text.str())));
    }
    page.line(0, "");
    page.flush();
    about.events(page);
}

/// Writes the description of a Secret.
pub fn secret(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.line(0, &format!("\nType:\t{}", about.object.value.get("type").str()));
    page.line(0, "\nData\n====");
    for (key, text) in about.object.value.get("data").entries() {
        page.line(0, &format!("{key}:\t{} bytes", decoded_length(text.str())));
    }
}

/// The number of bytes that base64 text stands for.
fn decoded_length(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

/// Writes the description of a ServiceAccount.
pub fn service_account(about: &About<'_>, page: &mut Page) {
    about.head(page);
    let names = |field: &str| {
        joined(about.object.value.get(field).items().iter().map(|one: &Value| one.get("name").str()))
    };
    page.line(0, &format!("Image pull secrets:\t{}", names("imagePullSecrets")));
    page.line(0, &format!("Mountable secrets:\t{}", names("secrets")));
    page.line(0, "Tokens:\t<none>");
    about.events(page);
}
