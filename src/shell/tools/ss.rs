//! `ss`: the sockets that listen at a place.
//!
//! Owns the command, in the words of iproute2 (reference: `network/tools/inspect`). Connections are short here and
//! are over when somebody looks: only listening sockets are listed. A node port is none of them: rules lead it on.

use crate::api::typed::Protocol;
use crate::network::topology::Owner;
use crate::network::{Listener, Origin, Transport};
use crate::shell::client::origin;
use crate::shell::command::{Command, Found, Run, Value, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// `ss`.
pub static COMMAND: Command = Command {
    name: "ss",
    usage: "-l [-t] [-u] [-S] [-n] [-p]",
    summary: Words { en: "list the sockets that listen", zh: "列出正在监听的套接字" },
    flags: &[
        switch('l', "listening", "sockets that listen", "正在监听的套接字"),
        switch('t', "tcp", "TCP", "TCP"),
        switch('u', "udp", "UDP", "UDP"),
        switch('S', "sctp", "SCTP", "SCTP"),
        switch('n', "numeric", "ports as numbers", "以数字显示端口"),
        switch('p', "processes", "with the program", "同时显示程序"),
        switch('a', "all", "all there are", "全部套接字"),
        switch('4', "ipv4", "IPv4 alone", "只看 IPv4"),
        switch('H', "no-header", "without the header", "不显示表头"),
    ],
    operands: Value::None,
    complete: None,
    found: Found::OnHosts,
    run: Run::Now(run),
};

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let wanted = [(Protocol::Tcp, "tcp"), (Protocol::Udp, "udp"), (Protocol::Sctp, "sctp")];
    let wanted: Vec<Protocol> =
        wanted.iter().filter(|(_, flag)| parsed.has(flag)).map(|(protocol, _)| *protocol).collect();
    let one = wanted.len() == 1;
    let listens = parsed.has("listening") || parsed.has("all");
    let mut open = if listens { listeners(invocation) } else { Vec::new() };
    open.retain(|listener| wanted.is_empty() || wanted.contains(&listener.protocol));
    open.sort_by_key(|listener| (listener.protocol != Protocol::Udp, listener.port));
    open.dedup_by_key(|listener| (listener.protocol, listener.port, listener.loopback));
    let rows: Vec<[String; 6]> = open.iter().map(|listener| row(listener, parsed.has("processes"))).collect();
    let head = ["State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process"];
    let net = if one { None } else { Some("Netid") };
    let width = |at: usize| rows.iter().map(|row| row[at].len()).chain([head[at].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: [&str; 6], first: Option<&str>| {
        let first = first.map(|name| format!("{name:<5} ")).unwrap_or_default();
        let [state, received, sent, local, peer, process] = cells;
        let (a, b, c, d, e) = (widths[0], widths[1], widths[2], widths[3], widths[4]);
        format!("{first}{state:<a$} {received:<b$} {sent:<c$} {local:>d$} {peer:>e$}{process}")
    };
    if !parsed.has("no-header") {
        invocation.say(&line(head, net));
    }
    for (row, listener) in rows.iter().zip(&open) {
        let [state, received, sent, local, peer, process] = row;
        let name = Transport::from(listener.protocol).name();
        let process = if process.is_empty() { String::new() } else { format!(" {process}") };
        invocation.say(&line([state, received, sent, local, peer, &process], net.map(|_| name)));
    }
    0
}

/// A socket in cells. The queue of a listening TCP socket is as long as programs usually ask for.
fn row(listener: &Listener, programs: bool) -> [String; 6] {
    const BACKLOG: &str = "4096";
    let address = if listener.loopback { "127.0.0.1" } else { "0.0.0.0" };
    let (state, queue) = match listener.protocol {
        Protocol::Udp => ("UNCONN", "0"),
        _ => ("LISTEN", BACKLOG),
    };
    let process = match programs {
        true => format!("users:((\"{}\",fd=3))", listener.program),
        false => String::new(),
    };
    [
        state.to_owned(),
        "0".to_owned(),
        queue.to_owned(),
        format!("{address}:{}", listener.port),
        "0.0.0.0:*".to_owned(),
        process,
    ]
}

/// What listens where the command is typed.
fn listeners(invocation: &Invocation) -> Vec<Listener> {
    let from = origin(&invocation.place);
    invocation.host.with(|simulation| {
        let topology = simulation.network.topology();
        match &from {
            Origin::Node(name) => {
                topology.node_named(name).map(|id| topology.node_listeners(id)).unwrap_or_default()
            }
            Origin::Pod(key) => {
                let pod = simulation.cluster.get(key).and_then(|object| object.as_pod());
                let Some(pod) = pod else { return Vec::new() };
                if pod.spec.host_network {
                    let id = topology.node_named(&pod.node);
                    return id.map(|id| topology.node_listeners(id)).unwrap_or_default();
                }
                let entry = pod.ips.iter().find_map(|ip| match topology.owner(*ip) {
                    Some(Owner::Pod(entry)) => Some(entry),
                    _ => None,
                });
                entry.map(|entry| topology.pod_listeners(entry).to_vec()).unwrap_or_default()
            }
            _ => topology.outside.first().map(|host| host.listeners.clone()).unwrap_or_default(),
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn a_node_port_has_no_socket_and_a_server_has_one() {
        check(
            "kubectl create service nodeport web --tcp=80 --node-port=30081 >/dev/null; sleep 5; ssh k8s-w1 ss -tln | grep -c -e 30081",
            "0",
            1,
        );
        let pod = "kubectl run p --image=nicolaka/netshoot --command -- sleep 3600 >/dev/null; sleep 20; ";
        check(
            &format!("{pod} kubectl exec p -- ss -tln"),
            "State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess",
            0,
        );
        check("ssh k8s-w1 ss -tln | grep -c :22", "1", 0);
    }
}
