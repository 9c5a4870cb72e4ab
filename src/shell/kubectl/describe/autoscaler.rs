//! Describing a HorizontalPodAutoscaler. Nothing scales by it here: its current values are unknown.

use super::About;
use super::page::{Page, plain};
use super::template::long_time;
use crate::api::value::Value;

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    about.head(page);
    page.line(
        0,
        &format!("CreationTimestamp:\t{}", long_time(object.value.at(&["metadata", "creationTimestamp"]))),
    );
    let target = spec.get("scaleTargetRef");
    page.line(0, &format!("Reference:\t{}/{}", target.get("kind").str(), target.get("name").str()));
    page.line(0, "Metrics:\t( current / target )");
    for one in spec.get("metrics").items() {
        metric(one, page);
    }
    let least = spec.get("minReplicas").as_int();
    let least = least.map_or_else(|| "<unset>".to_owned(), |count| count.to_string());
    page.line(0, &format!("Min replicas:\t{least}"));
    page.line(0, &format!("Max replicas:\t{}", spec.get("maxReplicas").as_int().unwrap_or(0)));
    let count = |field: &str| status.get(field).as_int().unwrap_or(0);
    let (current, desired) = (count("currentReplicas"), count("desiredReplicas"));
    page.line(0, &format!("{} pods:\t{current} current / {desired} desired", target.get("kind").str()));
    about.events(page);
}

/// A metric and its target.
fn metric(metric: &Value, page: &mut Page) {
    let kind = metric.get("type").str();
    let (source, what) = match kind {
        "Resource" => (metric.get("resource"), "resource"),
        "ContainerResource" => (metric.get("containerResource"), "resource"),
        "Pods" => (metric.get("pods"), "metric"),
        "Object" => (metric.get("object"), "metric"),
        _ => (metric.get("external"), "metric"),
    };
    let target = source.get("target");
    let average = plain(target.get("averageValue"));
    if what == "resource" {
        let name = source.get("name").str();
        if !average.is_empty() {
            return page.line(1, &format!("resource {name} on pods:\t<unknown> / {average}"));
        }
        let wanted = target.get("averageUtilization").as_int();
        let wanted = wanted.map_or_else(|| "<auto>".to_owned(), |percent| format!("{percent}%"));
        let words = format!("resource {name} on pods  (as a percentage of request):\t<unknown> / {wanted}");
        return page.line(1, &words);
    }
    let name = source.at(&["metric", "name"]).str();
    let wanted = if average.is_empty() { plain(target.get("value")) } else { average };
    page.line(1, &format!("\"{name}\":\t<unknown> / {wanted}"));
}
