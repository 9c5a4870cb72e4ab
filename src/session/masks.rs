//! The masks: what a real cluster chooses freely, so that it does not count when sessions are compared.
//!
//! Owns the table of expressions and their application. It follows the reference's `compare.py`, which the
//! recorded sessions came with; where that looks around a match, [`Around`] does.

use regex_lite::Regex;

/// What may not stand before or after a match.
#[derive(Clone, Copy)]
struct Around {
    not_before: &'static str,
    not_after: &'static str,
}

const ANYWHERE: Around = Around { not_before: "", not_after: "" };

/// Stands for letters, digits and `_` in [`Around`].
const WORD: char = 'w';

/// The alphabet of generated names.
const SAFE: &str = "[bcdfghjklmnpqrstvwxz2456789]";

struct Mask {
    pattern: Regex,
    around: Around,
    name: &'static str,
}

/// All masks, compiled.
pub(super) struct Masks {
    masks: Vec<Mask>,
    service_ip: Regex,
    node_port: Regex,
    gap: Regex,
}

/// Addresses that every cluster has.
const KEPT: [&str; 3] = ["10.96.0.1", "10.96.0.10", "10.96.0.0"];

fn table() -> Vec<(String, Around, &'static str)> {
    let plain = |pattern: &str, name| (pattern.to_owned(), ANYWHERE, name);
    let safe = |pattern: &str| pattern.replace("SAFE", SAFE);
    vec![
        plain(
            r"\n *annotations:\n *endpoints\.kubernetes\.io/last-change-trigger-time: [^\n]*(\n *\S+:)",
            "$1",
        ),
        plain(r"endpoints.kubernetes.io/last-change-trigger-time: \S+", "<none>"),
        plain(r"(?m)^[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "<log> "),
        plain(r"/(LIVE|MERGED)-\d+/", "/$1-<rand>/"),
        plain(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
        plain(r"Image size: \d+ bytes", "Image size: <n> bytes"),
        plain(r"\b\d+(\.\d+)?m?s( \(| including)", "<age>$2"),
        plain(r"\bk8s-w[12]\b", "<worker>"),
        plain(r"\b192\.168\.1\.7[34]\b", "<worker-ip>"),
        plain(r"\b[0-9a-f]{64}\b", "<digest>"),
        plain(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
        plain(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
        plain(
            r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
            "<time>",
        ),
        plain(r#"(resourceVersion"?: ?)"?\d+"?"#, "$1<version>"),
        (
            r"(\d+y)(\d+d)?(\d+h)?(\d+m)?(\d+s)?|(\d+d)(\d+h)?(\d+m)?(\d+s)?|(\d+h)(\d+m)?(\d+s)?|(\d+m)(\d+s)?|\d+s"
                .to_owned(),
            Around { not_before: "w=.:/-", not_after: "w.:/-" },
            "<age>",
        ),
        plain(r"\(x\d+ over <age>\)", "(x<n> over <age>)"),
        (safe(r"-SAFE{8,10}-SAFE{5}"), Around { not_before: "", not_after: "w" }, "-<hash>-<rand>"),
        (safe(r#"(pod-template-hash"?[=:] ?"?)SAFE{8,10}"#), ANYWHERE, "$1<hash>"),
        (safe(r"-SAFE{8,10}"), Around { not_before: "", not_after: "w-" }, "-<hash>"),
        (safe(r"-SAFE{5}"), Around { not_before: "", not_after: "w-" }, "-<rand>"),
        plain(r"\b10\.244\.\d+\.\d+\b", "<pod-ip>"),
        plain(r"\bfd00:10:244:[0-9a-f:]+", "<pod-ip>"),
        plain(r"\bfd00:10:96::[0-9a-f]{2,4}\b", "<service-ip>"),
    ]
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the masks are valid expressions")
}

impl Masks {
    /// Compiles the table.
    pub(super) fn new() -> Self {
        let mask = |(pattern, around, name): (String, Around, &'static str)| Mask {
            pattern: compiled(&pattern),
            around,
            name,
        };
        Self {
            masks: table().into_iter().map(mask).collect(),
            service_ip: compiled(r"\b10\.(9[6-9]|10\d|11[01])\.\d+\.\d+\b"),
            node_port: compiled(r"\b3(0|1|2)\d{3}\b"),
            gap: compiled(r"(\S) {2,}|\t+"),
        }
    }

    /// The lines of a command's output, masked; `given` is everything that the user typed.
    pub(super) fn apply(&self, output: &str, given: &str) -> Vec<String> {
        let mut text = output.to_owned();
        for mask in &self.masks {
            text = mask.apply(&text);
        }
        let keep = |found: &str, name: &str| {
            if KEPT.contains(&found) || given.contains(found) { found.to_owned() } else { name.to_owned() }
        };
        let text = self
            .service_ip
            .replace_all(&text, |found: &regex_lite::Captures<'_>| keep(&found[0], "<service-ip>"));
        let text = self.node_port.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            if given.contains(&found[0]) { found[0].to_owned() } else { "<node-port>".to_owned() }
        });
        let line = |line: &str| self.gap.replace_all(line, "$1  ").trim_end().to_owned();
        let mut lines: Vec<String> = text.split('\n').map(line).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl Mask {
    fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut copied, mut from) = (0, 0);
        while let Some(found) = self.pattern.captures_at(text, from) {
            let whole = found.get(0).expect("a match has a whole");
            if self.stands(text, whole.start(), whole.end()) {
                out.push_str(&text[copied..whole.start()]);
                found.expand(self.name, &mut out);
                copied = whole.end();
                from = whole.end();
            } else {
                from = whole.start() + text[whole.start()..].chars().next().map_or(1, char::len_utf8);
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    fn stands(&self, text: &str, start: usize, end: usize) -> bool {
        let clear = |letter: Option<char>, refused: &str| {
            letter.is_none_or(|letter| {
                let word = letter.is_alphanumeric() || letter == '_';
                !(word && refused.starts_with(WORD)) && (word || !refused.contains(letter))
            })
        };
        clear(text[..start].chars().next_back(), self.around.not_before)
            && clear(text[end..].chars().next(), self.around.not_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hide_what_a_cluster_chooses() {
        let masks = Masks::new();
        let check = |text: &str, expected: &str| {
            assert_eq!(masks.apply(text, "10.96.100.1 30080").join("\n"), expected, "{text}");
        };
        check("web-79c8bdf6d5-h6x74   1/1   2m41s", "web-<hash>-<rand>  1/1  <age>");
        check("10.96.100.1 10.97.3.4 10.96.0.1", "10.96.100.1 <service-ip> 10.96.0.1");
        check("80:30080/TCP 80:31000/TCP", "80:30080/TCP 80:<node-port>/TCP");
        check("--timeout=30s 10.244.1.9:80", "--timeout=30s <pod-ip>:80");
        check("  creationTimestamp: \"2026-11-22T21:57:34Z\"", "  creationTimestamp: \"<time>\"");
        check("in 444ms (444ms including waiting)", "in <age> (<age> including waiting)");
        check("name:\tx\t\ty  ", "name:  x  y");
    }
}
