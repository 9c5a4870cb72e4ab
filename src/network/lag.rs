//! The delay of kube-proxy: what it has heard of and not yet written into its rules.
//!
//! Owns the waiting changes and when they are written: a watch tells of a change a little later, and there is one
//! sync in a period, so that a burst of changes becomes one sync. One more may follow at once (`burstSyncs` = 2, as
//! kube-proxy had it up to v1.33): containers start faster here than real ones, within the period of the sync that
//! their Service caused, which a real start outlasts. All nodes hear of changes at the same time here, and sync
//! together. Source: `pkg/proxy/runner`, `minSyncPeriod`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::{Key, Object};
use crate::cluster::clock::{Instant, Span};

/// In which there is one sync on average (`iptables.minSyncPeriod` and `nftables.minSyncPeriod`: 1 s).
pub const SYNC_PERIOD: Span = Span::from_seconds(1);
/// How long a change takes to reach kube-proxy and its rules the kernel, when nothing else is under way.
const WATCH: Span = Span::from_ms(10);

/// One object before and after what happened to it since the last sync.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) before: Option<Arc<Object>>,
    pub(super) after: Option<Arc<Object>>,
}

/// The changes that wait.
#[derive(Debug, Default)]
pub(super) struct Lag {
    changes: Vec<Change>,
    index: FxHashMap<Key, usize>,
    /// When the oldest of them was made.
    since: Instant,
    /// The end of the last period that a sync has used up: each sync uses one.
    used_until: Instant,
}

impl Lag {
    /// Remembers a change.
    pub(super) fn add(
        &mut self,
        key: &Key,
        before: Option<&Arc<Object>>,
        after: Option<&Arc<Object>>,
        now: Instant,
    ) {
        if let Some(at) = self.index.get(key) {
            self.changes[*at].after = after.cloned();
            return;
        }
        if self.changes.is_empty() {
            self.since = now;
        }
        self.index.insert(key.clone(), self.changes.len());
        self.changes.push(Change { before: before.cloned(), after: after.cloned() });
    }

    /// When the next sync is due; `None` if nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        // One period in advance: the sync that may follow at once.
        let allowed = Instant(self.used_until.0.saturating_sub(SYNC_PERIOD.0));
        (!self.changes.is_empty()).then(|| allowed.max(self.since + WATCH))
    }

    /// A sync begins: what waited is handed out, in the order in which it came.
    pub(super) fn sync(&mut self, now: Instant) -> Vec<Change> {
        self.used_until = self.used_until.max(now) + SYNC_PERIOD;
        self.index.clear();
        std::mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;

    #[test]
    fn two_syncs_may_follow_at_once_and_then_one_in_a_period() {
        let mut lag = Lag::default();
        let key = Key::new(Kind::Service, "default", "web");
        let mut syncs = Vec::new();
        // A change every 100 ms for three seconds.
        for tenth in 100..130 {
            let now = Instant(tenth * 100_000);
            lag.add(&key, None, None, now);
            if let Some(due) = lag.due().filter(|due| *due <= now + Span::from_ms(99)) {
                lag.sync(due);
                syncs.push((due.0 - 10_000_000) / 1_000);
            }
        }
        assert_eq!(syncs, [10, 110, 1_010, 2_010]);
    }
}
