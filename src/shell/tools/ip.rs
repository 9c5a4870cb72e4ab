//! `ip`: the addresses and routes of a place.
//!
//! Owns the command: `ip addr`, `ip route`, `ip route get`, in the words of iproute2 (reference:
//! `network/tools/inspect`). Interfaces are those that packets really take here: `eth0`, the bridge `cni0`, and
//! `kube-ipvs0` where kube-proxy works by IPVS. Nothing can be changed.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::Origin;
use crate::network::topology::{Topology, bridge};
use crate::shell::client::origin;
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::flags::{Style, not_simulated as not_simulated_words};
use crate::shell::invocation::Invocation;
use crate::simulation::Simulation;
use crate::words::Words;

/// `ip`.
pub static COMMAND: Command = Command {
    name: "ip",
    usage: "[-4|-6] [-br] addr [show [dev] NAME] | route [show table local | get ADDRESS]",
    summary: Words { en: "show addresses and routes", zh: "显示地址和路由" },
    flags: &[
        switch('4', "", "IPv4 alone", "只看 IPv4"),
        switch('6', "", "IPv6 alone", "只看 IPv6"),
        switch('b', "brief", "in short", "简短形式"),
        switch('r', "resolve", "accepted", "可接受"),
        option('o', "", Value::Text, "accepted", "可接受"),
    ],
    operands: Value::Text,
    complete: None,
    found: Found::OnHosts,
    run: Run::Now(run),
};

/// An interface of a place.
struct Interface {
    name: String,
    flags: &'static str,
    state: &'static str,
    mtu: u32,
    addresses: Vec<IpNet>,
}

/// A place's interfaces and routes, one line each.
struct Links {
    interfaces: Vec<Interface>,
    routes: Vec<(IpNet, String)>,
    default: Option<(IpAddr, IpAddr)>,
    local: Vec<String>,
}

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let brief = parsed.has("brief");
    let family = match (parsed.has("4"), parsed.has("6")) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    let words: Vec<&str> = parsed.operands.iter().map(String::as_str).collect();
    let from = origin(&invocation.place);
    let links = invocation.host.with(|simulation| Links::of(simulation, &from));
    let object = words.first().copied().unwrap_or_default();
    let is = |full: &str| !object.is_empty() && full.starts_with(object);
    let text = if is("address") {
        let device = words.iter().skip(1).find(|word| !["show", "list", "dev", "s"].contains(word));
        links.addresses(family, brief, device.copied())
    } else if is("route") {
        match words.get(1).copied() {
            Some("get") => links.get(words.get(2).copied().unwrap_or_default()),
            _ if words.contains(&"local") => {
                Some(links.local.iter().map(|line| format!("{line} \n")).collect())
            }
            _ => Some(links.table(family.unwrap_or(true))),
        }
    } else {
        let what = format!("ip {object}");
        invocation.stderr().write(&not_simulated_words(what.trim_end(), "ip addr, ip route"));
        return 1;
    };
    match text {
        Some(text) => {
            invocation.stdout().write(&text);
            0
        }
        None if is("address") => {
            let device = words.last().copied().unwrap_or_default();
            invocation.stderr().line(&format!("Device \"{device}\" does not exist."));
            1
        }
        None => {
            invocation.stderr().line("RTNETLINK answers: Network is unreachable");
            2
        }
    }
}

const UP: &str = "BROADCAST,MULTICAST,UP,LOWER_UP";

impl Links {
    fn of(simulation: &Simulation, from: &Origin) -> Self {
        let (network, cluster) = (&simulation.network, &simulation.cluster);
        let topology = network.topology();
        let own = network.interfaces(cluster, from);
        let mut links = Self {
            interfaces: vec![Interface {
                name: "lo".to_owned(),
                flags: "LOOPBACK,UP,LOWER_UP",
                state: "UNKNOWN",
                mtu: 65_536,
                addresses: ["127.0.0.1/8", "::1/128"].iter().filter_map(|text| text.parse().ok()).collect(),
            }],
            routes: Vec::new(),
            default: None,
            local: Vec::new(),
        };
        let eth0 = if matches!(from, Origin::Pod(_)) { "eth0@if4" } else { "eth0" };
        links.interfaces.push(Interface {
            name: eth0.to_owned(),
            flags: UP,
            state: "UP",
            mtu: 1_500,
            addresses: own.clone(),
        });
        match from {
            Origin::Node(name) => links.node(simulation, topology, name),
            Origin::Pod(_) => {
                for net in &own {
                    let through = bridge(&net.trunc());
                    links.connected(net, "eth0");
                    if let Some(through) = through.filter(|_| links.default.is_none()) {
                        links.default = Some((through, net.addr()));
                        for pods in topology.pod_networks.iter().filter(|one| one.contains(&net.addr())) {
                            links.routes.push((*pods, format!("{pods} via {through} dev eth0")));
                        }
                    }
                }
            }
            _ => {
                for net in &own {
                    links.connected(net, "eth0");
                    let gateway = net.hosts().next().filter(|_| links.default.is_none());
                    links.default = gateway.map(|gateway| (gateway, net.addr())).or(links.default);
                }
            }
        }
        links.routes.sort_by_key(|(net, _)| (net.addr(), net.prefix_len()));
        links
    }

