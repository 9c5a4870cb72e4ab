//! Virtual time.
//!
//! Owns [`Instant`], microseconds since the world began, and [`Span`]. Nothing here reads a wall clock: the
//! clock moves when [`crate::simulation`] runs what is due.

use std::fmt;
use std::ops::{Add, Sub};

/// A point in virtual time, in microseconds since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

/// A length of virtual time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Instant {
    /// So many seconds after the beginning.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// Whole seconds since the beginning.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Milliseconds since the beginning.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1000)
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// In milliseconds.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Instant {
    type Output = Span;
    /// The time between two points; zero where the second is later.
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Instant {
    /// `00:42.3`: minutes, seconds, tenths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100_000;
        write!(f, "{:02}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
    }
}
