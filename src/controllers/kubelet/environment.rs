//! The environment of a container.
//!
//! Owns the variables that Services give (`envvars.FromServices` of the kubelet), those of the container's
//! `env` and `envFrom`, and the expansion of `$(NAME)`. They are worked out once, when a container starts.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::base64;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::typed::{Container, Service};
use crate::api::value::{SmolStr, Value};
use crate::cluster::Cluster;

/// Name and value of each variable.
pub(super) type Variables = Vec<(String, String)>;

/// Names and values, shared between the containers that get them.
type Shared = Arc<[(String, String)]>;

/// The variables of Services, by namespace and whether `enableServiceLinks` is set; forgotten when a Service
/// changes.
#[derive(Debug, Default)]
pub(super) struct ServiceVariables {
    known: FxHashMap<(SmolStr, bool), Shared>,
}

impl ServiceVariables {
    /// Follows a change of a Service.
    pub(super) fn forget(&mut self, namespace: &str, name: &str) {
        if namespace == "default" && name == "kubernetes" {
            self.known.clear();
            return;
        }
        for links in [false, true] {
            self.known.remove(&(SmolStr::from(namespace), links));
        }
    }

    /// The variables that a Pod started now in a namespace gets.
    pub(super) fn of(
        &mut self,
        cluster: &Cluster,
        namespace: &SmolStr,
        links: bool,
    ) -> Arc<[(String, String)]> {
        let at = (namespace.clone(), links);
        self.known.entry(at).or_insert_with(|| from_services(cluster, namespace, links).into()).clone()
    }
}

/// The Services that a Pod in a namespace hears of, by name, as variables.
pub(super) fn from_services(cluster: &Cluster, namespace: &str, links: bool) -> Variables {
    let mut services: Vec<&Arc<Object>> =
        if links { cluster.list(Kind::Service, Some(namespace)).collect() } else { Vec::new() };
    if !services.iter().any(|service| service.name() == "kubernetes")
        && let Some(master) = cluster.find(Kind::Service, "default", "kubernetes")
    {
        services.push(master);
        services.sort_by(|a, b| a.name().cmp(b.name()));
    }
    let mut variables = Vec::new();
    for object in services {
        let service = object.as_service().expect("objects of kind Service are Services");
        if let Some(ip) = service.cluster_ip() {
            of_service(object.name(), ip, service, &mut variables);
        }
    }
    variables
}

/// The variables of one Service.
fn of_service(name: &str, ip: IpAddr, service: &Service, into: &mut Variables) {
    let screaming = |text: &str| text.to_uppercase().replace('-', "_");
    let Some(first) = service.ports.first() else { return };
    let prefix = screaming(name);
    let url = |port: u16, protocol: &str| match ip {
        IpAddr::V6(ip) => format!("{protocol}://[{ip}]:{port}"),
        IpAddr::V4(ip) => format!("{protocol}://{ip}:{port}"),
    };
    into.push((format!("{prefix}_SERVICE_HOST"), ip.to_string()));
    into.push((format!("{prefix}_SERVICE_PORT"), first.port.to_string()));
    for port in service.ports.iter().filter(|port| !port.name.is_empty()) {
        into.push((format!("{prefix}_SERVICE_PORT_{}", screaming(&port.name)), port.port.to_string()));
    }
    for (index, port) in service.ports.iter().enumerate() {
        let protocol = port.protocol.name().to_lowercase();
        let url = url(port.port, &protocol);
        if index == 0 {
            into.push((format!("{prefix}_PORT"), url.clone()));
        }
        let prefix = format!("{prefix}_PORT_{}_{}", port.port, port.protocol.name());
        into.push((prefix.clone(), url));
        into.push((format!("{prefix}_PROTO"), protocol));
        into.push((format!("{prefix}_PORT"), port.port.to_string()));
        into.push((format!("{prefix}_ADDR"), ip.to_string()));
    }
}

/// The variables that a container declares itself, in order, with references resolved.
///
/// # Errors
///
/// What the kubelet says about a ConfigMap, Secret or key that is missing.
pub(super) fn declared(
    cluster: &Cluster,
    object: &Object,
    container: &Container,
    services: &[(String, String)],
    ips: &[IpAddr],
) -> Result<Variables, String> {
    let mut variables = Variables::new();
    for source in container.document.get("envFrom").items() {
        from_source(cluster, object, source, &mut variables)?;
    }
    for entry in container.document.get("env").items() {
        let name = entry.get("name").str().to_owned();
        let value = if entry.get("valueFrom").is_null() {
            Some(expand(entry.get("value").str(), &variables, services))
        } else {
            resolve(cluster, object, container, entry.get("valueFrom"), ips)?
        };
        if let Some(value) = value {
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value));
        }
    }
    Ok(variables)
}

