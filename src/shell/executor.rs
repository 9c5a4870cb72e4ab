//! The executor: tasks that wait for virtual time and for each other, on one thread.
//!
//! Owns the tasks, their ready queue and the timers. It does not own the clock: [`super::host::Host`]
//! moves the world's clock to the next timer and then fires it here. A task is dropped, with all that it
//! was waiting for, by [`Executor::abort`]: that is how Ctrl-C works.
//!
//! Everything is in order of (time, sequence), so a run repeats exactly.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::simulation::initiator::Initiator;

/// The one boxed future type of the shell. `'a` lets an interpreter's future borrow its state.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Names a task for [`Executor::abort`] and [`Executor::is_running`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(u64);

/// Tasks that may be polled, in the order in which they were woken.
type Ready = Arc<Mutex<VecDeque<TaskId>>>;

struct TaskWaker {
    id: TaskId,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.id) {
            ready.push_back(self.id);
        }
    }
}

/// A task: its future is out while it is being polled.
struct Task {
    future: Option<Boxed<'static, ()>>,
    waker: Waker,
    initiator: Initiator,
}

/// Tasks, their ready queue and timers.
#[derive(Default)]
pub struct Executor {
    tasks: RefCell<BTreeMap<TaskId, Task>>,
    ready: Ready,
    timers: RefCell<BTreeMap<TimerKey, Waker>>,
    sequence: Cell<u64>,
    initiator: Cell<Initiator>,
}

/// A timer: when it is due (µs of virtual time), and its place among those due at once.
pub type TimerKey = (u64, u64);

impl Executor {
    /// Starts `future` on behalf of whom its caller acts for; it is first polled by the next
    /// [`Executor::poll_one`].
    pub fn spawn(&self, future: Boxed<'static, ()>) -> TaskId {
        self.spawn_for(self.initiator(), future)
    }

    /// Starts `future` on somebody's behalf, and with it all that it will start.
    pub fn spawn_for(&self, initiator: Initiator, future: Boxed<'static, ()>) -> TaskId {
        let id = TaskId(self.next_sequence());
        let waker = Waker::from(Arc::new(TaskWaker { id, ready: Arc::clone(&self.ready) }));
        waker.wake_by_ref();
        self.tasks.borrow_mut().insert(id, Task { future: Some(future), waker, initiator });
        id
    }

    /// On whose behalf the task acts that is being polled; outside of tasks it is the person's.
    pub fn initiator(&self) -> Initiator {
        self.initiator.get()
    }

    /// Drops a task. Nothing happens if it has ended.
    pub fn abort(&self, id: TaskId) {
        let task = self.tasks.borrow_mut().remove(&id);
        drop(task);
    }

    /// Whether the task has not ended.
    pub fn is_running(&self, id: TaskId) -> bool {
        self.tasks.borrow().contains_key(&id)
    }

