//! What servers answer to datagrams, and to messages over SCTP.
//!
//! Owns the answers of agnhost `netexec` (<https://pkg.go.dev/k8s.io/kubernetes/test/images/agnhost/netexec>).
//! DNS is answered in [`crate::network::dns`]; what else listens on UDP here takes what comes and says nothing.

use std::net::SocketAddr;

use super::catalogue::App;

/// The answer to a datagram; `None` if there is none.
#[must_use]
pub fn answer(app: App, text: &str, hostname: &str, client: SocketAddr) -> Option<String> {
    if app != App::NetexecUdp {
        return None;
    }
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "hostname" => Some(hostname.to_owned()),
        "clientip" => Some(client.to_string()),
        _ => text.strip_prefix("echo ").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netexec_answers_its_three_commands_and_nothing_else() {
        let client = "10.244.1.2:40000".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            let found = answer(App::NetexecUdp, text, "web-1", client);
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("hostname\n", Some("web-1"));
        check("clientIP\n", Some("10.244.1.2:40000"));
        check("echo hi there\n", Some("hi there"));
        check("hi\n", None);
        assert_eq!(answer(App::Datagram, "hostname", "web-1", client), None);
    }
}
