//! `iptables-save`, `iptables -S` and `iptables -L`, and the same for IPv6: the rules of a node.
//!
//! Owns which of them are shown. The rules themselves are in [`crate::network::iptables`]; they are those that
//! packets are walked through, not a copy. Rules cannot be changed: kube-proxy would write them back. Rows of
//! `-L` are in [`listing`].

mod listing;

use super::about::formatted;
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;
use listing::{View, listing};

/// The tables that have rules.
const TABLES: &[&str] = &["filter", "nat"];

const SAVE_FLAGS: &[Flag] = &[option('t', "table", Value::OneOf(TABLES), "only this table", "只显示这个表")];

/// `iptables-save`.
pub static SAVE: Command = Command {
    name: "iptables-save",
    usage: "[-t TABLE]",
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
    usage: "[-t TABLE]",
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
    switch('v', "verbose", "with counters and interfaces", "同时显示计数和接口"),
    switch('\0', "line-numbers", "with the number of each rule", "显示规则序号"),
    switch('w', "wait", "wait for the lock", "等待锁"),
    switch('V', "version", "print the version", "打印版本"),
    not_simulated('A', "append", Value::Text, "kubectl apply"),
    not_simulated('I', "insert", Value::Text, "kubectl apply"),
    not_simulated('D', "delete", Value::Text, "kubectl delete"),
    not_simulated('F', "flush", Value::None, "kubectl delete"),
    not_simulated('Z', "zero", Value::None, ""),
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

/// The node's rules as `iptables-save` prints them.
fn rules(invocation: &Invocation, command: &Command) -> Option<String> {
    let Address::Node(node) = &invocation.place.address else { return None };
    invocation.host.with(|simulation| {
        let date = formatted("%a %b %e %H:%M:%S %Y", simulation.cluster.timestamp().0, 0);
        match command.name.starts_with("ip6") {
            true => simulation.network.ip6tables_save(node, &date),
            false => simulation.network.iptables_save(node, &date),
        }
    })
}

fn save(invocation: &Invocation, command: &'static Command) -> i32 {
    let parsed = match invocation.parse(command, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Some(text) = rules(invocation, command) else { return invocation.fail("this node is gone") };
    match parsed.value("table") {
        None => invocation.stdout().write(&text),
        Some(wanted) => invocation.stdout().write(&table(&text, wanted)),
    }
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
    if !lists && !parsed.has("list-rules") {
        invocation.stderr().write(&format!(
            "{name} v1.8.9 (nf_tables): no command specified\nTry `{name} -h' or '{name} --help' for more information.\n"
        ));
        return 2;
    }
    let Some(text) = rules(invocation, command) else { return invocation.fail("this node is gone") };
    let of = parsed.value("table").unwrap_or("filter");
    let (table, chain) = (table(&text, of), parsed.operands.first());
    let shown = if lists {
        let view = View {
            numeric: parsed.has("numeric"),
            verbose: parsed.has("verbose"),
            lines: parsed.has("line-numbers"),
        };
        listing(&table, chain.map(String::as_str), view).unwrap_or_default()
    } else {
        specification(&table, chain)
    };
    if let (Some(chain), true) = (chain, shown.is_empty()) {
        invocation.stderr().write(&format!(
            "{name} v1.8.9 (nf_tables): chain `{chain}' in table `{of}' is incompatible, use 'nft' tool.\n"
        ));
        return 1;
    }
    invocation.stdout().write(&shown);
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
fn specification(table: &str, chain: Option<&String>) -> String {
    let mut lines = String::new();
    let wanted = |name: &str| chain.is_none_or(|chain| chain == name);
    for line in table.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some(first), Some(policy)) if first.starts_with(':') && wanted(&first[1..]) => {
                let name = &first[1..];
                let head =
                    if policy == "-" { format!("-N {name}\n") } else { format!("-P {name} {policy}\n") };
                lines.push_str(&head);
            }
            (Some("-A"), Some(name)) if wanted(name) => {
                lines.push_str(line);
                lines.push('\n');
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = "# Generated by x\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j A\nCOMMIT\n# Completed on x\n# Generated by x\n*nat\n:OUTPUT ACCEPT [0:0]\n:KUBE-A - [0:0]\n-A OUTPUT -j KUBE-A\n-A KUBE-A -j B\nCOMMIT\n# Completed on x\n";

    #[test]
    fn one_table_is_cut_out_whole() {
        let (filter, nat) = (table(SAVED, "filter"), table(SAVED, "nat"));
        assert_eq!(filter.clone() + &nat, SAVED);
        assert!(filter.ends_with("COMMIT\n# Completed on x\n"), "{filter}");
    }

    #[test]
    fn chains_are_listed_with_their_rules() {
        let nat = table(SAVED, "nat");
        assert_eq!(specification(&nat, Some(&"KUBE-A".to_owned())), "-N KUBE-A\n-A KUBE-A -j B\n");
        assert_eq!(
            specification(&nat, None),
            "-P OUTPUT ACCEPT\n-N KUBE-A\n-A OUTPUT -j KUBE-A\n-A KUBE-A -j B\n"
        );
        assert_eq!(specification(&nat, Some(&"NONE".to_owned())), "");
    }
}
