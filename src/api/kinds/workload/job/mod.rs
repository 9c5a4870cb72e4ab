//! Jobs: defaults, checks, tables.
//!
//! Owns what a Job is by default and in a table; what is checked of its `spec` is in [`spec`], of its policies in
//! [`policies`]. CronJobs, whose template is a Job, are in [`cron_job`].

mod cron_job;
mod policies;
mod spec;

pub(in crate::api::kinds) use cron_job::CRON_JOB;

use super::{default_template, match_template, prepare, warnings_with_name};
use crate::api::json;
use crate::api::kinds::field::{Errors, each, fill, immutable, label_selector, shown as shown_value, within};
use crate::api::kinds::table::{AGE, NAME, containers, count, selector, shown, wide};
use crate::api::kinds::{Rules, age, metadata, names};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;

/// The rules of Jobs.
pub(in crate::api::kinds) const JOB: Rules = Rules {
    default: default_job,
    prepare_create: |document| {
        generate_selector(document);
        prepare(document, Value::map());
    },
    prepare_update: metadata::count_changes,
    validate: validate_job,
    validate_update,
    warnings: warnings_with_name,
    columns: JOB_COLUMNS,
    cells: job_cells,
};

/// What of a Job may never change; completions and template are told apart below.
const FIXED: [&str; 5] =
    ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"];
/// What of the template a Job that has not begun may change: where its Pods may run, and how they are called.
const MOVABLE: [(&[&str], &[&str]); 3] = [
    (&["metadata"], &["annotations", "labels"]),
    (&["spec"], &["nodeSelector", "tolerations", "schedulingGates"]),
    (&["spec", "affinity"], &["nodeAffinity"]),
];
/// The back-off limit of a Job that has one for each index: none (`math.MaxInt32`).
const NO_LIMIT: i64 = i32::MAX as i64;

fn validate_update(document: &Value, before: &Value) -> Errors {
    let mut errors = validate_job(document);
    let (new, old) = (document.get("spec"), before.get("spec"));
    completions(new, old, &mut errors);
    immutable(&mut errors, "spec.selector", new.get("selector"), old.get("selector"));
    let template = scheduling_taken_over(old, new.get("template"), before.get("status"));
    immutable(&mut errors, "spec.template", new.get("template"), &template);
    for field in FIXED {
        immutable(&mut errors, &format!("spec.{field}"), new.get(field), old.get(field));
    }
    errors
}

/// Only an Indexed Job may change its completions, and then to as many as run at once.
fn completions(new: &Value, old: &Value, errors: &mut Errors) {
    let completions = new.get("completions");
    if new.get("completionMode").str() != "Indexed" {
        immutable(errors, "spec.completions", completions, old.get("completions"));
    } else if !completions.is_null()
        && completions != old.get("completions")
        && completions != new.get("parallelism")
    {
        let why = "can only be modified in tandem with spec.parallelism";
        errors.push(shown_value("spec.completions", completions, why));
    }
}

/// The template as it was, with what a Job that is suspended and never started may change taken from the new one: where
/// its Pods may run.
fn scheduling_taken_over(old: &Value, new: &Value, status: &Value) -> Value {
    let mut template = old.get("template").clone();
    if old.get("suspend").as_bool() != Some(true) || !status.get("startTime").is_null() {
        return template;
    }
    for (parents, fields) in MOVABLE {
        for field in fields {
            let given = new.at(parents).get(field);
            if given.is_null() {
                template.at_mut(parents).remove(field);
            } else {
                template.at_mut(parents).set(field, given.clone());
            }
        }
    }
    if new.at(&["spec", "affinity"]).is_null() && template.at(&["spec", "affinity"]).is_empty() {
        template.at_mut(&["spec"]).remove("affinity");
    }
    template
}

/// `SetDefaults_Job`.
fn default_job(document: &mut Value) {
    let labels = document.at(&["spec", "template", "metadata", "labels"]).clone();
    let metadata = document.field_mut("metadata");
    if metadata.get("labels").is_empty() && !labels.is_empty() {
        metadata.set("labels", labels);
    }
    let spec = document.field_mut("spec");
    default_template(spec);
    if spec.get("completions").is_null() && spec.get("parallelism").is_null() {
        spec.set("completions", 1);
    }
    let limit = if spec.get("backoffLimitPerIndex").is_null() { 6 } else { NO_LIMIT };
    fill(
        spec,
        &[
            ("parallelism", Value::Int(1)),
            ("backoffLimit", Value::Int(limit)),
            ("completionMode", Value::text("NonIndexed")),
            ("suspend", Value::Bool(false)),
        ],
    );
    let failed = if spec.get("podFailurePolicy").is_null() { "TerminatingOrFailed" } else { "Failed" };
    spec.set_default("podReplacementPolicy", failed);
    default_policy(spec);
}

