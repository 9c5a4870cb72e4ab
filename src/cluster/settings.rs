//! The settings of a world.
//!
//! Owns what a person can choose before or while a cluster runs: size, ranges, proxy mode, cloud, seed.
//! The defaults are the world that every new session finds.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::api::time::Timestamp;

/// How kube-proxy writes its rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// iptables, the default.
    #[default]
    Iptables,
    /// nftables.
    Nftables,
    /// IPVS, deprecated.
    Ipvs,
}

/// Whether a cloud gives addresses to Services of type LoadBalancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// There is no cloud: external addresses stay pending.
    #[default]
    Off,
    /// There is one, and it answers at once.
    On,
    /// There is one, and it takes its time.
    Slow,
}

/// What a person can choose of a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where the generator starts.
    pub seed: u64,
    /// The calendar time at which the virtual clock is zero.
    pub epoch: Timestamp,
    /// The number of nodes, control plane included.
    pub nodes: u32,
    /// How many Pods fit on a node (`maxPods` of the kubelet).
    pub pods_per_node: u32,
    /// Zones over which the worker nodes are spread; none by default.
    pub zones: Vec<String>,
    /// Pod networks, one per address family, first the primary one.
    pub pod_networks: Vec<IpNet>,
    /// The prefix length of one node's share of each Pod network.
    pub node_prefixes: Vec<u8>,
    /// Service networks, one per address family, first the primary one.
    pub service_networks: Vec<IpNet>,
    /// The range of node ports, both ends included.
    pub node_ports: (u16, u16),
    /// The address of the control plane node; workers follow it.
    pub first_node_address: IpAddr,
    /// The address of the workstation, outside the cluster's networks.
    pub workstation_address: IpAddr,
    /// How kube-proxy works.
    pub proxy_mode: ProxyMode,
    /// Whether there is a cloud load balancer.
    pub cloud: Cloud,
}

fn range(text: &str) -> IpNet {
    text.parse().expect("the default ranges are valid")
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            // A fixed calendar date: worlds must not depend on the day they are opened.
            epoch: Timestamp(1_767_225_600),
            nodes: 3,
            pods_per_node: 110,
            zones: Vec::new(),
            pod_networks: vec![range("10.244.0.0/16")],
            node_prefixes: vec![24],
            service_networks: vec![range("10.96.0.0/12")],
            node_ports: (30_000, 32_767),
            first_node_address: IpAddr::from([192, 168, 1, 72]),
            workstation_address: IpAddr::from([203, 0, 113, 10]),
            proxy_mode: ProxyMode::default(),
            cloud: Cloud::default(),
        }
    }
}

impl Settings {
    /// The same world with IPv6 beside IPv4.
    #[must_use]
    pub fn dual_stack(mut self) -> Self {
        self.pod_networks = vec![range("10.244.0.0/16"), range("fd00:10:244::/56")];
        self.node_prefixes = vec![24, 64];
        self.service_networks = vec![range("10.96.0.0/12"), range("fd00:10:96::/112")];
        self
    }

    /// The name of node number `index`: the control plane is number 0.
    #[must_use]
    pub fn node_name(&self, index: u32) -> String {
        if index == 0 { "k8s-master".to_owned() } else { format!("k8s-w{index}") }
    }
}
