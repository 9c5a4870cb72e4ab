//! Refusals of the API server: what its `Status` means, and what would be accepted.
//!
//! Owns [`RefusalCause`]. The server's message is a fact and is shown as it is; this file finds what the person
//! probably wanted.

use super::finding::{Cause, Finding, Fix, Severity, in_namespace, named};
use super::near;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::status::{FieldError, FieldErrorKind, Reason, Status};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;

/// What can be the matter with a refused request.
#[derive(Clone, Debug, PartialEq)]
pub enum RefusalCause {
    /// A Service keeps its cluster address for life.
    ClusterIpImmutable,
    /// A workload keeps its selector for life.
    SelectorImmutable,
    /// The labels of the template do not match the selector.
    TemplateMismatch {
        /// The selector.
        selector: Vec<(SmolStr, SmolStr)>,
        /// The template's labels.
        labels: Vec<(SmolStr, SmolStr)>,
    },
    /// A node port outside the range.
    NodePortRange {
        /// The port.
        asked: String,
        /// The range.
        range: (u16, u16),
    },
    /// A node port that somebody has.
    NodePortTaken {
        /// The port.
        asked: String,
        /// Who has it.
        by: Option<Key>,
    },
    /// Several ports, and one has no name.
    PortNameMissing {
        /// Its place in the list.
        index: usize,
    },
    /// A cluster address that somebody has.
    AddressTaken {
        /// The address.
        asked: String,
        /// Who has it.
        by: Option<Key>,
    },
    /// A cluster address outside the Service network.
    AddressRange {
        /// The address.
        asked: String,
        /// The Service networks.
        ranges: Vec<String>,
    },
    /// A field that the kind does not have.
    UnknownField {
        /// Its path.
        path: String,
        /// The field that is probably meant.
        meant: Option<String>,
    },
    /// A word outside an enumeration.
    NotSupported {
        /// The field.
        field: String,
        /// The word as shown in the message.
        value: String,
        /// The word that is probably meant.
        meant: Option<String>,
    },
    /// A name that breaks the rules.
    BadName {
        /// The name.
        name: String,
        /// A name that is like it and would do.
        instead: Option<String>,
    },
    /// A required field is missing.
    Missing {
        /// The field.
        field: String,
    },
    /// The object does not exist.
    NotFound {
        /// One whose name looks alike.
        nearest: Option<Key>,
        /// One of the same name in another namespace.
        elsewhere: Option<Key>,
    },
    /// The namespace does not exist.
    NoSuchNamespace {
        /// The namespace.
        namespace: SmolStr,
    },
    /// An object of that name exists already.
    Exists,
    /// Something else: the server's own words must do.
    Other {
        /// The field, or empty.
        field: String,
        /// The message.
        message: String,
    },
}

/// What a refusal means; one finding per error of the server.
#[must_use]
pub fn refusal(cluster: &Cluster, key: &Key, status: &Status, document: Option<&Value>) -> Vec<Finding> {
    let finding =
        |cause, field: &str| Finding::new(key, Severity::Problem, Cause::Refusal(cause)).at(field.to_owned());
    match status.reason {
        Reason::NotFound => vec![not_found(cluster, key, status)],
        Reason::AlreadyExists => {
            let found = finding(RefusalCause::Exists, "metadata.name");
            vec![found.command(format!("kubectl get {} -o yaml", named(key)))]
        }
        _ if !status.causes.is_empty() => {
            status.causes.iter().map(|error| broken_rule(cluster, key, error, document)).collect()
        }
        _ => {
            let unknown = unknown_fields(key, &status.message);
            if unknown.is_empty() {
                let message = status.message.clone();
                return vec![finding(RefusalCause::Other { field: String::new(), message }, "")];
            }
            unknown
        }
    }
}

