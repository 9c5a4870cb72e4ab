//! Hops: what happened to a packet, where, and by which rule.
//!
//! Owns [`Place`], [`Hop`], [`Step`], [`Rule`] and the recorders. A walk reports each hop to a recorder;
//! [`NullRecorder`] throws them away before they are made, which is what makes the fast path fast.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::slice;
use std::sync::{Arc, LazyLock};

use super::packet::Packet;
use crate::api::object::Key;
use crate::api::value::SmolStr;

/// Where a packet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a Pod's network namespace.
    Pod(Key),
    /// On a node (its own network namespace, where kube-proxy's rules are).
    Node(SmolStr),
    /// On the router between the nodes' network and the world.
    Router,
    /// On the load balancer that has this address.
    LoadBalancer(IpAddr),
    /// On a host outside the cluster, such as the workstation.
    Outside(IpAddr),
}

impl fmt::Display for Place {
    /// `pod default/web-1`, `node k8s-w1`, `router`, `load balancer 203.0.113.200`, `outside 203.0.113.10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(key) => write!(f, "pod {}/{}", key.namespace, key.name),
            Self::Node(name) => write!(f, "node {name}"),
            Self::Router => f.write_str("router"),
            Self::LoadBalancer(address) => write!(f, "load balancer {address}"),
            Self::Outside(address) => write!(f, "outside {address}"),
        }
    }
}

/// What happened at a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A socket sent the packet.
    Send,
    /// A routing decision: to the next place, or to a socket here.
    Route,
    /// The destination was rewritten (kube-proxy chose a backend).
    Dnat,
    /// The destination was rewritten by a load balancer outside the cluster.
    Balance,
    /// The source was rewritten on the way out.
    Masquerade,
    /// A rule refused it: an ICMP message goes back.
    Reject,
    /// A rule, or the lack of a route, swallowed it: nothing comes back.
    Drop,
    /// Nobody has the address: an ICMP message goes back after three unanswered ARP requests, or its time to
    /// live is used up.
    Unreachable,
    /// The address is here, but no socket is open for it: TCP answers RST, UDP an ICMP message.
    Reset,
    /// A socket (or, for a ping, the host itself) got it.
    Deliver,
    /// An answer passes here on its way back; headers are those of the answer.
    Reply,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The table it stands in: `nat`, `filter` (iptables), `ip kube-proxy` (nftables), `route`.
    pub table: &'static str,
    /// The chain it stands in.
    pub chain: String,
    /// The rule as `iptables-save` (or `nft list ruleset`, or `ip route`) prints it.
    pub text: String,
}

/// The rules that a packet met at a hop, in order; the last one did it. They are spelled when somebody reads them.
#[derive(Clone, Default)]
pub struct Rules(Option<Arc<dyn Deref<Target = Vec<Rule>> + Send + Sync>>);

impl Rules {
    /// Rules that are spelled later, from what `spell` knows.
    pub(super) fn later(spell: impl FnOnce() -> Vec<Rule> + Send + 'static) -> Self {
        Self(Some(Arc::new(LazyLock::new(spell))))
    }
}

impl From<Vec<Rule>> for Rules {
    fn from(rules: Vec<Rule>) -> Self {
        if rules.is_empty() { Self::default() } else { Self::later(|| rules) }
    }
}

impl Deref for Rules {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        self.0.as_deref().map_or(&[], |rules| rules.as_slice())
    }
}

impl<'a> IntoIterator for &'a Rules {
    type Item = &'a Rule;
    type IntoIter = slice::Iter<'a, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Rules {}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// One thing that happened to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where.
    pub place: Place,
    /// What.
    pub step: Step,
    /// The header before.
    pub before: Packet,
    /// The header after.
    pub after: Packet,
    /// The rules that matched.
    pub rules: Rules,
    /// Where it goes from here, if it leaves this place.
    pub next: Option<Place>,
    /// Virtual time spent here and on the way to the next place, in microseconds.
    pub latency_us: u64,
}

/// Who is told of hops.
pub trait Recorder {
    /// Is told of a hop. The hop is made only if the recorder wants it.
    fn hop(&mut self, hop: impl FnOnce() -> Hop);
}

/// Wants nothing: the fast path.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullRecorder;

impl Recorder for NullRecorder {
    fn hop(&mut self, _hop: impl FnOnce() -> Hop) {}
}

/// Keeps everything: the trace.
#[derive(Clone, Debug, Default)]
pub struct FullRecorder(pub Vec<Hop>);

impl Recorder for FullRecorder {
    fn hop(&mut self, hop: impl FnOnce() -> Hop) {
        self.0.push(hop());
    }
}
