//! `iptables-save` and `iptables -S`: the rules of a node.
//!
//! Owns which of them are shown. The rules themselves are in [`crate::network::iptables`]; they are those that
//! packets are walked through, not a copy. Rules cannot be changed: kube-proxy would write them back.

use super::about::formatted;
use crate::shell::command::{Command, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;

/// The tables that have rules.
const TABLES: &[&str] = &["filter", "nat"];

/// `iptables-save`.
pub static SAVE: Command = Command {
    name: "iptables-save",
    usage: "[-t TABLE]",
    summary: Words {
        en: "print all iptables rules of this node", zh: "打印此节点的全部 iptables 规则"
    },
    flags: &[option('t', "table", Value::OneOf(TABLES), "only this table", "只显示这个表")],
    operands: Value::None,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(save),
};

/// `iptables`.
pub static COMMAND: Command = Command {
    name: "iptables",
    usage: "[-t TABLE] -S [CHAIN]",
    summary: Words { en: "print iptables rules of this node", zh: "打印此节点的 iptables 规则" },
    flags: &[
        option('t', "table", Value::OneOf(TABLES), "the table, filter if not given", "表，默认为 filter"),
        switch('S', "list-rules", "print the rules as they are written", "按书写形式打印规则"),
        switch('V', "version", "print the version", "打印版本"),
        not_simulated('L', "list", Value::None, "iptables -S"),
        not_simulated('A', "append", Value::Text, "kubectl apply"),
        not_simulated('D', "delete", Value::Text, "kubectl delete"),
        not_simulated('F', "flush", Value::None, "kubectl delete"),
    ],
    operands: Value::Text,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(list),
};

/// The node's rules as `iptables-save` prints them.
fn rules(invocation: &Invocation) -> Option<String> {
    let Address::Node(node) = &invocation.place.address else { return None };
    invocation.host.with(|simulation| {
        let date = formatted("%a %b %e %H:%M:%S %Y", simulation.cluster.timestamp().0, 0);
        simulation.network.iptables_save(node, &date)
    })
}

fn save(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&SAVE, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Some(text) = rules(invocation) else { return invocation.fail("this node is gone") };
    match parsed.value("table") {
        None => invocation.stdout().write(&text),
        Some(wanted) => invocation.stdout().write(&table(&text, wanted)),
    }
    0
}

fn list(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    if parsed.has("version") {
        invocation.say("iptables v1.8.9 (nf_tables)");
        return 0;
    }
    if !parsed.has("list-rules") {
        invocation.stderr().write(
            "iptables v1.8.9 (nf_tables): no command specified\nTry `iptables -h' or 'iptables --help' for more information.\n",
        );
        return 2;
    }
    let Some(text) = rules(invocation) else { return invocation.fail("this node is gone") };
    let lines =
        specification(&table(&text, parsed.value("table").unwrap_or("filter")), parsed.operands.first());
    if lines.is_empty() {
        invocation.stderr().write("iptables: No chain/target/match by that name.\n");
        return 1;
    }
    invocation.stdout().write(&lines);
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