fn from_source(
    cluster: &Cluster,
    object: &Object,
    source: &Value,
    into: &mut Variables,
) -> Result<(), String> {
    let prefix = source.get("prefix").str();
    for (field, kind) in [("configMapRef", Kind::ConfigMap), ("secretRef", Kind::Secret)] {
        let reference = source.get(field);
        if reference.is_null() {
            continue;
        }
        let name = reference.get("name").str();
        match cluster.find(kind, object.namespace(), name) {
            Some(found) => {
                for (key, value) in found.value.get("data").entries() {
                    into.push((format!("{prefix}{key}"), plain(kind, value)));
                }
            }
            None if reference.get("optional").as_bool() == Some(true) => {}
            None => return Err(format!("{} \"{name}\" not found", kind.info().singular)),
        }
    }
    Ok(())
}

/// The text of an entry: Secrets hold base64.
fn plain(kind: Kind, value: &Value) -> String {
    if kind == Kind::Secret {
        let bytes = base64::decode(value.str()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        value.str().to_owned()
    }
}

/// The value that `valueFrom` names; `None` if it is optional and missing.
fn resolve(
    cluster: &Cluster,
    object: &Object,
    container: &Container,
    from: &Value,
    ips: &[IpAddr],
) -> Result<Option<String>, String> {
    for (field, kind) in [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)] {
        let reference = from.get(field);
        if reference.is_null() {
            continue;
        }
        let (name, key) = (reference.get("name").str(), reference.get("key").str());
        let optional = reference.get("optional").as_bool() == Some(true);
        let singular = kind.info().singular;
        let Some(found) = cluster.find(kind, object.namespace(), name) else {
            return if optional { Ok(None) } else { Err(format!("{singular} \"{name}\" not found")) };
        };
        let value = found.value.get("data").get(key);
        return match value {
            Value::Null if optional => Ok(None),
            Value::Null => {
                let what = if kind == Kind::Secret { "Secret" } else { "ConfigMap" };
                Err(format!("couldn't find key {key} in {what} {}/{name}", object.namespace()))
            }
            value => Ok(Some(plain(kind, value))),
        };
    }
    let resource = from.get("resourceFieldRef");
    if !resource.is_null() {
        let path: Vec<&str> = resource.get("resource").str().split('.').collect();
        let value = container.document.get("resources").at(&path);
        return Ok(Some(value.as_str().map_or_else(|| "0".to_owned(), str::to_owned)));
    }
    Ok(Some(field(cluster, object, from.at(&["fieldRef", "fieldPath"]).str(), ips)))
}

/// A field of the Pod, as the downward API gives it.
fn field(cluster: &Cluster, object: &Object, path: &str, ips: &[IpAddr]) -> String {
    let pod = object.as_pod().expect("the kubelet reads Pods");
    let host = cluster.find(Kind::Node, "", &pod.node).and_then(|node| node.as_node()?.address());
    let join = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    match path {
        "metadata.name" => object.name().to_string(),
        "metadata.namespace" => object.namespace().to_string(),
        "metadata.uid" => object.meta.uid.to_string(),
        "spec.nodeName" => pod.node.to_string(),
        "spec.serviceAccountName" => object.spec().get("serviceAccountName").str().to_owned(),
        "status.podIP" => join(ips.get(..1).unwrap_or(&[])),
        "status.podIPs" => join(ips),
        "status.hostIP" | "status.hostIPs" => host.map(|ip| ip.to_string()).unwrap_or_default(),
        _ => {
            let (map, key) = path.split_once("['").unwrap_or((path, ""));
            let key = key.trim_end_matches("']");
            match map {
                "metadata.labels" => object.meta.label(key).to_owned(),
                "metadata.annotations" => object.meta.annotation(key).unwrap_or("").to_owned(),
                _ => String::new(),
            }
        }
    }
}

/// Replaces `$(NAME)` by the value of an earlier variable; `$$` stands for `$`; unknown names stay.
fn expand(text: &str, own: &[(String, String)], services: &[(String, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            let known = own.iter().chain(services).find(|(known, _)| known == name);
            match known {
                Some((_, value)) => result.push_str(value),
                None => result.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            result.push('$');
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_once_and_unknown_ones_stay() {
        let own = vec![("A".to_owned(), "1".to_owned())];
        let services = vec![("WEB_PORT".to_owned(), "80".to_owned())];
        for (text, expanded) in
            [("$(A)-$(WEB_PORT)", "1-80"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$", "$"), ("$(A", "$(A")]
        {
            assert_eq!(expand(text, &own, &services), expanded, "{text}");
        }
    }

    #[test]
    fn secrets_are_base64() {
        assert_eq!(plain(Kind::Secret, &Value::from("aHVudGVyMg==".to_owned())), "hunter2");
    }
}
