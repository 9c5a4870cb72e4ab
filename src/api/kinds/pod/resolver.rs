//! What is checked of how a Pod finds names (`validatePodDNSConfig`, `ValidateHostAliases`).

use crate::api::kinds::field::{Errors, shown, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// The limits of the C library's resolver.
const SERVER_LIMIT: usize = 3;
const SEARCH_LIMIT: usize = 32;
const SEARCH_LENGTH: usize = 2048;

/// Checks the settings of the resolver of a `spec`.
pub(super) fn validate(spec: &Value, path: &str, errors: &mut Errors) {
    let config = spec.get("dnsConfig");
    let servers = config.get("nameservers");
    if spec.get("dnsPolicy").str() == "None" {
        if config.is_null() {
            errors.push(FieldError::required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(format!("{path}.nameservers"), why));
            return;
        }
    }
    let at = format!("{path}.nameservers");
    if servers.items().len() > SERVER_LIMIT {
        let why = format!("must not have more than {SERVER_LIMIT} nameservers");
        errors.push(shown(at.clone(), servers, &why));
    }
    for (index, server) in servers.items().iter().enumerate() {
        text(errors, &format!("{at}[{index}]"), server.str(), names::ip);
    }
    searches(config.get("searches"), &format!("{path}.searches"), errors);
    for (index, option) in config.get("options").items().iter().enumerate() {
        if option.get("name").is_empty() {
            errors.push(FieldError::required(format!("{path}.options[{index}]"), "must not be empty"));
        }
    }
}

fn searches(searches: &Value, path: &str, errors: &mut Errors) {
    let list = searches.items();
    if list.len() > SEARCH_LIMIT {
        let why = format!("must not have more than {SEARCH_LIMIT} search paths");
        errors.push(shown(path, searches, &why));
    }
    let length: usize = list.iter().map(|one| one.str().len() + 1).sum();
    if length > SEARCH_LENGTH + 1 {
        let why = format!(
            "must not have more than {SEARCH_LENGTH} characters (including spaces) in the search list"
        );
        errors.push(shown(path, searches, &why));
    }
    for (index, search) in list.iter().enumerate().filter(|(_, search)| search.str() != ".") {
        let name = search.str().strip_suffix('.').unwrap_or(search.str());
        text(errors, &format!("{path}[{index}]"), name, names::search_path);
    }
}

/// Checks names that a Pod knows by itself.
pub(super) fn host_aliases(aliases: &[Value], path: &str, errors: &mut Errors) {
    for (index, alias) in aliases.iter().enumerate() {
        text(errors, &format!("{path}[{index}].ip"), alias.get("ip").str(), names::ip);
        for (at, name) in alias.get("hostnames").items().iter().enumerate() {
            text(errors, &format!("{path}[{index}].hostnames[{at}]"), name.str(), names::dns_subdomain);
        }
    }
}
