//! What a server answers to a request that reached it.
//!
//! Owns the way from a delivery to the container (or kube-proxy's health server) behind it. What a container's image
//! answers is [`crate::containers::http`]'s.

use super::Simulation;
use crate::api::object::{Key, Object};
use crate::api::value::SmolStr;
use crate::cluster::clock::Instant;
use crate::containers::http::{Request, Response, Server, answer};
use crate::containers::{Reference, kube_proxy};
use crate::network::{Delivery, Place};

impl Simulation {
    /// The Pod whose socket a packet reached; on a node's address that of a Pod on its network.
    #[must_use]
    pub fn server_pod(&self, delivery: &Delivery) -> Option<Key> {
        match &delivery.server {
            Place::Pod(key) => Some(key.clone()),
            Place::Node(node) => {
                let listener = delivery.listener.as_ref()?;
                let port = delivery.packet.destination.port();
                Some(self.network.topology().host_pod(node, listener.protocol, port)?.key.clone())
            }
            _ => None,
        }
    }

    /// What the server of a connection answers; `file` reads what somebody wrote into its container. `None` if it does
    /// not speak HTTP, or is gone.
    #[must_use]
    pub fn http_answer(
        &self,
        delivery: &Delivery,
        request: &Request,
        file: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Response> {
        let listener = delivery.listener.as_ref()?;
        if let Place::Node(node) = &delivery.server
            && listener.program == "kube-proxy"
        {
            return kube_proxy_answer(self, node, delivery.packet.destination.port(), request);
        }
        pod_answer(self, &self.server_pod(delivery)?, delivery, request, file)
    }
}

/// What a Pod calls itself.
#[must_use]
pub fn hostname(object: &Object) -> Option<&SmolStr> {
    let pod = object.as_pod()?;
    Some(match pod.spec.hostname.as_str() {
        _ if pod.spec.host_network => &pod.node,
        "" => &object.key.name,
        _ => &pod.spec.hostname,
    })
}

/// What kube-proxy answers on a node: health checks.
fn kube_proxy_answer(simulation: &Simulation, node: &str, port: u16, request: &Request) -> Option<Response> {
    let now = simulation.cluster.timestamp();
    if port == kube_proxy::HEALTH_PORT {
        return Some(kube_proxy::node_health(request, now));
    }
    let tables = simulation.network.tables();
    let (namespace, name) = tables.health_service(port)?;
    let count = tables.local_ready(namespace, name, node);
    Some(kube_proxy::service_health(namespace, name, count, request, now))
}

/// What the container behind a connection answers.
fn pod_answer(
    simulation: &Simulation,
    key: &Key,
    delivery: &Delivery,
    request: &Request,
    file: &dyn Fn(&str) -> Option<String>,
) -> Option<Response> {
    let object = simulation.cluster.get(key)?;
    let pod = object.as_pod()?;
    let packet = &delivery.packet;
    let listener = delivery.listener.as_ref()?;
    let container = pod.spec.containers.iter().find(|one| one.name == listener.program)?;
    let args: Vec<String> = ["command", "args"]
        .iter()
        .flat_map(|field| container.document.get(field).items())
        .map(|word| word.str().to_owned())
        .collect();
    let started = simulation
        .runtime
        .latest(&object.meta.uid, &container.name)
        .map_or(Instant(0), |(_, run)| run.started);
    let server = Server {
        image: &Reference::parse(&container.image)?,
        args: &args,
        hostname: hostname(object)?,
        addresses: &pod.ips,
        client: packet.source,
        local: packet.destination,
        now: simulation.cluster.timestamp(),
        up_seconds: (simulation.cluster.now() - started).as_ms() / 1000.0,
        file,
    };
    answer(listener.app, request, &server)
}
