//! The way back of an answer.
//!
//! Owns the hops of replies: they retrace the packet's way, and every translation is undone where it was done
//! (conntrack). An answer meets no rule of its own.

use super::hop::{Hop, Place, Rules, Step};
use super::outcome::Outcome;

/// Appends the hops of the answer, if there is one.
pub(super) fn append(hops: &mut Vec<Hop>, outcome: &Outcome) {
    if matches!(outcome, Outcome::Dropped(_)) {
        return;
    }
    // One stay per place, in the order of the way; each with the header on entering and on leaving.
    let mut stays: Vec<(Place, usize, usize)> = Vec::with_capacity(hops.len());
    for (index, hop) in hops.iter().enumerate() {
        match stays.last_mut() {
            Some((place, _, last)) if *place == hop.place => *last = index,
            _ => stays.push((hop.place.clone(), index, index)),
        }
    }
    hops.reserve_exact(stays.len().saturating_sub(1));
    for at in (0..stays.len().saturating_sub(1)).rev() {
        let (place, first, last) = &stays[at];
        let answer = Hop {
            place: place.clone(),
            step: Step::Reply,
            before: hops[*last].after.reply(),
            after: hops[*first].before.reply(),
            rules: Rules::default(),
            next: at.checked_sub(1).map(|previous| stays[previous].0.clone()),
            latency_us: at.checked_sub(1).map_or(0, |previous| hops[stays[previous].2].latency_us),
        };
        hops.push(answer);
    }
}
