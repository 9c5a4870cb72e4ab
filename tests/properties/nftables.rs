//! What kube-proxy's commands to nftables do to the first packet of a connection, read as the kernel reads them.
//!
//! Owns the reading of the commands and the way through base chains, chains, maps and rules. It shares nothing with
//! the code that writes the rules or decides, and panics on every word that it does not know. Where chance or the
//! memory of the kernel decides, it goes all ways, so that a hook has several possible ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::netfilter::{End, Header, Stage, Verdict};
use crate::nftables_words::{Among, Decision, Field, Reader, Statement, words};

/// The priority at which destinations are translated (`dstnat`).
const TRANSLATION: i32 = -100;

/// The table of a node in one address family; empty where there is none.
#[derive(Debug, Default)]
pub struct Ruleset {
    chains: HashMap<String, Chain>,
    sets: HashMap<String, Set>,
}

#[derive(Debug, Default)]
struct Chain {
    base: Option<Base>,
    rules: Vec<Rule>,
}

/// Where a chain is attached.
#[derive(Debug)]
struct Base {
    kind: String,
    hook: String,
    priority: i32,
}

#[derive(Debug)]
struct Rule {
    text: String,
    statements: Vec<Statement>,
}

/// A set, or a map to verdicts.
#[derive(Debug)]
struct Set {
    types: Vec<String>,
    is_map: bool,
    /// Whether the packets of clients fill it.
    is_dynamic: bool,
    elements: HashMap<String, Element>,
}

#[derive(Debug)]
struct Element {
    text: String,
    decision: Option<Decision>,
}

/// How a packet came out of a chain.
enum Left {
    Returned(Header),
    Ended(End),
}

/// How a packet came out of a rule.
enum Passed {
    /// To the next rule of the chain.
    On(Header),
    Left(Left),
}

