//! Spread: who answered the connections and requests of one command line, and why always the same one.
//!
//! Owns [`SpreadCause`]. kube-proxy chooses once per connection; whether that can be seen depends on connections
//! that are kept, on session affinity, on headless names and on who asks.

use std::net::SocketAddr;

use super::finding::{Cause, Finding, Fix, Severity, in_namespace};
use super::service::{routes, slices};
use super::whose::service_at;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::typed::Affinity;
use crate::cluster::Cluster;
use crate::network::Place;
use crate::simulation::incidents::{Command, Incident};

/// Connections to one of several Pods that are more than chance: of two Pods, the same one five times comes about
/// once in 16 times.
const TELLING: usize = 5;

/// Why one Pod answered everything.
#[derive(Clone, Debug, PartialEq)]
pub struct SpreadCause {
    /// The reason.
    pub reason: SameReason,
    /// The Pod that answered.
    pub pod: Key,
    /// Connections that were opened.
    pub connections: usize,
    /// Requests that were sent over them.
    pub requests: usize,
    /// Endpoints that could have answered.
    pub endpoints: usize,
}

/// Why it was always the same Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameReason {
    /// Requests share a connection.
    OneConnection,
    /// `sessionAffinity: ClientIP`.
    Affinity,
    /// The name of a headless Service: the client itself chose, among addresses.
    Headless,
    /// The client chose itself or its neighbour by address, or chance did.
    Other,
}

/// Who answered a command line that connected well, if it is worth a word: one Pod of several answered everything.
#[must_use]
pub fn spread(cluster: &Cluster, command: &Command) -> Option<Finding> {
    let (target, transport) = command.incidents.iter().rev().find_map(|incident| match incident {
        Incident::Connection { trace, .. } => Some((trace.target, trace.transport)),
        _ => None,
    })?;
    let mut pods: Vec<&Key> = Vec::new();
    let (mut connections, mut requests) = (0, 0);
    // A name that was looked up was a connection too: only those that went where the last one went count.
    for incident in &command.incidents {
        let server = match incident {
            Incident::Connection { trace, .. } if trace.target == target => {
                connections += 1;
                &trace.outcome.delivery()?.server
            }
            Incident::Reused { to, server } if *to == target => server,
            _ => continue,
        };
        requests += 1;
        let Place::Pod(pod) = server else { return None };
        pods.push(pod);
    }
    let pod = *pods.first()?;
    if requests < 2 || pods.iter().any(|other| *other != pod) {
        return None;
    }
    let protocol = transport.protocol();
    let (key, headless) = match service_at(cluster, target, protocol) {
        Some(key) => (key, false),
        None => (headless_of(cluster, target)?, true),
    };
    let service = cluster.get(&key)?.as_service()?;
    let routes = routes(service, &slices(cluster, &key));
    let endpoints = routes.iter().map(|route| route.endpoints.len()).max().unwrap_or(0);
    let reason = match service.affinity {
        _ if headless => SameReason::Headless,
        _ if requests > connections && connections == 1 => SameReason::OneConnection,
        Affinity::ClientIp { .. } => SameReason::Affinity,
        _ if connections >= TELLING => SameReason::Other,
        _ => return None,
    };
    if endpoints < 2 {
        return None;
    }
    let cause = SpreadCause { reason, pod: pod.clone(), connections, requests, endpoints };
    let mut finding = Finding::new(&key, Severity::Note, Cause::Spread(cause));
    match reason {
        SameReason::OneConnection => {
            let urls = format!(" http://{target}").repeat(requests.min(TELLING));
            finding = finding.command(format!("curl -H 'Connection: close'{urls}"));
        }
        SameReason::Affinity => {
            let name = &key.name;
            let patch = "{\"spec\":{\"sessionAffinity\":\"None\"}}";
            finding = finding
                .at("spec.sessionAffinity")
                .command(format!("kubectl patch svc {name} -p '{patch}'{}", in_namespace(&key)))
                .edit("spec.sessionAffinity", "None");
        }
        SameReason::Headless => finding.fixes.extend(with_address(cluster, &key)),
        SameReason::Other => {}
    }
    Some(finding)
}

/// The headless Service that has an address among its endpoints.
pub(super) fn headless_of(cluster: &Cluster, target: SocketAddr) -> Option<Key> {
    let mut services = cluster
        .list(Kind::Service, None)
        .filter(|object| object.as_service().is_some_and(|service| service.headless));
    let has = |key: &Key| {
        slices(cluster, key)
            .iter()
            .filter_map(|object| object.as_endpoint_slice())
            .any(|slice| slice.endpoints.iter().any(|endpoint| endpoint.addresses.contains(&target.ip())))
    };
    services.find(|object| has(&object.key)).map(|object| object.key.clone())
}

/// A second Service in front of the same Pods, with an address that kube-proxy balances.
pub(super) fn with_address(cluster: &Cluster, key: &Key) -> Option<Fix> {
    let service = cluster.get(key)?.as_service()?;
    let (port, labels) = (service.ports.first()?, service.selector.as_ref()?);
    let (name, namespace) = (&key.name, in_namespace(key));
    Some(Fix::Command(format!(
        "kubectl expose svc {name} --name={name}-balanced --selector={labels} --port={} --target-port={}{namespace}",
        port.port, port.target
    )))
}
