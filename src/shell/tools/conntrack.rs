//! `conntrack`: the flows that a node remembers.
//!
//! Owns the command and the form of its lines (conntrack 1.4.7; reference: `network/tools/conntrack`). The flows are
//! those that packets find again ([`crate::network::flows`]); a connection that was refused by a rule leaves none.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::cluster::clock::Instant;
use crate::network::flows::{Flow, FlowAnswer};
use crate::network::{Packet, Transport};
use crate::shell::command::{Command, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;

/// How conntrack names itself.
const TITLE: &str = "conntrack v1.4.7 (conntrack-tools)";

/// `conntrack`.
pub static COMMAND: Command = Command {
    name: "conntrack",
    usage: "-L|-D [-p PROTOCOL] [-s SOURCE] [-d DESTINATION] [--dport PORT] … | -C | -F",
    summary: Words {
        en: "list or delete the flows of this node", zh: "列出或删除此节点的连接跟踪记录"
    },
    flags: &[
        switch('L', "dump", "list flows", "列出记录"),
        switch('D', "delete", "delete flows", "删除记录"),
        switch('C', "count", "count flows", "统计记录数"),
        switch('F', "flush", "delete all flows", "删除全部记录"),
        switch('V', "version", "print the version", "打印版本"),
        option(
            'p',
            "proto",
            Value::OneOf(&["tcp", "udp", "icmp", "sctp"]),
            "only this protocol",
            "只看此协议",
        ),
        option('s', "orig-src", Value::Text, "only from this source", "只看此来源"),
        option('d', "orig-dst", Value::Text, "only to this destination", "只看此目的"),
        option('r', "reply-src", Value::Text, "only answered from this source", "只看应答来源"),
        option('q', "reply-dst", Value::Text, "only answered to this destination", "只看应答目的"),
        option('\0', "sport", Value::Number, "only from this port", "只看此来源端口"),
        option('\0', "dport", Value::Number, "only to this port", "只看此目的端口"),
        option('n', "src-nat", Value::Optional("any"), "only with a translated source", "只看来源被转换的"),
        option(
            'g',
            "dst-nat",
            Value::Optional("any"),
            "only with a translated destination",
            "只看目的被转换的",
        ),
        option('f', "family", Value::OneOf(&["ipv4", "ipv6"]), "ipv4 if not given", "地址族，默认 ipv4"),
        option('o', "output", Value::OneOf(&["extended"]), "with the family", "同时显示地址族"),
        not_simulated('E', "event", Value::None, "watch conntrack -L"),
        not_simulated('U', "update", Value::None, "conntrack -D"),
        not_simulated('I', "create", Value::None, "curl"),
        not_simulated('S', "stats", Value::None, "conntrack -C"),
    ],
    operands: Value::None,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(run),
};

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    if parsed.has("version") {
        invocation.say("conntrack v1.4.7 (conntrack-tools)");
        return 0;
    }
    let Address::Node(node) = &invocation.place.address else { return invocation.fail("not a node") };
    let wanted = match Wanted::of(&parsed) {
        Ok(wanted) => wanted,
        Err(bad) => {
            invocation.stderr().line(&format!("{TITLE}: invalid address or port: `{bad}'"));
            return 2;
        }
    };
    let now = invocation.host.with(|simulation| simulation.cluster.now());
    let flows: Vec<Flow> =
        invocation.host.with(|simulation| simulation.network.flows_of(node, now).copied().collect());
    let extended = parsed.has("output");
    let chosen: Vec<&Flow> = flows.iter().filter(|flow| wanted.takes(flow)).collect();
    let lines = chosen.iter().map(|flow| shown(flow, now, extended));
    if parsed.has("flush") {
        delete(invocation, node, |_| true);
        invocation.stderr().line(&format!("{TITLE}: connection tracking table has been emptied."));
        return 0;
    }
    if parsed.has("count") {
        invocation.say(&flows.len().to_string());
        return 0;
    }
    let (verb, status) = match (parsed.has("delete"), parsed.has("dump")) {
        (true, _) => ("deleted", i32::from(chosen.is_empty())),
        (_, true) => ("shown", 0),
        _ => {
            let ask = "Bad parameter";
            invocation.stderr().line(&format!(
                "{TITLE}: {ask}\nTry `conntrack -h' or 'conntrack --help' for more information."
            ));
            return 2;
        }
    };
    invocation.stderr().line(&format!("{TITLE}: {} flow entries have been {verb}.", chosen.len()));
    for line in lines {
        invocation.say(&line);
    }
    if parsed.has("delete") {
        delete(invocation, node, |flow| wanted.takes(flow));
    }
    status
}

