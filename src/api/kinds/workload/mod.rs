//! Workloads: the kinds that make Pods from a template.
//!
//! Owns what they have in common (the template, the selector, counts); a file each has the rest.

mod daemon_set;
mod deployment;
mod job;
mod replica_set;
mod stateful_set;
#[cfg(test)]
mod tests;

pub(super) use daemon_set::RULES as DAEMON_SET;
pub(super) use deployment::{RULES as DEPLOYMENT, amount, count_or_percent};
pub(super) use job::{CRON_JOB, JOB};
pub(super) use replica_set::{CONTROLLER_RULES as REPLICATION_CONTROLLER, RULES as REPLICA_SET};
pub(super) use stateful_set::RULES as STATEFUL_SET;

use super::field::{Errors, immutable, label_selector, nonnegative, shown};
use super::{metadata, names, pod};
use crate::api::json;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Fills the template of a workload.
fn default_template(spec: &mut Value) {
    super::field::within(spec, "template", |template| {
        super::field::within(template, "spec", pod::default_spec);
    });
    // A template without spec is filled all the same; checks tell what it lacks.
    if spec.at(&["template", "spec"]).is_null() {
        pod::default_spec(spec.at_mut(&["template", "spec"]));
    }
}

/// Starts the generation and puts the first status.
fn prepare(document: &mut Value, status: Value) {
    metadata::first_generation(document);
    document.set("status", status);
}

/// Checks the selector of a workload and its template against it. `kind` is the word in the message about an
/// empty selector, `owner` the kind whose Pods these are.
fn validate_selector(spec: &Value, kind: &str, owner: Kind, errors: &mut Errors) {
    let selector = spec.get("selector");
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(errors, "spec.selector", selector);
        if selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty() {
            errors.push(shown("spec.selector", selector, &format!("empty selector is invalid for {kind}")));
        }
    }
    if !is_selector(selector) {
        errors.push(shown("spec.selector", selector, "invalid label selector"));
        return;
    }
    validate_template(spec, Selector::of_label_selector(selector).as_ref(), owner, errors);
}

/// Whether a label selector can be evaluated.
fn is_selector(selector: &Value) -> bool {
    let mut errors = Vec::new();
    label_selector(&mut errors, "", selector);
    errors.is_empty()
}

/// Checks a template that must fit a selector; `None` selects nothing.
fn validate_template(spec: &Value, selector: Option<&Selector>, owner: Kind, errors: &mut Errors) {
    let template = spec.get("template");
    match_template(template, selector, "spec.template", errors);
    pod::validate_template(template, "spec.template", errors);
    only_endless(template, owner, errors);
}

/// Checks that a selector selects the Pods of a template at `path`.
fn match_template(template: &Value, selector: Option<&Selector>, path: &str, errors: &mut Errors) {
    let labels = template.at(&["metadata", "labels"]);
    if !selector.is_some_and(|selector| selector.matches(labels)) {
        let why = "`selector` does not match template `labels`";
        errors.push(shown(format!("{path}.metadata.labels"), labels, why));
    }
}

/// Checks that the Pods of a template go on running.
fn only_endless(template: &Value, owner: Kind, errors: &mut Errors) {
    let policy = template.at(&["spec", "restartPolicy"]).str();
    if matches!(policy, "Never" | "OnFailure") {
        let path = "spec.template.spec.restartPolicy";
        errors.push(FieldError::not_supported(path, json::quote(policy), &["Always"]));
    }
    if !template.at(&["spec", "activeDeadlineSeconds"]).is_null() {
        errors.push(FieldError::forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            format!("activeDeadlineSeconds in {} is not Supported", owner.name()),
        ));
    }
}

/// Checks counts that may not be negative.
fn validate_counts(spec: &Value, fields: &[&str], errors: &mut Errors) {
    counts_at(spec, "spec", fields, errors);
}

/// Checks counts of what is at `path`.
fn counts_at(spec: &Value, path: &str, fields: &[&str], errors: &mut Errors) {
    for field in fields {
        nonnegative(errors, &format!("{path}.{field}"), spec.get(field));
    }
}

/// The selector of a workload may not change.
fn keep_selector(document: &Value, before: &Value, errors: &mut Errors) {
    immutable(errors, "spec.selector", document.at(&["spec", "selector"]), before.at(&["spec", "selector"]));
}

/// Warnings about the template, where a workload is made or changes in what it asks for.
fn warnings(document: &Value, before: Option<&Value>) -> Vec<String> {
    if is_same_generation(document, before) {
        return Vec::new();
    }
    pod::template_warnings(document.at(&["spec", "template"]), "spec.template.")
}

/// The same of kinds that give their name to Pods.
fn warnings_with_name(document: &Value, before: Option<&Value>) -> Vec<String> {
    let mut all = name_warnings(document, before);
    all.extend(warnings(document, before));
    all
}

/// Warns of a new workload whose name cannot be a host's.
fn name_warnings(document: &Value, before: Option<&Value>) -> Vec<String> {
    let problems = names::dns_label(document.at(&["metadata", "name"]).str());
    if before.is_some() || problems.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS \
         label is recommended: [{}]",
        problems.join(" ")
    )]
}

/// Whether an update changed nothing that is asked for.
fn is_same_generation(document: &Value, before: Option<&Value>) -> bool {
    let generation = |document: &Value| document.at(&["metadata", "generation"]).as_int();
    before.is_some_and(|before| generation(before) == generation(document))
}
