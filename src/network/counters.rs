//! Counters of iptables rules: how many packets, and of how many bytes, each rule of a node has matched.
//!
//! Owns the counting. It is worked out from the traces of packets when somebody looks, so that packets cost nothing
//! more. What is counted is what the walk sends: the first packet of a connection, datagrams and echo requests, each
//! with every rule that it matched. The nat table sees no other packets; the filter table of a real node also counts
//! those that follow, and both count what kubelets and controllers send. It does not own the rules
//! ([`super::iptables`], [`super::ipvs`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Network;
use super::hop::{Hop, Place, Rule, Step};
use super::iptables;
use super::ipvs;
use super::outcome::{Outcome, Trace};
use super::packet::{Packet, Transport};
use crate::api::value::SmolStr;
use crate::cluster::settings::ProxyMode;

/// How many traces wait until they are worked in.
const WAITING_LIMIT: usize = 512;

/// Chains that kube-proxy writes anew with every sync, which sets their counters to 0.
const REWRITTEN: &[&str] = &[
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-FORWARD",
    "KUBE-MARK-MASQ",
    "KUBE-NODEPORTS",
    "KUBE-POSTROUTING",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SERVICES",
];

/// What a rule has matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many packets.
    pub packets: u64,
    /// Of how many bytes together, with their IP headers.
    pub bytes: u64,
}

/// A rule of a node, or the policy of a built-in chain (`:INPUT`), by its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    node: SmolStr,
    v4: bool,
    table: &'static str,
    text: String,
}

/// A trace that is not worked in yet.
#[derive(Debug)]
struct Waiting {
    mode: ProxyMode,
    /// How often kube-proxy had synced.
    syncs: u64,
    trace: Arc<Trace>,
    /// How many packets went this way.
    times: u64,
}

/// The counters of all nodes.
#[derive(Debug, Default)]
pub struct Counters {
    counts: BTreeMap<Counted, Count>,
    waiting: Vec<Waiting>,
    syncs: u64,
}

impl Counters {
    /// `times` packets went the way of a trace.
    pub fn add(&mut self, network: &Network, trace: Arc<Trace>, times: u64) {
        self.waiting.push(Waiting { mode: network.mode(), syncs: network.syncs(), trace, times });
        if self.waiting.len() >= WAITING_LIMIT {
            self.work_in();
        }
    }

    /// What the rules of a node in a table have matched: by the text of the rule, or `:CHAIN` for what came to the
    /// end of a built-in chain. What is not there has matched nothing.
    pub fn of(&mut self, network: &Network, node: &str, v4: bool, table: &str) -> BTreeMap<String, Count> {
        self.work_in();
        self.synced(network.syncs(), network.mode());
        let own = self.counts.iter().filter(|(of, _)| of.node == node && of.v4 == v4 && of.table == table);
        own.map(|(of, count)| (of.text.clone(), *count)).collect()
    }

    /// Sets the counters of a chain of a node to 0, or those of a whole table.
    pub fn zero(&mut self, node: &str, v4: bool, table: &str, chain: Option<&str>) {
        self.work_in();
        self.counts.retain(|of, _| {
            let here = of.node == node && of.v4 == v4 && of.table == table;
            !(here && chain.is_none_or(|chain| chain_of(&of.text) == chain))
        });
    }

    fn synced(&mut self, syncs: u64, mode: ProxyMode) {
        if syncs != self.syncs && mode == ProxyMode::Iptables {
            self.counts.retain(|of, _| !REWRITTEN.contains(&chain_of(&of.text)));
        }
        self.syncs = syncs;
    }

    fn work_in(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.synced(waiting.syncs, waiting.mode);
            if waiting.mode != ProxyMode::Nftables {
                self.trace(&waiting);
            }
        }
    }

    fn trace(&mut self, waiting: &Waiting) {
        let there = waiting.trace.hops.iter().take_while(|hop| hop.step != Step::Reply);
        let there: Vec<&Hop> = there.collect();
        for visit in there.chunk_by(|a, b| a.place == b.place) {
            if let Place::Node(node) = &visit[0].place {
                Visit::new(node, waiting, visit).count(self);
            }
        }
    }
}

/// The chain of a rule.
fn chain_of(text: &str) -> &str {
    text.strip_prefix(':').or(text.strip_prefix("-A ").and_then(|rest| rest.split(' ').next())).unwrap_or("")
}

/// The bytes of a packet. Datagrams are taken to be as long as a short question to a name server.
fn bytes(packet: &Packet) -> u64 {
    let of_transport = match packet.transport {
        // A SYN with the options of Linux.
        Transport::Tcp => 40,
        Transport::Udp => 8 + 40,
        // An INIT chunk with the parameters of Linux.
        Transport::Sctp => 12 + 44,
        Transport::Icmp => 64,
    };
    of_transport + if packet.source.is_ipv4() { 20 } else { 40 }
}

/// A packet's stay on a node.
struct Visit<'a> {
    node: &'a SmolStr,
    waiting: &'a Waiting,
    hops: &'a [&'a Hop],
    v4: bool,
    /// Whether its destination was rewritten by a rule.
    translated: bool,
    /// Whether conntrack knew it: the nat table then does not see it.
    known: bool,
    /// Whether it is for the node itself.
    ends_here: bool,
}

