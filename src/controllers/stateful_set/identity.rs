//! The identity of a StatefulSet's Pods: ordinals, names, labels, claims.
//!
//! Owns the document of the Pod with an ordinal. Source: `stateful_set_utils.go` of Kubernetes.

use super::super::{owned, revisions};
use crate::api::object::Object;
use crate::api::value::Value;
use crate::value;

/// The label that carries a Pod's own name, so that a Service can select this Pod alone.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// The label that carries a Pod's ordinal.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// Set and ordinal that a Pod's name tells, where it is such a name.
pub(in crate::controllers) fn parse(name: &str) -> Option<(&str, i64)> {
    let (parent, digits) = name.rsplit_once('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((parent, digits.parse().ok().filter(|_| plain)?))
}

/// The ordinal of a Pod of this set.
pub(super) fn ordinal(set: &Object, pod: &Object) -> Option<i64> {
    parse(pod.name()).filter(|(parent, _)| parent == set.name()).map(|(_, ordinal)| ordinal)
}

/// The first ordinal.
pub(super) fn start(set: &Object) -> i64 {
    set.spec().at(&["ordinals", "start"]).as_int().unwrap_or(0)
}

/// The Pod with an ordinal, made from a template of the revision with this name.
pub(super) fn pod(set: &Object, template: &Value, revision: &str, ordinal: i64) -> Value {
    let name = format!("{}-{ordinal}", set.name());
    let mut metadata = value!({
        "generateName": (format!("{}-", set.name())),
        "ownerReferences": [(owned::reference(set))]
    });
    for field in ["labels", "annotations", "finalizers"] {
        let given = template.at(&["metadata", field]);
        if !given.is_empty() {
            *metadata.field_mut(field) = given.clone();
        }
    }
    metadata.set("name", name.clone());
    let labels = metadata.field_mut("labels");
    labels.set(POD_NAME, name.clone());
    labels.set(POD_INDEX, ordinal.to_string());
    labels.set(revisions::HASH, revision.to_owned());
    let mut spec = template.get("spec").clone();
    spec.set("hostname", name.clone());
    if !set.spec().get("serviceName").is_empty() {
        spec.set("subdomain", set.spec().get("serviceName").clone());
    }
    mount_claims(set, &name, &mut spec);
    value!({ "metadata": metadata, "spec": spec })
}

/// The volumes of the claims stand before the template's own; they replace those of the same name.
fn mount_claims(set: &Object, pod: &str, spec: &mut Value) {
    let claims = set.spec().get("volumeClaimTemplates").items();
    if claims.is_empty() {
        return;
    }
    let name = |claim: &Value| claim.at(&["metadata", "name"]).smol();
    let mut volumes: Vec<Value> = claims
        .iter()
        .map(|claim| {
            let claimed = value!({ "claimName": (format!("{}-{pod}", name(claim))) });
            value!({ "name": (name(claim)), "persistentVolumeClaim": claimed })
        })
        .collect();
    let own = spec.get("volumes").items().iter();
    let own = own.filter(|volume| !claims.iter().any(|claim| name(claim) == volume.get("name").str()));
    volumes.extend(own.cloned());
    spec.set("volumes", volumes);
}

/// The claims of the Pod with an ordinal, by name and document.
pub(super) fn claims(set: &Object, ordinal: i64) -> Vec<Value> {
    let templates = set.spec().get("volumeClaimTemplates").items().iter();
    let claim = |template: &Value| {
        let mut claim = template.clone();
        claim.remove("status");
        let name = template.at(&["metadata", "name"]).str();
        let metadata = claim.field_mut("metadata");
        metadata.set("name", format!("{name}-{}-{ordinal}", set.name()));
        metadata.set("namespace", set.namespace().clone());
        for (key, value) in set.spec().at(&["selector", "matchLabels"]).entries() {
            *metadata.field_mut("labels").field_mut(key) = value.clone();
        }
        claim
    };
    templates.map(claim).collect()
}

/// Whether a Pod carries the labels of its ordinal.
pub(super) fn is_labelled(pod: &Object) -> bool {
    pod.meta.label(POD_NAME) == pod.name()
}

/// The document of a Pod with the labels of its ordinal.
pub(super) fn labelled(pod: &Object, ordinal: i64) -> Value {
    let mut document = pod.value.clone();
    let labels = document.at_mut(&["metadata", "labels"]);
    labels.set(POD_NAME, pod.name().clone());
    labels.set(POD_INDEX, ordinal.to_string());
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_set_and_ordinal() {
        for (name, parsed) in [
            ("web-0", Some(("web", 0))),
            ("my-db-12", Some(("my-db", 12))),
            ("web", None),
            ("web-x1", None),
            ("web-", None),
            ("web-+1", None),
        ] {
            assert_eq!(parse(name), parsed, "{name}");
        }
    }
}
