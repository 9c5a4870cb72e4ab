//! Field selectors: which fields each kind can be selected by.
//!
//! Owns the table of fields and the matching. Source: the `*_strategy.go` field sets of kube-apiserver, as
//! far as the reference sessions show them.

use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::value::SmolStr;

/// Conditions on fields that must all hold.
pub(super) struct FieldSelector {
    terms: Vec<(Vec<SmolStr>, SmolStr, bool)>,
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
                let why = format!(
                    "Unable to find \"{}\" that match label selector \"\", field selector \"{text}\": field label not supported: {field}",
                    resource_gvr(kind)
                );
                return Err(Status::new(Reason::BadRequest, why));
            }
            terms.push((field.split('.').map(SmolStr::new).collect(), value.into(), wanted));
        }
        Ok(Self { terms })
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|(path, wanted, equal)| {
            let found = path.iter().fold(&object.value, |value, key| value.get(key));
            let text = match found {
                crate::api::value::Value::Bool(flag) => SmolStr::new(flag.to_string()),
                crate::api::value::Value::Int(number) => SmolStr::new(number.to_string()),
                other => other.smol(),
            };
            (text == *wanted) == *equal
        })
    }
}

fn split(term: &str) -> Option<(&str, &str, bool)> {
    if let Some((field, value)) = term.split_once("!=") {
        return Some((field, value, false));
    }
    let (field, value) = term.split_once("==").or_else(|| term.split_once('='))?;
    Some((field, value, true))
}

fn resource_gvr(kind: Kind) -> String {
    let info = kind.info();
    format!("{}/{}, Resource={}", info.group, info.version, info.plural)
}
