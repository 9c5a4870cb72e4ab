//! What the text of `iptables-save` does to the first packet of a connection, read as the kernel reads it.
//!
//! Owns the reading of the text and the way through tables, chains and rules. It shares nothing with the code that
//! writes the rules or decides, and panics on every word that it does not know. Where chance or the memory of the
//! kernel decides whether a rule matches, it goes both ways, so that a table has several possible ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::netfilter::{End, Header, Verdict};

/// All tables of a node in one address family.
#[derive(Debug, Default)]
pub struct Tables(BTreeMap<String, Table>);

type Table = BTreeMap<String, Chain>;

#[derive(Debug)]
struct Chain {
    /// None for a chain that is not built in: it returns to where it was called.
    policy: Option<Verdict>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    text: String,
    matches: Vec<Match>,
    target: Target,
}

#[derive(Debug)]
struct Match {
    not: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Source(IpNet),
    Destination(IpNet),
    Protocol(String),
    Ports(Vec<u16>),
    DestinationLocal,
    SourceLocal,
    Mark(u32, u32),
    States(Vec<String>),
    /// Chance, or what the kernel remembers of earlier packets.
    Perhaps,
}

#[derive(Debug)]
enum Target {
    Chain(String),
    Return,
    /// Changes bits of the mark: those of the mask are cleared, then the value is laid over by exclusive or.
    Mark(u32, u32),
    Ends(Verdict),
}

/// How a packet came out of a chain.
enum Left {
    Returned(Header),
    Ended(End),
}

impl Tables {
    /// Reads what `iptables-save` or `ip6tables-save` printed.
    pub fn read(text: &str) -> Self {
        let mut tables = Self::default();
        let mut name = String::new();
        for line in text.lines() {
            let mut words = words(line);
            match line.chars().next() {
                Some('#') => {}
                Some('*') => name = line[1..].to_owned(),
                Some(':') => {
                    let policy = match words[1].as_str() {
                        "-" => None,
                        "ACCEPT" => Some(Verdict::Accept),
                        other => panic!("no policy is known as {other}"),
                    };
                    let chain = Chain { policy, rules: Vec::new() };
                    tables.0.entry(name.clone()).or_default().insert(words[0][1..].to_owned(), chain);
                }
                Some('-') => {
                    assert_eq!(words.remove(0), "-A", "rules are appended: {line}");
                    let table = tables.0.get_mut(&name).expect("a rule is in a table");
                    let chain =
                        table.get_mut(&words.remove(0)).expect("a rule is in a chain that is declared");
                    chain.rules.push(Rule::read(line, words));
                }
                _ => assert_eq!(line, "COMMIT", "nothing else is known"),
            }
        }
        tables
    }

    /// Whether a chain of a table has a rule.
    pub fn has(&self, table: &str, chain: &str, text: &str) -> bool {
        let chain = self.0.get(table).and_then(|chains| chains.get(chain));
        chain.is_some_and(|chain| chain.rules.iter().any(|rule| rule.text == text))
    }

    /// All possible ends of a packet that enters a table by a built-in chain.
    pub fn ends(
        &self,
        table: &str,
        chain: &str,
        header: Header,
        is_local: &dyn Fn(IpAddr) -> bool,
    ) -> BTreeSet<End> {
        // Where nobody has written rules for this address family, or of this kind.
        let Some(chains) = self.0.get(table) else { return BTreeSet::from([End::accepted(header)]) };
        let policy = chains[chain].policy.expect("a table is entered by a built-in chain");
        let left = pass(chains, chain, header, is_local).into_iter();
        left.map(|left| match left {
            Left::Returned(header) => End { header, verdict: policy, rule: String::new() },
            Left::Ended(end) => end,
        })
        .collect()
    }
}

/// Goes through a chain and those that it calls.
fn pass(chains: &Table, chain: &str, header: Header, is_local: &dyn Fn(IpAddr) -> bool) -> Vec<Left> {
    let mut left = Vec::new();
    let mut here = BTreeSet::from([header]);
    for rule in &chains.get(chain).expect("a rule leads to a chain that is declared").rules {
        let mut next = BTreeSet::new();
        for header in here {
            let (matches, certainly) = rule.matches(&header, is_local);
            if !(matches && certainly) {
                next.insert(header);
            }
            if !matches {
                continue;
            }
            match &rule.target {
                Target::Return => left.push(Left::Returned(header)),
                Target::Mark(value, mask) => {
                    next.insert(Header { mark: header.mark & !mask ^ value, ..header });
                }
                Target::Ends(verdict) => {
                    left.push(Left::Ended(End { header, verdict: *verdict, rule: rule.text.clone() }));
                }
                Target::Chain(called) => {
                    for one in pass(chains, called, header, is_local) {
                        match one {
                            Left::Returned(header) => drop(next.insert(header)),
                            Left::Ended(_) => left.push(one),
                        }
                    }
                }
            }
        }
        here = next;
    }
    left.extend(here.into_iter().map(Left::Returned));
    left
}

