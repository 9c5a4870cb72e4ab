//! IPAddresses: the objects that say which Service has which cluster address.
//!
//! Owns their making and removal, in step with every write of a Service, as the API server's allocator does
//! (<https://kubernetes.io/docs/concepts/services-networking/service-cidr-ip-address/>). The allocators
//! themselves do not read them.

use std::net::IpAddr;
use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use crate::api::kinds::service::families::family_of;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::value;

fn addresses(service: Option<&Arc<Object>>) -> &[IpAddr] {
    service.and_then(|object| object.as_service()).map_or(&[], |service| &service.cluster_ips)
}

impl Cluster {
    /// Follows one write of a Service.
    pub(super) fn follow_addresses(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let (old, new) = (addresses(before), addresses(after));
        for address in old.iter().filter(|address| !new.contains(address)) {
            let found = self.find(Kind::IPAddress, "", &address.to_string()).cloned();
            if found.is_some() {
                self.commit(Actor::ApiServer, found, None);
            }
        }
        let Some(service) = after else { return };
        for address in new.iter().filter(|address| !old.contains(address)) {
            let document = self.ip_address(*address, &service.key);
            self.store_version(Actor::ApiServer, Kind::IPAddress, None, document);
        }
    }

    fn ip_address(&mut self, address: IpAddr, service: &Key) -> Value {
        let uid = self.random.uid();
        let now = self.timestamp();
        value!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IPAddress",
            "metadata": {
                "name": (address.to_string()),
                "uid": uid,
                "creationTimestamp": now,
                "labels": {
                    "ipaddress.kubernetes.io/ip-family": (family_of(address)),
                    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"
                }
            },
            "spec": {
                "parentRef": {
                    "group": "",
                    "name": (service.name.clone()),
                    "namespace": (service.namespace.clone()),
                    "resource": "services"
                }
            }
        })
    }
}
