//! kube-proxy's lookups: from an address, protocol and port to a Service port.
//!
//! Owns the tables and keeps them up to date, Service by Service and slice by slice. All nodes share them:
//! what differs from node to node is decided at lookup ([`super::proxy`]).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::address_map::AddressMap;
use super::services::ServicePort;
use crate::api::object::Object;
use crate::api::typed::{Policy, Protocol, ServiceType};
use crate::api::value::SmolStr;

/// Which address of a Service port a packet was sent to, in the order of kube-proxy's rules for one Service port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frontend {
    /// Its address inside the cluster.
    ClusterIp,
    /// An address in `externalIPs`.
    ExternalIp,
    /// An address of its load balancer.
    LoadBalancer,
    /// Its port on a node.
    NodePort,
}

/// A Service port and how it was addressed.
#[derive(Clone, Copy, Debug)]
pub struct Matched<'a> {
    /// The Service port.
    pub port: &'a Arc<ServicePort>,
    /// How it was addressed.
    pub frontend: Frontend,
}

/// A protocol and port as a number.
type Socket = u32;

#[inline]
fn socket(protocol: Protocol, port: u16) -> Socket {
    (protocol as u32) << 16 | u32::from(port)
}

/// What is known of one Service.
#[derive(Debug, Default)]
struct Known {
    service: Option<Arc<Object>>,
    slices: BTreeMap<SmolStr, Arc<Object>>,
    ports: Vec<u32>,
}

/// All Service ports, and the ways to find them.
#[derive(Debug, Default)]
pub struct Tables {
    known: FxHashMap<(SmolStr, SmolStr), Known>,
    ports: Vec<Option<Arc<ServicePort>>>,
    free: Vec<u32>,
    by_address: AddressMap<Socket, (u32, Frontend)>,
    /// Where several Service ports have one address, protocol and port, as people may write in `externalIPs`: all of
    /// them, in the order of the rules. The first stands in `by_address`.
    rivals: AddressMap<Socket, Vec<(u32, Frontend)>>,
    by_node_port: FxHashMap<(bool, Socket), u32>,
    /// Addresses of Services inside the cluster: for ports that a Service does not have.
    cluster_ips: FxHashMap<IpAddr, u32>,
    /// Addresses in `externalIPs`, and those of load balancers that kube-proxy handles.
    externals: FxHashMap<IpAddr, u32>,
    /// Addresses of load balancers, with the Service ports behind each.
    balancers: BTreeMap<IpAddr, Vec<u32>>,
    health_ports: BTreeMap<u16, (SmolStr, SmolStr)>,
    /// Services with slices that were written since [`Tables::settle`].
    unsettled: BTreeSet<(SmolStr, SmolStr)>,
}

