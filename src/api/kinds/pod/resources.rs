//! What is checked of requests and limits (`validateResourceRequirements`), and which names resources have.

use crate::api::json;
use crate::api::kinds::field::{Errors, text};
use crate::api::kinds::names;
use crate::api::quantity::Quantity;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// What a container may ask for by a name without domain, beside huge pages.
const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];
/// What a quota may count by a name without domain.
const OF_QUOTAS: [&str; 20] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];
/// What is counted in whole numbers.
const WHOLE: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Checks the requests and limits of a container at `path`.
pub(super) fn container(resources: &Value, path: &str, errors: &mut Errors) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    for (name, quantity) in limits.entries() {
        entry(name, quantity.str(), &format!("{path}.limits[{name}]"), errors);
    }
    for (name, quantity) in requests.entries() {
        entry(name, quantity.str(), &format!("{path}.requests[{name}]"), errors);
        against_limit(name, quantity.str(), limits.get(name), path, errors);
    }
    let asks = |wanted: fn(&str) -> bool| {
        limits.entries().iter().chain(requests.entries().iter()).any(|(name, _)| wanted(name))
    };
    if asks(is_huge_page) && !asks(|name| matches!(name, "cpu" | "memory")) {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
}

fn entry(name: &str, quantity: &str, path: &str, errors: &mut Errors) {
    container_resource(name, path, errors);
    amount(name, quantity, path, errors);
}

/// A request is never larger than the limit; what cannot be lent is exactly the limit.
fn against_limit(name: &str, request: &str, limit: &Value, path: &str, errors: &mut Errors) {
    let lendable = is_native(name) && !is_huge_page(name);
    if limit.is_null() {
        if !lendable {
            let why = "Limit must be set for non overcommitable resources";
            errors.push(FieldError::required(format!("{path}.limits"), why));
        }
        return;
    }
    let (Ok(asked), Ok(most)) = (Quantity::parse(request), Quantity::parse(limit.str())) else { return };
    let order = asked.amount_order(most);
    let why = if order.is_ne() && !lendable {
        format!("must be equal to {name} limit of {}", limit.str())
    } else if order.is_gt() {
        format!("must be less than or equal to {name} limit of {}", limit.str())
    } else {
        return;
    };
    errors.push(FieldError::invalid(format!("{path}.requests"), json::quote(request), why));
}

/// Checks how much of a resource is meant (`ValidateResourceQuantityValue`).
pub(in crate::api::kinds) fn amount(name: &str, quantity: &str, path: &str, errors: &mut Errors) {
    let Ok(parsed) = Quantity::parse(quantity) else { return };
    if parsed.is_negative() {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(path, json::quote(quantity), why));
    }
    if (WHOLE.contains(&name) || is_extended(name)) && !parsed.is_whole() {
        errors.push(FieldError::invalid(path, json::quote(quantity), "must be an integer"));
    }
}

/// Checks the name of any resource (`validateResourceName`); says whether it is fine.
pub(in crate::api::kinds) fn resource(name: &str, path: &str, errors: &mut Errors) -> bool {
    let before = errors.len();
    text(errors, path, name, names::label_key);
    let standard = OF_QUOTAS.contains(&name) || is_huge_page(name) || name.starts_with("requests.hugepages-");
    if errors.len() == before && !name.contains('/') && !standard {
        let why = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(path, json::quote(name), why));
    }
    errors.len() == before
}

/// Checks the name of what a container asks for (`validateContainerResourceName`).
pub(in crate::api::kinds) fn container_resource(name: &str, path: &str, errors: &mut Errors) {
    resource(name, path, errors);
    let why = if !name.contains('/') {
        if OF_CONTAINERS.contains(&name) || is_huge_page(name) {
            return;
        }
        "must be a standard resource for containers"
    } else if !is_native(name) && !is_extended(name) {
        "doesn't follow extended resource name standard"
    } else {
        return;
    };
    errors.push(FieldError::invalid(path, json::quote(name), why));
}

/// Checks the name of what a quota counts (`ValidateResourceQuotaResourceName`).
pub(in crate::api::kinds) fn quota_resource(name: &str, path: &str, errors: &mut Errors) {
    resource(name, path, errors);
    let standard = OF_QUOTAS.contains(&name) && name != "storage"
        || is_huge_page(name)
        || name.starts_with("requests.hugepages-");
    if !name.contains('/') && !standard {
        errors.push(FieldError::invalid(path, json::quote(name), "must be a standard resource for quota"));
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::label_key(&format!("requests.{name}")).is_empty()
}
