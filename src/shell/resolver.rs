//! Names and addresses, as a host's C library finds them.
//!
//! Owns `/etc/resolv.conf` of each place, the search list, retries, and the sending of questions. What DNS
//! answers is in [`crate::network::dns`]; a question from a Pod travels to kube-dns like any other datagram, so
//! a broken DNS Service is a broken DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use super::client::origin;
use super::destination_order;
use super::invocation::Invocation;
use super::places::Address;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::typed::Pod;
use crate::cluster::Settings;
use crate::network::dns::{self, Answer, Code, Data, RecordKind};
use crate::network::{Outcome, Place as Where, Transport};
use crate::simulation::incidents::Incident;

/// What a name server outside the cluster takes to answer, in microseconds.
const OUTSIDE_ANSWER_US: u64 = 2_000;
/// How long the C library waits for an answer, in seconds, and how often it asks (resolv.conf(5): `timeout`,
/// `attempts`).
const TIMEOUT_SECONDS: u64 = 5;
const ATTEMPTS: u32 = 2;

/// What `/etc/resolv.conf` of a place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The name server.
    pub server: IpAddr,
    /// The domains that a short name is tried in, in order.
    pub search: Vec<String>,
    /// From how many dots on a name is first tried as it is.
    pub ndots: usize,
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// DNS says that it does not exist, or has no address.
    NotFound,
    /// No name server could be reached.
    NoServer,
    /// The client's own limit ran out.
    LimitReached,
}

/// What came of one question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer.
    Answered(Answer),
    /// The name server's address refused the datagram.
    Refused,
    /// Nothing came back.
    TimedOut,
}

impl Configuration {
    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let search = if self.search.is_empty() {
            String::new()
        } else {
            format!("search {}\n", self.search.join(" "))
        };
        let options = if self.ndots == 1 { String::new() } else { format!("options ndots:{}\n", self.ndots) };
        format!("{search}nameserver {}\n{options}", self.server)
    }

    /// Reads the file. `None` without a name server.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut server = None;
        let (mut search, mut ndots) = (Vec::new(), 1);
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if server.is_none() => {
                    server = words.next().and_then(|word| word.parse().ok())
                }
                Some("search" | "domain") => search = words.map(str::to_owned).collect(),
                Some("options") => {
                    let given = words.find_map(|word| word.strip_prefix("ndots:")?.parse().ok());
                    ndots = given.unwrap_or(ndots);
                }
                _ => {}
            }
        }
        Some(Self { server: server?, search, ndots })
    }

    /// What the kubelet writes for a Pod, or the host's own file (`dnsPolicy: Default`, nodes, workstation).
    #[must_use]
    pub fn of_pod(settings: &Settings, namespace: &str) -> Self {
        Self {
            server: settings.dns_address(),
            search: vec![
                format!("{namespace}.svc.{}", dns::DOMAIN),
                format!("svc.{}", dns::DOMAIN),
                dns::DOMAIN.to_owned(),
            ],
            ndots: 5,
        }
    }

    /// What the kubelet writes for one Pod, by its `dnsPolicy` and `dnsConfig`.
    #[must_use]
    pub fn of(settings: &Settings, object: &Object, pod: &Pod) -> Self {
        let policy = pod.spec.dns_policy.as_str();
        let of_host = policy == "Default" || (pod.spec.host_network && policy != "ClusterFirstWithHostNet");
        let mut configuration =
            if of_host { Self::of_host(settings) } else { Self::of_pod(settings, object.namespace()) };
        if policy == "None" {
            configuration.search.clear();
            configuration.ndots = 1;
        }
        let given = object.spec().get("dnsConfig");
        // Only the first name server is asked; a policy other than None has put one before these.
        if let Some(server) = given.get("nameservers").items().first()
            && policy == "None"
        {
            configuration.server = server.str().parse().unwrap_or(configuration.server);
        }
        for domain in given.get("searches").items() {
            if !configuration.search.iter().any(|held| held == domain.str()) {
                configuration.search.push(domain.str().to_owned());
            }
        }
        let ndots = given.get("options").items().iter().find(|option| option.get("name").str() == "ndots");
        if let Some(ndots) = ndots.and_then(|option| option.get("value").str().parse().ok()) {
            configuration.ndots = ndots;
        }
        configuration
    }

    /// A host's own: the router answers, and knows no name of the cluster.
    #[must_use]
    pub fn of_host(settings: &Settings) -> Self {
        Self { server: settings.router_address(), search: Vec::new(), ndots: 1 }
    }
}

/// The configuration of the place in which a command runs: its file, if somebody changed it.
#[must_use]
pub fn configuration(invocation: &Invocation) -> Configuration {
    let written = invocation.read_file("/etc/resolv.conf").ok().and_then(|text| Configuration::parse(&text));
    written.unwrap_or_else(|| initial(invocation))
}

