//! Words about connections.

use super::{Said, numbers, say};
use crate::api::object::Key;
use crate::explain::connection::ConnectionCause;
use crate::explain::finding::named;
use crate::words::Language;

pub(super) fn words(cause: &ConnectionCause, subject: &Key, language: Language) -> Said {
    let whom = named(subject);
    match cause {
        ConnectionCause::Arrived { server, seen_as, rewritten_at } => {
            let why = match rewritten_at {
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
        ConnectionCause::NothingListens { place, port, open, node_ports } => {
            let mut said = Said::new(
                say!(
                    language,
                    "Refused at once: nothing listens on port {port} of {place}.",
                    "立即被拒绝：{place} 的端口 {port} 没有进程监听。"
                ),
                say!(
                    language,
                    "The packet found the address; the host itself answered that the port is closed.",
                    "数据包找到了这个地址，是主机自己回答端口没有打开。"
                ),
            );
            if !open.is_empty() {
                said = said.row(say!(language, "open there", "那里打开的端口"), numbers(open, language));
            }
            for (key, port) in node_ports {
                said = said.row(named(key), say!(language, "node port {port}", "节点端口 {port}"));
            }
            said
        }
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
        ConnectionCause::NoSuchPort { asked, ports, is_node_port, is_target, silent } => {
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
            let why = if *is_node_port {
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
            Said::new(what, why)
                .row(say!(language, "ports of {whom}", "{whom} 的端口"), numbers(ports, language))
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
        ConnectionCause::NoSuchService { address } => Said::new(
            say!(
                language,
                "Nothing comes back: no Service has the address {address}.",
                "没有任何回应：没有 Service 使用地址 {address}。"
            ),
            say!(
                language,
                "It is in the Service network; a Service that had it may have been deleted and made again with another.",
                "它属于 Service 网段；也许原来的 Service 被删除后重建，地址已经变了。"
            ),
        ),
        ConnectionCause::NobodyHas { address, was } => {
            let why = match was {
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
                (None, _) => String::new(),
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
        ConnectionCause::NoWay { address } => Said::new(
            say!(
                language,
                "Nothing comes back: the network knows no way to {address}.",
                "没有任何回应：网络中没有通往 {address} 的路由。"
            ),
            String::new(),
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
        ConnectionCause::NoSource => Said::new(
            say!(language, "The sender has no address to send from.", "发送方没有可用的地址。"),
            say!(
                language,
                "It does not run (any more), or not in this address family.",
                "它没有在运行，或者没有这个地址族的地址。"
            ),
        ),
        ConnectionCause::TimeToLive => Said::new(
            say!(
                language,
                "The packet went round in circles until its time to live was over.",
                "数据包来回转发，直到生存时间（TTL）耗尽。"
            ),
            String::new(),
        ),
    }
}
