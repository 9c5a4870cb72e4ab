//! `dig`: asks DNS for a name and shows the whole answer.
//!
//! Owns the command. What a message looks like is in [`message`]; who answers is [`crate::shell::resolver`]'s.

mod message;

use std::net::IpAddr;

use crate::network::dns::{Answer, Code, Data, Record, RecordKind};
use crate::shell::command::{Command, Flag, Found, Run, Value, option, switch};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply, note_failure};
use crate::shell::tools::nslookup::reverse_name;
use crate::words::Words;
use message::{Message, data};

/// dig's version.
const VERSION: &str = "9.18.49-1~deb12u3-Debian";
/// How long it waits for one answer, in seconds, and how often it asks, unless told otherwise.
const TIMEOUT_SECONDS: u64 = 5;
const TRIES: u32 = 3;

/// `dig`.
pub static COMMAND: Command = Command {
    name: "dig",
    usage: "[@SERVER] [TYPE] NAME [+short] [+search] [+noall +answer] [-x ADDRESS]",
    summary: Words {
        en: "ask DNS for a name and show the whole answer",
        zh: "向 DNS 查询名称并显示完整应答",
    },
    flags: FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// dig reads its arguments in its own way; these are declared for help and completion.
static FLAGS: &[Flag] = &[
    option('x', "", Value::Text, "the name of an address", "查询地址的名称"),
    option('t', "", Value::OneOf(&["A", "AAAA", "CNAME", "PTR", "SRV", "TXT"]), "the type", "记录类型"),
    switch('v', "", "print the version", "打印版本"),
];

/// What is asked, and how.
#[derive(Clone, Debug)]
struct Asked {
    names: Vec<(String, RecordKind)>,
    server: Option<String>,
    kind: Option<RecordKind>,
    short: bool,
    search: bool,
    tcp: bool,
    answer_only: bool,
    time: u64,
    tries: u32,
}

async fn run(invocation: Invocation) -> i32 {
    if invocation.arguments.iter().any(|word| word == "--help" || word == "-h") {
        invocation.stdout().write(&COMMAND.help(invocation.host.language()));
        return 0;
    }
    if invocation.arguments.iter().any(|word| word == "-v") {
        invocation.say(&format!("DiG {VERSION}"));
        return 0;
    }
    let asked = match read(&invocation.arguments) {
        Ok(asked) => asked,
        Err(message) => {
            invocation.stderr().write(&message);
            return 1;
        }
    };
    let Some(server) = resolver::server(&invocation, asked.server.as_deref()).await else {
        let name = asked.server.as_deref().unwrap_or_default();
        invocation.stderr().line(&format!("dig: couldn't get address for '{name}': not found"));
        return 1;
    };
    for (name, kind) in &asked.names {
        let status = question(&invocation, &asked, server, name, *kind).await;
        if status != 0 {
            return status;
        }
    }
    0
}

async fn question(
    invocation: &Invocation,
    asked: &Asked,
    server: IpAddr,
    name: &str,
    kind: RecordKind,
) -> i32 {
    let whole = name.trim_end_matches('.').to_owned();
    let names = if asked.search { resolver::candidates(invocation, name) } else { vec![whole] };
    let started = invocation.host.now();
    let mut last = None;
    for name in names {
        let name = name.trim_end_matches('.').to_owned();
        let Some(answer) = ask(invocation, asked, server, &name, kind).await else {
            let found = asked.server.as_ref().map(|_| "; (1 server found)\n").unwrap_or_default();
            if !asked.short {
                invocation
                    .stdout()
                    .write(&format!("\n{}{found};; global options: +cmd\n", title(invocation)));
            }
            invocation.say(";; no servers could be reached");
            note_failure(invocation, &name);
            return 9;
        };
        let found = answer.code == Code::NoError;
        last = Some((name, answer));
        if found {
            break;
        }
    }
    let Some((name, answer)) = last else { return 1 };
    if answer.code != Code::NoError {
        note_failure(invocation, &name);
    }
    let mut additional = Vec::new();
    for record in &answer.records {
        if let Data::Srv { target, .. } = &record.data
            && let Some(more) = addresses_of(invocation, target)
        {
            additional.extend(more);
        }
    }
    let message = Message { name, kind, answer, additional };
    if asked.short {
        for record in &message.answer.records {
            invocation.say(&data(&record.data));
        }
        return 0;
    }
    if asked.answer_only {
        for record in &message.answer.records {
            invocation.say(&message::line(record));
        }
        return 0;
    }
    let found = asked.server.as_ref().map(|_| "; (1 server found)\n").unwrap_or_default();
    invocation.stdout().write(&format!("\n{}{found};; global options: +cmd\n", title(invocation)));
    let took_ms = (invocation.host.now() - started) / 1_000;
    let carried = if asked.tcp { "TCP" } else { "UDP" };
    invocation.stdout().write(&message.shown(invocation, server, took_ms, carried));
    0
}

fn title(invocation: &Invocation) -> String {
    format!("; <<>> DiG {VERSION} <<>> {}\n", invocation.arguments.join(" "))
}

/// The addresses that the server adds for the host of an SRV record.
fn addresses_of(invocation: &Invocation, target: &str) -> Option<Vec<Record>> {
    invocation.host.with(|simulation| {
        let outside = &simulation.network.topology().outside;
        let answer = crate::network::dns::answer(&mut simulation.cluster, outside, target, RecordKind::A);
        (answer.code == Code::NoError).then_some(answer.records)
    })
}

/// One question; `None` when nobody answered, which has then been told.
async fn ask(
    invocation: &Invocation,
    asked: &Asked,
    server: IpAddr,
    name: &str,
    kind: RecordKind,
) -> Option<Answer> {
    for _ in 0..asked.tries {
        let why = match resolver::ask(invocation, server, name, kind, asked.time).await {
            Reply::Answered(answer) => return Some(answer),
            Reply::Refused => "connection refused",
            Reply::TimedOut => "timed out",
        };
        invocation.say(&format!(";; communications error to {server}#53: {why}"));
    }
    None
}

const USAGE: &str = "Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n            [ host [@local-server] {local-d-opt} [...]]\n\nUse \"dig -h\" (or \"dig -h | more\") for complete list of options\n";

fn read(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        names: Vec::new(),
        server: None,
        kind: None,
        short: false,
        search: false,
        tcp: false,
        answer_only: false,
        time: TIMEOUT_SECONDS,
        tries: TRIES,
    };
    let mut plain = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if let Some(option) = word.strip_prefix('+') {
            set(&mut asked, option).ok_or_else(|| format!("Invalid option: +{option}\n{USAGE}"))?;
        } else if let Some(server) = word.strip_prefix('@') {
            asked.server = Some(server.to_owned());
        } else if word == "-x" {
            let address = rest.next().and_then(|text| text.parse::<IpAddr>().ok());
            let address = address.ok_or_else(|| "dig: -x needs an address\n".to_owned())?;
            asked.names.push((reverse_name(address), RecordKind::Ptr));
        } else if word == "-t" {
            let name = rest.next().map(String::as_str).unwrap_or_default();
            asked.kind = Some(
                RecordKind::parse(name)
                    .ok_or_else(|| format!(";; Warning, ignoring invalid type {name}\n"))?,
            );
        } else if word == "-4" || word == "-6" || word.eq_ignore_ascii_case("IN") {
            continue;
        } else if word.starts_with('-') {
            return Err(format!("Invalid option: {word}\n{USAGE}"));
        } else if let Some(kind) = RecordKind::parse(word) {
            asked.kind = Some(kind);
        } else {
            plain.push(word.clone());
        }
    }
    let kind = asked.kind.unwrap_or(RecordKind::A);
    asked.names.extend(plain.into_iter().map(|name| (name, kind)));
    if asked.names.is_empty() {
        return Err(
            "dig without a name (the root's servers) is not simulated in Portside; nearest: dig NAME\n"
                .to_owned(),
        );
    }
    Ok(asked)
}

