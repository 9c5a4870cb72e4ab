//! Deployments and other workloads: why fewer Pods are available than wanted.
//!
//! Owns [`WorkloadCause`] and the look at one workload. What is the matter with its Pods is asked of
//! [`super::pod`].

use std::sync::Arc;

use super::finding::{Cause, Finding, Severity, in_namespace};
use super::pod::{self, PodCause};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::cluster::Cluster;

/// What can be the matter with a workload.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadCause {
    /// Nothing.
    Works {
        /// How many Pods are ready.
        ready: i64,
    },
    /// It is told to have no Pods.
    ScaledToZero,
    /// Pods are missing or not ready, and this is the reason of one of them.
    PodsNotReady {
        /// How many are ready.
        ready: i64,
        /// How many are wanted.
        wanted: i64,
        /// One that is not, and why.
        pod: Option<(Key, PodCause)>,
    },
    /// Pods cannot be made.
    CannotMakePods {
        /// What the API server said.
        message: String,
    },
}

/// What is the matter with a Deployment, ReplicaSet, StatefulSet or DaemonSet.
#[must_use]
pub fn workload(cluster: &Cluster, key: &Key) -> Vec<Finding> {
    let Some(object) = cluster.get(key) else { return Vec::new() };
    let status = object.status();
    let count = |field: &str| status.get(field).as_int().unwrap_or(0);
    let (wanted, ready) = match key.kind {
        Kind::DaemonSet => (count("desiredNumberScheduled"), count("numberReady")),
        _ => (object.spec().get("replicas").as_int().unwrap_or(1), count("readyReplicas")),
    };
    let finding = |severity, cause| Finding::new(key, severity, Cause::Workload(cause));
    if wanted == 0 && key.kind != Kind::DaemonSet {
        let kind = key.kind.info().singular;
        let command = format!("kubectl scale {kind} {} --replicas=1{}", key.name, in_namespace(key));
        let scaled = finding(Severity::Problem, WorkloadCause::ScaledToZero);
        return vec![scaled.at("spec.replicas").command(command)];
    }
    if ready >= wanted && wanted > 0 {
        let mut findings = vec![finding(Severity::Fine, WorkloadCause::Works { ready })];
        findings.extend(pods(cluster, object).first().into_iter().flat_map(|one| pod::links(cluster, one)));
        return findings;
    }
    let failure = status.get("conditions").items().iter().find(|condition| {
        condition.get("type").str() == "ReplicaFailure" && condition.get("status").str() == "True"
    });
    if let Some(failure) = failure {
        let message = failure.get("message").str().to_owned();
        return vec![finding(Severity::Problem, WorkloadCause::CannotMakePods { message })];
    }
    let unready = pods(cluster, object)
        .into_iter()
        .find(|pod| !pod.is_terminating() && pod.as_pod().is_some_and(|pod| !pod.ready));
    let blamed = unready.map(|pod| (pod.key.clone(), pod::cause(cluster, &pod)));
    let fixes = blamed.as_ref().map(|(pod, cause)| pod::fixes(cluster, pod, cause)).unwrap_or_default();
    let starting = blamed.as_ref().is_none_or(|(_, cause)| *cause == PodCause::Starting);
    let severity = if starting { Severity::Note } else { Severity::Problem };
    let mut found = finding(severity, WorkloadCause::PodsNotReady { ready, wanted, pod: blamed });
    found.fixes = fixes;
    let links = pods(cluster, object).first().map(|one| Vec::from_iter(pod::links(cluster, one)));
    let mut findings = vec![found];
    findings.extend(links.unwrap_or_default());
    findings
}

/// The Pods that a workload's selector selects.
fn pods(cluster: &Cluster, object: &Object) -> Vec<Arc<Object>> {
    let selector = Selector::of_label_selector(object.spec().get("selector"));
    selector.map(|selector| cluster.matching(Kind::Pod, object.namespace(), &selector)).unwrap_or_default()
}
