//! `ncat`: nmap's nc, which speaks SCTP too.
//!
//! Owns the command in the words of Ncat 7.93: connecting, looking whether a port is open (`-z`), and sending standard
//! input, over TCP, UDP and SCTP. What comes over a connection is [`super::by_hand`]'s. Listening is not simulated:
//! what listens in a Pod is its image's business.

use std::net::SocketAddr;
use std::time::Duration;

use super::by_hand::{self, Ended};
use crate::network::Transport;
use crate::shell::client::{Failure, connect_by, connect_from};
use crate::shell::command::{Command, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{ResolveError, resolve};
use crate::words::Words;

/// `ncat`.
pub static COMMAND: Command = Command {
    name: "ncat",
    usage: "[--sctp|-u] [-zv] [-w SECONDS] HOST [PORT]",
    summary: Words {
        en: "open a connection by hand, also of SCTP", zh: "手动打开一个连接（也支持 SCTP）"
    },
    flags: &[
        switch('z', "", "only look whether the port is open", "只查看端口是否打开"),
        switch('v', "verbose", "tell what happens", "显示过程"),
        switch('u', "udp", "UDP", "UDP"),
        switch('\0', "sctp", "SCTP", "SCTP"),
        switch('n', "nodns", "addresses alone, no names", "只用地址，不解析名称"),
        switch('4', "", "IPv4 alone", "只用 IPv4"),
        switch('6', "", "IPv6 alone", "只用 IPv6"),
        switch('\0', "send-only", "do not wait for answers", "只发送，不等待应答"),
        option('w', "wait", Value::Text, "how long to try, 10 s if not given", "连接超时，默认 10 秒"),
        option('i', "idle-timeout", Value::Text, "how long to wait for answers", "等待应答的时间"),
        option('p', "source-port", Value::Number, "the port to send from", "发送所用的源端口"),
        not_simulated('l', "listen", Value::None, "a Pod whose image listens"),
        not_simulated('e', "exec", Value::Text, "a Pod whose image listens"),
        not_simulated('c', "sh-exec", Value::Text, "a Pod whose image listens"),
        not_simulated('\0', "ssl", Value::None, "curl https://…"),
    ],
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// How long it tries, and its port, if nothing is said.
const USUAL_WAIT: Duration = Duration::from_secs(10);
const USUAL_PORT: u16 = 31_337;

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(_) => return 2,
    };
    let say = |text: &str| invocation.stderr().line(&format!("Ncat: {text}"));
    let (host, port) = match parsed.operands.as_slice() {
        [host] => (host, Some(USUAL_PORT)),
        [host, port] => (host, port.parse::<u16>().ok().filter(|port| *port > 0)),
        [] => {
            say("You must specify a host to connect to. QUITTING.");
            return 2;
        }
        [_, _, more, ..] => {
            say(&format!("Got more than one port specification: {more}. QUITTING."));
            return 2;
        }
    };
    let Some(port) = port else {
        say(&format!("Invalid port number \"{}\". QUITTING.", parsed.operands[1]));
        return 2;
    };
    let verbose = parsed.has("verbose");
    let tell = |text: &str| {
        if verbose {
            say(text)
        }
    };
    tell("Version 7.93 ( https://nmap.org/ncat )");
    let unresolved = |why: &str| {
        say(&format!("Could not resolve hostname \"{host}\": {why}. QUITTING."));
        2
    };
    let addresses = match resolve(&invocation, host, None).await {
        Ok(addresses) => addresses,
        Err(ResolveError::NotFound) => return unresolved("Name or service not known"),
        Err(_) => return unresolved("Temporary failure in name resolution"),
    };
    let (four, six) = (parsed.has("4"), parsed.has("6"));
    let Some(address) = addresses.into_iter().find(|ip| four == six || ip.is_ipv4() == four) else {
        return unresolved("Address family for hostname not supported");
    };
    let to = SocketAddr::new(address, port);
    let wait = parsed.value("wait").and_then(duration).unwrap_or(USUAL_WAIT);
    let source = parsed.value("source-port").and_then(|port| port.parse().ok());
    let refused = |failure: Failure| {
        say(match failure {
            Failure::Refused => "Connection refused.",
            Failure::NoRoute => "No route to host.",
            Failure::TimedOut => "Connection timed out.",
            Failure::LimitReached => "TIMEOUT.",
        });
        1
    };
    let began = invocation.host.now();
    let only_looks = parsed.has("z");
    let exchanged = if parsed.has("udp") {
        tell(&format!("Connected to {to}."));
        match by_hand::datagrams(&invocation, to, source, only_looks).await {
            Ended::Well(exchanged) => exchanged,
            Ended::Failed(failure) => return refused(failure),
        }
    } else {
        let opened = match parsed.has("sctp") {
            true => connect_by(&invocation, Transport::Sctp, source, to, Some(wait)).await,
            false => connect_from(&invocation, source, to, Some(wait)).await,
        };
        let connection = match opened {
            Ok(connection) => connection,
            Err(refusal) => return refused(refusal.failure),
        };
        tell(&format!("Connected to {to}."));
        if only_looks { by_hand::Exchanged::default() } else { by_hand::talk(&invocation, &connection).await }
    };
    if parsed.has("udp") && only_looks {
        tell("UDP packet sent successfully");
        invocation.sleep(Duration::from_secs(2)).await;
    } else if let Some(idle) = parsed.value("idle-timeout").and_then(duration) {
        invocation.sleep(idle).await;
    }
    let seconds = (invocation.host.now() - began) as f64 / 1e6;
    let (sent, received) = (exchanged.sent, exchanged.received);
    tell(&format!("{sent} bytes sent, {received} bytes received in {seconds:.2} seconds."));
    0
}

