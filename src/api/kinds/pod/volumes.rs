//! What is checked of volumes (`ValidateVolumes`).

use super::environment::{field_reference, resource_reference};
use crate::api::json;
use crate::api::kinds::field::{Errors, required, required_text, text};
use crate::api::kinds::names;
use crate::api::quantity::Quantity;
use crate::api::status::FieldError;
use crate::api::value::Value;

/// Sources of volumes in the order in which the server looks at them, with what each must say.
const SOURCES: [(&str, &[&str]); 30] = [
    ("emptyDir", &[]),
    ("hostPath", &[]),
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("secret", &["secretName"]),
    ("nfs", &["server", "path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("flocker", &[]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["volume"]),
    ("downwardAPI", &[]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("configMap", &["name"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &[]),
    ("projected", &[]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("csi", &["driver"]),
    ("ephemeral", &["volumeClaimTemplate"]),
    ("image", &["reference"]),
];
const PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
/// Fields of a Pod that a file may hold.
const FILE_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
/// The longest time that a token is valid, in seconds.
const LONGEST_TOKEN: i64 = 1 << 32;

/// Checks volumes at `path`; gives those that are fine.
pub(super) fn validate<'a>(volumes: &'a [Value], path: &str, errors: &mut Errors) -> Vec<&'a Value> {
    let mut fine: Vec<&Value> = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let before = errors.len();
        sources(volume, &path, errors);
        let name = volume.get("name");
        required_text(errors, &format!("{path}.name"), name, names::dns_label);
        if fine.iter().any(|other| other.get("name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
        }
        if errors.len() == before {
            fine.push(volume);
        }
    }
    fine
}

fn sources(volume: &Value, path: &str, errors: &mut Errors) {
    let given = SOURCES.iter().filter(|(source, _)| !volume.get(source).is_null());
    let mut found = false;
    for (kind, needs) in given {
        let at = format!("{path}.{kind}");
        if found {
            errors.push(FieldError::forbidden(at, "may not specify more than 1 volume type"));
            continue;
        }
        found = true;
        let source = volume.get(kind);
        for field in *needs {
            required(errors, &format!("{at}.{field}"), source.get(field));
        }
        one(kind, source, &at, errors);
    }
    if !found {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
}

fn one(kind: &str, source: &Value, path: &str, errors: &mut Errors) {
    match kind {
        "emptyDir" => {
            let limit = source.get("sizeLimit").str();
            if Quantity::parse(limit).is_ok_and(Quantity::is_negative) {
                let why = "SizeLimit field must be a valid resource quantity";
                errors.push(FieldError::forbidden(format!("{path}.sizeLimit"), why));
            }
        }
        "hostPath" => host_path(source, path, errors),
        "gitRepo" => {
            let directory = source.get("directory").str();
            text(errors, &format!("{path}.directory"), directory, names::descending_path);
        }
        "nfs" if !source.get("path").str().starts_with('/') => {
            let value = json::quote(source.get("path").str());
            errors.push(FieldError::invalid(format!("{path}.path"), value, "must be an absolute path"));
        }
        "secret" | "configMap" => {
            mode(source.get("defaultMode"), &format!("{path}.defaultMode"), errors);
            keys(source, path, &mut Vec::new(), errors);
        }
        "downwardAPI" => {
            mode(source.get("defaultMode"), &format!("{path}.defaultMode"), errors);
            for file in source.get("items").items() {
                file_of_field(file, path, errors);
            }
        }
        "projected" => projected(source, path, errors),
        _ => {}
    }
}

fn host_path(source: &Value, path: &str, errors: &mut Errors) {
    if source.get("path").is_empty() {
        errors.push(FieldError::required(format!("{path}.path"), ""));
        return;
    }
    text(errors, &format!("{path}.path"), source.get("path").str(), names::no_backsteps);
    let kind = source.get("type");
    crate::api::kinds::field::one_of_or_none(errors, &format!("{path}.type"), kind, &PATH_TYPES);
}

fn mode(mode: &Value, path: &str, errors: &mut Errors) {
    if let Some(number) = mode.as_int().filter(|number| !(0..=0o777).contains(number)) {
        errors.push(FieldError::invalid(path, number.to_string(), MODE));
    }
}

/// Checks which keys become which files; `taken` are the files of other sources. Says whether one is taken.
fn keys<'a>(source: &'a Value, path: &str, taken: &mut Vec<&'a str>, errors: &mut Errors) -> usize {
    let mut conflicts = 0;
    for (index, item) in source.get("items").items().iter().enumerate() {
        let path = format!("{path}.items[{index}]");
        required(errors, &format!("{path}.key"), item.get("key"));
        required(errors, &format!("{path}.path"), item.get("path"));
        let file = item.get("path").str();
        text(errors, &format!("{path}.path"), file, names::volume_path);
        mode(item.get("mode"), &format!("{path}.mode"), errors);
        conflicts += usize::from(!take(file, taken));
    }
    conflicts
}

fn take<'a>(file: &'a str, taken: &mut Vec<&'a str>) -> bool {
    if !file.is_empty() && taken.contains(&file) {
        return false;
    }
    taken.push(file);
    true
}

/// Checks a file that holds a field of the Pod. The server does not say which of the files it means.
fn file_of_field(file: &Value, path: &str, errors: &mut Errors) {
    required(errors, &format!("{path}.path"), file.get("path"));
    text(errors, &format!("{path}.path"), file.get("path").str(), names::volume_path);
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    if !field.is_null() {
        field_reference(field, &FILE_FIELDS, &format!("{path}.fieldRef"), errors);
        if !resource.is_null() {
            let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.push(FieldError::invalid(path, "\"resource\"", why));
        }
    } else if !resource.is_null() {
        resource_reference(resource, true, &format!("{path}.resourceFieldRef"), errors);
    } else {
        errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
    }
    mode(file.get("mode"), &format!("{path}.mode"), errors);
}

/// Checks a volume that is put together from several sources.
fn projected(volume: &Value, path: &str, errors: &mut Errors) {
    mode(volume.get("defaultMode"), &format!("{path}.defaultMode"), errors);
    let mut taken: Vec<&str> = Vec::new();
    for (index, source) in volume.get("sources").items().iter().enumerate() {
        let at = format!("{path}.sources[{index}]");
        let conflict =
            |value: &str| FieldError::invalid(path, json::quote(value), "conflicting duplicate paths");
        let mut kinds = 0;
        for kind in ["secret", "configMap"] {
            let part = source.get(kind);
            if part.is_null() {
                continue;
            }
            kinds += 1;
            required(errors, &format!("{at}.{kind}.name"), part.get("name"));
            let conflicts = keys(part, &format!("{at}.{kind}"), &mut taken, errors);
            errors.extend((0..conflicts).map(|_| conflict(part.get("name").str())));
        }
        if !source.get("downwardAPI").is_null() {
            kinds += 1;
            for file in source.at(&["downwardAPI", "items"]).items() {
                file_of_field(file, &format!("{at}.downwardAPI"), errors);
                if !take(file.get("path").str(), &mut taken) {
                    errors.push(conflict(file.get("path").str()));
                }
            }
        }
        let token = source.get("serviceAccountToken");
        if !token.is_null() {
            kinds += 1;
            account_token(token, path, &format!("{at}.serviceAccountToken"), errors);
        }
        let others = ["clusterTrustBundle", "podCertificate"];
        kinds += others.iter().filter(|kind| !source.get(kind).is_null()).count();
        if kinds > 1 {
            errors.push(FieldError::forbidden(at, "may not specify more than 1 volume type per source"));
        }
    }
}

fn account_token(token: &Value, volume: &str, path: &str, errors: &mut Errors) {
    let seconds = token.get("expirationSeconds").as_int().unwrap_or(0);
    let why = if seconds < 600 {
        "may not specify a duration less than 10 minutes"
    } else if seconds > LONGEST_TOKEN {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        ""
    };
    if !why.is_empty() {
        errors.push(FieldError::invalid(format!("{path}.expirationSeconds"), seconds.to_string(), why));
    }
    match token.get("path").str() {
        "" => errors.push(FieldError::required(format!("{volume}.path"), "")),
        file => text(errors, &format!("{volume}.path"), file, names::volume_path),
    }
}

/// A Pod without an account has no token to mount.
pub(super) fn tokens_without_account(spec: &Value, path: &str, errors: &mut Errors) {
    if !spec.get("serviceAccountName").is_empty() {
        return;
    }
    for (index, volume) in spec.get("volumes").items().iter().enumerate() {
        for (at, source) in volume.at(&["projected", "sources"]).items().iter().enumerate() {
            if !source.get("serviceAccountToken").is_null() {
                let path = format!("{path}.volumes[{index}].projected.sources[{at}].serviceAccountToken");
                let why = "must not be specified when serviceAccountName is not set";
                errors.push(FieldError::forbidden(path, why));
            }
        }
    }
}
