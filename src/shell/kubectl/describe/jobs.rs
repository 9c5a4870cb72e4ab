//! Describing Jobs and CronJobs.

use super::About;
use super::page::Page;
use super::template::{describe_template, long_time};
use crate::api::selector::Selector;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;

/// How long a list of indexes may be before it is cut.
const INDEXES: usize = 50;

fn number(value: &Value) -> i64 {
    value.as_int().unwrap_or(0)
}

/// A number, or `<unset>`.
fn or_unset(value: &Value, unit: &str) -> String {
    value.as_int().map_or_else(|| "<unset>".to_owned(), |number| format!("{number}{unit}"))
}

fn selector(spec: &Value) -> Option<String> {
    Selector::of_label_selector(spec.get("selector")).map(|selector| selector.to_string())
}

/// Writes the description of a Job.
pub fn job(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let spec = object.spec();
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    if let Some(selector) = selector(spec) {
        page.line(0, &format!("Selector:\t{selector}"));
    }
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    if let Some(owner) = object.controller() {
        page.line(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
    page.line(0, &format!("Parallelism:\t{}", number(spec.get("parallelism"))));
    page.line(0, &format!("Completions:\t{}", or_unset(spec.get("completions"), "")));
    page.line(0, &format!("Completion Mode:\t{}", spec.get("completionMode").str()));
    page.line(0, &format!("Suspend:\t{}", spec.get("suspend").as_bool().unwrap_or(false)));
    page.line(0, &format!("Backoff Limit:\t{}", number(spec.get("backoffLimit"))));
    if let Some(seconds) = spec.get("ttlSecondsAfterFinished").as_int() {
        page.line(0, &format!("TTL Seconds After Finished:\t{seconds}"));
    }
    progress(spec, object.status(), page);
    describe_template(spec.get("template"), page);
    about.events(page);
}

/// When a Job ran, and how its Pods are.
fn progress(spec: &Value, status: &Value, page: &mut Page) {
    let times = ["startTime", "completionTime"].map(|field| status.get(field));
    for (title, time) in ["Start Time", "Completed At"].into_iter().zip(times) {
        if !time.is_null() {
            page.line(0, &format!("{title}:\t{}", long_time(time)));
        }
    }
    if let [Some(start), Some(end)] = times.map(Timestamp::of) {
        page.line(0, &format!("Duration:\t{}", human_duration(end.0 - start.0)));
    }
    if let Some(seconds) = spec.get("activeDeadlineSeconds").as_int() {
        page.line(0, &format!("Active Deadline Seconds:\t{seconds}s"));
    }
    let count = |field: &str| number(status.get(field));
    let ready = match status.get("ready").as_int() {
        Some(ready) => format!(" ({ready} Ready)"),
        None => String::new(),
    };
    page.line(
        0,
        &format!(
            "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
            count("active"),
            count("succeeded"),
            count("failed")
        ),
    );
    if spec.get("completionMode").str() == "Indexed" {
        page.line(0, &format!("Completed Indexes:\t{}", indexes(status.get("completedIndexes").str())));
    }
}

/// A list of indexes, cut at the first comma from where it is long.
fn indexes(list: &str) -> String {
    let comma = list.get(INDEXES..).and_then(|rest| rest.find(','));
    match comma {
        _ if list.is_empty() => "<none>".to_owned(),
        Some(at) => format!("{}...", &list[..=INDEXES + at]),
        None => list.to_owned(),
    }
}

/// Writes the description of a CronJob.
pub fn cron_job(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    about.head(page);
    page.line(0, &format!("Schedule:\t{}", spec.get("schedule").str()));
    page.line(0, &format!("Concurrency Policy:\t{}", spec.get("concurrencyPolicy").str()));
    let suspended = if spec.get("suspend").as_bool() == Some(true) { "True" } else { "False" };
    page.line(0, &format!("Suspend:\t{suspended}"));
    page.line(0, &format!("Time Zone:\t{}", spec.get("timeZone").as_str().unwrap_or("<unset>")));
    for (title, field) in [
        ("Successful Job History Limit", "successfulJobsHistoryLimit"),
        ("Failed Job History Limit", "failedJobsHistoryLimit"),
    ] {
        page.line(0, &format!("{title}:\t{}", or_unset(spec.get(field), "")));
    }
    let deadline = or_unset(spec.get("startingDeadlineSeconds"), "s");
    page.line(0, &format!("Starting Deadline Seconds:\t{deadline}"));
    let job = spec.at(&["jobTemplate", "spec"]);
    let selector = selector(job).unwrap_or_else(|| "<unset>".to_owned());
    page.line(0, &format!("Selector:\t{selector}"));
    page.line(0, &format!("Parallelism:\t{}", or_unset(job.get("parallelism"), "")));
    page.line(0, &format!("Completions:\t{}", or_unset(job.get("completions"), "")));
    if let Some(seconds) = job.get("activeDeadlineSeconds").as_int() {
        page.line(0, &format!("Active Deadline Seconds:\t{seconds}s"));
    }
    describe_template(job.get("template"), page);
    let last = match status.get("lastScheduleTime") {
        time if time.is_null() => "<unset>".to_owned(),
        time => long_time(time),
    };
    page.line(0, &format!("Last Schedule Time:\t{last}"));
    let names: Vec<&str> = status.get("active").items().iter().map(|one| one.get("name").str()).collect();
    let names = if names.is_empty() { "<none>".to_owned() } else { names.join(", ") };
    page.line(0, &format!("Active Jobs:\t{names}"));
    about.events(page);
}
