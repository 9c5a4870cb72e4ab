//! Cron schedules.
//!
//! Owns reading a schedule and the times that it names, by the clocks of a time zone. Grammar and messages are those of the standard
//! parser of `robfig/cron` v3, which Kubernetes uses: five fields with lists, ranges, steps and names, the
//! descriptors (`@hourly`), and `@every DURATION`.

use time::OffsetDateTime;

use super::time::Timestamp;
use super::time_zone::TimeZone;

/// How far ahead a time is looked for: `0 0 30 2 *` never comes.
const YEARS_AHEAD: i32 = 5;
/// An hour and a day, in seconds.
const SECONDS_OF_HOUR: i64 = 3_600;
const DAY: i64 = 24 * SECONDS_OF_HOUR;

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// So many seconds after each other.
    Every(i64),
    /// The times that all fields name.
    Fields(Box<Fields>),
}

/// The values that each field names, a bit for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
    /// Whether day of month or day of week was left open: then both must fit, else one is enough.
    days_open: bool,
}

/// A field: its name in this file, its bounds, and the names of its values.
struct Field {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MINUTE: Field = Field { least: 0, most: 59, names: &[] };
const HOUR: Field = Field { least: 0, most: 23, names: &[] };
const DAY_OF_MONTH: Field = Field { least: 1, most: 31, names: &[] };
const MONTH: Field = Field { least: 1, most: 12, names: &MONTHS };
const WEEKDAY: Field = Field { least: 0, most: 6, names: &WEEKDAYS };

/// Descriptors and the fields that they stand for.
const DESCRIPTORS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in the words of the library that Kubernetes uses.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        if text.starts_with('@') {
            if let Some(duration) = text.strip_prefix("@every ") {
                let failed = |why: String| format!("failed to parse duration {text}: {why}");
                return every(duration).map(Self::Every).map_err(failed);
            }
            let known = DESCRIPTORS.iter().find(|(name, _)| *name == text);
            let (_, fields) = known.ok_or_else(|| format!("unrecognized descriptor: {text}"))?;
            return Self::parse(fields);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        };
        let (minute, _) = MINUTE.parse(minute)?;
        let (hour, _) = HOUR.parse(hour)?;
        let (day, any_day) = DAY_OF_MONTH.parse(day)?;
        let (month, _) = MONTH.parse(month)?;
        let (weekday, any_weekday) = WEEKDAY.parse(weekday)?;
        let days_open = any_day || any_weekday;
        Ok(Self::Fields(Box::new(Fields { minute, hour, day, month, weekday, days_open })))
    }

    /// The first time after another one; `None` if none comes within five years.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(seconds) => Some(Timestamp(after.0 + seconds)),
            Self::Fields(fields) => fields.next(after, zone),
        }
    }
}

impl Fields {
    /// Steps by the clocks of the zone, from the largest unit to the smallest, as the library does: what clocks that
    /// are put forward leave out does not happen, and what clocks that are put back show twice happens twice.
    fn next(&self, after: Timestamp, zone: TimeZone) -> Option<Timestamp> {
        let mut at = (after.0.div_euclid(60) + 1) * 60;
        let last_year = shown(at, zone)?.year() + YEARS_AHEAD;
        loop {
            let clock = shown(at, zone)?;
            if clock.year() > last_year {
                return None;
            }
            let midnight = clock.unix_timestamp() - clock.unix_timestamp().rem_euclid(DAY);
            if !has(self.month, u8::from(clock.month())) {
                let days = i64::from(clock.month().length(clock.year()) - clock.day()) + 1;
                at = begin(midnight + days * DAY, zone)?;
            } else if !self.is_day(clock) {
                at = begin(midnight + DAY, zone)?;
            } else if !has(self.hour, clock.hour()) {
                at += SECONDS_OF_HOUR - i64::from(clock.minute()) * 60;
            } else if !has(self.minute, clock.minute()) {
                at += 60;
            } else {
                return Some(Timestamp(at));
            }
        }
    }

    fn is_day(&self, at: OffsetDateTime) -> bool {
        let day = has(self.day, at.day());
        let weekday = has(self.weekday, at.weekday().number_days_from_sunday());
        if self.days_open { day && weekday } else { day || weekday }
    }
}

/// What the clocks of a zone show at a time.
fn shown(at: i64, zone: TimeZone) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at + zone.offset(Timestamp(at))).ok()
}

/// When a day begins whose midnight the clocks of a zone show as `midnight`, or leave out.
fn begin(midnight: i64, zone: TimeZone) -> Option<i64> {
    let at = zone.when(Timestamp(midnight)).0;
    let hour = i64::from(shown(at, zone)?.hour());
    Some(if hour > 12 { at + (24 - hour) * SECONDS_OF_HOUR } else { at })
}

fn has(bits: u64, value: u8) -> bool {
    bits & (1 << value) != 0
}