impl Ruleset {
    /// Reads the commands for the table of a family, `ip` or `ip6`.
    pub fn read(commands: &str, family: &str) -> Self {
        let mut read = Self::default();
        for line in commands.lines() {
            let (before, text) =
                line.split_once(" kube-proxy ").expect("every command is for kube-proxy's table");
            let (command, of) = before.rsplit_once(' ').expect("a command names a family");
            assert!(of == "ip" || of == "ip6", "no other family is known: {line}");
            if of != family {
                continue;
            }
            let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
            match command {
                "add table" => {}
                "add chain" => read.add_chain(name, rest),
                "add set" => read.add_set(name, rest, false),
                "add map" => read.add_set(name, rest, true),
                "add rule" => {
                    let rule =
                        Rule { text: rest.to_owned(), statements: Reader::new(rest, family).statements() };
                    read.chains
                        .get_mut(name)
                        .expect("a rule is in a chain that is declared")
                        .rules
                        .push(rule);
                }
                "add element" => {
                    let set = read.sets.get_mut(name).expect("an element is of a set that is declared");
                    let inner = rest.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }"));
                    set.add(inner.expect("an element stands in braces"));
                }
                other => panic!("{other} is not known: {line}"),
            }
        }
        read
    }

    fn add_chain(&mut self, name: &str, rest: &str) {
        let all = words(rest);
        let texts: Vec<&str> = all.iter().map(String::as_str).collect();
        let base = match texts[..] {
            [] | ["{", "comment", _, ";", "}"] => None,
            ["{", "type", kind, "hook", hook, "priority", priority, ";", "}"] => {
                let priority = priority.parse().expect("a priority is a number");
                Some(Base { kind: kind.to_owned(), hook: hook.to_owned(), priority })
            }
            _ => panic!("{rest} is not known of a chain"),
        };
        let before = self.chains.insert(name.to_owned(), Chain { base, rules: Vec::new() });
        assert!(before.is_none(), "{name} is declared twice");
    }

    fn add_set(&mut self, name: &str, rest: &str, is_map: bool) {
        let inner = rest.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" ; }"));
        let mut set = Set { types: Vec::new(), is_map, is_dynamic: false, elements: HashMap::new() };
        for part in inner.expect("a set has a type").split(" ; ") {
            let (what, value) = part.split_once(' ').expect("everything has a value");
            match what {
                "type" => {
                    let key = if is_map { value.strip_suffix(" : verdict") } else { Some(value) };
                    let key = key.expect("a map leads to verdicts");
                    set.types = key.split(" . ").map(str::to_owned).collect();
                }
                "flags" => set.is_dynamic = value.split(',').any(|flag| flag == "dynamic"),
                "comment" | "timeout" => {}
                other => panic!("{other} is not known of a set"),
            }
        }
        let before = self.sets.insert(name.to_owned(), set);
        assert!(before.is_none(), "{name} is declared twice");
    }

    /// Whether a chain has a rule; an element stands in the "chain" `@SET`.
    pub fn has(&self, chain: &str, text: &str) -> bool {
        if let Some(set) = chain.strip_prefix('@') {
            return self.set(set).elements.values().any(|element| element.text == text);
        }
        self.chains.get(chain).is_some_and(|chain| chain.rules.iter().any(|rule| rule.text == text))
    }

    /// All possible ends of a packet at a hook.
    pub fn ends(
        &self,
        stage: Stage,
        hook: &str,
        header: Header,
        is_local: &dyn Fn(IpAddr) -> bool,
    ) -> BTreeSet<End> {
        let mut chains: BTreeMap<(i32, &str), &str> = BTreeMap::new();
        for (name, chain) in &self.chains {
            if let Some(base) = chain.base.as_ref().filter(|base| base.hook == hook && base.stage() == stage)
            {
                chains.insert((base.priority, name), name);
            }
        }
        let mut ends = BTreeSet::from([End::accepted(header)]);
        for chain in chains.into_values() {
            let further = |end: End| -> Vec<End> {
                if end.verdict != Verdict::Accept {
                    return vec![end];
                }
                let left = self.pass(chain, end.header, is_local).into_iter();
                // The policy of a base chain is to accept.
                left.map(|left| match left {
                    Left::Returned(header) => End::accepted(header),
                    Left::Ended(end) => end,
                })
                .collect()
            };
            ends = ends.into_iter().flat_map(further).collect();
        }
        ends
    }

    /// Goes through a chain and those that it calls.
    fn pass(&self, chain: &str, header: Header, is_local: &dyn Fn(IpAddr) -> bool) -> Vec<Left> {
        let mut left = Vec::new();
        let mut here = BTreeSet::from([header]);
        for rule in &self.chains.get(chain).expect("a rule leads to a chain that is declared").rules {
            let mut next = BTreeSet::new();
            for passed in here.into_iter().flat_map(|header| self.passes(rule, header, is_local)) {
                match passed {
                    Passed::On(header) => drop(next.insert(header)),
                    Passed::Left(one) => left.push(one),
                }
            }
            here = next;
        }
        left.extend(here.into_iter().map(Left::Returned));
        left
    }

    fn passes(&self, rule: &Rule, mut header: Header, is_local: &dyn Fn(IpAddr) -> bool) -> Vec<Passed> {
        let mut passed = Vec::new();
        for statement in &rule.statements {
            let holds = match statement {
                Statement::Match { fields, not, among } => {
                    self.is_among(fields, among, &header).map(|holds| holds != *not)
                }
                Statement::Local(field) => Some(is_local(field.address(&header))),
                Statement::New => Some(true),
                Statement::Translated => Some(header.translated),
                Statement::Marked(bits) => Some(header.mark & bits != 0),
                Statement::MarkOr(bits) => {
                    header.mark |= bits;
                    Some(true)
                }
                Statement::MarkXor(bits) => {
                    header.mark ^= bits;
                    Some(true)
                }
                Statement::Update(set) => {
                    assert!(self.set(set).is_dynamic, "clients are kept in a set that is made for it");
                    Some(true)
                }
                Statement::Map { fields, map } => {
                    let set = self.set(map);
                    assert!(set.is_map, "{map} is a map");
                    if let Some(element) = set.elements.get(&set.key(fields, &header)) {
                        let decision = element.decision.as_ref().expect("an element of a map decides");
                        passed.extend(self.decides(decision, header, &element.text, is_local));
                        return passed;
                    }
                    Some(false)
                }
                Statement::Decide(decisions) => {
                    let each = decisions.iter();
                    passed.extend(each.flat_map(|one| self.decides(one, header, &rule.text, is_local)));
                    return passed;
                }
            };
            if holds != Some(true) {
                passed.push(Passed::On(header));
            }
            if holds == Some(false) {
                return passed;
            }
        }
        passed.push(Passed::On(header));
        passed
    }

    /// Whether fields of a packet are in a set or range; `None` where that cannot be known.
    fn is_among(&self, fields: &[Field], among: &Among, header: &Header) -> Option<bool> {
        match among {
            Among::Networks(networks) => {
                let [field] = fields else { panic!("one address is in a network, not {fields:?}") };
                Some(networks.iter().any(|network| network.contains(&field.address(header))))
            }
            Among::Word(word) => Some(fields.iter().all(|field| field.text(header) == *word)),
            Among::Set(name) => {
                let set = self.set(name);
                assert!(!set.is_map, "{name} is a set");
                let key = set.key(fields, header);
                (!set.is_dynamic).then(|| set.elements.contains_key(&key))
            }
        }
    }

    fn set(&self, name: &str) -> &Set {
        self.sets.get(name).unwrap_or_else(|| panic!("{name} is not declared"))
    }

    fn decides(
        &self,
        decision: &Decision,
        header: Header,
        text: &str,
        is_local: &dyn Fn(IpAddr) -> bool,
    ) -> Vec<Passed> {
        match decision {
            Decision::Jump(chain) => {
                let left = self.pass(chain, header, is_local).into_iter();
                left.map(|left| match left {
                    Left::Returned(header) => Passed::On(header),
                    Left::Ended(_) => Passed::Left(left),
                })
                .collect()
            }
            Decision::Goto(chain) => {
                self.pass(chain, header, is_local).into_iter().map(Passed::Left).collect()
            }
            Decision::Return => vec![Passed::Left(Left::Returned(header))],
            Decision::Ends(verdict) => {
                let end = End { header, verdict: *verdict, rule: text.to_owned() };
                vec![Passed::Left(Left::Ended(end))]
            }
        }
    }
}

