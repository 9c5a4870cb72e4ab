//! The promise that Portside prints what a real cluster prints: every recorded session is replayed and
//! compared command by command.
//!
//! `tests/sessions/KNOWN.md` lists the commands that do not agree yet, with the reason. The list only shrinks:
//! a command that is not listed must agree, and a listed one must not. `PORTSIDE_UPDATE_KNOWN=1` writes the
//! list anew and keeps the reasons.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use portside::session::compare::{Comparison, Difference, compare};
use portside::session::format::Session;
use portside::session::replay::{File, replay};

/// Sessions that agree fully; they may have nothing in the list.
const FULL: [&str; 13] = [
    "95-env-hu-nginx",
    "96-env-more",
    "20-describe-services",
    "01-classic-walk",
    "03-selector-matches-nothing",
    "06-pod-without-containerport",
    "10-get-empty",
    "21-describe-workloads",
    "30-create-deployment",
    "31-expose",
    "35-label-annotate",
    "42-help-and-usage",
    "50-bad-yaml",
];

/// The head of the list.
const HEAD: &str = "# Known differences\n\nCommands of the recorded sessions on which Portside does not agree with the real cluster yet.\nThe test `sessions` reads this table: it fails when a command disagrees that is not here, and when one agrees that is.\n`PORTSIDE_UPDATE_KNOWN=1 cargo test --test sessions` writes it anew and keeps the reasons.\n\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions")
}

/// One recorded session.
struct Recorded {
    name: String,
    text: String,
    files: Vec<File>,
}

fn recorded() -> Vec<Recorded> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the sessions are there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a listed path has a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(path.join("session.txt")).expect("sessions are text");
            Recorded { name, text, files: files(&path, "") }
        })
        .collect()
}

fn files(folder: &Path, below: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder can be listed")
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    paths.sort();
    for path in paths {
        let name =
            format!("{below}{}", path.file_name().expect("a listed path has a name").to_string_lossy());
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/")));
        } else if name != "session.txt" {
            found.push((name, fs::read_to_string(&path).expect("sessions are text")));
        }
    }
    found
}

/// The texts that count as typed by the user.
fn given(files: &[File]) -> String {
    let named = |name: &str| [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
    let texts: Vec<&str> =
        files.iter().filter(|(name, _)| named(name)).map(|(_, text)| text.as_str()).collect();
    texts.join("\n")
}

/// A row of the list: session and number of the command.
type Row = (String, usize);

fn cell(text: &str) -> String {
    let first = text.lines().next().unwrap_or("");
    let short: String = first.chars().take(120).collect();
    short.replace('|', "\\|")
}

/// The list: what was typed, and the reason.
fn known() -> BTreeMap<Row, (String, String)> {
    let text = fs::read_to_string(folder().join("KNOWN.md")).unwrap_or_default();
    let mut rows = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| session") && !line.starts_with("| ---"))
    {
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "\\|")).collect();
        if let [session, number, command, reason] = cells.as_slice() {
            let number = number.parse().unwrap_or_else(|_| panic!("KNOWN.md: {number} is no number"));
            rows.insert((session.clone(), number), (command.trim_matches('`').to_owned(), reason.clone()));
        }
    }
    rows
}

fn write_known(found: &BTreeMap<Row, Difference>, known: &BTreeMap<Row, (String, String)>) {
    let mut text = HEAD.to_owned();
    text.push_str("| session | command | typed | reason |\n| --- | --- | --- | --- |\n");
    for ((session, number), difference) in found {
        let reason = known
            .get(&(session.clone(), *number))
            .map_or("not looked into yet", |(_, reason)| reason.as_str());
        writeln!(text, "| {session} | {number} | `{}` | {reason} |", cell(&difference.command))
            .expect("text takes any text");
    }
    fs::write(folder().join("KNOWN.md"), text).expect("the list can be written");
}

fn shown(difference: &Difference) -> String {
    let mut text = String::new();
    for line in &difference.wanted {
        let mark = if difference.got.contains(line) { "  " } else { "- " };
        writeln!(text, "    {mark}{line}").expect("text takes any text");
    }
    for line in difference.got.iter().filter(|line| !difference.wanted.contains(line)) {
        writeln!(text, "    + {line}").expect("text takes any text");
    }
    if Some(difference.status.0) != difference.status.1 {
        writeln!(text, "    exit {} wanted, {:?} found", difference.status.0, difference.status.1)
            .expect("text takes any text");
    }
    text
}

#[test]
fn recorded_sessions_are_replayed_as_they_were_recorded() {
    let mut found: BTreeMap<Row, Difference> = BTreeMap::new();
    let (mut total, mut agreeing) = (0, 0);
    for session in recorded() {
        let got = replay(&session.text, &session.files);
        let comparison: Comparison =
            compare(&Session::parse(&session.text), &Session::parse(&got), &given(&session.files));
        println!("{:4} of {:4}  {}", comparison.agreeing(), comparison.total, session.name);
        total += comparison.total;
        agreeing += comparison.agreeing();
        for difference in comparison.differences {
            found.insert((session.name.clone(), difference.number), difference);
        }
    }
    println!("{agreeing} of {total} commands agree");
    let known = known();
    if std::env::var_os("PORTSIDE_UPDATE_KNOWN").is_some() {
        write_known(&found, &known);
        return;
    }
    let mut wrong = String::new();
    for (row, difference) in found.iter().filter(|(row, _)| !known.contains_key(*row)) {
        writeln!(wrong, "{} no longer agrees on command {}: $ {}", row.0, row.1, difference.command)
            .expect("text takes any text");
        wrong.push_str(&shown(difference));
    }
    for ((session, number), (command, _)) in known.iter().filter(|(row, _)| !found.contains_key(*row)) {
        writeln!(wrong, "{session} agrees on command {number} now: strike `{command}` off KNOWN.md")
            .expect("text takes any text");
    }
    for (session, number) in known.keys().filter(|(session, _)| FULL.contains(&session.as_str())) {
        writeln!(wrong, "{session} is to agree fully, but command {number} is in KNOWN.md")
            .expect("text takes any text");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_recorded_session_agrees_with_itself_and_has_the_reference_count_of_commands() {
    let sessions = recorded();
    let mut total = 0;
    for session in &sessions {
        let parsed = Session::parse(&session.text);
        let comparison = compare(&parsed, &parsed, &given(&session.files));
        assert!(comparison.differences.is_empty(), "{}", session.name);
        total += comparison.total;
    }
    // What the reference's compare.py counts in the same folders.
    assert_eq!((sessions.len(), total), (47, 1292));
}
