//! What is checked of a Job's `spec`, in a Job and in the template of a CronJob.
//!
//! Owns counts, completion mode, limits per index and what follows for the template. Source: `validateJobSpec` of
//! Kubernetes.

use super::policies;
use crate::api::json;
use crate::api::kinds::field::{Errors, one_of, shown};
use crate::api::kinds::workload::counts_at;
use crate::api::kinds::{names, pod};
use crate::api::status::FieldError;
use crate::api::value::Value;

/// How many Pods of an Indexed Job run at once at most, and how many of its indexes fail at most.
const MOST_INDEXED: i64 = 100_000;
/// From how many completions on a Job with a limit per index is held to lower limits (`completionsSoftLimit`).
const MANY_COMPLETIONS: i64 = 100_000;
/// Those limits: of Pods at once and of failed indexes.
const LIMIT_FOR_MANY: i64 = 10_000;
/// How long the name of a Job's controller may be.
const LONGEST_CONTROLLER: usize = 63;
/// The fields that hold counts.
const COUNTS: [&str; 7] = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
];

/// Checks the `spec` at `path`.
pub(super) fn validate(spec: &Value, path: &str, errors: &mut Errors) {
    counts_at(spec, path, &COUNTS, errors);
    if !spec.get("maxFailedIndexes").is_null() && spec.get("backoffLimitPerIndex").is_null() {
        let why = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(format!("{path}.backoffLimitPerIndex"), why));
    }
    if let Some(name) = spec.get("managedBy").as_str() {
        controller_name(name, &format!("{path}.managedBy"), errors);
    }
    let mode = spec.get("completionMode");
    if !mode.is_null() {
        one_of(errors, &format!("{path}.completionMode"), mode, &["NonIndexed", "Indexed"]);
    }
    match mode.str() {
        "Indexed" => indexed(spec, path, errors),
        "NonIndexed" | "" => {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if !spec.get(field).is_null() {
                    let why = "requires indexed completion mode";
                    errors.push(shown(format!("{path}.{field}"), spec.get(field), why));
                }
            }
        }
        _ => {}
    }
    policies::validate(spec, path, errors);
    pod::validate_template(spec.get("template"), &format!("{path}.template"), errors);
    restart_policy(spec, path, errors);
}

/// Checks the name of a controller: `acme.io/foo`.
fn controller_name(name: &str, path: &str, errors: &mut Errors) {
    if name.is_empty() {
        return errors.push(FieldError::required(path, ""));
    }
    for (part, why) in names::domain_path(name) {
        errors.push(FieldError::invalid(path, json::quote(part), why));
    }
    if name.len() > LONGEST_CONTROLLER {
        errors.push(FieldError::too_long(path, LONGEST_CONTROLLER));
    }
}

/// Checks what only an Indexed Job has.
fn indexed(spec: &Value, path: &str, errors: &mut Errors) {
    let completions = spec.get("completions").as_int();
    if completions.is_none() {
        errors.push(FieldError::required(format!("{path}.completions"), "when completion mode is Indexed"));
    }
    let mut at_most = |field: &str, limit: i64, why: &str| {
        if let Some(count) = spec.get(field).as_int().filter(|count| *count > limit) {
            errors.push(FieldError::invalid(format!("{path}.{field}"), count.to_string(), why));
        }
    };
    let limit = format!("must be less than or equal to {MOST_INDEXED}");
    at_most("parallelism", MOST_INDEXED, &format!("{limit} when completion mode is Indexed"));
    if let Some(completions) = completions {
        at_most("maxFailedIndexes", completions, "must be less than or equal to completions");
    }
    at_most("maxFailedIndexes", MOST_INDEXED, &limit);
    if spec.get("backoffLimitPerIndex").is_null() || completions.is_none_or(|count| count <= MANY_COMPLETIONS)
    {
        return;
    }
    let why = format!(
        "must be less than or equal to {LIMIT_FOR_MANY} when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
    );
    at_most("parallelism", LIMIT_FOR_MANY, &why);
    at_most("maxFailedIndexes", LIMIT_FOR_MANY, &why);
    if spec.get("maxFailedIndexes").is_null() {
        let why = format!("must be specified when completions is above {MANY_COMPLETIONS}");
        errors.push(FieldError::required(format!("{path}.maxFailedIndexes"), why));
    }
}

/// Checks that the Pods end.
fn restart_policy(spec: &Value, path: &str, errors: &mut Errors) {
    let at = format!("{path}.template.spec.restartPolicy");
    match spec.at(&["template", "spec", "restartPolicy"]).str() {
        "" | "Always" => {
            errors.push(FieldError::required(at, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if !spec.get("podFailurePolicy").is_null() => {
            let why = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(FieldError::invalid(at, json::quote("OnFailure"), why));
        }
        "OnFailure" | "Never" => {}
        other => errors.push(FieldError::not_supported(at, json::quote(other), &["OnFailure", "Never"])),
    }
}
