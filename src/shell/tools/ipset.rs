//! `ipset`: the sets of addresses and ports that kube-proxy keeps on a node in IPVS mode.
//!
//! Owns the command and the form in which ipset 7.17 prints. The sets are those that packets meet
//! ([`crate::network::ipvs::sets`]); they cannot be changed: kube-proxy would write them back. How the kernel lays a
//! set out is not simulated: its size is that of the usual layout, and members stand in the order of their text.

use crate::network::ipvs::sets::Listed;
use crate::shell::command::{Command, Found, Run, Value, not_simulated, switch};
use crate::shell::flags::{Style, not_simulated as not_simulated_words};
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;

/// `ipset`.
pub static COMMAND: Command = Command {
    name: "ipset",
    usage: "list [-n] [-t] [SET] | save [SET] | test SET ENTRY | version",
    summary: Words { en: "print the IP sets of this node", zh: "打印此节点的 IP 集合" },
    flags: &[
        switch('n', "name", "names alone", "只显示名称"),
        switch('t', "terse", "without members", "不显示成员"),
        switch('s', "sorted", "members sorted, which they always are here", "成员已排序（此处总是如此）"),
        switch('q', "quiet", "say nothing, tell by the exit code", "不输出，只用退出码表示"),
        switch('r', "resolve", "accepted; addresses are not resolved", "可接受；不解析地址"),
        not_simulated('o', "output", Value::Text, "ipset save"),
        not_simulated('f', "file", Value::Text, "ipset save > FILE"),
    ],
    operands: Value::Text,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(run),
};

/// What ipset and its messages begin with.
const VERSION: &str = "ipset v7.17";
/// Commands that change sets.
const CHANGES: [&str; 14] =
    ["create", "-N", "add", "-A", "del", "-D", "destroy", "-X", "flush", "-F", "rename", "-E", "swap", "-W"];
/// What the kernel needs for an empty hash and for each bucket of it that is used, and for a bitmap of all ports.
const HASH_BYTES: usize = 200;
const BUCKET_BYTES: usize = 64;
const BITMAP_BYTES: usize = 8_264;

fn run(invocation: &Invocation) -> i32 {
    // Its long options may have a single dash.
    let mut invocation = invocation.clone();
    for word in &mut invocation.arguments {
        if ["-name", "-terse", "-sorted", "-quiet", "-resolve", "-output", "-file"].contains(&word.as_str()) {
            word.insert(0, '-');
        }
    }
    let invocation = &invocation;
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Address::Node(node) = &invocation.place.address else { return invocation.fail("not a node") };
    let sets = invocation.host.with(|simulation| simulation.network.ipsets(node));
    let words: Vec<&str> = parsed.operands.iter().map(String::as_str).collect();
    let quiet = parsed.has("quiet");
    let complain = |text: &str, status: i32| {
        if !quiet {
            invocation.stderr().line(&format!("{VERSION}: {text}"));
        }
        status
    };
    let find = |name: &str| sets.iter().find(|set| set.name == name);
    let missing = || complain("The set with the given name does not exist", 1);
    match words.as_slice() {
        [] => complain("No command specified.\nTry `ipset help' for more information.", 2),
        [verb, ..] if CHANGES.contains(verb) => {
            invocation.stderr().write(&not_simulated_words(&format!("ipset {verb}"), "kubectl apply"));
            1
        }
        ["version" | "-v" | "-V"] => {
            invocation.say(&format!("{VERSION}, protocol version: 7"));
            0
        }
        [verb @ ("list" | "-L" | "save" | "-S"), rest @ ..] => {
            let wanted: Vec<&Listed> = match rest {
                [] => sets.iter().collect(),
                [name] => match find(name) {
                    Some(set) => vec![set],
                    None => return missing(),
                },
                [_, other, ..] => return complain(&format!("Unknown argument: `{other}'"), 2),
            };
            let save = matches!(*verb, "save" | "-S");
            let text = match (parsed.has("name"), save) {
                (true, _) => wanted.iter().map(|set| format!("{}\n", set.name)).collect(),
                (false, true) => wanted.iter().map(|set| saved(set)).collect::<String>(),
                (false, false) => {
                    let shown = wanted.iter().map(|set| listed(set, parsed.has("terse")));
                    shown.collect::<Vec<_>>().join("\n")
                }
            };
            invocation.stdout().write(&text);
            0
        }
        ["test" | "-T", name, entry] => {
            let Some(set) = find(name) else { return missing() };
            // A port without a protocol is TCP's.
            let is = |member: &String| member == entry || member.replace(",tcp:", ",") == *entry;
            if set.members.iter().any(is) {
                if !quiet {
                    invocation.stderr().line(&format!("{entry} is in set {name}."));
                }
                return 0;
            }
            if !quiet {
                invocation.stderr().line(&format!("{entry} is NOT in set {name}."));
            }
            1
        }
        ["test" | "-T", ..] => complain("Missing mandatory argument to command test", 2),
        [other, ..] => complain(
            &format!(
                "No command specified: unknown argument {other}\nTry `ipset help' for more information."
            ),
            2,
        ),
    }
}

