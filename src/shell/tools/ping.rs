//! `ping`: sends echo requests.
//!
//! Owns the two forms of ping, iputils' and busybox' (reference `tools/ping`).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::network::{NoRouteCause, Outcome, Transport};
use crate::shell::client::origin;
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{ResolveError, resolve};
use crate::words::Words;

/// `ping`.
pub static COMMAND: Command = Command {
    name: "ping",
    usage: "[-c COUNT] [-W SECONDS] HOST",
    summary: Words { en: "send echo requests to a host", zh: "向主机发送回显请求" },
    flags: FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

static FLAGS: &[Flag] = &[
    option('c', "", Value::Number, "how many to send", "发送次数"),
    option('i', "", Value::Number, "seconds between two", "两次之间的秒数"),
    option('W', "", Value::Number, "seconds to wait for an answer", "等待应答的秒数"),
    option('w', "", Value::Number, "seconds for everything", "总秒数"),
    switch('q', "", "print the summary alone", "只打印汇总"),
    switch('n', "", "no names", "不解析名称"),
    switch('4', "", "use IPv4", "使用 IPv4"),
    not_simulated('s', "", Value::Number, ""),
    not_simulated('f', "", Value::None, "-i 0.2"),
    not_simulated('I', "", Value::Text, "run ping in another place"),
];

/// How long to wait for the last answer, in seconds.
const WAIT_SECONDS: f64 = 10.0;
/// Round trips of hosts take a little longer than their wires: what the hosts themselves add, in ms.
const HOST_MS: f64 = 0.03;

struct Count {
    sent: u32,
    received: u32,
    errors: u32,
    times_ms: Vec<f64>,
}

struct Ping<'a> {
    invocation: &'a Invocation,
    busybox: bool,
    quiet: bool,
    name: String,
    address: IpAddr,
}

async fn run(invocation: Invocation) -> i32 {
    let busybox = invocation.place.busybox.is_some();
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(0) => return 0,
        Err(_) => return 2,
    };
    let Some(host) = parsed.operands.first() else {
        invocation.stderr().line("ping: usage error: Destination address required");
        return 1;
    };
    let address = match resolve(&invocation, host, None).await {
        Ok(addresses) => addresses[0],
        Err(_) if busybox => {
            invocation.stderr().line(&format!("ping: bad address '{host}'"));
            return 1;
        }
        Err(error) => {
            let why = match error {
                ResolveError::NotFound => "Name or service not known",
                ResolveError::NoServer | ResolveError::LimitReached => "Temporary failure in name resolution",
            };
            invocation.stderr().line(&format!("ping: {host}: {why}"));
            return 2;
        }
    };
    let number = |flag: &str| parsed.value(flag).and_then(|text| text.parse::<f64>().ok());
    let ping = Ping { invocation: &invocation, busybox, quiet: parsed.has("q"), name: host.clone(), address };
    let count = number("c").map(|count| count as u32);
    ping.run(count, number("i").unwrap_or(1.0), number("W").unwrap_or(WAIT_SECONDS), number("w")).await
}