impl Field {
    /// The values of a list, and whether it is open (`*` or `?`).
    fn parse(&self, text: &str) -> Result<(u64, bool), String> {
        let (mut bits, mut open) = (0, false);
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (more, all) = self.range(part)?;
            bits |= more;
            open |= all;
        }
        Ok((bits, open))
    }

    /// `*`, `3`, `1-5`, each with or without `/STEP`.
    fn range(&self, text: &str) -> Result<(u64, bool), String> {
        let parts: Vec<&str> = text.split('/').collect();
        let bounds: Vec<&str> = parts[0].split('-').collect();
        let single = bounds.len() == 1;
        let mut open = false;
        let (first, mut last) = if matches!(bounds[0], "*" | "?") {
            open = true;
            (self.least, self.most)
        } else {
            let first = self.value(bounds[0])?;
            match bounds.as_slice() {
                [_] => (first, first),
                [_, last] => (first, self.value(last)?),
                _ => return Err(format!("too many hyphens: {text}")),
            }
        };
        let step = match parts.as_slice() {
            [_] => 1,
            [_, step] => {
                let step = number(step)?;
                if single {
                    last = self.most;
                }
                open &= step <= 1;
                step
            }
            _ => return Err(format!("too many slashes: {text}")),
        };
        let (least, most) = (self.least, self.most);
        if first < least {
            return Err(format!("beginning of range ({first}) below minimum ({least}): {text}"));
        }
        if last > most {
            return Err(format!("end of range ({last}) above maximum ({most}): {text}"));
        }
        if first > last {
            return Err(format!("beginning of range ({first}) beyond end of range ({last}): {text}"));
        }
        if step == 0 {
            return Err(format!("step of range should be a positive number: {text}"));
        }
        let step = usize::try_from(step).expect("32 bits fit");
        Ok(((first..=last).step_by(step).fold(0, |bits, value| bits | 1 << value), open))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let name = text.to_lowercase();
        match self.names.iter().position(|known| *known == name) {
            Some(at) => Ok(self.least + u32::try_from(at).expect("there are few names")),
            None => number(text),
        }
    }
}

fn number(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(negative) if negative < 0 => Err(format!("negative number ({negative}) not allowed: {text}")),
        Ok(number) => u32::try_from(number).map_err(|_| format!("number too large: {text}")),
        Err(_) => {
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))
        }
    }
}

/// The seconds of a duration such as `1h30m`; at least one.
fn every(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (mut seconds, mut digits) = (0.0, String::new());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() || letter == '.' {
            digits.push(letter);
            continue;
        }
        let count: f64 = digits.parse().map_err(|_| invalid())?;
        digits.clear();
        seconds += count
            * match letter {
                'h' => 3600.0,
                'm' if letters.peek() == Some(&'s') => {
                    letters.next();
                    0.001
                }
                'm' => 60.0,
                's' => 1.0,
                _ => return Err(invalid()),
            };
    }
    if text.is_empty() || !digits.is_empty() {
        return Err(invalid());
    }
    Ok((seconds as i64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> Option<String> {
        next_in("", schedule, after)
    }

    fn next_in(zone: &str, schedule: &str, after: &str) -> Option<String> {
        let (schedule, zone) = (Schedule::parse(schedule).unwrap(), TimeZone::find(zone).unwrap());
        schedule.next(Timestamp::parse(after).unwrap(), zone).map(|at| at.to_string())
    }

    #[test]
    fn times_are_those_of_the_zones_clocks() {
        for (zone, schedule, after, expected) in [
            ("Asia/Shanghai", "0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
            ("Asia/Shanghai", "0 0 1 * *", "2026-01-15T00:00:00Z", "2026-01-31T16:00:00Z"),
            ("Asia/Kolkata", "0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-01T03:30:00Z"),
            ("Asia/Kolkata", "@hourly", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z"),
            ("America/New_York", "30 8 * * mon", "2026-03-02T00:00:00Z", "2026-03-02T13:30:00Z"),
            ("America/New_York", "30 8 * * mon", "2026-03-03T00:00:00Z", "2026-03-09T12:30:00Z"),
            // Left out when the clocks are put forward; twice when they are put back.
            ("Europe/Berlin", "30 2 * * *", "2026-03-28T02:00:00Z", "2026-03-30T00:30:00Z"),
            ("Europe/Berlin", "30 2 * * *", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z"),
            ("Europe/Berlin", "30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("Europe/Berlin", "30 2 * * *", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"),
            // Midnight itself is left out: the day begins at one.
            ("Africa/Cairo", "0 1 * * *", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z"),
            ("Africa/Cairo", "0 0 * * *", "2026-04-23T12:00:00Z", "2026-04-24T21:00:00Z"),
        ] {
            let found = next_in(zone, schedule, after);
            assert_eq!(found.as_deref(), Some(expected), "{schedule} in {zone} after {after}");
        }
    }

    #[test]
    fn the_next_time_is_after_the_one_given() {
        for (schedule, after, expected) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00Z"),
            ("*/15 * * * *", "2026-01-01T00:16:00Z", "2026-01-01T00:30:00Z"),
            ("30 2 * * *", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z"),
            ("0 0 1 * *", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 9 * * mon-fri", "2026-01-02T10:00:00Z", "2026-01-05T09:00:00Z"),
            ("0 0 13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 */31 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 1 jan *", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z"),
            ("@every 1m30s", "2026-01-01T00:00:10Z", "2026-01-01T00:01:40Z"),
            ("5-10/5 0 * * 0", "2026-01-01T00:00:00Z", "2026-01-04T00:05:00Z"),
        ] {
            assert_eq!(next(schedule, after).as_deref(), Some(expected), "{schedule} after {after}");
        }
        assert_eq!(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_schedule_is_refused_in_the_words_of_the_library() {
        for (schedule, why) in [
            ("", "empty spec string"),
            ("* *", "expected exactly 5 fields, found 2: [* *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("@often", "unrecognized descriptor: @often"),
            ("@every x", "failed to parse duration @every x: time: invalid duration \"x\""),
        ] {
            assert_eq!(Schedule::parse(schedule), Err(why.to_owned()), "{schedule}");
        }
    }
}
