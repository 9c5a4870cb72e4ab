//! `host`: asks DNS for a name or an address and says what it found in sentences.
//!
//! Owns the command in the words of BIND 9.18 (reference: `network/tools/dig`); who answers is
//! [`crate::shell::resolver`]'s.

use std::net::IpAddr;

use super::nslookup::reverse_name;
use crate::network::dns::{Answer, Code, Data, Record, RecordKind};
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply, note_failure};
use crate::words::Words;

/// How long it waits for one answer, in seconds, and how often it asks.
const TIMEOUT_SECONDS: u64 = 5;
const TRIES: u32 = 2;

/// Types that can be asked for.
const KINDS: &[(&str, RecordKind)] = &[
    ("A", RecordKind::A),
    ("AAAA", RecordKind::Aaaa),
    ("CNAME", RecordKind::Cname),
    ("PTR", RecordKind::Ptr),
    ("SRV", RecordKind::Srv),
];

/// `host`.
pub static COMMAND: Command = Command {
    name: "host",
    usage: "[-t TYPE] NAME|ADDRESS [SERVER]",
    summary: Words { en: "ask DNS for a name or an address", zh: "向 DNS 查询名称或地址" },
    flags: &[
        option('t', "", Value::OneOf(&["A", "AAAA", "CNAME", "PTR", "SRV"]), "the type", "记录类型"),
        switch('4', "", "accepted", "可接受"),
        switch('6', "", "accepted", "可接受"),
        option('W', "", Value::Number, "seconds to wait for an answer", "等待应答的秒数"),
    ],
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (name, named) = match parsed.operands.as_slice() {
        [name] => (name, None),
        [name, server] => (name, Some(server.as_str())),
        _ => {
            invocation.stdout().write(&COMMAND.help(invocation.host.language()));
            return 1;
        }
    };
    let Some(server) = resolver::server(&invocation, named).await else {
        let name = named.unwrap_or_default();
        invocation.stderr().line(&format!("host: couldn't get address for '{name}': not found"));
        return 1;
    };
    if let Some(named) = named {
        let head = format!("Using domain server:\nName: {named}\nAddress: {server}#53\nAliases: \n\n");
        invocation.stdout().write(&head);
    }
    let seconds = parsed.value("W").and_then(|text| text.parse().ok()).unwrap_or(TIMEOUT_SECONDS);
    let wanted = parsed.value("t").map(|text| text.to_ascii_uppercase());
    let wanted = wanted.and_then(|text| KINDS.iter().find(|(name, _)| **name == text).copied());
    if let Ok(address) = name.parse::<IpAddr>() {
        let reverse = reverse_name(address);
        return question(&invocation, server, seconds, &[reverse], name, &[RecordKind::Ptr], "PTR").await;
    }
    let names = resolver::candidates(&invocation, name);
    match wanted {
        Some((kind, of)) => question(&invocation, server, seconds, &names, name, &[of], kind).await,
        None => {
            let kinds = [RecordKind::A, RecordKind::Aaaa];
            question(&invocation, server, seconds, &names, name, &kinds, "A").await
        }
    }
}

/// Asks for a name under each of its `names` until one is there, and then for the other types.
async fn question(
    invocation: &Invocation,
    server: IpAddr,
    seconds: u64,
    names: &[String],
    shown: &str,
    kinds: &[RecordKind],
    kind: &str,
) -> i32 {
    let mut last = Code::NxDomain;
    for name in names {
        let Some(answer) = ask(invocation, server, seconds, name, kinds[0]).await else { return 1 };
        last = answer.code;
        if answer.code != Code::NoError {
            continue;
        }
        let mut records = answer.records;
        for other in &kinds[1..] {
            let more = ask(invocation, server, seconds, name, *other).await;
            // An alias is told once.
            let own = more.map(|answer| answer.records).unwrap_or_default().into_iter();
            records.extend(own.filter(|record| !matches!(record.data, Data::Cname(_))));
        }
        if records.is_empty() {
            invocation.say(&format!("{name} has no {kind} record"));
        }
        for record in &records {
            invocation.say(&sentence(record));
        }
        return 0;
    }
    note_failure(invocation, shown);
    let (number, why) = match last {
        Code::ServFail => (2, "SERVFAIL"),
        _ => (3, "NXDOMAIN"),
    };
    let asked = if kind == "PTR" { names.first().map_or(shown, String::as_str) } else { shown };
    let asked = if kind == "PTR" { format!("{asked}.") } else { asked.to_owned() };
    invocation.say(&format!("Host {asked} not found: {number}({why})"));
    1
}

/// One question; `None` when nobody answered, which has then been told.
async fn ask(
    invocation: &Invocation,
    server: IpAddr,
    seconds: u64,
    name: &str,
    kind: RecordKind,
) -> Option<Answer> {
    for _ in 0..TRIES {
        let why = match resolver::ask(invocation, server, name, kind, seconds).await {
            Reply::Answered(answer) => return Some(answer),
            Reply::Refused => "connection refused",
            Reply::TimedOut => "timed out",
        };
        invocation.say(&format!(";; communications error to {server}#53: {why}"));
    }
    invocation.say(";; no servers could be reached");
    None
}

fn sentence(record: &Record) -> String {
    let name = &record.name;
    match &record.data {
        Data::A(address) => format!("{name} has address {address}"),
        Data::Aaaa(address) => format!("{name} has IPv6 address {address}"),
        Data::Cname(target) => format!("{name} is an alias for {target}."),
        Data::Ptr(target) => format!("{name} domain name pointer {target}."),
        Data::Srv { priority, weight, port, target } => {
            format!("{name} has SRV record {priority} {weight} {port} {target}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const POD: &str = "kubectl run c --image=nicolaka/netshoot --command -- sleep 3600 >/dev/null; sleep 20; kubectl exec c -- ";

    #[test]
    fn names_and_addresses_are_told_in_sentences() {
        for (asked, expected, status) in [
            ("kubernetes", "kubernetes.default.svc.cluster.local has address 10.96.0.1", 0),
            (
                "10.96.0.10",
                "10.0.96.10.in-addr.arpa domain name pointer kube-dns.kube-system.svc.cluster.local.",
                0,
            ),
            ("nosuch", "Host nosuch not found: 3(NXDOMAIN)", 1),
            ("-t AAAA kubernetes", "kubernetes.default.svc.cluster.local has no AAAA record", 0),
            (
                "-t SRV _https._tcp.kubernetes",
                "_https._tcp.kubernetes.default.svc.cluster.local has SRV record 0 100 443 kubernetes.default.svc.cluster.local.",
                0,
            ),
        ] {
            let line = if status == 0 {
                format!("{POD} host {asked}")
            } else {
                format!("{POD} host {asked} 2>/dev/null || test $? = 1")
            };
            check(&line, expected, 0);
        }
    }
}
