//! Times in documents, read with Go's error words and written in Go's one form.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// The layout that Go's messages name.
const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// The parts of the layout: what Go calls each, and how many digits it has (0: these very characters).
const PARTS: [(&str, usize); 11] = [
    ("2006", 4),
    ("-", 0),
    ("01", 2),
    ("-", 0),
    ("02", 2),
    ("T", 0),
    ("15", 2),
    (":", 0),
    ("04", 2),
    (":", 0),
    ("05", 2),
];

/// Reads a time.
///
/// # Errors
/// Go's words: the part that does not fit and the text from there on.
pub(super) fn parse(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        let quoted = format!("parsing time \"{text}\" as \"{LAYOUT}\"");
        let mut rest = text;
        for (part, digits) in PARTS {
            let fits = |piece: &&str| match digits {
                0 => *piece == part,
                _ => piece.bytes().all(|byte| byte.is_ascii_digit()),
            };
            match rest.get(..part.len()).filter(fits) {
                Some(_) => rest = &rest[part.len()..],
                None => return format!("{quoted}: cannot parse \"{rest}\" as \"{part}\""),
            }
        }
        let fraction =
            rest.strip_prefix('.').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        let zone = fraction.unwrap_or(rest);
        if zone == "Z" || zone.len() == "+07:00".len() {
            return format!("parsing time \"{text}\": day out of range");
        }
        format!("{quoted}: cannot parse \"{zone}\" as \"Z07:00\"")
    })
}

/// A time as Kubernetes writes it: in UTC, with whole seconds or microseconds.
pub(super) fn format(time: OffsetDateTime, micro: bool) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let micros = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    time.format(if micro { micros } else { seconds }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_gos() {
        let check = |text: &str, message: &str| assert_eq!(parse(text).unwrap_err(), message);
        check("x", r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#);
        check(
            "2026-01-02",
            r#"parsing time "2026-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T""#,
        );
        check("2026-02-31T00:00:00Z", r#"parsing time "2026-02-31T00:00:00Z": day out of range"#);
    }

    #[test]
    fn times_are_written_in_utc() {
        let time = parse("2026-11-22T23:30:00.5+01:30").unwrap();
        assert_eq!(format(time, false), "2026-11-22T22:00:00Z");
        assert_eq!(format(time, true), "2026-11-22T22:00:00.500000Z");
    }
}
