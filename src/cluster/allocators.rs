//! Addresses and ports that are given out.
//!
//! Owns the Service networks, the range of node ports and the nodes' Pod ranges. What is taken follows
//! from the objects that exist: every write passes through [`Allocators::apply`], undo included. Which
//! address a Service gets is decided in `super::services`; when a Pod gets one is the kubelet's business.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::random::Random;
use super::settings::Settings;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::typed::Service;
use crate::api::value::SmolStr;

/// Why a wanted address or port cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It lies outside the range, or is the network or broadcast address.
    OutOfRange,
    /// Somebody has it.
    Taken,
    /// Nothing is free.
    Full,
}

/// The allocators of a cluster.
#[derive(Debug)]
pub struct Allocators {
    /// One per address family, first the primary one.
    pub services: Vec<ServiceRange>,
    /// Ports on every node.
    pub node_ports: NodePorts,
    /// Pod ranges by node.
    nodes: BTreeMap<SmolStr, Vec<PodRange>>,
    pod_networks: Vec<(IpNet, u8)>,
}

/// One Service network.
#[derive(Debug)]
pub struct ServiceRange {
    /// The network.
    pub network: IpNet,
    used: BTreeSet<u128>,
}

/// The range of node ports.
#[derive(Debug)]
pub struct NodePorts {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
    /// Taken ports; TCP, UDP and SCTP count apart only within one Service.
    used: BTreeSet<u16>,
}

/// The addresses of one node for its Pods.
#[derive(Debug)]
struct PodRange {
    network: IpNet,
    used: BTreeSet<u128>,
    /// The offset given last: like the host-local plugin, go on behind it before starting over.
    last: u128,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn at_offset(network: &IpNet, offset: u128) -> IpAddr {
    match network.network() {
        IpAddr::V4(v4) => {
            let base = u32::from(v4);
            IpAddr::V4(Ipv4Addr::from(
                base.wrapping_add(u32::try_from(offset).expect("an IPv4 offset has 32 bits")),
            ))
        }
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6).wrapping_add(offset))),
    }
}

/// The number of addresses of a network; at most 2^16 of an IPv6 network are used.
fn size(network: &IpNet) -> u128 {
    let bits = u32::from(network.max_prefix_len() - network.prefix_len());
    match network {
        IpNet::V4(_) => 1 << bits,
        IpNet::V6(_) => 1 << bits.min(16),
    }
}

impl ServiceRange {
    fn new(network: IpNet) -> Self {
        Self { network, used: BTreeSet::new() }
    }

    /// Takes a wanted address.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfRange`] outside the range and for its network and broadcast address,
    /// [`Refusal::Taken`] if it is given out.
    pub fn reserve(&mut self, address: IpAddr) -> Result<(), Refusal> {
        self.check(address)?;
        self.used.insert(number(address));
        Ok(())
    }

    /// Whether a wanted address could be had.
    ///
    /// # Errors
    ///
    /// As [`ServiceRange::reserve`].
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let broadcast = matches!(self.network, IpNet::V4(_)) && address == self.network.broadcast();
        if !self.network.contains(&address) || address == self.network.network() || broadcast {
            return Err(Refusal::OutOfRange);
        }
        if self.used.contains(&number(address)) { Err(Refusal::Taken) } else { Ok(()) }
    }

    /// Takes a free address at random, leaving the lower band for those who choose their own
    /// (<https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/>).
    ///
    /// # Errors
    ///
    /// [`Refusal::Full`] if none is free.
    pub fn take(&mut self, random: &mut Random) -> Result<IpAddr, Refusal> {
        let usable = size(&self.network) - if matches!(self.network, IpNet::V4(_)) { 2 } else { 1 };
        let band = (usable / 16).clamp(16, 256).min(usable);
        let upper = usable - band;
        let free =
            |offset: u128, used: &BTreeSet<u128>| !used.contains(&number(at_offset(&self.network, offset)));
        let start =
            if upper > 0 { u128::from(random.below(u64::try_from(upper).unwrap_or(u64::MAX))) } else { 0 };
        let above = (0..upper).map(|step| band + 1 + (start + step) % upper);
        let offset = above.chain(1..=band).find(|offset| free(*offset, &self.used)).ok_or(Refusal::Full)?;
        let address = at_offset(&self.network, offset);
        self.used.insert(number(address));
        Ok(address)
    }

    /// Gives an address back.
    pub fn release(&mut self, address: IpAddr) {
        self.used.remove(&number(address));
    }
}

