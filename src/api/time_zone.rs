//! Time zones of the IANA database.
//!
//! Owns which names there are and how a zone's clocks stand at a time. The rules come with the program, so that
//! the same name means the same everywhere; the zone of the machine is never asked for. Names are told apart by
//! case, as Go does (`time.LoadLocation`).

use tz::TimeZoneRef;

use super::time::Timestamp;

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeZone(TimeZoneRef<'static>);

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZoneRef::utc());

    /// The zone of a name, such as `Europe/Berlin`; the empty name is UTC.
    ///
    /// # Errors
    ///
    /// `unknown time zone NAME`, in Go's words.
    pub fn find(name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC") {
            return Ok(Self::UTC);
        }
        let zone = tzdb_data::find_tz(name.as_bytes()).filter(|_| tzdb_data::TZ_NAMES.contains(&name));
        zone.map(|zone| Self(*zone)).ok_or_else(|| format!("unknown time zone {name}"))
    }

    /// By how many seconds the clocks of the zone are ahead of UTC at a time.
    #[must_use]
    pub fn offset(self, at: Timestamp) -> i64 {
        self.0.find_local_time_type(at.0).map_or(0, |local| i64::from(local.ut_offset()))
    }

    /// The time at which the clocks of the zone show what UTC's show at `shown`. Where they show it twice or never,
    /// it is the one that Go's `time.Date` takes.
    #[must_use]
    pub fn when(self, shown: Timestamp) -> Timestamp {
        let first = self.offset(shown);
        Timestamp(shown.0 - self.offset(Timestamp(shown.0 - first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn clocks_stand_as_the_zones_rules_say() {
        for (zone, time, hours) in [
            ("", "2026-07-01T00:00:00Z", 0),
            ("Etc/UTC", "2026-07-01T00:00:00Z", 0),
            ("Asia/Shanghai", "2026-07-01T00:00:00Z", 8),
            ("Europe/Berlin", "2026-03-29T00:59:59Z", 1),
            ("Europe/Berlin", "2026-03-29T01:00:00Z", 2),
            ("Europe/Berlin", "2060-07-01T00:00:00Z", 2),
            ("America/New_York", "2026-11-01T05:59:59Z", -4),
            ("America/New_York", "2026-11-01T06:00:00Z", -5),
        ] {
            assert_eq!(TimeZone::find(zone).unwrap().offset(at(time)), hours * 3600, "{zone} at {time}");
        }
    }

    #[test]
    fn names_are_those_of_the_database_letter_for_letter() {
        for name in ["Asia/Nowhere", "europe/berlin", "utc", "CEST", "Europe/Berlin/"] {
            assert_eq!(TimeZone::find(name), Err(format!("unknown time zone {name}")));
        }
        for name in ["UTC", "GMT", "Etc/GMT+12", "US/Pacific", "Asia/Calcutta"] {
            assert!(TimeZone::find(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_or_never_is_taken_as_go_takes_it() {
        let berlin = TimeZone::find("Europe/Berlin").unwrap();
        for (shown, utc) in [
            ("2026-07-01T02:30:00Z", "2026-07-01T00:30:00Z"),
            ("2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30:00Z", "2026-10-25T01:30:00Z"),
        ] {
            assert_eq!(berlin.when(at(shown)), at(utc), "{shown}");
        }
    }
}
