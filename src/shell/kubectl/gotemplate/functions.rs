//! The functions of Go templates, and the two that kubectl adds (`exists`, `base64decode`).
//!
//! Owns their names, their rules and Go's words for arguments that do not fit. Source: Go's
//! `text/template/funcs.go` and `k8s.io/cli-runtime/pkg/printers/template.go`.

use std::cmp::Ordering;

use super::format;
use super::value::Datum;
use crate::api::value::Value;

/// A function: its arguments to its result.
type Function = fn(&[Datum]) -> Result<Datum, String>;

/// Every function. `and` and `or` are evaluated by their caller, which stops early.
const FUNCTIONS: &[(&str, usize, Function)] = &[
    ("and", 1, |_| Ok(Datum::Nothing)),
    ("base64decode", 1, base64_decode),
    ("eq", 1, |args| equal(args).map(Datum::from)),
    ("exists", 1, exists_at),
    ("ge", 2, |args| order(args).map(|order| Datum::from(order != Ordering::Less))),
    ("gt", 2, |args| order(args).map(|order| Datum::from(order == Ordering::Greater))),
    ("index", 1, index),
    ("le", 2, |args| order(args).map(|order| Datum::from(order != Ordering::Greater))),
    ("len", 1, length),
    ("lt", 2, |args| order(args).map(|order| Datum::from(order == Ordering::Less))),
    ("ne", 2, |args| equal(args).map(|same| Datum::from(!same))),
    ("not", 1, |args| Ok(Datum::from(!args[0].is_true()))),
    ("or", 1, |_| Ok(Datum::Nothing)),
    ("print", 0, |args| Ok(Datum::from(format::print(args)))),
    ("printf", 1, printf),
    ("println", 0, |args| Ok(Datum::from(format::print_line(args)))),
    ("slice", 1, slice),
];

/// Functions that take exactly as many arguments as the table says.
const FIXED: &[&str] = &["ge", "gt", "le", "len", "lt", "ne", "not", "base64decode"];

/// Whether there is a function of this name.
pub(super) fn exists(name: &str) -> bool {
    FUNCTIONS.iter().any(|(held, ..)| *held == name)
}

/// Why a call cannot be made at all.
pub(super) enum Refusal {
    /// Too few or too many arguments: the whole message.
    Count(String),
    /// An error of the function itself.
    Call(String),
}

/// Calls a function.
///
/// # Errors
/// Arguments that do not fit.
pub(super) fn call(name: &str, args: &[Datum]) -> Result<Datum, Refusal> {
    let (_, least, function) =
        FUNCTIONS.iter().find(|(held, ..)| *held == name).expect("the parser looked the name up");
    let fixed = FIXED.contains(&name);
    if fixed && args.len() != *least {
        return Err(Refusal::Count(format!(
            "wrong number of args for {name}: want {least} got {}",
            args.len()
        )));
    }
    if args.len() < *least {
        return Err(Refusal::Count(format!(
            "wrong number of args for {name}: want at least {least} got {}",
            args.len()
        )));
    }
    function(args).map_err(Refusal::Call)
}

