//! How a walk ends: at a socket, refused, swallowed, or with nobody there.
//!
//! Owns the making of [`Outcome`]s and of the last hop. What leads to an ending is in [`super::walk`] and
//! [`super::beyond`].

use std::net::IpAddr;

use super::hop::{Hop, Place, Recorder, Rule, Step};
use super::icmp_limit::Host;
use super::outcome::{
    ARP_FAILURE_US, Delivery, Drop, DropCause, NoRoute, NoRouteCause, Outcome, Refusal, RefusedCause,
};
use super::packet::{Packet, Transport};
use super::proxy::Hook;
use super::sockets::Listener;
use super::topology::NodeId;
use super::walk::{Entered, Passing, Walk, hop};

impl<'a, R: Recorder> Walk<'a, R> {
    /// A packet is where its address is: whether somebody listens.
    pub(super) fn socket(&mut self, place: Place, open: &[Listener], packet: Packet) -> Outcome {
        let to = packet.destination;
        let protocol = packet.transport.protocol();
        let fits = |one: &&Listener| Some(one.protocol) == protocol && one.port == to.port();
        let found = open.iter().filter(fits).min_by_key(|one| one.loopback);
        let reached = found.filter(|one| !one.loopback || to.ip().is_loopback());
        if self.answer_lost {
            self.recorder.hop(|| hop(place.clone(), Step::Drop, packet));
            return Outcome::Dropped(Drop { place, packet, cause: DropCause::Unanswered });
        }
        if reached.is_some() || packet.transport == Transport::Icmp {
            self.recorder.hop(|| hop(place.clone(), Step::Deliver, packet));
            return Outcome::Delivered(Delivery {
                server: place,
                listener: reached.cloned(),
                packet,
                through: self.through.take(),
                latency_us: self.latency_us,
            });
        }
        self.recorder.hop(|| hop(place.clone(), Step::Reset, packet));
        let cause = match found {
            Some(listener) => RefusedCause::ListensOnLoopback(listener.clone()),
            None => RefusedCause::NothingListens,
        };
        // The client sees the answer come from where it sent to: translations are undone on the way back.
        let by = self.target.ip();
        let latency_us = self.latency_us;
        let from = packet.source.ip();
        let itself = from == to.ip() || from.is_loopback();
        let refused = Outcome::Refused(Refusal { place, by, packet, cause, on_sender: false, latency_us });
        if packet.transport != Transport::Udp || itself {
            return refused;
        }
        self.told(Host::At(to.ip()), from, refused)
    }

    /// An ICMP error is sent back, or held back: see [`super::icmp_limit`].
    fn told(&mut self, host: Host, receiver: IpAddr, outcome: Outcome) -> Outcome {
        if self.icmp_limit.allows(host, receiver, self.now) {
            return outcome;
        }
        let (place, packet) = match &outcome {
            Outcome::Refused(refusal) => (refusal.place.clone(), refusal.packet),
            Outcome::NoRoute(no_route) => (no_route.place.clone(), no_route.packet),
            Outcome::Delivered(_) | Outcome::Dropped(_) => return outcome,
        };
        Outcome::Dropped(Drop { place, packet, cause: DropCause::AnswerHeldBack(Box::new(outcome)) })
    }

    pub(super) fn refused(
        &mut self,
        passing: &Passing<'a>,
        hook: Hook,
        cause: RefusedCause,
        why: impl FnOnce() -> Vec<Rule>,
    ) -> Outcome {
        let (place, packet) = (self.proxy.topology.place(passing.node), passing.packet);
        let by = match hook {
            Hook::Input => packet.destination.ip(),
            Hook::Output => packet.source.ip(),
            Hook::Forward => self.answer_address(passing.node, packet.source.ip()),
        };
        let from_lan = passing.entered == Entered::FromLan;
        if hook == Hook::Forward && from_lan && self.proxy.topology.in_lan(packet.source.ip()) {
            // Sent by a node, turned round by the router. A node that forwards back to where a packet came from
            // tells the sender of the shorter way, and each such redirect empties the sender's bucket of ICMP
            // errors (`ip_rt_send_redirect`): the refusal was never seen to come back.
            return self.dropped(place, packet, DropCause::Unanswered, why);
        }
        self.recorder.hop(|| Hop { rules: why().into(), ..hop(place.clone(), Step::Reject, packet) });
        let on_sender = hook == Hook::Output;
        let latency_us = self.latency_us;
        let refused = Outcome::Refused(Refusal { place, by, packet, cause, on_sender, latency_us });
        // What goes back over loopback is not limited.
        if passing.entered == Entered::Locally {
            return refused;
        }
        self.told(Host::Node(passing.node), packet.source.ip(), refused)
    }

    pub(super) fn dropped(
        &mut self,
        place: Place,
        packet: Packet,
        cause: DropCause,
        why: impl FnOnce() -> Vec<Rule>,
    ) -> Outcome {
        self.recorder.hop(|| Hop { rules: why().into(), ..hop(place.clone(), Step::Drop, packet) });
        Outcome::Dropped(Drop { place, packet, cause })
    }

    /// Nobody has the address, or it was forwarded too often. `host` sends an ICMP error; the sender itself knows
    /// without one.
    pub(super) fn no_route(
        &mut self,
        place: Place,
        host: Option<Host>,
        by: IpAddr,
        packet: Packet,
        cause: NoRouteCause,
    ) -> Outcome {
        let by = if self.translated { self.target.ip() } else { by };
        self.recorder.hop(|| hop(place.clone(), Step::Unreachable, packet));
        let wait = if cause == NoRouteCause::NobodyHasAddress { ARP_FAILURE_US } else { self.latency_us };
        let latency_us = self.latency_us + wait;
        let no_route = Outcome::NoRoute(NoRoute { place, by, packet, cause, latency_us });
        match host {
            Some(host) => self.told(host, packet.source.ip(), no_route),
            None => no_route,
        }
    }

    /// The address from which a node answers a sender: that of the interface towards it.
    pub(super) fn answer_address(&self, node: NodeId, source: IpAddr) -> IpAddr {
        let entry = self.proxy.topology.node(node);
        let inside = self.proxy.topology.range_owner(source) == Some(node);
        let address = if inside { entry.bridge_for(source) } else { entry.address_for(source) };
        address.unwrap_or(source)
    }
}