/// Conditions that a policy looks for are those that hold.
fn default_policy(spec: &mut Value) {
    within(spec, "podFailurePolicy", |policy| {
        each(policy, "rules", |rule| {
            each(rule, "onPodConditions", |pattern| {
                pattern.set_default("status", "True");
            });
        });
    });
}

/// The labels that a Job's Pods carry: two names each for its uid and its name.
fn generated_labels<'a>(uid: &'a Value, name: &'a Value) -> [(&'static str, &'a Value); 4] {
    [
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("job-name", name),
    ]
}

/// A Job's Pods carry its uid; the selector follows from it. A Job that took its labels from the template
/// shares them with it, in the server as here.
fn generate_selector(document: &mut Value) {
    if document.at(&["spec", "manualSelector"]).as_bool() == Some(true) {
        return;
    }
    let uid = document.at(&["metadata", "uid"]).clone();
    let name = document.at(&["metadata", "name"]).clone();
    let path = ["spec", "template", "metadata", "labels"];
    let shared = document.at(&["metadata", "labels"]).same(document.at(&path));
    let labels = document.at_mut(&path);
    for (label, value) in generated_labels(&uid, &name) {
        labels.set(label, value.clone());
    }
    if shared && !uid.is_null() {
        let labels = document.at(&path).clone();
        document.field_mut("metadata").set("labels", labels);
    }
    let selector = document.at_mut(&["spec", "selector", "matchLabels"]);
    selector.set("batch.kubernetes.io/controller-uid", uid);
}

fn validate_job(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Job, document);
    let spec = document.get("spec");
    generated(document, &mut errors);
    spec::validate(document.get("spec"), "spec", &mut errors);
    let selector = spec.get("selector");
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(&mut errors, "spec.selector", selector);
    }
    let found = Selector::of_label_selector(selector);
    match_template(spec.get("template"), found.as_ref(), "spec.template", &mut errors);
    longest_name(document, &mut errors);
    errors
}

/// A selector that the server generates selects by nothing else than what it generated.
fn generated(document: &Value, errors: &mut Errors) {
    let spec = document.get("spec");
    if spec.get("manualSelector").as_bool() == Some(true) {
        return;
    }
    let (uid, name) = (document.at(&["metadata", "uid"]), document.at(&["metadata", "name"]));
    let expected: Value =
        generated_labels(uid, name).into_iter().map(|(label, value)| (label, value.clone())).collect();
    let selector = spec.get("selector");
    if Selector::of_label_selector(selector).is_some_and(|selector| !selector.matches(&expected)) {
        errors.push(shown_value("spec.selector", selector, "`selector` not auto-generated"));
    }
}

/// The Pods of an Indexed Job carry its name and their index as host name.
fn longest_name(document: &Value, errors: &mut Errors) {
    let spec = document.get("spec");
    let completions = spec.get("completions").as_int().unwrap_or(0);
    if spec.get("completionMode").str() != "Indexed" || completions <= 0 {
        return;
    }
    let name = document.at(&["metadata", "name"]).str();
    let longest = format!("{name}-{}", completions - 1);
    if !names::dns_label(&longest).is_empty() {
        let why = format!("will not able to create pod with invalid DNS label: {longest}");
        errors.push(FieldError::invalid("metadata.name", json::quote(name), why));
    }
}

const JOB_COLUMNS: &[Column] = &[
    NAME,
    shown("Status"),
    shown("Completions"),
    shown("Duration"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn job_cells(object: &Object, now: Timestamp) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let [names, images] = containers(spec.get("template"));
    let succeeded = count(status.get("succeeded"));
    let completions = match (spec.get("completions").as_int(), spec.get("parallelism").as_int()) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, Some(parallel)) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let duration = Timestamp::of(status.get("startTime")).map(|start| {
        let end = Timestamp::of(status.get("completionTime")).unwrap_or(now);
        human_duration(end.0 - start.0)
    });
    vec![
        object.key.name.to_string(),
        job_status(object).to_owned(),
        completions,
        duration.unwrap_or_default(),
        age(object, now),
        names,
        images,
        selector(spec.get("selector")),
    ]
}

fn job_status(object: &Object) -> &'static str {
    let conditions = object.status().get("conditions").items();
    let holds = |kind: &str| {
        conditions.iter().any(|one| one.get("type").str() == kind && one.get("status").str() == "True")
    };
    let ended = ["Complete", "Failed"].into_iter().find(|kind| holds(kind));
    if let Some(ended) = ended {
        return ended;
    }
    if object.is_terminating() {
        return "Terminating";
    }
    ["Suspended", "FailureTarget", "SuccessCriteriaMet"]
        .into_iter()
        .find(|kind| holds(kind))
        .unwrap_or("Running")
}
