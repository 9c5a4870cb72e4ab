//! Comparing two sessions command by command.
//!
//! Owns the rule of agreement, which is that of the reference's `compare.py`: both sides are masked; rows
//! whose order something generated decides may come in another order.

use super::format::{Exchange, Session};
use super::masks::Masks;

/// A command on which two sessions do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which command of the session, from 1.
    pub number: usize,
    /// What was typed.
    pub command: String,
    /// The lines that were wanted, masked.
    pub wanted: Vec<String>,
    /// The lines that came, masked.
    pub got: Vec<String>,
    /// The statuses: wanted, and the one that came if the command was run at all.
    pub status: (i32, Option<i32>),
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many commands the session has.
    pub total: usize,
    /// Where the two differ.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// How many commands agree.
    #[must_use]
    pub fn agreeing(&self) -> usize {
        self.total - self.differences.len()
    }
}

/// Compares what is wanted with what came. `files` holds the texts of the session's files, which count as
/// typed by the user.
#[must_use]
pub fn compare(wanted: &Session, got: &Session, files: &str) -> Comparison {
    static MASKS: std::sync::OnceLock<Masks> = std::sync::OnceLock::new();
    let masks = MASKS.get_or_init(Masks::new);
    let typed: Vec<&str> = wanted.exchanges().map(|exchange| exchange.command.as_str()).collect();
    let given = format!("{}\n{files}", typed.join("\n"));
    let mut others = got.exchanges();
    let mut comparison = Comparison::default();
    for (at, want) in wanted.exchanges().enumerate() {
        comparison.total += 1;
        let other = others.next();
        if let Some(difference) = difference(masks, &given, at + 1, want, other) {
            comparison.differences.push(difference);
        }
    }
    comparison
}

fn difference(
    masks: &Masks,
    given: &str,
    number: usize,
    want: &Exchange,
    other: Option<&Exchange>,
) -> Option<Difference> {
    let wanted = masks.apply(&want.output, given);
    let got = other.map_or_else(Vec::new, |other| masks.apply(&other.output, given));
    let agrees = other.is_some_and(|other| {
        other.command == want.command && other.status == want.status && same(&want.command, &wanted, &got)
    });
    (!agrees).then(|| Difference {
        number,
        command: want.command.clone(),
        wanted,
        got,
        status: (want.status, other.map(|other| other.status)),
    })
}

/// Parts of masked lines that decide the order of rows.
const FREE: [&str; 5] = ["<rand>", "<hash>", "<pod-ip>", "<worker>", "<service-ip>"];

fn same(command: &str, want: &[String], got: &[String]) -> bool {
    if says(command, "rollout status") {
        // How many steps are seen is a matter of timing.
        return want.last() == got.last();
    }
    if want == got {
        return true;
    }
    let free = want.iter().any(|line| FREE.iter().any(|part| line.contains(part)))
        || says(command, "events")
        || command.contains("--list");
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    free && sorted(want) == sorted(got)
}

/// Whether words stand in a command as words.
fn says(command: &str, words: &str) -> bool {
    let word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    command.match_indices(words).any(|(at, found)| {
        !word(command[..at].chars().next_back()) && !word(command[at + found.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreeing(want: &str, got: &str) -> usize {
        compare(&Session::parse(want), &Session::parse(got), "").agreeing()
    }

    #[test]
    fn rows_in_generated_order_may_come_in_another() {
        let want = "$ kubectl get pods\nweb-79c8bdf6d5-h6x74   1/1\nweb-79c8bdf6d5-zzzzz   0/1\n";
        let got = "$ kubectl get pods\nweb-5b74cf6744-bbbbb   0/1\nweb-5b74cf6744-ccccc   1/1\n";
        assert_eq!(agreeing(want, got), 1);
        assert_eq!(agreeing("$ x\na\nb\n", "$ x\nb\na\n"), 0);
    }

    #[test]
    fn status_and_command_count() {
        assert_eq!(agreeing("$ x\n[exit 1]\n", "$ x\n"), 0);
        assert_eq!(agreeing("$ x\n", "$ y\n"), 0);
        assert_eq!(agreeing("$ x\n", ""), 0);
    }
}
