//! Which data the first part needs: what its code can reach without a stub.
//!
//! A static of the program is a segment of its own where the linker was told not to merge them
//! (`--no-merge-data-segments`). One is needed where it was seen to be read, where a kept function mentions an
//! address in it, or where needed data does, at a place where an address can stand. A number that only looks
//! like an address keeps a static too many; that is the safe side. Mentions alone are not enough: a loop over
//! a table may count up to zero and mention the table's end. Of what was only seen to be read, and is
//! mentioned nowhere, the addresses count that were read too.

use std::collections::BTreeSet;

use crate::module::{Module, Segment};
use crate::plan::{Plan, Uses};

/// The size of an address, and what the place of one is a multiple of.
const ADDRESS_BYTES: u32 = 4;

/// A hole that is cheaper to fill with zeros than to begin a new segment after it.
const SMALL_HOLE: u32 = 8;

/// Bytes at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The address of the first byte.
    pub start: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Which data goes where.
#[derive(Debug)]
pub struct Placement {
    /// Data of the first part.
    pub first: Vec<Run>,
    /// Data of the second part.
    pub second: Vec<Run>,
}

impl Placement {
    /// Finds the data of each part.
    #[must_use]
    pub fn new(module: &Module<'_>, uses: &[Uses], plan: &Plan, reads: &BTreeSet<(u32, u32)>) -> Self {
        let imported = module.imported();
        let mentioned = plan.kept.iter().flat_map(|function| &uses[(function - imported) as usize].addresses);
        let mut needed = Needed::of(&module.data);
        for address in mentioned {
            needed.add(*address);
        }
        needed.close(|_| true);
        let mut words = BTreeSet::new();
        for (address, bytes) in reads {
            let first = address - address % ADDRESS_BYTES;
            words.extend((first..address + bytes).step_by(ADDRESS_BYTES as usize));
            for byte in *address..address + bytes {
                needed.add(byte);
            }
        }
        needed.close(|place| words.contains(&place));
        let (first, second): (Vec<_>, Vec<_>) =
            module.data.iter().enumerate().partition(|(index, _)| needed.found.contains(index));
        Self { first: join(first), second: join(second) }
    }
}

struct Needed<'m> {
    /// By address.
    segments: &'m [Segment<'m>],
    found: BTreeSet<usize>,
    /// Found ones whose own contents were not looked at yet.
    open: Vec<usize>,
}

impl<'m> Needed<'m> {
    fn of(segments: &'m [Segment<'m>]) -> Self {
        Self { segments, found: BTreeSet::new(), open: Vec::new() }
    }

    fn add(&mut self, address: u32) {
        let index = self.segments.partition_point(|segment| segment.end() <= address);
        let within = self.segments.get(index).is_some_and(|segment| segment.start <= address);
        if within && self.found.insert(index) {
            self.open.push(index);
        }
    }

    /// Follows addresses in data, from the places that count. They stand at multiples of four, and so does
    /// the beginning of a static that has some.
    fn close(&mut self, counts: impl Fn(u32) -> bool) {
        while let Some(index) = self.open.pop() {
            let Segment { start, bytes } = self.segments[index];
            if !start.is_multiple_of(ADDRESS_BYTES) {
                continue;
            }
            for (place, word) in
                (start..).step_by(ADDRESS_BYTES as usize).zip(bytes.chunks_exact(ADDRESS_BYTES as usize))
            {
                if counts(place) {
                    self.add(u32::from_le_bytes(word.try_into().expect("four bytes")));
                }
            }
        }
    }
}

/// Joins neighbours, and drops zeros at the ends: memory is zero from the start, and nothing of a program
/// writes to statics that it cannot reach.
fn join(segments: Vec<(usize, &Segment<'_>)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut before = None;
    for (index, segment) in segments {
        let follows = before == index.checked_sub(1);
        before = Some(index);
        let start = segment.start as usize;
        if let Some(run) = runs.last_mut() {
            let end = run.start as usize + run.bytes.len();
            // Only padding lies between neighbours; other data between two would be overwritten.
            if follows && start - end <= SMALL_HOLE as usize {
                run.bytes.resize(start - run.start as usize, 0);
                run.bytes.extend_from_slice(segment.bytes);
                continue;
            }
        }
        runs.push(Run { start: segment.start, bytes: segment.bytes.to_vec() });
    }
    runs
}
