//! curl's progress meter, which it draws on standard error while standard output is not a terminal.
//!
//! Owns the meter's text. The forms are those recorded in `network/tools/curl`.

use std::time::Duration;

/// The two header lines.
pub(super) const HEADER: &str =
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed\n";

/// The line while nothing has come, after so many whole seconds.
pub(super) fn waiting(elapsed: Duration) -> String {
    let spent = match elapsed.as_secs() {
        0 => "--:--:--".to_owned(),
        seconds => format!("{:3}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    };
    format!("\r  0     0    0     0    0     0      0      0 --:--:-- {spent:>8} --:--:--     0")
}

/// The line when everything has come.
pub(super) fn done(bytes: usize, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.000_1);
    let speed = bytes as f64 / seconds;
    format!(
        "\r100 {:>5}  100 {:>5}    0     0 {:>6}      0 --:--:-- --:--:-- --:--:-- {:>5}\n",
        bytes,
        bytes,
        short(speed),
        short(speed)
    )
}

/// A number in at most five characters: `615`, `12345`, `147k`, `1014k`.
fn short(number: f64) -> String {
    const K: f64 = 1024.0;
    if number < 100_000.0 {
        format!("{number:.0}")
    } else if number < 10_000.0 * K {
        format!("{:.0}k", number / K)
    } else if number < 100.0 * K * K {
        format!("{:.1}M", number / (K * K))
    } else {
        format!("{:.0}M", number / (K * K))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_has_curls_columns() {
        assert_eq!(
            waiting(Duration::ZERO).trim_start_matches('\r'),
            "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
        );
        assert_eq!(
            done(615, Duration::from_micros(4086)).trim(),
            "100   615  100   615    0     0   147k      0 --:--:-- --:--:-- --:--:--  147k"
        );
    }
}
