//! Pod templates: when two are the same.

use super::HASH;
use crate::api::object::Object;

/// Whether a ReplicaSet was made from the Deployment's present template.
pub(super) fn same(deployment: &Object, set: &Object) -> bool {
    let (wanted, has) = (deployment.spec().get("template"), set.spec().get("template"));
    if wanted.get("spec") != has.get("spec") {
        return false;
    }
    let mut metadata = has.get("metadata").clone();
    metadata.field_mut("labels").remove(HASH);
    let given = wanted.get("metadata");
    ["labels", "annotations", "finalizers"].iter().all(|field| {
        let (given, has) = (given.get(field), metadata.get(field));
        given == has || (given.is_empty() && has.is_empty())
    })
}
