//! The way back of an answer.
//!
//! Owns the hops of replies: they retrace the packet's way, and every translation is undone where it was done
//! (conntrack). An answer meets no rule of its own.

use super::hop::{Hop, Rules, Step};
use super::outcome::Outcome;

/// Appends the hops of the answer, if there is one.
pub(super) fn append(hops: &mut Vec<Hop>, outcome: &Outcome) {
    if matches!(outcome, Outcome::Dropped(_)) {
        return;
    }
    // One stay per place, from the last one back: where its hops begin in the list, and where the next stay's do.
    let starts_stay = |hops: &[Hop], at: usize| at == 0 || hops[at - 1].place != hops[at].place;
    let stay_before = |hops: &[Hop], end: usize| (0..end).rev().find(|at| starts_stay(hops, *at));
    // The answer sets out from the last one.
    let mut end = stay_before(hops, hops.len()).unwrap_or_default();
    while let Some(first) = stay_before(hops, end) {
        let before_that = first.checked_sub(1);
        hops.push(Hop {
            place: hops[first].place.clone(),
            step: Step::Reply,
            before: hops[end - 1].after.reply(),
            after: hops[first].before.reply(),
            rules: Rules::default(),
            next: before_that.map(|at| hops[at].place.clone()),
            latency_us: before_that.map_or(0, |at| hops[at].latency_us),
        });
        end = first;
    }
}