/// The revision of a type, and the options of a set of it.
fn header(set: &Listed) -> (u8, String) {
    let family = if set.v4 { "inet" } else { "inet6" };
    let hash =
        format!("family {family} hashsize 1024 maxelem 65536 bucketsize 12 initval {:#010x}", set.salt);
    match set.kind {
        "bitmap:port" => (3, "range 0-65535".to_owned()),
        "hash:ip" => (6, hash),
        "hash:ip,port" => (7, hash),
        "hash:ip,port,net" => (8, hash),
        _ => (6, hash),
    }
}

fn listed(set: &Listed, terse: bool) -> String {
    let (revision, header) = header(set);
    let count = set.members.len();
    let size = if set.kind == "bitmap:port" { BITMAP_BYTES } else { HASH_BYTES + BUCKET_BYTES * count };
    let mut text = format!(
        "Name: {}\nType: {}\nRevision: {revision}\nHeader: {header}\nSize in memory: {size}\nReferences: {}\nNumber of entries: {count}\n",
        set.name, set.kind, set.references
    );
    if !terse {
        text.push_str("Members:\n");
        text.extend(set.members.iter().map(|member| format!("{member}\n")));
    }
    text
}

fn saved(set: &Listed) -> String {
    let mut text = format!("create {} {} {}\n", set.name, set.kind, header(set).1);
    text.extend(set.members.iter().map(|member| format!("add {} {member}\n", set.name)));
    text
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const IPVS: &str = "world proxyMode=ipvs; ssh k8s-w1 ";

    #[test]
    fn sets_are_there_in_ipvs_mode_alone() {
        check("ssh k8s-w1 ipset list", "", 0);
        check(
            "ssh k8s-w1 ipset list KUBE-CLUSTER-IP",
            "ipset v7.17: The set with the given name does not exist",
            1,
        );
        check(
            &format!("{IPVS} ipset list -name | head -n 3"),
            "KUBE-LOOP-BACK\nKUBE-CLUSTER-IP\nKUBE-EXTERNAL-IP",
            0,
        );
    }

    #[test]
    fn a_set_is_listed_with_its_members_and_the_rules_that_look_at_it() {
        check(
            &format!(
                "{IPVS} ipset list KUBE-CLUSTER-IP | grep -v References | sed 's/initval .*/initval X/'"
            ),
            "Name: KUBE-CLUSTER-IP\nType: hash:ip,port\nRevision: 7\nHeader: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval X\nSize in memory: 456\nNumber of entries: 4\nMembers:\n10.96.0.1,tcp:443\n10.96.0.10,tcp:53\n10.96.0.10,tcp:9153\n10.96.0.10,udp:53",
            0,
        );
        check(
            "world proxyMode=ipvs; kubectl create svc nodeport web --tcp=80 --node-port=30080; sleep 2; ssh k8s-w1 ipset list KUBE-NODE-PORT-TCP",
            "service/web created\nName: KUBE-NODE-PORT-TCP\nType: bitmap:port\nRevision: 3\nHeader: range 0-65535\nSize in memory: 8264\nReferences: 1\nNumber of entries: 1\nMembers:\n30080",
            0,
        );
    }

    #[test]
    fn an_entry_is_tested() {
        check(
            &format!(
                "{IPVS} 'ipset test KUBE-CLUSTER-IP 10.96.0.1,443; ipset test KUBE-CLUSTER-IP 10.96.0.1,udp:443'"
            ),
            "10.96.0.1,443 is in set KUBE-CLUSTER-IP.\n10.96.0.1,udp:443 is NOT in set KUBE-CLUSTER-IP.",
            1,
        );
    }
}
