//! Words about refusals of the API server, and about commands that failed by themselves.

use super::{Said, pairs, say};
use crate::explain::command::CommandCause;
use crate::explain::finding::named;
use crate::explain::refusal::RefusalCause;
use crate::words::Language;

pub(super) fn words(cause: &RefusalCause, subject: &str, language: Language) -> Said {
    let refused = || say!(language, "The API server refused {subject}.", "API 服务器拒绝了 {subject}。");
    match cause {
        RefusalCause::ClusterIpImmutable => Said::new(
            refused(),
            say!(
                language,
                "A Service keeps its clusterIP for life. Keep the old one, or delete the Service and make it again.",
                "Service 的 clusterIP 一经设定就不能更改。请保留原值，或者删除后重新创建。"
            ),
        ),
        RefusalCause::SelectorImmutable => Said::new(
            refused(),
            say!(
                language,
                "A workload keeps its selector for life. Keep the old one, or delete it and make it again.",
                "工作负载的 selector 一经设定就不能更改。请保留原值，或者删除后重新创建。"
            ),
        ),
        RefusalCause::TemplateMismatch { selector, labels } => Said::new(
            refused(),
            say!(
                language,
                "The Pods it would make would not match its own selector.",
                "它创建的 Pod 不会匹配它自己的 selector。"
            ),
        )
        .row("spec.selector", pairs(selector))
        .row(say!(language, "labels of the template", "模板的标签"), pairs(labels)),
        RefusalCause::NodePortRange { asked, range: (first, last) } => Said::new(
            refused(),
            say!(
                language,
                "Node ports are {first} to {last}; {asked} is not. The Service's own port is spec.ports.port.",
                "节点端口的范围是 {first} 到 {last}，{asked} 不在其中。Service 自己的端口写在 spec.ports.port。"
            ),
        ),
        RefusalCause::NodePortTaken { asked, by } => {
            let said = Said::new(
                refused(),
                say!(
                    language,
                    "Another Service has node port {asked}. Take another one, or leave it out.",
                    "节点端口 {asked} 已被另一个 Service 占用。请换一个，或者不写。"
                ),
            );
            by.iter().fold(said, |said, key| said.row(say!(language, "taken by", "占用者"), named(key)))
        }
        RefusalCause::PortNameMissing { index } => {
            let place = index + 1;
            Said::new(
                refused(),
                say!(
                    language,
                    "With more than one port each needs a name; port number {place} of the list has none.",
                    "有多个端口时，每个端口都要有名称；列表里第 {place} 个没有。"
                ),
            )
        }
        RefusalCause::AddressTaken { asked, by } => {
            let said = Said::new(
                refused(),
                say!(
                    language,
                    "Another Service has the address {asked}. Leave clusterIP out to get a free one.",
                    "地址 {asked} 已被另一个 Service 占用。不写 clusterIP 就会自动分配。"
                ),
            );
            by.iter().fold(said, |said, key| said.row(say!(language, "taken by", "占用者"), named(key)))
        }
        RefusalCause::AddressRange { asked, ranges } => Said::new(
            refused(),
            say!(
                language,
                "{asked} is not an address of the Service network that could be given.",
                "{asked} 不是 Service 网段里可以分配的地址。"
            ),
        )
        .row(say!(language, "Service network", "Service 网段"), ranges.join(", ")),
        RefusalCause::UnknownField { path, meant } => {
            let why = match meant {
                Some(meant) => say!(
                    language,
                    "There is no field {path}; {meant} may be meant.",
                    "没有字段 {path}；你想写的可能是 {meant}。"
                ),
                None => say!(language, "There is no field {path}.", "没有字段 {path}。"),
            };
            Said::new(refused(), why)
        }
        RefusalCause::NotSupported { field, value, meant } => {
            let why = match meant {
                Some(meant) => say!(
                    language,
                    "{field} cannot be {value}; {meant} may be meant. Capital letters count.",
                    "{field} 不能是 {value}；你想写的可能是 {meant}。大小写有区别。"
                ),
                None => say!(language, "{field} cannot be {value}.", "{field} 不能是 {value}。"),
            };
            Said::new(refused(), why)
        }
        RefusalCause::BadName { name, .. } => Said::new(
            refused(),
            say!(
                language,
                "{name} is no name: only a-z, 0-9 and - in between.",
                "{name} 不是合法的名字：只能用小写字母、数字和中间的 -。"
            ),
        ),
        RefusalCause::Missing { field } => {
            Said::new(refused(), say!(language, "{field} is missing.", "缺少 {field}。"))
        }
        RefusalCause::NotFound { nearest, elsewhere } => {
            let why = match (elsewhere, nearest) {
                (Some(key), _) => {
                    let namespace = &key.namespace;
                    say!(
                        language,
                        "There is one of that name in namespace {namespace}.",
                        "名字空间 {namespace} 里有一个同名的。"
                    )
                }
                (None, Some(key)) => {
                    let near = named(key);
                    say!(language, "The nearest is {near}.", "最接近的是 {near}。")
                }
                (None, None) => String::new(),
            };
            Said::new(say!(language, "{subject} does not exist.", "{subject} 不存在。"), why)
        }
        RefusalCause::NoSuchNamespace { namespace } => Said::new(
            refused(),
            say!(
                language,
                "There is no namespace {namespace}. It must be made first.",
                "没有名字空间 {namespace}，需要先创建它。"
            ),
        ),
        RefusalCause::Exists => Said::new(
            say!(language, "{subject} exists already.", "{subject} 已经存在。"),
            say!(
                language,
                "create makes new objects only; apply also changes those that exist.",
                "create 只能新建；apply 还能修改已有的对象。"
            ),
        ),
        RefusalCause::Other { field, message } => {
            let why = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
            Said::new(refused(), why)
        }
    }
}

