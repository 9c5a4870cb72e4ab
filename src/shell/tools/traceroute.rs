//! `traceroute`: the places that a packet passes on its way, by packets whose time to live ends there.
//!
//! Owns the command; traceroute 2.1's words, and busybox' (reference: `network/tools/traceroute`).

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::network::dns::{Data, RecordKind};
use crate::network::{NoRouteCause, Outcome, Sending, Transport};
use crate::shell::client::origin;
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply, resolve};
use crate::shell::tools::nslookup::reverse_name;
use crate::words::Words;

/// The port of the first UDP probe; each next one takes the next port.
const FIRST_PORT: u16 = 33_434;
/// How many probes are under way at once, so that a wait is for all of them.
const TOGETHER: u32 = 16;

/// `traceroute`.
pub static COMMAND: Command = Command {
    name: "traceroute",
    usage: "[-n] [-T [-p PORT] | -I] [-m HOPS] [-q PROBES] [-w SECONDS] HOST",
    summary: Words { en: "show the places that a packet passes", zh: "显示数据包经过的各处" },
    flags: &[
        switch('n', "", "addresses as numbers", "以数字显示地址"),
        switch('T', "tcp", "send TCP SYNs", "发送 TCP SYN"),
        switch('I', "icmp", "send echo requests", "发送 ICMP 回显请求"),
        switch('U', "udp", "send datagrams to one port", "向固定端口发送 UDP"),
        switch('4', "", "accepted", "可接受"),
        option('p', "port", Value::Number, "the port", "端口"),
        option('m', "max-hops", Value::Number, "how many hops at most, 30 if not given", "最多跳数，默认 30"),
        option('q', "queries", Value::Number, "probes of each hop, 3 if not given", "每跳探测次数，默认 3"),
        option('w', "wait", Value::Number, "seconds to wait for answers", "等待应答的秒数"),
        option('f', "first", Value::Number, "begin at this hop", "从第几跳开始"),
    ],
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// What came back of a probe.
enum Probe {
    /// Somebody answered, after so many µs; whether it was the target, and what is said of the answer.
    From {
        by: IpAddr,
        us: u64,
        last: bool,
        mark: &'static str,
    },
    Nobody,
}

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let number = |name: &str, usual: u16, most: u16| {
        let value = parsed.value(name).and_then(|text| text.parse::<u16>().ok());
        value.unwrap_or(usual).clamp(1, most)
    };
    let (hops, probes, first) = (number("m", 30, 255), number("q", 3, 10), number("f", 1, 255));
    let wait: f64 = parsed.value("w").and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let transport = match (parsed.has("T"), parsed.has("I")) {
        (true, _) => Transport::Tcp,
        (_, true) => Transport::Icmp,
        _ => Transport::Udp,
    };
    let port = number("p", if transport == Transport::Tcp { 80 } else { FIRST_PORT }, u16::MAX);
    let fixed = transport == Transport::Tcp || parsed.has("U");
    let Some(host) = parsed.operands.first() else {
        invocation.stderr().line("Specify \"host\" missing argument.");
        return 2;
    };
    let busybox = invocation.place.busybox.is_some();
    let Some(address) = resolve(&invocation, host, None).await.ok().and_then(|found| found.first().copied())
    else {
        let text = match busybox {
            true => format!("traceroute: bad address '{host}'\n"),
            false => {
                let at = invocation.arguments.len();
                format!(
                    "{host}: Name or service not known\nCannot handle \"host\" cmdline arg `{host}' on position 1 (argc {at})\n"
                )
            }
        };
        invocation.stderr().write(&text);
        return if busybox { 1 } else { 2 };
    };
    let bytes = match (busybox, address.is_ipv4()) {
        (true, _) => 46,
        (_, true) => 60,
        (_, false) => 80,
    };
    invocation.say(&format!("traceroute to {host} ({address}), {hops} hops max, {bytes} byte packets"));
    let mut sent = 0;
    for hop in first..=hops {
        let mut line = format!("{hop:>2} ");
        let (mut shown, mut over) = (None, false);
        for _ in 0..probes {
            let to_port = if transport == Transport::Icmp {
                0
            } else if fixed {
                port
            } else {
                port.saturating_add(sent)
            };
            sent = sent.saturating_add(1);
            let to = SocketAddr::new(address, to_port);
            match probe(&invocation, to, transport, u8::try_from(hop).unwrap_or(u8::MAX)) {
                Probe::From { by, us, last, mark } => {
                    if shown != Some(by) {
                        let name = if parsed.has("n") { None } else { Some(name_of(&invocation, by).await) };
                        let _ = match name {
                            Some(name) => write!(line, " {name} ({by})"),
                            None => write!(line, " {by}"),
                        };
                        shown = Some(by);
                    }
                    let _ = write!(line, "  {:.3} ms{mark}", us as f64 / 1_000.0);
                    invocation.sleep(Duration::from_micros(us)).await;
                    over |= last;
                }
                Probe::Nobody => {
                    line.push_str(" *");
                    invocation.sleep(Duration::from_secs_f64(wait / f64::from(TOGETHER))).await;
                }
            }
        }
        invocation.say(&line);
        if over {
            break;
        }
    }
    0
}

