//! Kinds that are stored and shown but not simulated: their few defaults, and their tables.
//!
//! Owns one row of rules per kind. Nothing follows from these objects: the cluster only keeps them.

use std::collections::BTreeSet;

use super::field::{Errors, each, nonnegative, within};
use super::table::{AGE, NAME, containers, count, flag, join, label_pairs, or_none, selector, shown, wide};
use super::{Rules, STORED, age, checks, metadata, pod, storage};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::time::Timestamp;
use crate::api::value::Value;
use crate::value;

/// The rules of a kind that is not simulated.
pub(super) fn rules(kind: Kind) -> &'static Rules {
    match kind {
        Kind::ComponentStatus => &COMPONENT_STATUS,
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
        Kind::Role => &ROLE,
        Kind::ClusterRole => &CLUSTER_ROLE,
        Kind::LimitRange => &LIMIT_RANGE,
        Kind::RoleBinding => &ROLE_BINDING,
        Kind::ClusterRoleBinding => &CLUSTER_ROLE_BINDING,
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

const COMPONENT_STATUS: Rules = Rules {
    columns: &[NAME, shown("Status"), shown("Message"), shown("Error")],
    cells: |object, _| {
        let conditions = object.value.get("conditions").items();
        let health = conditions.iter().find(|condition| condition.get("type").str() == "Healthy");
        let said = |field: &str| health.map_or("", |condition| condition.get(field).str()).to_owned();
        let status = match said("status").as_str() {
            "" => "Unknown",
            "True" => "Healthy",
            _ => "Unhealthy",
        };
        vec![name(object), status.to_owned(), said("message"), said("error")]
    },
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
    validate: checks::ingress::new_ingress,
    validate_update: |document, _| checks::ingress::ingress(document),
    warnings: checks::ingress::ingress_warnings,
    columns: &[NAME, shown("Class"), shown("Hosts"), shown("Address"), shown("Ports"), AGE],
    cells: ingress_cells,
    ..STORED
};

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
    default: |document| within(document, "template", |template| within(template, "spec", pod::default_spec)),
    prepare_create: metadata::first_generation,
    validate: validate_pod_template,
    validate_update: |document, _| validate_pod_template(document),
    warnings: |document, _| pod::template_warnings(document.get("template"), "template."),
    columns: &[NAME, shown("Containers"), shown("Images"), shown("Pod Labels")],
    cells: |object, _| {
        let template = object.value.get("template");
        let [names, images] = containers(template);
        vec![name(object), names, images, label_pairs(template.at(&["metadata", "labels"]))]
    },
    ..STORED
};

const QUOTA: Rules = Rules {
    prepare_create: |document| document.set("status", Value::map()),
    validate: checks::policy::quota,
    validate_update: checks::policy::quota_change,
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
    default: |document| {
        within(document.field_mut("spec"), "parameters", |parameters| {
            parameters.set_default("scope", "Cluster")
        });
    },
    prepare_create: metadata::first_generation,
    prepare_update: metadata::count_changes,
    validate: checks::ingress::ingress_class,
    validate_update: checks::ingress::ingress_class_change,
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
    validate: checks::addresses::address,
    validate_update: checks::addresses::address_change,
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
    validate: validate_lease,
    validate_update: |document, _| validate_lease(document),
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
    validate: checks::network_policy::network_policy,
    validate_update: |document, _| checks::network_policy::network_policy(document),
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
    validate: checks::policy::budget,
    validate_update: |document, _| checks::policy::budget(document),
    warnings: checks::policy::budget_warnings,
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
    prepare_create: metadata::first_generation,
    validate: checks::policy::priority_class,
    validate_update: checks::policy::priority_class_change,
    columns: &[NAME, shown("Value"), shown("Global-Default"), AGE, shown("PreemptionPolicy")],
    cells: |object, now| {
        let class = &object.value;
        let global = flag(class.get("globalDefault")).to_ascii_lowercase();
        let policy = class.get("preemptionPolicy").str().to_owned();
        vec![name(object), count(class.get("value")), global, age(object, now), policy]
    },
    ..STORED
};

const ROLE: Rules = Rules {
    validate: |document| checks::access::role(Kind::Role, document),
    validate_update: |document, _| checks::access::role(Kind::Role, document),
    ..CREATED_AT
};

const CLUSTER_ROLE: Rules = Rules {
    validate: |document| checks::access::role(Kind::ClusterRole, document),
    validate_update: |document, _| checks::access::role(Kind::ClusterRole, document),
    ..CREATED_AT
};

const LIMIT_RANGE: Rules = Rules {
    default: |document| each(document.field_mut("spec"), "limits", checks::policy::default_limits),
    validate: checks::policy::limit_range,
    validate_update: |document, _| checks::policy::limit_range(document),
    ..CREATED_AT
};

const CLUSTER_ROLE_BINDING: Rules = Rules {
    validate: |document| checks::access::binding(Kind::ClusterRoleBinding, document),
    validate_update: |document, before| {
        checks::access::binding_change(Kind::ClusterRoleBinding, document, before)
    },
    ..ROLE_BINDING
};

const ROLE_BINDING: Rules = Rules {
    validate: |document| checks::access::binding(Kind::RoleBinding, document),
    validate_update: |document, before| checks::access::binding_change(Kind::RoleBinding, document, before),
    default: |document| {
        each(document, "subjects", default_subject);
        let role = document.field_mut("roleRef");
        if role.get("apiGroup").is_empty() {
            role.set("apiGroup", "rbac.authorization.k8s.io");
        }
    },
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
    validate: checks::addresses::service_range,
    validate_update: checks::addresses::service_range_change,
    columns: &[NAME, shown("CIDRs"), AGE],
    cells: |object, now| {
        let ranges = object.spec().get("cidrs").items().iter().map(|range| range.str().to_owned());
        vec![name(object), join(ranges), age(object, now)]
    },
    ..STORED
};

fn validate_lease(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Lease, document);
    let spec = document.get("spec");
    if let Some(seconds) = spec.get("leaseDurationSeconds").as_int().filter(|seconds| *seconds <= 0) {
        let why = "must be greater than 0";
        errors.push(FieldError::invalid("spec.leaseDurationSeconds", seconds.to_string(), why));
    }
    nonnegative(&mut errors, "spec.leaseTransitions", spec.get("leaseTransitions"));
    errors
}

fn validate_pod_template(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::PodTemplate, document);
    pod::validate_template(document.get("template"), "template", &mut errors);
    errors
}
