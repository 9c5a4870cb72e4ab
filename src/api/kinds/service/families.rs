//! The fields that belong together: `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy`.
//!
//! Owns what can be said of them without knowing the cluster (`ValidateServiceClusterIPsRelatedFields`).
//! The server asks this before it allocates anything, and again when it checks the whole Service.

use std::net::IpAddr;

use crate::api::json;
use crate::api::kinds::field::{Errors, shown, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// `IPv4` or `IPv6`.
#[must_use]
pub fn family_of(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// Checks the four fields of a Service's `spec` against each other.
#[must_use]
pub fn validate(spec: &Value) -> Errors {
    let mut errors = Vec::new();
    if spec.get("type").str() == "ExternalName" {
        return errors;
    }
    in_sync(spec, &mut errors);
    families(spec, &mut errors);
    let valid = addresses(spec, &mut errors);
    if valid {
        address_families(spec, &mut errors);
    }
    errors
}

fn in_sync(spec: &Value, errors: &mut Errors) {
    let ips = spec.get("clusterIPs");
    match (spec.get("clusterIP").str(), ips.items()) {
        ("", []) => {}
        ("", _) => {
            errors.push(shown("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"));
        }
        (_, []) => errors.push(FieldError::required("spec.clusterIPs", "")),
        (one, [first, ..]) if first.str() != one => {
            errors.push(shown("spec.clusterIPs", ips, "first value must match `clusterIP`"));
        }
        _ => {}
    }
}

fn families(spec: &Value, errors: &mut Errors) {
    const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
    const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    let families = spec.get("ipFamilies").items();
    for (index, family) in families.iter().enumerate() {
        let path = format!("spec.ipFamilies[{index}]");
        let shown = json::quote(family.str());
        if !FAMILIES.contains(&family.str()) {
            errors.push(FieldError::not_supported(path.clone(), shown.clone(), &FAMILIES));
        }
        if families[..index].contains(family) {
            errors.push(FieldError::duplicate(path, shown));
        }
    }
    if let Some(policy) = spec.get("ipFamilyPolicy").as_str().filter(|policy| !POLICIES.contains(policy)) {
        errors.push(FieldError::not_supported("spec.ipFamilyPolicy", json::quote(policy), &POLICIES));
    }
}

/// Checks every address by itself; says whether all are fine.
fn addresses(spec: &Value, errors: &mut Errors) -> bool {
    let ips = spec.get("clusterIPs");
    let mut valid = true;
    for (index, ip) in ips.items().iter().enumerate() {
        if index == 0 && ip.str() == "None" {
            if ips.items().len() > 1 {
                valid = false;
                errors.push(shown("spec.clusterIPs", ips, "'None' must be the first and only value"));
            }
            continue;
        }
        let before = errors.len();
        text(errors, &format!("spec.clusterIPs[{index}]"), ip.str(), names::ip);
        valid &= errors.len() == before;
    }
    if ips.items().len() > 2 {
        errors.push(shown("spec.clusterIPs", ips, "may only hold up to 2 values"));
    }
    valid
}

fn address_families(spec: &Value, errors: &mut Errors) {
    let ips = spec.get("clusterIPs");
    let parsed: Vec<&'static str> =
        ips.items().iter().filter_map(|ip| ip.str().parse().ok()).map(family_of).collect();
    if parsed.len() > 1 && parsed.windows(2).any(|pair| pair[0] == pair[1]) {
        errors.push(shown("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"));
    }
    if ips.items().first().is_some_and(|ip| ip.str() == "None") {
        return;
    }
    let wanted = spec.get("ipFamilies").items();
    for (index, (found, wanted)) in parsed.iter().zip(wanted).enumerate() {
        if *found != wanted.str() && matches!(wanted.str(), "IPv4" | "IPv6") {
            errors.push(FieldError::invalid(
                format!("spec.clusterIPs[{index}]"),
                json::compact(&ips.items()[index]),
                format!("expected an {} value as indicated by `ipFamilies[{index}]`", wanted.str()),
            ));
        }
    }
}
