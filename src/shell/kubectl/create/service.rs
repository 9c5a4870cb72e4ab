//! `kubectl create service clusterip|nodeport|loadbalancer|externalname`.

use super::{GENERATED, generate, one_name, required, words};
use crate::api::kinds::names;
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
    required(call, &["external-name"])?;
    let name = one_name(call)?;
    let target = call.text("external-name");
    if !names::dns_subdomain(target).is_empty() {
        return Err(Failure::plain(format!("invalid service external name {target}")));
    }
    let mut service = service(call, name, "ExternalName", false, None)?;
    service.set_at(&["spec", "externalName"], Value::from(target.to_owned()));
    generate(call, Kind::Service, service, "failed to create ExternalName service: ")
}

fn service(
    call: &Call,
    name: &str,
    kind: &'static str,
    needs_ports: bool,
    node_port: Option<i64>,
) -> Result<Value, Failure> {
    let texts = words(call, "tcp");
    if needs_ports && texts.is_empty() {
        return Err(Failure::plain("at least one tcp port specifier must be provided"));
    }
    let mut ports = Vec::new();
    for text in texts {
        let mut port = port(text).map_err(Failure::plain)?;
        if let Some(node_port) = node_port.filter(|port| *port != 0) {
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

/// A port as Go reads it.
///
/// # Errors
/// Go's words for a text that is no number of a port.
pub fn go_port(text: &str) -> Result<u16, String> {
    text.parse::<u16>().map_err(|_| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let why = if digits { "value out of range" } else { "invalid syntax" };
        format!("strconv.ParseUint: parsing \"{text}\": {why}")
    })
}

/// `80`, `80:8080` or `80:http` as a port, in Go's error words. What follows a second colon is ignored.
fn port(text: &str) -> Result<Value, String> {
    let mut parts = text.split(':');
    let port = parts.next().unwrap_or("");
    let number = go_port(port)?;
    let target = match parts.next() {
        None => Value::from(number),
        Some(target) => match target.parse::<i64>() {
            Ok(target) if (1..=65535).contains(&target) => Value::from(target),
            Ok(_) => return Err(names::PORT.to_owned()),
            Err(_) => match names::port_name(target) {
                problems if problems.is_empty() => Value::from(target.to_owned()),
                problems => return Err(problems.join(",")),
            },
        },
    };
    Ok(value!({
        "name": (text.replace(':', "-")), "port": number, "protocol": "TCP", "targetPort": target
    }))
}

#[cfg(test)]
mod tests {
    use super::port;
    use crate::api::json::compact;
    use crate::shell::testing::check_in_world;

    fn check(text: &str, expected: &str) {
        assert_eq!(port(text).map_or_else(|why| why, |port| compact(&port)), expected, "{text}");
    }

    #[test]
    fn ports_are_read_as_kubectl_reads_them() {
        check("80", r#"{"name":"80","port":80,"protocol":"TCP","targetPort":80}"#);
        check("80:8080", r#"{"name":"80-8080","port":80,"protocol":"TCP","targetPort":8080}"#);
        check("80:http", r#"{"name":"80-http","port":80,"protocol":"TCP","targetPort":"http"}"#);
        check("80:8080:90", r#"{"name":"80-8080-90","port":80,"protocol":"TCP","targetPort":8080}"#);
        check("http", "strconv.ParseUint: parsing \"http\": invalid syntax");
        check("70000", "strconv.ParseUint: parsing \"70000\": value out of range");
        check("-1", "strconv.ParseUint: parsing \"-1\": invalid syntax");
        check("80:0", "must be between 1 and 65535, inclusive");
        check("80:a_b", "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)");
        check("80:-", "must contain at least one letter (a-z),must not begin or end with a hyphen");
    }

    #[test]
    fn an_external_name_is_checked_before_anything_is_sent() {
        let typed = |name: &str| format!("kubectl create service externalname a --external-name={name}");
        check_in_world(&typed("Foo_Bar"), "error: invalid service external name Foo_Bar", 1);
        check_in_world(&typed("a.b."), "error: invalid service external name a.b.", 1);
        check_in_world(&typed("a.b"), "service/a created", 0);
    }
}
