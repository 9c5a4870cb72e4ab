//! Words about Pods and the workloads that make them.

use super::{Said, numbers, say};
use crate::explain::finding::named;
use crate::explain::pod::PodCause;
use crate::explain::workload::WorkloadCause;
use crate::words::Language;

pub(super) fn words(cause: &PodCause, subject: &str, language: Language) -> Said {
    match cause {
        PodCause::Works { address, open, services } => {
            let ports = numbers(open, language);
            let services = if services.is_empty() { "<none>".to_owned() } else { services.join(", ") };
            Said::new(
                say!(
                    language,
                    "{subject} runs and is ready at {address}.",
                    "{subject} 正在运行并已就绪，地址 {address}。"
                ),
                String::new(),
            )
            .row(say!(language, "open ports", "打开的端口"), ports)
            .row(say!(language, "Services that select it", "选中它的 Service"), services)
        }
        PodCause::Unschedulable { message, cordoned } => {
            let why = match cordoned {
                Some(node) => say!(
                    language,
                    "{node} takes no new Pods: it is cordoned.",
                    "{node} 被标记为不可调度（cordon），不接收新的 Pod。"
                ),
                None => say!(language, "No node takes it.", "没有节点能接收它。"),
            };
            let said = Said::new(
                say!(
                    language,
                    "{subject} is Pending: the scheduler finds no node for it.",
                    "{subject} 处于 Pending：调度器找不到合适的节点。"
                ),
                why,
            );
            said.row(say!(language, "scheduler", "调度器"), message.as_str())
        }
        PodCause::Starting => Said::new(
            say!(language, "{subject} is just starting.", "{subject} 正在启动。"),
            say!(language, "Give it a moment.", "请稍等片刻。"),
        ),
        PodCause::Image { container, image, reason, meant } => {
            let why = match meant {
                Some(meant) => say!(
                    language,
                    "There is no image {image} to pull. Perhaps {meant} is meant.",
                    "拉取不到镜像 {image}。也许你想写的是 {meant}。"
                ),
                None => say!(
                    language,
                    "There is no image {image} to pull, or it needs credentials.",
                    "拉取不到镜像 {image}，或者它需要凭据。"
                ),
            };
            Said::new(
                say!(
                    language,
                    "{subject} cannot start: the image of container {container} cannot be pulled.",
                    "{subject} 无法启动：容器 {container} 的镜像拉取失败。"
                ),
                why,
            )
            .row(say!(language, "image", "镜像"), image.as_str())
            .row(say!(language, "reason", "原因"), reason.as_str())
        }
        PodCause::Waiting { container, reason, message } => Said::new(
            say!(
                language,
                "{subject} cannot start container {container}.",
                "{subject} 无法启动容器 {container}。"
            ),
            message.clone(),
        )
        .row(say!(language, "reason", "原因"), reason.as_str()),
        PodCause::NoProgram { container, program, meant } => Said::new(
            say!(
                language,
                "Container {container} of {subject} cannot be started: its image has no program {program}.",
                "{subject} 的容器 {container} 无法启动：镜像里没有程序 {program}。"
            ),
            match meant {
                Some(meant) => say!(language, "Did you mean {meant}?", "你想用的是 {meant} 吗？"),
                None => say!(
                    language,
                    "Use a program that the image has, or an image that has the program.",
                    "请使用镜像自带的程序，或换用带有该程序的镜像。"
                ),
            },
        ),
        PodCause::Crashes { container, code, restarts, idle, variables } => {
            let why = if *idle {
                say!(
                    language,
                    "Its image only starts a shell, which ends at once without a terminal. Give it something to do.",
                    "这个镜像只启动一个 shell，没有终端时会立即结束。请给它一个持续运行的命令。"
                )
            } else if variables.is_empty() {
                say!(
                    language,
                    "Its process ends with exit code {code}; the log says more.",
                    "它的进程以退出码 {code} 结束，日志里有更多信息。"
                )
            } else {
                let list = variables.join(", ");
                say!(
                    language,
                    "The image wants one of these variables: {list}.",
                    "这个镜像需要设置以下变量之一：{list}。"
                )
            };
            Said::new(
                say!(
                    language,
                    "Container {container} of {subject} ends again and again.",
                    "{subject} 的容器 {container} 反复退出。"
                ),
                why,
            )
            .row(say!(language, "exit code", "退出码"), code.to_string())
            .row(say!(language, "restarts", "重启次数"), restarts.to_string())
        }
        PodCause::NotReady { container, probe, open } => {
            let what = say!(language, "{subject} runs and is not ready.", "{subject} 在运行，但没有就绪。");
            let Some(probe) = probe else {
                let why = say!(
                    language,
                    "Container {container} has no readiness probe; something else holds it back.",
                    "容器 {container} 没有就绪态探针，是别的原因让它没有就绪。"
                );
                return Said::new(what, why);
            };
            let (kind, port) = (probe.kind, &probe.port);
            let closed = probe.number.is_some_and(|number| !open.contains(&number));
            let why = if closed {
                say!(
                    language,
                    "The readiness probe of container {container} asks port {port}, where nothing listens.",
                    "容器 {container} 的就绪态探针访问端口 {port}，而那里没有进程监听。"
                )
            } else {
                say!(
                    language,
                    "The readiness probe of container {container} fails ({kind}).",
                    "容器 {container} 的就绪态探针（readiness probe）失败（{kind}）。"
                )
            };
            Said::new(what, why)
                .row("readinessProbe", format!("{kind} {port}{}", probe.what).trim().to_owned())
                .row(say!(language, "open ports", "打开的端口"), numbers(open, language))
        }
        PodCause::UsesLink { link, port, value } => {
            let (container, variable) = (&link.container, &link.variable);
            let service = named(&link.service);
            Said::new(
                say!(
                    language,
                    "Container {container} of {subject} uses {variable}, which is {value} and no port number.",
                    "{subject} 的容器 {container} 使用 {variable}，它的值是 {value}，不是端口号。"
                ),
                say!(
                    language,
                    "Every Service of the namespace gives its Pods variables in the form of old Docker links, and {service} makes this one. A program that expects a number there fails. Set {variable} yourself (the port is {port}), or switch these variables off with enableServiceLinks: false.",
                    "名字空间里的每个 Service 都会给 Pod 注入旧式 Docker link 形式的变量，这一个来自 {service}。期望数字的程序会因此出错。请自己设置 {variable}（端口是 {port}），或用 enableServiceLinks: false 关掉这些变量。"
                ),
            )
            .row(variable.as_str(), value.as_str())
        }
        PodCause::Terminating => Said::new(
            say!(language, "{subject} is terminating.", "{subject} 正在终止。"),
            say!(
                language,
                "It is out of the endpoints already and ends when its processes do, or when its grace period is over.",
                "它已经不在端点中，进程结束或宽限期满后就会消失。"
            ),
        ),
        PodCause::Ended { phase } => Said::new(
            say!(language, "{subject} has ended ({phase}).", "{subject} 已经结束（{phase}）。"),
            say!(
                language,
                "A Pod that has ended gets no traffic and does not start again.",
                "结束的 Pod 不再接收流量，也不会重新启动。"
            ),
        ),
        PodCause::NodeNotReady { node } => Said::new(
            say!(
                language,
                "{subject} is on {node}, which is not ready.",
                "{subject} 所在的节点 {node} 没有就绪。"
            ),
            say!(language, "Nobody reports its state from there.", "没有谁从那里报告它的状态。"),
        ),
    }
}