    /// Whether some task can go on now.
    pub fn has_ready(&self) -> bool {
        !self.ready.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Polls the first ready task once; false if none is ready.
    pub fn poll_one(&self) -> bool {
        let next = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(id) = next else { return false };
        let taken = {
            let mut tasks = self.tasks.borrow_mut();
            tasks
                .get_mut(&id)
                .and_then(|task| Some((task.future.take()?, task.waker.clone(), task.initiator)))
        };
        let Some((mut future, waker, initiator)) = taken else {
            return true;
        };
        let outside = self.initiator.replace(initiator);
        let progress = future.as_mut().poll(&mut Context::from_waker(&waker));
        self.initiator.set(outside);
        match progress {
            Poll::Ready(()) => {
                self.tasks.borrow_mut().remove(&id);
            }
            Poll::Pending => {
                if let Some(task) = self.tasks.borrow_mut().get_mut(&id) {
                    task.future = Some(future);
                }
            }
        }
        true
    }

    /// Sets a timer for `due` (µs of virtual time).
    pub fn set_timer(&self, due: u64, waker: Waker) -> TimerKey {
        let key = (due, self.next_sequence());
        self.timers.borrow_mut().insert(key, waker);
        key
    }

    /// Forgets a timer; nothing happens if it has fired.
    pub fn clear_timer(&self, key: TimerKey) {
        self.timers.borrow_mut().remove(&key);
    }

    /// When the next timer is due (µs of virtual time).
    pub fn next_timer(&self) -> Option<u64> {
        self.timers.borrow().keys().next().map(|key| key.0)
    }

    /// Wakes whatever waits for a time up to `now` (µs).
    pub fn fire(&self, now: u64) {
        while let Some(waker) = self.pop_due(now) {
            waker.wake();
        }
    }

    fn pop_due(&self, now: u64) -> Option<Waker> {
        let mut timers = self.timers.borrow_mut();
        let entry = timers.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    fn next_sequence(&self) -> u64 {
        let sequence = self.sequence.get();
        self.sequence.set(sequence + 1);
        sequence
    }
}

/// Something that happens now and then, and those who wait for it.
#[derive(Default)]
pub struct Notice {
    generation: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Notice {
    /// Wakes all who wait.
    pub fn notify(&self) {
        self.generation.set(self.generation.get() + 1);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Whether somebody waits.
    pub fn is_awaited(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Ready at the first [`Notice::notify`] after this call.
    pub async fn next(&self) {
        let start = self.generation.get();
        std::future::poll_fn(|context| {
            if self.generation.get() != start {
                return Poll::Ready(());
            }
            self.register(context);
            Poll::Pending
        })
        .await;
    }

    /// Has the polled task woken by the next notice.
    pub fn register(&self, context: &Context<'_>) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
    }
}

/// What [`first`] ended with.
#[derive(Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first future ended first.
    Left(A),
    /// The second future ended first.
    Right(B),
}

/// Waits for whichever ends first and drops the other; the left one wins a tie.
pub async fn first<A, B>(left: impl Future<Output = A>, right: impl Future<Output = B>) -> Either<A, B> {
    let mut left = std::pin::pin!(left);
    let mut right = std::pin::pin!(right);
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = left.as_mut().poll(context) {
            return Poll::Ready(Either::Left(value));
        }
        right.as_mut().poll(context).map(Either::Right)
    })
    .await
}

/// Runs all futures side by side; their results in order.
pub async fn all<T>(futures: Vec<Boxed<'_, T>>) -> Vec<T> {
    let mut running: Vec<Option<Boxed<'_, T>>> = futures.into_iter().map(Some).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (slot, result) in running.iter_mut().zip(&mut results) {
            if let Some(future) = slot
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
                *slot = None;
            }
        }
        if running.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// Lets every other ready task go first.
pub async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn timers_wake_tasks_in_order_of_time_then_of_setting() {
        let executor = Rc::new(Executor::default());
        let seen = Rc::new(RefCell::new(Vec::new()));
        for (name, due) in [("late", 9), ("first", 3), ("second", 3)] {
            let (engine, seen) = (Rc::clone(&executor), Rc::clone(&seen));
            executor.spawn(Box::pin(async move {
                let mut set = false;
                std::future::poll_fn(|context| {
                    if set {
                        return Poll::Ready(());
                    }
                    set = true;
                    engine.set_timer(due, context.waker().clone());
                    Poll::Pending
                })
                .await;
                seen.borrow_mut().push(name);
            }));
        }
        while executor.poll_one() {}
        while let Some(due) = executor.next_timer() {
            executor.fire(due);
            while executor.poll_one() {}
        }
        assert_eq!(*seen.borrow(), ["first", "second", "late"]);
    }

    #[test]
    fn an_aborted_task_is_dropped_at_once() {
        let executor = Executor::default();
        let held = Rc::new(());
        let inside = Rc::clone(&held);
        let id = executor.spawn(Box::pin(async move {
            let _inside = inside;
            std::future::pending::<()>().await;
        }));
        assert!(executor.poll_one());
        assert_eq!(Rc::strong_count(&held), 2);
        executor.abort(id);
        assert_eq!(Rc::strong_count(&held), 1);
        assert!(!executor.is_running(id));
    }
}
