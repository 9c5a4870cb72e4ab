//! `iptables-save`, `iptables -S` and `iptables -L`, and the same for IPv6: the rules of a node.
//!
//! Owns which of them are shown. The rules themselves are in [`crate::network::iptables`]; they are those that
//! packets are walked through, not a copy. Rules cannot be changed: kube-proxy would write them back. Rows of
//! `-L` are in [`listing`]; what counters count is [`crate::network::counters`]'s.

mod listing;

use std::collections::BTreeMap;

use super::about::formatted;
use crate::network::counters::Count;
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;
use listing::{View, listing};

/// The tables that have rules.
const TABLES: &[&str] = &["filter", "nat"];

const SAVE_FLAGS: &[Flag] = &[
    option('t', "table", Value::OneOf(TABLES), "only this table", "只显示这个表"),
    switch(
        'c',
        "counters",
        "with counters (of the first packet of each connection)",
        "同时显示计数（只统计每个连接的第一个包）",
    ),
];

/// `iptables-save`.
pub static SAVE: Command = Command {
    name: "iptables-save",
    usage: "[-c] [-t TABLE]",
    summary: Words {
        en: "print all iptables rules of this node", zh: "打印此节点的全部 iptables 规则"
    },
    flags: SAVE_FLAGS,
    operands: Value::None,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(|invocation| save(invocation, &SAVE)),
};

/// `ip6tables-save`.
pub static SAVE_6: Command = Command {
    name: "ip6tables-save",
    usage: "[-c] [-t TABLE]",
    summary: Words {
        en: "print all iptables rules for IPv6", zh: "打印此节点的全部 IPv6 iptables 规则"
    },
    flags: SAVE_FLAGS,
    operands: Value::None,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(|invocation| save(invocation, &SAVE_6)),
};

const FLAGS: &[Flag] = &[
    option('t', "table", Value::OneOf(TABLES), "the table, filter if not given", "表，默认为 filter"),
    switch('L', "list", "list the rules of all chains or one", "列出全部或某条链的规则"),
    switch('S', "list-rules", "print the rules as they are written", "按书写形式打印规则"),
    switch('n', "numeric", "protocols, addresses and ports as numbers", "以数字显示协议、地址和端口"),
    switch(
        'v',
        "verbose",
        "with interfaces and counters (of the first packet of each connection)",
        "同时显示接口和计数（只统计每个连接的第一个包）",
    ),
    switch('x', "exact", "counters in full", "显示完整的计数"),
    switch('Z', "zero", "set the counters of all chains or one to 0", "将全部或某条链的计数清零"),
    switch('\0', "line-numbers", "with the number of each rule", "显示规则序号"),
    switch('w', "wait", "wait for the lock", "等待锁"),
    switch('V', "version", "print the version", "打印版本"),
    not_simulated('A', "append", Value::Text, "kubectl apply"),
    not_simulated('I', "insert", Value::Text, "kubectl apply"),
    not_simulated('D', "delete", Value::Text, "kubectl delete"),
    not_simulated('F', "flush", Value::None, "kubectl delete"),
    not_simulated('R', "replace", Value::Text, "kubectl apply"),
    not_simulated('N', "new-chain", Value::Text, "kubectl apply"),
    not_simulated('X', "delete-chain", Value::None, "kubectl delete"),
    not_simulated('P', "policy", Value::Text, "kubectl apply"),
    not_simulated('C', "check", Value::Text, "iptables -S"),
];

/// `iptables`.
pub static COMMAND: Command = Command {
    name: "iptables",
    usage: "[-t TABLE] -L [CHAIN] [-n] [-v] | -S [CHAIN]",
    summary: Words { en: "print iptables rules of this node", zh: "打印此节点的 iptables 规则" },
    flags: FLAGS,
    operands: Value::Text,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(|invocation| list(invocation, &COMMAND)),
};

/// `ip6tables`.
pub static COMMAND_6: Command = Command {
    name: "ip6tables",
    usage: "[-t TABLE] -L [CHAIN] [-n] [-v] | -S [CHAIN]",
    summary: Words { en: "print iptables rules for IPv6", zh: "打印此节点的 IPv6 iptables 规则" },
    flags: FLAGS,
    operands: Value::Text,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(|invocation| list(invocation, &COMMAND_6)),
};

/// Whether a command is for IPv4.
fn is_v4(command: &Command) -> bool {
    !command.name.starts_with("ip6")
}

