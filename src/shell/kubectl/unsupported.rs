//! Verbs that kubectl has and Portside has not: their arguments are checked as kubectl checks them, then they
//! say so and name the nearest thing that works.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::record::RECORD;
use super::verb::{
    ALL, ALL_NAMESPACES, Action, DRY_RUN, FIELD_MANAGER, FIELD_SELECTOR, FILES, OUTPUT, Operands, SELECTOR,
    VALIDATE, Verb, flags,
};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::words::Words;

macro_rules! verb {
    ($verb:ident, $name:literal, [$($alias:literal),*], $run:expr, [$($group:expr),*], [$($child:expr),*]) => {
        /// The verb of this name.
        pub static $verb: Verb = Verb {
            name: $name,
            aliases: &[$($alias),*],
            usage: "",
            summary: NOT_SIMULATED,
            flags: flags![$($group),*],
            children: &[$($child),*],
            operands: Operands::Nothing,
            action: Action::Now($run),
        };
    };
}

const NOT_SIMULATED: Words =
    Words { en: "not simulated; says what is nearest", zh: "未模拟；会给出最接近的替代命令" };

const CONTAINER: &[Flag] = &[
    option('c', "container", Value::Text, "the container", "容器名称"),
    switch('\0', "no-preserve", "do not keep owners and modes", "不保留属主与权限"),
    option('\0', "retries", Value::Number, "how often to try again", "重试次数"),
];
const DEBUG_FLAGS: &[Flag] = &[
    option('\0', "image", Value::Text, "the image", "镜像"),
    option('\0', "copy-to", Value::Text, "the copy", "副本名称"),
    option('\0', "target", Value::Text, "the container", "目标容器"),
    option('c', "container", Value::Text, "the container", "容器名称"),
    switch('i', "stdin", "pass standard input on", "传递标准输入"),
    switch('t', "tty", "give a terminal", "分配终端"),
    switch('q', "quiet", "print only what the command prints", "只输出命令本身的输出"),
    switch('\0', "attach", "attach to the container", "连接到容器"),
    switch('\0', "arguments-only", "what follows -- are arguments", "-- 之后仅为参数"),
    switch('\0', "share-processes", "share processes with the copy", "与副本共享进程"),
    switch('\0', "same-node", "put the copy on the same node", "副本放在同一节点"),
    switch('\0', "replace", "delete the Pod when copied", "复制后删除原 Pod"),
    switch('\0', "keep-annotations", "keep annotations", "保留注解"),
    switch('\0', "keep-init-containers", "keep init containers", "保留 init 容器"),
    switch('\0', "keep-labels", "keep labels", "保留标签"),
    switch('\0', "keep-liveness", "keep the liveness probe", "保留存活探针"),
    switch('\0', "keep-readiness", "keep the readiness probe", "保留就绪探针"),
    switch('\0', "keep-startup", "keep the startup probe", "保留启动探针"),
    option('\0', "custom", Value::File, "a part of the container", "容器的自定义部分"),
    option('\0', "env", Value::Text, "NAME=VALUE", "名称=值"),
    option('f', "filename", Value::File, "a manifest", "清单文件"),
    option('\0', "image-pull-policy", Value::Text, "when to pull", "镜像拉取策略"),
    option('\0', "profile", Value::Text, "a profile", "配置方案"),
    option('\0', "set-image", Value::Text, "NAME=IMAGE", "名称=镜像"),
];
const KUSTOMIZE_FLAGS: &[Flag] = &[
    not_simulated('\0', "as-current-user", Value::None, "kubectl apply -f"),
    not_simulated('\0', "enable-alpha-plugins", Value::None, "kubectl apply -f"),
    not_simulated('\0', "enable-helm", Value::None, "kubectl apply -f"),
    not_simulated('e', "env", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "helm-api-versions", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "helm-command", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "helm-debug", Value::None, "kubectl apply -f"),
    not_simulated('\0', "helm-kube-version", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "load-restrictor", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "mount", Value::Text, "kubectl apply -f"),
    not_simulated('\0', "network", Value::None, "kubectl apply -f"),
    not_simulated('\0', "network-name", Value::Text, "kubectl apply -f"),
    not_simulated('o', "output", Value::Text, "kubectl apply -f"),
];
const PROXY_FLAGS: &[Flag] = &[
    option('\0', "accept-hosts", Value::Text, "hosts to accept", "接受的主机"),
    option('\0', "accept-paths", Value::Text, "paths to accept", "接受的路径"),
    option('\0', "address", Value::Text, "where to listen", "监听地址"),
    option('\0', "api-prefix", Value::Text, "the prefix of the API", "API 前缀"),
    switch('\0', "append-server-path", "append the path of the server", "附加服务器路径"),
    switch('\0', "disable-filter", "accept everything", "关闭过滤"),
    option('\0', "keepalive", Value::Duration, "the time between signs of life", "保活间隔"),
    option('p', "port", Value::Number, "the port", "端口"),
    option('\0', "reject-methods", Value::Text, "methods to refuse", "拒绝的方法"),
    option('\0', "reject-paths", Value::Text, "paths to refuse", "拒绝的路径"),
    option('u', "unix-socket", Value::File, "a socket", "Unix 套接字"),
    option('w', "www", Value::File, "files to serve", "静态文件目录"),
    option('P', "www-prefix", Value::Text, "where files are served", "静态文件前缀"),
];
const TOP_FLAGS: &[Flag] = &[
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    switch('\0', "show-swap", "show swap as well", "同时显示交换空间"),
    option('\0', "sort-by", Value::OneOf(&["cpu", "memory"]), "the order", "排序方式"),
    switch('\0', "use-protocol-buffers", "how numbers are fetched", "获取数据的编码"),
];
const TOP_NODE_FLAGS: &[Flag] = &[switch('\0', "show-capacity", "show what nodes have", "显示节点容量")];
const TOP_POD_FLAGS: &[Flag] = &[
    switch('\0', "containers", "show each container", "显示各容器"),
    switch('\0', "sum", "show the sum", "显示合计"),
];
const FORCE: &[Flag] = &[switch('\0', "force", "change what is decided", "覆盖已有决定")];
const NAME_ONLY: &[Flag] = &[switch('\0', "name-only", "names alone", "只显示名称")];
const SUBJECTS: &[Flag] = &[
    option('\0', "group", Value::Text, "a group", "用户组"),
    option('\0', "serviceaccount", Value::Text, "NAMESPACE:NAME", "命名空间:名称"),
    option('\0', "user", Value::Text, "a user", "用户"),
    switch('\0', "local", "work on the file alone", "只处理本地文件"),
];
const RECONCILE: &[Flag] = &[
    switch('\0', "remove-extra-permissions", "take away what is not said", "移除多余的权限"),
    switch('\0', "remove-extra-subjects", "take away who is not named", "移除多余的主体"),
];
const TOKEN: &[Flag] = &[
    option('\0', "audience", Value::Text, "whom it is for", "受众"),
    option('\0', "bound-object-kind", Value::Text, "what it is bound to", "绑定的对象类型"),
    option('\0', "bound-object-name", Value::Text, "what it is bound to", "绑定的对象名称"),
    option('\0', "bound-object-uid", Value::Text, "what it is bound to", "绑定的对象 UID"),
    option('\0', "duration", Value::Duration, "how long it is good", "有效期"),
];
const WINDOWS: &[Flag] = &[switch('\0', "windows-line-endings", "how lines end", "行尾格式")];
const DUMP: &[Flag] = &[
    option('\0', "namespaces", Value::Text, "these namespaces", "指定命名空间"),
    option('\0', "output-directory", Value::File, "where to write", "输出目录"),
    option('\0', "pod-running-timeout", Value::Duration, "how long to wait", "最长等待时间"),
];

