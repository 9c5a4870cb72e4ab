//! The form in which nft lists what kube-proxy wrote.
//!
//! Owns the way from kube-proxy's commands (`add rule ip kube-proxy …`) to the blocks of `nft list`: the order of
//! elements, lines and spellings of nft 1.0.6 (reference: `network/tools/nft`).

use std::collections::BTreeMap;
use std::net::IpAddr;

/// kube-proxy's tables as its commands name them.
const TABLES: [&str; 2] = ["ip kube-proxy", "ip6 kube-proxy"];

/// Clients that session affinity remembers: by the name of their set, each with the time that is left, in µs.
pub(super) type Clients = BTreeMap<String, Vec<(IpAddr, u64)>>;

/// The tables of a node, IPv4 before IPv6.
#[derive(Debug, Default)]
pub(super) struct Listing(Vec<Table>);

/// A table that can be listed.
#[derive(Debug, Default)]
struct Table {
    name: &'static str,
    comment: String,
    sets: BTreeMap<String, Block>,
    maps: BTreeMap<String, Block>,
    chains: BTreeMap<String, Block>,
}

/// A set, map or chain: its lines, and its elements.
#[derive(Debug, Default)]
struct Block {
    lines: Vec<String>,
    elements: Vec<String>,
    /// Whether several elements stand in one line.
    dense: bool,
}

impl Listing {
    /// Reads kube-proxy's commands.
    pub(super) fn new(dump: &str, clients: &Clients) -> Self {
        let read = |name| Table::read_all(name, dump, clients);
        Self(TABLES.into_iter().filter_map(read).collect())
    }

