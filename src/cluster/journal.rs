//! The journal: every write, in order.
//!
//! Owns the entries and the revision counter. Watches, indexes, network tables, controllers and the page
//! follow it with a cursor (a revision). Old entries are forgotten beyond [`JOURNAL_LIMIT`]; a follower
//! that fell behind learns so and lists anew, as a watch answered with `410 Gone` would.

use std::collections::VecDeque;
use std::sync::Arc;

use super::actor::Actor;
use super::clock::Instant;
use super::managers::Writer;
use crate::api::object::{Key, Object};

/// How many entries are kept: enough to undo the creation of thousands of Pods, small enough that a
/// cluster of 150,000 Pods does not keep several versions of each.
pub const JOURNAL_LIMIT: usize = 40_000;

/// One write.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number; also the `resourceVersion` of what it wrote.
    pub revision: u64,
    /// When it was written.
    pub at: Instant,
    /// Who wrote.
    pub actor: Actor,
    /// By what name, and which part.
    pub writer: Writer,
    /// The object's key.
    pub key: Key,
    /// The object before, if it existed.
    pub before: Option<Arc<Object>>,
    /// The object after, if it still exists.
    pub after: Option<Arc<Object>>,
}

impl Entry {
    /// The object that the entry is about: after the write, or before it if it was removed.
    #[must_use]
    pub fn object(&self) -> &Arc<Object> {
        self.after.as_ref().or(self.before.as_ref()).expect("an entry has an object before or after")
    }

    /// Whether the labels before and after are the same (false for creations and removals).
    #[must_use]
    pub fn same_labels(&self) -> bool {
        matches!((&self.before, &self.after), (Some(a), Some(b)) if a.meta.labels == b.meta.labels)
    }
}

/// The history of writes.
#[derive(Debug)]
pub struct Journal {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self { entries: VecDeque::new(), next: 1 }
    }
}

impl Journal {
    /// The revision of the last write; 0 before the first.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.next - 1
    }

    /// The oldest revision that is still kept; the next one to come if there is none.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.entries.front().map_or(self.next, |entry| entry.revision)
    }

    /// The entries after a revision, oldest first; `None` if some of them are forgotten.
    #[must_use]
    pub fn since(&self, revision: u64) -> Option<impl DoubleEndedIterator<Item = &Entry>> {
        let oldest = self.oldest();
        (revision + 1 >= oldest).then(|| {
            let skip = usize::try_from(revision + 1 - oldest).expect("the journal is shorter than its limit");
            self.entries.range(skip.min(self.entries.len())..)
        })
    }

    /// The entry with a revision, if it is kept.
    #[must_use]
    pub fn entry(&self, revision: u64) -> Option<&Entry> {
        let offset = usize::try_from(revision.checked_sub(self.oldest())?).ok()?;
        self.entries.get(offset)
    }

    /// Lets an empty journal begin after a revision: everything before it counts as forgotten.
    pub(super) fn begin_after(&mut self, revision: u64) {
        debug_assert!(self.entries.is_empty(), "only an empty journal can begin later");
        self.next = self.next.max(revision + 1);
    }

    pub(super) fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.revision, self.next, "revisions are given out in order");
        self.next += 1;
        self.entries.push_back(entry);
        if self.entries.len() > JOURNAL_LIMIT {
            self.entries.pop_front();
        }
    }
}
