//! The table of Services (`printService`).

use std::collections::BTreeSet;

use crate::api::kinds::age;
use crate::api::kinds::table::{AGE, NAME, join, label_pairs, or_none, shown, wide};
use crate::api::object::Object;
use crate::api::table::Column;
use crate::api::time::Timestamp;
use crate::api::value::Value;

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    shown("Type"),
    shown("Cluster-IP"),
    shown("External-IP"),
    shown("Port(s)"),
    AGE,
    wide("Selector"),
];

pub(super) fn cells(object: &Object, now: Timestamp) -> Vec<String> {
    let spec = object.spec();
    let address = spec.get("clusterIPs").items().first().map_or("", Value::str);
    vec![
        object.key.name.to_string(),
        spec.get("type").str().to_owned(),
        or_none(address),
        external_ip(object),
        or_none(&ports(spec)),
        age(object, now),
        label_pairs(spec.get("selector")),
    ]
}

fn external_ip(object: &Object) -> String {
    let spec = object.spec();
    let mut found: Vec<String> = Vec::new();
    match spec.get("type").str() {
        "ExternalName" => return spec.get("externalName").str().to_owned(),
        "LoadBalancer" => {
            let ingress = object.status().at(&["loadBalancer", "ingress"]).items().iter();
            let addresses: BTreeSet<&str> = ingress
                .map(|entry| match entry.get("ip").str() {
                    "" => entry.get("hostname").str(),
                    ip => ip,
                })
                .filter(|text| !text.is_empty())
                .collect();
            found.extend(addresses.into_iter().map(str::to_owned));
        }
        _ => {}
    }
    found.extend(spec.get("externalIPs").items().iter().map(|ip| ip.str().to_owned()));
    match (found.is_empty(), spec.get("type").str()) {
        (false, _) => found.join(","),
        (true, "LoadBalancer") => "<pending>".to_owned(),
        (true, "ClusterIP" | "NodePort") => "<none>".to_owned(),
        (true, _) => "<unknown>".to_owned(),
    }
}

fn ports(spec: &Value) -> String {
    join(spec.get("ports").items().iter().map(|port| {
        let number = port.get("port").as_int().unwrap_or(0);
        let protocol = port.get("protocol").str();
        match port.get("nodePort").as_int().unwrap_or(0) {
            0 => format!("{number}/{protocol}"),
            node_port => format!("{number}:{node_port}/{protocol}"),
        }
    }))
}