/// A time as nmap's programs read it: seconds, or with `ms`, `s`, `m` or `h` behind.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match &text[end..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    let seconds = number * unit;
    (seconds > 0.0 && seconds < 1e6).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    /// A Pod that answers over SCTP behind a Service, with a port that is not there, and a Service without endpoints.
    const WORLD: &str = "cat > w.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.53, args: [netexec, --sctp-port=9999]}]}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {clusterIP: 10.96.7.1, selector: {app: one}, ports: [{name: s, port: 9999, protocol: SCTP}, {name: wrong, port: 9998, protocol: SCTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {clusterIP: 10.96.7.2, selector: {app: none}, ports: [{port: 9999, protocol: SCTP}]}
EOF
kubectl apply -f w.yaml >/dev/null; sleep 20; ssh k8s-w1 ";

    #[test]
    fn a_server_answers_over_sctp() {
        check(&format!("{WORLD} 'echo hostname | ncat --sctp 10.96.7.1 9999'"), "one", 0);
        check(
            &format!("{WORLD} 'ncat --sctp -zv 10.96.7.1 9999'"),
            "Ncat: Version 7.93 ( https://nmap.org/ncat )\nNcat: Connected to 10.96.7.1:9999.\nNcat: 0 bytes sent, 0 bytes received in 0.00 seconds.",
            0,
        );
        check(
            &format!(
                "{WORLD} 'ncat --sctp -z 10.96.7.1 9999; conntrack -L -p sctp 2>/dev/null | cut -d \" \" -f 1-8'"
            ),
            "sctp     132 9 CLOSED",
            0,
        );
    }

    #[test]
    fn a_closed_port_aborts_and_a_rejected_packet_does_not() {
        check(&format!("{WORLD} 'ncat --sctp 10.96.7.1 9998'"), "Ncat: Connection refused.", 1);
        check(&format!("{WORLD} 'ncat --sctp -w 3 10.96.7.2 9999'"), "Ncat: TIMEOUT.", 1);
    }

    #[test]
    fn what_cannot_be_is_said() {
        check(
            "ncat nosuch 80",
            "Ncat: Could not resolve hostname \"nosuch\": Name or service not known. QUITTING.",
            2,
        );
        check("ncat", "Ncat: You must specify a host to connect to. QUITTING.", 2);
        check("ncat 192.168.1.73 81", "Ncat: Connection refused.", 1);
    }
}
