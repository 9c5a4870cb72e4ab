//! What kube-proxy's rules say of a packet, as `iptables-save` or `nft` prints them on a node, is what the walk does to
//! it there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use portside::api::registry::Kind;
use portside::cluster::settings::ProxyMode;
use portside::network::{
    Drop, DropCause, Hop, NoRoute, NoRouteCause, Origin, Outcome, Packet, Place, Sending, Step, Trace,
    Transport,
};
use portside::simulation::Simulation;

use crate::netfilter::{Header, Rules, Stage, Verdict};
use crate::worlds;

const SEEDS: std::ops::Range<u64> = 0..24;
/// How many packets are sent in each world, before some Services are deleted and after.
const PACKETS: usize = 350;
const TRANSPORTS: [Transport; 3] = [Transport::Tcp, Transport::Udp, Transport::Sctp];

/// What happens to a packet on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Passage {
    /// The destination that was given to it, and the rule that did it.
    translated: Option<(SocketAddr, String)>,
    /// How a rule ended it, if one did.
    ended: Option<(Verdict, String)>,
    /// Whether it went on to another place.
    leaves: bool,
    /// The rule that rewrote its source then, if one did.
    masqueraded: Option<String>,
}

/// A packet on a node, from its coming to its going.
struct Stay<'t> {
    node: &'t str,
    /// Whether a process on the node sent it.
    is_sent: bool,
    packet: Packet,
    hops: &'t [Hop],
}

/// What was compared.
#[derive(Debug, Default)]
struct Counts {
    stays: usize,
    translated: usize,
    rejected: usize,
    dropped: usize,
    masqueraded: usize,
    untouched: usize,
}

type Asked = (bool, Header);

/// The rules of one node.
struct Node {
    own: Vec<IpAddr>,
    v4: Rules,
    v6: Rules,
    answers: HashMap<Asked, Rc<BTreeSet<Passage>>>,
}

impl Node {
    fn of(world: &Simulation, name: &str) -> Self {
        let topology = world.network.topology();
        let id = topology.node_named(name).expect("the node exists");
        let own = topology.own_addresses(id).collect();
        let [v4, v6] = [true, false].map(|v4| Rules::of(world, name, v4));
        Self { own, v4, v6, answers: HashMap::new() }
    }

    fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.own.contains(&address)
    }

    fn rules(&self, header: &Header) -> &Rules {
        if header.source.is_ipv4() { &self.v4 } else { &self.v6 }
    }

    /// All that may happen to a packet here, by the rules alone.
    fn passages(&mut self, is_sent: bool, header: Header) -> Rc<BTreeSet<Passage>> {
        if let Some(known) = self.answers.get(&(is_sent, header)) {
            return known.clone();
        }
        let found = Rc::new(self.all_passages(is_sent, header));
        self.answers.insert((is_sent, header), found.clone());
        found
    }

    fn all_passages(&self, is_sent: bool, header: Header) -> BTreeSet<Passage> {
        let rules = self.rules(&header);
        let is_local = |address| self.is_local(address);
        let entry = if is_sent { "OUTPUT" } else { "PREROUTING" };
        if let Some(ended) = rules.only(Stage::Untranslated, entry, header, &is_local) {
            return BTreeSet::from([Passage {
                translated: None,
                ended: Some(ended),
                leaves: false,
                masqueraded: None,
            }]);
        }
        let mut passages = BTreeSet::new();
        for end in rules.ends(Stage::Translation, entry, header, &is_local) {
            let (header, translated) = match end.verdict {
                Verdict::Dnat(destination) => {
                    (Header { destination, translated: true, ..end.header }, Some((destination, end.rule)))
                }
                Verdict::Accept => (end.header, None),
                other => panic!("{other:?} is not for {entry}"),
            };
            let stays = self.is_local(header.destination.ip());
            let hooks: &[(Stage, &str)] = match (is_sent, stays) {
                // What a node sends to itself comes in by its loopback.
                (true, true) => &[
                    (Stage::Filter, "OUTPUT"),
                    (Stage::Untranslated, "PREROUTING"),
                    (Stage::Filter, "INPUT"),
                ],
                (true, false) => &[(Stage::Filter, "OUTPUT")],
                (false, true) => &[(Stage::Filter, "INPUT")],
                (false, false) => &[(Stage::Filter, "FORWARD")],
            };
            let ended = hooks.iter().find_map(|(stage, hook)| rules.only(*stage, hook, header, &is_local));
            let leaves = ended.is_none() && !stays;
            let masqueraded = if leaves { self.masqueraded(header) } else { None };
            passages.insert(Passage { translated, ended, leaves, masqueraded });
        }
        passages
    }

    fn masqueraded(&self, header: Header) -> Option<String> {
        let is_local = |address| self.is_local(address);
        let (verdict, rule) =
            self.rules(&header).only(Stage::Translation, "POSTROUTING", header, &is_local)?;
        assert_eq!(verdict, Verdict::Masquerade, "{rule}");
        Some(rule)
    }
}

