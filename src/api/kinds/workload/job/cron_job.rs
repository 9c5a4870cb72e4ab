//! CronJobs: defaults, checks, tables.

use super::{default_policy, spec};
use crate::api::cron::Schedule;
use crate::api::json;
use crate::api::kinds::field::{Errors, fill, one_of, shown as shown_value, within};
use crate::api::kinds::table::{AGE, NAME, containers, flag, or_none, selector, shown, since, wide};
use crate::api::kinds::workload::{
    default_template, is_same_generation, name_warnings, prepare, validate_counts,
};
use crate::api::kinds::{Rules, age, metadata, pod};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::time_zone::TimeZone;
use crate::api::value::Value;

/// How long the name of a CronJob may be: its Jobs carry a suffix of eleven characters.
const LONGEST_NAME: usize = 52;

/// How long a part of a time zone's name may be (`validTimeZoneCharacters`).
const LONGEST_ZONE_PART: usize = 14;

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
        within(spec, "jobTemplate", |job| {
            within(job, "spec", default_template);
            within(job, "spec", default_policy);
        });
    },
    prepare_create: |document| prepare(document, Value::map()),
    prepare_update: metadata::count_changes,
    validate: |document| validate_cron_job(document, None),
    validate_update: |document, before| {
        validate_cron_job(document, before.at(&["spec", "timeZone"]).as_str())
    },
    warnings: |document, before| {
        if is_same_generation(document, before) {
            return Vec::new();
        }
        let path = ["spec", "jobTemplate", "spec", "template"];
        let mut all = name_warnings(document, before);
        all.extend(pod::template_warnings(document.at(&path), "spec.jobTemplate.spec.template."));
        all
    },
    columns: CRON_JOB_COLUMNS,
    cells: cron_job_cells,
};

/// Checks a CronJob; `before` is its time zone before, which is not checked again.
fn validate_cron_job(document: &Value, before: Option<&str>) -> Errors {
    let mut errors = metadata::validate(Kind::CronJob, document);
    let spec = document.get("spec");
    schedule(spec.get("schedule").str(), &mut errors);
    validate_counts(spec, &["startingDeadlineSeconds"], &mut errors);
    if let Some(zone) = spec.get("timeZone").as_str().filter(|zone| Some(*zone) != before) {
        time_zone(zone, &mut errors);
    }
    let policies = ["Allow", "Forbid", "Replace"];
    one_of(&mut errors, "spec.concurrencyPolicy", spec.get("concurrencyPolicy"), &policies);
    let (job, path) = (spec.at(&["jobTemplate", "spec"]), "spec.jobTemplate.spec");
    spec::validate(job, path, &mut errors);
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

/// Checks a schedule. One that names a time zone is read, and refused all the same.
fn schedule(text: &str, errors: &mut Errors) {
    if text.is_empty() {
        errors.push(FieldError::required("spec.schedule", ""));
        return;
    }
    let mut refuse = |why: String| errors.push(FieldError::invalid("spec.schedule", json::quote(text), why));
    let (zone, fields) = zone_of(text);
    let zone = TimeZone::find(zone).map_err(|why| format!("provided bad location {zone}: {why}"));
    if let Err(why) = zone.and_then(|_| Schedule::parse(fields).map(|_| ())) {
        refuse(why);
    }
    if text.contains("TZ") {
        refuse("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned());
    }
}

/// A schedule's own time zone, and its fields: `TZ=UTC 0 * * * *`.
fn zone_of(text: &str) -> (&str, &str) {
    let named = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ="));
    named.and_then(|named| named.split_once(' ')).map_or(("", text), |(zone, fields)| (zone, fields.trim()))
}

/// Checks a time zone (`validateTimeZone`).
fn time_zone(zone: &str, errors: &mut Errors) {
    let mut refuse = |why: String| errors.push(FieldError::invalid("spec.timeZone", json::quote(zone), why));
    if zone.is_empty() {
        return refuse("timeZone must be nil or non-empty string".to_owned());
    }
    let strange = |letter: char| !(letter.is_ascii_alphanumeric() || "._-+".contains(letter));
    let wrong = |part: &str| {
        matches!(part, "" | "." | "..")
            || part.starts_with('-')
            || part.len() > LONGEST_ZONE_PART
            || part.contains(strange)
    };
    if zone.split('/').any(wrong) {
        return refuse(format!("unknown time zone {zone}"));
    }
    if zone.eq_ignore_ascii_case("local") {
        let known = "https://www.iana.org/time-zones";
        refuse(format!("timeZone must be an explicit time zone as defined in {known}"));
    }
    // Go's name for the zone of the machine is no zone of the database, but is read all the same.
    if let Err(why) = TimeZone::find(zone)
        && zone != "Local"
    {
        refuse(why);
    }
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
