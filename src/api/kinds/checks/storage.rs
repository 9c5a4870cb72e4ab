//! What is checked of volumes, claims and their classes.

use crate::api::json;
use crate::api::kinds::field::{Errors, immutable, label_selector, one_of, one_of_or_none, required, text};
use crate::api::kinds::{metadata, names, pod};
use crate::api::line_diff;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const RECLAIM_POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];
const BINDING_MODES: [&str; 2] = ["Immediate", "WaitForFirstConsumer"];
/// What a volume may be made of, with what each must say.
const SOURCES: [(&str, &[&str]); 22] = [
    ("hostPath", &["path"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("glusterfs", &["endpoints", "path"]),
    ("flocker", &[]),
    ("nfs", &["server", "path"]),
    ("rbd", &["monitors", "image"]),
    ("quobyte", &["registry", "volume"]),
    ("cephfs", &["monitors"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("cinder", &["volumeID"]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("local", &["path"]),
    ("storageos", &[]),
    ("csi", &["driver", "volumeHandle"]),
];
/// The annotation that stood for `storageClassName`.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Checks the ways in which a volume or claim may be used.
fn access(spec: &Value, needed: &str, errors: &mut Errors) {
    const PATH: &str = "spec.accessModes";
    let modes = spec.get("accessModes").items();
    if modes.is_empty() {
        errors.push(FieldError::required(PATH, needed));
    }
    for mode in modes.iter().map(Value::str).filter(|mode| !ACCESS_MODES.contains(mode)) {
        errors.push(FieldError::not_supported(PATH, json::quote(mode), &ACCESS_MODES));
    }
    let alone = |mode: &Value| mode.str() == "ReadWriteOncePod";
    if modes.iter().any(alone) && modes.iter().any(|mode| !alone(mode) && ACCESS_MODES.contains(&mode.str()))
    {
        errors.push(FieldError::forbidden(PATH, "may not use ReadWriteOncePod with other access modes"));
    }
}

/// Checks a size, which is more than nothing.
fn size(size: &Value, path: &str, errors: &mut Errors) {
    let Some(given) = size.as_str() else {
        errors.push(FieldError::required(path, ""));
        return;
    };
    if Quantity::parse(given).is_ok_and(|amount| amount.is_negative() || amount.millis() == 0) {
        errors.push(FieldError::invalid(path, json::quote(given), "must be greater than zero"));
    }
}

fn classes(spec: &Value, errors: &mut Errors) {
    for field in ["storageClassName", "volumeAttributesClassName"] {
        if let Some(class) = spec.get(field).as_str().filter(|class| !class.is_empty()) {
            text(errors, &format!("spec.{field}"), class, names::dns_subdomain);
        }
    }
    one_of_or_none(errors, "spec.volumeMode", spec.get("volumeMode"), &VOLUME_MODES);
}

/// Checks a PersistentVolumeClaim.
pub(in crate::api::kinds) fn claim(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::PersistentVolumeClaim, document);
    claim_spec(document.get("spec"), &mut errors);
    errors
}

fn claim_spec(spec: &Value, errors: &mut Errors) {
    access(spec, "at least 1 access mode is required", errors);
    label_selector(errors, "spec.selector", spec.get("selector"));
    size(spec.at(&["resources", "requests", "storage"]), "spec.resources[storage]", errors);
    classes(spec, errors);
    for field in ["dataSource", "dataSourceRef"] {
        let (source, path) = (spec.get(field), format!("spec.{field}"));
        if source.is_null() {
            continue;
        }
        for part in ["name", "kind"] {
            required(errors, &format!("{path}.{part}"), source.get(part));
        }
        if source.get("apiGroup").is_empty() && source.get("kind").str() != "PersistentVolumeClaim" {
            let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.push(FieldError::invalid(path, json::quote(source.get("kind").str()), why));
        }
    }
}

/// Checks a change of a claim: it only grows, and only when it is bound.
pub(in crate::api::kinds) fn claim_change(document: &Value, before: &Value) -> Errors {
    let mut errors = claim(document);
    let (mut kept, mut old) = (document.get("spec").clone(), before.get("spec").clone());
    if old.get("volumeName").is_empty() && !kept.get("volumeName").is_empty() {
        old.set("volumeName", kept.get("volumeName").clone());
    }
    if old.get("storageClassName").is_null() {
        kept.remove("storageClassName");
    }
    let storage = ["resources", "requests", "storage"];
    let (new_size, old_size) = (kept.at(&storage).clone(), old.at(&storage).clone());
    if document.at(&["status", "phase"]).str() == "Bound" {
        kept.set_at(&storage, old_size.clone());
        if !kept.get("volumeAttributesClassName").is_null() {
            kept.set("volumeAttributesClassName", old.get("volumeAttributesClassName").clone());
        }
    }
    if kept != old {
        let difference = line_diff::unified(&pod::claim_lines(&old), &pod::claim_lines(&kept));
        errors.push(FieldError::forbidden(
            "spec",
            format!(
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                 bound claims\n{difference}"
            ),
        ));
    }
    let parse = |value: &Value| Quantity::parse(value.str()).ok();
    if let (Some(new), Some(old)) = (parse(&new_size), parse(&old_size))
        && new.amount_order(old).is_lt()
    {
        let has = parse(document.at(&["status", "capacity", "storage"]));
        if has.is_none_or(|has| new.amount_order(has).is_le()) {
            let why = "field can not be less than status.capacity";
            errors.push(FieldError::forbidden("spec.resources.requests.storage", why));
        }
    }
    let mode = |document: &Value| document.at(&["spec", "volumeMode"]).clone();
    immutable(&mut errors, "volumeMode", &mode(document), &mode(before));
    errors
}

/// Warns of what a claim should say otherwise.
pub(in crate::api::kinds) fn claim_warnings(document: &Value, _before: Option<&Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    if !document.at(&["metadata", "annotations", OLD_CLASS]).is_null() {
        warnings.push(format!(
            "metadata.annotations[{OLD_CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    let given = document.at(&["spec", "resources", "requests", "storage"]).str();
    if Quantity::parse(given).is_ok_and(|amount| !amount.is_whole()) {
        warnings.push(format!(
            "spec.resources.requests[storage]: fractional byte value {} is invalid, must be an integer",
            json::quote(given)
        ));
    }
    warnings
}

/// Checks a PersistentVolume.
pub(in crate::api::kinds) fn volume(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::PersistentVolume, document);
    let spec = document.get("spec");
    access(spec, "", &mut errors);
    let capacity = spec.get("capacity");
    required(&mut errors, "spec.capacity", capacity);
    let alone = capacity.entries().len() == 1 && !capacity.get("storage").is_null();
    if !alone {
        let shown = json::compact(capacity);
        errors.push(FieldError::not_supported("spec.capacity", shown, &["storage"]));
    }
    for (name, amount) in capacity.entries() {
        size(amount, &format!("spec.capacity[{name}]"), &mut errors);
    }
    let reclaim = spec.get("persistentVolumeReclaimPolicy");
    one_of_or_none(&mut errors, "spec.persistentVolumeReclaimPolicy", reclaim, &RECLAIM_POLICIES);
    let affinity = spec.get("nodeAffinity");
    if !affinity.is_null() {
        match affinity.get("required") {
            Value::Null => {
                let why = "must specify required node constraints";
                errors.push(FieldError::required("spec.nodeAffinity.required", why));
            }
            selector => pod::node_selector(selector, "spec.nodeAffinity.required", &mut errors),
        }
    }
    volume_source(spec, &mut errors);
    classes(spec, &mut errors);
    errors
}

fn volume_source(spec: &Value, errors: &mut Errors) {
    let mut found = false;
    for (kind, needs) in SOURCES.iter().filter(|(kind, _)| !spec.get(kind).is_null()) {
        let path = format!("spec.{kind}");
        if found {
            errors.push(FieldError::forbidden(path, "may not specify more than 1 volume type"));
            continue;
        }
        found = true;
        let source = spec.get(kind);
        for field in *needs {
            required(errors, &format!("{path}.{field}"), source.get(field));
        }
        if *kind == "hostPath" {
            text(errors, &format!("{path}.path"), source.get("path").str(), names::no_backsteps);
        }
        if *kind == "nfs" && !source.get("path").str().starts_with('/') {
            let value = json::quote(source.get("path").str());
            errors.push(FieldError::invalid(format!("{path}.path"), value, "must be an absolute path"));
        }
        if *kind == "local" && spec.get("nodeAffinity").is_null() {
            errors.push(FieldError::required("spec.nodeAffinity", "Local volume requires node affinity"));
        }
    }
    if !found {
        errors.push(FieldError::required("spec", "must specify a volume type"));
    }
    let recycles = spec.get("persistentVolumeReclaimPolicy").str() == "Recycle";
    if recycles && spec.at(&["hostPath", "path"]).str() == "/" {
        let why = "may not be 'recycle' for a hostPath mount of '/'";
        errors.push(FieldError::forbidden("spec.persistentVolumeReclaimPolicy", why));
    }
}

/// Checks a change of a volume: what it is made of stays.
pub(in crate::api::kinds) fn volume_change(document: &Value, before: &Value) -> Errors {
    let mut errors = volume(document);
    let (spec, old) = (document.get("spec"), before.get("spec"));
    if SOURCES.iter().any(|(source, _)| spec.get(source) != old.get(source)) {
        let why = "spec.persistentvolumesource is immutable after creation";
        errors.push(FieldError::forbidden("spec.persistentvolumesource", why));
    }
    immutable(&mut errors, "volumeMode", spec.get("volumeMode"), old.get("volumeMode"));
    if !old.get("nodeAffinity").is_null() {
        immutable(&mut errors, "nodeAffinity", spec.get("nodeAffinity"), old.get("nodeAffinity"));
    }
    errors
}

/// Warns of what a volume should say otherwise.
pub(in crate::api::kinds) fn volume_warnings(document: &Value, _before: Option<&Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    if document.at(&["spec", "persistentVolumeReclaimPolicy"]).str() == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the \
             recommended approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    if !document.at(&["metadata", "annotations", OLD_CLASS]).is_null() {
        warnings.push(format!(
            "metadata.annotations[{OLD_CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    warnings
}

/// Checks a StorageClass.
pub(in crate::api::kinds) fn storage_class(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::StorageClass, document);
    let provisioner = document.get("provisioner").str();
    if provisioner.is_empty() {
        errors.push(FieldError::required("provisioner", ""));
    } else {
        for why in names::label_key(&provisioner.to_lowercase()) {
            errors.push(FieldError::invalid("provisioner", json::quote(provisioner), why));
        }
    }
    for (key, _) in document.get("parameters").entries() {
        if key.is_empty() {
            errors.push(FieldError::invalid("parameters", "\"\"", "field can not be empty."));
        }
    }
    one_of_or_none(&mut errors, "reclaimPolicy", document.get("reclaimPolicy"), &["Delete", "Retain"]);
    one_of(&mut errors, "volumeBindingMode", document.get("volumeBindingMode"), &BINDING_MODES);
    errors
}

/// Checks a change of a StorageClass: it stays what it is.
pub(in crate::api::kinds) fn storage_class_change(document: &Value, before: &Value) -> Errors {
    let mut errors = Vec::new();
    for field in ["parameters", "provisioner"] {
        if document.get(field) != before.get(field) {
            errors.push(FieldError::forbidden(field, format!("updates to {field} are forbidden.")));
        }
    }
    for field in ["reclaimPolicy", "volumeBindingMode"] {
        immutable(&mut errors, field, document.get(field), before.get(field));
    }
    errors.extend(storage_class(document));
    errors
}