pub(super) fn command(cause: &CommandCause, language: Language) -> Said {
    match cause {
        CommandCause::NoSuchProgram { program, image, instead } => {
            let what = say!(language, "There is no program {program} here.", "这里没有程序 {program}。");
            let why = match (image, instead.first()) {
                (Some(image), Some(other)) => say!(
                    language,
                    "The image {image} does not have it. It has {other}.",
                    "镜像 {image} 里没有它，但有 {other}。"
                ),
                (Some(image), None) => say!(
                    language,
                    "The image {image} does not have it. A container has only what its image brings.",
                    "镜像 {image} 里没有它。容器里只有镜像自带的程序。"
                ),
                (None, _) => say!(language, "help lists what there is.", "help 会列出可用的命令。"),
            };
            Said::new(what, why)
        }
        CommandCause::LinkPort { variable, service } => {
            let service = named(service);
            Said::new(
                say!(language, "{variable} is no port number.", "{variable} 不是端口号。"),
                say!(
                    language,
                    "{service} makes it in the form of old Docker links, tcp://ADDRESS:PORT; the number alone is in the variable whose name ends in _SERVICE_PORT.",
                    "它由 {service} 以旧式 Docker link 的形式（tcp://地址:端口）注入；只含端口号的变量以 _SERVICE_PORT 结尾。"
                ),
            )
        }
        CommandCause::Ended { line, status } => Said::new(
            say!(
                language,
                "The last command that failed ended with status {status}: {line}",
                "上一条失败的命令以状态 {status} 结束：{line}"
            ),
            say!(
                language,
                "No connection, name or refusal of the API server is behind it; its own message says what is known.",
                "这与连接、名字或 API 服务器的拒绝无关；命令自己的消息就是已知的全部。"
            ),
        ),
        CommandCause::NothingFailed => Said::new(
            say!(language, "Nothing has failed of late.", "最近没有失败的命令。"),
            say!(
                language,
                "Ask about an object: why svc/NAME, why pod/NAME.",
                "可以询问某个对象：why svc/NAME、why pod/NAME。"
            ),
        ),
        CommandCause::NoSuchObject { asked, .. } => Said::new(
            say!(language, "There is no {asked} in this namespace.", "这个名字空间里没有 {asked}。"),
            String::new(),
        ),
    }
}
