//! `trace`: runs a command, then shows the way of every packet that it sent.
//!
//! Portside's own. Owns how hops are printed; the hops come from [`crate::simulation::traffic`].

use std::fmt::Write as _;
use std::sync::Arc;

use crate::network::{
    Drop, DropCause, Hop, NoRouteCause, Outcome, Packet, RefusedCause, Step, Trace, Transport,
};
use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::flags::Style;
use crate::shell::invocation::{Invocation, NOT_FOUND};
use crate::words::{Language, Words};

/// `trace`.
pub static COMMAND: Command = Command {
    name: "trace",
    usage: "COMMAND [ARGUMENT]...",
    summary: Words {
        en: "run a command and show the way of every packet it sends, with the rules that matched",
        zh: "运行一个命令，并显示它发出的每个数据包的路径以及匹配的规则",
    },
    flags: &[],
    operands: Value::Command,
    complete: None,
    found: Found::Everywhere,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// How many packets are shown at most; a command that sends more is summed up.
const SHOWN: usize = 20;

async fn run(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let before = invocation.host.with(|simulation| simulation.traffic.count());
    if parsed.operands.is_empty() {
        return last(&invocation);
    }
    let status = match invocation.run(&parsed.operands) {
        Ok(running) => running.await,
        Err(name) => {
            invocation.fail(&format!("{name}: command not found"));
            return NOT_FOUND;
        }
    };
    let traces: Vec<Arc<Trace>> = invocation
        .host
        .with(|simulation| simulation.traffic.since(before).map(|sent| sent.trace.clone()).collect());
    let language = invocation.host.language();
    if traces.is_empty() {
        let nothing = Words { en: "It sent no packet.", zh: "它没有发出数据包。" };
        invocation.say(nothing.in_language(language));
    }
    for (number, trace) in traces.iter().take(SHOWN).enumerate() {
        invocation.stdout().write(&format!("\n{}", show(number + 1, trace, language)));
    }
    if traces.len() > SHOWN {
        let more = traces.len() - SHOWN;
        invocation.say(&match language {
            Language::English => format!("\n… and {more} more packets."),
            Language::Chinese => format!("\n…… 另外还有 {more} 个数据包。"),
        });
    }
    status
}

/// Without a command: the last packet that anybody sent.
fn last(invocation: &Invocation) -> i32 {
    let trace = invocation.host.with(|simulation| simulation.traffic.last().map(|sent| sent.trace.clone()));
    let language = invocation.host.language();
    match trace {
        Some(trace) => {
            invocation.stdout().write(&show(1, &trace, language));
            0
        }
        None => {
            let nothing = Words { en: "No packet was sent yet.", zh: "还没有发出过数据包。" };
            invocation.fail(nothing.in_language(language))
        }
    }
}

/// A trace as text: a line per hop, below it the rules that matched.
fn show(number: usize, trace: &Trace, language: Language) -> String {
    let mut text = String::new();
    let first = trace.hops.first().map_or_else(|| trace.target.to_string(), |hop| hop.before.to_string());
    let _ = writeln!(text, "{number}. {first}");
    let mut clock_us = 0;
    for hop in &trace.hops {
        line(&mut text, hop, clock_us, language);
        clock_us += hop.latency_us;
    }
    let _ = writeln!(text, "   = {}", ending(&trace.outcome, language));
    text
}

fn line(text: &mut String, hop: &Hop, clock_us: u64, language: Language) {
    let step = step(hop.step).in_language(language);
    let _ = write!(text, "   {:>6.2} ms  {}: {step}", clock_us as f64 / 1000.0, hop.place);
    if hop.before.destination != hop.after.destination && hop.step != Step::Reply {
        let _ = write!(text, " {} → {}", hop.before.destination, hop.after.destination);
    }
    if hop.before.source != hop.after.source && hop.step != Step::Reply {
        let _ = write!(text, " {} → {}", hop.before.source, hop.after.source);
    }
    if hop.step == Step::Reply {
        let _ = write!(text, " {}", ends(&hop.after));
        if hop.before.source != hop.after.source || hop.before.destination != hop.after.destination {
            let _ = write!(text, " ({})", ends(&hop.before));
        }
    }
    if matches!(hop.step, Step::Deliver | Step::Reset | Step::Reject | Step::Drop | Step::Unreachable) {
        let _ = write!(text, " {}", ends(&hop.after));
    }
    if let Some(next) = &hop.next {
        let _ = write!(text, " ⇒ {next}");
    }
    text.push('\n');
    for rule in &hop.rules {
        let _ = writeln!(text, "              [{}] {}", rule.table, rule.text);
    }
}

fn ends(packet: &Packet) -> String {
    match packet.transport {
        Transport::Icmp => format!("{} > {}", packet.source.ip(), packet.destination.ip()),
        _ => format!("{} > {}", packet.source, packet.destination),
    }
}

fn step(step: Step) -> Words {
    let (en, zh) = match step {
        Step::Send => ("sends", "发送"),
        Step::Route => ("routes", "路由"),
        Step::Dnat => ("rewrites the destination", "改写目的地址"),
        Step::Balance => ("balances", "负载均衡"),
        Step::Masquerade => ("rewrites the source", "改写源地址"),
        Step::Reject => ("refuses", "拒绝"),
        Step::Drop => ("drops", "丢弃"),
        Step::Unreachable => ("finds nobody", "找不到主机"),
        Step::Reset => ("nobody listens", "没有进程监听"),
        Step::Deliver => ("receives", "接收"),
        Step::Reply => ("answer", "应答"),
    };
    Words { en, zh }
}

/// How it ended, in a sentence.
fn ending(outcome: &Outcome, language: Language) -> String {
    let english = language == Language::English;
    match outcome {
        Outcome::Delivered(delivery) => {
            let (server, source) = (&delivery.server, delivery.packet.source.ip());
            if english {
                format!("delivered to {server}, which sees {source} as the client")
            } else {
                format!("已送达 {server}，它看到的客户端是 {source}")
            }
        }
        Outcome::Refused(refusal) => {
            let why = refused(&refusal.cause, language);
            if english { format!("refused at once: {why}") } else { format!("立即被拒绝：{why}") }
        }
        Outcome::Dropped(Drop { cause: DropCause::AnswerHeldBack(inner), .. }) => {
            let inner = ending(inner, language);
            if english {
                format!("{inner}; the sender is not told (icmp_ratelimit)")
            } else {
                format!("{inner}；发送方没有得到通知（icmp_ratelimit）")
            }
        }
        Outcome::Dropped(drop) => {
            let why = dropped(&drop.cause, language);
            if english { format!("no answer ever: {why}") } else { format!("永远没有应答：{why}") }
        }
        Outcome::NoRoute(no_route) => {
            let words = match no_route.cause {
                NoRouteCause::NobodyHasAddress => {
                    Words { en: "nobody has that address", zh: "没有人拥有该地址" }
                }
                NoRouteCause::TimeToLive => Words {
                    en: "it was forwarded in a circle until its time to live was used up",
                    zh: "它被循环转发，直到生存时间耗尽",
                },
                NoRouteCause::NoSource => {
                    Words { en: "the sender has no address for it", zh: "发送方没有可用的源地址" }
                }
            };
            let why = words.in_language(language);
            if english {
                format!("no route to host: {why}")
            } else {
                format!("没有到主机的路由：{why}")
            }
        }
    }
}

fn refused(cause: &RefusedCause, language: Language) -> String {
    let words = match cause {
        RefusedCause::NoEndpoints(service) => {
            return match language {
                Language::English => format!("Service {service} has no ready endpoint"),
                Language::Chinese => format!("Service {service} 没有就绪的端点"),
            };
        }
        RefusedCause::NoSuchServicePort => {
            Words { en: "the Service has no such port", zh: "该 Service 没有这个端口" }
        }
        RefusedCause::NothingListens => {
            Words { en: "nothing listens on that port", zh: "该端口上没有进程监听" }
        }
        RefusedCause::ListensOnLoopback(_) => {
            Words { en: "the server listens on 127.0.0.1 only", zh: "服务器只监听 127.0.0.1" }
        }
    };
    words.in_language(language).to_owned()
}

fn dropped(cause: &DropCause, language: Language) -> String {
    let english = language == Language::English;
    let words = match cause {
        DropCause::NoLocalEndpoints { service, external } => {
            let field = if *external { "externalTrafficPolicy" } else { "internalTrafficPolicy" };
            return if english {
                format!("{field} of {service} is Local, and this node has no endpoint of it")
            } else {
                format!("{service} 的 {field} 为 Local，而此节点上没有它的端点")
            };
        }
        DropCause::SourceRanges(service) => {
            return if english {
                format!("the source is not in loadBalancerSourceRanges of {service}")
            } else {
                format!("源地址不在 {service} 的 loadBalancerSourceRanges 中")
            };
        }
        DropCause::NoSuchServicePort => Words {
            en: "the Service has no such port, so no rule matched and the packet left the cluster",
            zh: "该 Service 没有这个端口，没有规则匹配，数据包离开了集群",
        },
        DropCause::NoSuchService => {
            Words { en: "no Service has that address", zh: "没有 Service 使用该地址" }
        }
        DropCause::NoSuchPodRange => Words {
            en: "no node has that range of the Pod network",
            zh: "没有节点拥有 Pod 网络的这一段",
        },
        DropCause::ClusterNetworkFromOutside => Words {
            en: "addresses of Pods and Services exist inside the cluster only",
            zh: "Pod 和 Service 的地址只在集群内部有效",
        },
        DropCause::NoRouteBeyond => {
            Words { en: "the router knows no way to it", zh: "路由器不知道如何到达" }
        }
        DropCause::NoBalancerTarget => Words {
            en: "the load balancer has no healthy node to send it to",
            zh: "负载均衡器没有可用的健康节点",
        },
        DropCause::OwnSource => {
            Words { en: "it came back to the node that sent it", zh: "它又回到了发送它的节点" }
        }
        DropCause::LoopbackSource => Words {
            en: "it comes from ::1, which no host takes from the network",
            zh: "它来自 ::1，任何主机都不会从网络接收这样的数据包",
        },
        DropCause::NoHairpin => Words {
            en: "its node does not send a packet back where it came from (hairpin is off)",
            zh: "节点不会把数据包送回来处（hairpin 已关闭）",
        },
        DropCause::NotForwarded => Words {
            en: "this node does not forward packets (ip_forward is 0)",
            zh: "此节点不转发数据包（ip_forward 为 0）",
        },
        DropCause::BridgedAnswer => Words {
            en: "its answer goes over the bridge past the rules, with an address that the client did not ask (bridge-nf-call-iptables is 0)",
            zh: "应答经网桥绕过规则，带着客户端没有请求的地址（bridge-nf-call-iptables 为 0）",
        },
        DropCause::PingOfService => Words {
            en: "a Service's address answers on its ports only, not to ping",
            zh: "Service 的地址只在其端口上应答，不应答 ping",
        },
        DropCause::Unanswered | DropCause::AnswerHeldBack(_) => Words {
            en: "the answer would come from an address that the client never asked",
            zh: "应答会来自客户端从未请求过的地址",
        },
    };
    words.in_language(language).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Place;

    #[test]
    fn a_hop_shows_addresses_before_and_after_and_the_rule() {
        let sent = Packet::new(
            Transport::Tcp,
            "10.244.1.2:40000".parse().expect("an address"),
            "10.96.0.9:80".parse().expect("an address"),
        );
        let after = sent.to("10.244.2.3:8080".parse().expect("an address"));
        let rules = vec![crate::network::Rule {
            table: "nat",
            chain: "KUBE-SVC-X".to_owned(),
            text: "-A KUBE-SVC-X -j KUBE-SEP-Y".to_owned(),
        }];
        let hop = Hop {
            place: Place::Node("k8s-w1".into()),
            step: Step::Dnat,
            before: sent,
            after,
            rules: rules.into(),
            next: None,
            latency_us: 0,
        };
        let mut text = String::new();
        line(&mut text, &hop, 15, Language::English);
        assert_eq!(
            text,
            "     0.01 ms  node k8s-w1: rewrites the destination 10.96.0.9:80 → 10.244.2.3:8080\n              [nat] -A KUBE-SVC-X -j KUBE-SEP-Y\n"
        );
    }
}
