//! Names, label keys and values, port names, addresses: which text is allowed, and what is said of text
//! that is not.
//!
//! Owns the checks of single texts, each giving the server's messages (none where the text is fine). Where
//! they apply is the business of each kind's rules. Source: k8s.io/apimachinery `pkg/util/validation`.

use std::net::IpAddr;

/// Messages about one text; none where it is fine.
pub type Problems = Vec<String>;

/// A check of one text.
pub type Check = fn(&str) -> Problems;

/// The longest DNS label (RFC 1123), and the longest label value.
const LABEL_LENGTH: usize = 63;
/// The longest DNS name (RFC 1123).
const SUBDOMAIN_LENGTH: usize = 253;
/// The longest name of a port (RFC 6335).
const PORT_NAME_LENGTH: usize = 15;

const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";
const SEARCH_PATH: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const HEADER_NAME: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const WILDCARD: &str = r"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DOMAIN_PATH: &str = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";
const CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
const CIDR_ZEROS: &str = "must not have leading 0s in IP or prefix length";
const STRICT_ENV_NAME: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";
/// What a wrong address is told.
const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
/// What a wrong port number is told.
pub const PORT: &str = "must be between 1 and 65535, inclusive";

fn one_if(wrong: bool, message: impl Into<String>) -> Problems {
    if wrong { vec![message.into()] } else { Vec::new() }
}

