//! Describing Endpoints and EndpointSlices.

use super::About;
use super::page::{Page, joined, or_none, or_unset, plain};
use crate::api::value::Value;

/// Writes the description of Endpoints.
pub fn endpoints(about: &About<'_>, page: &mut Page) {
    about.head(page);
    page.line(0, "Subsets:");
    for subset in about.object.value.get("subsets").items() {
        let addresses =
            |field: &str| joined(subset.get(field).items().iter().map(|address| address.get("ip").str()));
        page.line(0, &format!("  Addresses:\t{}", addresses("addresses")));
        page.line(0, &format!("  NotReadyAddresses:\t{}", addresses("notReadyAddresses")));
        let ports = subset.get("ports").items();
        if !ports.is_empty() {
            page.line(0, "  Ports:");
            page.line(0, "    Name\tPort\tProtocol");
            page.line(0, "    ----\t----\t--------");
            for port in ports {
                page.line(0, &format!("    {}", port_row(port)));
            }
        }
        page.line(0, "");
    }
    about.events(page);
}

fn port_row(port: &Value) -> String {
    format!(
        "{}\t{}\t{}",
        or_unset(port.get("name").str()),
        or_unset(&plain(port.get("port"))),
        port.get("protocol").str()
    )
}

/// Writes the description of an EndpointSlice.
pub fn slice(about: &About<'_>, page: &mut Page) {
    about.head(page);
    let slice = &about.object.value;
    page.line(0, &format!("AddressType:\t{}", slice.get("addressType").str()));
    let ports = slice.get("ports").items();
    if ports.is_empty() {
        page.line(0, "Ports: <unset>");
    } else {
        page.line(0, "Ports:");
        page.line(1, "Name\tPort\tProtocol");
        page.line(1, "----\t----\t--------");
        for port in ports {
            page.line(1, &port_row(port));
        }
    }
    let endpoints = slice.get("endpoints").items();
    if endpoints.is_empty() {
        page.line(0, "Endpoints: <none>");
    } else {
        page.line(0, "Endpoints:");
        for endpoint in endpoints {
            describe_endpoint(endpoint, page);
        }
    }
    about.events(page);
}

fn describe_endpoint(endpoint: &Value, page: &mut Page) {
    let addresses: Vec<&str> = endpoint.get("addresses").items().iter().map(Value::str).collect();
    page.line(1, &format!("- Addresses:\t{}", or_none(&addresses.join(", "))));
    page.line(2, "Conditions:");
    let ready = endpoint.at(&["conditions", "ready"]);
    page.line(3, &format!("Ready:\t{}", or_unset(&plain(ready))));
    page.line(2, &format!("Hostname:\t{}", or_unset(endpoint.get("hostname").str())));
    let target = endpoint.get("targetRef");
    if !target.is_null() {
        page.line(2, &format!("TargetRef:\t{}/{}", target.get("kind").str(), target.get("name").str()));
    }
    page.line(2, &format!("NodeName:\t{}", or_unset(endpoint.get("nodeName").str())));
    page.line(2, &format!("Zone:\t{}", or_unset(endpoint.get("zone").str())));
}
