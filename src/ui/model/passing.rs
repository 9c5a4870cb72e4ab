//! What would have to be true for a packet that failed to pass.
//!
//! One sentence for each cause of failure, in both languages, with the names and addresses of this very
//! packet. It decides nothing: causes come from [`crate::network`], the long explanation from
//! [`crate::explain`], whose command is named beside it.

use super::journey_words::{fill, name_of};
use crate::network::{
    Drop, DropCause, NoRoute, NoRouteCause, Outcome, PortName, Refusal, RefusedCause, Transport,
};
use crate::words::{Language, Words};

/// What would let a packet pass; and the command that explains more, if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Passing {
    /// In English and in Chinese.
    pub words: (String, String),
    /// `why svc/web -n demo`.
    pub command: Option<String>,
}

/// What would have to be true; `None` for a packet that arrived.
#[must_use]
pub fn to_pass(outcome: &Outcome) -> Option<Passing> {
    let (words, values, service) = match outcome.in_the_end() {
        Outcome::Delivered(_) => return None,
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::Dropped(drop) => dropped(drop),
        Outcome::NoRoute(no_route) => unreachable(no_route),
    };
    let say = |language| fill(words.in_language(language), &values);
    Some(Passing { words: (say(Language::English), say(Language::Chinese)), command: service.map(why) })
}

/// The question about a Service.
fn why(port: &PortName) -> String {
    if port.namespace == "default" {
        format!("why svc/{}", port.service)
    } else {
        format!("why -n {} svc/{}", port.namespace, port.service)
    }
}

type Said<'a> = (Words, Vec<String>, Option<&'a PortName>);

fn refused(refusal: &Refusal) -> Said<'_> {
    let to = refusal.packet.destination;
    match &refusal.cause {
        RefusedCause::NoEndpoints(port) => (
            Words {
                en: "Service {} must have a ready endpoint: a Pod that its selector matches and whose readiness holds.",
                zh: "Service {} 必须有就绪的端点：一个被它的选择算符匹配、且已就绪的 Pod。",
            },
            vec![port.service.to_string()],
            Some(port),
        ),
        RefusedCause::NoSuchServicePort => (
            Words {
                en: "A Service with the address {} must list port {} in spec.ports.",
                zh: "使用地址 {} 的 Service 必须在 spec.ports 中列出端口 {}。",
            },
            vec![to.ip().to_string(), to.port().to_string()],
            None,
        ),
        RefusedCause::NothingListens => (
            Words {
                en: "A process in {} must listen on port {}; or the sender, or targetPort of the Service, must name the port on which one listens.",
                zh: "{} 里必须有进程监听端口 {}；或者发送方（或 Service 的 targetPort）改用有进程监听的端口。",
            },
            vec![name_of(&refusal.place), to.port().to_string()],
            None,
        ),
        RefusedCause::ListensOnLoopback(listener) => (
            Words {
                en: "The process in {} must listen on 0.0.0.0:{}, not on 127.0.0.1.",
                zh: "{} 里的进程必须监听 0.0.0.0:{}，而不是 127.0.0.1。",
            },
            vec![name_of(&refusal.place), listener.port.to_string()],
            None,
        ),
    }
}

