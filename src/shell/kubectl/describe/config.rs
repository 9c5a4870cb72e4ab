//! Describing Namespaces, ConfigMaps, Secrets and ServiceAccounts.

use super::About;
use super::classes::timed_conditions;
use super::limits;
use super::page::Page;
use crate::api::registry::Kind;
use crate::cluster::request::Options;

/// Writes the description of a Namespace.
pub fn namespace(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.line(0, &format!("Status:\t{}", about.object.status().get("phase").str()));
    timed_conditions(about.object.status().get("conditions").items(), page);
    let found = |kind| about.call.list(kind, about.object.name(), Options::default()).unwrap_or_default();
    page.line(0, "");
    limits::quotas(&found(Kind::ResourceQuota), page);
    page.line(0, "");
    limits::limit_ranges(&found(Kind::LimitRange), page);
}

/// Writes the description of a ConfigMap.
pub fn config_map(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.line(0, "\nData\n====");
    for (key, text) in about.object.value.get("data").entries() {
        page.line(0, &format!("{key}:\n----"));
        page.line(0, text.str());
        page.line(0, "");
    }
    page.line(0, "\nBinaryData\n====");
    for (key, text) in about.object.value.get("binaryData").entries() {
        page.line(0, &format!("{key}: {} bytes", decoded_length(text.str())));
    }
    page.line(0, "");
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
    let secrets = about.object.value.get("imagePullSecrets").items();
    let names = secrets.iter().map(|one| one.get("name").str().to_owned());
    page.list(0, "Image pull secrets", &names.collect::<Vec<_>>());
    about.events(page);
}
