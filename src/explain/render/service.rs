//! Words about Services.

use super::{Said, numbers, pairs, pod, say};
use crate::explain::finding::named;
use crate::explain::near::Nearest;
use crate::explain::service::{Awaited, Route, ServiceCause};
use crate::words::Language;

/// How many endpoints a route names; it counts the rest.
const NAMED: usize = 3;

pub(super) fn words(cause: &ServiceCause, subject: &str, language: Language) -> Said {
    match cause {
        ServiceCause::Works { routes, headless } => works(routes, *headless, subject, language),
        ServiceCause::NothingMatches { selector, nearest, pods } => {
            nothing_matches(selector, nearest.as_ref(), *pods, subject, language)
        }
        ServiceCause::MatchesElsewhere { selector, namespace, pods } => Said::new(
            say!(language, "{subject} has no endpoints.", "{subject} 没有端点（endpoint）。"),
            say!(
                language,
                "A Service selects Pods of its own namespace only. The {pods} Pods that match {selector} are in namespace {namespace}.",
                "Service 只选择自己名字空间（namespace）里的 Pod。匹配 {selector} 的 {pods} 个 Pod 在名字空间 {namespace} 里。"
            ),
        ),
        ServiceCause::ScaledToZero { workload } => {
            let workload = named(workload);
            Said::new(
                say!(
                    language,
                    "{subject} has no endpoints: {workload} has no Pods.",
                    "{subject} 没有端点（endpoint）：{workload} 没有 Pod。"
                ),
                say!(
                    language,
                    "The selector fits its Pods, and its number of replicas is 0.",
                    "选择算符匹配它的 Pod，但它的副本（replica）数为 0。"
                ),
            )
        }
        ServiceCause::NotReady { ready, of, unready } => {
            let what = match (*ready, unready.first()) {
                (0, Some(one)) if *of == 1 => {
                    let pod = named(&one.pod);
                    say!(
                        language,
                        "{subject} has no ready endpoint: {pod} matches and is not ready.",
                        "{subject} 没有就绪的端点：{pod} 匹配，但没有就绪。"
                    )
                }
                (0, _) => say!(
                    language,
                    "{subject} has no ready endpoint: {of} Pods match and none is ready.",
                    "{subject} 没有就绪的端点：匹配的 {of} 个 Pod 都没有就绪。"
                ),
                _ => say!(
                    language,
                    "{ready} of {of} matching Pods are ready; only these get traffic.",
                    "匹配的 {of} 个 Pod 中有 {ready} 个就绪，只有它们接收流量。"
                ),
            };
            let why = unready
                .first()
                .map(|one| pod::words(&one.cause, &named(&one.pod), language))
                .unwrap_or_default();
            let mut said = Said::new(what, format!("{} {}", why.what, why.why).trim().to_owned());
            for one in unready {
                said = said.row(named(&one.pod), pod::short(&one.cause, language));
            }
            said
        }
        ServiceCause::NoSuchNamedPort { name, pod, declared } => {
            let pod = named(pod);
            let declared: Vec<String> = declared
                .iter()
                .map(
                    |(name, number)| {
                        if name.is_empty() { number.to_string() } else { format!("{name} ({number})") }
                    },
                )
                .collect();
            let declared = if declared.is_empty() { "<none>".to_owned() } else { declared.join(", ") };
            Said::new(
                say!(language, "{subject} sends nothing to {pod}.", "{subject} 不会把流量发给 {pod}。"),
                say!(
                    language,
                    "targetPort is the name {name}, and no container of the Pod declares a port of that name and protocol.",
                    "targetPort 写的是名称 {name}，而这个 Pod 没有容器声明同名同协议的端口。"
                ),
            )
            .row("targetPort", name.as_str())
            .row(say!(language, "ports of {pod}", "{pod} 的端口"), declared)
        }
        ServiceCause::NothingListens { port, target, protocol, pod, open, declared } => {
            let pod = named(pod);
            let why = if *declared {
                say!(
                    language,
                    "Port {port} leads to port {target} of the Pods, and no process listens there. containerPort {target} only documents; it opens nothing.",
                    "端口 {port} 通向 Pod 的 {target} 端口，而那里没有进程监听。containerPort {target} 只是说明，并不会打开端口。"
                )
            } else {
                say!(
                    language,
                    "Port {port} leads to port {target} of the Pods, and no process listens there.",
                    "端口 {port} 通向 Pod 的 {target} 端口，而那里没有进程监听。"
                )
            };
            Said::new(
                say!(
                    language,
                    "{subject} port {port} is refused by its own Pods.",
                    "{subject} 的端口 {port} 会被它自己的 Pod 拒绝。"
                ),
                why,
            )
            .row("targetPort", format!("{target}/{protocol}"))
            .row(say!(language, "open in {pod}", "{pod} 打开的端口"), numbers(open, language))
        }
        ServiceCause::OnlyLoopback { target, pod, container } => {
            let pod = named(pod);
            Said::new(
                say!(language, "{subject} is refused by its own Pods.", "{subject} 会被它自己的 Pod 拒绝。"),
                say!(
                    language,
                    "In {pod} the container {container} listens on 127.0.0.1:{target}, which only the Pod itself can reach. Let the program listen on 0.0.0.0.",
                    "{pod} 的容器 {container} 只监听 127.0.0.1:{target}，只有 Pod 自己能访问。请让程序监听 0.0.0.0。"
                ),
            )
        }
        ServiceCause::NoSelector { unlabelled } => {
            let said = Said::new(
                say!(language, "{subject} has no endpoints.", "{subject} 没有端点（endpoint）。"),
                say!(
                    language,
                    "It has no selector, so nobody makes endpoints for it. Give it a selector, or an EndpointSlice with the label kubernetes.io/service-name.",
                    "它没有选择算符（selector），所以没有谁为它创建端点。请给它加上 selector，或者创建带 kubernetes.io/service-name 标签的 EndpointSlice。"
                ),
            );
            unlabelled.iter().fold(said, |said, slice| {
                said.row(
                    format!("endpointslice/{slice}"),
                    say!(
                        language,
                        "no label kubernetes.io/service-name",
                        "没有 kubernetes.io/service-name 标签"
                    ),
                )
            })
        }
        ServiceCause::NoUsableEndpoint { not_ready, terminating, slice } => Said::new(
            say!(
                language,
                "{subject} has endpoints, and none that traffic goes to.",
                "{subject} 有端点，但没有一个会接收流量。"
            ),
            say!(
                language,
                "kube-proxy uses ready endpoints, and while there are none, those that still serve while they terminate. Here all are not ready, or terminate and serve no more.",
                "kube-proxy 使用就绪的端点；一个都没有时，才使用正在终止但仍可服务的端点。这里的端点要么未就绪，要么正在终止且不再服务。"
            ),
        )
        .row(say!(language, "not ready", "未就绪"), not_ready.to_string())
        .row(say!(language, "terminating", "正在终止"), terminating.to_string())
        .row("endpointslice", slice.as_str()),
        ServiceCause::HeadlessUnbalanced { pods } => Said::new(
            say!(
                language,
                "{subject} is headless: nothing balances between its {pods} Pods.",
                "{subject} 是无头服务（headless Service）：没有谁在它的 {pods} 个 Pod 之间做均衡。"
            ),
            say!(
                language,
                "DNS answers with all their addresses in changing order, and each client takes one for itself: a client that asks once, or keeps its connection, stays with one Pod. A Service with a ClusterIP is balanced for every connection.",
                "DNS 会以轮换的次序给出全部地址，由每个客户端自己选一个：只解析一次或保持连接的客户端会一直使用同一个 Pod。带 ClusterIP 的 Service 则对每个连接做均衡。"
            ),
        ),
        ServiceCause::Alias { target } => Said::new(
            say!(
                language,
                "{subject} is only another name for {target}.",
                "{subject} 只是 {target} 的另一个名字。"
            ),
            say!(
                language,
                "DNS answers with a CNAME; no address, no port and no proxy of Kubernetes is involved. Clients still send the name they typed as Host and check it in TLS.",
                "DNS 只回答一条 CNAME；Kubernetes 不提供地址、端口或代理。客户端发送的 Host 和 TLS 校验的名字仍是它所输入的名字。"
            ),
        ),
        ServiceCause::HeadlessPort { port, target } => Said::new(
            say!(
                language,
                "{subject} is headless: its port {port} is not used.",
                "{subject} 是无头服务（headless Service）：它的端口 {port} 用不到。"
            ),
            say!(
                language,
                "The name gives the Pods' own addresses, and nothing translates ports on the way: connect to port {target}.",
                "名字解析得到的是 Pod 自己的地址，途中没有端口转换：请直接连接端口 {target}。"
            ),
        ),
        ServiceCause::TooBroad { workloads, distinguishing } => {
            let mut said = Said::new(
                say!(
                    language,
                    "Pods of several workloads answer for {subject}.",
                    "有几个工作负载的 Pod 都在响应 {subject}。"
                ),
                say!(
                    language,
                    "Its selector matches all of them. If only one is meant, ask for a label that the others do not have.",
                    "它的 selector 同时匹配这些 Pod。如果只要其中一个，请再加一个其他 Pod 没有的标签。"
                ),
            );
            for (at, (key, count)) in workloads.iter().enumerate() {
                let label =
                    distinguishing.as_ref().map(|(label, values)| format!(", {label}={}", values[at]));
                let label = label.unwrap_or_default();
                said = said.row(named(key), say!(language, "{count} Pods{label}", "{count} 个 Pod{label}"));
            }
            said
        }
        ServiceCause::Pending { from, instead } => {
            let why = match from {
                Awaited::Nobody => say!(
                    language,
                    "An external address comes from a load balancer controller, and this cluster has none.",
                    "外部地址由负载均衡器（load balancer）控制器分配，而这个集群没有。"
                ),
                Awaited::Cloud => say!(
                    language,
                    "The cloud makes a load balancer for it and has not finished; its Events tell how far it is.",
                    "云正在为它创建负载均衡器（load balancer），尚未完成；进展见它的 Events。"
                ),
                Awaited::Class(class) => say!(
                    language,
                    "Its loadBalancerClass {class} leaves it to a controller of that name, which does not run here; the cloud passes it over.",
                    "它的 loadBalancerClass {class} 指定由同名控制器处理，而该控制器没有在这里运行；云会跳过它。"
                ),
            };
            let said = Said::new(
                say!(language, "{subject} waits for an external address.", "{subject} 在等待外部地址。"),
                why,
            );
            match instead {
                Some(address) => said.row(say!(language, "works meanwhile", "目前可用"), address.to_string()),
                None => said,
            }
        }
        ServiceCause::LocalOnly { external, with, without } => {
            let field = if *external { "externalTrafficPolicy" } else { "internalTrafficPolicy" };
            Said::new(
                say!(language, "{subject} answers only on some nodes.", "{subject} 只在部分节点上有响应。"),
                say!(
                    language,
                    "{field} is Local: a node without an endpoint of its own drops the packet, and the client waits until it times out.",
                    "{field} 为 Local：没有本地端点的节点会丢弃数据包，客户端一直等到超时。"
                ),
            )
            .row(say!(language, "nodes with endpoints", "有端点的节点"), with.join(", "))
            .row(say!(language, "nodes without", "没有端点的节点"), without.join(", "))
        }
        ServiceCause::AffinityBehindNode => Said::new(
            say!(
                language,
                "Session affinity of {subject} goes by the client's address.",
                "{subject} 的会话亲和性（session affinity）按客户端地址区分。"
            ),
            say!(
                language,
                "Clients behind one address (a NAT, a load balancer, one node's Pods that use another node's port) all reach the same Pod, and each node remembers for itself.",
                "同一地址后面的客户端（NAT、负载均衡器、经由别的节点端口的 Pod）都会到同一个 Pod，而且每个节点各记各的。"
            ),
        ),
    }
}