impl NodePorts {
    /// Takes a wanted port.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfRange`] or [`Refusal::Taken`].
    pub fn reserve(&mut self, port: u16) -> Result<(), Refusal> {
        if port < self.first || port > self.last {
            return Err(Refusal::OutOfRange);
        }
        if self.used.insert(port) { Ok(()) } else { Err(Refusal::Taken) }
    }

    /// Takes a free port at random, leaving the lower band for those who choose their own (KEP-3668).
    ///
    /// # Errors
    ///
    /// [`Refusal::Full`] if none is free.
    pub fn take(&mut self, random: &mut Random) -> Result<u16, Refusal> {
        let count = self.last - self.first + 1;
        let band = (count / 32).clamp(16, 128).min(count);
        let upper = count - band;
        let start =
            if upper > 0 { u16::try_from(random.below(u64::from(upper))).expect("below 2^16") } else { 0 };
        let above = (0..upper).map(|step| band + (start + step) % upper);
        let offset =
            above.chain(0..band).find(|o| !self.used.contains(&(self.first + o))).ok_or(Refusal::Full)?;
        self.used.insert(self.first + offset);
        Ok(self.first + offset)
    }

    /// Gives a port back.
    pub fn release(&mut self, port: u16) {
        self.used.remove(&port);
    }
}

impl PodRange {
    /// The next free address: the first two (network and bridge) and the broadcast address are never given.
    fn take(&mut self) -> Option<IpAddr> {
        let count = size(&self.network);
        let usable = count.saturating_sub(3);
        for step in 1..=usable {
            let offset = 2 + (self.last.saturating_sub(1) + step - 1) % usable;
            let address = at_offset(&self.network, offset);
            if self.used.insert(number(address)) {
                self.last = offset;
                return Some(address);
            }
        }
        None
    }
}