/// Whether the text starts and ends with a letter or digit and has nothing but these and `inner` between.
fn is_word(text: &str, letter: fn(&u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(letter)
        && bytes.last().is_some_and(letter)
        && bytes.iter().all(|byte| letter(byte) || inner.contains(byte))
}

fn lower_or_digit(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_dns_label(text: &str) -> bool {
    is_word(text, lower_or_digit, b"-")
}

fn is_dns_subdomain(text: &str) -> bool {
    text.split('.').all(is_dns_label)
}

/// A DNS label: names of Services, Namespaces, containers and ports.
#[must_use]
pub fn dns_label(text: &str) -> Problems {
    let mut problems = one_if(text.len() > LABEL_LENGTH, "must be no more than 63 characters");
    if !is_dns_label(text) {
        let dots = is_dns_subdomain(text);
        problems.push(if dots { "must not contain dots" } else { DNS_LABEL }.to_owned());
    }
    problems
}

/// A DNS name: names of most objects.
#[must_use]
pub fn dns_subdomain(text: &str) -> Problems {
    let mut problems = one_if(text.len() > SUBDOMAIN_LENGTH, "must be no more than 253 characters");
    problems.extend(one_if(!is_dns_subdomain(text), DNS_SUBDOMAIN));
    problems
}

/// A name that only must fit into a path: names of Roles and their like.
#[must_use]
pub fn path_segment(text: &str) -> Problems {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|sign| text.contains(**sign))
        .map(|sign| format!("may not contain '{sign}'"))
        .collect()
}

/// The key of a label or annotation: `app`, `app.kubernetes.io/name`.
#[must_use]
pub fn label_key(text: &str) -> Problems {
    let mut problems = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(dns_subdomain(prefix).into_iter().map(|why| format!("prefix part {why}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_LENGTH {
        problems.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(name, u8::is_ascii_alphanumeric, b"-_.") {
        problems.push(format!("name part {QUALIFIED}"));
    }
    problems
}

/// The value of a label.
#[must_use]
pub fn label_value(text: &str) -> Problems {
    let mut problems = one_if(text.len() > LABEL_LENGTH, "must be no more than 63 bytes");
    let fine = text.is_empty() || is_word(text, u8::is_ascii_alphanumeric, b"-_.");
    problems.extend(one_if(!fine, LABEL_VALUE));
    problems
}

/// The name of a port, as a container declares it and a `targetPort` refers to it.
#[must_use]
pub fn port_name(text: &str) -> Problems {
    let mut problems = one_if(text.len() > PORT_NAME_LENGTH, "must be no more than 15 characters");
    let allowed = |byte: u8| lower_or_digit(&byte) || byte == b'-';
    for (wrong, why) in [
        (
            text.is_empty() || !text.bytes().all(allowed),
            "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!text.bytes().any(|byte| byte.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (text.contains("--"), "must not contain consecutive hyphens"),
        (text.starts_with('-') || text.ends_with('-'), "must not begin or end with a hyphen"),
    ] {
        problems.extend(one_if(wrong, why));
    }
    problems
}

/// The key of an entry of a ConfigMap or Secret.
#[must_use]
pub fn config_key(text: &str) -> Problems {
    let mut problems = one_if(text.len() > SUBDOMAIN_LENGTH, "must be no more than 253 characters");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        problems.push(CONFIG_KEY.to_owned());
    } else if matches!(text, "." | "..") {
        problems.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        problems.push("must not start with '..'".to_owned());
    }
    problems
}

/// The name of an environment variable, as kubectl still asks for it where it reads one itself.
#[must_use]
pub fn strict_variable_name(text: &str) -> Problems {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let digit = text.bytes().next().is_none_or(|first| first.is_ascii_digit());
    one_if(digit || !text.bytes().all(allowed), STRICT_ENV_NAME)
}

/// The name of an environment variable.
#[must_use]
pub fn env_name(text: &str) -> Problems {
    let printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    one_if(text.is_empty() || !text.bytes().all(printable), ENV_NAME)
}

/// An address.
#[must_use]
pub fn ip(text: &str) -> Problems {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => {
            vec!["must not be an IPv4-mapped IPv6 address".to_owned()]
        }
        Ok(_) => Vec::new(),
        Err(_) if has_leading_zeros(text) => vec!["must not have leading 0s".to_owned()],
        Err(_) => vec![IP.to_owned()],
    }
}

/// An address as it is written best: the name of an `IPAddress`.
#[must_use]
pub fn canonical_ip(text: &str) -> Problems {
    match text.parse::<IpAddr>() {
        Ok(address) if address.to_string() == text => Vec::new(),
        Ok(address) => vec![format!("must be in canonical form (\"{address}\")")],
        Err(_) => vec!["must be a valid IP address".to_owned()],
    }
}

/// A network as it is written best: a range of Service addresses.
#[must_use]
pub fn canonical_cidr(text: &str) -> Problems {
    let problems = cidr(text);
    match text.parse::<ipnet::IpNet>() {
        Ok(net) if problems.is_empty() && net.to_string() != text => {
            vec![format!("must be in canonical form (\"{net}\")")]
        }
        _ => problems,
    }
}

/// The names of all hosts of a domain: `*.example.com`.
#[must_use]
pub fn wildcard_subdomain(text: &str) -> Problems {
    let mut problems = one_if(text.len() > SUBDOMAIN_LENGTH, "must be no more than 253 characters");
    let fine = text.strip_prefix("*.").is_some_and(is_dns_subdomain);
    problems.extend(one_if(!fine, WILDCARD));
    problems
}

/// A path that begins with a domain: `example.com/controller`, with the part that each problem is about.
#[must_use]
pub fn domain_path(text: &str) -> Vec<(&str, String)> {
    let halves = text.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty());
    let Some((domain, rest)) = halves else {
        return vec![(text, "must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned())];
    };
    let mut problems: Vec<_> = dns_subdomain(domain).into_iter().map(|why| (domain, why)).collect();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(allowed) {
        problems.push((rest, DOMAIN_PATH.to_owned()));
    }
    problems
}

fn has_leading_zeros(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse::<u32>().is_ok_and(|number| number < 256)
        })
}

/// A network: `10.9.8.0/24`.
#[must_use]
pub fn cidr(text: &str) -> Problems {
    let Some((address, length)) = text.split_once('/') else { return vec![CIDR.to_owned()] };
    let zeros = length.len() > 1 && length.starts_with('0');
    match text.parse::<ipnet::IpNet>() {
        _ if zeros && length.parse::<u8>().is_ok() => vec![CIDR_ZEROS.to_owned()],
        _ if address.parse::<IpAddr>().is_err() && has_leading_zeros(address) => vec![CIDR_ZEROS.to_owned()],
        Err(_) => vec![CIDR.to_owned()],
        Ok(ipnet::IpNet::V6(net)) if net.addr().to_ipv4_mapped().is_some() => {
            vec!["must not have an IPv4-mapped IPv6 address".to_owned()]
        }
        Ok(net) => one_if(net.addr() != net.network(), "must not have bits set beyond the prefix length"),
    }
}

/// The value of a search path of a resolver: a DNS name in which labels may have underscores.
#[must_use]
pub fn search_path(text: &str) -> Problems {
    let label = |label: &str| {
        let inner = label.strip_prefix('_').unwrap_or(label);
        is_word(inner, lower_or_digit, b"-_")
    };
    let mut problems = one_if(text.len() > SUBDOMAIN_LENGTH, "must be no more than 253 characters");
    problems.extend(one_if(!text.split('.').all(label), SEARCH_PATH));
    problems
}

/// The name of a header of HTTP.
#[must_use]
pub fn header_name(text: &str) -> Problems {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    one_if(text.is_empty() || !text.bytes().all(allowed), HEADER_NAME)
}

/// A relative path that stays below where it starts.
#[must_use]
pub fn descending_path(text: &str) -> Problems {
    let mut problems = one_if(text.starts_with('/'), "must be a relative path");
    problems.extend(no_backsteps(text));
    problems
}

/// A path without steps upwards.
#[must_use]
pub fn no_backsteps(text: &str) -> Problems {
    one_if(text.split('/').any(|part| part == ".."), "must not contain '..'")
}

/// The path of a file in a volume: it stays below the volume, and is none of its own files.
#[must_use]
pub fn volume_path(text: &str) -> Problems {
    let mut problems = descending_path(text);
    if text.starts_with("..") && !text.starts_with("../") && text != ".." {
        problems.push("must not start with '..'".to_owned());
    }
    problems
}

/// A range in the words of the server.
#[must_use]
pub fn between(least: i64, most: i64) -> String {
    format!("must be between {least} and {most}, inclusive")
}

/// An address that may be an endpoint: no address that never leaves a machine or a link.
#[must_use]
pub fn endpoint_ip(address: IpAddr) -> Problems {
    let (link_local, link_multicast) = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            (v4.is_link_local(), (a, b, c) == (224, 0, 0))
        }
        IpAddr::V6(v6) => (v6.is_unicast_link_local(), v6.segments()[0] & 0xff0f == 0xff02),
    };
    let mut problems = Vec::new();
    if address.is_unspecified() {
        problems.push(format!("may not be unspecified ({address})"));
    }
    for (wrong, why) in [
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (link_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ] {
        problems.extend(one_if(wrong, why));
    }
    problems
}

/// Whether a number is a port.
#[must_use]
pub fn is_port(number: i64) -> bool {
    (1..=65_535).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Check, fine: &[&str], wrong: &[&str]) {
        for text in fine {
            assert_eq!(rule(text), Vec::<String>::new(), "{text}");
        }
        for text in wrong {
            assert!(!rule(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn names_follow_their_grammar() {
        check(dns_label, &["web", "1service", "123", "a-b"], &["", "Web", "-web", "web-", "a.b", "服务"]);
        check(dns_subdomain, &["web", "1pod.x", "a.b-c.d"], &["", "a..b", ".a", "a_b", "A"]);
        check(label_key, &["app", "a.b/C_d.e"], &["", "bad key", "Bad/x", "/x", "a/", "a/b/c"]);
        check(label_value, &["", "Web_1.2"], &["-x", "hello world"]);
        check(port_name, &["http", "8080-tcp"], &["", "HTTP", "80", "-a", "a--b", "sixteen-letters-x"]);
        check(ip, &["10.0.0.1", "fd00::1"], &["", "10.096.0.5", "10.0.0", "none", "::ffff:10.0.0.1"]);
        check(
            cidr,
            &["10.0.0.0/8"],
            &["10.0.0.0/33", "10.0.0.0", "10.0.0.1/8", "010.0.0.0/8", "10.0.0.0/08"],
        );
        check(search_path, &["a.b", "_tcp.a", "a_b.c"], &["", "A", "a..b", "-a"]);
        check(volume_path, &["a/b", ".a"], &["/a", "a/../b", "..a", ".."]);
    }
}
