//! The host: the simulated world as commands reach it, and the loop that moves both.
//!
//! Owns the sharing of one [`Simulation`] between terminals and page, the executor of the commands, the
//! programs of containers, the waiting for time and for changes, and the file systems of the places. Does not know what a command is.
//!
//! A command's future calls [`Host::with`] to read or change the world (briefly, never across an await),
//! [`Host::sleep`] to let virtual time pass and [`Host::changed`] to wait for the next write to the journal.
//! The page calls [`Host::run_until`] once per frame.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::edits::Edits;
use super::executor::{Boxed, Executor, Notice, TaskId};
use super::filesystem::{FileSystem, Files};
use super::forwards::Forwards;
use super::places::Address;
use super::programs::Programs;
use crate::simulation::Simulation;
use crate::simulation::initiator::Initiator;
use crate::words::Language;

/// Polls of one [`Host::run_until`] when the caller sets no other budget: some milliseconds of work.
pub const DEFAULT_BUDGET: u32 = 2_000;

/// Process id of shells; real ones are as arbitrary.
const SHELL_PROCESS: u32 = 2_170;

/// How [`Host::run_until`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The clock stands at the asked time and nothing can go on before it moves.
    Reached,
    /// The budget is used up: call again, best in the next frame.
    OutOfBudget,
}

/// A shared handle to the world and its executor; cheap to clone.
#[derive(Clone)]
pub struct Host(Rc<Inner>);

struct Inner {
    simulation: RefCell<Simulation>,
    executor: Executor,
    changes: Notice,
    revision_seen: Cell<u64>,
    /// Whether the world has begun with an instant and not ended it: commands hear of it when it is whole.
    within_instant: Cell<bool>,
    files: RefCell<BTreeMap<Address, Files>>,
    language: Cell<Language>,
    processes: Cell<u32>,
    programs: RefCell<Programs>,
    random: RefCell<fastrand::Rng>,
    forwards: Forwards,
    edits: Edits,
}

impl Host {
    /// A host of `simulation`.
    pub fn new(mut simulation: Simulation) -> Self {
        simulation.runtime.runs_programs = true;
        let seed = simulation.cluster.settings().seed;
        Self(Rc::new(Inner {
            revision_seen: Cell::default(),
            within_instant: Cell::default(),
            simulation: RefCell::new(simulation),
            executor: Executor::default(),
            changes: Notice::default(),
            files: RefCell::default(),
            language: Cell::default(),
            processes: Cell::new(SHELL_PROCESS),
            programs: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            forwards: Forwards::default(),
            edits: Edits::default(),
        }))
    }

    /// Reads or changes the world. Must not be called from inside another `with`.
    pub fn with<T>(&self, act: impl FnOnce(&mut Simulation) -> T) -> T {
        let mut simulation = self.0.simulation.borrow_mut();
        simulation.initiator = self.0.executor.initiator();
        act(&mut simulation)
    }

    /// Virtual time, in µs since the world began.
    pub fn now(&self) -> u64 {
        self.0.simulation.borrow().now()
    }

    /// Ready when `duration` of virtual time has passed.
    pub async fn sleep(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.sleep_until(self.now().saturating_add(micros)).await;
    }

