//! `iptables -L`: rules as a table.
//!
//! Owns the reading of rules as `iptables-save` writes them and their columns as iptables 1.8.9 prints them
//! (reference: `network/tools/iptables`).

use super::{count, parted};
use crate::network::counters::Count;

/// What `-L` shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    /// `-n`: protocols, addresses and ports as numbers.
    pub(super) numeric: bool,
    /// `-v`: counters and interfaces too.
    pub(super) verbose: bool,
    /// `--line-numbers`.
    pub(super) lines: bool,
    /// `-x`: counters in full.
    pub(super) exact: bool,
    /// Whether the rules are those of IPv6.
    pub(super) v6: bool,
}

/// A table, or one of its chains; `None` if there is no such chain.
pub(super) fn listing(table: &str, chain: Option<&str>, view: View) -> Option<String> {
    let heads: Vec<(&str, &str, Count)> = table.lines().filter_map(head).collect();
    let mut shown = Vec::new();
    for (name, policy, count) in heads.into_iter().filter(|head| chain.is_none_or(|chain| chain == head.0)) {
        let about = about(table, name, policy, count, view);
        let mut text = format!("Chain {name} ({about})\n{}\n", header(view));
        let own = table.lines().map(parted).filter_map(|(count, line)| {
            Some((count, line.strip_prefix("-A ")?.strip_prefix(name)?.strip_prefix(' ')?))
        });
        for (number, (count, rest)) in (1..).zip(own) {
            text.push_str(&row(rest, number, count, view));
            text.push('\n');
        }
        shown.push(text);
    }
    (!shown.is_empty()).then(|| shown.join("\n"))
}

/// `:NAME POLICY [0:0]`.
fn head(line: &str) -> Option<(&str, &str, Count)> {
    let mut words = line.strip_prefix(':')?.split(' ');
    Some((words.next()?, words.next()?, count(words.next()?.trim_matches(['[', ']']))))
}

fn about(table: &str, name: &str, policy: &str, count: Count, view: View) -> String {
    if policy != "-" {
        if !view.verbose {
            return format!("policy {policy}");
        }
        let shown = |number| shown(number, view.exact).trim().to_owned();
        return format!("policy {policy} {} packets, {} bytes", shown(count.packets), shown(count.bytes));
    }
    let jump = format!("-j {name}");
    let leads =
        |line: &&str| line.split_once(&jump).is_some_and(|(_, rest)| !rest.starts_with(|c: char| c != ' '));
    format!("{} references", table.lines().filter(leads).count())
}

fn header(view: View) -> String {
    let number = if view.lines { "num  " } else { "" };
    let (counters, interfaces) = match (view.verbose, view.exact) {
        (false, _) => ("", ""),
        (true, false) => (" pkts bytes ", "in     out     "),
        (true, true) => ("    pkts      bytes ", "in     out     "),
    };
    format!("{number}{counters}target     prot opt {interfaces}source               destination         ")
}

/// A counter as wide as its column; large ones are rounded unless they are wanted in full.
fn shown(number: u64, exact: bool) -> String {
    if exact {
        return format!("{number:>8} ");
    }
    let mut rounded = number;
    for unit in ["", "K", "M", "G"] {
        if rounded <= if unit.is_empty() { 99_999 } else { 9_999 } || unit == "G" {
            let width = 5 - unit.len();
            return format!("{rounded:>width$}{unit} ");
        }
        rounded = (rounded + 500) / 1_000;
    }
    String::new()
}

fn row(rest: &str, number: usize, count: Count, view: View) -> String {
    let rule = Rule::read(rest, view);
    let number = if view.lines { format!("{number:<5}") } else { String::new() };
    let counters = match view.verbose {
        true => shown(count.packets, view.exact) + &shown(count.bytes, view.exact),
        false => String::new(),
    };
    let interfaces = if view.verbose { "  *      *      " } else { " " };
    // IPv6 has no options that this column could show.
    let options = if view.v6 { "  " } else { "--" };
    let side = |text: &str| match text.strip_prefix('!') {
        Some(text) => format!("!{text:<19} "),
        None => format!(" {text:<19} "),
    };
    let columns = format!(
        "{number}{counters}{:<9}  {:<4} {options}{interfaces}{}{}",
        rule.target,
        rule.protocol,
        side(&rule.source),
        side(&rule.destination)
    );
    format!("{columns}{}", rule.matches.iter().map(|found| format!(" {found}")).collect::<String>())
}