impl Tables {
    /// The Service port at an address, protocol and port: cluster, external and load balancer addresses.
    #[must_use]
    pub fn at(&self, address: IpAddr, protocol: Protocol, port: u16) -> Option<Matched<'_>> {
        let (id, frontend) = *self.by_address.get(address, socket(protocol, port))?;
        Some(Matched { port: self.port(id)?, frontend })
    }

    /// The other Service ports at an address, protocol and port, in the order of the rules.
    pub fn rivals(
        &self,
        address: IpAddr,
        protocol: Protocol,
        port: u16,
    ) -> impl Iterator<Item = Matched<'_>> {
        let all = self.rivals.get(address, socket(protocol, port)).map(Vec::as_slice).unwrap_or_default();
        let others = all.iter().skip(1);
        others.filter_map(|(id, frontend)| Some(Matched { port: self.port(*id)?, frontend: *frontend }))
    }

    /// The Service port behind a node port.
    #[must_use]
    pub fn at_node_port(&self, v4: bool, protocol: Protocol, port: u16) -> Option<Matched<'_>> {
        let id = *self.by_node_port.get(&(v4, socket(protocol, port)))?;
        Some(Matched { port: self.port(id)?, frontend: Frontend::NodePort })
    }

    /// A Service port by its place.
    #[must_use]
    pub fn port(&self, id: u32) -> Option<&Arc<ServicePort>> {
        self.ports.get(id as usize)?.as_ref()
    }

    /// Whether some Service has this address inside the cluster.
    #[must_use]
    pub fn is_cluster_ip(&self, address: IpAddr) -> bool {
        self.cluster_ips.contains_key(&address)
    }

    /// Whether some Service has this address: inside the cluster, of its load balancer, or in `externalIPs`.
    #[must_use]
    pub fn is_service_address(&self, address: IpAddr) -> bool {
        self.is_cluster_ip(address) || self.externals.contains_key(&address)
    }

    /// The Service ports behind the address of a load balancer; `None` if there is no such load balancer.
    pub fn balanced(&self, address: IpAddr) -> Option<impl Iterator<Item = &ServicePort>> {
        Some(self.balancers.get(&address)?.iter().filter_map(|id| self.port(*id).map(Arc::as_ref)))
    }

    /// Whether kube-proxy answers health checks of a load balancer on this port of every node.
    #[must_use]
    pub fn is_health_port(&self, port: u16) -> bool {
        self.health_ports.contains_key(&port)
    }

    /// The Service whose health kube-proxy tells at a port of every node, by namespace and name.
    #[must_use]
    pub fn health_service(&self, port: u16) -> Option<&(SmolStr, SmolStr)> {
        self.health_ports.get(&port)
    }

    /// How many ready endpoints a Service has on a node.
    #[must_use]
    pub fn local_ready(&self, namespace: &str, name: &str, node: &str) -> usize {
        let ports = self.ports_of(namespace, name);
        let local = ports.flat_map(|port| &port.endpoints).filter(|one| one.ready && one.node == node);
        local.map(|one| one.address.ip()).collect::<BTreeSet<_>>().len()
    }

    /// The health check ports of load balancers, with namespace and name of the Service of each.
    pub fn health_ports(&self) -> impl Iterator<Item = (&u16, &(SmolStr, SmolStr))> {
        self.health_ports.iter()
    }

    /// All Service ports, by name.
    pub fn all(&self) -> impl Iterator<Item = &ServicePort> {
        let mut ports: Vec<&ServicePort> = self.ports.iter().flatten().map(Arc::as_ref).collect();
        ports.sort_by(|a, b| a.name.cmp(&b.name));
        ports.into_iter()
    }

    /// The ports of a Service, in the order of its `spec.ports`, one address family after the other.
    pub fn ports_of(&self, namespace: &str, name: &str) -> impl Iterator<Item = &ServicePort> {
        let known = self.known.get(&(SmolStr::new(namespace), SmolStr::new(name)));
        known.into_iter().flat_map(|known| &known.ports).filter_map(|id| self.port(*id).map(Arc::as_ref))
    }

    /// Follows one write of a Service.
    pub(super) fn service(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after.or(before) else { return };
        let at = (object.namespace().clone(), object.name().clone());
        if let Some(known) = self.known.get_mut(&at) {
            let gone = std::mem::take(&mut known.ports);
            known.service = None;
            for id in gone {
                self.forget(id);
            }
        }
        if let Some(service) = before.and_then(|object| object.as_service()) {
            self.health_ports.remove(&service.health_check_port);
        }
        if let Some(object) = after {
            self.add(at, object);
        } else if self.known.get(&at).is_some_and(|known| known.slices.is_empty()) {
            self.known.remove(&at);
        }
    }

    fn add(&mut self, at: (SmolStr, SmolStr), object: &Arc<Object>) {
        let Some(service) = object.as_service() else { return };
        if service.health_check_port != 0 && service.kind == ServiceType::LoadBalancer {
            self.health_ports.insert(service.health_check_port, at.clone());
        }
        let mut ports: Vec<ServicePort> = Vec::new();
        // kube-proxy ignores headless and ExternalName Services, and those of other proxies
        // (pkg/proxy/util ShouldSkipService, label service.kubernetes.io/service-proxy-name).
        if service.kind != ServiceType::ExternalName
            && !service.headless
            && object.meta.label("service.kubernetes.io/service-proxy-name").is_empty()
        {
            ports.extend(ServicePort::of(&at.0, &at.1, service));
        }
        let known = self.known.entry(at).or_default();
        known.service = Some(object.clone());
        for port in &mut ports {
            port.set_endpoints(known.slices.values().filter_map(|slice| slice.as_endpoint_slice()));
        }
        let mut ids = Vec::with_capacity(ports.len());
        for port in ports {
            let id = self.free.pop().unwrap_or_else(|| {
                self.ports.push(None);
                u32::try_from(self.ports.len() - 1).expect("there are fewer than 2^32 Service ports")
            });
            ids.push(id);
            let claims: Vec<(IpAddr, Frontend)> = port.frontends().collect();
            let claimed = socket(port.protocol(), port.port);
            if port.node_port != 0 {
                let v4 = port.cluster_ip.is_ipv4();
                self.by_node_port.entry((v4, socket(port.protocol(), port.node_port))).or_insert(id);
            }
            *self.cluster_ips.entry(port.cluster_ip).or_default() += 1;
            for ip in port.external_ips.iter().chain(&port.load_balancer_ips) {
                *self.externals.entry(*ip).or_default() += 1;
            }
            for ip in &port.balancer_ips {
                self.balancers.entry(*ip).or_default().push(id);
            }
            self.ports[id as usize] = Some(Arc::new(port));
            for (ip, frontend) in claims {
                self.claim(ip, claimed, (id, frontend));
            }
        }
        let at = (object.namespace().clone(), object.name().clone());
        self.known.entry(at).or_default().ports = ids;
    }

    fn claim(&mut self, ip: IpAddr, at: Socket, claim: (u32, Frontend)) {
        let Some(first) = self.by_address.get(ip, at).copied() else {
            self.by_address.insert(ip, at, claim);
            return;
        };
        let mut claims = self.rivals.get(ip, at).cloned().unwrap_or_else(|| vec![first]);
        if claims.contains(&claim) {
            return;
        }
        claims.push(claim);
        claims.sort_by_cached_key(|(id, frontend)| (self.port(*id).map(|port| port.name.clone()), *frontend));
        self.by_address.insert(ip, at, claims[0]);
        self.rivals.insert(ip, at, claims);
    }

    fn release(&mut self, ip: IpAddr, at: Socket, id: u32) {
        let Some(claims) = self.rivals.get(ip, at) else {
            if self.by_address.get(ip, at).is_some_and(|(held, _)| *held == id) {
                self.by_address.remove(ip, at);
            }
            return;
        };
        let left: Vec<_> = claims.iter().filter(|(held, _)| *held != id).copied().collect();
        match left.first() {
            Some(first) => self.by_address.insert(ip, at, *first),
            None => self.by_address.remove(ip, at),
        }
        if left.len() > 1 { self.rivals.insert(ip, at, left) } else { self.rivals.remove(ip, at) }
    }

    fn forget(&mut self, id: u32) {
        let Some(port) = self.ports[id as usize].take() else { return };
        for (ip, _) in port.frontends() {
            self.release(ip, socket(port.protocol(), port.port), id);
        }
        let at = (port.cluster_ip.is_ipv4(), socket(port.protocol(), port.node_port));
        if self.by_node_port.get(&at) == Some(&id) {
            self.by_node_port.remove(&at);
        }
        if let Some(count) = self.cluster_ips.get_mut(&port.cluster_ip) {
            *count -= 1;
            if *count == 0 {
                self.cluster_ips.remove(&port.cluster_ip);
            }
        }
        for ip in port.external_ips.iter().chain(&port.load_balancer_ips) {
            if let Some(count) = self.externals.get_mut(ip) {
                *count -= 1;
                if *count == 0 {
                    self.externals.remove(ip);
                }
            }
        }
        for ip in &port.balancer_ips {
            if let Some(ids) = self.balancers.get_mut(ip) {
                ids.retain(|held| *held != id);
                if ids.is_empty() {
                    self.balancers.remove(ip);
                }
            }
        }
        self.free.push(id);
    }

    /// Follows one write of an EndpointSlice. The endpoints are taken over by [`Tables::settle`]: a large
    /// Service has many slices, and a sync often changes all of them.
    pub(super) fn slice(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let owner = |object: &Arc<Object>| {
            let service = object.as_endpoint_slice().map(|slice| slice.service.clone());
            (object.namespace().clone(), service.unwrap_or_default())
        };
        if let Some(object) = before
            && after.is_none_or(|after| owner(after) != owner(object))
        {
            let at = owner(object);
            if let Some(known) = self.known.get_mut(&at) {
                known.slices.remove(object.name());
                if known.service.is_none() && known.slices.is_empty() {
                    self.known.remove(&at);
                }
            }
            self.unsettled.insert(at);
        }
        if let Some(object) = after {
            let at = owner(object);
            if at.1.is_empty() {
                return;
            }
            let known = self.known.entry(at.clone()).or_default();
            known.slices.insert(object.name().clone(), object.clone());
            self.unsettled.insert(at);
        }
    }

    /// Takes over the endpoints of all slices that were written since the last call.
    pub(super) fn settle(&mut self) {
        for at in std::mem::take(&mut self.unsettled) {
            self.refresh(&at);
        }
    }

    fn refresh(&mut self, at: &(SmolStr, SmolStr)) {
        let Some(known) = self.known.get(at) else { return };
        for id in &known.ports {
            if let Some(port) = &mut self.ports[*id as usize] {
                // What traces still hold stays as it was.
                Arc::make_mut(port)
                    .set_endpoints(known.slices.values().filter_map(|slice| slice.as_endpoint_slice()));
            }
        }
    }
}

impl ServicePort {
    /// Its addresses, without node ports.
    fn frontends(&self) -> impl Iterator<Item = (IpAddr, Frontend)> {
        let external = self.external_ips.iter().map(|ip| (*ip, Frontend::ExternalIp));
        let balancers = self.load_balancer_ips.iter().map(|ip| (*ip, Frontend::LoadBalancer));
        std::iter::once((self.cluster_ip, Frontend::ClusterIp)).chain(external).chain(balancers)
    }
}

impl Matched<'_> {
    /// Whether it was addressed from outside the cluster network's point of view.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.frontend != Frontend::ClusterIp
    }

    /// The traffic policy that applies.
    #[must_use]
    pub fn policy(&self) -> Policy {
        if self.is_external() { self.port.external_policy } else { self.port.internal_policy }
    }
}
