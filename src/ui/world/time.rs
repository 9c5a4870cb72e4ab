//! The loop of frames: how far the engine may go, when the next frame comes, and who is told.

use gloo::render::request_animation_frame;
use gloo::timers::callback::Timeout;

use super::{Next, Pane, Topic, World};
use crate::shell::host::Progress;
use crate::ui::dom;

/// Milliseconds of one frame that the engine may use.
const FRAME_BUDGET_MS: f64 = 8.0;
/// As much of a frame while the engine is behind the clock: fewer frames, and a world that comes up.
const BEHIND_BUDGET_MS: f64 = 40.0;
/// Milliseconds that a command may use at once, before the page is painted again.
pub(super) const COMMAND_BUDGET_MS: f64 = 12.0;
/// Steps of the engine between two looks at the browser's clock.
const STEPS: u32 = 4;
/// Milliseconds between two looks at the map while the engine is behind the clock: drawing a crowd that comes
/// up would otherwise take the time in which it could come up.
const BEHIND_MS: f64 = 100.0;
/// The longest sleep between frames: the shown clock ticks by tenths.
const IDLE_MS: f64 = 100.0;

impl World {
    /// One frame: lets the clock go on and runs what is due.
    pub(super) fn frame(&self) {
        let mut clock = self.clock();
        clock.frame(dom::milliseconds());
        self.0.clock.set(clock);
        self.catch_up(if self.0.behind.get() { BEHIND_BUDGET_MS } else { FRAME_BUDGET_MS });
        self.publish();
        self.schedule();
    }

    /// Runs what is due now, and shows it.
    pub(super) fn run_now(&self) {
        self.catch_up(COMMAND_BUDGET_MS);
        self.publish();
        self.schedule();
    }

    /// Runs the engine up to the clock, within a time budget. What does not fit is left to the next frame,
    /// and the clock waits for it.
    pub(super) fn catch_up(&self, budget_ms: f64) {
        let mut clock = self.clock();
        let until = dom::milliseconds() + budget_ms;
        loop {
            match self.0.host.run_until(clock.now(), STEPS) {
                Progress::Reached => {
                    self.0.behind.set(false);
                    return;
                }
                Progress::OutOfBudget if dom::milliseconds() < until => {}
                Progress::OutOfBudget => {
                    self.0.behind.set(true);
                    clock.hold_at(self.0.host.now());
                    self.0.clock.set(clock);
                    return;
                }
            }
        }
    }

    /// Begins the loop of frames.
    pub fn start(&self) {
        let world = self.clone();
        self.when_whole(move || world.schedule());
    }

    /// Arranges the next frame: at once if something is due soon, later if nothing is, never while paused.
    pub(super) fn schedule(&self) {
        let clock = self.clock();
        let due = self.0.host.next_due();
        let ready = due.is_some_and(|due| due <= clock.now());
        if !clock.playing && !ready {
            let mut still = clock;
            still.rest();
            self.0.clock.set(still);
            self.0.frame.replace(None);
            return;
        }
        let wait = due.map_or(IDLE_MS, |due| clock.milliseconds_until(due)).min(IDLE_MS);
        let world = self.clone();
        let next = if ready || wait < 32.0 {
            Next::Frame(request_animation_frame(move |_| world.frame()))
        } else {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
            Next::Timer(Timeout::new(wait as u32, move || world.frame()))
        };
        self.0.frame.replace(Some(next));
    }

    /// Takes what the engine did since the last call to those who show it.
    pub(super) fn publish(&self) {
        let mut topics = Vec::new();
        let revision = self.with(|simulation| simulation.revision());
        let now = dom::milliseconds();
        let rests = self.0.behind.get() && now - self.0.observed_ms.get() < BEHIND_MS;
        if !rests && self.0.revision.replace(revision) != revision {
            self.0.observed_ms.set(now);
            topics.push(Topic::Journal);
            let changed = self.with(|simulation| self.0.map.borrow_mut().observe(&simulation.cluster));
            if changed {
                topics.push(Topic::Objects);
            }
            self.save_soon();
        }
        if self.look_at_packets() {
            topics.push(Topic::Packets);
        }
        let mut printed = false;
        for tab in self.0.tabs.borrow_mut().iter_mut() {
            let chunks = tab.terminal.take_output();
            printed |= !chunks.is_empty();
            // A command may end without a word: the prompt is back all the same.
            let state = (tab.terminal.is_busy(), tab.terminal.prompt());
            printed |= state != tab.state;
            tab.state = state;
            tab.screen.print(chunks);
        }
        if printed {
            topics.push(Topic::Terminal);
        }
        let tenths = self.clock().now() / 100_000;
        if self.0.shown_tenths.replace(tenths) != tenths {
            topics.push(Topic::Clock);
        }
        let files = self.0.files.borrow().changes();
        if self.0.files_seen.replace(files) != files {
            topics.push(Topic::Files);
            self.save_soon();
        }
        let edit = self.edit().map_or(0, |edit| edit.number);
        if self.0.edit_seen.replace(edit) != edit {
            topics.push(Topic::Edit);
        }
        self.tell(&topics);
        if topics.contains(&Topic::Edit) && edit > 0 {
            self.set_pane(Pane::Yaml);
        }
    }
}
