//! A packet's way as the map shows it: stops with headers before and after, and how long each is shown.
//!
//! Owns the way from a trace of the network to places on the map and to time on the screen. Simulated
//! latency is some microseconds; it is stretched so that an eye can follow, longer where it was longer.

use std::net::IpAddr;

use super::journey_words::{name_of, result};
use super::layout::{Layout, Point};
use super::map::Map;
use super::passing::{Passing, to_pass};
use super::things;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::SmolStr;
use crate::network::hop::Rules;
use crate::network::{Hop, Outcome, Packet, Place, Rule, Step, Transport};
use crate::simulation::traffic::Sent;
use crate::words::Language;

/// Milliseconds for a translation to be read.
const READ_MS: f64 = 700.0;
/// Milliseconds for a decision that changes nothing.
const PASS_MS: f64 = 90.0;
/// From a Pod's door to the middle of its gutter.
const PACKET_INSET: f64 = 12.0;
/// From the middle of the kube-proxy marker down to the way between a heading and the Pods.
const BELOW_PROXY: f64 = 21.0;
/// Milliseconds to the next place: at least, and at most.
const MOVE_MS: (f64, f64) = (260.0, 900.0);

/// One stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Where.
    pub place: Place,
    /// What happens there.
    pub step: Step,
    /// The header before.
    pub before: Packet,
    /// The header after.
    pub after: Packet,
    /// The rules that matched, in order; the last one did it.
    pub rules: Rules,
    /// The Service whose rule matched.
    pub service: Option<Key>,
    /// Whether this belongs to the answer.
    pub is_reply: bool,
    /// Simulated time here and on the way to the next place, in µs.
    pub latency_us: u64,
    /// When it begins on the screen, in ms.
    pub starts_ms: f64,
    /// When the packet leaves for the next place, in ms.
    pub leaves_ms: f64,
}

/// The table and the chain in which a rule stands: `nat · KUBE-SERVICES`.
#[must_use]
pub fn table_of(rule: &Rule) -> String {
    if rule.chain.is_empty() { rule.table.to_owned() } else { format!("{} · {}", rule.table, rule.chain) }
}

/// How a way ended, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It arrived.
    Delivered,
    /// An error came back.
    Refused,
    /// Nothing came back.
    Dropped,
    /// There was no way.
    NoRoute,
}

/// A packet's whole way.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// The number of the packet.
    pub number: u64,
    /// The stops.
    pub stops: Vec<Stop>,
    /// How it ended.
    pub end: End,
    /// When it is over, in ms on the screen.
    pub length_ms: f64,
    /// Who sent it and where to, in short.
    pub title: String,
    /// What became of it, in one line: English, Chinese.
    pub result: (String, String),
    /// What would have to be true for it to pass, if it did not.
    pub to_pass: Option<Passing>,
    /// When it was sent, in µs of virtual time.
    pub at: u64,
    /// Short forms of everything on the map that it touched.
    pub touched: Vec<String>,
}

impl Journey {
    /// The way of a packet that was sent.
    #[must_use]
    pub fn of(sent: &Sent, map: &Map) -> Self {
        let trace = &sent.trace;
        let mut stops: Vec<Stop> = Vec::with_capacity(trace.hops.len());
        let mut now = 0.0;
        for (index, hop) in trace.hops.iter().enumerate() {
            let moves = trace.hops.get(index + 1).is_some_and(|next| next.place != hop.place);
            let leaves = now + reading(hop);
            stops.push(stop(hop, map, now, leaves));
            now = leaves + if moves { moving(hop.latency_us) } else { 0.0 };
        }
        let mut touched: Vec<String> = stops.iter().flat_map(touched).collect();
        touched.sort_unstable();
        touched.dedup();
        Self {
            number: sent.number,
            end: match trace.outcome {
                Outcome::Delivered(_) => End::Delivered,
                Outcome::Refused(_) => End::Refused,
                Outcome::Dropped(_) => End::Dropped,
                Outcome::NoRoute(_) => End::NoRoute,
            },
            length_ms: now,
            title: format!(
                "{} → {}",
                sender(stops.first()),
                target(trace.target.ip(), trace.target.port(), map)
            ),
            result: (result(&trace.outcome, Language::English), result(&trace.outcome, Language::Chinese)),
            to_pass: to_pass(&trace.outcome),
            at: sent.at.0,
            touched,
            stops,
        }
    }

