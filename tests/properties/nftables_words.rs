//! The words of nftables' rules: what each says.
//!
//! Owns the reading of one rule to statements; what they do to a packet is in [`crate::nftables`].

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::netfilter::{Header, Verdict};

/// What a rule can ask of a packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Source,
    Destination,
    Protocol,
    Port,
}

/// One after the other, until one does not hold or decides.
#[derive(Debug)]
pub enum Statement {
    Match {
        fields: Vec<Field>,
        not: bool,
        among: Among,
    },
    Local(Field),
    New,
    Translated,
    Marked(u32),
    MarkOr(u32),
    MarkXor(u32),
    Update(String),
    Map {
        fields: Vec<Field>,
        map: String,
    },
    /// One of these; chance decides where there are several.
    Decide(Vec<Decision>),
}

#[derive(Debug)]
pub enum Among {
    Networks(Vec<IpNet>),
    Word(String),
    Set(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Jump(String),
    Goto(String),
    Return,
    Ends(Verdict),
}

/// Reads a rule word by word.
pub struct Reader<'t> {
    text: &'t str,
    family: &'t str,
    words: std::vec::IntoIter<String>,
}

impl Field {
    pub fn address(self, header: &Header) -> IpAddr {
        match self {
            Self::Source => header.source,
            Self::Destination => header.destination.ip(),
            Self::Protocol | Self::Port => panic!("{self:?} is no address"),
        }
    }

    pub fn text(self, header: &Header) -> String {
        match self {
            Self::Source | Self::Destination => self.address(header).to_string(),
            Self::Protocol => header.protocol.to_owned(),
            Self::Port => header.destination.port().to_string(),
        }
    }
}

