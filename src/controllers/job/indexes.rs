//! Completion indexes of an Indexed Job.
//!
//! Owns the written form of sets of indexes (`1,3-5`) and what a Pod of an index carries. Source:
//! `indexed_job_utils.go` of Kubernetes.

use std::collections::BTreeSet;

use crate::api::object::Object;
use crate::api::value::Value;
use crate::value;

/// The annotation and label with a Pod's index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The variable with a Pod's index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// Whether a Job counts its completions by index.
pub(super) fn is_indexed(job: &Object) -> bool {
    job.spec().get("completionMode").str() == "Indexed"
}

/// The index of a Pod.
pub(super) fn of_pod(pod: &Object) -> Option<i64> {
    pod.meta.annotation(INDEX)?.parse().ok()
}

/// Reads `1,3-5`.
pub(super) fn parse(text: &str) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            all.extend(first..=last);
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

/// Gives the document of a Job's Pod an index: name, host name, label, annotation and variable.
pub(super) fn give(document: &mut Value, job: &Object, index: i64) {
    let metadata = document.field_mut("metadata");
    metadata.set("generateName", format!("{}-{index}-", job.name()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_indexes_are_written_as_runs() {
        for (text, count) in [("", 0), ("0", 1), ("0,1", 2), ("0-2", 3), ("1,3-5,7", 5)] {
            let indexes = parse(text);
            assert_eq!((indexes.len(), print(&indexes)), (count, text.to_owned()));
        }
    }
}
