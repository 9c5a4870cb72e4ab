//! `kubectl expose`: a Service for what an object selects.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::overrides::{OVERRIDES, overridden};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "name", Argument::Text, "the name of the Service", "Service 的名称"),
    option('\0', "port", Argument::Text, "the ports of the Service", "Service 的端口"),
    option('\0', "target-port", Argument::Text, "the port of the Pods", "Pod 的端口"),
    option('\0', "protocol", Argument::Text, "TCP, UDP or SCTP", "TCP、UDP 或 SCTP"),
    option(
        '\0',
        "type",
        Argument::OneOf(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "the type of the Service",
        "Service 的类型",
    ),
    option('\0', "cluster-ip", Argument::Text, "its address, or None", "地址，或 None"),
    option('\0', "external-ip", Argument::Text, "a further address of nodes", "额外的外部地址"),
    option('\0', "external-name", Argument::Text, "the DNS name to lead to", "要指向的 DNS 名称"),
    option('\0', "load-balancer-ip", Argument::Text, "the load balancer's address", "负载均衡器的地址"),
    option(
        '\0',
        "session-affinity",
        Argument::OneOf(&["None", "ClientIP"]),
        "None or ClientIP",
        "None 或 ClientIP",
    ),
    option('l', "labels", Argument::Text, "labels of the Service", "Service 的标签"),
];

/// `expose`; its `--selector` chooses Pods, not the objects to expose.
pub static VERB: Verb = Verb {
    name: "expose",
    aliases: &[],
    usage: "TYPE NAME | TYPE/NAME | -f FILE [--port=PORT] [--name=NAME]",
    summary: Words { en: "make a Service for Pods that exist", zh: "为已有的 Pod 创建 Service" },
    flags: flags![OWN, OVERRIDES, RECORD, CHOOSES_PODS, OUTPUT, DRY_RUN, SAVE_CONFIG, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

const CHOOSES_PODS: &[Flag] =
    &[option('\0', "selector", Argument::Text, "the Pods, if not those of the object", "要选择的 Pod")];

async fn run(call: Call) -> Outcome {
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, mut failures) = objects(&call, &queries);
    let dry_run = call.dry_run()?;
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let exposed = expose(&call, &found.object, dry_run)
            .and_then(|service| done(&call, &format, &printer, &service, "exposed"));
        failures.extend(exposed.err());
    }
    Failure::of(failures)
}

fn expose(call: &Call, object: &Object, dry_run: DryRun) -> Result<Value, Failure> {
    let selector = selector(call, object)?;
    let ports = ports(call, object)?;
    let name = match call.text("name") {
        "" => object.name().chars().take(NAME_LIMIT).collect(),
        name => name.to_owned(),
    };
    let mut metadata = value!({ "name": name });
    let labels = labels(call, object)?;
    if !labels.entries().is_empty() {
        metadata.set("labels", labels);
    }
    let mut spec = value!({ "selector": selector });
    if !ports.is_empty() {
        spec.set("ports", ports);
    }
    for (flag, field) in [
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("external-name", "externalName"),
        ("load-balancer-ip", "loadBalancerIP"),
        ("session-affinity", "sessionAffinity"),
    ] {
        let given = call.text(flag);
        let fits = flag != "load-balancer-ip" || call.text("type") == "LoadBalancer";
        if !given.is_empty() && fits {
            spec.set_at(&[field], SmolStr::new(given));
        }
    }
    if !matches!(call.text("session-affinity"), "" | "None" | "ClientIP") {
        return Err(Failure::plain(format!("unknown session affinity: {}", call.text("session-affinity"))));
    }
    if !call.text("external-ip").is_empty() {
        spec.set("externalIPs", vec![Value::from(call.text("external-ip").to_owned())]);
    }
    let mut service = value!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": spec,
        "status": { "loadBalancer": {} }
    });
    service = overridden(call, Kind::Service, service)?;
    if call.namespace_given() {
        service.set_at(&["metadata", "namespace"], SmolStr::new(&call.namespace));
    }
    record::annotate(call, &mut service);
    if call.has("save-config") {
        service = crate::api::patch::last_applied::with_last_applied(&service);
    }
    if dry_run == DryRun::Client {
        return Ok(service);
    }
    let namespace = if object.namespace().is_empty() { &call.namespace } else { object.namespace().as_str() };
    Ok(call.create(Kind::Service, namespace, service, dry_run)?.value.clone())
}

