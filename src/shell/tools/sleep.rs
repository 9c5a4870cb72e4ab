//! `sleep`: lets virtual time pass.

use std::time::Duration;

use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// `sleep`.
pub static COMMAND: Command = Command {
    name: "sleep",
    usage: "NUMBER[smhd]...",
    summary: Words { en: "wait for an amount of virtual time", zh: "等待一段虚拟时间" },
    flags: &[],
    operands: Value::Duration,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    if parsed.operands.is_empty() {
        return invocation.fail("missing operand\nTry 'sleep --help' for more information.");
    }
    let mut total = Duration::ZERO;
    for operand in &parsed.operands {
        match interval(operand) {
            Some(time) => total += time,
            None => {
                return invocation.fail(&format!(
                    "invalid time interval '{operand}'\nTry 'sleep --help' for more information."
                ));
            }
        }
    }
    invocation.sleep(total).await;
    0
}

/// `5`, `0.5`, `2m`, `1h`, `1d` or `infinity` as a length of time.
pub fn interval(text: &str) -> Option<Duration> {
    /// Nobody waits longer than a hundred years.
    const LONGEST_SECONDS: f64 = 3.0e9;
    let (number, unit) = match text.strip_suffix(|letter: char| "smhd".contains(letter)) {
        Some(number) => (number, text.chars().last()?),
        None => (text, 's'),
    };
    let seconds_per_unit = match unit {
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        _ => 1.0,
    };
    let number =
        if number == "infinity" || number == "inf" { LONGEST_SECONDS } else { number.parse::<f64>().ok()? };
    if number < 0.0 || number.is_nan() {
        return None;
    }
    Some(Duration::from_secs_f64((number * seconds_per_unit).min(LONGEST_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_numbers_with_a_unit() {
        for (text, expected) in
            [("1", Some(1_000)), ("0.25", Some(250)), ("2m", Some(120_000)), ("x", None), ("-1", None)]
        {
            assert_eq!(interval(text).map(|time| time.as_millis()), expected, "{text}");
        }
    }
}
