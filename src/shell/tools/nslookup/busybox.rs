//! busybox' nslookup since 1.29: one question per name and type, each answer printed on its own.
//!
//! A name with a dot is asked as it is; one without is asked under every search domain, and what is not found
//! under one of them counts as an error even where another has it (reference `tools/nslookup-busybox`).

use std::net::IpAddr;

use super::{Asked, reverse_name, shown};
use crate::network::dns::{Answer, Code, RecordKind};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply};

/// How long it waits for all answers, in seconds.
const TIMEOUT_SECONDS: u64 = 5;

pub(super) async fn run(invocation: &Invocation, asked: &Asked) -> i32 {
    let Some(server) = resolver::server(invocation, asked.server.as_deref()).await else {
        let name = asked.server.as_deref().unwrap_or("");
        invocation.stderr().line(&format!("nslookup: bad address '{name}'"));
        return 1;
    };
    let questions = questions(invocation, asked);
    let mut answers = Vec::new();
    for (name, kind) in &questions {
        match resolver::ask(invocation, server, name, *kind, TIMEOUT_SECONDS).await {
            Reply::Answered(answer) => answers.push((name, answer)),
            Reply::Refused => {
                invocation.stderr().line(&format!("nslookup: write to '{server}': Connection refused"));
                return unreachable(invocation);
            }
            Reply::TimedOut => return unreachable(invocation),
        }
    }
    let mut text = format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n");
    let mut status = 0;
    for (name, answer) in answers {
        let (shown, failed) = one(name, &answer);
        text.push_str(&shown);
        text.push('\n');
        status |= i32::from(failed);
    }
    invocation.stdout().write(&text);
    status
}

fn unreachable(invocation: &Invocation) -> i32 {
    invocation.stdout().write(";; connection timed out; no servers could be reached\n\n");
    1
}

/// Every name that is asked, with every type.
fn questions(invocation: &Invocation, asked: &Asked) -> Vec<(String, RecordKind)> {
    if let Ok(address) = asked.name.parse::<IpAddr>() {
        return vec![(reverse_name(address), RecordKind::Ptr)];
    }
    let names = if asked.name.contains('.') {
        vec![asked.name.clone()]
    } else {
        resolver::configuration(invocation)
            .search
            .iter()
            .map(|domain| format!("{}.{domain}", asked.name))
            .collect()
    };
    let kinds = asked.kind.map_or_else(|| vec![RecordKind::A, RecordKind::Aaaa], |kind| vec![kind]);
    kinds.into_iter().flat_map(|kind| names.iter().map(move |name| (name.clone(), kind))).collect()
}

/// What is printed of one answer, and whether it counts as an error.
fn one(name: &str, answer: &Answer) -> (String, bool) {
    match answer.code {
        Code::NxDomain => return (format!("** server can't find {name}: NXDOMAIN\n"), true),
        Code::ServFail => return (format!("** server can't find {name}: SERVFAIL\n"), true),
        Code::NoError => {}
    }
    let head = if answer.authoritative { "" } else { "Non-authoritative answer:\n" };
    let records: String = answer.records.iter().map(|record| format!("{}\n", shown(record, ""))).collect();
    (format!("{head}{records}"), false)
}
