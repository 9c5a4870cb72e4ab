//! `kubectl expose`: a Service for what an object selects.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
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
    not_simulated('\0', "overrides", Argument::Text, "kubectl patch"),
    not_simulated('\0', "override-type", Argument::Text, "kubectl patch"),
];

/// `expose`; its `--selector` chooses Pods, not the objects to expose.
pub static VERB: Verb = Verb {
    name: "expose",
    aliases: &[],
    usage: "TYPE NAME | TYPE/NAME | -f FILE [--port=PORT] [--name=NAME]",
    summary: Words { en: "make a Service for Pods that exist", zh: "为已有的 Pod 创建 Service" },
    flags: flags![OWN, RECORD, CHOOSES_PODS, OUTPUT, DRY_RUN, SAVE_CONFIG, FIELD_MANAGER, FILES],
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
    let mut spec = value!({ "ports": ports, "selector": selector });
    for (flag, field) in [
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("external-name", "externalName"),
        ("load-balancer-ip", "loadBalancerIP"),
        ("session-affinity", "sessionAffinity"),
    ] {
        if !call.text(flag).is_empty() {
            spec.set_at(&[field], SmolStr::new(call.text(flag)));
        }
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
                    crate::api::json::compact(held.get("matchExpressions"))
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

/// `a=b,c=d` as a map.
///
/// # Errors
/// A pair without its `=`.
pub fn pairs(text: &str) -> Result<Value, Failure> {
    let mut map = Value::map();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::plain(format!("unexpected label spec: {pair}")));
        };
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
    if numbers.is_empty() {
        return Err(Failure::plain("couldn't find port via --port flag or introspection"));
    }
    let several = numbers.len() > 1;
    let mut ports = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let port = number
            .parse::<i64>()
            .map_err(|_| Failure::plain(format!("strconv.Atoi: parsing \"{number}\": invalid syntax")))?;
        let protocol = match call.text("protocol") {
            "" => declared
                .iter()
                .find(|declared| declared.number == port)
                .map_or(SmolStr::new("TCP"), |declared| declared.protocol.clone()),
            protocol => SmolStr::new(protocol),
        };
        let target = match call.text("target-port") {
            "" => Value::from(port),
            text => text.parse::<i64>().map_or_else(|_| Value::from(text.to_owned()), Value::from),
        };
        let mut entry = value!({ "port": port, "protocol": protocol, "targetPort": target });
        if several {
            entry.set("name", format!("port-{}", index + 1));
        }
        ports.push(entry);
    }
    Ok(ports)
}

struct DeclaredPort {
    number: i64,
    protocol: SmolStr,
}

/// The ports that an object declares: a Service its own, others those of their containers.
fn declared_ports(object: &Object) -> Vec<DeclaredPort> {
    let read = |port: &Value, field: &str| {
        let protocol = match port.get("protocol").str() {
            "" => SmolStr::new("TCP"),
            protocol => SmolStr::new(protocol),
        };
        port.get(field).as_int().map(|number| DeclaredPort { number, protocol })
    };
    let containers = match object.key.kind {
        Kind::Service => {
            return object.spec().get("ports").items().iter().filter_map(|port| read(port, "port")).collect();
        }
        Kind::Pod => object.spec().get("containers"),
        _ => object.spec().at(&["template", "spec", "containers"]),
    };
    containers
        .items()
        .iter()
        .flat_map(|container| container.get("ports").items())
        .filter_map(|port| read(port, "containerPort"))
        .collect()
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
}
