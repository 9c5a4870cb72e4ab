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

impl ProxyMode {
    /// `iptables`, `nftables` or `ipvs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iptables => "iptables",
            Self::Nftables => "nftables",
            Self::Ipvs => "ipvs",
        }
    }
}

impl Cloud {
    /// `on`, `slow` or `off`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Slow => "slow",
            Self::Off => "off",
        }
    }
}

/// How closely the kubelets look at what a container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kubelets {
    /// As real ones: a program that the image lacks cannot be started, a probe gets what the server answers.
    #[default]
    Strict,
    /// As the stand-in kubelet with which the reference sessions were recorded, which started no container:
    /// any command runs, and a probe of a conventional health path passes.
    StandIn,
}

impl Kubelets {
    /// `strict` or `stand-in`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::StandIn => "stand-in",
        }
    }
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
    /// The address of the control plane node in the primary family; workers follow it.
    pub first_node_address: IpAddr,
    /// The same in the second family of a dual-stack world.
    pub second_node_address: Option<IpAddr>,
    /// The address of the workstation, outside the cluster's networks, in the primary family.
    pub workstation_address: IpAddr,
    /// The same in the second family of a dual-stack world.
    pub second_workstation_address: Option<IpAddr>,
    /// How kube-proxy works.
    pub proxy_mode: ProxyMode,
    /// Whether there is a cloud load balancer.
    pub cloud: Cloud,
    /// Whether nodes forward packets (`net.ipv4.ip_forward` and `net.ipv6.conf.all.forwarding`).
    pub ip_forward: bool,
    /// Whether packets that a bridge carries between Pods pass the rules of its node
    /// (`net.bridge.bridge-nf-call-iptables`).
    pub bridge_netfilter: bool,
    /// Whether bridges send a packet back to the Pod that it came from (the kubelet's `hairpinMode`), so that a Pod
    /// reaches itself through its Service.
    pub hairpin: bool,
    /// How closely the kubelets look at containers.
    pub kubelet: Kubelets,
}

/// The networks and addresses of one address family.
struct Plan {
    pods: &'static str,
    node_prefix: u8,
    services: &'static str,
    node: &'static str,
    workstation: &'static str,
}

const V4: Plan = Plan {
    pods: "10.244.0.0/16",
    node_prefix: 24,
    services: "10.96.0.0/12",
    node: "192.168.1.72",
    workstation: "203.0.113.10",
};

/// The Pod network of a world whose nodes need more ranges than [`V4`] has: the shared address space of RFC 6598.
const WIDE_PODS: &str = "100.64.0.0/10";

const V6: Plan = Plan {
    pods: "fd00:10:244::/56",
    node_prefix: 64,
    services: "fd00:10:96::/112",
    node: "fd00:192:168:1::72",
    workstation: "2001:db8:0:113::10",
};

impl Plan {
    fn node_address(&self) -> IpAddr {
        self.node.parse().expect("the default addresses are valid")
    }

    fn workstation_address(&self) -> IpAddr {
        self.workstation.parse().expect("the default addresses are valid")
    }
}

/// The address so many after another.
#[must_use]
pub fn after(address: IpAddr, count: u32) -> IpAddr {
    match address {
        IpAddr::V4(ip) => IpAddr::V4(u32::from(ip).wrapping_add(count).into()),
        IpAddr::V6(ip) => IpAddr::V6(u128::from(ip).wrapping_add(u128::from(count)).into()),
    }
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
            pod_networks: vec![range(V4.pods)],
            node_prefixes: vec![V4.node_prefix],
            service_networks: vec![range(V4.services)],
            node_ports: (30_000, 32_767),
            first_node_address: V4.node_address(),
            second_node_address: None,
            workstation_address: V4.workstation_address(),
            second_workstation_address: None,
            proxy_mode: ProxyMode::default(),
            cloud: Cloud::default(),
            ip_forward: true,
            bridge_netfilter: true,
            hairpin: true,
            kubelet: Kubelets::default(),
        }
    }
}

impl Settings {
    /// The same world with IPv6 beside IPv4.
    #[must_use]
    pub fn dual_stack(self) -> Self {
        self.with_families("IPv4,IPv6")
    }

    /// The same world with other address families: `IPv4`, `IPv6`, or both with the primary one first. What is
    /// neither leaves the world as it is.
    #[must_use]
    pub fn with_families(mut self, families: &str) -> Self {
        let plans: Vec<&Plan> = families
            .split(',')
            .filter_map(|family| match family.trim() {
                "IPv4" => Some(&V4),
                "IPv6" => Some(&V6),
                _ => None,
            })
            .collect();
        let (Some(first), second) = (plans.first(), plans.get(1)) else { return self };
        let both = || std::iter::once(first).chain(second);
        self.pod_networks = both().map(|plan| range(plan.pods)).collect();
        self.node_prefixes = both().map(|plan| plan.node_prefix).collect();
        self.service_networks = both().map(|plan| range(plan.services)).collect();
        self.first_node_address = first.node_address();
        self.second_node_address = second.map(|plan| plan.node_address());
        self.workstation_address = first.workstation_address();
        self.second_workstation_address = second.map(|plan| plan.workstation_address());
        self
    }

    /// Gives the usual Pod network as many ranges as there are nodes: one of `/16` has 256.
    pub(super) fn make_room_for_nodes(&mut self) {
        let (usual, wide) = (range(V4.pods), range(WIDE_PODS));
        let (from, to) = if self.nodes > 256 { (usual, wide) } else { (wide, usual) };
        for network in self.pod_networks.iter_mut().filter(|network| **network == from) {
            *network = to;
        }
    }

    /// The addresses of the workstation, the primary family's first.
    pub fn workstation_addresses(&self) -> impl Iterator<Item = IpAddr> {
        std::iter::once(self.workstation_address).chain(self.second_workstation_address)
    }

    /// The address of the cluster's DNS Service: the tenth of the primary Service network.
    #[must_use]
    pub fn dns_address(&self) -> IpAddr {
        self.service_networks
            .first()
            .map_or(IpAddr::from([10, 96, 0, 10]), |range| after(range.network(), 10))
    }

    /// The address of the router between the nodes and the world, which also is the name server of hosts.
    #[must_use]
    pub fn router_address(&self) -> IpAddr {
        let prefix = if self.first_node_address.is_ipv4() { 24 } else { 64 };
        let lan = IpNet::new(self.first_node_address, prefix).expect("the prefix is valid");
        after(lan.network(), 1)
    }

    /// The name of node number `index`: the control plane is number 0.
    #[must_use]
    pub fn node_name(&self, index: u32) -> String {
        if index == 0 { "k8s-master".to_owned() } else { format!("k8s-w{index}") }
    }
}
