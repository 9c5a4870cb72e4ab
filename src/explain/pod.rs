//! Pods: why one is not running, or not ready.
//!
//! Owns [`PodCause`] and the look at one Pod's status, as the kubelet and the scheduler wrote it, beside what
//! its image really does.

use super::finding::{Cause, Finding, Fix, Severity, in_namespace};
use super::near;
use super::variables::{self, LinkUse};
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Container, Pod};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;
use crate::containers::catalogue::{Entry, Known};
use crate::containers::commands::contents;
use crate::containers::official::OFFICIAL;
use crate::containers::{Reference, catalogue, open_ports, process};

/// What can be the matter with a Pod.
#[derive(Clone, Debug, PartialEq)]
pub enum PodCause {
    /// Nothing: it runs and is ready.
    Works {
        /// Its address.
        address: SmolStr,
        /// The ports that are open in it.
        open: Vec<u16>,
        /// The Services that select it.
        services: Vec<SmolStr>,
    },
    /// The scheduler finds no node for it.
    Unschedulable {
        /// What the scheduler says.
        message: String,
        /// A node that is cordoned.
        cordoned: Option<SmolStr>,
    },
    /// It was just made: it waits for the scheduler or for its containers to start.
    Starting,
    /// An image cannot be pulled.
    Image {
        /// The container.
        container: SmolStr,
        /// Its image as written.
        image: SmolStr,
        /// The reason that the kubelet gives: `ErrImagePull`, `ImagePullBackOff`, …
        reason: SmolStr,
        /// An image that may be meant.
        meant: Option<String>,
    },
    /// A container cannot be started.
    Waiting {
        /// The container.
        container: SmolStr,
        /// The reason that the kubelet gives.
        reason: SmolStr,
        /// What it says.
        message: String,
    },
    /// A container ends again and again.
    Crashes {
        /// The container.
        container: SmolStr,
        /// Its last exit code.
        code: i64,
        /// How often it was started again.
        restarts: i64,
        /// Whether it is an image that has nothing to do: a shell without a terminal.
        idle: bool,
        /// Variables of which the image wants one, and that are not set.
        variables: Vec<SmolStr>,
    },
    /// Its image does not have the program that it is to run.
    NoProgram {
        /// The container.
        container: SmolStr,
        /// The program.
        program: String,
        /// A program of the image that may be meant.
        meant: Option<String>,
    },
    /// It runs, and is not ready.
    NotReady {
        /// The container.
        container: SmolStr,
        /// Its readiness probe, if it has one.
        probe: Option<Probe>,
        /// The ports that are open in the Pod.
        open: Vec<u16>,
    },
    /// Its command line uses a Service's variable `NAME_PORT`, which is no port number.
    UsesLink {
        /// The use.
        link: LinkUse,
        /// The port number that is probably meant.
        port: u16,
        /// The value that the variable has.
        value: String,
    },
    /// It is on its way out.
    Terminating,
    /// It has ended for good.
    Ended {
        /// `Succeeded` or `Failed`.
        phase: SmolStr,
    },
    /// Its node is not ready.
    NodeNotReady {
        /// The node.
        node: SmolStr,
    },
}

/// A readiness probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `httpGet`, `tcpSocket`, `exec` or `grpc`.
    pub kind: &'static str,
    /// The path of `httpGet`, or the words of `exec`.
    pub what: String,
    /// The port as written; empty for `exec`.
    pub port: String,
    /// The port's number, where it has one.
    pub number: Option<u16>,
}

/// What is the matter with a Pod. Never empty for a Pod that exists.
#[must_use]
pub fn pod(cluster: &Cluster, key: &Key) -> Vec<Finding> {
    let Some(object) = cluster.get(key) else { return Vec::new() };
    let cause = cause(cluster, object);
    let severity = match &cause {
        PodCause::Works { .. } => Severity::Fine,
        PodCause::Starting | PodCause::Terminating => Severity::Note,
        PodCause::Ended { phase } if phase == "Succeeded" => Severity::Note,
        _ => Severity::Problem,
    };
    let mut finding = Finding::new(key, severity, Cause::Pod(cause.clone())).at(field(object, &cause));
    finding.fixes = fixes(cluster, key, &cause);
    let mut findings = vec![finding];
    let well = severity != Severity::Problem;
    findings.extend(links(cluster, object).map(|finding| Finding {
        severity: if well { Severity::Note } else { Severity::Problem },
        ..finding
    }));
    findings
}

