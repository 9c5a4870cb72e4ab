//! A DNS message as dig prints it.
//!
//! Owns the sections, the columns of records (BIND's master file style) and the size of the message.

use std::net::IpAddr;

use crate::network::dns::{Answer, Code, DOMAIN, Data, Record, RecordKind, TTL_SECONDS};
use crate::shell::invocation::Invocation;
use crate::shell::tools::about::formatted;

/// The columns of TTL, class, type and data, and the width of a tab.
const COLUMNS: [usize; 4] = [24, 32, 40, 48];
const TAB: usize = 8;

/// Bytes of a header, and of the OPT record with its cookie.
const HEADER_BYTES: usize = 12;
const OPT_BYTES: usize = 23;

/// A question with its answer.
pub(super) struct Message {
    pub(super) name: String,
    pub(super) kind: RecordKind,
    pub(super) answer: Answer,
    pub(super) additional: Vec<Record>,
}

/// What a record says.
pub(super) fn data(data: &Data) -> String {
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Cname(target) | Data::Ptr(target) => format!("{target}."),
        Data::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {target}."),
    }
}

fn kind(data: &Data) -> &'static str {
    match data {
        Data::A(_) => "A",
        Data::Aaaa(_) => "AAAA",
        Data::Cname(_) => "CNAME",
        Data::Ptr(_) => "PTR",
        Data::Srv { .. } => "SRV",
    }
}

/// A text with what follows it in columns: tabs as far as they lead, then blanks, at least one of them.
fn columns(first: &str, parts: &[(usize, &str)]) -> String {
    let mut line = first.to_owned();
    let mut at = first.len();
    for (column, part) in parts {
        let to = (*column).max(at + 1);
        let tabs = to / TAB - at / TAB;
        line.push_str(&"\t".repeat(tabs));
        let from = if tabs > 0 { to / TAB * TAB } else { at };
        line.push_str(&" ".repeat(to - from));
        line.push_str(part);
        at = to + part.len();
    }
    line
}

/// A record in a line.
pub(super) fn line(record: &Record) -> String {
    record_line(&format!("{}.", record.name), kind(&record.data), &data(&record.data))
}

fn record_line(owner: &str, kind: &str, data: &str) -> String {
    let ttl = TTL_SECONDS.to_string();
    let [at_ttl, at_class, at_kind, at_data] = COLUMNS;
    columns(owner, &[(at_ttl, &ttl), (at_class, "IN"), (at_kind, kind), (at_data, data)])
}

impl Message {
    /// The message after dig's first lines.
    pub(super) fn shown(
        &self,
        invocation: &Invocation,
        server: IpAddr,
        took_ms: u64,
        carried: &str,
    ) -> String {
        let Answer { code, authoritative, records } = &self.answer;
        let mut text = ";; Got answer:\n".to_owned();
        if self.name.ends_with(".local") {
            text.push_str(";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n");
        }
        let status = match code {
            Code::NoError => "NOERROR",
            Code::NxDomain => "NXDOMAIN",
            Code::ServFail => "SERVFAIL",
        };
        let flags = if *authoritative { "qr aa rd" } else { "qr rd ra" };
        let authority = self.authority(invocation);
        let (answers, authorities, additional) =
            (records.len(), usize::from(authority.is_some()), self.additional.len() + 1);
        text.push_str(&format!(
            ";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {}\n;; flags: {flags}; QUERY: 1, ANSWER: {answers}, AUTHORITY: {authorities}, ADDITIONAL: {additional}\n",
            invocation.host.random(65_536)
        ));
        if *authoritative {
            text.push_str(";; WARNING: recursion requested but not available\n");
        }
        let cookie =
            format!("{:08x}{:08x}", invocation.host.random(u32::MAX), invocation.host.random(u32::MAX));
        text.push_str(&format!(
            "\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n; COOKIE: {cookie} (echoed)\n"
        ));
        let [_, at_class, at_kind, _] = COLUMNS;
        let question = columns(&format!("{}.", self.name), &[(at_class, "IN"), (at_kind, self.kind.name())]);
        text.push_str(&format!(";; QUESTION SECTION:\n;{question}\n\n"));
        let mut section = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                text.push_str(&format!(";; {title} SECTION:\n{}\n\n", lines.join("\n")));
            }
        };
        section("ANSWER", records.iter().map(line).collect());
        section("AUTHORITY", authority.iter().map(|soa| record_line(&soa.owner, "SOA", &soa.data)).collect());
        section("ADDITIONAL", self.additional.iter().map(line).collect());
        let seconds = invocation.host.with(|simulation| simulation.cluster.timestamp().0);
        let when = formatted("%a %b %d %H:%M:%S", seconds, 0);
        let year = formatted("%Y", seconds, 0);
        let size = self.bytes(authority.as_ref());
        text.push_str(&format!(
            ";; Query time: {took_ms} msec\n;; SERVER: {server}#53({server}) ({carried})\n;; WHEN: {when} UTC {year}\n;; MSG SIZE  rcvd: {size}\n\n"
        ));
        text
    }

    /// The record that says how long an absence may be believed.
    fn authority(&self, invocation: &Invocation) -> Option<Soa> {
        if !self.answer.records.is_empty() {
            return None;
        }
        let (epoch, now) = invocation
            .host
            .with(|simulation| (simulation.cluster.settings().epoch.0, simulation.cluster.timestamp().0));
        Some(if self.answer.authoritative {
            let data = format!("ns.dns.{DOMAIN}. hostmaster.{DOMAIN}. {epoch} 7200 1800 86400 30");
            Soa { owner: format!("{DOMAIN}."), data, bytes: 2 + 10 + 9 + 13 + 20 }
        } else {
            let day = formatted("%Y%m%d", now, 0);
            let data = format!("a.root-servers.net. nstld.verisign-grs.com. {day}00 1800 900 604800 86400");
            Soa { owner: ".".to_owned(), data, bytes: 1 + 10 + 20 + 24 + 20 }
        })
    }

    /// The size of the message: names of owners are cut to what was not written before, those in data are not.
    fn bytes(&self, authority: Option<&Soa>) -> usize {
        let mut written: Vec<String> = vec![self.name.clone()];
        let mut size = HEADER_BYTES + OPT_BYTES + wire(&self.name) + 4;
        for record in self.answer.records.iter().chain(&self.additional) {
            size += compressed(&record.name, &written) + 10;
            written.push(record.name.to_string());
            size += match &record.data {
                Data::A(_) => 4,
                Data::Aaaa(_) => 16,
                Data::Ptr(target) => wire(target),
                Data::Cname(target) => {
                    written.push(target.to_string());
                    wire(target)
                }
                Data::Srv { target, .. } => 6 + wire(target),
            };
        }
        size + authority.map_or(0, |soa| soa.bytes)
    }
}

