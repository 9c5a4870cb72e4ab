//! Kinds that are stored and shown but not simulated: their few defaults, and their tables.
//!
//! Owns one row of rules per kind. Nothing follows from these objects: the cluster only keeps them.

use super::field::{Errors, each, fill};
use super::table::{AGE, NAME, count, flag, join, or_none, selector, shown, wide};
use super::{Rules, STORED, age, metadata};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// The rules of a kind that is not simulated.
pub(super) fn rules(kind: Kind) -> &'static Rules {
    match kind {
        Kind::ControllerRevision => &CONTROLLER_REVISION,
        Kind::HorizontalPodAutoscaler => &AUTOSCALER,
        Kind::Ingress => &INGRESS,
        Kind::IngressClass => &INGRESS_CLASS,
        Kind::IPAddress => &IP_ADDRESS,
        Kind::Lease => &LEASE,
        Kind::NetworkPolicy => &NETWORK_POLICY,
        Kind::PersistentVolume => &VOLUME,
        Kind::PersistentVolumeClaim => &VOLUME_CLAIM,
        Kind::PodDisruptionBudget => &DISRUPTION_BUDGET,
        Kind::PriorityClass => &PRIORITY_CLASS,
        Kind::Role | Kind::ClusterRole | Kind::LimitRange => &CREATED_AT,
        Kind::RoleBinding | Kind::ClusterRoleBinding => &ROLE_BINDING,
        Kind::ServiceCIDR => &SERVICE_CIDR,
        Kind::StorageClass => &STORAGE_CLASS,
        _ => &STORED,
    }
}

fn name(object: &Object) -> String {
    object.key.name.to_string()
}

fn text(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        other => other.str().to_owned(),
    }
}

const CREATED_AT: Rules = Rules {
    columns: &[NAME, shown("Created At")],
    cells: |object, _| vec![name(object), object.meta.created.to_string()],
    ..STORED
};

const CONTROLLER_REVISION: Rules = Rules {
    columns: &[NAME, shown("Controller"), shown("Revision"), AGE],
    cells: |object, now| {
        let owner = object.controller().map(|owner| {
            let kind = owner.kind.to_ascii_lowercase();
            format!("{kind}.apps/{}", owner.name)
        });
        let revision = count(object.value.get("revision"));
        vec![name(object), or_none(&owner.unwrap_or_default()), revision, age(object, now)]
    },
    ..STORED
};

const AUTOSCALER: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        spec.set_default("minReplicas", 1);
        if spec.get("metrics").is_empty() {
            let target = value!({ "type": "Utilization", "averageUtilization": CPU_PERCENT });
            let resource = value!({ "name": "cpu", "target": target });
            spec.set("metrics", value!([{ "type": "Resource", "resource": resource }]));
        }
    },
    prepare_create: |document| {
        document.set("status", value!({ "currentMetrics": null, "desiredReplicas": 0 }))
    },
    validate: validate_autoscaler,
    validate_update: |document, _| validate_autoscaler(document),
    columns: &[
        NAME,
        shown("Reference"),
        shown("Targets"),
        shown("MinPods"),
        shown("MaxPods"),
        shown("Replicas"),
        AGE,
    ],
    cells: |object, now| {
        let spec = object.spec();
        let target = spec.get("scaleTargetRef");
        let metrics = spec.get("metrics").items().iter().map(|metric| {
            let resource = metric.get("resource");
            let wanted = resource.at(&["target", "averageUtilization"]).as_int();
            let wanted = wanted.map_or_else(|| "<auto>".to_owned(), |percent| format!("{percent}%"));
            format!("{}: <unknown>/{wanted}", resource.get("name").str())
        });
        let targets: Vec<String> = metrics.collect();
        vec![
            name(object),
            format!("{}/{}", target.get("kind").str(), target.get("name").str()),
            if targets.is_empty() { "<none>".to_owned() } else { targets.join(", ") },
            count(spec.get("minReplicas")),
            count(spec.get("maxReplicas")),
            count(object.status().get("currentReplicas")),
            age(object, now),
        ]
    },
    ..STORED
};

/// The load at which a HorizontalPodAutoscaler scales if nothing is said.
const CPU_PERCENT: i64 = 80;

