//! Who has which address, and how the networks hang together.
//!
//! Owns the addresses and sockets of nodes, Pods and outside hosts, and the routes between them: a bridge
//! `cni0` on each node with the node's share of the Pod network, a route to each other node's share by that
//! node's address (flannel's host-gw), one LAN for the nodes, and a router to the world. It does not own what
//! happens to a packet on its way ([`super::walk`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::address_map::AddressMap;
use super::hop::Place;
use super::host_ports::{self, HostPort};
use super::sockets::{self, Listener, NodeSocketSource, SocketSource};
use crate::api::object::{Key, Object};
use crate::api::typed::{Node, Protocol};
use crate::api::value::SmolStr;
use crate::cluster::Settings;
use crate::cluster::settings::after;

/// A node's place in the topology; it stays when the node goes, and is taken again by a node of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// A node as the network sees it.
#[derive(Clone, Debug, Default)]
pub struct NodeEntry {
    /// Its name.
    pub name: SmolStr,
    /// Its addresses in the LAN, first the primary one; none if there is no such node now.
    pub addresses: Vec<IpAddr>,
    /// All its own addresses: those in the LAN and those of its bridge.
    own: Vec<IpAddr>,
    /// Its share of the Pod networks.
    pub ranges: Vec<IpNet>,
    /// Its zone, or empty.
    pub zone: SmolStr,
    /// Whether it runs the control plane.
    pub control_plane: bool,
    /// Whether load balancers outside may send to it: ready and without the label
    /// `node.kubernetes.io/exclude-from-external-load-balancers`.
    pub balanced: bool,
    /// Pods on the node's own network, for their sockets.
    host_pods: BTreeMap<Key, Arc<Object>>,
    /// Its ports that lead to one Pod each.
    pub(super) host_ports: Vec<HostPort>,
}

/// A Pod as the network sees it.
#[derive(Debug)]
pub struct PodEntry {
    /// Its key. A packet that only passes by need not touch the object.
    pub key: Key,
    /// The Pod.
    pub object: Arc<Object>,
    /// Its node.
    pub node: NodeId,
    sockets: OnceLock<Box<[Listener]>>,
}

/// Who has an address.
#[derive(Debug)]
pub enum Owner {
    /// A node: an address in the LAN.
    Node(NodeId),
    /// A node: the address of its bridge `cni0`.
    Bridge(NodeId),
    /// A Pod.
    Pod(PodEntry),
}

/// A host outside the cluster.
#[derive(Clone, Debug)]
pub struct OutsideHost {
    /// Its address.
    pub address: IpAddr,
    /// Names that DNS outside the cluster has for it.
    pub names: Vec<SmolStr>,
    /// What it listens on.
    pub listeners: Vec<Listener>,
}

/// The addresses and networks of a world.
#[derive(Debug)]
pub struct Topology {
    /// Shared with the rules of traces, which are spelled from a node as it was.
    nodes: Vec<Arc<NodeEntry>>,
    ids: FxHashMap<SmolStr, NodeId>,
    owners: AddressMap<(), Owner>,
    ranges: FxHashMap<IpNet, NodeId>,
    prefixes: Vec<(bool, u8)>,
    lan: Vec<IpNet>,
    /// The Pod networks of the whole cluster (kube-proxy's `clusterCIDR`).
    pub pod_networks: Vec<IpNet>,
    /// The Service networks.
    pub service_networks: Vec<IpNet>,
    /// The workstation's addresses, one per family, the primary one first.
    pub workstations: Vec<IpAddr>,
    /// Hosts outside, the workstation among them.
    pub outside: Vec<OutsideHost>,
    /// Addresses outside that the router sends unchanged to a node, as MetalLB or a static route would.
    pub routed: Vec<(IpNet, SmolStr)>,
    /// What nodes themselves listen on.
    pub node_sockets: NodeSocketSource,
    /// Whether bridges send a packet back to the Pod that it came from.
    pub hairpin: bool,
    /// Whether nodes forward packets.
    pub ip_forward: bool,
    /// Whether packets that a bridge carries pass the rules of its node.
    pub bridge_netfilter: bool,
    sockets: SocketSource,
}

/// The prefix of the nodes' LAN, made wider only if the nodes do not fit.
const LAN_PREFIX: u8 = 24;

