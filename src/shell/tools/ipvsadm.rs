//! `ipvsadm`: the kernel's virtual servers of a node, where kube-proxy works by IPVS.
//!
//! Owns the command and the forms of ipvsadm 1.31. The servers are those that packets meet
//! ([`crate::network::ipvs`]); they cannot be changed: kube-proxy would write them back. Counted are the packets that
//! the simulation walks ([`crate::network::counters`]): the first of each connection, and its answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::api::typed::Protocol;
use crate::cluster::clock::Instant;
use crate::network::Transport;
use crate::network::counters::Count;
use crate::network::flows::{Flow, FlowAnswer};
use crate::network::ipvs::VirtualServer;
use crate::shell::command::{Command, Found, Run, Value, not_simulated, option, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;

/// `ipvsadm`.
pub static COMMAND: Command = Command {
    name: "ipvsadm",
    usage: "-L|-S [-n] [-c] [-t|-u SERVER] [--stats] [--rate]",
    summary: Words { en: "print the virtual servers of this node", zh: "打印此节点的虚拟服务器" },
    flags: &[
        switch('L', "list", "list the virtual servers", "列出虚拟服务器"),
        switch('l', "", "the same", "同上"),
        switch('S', "save", "print the commands that would make them", "打印可重建它们的命令"),
        switch('n', "numeric", "addresses and ports as numbers", "以数字显示地址和端口"),
        switch('c', "connection", "list the connections", "列出连接"),
        switch(
            '\0',
            "stats",
            "connections and packets (the first of each and its answer)",
            "连接数和数据包数（每个连接的第一个包及其应答）",
        ),
        switch(
            '\0',
            "rate",
            "what comes in a second: nothing at the moment of looking",
            "每秒速率：查看的一刻没有流量",
        ),
        switch('\0', "exact", "numbers in full", "显示完整数字"),
        switch('\0', "sort", "sorted, which they always are", "已排序（总是如此）"),
        option('t', "tcp-service", Value::Text, "only this server", "只看此 TCP 虚拟服务器"),
        option('u', "udp-service", Value::Text, "only this server", "只看此 UDP 虚拟服务器"),
        not_simulated('A', "add-service", Value::None, "kubectl apply"),
        not_simulated('E', "edit-service", Value::None, "kubectl apply"),
        not_simulated('D', "delete-service", Value::None, "kubectl delete"),
        not_simulated('a', "add-server", Value::None, "kubectl apply"),
        not_simulated('d', "delete-server", Value::None, "kubectl delete"),
        not_simulated('C', "clear", Value::None, "kubectl delete"),
        not_simulated('Z', "zero", Value::None, "ipvsadm -Ln --stats"),
    ],
    operands: Value::None,
    complete: None,
    found: Found::OnNodes,
    run: Run::Now(run),
};

/// What the kernel says where there is no IPVS.
const MISSING: &str = "Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the kernel or as module?\n";
const TITLE: &str = "IP Virtual Server version 1.2.1 (size=4096)\n";

/// What is counted on a node: by `tcp SERVER BACKEND`, and the same with ` answered`.
type Counts = BTreeMap<String, Count>;

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let Address::Node(node) = &invocation.place.address else { return invocation.fail("not a node") };
    let lists = parsed.has("list") || parsed.has("l") || invocation.arguments.is_empty();
    if !lists && !parsed.has("save") {
        invocation.stderr().write("ipvsadm: option -L expected; see 'ipvsadm --help'\n");
        return 2;
    }
    let found = invocation.host.with(|simulation| {
        let (network, now) = (&simulation.network, simulation.cluster.now());
        let servers = network.virtual_servers(node)?;
        let flows: Vec<Flow> = network.flows_of(node, now).copied().collect();
        let mut counts = Counts::new();
        for v4 in [true, false] {
            counts.extend(simulation.counters.of(network, node, v4, "ipvs"));
        }
        Some((servers, flows, counts, now))
    });
    let Some((mut servers, flows, counts, now)) = found else {
        invocation.stderr().write(MISSING);
        return 2;
    };
    for (flag, protocol) in [("tcp-service", Protocol::Tcp), ("udp-service", Protocol::Udp)] {
        if let Some(wanted) = parsed.value(flag) {
            servers.retain(|server| server.protocol == protocol && server.address.to_string() == wanted);
            if servers.is_empty() {
                invocation.stderr().line("No such service");
                return 255;
            }
        }
    }
    let text = if parsed.has("save") {
        servers.iter().map(saved).collect()
    } else if parsed.has("connection") {
        connections(&servers, &flows, now)
    } else if parsed.has("stats") || parsed.has("rate") {
        counted(&servers, &counts, parsed.has("rate"))
    } else {
        listed(&servers, &flows)
    };
    invocation.stdout().write(&text);
    0
}

fn listed(servers: &[VirtualServer], flows: &[Flow]) -> String {
    let mut text = format!(
        "{TITLE}Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
    );
    for server in servers {
        let lasting = server.persistent_seconds.map(|seconds| format!(" persistent {seconds}"));
        let flags = lasting.unwrap_or_default();
        text.push_str(&format!("{:<4} {} rr{flags}\n", server.protocol.name(), server.address));
        for real in &server.real {
            // Connections end with their request here: what is left of them is inactive.
            let inactive = flows.iter().filter(|flow| is_of(flow, server) && leads_to(flow, *real)).count();
            let real = real.to_string();
            text.push_str(&format!("  -> {real:<28} Masq    {:<6} {:<10} {inactive:<10}\n", 1, 0));
        }
    }
    text
}

fn is_of(flow: &Flow, server: &VirtualServer) -> bool {
    flow.original.destination == server.address && flow.original.transport.protocol() == Some(server.protocol)
}

