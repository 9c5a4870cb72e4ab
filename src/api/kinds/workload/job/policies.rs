//! What is checked of a Job's policies: which failures count, when enough have succeeded, and when a Pod is replaced.
//!
//! Source: `validatePodFailurePolicy`, `validateSuccessPolicy` and `validatePodReplacementPolicy` of Kubernetes.

use std::collections::BTreeSet;

use crate::api::json;
use crate::api::kinds::field::{Errors, nonnegative, shown, text};
use crate::api::kinds::names;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// How many rules a policy has at most, and how many conditions one rule looks for.
const MOST_RULES: usize = 20;
/// How many exit codes one rule names at most.
const MOST_EXIT_CODES: usize = 255;
/// How long a list of indexes may be.
const LONGEST_INDEXES: usize = 64 * 1024;
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
const REPLACED: [&str; 2] = ["Failed", "TerminatingOrFailed"];

/// Checks the policies of the Job `spec` at `path`.
pub(super) fn validate(spec: &Value, path: &str, errors: &mut Errors) {
    let failure = spec.get("podFailurePolicy");
    if !failure.is_null() {
        rules(failure, &format!("{path}.podFailurePolicy.rules"), errors, |rule, path, errors| {
            failure_rule(rule, spec, path, errors);
        });
    }
    let success = spec.get("successPolicy");
    match spec.get("completionMode").str() {
        _ if success.is_null() => {}
        "Indexed" => success_policy(success, spec, &format!("{path}.successPolicy"), errors),
        _ => errors.push(FieldError::invalid(
            format!("{path}.successPolicy"),
            go_success_policy(success),
            "requires indexed completion mode",
        )),
    }
    let replaced: &[&str] = if failure.is_null() { &REPLACED } else { &["Failed"] };
    let policy = spec.get("podReplacementPolicy").as_str();
    if let Some(policy) = policy.filter(|policy| !replaced.contains(policy)) {
        let path = format!("{path}.podReplacementPolicy");
        errors.push(FieldError::not_supported(path, json::quote(policy), replaced));
    }
}

/// Checks the rules of a policy one by one.
fn rules(policy: &Value, path: &str, errors: &mut Errors, check: impl Fn(&Value, &str, &mut Errors)) {
    let rules = policy.get("rules").items();
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(path, rules.len(), MOST_RULES));
    }
    for (index, rule) in rules.iter().enumerate() {
        check(rule, &format!("{path}[{index}]"), errors);
    }
}

/// `valid values: ["In" "NotIn"]`, as Go prints a list of texts.
fn valid(values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|value| json::quote(value)).collect();
    format!("valid values: [{}]", values.join(" "))
}

/// Checks a word that must be there and be one of some.
fn word(value: &Value, path: String, known: &[&str], errors: &mut Errors) {
    match value.str() {
        "" => errors.push(FieldError::required(path, valid(known))),
        found if known.contains(&found) => {}
        found => errors.push(FieldError::not_supported(path, json::quote(found), known)),
    }
}

fn failure_rule(rule: &Value, spec: &Value, path: &str, errors: &mut Errors) {
    let action = format!("{path}.action");
    if rule.get("action").str() == "FailIndex" && spec.get("backoffLimitPerIndex").is_null() {
        let why = "requires the backoffLimitPerIndex to be set";
        errors.push(FieldError::invalid(action, json::quote("FailIndex"), why));
    } else {
        word(rule.get("action"), action, &ACTIONS, errors);
    }
    let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions").items());
    if !codes.is_null() {
        exit_codes(codes, spec, &format!("{path}.onExitCodes"), errors);
    }
    pod_conditions(conditions, &format!("{path}.onPodConditions"), errors);
    let wrong = match (codes.is_null(), conditions.is_empty()) {
        (false, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (true, true) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return,
    };
    errors.push(FieldError::invalid(path, "", wrong));
}

fn pod_conditions(patterns: &[Value], path: &str, errors: &mut Errors) {
    if patterns.len() > MOST_RULES {
        errors.push(FieldError::too_many(path, patterns.len(), MOST_RULES));
    }
    for (index, pattern) in patterns.iter().enumerate() {
        text(errors, &format!("{path}[{index}].type"), pattern.get("type").str(), names::label_key);
        word(pattern.get("status"), format!("{path}[{index}].status"), &STATUSES, errors);
    }
}

fn exit_codes(codes: &Value, spec: &Value, path: &str, errors: &mut Errors) {
    word(codes.get("operator"), format!("{path}.operator"), &OPERATORS, errors);
    let template = spec.at(&["template", "spec"]);
    let mut containers = ["containers", "initContainers"].iter().flat_map(|list| template.get(list).items());
    if let Some(name) = codes.get("containerName").as_str()
        && !containers.any(|container| container.get("name").str() == name)
    {
        let why = "must be one of the container or initContainer names in the pod template";
        errors.push(FieldError::invalid(format!("{path}.containerName"), json::quote(name), why));
    }
    let (path, values) = (format!("{path}.values"), codes.get("values").items());
    if values.is_empty() {
        let given = if codes.get("values").is_null() { "null" } else { "[]" };
        errors.push(FieldError::invalid(path.clone(), given, "at least one value is required"));
    } else if values.len() > MOST_EXIT_CODES {
        errors.push(FieldError::too_many(path.clone(), values.len(), MOST_EXIT_CODES));
    }
    let mut seen = BTreeSet::new();
    for (index, code) in values.iter().enumerate() {
        let (path, number) = (format!("{path}[{index}]"), code.as_int().unwrap_or(0));
        if codes.get("operator").str() == "In" && number == 0 {
            errors.push(shown(path.clone(), code, "must not be 0 for the In operator"));
        }
        if !seen.insert(number) {
            errors.push(FieldError::duplicate(path, number.to_string()));
        }
    }
    if !values.is_sorted_by_key(Value::as_int) {
        errors.push(shown(path, codes.get("values"), "must be ordered"));
    }
}

fn success_policy(policy: &Value, spec: &Value, path: &str, errors: &mut Errors) {
    let path = format!("{path}.rules");
    if policy.get("rules").items().is_empty() {
        let why = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(path.clone(), why));
    }
    // Without completions, which is an error of its own, there is no index and nothing to count.
    let completions = spec.get("completions").as_int().unwrap_or(0);
    rules(policy, &path, errors, |rule, path, errors| success_rule(rule, completions, path, errors));
}