fn delete(invocation: &Invocation, node: &str, wanted: impl Fn(&Flow) -> bool) {
    invocation.host.with(|simulation| simulation.network.delete_flows(node, wanted));
}

/// Which flows are wanted.
#[derive(Default)]
struct Wanted {
    v6: bool,
    transport: Option<String>,
    addresses: [Option<IpNet>; 4],
    ports: [Option<u16>; 2],
    nat: [Option<String>; 2],
}

impl Wanted {
    /// Reads the flags; `Err` names what is no address or port.
    fn of(parsed: &Parsed) -> Result<Self, String> {
        let network = |name: &str| match parsed.value(name) {
            None => Ok(None),
            Some(text) => {
                let single = text.parse::<IpAddr>().map(IpNet::from);
                single.or_else(|_| text.parse()).map(Some).map_err(|_| text.to_owned())
            }
        };
        let port = |name: &str| match parsed.value(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| text.to_owned()),
        };
        Ok(Self {
            v6: parsed.value("family") == Some("ipv6"),
            transport: parsed.value("proto").map(str::to_owned),
            addresses: [
                network("orig-src")?,
                network("orig-dst")?,
                network("reply-src")?,
                network("reply-dst")?,
            ],
            ports: [port("sport")?, port("dport")?],
            nat: ["src-nat", "dst-nat"].map(|name| parsed.value(name).map(str::to_owned)),
        })
    }

    fn takes(&self, flow: &Flow) -> bool {
        let (sent, answer) = (flow.original, flow.translated.reply());
        let ips = [sent.source.ip(), sent.destination.ip(), answer.source.ip(), answer.destination.ip()];
        let in_networks = self
            .addresses
            .iter()
            .zip(ips)
            .all(|(network, ip)| network.as_ref().is_none_or(|network| network.contains(&ip)));
        let ports = [sent.source.port(), sent.destination.port()];
        let on_ports =
            self.ports.iter().zip(ports).all(|(wanted, port)| wanted.is_none_or(|one| one == port));
        let translated =
            [(sent.source.ip(), answer.destination.ip()), (sent.destination.ip(), answer.source.ip())];
        let by_nat =
            self.nat.iter().zip(translated).all(|(wanted, (before, after))| match wanted.as_deref() {
                None => true,
                Some("any" | "true") => before != after,
                Some(address) => before != after && after.to_string() == address,
            });
        let same = self.transport.as_ref().is_none_or(|name| name == flow.original.transport.name());
        sent.destination.is_ipv6() == self.v6 && same && in_networks && on_ports && by_nat
    }
}

/// The protocol's number.
fn number(transport: Transport, v6: bool) -> u8 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Sctp => 132,
        Transport::Icmp => {
            if v6 {
                58
            } else {
                1
            }
        }
    }
}

fn state(flow: &Flow) -> &'static str {
    match (flow.original.transport, flow.answer) {
        (Transport::Tcp, FlowAnswer::None) => "SYN_SENT ",
        (Transport::Tcp, FlowAnswer::Reply) => "TIME_WAIT ",
        (Transport::Tcp, FlowAnswer::Reset) => "CLOSE ",
        (Transport::Sctp, FlowAnswer::None) => "COOKIE_WAIT ",
        (Transport::Sctp, _) => "CLOSED ",
        _ => "",
    }
}