fn leads_to(flow: &Flow, real: SocketAddr) -> bool {
    flow.translated.destination == real
}

fn counted(servers: &[VirtualServer], counts: &Counts, rate: bool) -> String {
    let heads = if rate {
        "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
    } else {
        "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
    };
    let mut text = format!("{TITLE}{heads}  -> RemoteAddress:Port\n");
    let row = |head: String, came: Count, went: Count| {
        let numbers = [came.packets, came.packets, went.packets, came.bytes, went.bytes];
        let shown = numbers.map(|number| format!(" {:>8}", if rate { 0 } else { number })).concat();
        format!("{head:<33}{shown}\n")
    };
    for server in servers {
        let carried = Transport::from(server.protocol).name();
        let of_server = format!("{carried} {} ", server.address);
        let of = |real: SocketAddr, end: &str| {
            counts.get(&format!("{of_server}{real}{end}")).copied().unwrap_or_default()
        };
        // Backends that are gone have been counted too.
        let all = |answered: bool| {
            let of_it = counts
                .iter()
                .filter(|(text, _)| text.starts_with(&of_server) && text.ends_with(" answered") == answered);
            of_it.fold(Count::default(), |sum, (_, one)| Count {
                packets: sum.packets + one.packets,
                bytes: sum.bytes + one.bytes,
            })
        };
        text.push_str(&row(
            format!("{:<4} {}", server.protocol.name(), server.address),
            all(false),
            all(true),
        ));
        for real in &server.real {
            text.push_str(&row(format!("  -> {real}"), of(*real, ""), of(*real, " answered")));
        }
    }
    text
}

fn saved(server: &VirtualServer) -> String {
    let flag = match server.protocol {
        Protocol::Tcp => "-t",
        Protocol::Udp => "-u",
        Protocol::Sctp => "--sctp-service",
    };
    let at = format!("{flag} {}", server.address);
    let lasting = server.persistent_seconds.map(|seconds| format!(" -p {seconds}")).unwrap_or_default();
    let real = server.real.iter().map(|real| format!("-a {at} -r {real} -m -w 1\n"));
    format!("-A {at} -s rr{lasting}\n{}", real.collect::<String>())
}

fn connections(servers: &[VirtualServer], flows: &[Flow], now: Instant) -> String {
    let mut text =
        "IPVS connection entries\npro expire state       source             virtual            destination\n"
            .to_owned();
    for flow in flows.iter().filter(|flow| servers.iter().any(|server| is_of(flow, server))) {
        let (state, seconds) = state(flow);
        let left = seconds.saturating_sub((now - flow.seen).0 / 1_000_000);
        let name = flow.original.transport.name().to_uppercase();
        let (source, to) = (flow.original.source.to_string(), flow.original.destination.to_string());
        let real = flow.translated.destination;
        let expire = format!("{:02}:{:02}", left / 60, left % 60);
        text.push_str(&format!("{name:<3} {expire:<6} {state:<11} {source:<18} {to:<18} {real}\n"));
    }
    text
}

/// IPVS's own states and their time limits in seconds (net/netfilter/ipvs).
fn state(flow: &Flow) -> (&'static str, u64) {
    match (flow.original.transport, flow.answer) {
        (Transport::Tcp, FlowAnswer::None) => ("SYN_RECV", 60),
        (Transport::Tcp, FlowAnswer::Reply) => ("TIME_WAIT", 120),
        (Transport::Tcp, FlowAnswer::Reset) => ("CLOSE", 10),
        (Transport::Udp, _) => ("UDP", 300),
        (Transport::Sctp, FlowAnswer::None) => ("INIT1", 3),
        (Transport::Sctp, FlowAnswer::Reply) => ("CLOSED", 2),
        (Transport::Sctp, FlowAnswer::Reset) => ("REJECTED", 2),
        (Transport::Icmp, _) => ("NONE", 0),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn virtual_servers_are_listed_in_ipvs_mode_alone() {
        check(
            "ssh k8s-w1 ipvsadm -Ln",
            "Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the kernel or as module?",
            2,
        );
        check(
            "world proxyMode=ipvs; ssh k8s-w1 ipvsadm -Ln | head -n 6",
            "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\nTCP  10.96.0.1:443 rr\n  -> 192.168.1.72:6443            Masq    1      0          0         \nTCP  10.96.0.10:53 rr",
            0,
        );
    }

    #[test]
    fn connections_are_counted_and_can_be_listed() {
        const ASK: &str = "world proxyMode=ipvs; ssh k8s-w1 'curl -sk https://10.96.0.1 >/dev/null; ";
        check(
            &format!("{ASK} ipvsadm -ln --stats -t 10.96.0.1:443'"),
            "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> RemoteAddress:Port\nTCP  10.96.0.1:443                       1        1        1       60       60\n  -> 192.168.1.72:6443                   1        1        1       60       60",
            0,
        );
        check(
            &format!("{ASK} ipvsadm -Lnc' | sed 's/:[0-9]* *10.96/:P 10.96/'"),
            "IPVS connection entries\npro expire state       source             virtual            destination\nTCP 02:00  TIME_WAIT   10.96.0.1:P 10.96.0.1:443      192.168.1.72:6443",
            0,
        );
    }

    #[test]
    fn servers_are_saved_as_commands() {
        check(
            "world proxyMode=ipvs; ssh k8s-w1 ipvsadm -S -n | head -n 2",
            "-A -t 10.96.0.1:443 -s rr\n-a -t 10.96.0.1:443 -r 192.168.1.72:6443 -m -w 1",
            0,
        );
    }
}
