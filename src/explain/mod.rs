//! Why something is as it is: findings with evidence, and what to do about them.
//!
//! Owns the causes of what people run into with Services, found by looking at the cluster's state, never by
//! recognising names or samples. It changes nothing and prints nothing: `why` and the page do. Start at
//! [`object`] for an object, [`command_line`] for a failed command, [`lint::lint`] for a text in the editor;
//! [`render`] turns a [`Finding`] into words.
//!
//! - [`service`] (with `selector` and `external`), [`pod`], [`workload`]: what may be the matter with objects.
//! - [`connection`] (with `remedy`, `whose`), [`name`], [`variables`], [`refusal`], [`command`]: what may be the matter with a command.
//! - [`spread`]: who answered, where nothing failed.
//! - [`near`]: slips and near misses. [`place`]: which line of a person's file is to blame.

pub mod command;
pub mod connection;
mod external;
pub mod finding;
pub mod lint;
pub mod name;
pub mod near;
pub mod place;
pub mod pod;
pub mod refusal;
mod remedy;
pub mod render;
mod selector;
pub mod service;
pub mod spread;
pub mod variables;
mod whose;
pub mod workload;

use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::SmolStr;
use crate::cluster::Cluster;
use crate::containers::{Reference, commands};
use crate::network::Origin;
use crate::simulation::incidents::{Command, Incident};

pub use command::CommandCause;
pub use finding::{Cause, Finding, Fix, Severity};
pub use service::{ServiceCause, service};

/// Exit status of a shell for a command that does not exist.
const NO_SUCH_COMMAND: i32 = 127;

/// What is the matter with an object of any kind that can be explained: Services (also by their Endpoints and
/// EndpointSlices), Pods, workloads, Nodes. Empty for other kinds and for what does not exist.
#[must_use]
pub fn object(cluster: &Cluster, key: &Key) -> Vec<Finding> {
    match key.kind {
        Kind::Service => service(cluster, key),
        Kind::Endpoints => service(cluster, &key.of_kind(Kind::Service)),
        Kind::EndpointSlice => {
            let slice = cluster.get(key).and_then(|object| object.as_endpoint_slice());
            let name = slice.map(|slice| slice.service.clone()).unwrap_or_default();
            service(cluster, &Key::new(Kind::Service, key.namespace.clone(), name))
        }
        Kind::Pod => pod::pod(cluster, key),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => {
            workload::workload(cluster, key)
        }
        Kind::Node => node(cluster, key),
        _ => Vec::new(),
    }
}

/// What is the matter with a node: the Pods on it that are not as they should be.
fn node(cluster: &Cluster, key: &Key) -> Vec<Finding> {
    let pods = cluster.indexes().pods_on(&key.name);
    pods.flat_map(|key| pod::pod(cluster, key)).filter(|found| found.severity == Severity::Problem).collect()
}

/// Objects that a person may mean by `NAME` or `KIND/NAME`, the likeliest first: a Service before what stands
/// behind it.
#[must_use]
pub fn meant(cluster: &Cluster, asked: &str, namespace: &str) -> Vec<Key> {
    const ORDER: [Kind; 7] = [
        Kind::Service,
        Kind::Pod,
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::ReplicaSet,
        Kind::EndpointSlice,
    ];
    let key = |kind: Kind, name: &str| {
        let namespace = if kind.info().namespaced { namespace } else { "" };
        Key::new(kind, namespace, name)
    };
    let found: Vec<Key> = match asked.split_once('/') {
        Some((kind, name)) => Kind::of_resource(kind).map(|kind| key(kind, name)).into_iter().collect(),
        None => ORDER.into_iter().chain([Kind::Node]).map(|kind| key(kind, asked)).collect(),
    };
    found.into_iter().filter(|key| cluster.get(key).is_some()).collect()
}

/// What to say of something that does not exist.
#[must_use]
pub fn missing(cluster: &Cluster, asked: &str, namespace: &str) -> Finding {
    let (kind, name) = asked.split_once('/').unwrap_or(("", asked));
    let kinds: Vec<Kind> = match Kind::of_resource(kind) {
        Some(kind) => vec![kind],
        None => vec![Kind::Service, Kind::Pod, Kind::Deployment],
    };
    let mut nearest = Vec::new();
    for kind in kinds {
        for object in cluster.list(kind, None) {
            let same = object.name() == name && object.namespace() != namespace;
            if same || near::is_slip(name, object.name()) {
                nearest.push(finding::named(&object.key));
            }
        }
    }
    nearest.truncate(3);
    let cause = CommandCause::NoSuchObject { asked: asked.to_owned(), nearest: nearest.clone() };
    let found = Finding::new(&Key::new(Kind::Service, "", ""), Severity::Problem, Cause::Command(cause));
    nearest.iter().fold(found, |found, name| found.command(format!("why {name}")))
}

