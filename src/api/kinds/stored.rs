//! Kinds that are stored and shown but not simulated: their few defaults, and their tables.
//!
//! Owns one row of rules per kind. Nothing follows from these objects: the cluster only keeps them.

use std::collections::BTreeSet;

use super::field::{Errors, each};
use super::table::{AGE, NAME, containers, count, flag, join, label_pairs, or_none, selector, shown, wide};
use super::{Rules, STORED, age, metadata, storage};
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
        Kind::HorizontalPodAutoscaler => &super::autoscaler::RULES,
        Kind::Ingress => &INGRESS,
        Kind::IngressClass => &INGRESS_CLASS,
        Kind::IPAddress => &IP_ADDRESS,
        Kind::Lease => &LEASE,
        Kind::NetworkPolicy => &NETWORK_POLICY,
        Kind::PersistentVolume => &storage::VOLUME,
        Kind::PersistentVolumeClaim => &storage::VOLUME_CLAIM,
        Kind::PodDisruptionBudget => &DISRUPTION_BUDGET,
        Kind::PriorityClass => &PRIORITY_CLASS,
        Kind::Role | Kind::ClusterRole | Kind::LimitRange => &CREATED_AT,
        Kind::RoleBinding | Kind::ClusterRoleBinding => &ROLE_BINDING,
        Kind::ServiceCIDR => &SERVICE_CIDR,
        Kind::StorageClass => &storage::STORAGE_CLASS,
        Kind::VolumeAttributesClass => &storage::ATTRIBUTES_CLASS,
        Kind::CSINode => &storage::CSI_NODE,
        Kind::CSIDriver => &storage::CSI_DRIVER,
        Kind::CSIStorageCapacity => &storage::CSI_CAPACITY,
        Kind::VolumeAttachment => &storage::ATTACHMENT,
        Kind::PodTemplate => &POD_TEMPLATE,
        Kind::ResourceQuota => &QUOTA,
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
    let rules = spec.get("rules").items();
    let (mut hosts, mut more) = (Vec::new(), false);
    for rule in rules {
        // What comes behind the third host counts, with or without a host of its own.
        more |= hosts.len() == HOSTS;
        if !more && !rule.get("host").is_empty() {
            hosts.push(rule.get("host").str());
        }
    }
    let hosts = match hosts.join(",") {
        none if none.is_empty() => "*".to_owned(),
        shown if more => format!("{shown} + {} more...", rules.len() - HOSTS),
        shown => shown,
    };
    let addresses = object.status().at(&["loadBalancer", "ingress"]).items().iter();
    let addresses: BTreeSet<&str> = addresses
        .map(|entry| match entry.get("ip").str() {
            "" => entry.get("hostname").str(),
            ip => ip,
        })
        .filter(|address| !address.is_empty())
        .collect();
    let ports = if spec.get("tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        or_none(spec.get("ingressClassName").str()),
        hosts,
        Vec::from_iter(addresses).join(","),
        ports.to_owned(),
        age(object, now),
    ]
}

const POD_TEMPLATE: Rules = Rules {
    columns: &[NAME, shown("Containers"), shown("Images"), shown("Pod Labels")],
    cells: |object, _| {
        let template = object.value.get("template");
        let [names, images] = containers(template);
        vec![name(object), names, images, label_pairs(template.at(&["metadata", "labels"]))]
    },
    ..STORED
};

const QUOTA: Rules = Rules {
    columns: &[NAME, shown("Request"), shown("Limit"), AGE],
    cells: |object, now| {
        let status = object.status();
        let side = |limits: bool| {
            let held = status.get("hard").entries();
            let held = held.iter().filter(|(name, _)| name.starts_with("limits.") == limits);
            let texts = held.map(|(name, hard)| {
                let used = text(status.at(&["used", name]));
                let used = if used.is_empty() { "0".to_owned() } else { used };
                format!("{name}: {used}/{}", text(hard))
            });
            texts.collect::<Vec<_>>().join(", ")
        };
        vec![name(object), side(false), side(true), age(object, now)]
    },
    ..STORED
};

const INGRESS_CLASS: Rules = Rules {
    columns: &[NAME, shown("Controller"), shown("Parameters"), AGE],
    cells: |object, now| {
        let spec = object.spec();
        let parameters = spec.get("parameters");
        let parameters = match parameters.get("name").str() {
            "" => String::new(),
            name => {
                let group = parameters.get("apiGroup").as_str();
                let group = group.map_or_else(String::new, |group| format!(".{group}"));
                format!("{}{group}/{name}", parameters.get("kind").str())
            }
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
