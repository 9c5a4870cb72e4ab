//! What netfilter does to the first packet of a connection on a node, by the printed rules alone.
//!
//! Owns what rules see of a packet and what they can decide, and the order in which the rules of nftables and of
//! iptables are asked. How each text is read is in [`crate::nftables`] and [`crate::iptables`].

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use portside::cluster::settings::ProxyMode;
use portside::network::Rule;
use portside::simulation::Simulation;

use crate::{iptables, nftables};

/// A packet as rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header {
    pub protocol: &'static str,
    pub source: IpAddr,
    pub destination: SocketAddr,
    pub mark: u32,
    /// Whether conntrack has translated its destination.
    pub translated: bool,
}

/// What a rule, or the policy of a chain, decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Accept,
    Drop,
    Reject,
    Dnat(SocketAddr),
    Masquerade,
}

/// How a packet came out of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub header: Header,
    pub verdict: Verdict,
    /// The rule that decided; empty for a policy.
    pub rule: String,
}

impl End {
    /// Nobody had anything against it.
    pub fn accepted(header: Header) -> Self {
        Self { header, verdict: Verdict::Accept, rule: String::new() }
    }
}

/// When rules are asked at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before addresses are translated: nftables alone has rules there.
    Untranslated,
    /// Where addresses are translated, only by the first rule that does it.
    Translation,
    Filter,
}

/// The rules of a node in one address family.
#[derive(Debug)]
pub struct Rules {
    nftables: nftables::Ruleset,
    iptables: iptables::Tables,
}

impl Rules {
    /// All that is printed on a node.
    pub fn of(world: &Simulation, node: &str, v4: bool) -> Self {
        let network = &world.network;
        let saved = if v4 { network.iptables_save(node, "") } else { network.ip6tables_save(node, "") };
        let commands = nftables_commands(world, node);
        Self {
            nftables: nftables::Ruleset::read(&commands, if v4 { "ip" } else { "ip6" }),
            iptables: iptables::Tables::read(&saved.expect("the node exists")),
        }
    }

    /// Whether a rule that a packet met is printed. Routes and what conntrack knows are no rules of netfilter.
    pub fn prints(&self, rule: &Rule) -> bool {
        match rule.table {
            "route" | "conntrack" => true,
            "ip kube-proxy" | "ip6 kube-proxy" => self.nftables.has(&rule.chain, &rule.text),
            table => self.iptables.has(table, &rule.chain, &rule.text),
        }
    }

    /// All possible ends of a packet at a hook, by its name in iptables. What nftables lets through comes to iptables.
    pub fn ends(
        &self,
        stage: Stage,
        hook: &str,
        header: Header,
        is_local: &dyn Fn(IpAddr) -> bool,
    ) -> BTreeSet<End> {
        let ends = self.nftables.ends(stage, &hook.to_lowercase(), header, is_local).into_iter();
        let table = match stage {
            Stage::Untranslated => return ends.collect(),
            Stage::Translation => "nat",
            Stage::Filter => "filter",
        };
        let further = |end: End| match end.verdict {
            Verdict::Accept => self.iptables.ends(table, hook, end.header, is_local),
            _ => BTreeSet::from([end]),
        };
        ends.flat_map(further).collect()
    }

    /// The only end of a packet where nothing is left to chance: the rule that stops it, if one does.
    pub fn only(
        &self,
        stage: Stage,
        hook: &str,
        header: Header,
        is_local: &dyn Fn(IpAddr) -> bool,
    ) -> Option<(Verdict, String)> {
        let ends = self.ends(stage, hook, header, is_local);
        assert_eq!(ends.len(), 1, "nothing is left to chance at {hook}: {ends:?}");
        let end = ends.into_iter().next().expect("there is one end");
        (end.verdict != Verdict::Accept).then_some((end.verdict, end.rule))
    }
}

/// kube-proxy's commands to nftables; nothing in its other modes.
fn nftables_commands(world: &Simulation, node: &str) -> String {
    match world.network.mode() {
        ProxyMode::Nftables => world.network.nftables(node).expect("the node exists"),
        _ => String::new(),
    }
}
