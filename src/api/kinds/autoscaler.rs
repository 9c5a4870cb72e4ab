//! HorizontalPodAutoscalers: defaults, checks, table. Nothing scales by them here.

use super::table::{AGE, NAME, count, shown};
use super::{Rules, STORED, age, checks};
use crate::api::value::Value;
use crate::value;

/// The rules of HorizontalPodAutoscalers.
pub(super) const RULES: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        spec.set_default("minReplicas", 1);
        if spec.get("metrics").is_empty() {
            let target = value!({ "type": "Utilization", "averageUtilization": CPU_PERCENT });
            let resource = value!({ "name": "cpu", "target": target });
            spec.set("metrics", value!([{ "type": "Resource", "resource": resource }]));
        }
    },
    prepare_create: |document| {
        document.set("status", value!({ "currentMetrics": null, "desiredReplicas": 0 }))
    },
    validate: checks::autoscaler::autoscaler,
    validate_update: |document, _| checks::autoscaler::autoscaler(document),
    columns: &[
        NAME,
        shown("Reference"),
        shown("Targets"),
        shown("MinPods"),
        shown("MaxPods"),
        shown("Replicas"),
        AGE,
    ],
    cells: |object, now| {
        let spec = object.spec();
        let target = spec.get("scaleTargetRef");
        let least = spec.get("minReplicas").as_int();
        vec![
            object.key.name.to_string(),
            format!("{}/{}", target.get("kind").str(), target.get("name").str()),
            targets(spec.get("metrics").items(), object.status().get("currentMetrics").items()),
            least.map_or_else(|| "<unset>".to_owned(), |count| count.to_string()),
            count(spec.get("maxReplicas")),
            count(object.status().get("currentReplicas")),
            age(object, now),
        ]
    },
    ..STORED
};

/// The load at which a HorizontalPodAutoscaler scales if nothing is said.
const CPU_PERCENT: i64 = 80;

/// How many metrics a table shows.
const SHOWN_METRICS: usize = 2;

/// The metrics with their targets (`formatHPAMetrics`).
fn targets(metrics: &[Value], current: &[Value]) -> String {
    let texts: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(at, metric)| target(metric, current.get(at).unwrap_or(&Value::Null)))
        .collect();
    match texts.len() {
        0 => "<none>".to_owned(),
        1..=SHOWN_METRICS => texts.join(", "),
        all => format!("{} + {} more...", texts[..SHOWN_METRICS].join(", "), all - SHOWN_METRICS),
    }
}

fn target(metric: &Value, current: &Value) -> String {
    const UNKNOWN: &str = "<unknown>";
    let field = match metric.get("type").str() {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    let (source, now) = (metric.get(field), current.at(&[field, "current"]));
    let target = source.get("target");
    let average = !target.get("averageValue").is_null();
    let shown = |value: &Value, none: &str| match value {
        Value::Null => none.to_owned(),
        Value::Int(number) => number.to_string(),
        other => other.str().to_owned(),
    };
    let which = if average { "averageValue" } else { "value" };
    let values = format!("{}/{}", shown(now.get(which), UNKNOWN), shown(target.get(which), "0"));
    let share = |value: &Value, none: &str| {
        let percent = value.get("averageUtilization").as_int();
        percent.map_or_else(|| none.to_owned(), |percent| format!("{percent}%"))
    };
    match field {
        "pods" => values,
        "object" | "external" => values + if average { " (avg)" } else { "" },
        _ if average => format!("{}: {values}", source.get("name").str()),
        _ => format!("{}: {}/{}", source.get("name").str(), share(now, UNKNOWN), share(target, "<auto>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(metrics: Value, expected: &str) {
        assert_eq!(targets(metrics.items(), &[]), expected);
    }

    #[test]
    fn targets_are_shown_beside_what_nobody_measures() {
        let share = || value!({ "type": "Resource", "resource": { "name": "cpu", "target": { "averageUtilization": 50 } } });
        let bytes = value!({ "type": "Resource", "resource": { "name": "memory", "target": { "averageValue": "1Gi" } } });
        let pods = value!({ "type": "Pods", "pods": { "target": { "averageValue": "1k" } } });
        let queue = value!({ "type": "External", "external": { "target": { "averageValue": "30" } } });
        check(value!([]), "<none>");
        check(value!([(share())]), "cpu: <unknown>/50%");
        check(value!([bytes, pods]), "memory: <unknown>/1Gi, <unknown>/1k");
        check(value!([queue, (share()), (share())]), "<unknown>/30 (avg), cpu: <unknown>/50% + 1 more...");
    }
}
