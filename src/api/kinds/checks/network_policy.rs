//! What is checked of NetworkPolicies.
//!
//! Source: `pkg/apis/networking/validation`.

use ipnet::IpNet;

use crate::api::json;
use crate::api::kinds::field::{Errors, label_selector, one_of_or_none, port, port_or_name, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Checks a NetworkPolicy.
pub(in crate::api::kinds) fn network_policy(document: &Value) -> Errors {
    let mut errors = metadata::validate(Kind::NetworkPolicy, document);
    let spec = document.get("spec");
    label_selector(&mut errors, "spec.podSelector", spec.get("podSelector"));
    for (list, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in spec.get(list).items().iter().enumerate() {
            let path = format!("spec.{list}[{index}]");
            for (at, entry) in rule.get("ports").items().iter().enumerate() {
                policy_port(entry, &format!("{path}.ports[{at}]"), &mut errors);
            }
            for (at, peer) in rule.get(peers).items().iter().enumerate() {
                policy_peer(peer, &format!("{path}.{peers}[{at}]"), &mut errors);
            }
        }
    }
    let types = spec.get("policyTypes");
    if types.items().len() > 2 {
        errors.push(shown("spec.policyTypes", types, "may not specify more than two policyTypes"));
        return errors;
    }
    for (index, kind) in types.items().iter().enumerate() {
        if !matches!(kind.str(), "Ingress" | "Egress") {
            let (path, value) = (format!("spec.policyTypes[{index}]"), json::quote(kind.str()));
            errors.push(FieldError::not_supported(path, value, &["Ingress", "Egress"]));
        }
    }
    errors
}

fn policy_port(entry: &Value, path: &str, errors: &mut Errors) {
    one_of_or_none(errors, &format!("{path}.protocol"), entry.get("protocol"), &PROTOCOLS);
    let (first, last) = (entry.get("port"), entry.get("endPort"));
    if !first.is_null() {
        port_or_name(errors, &format!("{path}.port"), first);
    }
    let Some(end) = last.as_int() else { return };
    let path = format!("{path}.endPort");
    let why = match first {
        Value::Null => "may not be specified when `port` is not specified",
        Value::Str(_) => "may not be specified when `port` is non-numeric",
        number if end < number.as_int().unwrap_or(0) => "must be greater than or equal to `port`",
        _ => "",
    };
    if !why.is_empty() {
        errors.push(FieldError::invalid(path.clone(), end.to_string(), why));
    }
    if first.as_int().is_some() {
        port(errors, &path, last);
    }
}

fn policy_peer(peer: &Value, path: &str, errors: &mut Errors) {
    let selectors = ["podSelector", "namespaceSelector"];
    let mut selects = false;
    for field in selectors {
        if !peer.get(field).is_null() {
            selects = true;
            label_selector(errors, &format!("{path}.{field}"), peer.get(field));
        }
    }
    let block = peer.get("ipBlock");
    if !block.is_null() {
        address_block(block, &format!("{path}.ipBlock"), errors);
        if selects {
            errors.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
        }
    } else if !selects {
        errors.push(FieldError::required(path, "must specify a peer"));
    }
}

fn address_block(block: &Value, path: &str, errors: &mut Errors) {
    let at = format!("{path}.cidr");
    if block.get("cidr").is_empty() {
        errors.push(FieldError::required(at, ""));
        return;
    }
    text(errors, &at, block.get("cidr").str(), names::cidr);
    let Ok(net) = block.get("cidr").str().parse::<IpNet>() else { return };
    for (index, part) in block.get("except").items().iter().enumerate() {
        let at = format!("{path}.except[{index}]");
        text(errors, &at, part.str(), names::cidr);
        let Ok(inner) = part.str().parse::<IpNet>() else { continue };
        if !net.contains(&inner) || net.prefix_len() >= inner.prefix_len() {
            let why = "must be a strict subset of `cidr`";
            errors.push(FieldError::invalid(at, json::quote(part.str()), why));
        }
    }
}
