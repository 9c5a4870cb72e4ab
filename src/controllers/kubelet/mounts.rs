//! Volumes that need objects which may be missing.
//!
//! Owns which ConfigMap or Secret a Pod's volumes lack, in the kubelet's words. What is in a volume is not
//! simulated.

use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::Cluster;

/// The volumes that admission adds; the control plane sees to what they need.
const OWN: &str = "kube-api-access-";

/// Why the volumes of a Pod cannot be set up, if they cannot.
pub(super) fn missing(cluster: &Cluster, object: &Object) -> Option<String> {
    let volumes = object.spec().get("volumes").items().iter();
    let mut given = volumes.filter(|volume| !volume.get("name").str().starts_with(OWN));
    given.find_map(|volume| {
        let why = lacks(cluster, object, volume)?;
        Some(format!("MountVolume.SetUp failed for volume \"{}\" : {why}", volume.get("name").str()))
    })
}

fn lacks(cluster: &Cluster, object: &Object, volume: &Value) -> Option<String> {
    let source = |source: &Value| {
        [("configMap", Kind::ConfigMap, "name"), ("secret", Kind::Secret, "secretName")]
            .into_iter()
            .find_map(|(field, kind, name)| lacks_object(cluster, object, source.get(field), kind, name))
    };
    source(volume).or_else(|| {
        let sources = volume.at(&["projected", "sources"]).items();
        sources.iter().find_map(source)
    })
}

/// What a reference lacks: the object, or one of the keys that it asks for.
fn lacks_object(
    cluster: &Cluster,
    object: &Object,
    reference: &Value,
    kind: Kind,
    field: &str,
) -> Option<String> {
    if reference.is_null() || reference.get("optional").as_bool() == Some(true) {
        return None;
    }
    // Projected Secrets are named as ConfigMaps are.
    let name = [field, "name"].map(|field| reference.get(field).str());
    let name = name.into_iter().find(|name| !name.is_empty())?;
    let singular = kind.info().singular;
    let Some(found) = cluster.find(kind, object.namespace(), name) else {
        return Some(format!("{singular} \"{name}\" not found"));
    };
    let has = |key: &str| ["data", "binaryData"].iter().any(|map| !found.value.get(map).get(key).is_null());
    let mut keys = reference.get("items").items().iter().map(|item| item.get("key").str());
    let what = if kind == Kind::Secret { "secret" } else { "config" };
    keys.find(|key| !has(key)).map(|key| format!("references non-existent {what} key: {key}"))
}