fn validate_autoscaler(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::HorizontalPodAutoscaler, document);
    let spec = document.get("spec");
    let (least, most) = (spec.get("minReplicas").as_int(), spec.get("maxReplicas").as_int().unwrap_or(0));
    if let Some(least) = least.filter(|least| *least < 1) {
        let why = "must be greater than or equal to 1";
        errors.push(FieldError::invalid("spec.minReplicas", least.to_string(), why));
    }
    if most < 1 {
        errors.push(FieldError::invalid("spec.maxReplicas", most.to_string(), "must be greater than 0"));
    }
    if least.is_some_and(|least| most < least) {
        let why = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", most.to_string(), why));
    }
    for field in ["kind", "name"] {
        if spec.at(&["scaleTargetRef", field]).is_empty() {
            errors.push(FieldError::required(format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
    errors
}

const INGRESS: Rules = Rules {
    prepare_create: |document| {
        metadata::first_generation(document);
        document.set("status", value!({ "loadBalancer": {} }));
    },
    prepare_update: metadata::count_changes,
    validate: validate_ingress,
    validate_update: |document, _| validate_ingress(document),
    columns: &[NAME, shown("Class"), shown("Hosts"), shown("Address"), shown("Ports"), AGE],
    cells: ingress_cells,
    ..STORED
};

fn validate_ingress(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Ingress, document);
    let spec = document.get("spec");
    if spec.get("rules").is_empty() && spec.get("defaultBackend").is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid("spec", crate::api::json::compact(spec), why));
    }
    for (index, rule) in spec.get("rules").items().iter().enumerate() {
        for (at, path) in rule.at(&["http", "paths"]).items().iter().enumerate() {
            let field = format!("spec.rules[{index}].http.paths[{at}].pathType");
            if path.get("pathType").is_empty() {
                errors.push(FieldError::required(field, "pathType must be specified"));
            } else {
                let types = ["Exact", "ImplementationSpecific", "Prefix"];
                super::field::one_of(&mut errors, &field, path.get("pathType"), &types);
            }
        }
    }
    errors
}

fn ingress_cells(object: &Object, now: Timestamp) -> Vec<String> {
    const HOSTS: usize = 3;
    let spec = object.spec();
    let hosts: Vec<&str> = spec
        .get("rules")
        .items()
        .iter()
        .map(|rule| rule.get("host").str())
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = match hosts.len() {
        0 => "*".to_owned(),
        count if count > HOSTS => format!("{} + {} more...", hosts[..HOSTS].join(","), count - HOSTS),
        _ => hosts.join(","),
    };
    let addresses = object.status().at(&["loadBalancer", "ingress"]).items().iter().map(|entry| {
        let ip = entry.get("ip").str();
        if ip.is_empty() { entry.get("hostname").str().to_owned() } else { ip.to_owned() }
    });
    let ports = if spec.get("tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        or_none(spec.get("ingressClassName").str()),
        hosts,
        join(addresses),
        ports.to_owned(),
        age(object, now),
    ]
}

const INGRESS_CLASS: Rules = Rules {
    columns: &[NAME, shown("Controller"), shown("Parameters"), AGE],
    cells: |object, now| {
        let spec = object.spec();
        let parameters = spec.get("parameters");
        let parameters = match parameters.get("name").str() {
            "" => String::new(),
            name => format!("{}.{}/{name}", parameters.get("kind").str(), parameters.get("apiGroup").str()),
        };
        vec![name(object), spec.get("controller").str().to_owned(), or_none(&parameters), age(object, now)]
    },
    ..STORED
};

const IP_ADDRESS: Rules = Rules {
    columns: &[NAME, shown("ParentRef")],
    cells: |object, _| {
        let parent = object.spec().get("parentRef");
        let parts = ["group", "resource", "namespace", "name"].map(|field| parent.get(field).str());
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        vec![name(object), parts.join("/")]
    },
    ..STORED
};

const LEASE: Rules = Rules {
    columns: &[NAME, shown("Holder"), AGE],
    cells: |object, now| {
        vec![name(object), object.spec().get("holderIdentity").str().to_owned(), age(object, now)]
    },
    ..STORED
};

const NETWORK_POLICY: Rules = Rules {
    default: |document| {
        let spec = document.field_mut("spec");
        if spec.get("policyTypes").is_empty() {
            let mut types = vec![Value::text("Ingress")];
            if !spec.get("egress").is_empty() {
                types.push(Value::text("Egress"));
            }
            spec.set("policyTypes", types);
        }
        for list in ["ingress", "egress"] {
            each(spec, list, |rule| each(rule, "ports", |port| port.set_default("protocol", "TCP")));
        }
    },
    prepare_create: metadata::first_generation,
    prepare_update: metadata::count_changes,
    columns: &[NAME, shown("Pod-Selector"), AGE],
    cells: |object, now| vec![name(object), selector(object.spec().get("podSelector")), age(object, now)],
    ..STORED
};

