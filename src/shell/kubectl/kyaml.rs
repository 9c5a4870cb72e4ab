//! `-o kyaml`: YAML in flow style, every text in quotes, a comma behind every item.
//!
//! Owns the layout. Source: <https://kubernetes.io/docs/reference/encodings/kyaml/>.

use crate::api::json;
use crate::api::value::Value;

/// A document with the line that begins it.
pub fn write(value: &Value) -> String {
    let mut out = "---\n".to_owned();
    put(&mut out, value, 0);
    out.push('\n');
    out
}

fn put(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(map) => {
            out.push_str("{\n");
            for (key, value) in map.iter() {
                indent(out, depth + 1);
                out.push_str(&named(key));
                out.push_str(": ");
                put(out, value, depth + 1);
                out.push_str(",\n");
            }
            indent(out, depth);
            out.push('}');
        }
        // Brackets of composed items stand together.
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Map(_) | Value::List(_))) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                put(out, item, depth);
            }
            out.push(']');
        }
        Value::List(items) => {
            out.push_str("[\n");
            for item in items.iter() {
                indent(out, depth + 1);
                put(out, item, depth + 1);
                out.push_str(",\n");
            }
            indent(out, depth);
            out.push(']');
        }
        Value::Str(text) => out.push_str(&quoted(text)),
        other => out.push_str(&json::compact(other)),
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Text in double quotes, without the escapes that JSON makes for HTML.
fn quoted(text: &str) -> String {
    json::quote(text).replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}

/// A key; in quotes where YAML would read it as something else.
fn named(key: &str) -> String {
    const OTHER: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""];
    let plain = key.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
        && !OTHER.contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use crate::value;

    #[test]
    fn items_of_lists_stand_together_and_texts_are_quoted() {
        let document = value!({ "a": "x", "args": ["b", 1], "on": true, "ports": [{ "p": 1 }, { "p": 2 }] });
        assert_eq!(
            super::write(&document),
            "---\n{\n  a: \"x\",\n  args: [\n    \"b\",\n    1,\n  ],\n  \"on\": true,\n  ports: [{\n    p: 1,\n  }, {\n    p: 2,\n  }],\n}\n"
        );
    }
}