fn dropped(drop: &Drop) -> Said<'_> {
    let (from, to) = (drop.packet.source.ip(), drop.packet.destination);
    let place = name_of(&drop.place);
    match &drop.cause {
        DropCause::NoLocalEndpoints { service, external } => (
            Words {
                en: "A ready Pod of Service {} must run on {}, or its {} must be Cluster.",
                zh: "Service {} 必须有就绪的 Pod 运行在 {} 上，或者它的 {} 必须是 Cluster。",
            },
            vec![
                service.service.to_string(),
                place,
                if *external { "externalTrafficPolicy" } else { "internalTrafficPolicy" }.to_owned(),
            ],
            Some(service),
        ),
        DropCause::SourceRanges(service) => (
            Words {
                en: "The sender's address {} must lie in a range of loadBalancerSourceRanges of Service {}.",
                zh: "发送方地址 {} 必须在 Service {} 的 loadBalancerSourceRanges 的某个网段之内。",
            },
            vec![from.to_string(), service.service.to_string()],
            Some(service),
        ),
        DropCause::NoSuchServicePort => (
            Words {
                en: "The Service with the address {} must list port {}/{} in spec.ports.",
                zh: "使用地址 {} 的 Service 必须在 spec.ports 中列出端口 {}/{}。",
            },
            vec![to.ip().to_string(), to.port().to_string(), upper(drop.packet.transport)],
            None,
        ),
        DropCause::NoSuchService => (
            Words {
                en: "Some Service must have the clusterIP {}.",
                zh: "必须有 Service 的 clusterIP 是 {}。",
            },
            vec![to.ip().to_string()],
            None,
        ),
        DropCause::NoSuchPodRange => (
            Words {
                en: "Some node's podCIDR must contain {}.", zh: "必须有节点的 podCIDR 包含 {}。"
            },
            vec![to.ip().to_string()],
            None,
        ),
        DropCause::ClusterNetworkFromOutside => (
            Words {
                en: "From outside, send to a node's address and a node port, or to a load balancer; {} is reached from nodes and Pods alone.",
                zh: "从集群外应发往节点地址加 NodePort，或负载均衡器；{} 只能从节点和 Pod 到达。",
            },
            vec![to.ip().to_string()],
            None,
        ),
        DropCause::NoRouteBeyond => (
            Words {
                en: "The router must have a route to {}.", zh: "路由器必须有去往 {} 的路由。"
            },
            vec![to.ip().to_string()],
            None,
        ),
        DropCause::NoBalancerTarget => (
            Words {
                en: "The load balancer {} must find a node that passes its health check.",
                zh: "负载均衡器 {} 必须能找到通过健康检查的节点。",
            },
            vec![place],
            None,
        ),
        DropCause::OwnSource => (
            Words {
                en: "It must not come back to the node whose address {} it carries as its source.",
                zh: "它不能回到以 {} 作为源地址的节点本身。",
            },
            vec![from.to_string()],
            None,
        ),
        DropCause::LoopbackSource => (
            Words {
                en: "It must not come from {}: no host takes that from the network.",
                zh: "它不能来自 {}：任何主机都不会从网络接收这样的数据包。",
            },
            vec![from.to_string()],
            None,
        ),
        DropCause::NotForwarded => (
            Words {
                en: "The node must forward packets to {}: net.ipv4.ip_forward = 1.",
                zh: "节点必须转发去往 {} 的数据包：net.ipv4.ip_forward = 1。",
            },
            vec![to.to_string()],
            None,
        ),
        DropCause::BridgedAnswer => (
            Words {
                en: "Answers of {} must pass the rules of the node: net.bridge.bridge-nf-call-iptables = 1.",
                zh: "{} 的应答必须经过节点的规则：net.bridge.bridge-nf-call-iptables = 1。",
            },
            vec![to.to_string()],
            None,
        ),
        DropCause::NoHairpin => (
            Words {
                en: "The bridge must send packets back to {} (hairpin mode), or another Pod must be chosen.",
                zh: "网桥必须能把数据包送回 {}（hairpin 模式），或者选中别的 Pod。",
            },
            vec![to.to_string()],
            None,
        ),
        DropCause::PingOfService => (
            Words {
                en: "Send TCP or UDP to a port of the Service at {}: only its ports are translated.",
                zh: "应向 {} 的 Service 端口发送 TCP 或 UDP：只有它的端口会被转换。",
            },
            vec![to.ip().to_string()],
            None,
        ),
        DropCause::Unanswered | DropCause::AnswerHeldBack(_) => (
            Words { en: "Somebody must answer at {}.", zh: "{} 处必须有应答方。" },
            vec![to.to_string()],
            None,
        ),
    }
}

fn unreachable(no_route: &NoRoute) -> Said<'_> {
    let to = no_route.packet.destination.ip().to_string();
    let words = match no_route.cause {
        NoRouteCause::NobodyHasAddress => Words {
            en: "A running Pod or a host must have the address {}.",
            zh: "必须有运行中的 Pod 或主机使用地址 {}。",
        },
        NoRouteCause::TimeToLive => Words {
            en: "Its time to live must suffice for every hop to {}.",
            zh: "它的 TTL 必须够走完到 {} 的每一跳。",
        },
        NoRouteCause::NoSource => Words {
            en: "The sender must run and have an address of the same family as {}.",
            zh: "发送方必须在运行，并且拥有与 {} 同一地址族的地址。",
        },
    };
    (words, vec![to], None)
}

fn upper(transport: Transport) -> String {
    transport.name().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::api::registry::Kind;
    use crate::cluster::clock::Span;
    use crate::cluster::{Actor, Settings};
    use crate::network::Origin;
    use crate::simulation::Simulation;
    use crate::value;

    fn sent(to: &str) -> Option<Passing> {
        let mut simulation = Simulation::new(Settings::default());
        let service = value!({ "metadata": { "name": "web" }, "spec": { "clusterIP": "10.96.0.50", "ports": [{ "port": 80 }], "selector": { "app": "web" } } });
        simulation.cluster.create(Actor::User, Kind::Service, "default", service).expect("it is valid");
        simulation.notice();
        simulation.settle(Span::from_seconds(2));
        let to: SocketAddr = to.parse().expect("an address");
        let trace = simulation.connect(&Origin::node("k8s-w1"), to, Transport::Tcp);
        to_pass(&trace.outcome)
    }

    #[test]
    fn a_service_without_endpoints_says_what_it_needs() {
        let passing = sent("10.96.0.50:80").expect("it fails");
        assert!(passing.words.0.contains("Service web must have a ready endpoint"), "{}", passing.words.0);
        assert!(passing.words.1.contains("Service web"), "{}", passing.words.1);
        assert_eq!(passing.command.as_deref(), Some("why svc/web"));
    }

    #[test]
    fn what_arrives_needs_nothing_and_what_fails_names_its_target() {
        assert_eq!(sent("192.168.1.72:6443"), None);
        assert!(sent("192.168.1.72:81").expect("it fails").words.0.contains("port 81"));
        assert!(sent("10.244.1.200:80").expect("it fails").words.0.contains("10.244.1.200"));
    }
}