/// Why the last command line that failed did so; if a later one connected well, how that went.
#[must_use]
pub fn last_failure<'a>(cluster: &Cluster, commands: impl Iterator<Item = &'a Command>) -> Vec<Finding> {
    let connects = |incident: &Incident| matches!(incident, Incident::Connection { .. });
    let mut commands = commands.filter(|command| {
        command.status != 0 || command.incidents.iter().any(|one| has_failed(one) || connects(one))
    });
    match commands.next() {
        Some(command) => command_line(cluster, command),
        None => {
            let cause = Cause::Command(CommandCause::NothingFailed);
            vec![Finding::new(&Key::new(Kind::Service, "", ""), Severity::Fine, cause)]
        }
    }
}

fn has_failed(incident: &Incident) -> bool {
    match incident {
        Incident::Connection { trace, .. } => trace.outcome.delivery().is_none(),
        Incident::Name { .. } => true,
        Incident::Reused { .. } => false,
        // A refusal that matters ends its command with a status of its own.
        Incident::Refusal { .. } => false,
    }
}

/// Why a command line failed: its last connection, name or refusals. Where all went well: how its last connection
/// went, and who answered.
#[must_use]
pub fn command_line(cluster: &Cluster, command: &Command) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for incident in command.incidents.iter().rev() {
        let found = match incident {
            Incident::Connection { trace, from } if trace.outcome.delivery().is_none() => {
                remedy::there(cluster, from, &command.from, connection::connection(cluster, trace))
            }
            Incident::Connection { .. } | Incident::Reused { .. } => continue,
            Incident::Name { from, name } => {
                remedy::there(cluster, from, &command.from, name::name(cluster, from, name))
            }
            Incident::Refusal { key, status, document } => {
                refusal::refusal(cluster, key, status, document.as_ref())
            }
        };
        for finding in found {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        if !matches!(incident, Incident::Refusal { .. }) {
            break;
        }
    }
    if !findings.is_empty() {
        return findings;
    }
    let mut connections = command.incidents.iter().rev().filter_map(|incident| match incident {
        Incident::Connection { trace, from } => Some((trace, from)),
        _ => None,
    });
    if let Some((trace, from)) = connections.next().filter(|_| command.status == 0) {
        let mut findings = connection::connection(cluster, trace);
        findings.extend(spread::spread(cluster, command));
        return remedy::there(cluster, from, &command.from, findings);
    }
    vec![unexplained(cluster, command)]
}

/// A line that used a Service's variable in the form of a link as if it were a port.
fn link_port(cluster: &Cluster, command: &Command) -> Option<Finding> {
    let namespace = match &command.from {
        Origin::Pod(pod) => pod.namespace.as_str(),
        _ => "default",
    };
    variables::referred(&command.line).find_map(|variable| {
        let service = variables::maker(cluster, namespace, &variable)?;
        let number = variable.replace("_PORT", "_SERVICE_PORT");
        let better = command.line.replace(&variable, &number);
        let cause = Cause::Command(CommandCause::LinkPort { variable, service: service.clone() });
        Some(Finding::new(&service, Severity::Problem, cause).command(better))
    })
}

/// What is left to say about a command line that failed for reasons of its own.
fn unexplained(cluster: &Cluster, command: &Command) -> Finding {
    let nobody = Key::new(Kind::Service, "", "");
    let finding = |cause| Finding::new(&nobody, Severity::Problem, Cause::Command(cause));
    if let Some(link) = link_port(cluster, command) {
        return link;
    }
    if command.status != NO_SUCH_COMMAND {
        return finding(CommandCause::Ended { line: command.line.clone(), status: command.status });
    }
    let program = SmolStr::new(command.line.split_whitespace().next().unwrap_or_default());
    let Origin::Pod(pod) = &command.from else {
        return finding(CommandCause::NoSuchProgram { program, image: None, instead: Vec::new() });
    };
    let object = cluster.get(pod).and_then(|object| object.as_pod());
    let container = object.and_then(|pod| pod.spec.containers.first());
    let image = container.map(|container| container.image.clone());
    let reference = container.and_then(|container| Reference::parse(&container.image));
    let held = reference.map(|reference| commands::contents(&reference).commands).unwrap_or_default();
    /// Programs that stand in for each other.
    const ALIKE: [&[&str]; 2] = [&["curl", "wget"], &["nslookup", "dig", "host", "getent"]];
    let group = ALIKE.into_iter().find(|group| group.contains(&program.as_str())).unwrap_or_default();
    let instead = group.iter().copied().filter(|name| held.contains(name)).collect();
    finding(CommandCause::NoSuchProgram { program, image, instead })
}
