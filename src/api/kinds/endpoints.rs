//! Endpoints and EndpointSlices: defaults, checks, tables.

use std::net::IpAddr;

use super::field::{Errors, each, immutable, one_of, port, text};
use super::table::{AGE, NAME, first_three, or_none, shown};
use super::{Rules, STORED, age, metadata, names};
use crate::api::json;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::time::Timestamp;
use crate::api::value::Value;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
/// How many endpoints, ports and addresses of one endpoint a slice may have.
const ENDPOINT_LIMIT: usize = 1000;
const PORT_LIMIT: usize = 20_000;
const ADDRESS_LIMIT: usize = 100;
/// How many zones or nodes an endpoint may be meant for.
const HINT_LIMIT: usize = 8;

/// The rules of Endpoints.
pub(super) const ENDPOINTS: Rules = Rules {
    default: |document| each(document, "subsets", |subset| each(subset, "ports", default_protocol)),
    validate: validate_endpoints,
    validate_update: |document, _| validate_endpoints(document),
    columns: &[NAME, shown("Endpoints"), AGE],
    cells: endpoints_cells,
    ..STORED
};

/// The rules of EndpointSlices.
pub(super) const ENDPOINT_SLICE: Rules = Rules {
    default: |document| {
        each(document, "ports", |port| {
            default_protocol(port);
            port.set_default("name", "");
        });
    },
    prepare_create: metadata::first_generation,
    prepare_update: |document, before| {
        let changed = |field: &str| document.get(field) != before.get(field);
        let labels = ["metadata", "labels"];
        if changed("endpoints") || changed("ports") || document.at(&labels) != before.at(&labels) {
            super::count_generation(document);
        }
    },
    validate: |document| validate_slice(document, &Value::Null),
    validate_update: |document, before| {
        let mut errors = validate_slice(document, before);
        immutable(&mut errors, "addressType", document.get("addressType"), before.get("addressType"));
        errors
    },
    warnings: |document, _| {
        let named = document.get("addressType").str() == "FQDN";
        if named { vec!["spec.addressType: FQDN endpoints are deprecated".to_owned()] } else { Vec::new() }
    },
    columns: &[NAME, shown("AddressType"), shown("Ports"), shown("Endpoints"), AGE],
    cells: slice_cells,
};

fn default_protocol(port: &mut Value) {
    if port.get("protocol").is_empty() {
        port.set("protocol", "TCP");
    }
}

fn validate_endpoints(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::Endpoints, document);
    for (index, subset) in document.get("subsets").items().iter().enumerate() {
        let path = format!("subsets[{index}]");
        if subset.get("addresses").is_empty() && subset.get("notReadyAddresses").is_empty() {
            errors
                .push(FieldError::required(path.clone(), "must specify `addresses` or `notReadyAddresses`"));
        }
        for list in ["addresses", "notReadyAddresses"] {
            for (at, address) in subset.get(list).items().iter().enumerate() {
                let path = format!("{path}.{list}[{at}]");
                endpoint_address(&mut errors, &format!("{path}.ip"), address.get("ip").str());
                names_of_address(address, &path, &mut errors);
            }
        }
        let ports = subset.get("ports").items();
        for (at, entry) in ports.iter().enumerate() {
            let path = format!("{path}.ports[{at}]");
            match entry.get("name").str() {
                "" if ports.len() > 1 => errors.push(FieldError::required(format!("{path}.name"), "")),
                "" => {}
                name => text(&mut errors, &format!("{path}.name"), name, names::dns_label),
            }
            port(&mut errors, &format!("{path}.port"), entry.get("port"));
            one_of(&mut errors, &format!("{path}.protocol"), entry.get("protocol"), &PROTOCOLS);
            application_protocol(entry, &path, &mut errors);
        }
    }
    errors
}

/// Checks the names that an address may have.
fn names_of_address(address: &Value, path: &str, errors: &mut Errors) {
    let rules: [(&str, names::Check); 2] =
        [("hostname", names::dns_label), ("nodeName", names::dns_subdomain)];
    for (field, rule) in rules {
        if let Some(name) = address.get(field).as_str().filter(|name| !name.is_empty()) {
            text(errors, &format!("{path}.{field}"), name, rule);
        }
    }
}

fn application_protocol(port: &Value, path: &str, errors: &mut Errors) {
    if let Some(protocol) = port.get("appProtocol").as_str() {
        text(errors, &format!("{path}.appProtocol"), protocol, names::label_key);
    }
}

/// Checks an address: its form, then whether it may be an endpoint.
fn endpoint_address(errors: &mut Errors, path: &str, ip: &str) {
    let before = errors.len();
    text(errors, path, ip, names::ip);
    if let (true, Ok(address)) = (errors.len() == before, ip.parse::<IpAddr>()) {
        let problems = names::endpoint_ip(address).into_iter();
        errors.extend(problems.map(|why| FieldError::invalid(path, json::quote(ip), why)));
    }
}

/// Checks a slice. Endpoints and ports that an update leaves as they were are not checked again.
fn validate_slice(document: &Value, before: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::EndpointSlice, document);
    let kind = document.get("addressType").str();
    if kind.is_empty() {
        errors.push(FieldError::required("addressType", ""));
        return errors;
    }
    one_of(&mut errors, "addressType", document.get("addressType"), &["FQDN", "IPv4", "IPv6"]);
    if document.get("endpoints") != before.get("endpoints") {
        endpoints(document.get("endpoints").items(), kind, &mut errors);
    }
    if document.get("ports") != before.get("ports") {
        slice_ports(document.get("ports").items(), &mut errors);
    }
    errors
}

