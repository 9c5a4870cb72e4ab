//! What is checked of IPAddresses and ServiceCIDRs.
//!
//! Source: `pkg/apis/networking/validation`.

use ipnet::IpNet;

use crate::api::json;
use crate::api::kinds::field::{Errors, immutable, required_text, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Checks an IPAddress.
pub(in crate::api::kinds) fn address(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::IPAddress, document);
    parent(document.at(&["spec", "parentRef"]), &mut errors);
    errors
}

/// Checks a change of an IPAddress: it stays with what has it.
pub(in crate::api::kinds) fn address_change(document: &Value, before: &Value) -> Errors {
    let path = ["spec", "parentRef"];
    let mut errors = Vec::new();
    immutable(&mut errors, "spec.parentRef", document.at(&path), before.at(&path));
    errors
}

/// Checks a ServiceCIDR.
pub(in crate::api::kinds) fn service_range(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::ServiceCIDR, document);
    ranges(document.at(&["spec", "cidrs"]), &mut errors);
    errors
}

/// Checks what has the address.
fn parent(parent: &Value, errors: &mut Errors) {
    const PATH: &str = "spec.parentRef";
    if parent.is_null() {
        errors.push(FieldError::required(PATH, ""));
        return;
    }
    if let Some(group) = parent.get("group").as_str().filter(|group| !group.is_empty()) {
        text(errors, &format!("{PATH}.group"), group, names::dns_subdomain);
    }
    for field in ["resource", "name"] {
        required_text(errors, &format!("{PATH}.{field}"), parent.get(field), names::path_segment);
    }
    if let Some(namespace) = parent.get("namespace").as_str() {
        text(errors, &format!("{PATH}.namespace"), namespace, names::path_segment);
    }
}

const RANGES: &str = "spec.cidrs";

fn ranges(ranges: &Value, errors: &mut Errors) {
    let list = ranges.items();
    match list.len() {
        0 => errors.push(FieldError::required(RANGES, "at least one CIDR required")),
        1 | 2 => {
            for (index, range) in list.iter().enumerate() {
                text(errors, &format!("{RANGES}[{index}]"), range.str(), names::canonical_cidr);
            }
            let parsed: Vec<IpNet> = list.iter().filter_map(|range| range.str().parse().ok()).collect();
            let same = |pair: &[IpNet]| pair[0].addr().is_ipv4() == pair[1].addr().is_ipv4();
            if parsed.len() == 2 && same(&parsed) {
                let why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
                errors.push(shown(RANGES, ranges, why));
            }
        }
        _ => {
            let value = format!("{{\"CIDRs\":{}}}", json::compact(ranges));
            errors.push(FieldError::invalid(RANGES, value, "may only hold up to 2 values"));
        }
    }
}

/// Checks a change of a ServiceCIDR: a second range may be added, nothing else changes.
pub(in crate::api::kinds) fn service_range_change(document: &Value, before: &Value) -> Errors {
    const WHY: &str = "field is immutable";
    let mut errors = Vec::new();
    let (new, old) = (document.at(&["spec", "cidrs"]), before.at(&["spec", "cidrs"]));
    let (count, earlier) = (new.items().len(), old.items().len());
    if count != earlier && (earlier, count) != (1, 2) {
        errors.push(shown(RANGES, new, WHY));
        return errors;
    }
    for (index, (one, other)) in new.items().iter().zip(old.items()).enumerate() {
        if one != other {
            errors.push(shown(format!("{RANGES}[{index}]"), one, WHY));
        }
    }
    if count != earlier {
        ranges(new, &mut errors);
    }
    errors
}
