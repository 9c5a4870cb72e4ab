//! Points in time as objects carry them, and ages as kubectl prints them.
//!
//! Owns [`Timestamp`] (whole seconds, as `metav1.Time` is stored) and the short duration format of
//! `duration.HumanDuration` (k8s.io/apimachinery). The clock that says what time it is lives in
//! [`crate::cluster::clock`].

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::value::Value;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads `2026-11-22T21:57:34Z`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(|at| Self(at.unix_timestamp()))
    }

    /// The time in a field; `None` where it is absent or no time.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::parse)
    }

    fn date(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `Sun, 22 Nov 2026 21:57:22 +0000`, as `kubectl describe` prints it.
    #[must_use]
    pub fn rfc1123(self) -> String {
        self.date().format(&Rfc2822).expect("a date in range has an RFC 2822 form")
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-22T21:57:34Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date().format(&Rfc3339).expect("a date in range has an RFC 3339 form"))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::from(at.to_string())
    }
}

/// A length of time in whole seconds as the AGE column shows it: `0s`, `119s`, `2m41s`, `5h3m`, `2d`.
#[must_use]
pub fn human_duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let pair = |whole: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{whole}{unit}"),
        rest => format!("{whole}{unit}{rest}{small}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..=0 => "0s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..600 => pair(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => pair(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => pair(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => pair(seconds / YEAR, "y", seconds % YEAR / DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_back_what_they_print() {
        let at = Timestamp::parse("2026-11-22T21:57:34Z").unwrap();
        assert_eq!(at.to_string(), "2026-11-22T21:57:34Z");
        assert_eq!(at.rfc1123(), "Sun, 22 Nov 2026 21:57:34 +0000");
    }

    #[test]
    fn ages_shorten_as_they_grow() {
        for (seconds, words) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (161, "2m41s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (18_180, "5h3m"),
            (28_800, "8h"),
            (172_800, "2d"),
            (176_400, "2d1h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (-5, "<invalid>"),
        ] {
            assert_eq!(human_duration(seconds), words, "{seconds}");
        }
    }
}