fn endpoints(endpoints: &[Value], kind: &str, errors: &mut Errors) {
    if endpoints.len() > ENDPOINT_LIMIT {
        errors.push(FieldError::too_many("endpoints", endpoints.len(), ENDPOINT_LIMIT));
        return;
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        let path = format!("endpoints[{index}]");
        let addresses = endpoint.get("addresses").items();
        if addresses.is_empty() {
            let why = "must contain at least 1 address";
            errors.push(FieldError::required(format!("{path}.addresses"), why));
        } else if addresses.len() > ADDRESS_LIMIT {
            errors.push(FieldError::too_many(format!("{path}.addresses"), addresses.len(), ADDRESS_LIMIT));
        }
        for (at, address) in addresses.iter().enumerate() {
            slice_address(errors, &format!("{path}.addresses[{at}]"), address.str(), kind);
        }
        if let Some(name) = endpoint.get("nodeName").as_str() {
            text(errors, &format!("{path}.nodeName"), name, names::dns_subdomain);
        }
        if let Some(name) = endpoint.get("hostname").as_str() {
            text(errors, &format!("{path}.hostname"), name, names::dns_label);
        }
        hints(endpoint.get("hints"), &format!("{path}.hints"), errors);
    }
}

/// Checks for which zones and nodes an endpoint is meant.
fn hints(hints: &Value, path: &str, errors: &mut Errors) {
    let rules: [(&str, names::Check); 2] =
        [("forZones", names::label_value), ("forNodes", names::dns_subdomain)];
    for (field, rule) in rules {
        let (list, path) = (hints.get(field).items(), format!("{path}.{field}"));
        if list.len() > HINT_LIMIT {
            errors.push(FieldError::too_many(path, list.len(), HINT_LIMIT));
            continue;
        }
        for (at, hint) in list.iter().enumerate() {
            let (name, path) = (hint.get("name").str(), format!("{path}[{at}].name"));
            if list[..at].iter().any(|other| other.get("name").str() == name) {
                errors.push(FieldError::duplicate(path.clone(), json::quote(name)));
            }
            text(errors, &path, name, rule);
        }
    }
}

fn slice_address(errors: &mut Errors, path: &str, address: &str, kind: &str) {
    if kind == "FQDN" {
        text(errors, path, address, names::dns_subdomain);
        return;
    }
    let family = address.parse::<IpAddr>().map(|ip| if ip.is_ipv4() { "IPv4" } else { "IPv6" });
    match family {
        Ok(family) if family != kind && matches!(kind, "IPv4" | "IPv6") => {
            let why = format!("must be an {kind} address");
            errors.push(FieldError::invalid(path, json::quote(address), why));
        }
        _ => endpoint_address(errors, path, address),
    }
}

fn slice_ports(ports: &[Value], errors: &mut Errors) {
    if ports.len() > PORT_LIMIT {
        errors.push(FieldError::too_many("ports", ports.len(), PORT_LIMIT));
        return;
    }
    for (index, entry) in ports.iter().enumerate() {
        let path = format!("ports[{index}]");
        let name = entry.get("name");
        if !name.is_empty() {
            text(errors, &format!("{path}.name"), name.str(), names::dns_label);
        }
        if ports[..index].iter().any(|other| other.get("name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), json::quote(name.str())));
        }
        if !entry.get("port").is_null() {
            port(errors, &format!("{path}.port"), entry.get("port"));
        }
        one_of(errors, &format!("{path}.protocol"), entry.get("protocol"), &PROTOCOLS);
        application_protocol(entry, &path, errors);
    }
}

fn endpoints_cells(object: &Object, now: Timestamp) -> Vec<String> {
    vec![object.key.name.to_string(), addresses(object.value.get("subsets").items()), age(object, now)]
}

/// All addresses of one port, then those of the next, three at most; `<none>` without subsets.
fn addresses(subsets: &[Value]) -> String {
    if subsets.is_empty() {
        return or_none("");
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = || subset.get("addresses").items().iter().map(|address| address.get("ip").str());
        let ports = subset.get("ports").items();
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports {
            let number = port.get("port").as_int().unwrap_or(0);
            all.extend(ips().map(|ip| match ip.contains(':') {
                true => format!("[{ip}]:{number}"),
                false => format!("{ip}:{number}"),
            }));
        }
    }
    first_three(&all, "")
}

fn slice_cells(object: &Object, now: Timestamp) -> Vec<String> {
    const UNSET: &str = "<unset>";
    let slice = &object.value;
    let ports: Vec<String> = slice.get("ports").items().iter().map(port_cell).collect();
    let addresses: Vec<String> = slice
        .get("endpoints")
        .items()
        .iter()
        .flat_map(|endpoint| endpoint.get("addresses").items())
        .map(|address| address.str().to_owned())
        .collect();
    vec![
        object.key.name.to_string(),
        slice.get("addressType").str().to_owned(),
        first_three(&ports, UNSET),
        first_three(&addresses, UNSET),
        age(object, now),
    ]
}

fn port_cell(port: &Value) -> String {
    match (port.get("port").as_int(), port.get("name").as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    }
}