    /// The stop that decided: the last one on the way there by a rule that is no route.
    #[must_use]
    pub fn deciding(&self) -> usize {
        let decides = |stop: &Stop| !stop.is_reply && stop.step != Step::Route && !stop.rules.is_empty();
        let end = self.stops.iter().rposition(|stop| !stop.is_reply).unwrap_or(0);
        if self.end == End::Delivered { self.stops.iter().rposition(decides).unwrap_or(end) } else { end }
    }

    /// The first stop at which two ways part: another place, another thing done, or another rule. Source
    /// ports, which differ for every connection, do not count.
    #[must_use]
    pub fn parting(&self, other: &Self) -> Option<usize> {
        let sign = |stop: &Stop| {
            (stop.place.clone(), stop.step, stop.after.destination.ip(), stop.after.source.ip())
        };
        let pairs = self.stops.iter().zip(&other.stops);
        let same = pairs.take_while(|(a, b)| sign(a) == sign(b)).count();
        (same < self.stops.len().max(other.stops.len())).then_some(same)
    }

    /// The nodes on which it was, itself or in a Pod.
    pub fn nodes(&self) -> impl Iterator<Item = SmolStr> {
        let node = |stop: &Stop| match &stop.place {
            Place::Node(name) => Some(name.clone()),
            _ => None,
        };
        self.stops.iter().filter_map(node)
    }

    /// The stop that is shown at a time on the screen.
    #[must_use]
    pub fn stop_at(&self, at_ms: f64) -> usize {
        self.stops.iter().rposition(|stop| stop.starts_ms <= at_ms).unwrap_or(0)
    }

    /// Where the packet is at a time on the screen.
    #[must_use]
    pub fn position(&self, at_ms: f64, layout: &Layout, map: &Map) -> Option<Point> {
        let index = self.stop_at(at_ms);
        let stop = self.stops.get(index)?;
        let here = anchor(&stop.place, layout, map)?;
        let Some(next) = self.stops.get(index + 1) else { return Some(here) };
        let along = if at_ms <= stop.leaves_ms {
            0.0
        } else {
            (at_ms - stop.leaves_ms) / (self.stops[index + 1].starts_ms - stop.leaves_ms).max(1.0)
        };
        let way = between(&stop.place, &next.place, layout, map);
        if way.is_empty() { Some(here) } else { Some(along_way(&way, ease(along.clamp(0.0, 1.0)))) }
    }

    /// The corners of the way that the packet takes.
    #[must_use]
    pub fn points(&self, layout: &Layout, map: &Map) -> Vec<Point> {
        let mut points: Vec<Point> =
            self.stops.first().and_then(|stop| anchor(&stop.place, layout, map)).into_iter().collect();
        for pair in self.stops.windows(2) {
            points.extend(between(&pair[0].place, &pair[1].place, layout, map));
        }
        points.dedup();
        points
    }

    /// The places that the packet visits on its way there, each once in a row, without the answer.
    #[must_use]
    pub fn visited(&self, layout: &Layout, map: &Map) -> Vec<Point> {
        let there = self.stops.iter().filter(|stop| !stop.is_reply);
        let mut points: Vec<Point> = there.filter_map(|stop| anchor(&stop.place, layout, map)).collect();
        points.dedup();
        points
    }
}

