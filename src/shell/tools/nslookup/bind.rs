//! BIND's nslookup: it goes through the search list until a name is found, then asks for the other type.
//!
//! Printed form: reference `tools/nslookup-bind-ra`.

use std::net::IpAddr;

use super::{Asked, reverse_name, shown};
use crate::network::dns::{Answer, Code, Data, RecordKind};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply};

/// How long it waits for one answer, in seconds, and how often it asks.
const TIMEOUT_SECONDS: u64 = 5;
const TRIES: u32 = 3;

pub(super) async fn run(invocation: &Invocation, asked: &Asked) -> i32 {
    let Some(server) = resolver::server(invocation, asked.server.as_deref()).await else {
        let name = asked.server.as_deref().unwrap_or("");
        invocation.stderr().line(&format!("nslookup: couldn't get address for '{name}': not found"));
        return 1;
    };
    if let Ok(address) = asked.name.parse::<IpAddr>() {
        return reverse(invocation, server, address).await;
    }
    let first = asked.kind.unwrap_or(RecordKind::A);
    let mut found = None;
    let mut last = None;
    for name in resolver::candidates(invocation, &asked.name) {
        match ask(invocation, server, &name, first).await {
            Some(answer) if answer.code == Code::NoError => {
                found = Some((name, answer));
                break;
            }
            Some(answer) => last = Some(answer),
            None => return 1,
        }
    }
    let header = format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n");
    let Some((name, answer)) = found else {
        let code =
            if last.is_some_and(|answer| answer.code == Code::ServFail) { "SERVFAIL" } else { "NXDOMAIN" };
        let asked_name = asked.name.trim_end_matches('.');
        invocation.stdout().write(&format!("{header}** server can't find {asked_name}: {code}\n\n"));
        return 1;
    };
    let mut text = header;
    let head = if answer.authoritative { "" } else { "Non-authoritative answer:\n" };
    text.push_str(head);
    if answer.records.is_empty() {
        text.push_str(&format!("*** Can't find {}: No answer\n", asked.name));
    }
    for record in &answer.records {
        text.push_str(&format!("{}\n", shown(record, ".")));
    }
    if asked.kind.is_none()
        && let Some(six) = ask(invocation, server, &name, RecordKind::Aaaa).await
    {
        let addresses = six.records.iter().filter(|record| matches!(record.data, Data::Aaaa(_)));
        text.extend(addresses.map(|record| format!("{}\n", shown(record, "."))));
    }
    text.push('\n');
    invocation.stdout().write(&text);
    0
}

/// One question, asked up to three times; `None` when nobody answered, which has then been told.
async fn ask(invocation: &Invocation, server: IpAddr, name: &str, kind: RecordKind) -> Option<Answer> {
    for _ in 0..TRIES {
        let why = match resolver::ask(invocation, server, name, kind, TIMEOUT_SECONDS).await {
            Reply::Answered(answer) => return Some(answer),
            Reply::Refused => "connection refused",
            Reply::TimedOut => "timed out",
        };
        invocation.stdout().line(&format!(";; communications error to {server}#53: {why}"));
    }
    invocation.stdout().write(";; no servers could be reached\n\n");
    None
}

async fn reverse(invocation: &Invocation, server: IpAddr, address: IpAddr) -> i32 {
    let name = reverse_name(address);
    let Some(answer) = ask(invocation, server, &name, RecordKind::Ptr).await else { return 1 };
    if answer.code != Code::NoError {
        invocation.stdout().write(&format!("** server can't find {name}: NXDOMAIN\n\n"));
        return 1;
    }
    let records: String = answer.records.iter().map(|record| format!("{}\n", shown(record, "."))).collect();
    invocation.stdout().write(&format!("{records}\n"));
    0
}