/// Variables in the form of links that a Pod's containers use.
pub(super) fn links(cluster: &Cluster, object: &Object) -> impl Iterator<Item = Finding> {
    variables::links_used(cluster, object).into_iter().filter_map(|link| {
        let service = cluster.get(&link.service)?.as_service()?;
        let port = service.ports.first()?.port;
        let value = format!("tcp://{}", std::net::SocketAddr::new(service.cluster_ip()?, port));
        let fixes = variables::link_fixes(cluster, &object.key, &link.container, &link.variable);
        let containers = &object.as_pod()?.spec.containers;
        let at = containers.iter().position(|one| one.name == link.container).unwrap_or(0);
        let cause = PodCause::UsesLink { link, port, value };
        let mut finding = Finding::new(&object.key, Severity::Note, Cause::Pod(cause));
        finding.field = format!("spec.containers[{at}]");
        finding.fixes = fixes;
        Some(finding)
    })
}

/// What is the matter with a Pod.
#[must_use]
pub fn cause(cluster: &Cluster, object: &Object) -> PodCause {
    let Some(pod) = object.as_pod() else { return PodCause::Starting };
    if object.is_terminating() {
        return PodCause::Terminating;
    }
    if pod.is_finished() {
        return PodCause::Ended { phase: pod.phase.clone() };
    }
    if pod.node.is_empty() {
        return unscheduled(cluster, object);
    }
    let node = cluster.find(Kind::Node, "", &pod.node).and_then(|node| node.as_node().map(|node| node.ready));
    if node != Some(true) {
        return PodCause::NodeNotReady { node: pod.node.clone() };
    }
    if let Some(cause) = container_trouble(object, pod) {
        return cause;
    }
    if pod.ready {
        let services = cluster.indexes().services_selecting(object);
        let mut services: Vec<SmolStr> = services
            .filter(|name| {
                let service = cluster.find(Kind::Service, object.namespace(), name);
                let selector = service.and_then(|object| object.as_service()?.selector.as_ref());
                selector.is_some_and(|selector| selector.matches(&object.meta.labels))
            })
            .cloned()
            .collect();
        services.sort_unstable();
        services.dedup();
        let address = pod.ip().map(|ip| ip.to_string().into()).unwrap_or_default();
        return PodCause::Works { address, open: open(object), services };
    }
    PodCause::Starting
}

fn unscheduled(cluster: &Cluster, object: &Object) -> PodCause {
    let conditions = object.status().get("conditions").items();
    let refused = conditions.iter().find(|condition| {
        condition.get("type").str() == "PodScheduled" && condition.get("status").str() == "False"
    });
    let Some(refused) = refused else { return PodCause::Starting };
    let mut nodes = cluster.list(Kind::Node, None);
    let cordoned = nodes.find(|node| node.as_node().is_some_and(|node| node.unschedulable));
    PodCause::Unschedulable {
        message: refused.get("message").str().to_owned(),
        cordoned: cordoned.map(|node| node.name().clone()),
    }
}

