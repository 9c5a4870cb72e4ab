//! Values as Go's `fmt` prints them.
//!
//! Owns `%v` and the verbs that templates use with `printf`. Source: Go's package `fmt`.

use super::value::Datum;
use crate::api::value::Value;

/// The widest field that `printf` fills: a limit against templates that only make blanks.
const WIDTH_LIMIT: usize = 1000;

/// A value as a template prints it (`%v`; `<no value>` for nothing).
pub(super) fn printed(datum: &Datum) -> String {
    if datum.is_nil() { "<no value>".to_owned() } else { value(datum) }
}

/// A value as `%v` prints it.
pub(super) fn value(datum: &Datum) -> String {
    match datum {
        Datum::Nothing => "<nil>".to_owned(),
        Datum::Int(number) => number.to_string(),
        Datum::Document(value) => document(value),
    }
}

fn document(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => float(*number as f64),
        Value::Float(number) => float(*number),
        Value::Str(text) => text.to_string(),
        Value::List(items) => {
            format!("[{}]", items.iter().map(document).collect::<Vec<_>>().join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", document(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// A float as `%v` prints it: shortest digits, an exponent below -4 and from 6 on (1e+06).
fn float(number: f64) -> String {
    /// From here on Go's `%g` with the fewest digits turns to an exponent.
    const LARGEST_EXPONENT: i32 = 6;
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..LARGEST_EXPONENT).contains(&power) {
        return number.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

/// Go's `Sprint`: a blank between neighbours of which neither is a text.
pub(super) fn print(args: &[Datum]) -> String {
    let is_text = |datum: &Datum| matches!(datum, Datum::Document(Value::Str(_)));
    let mut out = String::new();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 && !is_text(arg) && !is_text(&args[at - 1]) {
            out.push(' ');
        }
        out.push_str(&value(arg));
    }
    out
}

/// Go's `Sprintln`.
pub(super) fn print_line(args: &[Datum]) -> String {
    args.iter().map(value).collect::<Vec<_>>().join(" ") + "\n"
}

/// What stands between `%` and a verb.
#[derive(Default)]
struct Field {
    left: bool,
    zeros: bool,
    plus: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Go's `Sprintf`.
///
/// # Errors
/// A field that is too wide.
pub(super) fn printf(layout: &str, args: &[Datum]) -> Result<String, String> {
    let mut out = String::new();
    let mut args_left = args.iter();
    let mut letters = layout.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut field = Field::default();
        while let Some(flag) = letters.next_if(|letter| "-0+ #".contains(*letter)) {
            match flag {
                '-' => field.left = true,
                '0' => field.zeros = true,
                '+' => field.plus = true,
                _ => {}
            }
        }
        let mut number = || {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits
        };
        field.width = number().parse().ok();
        if letters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            field.precision = Some(digits.parse().unwrap_or(0));
        }
        if field.width.max(field.precision).is_some_and(|size| size > WIDTH_LIMIT) {
            return Err("a field of printf is too wide".to_owned());
        }
        match letters.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match args_left.next() {
                Some(arg) => out.push_str(&padded(&field, verb, arg)),
                None => out.push_str(&format!("%!{verb}(MISSING)")),
            },
        }
    }
    let extra: Vec<String> = args_left.map(|arg| format!("{}={}", go_type(arg), value(arg))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(out)
}

fn go_type(datum: &Datum) -> &'static str {
    if datum.is_nil() { "<nil>" } else { datum.type_name() }
}

fn padded(field: &Field, verb: char, arg: &Datum) -> String {
    let Some(text) = verb_text(field, verb, arg) else {
        return if arg.is_nil() {
            format!("%!{verb}(<nil>)")
        } else {
            format!("%!{verb}({}={})", go_type(arg), value(arg))
        };
    };
    let missing = field.width.unwrap_or(0).saturating_sub(text.chars().count());
    let is_number = matches!(arg, Datum::Int(_)) || arg.float().is_some();
    if field.left {
        text + &" ".repeat(missing)
    } else if field.zeros && is_number {
        match text.strip_prefix('-') {
            Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
            None => "0".repeat(missing) + &text,
        }
    } else {
        " ".repeat(missing) + &text
    }
}

/// A value by one verb; `None` where the verb does not fit the type.
fn verb_text(field: &Field, verb: char, arg: &Datum) -> Option<String> {
    let signed = |text: String| if field.plus && !text.starts_with('-') { format!("+{text}") } else { text };
    let cut = |text: String| match field.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    match (verb, arg) {
        ('v', arg) => Some(value(arg)),
        ('s', Datum::Document(Value::Str(text))) => Some(cut(text.to_string())),
        ('s', Datum::Document(Value::List(_) | Value::Map(_))) => Some(value(arg)),
        ('q', Datum::Document(Value::Str(text))) => Some(format!("{text:?}")),
        ('t', Datum::Document(Value::Bool(flag))) => Some(flag.to_string()),
        ('d', Datum::Int(number)) => Some(signed(number.to_string())),
        ('x', Datum::Int(number)) => Some(format!("{number:x}")),
        ('X', Datum::Int(number)) => Some(format!("{number:X}")),
        ('o', Datum::Int(number)) => Some(format!("{number:o}")),
        ('b', Datum::Int(number)) => Some(format!("{number:b}")),
        ('c', Datum::Int(number)) => {
            u32::try_from(*number).ok().and_then(char::from_u32).map(|letter| letter.to_string())
        }
        ('x', Datum::Document(Value::Str(text))) => {
            Some(text.bytes().map(|byte| format!("{byte:02x}")).collect())
        }
        ('T', arg) => Some(go_type(arg).to_owned()),
        ('f' | 'F', arg) => {
            arg.float().map(|float| signed(format!("{float:.*}", field.precision.unwrap_or(6))))
        }
        ('g', arg) => arg.float().map(|number| signed(float(number))),
        _ => None,
    }
}
