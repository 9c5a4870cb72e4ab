//! JSON as Go writes and reads it.
//!
//! Owns the compact form (`last-applied-configuration`, error messages), the indented form of
//! `kubectl -o json`, Go's way to print numbers, and reading with Go's error words. Keys are in order
//! because a document's maps are.

use std::fmt::Write;

use super::value::Value;

/// One line, as Go's `json.Marshal`: sorted keys, `<`, `>` and `&` escaped for HTML.
#[must_use]
pub fn compact(value: &Value) -> String {
    let mut out = String::new();
    put(&mut out, value, None);
    out
}

/// Indented lines, as `kubectl -o json` prints them with an indentation of 4; no newline at the end.
#[must_use]
pub fn pretty(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    put(&mut out, value, Some((indent, 0)));
    out
}

/// A number that JSON text would hold: whole if it has no fraction and fits, as a reader of the text
/// would find it.
#[must_use]
pub fn number(float: f64) -> Value {
    // 2^63 itself does not fit any more.
    let limit = 9_223_372_036_854_775_808.0;
    if float.fract() == 0.0 && float >= -limit && float < limit {
        Value::Int(float as i64)
    } else {
        Value::Float(float)
    }
}

/// A fraction as Go's JSON prints it: shortest digits, an exponent below 1e-6 and from 1e21 on.
#[must_use]
pub fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        }
    } else {
        number.to_string()
    }
}

/// `layout`: the width of an indentation and the present depth; none for one line.
fn put(out: &mut String, value: &Value, layout: Option<(usize, usize)>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => write!(out, "{number}").expect("writing to a string cannot fail"),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => quote_into(out, text),
        Value::List(items) => {
            let inner = layout.map(|(width, depth)| (width, depth + 1));
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(out, at, inner);
                put(out, item, inner);
            }
            close(out, ']', items.is_empty(), layout);
        }
        Value::Map(map) => {
            let inner = layout.map(|(width, depth)| (width, depth + 1));
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                separate(out, at, inner);
                quote_into(out, key);
                out.push_str(if layout.is_some() { ": " } else { ":" });
                put(out, value, inner);
            }
            close(out, '}', map.is_empty(), layout);
        }
    }
}

fn separate(out: &mut String, at: usize, layout: Option<(usize, usize)>) {
    if at > 0 {
        out.push(',');
    }
    new_line(out, layout);
}

fn close(out: &mut String, bracket: char, empty: bool, layout: Option<(usize, usize)>) {
    if !empty {
        new_line(out, layout);
    }
    out.push(bracket);
}

fn new_line(out: &mut String, layout: Option<(usize, usize)>) {
    if let Some((width, depth)) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

/// A value as Go's `%v` prints it, which some messages of the API server do: `map[a:1 b:[x y]]`.
#[must_use]
pub fn go_print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(go_print).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", go_print(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => compact(other),
    }
}

/// Text in quotes, as Go's JSON writes it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Why text is no JSON, in Go's words.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    /// Go's words, without a place: `invalid character 'b' looking for beginning of value`.
    pub message: String,
    /// How many bytes Go had read, the offending one included.
    pub offset: usize,
    /// Whether the text ended too early.
    pub unexpected_end: bool,
}

/// Reads a whole text as JSON.
///
/// # Errors
/// The first place where it is none.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    let (value, length) = first(text)?;
    match text[length..].trim_start_matches([' ', '\t', '\r', '\n']).chars().next() {
        None => Ok(value),
        Some(c) => {
            let rest = text[length..].trim_start_matches([' ', '\t', '\r', '\n']);
            Err(SyntaxError {
                message: format!("invalid character {} after top-level value", go_char(c)),
                offset: text.len() - rest.len() + 1,
                unexpected_end: false,
            })
        }
    }
}

/// Reads the first JSON value of a text and tells how many bytes it takes.
///
/// # Errors
/// The first place where it is none.
pub fn first(text: &str) -> Result<(Value, usize), SyntaxError> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => Ok((value, stream.byte_offset())),
        Some(Err(error)) => Err(syntax_error(text, &error)),
        None => Err(unexpected_end(text)),
    }
}

fn unexpected_end(text: &str) -> SyntaxError {
    SyntaxError { message: "unexpected EOF".to_owned(), offset: text.len(), unexpected_end: true }
}

/// Go's words for an error of `serde_json`, which names the place and what it expected.
fn syntax_error(text: &str, error: &serde_json::Error) -> SyntaxError {
    if error.is_eof() {
        return unexpected_end(text);
    }
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let words = error.to_string();
    let trailing_comma = words.starts_with("trailing comma");
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let found = text[at..].chars().next().map_or_else(|| "' '".to_owned(), go_char);
    let context =
        if words.starts_with("key must be a string") || (trailing_comma && text[at..].starts_with('}')) {
            "looking for beginning of object key string"
        } else if words.starts_with("expected `:`") {
            "after object key"
        } else if words.starts_with("expected `,` or `}`") {
            "after object key:value pair"
        } else if words.starts_with("expected `,` or `]`") {
            "after array element"
        } else if words.starts_with("control character") {
            "in string literal"
        } else if words.starts_with("invalid escape") {
            "in string escape code"
        } else if words.starts_with("recursion limit") {
            return SyntaxError {
                message: "exceeded max depth".to_owned(),
                offset: at + 1,
                unexpected_end: false,
            };
        } else {
            "looking for beginning of value"
        };
    SyntaxError {
        message: format!("invalid character {found} {context}"),
        offset: at + 1,
        unexpected_end: false,
    }
}

/// A character as Go quotes it in these messages.
fn go_char(c: char) -> String {
    match c {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        '\n' => r"'\n'".to_owned(),
        '\r' => r"'\r'".to_owned(),
        '\t' => r"'\t'".to_owned(),
        '\\' => r"'\\'".to_owned(),
        c => format!("'{c}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn compact_json_is_go_json() {
        let value = value!({ "b": [1, true, null], "a": "<&>\u{2028}\n\u{1}" });
        assert_eq!(compact(&value), r#"{"a":"\u003c\u0026\u003e\u2028\n\u0001","b":[1,true,null]}"#);
    }

    #[test]
    fn pretty_json_is_kubectl_json() {
        let value = value!({ "b": [1, {}], "a": [] });
        assert_eq!(pretty(&value, 4), "{\n    \"a\": [],\n    \"b\": [\n        1,\n        {}\n    ]\n}");
    }

    #[test]
    fn fractions_print_as_in_go() {
        let check = |number: f64, text: &str| assert_eq!(float(number), text);
        check(80.5, "80.5");
        check(1e21, "1e+21");
        check(1e20, "100000000000000000000");
        check(1.5e-7, "1.5e-7");
        check(0.000_001, "0.000001");
        check(80.0, "80");
    }

    #[test]
    fn errors_are_in_go_words() {
        let check =
            |text: &str, message: &str| assert_eq!(parse(text).unwrap_err().message, message, "{text}");
        check("{bad", "invalid character 'b' looking for beginning of object key string");
        check(r#"{"a" 1}"#, "invalid character '1' after object key");
        check(r#"{"a":1 2}"#, "invalid character '2' after object key:value pair");
        check("[1 2]", "invalid character '2' after array element");
        check(r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string");
        check("{} x", "invalid character 'x' after top-level value");
        check(r#"{"a":"#, "unexpected EOF");
    }
}
