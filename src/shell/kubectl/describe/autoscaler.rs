//! Describing a HorizontalPodAutoscaler.

use super::About;
use super::claims::amount;
use super::page::{Page, plain};
use super::template::long_time;
use crate::api::value::Value;

/// What is said of a value that nobody has measured.
const UNKNOWN: &str = "<unknown>";

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    about.head(page);
    let created = long_time(object.value.at(&["metadata", "creationTimestamp"]));
    page.line(0, &format!("CreationTimestamp:\t{created}"));
    let target = spec.get("scaleTargetRef");
    page.line(0, &format!("Reference:\t{}/{}", target.get("kind").str(), target.get("name").str()));
    page.line(0, "Metrics:\t( current / target )");
    let current = status.get("currentMetrics").items();
    for (at, one) in spec.get("metrics").items().iter().enumerate() {
        page.line(1, &metric(one, current.get(at).unwrap_or(&Value::Null)));
    }
    let least = spec.get("minReplicas").as_int();
    let least = least.map_or_else(|| "<unset>".to_owned(), |count| count.to_string());
    page.line(0, &format!("Min replicas:\t{least}"));
    page.line(0, &format!("Max replicas:\t{}", spec.get("maxReplicas").as_int().unwrap_or(0)));
    let behavior = spec.get("behavior");
    if !behavior.is_null() {
        page.line(0, "Behavior:");
        pace("Scale Up", behavior.get("scaleUp"), page);
        pace("Scale Down", behavior.get("scaleDown"), page);
    }
    let count = |field: &str| status.get(field).as_int().unwrap_or(0);
    let (current, desired) = (count("currentReplicas"), count("desiredReplicas"));
    page.line(0, &format!("{} pods:\t{current} current / {desired} desired", target.get("kind").str()));
    conditions(status.get("conditions").items(), page);
    about.events(page);
}

/// A metric, its current value and its target.
fn metric(metric: &Value, current: &Value) -> String {
    let field = match metric.get("type").str() {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        kind => return format!("<unknown metric type {kind:?}>"),
    };
    let (source, now) = (metric.get(field), current.at(&[field, "current"]));
    let target = source.get("target");
    let name = source.at(&["metric", "name"]).str();
    let average = !target.get("averageValue").is_null();
    let (which, kind) = if average { ("averageValue", "average value") } else { ("value", "value") };
    let measured = |field: &str| if now.is_null() { UNKNOWN.to_owned() } else { amount(now.get(field)) };
    let values = format!("{} / {}", measured(which), plain(target.get(which)));
    match field {
        "external" => format!("\"{name}\" (target {kind}):\t{values}"),
        "pods" => format!("\"{name}\" on pods:\t{values}"),
        "object" => {
            let what = source.get("describedObject");
            let what = format!("{}/{}", what.get("kind").str(), what.get("name").str());
            format!("\"{name}\" on {what} (target {kind}):\t{values}")
        }
        _ => {
            let of = match source.get("container").str() {
                "" => String::new(),
                container => format!(" of container \"{container}\""),
            };
            let title = format!("resource {}{of} on pods", source.get("name").str());
            if average { format!("{title}:\t{values}") } else { utilization(&title, now, target) }
        }
    }
}

/// The share of what Pods ask for.
fn utilization(title: &str, now: &Value, target: &Value) -> String {
    let percent = |value: &Value| value.get("averageUtilization").as_int().map(|share| format!("{share}%"));
    let current = percent(now).map(|share| format!("{share} ({})", amount(now.get("averageValue"))));
    let (current, target) = (current.unwrap_or_else(|| UNKNOWN.to_owned()), percent(target));
    let target = target.unwrap_or_else(|| "<auto>".to_owned());
    format!("{title}  (as a percentage of request):\t{current} / {target}")
}

/// How fast it may scale in one direction.
fn pace(title: &str, rules: &Value, page: &mut Page) {
    if rules.is_null() {
        return;
    }
    page.line(1, &format!("{title}:"));
    if let Some(seconds) = rules.get("stabilizationWindowSeconds").as_int() {
        page.line(2, &format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = rules.get("policies").items();
    if policies.is_empty() {
        return;
    }
    let select = rules.get("selectPolicy").str();
    page.line(2, &format!("Select Policy: {}", if select.is_empty() { "Max" } else { select }));
    page.line(2, "Policies:");
    for policy in policies {
        let number = |field: &str| policy.get(field).as_int().unwrap_or(0);
        let (value, period) = (number("value"), number("periodSeconds"));
        let kind = policy.get("type").str();
        page.line(3, &format!("- Type: {kind}\tValue: {value}\tPeriod: {period} seconds"));
    }
}

fn conditions(conditions: &[Value], page: &mut Page) {
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(1, "Type\tStatus\tReason\tMessage");
    page.line(1, "----\t------\t------\t-------");
    for condition in conditions {
        let fields = ["type", "status", "reason", "message"].map(|field| condition.get(field).str());
        page.line(1, &fields.join("\t"));
    }
}
