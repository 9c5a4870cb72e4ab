//! The rules of one node as text, and which of them a packet matched.
//!
//! Owns the choice of the text (the rules of the mode in which kube-proxy works) and the finding of matched
//! rules in it. The rules are [`crate::network`]'s.

use super::journey::Journey;
use crate::cluster::settings::ProxyMode;
use crate::network::{Place, Rule};
use crate::simulation::Simulation;

/// Lines that are shown: more are counted, but those that matched are shown all the same.
const LINES: usize = 1_500;

/// How `ipvsadm` begins the line of a backend.
const BACKEND: &str = "  -> ";

/// One line of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleLine {
    /// Its number, from 1.
    pub number: usize,
    /// What it says.
    pub text: String,
    /// The stop of the packet at which it matched.
    pub stop: Option<usize>,
}

/// The rules of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// The command that prints them.
    pub command: &'static str,
    /// The lines that are shown.
    pub lines: Vec<RuleLine>,
    /// How many lines are not shown.
    pub more: usize,
}

/// The rules of a node, with those marked that a packet met there; of these alone if `matched_only`.
#[must_use]
pub fn of_node(simulation: &Simulation, node: &str, packet: Option<&Journey>, matched_only: bool) -> Rules {
    let network = &simulation.network;
    let now = simulation.cluster.now();
    let (command, text) = match network.mode() {
        ProxyMode::Nftables => ("nft list ruleset", network.nftables(node)),
        ProxyMode::Iptables => ("iptables-save", network.iptables_save(node, "")),
        ProxyMode::Ipvs => {
            let both = network.ipvsadm(node, now).zip(network.iptables_save(node, ""));
            ("ipvsadm -Ln; iptables-save", both.map(|(servers, rules)| format!("{servers}\n{rules}")))
        }
    };
    let met = met(node, packet);
    let mut head = false;
    let mut rules = Rules { command, ..Rules::default() };
    for (index, line) in text.as_deref().unwrap_or("").lines().enumerate() {
        let stop = met.iter().find(|(_, rule)| says(line, rule)).map(|(stop, _)| *stop);
        // A backend stands below its virtual server, and other ones may have it too.
        let stop = stop.filter(|_| head || !line.starts_with(BACKEND));
        if !line.starts_with(BACKEND) {
            head = stop.is_some();
        }
        if stop.is_none() && (matched_only || rules.lines.len() >= LINES) {
            rules.more += usize::from(!matched_only);
            continue;
        }
        rules.lines.push(RuleLine { number: index + 1, text: line.to_owned(), stop });
    }
    rules
}

/// Whether a line says a rule. Programs that list rules write names before them; `ipvsadm` writes counts behind.
fn says(line: &str, rule: &Rule) -> bool {
    let text = rule.text.trim_end();
    if rule.table == "ipvs" { line.starts_with(text) } else { line.trim_end().ends_with(text) }
}

/// The rules that a packet met on a node, each with its stop.
fn met<'a>(node: &str, packet: Option<&'a Journey>) -> Vec<(usize, &'a Rule)> {
    let stops = packet.iter().flat_map(|packet| packet.stops.iter().enumerate());
    let here = stops.filter(|(_, stop)| matches!(&stop.place, Place::Node(name) if name == node));
    here.flat_map(|(index, stop)| stop.rules.iter().map(move |rule| (index, rule)))
        .filter(|(_, rule)| !rule.text.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::api::object::Key;
    use crate::api::registry::Kind;
    use crate::cluster::Settings;
    use crate::network::{Origin, Transport};
    use crate::ui::model::map::Map;

    #[test]
    fn the_rules_that_a_packet_met_are_marked_where_it_met_them() {
        for mode in [ProxyMode::Iptables, ProxyMode::Nftables, ProxyMode::Ipvs] {
            let mut simulation = Simulation::new(Settings { proxy_mode: mode, ..Settings::default() });
            crate::session::first_world::build(&mut simulation);
            let mut map = Map::default();
            map.observe(&simulation.cluster);
            let address = &map.services[&Key::new(Kind::Service, "demo", "web")].address;
            let to = SocketAddr::new(address.parse().expect("it has an address"), 80);
            simulation.connect(&Origin::pod("demo", "client"), to, Transport::Tcp);
            let journey = Journey::of(simulation.traffic.last().expect("it was sent"), &map);
            let node = &map.pods[&Key::new(Kind::Pod, "demo", "client")].node;
            let marked = of_node(&simulation, node, Some(&journey), true);
            let translated = journey.stops[journey.deciding()].rules.last().expect("a rule did it");
            assert!(
                marked.lines.iter().any(|line| says(&line.text, translated)),
                "{mode:?}: {translated:?} among {:?}",
                marked.lines
            );
            assert!(marked.lines.iter().all(|line| line.stop.is_some()));
            let all = of_node(&simulation, node, Some(&journey), false);
            assert!(all.lines.len() > marked.lines.len());
            let elsewhere = of_node(&simulation, "k8s-master", Some(&journey), true);
            assert_eq!(elsewhere.lines, [], "it never was on k8s-master");
        }
    }
}