impl<'a> Visit<'a> {
    fn new(node: &'a SmolStr, waiting: &'a Waiting, hops: &'a [&'a Hop]) -> Self {
        let known = hops.iter().flat_map(|hop| hop.rules.iter()).any(|rule| rule.table == "conntrack");
        let last = hops.last().expect("a stay has a hop");
        let leaves = last.next.is_some();
        Self {
            node,
            waiting,
            hops,
            v4: hops[0].before.source.is_ipv4(),
            translated: hops.iter().any(|hop| hop.step == Step::Dnat),
            known,
            ends_here: !leaves && matches!(last.step, Step::Deliver | Step::Reset | Step::Send),
        }
    }

    fn count(&self, counters: &mut Counters) {
        let locally = self.hops[0].step == Step::Send;
        if !self.known {
            let entry = if locally { "OUTPUT" } else { "PREROUTING" };
            self.chain(counters, "nat", entry, None);
            if !self.translated {
                self.policy(counters, "nat", entry);
            }
            if self.ends_here && !self.translated && self.waiting.mode == ProxyMode::Iptables {
                self.rule(counters, &iptables::node_ports_jump(self.v4));
            }
        }
        let stopped = self.hops.iter().rev().find(|hop| matches!(hop.step, Step::Reject | Step::Drop));
        let stopped = stopped.and_then(|hop| hop.rules.last()).filter(|rule| rule.table == "filter");
        // What is marked to be masqueraded may go on at once.
        let marked = self.masquerade().is_some_and(|rule| rule.chain == "KUBE-POSTROUTING");
        let stops_in = stopped.map(|rule| rule.chain.as_str()).or(marked.then_some("KUBE-FORWARD"));
        let filter: &[&str] = match (locally, self.ends_here) {
            (true, true) => &["OUTPUT", "INPUT"],
            (true, false) => &["OUTPUT"],
            (false, true) => &["INPUT"],
            (false, false) => &["FORWARD"],
        };
        for chain in filter {
            self.chain(counters, "filter", chain, stops_in);
        }
        for rule in self.hops.iter().flat_map(|hop| hop.rules.iter()) {
            if matches!(rule.table, "nat" | "filter") && !(self.known && rule.table == "nat") {
                self.rule(counters, rule);
                if rule.text.ends_with("-j KUBE-MARK-MASQ") {
                    self.text(counters, "nat", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000");
                }
            }
        }
        if stopped.is_none() {
            self.leaves(counters, filter);
        }
        if self.waiting.mode == ProxyMode::Ipvs {
            self.virtual_server(counters);
        }
    }

    /// The rule that rewrote its source, if one did.
    fn masquerade(&self) -> Option<&Rule> {
        self.hops.iter().find(|hop| hop.step == Step::Masquerade).and_then(|hop| hop.rules.first())
    }

    /// What a virtual server and its backend got, and answered.
    fn virtual_server(&self, counters: &mut Counters) {
        let Some(hop) = self.hops.iter().find(|hop| hop.step == Step::Dnat && !self.known) else { return };
        let (to, backend) = (hop.before.destination, hop.after.destination);
        let text = format!("{} {to} {backend}", hop.before.transport);
        self.text(counters, "ipvs", &text);
        if !matches!(self.waiting.trace.outcome, Outcome::Dropped(_)) {
            self.text(counters, "ipvs", &format!("{text} answered"));
        }
    }

    /// The ends of the filter chains, and POSTROUTING.
    fn leaves(&self, counters: &mut Counters, filter: &[&str]) {
        let masquerades = self.masquerade();
        let by_mark = masquerades.is_some_and(|rule| rule.chain == "KUBE-POSTROUTING");
        for chain in filter {
            if *chain == "FORWARD" && by_mark {
                let words = "-m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT";
                self.text(counters, "filter", &format!("-A KUBE-FORWARD {words}"));
            } else {
                self.policy(counters, "filter", chain);
            }
        }
        if self.known {
            return;
        }
        if self.ends_here {
            self.policy(counters, "nat", "INPUT");
            return;
        }
        let to = if by_mark { Some("KUBE-POSTROUTING") } else { None };
        self.chain(counters, "nat", "POSTROUTING", to);
        let what = if by_mark {
            "-j MARK --set-xmark 0x4000/0x0"
        } else {
            "-m mark ! --mark 0x4000/0x4000 -j RETURN"
        };
        self.text(counters, "nat", &format!("-A KUBE-POSTROUTING {what}"));
        if masquerades.is_none() {
            self.policy(counters, "nat", "POSTROUTING");
        }
    }

    /// The jumps of a built-in chain, up to the one into the chain that stopped the packet.
    fn chain(&self, counters: &mut Counters, table: &'static str, chain: &str, stopped_in: Option<&str>) {
        let fixed = match self.waiting.mode {
            ProxyMode::Ipvs => ipvs::ruleset::fixed(table),
            _ => iptables::ruleset::fixed(table),
        };
        let rules = fixed.iter().find(|(name, _)| *name == chain).map_or(&[][..], |(_, rules)| rules);
        for rest in rules {
            self.text(counters, table, &format!("-A {chain} {rest}"));
            if stopped_in.is_some_and(|stopped| rest.ends_with(&format!("-j {stopped}"))) {
                break;
            }
        }
    }

    fn rule(&self, counters: &mut Counters, rule: &Rule) {
        self.text(counters, rule.table, &rule.text);
    }

    fn policy(&self, counters: &mut Counters, table: &'static str, chain: &str) {
        self.text(counters, table, &format!(":{chain}"));
    }

    fn text(&self, counters: &mut Counters, table: &'static str, text: &str) {
        let of = Counted { node: self.node.clone(), v4: self.v4, table, text: text.to_owned() };
        let count = counters.counts.entry(of).or_default();
        count.packets += self.waiting.times;
        count.bytes += self.waiting.times * bytes(&self.hops[0].before);
    }
}