/// The stays on nodes in a trace, without the answer's.
fn stays(trace: &Trace) -> Vec<Stay<'_>> {
    let answer = trace.hops.iter().position(|hop| hop.step == Step::Reply);
    let hops = &trace.hops[..answer.unwrap_or(trace.hops.len())];
    let mut stays = Vec::new();
    let mut came: Option<&Hop> = None;
    for part in hops.chunk_by(|one, next| one.place == next.place) {
        let first = part.first().expect("a part has a hop");
        if let Place::Node(node) = &first.place {
            let packet = came.map_or(first.before, |hop| hop.after);
            stays.push(Stay { node, is_sent: first.step == Step::Send, packet, hops: part });
        }
        came = part.last();
    }
    stays
}

impl Stay<'_> {
    fn hop(&self, step: Step) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.step == step)
    }

    fn header(&self) -> Header {
        Header {
            protocol: self.packet.transport.name(),
            source: self.packet.source.ip(),
            destination: self.packet.destination,
            mark: 0,
            translated: false,
        }
    }

    /// Whether the packet never came to the rules, or went no further for a reason that has nothing to do with them.
    fn ended_before_rules(&self, outcome: &Outcome) -> bool {
        let untouched = self.hop(Step::Drop).is_some_and(|hop| hop.rules.is_empty());
        let lost = |cause: &DropCause| matches!(cause, DropCause::OwnSource | DropCause::Unanswered);
        untouched && matches!(outcome, Outcome::Dropped(Drop { cause, .. }) if lost(cause))
    }

    /// What the walk did.
    fn seen(&self, outcome: &Outcome) -> Passage {
        let rule = |hop: &Hop| hop.rules.last().map(|rule| rule.text.clone()).unwrap_or_default();
        let translated = self.hop(Step::Dnat).map(|hop| (hop.after.destination, rule(hop)));
        let rejected = self.hop(Step::Reject).map(|hop| (Verdict::Reject, rule(hop)));
        let dropped = self.hop(Step::Drop).and_then(|hop| Some((dropped_by(outcome)?, rule(hop))));
        let ended = rejected.or(dropped);
        let stays = self.hops.iter().any(|hop| matches!(hop.step, Step::Deliver | Step::Reset));
        let leaves = ended.is_none() && !stays;
        let masqueraded = self.hop(Step::Masquerade).map(rule);
        Passage { translated, ended, leaves, masqueraded }
    }
}

/// What the rule was that dropped a packet, if a rule did. A node that would send a refusal back to where the packet
/// came from in the LAN is silent instead, though it is a rule that refuses.
fn dropped_by(outcome: &Outcome) -> Option<Verdict> {
    let Outcome::Dropped(Drop { cause, .. }) = outcome else { return None };
    match cause {
        DropCause::NoLocalEndpoints { .. } | DropCause::SourceRanges(_) | DropCause::NoSuchService => {
            Some(Verdict::Drop)
        }
        DropCause::Unanswered => Some(Verdict::Reject),
        _ => None,
    }
}

impl Counts {
    fn add_all(&mut self, other: &Self) {
        self.stays += other.stays;
        self.translated += other.translated;
        self.rejected += other.rejected;
        self.dropped += other.dropped;
        self.masqueraded += other.masqueraded;
        self.untouched += other.untouched;
    }

    fn add(&mut self, passage: &Passage) {
        self.stays += 1;
        self.translated += usize::from(passage.translated.is_some());
        match &passage.ended {
            Some((Verdict::Reject, _)) => self.rejected += 1,
            Some(_) => self.dropped += 1,
            None => {}
        }
        self.masqueraded += usize::from(passage.masqueraded.is_some());
        let untouched = passage.translated.is_none() && passage.masqueraded.is_none();
        self.untouched += usize::from(passage.leaves && untouched);
    }
}

/// A world with the rules of its nodes, read once.
struct Compared {
    world: Simulation,
    nodes: BTreeMap<String, Node>,
    counts: Counts,
}

impl Compared {
    fn new(world: Simulation) -> Self {
        let names = world.cluster.list(Kind::Node, None).map(|node| node.name().to_string());
        let nodes = names.map(|name| (name.clone(), Node::of(&world, &name))).collect();
        Self { world, nodes, counts: Counts::default() }
    }

    fn sends(&mut self, from: &Origin, to: SocketAddr, transport: Transport) -> Trace {
        // What conntrack remembers is no matter of rules.
        for name in self.nodes.keys() {
            self.world.network.delete_flows(name, |_| true);
        }
        let trace = self.world.network.send(&self.world.cluster, from, &Sending::new(to, transport));
        self.compares(from, &trace);
        trace
    }

