//! What the page says of a packet's way, in both languages.
//!
//! Owns words only: one short line per step and per end. The long explanation is [`crate::explain`]'s.

use crate::network::{Drop, DropCause, NoRouteCause, Outcome, Place, RefusedCause, Step};
use crate::words::{Language, Words};

/// A place in one word.
#[must_use]
pub fn name_of(place: &Place) -> String {
    match place {
        Place::Pod(key) => key.name.to_string(),
        Place::Node(name) => name.to_string(),
        Place::Router => "router".to_owned(),
        Place::LoadBalancer(address) => address.to_string(),
        Place::Outside(_) => "ci-base".to_owned(),
    }
}

/// What happens at a stop, in words.
#[must_use]
pub fn step_words(step: Step) -> Words {
    match step {
        Step::Send => Words { en: "A socket sends it", zh: "套接字发出数据包" },
        Step::Route => Words { en: "Routed", zh: "选路" },
        Step::Dnat => Words { en: "Destination translated (DNAT)", zh: "转换目的地址（DNAT）" },
        Step::Balance => Words { en: "The load balancer chooses a node", zh: "负载均衡器选择节点" },
        Step::Masquerade => {
            Words { en: "Source translated (masquerade)", zh: "转换源地址（masquerade）" }
        }
        Step::Reject => Words { en: "Refused by a rule", zh: "被规则拒绝" },
        Step::Drop => Words { en: "Dropped", zh: "被丢弃" },
        Step::Unreachable => Words { en: "No route to host", zh: "没有到主机的路由" },
        Step::Reset => Words { en: "No socket listens: reset", zh: "没有套接字监听：重置" },
        Step::Deliver => Words { en: "Arrived", zh: "到达" },
        Step::Reply => Words { en: "The answer comes back", zh: "应答返回" },
    }
}

/// What became of a packet, in one line.
#[must_use]
pub fn result(outcome: &Outcome, language: Language) -> String {
    let say = |words: Words| words.in_language(language);
    match outcome {
        Outcome::Delivered(delivery) => {
            let words = Words {
                en: "Delivered to {} in {} ms; it sees {}.",
                zh: "已送达 {}，用时 {} 毫秒；对方看到的来源是 {}。",
            };
            fill(
                say(words),
                &[
                    name_of(&delivery.server),
                    format!("{:.2}", delivery.latency_us as f64 / 1_000.0),
                    delivery.packet.source.ip().to_string(),
                ],
            )
        }
        Outcome::Refused(refusal) => {
            let place = name_of(&refusal.place);
            match &refusal.cause {
                RefusedCause::NoEndpoints(port) => fill(
                    say(Words {
                        en: "Refused on {}: Service {} has no ready endpoint.",
                        zh: "在 {} 被拒绝：Service {} 没有就绪的端点。",
                    }),
                    &[place, port.service.to_string()],
                ),
                RefusedCause::NoSuchServicePort => fill(
                    say(Words {
                        en: "Refused on {}: the Service has no such port.",
                        zh: "在 {} 被拒绝：该 Service 没有这个端口。",
                    }),
                    &[place],
                ),
                RefusedCause::NothingListens => fill(
                    say(Words {
                        en: "Refused by {}: nothing listens on port {}.",
                        zh: "被 {} 拒绝：没有进程监听端口 {}。",
                    }),
                    &[place, refusal.packet.destination.port().to_string()],
                ),
                RefusedCause::ListensOnLoopback(_) => fill(
                    say(Words {
                        en: "Refused by {}: its process listens on 127.0.0.1 only.",
                        zh: "被 {} 拒绝：它的进程只监听 127.0.0.1。",
                    }),
                    &[place],
                ),
            }
        }
        Outcome::Dropped(Drop { cause: DropCause::AnswerHeldBack(inner), .. }) => fill(
            say(Words {
                en: "{} The sender was not told: ICMP errors to it are limited to one a second.",
                zh: "{}发送方没有得到通知：发给它的 ICMP 错误每秒最多一个。",
            }),
            &[result(inner, language)],
        ),
        Outcome::Dropped(drop) => fill(
            say(Words { en: "Dropped on {}: {}", zh: "在 {} 被丢弃：{}" }),
            &[name_of(&drop.place), say(drop_words(&drop.cause)).to_owned()],
        ),
        Outcome::NoRoute(no_route) => fill(
            say(Words { en: "No route, says {}: {}", zh: "{} 报告没有路由：{}" }),
            &[name_of(&no_route.place), say(no_route_words(no_route.cause)).to_owned()],
        ),
    }
}

