//! Verbs that kubectl has and Portside has not: their arguments are checked as kubectl checks them, then they
//! say so and name the nearest thing that works.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::resources;
use super::verb::{Action, FILES, Operands, SELECTOR, Verb, flags};
use crate::api::registry::Kind;
use crate::shell::command::{Flag, Value, option};
use crate::words::Words;

macro_rules! verb {
    ($verb:ident, $name:literal, $run:expr, [$($group:expr),*], [$($child:expr),*]) => {
        /// The verb of this name.
        pub static $verb: Verb = Verb {
            name: $name,
            aliases: &[],
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

const MAX: &[Flag] = &[
    option('\0', "max", Value::Number, "the most Pods", "最大 Pod 数"),
    option('\0', "min", Value::Number, "the fewest Pods", "最小 Pod 数"),
    option('\0', "cpu", Value::Text, "the load to keep", "目标 CPU 使用率"),
    option('\0', "cpu-percent", Value::Number, "the load to keep", "目标 CPU 使用率"),
];
const IMAGE: &[Flag] = &[
    option('\0', "image", Value::Text, "the image", "镜像"),
    option('\0', "copy-to", Value::Text, "the copy", "副本名称"),
    option('\0', "target", Value::Text, "the container", "目标容器"),
];
const ATTACH: &[Flag] = &[
    option('c', "container", Value::Text, "the container", "容器名称"),
    crate::shell::command::switch('i', "stdin", "pass standard input on", "传递标准输入"),
    crate::shell::command::switch('t', "tty", "give a terminal", "分配终端"),
];

verb!(AUTOSCALE, "autoscale", autoscale, [MAX, FILES], []);
verb!(CERTIFICATE, "certificate", |_| unsimulated("certificate", ""), [], []);
verb!(COMPLETION, "completion", completion, [], []);
verb!(COPY, "cp", copy, [ATTACH], []);
verb!(DEBUG, "debug", debug, [IMAGE, ATTACH], []);
verb!(EDIT, "edit", edit, [FILES], []);
verb!(KUSTOMIZE, "kustomize", kustomize, [], []);
verb!(PLUGIN, "plugin", super::parent, [], [&PLUGIN_LIST]);
verb!(
    PLUGIN_LIST,
    "list",
    |_| Err(Failure::plain("unable to find any kubectl plugins in your PATH")),
    [],
    []
);
verb!(PORT_FORWARD, "port-forward", port_forward, [ADDRESS], []);
verb!(PROXY, "proxy", |_| unsimulated("proxy", "kubectl get --raw"), [], []);
verb!(TOP, "top", super::parent, [], [&TOP_NODES, &TOP_PODS]);
verb!(TOP_NODES, "nodes", |_| Err(Failure::plain("Metrics API not available")), [SELECTOR], []);
verb!(TOP_PODS, "pods", |_| Err(Failure::plain("Metrics API not available")), [SELECTOR], []);

const ADDRESS: &[Flag] = &[option('\0', "address", Value::Text, "where to listen", "监听地址")];
fn unsimulated(verb: &str, nearest: &'static str) -> Outcome {
    Err(Failure::NotSimulated(format!("kubectl {verb}"), nearest))
}

fn autoscale(call: &Call) -> Outcome {
    if call.flags.value("max").is_none() {
        return Err(Failure::plain("required flag(s) \"max\" not set"));
    }
    unsimulated("autoscale", "kubectl scale")
}

fn completion(call: &Call) -> Outcome {
    if call.operands().is_empty() {
        return Err(call.usage_error("Shell not specified."));
    }
    unsimulated("completion", "the Tab key")
}

fn copy(call: &Call) -> Outcome {
    if call.operands().len() < 2 {
        return Err(Failure::plain("source and destination are required"));
    }
    unsimulated("cp", "kubectl exec POD -- cat FILE > FILE")
}

fn debug(call: &Call) -> Outcome {
    if call.text("image").is_empty() && call.text("copy-to").is_empty() {
        return Err(Failure::plain("you must specify --image when not using --copy-to."));
    }
    unsimulated("debug", "kubectl run -it --rm")
}

fn edit(call: &Call) -> Outcome {
    if call.operands().is_empty() && call.flags.value("filename").is_none() {
        return Err(resources::nothing_named());
    }
    unsimulated("edit", "the editor of the page, or kubectl patch")
}

fn kustomize(call: &Call) -> Outcome {
    if call.operands().is_empty() {
        return Err(Failure::plain(format!(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
            call.invocation.directory
        )));
    }
    unsimulated("kustomize", "kubectl apply -f")
}

fn port_forward(call: &Call) -> Outcome {
    let [target, ports @ ..] = call.operands() else {
        return Err(call.usage_error("TYPE/NAME and list of ports are required for port-forward"));
    };
    if ports.is_empty() {
        return Err(call.usage_error("TYPE/NAME and list of ports are required for port-forward"));
    }
    if let Some((resource, name)) = target.split_once('/') {
        let object = call.get(resources::kind(resource)?, &call.namespace, name)?;
        if object.key.kind == Kind::Service && object.spec().get("selector").is_empty() {
            return Err(Failure::plain(format!(
                "cannot attach to *v1.Service: invalid service '{name}': Service is defined without a selector"
            )));
        }
    } else {
        call.get(Kind::Pod, &call.namespace, target)?;
    }
    unsimulated("port-forward", "a Service of type NodePort, and curl NODE:PORT")
}
