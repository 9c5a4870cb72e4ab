//! Describing volumes: of Pods and templates, and of PersistentVolumes.
//!
//! Owns the table of sources with what is shown of each.

use super::claims;
use super::environment::is_optional;
use super::page::{Page, plain};
use crate::api::quantity::Quantity;
use crate::api::value::Value;
use crate::shell::kubectl::columns::go_text;

/// How a field of a source is shown.
#[derive(Clone, Copy)]
enum Shape {
    /// As it is; nothing where it is absent.
    Plain,
    /// `<none>` where it is absent.
    OrNone,
    /// A number; 0 where it is absent.
    Number,
    /// `true` or `false`.
    Flag,
    /// Words with `, ` between.
    Words,
    /// As Go prints a list or map.
    Go,
    /// As Go prints a reference to a Secret.
    Secret,
    /// An amount; `<unset>` for none.
    Limit,
}

use Shape::{Flag, Go, Limit, Number, OrNone, Plain, Secret, Words};

/// A line of a description: its title, the field, and how that is shown.
type Line = (&'static str, &'static str, Shape);

const READ_ONLY: Line = ("ReadOnly", "readOnly", Flag);
const FILE_SYSTEM: Line = ("FSType", "fsType", Plain);
const PARTITION: Line = ("Partition", "partition", Number);

/// Sources with the words for them, in the order in which kubectl looks for them.
const SOURCES: &[(&str, &str, &[Line])] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[("Path", "path", Plain), ("HostPathType", "type", OrNone)],
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[("Medium", "medium", Plain), ("SizeLimit", "sizeLimit", Limit)],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[("PDName", "pdName", Plain), FILE_SYSTEM, PARTITION, READ_ONLY],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[("VolumeID", "volumeID", Plain), FILE_SYSTEM, PARTITION, READ_ONLY],
    ),
    (
        "gitRepo",
        "GitRepo (a volume that is pulled from git when the pod is created)",
        &[("Repository", "repository", Plain), ("Revision", "revision", Plain)],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[("SecretName", "secretName", Plain), ("Optional", "optional", Flag)],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name", "name", Plain), ("Optional", "optional", Flag)],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server", "server", Plain), ("Path", "path", Plain), READ_ONLY],
    ),
    (
        "iscsi",
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        &[
            ("TargetPortal", "targetPortal", Plain),
            ("IQN", "iqn", Plain),
            ("Lun", "lun", Number),
            ("ISCSIInterface", "iscsiInterface", Plain),
            FILE_SYSTEM,
            READ_ONLY,
            ("Portals", "portals", Go),
            ("DiscoveryCHAPAuth", "chapAuthDiscovery", Flag),
            ("SessionCHAPAuth", "chapAuthSession", Flag),
            ("SecretRef", "secretRef", Secret),
            ("InitiatorName", "initiatorName", OrNone),
        ],
    ),
    (
        "glusterfs",
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[("EndpointsName", "endpoints", Plain), ("Path", "path", Plain), READ_ONLY],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName", "claimName", Plain), READ_ONLY],
    ),
    (
        "ephemeral",
        "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
        &[],
    ),
    (
        "rbd",
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        &[
            ("CephMonitors", "monitors", Go),
            ("RBDImage", "image", Plain),
            FILE_SYSTEM,
            ("RBDPool", "pool", Plain),
            ("RadosUser", "user", Plain),
            ("Keyring", "keyring", Plain),
            ("SecretRef", "secretRef", Secret),
            READ_ONLY,
        ],
    ),
    ("downwardAPI", "DownwardAPI (a volume populated by information about the pod)", &[]),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName", "diskName", Plain),
            ("DiskURI", "diskURI", Plain),
            ("Kind", "kind", Plain),
            FILE_SYSTEM,
            ("CachingMode", "cachingMode", Plain),
            READ_ONLY,
        ],
    ),
    (
        "vsphereVolume",
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        &[
            ("VolumePath", "volumePath", Plain),
            FILE_SYSTEM,
            ("StoragePolicyName", "storagePolicyName", Plain),
        ],
    ),
    (
        "cinder",
        "Cinder (a Persistent Disk resource in OpenStack)",
        &[("VolumeID", "volumeID", Plain), FILE_SYSTEM, READ_ONLY, ("SecretRef", "secretRef", Secret)],
    ),
    ("portworxVolume", "PortworxVolume (a Portworx Volume resource)", &[("VolumeID", "volumeID", Plain)]),
    (
        "local",
        "LocalVolume (a persistent volume backed by local storage on a node)",
        &[("Path", "path", Plain)],
    ),
    (
        "cephfs",
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[
            ("Monitors", "monitors", Go),
            ("Path", "path", Plain),
            ("User", "user", Plain),
            ("SecretFile", "secretFile", Plain),
            ("SecretRef", "secretRef", Secret),
            READ_ONLY,
        ],
    ),
    (
        "fc",
        "FC (a Fibre Channel disk)",
        &[("TargetWWNs", "targetWWNs", Words), ("LUN", "lun", OrNone), FILE_SYSTEM, READ_ONLY],
    ),
    (
        "azureFile",
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[("SecretName", "secretName", Plain), ("ShareName", "shareName", Plain), READ_ONLY],
    ),
    (
        "flexVolume",
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        &[
            ("Driver", "driver", Plain),
            FILE_SYSTEM,
            ("SecretRef", "secretRef", Secret),
            READ_ONLY,
            ("Options", "options", Go),
        ],
    ),
    ("projected", "Projected (a volume that contains injected data from multiple sources)", &[]),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver", "driver", Plain), FILE_SYSTEM, READ_ONLY],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[("Reference", "reference", Plain), ("PullPolicy", "pullPolicy", Plain)],
    ),
];

