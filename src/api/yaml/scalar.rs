//! What a scalar of YAML text means to Kubernetes.
//!
//! Owns the rules of `sigs.k8s.io/yaml` (go-yaml v2: YAML 1.1 booleans, `_` in numbers, Go's base
//! prefixes, `014` as octal, quoted text never anything but text). It does not know of documents.

use saphyr_parser::{ScalarStyle, Tag};
use serde_yaml::Value;

/// The words that are booleans when they stand plain (YAML 1.1, in three cases each).
const TRUE: [&str; 11] = ["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];
const FALSE: [&str; 11] = ["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// The value of one scalar.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
        Some("str" | "binary") => Value::String(text.to_owned()),
        Some("int" | "bool" | "null") => plain(text),
        Some("float") => match plain(text) {
            Value::Number(number) => Value::from(number.as_f64().unwrap_or_default()),
            other => other,
        },
        _ if style == ScalarStyle::Plain => plain(text),
        _ => Value::String(text.to_owned()),
    }
}

/// The value of a scalar that stands without quotes.
pub(super) fn plain(text: &str) -> Value {
    match text.as_bytes().first() {
        None => Value::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        Some(_) => Value::String(text.to_owned()),
    }
}

fn word(text: &str) -> Value {
    if NULL.contains(&text) {
        Value::Null
    } else if TRUE.contains(&text) {
        Value::Bool(true)
    } else if FALSE.contains(&text) {
        Value::Bool(false)
    } else {
        Value::String(text.to_owned())
    }
}

fn number(text: &str) -> Value {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::from(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::from(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Value::from(f64::NAN),
        _ => {}
    }
    // Underscores group digits; a number that begins with a dot has none.
    let digits =
        if text.contains('_') && !text.starts_with('.') { text.replace('_', "") } else { text.to_owned() };
    if let Some(number) = integer(&digits) {
        return number;
    }
    match float(&digits) {
        Some(number) => Value::from(number),
        None => Value::String(text.to_owned()),
    }
}

/// A whole number in Go's base-0 syntax: decimal, `0x`, `0o` or a leading `0`, `0b`.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match prefix.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0i64.checked_sub_unsigned(magnitude).map(Value::from)
    } else {
        Some(i64::try_from(magnitude).map_or(Value::from(magnitude), Value::from))
    }
}

/// A decimal fraction: digits with an optional point and exponent, nothing else that Rust would read.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let well_formed = mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'));
    let number = text.parse::<f64>().ok().filter(|number| well_formed && number.is_finite())?;
    Some(number)
}

/// How a number that is a map key reads in JSON, where keys are text.
pub(super) fn float_key(number: f64) -> String {
    crate::api::json::float(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_kubernetes() {
        let check = |text: &str, expected: Value| assert_eq!(plain(text), expected, "{text}");
        for text in ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"] {
            check(text, Value::Bool(true));
        }
        for text in ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"] {
            check(text, Value::Bool(false));
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            check(text, Value::Null);
        }
        for text in [
            "yEs", "tRUE", "nULL", "-", "+", ".", "1.2.3.4", "80/TCP", "0x", "1e", "_1x", "infinity", "nan",
            "100m",
        ] {
            check(text, Value::String(text.to_owned()));
        }
        for (text, number) in [
            ("80", 80),
            ("0100", 64),
            ("0x50", 80),
            ("0b11", 3),
            ("8_080", 8080),
            ("-7", -7),
            ("+7", 7),
            ("0o17", 15),
            ("0", 0),
        ] {
            check(text, Value::from(i64::from(number)));
        }
        for (text, number) in [("80.0", 80.0), ("1e2", 100.0), ("08", 8.0), (".5", 0.5), ("1.", 1.0)] {
            check(text, Value::from(number));
        }
    }
}