impl Ping<'_> {
    async fn run(&self, count: Option<u32>, interval: f64, wait: f64, limit: Option<f64>) -> i32 {
        let start = self.invocation.host.now();
        let head = if self.busybox {
            format!("PING {} ({}): 56 data bytes", self.name, self.address)
        } else {
            format!("PING {} ({}) 56(84) bytes of data.", self.name, self.address)
        };
        self.invocation.say(&head);
        let mut seen = Count { sent: 0, received: 0, errors: 0, times_ms: Vec::new() };
        let elapsed = |now: u64| (now - start) as f64 / 1e6;
        loop {
            let answered = self.one(&mut seen).await;
            let last = count.is_some_and(|count| seen.sent >= count);
            let over = limit.is_some_and(|limit| elapsed(self.invocation.host.now()) + interval > limit);
            if last || over {
                if !answered {
                    self.pause(wait.min(limit.unwrap_or(wait))).await;
                }
                break;
            }
            self.pause(interval).await;
        }
        self.summary(&seen, elapsed(self.invocation.host.now()));
        i32::from(seen.received == 0)
    }

    async fn pause(&self, seconds: f64) {
        self.invocation.sleep(Duration::from_secs_f64(seconds.clamp(0.0, 1e6))).await;
    }

    /// Sends one request; whether something came back.
    async fn one(&self, seen: &mut Count) -> bool {
        let from = origin(&self.invocation.place);
        let to = SocketAddr::new(self.address, 0);
        let trace = self.invocation.host.with(|simulation| simulation.connect(&from, to, Transport::Icmp));
        let sequence = seen.sent + u32::from(!self.busybox);
        seen.sent += 1;
        match &trace.outcome {
            Outcome::Delivered(delivery) => {
                let round_trip_us = 2 * delivery.latency_us;
                self.invocation.sleep(Duration::from_micros(round_trip_us)).await;
                let ms = round_trip_us as f64 / 1000.0 + HOST_MS;
                seen.received += 1;
                seen.times_ms.push(ms);
                let ttl = delivery.packet.ttl;
                let word = if self.busybox { "seq" } else { "icmp_seq" };
                self.tell(&format!(
                    "64 bytes from {}: {word}={sequence} ttl={ttl} time={ms:.3} ms",
                    self.address
                ));
                true
            }
            Outcome::Refused(refusal) => {
                seen.errors += 1;
                self.error(&format!("From {} icmp_seq={sequence} Destination Port Unreachable", refusal.by));
                true
            }
            Outcome::NoRoute(no_route) => {
                seen.errors += 1;
                let what = match no_route.cause {
                    NoRouteCause::TimeToLive => "Time to live exceeded",
                    NoRouteCause::NobodyHasAddress | NoRouteCause::NoSource => "Destination Host Unreachable",
                };
                self.error(&format!("From {} icmp_seq={sequence} {what}", no_route.by));
                true
            }
            Outcome::Dropped(_) => false,
        }
    }

    fn tell(&self, line: &str) {
        if !self.quiet {
            self.invocation.say(line);
        }
    }

    /// busybox does not tell of errors.
    fn error(&self, line: &str) {
        if !self.busybox {
            self.tell(line);
        }
    }

    fn summary(&self, seen: &Count, elapsed_seconds: f64) {
        let loss = 100 * (seen.sent - seen.received) / seen.sent.max(1);
        let (sent, received) = (seen.sent, seen.received);
        let errors = if seen.errors > 0 { format!(", +{} errors", seen.errors) } else { String::new() };
        let mut text = format!("\n--- {} ping statistics ---\n", self.name);
        if self.busybox {
            text.push_str(&format!(
                "{sent} packets transmitted, {received} packets received, {loss}% packet loss\n"
            ));
        } else {
            let ms = (elapsed_seconds * 1000.0).round();
            text.push_str(&format!(
                "{sent} packets transmitted, {received} received{errors}, {loss}% packet loss, time {ms}ms\n"
            ));
        }
        if !seen.times_ms.is_empty() {
            let times = &seen.times_ms;
            let (min, max) =
                times.iter().fold((f64::MAX, 0.0_f64), |(min, max), ms| (min.min(*ms), max.max(*ms)));
            let mean = times.iter().sum::<f64>() / times.len() as f64;
            let spread = (times.iter().map(|ms| ms * ms).sum::<f64>() / times.len() as f64 - mean * mean)
                .max(0.0)
                .sqrt();
            text.push_str(&if self.busybox {
                format!("round-trip min/avg/max = {min:.3}/{mean:.3}/{max:.3} ms\n")
            } else {
                format!("rtt min/avg/max/mdev = {min:.3}/{mean:.3}/{max:.3}/{spread:.3} ms\n")
            });
        } else if !self.busybox {
            text.push('\n');
        }
        self.invocation.stdout().write(&text);
    }
}
