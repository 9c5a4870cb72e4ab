//! From the browser's frames to virtual time.
//!
//! Owns speed, pause and step. It knows no engine: it says up to which instant the world may go.

/// The speeds that can be chosen.
pub const SPEEDS: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0];

/// A longer time between two frames counts as this: a page that was in the background goes on where it was.
const LONGEST_FRAME_MS: f64 = 100.0;

/// The clock of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Whether time passes by itself.
    pub playing: bool,
    /// Virtual seconds per second, one of [`SPEEDS`].
    pub speed: f64,
    /// Virtual time in µs.
    now: f64,
    last_frame_ms: Option<f64>,
}

impl Clock {
    /// A running clock that stands at `now` (µs).
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self { playing: true, speed: 1.0, now: now as f64, last_frame_ms: None }
    }

    /// Virtual time in µs.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now as u64
    }

    /// A frame at `at_ms` (milliseconds of the browser's clock): lets time pass if the clock runs.
    pub fn frame(&mut self, at_ms: f64) {
        let elapsed = self.last_frame_ms.map_or(0.0, |last| (at_ms - last).clamp(0.0, LONGEST_FRAME_MS));
        self.last_frame_ms = Some(at_ms);
        if self.playing {
            self.now += elapsed * 1_000.0 * self.speed;
        }
    }

    /// Time stands still: the next frame is a first one.
    pub fn rest(&mut self) {
        self.last_frame_ms = None;
    }

    /// Goes to an instant (µs) at once; never back.
    pub fn jump_to(&mut self, instant: u64) {
        self.now = self.now.max(instant as f64);
    }

    /// The world did not get as far as the clock: the clock waits for it.
    pub fn hold_at(&mut self, instant: u64) {
        self.now = self.now.min(instant as f64);
    }

    /// How many milliseconds of the browser's clock it takes until an instant (µs) of virtual time.
    #[must_use]
    pub fn milliseconds_until(&self, instant: u64) -> f64 {
        ((instant as f64 - self.now) / 1_000.0 / self.speed).max(0.0)
    }
}

/// An instant as the top bar shows it: `00:42.3`, with hours where there are any.
#[must_use]
pub fn show(instant: u64) -> String {
    let tenths = instant / 100_000;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let (minutes, second) = (seconds / 60, seconds % 60);
    match minutes / 60 {
        0 => format!("{minutes:02}:{second:02}.{tenth}"),
        hours => format!("{hours}:{:02}:{second:02}.{tenth}", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_by_frames_times_speed() {
        let mut clock = Clock::new(1_000_000);
        clock.frame(5_000.0);
        assert_eq!(clock.now(), 1_000_000, "the first frame only sets the beginning");
        clock.speed = 10.0;
        clock.frame(5_016.0);
        assert_eq!(clock.now(), 1_160_000);
        clock.playing = false;
        clock.frame(5_032.0);
        assert_eq!(clock.now(), 1_160_000);
        clock.playing = true;
        clock.speed = 1.0;
        clock.frame(65_000.0);
        assert_eq!(clock.now(), 1_260_000, "a minute in the background counts as one long frame");
    }

    #[test]
    fn instants_are_shown_with_tenths() {
        assert_eq!(show(42_399_999), "00:42.3");
        assert_eq!(show(3_725_000_000), "1:02:05.0");
    }
}
