//! busybox' nslookup up to 1.28: it asks the C library, search list and all, and names every address.
//!
//! Printed form: reference `network/README.md`, Limits.

use std::net::IpAddr;

use super::{Asked, reverse_name};
use crate::network::dns::{Code, Data, RecordKind};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{self, Reply};

/// How long the C library waits for an answer, in seconds.
const TIMEOUT_SECONDS: u64 = 5;

pub(super) async fn run(invocation: &Invocation, asked: &Asked) -> i32 {
    let server = resolver::server(invocation, asked.server.as_deref()).await;
    let Some(server) = server else {
        invocation
            .stderr()
            .line(&format!("nslookup: can't resolve '{}'", asked.server.as_deref().unwrap_or("")));
        return 1;
    };
    let server_name = name_of(invocation, server, server).await;
    invocation.stdout().write(&format!("Server:    {server}\nAddress 1: {server}{server_name}\n\n"));
    let addresses = match asked.name.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => match resolver::resolve(invocation, &asked.name, None).await {
            Ok(addresses) => addresses,
            Err(_) => {
                invocation.stderr().line(&format!("nslookup: can't resolve '{}'", asked.name));
                return 1;
            }
        },
    };
    let mut text = format!("Name:      {}\n", asked.name);
    for (index, address) in addresses.iter().enumerate() {
        let name = name_of(invocation, server, *address).await;
        text.push_str(&format!("Address {}: {address}{name}\n", index + 1));
    }
    invocation.stdout().write(&text);
    0
}

/// A blank and the name of an address, if DNS has one.
async fn name_of(invocation: &Invocation, server: IpAddr, address: IpAddr) -> String {
    let reply =
        resolver::ask(invocation, server, &reverse_name(address), RecordKind::Ptr, TIMEOUT_SECONDS).await;
    let Reply::Answered(answer) = reply else { return String::new() };
    if answer.code != Code::NoError {
        return String::new();
    }
    let name = answer.records.iter().find_map(|record| match &record.data {
        Data::Ptr(name) => Some(name.to_string()),
        _ => None,
    });
    name.map_or_else(String::new, |name| format!(" {name}"))
}