fn nothing_matches(
    selector: &str,
    nearest: Option<&Nearest>,
    pods: usize,
    subject: &str,
    language: Language,
) -> Said {
    let what = say!(
        language,
        "{subject} has no endpoints: no Pod matches {selector}.",
        "{subject} 没有端点（endpoint）：没有 Pod 匹配 {selector}。"
    );
    let Some(near) = nearest else {
        let why = if pods == 0 {
            say!(
                language,
                "There is no Pod in this namespace yet.",
                "这个名字空间（namespace）里还没有 Pod。"
            )
        } else {
            say!(
                language,
                "None of the {pods} Pods of this namespace has such labels.",
                "这个名字空间里的 {pods} 个 Pod 都没有这样的标签。"
            )
        };
        return Said::new(what, why).row(say!(language, "selector", "选择算符（selector）"), selector);
    };
    let pod = named(&near.pod);
    let why = match near.differences.first() {
        _ if near.labels.is_empty() => say!(language, "{pod} has no labels.", "{pod} 没有任何标签。"),
        Some(one) => {
            let (key, wanted) = (&one.key, &one.wanted);
            match (&one.found, &one.lookalike) {
                (Some(found), _) => say!(
                    language,
                    "{pod} comes nearest: it has {key}={found}, not {key}={wanted}.",
                    "{pod} 最接近：它的标签是 {key}={found}，不是 {key}={wanted}。"
                ),
                (None, Some(other)) => say!(
                    language,
                    "{pod} comes nearest: its label is called {other}, not {key}.",
                    "{pod} 最接近：它的标签名是 {other}，不是 {key}。"
                ),
                (None, None) => say!(
                    language,
                    "{pod} comes nearest: it lacks the label {key}={wanted}.",
                    "{pod} 最接近：它缺少标签 {key}={wanted}。"
                ),
            }
        }
        None => String::new(),
    };
    Said::new(what, why)
        .row(say!(language, "selector", "选择算符（selector）"), selector)
        .row(say!(language, "labels of {pod}", "{pod} 的标签"), pairs(&near.labels))
}