    /// `ruleset`, `tables`, `table ip kube-proxy`, `chain ip kube-proxy NAME`, `sets`, …; a family that is not named
    /// is `ip` where one object is asked for, and all of them where all objects are. `None` for what there is not.
    pub(super) fn show(&self, asked: &[&str]) -> Option<String> {
        let (what, rest) = asked.split_first()?;
        let all = |show: fn(&Table) -> String| {
            let family = match rest {
                [] => None,
                [family] => Some(*family),
                _ => return None,
            };
            let wanted = |table: &&Table| family.is_none_or(|family| table.family() == family);
            Some(self.0.iter().filter(wanted).map(show).collect::<String>())
        };
        match *what {
            "ruleset" => all(Table::whole),
            "tables" => all(|table| format!("table {}\n", table.name)),
            "chains" => all(Table::chain_heads),
            "sets" => all(|table| table.heads("set", &table.sets)),
            "maps" => all(|table| table.heads("map", &table.maps)),
            // kube-proxy makes none of these.
            "counters" | "quotas" | "limits" | "meters" | "flowtables" | "secmarks" | "synproxys" => {
                all(|table| table.within(""))
            }
            "table" | "chain" | "set" | "map" => {
                let named = TABLES.map(|name| name.split(' ').next().unwrap_or_default());
                let (family, rest) = match rest {
                    [family, rest @ ..] if named.contains(family) => (*family, rest),
                    rest => ("ip", rest),
                };
                let (name, rest) = rest.split_first()?;
                let table = self.0.iter().find(|table| table.name == format!("{family} {name}"))?;
                match (*what, rest) {
                    ("table", []) => Some(table.whole()),
                    ("chain", [name]) => table.one("chain", &table.chains, name),
                    ("set", [name]) => table.one("set", &table.sets, name),
                    ("map", [name]) => table.one("map", &table.maps, name),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl Table {
    fn read_all(name: &'static str, dump: &str, clients: &Clients) -> Option<Self> {
        let mut table = Self { name, ..Self::default() };
        for line in dump.lines() {
            table.read(line);
        }
        for (name, remembered) in clients {
            if let Some(block) = table.sets.get_mut(name) {
                let element = |(ip, left): &(IpAddr, u64)| format!("{ip} expires {}", duration(*left / 1000));
                block.elements = remembered.iter().map(element).collect();
            }
        }
        for block in table.sets.values_mut().chain(table.maps.values_mut()) {
            block.elements.sort_by_cached_key(|element| (key(element), element.clone()));
        }
        (!table.chains.is_empty()).then_some(table)
    }

    fn family(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    fn read(&mut self, line: &str) {
        let mut words = line.splitn(3, ' ');
        let (Some("add"), Some(what), Some(rest)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let Some(rest) = rest.strip_prefix(self.name) else { return };
        let (name, rest) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        let options = rest.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }"));
        match what {
            "table" => {
                let whole = line.split_once("{ ").map(|(_, rest)| rest).unwrap_or_default();
                self.comment = whole.trim_end_matches(" ; }").to_owned();
            }
            "chain" => {
                let lines = options.map(chain_options).unwrap_or_default();
                self.chains.entry(name.to_owned()).or_default().lines = lines;
            }
            "set" | "map" => {
                let block = set_block(options.unwrap_or_default());
                let all = if what == "set" { &mut self.sets } else { &mut self.maps };
                all.insert(name.to_owned(), block);
            }
            "rule" => self.chains.entry(name.to_owned()).or_default().lines.push(spelled(rest)),
            "element" => {
                let of = self.sets.get_mut(name).or_else(|| self.maps.get_mut(name));
                if let (Some(block), Some(element)) = (of, options) {
                    block.elements.push(element.to_owned());
                }
            }
            _ => {}
        }
    }

    fn whole(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.sets.iter().map(|(name, block)| block.shown("set", name)));
        parts.extend(self.maps.iter().map(|(name, block)| block.shown("map", name)));
        parts.extend(self.chains.iter().map(|(name, block)| block.shown("chain", name)));
        self.within(&format!("\t{}\n{}", self.comment, parts.join("\n")))
    }

    fn one(&self, kind: &str, blocks: &BTreeMap<String, Block>, name: &str) -> Option<String> {
        Some(self.within(&blocks.get(name)?.shown(kind, name)))
    }

    /// Sets or maps as they are declared, without elements.
    fn heads(&self, kind: &str, blocks: &BTreeMap<String, Block>) -> String {
        let shown = blocks
            .iter()
            .map(|(name, block)| Block { lines: block.lines.clone(), ..Block::default() }.shown(kind, name));
        self.within(&shown.collect::<String>())
    }

    fn chain_heads(&self) -> String {
        let parts = self.chains.iter().map(|(name, block)| block.head_alone(name));
        self.within(&parts.collect::<String>())
    }

    fn within(&self, blocks: &str) -> String {
        format!("table {} {{\n{blocks}}}\n", self.name)
    }
}

impl Block {
    fn shown(&self, kind: &str, name: &str) -> String {
        let mut text = format!("\t{kind} {name} {{\n");
        for line in &self.lines {
            text.push_str(&format!("\t\t{line}\n"));
        }
        if !self.elements.is_empty() {
            let together = if self.dense { 2 } else { 1 };
            let lines: Vec<String> = self.elements.chunks(together).map(|part| part.join(", ")).collect();
            text.push_str(&format!("\t\telements = {{ {} }}\n", lines.join(",\n\t\t\t     ")));
        }
        text.push_str("\t}\n");
        text
    }

    /// A chain as `nft list chains` shows it: without its rules.
    fn head_alone(&self, name: &str) -> String {
        let hook = self.lines.iter().find(|line| line.starts_with("type "));
        let hook = hook.map(|line| format!("\t\t{line}\n")).unwrap_or_default();
        format!("\tchain {name} {{\n{hook}\t}}\n")
    }
}

/// The lines of a chain's declaration.
fn chain_options(options: &str) -> Vec<String> {
    let parts = options.split(" ;").map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| if part.starts_with("type ") { base_chain(part) } else { part.to_owned() }).collect()
}

/// `type nat hook prerouting priority -100` with the priority's name, if it has one at that hook.
fn base_chain(part: &str) -> String {
    let words: Vec<&str> = part.split(' ').collect();
    let ["type", kind, "hook", hook, "priority", priority] = words.as_slice() else { return part.to_owned() };
    let named = match (*hook, *priority) {
        (_, "0") => "filter",
        ("prerouting", "-100") => "dstnat",
        ("prerouting", "-110") => "dstnat - 10",
        ("postrouting", "100") => "srcnat",
        (_, other) => other,
    };
    format!("type {kind} hook {hook} priority {named}; policy accept;")
}

/// A set or map without its elements.
fn set_block(options: &str) -> Block {
    let mut block = Block::default();
    for part in options.split(" ;").map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once(' ') {
            Some(("type", kind)) => {
                block.dense = kind == "ipv4_addr";
                block.lines.push(part.to_owned());
            }
            Some(("flags", flags)) => {
                if flags.contains("dynamic") {
                    block.lines.push("size 65535".to_owned());
                }
                block.lines.push(part.to_owned());
            }
            Some(("timeout", time)) => {
                let seconds: u64 = time.trim_end_matches('s').parse().unwrap_or(0);
                block.lines.push(format!("timeout {}", duration(seconds * 1000)));
            }
            _ => block.lines.push(part.to_owned()),
        }
    }
    block
}

/// A time as nft prints it: `2h59m37s320ms`.
fn duration(ms: u64) -> String {
    let parts = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut left = ms;
    let mut text = String::new();
    for (unit, name) in parts {
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A rule in nft's own spelling.
fn spelled(rule: &str) -> String {
    let mut text = rule.replace(" , ", ", ").replace("dnat ip addr . port to", "dnat ip to");
    text = text.replace("dnat ip6 addr . port to", "dnat ip6 to");
    text = text.replace("mark and 0x4000 != 0 ", "meta mark & 0x00004000 != 0x00000000 ");
    text = text.replace("mark set mark or 0x4000", "meta mark set meta mark | 0x00004000");
    text = text.replace("mark set mark xor 0x4000", "meta mark set meta mark ^ 0x00004000");
    // A set of one is written as the one, except behind `map` and `vmap`.
    for before in ["daddr { ", "saddr != { "] {
        let Some(at) = text.find(before) else { continue };
        let start = at + before.len();
        let Some(end) = text[start..].find(" }") else { continue };
        let inner = text[start..start + end].to_owned();
        if !inner.contains(',') {
            let head = &text[..start - 2];
            text = format!("{head}{inner}{}", &text[start + end + 2..]);
        }
    }
    text
}

/// Where an element stands: plain addresses by their number; what is put together of several parts as the kernel
/// gives it back, by its bytes from the last to the first.
fn key(element: &str) -> Vec<u8> {
    let plain = element.split(" comment ").next().unwrap_or_default();
    let plain = plain.split(" : ").next().unwrap_or_default();
    let plain = plain.split(" expires ").next().unwrap_or_default();
    let parts: Vec<&str> = plain.split(" . ").collect();
    let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part_bytes(part)).collect();
    if parts.len() > 1 {
        bytes.reverse();
    }
    bytes
}

/// A part of a key in network order, padded to four bytes.
fn part_bytes(part: &str) -> Vec<u8> {
    match part.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => return address.octets().to_vec(),
        Ok(IpAddr::V6(address)) => return address.octets().to_vec(),
        Err(_) => {}
    }
    let protocol = ["tcp", "udp", "sctp"].iter().position(|name| *name == part).map(|at| [6, 17, 132][at]);
    let number: u16 = part.parse().unwrap_or(0);
    match protocol {
        Some(number) => vec![number, 0, 0, 0],
        None => vec![number.to_be_bytes()[0], number.to_be_bytes()[1], 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = include_str!("../../../../tests/network/k8s-w1.nftables.txt");
    const RECORDED: &str = include_str!("../../../../tests/network/nft-list.txt");

    /// What was recorded on the node whose rules were saved: whole sets, maps and chains.
    #[test]
    fn sets_maps_and_chains_are_listed_as_nft_lists_them() {
        let listing = Listing::new(DUMP, &Clients::new());
        let mut compared = 0;
        for part in RECORDED.split("\n$ nft list ").skip(1) {
            let (command, output) = part.split_once('\n').expect("a command has output");
            let (asked, cut) = command.split_once(" | head -").unwrap_or((command, ""));
            if asked.contains('|') || asked == "table ip kube-proxy" {
                continue;
            }
            let output = output.split("\n$ ").next().expect("a split has a first part").trim_end();
            let ours = listing.show(&asked.split(' ').collect::<Vec<_>>()).expect(command);
            let count = cut.parse().unwrap_or(usize::MAX);
            let ours: Vec<&str> = ours.lines().take(count).collect();
            assert_eq!(ours.join("\n"), output, "{command}");
            compared += 1;
        }
        assert!(compared >= 11, "{compared} lists were compared");
    }

    #[test]
    fn parts_of_the_whole_table_are_as_they_were_recorded() {
        let whole = Listing::new(DUMP, &Clients::new()).show(&["ruleset"]).expect("it is there");
        for name in
            ["service-G72YLFXC-dp/web/", "external-EVWWXPC6-dp/np-local/", "service-IHIDSRJR-dp/sticky/"]
        {
            let at = RECORDED.find(&format!("\tchain {name}")).expect(name);
            let block = RECORDED[at..].split("\n\t}").next().expect("a split has a first part");
            assert!(whole.contains(block), "{block}");
        }
        assert!(
            whole.starts_with("table ip kube-proxy {\n\tcomment \"rules for kube-proxy\"\n\tset affinity-")
        );
    }

    #[test]
    fn clients_of_session_affinity_are_elements_that_expire() {
        let name = "affinity-SITJITD7-dp/sticky/tcp/__10.244.1.16/8080";
        let clients =
            Clients::from([(name.to_owned(), vec![("192.168.1.73".parse().unwrap(), 10_769_096_000)])]);
        let shown =
            Listing::new(DUMP, &clients).show(&["set", "ip", "kube-proxy", name]).expect("it is there");
        assert!(
            shown.contains("\t\ttimeout 3h\n\t\telements = { 192.168.1.73 expires 2h59m29s96ms }\n"),
            "{shown}"
        );
    }
}
