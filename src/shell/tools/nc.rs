//! `nc`: opens a connection by hand.
//!
//! Owns looking whether a port is open (`-z`) and sending standard input (OpenBSD's nc and busybox', reference
//! `tools/nc`). Listening is not simulated: what listens in a Pod is its image's business.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::containers::http::{Request, Response};
use crate::network::{Outcome, Sending, Transport};
use crate::shell::client::{Failure, connect_from, datagram_answer, exchange, origin};
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{ResolveError, resolve};
use crate::words::Words;

/// `nc`.
pub static COMMAND: Command = Command {
    name: "nc",
    usage: "[-zvu] [-w SECONDS] HOST PORT",
    summary: Words { en: "open a connection by hand", zh: "手动打开一个连接" },
    flags: FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

static FLAGS: &[Flag] = &[
    switch('z', "", "only look whether the port is open", "只查看端口是否打开"),
    switch('v', "", "tell what happens", "显示过程"),
    switch('u', "", "UDP", "UDP"),
    switch('n', "", "addresses alone, no names", "只用地址，不解析名称"),
    switch('4', "", "IPv4 alone", "只用 IPv4"),
    switch('6', "", "IPv6 alone", "只用 IPv6"),
    switch('N', "", "close after the input ends", "输入结束后关闭"),
    option('w', "", Value::Number, "seconds to wait", "等待秒数"),
    not_simulated('l', "", Value::None, "a Pod whose image listens"),
    not_simulated('e', "", Value::Text, "a Pod whose image listens"),
    option('p', "", Value::Number, "the port to send from", "发送所用的源端口"),
];

/// The names that /etc/services gives to ports, as far as `-v` shows them.
const PORT_NAMES: &[(u16, &str)] = &[
    (21, "ftp"),
    (22, "ssh"),
    (53, "domain"),
    (80, "http"),
    (443, "https"),
    (3306, "mysql"),
    (5353, "mdns"),
    (5432, "postgresql"),
    (6379, "redis"),
    (8080, "http-alt"),
    (9090, "*"),
    (11211, "*"),
];

/// Until somebody interrupts it: `nc -u` waits for answers without end.
const FOR_EVER: Duration = Duration::from_secs(1 << 32);

async fn run(invocation: Invocation) -> i32 {
    let busybox = invocation.place.busybox.is_some();
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let [host, ports] = parsed.operands.as_slice() else {
        invocation.stderr().write(&COMMAND.help(invocation.host.language()));
        return 1;
    };
    let Some((first, last)) = port_range(ports) else {
        return invocation.fail(&format!("port number invalid: {ports}"));
    };
    let addresses = match resolve(&invocation, host, None).await {
        Ok(addresses) => addresses,
        Err(_) if busybox => return invocation.fail(&format!("bad address '{host}'")),
        Err(error) => {
            let why = if error == ResolveError::NotFound {
                "Name or service not known"
            } else {
                "Temporary failure in name resolution"
            };
            return invocation.fail(&format!("getaddrinfo for host \"{host}\" port {ports}: {why}"));
        }
    };
    let wanted = |address: &IpAddr| match (parsed.has("4"), parsed.has("6")) {
        (true, false) => address.is_ipv4(),
        (false, true) => address.is_ipv6(),
        _ => true,
    };
    let addresses: Vec<IpAddr> = addresses.into_iter().filter(wanted).collect();
    if addresses.is_empty() {
        let why = "Address family for hostname not supported";
        return invocation.fail(&format!("getaddrinfo for host \"{host}\" port {ports}: {why}"));
    }
    let nc = Nc { invocation: &invocation, parsed: &parsed, busybox, host };
    let mut any = false;
    for port in first..=last {
        any |= if parsed.has("u") {
            nc.datagram(addresses[0], port).await
        } else {
            nc.stream(&addresses, port).await
        };
    }
    i32::from(!any)
}

/// `80` or `79-81`.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = (first.parse().ok()?, last.parse().ok()?);
    (range.0 > 0 && range.0 <= range.1).then_some(range)
}

struct Nc<'a> {
    invocation: &'a Invocation,
    parsed: &'a Parsed,
    busybox: bool,
    host: &'a str,
}

