//! Completion indexes of an Indexed Job.
//!
//! Owns the written form of sets of indexes (`1,3-5`), what a Pod of an index carries, and how often an index
//! failed, which its Pods hand on. Source: `indexed_job_utils.go` of Kubernetes.

use std::collections::BTreeSet;

use crate::api::object::Object;
use crate::api::value::Value;
use crate::value;

/// How long a name is that gets a suffix (`MaxGeneratedNameLength`).
const LONGEST_NAME: usize = 58;
/// The annotation and label with a Pod's index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation with how often a Pod's index failed before.
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// The annotation with how often it failed without that counting.
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// The variable with a Pod's index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// Whether a Job counts its completions by index.
pub(super) fn is_indexed(job: &Object) -> bool {
    job.spec().get("completionMode").str() == "Indexed"
}

/// Whether a Job has a back-off limit for each index.
pub(super) fn has_limit(job: &Object) -> bool {
    !job.spec().get("backoffLimitPerIndex").is_null()
}

/// The index of a Pod.
pub(super) fn of_pod(pod: &Object) -> Option<i64> {
    pod.meta.annotation(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// How often the index of a Pod failed before: what counts, and what does not.
pub(super) fn failures(pod: &Object) -> (i64, i64) {
    let number = |name: &str| {
        let number = pod.meta.annotation(name).and_then(|text| text.parse::<i32>().ok());
        i64::from(number.unwrap_or(0).max(0))
    };
    (number(FAILURES), number(IGNORED))
}

/// Reads `1,3-5` and keeps what is below the number of completions.
pub(super) fn parse(text: &str, completions: i64) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            all.extend(first..=last.min(completions - 1));
        }
    }
    all
}

/// Writes `1,3-5`: two in a row stand by themselves.
pub(super) fn print(indexes: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let run = |(first, last): (i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(",")
}

/// Notes in the document of a Job's Pod how often its index failed before.
pub(super) fn note_failures(document: &mut Value, (counted, ignored): (i64, i64)) {
    let annotations = document.field_mut("metadata").field_mut("annotations");
    annotations.set(FAILURES, counted.to_string());
    if ignored > 0 {
        annotations.set(IGNORED, ignored.to_string());
    }
}

/// Gives the document of a Job's Pod an index: name, host name, label, annotation and variable.
pub(super) fn give(document: &mut Value, job: &Object, index: i64) {
    let metadata = document.field_mut("metadata");
    metadata.set("generateName", generate_name(job.name(), index));
    metadata.field_mut("annotations").set(INDEX, index.to_string());
    metadata.field_mut("labels").set(INDEX, index.to_string());
    let spec = document.field_mut("spec");
    spec.set("hostname", format!("{}-{index}", job.name()));
    let variable = value!({
        "name": VARIABLE,
        "valueFrom": { "fieldRef": { "fieldPath": (format!("metadata.labels['{INDEX}']")) } }
    });
    for list in ["initContainers", "containers"] {
        if spec.get(list).items().is_empty() {
            continue;
        }
        for container in spec.field_mut(list).list_mut() {
            let given = container.get("env").items().iter().any(|one| one.get("name").str() == VARIABLE);
            if !given {
                container.field_mut("env").list_mut().push(variable.clone());
            }
        }
    }
}

/// What the names of an index's Pods begin with: the index is kept where a long name is cut.
fn generate_name(job: &str, index: i64) -> String {
    let suffix = format!("-{index}-");
    let kept = job.len().min(LONGEST_NAME.saturating_sub(suffix.len()));
    format!("{}{suffix}", &job[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_indexes_are_written_as_runs() {
        for (text, count) in [("", 0), ("0", 1), ("0,1", 2), ("0-2", 3), ("1,3-5,7", 5)] {
            let indexes = parse(text, 10);
            assert_eq!((indexes.len(), print(&indexes)), (count, text.to_owned()));
        }
        assert_eq!(print(&parse("1,3-5,7", 5)), "1,3,4");
    }

    #[test]
    fn a_long_name_is_cut_before_the_index() {
        assert_eq!(generate_name("each", 3), "each-3-");
        assert_eq!(generate_name(&"a".repeat(60), 12), format!("{}-12-", "a".repeat(54)));
    }
}