impl Allocators {
    /// Allocators in which nothing is taken.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            services: settings.service_networks.iter().copied().map(ServiceRange::new).collect(),
            node_ports: NodePorts {
                first: settings.node_ports.0,
                last: settings.node_ports.1,
                used: BTreeSet::new(),
            },
            nodes: BTreeMap::new(),
            pod_networks: settings
                .pod_networks
                .iter()
                .copied()
                .zip(settings.node_prefixes.iter().copied())
                .collect(),
        }
    }

    /// The Pod ranges for node number `index`, one per family. Empty where the Pod network is used up.
    #[must_use]
    pub fn node_ranges(&self, index: u32) -> Vec<IpNet> {
        let range = |(network, prefix): &(IpNet, u8)| {
            let bits = u32::from(network.max_prefix_len().checked_sub(*prefix)?);
            let base = at_offset(network, u128::from(index) << bits);
            network.contains(&base).then(|| IpNet::new(base, *prefix).expect("the prefix fits the family"))
        };
        self.pod_networks.iter().filter_map(range).collect()
    }

    /// Takes one address per family for a Pod on a node, the primary one first; `None` if the node has no
    /// free address left.
    pub fn take_pod_addresses(&mut self, node: &str) -> Option<Vec<IpAddr>> {
        self.nodes.get_mut(node)?.iter_mut().map(PodRange::take).collect()
    }

    /// Follows one write: releases what the old version held, takes what the new one holds.
    pub(super) fn apply(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let kind = after.or(before).map(|object| object.key.kind);
        match kind {
            Some(Kind::Service) => {
                for service in before.and_then(|object| object.as_service()).into_iter() {
                    self.change_service(service, false);
                }
                for service in after.and_then(|object| object.as_service()).into_iter() {
                    self.change_service(service, true);
                }
            }
            Some(Kind::Pod) => {
                for (object, add) in [(before, false), (after, true)] {
                    self.change_pod(object, add);
                }
            }
            Some(Kind::Node) => self.change_node(before, after),
            _ => {}
        }
    }

    fn change_service(&mut self, service: &Service, add: bool) {
        for address in &service.cluster_ips {
            for range in self.services.iter_mut().filter(|range| range.network.contains(address)) {
                if add {
                    range.used.insert(number(*address))
                } else {
                    range.used.remove(&number(*address))
                };
            }
        }
        let ports = service.ports.iter().map(|port| port.node_port).chain([service.health_check_port]);
        for port in ports.filter(|port| *port != 0) {
            if add {
                self.node_ports.used.insert(port)
            } else {
                self.node_ports.used.remove(&port)
            };
        }
    }

    fn change_pod(&mut self, object: Option<&Arc<Object>>, add: bool) {
        let Some(pod) = object.and_then(|object| object.as_pod()).filter(|pod| !pod.spec.host_network) else {
            return;
        };
        // A Pod that has ended has given its addresses back already.
        let add = add && !pod.is_finished();
        let Some(ranges) = self.nodes.get_mut(&pod.node) else { return };
        for address in &pod.ips {
            for range in ranges.iter_mut().filter(|range| range.network.contains(address)) {
                if add {
                    range.used.insert(number(*address))
                } else {
                    range.used.remove(&number(*address))
                };
            }
        }
    }

    fn change_node(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let name = after.or(before).map(|object| object.key.name.clone()).unwrap_or_default();
        let Some(node) = after.and_then(|object| object.as_node()) else {
            self.nodes.remove(&name);
            return;
        };
        let same = self.nodes.get(&name).is_some_and(|ranges| {
            ranges.iter().map(|range| range.network).eq(node.pod_ranges.iter().copied())
        });
        if !same {
            let range = |network: &IpNet| PodRange { network: *network, used: BTreeSet::new(), last: 1 };
            self.nodes.insert(name, node.pod_ranges.iter().map(range).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_addresses_leave_the_static_band_alone() {
        let mut range = ServiceRange::new("10.96.0.0/12".parse().unwrap());
        let mut random = Random::new(7);
        for _ in 0..500 {
            let address = number(range.take(&mut random).unwrap()) - number(range.network.network());
            assert!(address > 256);
        }
    }

    #[test]
    fn a_small_range_is_used_to_the_last_address() {
        let mut range = ServiceRange::new("10.0.0.0/28".parse().unwrap());
        let mut random = Random::new(7);
        let taken: BTreeSet<IpAddr> = (0..14).map(|_| range.take(&mut random).unwrap()).collect();
        assert_eq!(taken.len(), 14);
        assert_eq!(range.take(&mut random), Err(Refusal::Full));
    }

    #[test]
    fn network_and_broadcast_addresses_are_out_of_range() {
        let mut range = ServiceRange::new("10.96.0.0/12".parse().unwrap());
        for address in ["10.96.0.0", "10.111.255.255", "10.95.0.1"] {
            assert_eq!(range.reserve(address.parse().unwrap()), Err(Refusal::OutOfRange), "{address}");
        }
        assert_eq!(range.reserve("10.96.0.10".parse().unwrap()), Ok(()));
        assert_eq!(range.reserve("10.96.0.10".parse().unwrap()), Err(Refusal::Taken));
    }

    #[test]
    fn random_node_ports_leave_the_static_band_alone() {
        let mut ports = NodePorts { first: 30_000, last: 32_767, used: BTreeSet::new() };
        let mut random = Random::new(7);
        assert!((0..200).all(|_| ports.take(&mut random).unwrap() > 30_085));
    }

    #[test]
    fn pod_addresses_start_behind_the_bridge_and_go_round() {
        let mut range =
            PodRange { network: "10.244.1.0/29".parse().unwrap(), used: BTreeSet::new(), last: 1 };
        let taken: Vec<String> = std::iter::from_fn(|| range.take()).map(|a| a.to_string()).collect();
        assert_eq!(taken, ["10.244.1.2", "10.244.1.3", "10.244.1.4", "10.244.1.5", "10.244.1.6"]);
        range.used.remove(&number("10.244.1.3".parse().unwrap()));
        assert_eq!(range.take().unwrap().to_string(), "10.244.1.3");
    }
}
