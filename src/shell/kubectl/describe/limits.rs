//! Describing ResourceQuotas, LimitRanges and PodDisruptionBudgets.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::About;
use super::page::{Page, plain};
use crate::api::object::Object;
use crate::api::value::Value;
use crate::shell::kubectl::describe::claims::amount;

/// What is said of the scopes of a quota.
const SCOPES: [(&str, &str); 4] = [
    (
        "Terminating",
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.",
    ),
    (
        "NotTerminating",
        "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.",
    ),
    (
        "BestEffort",
        "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    ),
    (
        "NotBestEffort",
        "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
    ),
];

/// The titles of a table of limits.
const LIMIT_TITLES: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
];

/// Writes a ResourceQuota.
pub fn quota(about: &About<'_>, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Namespace:\t{}", about.object.namespace()));
    scopes(about.object, 0, " * ", page);
    page.line(0, "Resource\tUsed\tHard");
    page.line(0, "--------\t----\t----");
    uses(about.object, 0, page);
}

fn scopes(quota: &Object, level: usize, mark: &str, page: &mut Page) {
    let mut scopes: Vec<&str> = quota.spec().get("scopes").items().iter().map(Value::str).collect();
    if scopes.is_empty() {
        return;
    }
    scopes.sort_unstable();
    page.line(level, &format!("Scopes:\t{}", scopes.join(", ")));
    for scope in scopes {
        if let Some((_, words)) = SCOPES.iter().find(|(name, _)| *name == scope) {
            page.line(level, &format!("{mark}{words}"));
        }
    }
}

fn uses(quota: &Object, level: usize, page: &mut Page) {
    for (name, hard) in quota.status().get("hard").entries() {
        let used = amount(quota.status().at(&["used", name]));
        page.line(level, &format!("{name}\t{used}\t{}", plain(hard)));
    }
}

/// Writes the quotas of a Namespace.
pub fn quotas(quotas: &[Arc<Object>], page: &mut Page) {
    if quotas.is_empty() {
        return page.line(0, "No resource quota.");
    }
    page.line(0, "Resource Quotas");
    for quota in quotas {
        page.line(1, &format!("Name:\t{}", quota.name()));
        scopes(quota, 1, "* ", page);
        page.line(1, "Resource\tUsed\tHard");
        page.line(1, "--------\t---\t---");
        uses(quota, 1, page);
    }
}

/// Writes a LimitRange.
pub fn limit_range(about: &About<'_>, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Namespace:\t{}", about.object.namespace()));
    LIMIT_TITLES.iter().for_each(|line| page.line(0, line));
    limits(about.object, "", page);
}

/// Writes the limits of a Namespace.
pub fn limit_ranges(ranges: &[Arc<Object>], page: &mut Page) {
    if ranges.is_empty() {
        return page.line(0, "No LimitRange resource.");
    }
    page.line(0, "Resource Limits");
    LIMIT_TITLES.iter().for_each(|line| page.line(0, &format!(" {line}")));
    for range in ranges {
        limits(range, " ", page);
    }
}

/// A line for each resource that a limit names. kubectl takes them in no order; here they are sorted.
fn limits(range: &Object, indent: &str, page: &mut Page) {
    const FIELDS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for limit in range.spec().get("limits").items() {
        let named = FIELDS.iter().flat_map(|field| limit.get(field).entries());
        let names: BTreeSet<&str> = named.map(|(name, _)| name.as_str()).collect();
        for name in names {
            let cells = FIELDS.map(|field| match limit.at(&[field, name]) {
                Value::Null => "-".to_owned(),
                found => plain(found),
            });
            page.line(0, &format!("{indent}{}\t{name}\t{}", limit.get("type").str(), cells.join("\t")));
        }
    }
}

/// Writes a PodDisruptionBudget.
pub fn budget(about: &About<'_>, page: &mut Page) {
    let (spec, status) = (about.object.spec(), about.object.status());
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Namespace:\t{}", about.object.namespace()));
    let limits = [("Min available", "minAvailable"), ("Max unavailable", "maxUnavailable")];
    if let Some((title, field)) = limits.into_iter().find(|(_, field)| !spec.get(field).is_null()) {
        page.line(0, &format!("{title}:\t{}", plain(spec.get(field))));
    }
    let selector = crate::api::selector::Selector::of_label_selector(spec.get("selector"));
    let selector = selector.map_or_else(|| "<unset>".to_owned(), |selector| selector.to_string());
    page.line(0, &format!("Selector:\t{selector}"));
    page.line(0, "Status:");
    for (title, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        page.line(2, &format!("{title}:\t{}", status.get(field).as_int().unwrap_or(0)));
    }
    about.events(page);
}