fn initial(invocation: &Invocation) -> Configuration {
    invocation.host.with(|simulation| {
        let settings = simulation.cluster.settings();
        let Address::Container { namespace, pod, .. } = &invocation.place.address else {
            return Configuration::of_host(settings);
        };
        let object = simulation.cluster.find(Kind::Pod, namespace, pod);
        let of = object.and_then(|object| Some(Configuration::of(settings, object, object.as_pod()?)));
        of.unwrap_or_else(|| Configuration::of_pod(settings, namespace))
    })
}

/// The names under which a name is tried, in order.
#[must_use]
pub fn candidates(invocation: &Invocation, name: &str) -> Vec<String> {
    in_order(&configuration(invocation), name)
}

/// The names under which a name is tried with such a configuration, in order.
#[must_use]
pub fn in_order(configuration: &Configuration, name: &str) -> Vec<String> {
    if let Some(absolute) = name.strip_suffix('.') {
        return vec![absolute.to_owned()];
    }
    let searched = configuration.search.iter().map(|domain| format!("{name}.{domain}"));
    let dots = name.matches('.').count();
    if dots >= configuration.ndots {
        std::iter::once(name.to_owned()).chain(searched).collect()
    } else {
        searched.chain([name.to_owned()]).collect()
    }
}

/// The name server to ask: the configured one, or the one named.
pub async fn server(invocation: &Invocation, named: Option<&str>) -> Option<IpAddr> {
    match named {
        None => Some(configuration(invocation).server),
        Some(name) => {
            resolve(invocation, name, None).await.ok().and_then(|addresses| addresses.first().copied())
        }
    }
}

/// Asks one question once, and waits for the answer.
pub async fn ask(
    invocation: &Invocation,
    server: IpAddr,
    name: &str,
    kind: RecordKind,
    timeout_seconds: u64,
) -> Reply {
    let from = origin(&invocation.place);
    let beyond = invocation.host.with(|simulation| {
        (server == simulation.cluster.settings().router_address())
            .then(|| dns::outside_answer(&simulation.network.topology().outside, name, kind))
    });
    if let Some(answer) = beyond {
        invocation.host.sleep(Duration::from_micros(OUTSIDE_ANSWER_US)).await;
        return Reply::Answered(answer);
    }
    let to = SocketAddr::new(server, 53);
    let trace = invocation.host.with(|simulation| simulation.connect(&from, to, Transport::Udp));
    let wait = trace.outcome.answer_after_us().unwrap_or(timeout_seconds * 1_000_000);
    invocation.host.sleep(Duration::from_micros(wait)).await;
    match &trace.outcome {
        Outcome::Delivered(delivery) if is_dns(invocation, &delivery.server) => {
            Reply::Answered(invocation.host.with(|simulation| {
                let outside = &simulation.network.topology().outside;
                dns::answer(&mut simulation.cluster, outside, name, kind)
            }))
        }
        Outcome::Refused(_) => Reply::Refused,
        Outcome::Delivered(_) | Outcome::Dropped(_) | Outcome::NoRoute(_) => {
            let rest = (timeout_seconds * 1_000_000).saturating_sub(wait);
            invocation.host.sleep(Duration::from_micros(rest)).await;
            Reply::TimedOut
        }
    }
}

/// Whether what got the datagram answers DNS.
fn is_dns(invocation: &Invocation, place: &Where) -> bool {
    let Where::Pod(key) = place else { return false };
    invocation.host.with(|simulation| {
        let open = simulation
            .cluster
            .get(key)
            .map(|object| crate::containers::open_ports(object))
            .unwrap_or_default();
        open.iter().any(|(_, listener)| listener.app == crate::containers::catalogue::App::Dns)
    })
}

/// Names that every host finds in `/etc/hosts`, with their addresses.
pub fn known_here(invocation: &Invocation, name: &str) -> Option<Vec<IpAddr>> {
    let file = invocation.read_file("/etc/hosts").unwrap_or_default();
    let written = in_hosts(&file, name);
    if !written.is_empty() {
        return Some(written);
    }
    if name == "localhost" {
        return Some(vec![IpAddr::from([127, 0, 0, 1])]);
    }
    invocation.host.with(|simulation| match &invocation.place.address {
        Address::Container { namespace, pod, .. } if name == invocation.place.hostname => {
            let object = simulation.cluster.find(Kind::Pod, namespace, pod)?;
            Some(object.as_pod()?.ips.to_vec()).filter(|ips| !ips.is_empty())
        }
        Address::Container { .. } => None,
        Address::Workstation | Address::Node(_) => {
            let object = simulation.cluster.find(Kind::Node, "", name)?;
            Some(object.as_node()?.addresses.clone())
        }
    })
}

