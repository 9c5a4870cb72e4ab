//! Words about names and variables.

use super::{Said, say};
use crate::explain::finding::named;
use crate::explain::name::NameCause;
use crate::explain::variables::VariableCause;
use crate::words::Language;

pub(super) fn words(cause: &NameCause, language: Language) -> Said {
    match cause {
        NameCause::Resolves { full, noisy } => {
            let why = if *noisy {
                say!(
                    language,
                    "nslookup of busybox newer than 1.28 asks every search domain by itself and fails if one of them does not have the name. The name works for programs.",
                    "比 1.28 新的 busybox，其 nslookup 会逐个查询每个搜索域，有一个查不到就算失败。程序使用这个名字没有问题。"
                )
            } else {
                say!(language, "A Service gets its name when it is made; the question may have come earlier.", "Service 创建之后才有名字；也许查询得早了一点。")
            };
            Said::new(say!(language, "The name resolves, as {full}.", "这个名字可以解析：{full}。"), why)
        }
        NameCause::AliasUnresolved { target } => Said::new(
            say!(
                language,
                "The Service is only another name for {target}, and {target} has no address.",
                "这个 Service 只是 {target} 的另一个名字，而 {target} 没有地址。"
            ),
            say!(
                language,
                "DNS answers with a CNAME alone: an ExternalName must be a full name that the world outside knows, and clients still send the name they typed as Host.",
                "DNS 只回答一条 CNAME：externalName 必须是外部可以解析的完整名字，而客户端发送的 Host 仍是它所输入的名字。"
            ),
        ),
        NameCause::NotInAPod { service, address, on_node } => {
            let what = say!(language, "Could not resolve: cluster names exist for Pods only.", "无法解析：集群内的名字只有 Pod 能查到。");
            let why = match (service, address) {
                (Some(service), Some(address)) if *on_node => {
                    let service = named(service);
                    say!(language, "A node asks its own DNS, not the cluster's. {service} is at {address}, which nodes can reach.", "节点查询的是它自己的 DNS，不是集群的。{service} 的地址是 {address}，节点可以直接访问。")
                }
                (Some(service), _) => {
                    let service = named(service);
                    say!(language, "The name is that of {service}. From outside, use a node port or a load balancer; or ask from a Pod.", "这是 {service} 的名字。从集群外请使用节点端口或负载均衡器，或者在 Pod 里查询。")
                }
                (None, _) => say!(language, "And no Service has this name.", "而且没有叫这个名字的 Service。"),
            };
            Said::new(what, why)
        }
        NameCause::OtherNamespace { own, service } => {
            let (name, namespace) = (&service.name, &service.namespace);
            Said::new(
                say!(language, "No Service {name} in namespace {own}.", "名字空间 {own} 里没有 Service {name}。"),
                say!(
                    language,
                    "A short name is looked up in the Pod's own namespace. {name} is in {namespace}: ask for {name}.{namespace}.",
                    "短名字只在 Pod 自己的名字空间（namespace）里查找。{name} 在 {namespace} 里：请使用 {name}.{namespace}。"
                ),
            )
            .row(say!(language, "searched", "查找范围"), format!("{own}.svc.cluster.local svc.cluster.local cluster.local"))
        }
        NameCause::NoSuchService { name, namespace, nearest } => {
            let why = match nearest {
                Some(near) => {
                    let near = named(near);
                    say!(language, "The nearest is {near}.", "最接近的是 {near}。")
                }
                None => say!(language, "Names of Services come from the Services themselves: make it first.", "名字来自 Service 本身：请先创建它。"),
            };
            Said::new(say!(language, "No Service {name} in namespace {namespace}.", "名字空间 {namespace} 里没有 Service {name}。"), why)
        }
        NameCause::NoSuchNamespace { namespace, nearest } => {
            let why = match nearest {
                Some(near) => say!(language, "The nearest is {near}.", "最接近的是 {near}。"),
                None => say!(language, "The second part of a Service's name is its namespace.", "Service 名字的第二段是名字空间。"),
            };
            Said::new(say!(language, "There is no namespace {namespace}.", "没有名字空间 {namespace}。"), why)
        }
        NameCause::NoReadyPods { service } => {
            let service = named(service);
            Said::new(
                say!(language, "{service} has no addresses.", "{service} 没有地址。"),
                say!(language, "It is headless: its name gives the addresses of its ready Pods, and there is none.", "它是无头服务（headless Service）：名字解析为就绪 Pod 的地址，而现在一个也没有。"),
            )
        }
        NameCause::NotSearched { full } => Said::new(
            say!(language, "The Service exists; this nslookup did not ask for it.", "Service 存在，只是这个 nslookup 没有查它。"),
            say!(
                language,
                "nslookup of busybox newer than 1.28 does not use the search path for names with a dot. Ask for the full name, or use busybox:1.28.",
                "比 1.28 新的 busybox，其 nslookup 对带点的名字不使用搜索域。请使用全名，或者 busybox:1.28。"
            ),
        )
        .row(say!(language, "full name", "全名"), full.as_str()),
        NameCause::DnsAway { service } => {
            let service = named(service);
            Said::new(
                say!(language, "DNS does not answer: {service} has no ready endpoint.", "DNS 没有回应：{service} 没有就绪的端点。"),
                say!(language, "No name of the cluster resolves until it has one.", "在它恢复之前，集群里的名字都无法解析。"),
            )
        }
        NameCause::PodName { pod } => {
            let pod = named(pod);
            Said::new(
                say!(language, "{pod} is a Pod, and a Pod's name is not in DNS.", "{pod} 是 Pod，Pod 的名字不在 DNS 里。"),
                say!(language, "Give it a Service.", "请给它创建一个 Service。"),
            )
        }
    }
}