/// A Service's name is a DNS label.
const NAME_LIMIT: usize = 63;

/// What the Service is to select.
fn selector(call: &Call, object: &Object) -> Result<Value, Failure> {
    if !call.text("selector").is_empty() {
        return pairs(call.text("selector"));
    }
    let held = object.spec().get("selector");
    let info = object.key.kind.info();
    let from = match object.key.kind {
        Kind::Pod => object.value.at(&["metadata", "labels"]),
        Kind::Service | Kind::ReplicationController => held,
        Kind::Deployment | Kind::ReplicaSet => {
            if !held.get("matchExpressions").items().is_empty() {
                return Err(Failure::plain(format!(
                    "couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - \"{}\" to map-based selector format",
                    go_expressions(held.get("matchExpressions"))
                )));
            }
            held.get("matchLabels")
        }
        _ => {
            let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
            return Err(Failure::plain(format!("cannot expose a {}{group}", info.name)));
        }
    };
    if !from.entries().is_empty() {
        return Ok(from.clone());
    }
    Err(introspection(match object.key.kind {
        Kind::Pod => "the pod has no labels and cannot be exposed",
        Kind::Service => "the service has no pod selector set",
        _ => "invalid selector",
    }))
}

fn introspection(why: &str) -> Failure {
    Failure::plain(format!("couldn't retrieve selectors via --selector flag or introspection: {why}"))
}

fn labels(call: &Call, object: &Object) -> Result<Value, Failure> {
    match call.text("labels") {
        "" => Ok(object.value.at(&["metadata", "labels"]).clone()),
        text => pairs(text),
    }
}

/// Requirements as Go prints them.
fn go_expressions(expressions: &Value) -> String {
    let words = |values: &Value| values.items().iter().map(Value::str).collect::<Vec<_>>().join(" ");
    let each = expressions.items().iter().map(|one| {
        let (key, operator) = (one.get("key").str(), one.get("operator").str());
        format!("{{Key:{key} Operator:{operator} Values:[{}]}}", words(one.get("values")))
    });
    format!("[{}]", each.collect::<Vec<_>>().join(" "))
}

/// `a=b,c=d` as a map.
///
/// # Errors
/// A pair without its `=`, or with two.
pub fn pairs(text: &str) -> Result<Value, Failure> {
    let mut map = Value::map();
    for pair in text.split(',').filter(|_| !text.is_empty()) {
        let [key, value] = pair.split('=').collect::<Vec<_>>()[..] else {
            return Err(Failure::plain(format!("unexpected label spec: {pair}")));
        };
        if key.is_empty() {
            return Err(Failure::plain("unexpected empty label key"));
        }
        map.map_mut().insert(SmolStr::new(key), Value::from(value.to_owned()));
    }
    Ok(map)
}

/// The ports of the Service: those of the flag, or those that the object declares.
fn ports(call: &Call, object: &Object) -> Result<Vec<Value>, Failure> {
    let declared = declared_ports(object);
    let numbers: Vec<String> = match call.text("port") {
        "" => declared.iter().map(|port| port.number.to_string()).collect(),
        text => text.split(',').map(str::to_owned).collect(),
    };
    if numbers.is_empty() && call.text("cluster-ip") != "None" {
        return Err(Failure::plain("couldn't find port via --port flag or introspection"));
    }
    let target = match call.text("target-port") {
        "" => None,
        text => Some(text.parse::<i64>().map_or_else(|_| Value::from(text.to_owned()), Value::from)),
    };
    let mut ports = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let port = number
            .parse::<i64>()
            .map_err(|_| Failure::plain(format!("strconv.Atoi: parsing \"{number}\": invalid syntax")))?;
        let found = declared.iter().find(|declared| declared.number == port);
        let protocols = match (call.text("protocol"), found) {
            ("", Some(declared)) => declared.protocols.clone(),
            ("", None) => vec![SmolStr::new_static("TCP")],
            (protocol, _) => vec![SmolStr::new(protocol)],
        };
        for protocol in &protocols {
            let target = target.clone().unwrap_or_else(|| Value::from(port));
            let mut entry = value!({ "port": port, "protocol": (protocol.clone()), "targetPort": target });
            if protocols.len() > 1 {
                entry.set("name", format!("port-{}-{}", index + 1, protocol.to_ascii_lowercase()));
            } else if numbers.len() > 1 {
                entry.set("name", format!("port-{}", index + 1));
            }
            ports.push(entry);
        }
    }
    Ok(ports)
}