    fn compares(&mut self, from: &Origin, trace: &Trace) {
        let outcome = trace.outcome.in_the_end();
        let used_up = |stay: &Stay<'_>| {
            let end = matches!(outcome, Outcome::NoRoute(NoRoute { cause: NoRouteCause::TimeToLive, .. }));
            end && stay.hop(Step::Unreachable).is_some()
        };
        let mut known = BTreeSet::new();
        for stay in stays(trace) {
            // What router and node pass to each other until its time is over is compared once.
            let again = !used_up(&stay) && !known.insert((stay.node.to_owned(), stay.header()));
            if again || stay.ended_before_rules(outcome) {
                continue;
            }
            let seen = stay.seen(outcome);
            let node = self.nodes.get_mut(stay.node).expect("packets pass nodes that exist");
            let may = node.passages(stay.is_sent, stay.header());
            let as_seen = |one: &Passage| {
                one.translated == seen.translated
                    && (used_up(&stay)
                        || (&one.ended, one.leaves, &one.masqueraded)
                            == (&seen.ended, seen.leaves, &seen.masqueraded))
            };
            assert!(
                may.iter().any(as_seen),
                "{from:?} to {} {}\non {} {:?}\nseen {seen:#?}\nbut the rules say {may:#?}\n{trace:#?}",
                trace.transport,
                trace.target,
                stay.node,
                stay.packet,
            );
            let rules = node.rules(&stay.header());
            for rule in stay.hops.iter().flat_map(|hop| &hop.rules) {
                assert!(rules.prints(rule), "{} does not print {rule:?}\n{trace:#?}", stay.node);
            }
            self.counts.add(&seen);
        }
    }
}

/// Sends packets from anybody to any frontend.
fn sends_many(compared: &mut Compared, dice: &mut fastrand::Rng) {
    let (origins, frontends) = (worlds::origins(&compared.world), worlds::frontends(&compared.world));
    for _ in 0..PACKETS {
        let from = dice.choice(&origins).expect("somebody sends");
        let (to, usual) = *dice.choice(&frontends).expect("there are Services");
        let transport =
            if dice.u8(0..8) == 0 { dice.choice(TRANSPORTS).expect("there are some") } else { usual };
        compared.sends(from, to, transport);
    }
}

/// Compares in all worlds of a mode.
fn compare(mode: ProxyMode) {
    let mut total = Counts::default();
    for seed in SEEDS {
        let mut compared = Compared::new(worlds::world(seed, mode));
        let mut dice = fastrand::Rng::with_seed(seed);
        sends_many(&mut compared, &mut dice);
        let mut later = Compared::new(worlds::with_less(compared.world));
        sends_many(&mut later, &mut dice);
        total.add_all(&compared.counts);
        total.add_all(&later.counts);
    }
    assert!(total.stays > 10_000 && total.untouched > 2_000, "{total:?}");
    assert!(total.translated > 3_000 && total.masqueraded > 2_000, "{total:?}");
    assert!(total.rejected > 500 && total.dropped > 200, "{total:?}");
}

#[test]
fn the_printed_rules_say_what_the_walk_does() {
    compare(ProxyMode::Iptables);
}

#[test]
fn the_printed_rules_of_nftables_say_what_the_walk_does() {
    compare(ProxyMode::Nftables);
}

#[test]
fn every_destination_that_the_printed_rules_allow_is_reached() {
    for mode in [ProxyMode::Iptables, ProxyMode::Nftables] {
        reach_all(mode);
    }
}

/// Sends by every way to a Service until nothing new comes of it.
fn reach_all(mode: ProxyMode) {
    let mut compared = Compared::new(worlds::world(1, mode));
    let object = compared.world.cluster.find(Kind::Service, "default", "three").expect("it is made");
    let service = object.as_service().expect("it is a Service");
    let inside = SocketAddr::new(service.cluster_ips[0], 80);
    let outside = SocketAddr::new(IpAddr::from([192, 168, 1, 72]), service.ports[0].node_port);
    let ways = [
        (Origin::pod("default", "client"), inside, false, "k8s-master"),
        (Origin::node("k8s-w2"), inside, true, "k8s-w2"),
        (Origin::Outside, outside, false, "k8s-master"),
    ];
    for (from, to, is_sent, node) in ways {
        let (mut reached, mut source) = (BTreeSet::new(), None);
        for _ in 0..60 {
            let trace = compared.sends(&from, to, Transport::Tcp);
            for stay in stays(&trace).into_iter().filter(|stay| stay.node == node) {
                source.get_or_insert(stay.header());
                reached.extend(stay.seen(&trace.outcome).translated.map(|(destination, _)| destination));
            }
        }
        let header = source.expect("the packet passes the node");
        let rules = compared.nodes.get_mut(node).expect("the node exists");
        let may = rules.passages(is_sent, header);
        let allowed: BTreeSet<SocketAddr> =
            may.iter().filter_map(|one| Some(one.translated.as_ref()?.0)).collect();
        assert_eq!(allowed.len(), 3, "{allowed:?}");
        assert_eq!(reached, allowed, "{from:?} to {to}");
    }
}