/// The way from one place to the next, as streets on a map go: down gutters and along lanes.
fn between(from: &Place, to: &Place, layout: &Layout, map: &Map) -> Vec<Point> {
    let (Some(start), Some(end)) = (anchor(from, layout, map), anchor(to, layout, map)) else {
        return Vec::new();
    };
    if start == end {
        return vec![start];
    }
    // Beside the Pod's own gutter; between the heading of its node, which stays readable, and the Pods.
    let gutter = |pod: &Point| pod.x - PACKET_INSET;
    let hall = |node: &Point| node.y + BELOW_PROXY;
    let street = layout.bands[2] - 5.0;
    let mut way = vec![start];
    match (from, to) {
        (Place::Pod(_), Place::Node(_)) => {
            way.push(Point { x: gutter(&start), y: start.y });
            way.push(Point { x: gutter(&start), y: hall(&end) });
            way.push(Point { x: end.x, y: hall(&end) });
        }
        (Place::Node(_), Place::Pod(_)) => {
            way.push(Point { x: start.x, y: hall(&start) });
            way.push(Point { x: gutter(&end), y: hall(&start) });
            way.push(Point { x: gutter(&end), y: end.y });
        }
        (Place::Node(_), _) | (_, Place::Node(_)) => {
            way.push(Point { x: start.x, y: street });
            way.push(Point { x: end.x, y: street });
        }
        _ => way.push(Point { x: end.x, y: start.y }),
    }
    way.push(end);
    way
}

/// The point at a share of a way's length.
fn along_way(way: &[Point], share: f64) -> Point {
    let length = |pair: &[Point]| (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y);
    let whole: f64 = way.windows(2).map(length).sum();
    let mut left = whole * share;
    for pair in way.windows(2) {
        let here = length(pair);
        if left <= here && here > 0.0 {
            let t = left / here;
            return Point {
                x: pair[0].x + (pair[1].x - pair[0].x) * t,
                y: pair[0].y + (pair[1].y - pair[0].y) * t,
            };
        }
        left -= here;
    }
    way.last().copied().unwrap_or_default()
}