fn success_rule(rule: &Value, completions: i64, path: &str, errors: &mut Errors) {
    let (count, indexes) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
    if count.is_null() && indexes.is_null() {
        let why = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(FieldError::required(path, why));
    }
    let mut named = 0;
    if let Some(indexes) = indexes.as_str() {
        let path = format!("{path}.succeededIndexes");
        if indexes.len() > LONGEST_INDEXES {
            errors.push(FieldError::too_long(path.clone(), LONGEST_INDEXES));
        }
        match count_indexes(indexes, completions) {
            Ok(count) => named = count,
            Err(why) => {
                let why = format!("error parsing succeededIndexes: {why}");
                errors.push(FieldError::invalid(path, json::quote(indexes), why));
            }
        }
    }
    let path = format!("{path}.succeededCount");
    nonnegative(errors, &path, count);
    let mut at_most = |limit: i64, of: &str| {
        if count.as_int().is_some_and(|count| count > limit) {
            let why = format!("must be less than or equal to {limit} (the number of {of})");
            errors.push(shown(path.clone(), count, &why));
        }
    };
    at_most(completions, "specified completions");
    if !indexes.is_null() {
        at_most(named, "indexes in the specified succeededIndexes field");
    }
}

/// How many indexes a list such as `1,3-5` names.
fn count_indexes(list: &str, completions: i64) -> Result<i64, String> {
    let index = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!("cannot convert string to integer for index: {}", json::quote(text))),
        Ok(index) if index >= completions => Err(format!("too large index: {}", json::quote(text))),
        Ok(index) => Ok(index),
    };
    let order =
        |before: i64, after: i64| format!("non-increasing order, previous: {before}, current: {after}");
    let (mut total, mut previous) = (0, None);
    for interval in list.split(',').filter(|_| !list.is_empty()) {
        let (first, last) = match interval.split('-').collect::<Vec<_>>().as_slice() {
            [one] => (index(one)?, index(one)?),
            [first, last] => match (index(first)?, index(last)?) {
                (first, last) if first >= last => return Err(order(first, last)),
                interval => interval,
            },
            _ => {
                let fragment = json::quote(interval);
                return Err(format!(
                    "the fragment {fragment} violates the requirement that an index interval can have at most two parts separated by '-'"
                ));
            }
        };
        if let Some(previous) = previous.filter(|previous| *previous >= first) {
            return Err(order(previous, first));
        }
        total += last - first + 1;
        previous = Some(last);
    }
    Ok(total)
}

/// A success policy as Go's internal type is shown.
fn go_success_policy(policy: &Value) -> String {
    let rule = |rule: &Value| {
        let (indexes, count) = (rule.get("succeededIndexes"), rule.get("succeededCount"));
        format!(
            "{{\"SucceededIndexes\":{},\"SucceededCount\":{}}}",
            json::compact(indexes),
            json::compact(count)
        )
    };
    match policy.get("rules") {
        Value::Null => "{\"Rules\":null}".to_owned(),
        rules => format!("{{\"Rules\":[{}]}}", rules.items().iter().map(rule).collect::<Vec<_>>().join(",")),
    }
}