fn side(packet: &Packet, answers: bool) -> String {
    let (source, destination) = (packet.source, packet.destination);
    let (from, to) = (source.ip(), destination.ip());
    if packet.transport == Transport::Icmp {
        let kind = match (from.is_ipv4(), answers) {
            (true, false) => 8,
            (true, true) => 0,
            (false, false) => 128,
            (false, true) => 129,
        };
        let id = if answers { destination.port() } else { source.port() };
        return format!("src={from} dst={to} type={kind} code=0 id={id}");
    }
    format!("src={from} dst={to} sport={} dport={}", source.port(), destination.port())
}

/// A flow in a line.
fn shown(flow: &Flow, now: Instant, extended: bool) -> String {
    let v6 = flow.original.destination.is_ipv6();
    let family = match (extended, v6) {
        (false, _) => "",
        (true, false) => "ipv4     2 ",
        (true, true) => "ipv6     10 ",
    };
    let name = match flow.original.transport {
        Transport::Icmp if v6 => "icmpv6",
        other => other.name(),
    };
    let left = flow.timeout_us().saturating_sub((now - flow.seen).0).saturating_sub(1) / 1_000_000;
    let unreplied = if flow.answer == FlowAnswer::None { "[UNREPLIED] " } else { "" };
    let stays = matches!(flow.original.transport, Transport::Tcp | Transport::Sctp);
    let assured = if stays && flow.answer == FlowAnswer::Reply { "[ASSURED] " } else { "" };
    format!(
        "{family}{name:<8} {} {left} {}{} {unreplied}{} {assured}mark=0 use=1",
        number(flow.original.transport, v6),
        state(flow),
        side(&flow.original, false),
        side(&flow.translated.reply(), true),
    )
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const POD: &str = "kubectl run web --image=nginx --port=80 --expose >/dev/null; sleep 20; IP=$(kubectl get svc web -o jsonpath='{.spec.clusterIP}')";
    /// What chance chooses, replaced by letters.
    const MASK: &str = "sed -e 's/10\\.9[0-9.]*/SVC/g' -e 's/10\\.1[01][0-9.]*/SVC/g' -e 's/10\\.244[0-9.]*/POD/g' -e 's/port=[0-9]*/port=N/g'";

    #[test]
    fn a_connection_to_a_service_is_remembered_with_its_translation() {
        check(
            &format!(
                "{POD}; ssh k8s-master \"conntrack -F; curl -s -o /dev/null $IP; conntrack -L -p tcp\" 2>&1 | {MASK}"
            ),
            "conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\ntcp      6 119 TIME_WAIT src=192.168.1.72 dst=SVC sport=N dport=N src=POD dst=192.168.1.72 sport=N dport=N [ASSURED] mark=0 use=1",
            0,
        );
    }

    #[test]
    fn flows_are_chosen_counted_and_deleted() {
        let script = format!(
            "{POD}; ssh k8s-master \"conntrack -F; curl -s -o /dev/null $IP; ping -c 1 192.168.1.73 >/dev/null; conntrack -C; conntrack -L -p icmp; conntrack -L --dst-nat | wc -l; conntrack -D -d $IP; conntrack -C\" 2>&1 | grep -v ^tcp | {MASK} | sed 's/id=[0-9]*/id=N/g'"
        );
        check(
            &script,
            "conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.\n2\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\nicmp     1 29 src=192.168.1.72 dst=192.168.1.73 type=8 code=0 id=N src=192.168.1.73 dst=192.168.1.72 type=0 code=0 id=N mark=0 use=1\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n1\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been deleted.\n1",
            0,
        );
    }

    #[test]
    fn an_unanswered_connection_waits_and_a_refused_one_is_not_there() {
        let script = format!(
            "kubectl create service clusterip none --tcp=80 >/dev/null; sleep 5; IP=$(kubectl get svc none -o jsonpath='{{.spec.clusterIP}}'); ssh k8s-w1 \"conntrack -F; curl -s -m 1 10.96.255.77; curl -s -m 1 $IP; conntrack -L\" 2>&1 | {MASK}"
        );
        check(
            &script,
            "conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\ntcp      6 118 SYN_SENT src=192.168.1.73 dst=SVC sport=N dport=N [UNREPLIED] src=SVC dst=192.168.1.73 sport=N dport=N mark=0 use=1",
            0,
        );
    }
}
