//! "Did you mean this?"
//!
//! Owns the names of kubectl's verbs in the order of its help, and the distance between words.
//! Source: cobra's `SuggestionsFor`, with a distance of two.

use super::failure::Failure;

/// Every verb of kubectl v1.36, in the order of its help.
const NAMES: [&str; 42] = [
    "create",
    "expose",
    "run",
    "set",
    "explain",
    "get",
    "edit",
    "delete",
    "rollout",
    "scale",
    "autoscale",
    "certificate",
    "cluster-info",
    "top",
    "cordon",
    "uncordon",
    "drain",
    "taint",
    "describe",
    "logs",
    "attach",
    "exec",
    "port-forward",
    "proxy",
    "cp",
    "auth",
    "debug",
    "events",
    "diff",
    "apply",
    "patch",
    "replace",
    "wait",
    "kustomize",
    "label",
    "annotate",
    "completion",
    "api-resources",
    "api-versions",
    "config",
    "plugin",
    "version",
];

/// The largest distance of a suggestion.
const DISTANCE: usize = 2;

/// Longer words are like no verb: the longest has 13 letters.
const LONGEST: usize = 100;

/// The error of a verb that does not exist.
pub fn unknown(typed: &str) -> Failure {
    let mut text = format!("unknown command \"{typed}\" for \"kubectl\"");
    let lower = typed.to_lowercase();
    let is_close = |name: &&str| {
        lower.len() <= LONGEST && (distance(&lower, name) <= DISTANCE || name.starts_with(&lower))
    };
    let close: Vec<&str> = NAMES.into_iter().filter(is_close).collect();
    if !close.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in close {
            text.push_str(&format!("\t{name}\n"));
        }
    }
    Failure::plain(text)
}

/// The number of letters to change, add or remove (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_that_are_near_are_suggested() {
        let check = |typed: &str, expected: &str| assert_eq!(unknown(typed).text(), expected);
        check(
            "gett",
            "error: unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tset\n\tget\n",
        );
        check("foo", "error: unknown command \"foo\" for \"kubectl\"\n\nDid you mean this?\n\ttop\n");
        check("xxxxxxx", "error: unknown command \"xxxxxxx\" for \"kubectl\"\n");
    }
}