/// A rule in the words of `-L`.
#[derive(Debug, Default)]
struct Rule {
    target: String,
    protocol: String,
    source: String,
    destination: String,
    matches: Vec<String>,
}

impl Rule {
    fn read(rest: &str, view: View) -> Self {
        let numeric = view.numeric;
        let everywhere = match (numeric, view.v6) {
            (true, false) => "0.0.0.0/0",
            (true, true) => "::/0",
            (false, _) => "anywhere",
        };
        let mut rule = Self {
            protocol: if numeric { "0" } else { "all" }.to_owned(),
            source: everywhere.to_owned(),
            destination: everywhere.to_owned(),
            ..Self::default()
        };
        let words = words(rest);
        let mut rest = words.iter().map(String::as_str).peekable();
        let (mut options, mut negated, mut module) = (Vec::new(), false, "");
        while let Some(word) = rest.next() {
            let not = if negated { "!" } else { "" };
            let mut value = || rest.next().unwrap_or_default().to_owned();
            match word {
                "!" => {
                    negated = true;
                    continue;
                }
                "-s" => rule.source = format!("{not}{}", host(&value())),
                "-d" => rule.destination = format!("{not}{}", host(&value())),
                "-p" => rule.protocol = protocol(&value(), numeric),
                "-j" => rule.target = value(),
                "-m" => {
                    module = MODULES.iter().copied().find(|one| rest.peek() == Some(one)).unwrap_or("");
                    rest.next();
                    if module == "addrtype" {
                        rule.matches.push("ADDRTYPE match".to_owned());
                    }
                }
                "--comment" => rule.matches.push(format!("/* {} */", value())),
                "--dport" => {
                    let carried = module.to_owned();
                    let port = port(&value(), numeric);
                    rule.matches.push(format!("{carried} dpt:{port}"));
                }
                "--dst-type" | "--src-type" => {
                    let kind = word.trim_start_matches('-').to_owned();
                    rule.matches.push(format!("{kind} {not}{}", value()));
                }
                "--ctstate" => {
                    let not = if negated { "! " } else { "" };
                    rule.matches.push(format!("{not}ctstate {}", value()));
                }
                "--mark" => {
                    let not = if negated { "! " } else { "" };
                    rule.matches.push(format!("mark match {not}{}", value()));
                }
                "--mode" => rule.matches.push(format!("statistic mode {}", value())),
                "--probability" => rule.matches.push(format!("probability {}", value())),
                "--match-set" => rule.matches.push(format!("match-set {} {}", value(), value())),
                "--physdev-is-in" => {
                    let not = if negated { "! " } else { "" };
                    rule.matches.push(format!("PHYSDEV match {not}--physdev-is-in"));
                }
                "--vaddr" | "--vproto" | "--vport" => {
                    rule.matches.push(format!("{} {}", word.trim_start_matches('-'), value()));
                }
                "--rcheck" => rule.matches.push("recent: CHECK".to_owned()),
                "--set" => rule.matches.push("recent: SET".to_owned()),
                "--seconds" => rule.matches.push(format!("seconds: {}", value())),
                "--reap" => rule.matches.push("reap".to_owned()),
                "--name" => rule.matches.push(format!("name: {}", value())),
                "--mask" => options.push(format!("mask: {}", value())),
                "--rsource" => {
                    rule.matches.push("side: source".to_owned());
                    rule.matches.append(&mut options);
                }
                "--reject-with" => options.push(format!("reject-with {}", value())),
                "--to-destination" => options.push(format!("to:{}", value())),
                "--set-xmark" => options.push(xmark(&value())),
                "--random-fully" => options.push("random-fully".to_owned()),
                _ => {}
            }
            negated = false;
        }
        rule.matches.append(&mut options);
        rule
    }
}

/// The modules of kube-proxy's rules.
const MODULES: &[&str] = &[
    "comment",
    "tcp",
    "udp",
    "sctp",
    "addrtype",
    "conntrack",
    "mark",
    "statistic",
    "recent",
    "set",
    "physdev",
    "ipvs",
];

