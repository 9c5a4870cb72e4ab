//! `ipvsadm -Ln`: the kernel's virtual servers of a node, where kube-proxy works by IPVS.
//!
//! Owns the command. The servers are those that packets meet ([`crate::network::ipvs`]); they cannot be changed:
//! kube-proxy would write them back.

use crate::shell::command::{Command, Found, Run, Value, not_simulated, switch};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::places::Address;
use crate::words::Words;

/// `ipvsadm`.
pub static COMMAND: Command = Command {
    name: "ipvsadm",
    usage: "-L -n",
    summary: Words { en: "print the virtual servers of this node", zh: "打印此节点的虚拟服务器" },
    flags: &[
        switch('L', "list", "list the virtual servers", "列出虚拟服务器"),
        switch('l', "", "the same", "同上"),
        switch('n', "numeric", "addresses and ports as numbers", "以数字显示地址和端口"),
        not_simulated('A', "add-service", Value::None, "kubectl apply"),
        not_simulated('a', "add-server", Value::None, "kubectl apply"),
        not_simulated('C', "clear", Value::None, "kubectl delete"),
        not_simulated('c', "connection", Value::None, "conntrack -L"),
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
    let Address::Node(node) = &invocation.place.address else { return invocation.fail("not a node") };
    let lists = parsed.has("list") || parsed.has("l") || invocation.arguments.is_empty();
    if !lists {
        invocation.stderr().write("ipvsadm: option -L expected; see 'ipvsadm --help'\n");
        return 2;
    }
    let listed =
        invocation.host.with(|simulation| simulation.network.ipvsadm(node, simulation.cluster.now()));
    match listed {
        Some(text) => {
            invocation.stdout().write(&text);
            0
        }
        None => {
            invocation.stderr().write("Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the kernel or as module?\n");
            2
        }
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
}