impl Nc<'_> {
    fn limit(&self) -> Option<Duration> {
        let seconds: f64 = self.parsed.value("w")?.parse().ok()?;
        (seconds > 0.0 && seconds < 1e6).then(|| Duration::from_secs_f64(seconds))
    }

    fn source_port(&self) -> Option<u16> {
        self.parsed.value("p")?.parse().ok().filter(|port| *port != 0)
    }

    fn tell(&self, text: &str) {
        if self.parsed.has("v") || self.busybox {
            self.invocation.stderr().line(text);
        }
    }

    /// The host as nc shows it: with its address where a name was given.
    fn shown(&self, address: IpAddr) -> String {
        if self.host.parse::<IpAddr>().is_ok() {
            self.host.to_owned()
        } else {
            format!("{} ({address})", self.host)
        }
    }

    fn succeeded(&self, address: IpAddr, port: u16, protocol: &str) {
        let name = PORT_NAMES.iter().find(|(number, _)| *number == port).map_or("*", |(_, name)| name);
        if !self.busybox {
            let shown = self.shown(address);
            self.tell(&format!("Connection to {shown} {port} port [{protocol}/{name}] succeeded!"));
        }
    }

    async fn stream(&self, addresses: &[IpAddr], port: u16) -> bool {
        for address in addresses {
            let to = SocketAddr::new(*address, port);
            match connect_from(self.invocation, self.source_port(), to, self.limit()).await {
                Ok(connection) => {
                    self.succeeded(*address, port, "tcp");
                    if !self.parsed.has("z") {
                        self.talk(&connection).await;
                    }
                    return true;
                }
                Err(refusal) => self.tell(&self.failed(*address, port, refusal.failure)),
            }
        }
        false
    }

    fn failed(&self, address: IpAddr, port: u16, failure: Failure) -> String {
        let why = match failure {
            Failure::Refused => "Connection refused",
            Failure::NoRoute => "No route to host",
            Failure::TimedOut => "Connection timed out",
            Failure::LimitReached if self.busybox => return "nc: timed out".to_owned(),
            Failure::LimitReached => {
                let shown = self.shown(address);
                return format!(
                    "nc: connect to {shown} port {port} (tcp) timed out: Operation now in progress"
                );
            }
        };
        if self.busybox {
            return format!("nc: can't connect to remote host ({address}): {why}");
        }
        format!("nc: connect to {} port {port} (tcp) failed: {why}", self.shown(address))
    }

    /// Sends standard input as a request and prints the answer.
    async fn talk(&self, connection: &crate::shell::client::Connection) {
        let text = self.invocation.streams.stdin.read_to_end().await;
        let Some(request) = parse_request(&text) else { return };
        if let Some(response) = exchange(self.invocation, connection, &request) {
            self.invocation.stdout().write(&spelled(&response));
        }
    }

    /// UDP knows nothing of connections: a port counts as open unless an error comes back. Without `-z` every line
    /// of the input is a datagram, and what comes back is printed until nothing more comes for `-w` seconds.
    async fn datagram(&self, address: IpAddr, port: u16) -> bool {
        let to = SocketAddr::new(address, port);
        let host = &self.invocation.host;
        let source = self
            .source_port()
            .unwrap_or_else(|| host.with(|simulation| simulation.network.any_port(Transport::Udp)));
        let sending = Sending::new(to, Transport::Udp).from_port(source);
        if self.parsed.has("z") {
            let outcome = self.send(&sending, "").await;
            let wait = outcome.answer_after_us().map_or(1_000_000, |_| 0);
            self.invocation.sleep(Duration::from_micros(wait)).await;
            let open = !matches!(outcome, Outcome::Refused(_) | Outcome::NoRoute(_));
            if open {
                self.succeeded(address, port, "udp");
            }
            return open;
        }
        self.succeeded(address, port, "udp");
        while let Some(line) = self.invocation.streams.stdin.line().await {
            let outcome = self.send(&sending, &line).await;
            if matches!(outcome, Outcome::Refused(_) | Outcome::NoRoute(_)) {
                return false;
            }
        }
        self.invocation.sleep(self.limit().unwrap_or(FOR_EVER)).await;
        true
    }

    /// Sends a datagram and prints what comes back.
    async fn send(&self, sending: &Sending, text: &str) -> Outcome {
        let from = origin(&self.invocation.place);
        let trace = self.invocation.host.with(|simulation| simulation.send(&from, sending));
        let wait = trace.outcome.answer_after_us().unwrap_or(0);
        self.invocation.sleep(Duration::from_micros(wait)).await;
        if let Outcome::Delivered(delivery) = &trace.outcome
            && let Some(answer) = datagram_answer(self.invocation, delivery, text)
        {
            self.invocation.stdout().write(&answer);
        }
        trace.outcome.clone()
    }
}

/// An HTTP response as it comes over the connection.
pub(super) fn spelled(response: &Response) -> String {
    let headers: String = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("HTTP/1.1 {} {}\n{headers}\n{}", response.status, response.reason, response.body)
}

/// An HTTP request typed by hand.
pub(super) fn parse_request(text: &str) -> Option<Request> {
    let mut lines = text.lines();
    let mut words = lines.next()?.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    for line in lines.by_ref() {
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    Some(Request { method, target, headers, body: lines.collect::<Vec<_>>().join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_or_a_range() {
        assert_eq!(port_range("80"), Some((80, 80)));
        assert_eq!(port_range("79-81"), Some((79, 81)));
        for text in ["", "0", "81-79", "x", "70000"] {
            assert_eq!(port_range(text), None, "{text}");
        }
    }

    #[test]
    fn a_typed_request_is_read() {
        let request = parse_request("GET /a HTTP/1.0\r\nHost: web\r\n\r\n").unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/a"));
        assert_eq!(request.header("host"), Some("web"));
        assert_eq!(parse_request("hi\n"), None);
    }
}