/// `+option`; `None` if there is none such.
fn set(asked: &mut Asked, option: &str) -> Option<()> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    match name {
        "short" => asked.short = true,
        "noshort" => asked.short = false,
        "search" => asked.search = true,
        "nosearch" => asked.search = false,
        "tcp" | "vc" => asked.tcp = true,
        "notcp" | "novc" => asked.tcp = false,
        "noall" => asked.answer_only = true,
        "all" => asked.answer_only = false,
        "time" | "timeout" => asked.time = value.parse().ok()?,
        "tries" => asked.tries = value.parse::<u32>().ok()?.max(1),
        "retry" => asked.tries = value.parse::<u32>().ok()? + 1,
        "answer" | "noanswer" | "cmd" | "nocmd" | "comments" | "nocomments" | "question" | "noquestion"
        | "stats" | "nostats" | "authority" | "noauthority" | "additional" | "noadditional" | "recurse"
        | "norecurse" | "edns" | "noedns" | "cookie" | "nocookie" | "ttlid" | "nottlid" => {}
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const POD: &str =
        "kubectl run c --image=nicolaka/netshoot --command -- sleep 3600 >/dev/null; sleep 20; ";

    #[test]
    fn short_answers_are_the_data_alone() {
        check(
            &format!("{POD} kubectl exec c -- dig +short kubernetes.default.svc.cluster.local"),
            "10.96.0.1",
            0,
        );
        check(&format!("{POD} kubectl exec c -- dig +short +search kube-dns.kube-system"), "10.96.0.10", 0);
        check(&format!("{POD} kubectl exec c -- dig +short kubernetes"), "", 0);
        check(
            &format!(
                "{POD} kubectl exec c -- dig +short SRV _https._tcp.kubernetes.default.svc.cluster.local"
            ),
            "0 100 443 kubernetes.default.svc.cluster.local.",
            0,
        );
        check(
            &format!("{POD} kubectl exec c -- dig +short -x 10.96.0.1"),
            "kubernetes.default.svc.cluster.local.",
            0,
        );
    }

    #[test]
    fn a_whole_answer_has_its_sections() {
        check(
            &format!(
                "{POD} kubectl exec c -- dig kubernetes.default.svc.cluster.local | grep -v -e COOKIE -e WHEN -e 'Query time' | sed 's/id: [0-9]*/id: N/'"
            ),
            "\n; <<>> DiG 9.18.49-1~deb12u3-Debian <<>> kubernetes.default.svc.cluster.local\n;; global options: +cmd\n;; Got answer:\n;; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N\n;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n;; WARNING: recursion requested but not available\n\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION SECTION:\n;kubernetes.default.svc.cluster.local. IN A\n\n;; ANSWER SECTION:\nkubernetes.default.svc.cluster.local. 30 IN A\t10.96.0.1\n\n;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n;; MSG SIZE  rcvd: 93",
            0,
        );
    }

    #[test]
    fn a_server_that_does_not_answer_is_told() {
        check(
            "dig +tries=1 +time=2 +short @10.96.0.10 kubernetes.default.svc.cluster.local",
            ";; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached",
            9,
        );
        check("ssh k8s-w1 dig @10.96.0.10 +short kubernetes.default.svc.cluster.local", "10.96.0.1", 0);
        check("dig +nosuch web 2>&1 | head -n 1", "Invalid option: +nosuch", 0);
    }
}