impl Topology {
    pub(super) fn new(sockets: SocketSource) -> Self {
        Self {
            nodes: Vec::new(),
            ids: FxHashMap::default(),
            owners: AddressMap::default(),
            ranges: FxHashMap::default(),
            prefixes: Vec::new(),
            lan: Vec::new(),
            pod_networks: Vec::new(),
            service_networks: Vec::new(),
            workstations: Vec::new(),
            outside: Vec::new(),
            routed: Vec::new(),
            node_sockets: sockets::of_node,
            hairpin: true,
            ip_forward: true,
            bridge_netfilter: true,
            sockets,
        }
    }

    /// Forgets nodes and Pods; the world and what is outside stays.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.ids.clear();
        self.owners.clear();
        self.ranges.clear();
        self.prefixes.clear();
        self.lan.clear();
    }

    /// Takes over the world's ranges and the workstation's address.
    pub(super) fn set_world(&mut self, settings: &Settings) {
        self.hairpin = settings.hairpin;
        self.ip_forward = settings.ip_forward;
        self.bridge_netfilter = settings.bridge_netfilter;
        if self.pod_networks != settings.pod_networks {
            self.pod_networks.clone_from(&settings.pod_networks);
        }
        if self.service_networks != settings.service_networks {
            self.service_networks.clone_from(&settings.service_networks);
        }
        if !settings.workstation_addresses().eq(self.workstations.iter().copied()) {
            self.workstations = settings.workstation_addresses().collect();
            let host = |address: &IpAddr| OutsideHost {
                address: *address,
                names: Vec::new(),
                listeners: vec![Listener::tcp(22, "sshd")],
            };
            self.outside = self.workstations.iter().map(host).collect();
        }
    }

    /// The node with a name, present or not.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.ids.get(name).copied()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Arc<NodeEntry> {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut NodeEntry {
        Arc::make_mut(&mut self.nodes[id.0 as usize])
    }

    /// A node as a place.
    #[must_use]
    pub fn place(&self, id: NodeId) -> Place {
        Place::Node(self.node(id).name.clone())
    }

    /// The nodes that are there, in the order in which they came.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeEntry)> {
        let nodes = self.nodes.iter().map(Arc::as_ref);
        (0..).map(NodeId).zip(nodes).filter(|(_, node)| !node.addresses.is_empty())
    }

    fn intern(&mut self, name: &SmolStr) -> NodeId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).expect("there are fewer than 2^32 nodes"));
        self.nodes.push(Arc::new(NodeEntry { name: name.clone(), ..NodeEntry::default() }));
        self.ids.insert(name.clone(), id);
        id
    }

    /// Who has an address inside the cluster.
    #[must_use]
    pub fn owner(&self, address: IpAddr) -> Option<&Owner> {
        self.owners.get(address, ())
    }

    /// The node whose share of the Pod network holds an address.
    #[must_use]
    pub fn range_owner(&self, address: IpAddr) -> Option<NodeId> {
        self.prefixes.iter().filter(|(v4, _)| *v4 == address.is_ipv4()).find_map(|(_, prefix)| {
            let range = IpNet::new(address, *prefix).expect("the prefix is one of this family").trunc();
            self.ranges.get(&range).copied()
        })
    }

    /// Whether an address is in the nodes' LAN.
    #[must_use]
    pub fn in_lan(&self, address: IpAddr) -> bool {
        self.lan.iter().any(|lan| holds(lan, address))
    }

    /// The LAN that holds an address.
    #[must_use]
    pub fn lan_of(&self, address: IpAddr) -> Option<&IpNet> {
        self.lan.iter().find(|lan| holds(lan, address))
    }

    /// Whether an address is in the Pod network of the cluster.
    #[must_use]
    pub fn in_pod_network(&self, address: IpAddr) -> bool {
        self.pod_networks.iter().any(|network| holds(network, address))
    }

    /// Whether an address is in the Service network.
    #[must_use]
    pub fn in_service_network(&self, address: IpAddr) -> bool {
        self.service_networks.iter().any(|network| holds(network, address))
    }

    /// The router's address in the LAN, in the family of another address: the first one of the LAN.
    #[must_use]
    pub fn router(&self, like: IpAddr) -> IpAddr {
        let lan = self.lan.iter().find(|lan| lan.addr().is_ipv4() == like.is_ipv4());
        lan.map_or(like, |lan| after(lan.network(), 1))
    }

    /// The workstation's address in the family of another address.
    #[must_use]
    pub fn workstation(&self, like: IpAddr) -> Option<IpAddr> {
        self.workstations.iter().find(|address| address.is_ipv4() == like.is_ipv4()).copied()
    }

    /// The node's own addresses: in the LAN and of its bridge.
    pub fn own_addresses(&self, node: NodeId) -> impl Iterator<Item = IpAddr> {
        self.node(node).own.iter().copied()
    }

    /// Whether an address is the node's own: in the LAN, of its bridge, or loopback.
    #[must_use]
    pub fn is_local(&self, node: NodeId, address: IpAddr) -> bool {
        self.node(node).own.contains(&address) || address.is_loopback()
    }

    /// What a Pod listens on.
    #[must_use]
    pub fn pod_listeners<'a>(&self, pod: &'a PodEntry) -> &'a [Listener] {
        pod.sockets.get_or_init(|| (self.sockets)(&pod.object).into_boxed_slice())
    }

    /// Everything that listens on a node itself.
    #[must_use]
    pub fn node_listeners(&self, id: NodeId) -> Vec<Listener> {
        let node = self.node(id);
        let mut open = (self.node_sockets)(node.control_plane);
        open.extend(node.host_pods.values().flat_map(|pod| (self.sockets)(pod)));
        open
    }

    /// The Pod on a node's own network that listens on a port.
    #[must_use]
    pub fn host_pod(&self, node: &str, protocol: Protocol, port: u16) -> Option<&Arc<Object>> {
        let node = self.node(self.node_named(node)?);
        let opens = |pod: &&Arc<Object>| {
            (self.sockets)(pod).iter().any(|one| one.port == port && one.protocol == protocol)
        };
        node.host_pods.values().find(opens)
    }

    /// Follows one write of a Node.
    pub(super) fn write_node(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let Some(object) = after.or(before) else { return };
        let id = self.intern(object.name());
        let old = Arc::unwrap_or_clone(std::mem::take(&mut self.nodes[id.0 as usize]));
        for address in old.addresses.iter().copied().chain(old.ranges.iter().filter_map(bridge)) {
            if matches!(self.owners.get(address, ()), Some(Owner::Node(held) | Owner::Bridge(held)) if *held == id)
            {
                self.owners.remove(address, ());
            }
        }
        for range in &old.ranges {
            self.ranges.remove(&range.trunc());
        }
        let (host_pods, host_ports) = (old.host_pods, old.host_ports);
        let mut entry = NodeEntry { name: old.name, host_pods, host_ports, ..NodeEntry::default() };
        if let Some((object, node)) = after.and_then(|object| Some((object, object.as_node()?))) {
            entry.addresses.clone_from(&node.addresses);
            entry.ranges.clone_from(&node.pod_ranges);
            entry.own.clone_from(&node.addresses);
            entry.own.extend(node.pod_ranges.iter().filter_map(bridge));
            entry.zone = node.zone.clone();
            let labels = &object.meta.labels;
            entry.control_plane = !labels.get("node-role.kubernetes.io/control-plane").is_null();
            entry.balanced =
                node.ready && labels.get("node.kubernetes.io/exclude-from-external-load-balancers").is_null();
            self.claim(id, node);
        }
        self.nodes[id.0 as usize] = Arc::new(entry);
    }

    fn claim(&mut self, id: NodeId, node: &Node) {
        for address in &node.addresses {
            self.owners.insert(*address, (), Owner::Node(id));
            self.widen_lan(*address);
        }
        for range in &node.pod_ranges {
            self.ranges.insert(range.trunc(), id);
            let prefix = (range.addr().is_ipv4(), range.prefix_len());
            if !self.prefixes.contains(&prefix) {
                self.prefixes.push(prefix);
            }
            if let Some(address) = bridge(range) {
                self.owners.insert(address, (), Owner::Bridge(id));
            }
        }
    }

    fn widen_lan(&mut self, address: IpAddr) {
        if self.in_lan(address) {
            return;
        }
        let same = self.lan.iter_mut().find(|lan| lan.addr().is_ipv4() == address.is_ipv4());
        match same {
            Some(lan) => {
                while !lan.contains(&address) {
                    let Some(wider) = lan.supernet() else { return };
                    *lan = wider;
                }
            }
            None => {
                let prefix = if address.is_ipv4() { LAN_PREFIX } else { 64 };
                self.lan.push(IpNet::new(address, prefix).expect("the prefix is valid").trunc());
            }
        }
    }

    /// Follows one write of a Pod.
    pub(super) fn write_pod(&mut self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        if let Some(object) = before
            && let Some(pod) = object.as_pod()
        {
            let kept = after.and_then(|object| object.as_pod()).filter(|pod| !pod.is_finished());
            for address in &pod.ips {
                let stays = kept.is_some_and(|pod| pod.ips.contains(address));
                if !stays
                    && matches!(self.owners.get(*address, ()), Some(Owner::Pod(held)) if held.key == object.key)
                {
                    self.owners.remove(*address, ());
                }
            }
            if pod.spec.host_network
                && let Some(id) = self.node_named(&pod.node)
            {
                self.node_mut(id).host_pods.remove(&object.key);
            }
            if let Some(id) = self.node_named(&pod.node)
                && self.node(id).host_ports.iter().any(|one| one.pod == object.key)
            {
                self.node_mut(id).host_ports.retain(|one| one.pod != object.key);
            }
        }
        let Some(object) = after else { return };
        let Some(pod) = object.as_pod().filter(|pod| !pod.is_finished() && !pod.node.is_empty()) else {
            return;
        };
        let node = self.intern(&pod.node);
        if pod.spec.host_network {
            self.node_mut(node).host_pods.insert(object.key.clone(), object.clone());
            return;
        }
        let host_ports = host_ports::of_pod(object, pod);
        if !host_ports.is_empty() {
            self.node_mut(node).host_ports.extend(host_ports);
        }
        for address in &pod.ips {
            let entry =
                PodEntry { key: object.key.clone(), object: object.clone(), node, sockets: OnceLock::new() };
            self.owners.insert(*address, (), Owner::Pod(entry));
        }
    }
}

