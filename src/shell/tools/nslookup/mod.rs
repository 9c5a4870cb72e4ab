//! `nslookup`: asks DNS for a name.
//!
//! Owns the command's declaration and what is common: options, questions. busybox' two nslookups (before and
//! since 1.29) and BIND's print in very different ways: [`busybox`], [`old_busybox`], [`bind`].

mod bind;
mod busybox;
mod old_busybox;

use std::net::IpAddr;

use crate::network::dns::{Data, Record, RecordKind};
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option};
use crate::shell::flags::not_simulated as not_simulated_words;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::note_failure;
use crate::words::Words;

/// `nslookup`.
pub static COMMAND: Command = Command {
    name: "nslookup",
    usage: "[-type=TYPE] NAME [SERVER]",
    summary: Words { en: "ask DNS for a name", zh: "向 DNS 查询名称" },
    flags: FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// nslookup's options begin with one dash; these are declared for help and completion.
static FLAGS: &[Flag] = &[
    option(
        '\0',
        "type",
        Value::OneOf(&["A", "AAAA", "CNAME", "PTR", "SRV"]),
        "the type of record",
        "记录类型",
    ),
    not_simulated('\0', "debug", Value::None, "dig"),
    not_simulated('\0', "port", Value::Number, ""),
];

/// What is asked.
struct Asked {
    name: String,
    server: Option<String>,
    kind: Option<RecordKind>,
}

async fn run(invocation: Invocation) -> i32 {
    if invocation.arguments.iter().any(|word| word == "--help") {
        invocation.stdout().write(&COMMAND.help(invocation.host.language()));
        return 0;
    }
    let asked = match read(&invocation.arguments) {
        Ok(asked) => asked,
        Err(message) => {
            invocation.stderr().write(&message);
            return 1;
        }
    };
    let status = match invocation.place.busybox {
        Some(version) if version < (1, 29) => old_busybox::run(&invocation, &asked).await,
        Some(_) => busybox::run(&invocation, &asked).await,
        None => bind::run(&invocation, &asked).await,
    };
    if status != 0 && asked.name.parse::<IpAddr>().is_err() {
        note_failure(&invocation, &asked.name);
    }
    status
}

fn read(arguments: &[String]) -> Result<Asked, String> {
    let mut words = Vec::new();
    let mut kind = None;
    for word in arguments {
        let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
            words.push(word.clone());
            continue;
        };
        let (name, value) = flag.trim_start_matches('-').split_once('=').unwrap_or((flag, ""));
        match name {
            "type" | "query" | "querytype" | "q" => {
                kind =
                    Some(RecordKind::parse(value).ok_or_else(|| format!("unknown query type: {value}\n"))?);
            }
            "debug" | "port" | "timeout" | "retry" => {
                return Err(not_simulated_words(&format!("nslookup {word}"), "dig"));
            }
            _ => return Err(format!("*** Invalid option: {name}\n")),
        }
    }
    let mut words = words.into_iter();
    let name = words.next().ok_or_else(|| {
        not_simulated_words("nslookup without a name (its interactive mode)", "nslookup NAME")
    })?;
    Ok(Asked { name, server: words.next(), kind })
}

/// The name under which DNS keeps the name of an address.
pub(super) fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits: Vec<String> = v6
                .octets()
                .iter()
                .rev()
                .flat_map(|byte| [byte & 15, byte >> 4])
                .map(|nibble| format!("{nibble:x}"))
                .collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

/// A record as nslookup prints it; `dot` ends names that stand on the right.
fn shown(record: &Record, dot: &str) -> String {
    let name = &record.name;
    match &record.data {
        Data::A(address) => format!("Name:\t{name}\nAddress: {address}"),
        Data::Aaaa(address) => format!("Name:\t{name}\nAddress: {address}"),
        Data::Cname(target) => format!("{name}\tcanonical name = {target}{dot}"),
        Data::Ptr(target) => format!("{name}\tname = {target}{dot}"),
        Data::Srv { priority, weight, port, target } => {
            format!("{name}\tservice = {priority} {weight} {port} {target}{dot}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_reverse_names() {
        assert_eq!(reverse_name("10.96.3.81".parse().unwrap()), "81.3.96.10.in-addr.arpa");
        assert!(reverse_name("fd00::1".parse().unwrap()).starts_with("1.0.0.0."));
    }

    #[test]
    fn options_may_stand_anywhere() {
        let words: Vec<String> = ["web", "-type=srv", "10.96.0.10"].map(str::to_owned).into();
        let asked = read(&words).unwrap();
        assert_eq!(
            (asked.name.as_str(), asked.server.as_deref(), asked.kind),
            ("web", Some("10.96.0.10"), Some(RecordKind::Srv))
        );
    }
}
