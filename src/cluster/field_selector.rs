//! Field selectors: which fields each kind can be selected by.
//!
//! Owns the table of fields and the matching. Source: the `*_strategy.go` field sets of kube-apiserver, as
//! far as the reference sessions show them.

use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::value::{SmolStr, Value};

/// Conditions on fields that must all hold.
pub(super) struct FieldSelector {
    /// The field, the value, and whether it must be equal.
    terms: Vec<(SmolStr, SmolStr, bool)>,
}

/// The fields that a kind knows, besides `metadata.name` and `metadata.namespace`.
fn fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        Kind::Node => &["spec.unschedulable"],
        Kind::Namespace => &["status.phase"],
        Kind::Secret => &["type"],
        Kind::ReplicaSet | Kind::ReplicationController => &["status.replicas"],
        Kind::Job => &["status.successful"],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        _ => &[],
    }
}

impl FieldSelector {
    /// Reads `spec.nodeName=k8s-w1,status.phase!=Running`.
    ///
    /// # Errors
    ///
    /// A field that the kind cannot be selected by, or text that is no selector.
    pub(super) fn parse(kind: Kind, text: &str) -> Result<Self, Status> {
        let mut terms = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let (field, value, wanted) = split(term).ok_or_else(|| {
                Status::new(
                    Reason::BadRequest,
                    format!("invalid selector: '{text}'; can't understand '{term}'"),
                )
            })?;
            if !matches!(field, "metadata.name" | "metadata.namespace") && !fields(kind).contains(&field) {
                return Err(Status::new(Reason::BadRequest, unknown_field(kind, field)));
            }
            terms.push((field.into(), value.into(), wanted));
        }
        Ok(Self { terms })
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|(field, wanted, equal)| (text_of(object, field) == *wanted) == *equal)
    }
}

/// What an object's field reads as; absent numbers and flags are what Go's zero values are.
fn text_of(object: &Object, field: &str) -> SmolStr {
    let value = &object.value;
    let found = match field {
        "source" if value.at(&["source", "component"]).is_empty() => value.get("reportingComponent"),
        "source" => value.at(&["source", "component"]),
        "status.successful" => value.at(&["status", "succeeded"]),
        path => path.split('.').fold(value, |value, key| value.get(key)),
    };
    match (found, field) {
        (Value::Bool(flag), _) => SmolStr::new(if *flag { "true" } else { "false" }),
        (Value::Int(number), _) => SmolStr::new(number.to_string()),
        (Value::Null, "spec.unschedulable" | "spec.hostNetwork") => SmolStr::new_static("false"),
        (Value::Null, "status.replicas" | "status.successful") => SmolStr::new_static("0"),
        (other, _) => other.smol(),
    }
}

fn split(term: &str) -> Option<(&str, &str, bool)> {
    if let Some((field, value)) = term.split_once("!=") {
        return Some((field, value, false));
    }
    let (field, value) = term.split_once("==").or_else(|| term.split_once('='))?;
    Some((field, value, true))
}

/// What is said of a field that a kind does not know: kinds with fields of their own say it in other words
/// than those without.
fn unknown_field(kind: Kind, field: &str) -> String {
    match kind {
        Kind::Job => format!("field label \"{field}\" not supported for batchv1.Job"),
        _ if fields(kind).is_empty() => format!(
            "\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ),
        _ => format!("field label not supported: {field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn check(kind: Kind, document: Value, text: &str, yes: bool) {
        let object = Object::new(kind, document, None);
        let selector = FieldSelector::parse(kind, text).unwrap();
        assert_eq!(selector.matches(&object), yes, "{text}");
    }

    #[test]
    fn fields_are_compared_as_text() {
        let pod = || {
            value!({
                "metadata": { "name": "p" }, "spec": { "nodeName": "k8s-w1" }, "status": { "phase": "Running" }
            })
        };
        check(Kind::Pod, pod(), "status.phase=Running,spec.nodeName==k8s-w1", true);
        check(Kind::Pod, pod(), "status.phase!=Running", false);
        check(Kind::Pod, pod(), "metadata.name=q", false);
        check(Kind::Pod, pod(), "spec.hostNetwork=false", true);
        check(Kind::Node, value!({}), "spec.unschedulable=false", true);
        check(Kind::ReplicaSet, value!({}), "status.replicas=0", true);
        check(Kind::Event, value!({ "reportingComponent": "kubelet" }), "source=kubelet", true);
    }

    #[test]
    fn unknown_fields_are_refused() {
        for (kind, words) in [
            (Kind::Service, "field label not supported: spec.foo"),
            (Kind::Job, "field label \"spec.foo\" not supported for batchv1.Job"),
            (
                Kind::Ingress,
                "\"spec.foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
        ] {
            let refused = FieldSelector::parse(kind, "spec.foo=bar").err().unwrap();
            assert_eq!(refused.message, words);
        }
    }
}
