//! Words about connections.

use super::{Said, numbers, say};
use crate::api::object::Key;
use crate::explain::connection::ConnectionCause;
use crate::explain::finding::named;
use crate::words::Language;

pub(super) fn words(cause: &ConnectionCause, subject: &Key, language: Language) -> Said {
    let whom = named(subject);
    match cause {
        ConnectionCause::Arrived { server, seen_as, rewritten_at, itself } => {
            let why = match rewritten_at {
                Some(place) if *itself => say!(
                    language,
                    "The Pod reached itself through its Service: {place} sent the packet back where it came from (hairpin) and put its own address {seen_as} in, so that the answer passes it too.",
                    "Pod 经由 Service 访问了自己：{place} 把数据包送回来处（hairpin），并换上自己的地址 {seen_as}，好让应答也经过它。"
                ),
                Some(place) => say!(
                    language,
                    "The server sees {seen_as}, not the client: {place} put its own address in, so that the answer comes back the same way.",
                    "服务端看到的来源是 {seen_as}，不是客户端自己：{place} 换上了自己的地址，好让应答原路返回。"
                ),
                None => say!(
                    language,
                    "The server sees the client's own address, {seen_as}.",
                    "服务端看到的是客户端自己的地址 {seen_as}。"
                ),
            };
            Said::new(say!(language, "The connection arrived at {server}.", "连接到达了 {server}。"), why)
        }
        ConnectionCause::NoEndpoints => Said::new(
            say!(
                language,
                "Refused at once: {whom} has no endpoint.",
                "立即被拒绝：{whom} 没有端点（endpoint）。"
            ),
            say!(
                language,
                "kube-proxy rejects packets to a Service that has nobody to give them to.",
                "Service 没有任何可用端点时，kube-proxy 会直接拒绝数据包。"
            ),
        ),
        ConnectionCause::NothingListens { place, port, open, node_ports, meant } => {
            let why = match meant {
                Some((key, node_port)) => {
                    let service = named(key);
                    say!(
                        language,
                        "{port} is a port of {service} or of its Pods; on a node's address it is reached by its node port, {node_port}.",
                        "{port} 是 {service} 或其 Pod 的端口；在节点的地址上要用它的节点端口 {node_port}。"
                    )
                }
                None => say!(
                    language,
                    "The packet found the address; the host itself answered that the port is closed.",
                    "数据包找到了这个地址，是主机自己回答端口没有打开。"
                ),
            };
            let mut said = Said::new(
                say!(
                    language,
                    "Refused at once: nothing listens on port {port} of {place}.",
                    "立即被拒绝：{place} 的端口 {port} 没有进程监听。"
                ),
                why,
            );
            if !open.is_empty() {
                said = said.row(say!(language, "open there", "那里打开的端口"), numbers(open, language));
            }
            for (key, port) in node_ports {
                said = said.row(named(key), say!(language, "node port {port}", "节点端口 {port}"));
            }
            said
        }
        ConnectionCause::HeadlessPort { asked, target } => Said::new(
            say!(
                language,
                "Refused at once: {whom} is headless, and its Pods listen on port {target}, not {asked}.",
                "立即被拒绝：{whom} 是无头服务（headless Service），它的 Pod 监听端口 {target}，不是 {asked}。"
            ),
            say!(
                language,
                "Its name gives the Pods' own addresses, and no proxy translates the port on the way.",
                "它的名字解析为 Pod 自己的地址，途中没有代理转换端口。"
            ),
        ),
        ConnectionCause::OnlyLoopback { place, port } => Said::new(
            say!(
                language,
                "Refused at once: on {place}, port {port} is open for 127.0.0.1 only.",
                "立即被拒绝：{place} 的端口 {port} 只对 127.0.0.1 打开。"
            ),
            say!(
                language,
                "The program must listen on 0.0.0.0 to be reached from elsewhere.",
                "程序要监听 0.0.0.0，别处才能访问。"
            ),
        ),
        ConnectionCause::NoSuchPort { asked, protocol, ports, is_node_port, is_target, silent } => {
            let other = ports.iter().any(|(port, held)| port == asked && held != protocol);
            let asked = format!("{asked}/{protocol}");
            let ports: Vec<String> = ports.iter().map(|(port, held)| format!("{port}/{held}")).collect();
            let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(", ") };
            let what = if *silent {
                say!(
                    language,
                    "Nothing comes back: {whom} has no port {asked}.",
                    "没有任何回应：{whom} 没有端口 {asked}。"
                )
            } else {
                say!(
                    language,
                    "Refused at once: {whom} has no port {asked}.",
                    "立即被拒绝：{whom} 没有端口 {asked}。"
                )
            };
            let why = if other {
                say!(
                    language,
                    "It has that number for another protocol only; rules go by address, protocol and port.",
                    "它只在另一种协议上有这个号码；规则按地址、协议和端口匹配。"
                )
            } else if *is_node_port {
                say!(
                    language,
                    "{asked} is its node port, which is open on nodes' addresses, not on the ClusterIP.",
                    "{asked} 是它的节点端口，只在节点的地址上有效，在 ClusterIP 上无效。"
                )
            } else if *is_target {
                say!(
                    language,
                    "{asked} is the port of its Pods; clients use the Service's own.",
                    "{asked} 是 Pod 的端口；客户端应使用 Service 自己的端口。"
                )
            } else {
                say!(
                    language,
                    "Only the ports of the Service are translated.",
                    "只有 Service 自己的端口会被转换。"
                )
            };
            Said::new(what, why).row(say!(language, "ports of {whom}", "{whom} 的端口"), ports)
        }
        ConnectionCause::NoLocalEndpoints { node, external } => {
            let field = if *external { "externalTrafficPolicy" } else { "internalTrafficPolicy" };
            Said::new(
                say!(
                    language,
                    "Nothing comes back: {node} has no endpoint of {whom}.",
                    "没有任何回应：{node} 上没有 {whom} 的端点。"
                ),
                say!(
                    language,
                    "{field} is Local, so {node} drops the packet instead of sending it to another node.",
                    "{field} 为 Local，所以 {node} 丢弃数据包，而不转发给别的节点。"
                ),
            )
        }
        ConnectionCause::SourceRanges { client } => Said::new(
            say!(
                language,
                "Nothing comes back: {whom} does not let {client} in.",
                "没有任何回应：{whom} 不允许 {client} 访问。"
            ),
            say!(
                language,
                "The address is outside loadBalancerSourceRanges, and kube-proxy drops the packet.",
                "这个地址不在 loadBalancerSourceRanges 之内，kube-proxy 丢弃了数据包。"
            ),
        ),
        ConnectionCause::NoSuchService { address, was } => {
            let why = match was {
                Some(service) => {
                    let service = named(service);
                    say!(
                        language,
                        "{service} had it. An address lasts as long as its Service: one that is deleted and made again has another.",
                        "它曾属于 {service}。地址与 Service 同在：删除后重建的 Service 会有另一个地址。"
                    )
                }
                None => say!(
                    language,
                    "It is in the Service network, and no rule of kube-proxy names it.",
                    "它属于 Service 网段，而 kube-proxy 没有任何规则提到它。"
                ),
            };
            Said::new(
                say!(
                    language,
                    "Nothing comes back: no Service has the address {address}.",
                    "没有任何回应：没有 Service 使用地址 {address}。"
                ),
                why,
            )
        }
        ConnectionCause::Ending { pod, waits } => {
            let pod = named(pod);
            let why = if *waits {
                say!(
                    language,
                    "kube-proxy chose it before it heard that the Pod is no endpoint any more. Its containers do wait before they end (preStop), but not long enough.",
                    "kube-proxy 选中它时，还不知道这个 Pod 已不是端点。它的容器结束前会等待（preStop），但等得不够久。"
                )
            } else {
                say!(
                    language,
                    "A Pod that is deleted is told to stop at once, while its removal from the endpoints still travels to every node: for a moment kube-proxy sends to a Pod that no longer listens. Let its containers wait a little before they end (preStop).",
                    "被删除的 Pod 会立刻收到停止信号，而把它移出端点的消息还在传往各个节点：有那么一会儿，kube-proxy 会把流量发给已不再监听的 Pod。请让容器在结束前稍等片刻（preStop）。"
                )
            };
            Said::new(
                say!(
                    language,
                    "{whom} sent the connection to {pod}, which was ending.",
                    "{whom} 把连接发给了正在终止的 {pod}。"
                ),
                why,
            )
        }
        ConnectionCause::NobodyHas { address, was, no_range } => {
            let why = match was {
                None if *no_range => say!(
                    language,
                    "It is in the Pod network, and in no node's share of it, so the packet left the cluster and was lost: nothing comes back.",
                    "它属于 Pod 网络，但不在任何节点的网段里，于是数据包离开集群后消失：没有任何回应。"
                ),
                Some(pod) => {
                    let pod = named(pod);
                    say!(
                        language,
                        "{pod} had it. Addresses of Pods die with them: use a Service.",
                        "它曾属于 {pod}。Pod 的地址随 Pod 消失：请使用 Service。"
                    )
                }
                None => say!(language, "No Pod and no node has it.", "没有 Pod 或节点使用它。"),
            };
            Said::new(say!(language, "Nobody has the address {address}.", "没有谁使用地址 {address}。"), why)
        }
        ConnectionCause::InsideOnly { address, of, instead } => {
            let whose = of.as_ref().map(named).unwrap_or_default();
            let why = match (of, instead) {
                (Some(_), Some(_)) => say!(
                    language,
                    "It is {whose}. From outside, use its node port.",
                    "它是 {whose}。从集群外请使用它的节点端口。"
                ),
                (Some(_), None) => say!(
                    language,
                    "It is {whose}. To be reached from outside it needs a Service of type NodePort or LoadBalancer.",
                    "它是 {whose}。要从集群外访问，需要 NodePort 或 LoadBalancer 类型的 Service。"
                ),
                (None, _) => say!(
                    language,
                    "It is in the cluster's own networks, and no Pod or Service has it.",
                    "它属于集群内部的网段，而且没有 Pod 或 Service 使用它。"
                ),
            };
            let said = Said::new(
                say!(
                    language,
                    "Nothing comes back: {address} exists inside the cluster only.",
                    "没有任何回应：{address} 只在集群内部有效。"
                ),
                why,
            );
            match instead {
                Some(address) => {
                    said.row(say!(language, "works from outside", "集群外可用"), address.to_string())
                }
                None => said,
            }
        }
        ConnectionCause::NoWay { address, external } => Said::new(
            say!(
                language,
                "Nothing comes back: the network knows no way to {address}.",
                "没有任何回应：网络中没有通往 {address} 的路由。"
            ),
            match external.as_ref().map(named) {
                Some(service) => say!(
                    language,
                    "{service} has it among its externalIPs: nodes and Pods take it for the Service, but nothing in Kubernetes brings packets from outside to a node. The network must route it to one, or it must be a node's own address.",
                    "{service} 的 externalIPs 中有它：节点和 Pod 会把它当作该 Service，但 Kubernetes 不会把外部的数据包送到节点。需要由网络把它路由到某个节点，或者使用节点自己的地址。"
                ),
                None => say!(
                    language,
                    "It belongs to no node, Pod, Service or host of this world, and the router drops it.",
                    "它不属于这个世界里的任何节点、Pod、Service 或主机，路由器把它丢弃了。"
                ),
            },
        ),
        ConnectionCause::NoBalancerTarget => Said::new(
            say!(
                language,
                "Nothing comes back: the load balancer has no node to send to.",
                "没有任何回应：负载均衡器没有可用的节点。"
            ),
            say!(
                language,
                "With externalTrafficPolicy Local it uses only nodes that have an endpoint.",
                "externalTrafficPolicy 为 Local 时，它只使用有端点的节点。"
            ),
        ),
        ConnectionCause::Hairpin => Said::new(
            say!(
                language,
                "Nothing comes back: the Pod reached for itself through its Service.",
                "没有任何回应：Pod 经由 Service 访问了自己。"
            ),
            say!(
                language,
                "Its node must send the packet back where it came from (hairpin mode), and does not.",
                "节点需要把数据包送回来处（hairpin 模式），而这里没有开启。"
            ),
        ),
        ConnectionCause::NotForwarded { place } => Said::new(
            say!(
                language,
                "Nothing comes back: {place} does not forward packets.",
                "没有任何回应：{place} 不转发数据包。"
            ),
            say!(
                language,
                "The packet is for another machine or Pod, and net.ipv4.ip_forward is 0 there. Pods of one node still reach each other over their bridge.",
                "数据包要去别的机器或 Pod，而那里的 net.ipv4.ip_forward 为 0。同一节点上的 Pod 仍可通过网桥互通。"
            ),
        ),
        ConnectionCause::BridgedAnswer => Said::new(
            say!(
                language,
                "Nothing comes back: the answer comes from another address than the one that was asked.",
                "没有任何回应：应答来自另一个地址，而不是被请求的那个。"
            ),
            say!(
                language,
                "Client and backend are on one node, and net.bridge.bridge-nf-call-iptables is 0 there: the bridge carries the answer straight to the client, and no rule gives it the Service's address back. Backends on other nodes work.",
                "客户端和后端在同一节点，而那里的 net.bridge.bridge-nf-call-iptables 为 0：网桥把应答直接送给客户端，没有规则把源地址改回 Service 的地址。其他节点上的后端可以正常工作。"
            ),
        ),
        ConnectionCause::Ping => Said::new(
            say!(language, "A Service does not answer ping.", "Service 不响应 ping。"),
            say!(
                language,
                "Its address exists only in rules that translate its ports; try one of these instead.",
                "它的地址只存在于转换端口的规则之中；请改为访问它的端口。"
            ),
        ),
        ConnectionCause::Unanswered => Said::new(
            say!(language, "Nothing answered the datagram.", "数据报没有得到回应。"),
            say!(
                language,
                "UDP says nothing when nobody takes a datagram.",
                "没有谁接收时，UDP 不会给出任何消息。"
            ),
        ),
        ConnectionCause::TriesOn => Said::new(
            say!(
                language,
                "The client does not take that as a refusal: SCTP tries on until its time is up.",
                "客户端并不把它当作拒绝：SCTP 会一直重试，直到超时。"
            ),
            say!(
                language,
                "kube-proxy rejects with an ICMP error; Linux ends an SCTP association by an ABORT of the other side alone.",
                "kube-proxy 用 ICMP 错误来拒绝；而在 Linux 上，只有对方发来的 ABORT 才会结束 SCTP 关联。"
            ),
        ),
        ConnectionCause::AnswerHeldBack { place } => Said::new(
            say!(
                language,
                "The client was not told: {place} held its answer back.",
                "客户端没有得到通知：{place} 没有把这个应答发出去。"
            ),
            say!(
                language,
                "Such an answer is an ICMP error, and Linux sends one client six of them at once and then one a second (icmp_ratelimit). TCP tries again after a second, and is told then; a datagram is not sent again.",
                "这种应答是 ICMP 错误；Linux 对同一客户端最多连发六个，之后每秒一个（icmp_ratelimit）。TCP 一秒后会重试，那时就会得到通知；UDP 数据报不会重发。"
            ),
        ),
        ConnectionCause::NoSource => Said::new(
            say!(language, "The sender has no address to send from.", "发送方没有可用的地址。"),
            say!(
                language,
                "It does not run (any more), or not in this address family.",
                "它没有在运行，或者没有这个地址族的地址。"
            ),
        ),
        ConnectionCause::SentBack { address, by_proxy } => Said::new(
            say!(
                language,
                "Nothing comes back: the network sent the packet for {address} back to the node that it came from.",
                "没有任何回应：发往 {address} 的数据包又被网络送回了它出发的节点。"
            ),
            nobody_takes(by_proxy.as_ref(), language),
        ),
        ConnectionCause::TimeToLive { address, by_proxy } => Said::new(
            say!(
                language,
                "The packet for {address} went round in circles until its time to live was over.",
                "发往 {address} 的数据包来回转发，直到生存时间（TTL）耗尽。"
            ),
            nobody_takes(by_proxy.as_ref(), language),
        ),
    }
}

/// Why no node takes a packet that is routed to the nodes.
fn nobody_takes(by_proxy: Option<&Key>, language: Language) -> String {
    match by_proxy.map(named) {
        Some(service) => say!(
            language,
            "The address is that of the load balancer of {service} with ipMode Proxy: kube-proxy writes no rule for it, so only the load balancer itself answers there.",
            "这是 {service} 的负载均衡器地址，ipMode 为 Proxy：kube-proxy 不为它写规则，只有负载均衡器自己会应答。"
        ),
        None => say!(
            language,
            "The router sends it to a node, and no rule of that node takes it: the node gives it back to the router.",
            "路由器把它送往某个节点，而该节点没有规则接收它，又把它交还给路由器。"
        ),
    }
}
