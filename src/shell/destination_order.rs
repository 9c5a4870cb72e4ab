//! The order in which a host tries the addresses of a name.
//!
//! Owns the sorting of the GNU C library (`getaddrinfo`, RFC 3484 with its default tables): addresses that the
//! host can send to come first, IPv6 before IPv4, and among IPv4 addresses those of the host's own subnet. It
//! asks no name server: that is [`super::resolver`]'s.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// Label of each prefix (`default_labels` of the GNU C library); the longest prefix that fits counts.
const LABELS: &[(&str, u8)] = &[
    ("::1/128", 0),
    ("::ffff:0:0/96", 4),
    ("::/96", 3),
    ("2001::/32", 7),
    ("2002::/16", 2),
    ("fec0::/10", 5),
    ("fc00::/7", 6),
    ("::/0", 1),
];

/// Precedence of each prefix (`default_precedence`).
const PRECEDENCE: &[(&str, u8)] =
    &[("::1/128", 50), ("::ffff:0:0/96", 10), ("::/96", 20), ("2002::/16", 30), ("::/0", 40)];

/// Sorts addresses for a host whose interfaces have these addresses; equals keep the order of the answer.
#[must_use]
pub fn sorted(mut addresses: Vec<IpAddr>, interfaces: &[IpNet]) -> Vec<IpAddr> {
    // The C library learns the lengths of prefixes only on hosts that have an IPv6 address; without, an IPv4
    // address is near to nothing but itself.
    let lengths_known = interfaces.iter().any(|one| matches!(one, IpNet::V6(_)));
    addresses.sort_by_cached_key(|address| {
        let source = source(*address, interfaces);
        let Some(source) = source else { return (true, false, false, Reverse(0), 0, Reverse(0)) };
        (
            false,
            scope(*address) != scope(source.addr()),
            of(LABELS, *address) != of(LABELS, source.addr()),
            Reverse(of(PRECEDENCE, *address)),
            scope(*address),
            Reverse(common_prefix(*address, &source, lengths_known)),
        )
    });
    addresses
}

/// The interface from which the host would send.
fn source(to: IpAddr, interfaces: &[IpNet]) -> Option<IpNet> {
    if to.is_loopback() {
        return Some(IpNet::from(to));
    }
    interfaces.iter().find(|one| one.addr().is_ipv4() == to.is_ipv4()).copied()
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn of(table: &[(&str, u8)], address: IpAddr) -> u8 {
    let address = IpAddr::V6(mapped(address));
    let fits = |range: &str| range.parse::<IpNet>().expect("the tables are valid").contains(&address);
    table.iter().find(|(range, _)| fits(range)).map_or(0, |(_, value)| *value)
}

/// Link-local (2) or global (14).
fn scope(address: IpAddr) -> u8 {
    let near = match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    };
    if near { 2 } else { 14 }
}

/// How many leading bits are the same; for IPv4 only within the interface's own subnet.
fn common_prefix(to: IpAddr, source: &IpNet, lengths_known: bool) -> u32 {
    match (to, source.addr()) {
        (IpAddr::V4(to), IpAddr::V4(from)) => {
            let near = if lengths_known { source.contains(&IpAddr::V4(to)) } else { to == from };
            if near { (u32::from(to) ^ u32::from(from)).leading_zeros() } else { 0 }
        }
        (IpAddr::V6(to), IpAddr::V6(from)) => (u128::from(to) ^ u128::from(from)).leading_zeros(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(interfaces: &[&str], addresses: &[&str], expected: &[&str]) {
        let interfaces: Vec<IpNet> = interfaces.iter().map(|one| one.parse().unwrap()).collect();
        let addresses = addresses.iter().map(|one| one.parse().unwrap()).collect();
        let found: Vec<String> = sorted(addresses, &interfaces).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pod_tries_itself_first_and_others_as_they_came() {
        let headless = ["10.244.2.16", "10.244.1.16", "10.244.2.17"];
        check(&["10.244.1.16/24"], &headless, &["10.244.1.16", "10.244.2.16", "10.244.2.17"]);
        check(&["10.244.1.19/24"], &headless, &headless);
    }

    #[test]
    fn with_both_families_ipv6_comes_before_ipv4_and_the_own_subnet_before_others() {
        check(
            &["10.244.1.19/24", "fd00:10:244:1::13/64"],
            &["10.244.2.16", "10.244.1.16", "fd00:10:96::5"],
            &["fd00:10:96::5", "10.244.1.16", "10.244.2.16"],
        );
    }

    #[test]
    fn what_the_host_cannot_send_to_comes_last() {
        check(&["10.244.1.19/24"], &["fd00::1", "10.0.0.1"], &["10.0.0.1", "fd00::1"]);
        check(&[], &["::1", "127.0.0.1"], &["::1", "127.0.0.1"]);
    }
}