impl Decision {
    /// Reads a verdict that leads on or ends.
    pub fn read(words: &[String]) -> Self {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["jump", chain] => Self::Jump(chain.to_owned()),
            ["goto", chain] => Self::Goto(chain.to_owned()),
            ["return"] => Self::Return,
            ["accept"] => Self::Ends(Verdict::Accept),
            ["drop"] => Self::Ends(Verdict::Drop),
            ["reject"] => Self::Ends(Verdict::Reject),
            _ => panic!("the verdict {words:?} is not known"),
        }
    }
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str, family: &'t str) -> Self {
        Self { text, family, words: words(text).into_iter() }
    }

    pub fn statements(mut self) -> Vec<Statement> {
        let mut found = Vec::new();
        while let Some(word) = self.words.next() {
            assert!(
                word == "comment"
                    || !matches!(found.last(), Some(Statement::Decide(_) | Statement::Map { .. })),
                "nothing follows a verdict: {}",
                self.text
            );
            found.extend(self.statement(&word));
        }
        found
    }

    fn statement(&mut self, word: &str) -> Option<Statement> {
        Some(match word {
            "comment" => {
                self.word();
                return None;
            }
            "ip" | "ip6" | "meta" => self.fields(word),
            "ct" => match (self.word().as_str(), self.word().as_str()) {
                ("state", "new") => Statement::New,
                ("status", "dnat") => Statement::Translated,
                other => panic!("{other:?} is not known of connections: {}", self.text),
            },
            "fib" => {
                let field = match self.word().as_str() {
                    "saddr" => Field::Source,
                    "daddr" => Field::Destination,
                    other => panic!("{other} is not known: {}", self.text),
                };
                self.expects(&["type", "local"]);
                Statement::Local(field)
            }
            "mark" => self.mark(),
            "update" => {
                let set = self.set();
                let family = self.family;
                self.expects(&["{", family, "saddr", "}"]);
                Statement::Update(set)
            }
            "numgen" => {
                let entries = self.chances("vmap");
                Statement::Decide(entries.iter().map(|entry| Decision::read(entry)).collect())
            }
            "dnat" => Statement::Decide(self.destinations()),
            "masquerade" => {
                self.expects(&["fully-random"]);
                Statement::Decide(vec![Decision::Ends(Verdict::Masquerade)])
            }
            "jump" | "goto" => Statement::Decide(vec![Decision::read(&[word.to_owned(), self.word()])]),
            _ => Statement::Decide(vec![Decision::read(&[word.to_owned()])]),
        })
    }

    /// Fields, joined by dots, and what is asked of them.
    fn fields(&mut self, first: &str) -> Statement {
        let mut fields = Vec::new();
        let mut header = first.to_owned();
        let operator = loop {
            fields.push(match (header.as_str(), self.word().as_str()) {
                (family, "saddr") if family == self.family => Field::Source,
                (family, "daddr") if family == self.family => Field::Destination,
                ("meta", "l4proto") => Field::Protocol,
                ("th", "dport") => Field::Port,
                other => panic!("{other:?} is not known in {}: {}", self.family, self.text),
            });
            let next = self.word();
            if next != "." {
                break next;
            }
            header = self.word();
        };
        if operator == "vmap" {
            return Statement::Map { fields, map: self.set() };
        }
        let not = operator == "!=";
        let value = if not { self.word() } else { operator };
        let among = if let Some(set) = value.strip_prefix('@') {
            Among::Set(set.to_owned())
        } else if value == "{" {
            Among::Networks(self.block(",").iter().map(|entry| network(&entry.concat())).collect())
        } else if fields == [Field::Protocol] {
            Among::Word(value)
        } else {
            Among::Networks(vec![network(&value)])
        };
        Statement::Match { fields, not, among }
    }

    fn mark(&mut self) -> Statement {
        match self.word().as_str() {
            "and" => {
                let bits = bits(&self.word());
                self.expects(&["!=", "0"]);
                Statement::Marked(bits)
            }
            "set" => {
                self.expects(&["mark"]);
                match self.word().as_str() {
                    "or" => Statement::MarkOr(bits(&self.word())),
                    "xor" | "^" => Statement::MarkXor(bits(&self.word())),
                    other => panic!("{other} is not known of marks: {}", self.text),
                }
            }
            other => panic!("{other} is not known of marks: {}", self.text),
        }
    }

    /// The new destinations, after `dnat`.
    fn destinations(&mut self) -> Vec<Decision> {
        let to = |text: &str| Decision::Ends(Verdict::Dnat(text.parse().expect("an address and a port")));
        match self.word().as_str() {
            "to" => vec![to(&self.word())],
            family if family == self.family => {
                self.expects(&["addr", ".", "port", "to", "numgen"]);
                let entries = self.chances("map");
                let each = entries.iter().map(|entry| match &entry[..] {
                    [address, dot, port] if dot == "." => {
                        let address = address.parse().expect("an address");
                        SocketAddr::new(address, port.parse().expect("a port"))
                    }
                    _ => panic!("{entry:?} is not known: {}", self.text),
                });
                each.map(|to| Decision::Ends(Verdict::Dnat(to))).collect()
            }
            other => panic!("{other} is not known of DNAT: {}", self.text),
        }
    }

    /// What each number leads to, after `numgen`.
    fn chances(&mut self, map: &str) -> Vec<Vec<String>> {
        self.expects(&["random", "mod"]);
        let count: usize = self.word().parse().expect("a modulus is a number");
        self.expects(&[map, "{"]);
        let entries = self.block(",");
        assert_eq!(entries.len(), count, "every number leads somewhere: {}", self.text);
        let each = (0..).zip(entries).map(|(number, entry): (usize, _)| {
            assert_eq!(entry[..2], [number.to_string(), ":".to_owned()], "{}", self.text);
            entry[2..].to_vec()
        });
        each.collect()
    }

    /// The entries to the closing brace.
    fn block(&mut self, between: &str) -> Vec<Vec<String>> {
        let inner: Vec<String> = self.words.by_ref().take_while(|word| word != "}").collect();
        inner.split(|word| word == between).map(<[String]>::to_vec).collect()
    }

    fn set(&mut self) -> String {
        let word = self.word();
        word.strip_prefix('@').unwrap_or_else(|| panic!("{word} is no set: {}", self.text)).to_owned()
    }

    fn word(&mut self) -> String {
        self.words.next().unwrap_or_else(|| panic!("the rule goes on: {}", self.text))
    }

    fn expects(&mut self, words: &[&str]) {
        for expected in words {
            assert_eq!(self.word(), *expected, "in {}", self.text);
        }
    }
}

/// The words of a line; quotes hold words together, a comma after a word is a word.
pub fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            found.push(part.to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            let bare = word.strip_suffix(',').unwrap_or(word);
            found.extend((!bare.is_empty()).then(|| bare.to_owned()));
            found.extend((bare != word).then(|| ",".to_owned()));
        }
    }
    found
}

fn network(text: &str) -> IpNet {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
    text.parse().or_else(|_| address()).unwrap_or_else(|_| panic!("{text} is no address and no network"))
}

fn bits(text: &str) -> u32 {
    let digits = text.strip_prefix("0x").expect("marks are hexadecimal");
    u32::from_str_radix(digits, 16).expect("marks are hexadecimal")
}