/// Sends one probe.
fn probe(invocation: &Invocation, to: SocketAddr, transport: Transport, ttl: u8) -> Probe {
    let from = origin(&invocation.place);
    let trace =
        invocation.host.with(|simulation| simulation.send(&from, &Sending::new(to, transport).with_ttl(ttl)));
    match &trace.outcome {
        Outcome::Delivered(_) => {
            let us = trace.outcome.answer_after_us().unwrap_or(0);
            // A datagram that somebody takes is not answered.
            match transport {
                Transport::Udp => Probe::Nobody,
                _ => Probe::From { by: to.ip(), us, last: true, mark: "" },
            }
        }
        Outcome::Refused(refusal) => {
            Probe::From { by: refusal.by, us: 2 * refusal.latency_us, last: true, mark: "" }
        }
        Outcome::NoRoute(no_route) => {
            let far = no_route.cause != NoRouteCause::TimeToLive;
            let mark = if far { " !H" } else { "" };
            Probe::From { by: no_route.by, us: 2 * no_route.latency_us, last: far, mark }
        }
        Outcome::Dropped(_) => Probe::Nobody,
    }
}

/// The name of an address, or the address.
async fn name_of(invocation: &Invocation, address: IpAddr) -> String {
    let server = resolver::configuration(invocation).server;
    let found = resolver::ask(invocation, server, &reverse_name(address), RecordKind::Ptr, 1).await;
    let Reply::Answered(answer) = found else { return address.to_string() };
    let named = answer.records.iter().find_map(|record| match &record.data {
        Data::Ptr(target) => Some(target.to_string()),
        _ => None,
    });
    named.unwrap_or_else(|| address.to_string())
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const PODS: &str = "for n in 1 2; do kubectl run p$n --image=nicolaka/netshoot --overrides=\"{\\\"spec\\\":{\\\"nodeName\\\":\\\"k8s-w$n\\\"}}\" --command -- sleep 3600 >/dev/null; done; sleep 20; IP=$(kubectl get pod p2 -o jsonpath='{.status.podIP}'); ";
    const MASK: &str = "sed -e 's/[0-9.]* ms/T ms/g' -e 's/10\\.244\\.2\\.[0-9]*/POD/g'";

    #[test]
    fn a_pod_on_another_node_is_two_nodes_away() {
        check(
            &format!("{PODS} kubectl exec p1 -- traceroute -n -q 1 -m 5 $IP | {MASK}"),
            "traceroute to POD (POD), 5 hops max, 60 byte packets\n 1  10.244.1.1  T ms\n 2  192.168.1.74  T ms\n 3  POD  T ms",
            0,
        );
    }

    #[test]
    fn what_is_lost_is_a_star_and_a_service_answers_on_its_port() {
        check(
            &format!("{PODS} kubectl exec p1 -- traceroute -n -w 1 -q 2 -m 3 10.96.0.1 | {MASK}"),
            "traceroute to 10.96.0.1 (10.96.0.1), 3 hops max, 60 byte packets\n 1  10.244.1.1  T ms  T ms\n 2  * *\n 3  * *",
            0,
        );
        check(
            &format!(
                "{PODS} kubectl exec p1 -- traceroute -T -p 443 -n -q 1 -m 4 10.96.0.1 | {MASK} | tail -n 1"
            ),
            " 2  10.96.0.1  T ms",
            0,
        );
        check(
            "traceroute -n nosuch",
            "nosuch: Name or service not known\nCannot handle \"host\" cmdline arg `nosuch' on position 1 (argc 2)",
            2,
        );
    }
}