fn open(object: &Object) -> Vec<u16> {
    let mut open: Vec<u16> = open_ports(object).into_iter().map(|(_, listener)| listener.port).collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// The first container that is not as it should be.
fn container_trouble(object: &Object, pod: &Pod) -> Option<PodCause> {
    let statuses = object.status().get("containerStatuses").items();
    for status in statuses {
        let name = status.get("name").smol();
        let container = pod.spec.containers.iter().find(|container| container.name == name)?;
        let waiting = status.at(&["state", "waiting"]);
        let reason = waiting.get("reason").smol();
        let restarts = status.get("restartCount").as_int().unwrap_or(0);
        if matches!(reason.as_str(), "RunContainerError" | "CrashLoopBackOff")
            && let Some(program) = process(container).missing
        {
            let commands = Reference::parse(&container.image).map(|image| contents(&image).commands);
            let meant = near::nearest(&program, commands.unwrap_or_default().into_iter()).map(str::to_owned);
            return Some(PodCause::NoProgram { container: name, program, meant });
        }
        match reason.as_str() {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                let (image, meant) = (container.image.clone(), meant(&container.image));
                return Some(PodCause::Image { container: name, image, reason, meant });
            }
            "CrashLoopBackOff" => {
                let code = status.at(&["lastState", "terminated", "exitCode"]).as_int();
                return Some(crashes(container, code.unwrap_or(1), restarts));
            }
            "" | "ContainerCreating" | "PodInitializing" => {}
            _ => {
                let message = waiting.get("message").str().to_owned();
                return Some(PodCause::Waiting { container: name, reason, message });
            }
        }
        if let Some(code) = status.at(&["state", "terminated", "exitCode"]).as_int() {
            return Some(crashes(container, code, restarts));
        }
        let runs = !status.at(&["state", "running"]).is_null();
        if runs && status.get("ready").as_bool() != Some(true) {
            let probe = probe(container);
            return Some(PodCause::NotReady { container: name, probe, open: open(object) });
        }
    }
    let ready_at_all = statuses.is_empty() || pod.ready || pod.phase != "Running";
    if ready_at_all {
        return None;
    }
    let container = pod.spec.containers.first()?;
    Some(PodCause::NotReady {
        container: container.name.clone(),
        probe: probe(container),
        open: open(object),
    })
}

fn crashes(container: &Container, code: i64, restarts: i64) -> PodCause {
    let image = Reference::parse(&container.image).map(|reference| catalogue::find(&reference));
    let own = container.document.get("command").is_empty();
    let bare = own && container.document.get("args").is_empty();
    let (mut idle, mut variables) = (false, Vec::new());
    if let Some(Known::Image(image)) = image {
        idle = bare && matches!(image.entry, Entry::Shell | Entry::Ends);
        if let (true, Entry::NeedsEnv(names)) = (own, image.entry) {
            variables = names.iter().map(|name| SmolStr::new_static(name)).collect();
        }
    }
    PodCause::Crashes { container: container.name.clone(), code, restarts, idle, variables }
}

/// An image that may be meant by one that does not exist: an official image whose name differs by a slip, or
/// the same one without the tag.
fn meant(image: &str) -> Option<String> {
    let Some(reference) = Reference::parse(image) else {
        let lower = image.to_ascii_lowercase();
        return Reference::parse(&lower).map(|_| lower);
    };
    let name = reference.official_name()?;
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    if OFFICIAL.contains(&name) {
        return (!tag.is_empty()).then(|| name.to_owned());
    }
    let nearest = near::nearest(name, OFFICIAL.iter().copied())?;
    Some(if tag.is_empty() { nearest.to_owned() } else { format!("{nearest}:{tag}") })
}

fn probe(container: &Container) -> Option<Probe> {
    let probe = container.document.get("readinessProbe");
    let kind =
        ["httpGet", "tcpSocket", "exec", "grpc"].into_iter().find(|kind| !probe.get(kind).is_null())?;
    let action = probe.get(kind);
    let port = match action.get("port") {
        Value::Int(number) => number.to_string(),
        other => other.str().to_owned(),
    };
    let named = container.ports.iter().find(|one| one.name == port.as_str()).map(|one| one.port);
    let words: Vec<&str> = action.get("command").items().iter().map(Value::str).collect();
    let what = if kind == "exec" { words.join(" ") } else { action.get("path").str().to_owned() };
    Some(Probe { kind, what, number: port.parse().ok().or(named), port })
}

/// Where a container names its program: in `command`, or else in `args`.
fn given(object: &Object, name: &str) -> &'static str {
    let containers = object.as_pod().map(|pod| pod.spec.containers.as_slice()).unwrap_or_default();
    let own = containers.iter().find(|one| one.name == name);
    if own.is_some_and(|one| !one.document.get("command").is_empty()) { ".command" } else { ".args" }
}