/// A few words for a table of Pods.
pub(super) fn short(cause: &PodCause, language: Language) -> String {
    match cause {
        PodCause::Works { .. } => say!(language, "ready", "就绪"),
        PodCause::Unschedulable { .. } => say!(language, "no node takes it", "没有节点接收"),
        PodCause::Starting => say!(language, "starting", "正在启动"),
        PodCause::Image { reason, image, .. } => format!("{reason} ({image})"),
        PodCause::Waiting { reason, .. } => reason.to_string(),
        PodCause::NoProgram { program, .. } => say!(language, "no program {program}", "没有程序 {program}"),
        PodCause::Crashes { code, .. } => say!(language, "exits with {code}", "以 {code} 退出"),
        PodCause::NotReady { probe: Some(_), .. } => {
            say!(language, "readiness probe fails", "就绪态探针失败")
        }
        PodCause::NotReady { probe: None, .. } => say!(language, "not ready", "未就绪"),
        PodCause::UsesLink { link, .. } => {
            let variable = &link.variable;
            say!(language, "uses {variable}", "使用 {variable}")
        }
        PodCause::Terminating => say!(language, "terminating", "正在终止"),
        PodCause::Ended { phase } => phase.to_string(),
        PodCause::NodeNotReady { node } => say!(language, "{node} is not ready", "{node} 未就绪"),
    }
}

pub(super) fn workload(cause: &WorkloadCause, subject: &str, language: Language) -> Said {
    match cause {
        WorkloadCause::Works { ready } => Said::new(
            say!(
                language,
                "{subject} works: {ready} Pods are ready.",
                "{subject} 正常：{ready} 个 Pod 已就绪。"
            ),
            String::new(),
        ),
        WorkloadCause::ScaledToZero => Said::new(
            say!(language, "{subject} has no Pods.", "{subject} 没有 Pod。"),
            say!(language, "Its number of replicas is 0.", "它的副本（replica）数为 0。"),
        ),
        WorkloadCause::PodsNotReady { ready, wanted, pod } => {
            let what = say!(
                language,
                "{ready} of {wanted} Pods of {subject} are ready.",
                "{subject} 的 {wanted} 个 Pod 中有 {ready} 个就绪。"
            );
            let why =
                pod.as_ref().map(|(pod, cause)| words(cause, &named(pod), language)).unwrap_or_default();
            let mut said = Said::new(what, format!("{} {}", why.what, why.why).trim().to_owned());
            said.evidence = why.evidence;
            said
        }
        WorkloadCause::CannotMakePods { message } => Said::new(
            say!(language, "{subject} cannot make Pods.", "{subject} 无法创建 Pod。"),
            message.clone(),
        ),
    }
}