fn not_found(cluster: &Cluster, key: &Key, status: &Status) -> Finding {
    let namespaced = key.kind.info().namespaced;
    let finding = |cause| Finding::new(key, Severity::Problem, Cause::Refusal(cause));
    let missing = namespaced && cluster.find(Kind::Namespace, "", &key.namespace).is_none();
    if missing && (status.kind.as_str() == "namespaces" || key.namespace == status.name) {
        let namespace = key.namespace.clone();
        let command = format!("kubectl create namespace {namespace}");
        return finding(RefusalCause::NoSuchNamespace { namespace })
            .at("metadata.namespace")
            .command(command);
    }
    let space = Some(key.namespace.as_str()).filter(|_| namespaced);
    let names = cluster.list(key.kind, space).map(|object| object.name().as_str());
    let nearest = near::nearest(&key.name, names).map(|name| Key::new(key.kind, key.namespace.clone(), name));
    let same = |object: &&std::sync::Arc<crate::api::object::Object>| *object.name() == key.name;
    let elsewhere = cluster.list(key.kind, None).find(same).map(|object| object.key.clone());
    let better = elsewhere.as_ref().or(nearest.as_ref()).map(|key| format!("kubectl get {}", named(key)));
    let list = format!("kubectl get {}{}", key.kind.info().plural, in_namespace(key));
    finding(RefusalCause::NotFound { nearest, elsewhere }).command(better.unwrap_or(list))
}

/// `unknown field "spec.prots"`, as often as the message has it.
fn unknown_fields(key: &Key, message: &str) -> Vec<Finding> {
    let paths = message.split("unknown field \"").skip(1).filter_map(|rest| rest.split('"').next());
    let finding = |path: &str| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let meant = meant_field(key.kind, parent, name).map(|name| match parent {
            "" => name.to_string(),
            parent => format!("{parent}.{name}"),
        });
        let cause = RefusalCause::UnknownField { path: path.to_owned(), meant: meant.clone() };
        let mut finding = Finding::new(key, Severity::Problem, Cause::Refusal(cause)).at(path);
        if let Some(meant) = meant {
            finding.fixes.push(Fix::Edit {
                key: key.clone(),
                field: path.to_owned(),
                value: format!("{meant}: …"),
            });
        }
        finding
    };
    paths.map(finding).collect()
}

/// The field of a kind that is probably meant by a wrong name: another case of letters, or a slip.
fn meant_field(kind: Kind, parent: &str, name: &str) -> Option<SmolStr> {
    let root = schema().kind(kind.info().api_version, kind.info().name)?;
    let id = if parent.is_empty() { root } else { schema().field_at(root, parent)?.shape.innermost()? };
    let fields = || schema().get(id).fields.iter().map(|field| field.name.as_str());
    let same = fields().find(|field| field.eq_ignore_ascii_case(name));
    same.or_else(|| near::nearest(name, fields())).map(SmolStr::new)
}

fn broken_rule(cluster: &Cluster, key: &Key, error: &FieldError, document: Option<&Value>) -> Finding {
    let cause = classify(cluster, key, error, document);
    let field = error.field.clone();
    let finding = Finding::new(key, Severity::Problem, Cause::Refusal(cause.clone())).at(field.clone());
    let delete = |what: &str| format!("kubectl delete {what} {}{}", key.name, in_namespace(key));
    match cause {
        RefusalCause::ClusterIpImmutable => {
            let kept = cluster.get(key).and_then(|object| object.as_service()?.cluster_ip());
            let finding = match kept {
                Some(address) => finding.edit("spec.clusterIP", address.to_string()),
                None => finding,
            };
            finding.command(delete("svc"))
        }
        RefusalCause::SelectorImmutable => finding.command(delete(key.kind.info().singular)),
        RefusalCause::TemplateMismatch { selector, .. } => {
            let pairs: Vec<String> = selector.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            finding.edit(field, format!("{{ {} }}", pairs.join(", ")))
        }
        RefusalCause::NodePortRange { range: (first, _), .. } => {
            let free = (first..).find(|port| owner_of_node_port(cluster, *port).is_none());
            finding.edit(field, free.unwrap_or(first).to_string())
        }
        RefusalCause::NodePortTaken { ref asked, .. } => {
            let from = asked.parse().unwrap_or(cluster.allocators().node_ports.first);
            let last = cluster.allocators().node_ports.last;
            let free = (from..=last).find(|port| owner_of_node_port(cluster, *port).is_none());
            match free {
                Some(free) => finding.edit(field, free.to_string()),
                None => finding,
            }
        }
        RefusalCause::PortNameMissing { index } => {
            let port = document.map(|document| document.at(&["spec", "ports"]).items()).unwrap_or_default();
            let number = port.get(index).and_then(|port| port.get("port").as_int()).unwrap_or(0);
            finding.edit(field, port_name(number, index))
        }
        RefusalCause::NotSupported { meant: Some(meant), .. } => finding.edit(field, meant),
        RefusalCause::BadName { instead: Some(instead), .. } => finding.edit(field, instead),
        _ => finding,
    }
}