/// What a PersistentVolume of a driver shows besides: the handle stands before `ReadOnly`.
const PERSISTENT_CSI: &[Line] =
    &[("Driver", "driver", Plain), FILE_SYSTEM, ("VolumeHandle", "volumeHandle", Plain), READ_ONLY];

/// Writes the volumes of a Pod or template.
pub fn volumes(volumes: &Value, space: &str, page: &mut Page) {
    if volumes.items().is_empty() {
        page.line(0, &format!("{space}Volumes:\t<none>"));
        return;
    }
    page.line(0, &format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        page.line(1, &format!("{indent}{}:", volume.get("name").str()));
        source(volume, false, page);
    }
}

/// Writes where a volume comes from. `persistent`: whether it is a PersistentVolume.
pub fn source(volume: &Value, persistent: bool, page: &mut Page) {
    let found = SOURCES.iter().find(|(field, ..)| !volume.get(field).is_null());
    let Some((field, words, lines)) = found else {
        return page.line(1, "<unknown>");
    };
    let source = volume.get(field);
    page.line(2, &format!("Type:\t{words}"));
    let lines = if persistent && *field == "csi" { PERSISTENT_CSI } else { lines };
    for (title, field, shape) in lines {
        page.line(2, &format!("{title}:\t{}", shown(source.get(field), *shape)));
    }
    match *field {
        "ephemeral" => claims::ephemeral(source.get("volumeClaimTemplate"), page),
        "downwardAPI" => downward(source, page),
        "projected" => source.get("sources").items().iter().for_each(|part| projected(part, page)),
        "csi" => page.labels(2, "VolumeAttributes", source.get("volumeAttributes")),
        _ => {}
    }
}

fn shown(value: &Value, shape: Shape) -> String {
    match shape {
        Plain => plain(value),
        OrNone if value.is_null() => "<none>".to_owned(),
        OrNone => plain(value),
        Number => value.as_int().unwrap_or(0).to_string(),
        Flag => value.as_bool().unwrap_or(false).to_string(),
        Words => value.items().iter().map(Value::str).collect::<Vec<_>>().join(", "),
        Go if value.is_null() => "[]".to_owned(),
        Go => go_text(value),
        Secret if value.is_null() => "nil".to_owned(),
        Secret => format!("&LocalObjectReference{{Name:{},}}", value.get("name").str()),
        Limit => {
            let limit = plain(value);
            let some = Quantity::parse(&limit).is_ok_and(|limit| limit.whole() > 0);
            if some { limit } else { "<unset>".to_owned() }
        }
    }
}