/// A start of authority.
struct Soa {
    owner: String,
    data: String,
    bytes: usize,
}

/// The bytes of a name: its length, the first label's length and the root.
fn wire(name: &str) -> usize {
    if name.is_empty() { 1 } else { name.len() + 2 }
}

/// The bytes of a name of which the longest known end is pointed at.
fn compressed(name: &str, written: &[String]) -> usize {
    let ends = std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1));
    for start in ends {
        let end = &name[start..];
        let known = written.iter().any(|one| one == end || one.ends_with(&format!(".{end}")));
        if known {
            return start + 2;
        }
    }
    wire(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and sizes of `network/tools/dig`.
    #[test]
    fn records_stand_in_columns() {
        for (owner, kind, data, expected) in [
            (
                "web.dp.svc.cluster.local.",
                "A",
                "10.96.3.81",
                "web.dp.svc.cluster.local. 30\tIN\tA\t10.96.3.81",
            ),
            (
                "echo-hl.dp.svc.cluster.local.",
                "A",
                "10.244.2.16",
                "echo-hl.dp.svc.cluster.local. 30 IN\tA\t10.244.2.16",
            ),
            (
                "_http._tcp.web.dp.svc.cluster.local.",
                "SRV",
                "0 100 80 web.dp.svc.cluster.local.",
                "_http._tcp.web.dp.svc.cluster.local. 30\tIN SRV\t0 100 80 web.dp.svc.cluster.local.",
            ),
            ("www.example.com.", "A", "203.0.113.10", "www.example.com.\t30\tIN\tA\t203.0.113.10"),
            (".", "SOA", "a.", ".\t\t\t30\tIN\tSOA\ta."),
        ] {
            assert_eq!(record_line(owner, kind, data), expected);
        }
    }

    #[test]
    fn messages_have_their_size() {
        let a = |name: &str| Record { name: name.into(), data: Data::A("10.96.3.81".parse().unwrap()) };
        let srv = |name: &str, target: &str| Record {
            name: name.into(),
            data: Data::Srv { priority: 0, weight: 100, port: 80, target: target.into() },
        };
        let size = |name: &str, records: Vec<Record>, additional: Vec<Record>| {
            let answer = Answer { code: Code::NoError, authoritative: true, records };
            Message { name: name.to_owned(), kind: RecordKind::A, answer, additional }.bytes(None)
        };
        let web = "web.dp.svc.cluster.local";
        assert_eq!(size(web, vec![a(web)], Vec::new()), 81);
        let name = "_http._tcp.web.dp.svc.cluster.local";
        assert_eq!(size(name, vec![srv(name, web)], vec![a(web)]), 136);
        let name = "_http._tcp.db.dp.svc.cluster.local";
        let hosts = ["db-0.db.dp.svc.cluster.local", "db-1.db.dp.svc.cluster.local"];
        assert_eq!(size(name, hosts.map(|host| srv(name, host)).into(), hosts.map(a).into()), 213);
    }
}