fn ease(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

fn reading(hop: &Hop) -> f64 {
    match hop.step {
        Step::Dnat
        | Step::Balance
        | Step::Masquerade
        | Step::Reject
        | Step::Drop
        | Step::Unreachable
        | Step::Reset => READ_MS,
        Step::Deliver | Step::Send => READ_MS / 2.0,
        Step::Reply if hop.before != hop.after => READ_MS / 2.0,
        Step::Route | Step::Reply => PASS_MS,
    }
}

fn moving(latency_us: u64) -> f64 {
    (MOVE_MS.0 + 60.0 * (1.0 + latency_us as f64 / 20.0).ln()).min(MOVE_MS.1)
}

fn stop(hop: &Hop, map: &Map, starts_ms: f64, leaves_ms: f64) -> Stop {
    let service = match hop.step {
        Step::Drop if !matches!(hop.place, Place::Node(_)) => None,
        Step::Dnat | Step::Balance | Step::Reject | Step::Drop => {
            service_at(hop.before.destination.ip(), hop.before.destination.port(), map)
        }
        _ => None,
    };
    Stop {
        place: hop.place.clone(),
        step: hop.step,
        before: hop.before,
        after: hop.after,
        rules: hop.rules.clone(),
        service,
        is_reply: hop.step == Step::Reply,
        latency_us: hop.latency_us,
        starts_ms,
        leaves_ms,
    }
}

/// The Service that an address or a node port leads to.
fn service_at(address: IpAddr, port: u16, map: &Map) -> Option<Key> {
    let found = map.at_address(&address.to_string())?;
    match found.kind {
        Kind::Service => Some(found.clone()),
        Kind::Node => {
            let wanted = format!(":{port}");
            let has = |ports: &str| ports.split(' ').any(|one| one.ends_with(&wanted));
            map.services.values().find(|service| has(&service.ports)).map(|service| service.key.clone())
        }
        _ => None,
    }
}

fn touched(stop: &Stop) -> Vec<String> {
    let place = match &stop.place {
        Place::Pod(key) => Some(things::id(key)),
        Place::Node(name) => Some(things::id(&Key::new(Kind::Node, "", name.clone()))),
        _ => None,
    };
    place.into_iter().chain(stop.service.as_ref().map(things::id)).collect()
}

/// Where a place is on the map.
#[must_use]
pub fn anchor(place: &Place, layout: &Layout, map: &Map) -> Option<Point> {
    match place {
        Place::Pod(key) => {
            if let Some(found) = layout.pods.iter().find(|pod| pod.key == *key) {
                // At the Pod's door, where its sign is.
                return Some(Point {
                    x: found.rect.x + 3.0,
                    y: found.rect.y + (found.rect.h / 2.0).min(22.0),
                });
            }
            node_anchor(&map.pods.get(key)?.node, layout)
        }
        Place::Node(name) => node_anchor(name, layout),
        Place::Outside(_) => {
            let host = layout.workstation;
            Some(Point { x: host.x + host.w - 14.0, y: host.y + host.h / 2.0 })
        }
        Place::LoadBalancer(address) => {
            let address = address.to_string();
            let found = layout.balancers.iter().find(|(at, ..)| *at == address);
            Some(found.map_or(router(layout), |(_, _, rect)| rect.centre()))
        }
        Place::Router => Some(router(layout)),
    }
}

fn node_anchor(name: &str, layout: &Layout) -> Option<Point> {
    layout.nodes.iter().find(|node| node.name == name).map(|node| node.proxy.centre())
}

/// Between the world and the nodes' network: on the line below the outside.
fn router(layout: &Layout) -> Point {
    layout.router
}

fn sender(first: Option<&Stop>) -> String {
    first.map(|stop| name_of(&stop.place)).unwrap_or_default()
}

fn target(address: IpAddr, port: u16, map: &Map) -> String {
    let named = map.at_address(&address.to_string()).map(|key| key.name.to_string());
    match (named, port) {
        (Some(name), 0) => format!("{name} ({address})"),
        (Some(name), _) => format!("{name}:{port}"),
        (None, 0) => address.to_string(),
        (None, _) => format!("{address}:{port}"),
    }
}

/// A header's two ends as the label on a packet shows them.
#[must_use]
pub fn ends(packet: &Packet) -> (String, String) {
    if packet.transport == Transport::Icmp {
        return (packet.source.ip().to_string(), packet.destination.ip().to_string());
    }
    (packet.source.to_string(), packet.destination.to_string())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::layout::lay_out;
    use super::*;
    use crate::cluster::Settings;
    use crate::network::Origin;
    use crate::session::first_world;
    use crate::simulation::Simulation;

    fn journey(port: u16) -> (Journey, Map) {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        let service = &map.services[&Key::new(Kind::Service, "demo", "web")];
        let to = SocketAddr::new(service.address.parse().expect("it has an address"), port);
        simulation.connect(&Origin::pod("demo", "client"), to, Transport::Tcp);
        let sent = simulation.traffic.last().expect("a packet was just sent");
        (Journey::of(sent, &map), map)
    }

    #[test]
    fn a_packet_through_a_service_meets_its_rule_on_its_own_node() {
        let (journey, map) = journey(80);
        assert_eq!(journey.end, End::Delivered, "{}", journey.result.0);
        let translated =
            journey.stops.iter().find(|stop| stop.step == Step::Dnat).expect("a rule translated it");
        assert_eq!(translated.service, Some(Key::new(Kind::Service, "demo", "web")));
        let own = &map.pods[&Key::new(Kind::Pod, "demo", "client")].node;
        assert_eq!(translated.place, Place::Node(own.clone()));
        assert!(journey.title.starts_with("client → web:80"), "{}", journey.title);
        assert!(journey.touched.contains(&"Service/demo/web".to_owned()));
    }

    #[test]
    fn the_packet_is_where_its_stops_are_and_moves_between_them() {
        let (journey, map) = journey(80);
        let layout = lay_out(&map, 1000.0, 500.0);
        for stop in &journey.stops {
            let there = journey.position(stop.starts_ms, &layout, &map);
            assert_eq!(there, anchor(&stop.place, &layout, &map));
        }
        assert!(journey.stops.windows(2).all(|pair| pair[0].starts_ms < pair[1].starts_ms));
        assert!(journey.length_ms < 15_000.0);
    }
}
