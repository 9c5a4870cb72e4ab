//! `socat`: joins standard input and output with a connection of TCP, UDP or SCTP.
//!
//! Owns the command in the words of socat 1.8, for one kind of use: `socat - TYPE:HOST:PORT`. Every other pair of
//! addresses is not simulated. What comes over a connection is [`super::by_hand`]'s.

use std::net::SocketAddr;
use std::time::Duration;

use super::about::formatted;
use super::by_hand::{self, Ended};
use crate::network::Transport;
use crate::shell::client::{Failure, connect_by, connect_from};
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::flags::{Style, not_simulated};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::resolve;
use crate::words::Words;

/// `socat`.
pub static COMMAND: Command = Command {
    name: "socat",
    usage: "- TCP|UDP|SCTP:HOST:PORT[,connect-timeout=SECONDS]",
    summary: Words {
        en: "join the terminal with a connection of TCP, UDP or SCTP",
        zh: "把终端与一个 TCP、UDP 或 SCTP 连接接在一起",
    },
    flags: &[
        switch('d', "", "tell more", "显示更多信息"),
        option('t', "", Value::Number, "seconds to wait for answers", "等待应答的秒数"),
        option('T', "", Value::Number, "seconds without traffic", "无流量超时秒数"),
    ],
    operands: Value::Text,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// An address of the kind that is simulated.
struct Target {
    transport: Transport,
    host: String,
    port: u16,
    limit: Option<Duration>,
}

/// `SCTP:web:80,connect-timeout=3`.
fn target(text: &str) -> Option<Target> {
    let (kind, rest) = text.split_once(':')?;
    let kind = kind.to_ascii_uppercase();
    let transport = match kind.trim_end_matches("-CONNECT").trim_end_matches(['4', '6']) {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "SCTP" => Transport::Sctp,
        _ => return None,
    };
    let mut options = rest.split(',');
    let (host, port) = options.next()?.rsplit_once(':')?;
    let mut limit = None;
    for option in options {
        if let Some(seconds) = option.strip_prefix("connect-timeout=") {
            limit = Some(Duration::from_secs_f64(seconds.parse::<f64>().ok()?.clamp(0.001, 1e6)));
        }
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Target { transport, host, port: port.parse().ok()?, limit })
}

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let complain = |text: &str| {
        let time = invocation.host.with(|simulation| simulation.cluster.timestamp());
        let time = formatted("%Y/%m/%d %H:%M:%S", time.0, 0);
        invocation.stderr().line(&format!("{time} socat[7] E {text}"));
        1
    };
    let [own, other] = parsed.operands.as_slice() else {
        let count = parsed.operands.len();
        return complain(&format!(
            "exactly 2 addresses required (there are {count}); use option \"-h\" for help"
        ));
    };
    let target = if matches!(own.as_str(), "-" | "STDIO" | "STDIN") { target(other) } else { None };
    let Some(target) = target else {
        let nearest = "socat - TCP|UDP|SCTP:HOST:PORT";
        invocation.stderr().write(&not_simulated(&format!("socat {own} {other}"), nearest));
        return 1;
    };
    let Ok(addresses) = resolve(&invocation, &target.host, None).await else {
        let (kind, number) = match target.transport {
            Transport::Udp => (2, 17),
            Transport::Sctp => (1, 132),
            _ => (1, 6),
        };
        let asked = format!("\"{}\", \"NULL\", {{0x02,0,{kind},{number}}}, {{}}", target.host);
        return complain(&format!("getaddrinfo({asked}): Name or service not known"));
    };
    let to = SocketAddr::new(addresses[0], target.port);
    let opened = match target.transport {
        Transport::Udp => {
            if let Ended::Failed(_) = by_hand::datagrams(&invocation, to, None, false).await {
                return complain("read(5, 0x0, 8192): Connection refused");
            }
            // Half a second after the input ends socat ends too.
            invocation.sleep(Duration::from_millis(500)).await;
            return 0;
        }
        Transport::Sctp => connect_by(&invocation, Transport::Sctp, None, to, target.limit).await,
        _ => connect_from(&invocation, None, to, target.limit).await,
    };
    match opened {
        Ok(connection) => {
            by_hand::talk(&invocation, &connection).await;
            0
        }
        Err(refusal) => {
            let why = match refusal.failure {
                Failure::Refused => "Connection refused",
                Failure::NoRoute => "No route to host",
                Failure::TimedOut | Failure::LimitReached => "Connection timed out",
            };
            let (family, length) = if to.is_ipv4() { (2, 16) } else { (10, 28) };
            complain(&format!("connect(5, AF={family} {to}, {length}): {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn addresses_of_connections_are_read() {
        let read = |text: &str| target(text).map(|target| (target.transport, target.host, target.port));
        assert_eq!(read("SCTP:web:80,connect-timeout=3"), Some((Transport::Sctp, "web".to_owned(), 80)));
        assert_eq!(read("tcp6-connect:[fd00::1]:80"), Some((Transport::Tcp, "fd00::1".to_owned(), 80)));
        assert!(read("TCP-LISTEN:80").is_none());
    }

    #[test]
    fn a_connection_is_refused_and_what_is_not_simulated_is_said() {
        check(
            "socat - TCP:192.168.1.73:81 2>&1 | cut -d ' ' -f 3-",
            "socat[7] E connect(5, AF=2 192.168.1.73:81, 16): Connection refused",
            0,
        );
        check(
            "socat - TCP-LISTEN:80",
            "socat - TCP-LISTEN:80 is not simulated in Portside; nearest: socat - TCP|UDP|SCTP:HOST:PORT",
            1,
        );
    }
}
