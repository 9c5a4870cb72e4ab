//! Addresses of one host: mostly one, seldom two, as short in memory as that.

use std::net::IpAddr;
use std::ops::Deref;
use std::slice;

/// A list of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(Held);

/// One address needs no memory beside the list itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    One(IpAddr),
    Other(Box<[IpAddr]>),
}

impl Default for Addresses {
    fn default() -> Self {
        Self(Held::Other(Box::default()))
    }
}

impl Deref for Addresses {
    type Target = [IpAddr];

    fn deref(&self) -> &[IpAddr] {
        match &self.0 {
            Held::One(address) => slice::from_ref(address),
            Held::Other(addresses) => addresses,
        }
    }
}

impl FromIterator<IpAddr> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let mut addresses = addresses.into_iter();
        match (addresses.next(), addresses.next()) {
            (Some(one), None) => Self(Held::One(one)),
            (one, two) => Self(Held::Other(one.into_iter().chain(two).chain(addresses).collect())),
        }
    }
}

impl<'a> IntoIterator for &'a Addresses {
    type Item = &'a IpAddr;
    type IntoIter = slice::Iter<'a, IpAddr>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_addresses_comes_back_in_order() {
        let all: Vec<IpAddr> = ["10.0.0.1", "fd00::1", "10.0.0.2"].map(|text| text.parse().unwrap()).into();
        for count in 0..=all.len() {
            let some: Addresses = all[..count].iter().copied().collect();
            assert_eq!(*some, all[..count]);
        }
        assert_eq!(size_of::<Addresses>(), 24);
    }
}
