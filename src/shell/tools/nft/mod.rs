//! `nft list …`: kube-proxy's nftables rules of a node.
//!
//! Owns the command. The rules are those that packets are walked through ([`crate::network::nftables`]), in the
//! form in which nft 1.0.6 lists them ([`listing`]). They cannot be changed: kube-proxy would write them back.

mod listing;

use crate::cluster::settings::ProxyMode;
use crate::shell::command::{Command, Found, Run, Value, switch};
use crate::shell::flags::{Style, not_simulated as not_simulated_words};
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;
use listing::Listing;

/// `nft`.
pub static COMMAND: Command = Command {
    name: "nft",
    usage: "list ruleset [FAMILY] | tables|chains|sets|maps [FAMILY] | table [FAMILY] kube-proxy | chain|set|map [FAMILY] kube-proxy NAME",
    summary: Words { en: "print nftables rules of this node", zh: "打印此节点的 nftables 规则" },
    flags: &[
        switch('a', "handle", "accepted; rules have no handles here", "可接受；这里的规则没有 handle"),
        switch('n', "numeric", "accepted", "可接受"),
    ],
    operands: Value::Text,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(run),
};

/// Verbs of nft that change rules.
const CHANGES: [&str; 8] = ["add", "create", "insert", "delete", "destroy", "flush", "replace", "reset"];

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Address::Node(node) = &invocation.place.address else { return invocation.fail("not a node") };
    let words: Vec<&str> = parsed.operands.iter().map(String::as_str).collect();
    let asked = match words.as_slice() {
        [verb, ..] if CHANGES.contains(verb) => {
            invocation.stderr().write(&not_simulated_words(&format!("nft {verb}"), "kubectl apply"));
            return 1;
        }
        ["list", asked @ ..] if !asked.is_empty() => asked,
        _ => {
            invocation.stderr().write("nft: 'nft list ruleset' expected; see 'nft --help'\n");
            return 1;
        }
    };
    let (mode, dump, clients) = invocation.host.with(|simulation| {
        let network = &simulation.network;
        let now = simulation.cluster.now();
        (network.mode(), network.nftables(node).unwrap_or_default(), network.nft_affinity(node, now))
    });
    if mode != ProxyMode::Nftables {
        // What iptables wrote is in nftables too, in a form that nft cannot write back.
        let what = format!("nft list {} where kube-proxy works by {}", asked.join(" "), mode.name());
        invocation.stderr().write(&not_simulated_words(&what, "iptables-save"));
        return 1;
    }
    match Listing::new(&dump, &clients).show(asked) {
        Some(text) => {
            invocation.stdout().write(&text);
            0
        }
        None => {
            let line = format!("list {}", asked.join(" "));
            let at = line.rfind(' ').map_or(0, |at| at + 1);
            let marks = "^".repeat(line.len() - at);
            invocation
                .stderr()
                .write(&format!("Error: No such file or directory\n{line}\n{}{marks}\n", " ".repeat(at)));
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn the_rules_of_nftables_mode_are_listed() {
        check(
            "world proxyMode=nftables; ssh k8s-w1 nft list chain ip kube-proxy nat-postrouting",
            "table ip kube-proxy {\n\tchain nat-postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\tjump masquerading\n\t}\n}",
            0,
        );
        check("world proxyMode=nftables; ssh k8s-w1 nft list tables", "table ip kube-proxy", 0);
        check(
            "world proxyMode=nftables; ssh k8s-w1 nft list chain ip kube-proxy nosuch",
            "Error: No such file or directory\nlist chain ip kube-proxy nosuch\n                         ^^^^^^",
            1,
        );
        check(
            "world proxyMode=nftables; ssh k8s-w1 'nft list set kube-proxy nodeport-ips; nft list maps ip | head -n 5; nft list tables ip6'",
            "table ip kube-proxy {\n\tset nodeport-ips {\n\t\ttype ipv4_addr\n\t\tcomment \"IPs that accept NodePort traffic\"\n\t\telements = { 192.168.1.73 }\n\t}\n}\ntable ip kube-proxy {\n\tmap firewall-ips {\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict\n\t\tcomment \"destinations that are subject to LoadBalancerSourceRanges\"\n\t}",
            0,
        );
        check(
            "ssh k8s-w1 nft list ruleset",
            "nft list ruleset where kube-proxy works by iptables is not simulated in Portside; nearest: iptables-save",
            1,
        );
    }
}
