//! The API server's own loop: the Service `kubernetes` with its Endpoints and EndpointSlice.
//!
//! Owns making them, again and again: what a person deletes is back within [`PERIOD`], as
//! `controlplane/controller/kubernetesservice` does.

use std::net::IpAddr;

use super::{Context, Controller, WorkQueue};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;
use crate::cluster::journal::Entry;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How often the loop runs.
const PERIOD: Span = Span::from_seconds(10);
/// The port of the API server on its node.
const PORT: u16 = 6443;

/// The API server's loop.
#[derive(Default)]
pub(super) struct KubernetesService {
    made: bool,
}

fn key(kind: Kind) -> Key {
    Key::new(kind, "default", "kubernetes")
}

impl Controller for KubernetesService {
    fn actor(&self) -> Actor {
        Actor::ApiServer
    }

    fn observe(&mut self, entry: &Entry, _cluster: &Cluster, dirty: &mut WorkQueue) {
        let lost =
            entry.after.is_none() && entry.key.namespace == "default" && entry.key.name == "kubernetes";
        let own = matches!(entry.key.kind, Kind::Service | Kind::Endpoints | Kind::EndpointSlice);
        let first = entry.key.kind == Kind::Namespace && entry.key.name == "default";
        if (lost && own) || (first && entry.after.is_some()) || entry.key.kind == Kind::Node {
            dirty.add(key(Kind::Service));
        }
    }

    fn reconcile(&mut self, _key: &Key, context: &mut Context<'_>) {
        let now = context.cluster.now();
        let missing = [Kind::Service, Kind::Endpoints, Kind::EndpointSlice]
            .into_iter()
            .any(|kind| context.cluster.get(&key(kind)).is_none());
        let default = context.cluster.find(Kind::Namespace, "", "default").is_some();
        let Some(address) = api_server(context.cluster).filter(|_| missing && default) else { return };
        let phase = now.0 % PERIOD.0;
        if self.made && phase != 0 {
            // Not before the loop's next turn.
            return context.requeue(Span::from_us(PERIOD.0 - phase));
        }
        self.made = true;
        make(context.cluster, address);
    }
}

/// The address of the node on which the API server runs.
fn api_server(cluster: &Cluster) -> Option<IpAddr> {
    let label = "node-role.kubernetes.io/control-plane";
    let node = cluster.list(Kind::Node, None).find(|node| !node.meta.labels.get(label).is_null())?;
    node.as_node()?.address()
}

fn make(cluster: &mut Cluster, address: IpAddr) {
    let family = if address.is_ipv6() { "IPv6" } else { "IPv4" };
    let first = cluster.settings().service_networks.first().map(|range| first_of(range.network()));
    let service_address = first.map(|ip| ip.to_string()).unwrap_or_default();
    let labels = value!({ "component": "apiserver", "provider": "kubernetes" });
    let port = value!({ "name": "https", "port": PORT, "protocol": "TCP" });
    let address = Value::from(address.to_string());
    let documents = [
        (
            Kind::Service,
            value!({
                "metadata": { "name": "kubernetes", "labels": labels },
                "spec": {
                    "clusterIP": service_address,
                    "internalTrafficPolicy": "Cluster",
                    "ipFamilyPolicy": "SingleStack",
                    "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": PORT }],
                    "sessionAffinity": "None",
                    "type": "ClusterIP"
                }
            }),
        ),
        (
            Kind::Endpoints,
            value!({
                "metadata": { "name": "kubernetes", "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" } },
                "subsets": [{ "addresses": [{ "ip": (address.clone()) }], "ports": [(port.clone())] }]
            }),
        ),
        (
            Kind::EndpointSlice,
            value!({
                "addressType": family,
                "endpoints": [{ "addresses": [address], "conditions": { "ready": true } }],
                "metadata": { "name": "kubernetes", "labels": { "kubernetes.io/service-name": "kubernetes" } },
                "ports": [port]
            }),
        ),
    ];
    let namespace = SmolStr::new_static("default");
    for (kind, document) in documents {
        if cluster.get(&key(kind)).is_none() {
            // Its address may be taken by a Service that was made meanwhile: the next turn tries again.
            let _made = cluster.create(Actor::ApiServer, kind, &namespace, document);
        }
    }
}

/// The address after a network's own.
fn first_of(network: IpAddr) -> IpAddr {
    match network {
        IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) + 1).into()),
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) + 1).into()),
    }
}
