//! `kubectl get --raw`: paths of the API server, as far as they lead to objects, lists, versions and health.
//!
//! Owns the reading of paths, and JSON in the order in which the server's Go structs are declared, for the
//! types whose order is listed here ([`ORDERS`]); the fields of others stand by name.

use super::call::Call;
use super::discovery::RESOURCES;
use super::failure::{Failure, Outcome};
use super::version::{json_fields, server};
use crate::api::json;
use crate::api::registry::KINDS;
use crate::api::schema::{Shape, schema};
use crate::api::value::Value;
use crate::cluster::request::Options;

/// Fields in the order of Go's structs, by the name of the type. Source: `k8s.io/api` and
/// `k8s.io/apimachinery`, `types.go`.
const ORDERS: &[(&str, &[&str])] = &[
    (
        "ObjectMeta",
        &[
            "name",
            "generateName",
            "namespace",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "ownerReferences",
            "finalizers",
            "managedFields",
        ],
    ),
    (
        "ManagedFieldsEntry",
        &["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"],
    ),
    (
        "ServiceSpec",
        &[
            "ports",
            "selector",
            "clusterIP",
            "clusterIPs",
            "type",
            "externalIPs",
            "sessionAffinity",
            "loadBalancerIP",
            "loadBalancerSourceRanges",
            "externalName",
            "externalTrafficPolicy",
            "healthCheckNodePort",
            "publishNotReadyAddresses",
            "sessionAffinityConfig",
            "ipFamilies",
            "ipFamilyPolicy",
            "allocateLoadBalancerNodePorts",
            "loadBalancerClass",
            "internalTrafficPolicy",
            "trafficDistribution",
        ],
    ),
    ("ServicePort", &["name", "protocol", "appProtocol", "port", "targetPort", "nodePort"]),
    ("OwnerReference", &["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]),
    ("EndpointSubset", &["addresses", "notReadyAddresses", "ports"]),
    ("EndpointAddress", &["ip", "hostname", "nodeName", "targetRef"]),
    ("EndpointPort", &["name", "port", "protocol", "appProtocol"]),
    (
        "DeploymentSpec",
        &[
            "replicas",
            "selector",
            "template",
            "strategy",
            "minReadySeconds",
            "revisionHistoryLimit",
            "paused",
            "progressDeadlineSeconds",
        ],
    ),
];

/// Answers a path.
///
/// # Errors
/// A path that leads nowhere.
pub fn get(call: &Call, path: &str) -> Outcome {
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let place = place.trim_end_matches('/');
    match place {
        "/version" => {
            call.say(&json_fields(&server(), 0));
            Ok(())
        }
        "/healthz" | "/livez" | "/readyz" if query.is_empty() => {
            call.write("ok");
            Ok(())
        }
        place => {
            let parts: Vec<&str> = place.split('/').filter(|part| !part.is_empty()).collect();
            let known = matches!(parts.first(), Some(&("api" | "apis")));
            if known && !query.is_empty() {
                return Err(not_simulated(path));
            }
            match parts.as_slice() {
                ["api", version, rest @ ..] => resource(call, path, version, rest),
                ["apis", group, version, rest @ ..] => {
                    resource(call, path, &format!("{group}/{version}"), rest)
                }
                ["api" | "apis", ..] | ["healthz" | "livez" | "readyz" | "metrics" | "openapi", ..] => {
                    Err(not_simulated(path))
                }
                _ => Err(missing()),
            }
        }
    }
}

fn missing() -> Failure {
    Failure::Exact(
        "Error from server (NotFound): the server could not find the requested resource".to_owned(),
    )
}

fn not_simulated(path: &str) -> Failure {
    Failure::NotSimulated(format!("kubectl get --raw {path}"), "kubectl get -o json, kubectl api-resources")
}

/// An object or a list below an API version.
fn resource(call: &Call, path: &str, version: &str, rest: &[&str]) -> Outcome {
    let (namespace, plural, name) = match rest {
        [] if RESOURCES.iter().any(|resource| resource.version == version) => {
            return Err(not_simulated(path));
        }
        ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
        ["namespaces", namespace, plural] => (*namespace, *plural, ""),
        [plural, name] => ("", *plural, *name),
        [plural] => ("", *plural, ""),
        [] => return Err(missing()),
        _ => return Err(not_simulated(path)),
    };
    let info = KINDS.iter().find(|info| info.api_version == version && info.plural == plural);
    let info = info.ok_or_else(missing)?;
    let of = schema().kind(info.api_version, info.name).map(Shape::Struct);
    let mut text = String::new();
    if !name.is_empty() {
        let object = call.get(info.kind, namespace, name)?;
        put(&mut text, &call.with_managed_fields(&object), of.as_ref());
        call.write(&text);
        return Ok(());
    }
    let objects = call.list(info.kind, namespace, Options::default())?;
    let revision = call.host().with(|simulation| simulation.revision());
    text.push_str(&format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{version}\",\"metadata\":{{\"resourceVersion\":\"{revision}\"}},\"items\":[",
        info.name
    ));
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let mut value = call.with_managed_fields(object);
        value.remove("kind");
        value.remove("apiVersion");
        put(&mut text, &value, of.as_ref());
    }
    text.push_str("]}");
    call.write(&text);
    Ok(())
}

/// Writes a value of a shape.
fn put(out: &mut String, value: &Value, shape: Option<&Shape>) {
    match (value, shape) {
        (Value::Map(_), Some(Shape::Struct(of))) => {
            let of = schema().get(*of);
            let order =
                ORDERS.iter().find(|(name, _)| *name == of.short_name()).map_or(&[][..], |(_, order)| order);
            let rank = |key: &str| match key {
                // Every object begins with these.
                "kind" => 0,
                "apiVersion" if order.is_empty() => 1,
                key => 2 + order.iter().position(|held| *held == key).unwrap_or(order.len()),
            };
            let mut keys: Vec<&str> = value.entries().iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_by_key(|key| rank(key));
            out.push('{');
            for (at, key) in keys.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&json::quote(key));
                out.push(':');
                put(out, value.get(key), of.field(key).map(|field| &field.shape));
            }
            out.push('}');
        }
        (Value::List(items), Some(Shape::List(inner))) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                put(out, item, Some(inner));
            }
            out.push(']');
        }
        _ => out.push_str(&json::compact(value)),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn paths_lead_to_objects_and_lists_in_the_servers_order() {
        check(
            "kubectl get --raw /api/v1/namespaces/default/services/kubernetes | cut -c1-89; kubectl get --raw /api/v1/services | cut -c1-47",
            "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\"\n{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metada",
            0,
        );
        check(
            "kubectl get --raw /nosuch",
            "Error from server (NotFound): the server could not find the requested resource",
            1,
        );
        check(
            "kubectl get --raw /apis",
            "kubectl get --raw /apis is not simulated in Portside; nearest: kubectl get -o json, kubectl api-resources",
            1,
        );
    }
}