const DISRUPTION_BUDGET: Rules = Rules {
    prepare_create: |document| {
        metadata::first_generation(document);
        let status = value!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0
        });
        document.set("status", status);
    },
    prepare_update: metadata::count_changes,
    columns: &[NAME, shown("Min Available"), shown("Max Unavailable"), shown("Allowed Disruptions"), AGE],
    cells: |object, now| {
        let limit = |field: &str| match object.spec().get(field) {
            value if value.is_null() => "N/A".to_owned(),
            value => text(value),
        };
        let allowed = count(object.status().get("disruptionsAllowed"));
        vec![name(object), limit("minAvailable"), limit("maxUnavailable"), allowed, age(object, now)]
    },
    ..STORED
};

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

const VOLUME: Rules = Rules {
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
            text(spec.at(&["capacity", "storage"])),
            access_modes(spec.get("accessModes")),
            spec.get("persistentVolumeReclaimPolicy").str().to_owned(),
            ends.to_owned(),
            claim,
            spec.get("storageClassName").str().to_owned(),
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

const VOLUME_CLAIM: Rules = Rules {
    default: |document| document.field_mut("spec").set_default("volumeMode", "Filesystem"),
    prepare_create: |document| document.set("status", value!({ "phase": "Pending" })),
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
        let phase = if object.is_terminating() { "Terminating" } else { status.get("phase").str() };
        vec![
            name(object),
            phase.to_owned(),
            spec.get("volumeName").str().to_owned(),
            text(status.at(&["capacity", "storage"])),
            access_modes(status.get("accessModes")),
            spec.get("storageClassName").str().to_owned(),
            unset(spec.get("volumeAttributesClassName")),
            age(object, now),
            unset(spec.get("volumeMode")),
        ]
    },
    ..STORED
};

const PRIORITY_CLASS: Rules = Rules {
    default: |document| document.set_default("preemptionPolicy", "PreemptLowerPriority"),
    columns: &[NAME, shown("Value"), shown("Global-Default"), AGE, shown("PreemptionPolicy")],
    cells: |object, now| {
        let class = &object.value;
        let global = flag(class.get("globalDefault")).to_ascii_lowercase();
        let policy = class.get("preemptionPolicy").str().to_owned();
        vec![name(object), count(class.get("value")), global, age(object, now), policy]
    },
    ..STORED
};

const ROLE_BINDING: Rules = Rules {
    default: |document| each(document, "subjects", default_subject),
    columns: &[NAME, shown("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")],
    cells: |object, now| {
        let role = object.value.get("roleRef");
        let subjects = |kind: &str| {
            let subjects = object.value.get("subjects").items().iter();
            let named = subjects.filter(|subject| subject.get("kind").str() == kind).map(|subject| {
                match subject.get("namespace").str() {
                    "" => subject.get("name").str().to_owned(),
                    namespace => format!("{namespace}/{}", subject.get("name").str()),
                }
            });
            named.collect::<Vec<_>>().join(", ")
        };
        vec![
            name(object),
            format!("{}/{}", role.get("kind").str(), role.get("name").str()),
            age(object, now),
            subjects("User"),
            subjects("Group"),
            subjects("ServiceAccount"),
        ]
    },
    ..STORED
};

fn default_subject(subject: &mut Value) {
    if subject.get("kind").str() != "ServiceAccount" {
        subject.set_default("apiGroup", "rbac.authorization.k8s.io");
    }
}

const SERVICE_CIDR: Rules = Rules {
    columns: &[NAME, shown("CIDRs"), AGE],
    cells: |object, now| {
        let ranges = object.spec().get("cidrs").items().iter().map(|range| range.str().to_owned());
        vec![name(object), join(ranges), age(object, now)]
    },
    ..STORED
};

const STORAGE_CLASS: Rules = Rules {
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
            name(object),
            said("provisioner"),
            said("reclaimPolicy"),
            said("volumeBindingMode"),
            expands,
            age(object, now),
        ]
    },
    ..STORED
};