impl Base {
    fn stage(&self) -> Stage {
        match self.kind.as_str() {
            "nat" => Stage::Translation,
            "filter" if self.priority < TRANSLATION => Stage::Untranslated,
            "filter" => Stage::Filter,
            other => panic!("a base chain of type {other} is not known"),
        }
    }
}

impl Set {
    /// Adds `KEY [comment "WORDS"] [: VERDICT]`. The kernel takes an element twice, but not with two verdicts.
    fn add(&mut self, text: &str) {
        let (left, verdict) = if self.is_map {
            let (left, verdict) = text.split_once(" : ").expect("an element of a map has a verdict");
            (left, Some(verdict))
        } else {
            (text, None)
        };
        let key = left.split(" comment ").next().expect("a text has a beginning");
        let parts: Vec<&str> = key.split(" . ").collect();
        assert_eq!(parts.len(), self.types.len(), "{key} is of the set's type");
        for (part, kind) in parts.iter().zip(&self.types) {
            let fits = match kind.as_str() {
                "ipv4_addr" => part.parse().is_ok_and(|ip: IpAddr| ip.is_ipv4()),
                "ipv6_addr" => part.parse().is_ok_and(|ip: IpAddr| ip.is_ipv6()),
                "inet_proto" => ["tcp", "udp", "sctp"].contains(part),
                "inet_service" => part.parse::<u16>().is_ok(),
                other => panic!("the type {other} is not known"),
            };
            assert!(fits, "{part} is {kind}: {text}");
        }
        let decision = verdict.map(|verdict| Decision::read(&words(verdict)));
        let element = Element { text: text.to_owned(), decision };
        let known = self.elements.entry(key.to_owned()).or_insert(element);
        let again = verdict.map(|verdict| Decision::read(&words(verdict)));
        assert_eq!(known.decision, again, "the kernel refuses a second verdict: {text} after {}", known.text);
    }

    fn key(&self, fields: &[Field], header: &Header) -> String {
        assert_eq!(fields.len(), self.types.len(), "{fields:?} is of the set's type {:?}", self.types);
        let parts: Vec<String> = fields.iter().map(|field| field.text(header)).collect();
        parts.join(" . ")
    }
}
