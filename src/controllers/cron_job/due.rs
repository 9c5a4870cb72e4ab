//! Which times of a schedule have passed for which no Job was made.
//!
//! Source: `mostRecentScheduleTime` of Kubernetes, with its guess of how many times were missed: by the distance
//! of the first two.

use crate::api::cron::Schedule;
use crate::api::time::Timestamp;
use crate::api::time_zone::TimeZone;

/// A schedule by the clocks of its time zone.
pub(super) struct Times {
    pub(super) schedule: Schedule,
    pub(super) zone: TimeZone,
}

/// The times since one that was dealt with.
#[derive(Debug, PartialEq)]
pub(super) struct Missed {
    /// The last of them, if there is one.
    pub(super) last: Option<Timestamp>,
    /// How many there are, by a guess; 0 where there are none or one.
    pub(super) count: i64,
}

impl Times {
    /// The first time after another one.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, self.zone)
    }

    /// What was missed after `from`, up to `now`.
    ///
    /// # Errors
    ///
    /// Why the schedule has no such times: it names a day that never comes.
    pub(super) fn missed(&self, from: Timestamp, now: Timestamp) -> Result<Missed, &'static str> {
        let Some((first, second)) = self.next(from).and_then(|first| Some((first, self.next(first)?))) else {
            return Err("time difference between two schedules is less than 1 second");
        };
        if now < second {
            return Ok(Missed { last: Some(first).filter(|first| *first <= now), count: 0 });
        }
        let distance = second.0 - first.0;
        let count = (now.0 - first.0) / distance + 1;
        // The guess is two steps short, so that times in uneven distances are not passed over.
        let mut last = None;
        let mut at = Timestamp(first.0 + (count - 2) * distance);
        while let Some(next) = self.next(at).filter(|next| *next <= now) {
            (at, last) = (next, Some(next));
        }
        Ok(Missed { last, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_last_missed_time_counts_and_the_others_are_estimated() {
        for (schedule, from, now, last, count) in [
            ("* * * * *", "2026-01-01T00:00:10Z", "2026-01-01T00:00:59Z", None, 0),
            ("* * * * *", "2026-01-01T00:00:10Z", "2026-01-01T00:01:00Z", Some("2026-01-01T00:01:00Z"), 0),
            ("* * * * *", "2026-01-01T00:00:10Z", "2026-01-01T00:05:30Z", Some("2026-01-01T00:05:00Z"), 5),
            ("0 0 * * *", "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", Some("2026-05-01T00:00:00Z"), 120),
            ("0 6,18 * * *", "2026-01-01T00:00:00Z", "2026-01-03T07:00:00Z", Some("2026-01-03T06:00:00Z"), 5),
            ("@every 90s", "2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z", Some("2026-01-01T00:09:00Z"), 6),
        ] {
            let times = Times { schedule: Schedule::parse(schedule).unwrap(), zone: TimeZone::UTC };
            let found = times.missed(at(from), at(now));
            assert_eq!(found, Ok(Missed { last: last.map(at), count }), "{schedule} from {from} to {now}");
        }
    }

    #[test]
    fn a_day_that_never_comes_is_told() {
        let times = Times { schedule: Schedule::parse("0 0 30 2 *").unwrap(), zone: TimeZone::UTC };
        let missed = times.missed(at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        assert_eq!(missed, Err("time difference between two schedules is less than 1 second"));
    }
}