impl Rule {
    fn read(text: &str, words: Vec<String>) -> Self {
        let mut words = words.into_iter();
        let (mut matches, mut target, mut not) = (Vec::new(), None, false);
        while let Some(option) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{option} has a value: {text}"));
            let what = match option.as_str() {
                "!" => {
                    not = true;
                    continue;
                }
                "-s" => Some(What::Source(network(&value()))),
                "-d" => Some(What::Destination(network(&value()))),
                "-p" => Some(What::Protocol(value())),
                "--dport" | "--dports" => Some(What::Ports(value().split(',').map(number).collect())),
                "--dst-type" => local(&value(), What::DestinationLocal),
                "--src-type" => local(&value(), What::SourceLocal),
                "--ctstate" => Some(What::States(value().split(',').map(str::to_owned).collect())),
                "--mark" => {
                    let (value, mask) = bits(&value());
                    Some(What::Mark(value, mask))
                }
                "--probability" => {
                    value();
                    Some(What::Perhaps)
                }
                "--rcheck" => Some(What::Perhaps),
                "--set" | "--reap" | "--rsource" | "--random-fully" => None,
                "--comment" | "--seconds" | "--name" | "--mask" | "--reject-with" => {
                    value();
                    None
                }
                "-m" => {
                    known(&value());
                    None
                }
                "--mode" => {
                    assert_eq!(value(), "random", "{text}");
                    None
                }
                "-j" => {
                    target = Some(Target::read(&value()));
                    None
                }
                "--set-xmark" => {
                    let (value, mask) = bits(&value());
                    target = Some(Target::Mark(value, mask));
                    None
                }
                "--to-destination" => {
                    let to = value().parse().expect("a DNAT is to an address and a port");
                    target = Some(Target::Ends(Verdict::Dnat(to)));
                    None
                }
                other => panic!("{other} is not known: {text}"),
            };
            assert!(what.is_some() || !not, "only a match is negated: {text}");
            matches.extend(what.map(|what| Match { not: std::mem::take(&mut not), what }));
        }
        let target = target.unwrap_or(Target::Mark(0, 0));
        Self { text: text.to_owned(), matches, target }
    }

    /// Whether it can match, and whether that is certain.
    fn matches(&self, header: &Header, is_local: &dyn Fn(IpAddr) -> bool) -> (bool, bool) {
        let answers =
            || self.matches.iter().map(|one| one.what.holds(header, is_local).map(|holds| holds != one.not));
        (answers().all(|answer| answer != Some(false)), answers().all(|answer| answer == Some(true)))
    }
}

impl What {
    /// Whether it holds of a packet; `None` where that cannot be known.
    fn holds(&self, header: &Header, is_local: &dyn Fn(IpAddr) -> bool) -> Option<bool> {
        Some(match self {
            Self::Source(network) => network.contains(&header.source),
            Self::Destination(network) => network.contains(&header.destination.ip()),
            Self::Protocol(protocol) => protocol == header.protocol,
            Self::Ports(ports) => ports.contains(&header.destination.port()),
            Self::DestinationLocal => is_local(header.destination.ip()),
            Self::SourceLocal => is_local(header.source),
            Self::Mark(value, mask) => header.mark & mask == *value,
            Self::States(states) => {
                states.iter().any(|state| state == "NEW" || (state == "DNAT" && header.translated))
            }
            Self::Perhaps => return None,
        })
    }
}

impl Target {
    /// A target by its name; options that follow may replace it.
    fn read(name: &str) -> Self {
        match name {
            "RETURN" => Self::Return,
            "ACCEPT" => Self::Ends(Verdict::Accept),
            "DROP" => Self::Ends(Verdict::Drop),
            "REJECT" => Self::Ends(Verdict::Reject),
            "MASQUERADE" => Self::Ends(Verdict::Masquerade),
            _ => Self::Chain(name.to_owned()),
        }
    }
}

/// The words of a line; quotes hold words together, a backslash takes the next character as it is.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => {
                let escaped = if character == '\\' { characters.next() } else { None };
                word.get_or_insert_default().push(escaped.unwrap_or(character));
            }
        }
    }
    words.extend(word);
    words
}

fn network(text: &str) -> IpNet {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
    text.parse().or_else(|_| address()).expect("an address or a network")
}

fn number(text: &str) -> u16 {
    text.parse().expect("ports are numbers")
}

fn local(kind: &str, what: What) -> Option<What> {
    assert_eq!(kind, "LOCAL", "no other type of address is known");
    Some(what)
}

/// `VALUE/MASK`, both in hexadecimal digits; without a mask all bits count.
fn bits(text: &str) -> (u32, u32) {
    let one = |text: &str| {
        let digits = text.strip_prefix("0x").expect("marks are hexadecimal");
        u32::from_str_radix(digits, 16).expect("marks are hexadecimal")
    };
    let (value, mask) = text.split_once('/').map_or((text, "0xffffffff"), |parts| parts);
    (one(value), one(mask))
}

fn known(module: &str) {
    let modules = [
        "comment",
        "tcp",
        "udp",
        "sctp",
        "conntrack",
        "mark",
        "addrtype",
        "multiport",
        "statistic",
        "recent",
    ];
    assert!(modules.contains(&module), "the match {module} is not known");
}