    fn connected(&mut self, net: &IpNet, device: &str) {
        let (range, own) = (net.trunc(), net.addr());
        self.routes.push((range, format!("{range} dev {device} proto kernel scope link src {own}")));
    }

    fn node(&mut self, simulation: &Simulation, topology: &Topology, name: &str) {
        let Some(id) = topology.node_named(name) else { return };
        let entry = topology.node(id);
        let bridges: Vec<IpNet> = entry
            .ranges
            .iter()
            .filter_map(|range| IpNet::new(bridge(range)?, range.prefix_len()).ok())
            .collect();
        for net in &bridges {
            self.connected(net, "cni0");
        }
        for (other, far) in topology.nodes().filter(|(other, _)| *other != id) {
            let _ = other;
            for range in &far.ranges {
                if let Some(via) = far.address_for(range.addr()) {
                    self.routes.push((*range, format!("{range} via {via} dev eth0")));
                }
            }
        }
        for address in &entry.addresses {
            if let Some(lan) = topology.lan_of(*address) {
                self.routes.push((*lan, format!("{lan} dev eth0 proto kernel scope link src {address}")));
            }
        }
        self.default = entry.addresses.first().map(|own| (topology.router(*own), *own));
        self.interfaces.push(Interface {
            name: "cni0".to_owned(),
            flags: UP,
            state: "UP",
            mtu: 1_500,
            addresses: bridges,
        });
        for address in topology.own_addresses(id) {
            let device = if entry.addresses.contains(&address) { "eth0" } else { "cni0" };
            self.local.push(format!("local {address} dev {device} proto kernel scope host src {address}"));
        }
        if let Some(bound) = simulation.network.bound_addresses(name) {
            for address in &bound {
                self.local
                    .push(format!("local {address} dev kube-ipvs0 proto kernel scope host src {address}"));
            }
            self.interfaces.push(Interface {
                name: "kube-ipvs0".to_owned(),
                flags: "BROADCAST,NOARP",
                state: "DOWN",
                mtu: 1_500,
                addresses: bound.into_iter().map(IpNet::from).collect(),
            });
        }
        self.local.push("local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1".to_owned());
        self.local.push("local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1".to_owned());
    }

    fn addresses(&self, family: Option<bool>, brief: bool, device: Option<&str>) -> Option<String> {
        let plain = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
        let wanted = |one: &&Interface| device.is_none_or(|device| plain(&one.name) == device);
        let mut text = String::new();
        for (number, one) in (1..).zip(&self.interfaces).filter(|(_, one)| wanted(one)) {
            let own = one.addresses.iter().filter(|net| family.is_none_or(|v4| v4 == net.addr().is_ipv4()));
            if brief {
                let list: String = own.map(|net| format!("{net} ")).collect();
                text.push_str(&format!("{:<16} {:<14} {list}\n", one.name, one.state));
                continue;
            }
            let queue = if one.state == "DOWN" { "noop" } else { "noqueue" };
            text.push_str(&format!(
                "{number}: {}: <{}> mtu {} qdisc {queue} state {} group default",
                one.name, one.flags, one.mtu, one.state
            ));
            if one.state != "DOWN" {
                text.push_str(" qlen 1000");
            }
            text.push('\n');
            if family.is_none() {
                let (kind, link) =
                    if one.name == "lo" { ("loopback", [0; 6]) } else { ("ether", link_address(one)) };
                let broadcast = if one.name == "lo" { "00:00:00:00:00:00" } else { "ff:ff:ff:ff:ff:ff" };
                let link = link.map(|byte| format!("{byte:02x}")).join(":");
                text.push_str(&format!("    link/{kind} {link} brd {broadcast}\n"));
            }
            for net in own {
                let (word, scope) = match (net.addr().is_ipv4(), net.addr().is_loopback()) {
                    (true, true) => ("inet", "host"),
                    (true, false) => ("inet", "global"),
                    (false, true) => ("inet6", "host"),
                    (false, false) => ("inet6", "global"),
                };
                let label = if word == "inet" { format!(" {}", plain(&one.name)) } else { String::new() };
                text.push_str(&format!(
                    "    {word} {net} scope {scope}{label}\n       valid_lft forever preferred_lft forever\n"
                ));
            }
        }
        (!text.is_empty()).then_some(text)
    }

