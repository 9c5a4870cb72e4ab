//! Words about who answers.

use super::{Said, say};
use crate::explain::finding::named;
use crate::explain::spread::{SameReason, SpreadCause};
use crate::words::Language;

pub(super) fn words(cause: &SpreadCause, subject: &str, language: Language) -> Said {
    let SpreadCause { reason, pod, connections, requests, endpoints } = cause;
    let pod = named(pod);
    let what = say!(
        language,
        "{pod} answered everything, although {subject} has {endpoints} endpoints.",
        "所有请求都由 {pod} 应答，尽管 {subject} 有 {endpoints} 个端点。"
    );
    let why = match reason {
        SameReason::OneConnection => say!(
            language,
            "kube-proxy chooses an endpoint once, when a connection is opened. All {requests} requests went over one connection (keep-alive), so to one Pod; long-lived connections of HTTP/2, gRPC or a database pool do the same.",
            "kube-proxy 只在建立连接时选择一次端点。{requests} 个请求走的是同一个连接（keep-alive），所以到了同一个 Pod；HTTP/2、gRPC 和数据库连接池的长连接也是如此。"
        ),
        SameReason::Affinity => say!(
            language,
            "sessionAffinity is ClientIP: a client's address keeps the endpoint that it got first, until it has been away for timeoutSeconds.",
            "sessionAffinity 为 ClientIP：同一个客户端地址会一直使用最初得到的端点，直到闲置超过 timeoutSeconds。"
        ),
        SameReason::Headless => say!(
            language,
            "{subject} is headless: no proxy stands between. DNS gives all addresses, and the client itself takes one (often the first, or one near its own address) and keeps it as long as it likes.",
            "{subject} 是无头服务（headless Service）：中间没有代理。DNS 给出全部地址，由客户端自己选一个（通常是第一个，或与自己地址相近的），想用多久就用多久。"
        ),
        SameReason::Other => say!(
            language,
            "Each connection is given to an endpoint anew; look at who asked and whether hints or a Local policy leave only one.",
            "每个连接都会重新选择端点；请看看是谁发起的，以及拓扑提示或 Local 策略是否只留下一个端点。"
        ),
    };
    Said::new(what, why)
        .row(say!(language, "connections", "连接数"), connections.to_string())
        .row(say!(language, "requests", "请求数"), requests.to_string())
        .row(say!(language, "endpoints", "端点数"), endpoints.to_string())
}