/// The name that people give to a port of this number.
fn port_name(number: i64, index: usize) -> String {
    match number {
        80 | 8080 => "http".to_owned(),
        443 | 8443 => "https".to_owned(),
        53 => "dns".to_owned(),
        _ => format!("port-{}", index + 1),
    }
}

fn owner_of_node_port(cluster: &Cluster, port: u16) -> Option<Key> {
    let has = |object: &&std::sync::Arc<crate::api::object::Object>| {
        object.as_service().is_some_and(|service| service.ports.iter().any(|one| one.node_port == port))
    };
    cluster.list(Kind::Service, None).find(has).map(|object| object.key.clone())
}

fn classify(cluster: &Cluster, key: &Key, error: &FieldError, document: Option<&Value>) -> RefusalCause {
    let (field, detail) = (error.field.as_str(), error.detail.as_str());
    let value = error.value.trim_matches('"').to_owned();
    let allocators = cluster.allocators();
    if field.starts_with("spec.clusterIP") {
        // The message names the address in a list: `["10.96.0.1"]`.
        let asked = value.trim_matches(['[', ']', '"']).to_owned();
        if detail.contains("may not change once set") {
            return RefusalCause::ClusterIpImmutable;
        }
        if detail.contains("already allocated") {
            let has = |object: &&std::sync::Arc<crate::api::object::Object>| {
                let service = object.as_service();
                service.is_some_and(|one| one.cluster_ips.iter().any(|ip| ip.to_string() == asked))
            };
            let by = cluster.list(Kind::Service, None).find(has).map(|object| object.key.clone());
            return RefusalCause::AddressTaken { asked, by };
        }
        if detail.contains("does not match the current range") {
            let ranges = allocators.services.iter().map(|range| range.network.to_string()).collect();
            return RefusalCause::AddressRange { asked, ranges };
        }
    }
    if field.ends_with(".nodePort") {
        if detail.contains("not in the valid range") {
            let range = (allocators.node_ports.first, allocators.node_ports.last);
            return RefusalCause::NodePortRange { asked: value, range };
        }
        if detail.contains("already allocated") {
            let by = value.parse().ok().and_then(|port| owner_of_node_port(cluster, port));
            return RefusalCause::NodePortTaken { asked: value, by };
        }
    }
    if field == "spec.selector" && detail.contains("immutable") {
        return RefusalCause::SelectorImmutable;
    }
    if field == "spec.template.metadata.labels"
        && let Some(document) = document
    {
        let selector = near::pairs(document.at(&["spec", "selector", "matchLabels"]));
        let labels = near::pairs(document.at(&["spec", "template", "metadata", "labels"]));
        return RefusalCause::TemplateMismatch { selector, labels };
    }
    if error.kind == FieldErrorKind::Required {
        let index = field.strip_prefix("spec.ports[").and_then(|rest| rest.strip_suffix("].name"));
        return match index.and_then(|index| index.parse().ok()) {
            Some(index) if key.kind == Kind::Service => RefusalCause::PortNameMissing { index },
            _ => RefusalCause::Missing { field: field.to_owned() },
        };
    }
    if error.kind == FieldErrorKind::NotSupported {
        let words = detail.split('"').skip(1).step_by(2);
        let same = words.clone().find(|word| word.eq_ignore_ascii_case(&value));
        let meant = same.or_else(|| near::nearest(&value, words)).map(str::to_owned);
        return RefusalCause::NotSupported { field: field.to_owned(), value, meant };
    }
    if field == "metadata.name" && error.kind == FieldErrorKind::Invalid {
        let instead = legal_name(&value);
        return RefusalCause::BadName { name: value, instead };
    }
    RefusalCause::Other { field: field.to_owned(), message: error.body() }
}

/// A legal name that is like another: lower case, other signs as dashes.
fn legal_name(name: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}