/// The words of a rule; a text in quotes is one.
fn words(rest: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in rest.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is a first word").push(c),
        }
    }
    words
}

/// An address; a single host has no length.
fn host(text: &str) -> String {
    text.strip_suffix("/32").or(text.strip_suffix("/128")).unwrap_or(text).to_owned()
}

fn protocol(name: &str, numeric: bool) -> String {
    let number = match name {
        "tcp" => "6",
        "udp" => "17",
        "sctp" => "132",
        other => other,
    };
    if numeric { number.to_owned() } else { name.to_owned() }
}

/// Names that /etc/services gives to ports of Services.
const NAMED_PORTS: &[(&str, &str)] = &[
    ("53", "domain"),
    ("80", "http"),
    ("443", "https"),
    ("3306", "mysql"),
    ("5353", "mdns"),
    ("5432", "postgresql"),
    ("6379", "redis"),
    ("8080", "http-alt"),
];

fn port(number: &str, numeric: bool) -> String {
    let named = NAMED_PORTS.iter().find(|(held, _)| *held == number && !numeric);
    named.map_or(number, |(_, name)| name).to_owned()
}

fn xmark(text: &str) -> String {
    match text.split_once('/') {
        Some((mark, "0x0")) => format!("MARK xor {mark}"),
        Some((mark, mask)) if mark == mask => format!("MARK or {mark}"),
        _ => format!("MARK xset {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    const SAVED: &str = include_str!("../../../../tests/network/k8s-w1.iptables-save.txt");
    const RECORDED: &str = include_str!("../../../../tests/network/iptables-list.txt");

    /// Rows may stand in another order than at the moment of the recording.
    fn sorted(text: &str) -> Vec<&str> {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines
    }

    /// Whole chains as they were recorded on the node whose rules were saved.
    #[test]
    fn chains_are_listed_as_iptables_lists_them() {
        let mut compared = 0;
        for part in RECORDED.split("\n$ ").skip(1) {
            let (command, output) = part.split_once('\n').expect("a command has output");
            let words: Vec<&str> = command.split(' ').collect();
            let of = if words.contains(&"nat") { "nat" } else { "filter" };
            let at = words.iter().position(|word| *word == "-L");
            let (Some(at), false, false) = (at, command.contains('|'), words.contains(&"-v")) else {
                continue;
            };
            let view = View { numeric: true, ..View::default() };
            let ours = listing(&table(SAVED, of), Some(words[at + 1]), view);
            let output = output.split("\n# ").next().expect("a split has a first part");
            if output.contains("incompatible") {
                assert_eq!(ours, None);
                continue;
            }
            assert_eq!(sorted(&ours.expect(command)), sorted(output), "{command}");
            compared += 1;
        }
        assert!(compared >= 11, "{compared} chains were compared");
    }

    #[test]
    fn counters_lines_and_names_have_columns_of_their_own() {
        let table = "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FORWARD - [0:0]\n-A INPUT -j KUBE-FORWARD\n-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";
        let verbose = View { numeric: true, verbose: true, ..View::default() };
        assert_eq!(
            listing(table, Some("KUBE-FORWARD"), verbose).unwrap(),
            "Chain KUBE-FORWARD (1 references)\n pkts bytes target     prot opt in     out     source               destination         \n    0     0 DROP       0    --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate INVALID\n"
        );
        let six = View { numeric: true, v6: true, ..View::default() };
        let rows = listing(table, Some("INPUT"), six).unwrap();
        let row: Vec<&str> = rows.lines().last().expect("there is a rule").split_whitespace().collect();
        assert_eq!(row, ["KUBE-FORWARD", "0", "::/0", "::/0"]);
        for (number, expected) in
            [(0, "    0 "), (99_999, "99999 "), (100_000, " 100K "), (12_345_678, "  12M ")]
        {
            assert_eq!(shown(number, false), expected);
        }
        let numbered = View { lines: true, ..View::default() };
        assert_eq!(
            listing(table, Some("INPUT"), numbered).unwrap(),
            "Chain INPUT (policy ACCEPT)\nnum  target     prot opt source               destination         \n1    KUBE-FORWARD  all  --  anywhere             anywhere            \n"
        );
    }
}
