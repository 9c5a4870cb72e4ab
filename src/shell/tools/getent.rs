//! `getent hosts`: what the C library finds for a name or an address.
//!
//! Owns the command and the form of its lines (reference: `network/tools/extra`); names are resolved as
//! [`crate::shell::resolver`] does it. Other databases than `hosts` and `ahosts` are not simulated.

use std::net::IpAddr;

use super::nslookup::reverse_name;
use crate::network::dns::{Code, Data, RecordKind};
use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::flags::{Style, not_simulated};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply};
use crate::words::Words;

/// `getent`.
pub static COMMAND: Command = Command {
    name: "getent",
    usage: "hosts|ahosts|ahostsv4|ahostsv6 NAME|ADDRESS",
    summary: Words {
        en: "what the C library finds for a name or an address",
        zh: "C 库对名称或地址的解析结果",
    },
    flags: &[],
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// What getent says by its exit code: the name is unknown.
const UNKNOWN: i32 = 2;

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Some((database, names)) = parsed.operands.split_first() else {
        invocation.stderr().line("getent: wrong number of arguments");
        return 1;
    };
    let all = match database.as_str() {
        "hosts" => false,
        "ahosts" | "ahostsv4" | "ahostsv6" => true,
        other => {
            invocation.stderr().write(&not_simulated(&format!("getent {other}"), "getent hosts"));
            return 1;
        }
    };
    let mut status = 0;
    for name in names {
        let Some((mut addresses, canonical)) = find(&invocation, name).await else {
            status = UNKNOWN;
            continue;
        };
        match database.as_str() {
            "ahostsv4" => addresses.retain(IpAddr::is_ipv4),
            "ahostsv6" => addresses.retain(IpAddr::is_ipv6),
            // IPv6 is asked for first; IPv4 only if there is none.
            "hosts" if addresses.iter().any(IpAddr::is_ipv6) => addresses.retain(IpAddr::is_ipv6),
            _ => {}
        }
        for (number, address) in addresses.iter().enumerate() {
            let address = address.to_string();
            if !all {
                invocation.say(&format!("{address:<15} {canonical}"));
                continue;
            }
            let first = canonical.split(' ').next().unwrap_or_default();
            for (kind, shown) in
                [("STREAM", if number == 0 { first } else { "" }), ("DGRAM", ""), ("RAW", "")]
            {
                invocation.say(&format!("{address:<15} {kind:<6} {shown}"));
            }
        }
    }
    status
}

/// The addresses of a name, or the address itself, and the names: the true one first.
async fn find(invocation: &Invocation, name: &str) -> Option<(Vec<IpAddr>, String)> {
    if let Ok(address) = name.parse::<IpAddr>() {
        let server = resolver::configuration(invocation).server;
        let reverse = reverse_name(address);
        let Reply::Answered(answer) = resolver::ask(invocation, server, &reverse, RecordKind::Ptr, 5).await
        else {
            return None;
        };
        let target = answer.records.iter().find_map(|record| match &record.data {
            Data::Ptr(target) => Some(target.to_string()),
            _ => None,
        });
        return Some((vec![address], target?));
    }
    let addresses = resolver::resolve(invocation, name, None).await.ok()?;
    if resolver::known_here(invocation, name).is_some() {
        return Some((addresses, name.to_owned()));
    }
    Some((addresses, true_name(invocation, name).await?))
}

/// The name that a search finds, behind it the alias that leads there.
async fn true_name(invocation: &Invocation, name: &str) -> Option<String> {
    let server = resolver::configuration(invocation).server;
    for candidate in resolver::candidates(invocation, name) {
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            let Reply::Answered(answer) = resolver::ask(invocation, server, &candidate, kind, 5).await else {
                return None;
            };
            if answer.code != Code::NoError {
                break;
            }
            let address =
                answer.records.iter().find(|record| matches!(record.data, Data::A(_) | Data::Aaaa(_)));
            if let Some(record) = address {
                let alias = if record.name == candidate { String::new() } else { format!(" {candidate}") };
                return Some(format!("{}{alias}", record.name));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn hosts_are_found_with_their_true_names() {
        check("getent hosts k8s-w2", "192.168.1.74    k8s-w2", 0);
        check("getent hosts nosuch", "", 2);
        check(
            "kubectl run c --image=debian --command -- sleep 3600 >/dev/null; sleep 20; kubectl exec c -- getent hosts kubernetes; kubectl exec c -- getent hosts 10.96.0.10",
            "10.96.0.1       kubernetes.default.svc.cluster.local\n10.96.0.10      kube-dns.kube-system.svc.cluster.local",
            0,
        );
        check(
            "kubectl run c --image=debian --command -- sleep 3600 >/dev/null; sleep 20; kubectl exec c -- getent ahosts kubernetes | head -n 1",
            "10.96.0.1       STREAM kubernetes.default.svc.cluster.local",
            0,
        );
    }
}
