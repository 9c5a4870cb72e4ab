//! Kinds of storage: their few defaults, and their tables.
//!
//! Owns what volumes, claims, their classes and the objects of their drivers show; nothing is bound here.

use super::field::fill;
use super::table::{AGE, NAME, flag, join, or_none, shown, wide};
use super::{Rules, STORED, age, checks};
use crate::api::object::Object;
use crate::api::value::Value;
use crate::value;

/// The annotation that named the class before there was a field for it.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Annotations that make a StorageClass the default.
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
/// The annotation that makes a VolumeAttributesClass the default.
const DEFAULT_ATTRIBUTES: [&str; 1] = ["volumeattributesclass.kubernetes.io/is-default-class"];

fn name(object: &Object) -> String {
    object.key.name.to_string()
}

/// A name, marked where an annotation makes its object the default.
fn default_name(object: &Object, annotations: &[&str]) -> String {
    let default = annotations.iter().any(|key| object.meta.annotation(key) == Some("true"));
    format!("{}{}", object.key.name, if default { " (default)" } else { "" })
}

/// The class of a volume or claim.
fn class(object: &Object) -> String {
    let class = object.meta.annotation(OLD_CLASS).unwrap_or(object.spec().get("storageClassName").str());
    class.to_owned()
}

/// An amount; 0 where there is none.
fn amount(value: &Value) -> String {
    match value {
        Value::Null => "0".to_owned(),
        Value::Int(number) => number.to_string(),
        other => other.str().to_owned(),
    }
}

/// Access modes as tables shorten them.
fn access_modes(modes: &Value) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |mode: &str| modes.items().iter().any(|one| one.str() == mode);
    join(SHORT.into_iter().filter(|(mode, _)| has(mode)).map(|(_, short)| short.to_owned()))
}

/// The rules of PersistentVolumes.
pub(super) const VOLUME: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        let defaults = [
            ("persistentVolumeReclaimPolicy", Value::text("Retain")),
            ("volumeMode", Value::text("Filesystem")),
        ];
        fill(spec, &defaults);
        super::field::within(spec, "hostPath", |path| path.set_default("type", ""));
    },
    prepare_create: |document| document.set("status", value!({ "phase": "Pending" })),
    validate: checks::storage::volume,
    validate_update: checks::storage::volume_change,
    warnings: checks::storage::volume_warnings,
    columns: &[
        NAME,
        shown("Capacity"),
        shown("Access Modes"),
        shown("Reclaim Policy"),
        shown("Status"),
        shown("Claim"),
        shown("StorageClass"),
        shown("VolumeAttributesClass"),
        shown("Reason"),
        AGE,
        wide("VolumeMode"),
    ],
    cells: |object, now| {
        let (spec, status) = (object.spec(), object.status());
        let claim = spec.get("claimRef");
        let claim = match claim.get("name").str() {
            "" => String::new(),
            name => format!("{}/{name}", claim.get("namespace").str()),
        };
        let ends = if object.is_terminating() { "Terminating" } else { status.get("phase").str() };
        vec![
            name(object),
            amount(spec.at(&["capacity", "storage"])),
            access_modes(spec.get("accessModes")),
            spec.get("persistentVolumeReclaimPolicy").str().to_owned(),
            ends.to_owned(),
            claim,
            class(object),
            unset(spec.get("volumeAttributesClassName")),
            status.get("reason").str().to_owned(),
            age(object, now),
            unset(spec.get("volumeMode")),
        ]
    },
    ..STORED
};

/// Text, or `<unset>`.
fn unset(value: &Value) -> String {
    if value.is_empty() { "<unset>" } else { value.str() }.to_owned()
}

/// The rules of PersistentVolumeClaims.
pub(super) const VOLUME_CLAIM: Rules = Rules {
    default: |document| document.field_mut("spec").set_default("volumeMode", "Filesystem"),
    prepare_create: |document| document.set("status", value!({ "phase": "Pending" })),
    validate: checks::storage::claim,
    validate_update: checks::storage::claim_change,
    warnings: checks::storage::claim_warnings,
    columns: &[
        NAME,
        shown("Status"),
        shown("Volume"),
        shown("Capacity"),
        shown("Access Modes"),
        shown("StorageClass"),
        shown("VolumeAttributesClass"),
        AGE,
        wide("VolumeMode"),
    ],
    cells: |object, now| {
        let (spec, status) = (object.spec(), object.status());
        let bound = !spec.get("volumeName").is_empty();
        let capacity = if bound { amount(status.at(&["capacity", "storage"])) } else { String::new() };
        let modes = if bound { access_modes(status.get("accessModes")) } else { String::new() };
        let phase = if object.is_terminating() { "Terminating" } else { status.get("phase").str() };
        vec![
            name(object),
            phase.to_owned(),
            spec.get("volumeName").str().to_owned(),
            capacity,
            modes,
            class(object),
            unset(spec.get("volumeAttributesClassName")),
            age(object, now),
            unset(spec.get("volumeMode")),
        ]
    },
    ..STORED
};

