//! Maps that are asked for an address at every packet.
//!
//! Owns [`AddressMap`]: addresses are hashed as numbers, and each family has a map of its own, so that the entries
//! of IPv4 stay small; both are several times as fast as hashing an `IpAddr`. It does not own what the maps hold.

use std::hash::Hash;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

/// A map from an address and something beside it, such as a port.
#[derive(Debug)]
pub(super) struct AddressMap<K, V> {
    v4: FxHashMap<(u32, K), V>,
    v6: FxHashMap<(u128, K), V>,
}

impl<K, V> Default for AddressMap<K, V> {
    fn default() -> Self {
        Self { v4: FxHashMap::default(), v6: FxHashMap::default() }
    }
}

impl<K: Hash + Eq, V> AddressMap<K, V> {
    #[inline]
    pub(super) fn get(&self, address: IpAddr, beside: K) -> Option<&V> {
        match address {
            IpAddr::V4(address) => self.v4.get(&(address.into(), beside)),
            IpAddr::V6(address) => self.v6.get(&(address.into(), beside)),
        }
    }

    pub(super) fn insert(&mut self, address: IpAddr, beside: K, value: V) {
        match address {
            IpAddr::V4(address) => self.v4.insert((address.into(), beside), value),
            IpAddr::V6(address) => self.v6.insert((address.into(), beside), value),
        };
    }

    pub(super) fn remove(&mut self, address: IpAddr, beside: K) {
        match address {
            IpAddr::V4(address) => self.v4.remove(&(address.into(), beside)),
            IpAddr::V6(address) => self.v6.remove(&(address.into(), beside)),
        };
    }

    pub(super) fn clear(&mut self) {
        self.v4.clear();
        self.v6.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_not_its_ipv4_mapped_one() {
        let mut map = AddressMap::default();
        let v4: IpAddr = "10.0.0.1".parse().expect("an address");
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().expect("an address");
        map.insert(v4, 80_u16, "four");
        map.insert(mapped, 80, "six");
        assert_eq!(map.get(v4, 80), Some(&"four"));
        assert_eq!(map.get(mapped, 80), Some(&"six"));
        assert_eq!(map.get(v4, 81), None);
        map.remove(v4, 80);
        assert_eq!(map.get(v4, 80), None);
        assert_eq!(map.get(mapped, 80), Some(&"six"));
        map.clear();
        assert_eq!(map.get(mapped, 80), None);
    }
}