fn downward(source: &Value, page: &mut Page) {
    page.line(2, "Items:");
    for item in source.get("items").items() {
        for reference in [item.at(&["fieldRef", "fieldPath"]), item.at(&["resourceFieldRef", "resource"])] {
            if !reference.is_null() {
                page.line(3, &format!("{} -> {}", reference.str(), item.get("path").str()));
            }
        }
    }
}

fn projected(source: &Value, page: &mut Page) {
    if let secret @ Value::Map(_) = source.get("secret") {
        page.line(2, &format!("SecretName:\t{}", secret.get("name").str()));
        page.line(2, &format!("Optional:\t{}", is_optional(secret)));
    } else if !source.get("downwardAPI").is_null() {
        page.line(2, "DownwardAPI:\ttrue");
    } else if let map @ Value::Map(_) = source.get("configMap") {
        page.line(2, &format!("ConfigMapName:\t{}", map.get("name").str()));
        page.line(2, &format!("Optional:\t{}", is_optional(map)));
    } else if let token @ Value::Map(_) = source.get("serviceAccountToken") {
        page.line(2, &format!("TokenExpirationSeconds:\t{}", plain(token.get("expirationSeconds"))));
    }
}

/// Writes a PersistentVolume.
pub fn persistent_volume(about: &super::About<'_>, page: &mut Page) {
    let object = about.object;
    let (spec, status) = (object.spec(), object.status());
    page.line(0, &format!("Name:\t{}", object.name()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    page.line(0, &format!("Finalizers:\t{}", claims::finalizers(object)));
    page.line(0, &format!("StorageClass:\t{}", claims::storage_class(&object.value)));
    page.line(0, &format!("Status:\t{}", about.phase()));
    let claim = spec.get("claimRef");
    let claim = match claim.get("name").str() {
        "" => String::new(),
        name => format!("{}/{name}", claim.get("namespace").str()),
    };
    page.line(0, &format!("Claim:\t{claim}"));
    page.line(0, &format!("Reclaim Policy:\t{}", spec.get("persistentVolumeReclaimPolicy").str()));
    page.line(0, &format!("Access Modes:\t{}", claims::short(spec.get("accessModes"))));
    if !spec.get("volumeMode").is_null() {
        page.line(0, &format!("VolumeMode:\t{}", spec.get("volumeMode").str()));
    }
    page.line(0, &format!("Capacity:\t{}", claims::amount(spec.at(&["capacity", "storage"]))));
    node_affinity(spec.at(&["nodeAffinity", "required"]), page);
    page.line(0, &format!("Message:\t{}", status.get("message").str()));
    page.line(0, "Source:");
    source(spec, true, page);
    about.events(page);
}

fn node_affinity(required: &Value, page: &mut Page) {
    if required.is_null() {
        return page.line(0, "Node Affinity:\t<none>");
    }
    page.line(0, "Node Affinity:\t");
    let terms = required.get("nodeSelectorTerms").items();
    page.line(1, &format!("Required Terms:\t{}", if terms.is_empty() { "<none>" } else { "" }));
    for (index, term) in terms.iter().enumerate() {
        let wanted = term.get("matchExpressions").items().iter().map(|one| {
            let values = one.get("values").items();
            let list = values.iter().map(Value::str).collect::<Vec<_>>().join(", ");
            let list = if list.is_empty() { String::new() } else { format!(" [{list}]") };
            format!("{} {}{list}", one.get("key").str(), one.get("operator").str().to_lowercase())
        });
        page.list(2, &format!("Term {index}"), &wanted.collect::<Vec<_>>());
    }
}