/// Whether an address is in a network. It is asked several times for every packet, and comparing the bits of the
/// prefix is several times as fast as the comparison with both ends of the range that [`IpNet`] makes.
#[inline]
fn holds(network: &IpNet, address: IpAddr) -> bool {
    match (network, address) {
        (IpNet::V4(network), IpAddr::V4(address)) => {
            let differing = u32::from(network.addr()) ^ u32::from(address);
            differing.leading_zeros() >= u32::from(network.prefix_len())
        }
        (IpNet::V6(network), IpAddr::V6(address)) => {
            let differing = u128::from(network.addr()) ^ u128::from(address);
            differing.leading_zeros() >= u32::from(network.prefix_len())
        }
        _ => false,
    }
}

/// The address of the bridge `cni0` in a node's share of the Pod network: the first one.
#[must_use]
pub fn bridge(range: &IpNet) -> Option<IpAddr> {
    (range.prefix_len() < range.max_prefix_len()).then(|| after(range.network(), 1))
}

impl NodeEntry {
    /// Its address in the LAN, in the family of another address.
    #[must_use]
    pub fn address_for(&self, other: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().find(|address| address.is_ipv4() == other.is_ipv4()).copied()
    }

    /// The address of its bridge, in the family of another address.
    #[must_use]
    pub fn bridge_for(&self, other: IpAddr) -> Option<IpAddr> {
        self.ranges.iter().find(|range| range.addr().is_ipv4() == other.is_ipv4()).and_then(bridge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_networks_that_share_its_prefix() {
        let addresses =
            ["10.244.1.7", "10.244.2.0", "10.244.1.255", "0.0.0.0", "255.255.255.255", "fd00::1", "fd01::"];
        let networks =
            ["10.244.1.0/24", "10.244.1.7/32", "0.0.0.0/0", "10.0.0.0/7", "fd00::/64", "fd00::1/128", "::/0"];
        for network in networks.map(|text| text.parse::<IpNet>().expect("a network")) {
            for address in addresses.map(|text| text.parse::<IpAddr>().expect("an address")) {
                assert_eq!(holds(&network, address), network.contains(&address), "{address} in {network}");
            }
        }
    }
}