/// Remembers for `why` that a name had no address.
pub fn note_failure(invocation: &Invocation, name: &str) {
    let incident = Incident::Name { from: origin(&invocation.place), name: name.to_owned() };
    invocation.host.with(|simulation| simulation.note(incident));
}

/// The addresses that the lines of a hosts file give a name, IPv4 first (hosts(5)).
fn in_hosts(file: &str, name: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for line in file.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next().and_then(|word| word.parse().ok());
        if let Some(address) = address.filter(|_| words.any(|word| word.eq_ignore_ascii_case(name))) {
            found.push(address);
        }
    }
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

/// The addresses of a name, in the order in which the C library wants them tried.
///
/// # Errors
///
/// [`ResolveError`] when there is none.
pub async fn resolve(
    invocation: &Invocation,
    name: &str,
    limit: Option<Duration>,
) -> Result<Vec<IpAddr>, ResolveError> {
    let found = look_up(invocation, name, limit).await;
    if found.is_err() {
        note_failure(invocation, name);
    }
    found
}

async fn look_up(
    invocation: &Invocation,
    name: &str,
    limit: Option<Duration>,
) -> Result<Vec<IpAddr>, ResolveError> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    // What only digits and dots make up, and is no address, is no name either.
    if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(ResolveError::NotFound);
    }
    if let Some(addresses) = known_here(invocation, name) {
        return Ok(addresses);
    }
    let start = invocation.host.now();
    let configuration = configuration(invocation);
    for candidate in in_order(&configuration, name) {
        let mut addresses = Vec::new();
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            let answer = patiently(invocation, configuration.server, &candidate, kind, start, limit).await?;
            if answer.code == Code::NxDomain {
                break;
            }
            addresses.extend(answer.records.iter().filter_map(|record| match record.data {
                Data::A(address) => Some(IpAddr::V4(address)),
                Data::Aaaa(address) => Some(IpAddr::V6(address)),
                _ => None,
            }));
        }
        if !addresses.is_empty() {
            return Ok(destination_order::sorted(addresses, &sources(invocation)));
        }
    }
    Err(ResolveError::NotFound)
}

/// The addresses that the place could send from.
fn sources(invocation: &Invocation) -> Vec<IpNet> {
    let from = origin(&invocation.place);
    invocation.host.with(|simulation| simulation.network.interfaces(&simulation.cluster, &from))
}

/// Asks until there is an answer, as often as the C library does.
async fn patiently(
    invocation: &Invocation,
    server: IpAddr,
    name: &str,
    kind: RecordKind,
    start: u64,
    limit: Option<Duration>,
) -> Result<Answer, ResolveError> {
    for _ in 0..ATTEMPTS {
        let spent = Duration::from_micros(invocation.host.now() - start);
        let left = limit.map(|limit| limit.saturating_sub(spent));
        let wait = left.map_or(TIMEOUT_SECONDS, |left| left.as_secs().min(TIMEOUT_SECONDS));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ResolveError::LimitReached);
        }
        match ask(invocation, server, name, kind, wait).await {
            Reply::Answered(answer) => return Ok(answer),
            Reply::Refused => {}
            Reply::TimedOut if left.is_some_and(|left| left < Duration::from_secs(TIMEOUT_SECONDS)) => {
                let rest = left.unwrap_or_default().saturating_sub(Duration::from_secs(wait));
                invocation.host.sleep(rest).await;
                return Err(ResolveError::LimitReached);
            }
            Reply::TimedOut => {}
        }
    }
    Err(ResolveError::NoServer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_file_reads_back() {
        let pod = Configuration::of_pod(&Settings::default(), "dev");
        assert_eq!(Configuration::parse(&pod.text()), Some(pod.clone()));
        assert_eq!(
            pod.text(),
            "search dev.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
        );
    }

    #[test]
    fn hosts_files_give_every_name_of_a_line_its_address() {
        let file =
            "::1 localhost\n127.0.0.1 localhost me # web\n# 10.0.0.1 web\nnonsense web\n10.0.0.2 web Shop\n";
        let check = |name: &str, expected: &[&str]| {
            let found: Vec<String> = in_hosts(file, name).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{name}");
        };
        check("localhost", &["127.0.0.1", "::1"]);
        check("web", &["10.0.0.2"]);
        check("shop", &["10.0.0.2"]);
        check("shops", &[]);
    }

    #[test]
    fn short_names_are_searched_before_they_are_taken_as_they_are() {
        let pod = Configuration::of_pod(&Settings::default(), "dev");
        assert_eq!(in_order(&pod, "web")[0], "web.dev.svc.cluster.local");
        assert_eq!(in_order(&pod, "web.prod").last().unwrap(), "web.prod");
        assert_eq!(in_order(&pod, "web.prod.svc.cluster.local."), ["web.prod.svc.cluster.local"]);
        assert_eq!(in_order(&Configuration::of_host(&Settings::default()), "a.b")[0], "a.b");
    }
}
