//! Jobs and CronJobs: defaults, checks, tables.

use super::{counts_at, default_template, match_template, prepare, validate_counts, warnings};
use crate::api::cron::Schedule;
use crate::api::json;
use crate::api::kinds::field::{
    Errors, fill, immutable, label_selector, one_of, shown as shown_value, within,
};
use crate::api::kinds::table::{AGE, NAME, containers, count, flag, or_none, selector, shown, since, wide};
use crate::api::kinds::{Rules, age, metadata, names, pod};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;

/// How many Pods of an Indexed Job run at once at most.
const MOST_INDEXED: i64 = 100_000;
/// How long the name of a CronJob may be: its Jobs carry a suffix of eleven characters.
const LONGEST_NAME: usize = 52;

/// The rules of Jobs.
pub(in crate::api::kinds) const JOB: Rules = Rules {
    default: default_job,
    prepare_create: |document| {
        generate_selector(document);
        prepare(document, Value::map());
    },
    prepare_update: metadata::count_changes,
    validate: validate_job,
    validate_update: |document, before| {
        let mut errors = validate_job(document);
        let elastic = |document: &Value| {
            let spec = document.get("spec");
            spec.get("completionMode").str() == "Indexed"
                && spec.get("completions") == spec.get("parallelism")
        };
        let fixed = ["completions", "selector", "template", "completionMode", "podFailurePolicy"];
        let skipped = usize::from(elastic(document) && elastic(before));
        for field in fixed.into_iter().skip(skipped) {
            let path = format!("spec.{field}");
            immutable(&mut errors, &path, document.get("spec").get(field), before.get("spec").get(field));
        }
        errors
    },
    warnings,
    columns: JOB_COLUMNS,
    cells: job_cells,
};

/// The rules of CronJobs.
pub(in crate::api::kinds) const CRON_JOB: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        fill(
            spec,
            &[
                ("concurrencyPolicy", Value::text("Allow")),
                ("suspend", Value::Bool(false)),
                ("successfulJobsHistoryLimit", Value::Int(3)),
                ("failedJobsHistoryLimit", Value::Int(1)),
            ],
        );
        within(spec, "jobTemplate", |job| within(job, "spec", default_template));
    },
    prepare_create: |document| prepare(document, Value::map()),
    prepare_update: metadata::count_changes,
    validate: validate_cron_job,
    validate_update: |document, _| validate_cron_job(document),
    warnings: |document, _| {
        let path = ["spec", "jobTemplate", "spec", "template", "spec"];
        pod::template_warnings(document.at(&path), "spec.jobTemplate.spec.template.spec")
    },
    columns: CRON_JOB_COLUMNS,
    cells: cron_job_cells,
};

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
    fill(
        spec,
        &[
            ("parallelism", Value::Int(1)),
            ("backoffLimit", Value::Int(6)),
            ("completionMode", Value::text("NonIndexed")),
            ("suspend", Value::Bool(false)),
        ],
    );
    let failed = if spec.get("podFailurePolicy").is_null() { "TerminatingOrFailed" } else { "Failed" };
    spec.set_default("podReplacementPolicy", failed);
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
    validate_job_spec(spec, "spec", &mut errors);
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

fn validate_job_spec(spec: &Value, path: &str, errors: &mut Errors) {
    let counts =
        ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];
    counts_at(spec, path, &counts, errors);
    if !spec.get("completionMode").is_null() {
        let modes = ["Indexed", "NonIndexed"];
        one_of(errors, &format!("{path}.completionMode"), spec.get("completionMode"), &modes);
    }
    if spec.get("completionMode").str() == "Indexed" {
        if spec.get("completions").is_null() {
            let why = "when completion mode is Indexed";
            errors.push(FieldError::required(format!("{path}.completions"), why));
        }
        if let Some(count) = spec.get("parallelism").as_int().filter(|count| *count > MOST_INDEXED) {
            let why = format!("must be less than or equal to {MOST_INDEXED} when completion mode is Indexed");
            errors.push(FieldError::invalid(format!("{path}.parallelism"), count.to_string(), why));
        }
    }
    pod::validate_template(spec.get("template"), &format!("{path}.template"), errors);
    let policy = spec.at(&["template", "spec", "restartPolicy"]).str();
    let at = format!("{path}.template.spec.restartPolicy");
    match policy {
        "" | "Always" => {
            errors.push(FieldError::required(at, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" | "Never" => {}
        other => {
            errors.push(FieldError::not_supported(at, json::quote(other), &["Never", "OnFailure"]));
        }
    }
}

fn validate_cron_job(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::CronJob, document);
    let spec = document.get("spec");
    let schedule = spec.get("schedule").str();
    if schedule.is_empty() {
        errors.push(FieldError::required("spec.schedule", ""));
    } else if schedule.contains("TZ") {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.push(FieldError::invalid("spec.schedule", json::quote(schedule), why));
    } else if let Err(why) = Schedule::parse(schedule) {
        errors.push(FieldError::invalid("spec.schedule", json::quote(schedule), why));
    }
    validate_counts(spec, &["startingDeadlineSeconds"], &mut errors);
    let policies = ["Allow", "Forbid", "Replace"];
    one_of(&mut errors, "spec.concurrencyPolicy", spec.get("concurrencyPolicy"), &policies);
    let (job, path) = (spec.at(&["jobTemplate", "spec"]), "spec.jobTemplate.spec");
    validate_job_spec(job, path, &mut errors);
    if !job.get("selector").is_null() {
        let why = "`selector` will be auto-generated";
        errors.push(shown_value(format!("{path}.selector"), job.get("selector"), why));
    }
    if job.get("manualSelector").as_bool() == Some(true) {
        let path = format!("{path}.manualSelector");
        errors.push(FieldError::not_supported(path, "true", &["nil", "false"]));
    }
    validate_counts(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &mut errors);
    let name = document.at(&["metadata", "name"]).str();
    if name.len() > LONGEST_NAME {
        let why = format!("must be no more than {LONGEST_NAME} characters");
        errors.push(FieldError::invalid("metadata.name", json::quote(name), why));
    }
    errors
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

const CRON_JOB_COLUMNS: &[Column] = &[
    NAME,
    shown("Schedule"),
    shown("Timezone"),
    shown("Suspend"),
    shown("Active"),
    shown("Last Schedule"),
    AGE,
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn cron_job_cells(object: &Object, now: Timestamp) -> Vec<String> {
    let (spec, status) = (object.spec(), object.status());
    let job = spec.at(&["jobTemplate", "spec"]);
    let [names, images] = containers(job.get("template"));
    let last = match status.get("lastScheduleTime") {
        time if time.is_null() => or_none(""),
        time => since(time, now),
    };
    vec![
        object.key.name.to_string(),
        spec.get("schedule").str().to_owned(),
        or_none(spec.get("timeZone").str()),
        flag(spec.get("suspend")),
        status.get("active").items().len().to_string(),
        last,
        age(object, now),
        names,
        images,
        selector(job.get("selector")),
    ]
}
