//! Packets: which were sent, by a person or by programs, and which one is followed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;

use super::time::COMMAND_BUDGET_MS;
use super::{Topic, World};
use crate::api::value::SmolStr;
use crate::network::{Origin, Transport};
use crate::shell::load;
use crate::simulation::initiator::Initiator;
use crate::simulation::load::{LoadPlan, LoadStatistics};
use crate::ui::dom;
use crate::ui::model::journey::Journey;
use crate::ui::model::layout::NODES;

/// Packets of a person's commands that can be shown again.
const JOURNEYS: usize = 40;
/// Packets of running programs that are shown at once.
const SPARKS: usize = 200;
/// Milliseconds that one of them flies, as `packet.css` has it, and a little more.
const FLIGHT_MS: f64 = 1_200.0;
/// The port of DNS: its packets are shown, but followed only on request.
const DNS_PORT: u16 = 53;

impl World {
    /// Packets of the person's commands, oldest first.
    pub fn journeys(&self) -> Vec<Rc<Journey>> {
        self.0.journeys.borrow().iter().cloned().collect()
    }

    /// Packets of running programs, oldest first.
    pub fn sparks(&self) -> Vec<Rc<Journey>> {
        self.0.sparks.borrow().iter().map(|(_, journey)| Rc::clone(journey)).collect()
    }

    /// The packet that is followed.
    pub fn followed(&self) -> Option<Rc<Journey>> {
        let number = self.0.followed.get()?;
        self.0.journeys.borrow().iter().find(|journey| journey.number == number).cloned()
    }

    /// Follows a packet, or none.
    pub fn follow(&self, number: Option<u64>) {
        self.0.followed.set(number);
        self.see_nodes();
        self.tell(&[Topic::Packets]);
    }

    /// Where not all nodes are drawn, those are on which the followed packet was.
    fn see_nodes(&self) {
        let nodes: BTreeSet<SmolStr> = self.followed().iter().flat_map(|journey| journey.nodes()).collect();
        let mut map = self.0.map.borrow_mut();
        if map.nodes.len() > NODES && !nodes.is_empty() && map.wanted != nodes {
            map.wanted = nodes;
            drop(map);
            self.0.rearranged.set(self.0.rearranged.get() + 1);
            self.tell(&[Topic::Objects]);
        }
    }

    /// Sends a packet, as the first one of a connection.
    pub fn send_packet(&self, from: &Origin, to: SocketAddr, transport: Transport) {
        self.act(|simulation| simulation.connect(from, to, transport));
        let last = self.0.journeys.borrow().back().map(|journey| journey.number);
        self.follow(last);
    }

    /// Starts a load.
    pub fn start_load(&self, plan: LoadPlan) {
        self.catch_up(COMMAND_BUDGET_MS);
        load::start(&self.0.host, plan);
        self.run_now();
        self.tell(&[Topic::Lower]);
    }

    /// Ends the load that runs.
    pub fn stop_load(&self) {
        if let Some(id) = self.with(|simulation| simulation.loads.iter().last().map(|(id, _)| id)) {
            load::stop(&self.0.host, id);
        }
        self.tell(&[Topic::Lower]);
    }

    /// The load that was started last: whether it runs, its target, and what came of it so far.
    pub fn last_load(&self) -> Option<(bool, String, LoadStatistics)> {
        self.with(|simulation| {
            let (_, load) = simulation.loads.iter().last()?;
            Some((load.running, load.plan.name.clone(), load.statistics.clone()))
        })
    }

    /// Takes note of packets that were sent since the last call. Gives whether there were any.
    pub(super) fn look_at_packets(&self) -> bool {
        let seen = self.0.packets_seen.get();
        let (count, sent) = self.with(|simulation| {
            let map = self.map();
            let news =
                simulation.traffic.since(seen.max(simulation.traffic.count().saturating_sub(SPARKS as u64)));
            let news: Vec<(Initiator, bool, Journey)> = news
                .map(|sent| (sent.initiator, sent.trace.target.port() == DNS_PORT, Journey::of(sent, &map)))
                .collect();
            (simulation.traffic.count(), news)
        });
        if self.0.packets_seen.replace(count) == count {
            return false;
        }
        let mut journeys = self.0.journeys.borrow_mut();
        let mut sparks = self.0.sparks.borrow_mut();
        let now = dom::milliseconds();
        let last = sent.iter().rposition(|(initiator, dns, _)| *initiator == Initiator::Person && !dns);
        for (index, (initiator, _, journey)) in sent.into_iter().enumerate() {
            let journey = Rc::new(journey);
            if initiator == Initiator::Person {
                journeys.push_back(Rc::clone(&journey));
            }
            // One is followed; all others of the same moment fly beside it.
            if last == Some(index) {
                self.0.followed.set(Some(journey.number));
            } else {
                sparks.push_back((now, journey));
            }
        }
        while journeys.len() > JOURNEYS {
            journeys.pop_front();
        }
        // What has flown by is drawn no more.
        while sparks.len() > SPARKS || sparks.front().is_some_and(|(born, _)| now - born > FLIGHT_MS) {
            sparks.pop_front();
        }
        drop((journeys, sparks));
        self.see_nodes();
        true
    }
}