    fn table(&self, v4: bool) -> String {
        let default = self.default.filter(|(via, _)| via.is_ipv4() == v4);
        let mut text = default.map(|(via, _)| format!("default via {via} dev eth0 \n")).unwrap_or_default();
        for (_, line) in self.routes.iter().filter(|(net, _)| net.addr().is_ipv4() == v4) {
            text.push_str(&format!("{line} \n"));
        }
        text
    }

    /// The route that a packet to an address takes: the longest prefix.
    fn get(&self, address: &str) -> Option<String> {
        let to: IpAddr = address.parse().ok()?;
        let found =
            self.routes.iter().filter(|(net, _)| net.contains(&to)).max_by_key(|(net, _)| net.prefix_len());
        let own = |device: &str| {
            let interface = self.interfaces.iter().find(|one| one.name.split('@').next() == Some(device))?;
            interface.addresses.iter().map(IpNet::addr).find(|own| own.is_ipv4() == to.is_ipv4())
        };
        let local = self.interfaces.iter().flat_map(|one| &one.addresses).any(|net| net.addr() == to);
        if local || to.is_loopback() {
            return Some(format!("local {to} dev lo src {to} uid 0 \n    cache <local> \n"));
        }
        let way = match found {
            Some((_, line)) => {
                let words: Vec<&str> = line.split(' ').collect();
                let after = |word: &str| {
                    words.iter().position(|one| *one == word).and_then(|at| words.get(at + 1)).copied()
                };
                let device = after("dev")?;
                let via = after("via").map(|via| format!(" via {via}")).unwrap_or_default();
                format!("{via} dev {device} src {}", own(device)?)
            }
            None => {
                let (via, source) = self.default.filter(|(via, _)| via.is_ipv4() == to.is_ipv4())?;
                format!(" via {via} dev eth0 src {source}")
            }
        };
        Some(format!("{to}{way} uid 0 \n    cache \n"))
    }
}

/// A link address made from the interface's first address, so that it is always the same.
fn link_address(one: &Interface) -> [u8; 6] {
    let [.., a, b, c, d] = match one.addresses.first().map(IpNet::addr) {
        Some(IpAddr::V4(ip)) => ip.octets(),
        Some(IpAddr::V6(ip)) => {
            let [.., a, b, c, d] = ip.octets();
            [a, b, c, d]
        }
        None => [0; 4],
    };
    // Locally administered, unicast.
    [0x0a, 0x58, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn routes_of_a_node_lead_to_its_bridge_and_to_other_nodes() {
        check(
            "ssh k8s-w1 ip route",
            "default via 192.168.1.1 dev eth0 \n10.244.0.0/24 via 192.168.1.72 dev eth0 \n10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 \n10.244.2.0/24 via 192.168.1.74 dev eth0 \n192.168.1.0/24 dev eth0 proto kernel scope link src 192.168.1.73 ",
            0,
        );
        check(
            "ssh k8s-w1 ip route get 10.244.2.7",
            "10.244.2.7 via 192.168.1.74 dev eth0 src 192.168.1.73 uid 0 \n    cache ",
            0,
        );
        check("ssh k8s-w1 ip -br -4 addr | tail -n 1", "cni0             UP             10.244.1.1/24 ", 0);
    }

    #[test]
    fn a_node_in_ipvs_mode_has_the_addresses_of_services() {
        check(
            "world proxyMode=ipvs; ssh k8s-w1 ip -4 addr show kube-ipvs0",
            "4: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default\n    inet 10.96.0.1/32 scope global kube-ipvs0\n       valid_lft forever preferred_lft forever\n    inet 10.96.0.10/32 scope global kube-ipvs0\n       valid_lft forever preferred_lft forever",
            0,
        );
        check("ssh k8s-w1 ip addr show kube-ipvs0", "Device \"kube-ipvs0\" does not exist.", 1);
    }

    #[test]
    fn a_pod_sends_everything_over_its_bridge() {
        let pod = "kubectl run p --image=nicolaka/netshoot --overrides='{\"spec\":{\"nodeName\":\"k8s-w1\"}}' --command -- sleep 3600 >/dev/null; sleep 20; ";
        check(
            &format!("{pod} kubectl exec p -- ip route | sed 's/src .*/src POD/'"),
            "default via 10.244.1.1 dev eth0 \n10.244.0.0/16 via 10.244.1.1 dev eth0 \n10.244.1.0/24 dev eth0 proto kernel scope link src POD",
            0,
        );
    }
}
