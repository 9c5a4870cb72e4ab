//! persistentvolume-binder: gives claims volumes that somebody made.
//!
//! Owns the binding of PersistentVolumeClaims to PersistentVolumes and the phases of both. Nothing makes volumes
//! here: a claim for which none fits waits, and says so. What is in a volume is not simulated. Source:
//! `pkg/controller/volume/persistentvolume` of Kubernetes.

use std::sync::Arc;

use super::{Context, Controller, Event, WorkQueue};
use crate::api::object::{Key, Object};
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// The annotations of a claim that this controller has bound.
const BOUND: [&str; 2] = ["pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"];

/// The controller.
pub(super) struct PersistentVolumeBinder;

impl Controller for PersistentVolumeBinder {
    fn actor(&self) -> Actor {
        Actor::PersistentVolume
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        match entry.key.kind {
            Kind::PersistentVolumeClaim => {
                dirty.add(entry.key.clone());
                if entry.after.is_none() {
                    cluster
                        .list(Kind::PersistentVolume, None)
                        .for_each(|volume| dirty.add(volume.key.clone()));
                }
            }
            Kind::PersistentVolume => {
                dirty.add(entry.key.clone());
                let claims = cluster.list(Kind::PersistentVolumeClaim, None);
                claims.filter(|claim| !is_bound(claim)).for_each(|claim| dirty.add(claim.key.clone()));
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(object) = context.cluster.get(key).filter(|object| !object.is_terminating()).cloned() else {
            return;
        };
        if key.kind == Kind::PersistentVolume {
            return settle(&object, context.cluster);
        }
        if is_bound(&object) {
            return;
        }
        match fitting(&object, context.cluster) {
            Some(volume) => bind(&object, &volume, context.cluster),
            None => wait(&object, context),
        }
    }
}

/// Whether a claim has its volume.
fn is_bound(claim: &Object) -> bool {
    claim.status().get("phase").str() == "Bound"
}

fn bytes(value: &Value) -> i64 {
    let text = value.as_int().map_or_else(|| value.str().to_owned(), |number| number.to_string());
    Quantity::parse(&text).map_or(0, Quantity::whole)
}

/// The smallest free volume that is enough for a claim.
fn fitting(claim: &Object, cluster: &Cluster) -> Option<Arc<Object>> {
    let spec = claim.spec();
    let wanted = bytes(spec.at(&["resources", "requests", "storage"]));
    let named = spec.get("volumeName").str();
    let fits = |volume: &&Arc<Object>| {
        let own = volume.spec();
        let modes = own.get("accessModes").items();
        let reserved = own.get("claimRef");
        let free = reserved.is_null()
            || (reserved.get("name").str() == claim.name()
                && reserved.get("namespace").str() == claim.namespace()
                && (reserved.get("uid").is_empty() || reserved.get("uid").str() == claim.meta.uid));
        free && !volume.is_terminating()
            && (named.is_empty() || named == volume.name())
            && own.get("storageClassName").str() == spec.get("storageClassName").str()
            && spec.get("accessModes").items().iter().all(|mode| modes.contains(mode))
            && bytes(own.at(&["capacity", "storage"])) >= wanted
    };
    let volumes = cluster.list(Kind::PersistentVolume, None).filter(fits);
    volumes.min_by_key(|volume| bytes(volume.spec().at(&["capacity", "storage"]))).cloned()
}

fn bind(claim: &Object, volume: &Object, cluster: &mut Cluster) {
    let mut document = volume.value.clone();
    document.set_at(
        &["spec", "claimRef"],
        value!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "name": (claim.name().clone()),
            "namespace": (claim.namespace().clone()),
            "resourceVersion": (claim.meta.resource_version.to_string()),
            "uid": (claim.meta.uid.clone())
        }),
    );
    if cluster.update(Actor::PersistentVolume, &volume.key, document).is_err() {
        return; // The volume is gone: its deletion makes the claim dirty again.
    }
    let mut document = claim.value.clone();
    document.set_at(&["spec", "volumeName"], volume.name().clone());
    for annotation in BOUND {
        document.at_mut(&["metadata", "annotations"]).set(annotation, "yes");
    }
    let (modes, capacity) = (volume.spec().get("accessModes").clone(), volume.spec().get("capacity").clone());
    if cluster.update(Actor::PersistentVolume, &claim.key, document).is_ok() {
        let status = value!({ "accessModes": modes, "capacity": capacity, "phase": "Bound" });
        let _written =
            cluster.update_status(Actor::PersistentVolume, &claim.key, value!({ "status": status }));
    }
}

/// The phase of a volume: whether its claim is there.
fn settle(volume: &Object, cluster: &mut Cluster) {
    let claim = volume.spec().get("claimRef");
    let phase = if claim.get("uid").is_empty() {
        "Available"
    } else {
        let found =
            cluster.find(Kind::PersistentVolumeClaim, claim.get("namespace").str(), claim.get("name").str());
        let there = found.is_some_and(|found| found.meta.uid == claim.get("uid").str());
        if there { "Bound" } else { "Released" }
    };
    if volume.status().get("phase").str() != phase {
        let status = value!({ "lastPhaseTransitionTime": (cluster.timestamp()), "phase": phase });
        let _written =
            cluster.update_status(Actor::PersistentVolume, &volume.key, value!({ "status": status }));
    }
}

/// A claim without a volume says what it waits for.
fn wait(claim: &Object, context: &mut Context<'_>) {
    let class = claim.spec().get("storageClassName").str();
    let found = context.cluster.find(Kind::StorageClass, "", class);
    let provisioner = found.map(|class| class.value.get("provisioner").str().to_owned());
    let event = match (class, provisioner) {
        ("", _) => Event::normal(
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set".to_owned(),
        ),
        (class, None) => {
            Event::warning("ProvisioningFailed", format!("storageclass.storage.k8s.io {class:?} not found"))
        }
        (_, Some(provisioner)) => Event::normal(
            "ExternalProvisioning",
            format!(
                "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
            ),
        ),
    };
    context.event(claim, event);
}
