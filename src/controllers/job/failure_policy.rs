//! What a Job's failure policy makes of a failed Pod.
//!
//! Source: `pod_failure_policy.go` of Kubernetes.

use crate::api::object::Object;
use crate::api::value::Value;

/// What follows from a Pod's failure.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// It counts, as without a policy.
    Count,
    /// It does not count.
    Ignore,
    /// The Pod's index has failed.
    FailIndex,
    /// The Job has failed; why.
    FailJob(String),
}

/// What the policy of a Job with this `spec` makes of a failed Pod: the first rule that fits decides.
pub(super) fn action(spec: &Value, pod: &Object) -> Action {
    let rules = spec.at(&["podFailurePolicy", "rules"]).items();
    for (index, rule) in rules.iter().enumerate() {
        let codes = rule.get("onExitCodes");
        let what = if codes.is_null() {
            condition(pod.status(), rule.get("onPodConditions").items())
                .map(|kind| format!("Pod {}/{} has condition {kind}", pod.namespace(), pod.name()))
        } else {
            exited(pod.status(), codes).map(|(container, code)| {
                let (namespace, name) = (pod.namespace(), pod.name());
                format!("Container {container} for pod {namespace}/{name} failed with exit code {code}")
            })
        };
        let Some(what) = what else { continue };
        match rule.get("action").str() {
            "Ignore" => return Action::Ignore,
            "Count" => return Action::Count,
            "FailIndex" => return Action::FailIndex,
            "FailJob" => return Action::FailJob(format!("{what} matching FailJob rule at index {index}")),
            _ => {}
        }
    }
    Action::Count
}

/// The first container whose exit code fits: name and code.
fn exited<'a>(status: &'a Value, wanted: &Value) -> Option<(&'a str, i64)> {
    let values = wanted.get("values").items();
    let name = wanted.get("containerName").as_str();
    ["containerStatuses", "initContainerStatuses"].iter().flat_map(|list| status.get(list).items()).find_map(
        |one| {
            let code = one.at(&["state", "terminated", "exitCode"]).as_int().filter(|code| *code != 0)?;
            let listed = values.iter().any(|value| value.as_int() == Some(code));
            let fits = match wanted.get("operator").str() {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            };
            let container = one.get("name").str();
            (fits && name.is_none_or(|name| name == container)).then_some((container, code))
        },
    )
}

/// The first condition that fits one of some patterns.
fn condition<'a>(status: &'a Value, patterns: &[Value]) -> Option<&'a str> {
    let fits = |condition: &&Value| {
        patterns
            .iter()
            .any(|pattern| ["type", "status"].iter().all(|field| pattern.get(field) == condition.get(field)))
    };
    status.get("conditions").items().iter().find(fits).map(|condition| condition.get("type").str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::yaml;

    fn document(text: &str) -> Value {
        yaml::read(text).0[0].value()
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let pod = document(
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, status: {phase: Failed, conditions: [{type: DisruptionTarget, status: 'True'}], containerStatuses: [{name: a, state: {terminated: {exitCode: 0}}}, {name: b, state: {terminated: {exitCode: 42}}}]}}",
        );
        let pod = Object::new(crate::api::registry::Kind::Pod, pod, None);
        let failed = |text: &str| Action::FailJob(text.to_owned());
        for (rules, expected) in [
            ("", Action::Count),
            ("{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}", Action::Ignore),
            ("{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'False'}]}", Action::Count),
            ("{action: FailIndex, onExitCodes: {operator: In, values: [41, 42]}}", Action::FailIndex),
            (
                "{action: FailIndex, onExitCodes: {containerName: a, operator: NotIn, values: [1]}}",
                Action::Count,
            ),
            ("{action: FailIndex, onExitCodes: {operator: NotIn, values: [42]}}", Action::Count),
            (
                "{action: FailJob, onExitCodes: {operator: In, values: [1]}}, {action: FailJob, onExitCodes: {operator: NotIn, values: [1]}}",
                failed("Container b for pod ns/p failed with exit code 42 matching FailJob rule at index 1"),
            ),
            (
                "{action: FailJob, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}",
                failed("Pod ns/p has condition DisruptionTarget matching FailJob rule at index 0"),
            ),
        ] {
            let spec = document(&format!("podFailurePolicy: {{rules: [{rules}]}}"));
            assert_eq!(action(&spec, &pod), expected, "{rules}");
        }
    }
}
