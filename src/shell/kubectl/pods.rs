//! What `exec`, `logs`, `attach` and `port-forward` share: which Pod and which container are meant.
//!
//! Owns kubectl's rules for both (`polymorphichelpers`, `podcmd`) and their words. It changes nothing.

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::failure::Failure;
use super::resources::{Query, Reading, queries};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::value::Value;
use crate::shell::executor::{Either, first};
use crate::simulation::Simulation;

/// The annotation that names a Pod's main container.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// What `POD` or `TYPE/NAME` names.
///
/// # Errors
/// What the server refuses.
pub fn named(call: &Call, word: &str) -> Result<Arc<Object>, Failure> {
    if !word.contains('/') {
        return Ok(call.get(Kind::Pod, &call.namespace, word)?);
    }
    let words = [word.to_owned()];
    match queries(call, &words, Vec::new(), Reading::default())?.first() {
        Some(Query::One { key, .. }) => Ok(call.get(key.kind, &key.namespace, &key.name)?),
        _ => Err(Failure::plain("arguments in resource/name form must have a single resource and name")),
    }
}

/// The selector of what owns or selects Pods.
///
/// # Errors
/// A kind that has no Pods, in the words of `verb` (`attach to`).
pub fn selector(object: &Object, verb: &str) -> Result<Selector, Failure> {
    let refused = |why: String| Failure::plain(format!("cannot {verb} {why}"));
    let info = object.key.kind.info();
    let go_type = || format!("*{}.{}", info.version, info.name);
    let held = object.spec().get("selector");
    let selector = match object.key.kind {
        Kind::Service => {
            return Selector::of_pairs(held).ok_or_else(|| {
                refused(format!(
                    "{}: invalid service '{}': Service is defined without a selector",
                    go_type(),
                    object.name()
                ))
            });
        }
        Kind::ReplicationController => Selector::of_pairs(held),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
            Selector::of_label_selector(held)
        }
        _ => None,
    };
    selector.ok_or_else(|| refused(format!("{}: selector for {} not implemented", go_type(), go_type())))
}

/// The first Pod that a selector selects, best first: bound, running and ready before others, then older.
pub fn first_of(simulation: &Simulation, namespace: &str, selector: &Selector) -> Option<Arc<Object>> {
    let mut pods = simulation.cluster.matching(Kind::Pod, namespace, selector);
    pods.sort_by_key(|object| {
        let pod = object.as_pod();
        let phase = pod.map_or("", |pod| pod.phase.as_str());
        let rank = match phase {
            "Running" => 0,
            "Pending" => 1,
            _ => 2,
        };
        (rank, !pod.is_some_and(|pod| pod.ready), object.meta.resource_version)
    });
    pods.into_iter().next()
}

/// The Pod that an object stands for: itself, or the first of its Pods, waiting `timeout` for one.
///
/// # Errors
/// A kind that has no Pods, or none in time.
pub async fn pod_of(call: &Call, object: &Arc<Object>, timeout: Duration) -> Result<Arc<Object>, Failure> {
    if object.key.kind == Kind::Pod {
        return Ok(Arc::clone(object));
    }
    let selector = selector(object, "attach to")?;
    let found = call.host().until(|simulation| first_of(simulation, object.namespace(), &selector));
    match first(found, call.invocation.sleep(timeout)).await {
        Either::Left(pod) => Ok(pod),
        Either::Right(()) => Err(Failure::plain("timed out waiting for the condition")),
    }
}

/// The container that is meant: the one named, the one an annotation names, or the first, said on standard
/// error if there are several.
///
/// # Errors
/// A container that the Pod does not have.
pub fn container_of(call: &Call, pod: &Object, named: &str, quiet: bool) -> Result<String, Failure> {
    let names = container_names(pod);
    let has = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
    if !named.is_empty() {
        if has(named) {
            return Ok(named.to_owned());
        }
        return Err(Failure::plain(format!("container {named} not found in pod {}", pod.name())));
    }
    if let Some(name) = pod.meta.annotation(DEFAULT_CONTAINER).filter(|name| has(name)) {
        return Ok(name.to_owned());
    }
    let first = names.first().map(|(name, _)| name.clone()).unwrap_or_default();
    if names.len() > 1 && !quiet {
        call.complain(&format!("Defaulted container \"{first}\" out of: {}", listed(&names)));
    }
    Ok(first)
}

/// The containers of a Pod, and what is said behind names of special ones (`(init)`).
pub fn container_names(pod: &Object) -> Vec<(String, &'static str)> {
    let mut names = Vec::new();
    for (field, mark) in
        [("containers", ""), ("initContainers", " (init)"), ("ephemeralContainers", " (ephem)")]
    {
        for container in pod.spec().get(field).items() {
            names.push((container.get("name").str().to_owned(), mark));
        }
    }
    names
}

/// Names as messages list them.
pub fn listed(names: &[(String, &str)]) -> String {
    names.iter().map(|(name, mark)| format!("{name}{mark}")).collect::<Vec<_>>().join(", ")
}

/// The state of a container as its status has it: `running`, `waiting` or `terminated`, with the details.
pub fn state<'a>(pod: &'a Object, container: &str) -> Option<(&'a str, &'a Value)> {
    let status = status_of(pod, container)?;
    status.get("state").entries().first().map(|(name, details)| (name.as_str(), details))
}

/// The status of a container.
pub fn status_of<'a>(pod: &'a Object, container: &str) -> Option<&'a Value> {
    ["containerStatuses", "initContainerStatuses"]
        .iter()
        .flat_map(|field| pod.status().get(field).items())
        .find(|status| status.get("name").str() == container)
}

/// Whether a container of a Pod runs, the Pod being still the one with this uid.
pub fn runs(simulation: &Simulation, pod: &Key, uid: &str, container: &str) -> bool {
    let held = simulation.cluster.get(pod).filter(|object| object.meta.uid == uid);
    held.is_some_and(|object| matches!(state(object, container), Some(("running", _))))
}