fn length(args: &[Datum]) -> Result<Datum, String> {
    let length = match &args[0] {
        Datum::Document(Value::Str(text)) => text.len(),
        Datum::Document(Value::List(items)) => items.len(),
        Datum::Document(Value::Map(map)) => map.len(),
        Datum::Nothing | Datum::Document(Value::Null) => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Datum::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(args: &[Datum]) -> Result<Datum, String> {
    let mut item = args[0].clone();
    if matches!(item, Datum::Nothing | Datum::Document(Value::Null)) {
        return Err("index of untyped nil".to_owned());
    }
    for key in &args[1..] {
        item = match (&item, key) {
            (Datum::Document(Value::Map(map)), Datum::Document(Value::Str(key))) => {
                map.get(key).cloned().map_or(Datum::Nothing, Datum::Document)
            }
            (Datum::Document(Value::Map(_)), Datum::Nothing) => {
                return Err("value is nil; should be of type string".to_owned());
            }
            (Datum::Document(Value::Map(_)), key) => {
                return Err(format!("value has type {}; should be string", key.type_name()));
            }
            (Datum::Document(Value::List(items)), Datum::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                match found {
                    Some(found) => Datum::Document(found.clone()),
                    None if usize::try_from(*at) == Ok(items.len()) => {
                        return Err("reflect: slice index out of range".to_owned());
                    }
                    None => return Err(format!("index out of range: {at}")),
                }
            }
            (Datum::Document(Value::List(_)), key) => {
                return Err(format!("cannot index slice/array with type {}", key.type_name()));
            }
            (Datum::Nothing | Datum::Document(Value::Null), _) => {
                return Err("index of nil pointer".to_owned());
            }
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

fn slice(args: &[Datum]) -> Result<Datum, String> {
    let bound = |at: usize, otherwise: usize, most: usize| match args.get(at) {
        None => Ok(otherwise),
        Some(Datum::Int(number)) => usize::try_from(*number)
            .ok()
            .filter(|bound| *bound <= most)
            .ok_or_else(|| format!("index out of range: {number}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let range = |length: usize| {
        let (from, to) = (bound(1, 0, length)?, bound(2, length, length)?);
        if from > to { Err(format!("invalid slice index: {from} > {to}")) } else { Ok((from, to)) }
    };
    match &args[0] {
        Datum::Document(Value::Str(text)) => {
            let (from, to) = range(text.len())?;
            Ok(Datum::from(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()))
        }
        Datum::Document(Value::List(items)) => {
            let (from, to) = range(items.len())?;
            Ok(Datum::Document(items[from..to].iter().cloned().collect()))
        }
        Datum::Nothing | Datum::Document(Value::Null) => Err("slice of untyped nil".to_owned()),
        other => Err(format!("can't slice item of type {}", other.type_name())),
    }
}

/// Whether the first argument equals one of the others.
fn equal(args: &[Datum]) -> Result<bool, String> {
    let (first, others) = args.split_first().expect("the count was checked");
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        let same = match (first, other) {
            (first, other) if first.is_nil() || other.is_nil() => first.is_nil() && other.is_nil(),
            (Datum::Int(a), Datum::Int(b)) => a == b,
            (Datum::Document(Value::Bool(a)), Datum::Document(Value::Bool(b))) => a == b,
            (Datum::Document(Value::Str(a)), Datum::Document(Value::Str(b))) => a == b,
            (a, b) => match (a.float(), b.float()) {
                (Some(a), Some(b)) => a.total_cmp(&b) == Ordering::Equal,
                _ if a.is_composed() && b.is_composed() => {
                    return Err(format!("non-comparable type {}: {}", format::value(a), a.type_name()));
                }
                _ => return Err("incompatible types for comparison".to_owned()),
            },
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn order(args: &[Datum]) -> Result<Ordering, String> {
    match (&args[0], &args[1]) {
        (Datum::Int(a), Datum::Int(b)) => Ok(a.cmp(b)),
        (Datum::Document(Value::Str(a)), Datum::Document(Value::Str(b))) => Ok(a.cmp(b)),
        (a, b) => match (a.float(), b.float()) {
            (Some(a), Some(b)) => Ok(a.total_cmp(&b)),
            _ if a.is_basic() && b.is_basic() && a.type_name() != b.type_name() => {
                Err("incompatible types for comparison".to_owned())
            }
            _ => Err("invalid type for comparison".to_owned()),
        },
    }
}

fn printf(args: &[Datum]) -> Result<Datum, String> {
    match &args[0] {
        Datum::Document(Value::Str(layout)) => Ok(Datum::from(format::printf(layout, &args[1..])?)),
        other => Err(format!("wrong type for value; expected string; got {}", other.type_name())),
    }
}

fn base64_decode(args: &[Datum]) -> Result<Datum, String> {
    let Datum::Document(Value::Str(text)) = &args[0] else {
        return Err(format!("wrong type for value; expected string; got {}", args[0].type_name()));
    };
    crate::api::base64::decode(text)
        .map(|bytes| Datum::from(String::from_utf8_lossy(&bytes).into_owned()))
        .map_err(|at| format!("base64 decode failed: illegal base64 data at input byte {at}"))
}

/// kubectl's `exists`: whether a path of keys and indexes leads somewhere.
fn exists_at(args: &[Datum]) -> Result<Datum, String> {
    Ok(Datum::from(args.len() > 1 && index(args).is_ok_and(|found| !matches!(found, Datum::Nothing))))
}