/// A number of a port, with every protocol that it is declared for.
struct DeclaredPort {
    number: i64,
    protocols: Vec<SmolStr>,
}

/// The ports that an object declares: a Service its own, others those of their containers.
fn declared_ports(object: &Object) -> Vec<DeclaredPort> {
    let (lists, field): (Vec<&Value>, &str) = match object.key.kind {
        Kind::Service => (vec![object.spec().get("ports")], "port"),
        kind => {
            let path: &[&str] =
                if kind == Kind::Pod { &["containers"] } else { &["template", "spec", "containers"] };
            let containers = object.spec().at(path).items();
            (containers.iter().map(|container| container.get("ports")).collect(), "containerPort")
        }
    };
    let mut declared: Vec<DeclaredPort> = Vec::new();
    for port in lists.into_iter().flat_map(Value::items) {
        let Some(number) = port.get(field).as_int() else { continue };
        let protocol = Some(port.get("protocol").smol()).filter(|text| !text.is_empty());
        let protocol = protocol.unwrap_or(SmolStr::new_static("TCP"));
        match declared.iter_mut().find(|held| held.number == number) {
            Some(held) if held.protocols.contains(&protocol) => {}
            Some(held) => held.protocols.push(protocol),
            None => declared.push(DeclaredPort { number, protocols: vec![protocol] }),
        }
    }
    declared
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn a_pod_is_exposed_by_its_labels_and_ports() {
        check(
            "kubectl run web --image=nginx --port=8080 && kubectl expose pod web && kubectl get svc web -o jsonpath='{.spec.selector} {.spec.ports}'",
            "pod/web created\nservice/web exposed\n{\"run\":\"web\"} [{\"port\":8080,\"protocol\":\"TCP\",\"targetPort\":8080}]",
            0,
        );
    }

    #[test]
    fn what_cannot_be_exposed_says_why() {
        check(
            "kubectl expose deployment nosuch --port=80",
            "Error from server (NotFound): deployments.apps \"nosuch\" not found",
            1,
        );
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl expose deployment web",
            "error: couldn't find port via --port flag or introspection",
            1,
        );
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl expose deployment web --port=abc",
            "error: strconv.Atoi: parsing \"abc\": invalid syntax",
            1,
        );
    }

    #[test]
    fn each_declared_port_is_exposed_once_for_each_protocol() {
        check(
            "kubectl run dns --image=nginx --overrides='{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\",\"ports\":[{\"containerPort\":53},{\"containerPort\":53,\"protocol\":\"UDP\"},{\"containerPort\":80}]}]}}' >/dev/null; kubectl expose pod dns --dry-run=client -o jsonpath='{range .spec.ports[*]}{.name} {.port} {.protocol};{end}'",
            "port-1-tcp 53 TCP;port-1-udp 53 UDP;port-2 80 TCP;",
            0,
        );
    }

    #[test]
    fn a_headless_service_needs_no_ports() {
        check(
            "kubectl run a --image=nginx >/dev/null; kubectl expose pod a --cluster-ip=None -o jsonpath='{.spec.clusterIP} {.spec.ports}'",
            "None ",
            0,
        );
    }

    #[test]
    fn flags_that_say_nothing_are_refused() {
        let expose = |flags: &str| {
            format!("kubectl run a --image=nginx >/dev/null; kubectl expose pod a --port=80 {flags}")
        };
        check(&expose("--session-affinity=Foo"), "error: unknown session affinity: Foo", 1);
        check(&expose("--labels=a=b,c"), "error: unexpected label spec: c", 1);
        check(&expose("--labels=a=b=c"), "error: unexpected label spec: a=b=c", 1);
        check(&expose("--selector==b"), "error: unexpected empty label key", 1);
        check(&expose("--load-balancer-ip=1.2.3.4 -o jsonpath='{.spec.loadBalancerIP}'"), "", 0);
    }
}