fn drop_words(cause: &DropCause) -> Words {
    match cause {
        DropCause::NoLocalEndpoints { .. } => Words {
            en: "the traffic policy is Local and this node has no ready endpoint.",
            zh: "流量策略是 Local，而此节点没有就绪的端点。",
        },
        DropCause::SourceRanges(_) => Words {
            en: "the sender is outside loadBalancerSourceRanges.",
            zh: "发送方不在 loadBalancerSourceRanges 之内。",
        },
        DropCause::NoSuchServicePort => {
            Words { en: "the Service has no such port.", zh: "该 Service 没有这个端口。" }
        }
        DropCause::NoSuchService => {
            Words { en: "no Service has this address.", zh: "没有 Service 使用这个地址。" }
        }
        DropCause::NoSuchPodRange => {
            Words { en: "no node has this Pod range.", zh: "没有节点拥有这个 Pod 网段。" }
        }
        DropCause::ClusterNetworkFromOutside => Words {
            en: "cluster addresses cannot be reached from outside.",
            zh: "集群内部地址无法从外部访问。",
        },
        DropCause::NoRouteBeyond => {
            Words { en: "the router knows no way there.", zh: "路由器不知道去往那里的路径。" }
        }
        DropCause::NoBalancerTarget => Words {
            en: "no node can take this load balancer's traffic.",
            zh: "没有节点能接收此负载均衡器的流量。",
        },
        DropCause::OwnSource => Words {
            en: "it came back carrying the node's own address.",
            zh: "数据包带着节点自己的地址返回。",
        },
        DropCause::LoopbackSource => Words {
            en: "it comes from ::1, which no host takes from the network.",
            zh: "它来自 ::1，任何主机都不会从网络接收这样的数据包。",
        },
        DropCause::NotForwarded => Words {
            en: "the node does not forward packets (ip_forward is 0).",
            zh: "节点不转发数据包（ip_forward 为 0）。",
        },
        DropCause::BridgedAnswer => Words {
            en: "the answer goes over the bridge past the rules (bridge-nf-call-iptables is 0).",
            zh: "应答经网桥绕过规则（bridge-nf-call-iptables 为 0）。",
        },
        DropCause::NoHairpin => Words {
            en: "the bridge does not send a packet back where it came from (hairpin is off).",
            zh: "网桥不会把数据包送回来处（hairpin 已关闭）。",
        },
        DropCause::PingOfService => Words {
            en: "a Service's address answers no ping; only its ports are translated.",
            zh: "Service 的地址不响应 ping；只有它的端口会被转换。",
        },
        DropCause::Unanswered | DropCause::AnswerHeldBack(_) => {
            Words { en: "nobody answers.", zh: "没有应答。" }
        }
    }
}

fn no_route_words(cause: NoRouteCause) -> Words {
    match cause {
        NoRouteCause::NobodyHasAddress => {
            Words { en: "nobody has this address.", zh: "没有主机使用这个地址。" }
        }
        NoRouteCause::TimeToLive => Words { en: "it was forwarded too often.", zh: "转发次数过多。" },
        NoRouteCause::NoSource => Words {
            en: "the sender has no address of that family.",
            zh: "发送方没有该地址族的地址。",
        },
    }
}

/// Puts values into the places marked `{}`.
pub(super) fn fill(text: &str, values: &[String]) -> String {
    let mut parts = text.split("{}");
    let mut out = parts.next().unwrap_or("").to_owned();
    for (index, part) in parts.enumerate() {
        out.push_str(values.get(index).map_or("", String::as_str));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_order() {
        assert_eq!(fill("{} and {}.", &["a".to_owned(), "b".to_owned()]), "a and b.");
    }
}
