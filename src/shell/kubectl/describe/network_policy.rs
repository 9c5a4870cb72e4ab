//! Describing NetworkPolicies.

use super::About;
use super::page::{Page, plain};
use crate::api::selector::Selector;
use crate::api::value::Value;

/// How one direction of traffic is spoken of.
struct Direction {
    policy: &'static str,
    rules: &'static str,
    peers: &'static str,
    allowing: &'static str,
    not_affecting: &'static str,
    isolated: &'static str,
    any: &'static str,
    title: &'static str,
}

const DIRECTIONS: [Direction; 2] = [
    Direction {
        policy: "Ingress",
        rules: "ingress",
        peers: "from",
        allowing: "Allowing ingress traffic:",
        not_affecting: "Not affecting ingress traffic",
        isolated: "<none> (Selected pods are isolated for ingress connectivity)",
        any: "From: <any> (traffic not restricted by source)",
        title: "From:",
    },
    Direction {
        policy: "Egress",
        rules: "egress",
        peers: "to",
        allowing: "Allowing egress traffic:",
        not_affecting: "Not affecting egress traffic",
        isolated: "<none> (Selected pods are isolated for egress connectivity)",
        any: "To: <any> (traffic not restricted by destination)",
        title: "To:",
    },
];

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let spec = about.object.spec();
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.line(0, &format!("Namespace:\t{}", about.object.namespace()));
    page.line(0, &format!("Created on:\t{}", go_time(&about.object.meta.created.to_string())));
    page.labels(0, "Labels", &about.object.meta.labels);
    page.annotations("Annotations", &about.object.meta.annotations);
    page.line(0, "Spec:");
    let pods = selector(spec.get("podSelector"));
    let all =
        if pods == "<none>" { " (Allowing the specific traffic to all pods in this namespace)" } else { "" };
    // The selector is written two levels deep behind its title.
    page.line(1, &format!("PodSelector:     {pods}{all}"));
    let types: Vec<&str> = spec.get("policyTypes").items().iter().map(Value::str).collect();
    for direction in &DIRECTIONS {
        if types.contains(&direction.policy) {
            page.line(1, direction.allowing);
            rules(spec.get(direction.rules).items(), direction, page);
        } else {
            page.line(1, direction.not_affecting);
        }
    }
    let types = if types.is_empty() { "<none>".to_owned() } else { types.join(", ") };
    page.line(1, &format!("Policy Types: {types}"));
}

/// `2026-11-22 21:57:34 +0000 UTC`: a time as Go prints it.
fn go_time(time: &str) -> String {
    format!("{} +0000 UTC", time.replace('T', " ").trim_end_matches('Z'))
}

fn selector(value: &Value) -> String {
    Selector::of_label_selector(value).map_or_else(|| "<none>".to_owned(), |selector| selector.to_string())
}

fn rules(rules: &[Value], direction: &Direction, page: &mut Page) {
    if rules.is_empty() {
        return page.line(2, direction.isolated);
    }
    for (index, rule) in rules.iter().enumerate() {
        ports(rule.get("ports").items(), page);
        let peers = rule.get(direction.peers).items();
        if peers.is_empty() {
            page.line(2, direction.any);
        }
        for one in peers {
            page.line(2, direction.title);
            peer(one, page);
        }
        if index + 1 < rules.len() {
            page.line(2, "----------");
        }
    }
}

fn ports(ports: &[Value], page: &mut Page) {
    if ports.is_empty() {
        page.line(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = match port.get("protocol").str() {
            "" => "TCP",
            protocol => protocol,
        };
        let number = match port.get("port") {
            Value::Null => "<nil>".to_owned(),
            number => plain(number),
        };
        match port.get("endPort").as_int() {
            None => page.line(2, &format!("To Port: {number}/{protocol}")),
            Some(end) => page.line(2, &format!("To Port Range: {number}-{end}/{protocol}")),
        }
    }
}

fn peer(peer: &Value, page: &mut Page) {
    let selectors = [("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")];
    for (title, field) in selectors {
        if !peer.get(field).is_null() {
            page.line(3, &format!("{title}: {}", selector(peer.get(field))));
        }
    }
    let block = peer.get("ipBlock");
    if selectors.iter().all(|(_, field)| peer.get(field).is_null()) && !block.is_null() {
        let except: Vec<&str> = block.get("except").items().iter().map(Value::str).collect();
        page.line(3, "IPBlock:");
        page.line(4, &format!("CIDR: {}", block.get("cidr").str()));
        page.line(4, &format!("Except: {}", except.join(", ")));
    }
}