/// The node's rules as `iptables-save -c` prints them.
fn rules(invocation: &Invocation, command: &Command) -> Option<String> {
    let Address::Node(node) = &invocation.place.address else { return None };
    invocation.host.with(|simulation| {
        let date = formatted("%a %b %e %H:%M:%S %Y", simulation.cluster.timestamp().0, 0);
        let v4 = is_v4(command);
        let text = match v4 {
            false => simulation.network.ip6tables_save(node, &date),
            true => simulation.network.iptables_save(node, &date),
        };
        let counts =
            TABLES.iter().map(|table| (*table, simulation.counters.of(&simulation.network, node, v4, table)));
        Some(counted(&text?, &counts.collect()))
    })
}

/// What the rules of each table have matched.
type Counts = BTreeMap<&'static str, BTreeMap<String, Count>>;

/// The text of `iptables-save` with the counters of rules and policies.
fn counted(saved: &str, counts: &Counts) -> String {
    let mut text = String::with_capacity(saved.len());
    let mut table: Option<&BTreeMap<String, Count>> = None;
    for line in saved.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = counts.get(name);
        }
        let of = |what: &str| table.and_then(|table| table.get(what)).copied().unwrap_or_default();
        let shown = |Count { packets, bytes }: Count| format!("[{packets}:{bytes}]");
        if let Some(head) = line.strip_suffix(" [0:0]") {
            let chain = head.split(' ').next().unwrap_or_default();
            text.push_str(&format!("{head} {}\n", shown(of(chain))));
        } else if line.starts_with("-A ") {
            text.push_str(&format!("{} {line}\n", shown(of(line))));
        } else {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// The counters before a rule, and the rule.
fn parted(line: &str) -> (Count, &str) {
    let Some((counters, rule)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
        return (Count::default(), line);
    };
    (count(counters), rule)
}

/// `12:720`.
fn count(text: &str) -> Count {
    let (packets, bytes) = text.split_once(':').unwrap_or_default();
    Count { packets: packets.parse().unwrap_or(0), bytes: bytes.parse().unwrap_or(0) }
}

fn save(invocation: &Invocation, command: &'static Command) -> i32 {
    let parsed = match invocation.parse(command, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Some(text) = rules(invocation, command) else { return invocation.fail("this node is gone") };
    let mut text = match parsed.value("table") {
        None => text,
        Some(wanted) => table(&text, wanted),
    };
    if !parsed.has("counters") {
        text = text.lines().map(|line| format!("{}\n", parted(line).1)).collect();
    }
    invocation.stdout().write(&text);
    0
}

fn list(invocation: &Invocation, command: &'static Command) -> i32 {
    let parsed = match invocation.parse(command, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let name = command.name;
    if parsed.has("version") {
        invocation.say(&format!("{name} v1.8.9 (nf_tables)"));
        return 0;
    }
    let lists = parsed.has("list");
    let of = parsed.value("table").unwrap_or("filter");
    let chain = parsed.operands.first();
    if parsed.has("zero") && !lists && !parsed.has("list-rules") {
        return zero(invocation, is_v4(command), of, chain);
    }
    if !lists && !parsed.has("list-rules") {
        invocation.stderr().write(&format!(
            "{name} v1.8.9 (nf_tables): no command specified\nTry `{name} -h' or '{name} --help' for more information.\n"
        ));
        return 2;
    }
    let Some(text) = rules(invocation, command) else { return invocation.fail("this node is gone") };
    let table = table(&text, of);
    let shown = if lists {
        let view = View {
            numeric: parsed.has("numeric"),
            verbose: parsed.has("verbose"),
            lines: parsed.has("line-numbers"),
            exact: parsed.has("exact"),
            v6: !is_v4(command),
        };
        listing(&table, chain.map(String::as_str), view).unwrap_or_default()
    } else {
        specification(&table, chain, parsed.has("verbose"))
    };
    if let (Some(chain), true) = (chain, shown.is_empty()) {
        invocation.stderr().write(&format!(
            "{name} v1.8.9 (nf_tables): chain `{chain}' in table `{of}' is incompatible, use 'nft' tool.\n"
        ));
        return 1;
    }
    invocation.stdout().write(&shown);
    if parsed.has("zero") {
        return zero(invocation, is_v4(command), of, chain);
    }
    0
}

/// Sets counters to 0.
fn zero(invocation: &Invocation, v4: bool, table: &str, chain: Option<&String>) -> i32 {
    if let Address::Node(node) = &invocation.place.address {
        let chain = chain.map(String::as_str);
        invocation.host.with(|simulation| simulation.counters.zero(node, v4, table, chain));
    }
    0
}

/// One table of `iptables-save`.
fn table(saved: &str, wanted: &str) -> String {
    let mut kept = String::new();
    for part in saved.split_inclusive("COMMIT\n") {
        // The date line after a COMMIT belongs to the table before it.
        let (after, own) = match part.strip_prefix("# Completed") {
            Some(_) => part.split_at(part.find('\n').map_or(part.len(), |end| end + 1)),
            None => ("", part),
        };
        if !kept.is_empty() {
            kept.push_str(after);
            return kept;
        }
        if own.contains(&format!("*{wanted}\n")) {
            kept.push_str(own);
        }
    }
    kept
}

/// The rules of a table, or of one of its chains, as `iptables -S` prints them.
fn specification(table: &str, chain: Option<&String>, verbose: bool) -> String {
    let mut lines = String::new();
    let wanted = |name: &str| chain.is_none_or(|chain| chain == name);
    let counters = |Count { packets, bytes }| match verbose {
        true => format!(" -c {packets} {bytes}"),
        false => String::new(),
    };
    for line in table.lines() {
        let (counted, line) = parted(line);
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some(first), Some(policy)) if first.starts_with(':') && wanted(&first[1..]) => {
                let name = &first[1..];
                let held = words.next().unwrap_or_default().trim_matches(['[', ']']);
                let head = match policy {
                    "-" => format!("-N {name}\n"),
                    _ => format!("-P {name} {policy}{}\n", counters(count(held))),
                };
                lines.push_str(&head);
            }
            (Some("-A"), Some(name)) if wanted(name) => {
                let at = line.rfind(" -j ").unwrap_or(line.len());
                lines.push_str(&format!("{}{}{}\n", &line[..at], counters(counted), &line[at..]));
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::check_in_world as check;

    const SAVED: &str = "# Generated by x\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j A\nCOMMIT\n# Completed on x\n# Generated by x\n*nat\n:OUTPUT ACCEPT [0:0]\n:KUBE-A - [0:0]\n-A OUTPUT -j KUBE-A\n-A KUBE-A -j B\nCOMMIT\n# Completed on x\n";

    /// Ten connections to a node port whose Service has one Pod, on that node.
    const TEN: &str = "kubectl run web --image=nginx --labels=app=web --overrides='{\"spec\":{\"nodeName\":\"k8s-w1\"}}' >/dev/null; kubectl create svc nodeport web --tcp=80 --node-port=30080 >/dev/null; sleep 20; for i in 1 2 3 4 5 6 7 8 9 10; do curl -s 192.168.1.73:30080 >/dev/null; done; ssh k8s-w1 ";

    #[test]
    fn counters_tell_what_rules_have_matched() {
        let first = |command: &str| format!("{TEN} '{command} | cut -c 1-11 | grep -c \"^ *10 *600\"'");
        check(&first("iptables -t nat -nvL KUBE-NODEPORTS"), "1", 0);
        check(&first("iptables -t nat -nvL KUBE-POSTROUTING"), "2", 0);
        // What is marked goes on before the jumps to Services.
        check(&first("iptables -nvL FORWARD"), "2", 0);
        check(&format!("{TEN} 'iptables-save -c -t nat | grep DNAT | grep -c \"^.10:600. \"'"), "1", 0);
        check(
            &format!(
                "{TEN} 'iptables -t nat -S KUBE-MARK-MASQ -v; iptables -t nat -Z; iptables -t nat -S KUBE-MARK-MASQ -v'"
            ),
            "-N KUBE-MARK-MASQ\n-A KUBE-MARK-MASQ -c 10 600 -j MARK --set-xmark 0x4000/0x4000\n-N KUBE-MARK-MASQ\n-A KUBE-MARK-MASQ -c 0 0 -j MARK --set-xmark 0x4000/0x4000",
            0,
        );
        // kube-proxy writes its common chains anew when it syncs.
        check(
            &format!(
                "{TEN} true; kubectl create svc clusterip x --tcp=1 >/dev/null; sleep 5; ssh k8s-w1 'iptables -t nat -S KUBE-MARK-MASQ -v'"
            ),
            "-N KUBE-MARK-MASQ\n-A KUBE-MARK-MASQ -c 0 0 -j MARK --set-xmark 0x4000/0x4000",
            0,
        );
    }

    #[test]
    fn one_table_is_cut_out_whole() {
        let (filter, nat) = (table(SAVED, "filter"), table(SAVED, "nat"));
        assert_eq!(filter.clone() + &nat, SAVED);
        assert!(filter.ends_with("COMMIT\n# Completed on x\n"), "{filter}");
    }

    #[test]
    fn chains_are_listed_with_their_rules() {
        let nat = table(SAVED, "nat");
        assert_eq!(specification(&nat, Some(&"KUBE-A".to_owned()), false), "-N KUBE-A\n-A KUBE-A -j B\n");
        assert_eq!(
            specification(&nat, None, false),
            "-P OUTPUT ACCEPT\n-N KUBE-A\n-A OUTPUT -j KUBE-A\n-A KUBE-A -j B\n"
        );
        assert_eq!(specification(&nat, Some(&"NONE".to_owned()), false), "");
    }
}
