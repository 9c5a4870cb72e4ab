//! The world that commands run in, as far as the executor needs it.

/// A clock with nothing else in it.
#[derive(Default)]
pub struct Simulation {
    now: u64,
}

impl Simulation {
    /// Virtual time in µs.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// When the world next does something by itself.
    pub fn next_due(&self) -> Option<u64> {
        None
    }

    /// Moves the clock, and does what is due on the way.
    pub fn advance_to(&mut self, time: u64) {
        self.now = self.now.max(time);
    }

    /// Grows with every write to the journal.
    pub fn revision(&self) -> u64 {
        0
    }
}
