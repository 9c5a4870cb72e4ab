//! How many ICMP errors a host sends to one address: `net.ipv4.icmp_ratelimit` and its IPv6 sister.
//!
//! Owns one bucket of tokens for each pair of host and receiver. A token is a second old (`icmp_ratelimit` = 1000
//! ms) and six fit (`XRLIM_BURST_FACTOR`), so that a client that is refused in a loop gets six answers at once and
//! then one a second; all kinds of errors draw from the same bucket (`icmp_ratemask`: destination unreachable,
//! time exceeded). IPv6 gives more to wider routes: towards a /64, four a second. It does not own what goes over
//! loopback, which is not limited, nor TCP's RST, which is no ICMP.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::topology::NodeId;
use crate::cluster::clock::Instant;

/// How many tokens fit.
const BURST: u64 = 6;
/// The age of a token of IPv4, in microseconds.
const TOKEN_US: u64 = 1_000_000;
/// The age of a token towards a /64 of IPv6: `icmpv6_time >> ((128 - 64) >> 5)`.
const TOKEN_V6_US: u64 = TOKEN_US / 4;
/// How many receivers are remembered: a bound on memory.
const RECEIVER_LIMIT: usize = 65_536;

/// Whose kernel sends an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// A node's.
    Node(NodeId),
    /// The router.
    Router,
    /// A Pod's, or that of a host outside, by the address that was sent to.
    At(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// What has gathered, as microseconds.
    gathered_us: u64,
    /// When it was last looked at.
    looked: Instant,
}

/// The buckets of all hosts.
#[derive(Debug, Default)]
pub(super) struct IcmpLimit(FxHashMap<(Host, IpAddr), Bucket>);

impl IcmpLimit {
    /// Whether a host may send an error to an address now; if so, a token is spent.
    pub(super) fn allows(&mut self, host: Host, receiver: IpAddr, now: Instant) -> bool {
        if self.0.len() >= RECEIVER_LIMIT {
            self.0.clear();
        }
        let token_us = if receiver.is_ipv4() { TOKEN_US } else { TOKEN_V6_US };
        let full = Bucket { gathered_us: BURST * token_us, looked: now };
        let bucket = self.0.entry((host, receiver)).or_insert(full);
        let gathered_us = bucket.gathered_us.saturating_add((now - bucket.looked).0).min(BURST * token_us);
        let allowed = gathered_us >= token_us;
        *bucket = Bucket { gathered_us: gathered_us - if allowed { token_us } else { 0 }, looked: now };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `count` errors, one every `apart_ms`, are sent.
    fn sent(receiver: &str, count: u64, apart_ms: u64) -> usize {
        let mut limit = IcmpLimit::default();
        let receiver = receiver.parse().expect("an address");
        let times = (0..count).map(|at| Instant(5_000_000 + at * apart_ms * 1_000));
        times.filter(|now| limit.allows(Host::Router, receiver, *now)).count()
    }

    #[test]
    fn six_errors_are_sent_at_once_and_then_one_a_second() {
        assert_eq!(sent("10.0.0.1", 60, 0), 6);
        assert_eq!(sent("10.0.0.1", 60, 100), 6 + 5, "5.9 s pass");
        assert_eq!(sent("10.0.0.1", 60, 1_000), 60);
    }

    #[test]
    fn four_a_second_are_sent_by_ipv6() {
        assert_eq!(sent("fd00::1", 60, 0), 6);
        assert_eq!(sent("fd00::1", 60, 250), 60);
    }

    #[test]
    fn every_host_and_every_receiver_has_its_own_bucket() {
        let mut limit = IcmpLimit::default();
        let (a, b): (IpAddr, IpAddr) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _ in 0..6 {
            assert!(limit.allows(Host::Router, a, Instant(0)));
        }
        assert!(!limit.allows(Host::Router, a, Instant(0)));
        assert!(limit.allows(Host::Router, b, Instant(0)));
        assert!(limit.allows(Host::At(b), a, Instant(0)));
    }
}
