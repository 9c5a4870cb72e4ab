//! Undo and redo over the journal.
//!
//! Owns the list of steps: where in the journal each of a person's actions began. Undoing a step writes
//! compensating entries that put every object back as it was before, through the same commit as any other
//! write, so that followers of the journal need to know nothing of it. Restored objects are the very same
//! versions as before, resourceVersion included.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Cluster;
use super::actor::Actor;
use crate::api::object::{Key, Object};

/// How many steps can be undone.
const STEP_LIMIT: usize = 200;

/// The steps of a cluster.
#[derive(Debug, Default)]
pub(super) struct Steps {
    done: Vec<Step>,
    undone: Vec<Undone>,
    /// The first revision that a person's last request could write. A step that began at it or later only
    /// looked, and what controllers wrote meanwhile follows from an earlier one.
    acted: u64,
}

/// One action of a person, with everything that followed from it until the next one.
#[derive(Debug)]
struct Step {
    label: String,
    /// The journal's revision before its first entry.
    revision: u64,
}

/// What a step had changed, to do it again.
#[derive(Debug)]
struct Undone {
    label: String,
    after: Vec<(Key, Option<Arc<Object>>)>,
}

/// Why there is nothing to undo or redo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoError {
    /// No step is left.
    Nothing,
    /// The journal no longer reaches back to the step.
    Forgotten,
}

impl Cluster {
    /// Marks the beginning of a person's action, such as a command line. What was undone can no longer be
    /// redone once something new is written.
    pub fn begin_step(&mut self, label: impl Into<String>) {
        let revision = self.journal.revision();
        if let Some(last) = self.steps.done.last_mut().filter(|last| last.revision == revision) {
            last.label = label.into();
            return;
        }
        self.steps.done.push(Step { label: label.into(), revision });
        if self.steps.done.len() > STEP_LIMIT {
            self.steps.done.remove(0);
        }
    }

    /// Whether [`Cluster::undo`] has something to do.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.steps.done.iter().any(|step| self.changed_something(step))
    }

    /// Whether [`Cluster::redo`] has something to do.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.steps.undone.is_empty()
    }

    /// Puts every object back as it was before the last step that wrote anything; gives its label.
    ///
    /// # Errors
    ///
    /// There is no such step, or the journal no longer reaches back to it.
    pub fn undo(&mut self) -> Result<String, UndoError> {
        let step = loop {
            let step = self.steps.done.pop().ok_or(UndoError::Nothing)?;
            if self.changed_something(&step) {
                break step;
            }
        };
        let entries = self.journal.since(step.revision).ok_or(UndoError::Forgotten)?;
        let mut first: BTreeMap<Key, Option<Arc<Object>>> = BTreeMap::new();
        for entry in entries {
            first.entry(entry.key.clone()).or_insert_with(|| entry.before.clone());
        }
        let after = first.keys().map(|key| (key.clone(), self.get(key).cloned())).collect();
        self.restore(first);
        self.steps.undone.push(Undone { label: step.label.clone(), after });
        Ok(step.label)
    }

    /// Does again what the last undo took back; gives the step's label.
    ///
    /// # Errors
    ///
    /// [`UndoError::Nothing`] if nothing was undone, or something was written since.
    pub fn redo(&mut self) -> Result<String, UndoError> {
        let undone = self.steps.undone.pop().ok_or(UndoError::Nothing)?;
        self.begin_step(undone.label.clone());
        self.steps.acted = self.journal.revision() + 1;
        self.restore(undone.after);
        Ok(undone.label)
    }

    /// A person is about to write: what could be redone is forgotten.
    pub(super) fn forget_undone(&mut self) {
        self.steps.acted = self.journal.revision() + 1;
        self.steps.undone.clear();
    }

    fn changed_something(&self, step: &Step) -> bool {
        step.revision < self.journal.revision().min(self.steps.acted)
    }

    fn restore(&mut self, objects: impl IntoIterator<Item = (Key, Option<Arc<Object>>)>) {
        for (key, object) in objects {
            let now = self.get(&key).cloned();
            if now.as_ref().map(Arc::as_ptr) != object.as_ref().map(Arc::as_ptr) {
                self.commit(Actor::Undo, now, object);
            }
        }
    }
}