fn works(routes: &[Route], headless: bool, subject: &str, language: Language) -> Said {
    let why = if headless {
        say!(
            language,
            "Its name resolves to the addresses of all ready Pods, in changing order; packets go to them directly.",
            "它的名字解析为所有就绪 Pod 的地址，次序轮换；数据包直接发往这些 Pod。"
        )
    } else {
        say!(
            language,
            "A packet to it is rewritten by kube-proxy on the node where it starts (or enters): the destination becomes one of the endpoints, chosen at random for each connection.",
            "发往它的数据包在出发（或进入）的节点上由 kube-proxy 改写：目的地址变为其中一个端点，每个连接随机选择一次。"
        )
    };
    let mut said = Said::new(say!(language, "{subject} works.", "{subject} 正常。"), why);
    for route in routes {
        let from = match route.address {
            Some(address) => address.to_string(),
            None => format!(":{}", route.port),
        };
        let from = if route.node_port == 0 {
            from
        } else {
            let node_port = route.node_port;
            say!(language, "{from}, any node:{node_port}", "{from}，任意节点:{node_port}")
        };
        let mut to: Vec<String> = route.endpoints.iter().take(NAMED).map(ToString::to_string).collect();
        let more = route.endpoints.len().saturating_sub(NAMED);
        if more > 0 {
            to.push(say!(language, "{more} more", "另有 {more} 个"));
        }
        let to = if to.is_empty() { "<none>".to_owned() } else { to.join(", ") };
        said = said.row(from, format!("→ {to}"));
    }
    said
}
