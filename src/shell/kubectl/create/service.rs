//! `kubectl create service clusterip|nodeport|loadbalancer|externalname`.

use super::{GENERATED, generate, one_name};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

const TCP: &[Flag] = &[option(
    '\0',
    "tcp",
    Argument::Text,
    "PORT or PORT:TARGET; may be repeated",
    "端口或 端口:目标端口；可重复",
)];
const CLUSTER_IP: &[Flag] =
    &[option('\0', "clusterip", Argument::Text, "the address, or None", "地址，或 None")];
const NODE_PORT: &[Flag] =
    &[option('\0', "node-port", Argument::Number, "the port of every node", "每个节点上的端口")];
const EXTERNAL: &[Flag] =
    &[option('\0', "external-name", Argument::Text, "the DNS name to lead to", "要指向的 DNS 名称")];

macro_rules! generator {
    ($verb:ident, $name:literal, $usage:literal, $en:literal, $zh:literal, $run:ident, [$($group:expr),*]) => {
        static $verb: Verb = Verb {
            name: $name,
            aliases: &[],
            usage: $usage,
            summary: Words { en: $en, zh: $zh },
            flags: flags![$($group,)* GENERATED],
            children: &[],
            operands: Operands::Nothing,
            action: Action::Now($run),
        };
    };
}

generator!(
    CLUSTERIP,
    "clusterip",
    "NAME --tcp=PORT[:TARGET]",
    "create a Service of type ClusterIP",
    "创建 ClusterIP 类型的 Service",
    cluster_ip,
    [TCP, CLUSTER_IP]
);
generator!(
    NODEPORT,
    "nodeport",
    "NAME --tcp=PORT[:TARGET]",
    "create a Service of type NodePort",
    "创建 NodePort 类型的 Service",
    node_port,
    [TCP, NODE_PORT]
);
generator!(
    LOADBALANCER,
    "loadbalancer",
    "NAME --tcp=PORT[:TARGET]",
    "create a Service of type LoadBalancer",
    "创建 LoadBalancer 类型的 Service",
    load_balancer,
    [TCP]
);
generator!(
    EXTERNALNAME,
    "externalname",
    "NAME --external-name=NAME",
    "create a Service of type ExternalName",
    "创建 ExternalName 类型的 Service",
    external_name,
    [TCP, EXTERNAL]
);

/// `create service`.
pub static VERB: Verb = Verb {
    name: "service",
    aliases: &["svc"],
    usage: "clusterip|nodeport|loadbalancer|externalname NAME",
    summary: Words { en: "create a Service", zh: "创建 Service" },
    flags: flags![],
    children: &[&CLUSTERIP, &EXTERNALNAME, &LOADBALANCER, &NODEPORT],
    operands: Operands::Nothing,
    action: Action::Now(crate::shell::kubectl::parent),
};

fn cluster_ip(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let address = call.text("clusterip").to_owned();
    let mut service = service(call, name, "ClusterIP", address != "None", None)?;
    if !address.is_empty() {
        service.set_at(&["spec", "clusterIP"], Value::from(address));
    }
    generate(call, Kind::Service, service, "failed to create ClusterIP service: ")
}

fn node_port(call: &Call) -> Outcome {
    let service = service(call, one_name(call)?, "NodePort", true, call.number("node-port"))?;
    generate(call, Kind::Service, service, "failed to create NodePort service: ")
}

fn load_balancer(call: &Call) -> Outcome {
    let service = service(call, one_name(call)?, "LoadBalancer", true, None)?;
    generate(call, Kind::Service, service, "failed to create LoadBalancer service: ")
}

fn external_name(call: &Call) -> Outcome {
    if call.flags.value("external-name").is_none() {
        return Err(Failure::plain("required flag(s) \"external-name\" not set"));
    }
    let mut service = service(call, one_name(call)?, "ExternalName", false, None)?;
    service.set_at(&["spec", "externalName"], Value::from(call.text("external-name").to_owned()));
    generate(call, Kind::Service, service, "failed to create ExternalName service: ")
}

fn service(
    call: &Call,
    name: &str,
    kind: &'static str,
    needs_ports: bool,
    node_port: Option<i64>,
) -> Result<Value, Failure> {
    let texts: Vec<&str> = call.flags.values("tcp").into_iter().flat_map(|list| list.split(',')).collect();
    if needs_ports && texts.is_empty() {
        return Err(Failure::plain("at least one tcp port specifier must be provided"));
    }
    let mut ports = Vec::new();
    for text in texts {
        let mut port = port(text).map_err(Failure::plain)?;
        if let Some(node_port) = node_port {
            port.set("nodePort", node_port);
        }
        ports.push(port);
    }
    let labels = value!({ "app": (name.to_owned()) });
    let mut service = value!({
        "metadata": { "labels": (labels.clone()), "name": (name.to_owned()) },
        "spec": { "selector": labels, "type": kind },
        "status": { "loadBalancer": {} }
    });
    if !ports.is_empty() {
        service.set_at(&["spec", "ports"], ports);
    }
    Ok(service)
}

/// `80`, `80:8080` or `80:http` as a port, in Go's error words.
fn port(text: &str) -> Result<Value, String> {
    let (port, target) = match text.split_once(':') {
        Some((port, target)) => (port, Some(target)),
        None => (text, None),
    };
    let number =
        port.parse::<u16>().map_err(|_| format!("strconv.ParseUint: parsing \"{port}\": invalid syntax"))?;
    let target = match target {
        None => Value::from(number),
        Some(target) => match target.parse::<i64>() {
            Ok(target) if (1..=65535).contains(&target) => Value::from(target),
            Ok(_) => return Err("must be between 1 and 65535, inclusive".to_owned()),
            Err(_) => Value::from(target.to_owned()),
        },
    };
    Ok(value!({
        "name": (text.replace(':', "-")), "port": number, "protocol": "TCP", "targetPort": target
    }))
}