/// The rules of StorageClasses.
pub(super) const STORAGE_CLASS: Rules = Rules {
    validate: checks::storage::storage_class,
    validate_update: checks::storage::storage_class_change,
    default: |document| {
        let defaults =
            [("reclaimPolicy", Value::text("Delete")), ("volumeBindingMode", Value::text("Immediate"))];
        fill(document, &defaults);
    },
    columns: &[
        NAME,
        shown("Provisioner"),
        shown("ReclaimPolicy"),
        shown("VolumeBindingMode"),
        shown("AllowVolumeExpansion"),
        AGE,
    ],
    cells: |object, now| {
        let class = &object.value;
        let said = |field: &str| class.get(field).str().to_owned();
        let expands = flag(class.get("allowVolumeExpansion")).to_ascii_lowercase();
        vec![
            default_name(object, &DEFAULT_CLASS),
            said("provisioner"),
            said("reclaimPolicy"),
            said("volumeBindingMode"),
            expands,
            age(object, now),
        ]
    },
    ..STORED
};

/// The rules of VolumeAttributesClasses.
pub(super) const ATTRIBUTES_CLASS: Rules = Rules {
    columns: &[NAME, shown("DriverName"), AGE],
    cells: |object, now| {
        let driver = object.value.get("driverName").str().to_owned();
        vec![default_name(object, &DEFAULT_ATTRIBUTES), driver, age(object, now)]
    },
    ..STORED
};

/// The rules of CSINodes.
pub(super) const CSI_NODE: Rules = Rules {
    columns: &[NAME, shown("Drivers"), AGE],
    cells: |object, now| {
        let drivers = object.spec().get("drivers").items().len();
        vec![name(object), drivers.to_string(), age(object, now)]
    },
    ..STORED
};

/// The rules of CSIDrivers.
pub(super) const CSI_DRIVER: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        let defaults = [
            ("attachRequired", Value::Bool(true)),
            ("podInfoOnMount", Value::Bool(false)),
            ("storageCapacity", Value::Bool(false)),
            ("requiresRepublish", Value::Bool(false)),
            ("fsGroupPolicy", Value::text("ReadWriteOnceWithFSType")),
            ("seLinuxMount", Value::Bool(false)),
        ];
        fill(spec, &defaults);
        if spec.get("volumeLifecycleModes").is_empty() {
            spec.set("volumeLifecycleModes", value!(["Persistent"]));
        }
    },
    columns: &[
        NAME,
        shown("AttachRequired"),
        shown("PodInfoOnMount"),
        shown("StorageCapacity"),
        shown("TokenRequests"),
        shown("RequiresRepublish"),
        shown("Modes"),
        AGE,
    ],
    cells: |object, now| {
        let spec = object.spec();
        let said = |field: &str| flag(spec.get(field)).to_ascii_lowercase();
        let listed = |field: &str, part: fn(&Value) -> &str| {
            join(spec.get(field).items().iter().map(|one| part(one).to_owned()))
        };
        let requests = match spec.get("tokenRequests") {
            Value::Null => "<unset>".to_owned(),
            _ => listed("tokenRequests", |request| request.get("audience").str()),
        };
        vec![
            name(object),
            said("attachRequired"),
            said("podInfoOnMount"),
            said("storageCapacity"),
            requests,
            said("requiresRepublish"),
            or_none(&listed("volumeLifecycleModes", Value::str)),
            age(object, now),
        ]
    },
    ..STORED
};

/// The rules of CSIStorageCapacities.
pub(super) const CSI_CAPACITY: Rules = Rules {
    columns: &[NAME, shown("StorageClassName"), shown("Capacity")],
    cells: |object, _| {
        let capacity = match object.value.get("capacity") {
            Value::Null => "<unset>".to_owned(),
            capacity => amount(capacity),
        };
        vec![name(object), object.value.get("storageClassName").str().to_owned(), capacity]
    },
    ..STORED
};

/// The rules of VolumeAttachments.
pub(super) const ATTACHMENT: Rules = Rules {
    columns: &[NAME, shown("Attacher"), shown("PV"), shown("Node"), shown("Attached"), AGE],
    cells: |object, now| {
        let spec = object.spec();
        vec![
            name(object),
            spec.get("attacher").str().to_owned(),
            spec.at(&["source", "persistentVolumeName"]).str().to_owned(),
            spec.get("nodeName").str().to_owned(),
            flag(object.status().get("attached")).to_ascii_lowercase(),
            age(object, now),
        ]
    },
    ..STORED
};
