//! The seeded generator: the only randomness of a cluster.
//!
//! Owns the generator and what Kubernetes makes from random numbers: name suffixes, uids, digests.

use crate::api::value::SmolStr;

/// Letters of generated names: no vowels and no look-alikes (k8s.io/apimachinery `util/rand`).
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// A generator that repeats for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Where the generator stands: [`Random::new`] with it goes on from here.
    #[must_use]
    pub fn state(&self) -> u64 {
        self.0.get_seed()
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.u64(0..limit)
    }

    /// An index below `limit`, which must not be 0.
    pub fn index(&mut self, limit: usize) -> usize {
        self.0.usize(0..limit)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// Puts a list into random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        self.0.shuffle(list);
    }

    /// A suffix of a generated name, such as the `h6x74` of `web-h6x74`.
    pub fn suffix(&mut self, length: usize) -> SmolStr {
        let mut text = String::with_capacity(length);
        for _ in 0..length {
            text.push(SAFE[self.index(SAFE.len())] as char);
        }
        text.into()
    }

    /// A random (version 4) UUID.
    pub fn uid(&mut self) -> SmolStr {
        let high = self.bits();
        let low = self.bits();
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
        .into()
    }

    /// 64 hexadecimal digits, as in a container ID.
    pub fn digest(&mut self) -> String {
        format!("{:016x}{:016x}{:016x}{:016x}", self.bits(), self.bits(), self.bits(), self.bits())
    }
}