/// The field of the Pod's manifest that is to blame.
fn field(object: &Object, cause: &PodCause) -> String {
    let (container, rest) = match cause {
        PodCause::Image { container, .. } => (container, ".image"),
        PodCause::NotReady { container, probe: Some(_), .. } => (container, ".readinessProbe"),
        PodCause::Crashes { container, .. } | PodCause::Waiting { container, .. } => (container, ""),
        PodCause::NoProgram { container, .. } => (container, given(object, container)),
        PodCause::Unschedulable { .. } => return "spec".to_owned(),
        _ => return String::new(),
    };
    let containers = object.as_pod().map(|pod| pod.spec.containers.as_slice()).unwrap_or_default();
    let index = containers.iter().position(|one| one.name == *container).unwrap_or(0);
    format!("spec.containers[{index}]{rest}")
}

/// What helps a Pod.
#[must_use]
pub fn fixes(cluster: &Cluster, key: &Key, cause: &PodCause) -> Vec<Fix> {
    let suffix = in_namespace(key);
    let object = cluster.get(key);
    let owner = object.and_then(|object| near::owner(cluster, object));
    let describe = || Fix::Command(format!("kubectl describe pod {}{suffix}", key.name));
    match cause {
        PodCause::Image { container, meant: Some(meant), .. } => {
            let target = owner.unwrap_or_else(|| key.clone());
            let containers = format!("\"containers\":[{{\"name\":\"{container}\",\"image\":\"{meant}\"}}]");
            let spec = match target == *key {
                true => format!("{{\"spec\":{{{containers}}}}}"),
                false => format!("{{\"spec\":{{\"template\":{{\"spec\":{{{containers}}}}}}}}}"),
            };
            let kind = target.kind.info().singular;
            vec![Fix::Command(format!("kubectl patch {kind} {} -p '{spec}'{suffix}", target.name))]
        }
        PodCause::Crashes { variables, idle: false, .. } if variables.is_empty() => {
            vec![Fix::Command(format!("kubectl logs {} --previous{suffix}", key.name)), describe()]
        }
        PodCause::Crashes { variables, container, .. } => {
            let target = owner.unwrap_or_else(|| key.clone());
            let spec = if target == *key { "spec" } else { "spec.template.spec" };
            let containers =
                object.and_then(|object| object.as_pod()).map(|pod| pod.spec.containers.as_slice());
            let at =
                containers.unwrap_or_default().iter().position(|one| one.name == *container).unwrap_or(0);
            let (part, value) = match variables.first() {
                Some(name) => ("env", format!("[{{ name: {name}, value: … }}]")),
                None => ("command", "[\"sleep\", \"3600\"]".to_owned()),
            };
            vec![Fix::Edit { key: target, field: format!("{spec}.containers[{at}].{part}"), value }]
        }
        PodCause::Unschedulable { cordoned: Some(node), .. } => {
            vec![
                Fix::Command(format!(
                    "kubectl patch node {node} -p '{{\"spec\":{{\"unschedulable\":false}}}}'"
                )),
                describe(),
            ]
        }
        PodCause::NotReady { probe: Some(probe), open, container } => {
            let wrong = probe.number.is_some_and(|number| !open.contains(&number));
            match (wrong, open.as_slice()) {
                (true, [only]) => {
                    let target = owner.unwrap_or_else(|| key.clone());
                    let spec = if target == *key { "spec" } else { "spec.template.spec" };
                    let containers =
                        object.and_then(|object| object.as_pod()).map(|pod| pod.spec.containers.as_slice());
                    let at = containers
                        .unwrap_or_default()
                        .iter()
                        .position(|one| one.name == *container)
                        .unwrap_or(0);
                    let field = format!("{spec}.containers[{at}].readinessProbe.{}.port", probe.kind);
                    vec![Fix::Edit { key: target, field, value: only.to_string() }]
                }
                _ => vec![describe()],
            }
        }
        PodCause::NodeNotReady { node } => vec![Fix::Command(format!("kubectl describe node {node}"))],
        PodCause::Works { .. } | PodCause::Starting | PodCause::Terminating | PodCause::Ended { .. } => {
            Vec::new()
        }
        _ => vec![describe()],
    }
}