verb!(CERTIFICATE, "certificate", [], super::parent, [], [&CERTIFICATE_APPROVE, &CERTIFICATE_DENY]);
verb!(CERTIFICATE_APPROVE, "approve", [], |call| unsimulated(call, ""), [FORCE, OUTPUT, FILES], []);
verb!(CERTIFICATE_DENY, "deny", [], |call| unsimulated(call, ""), [FORCE, OUTPUT, FILES], []);
verb!(COPY, "cp", [], copy, [CONTAINER], []);
verb!(CREATE_TOKEN, "token", [], |call| unsimulated(call, ""), [TOKEN, OUTPUT], []);
verb!(DEBUG, "debug", [], debug, [DEBUG_FLAGS], []);
verb!(
    DUMP_VERB,
    "dump",
    [],
    |call| unsimulated(call, "kubectl get all -A -o yaml"),
    [DUMP, OUTPUT, ALL_NAMESPACES],
    []
);
verb!(
    EDIT_LAST_APPLIED,
    "edit-last-applied",
    [],
    |call| unsimulated(call, "kubectl apply view-last-applied and kubectl apply -f"),
    [WINDOWS, RECORD, OUTPUT, FILES, VALIDATE, FIELD_MANAGER],
    []
);
verb!(KUSTOMIZE, "kustomize", [], kustomize, [KUSTOMIZE_FLAGS], []);
verb!(PLUGIN, "plugin", [], super::parent, [], [&PLUGIN_LIST]);
verb!(
    PLUGIN_LIST,
    "list",
    [],
    |_| Err(Failure::plain("unable to find any kubectl plugins in your PATH")),
    [NAME_ONLY],
    []
);
verb!(PROXY, "proxy", [], |call| unsimulated(call, "kubectl get --raw"), [PROXY_FLAGS], []);
verb!(
    RECONCILE_VERB,
    "reconcile",
    [],
    |call| unsimulated(call, "kubectl apply -f"),
    [RECONCILE, OUTPUT, DRY_RUN, FILES],
    []
);
verb!(
    SUBJECT,
    "subject",
    [],
    |call| unsimulated(call, "kubectl create rolebinding"),
    [SUBJECTS, ALL, SELECTOR, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    []
);
verb!(TOP, "top", [], super::parent, [], [&TOP_NODES, &TOP_PODS]);
verb!(TOP_NODES, "node", ["nodes", "no"], no_metrics, [TOP_NODE_FLAGS, TOP_FLAGS, SELECTOR], []);
verb!(
    TOP_PODS,
    "pod",
    ["pods", "po"],
    no_metrics,
    [TOP_POD_FLAGS, TOP_FLAGS, SELECTOR, FIELD_SELECTOR, ALL_NAMESPACES],
    []
);

/// Without a metrics server the real command says the same.
fn no_metrics(_: &Call) -> Outcome {
    Err(Failure::plain("Metrics API not available"))
}

fn unsimulated(call: &Call, nearest: &'static str) -> Outcome {
    Err(Failure::NotSimulated(call.path.clone(), nearest))
}

fn copy(call: &Call) -> Outcome {
    if call.operands().len() < 2 {
        return Err(Failure::plain("source and destination are required"));
    }
    let [from, to] = [0, 1].map(|at| call.operands()[at].contains(':'));
    if from == to {
        let other = if from { "local" } else { "remote" };
        return Err(Failure::plain(format!("one of src or dest must be a {other} file specification")));
    }
    unsimulated(call, "kubectl exec POD -- cat FILE > FILE")
}

fn debug(call: &Call) -> Outcome {
    if call.text("image").is_empty() && call.text("copy-to").is_empty() {
        return Err(Failure::plain("you must specify --image when not using --copy-to."));
    }
    unsimulated(call, "kubectl run -it --rm")
}

fn kustomize(call: &Call) -> Outcome {
    if call.operands().is_empty() {
        return Err(Failure::plain(format!(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
            call.invocation.directory
        )));
    }
    unsimulated(call, "kubectl apply -f")
}
