//! The delay of kube-proxy: what it has heard of and not yet written into its rules.
//!
//! Owns the waiting changes and when they are written: a watch tells of a change a little later, and a sync
//! begins one period after the last one at the earliest, so that a burst of changes becomes one sync. All nodes
//! hear of changes at the same time here, and sync together. Source: `pkg/proxy/runner`, `minSyncPeriod`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::{Key, Object};
use crate::cluster::clock::{Instant, Span};

/// How long after one sync the next one begins at the earliest (`iptables.minSyncPeriod` and
/// `nftables.minSyncPeriod`: 1 s).
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
    last_sync: Option<Instant>,
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
        let heard = self.since + WATCH;
        let due = self.last_sync.map_or(heard, |last| heard.max(last + SYNC_PERIOD));
        (!self.changes.is_empty()).then_some(due)
    }

    /// A sync begins: what waited is handed out, in the order in which it came.
    pub(super) fn sync(&mut self, now: Instant) -> Vec<Change> {
        self.last_sync = Some(now);
        self.index.clear();
        std::mem::take(&mut self.changes)
    }
}