pub(super) fn variable(cause: &VariableCause, subject: &str, language: Language) -> Said {
    match cause {
        VariableCause::Present { value } => Said::new(
            say!(language, "The variable is there: {value}.", "变量存在：{value}。"),
            say!(
                language,
                "It was set when the container started and does not change.",
                "它在容器启动时设定，之后不再改变。"
            ),
        ),
        VariableCause::LinkForm { value } => Said::new(
            say!(
                language,
                "The variable is there, and it is no port number: {value}.",
                "变量存在，但它不是端口号：{value}。"
            ),
            say!(
                language,
                "{subject} makes it in the form of old Docker links; the number alone is in …_SERVICE_PORT. A program that takes it for a port fails: set it yourself, or switch these variables off with enableServiceLinks: false.",
                "它由 {subject} 以旧式 Docker link 的形式注入；只含端口号的是 …_SERVICE_PORT。把它当作端口的程序会出错：请自己设置它，或用 enableServiceLinks: false 关掉这些变量。"
            ),
        ),
        VariableCause::OlderPod { pod } => {
            let pod = named(pod);
            Said::new(
                say!(language, "{pod} has no variables of {subject}.", "{pod} 没有 {subject} 的变量。"),
                say!(
                    language,
                    "Variables are set when a container starts, and it started before the Service was made. Start it again, or use the Service's name.",
                    "变量在容器启动时设定，而它启动时 Service 还不存在。请重新创建它，或者改用 Service 的名字。"
                ),
            )
        }
        VariableCause::OtherNamespace { pod } => {
            let pod = named(pod);
            Said::new(
                say!(language, "{pod} has no variables of {subject}.", "{pod} 没有 {subject} 的变量。"),
                say!(
                    language,
                    "Only Services of the Pod's own namespace become variables. Use the Service's name with its namespace.",
                    "只有 Pod 自己名字空间（namespace）里的 Service 会变成变量。请使用带名字空间的 Service 名字。"
                ),
            )
        }
        VariableCause::NeverGiven { headless } => {
            let kind = if *headless {
                say!(language, "headless", "无头（headless）")
            } else {
                "ExternalName".to_owned()
            };
            Said::new(
                say!(language, "There are no variables of {subject}.", "{subject} 没有变量。"),
                say!(
                    language,
                    "It is {kind} and has no ClusterIP to put into them. Use its name.",
                    "它是 {kind} 类型，没有可以写进变量的 ClusterIP。请使用它的名字。"
                ),
            )
        }
        VariableCause::LinksOff { pod } => {
            let pod = named(pod);
            Said::new(
                say!(language, "{pod} has no variables of {subject}.", "{pod} 没有 {subject} 的变量。"),
                say!(language, "It has enableServiceLinks: false.", "它设置了 enableServiceLinks: false。"),
            )
        }
        VariableCause::NoSuchService { nearest } => {
            let why = match nearest {
                Some(near) => {
                    let near = named(near);
                    say!(language, "The nearest is {near}.", "最接近的是 {near}。")
                }
                None => say!(
                    language,
                    "The name is that of a Service in capitals, with _ for -.",
                    "变量名由 Service 的名字大写而来，- 变为 _。"
                ),
            };
            Said::new(
                say!(language, "No Service makes such a variable.", "没有 Service 会产生这个变量。"),
                why,
            )
        }
    }
}