    /// Ready when virtual time has reached `due` (µs).
    pub async fn sleep_until(&self, due: u64) {
        let mut timer = Timer { host: self, key: None };
        std::future::poll_fn(|context| {
            if self.now() >= due {
                return Poll::Ready(());
            }
            if timer.key.is_none() {
                timer.key = Some(self.0.executor.set_timer(due, context.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }

    /// Ready after the next write to the journal.
    pub async fn changed(&self) {
        self.0.changes.next().await;
    }

    /// Waits until `look` finds something, looking now and after each change of the world.
    pub async fn until<T>(&self, mut look: impl FnMut(&mut Simulation) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.with(&mut look) {
                return found;
            }
            self.changed().await;
        }
    }

    /// Starts a task beside the caller.
    pub fn spawn(&self, future: Boxed<'static, ()>) -> TaskId {
        self.0.executor.spawn(future)
    }

    /// Starts a task that acts for a container and for nobody else.
    pub fn spawn_program(&self, future: Boxed<'static, ()>) -> TaskId {
        self.0.executor.spawn_for(Initiator::Program, future)
    }

    /// Drops a task.
    pub fn abort(&self, task: TaskId) {
        self.0.executor.abort(task);
    }

    /// Whether a task has not ended.
    pub fn is_running(&self, task: TaskId) -> bool {
        self.0.executor.is_running(task)
    }

    /// The file system of a place; made by `make` when the place is first asked for.
    pub fn files(&self, address: &Address, make: impl FnOnce() -> FileSystem) -> Files {
        let mut all = self.0.files.borrow_mut();
        Rc::clone(all.entry(address.clone()).or_insert_with(|| Rc::new(RefCell::new(make()))))
    }

    /// The file system of a place, if anybody has looked at it or changed it.
    pub fn existing_files(&self, address: &Address) -> Option<Files> {
        self.0.files.borrow().get(address).map(Rc::clone)
    }

    /// A process id for a new background job.
    pub fn next_process(&self) -> u32 {
        let process = self.0.processes.get() + 1;
        self.0.processes.set(process);
        process
    }

    /// The process id that `$$` shows.
    pub fn shell_process(&self) -> u32 {
        SHELL_PROCESS
    }

    /// A number below `limit` for `$RANDOM` and `shuf`; the cluster's own generator is not touched.
    pub fn random(&self, limit: u32) -> u32 {
        self.0.random.borrow_mut().u32(0..limit.max(1))
    }

    /// The ports that running commands forward into Pods.
    pub fn forwards(&self) -> &Forwards {
        &self.0.forwards
    }

    /// The texts that commands give to a person to edit.
    pub fn edits(&self) -> &Edits {
        &self.0.edits
    }

    /// The language in which Portside itself speaks.
    pub fn language(&self) -> Language {
        self.0.language.get()
    }

    /// Sets the language in which Portside itself speaks.
    pub fn set_language(&self, language: Language) {
        self.0.language.set(language);
    }

    /// When something is next due (µs of virtual time), in the world or among the commands; `None` when all
    /// is at rest. A command that can go on at once is due now.
    pub fn next_due(&self) -> Option<u64> {
        if self.0.executor.has_ready() {
            return Some(self.now());
        }
        let world = self.0.simulation.borrow().next_due();
        let timer = self.0.executor.next_timer();
        world.into_iter().chain(timer).min()
    }

    /// As [`Host::next_due`], for those who wait for a world to settle: a program of a container may go round
    /// for ever and does not count.
    pub fn next_change_due(&self) -> Option<u64> {
        if self.0.programs.borrow().is_empty() {
            return self.next_due();
        }
        self.0.simulation.borrow().next_due()
    }

    /// Lets commands and world go on, in order of time, up to `limit` (µs of virtual time).
    /// `budget` is the number of polls and of the world's steps that may be used.
    pub fn run_until(&self, limit: u64, budget: u32) -> Progress {
        self.run_while(limit, budget, || true)
    }

    /// As [`Host::run_until`], stopping early (as `Reached`, with the clock where it is) once `going` is false.
    pub fn run_while(&self, limit: u64, budget: u32, going: impl Fn() -> bool) -> Progress {
        let inner = &self.0;
        let mut left = budget;
        self.announce_changes();
        while left > 0 {
            if !going() {
                return Progress::Reached;
            }
            if inner.executor.poll_one() {
                left -= 1;
                self.announce_changes();
                continue;
            }
            let due = self.next_due();
            let target = due.map_or(limit, |due| due.min(limit));
            let target = target.max(self.now());
            let whole = inner.simulation.borrow_mut().advance_within(target, &mut left);
            inner.within_instant.set(!whole);
            if !whole {
                break;
            }
            left = left.saturating_sub(1);
            self.announce_changes();
            inner.executor.fire(self.now());
            if due.is_none_or(|due| due > limit) && !inner.executor.has_ready() {
                return Progress::Reached;
            }
        }
        Progress::OutOfBudget
    }

    /// Wakes those who wait for a change of the world, for one that is in no journal: a line of a log.
    pub(super) fn announce(&self) {
        self.0.changes.notify();
    }

    fn announce_changes(&self) {
        if self.0.within_instant.get() {
            return;
        }
        let revision = self.0.simulation.borrow().revision();
        if revision != self.0.revision_seen.replace(revision) {
            self.0.changes.notify();
            self.0.programs.borrow_mut().follow(self);
        }
    }
}

/// A set timer, forgotten when its waiter is dropped.
struct Timer<'a> {
    host: &'a Host,
    key: Option<(u64, u64)>,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.host.0.executor.clear_timer(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::cluster::Settings;
    use crate::shell::places::Place;
    use crate::shell::terminal::Terminal;

    /// What was printed, and the names and versions of all Pods, after a crowd of them came up by budgets of
    /// this size; and how many objects were written between two looks at most.
    fn crowd(budget: u32) -> (String, Vec<(String, u64)>, u64) {
        let host = Host::new(Simulation::new(Settings::default()));
        let terminal = Terminal::new(&host, Place::workstation());
        terminal.submit("kubectl create deployment web --image=nginx --replicas=150; kubectl rollout status deployment/web");
        let (mut most, mut before) = (0, host.with(|simulation| simulation.revision()));
        while host.run_until(20_000_000, budget) == Progress::OutOfBudget {
            let revision = host.with(|simulation| simulation.revision());
            most = most.max(revision - before);
            before = revision;
        }
        let printed = terminal.take_output().iter().map(|chunk| chunk.text.as_str()).collect();
        let pods = host.with(|simulation| {
            let pods = simulation.cluster.list(Kind::Pod, None);
            pods.map(|pod| (pod.key.name.to_string(), pod.meta.resource_version)).collect()
        });
        (printed, pods, most)
    }

    #[test]
    fn a_world_run_in_small_pieces_is_the_same_world() {
        let (printed, pods, most) = crowd(1);
        let (printed_at_once, pods_at_once, _) = crowd(u32::MAX);
        assert!(printed.contains("successfully rolled out"), "{printed}");
        assert_eq!(printed, printed_at_once);
        assert_eq!(pods, pods_at_once);
        // A ReplicaSet makes 150 Pods in one look, each with an Event.
        assert!(most <= 2 * 150 + 20, "{most} objects were written between two looks");
    }
}
