//! Remedies: what to type after a connection that failed.
//!
//! Owns the fixes of a [`ConnectionCause`] and the field that is to blame for one. A remedy is a command that works
//! as it stands, typed where the failed one was typed (`curl`, `nc`) or where kubectl is. Why the connection
//! failed is in [`super::connection`].

use std::net::{IpAddr, SocketAddr};

use super::connection::ConnectionCause;
use super::external::{any_node, node_with_endpoint};
use super::finding::{Finding, Fix, in_namespace};
use super::near;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::typed::{Protocol, Service};
use crate::cluster::Cluster;
use crate::containers::{Reference, commands};
use crate::network::{Origin, Outcome, Place, Trace, Transport};

/// Seconds that a container should wait before it ends: longer than it takes until no node sends to it any more.
const DRAIN_SECONDS: u32 = 5;

/// The field of the Service's manifest that is to blame, or nothing.
pub(super) fn field(cause: &ConnectionCause) -> &'static str {
    match cause {
        ConnectionCause::NoLocalEndpoints { external: true, .. } | ConnectionCause::NoBalancerTarget => {
            "spec.externalTrafficPolicy"
        }
        ConnectionCause::NoLocalEndpoints { external: false, .. } => "spec.internalTrafficPolicy",
        ConnectionCause::SourceRanges { .. } => "spec.loadBalancerSourceRanges",
        ConnectionCause::NoSuchPort { .. } | ConnectionCause::HeadlessPort { .. } => "spec.ports",
        ConnectionCause::InsideOnly { of: Some(of), instead: None, .. } if of.kind == Kind::Service => {
            "spec.type"
        }
        _ => "",
    }
}

/// What to type, best first.
pub(super) fn fixes(cluster: &Cluster, trace: &Trace, subject: &Key, cause: &ConnectionCause) -> Vec<Fix> {
    let service = cluster.get(subject).and_then(|object| object.as_service());
    let reach = |ip: IpAddr, port: u16| Fix::Command(reach(trace.transport, SocketAddr::new(ip, port)));
    let all_services = || Fix::Command("kubectl get svc -A".to_owned());
    let all_pods = || Fix::Command("kubectl get pods -A -o wide".to_owned());
    let mut fixes = Vec::new();
    match cause {
        ConnectionCause::Arrived { .. } => {}
        ConnectionCause::NoEndpoints | ConnectionCause::NoBalancerTarget => fixes.push(slices(subject)),
        ConnectionCause::NothingListens { port, open, node_ports, meant, .. } => {
            let listening = if let Outcome::Refused(refusal) = &trace.outcome {
                match (&refusal.place, open.as_slice()) {
                    (Place::Pod(pod), []) => Some(describe(pod)),
                    (Place::Pod(_), [only]) if service.is_none() => {
                        Some(reach(refusal.packet.destination.ip(), *only))
                    }
                    (Place::LoadBalancer(address), [first, ..]) => Some(reach(*address, *first)),
                    _ => None,
                }
            } else {
                None
            };
            let node = || match cluster.indexes().node_at(trace.target.ip()) {
                Some(_) => Some(trace.target.ip()),
                None => any_node(cluster),
            };
            let same = node_ports.iter().find(|(_, held)| held == port || node_ports.len() == 1);
            let node_port = meant.as_ref().or(same).map(|(_, node_port)| *node_port);
            fixes.extend(listening);
            fixes.extend(node_port.and_then(|port| Some(reach(node()?, port))));
            if fixes.is_empty() && service.is_none() {
                fixes.push(all_services());
            }
        }
        ConnectionCause::HeadlessPort { target, .. } => fixes.push(reach(trace.target.ip(), *target)),
        ConnectionCause::OnlyLoopback { .. } => {
            if let Outcome::Refused(refusal) = &trace.outcome
                && let Place::Pod(pod) = &refusal.place
            {
                fixes.extend(listen_everywhere(cluster, pod));
                fixes.push(describe(pod));
            }
        }
        ConnectionCause::NoSuchPort { asked, protocol, ports, is_node_port, .. } => {
            let node = any_node(cluster).filter(|_| *is_node_port);
            let own = ports.iter().find(|(_, held)| held == protocol).or(ports.first());
            fixes.extend(node.map(|node| reach(node, *asked)));
            fixes.extend(own.map(|(port, held)| {
                let to = SocketAddr::new(trace.target.ip(), *port);
                Fix::Command(self::reach(Transport::from(*held), to))
            }));
        }
        ConnectionCause::NoLocalEndpoints { external, .. } => {
            let field = if *external { "externalTrafficPolicy" } else { "internalTrafficPolicy" };
            let there = node_with_endpoint(cluster, subject).filter(|_| *external);
            let is_node = cluster.indexes().node_at(trace.target.ip()).is_some();
            fixes.extend(there.filter(|_| is_node).map(|node| reach(node, trace.target.port())));
            fixes.extend(set(subject, field, "Cluster"));
        }
        ConnectionCause::SourceRanges { client } => fixes.extend(let_in(cluster, subject, *client)),
        ConnectionCause::NoSuchService { was, .. } => {
            let now = was.as_ref().and_then(|key| Some((cluster.get(key)?.as_service()?, key)));
            let address = now.and_then(|(service, _)| own_address(service));
            fixes.push(match address {
                Some(address) => reach(address.ip(), address.port()),
                None => all_services(),
            });
        }
        ConnectionCause::NobodyHas { was, .. } => {
            let address = was.as_ref().and_then(|pod| service_of(cluster, pod));
            fixes.push(match address {
                Some(address) => reach(address.ip(), address.port()),
                None => all_pods(),
            });
        }
        ConnectionCause::Ending { pod, waits: false } => fixes.extend(drain(cluster, subject, pod)),
        ConnectionCause::Ending { .. } => fixes.push(slices(subject)),
        ConnectionCause::InsideOnly { of, instead, .. } => match (of, instead) {
            (_, Some(instead)) => fixes.push(reach(instead.ip(), instead.port())),
            (Some(of), None) if of.kind == Kind::Service => fixes.extend(set(of, "type", "NodePort")),
            (Some(of), None) => fixes.push(expose(cluster, of, trace)),
            (None, None) => fixes.push(all_services()),
        },
        ConnectionCause::SentBack { by_proxy, .. } | ConnectionCause::TimeToLive { by_proxy, .. } => {
            let service = by_proxy.as_ref().and_then(|key| cluster.get(key)?.as_service());
            fixes.push(match service.and_then(own_address) {
                Some(address) => reach(address.ip(), address.port()),
                None => all_services(),
            });
        }
        ConnectionCause::NotForwarded { .. } => fixes.push(Fix::Command("world ipForward=on".to_owned())),
        ConnectionCause::BridgedAnswer => fixes.push(Fix::Command("world bridgeNetfilter=on".to_owned())),
        ConnectionCause::Hairpin => fixes.push(Fix::Command("world hairpin=on".to_owned())),
        ConnectionCause::Ping => {
            let address = service.and_then(own_address);
            fixes.extend(address.map(|to| {
                let protocol = service.and_then(|service| service.ports.first()).map(|port| port.protocol);
                Fix::Command(self::reach(Transport::from(protocol.unwrap_or_default()), to))
            }));
        }
        ConnectionCause::NoWay { .. } => fixes.push(all_services()),
        ConnectionCause::Unanswered => fixes.push(match service.and_then(own_address) {
            Some(address) => reach(address.ip(), address.port()),
            None => all_services(),
        }),
        ConnectionCause::NoSource => fixes.push(all_pods()),
        ConnectionCause::AnswerHeldBack { .. } | ConnectionCause::TriesOn => {}
    }
    fixes
}

/// The command with which a person tries an address: curl for TCP, a datagram by nc for UDP.
fn reach(transport: Transport, to: SocketAddr) -> String {
    match transport {
        Transport::Udp => format!("echo hi | nc -u -w 1 {} {}", to.ip(), to.port()),
        Transport::Sctp => format!("ncat --sctp -z -v {} {}", to.ip(), to.port()),
        _ => format!("curl http://{to}"),
    }
}

fn describe(pod: &Key) -> Fix {
    Fix::Command(format!("kubectl describe pod {}{}", pod.name, in_namespace(pod)))
}

fn slices(service: &Key) -> Fix {
    Fix::Command(format!(
        "kubectl get endpointslices -l kubernetes.io/service-name={}{}",
        service.name,
        in_namespace(service)
    ))
}

/// A field of a Service's spec with one of its words: as a command, and as an edit of the manifest.
pub(super) fn set(service: &Key, field: &str, word: &str) -> [Fix; 2] {
    let (name, namespace) = (&service.name, in_namespace(service));
    let command = format!("kubectl patch svc {name} -p '{{\"spec\":{{\"{field}\":\"{word}\"}}}}'{namespace}");
    let edit = Fix::Edit { key: service.clone(), field: format!("spec.{field}"), value: word.to_owned() };
    [Fix::Command(command), edit]
}

/// `loadBalancerSourceRanges` with one more client.
fn let_in(cluster: &Cluster, service: &Key, client: IpAddr) -> [Fix; 2] {
    let object = cluster.get(service).and_then(|object| object.as_service());
    let mut ranges: Vec<String> =
        object.into_iter().flat_map(|one| &one.source_ranges).map(|range| format!("\"{range}\"")).collect();
    ranges.push(format!("\"{client}/{}\"", if client.is_ipv4() { 32 } else { 128 }));
    let (ranges, name) = (ranges.join(","), &service.name);
    let field = "loadBalancerSourceRanges";
    let patch = format!("{{\"spec\":{{\"{field}\":[{ranges}]}}}}");
    let command = format!("kubectl patch svc {name} -p '{patch}'{}", in_namespace(service));
    let edit =
        Fix::Edit { key: service.clone(), field: format!("spec.{field}"), value: format!("[{ranges}]") };
    [Fix::Command(command), edit]
}

/// The first address and port of a Service inside the cluster.
fn own_address(service: &Service) -> Option<SocketAddr> {
    Some(SocketAddr::new(service.cluster_ip()?, service.ports.first()?.port))
}

/// The address of a Service that selects what a Pod was, by the labels that the journal remembers.
fn service_of(cluster: &Cluster, pod: &Key) -> Option<SocketAddr> {
    let journal = cluster.journal();
    let mut entries = journal.since(journal.oldest().saturating_sub(1))?.rev();
    let object = entries.find_map(|entry| entry.before.as_ref().filter(|_| entry.key == *pod))?;
    let mut services = cluster.list(Kind::Service, Some(&pod.namespace)).filter_map(|one| one.as_service());
    let selects = |service: &&Service| {
        service.selector.as_ref().is_some_and(|selector| selector.matches(&object.meta.labels))
    };
    own_address(services.find(selects)?)
}

/// A Service for a Pod that outside clients want to reach.
fn expose(cluster: &Cluster, pod: &Key, trace: &Trace) -> Fix {
    let object = cluster.get(pod);
    let open = object.map(|object| crate::containers::open_ports(object)).unwrap_or_default();
    let protocol = trace.transport.protocol().unwrap_or(Protocol::Tcp);
    let fits = |port: u16| open.iter().any(|(_, one)| one.port == port && one.protocol == protocol);
    let first = open.iter().find(|(_, one)| one.protocol == protocol).map(|(_, one)| one.port);
    let asked = trace.target.port();
    let port = if fits(asked) || first.is_none() { asked } else { first.unwrap_or(asked) };
    let carried = if protocol == Protocol::Tcp { String::new() } else { format!(" --protocol={protocol}") };
    Fix::Command(format!(
        "kubectl expose pod {} --port={port}{carried} --type=NodePort{}",
        pod.name,
        in_namespace(pod)
    ))
}

/// Lets the containers behind a Service wait before they end, so that nodes hear of it first.
fn drain(cluster: &Cluster, service: &Key, pod: &Key) -> Option<Fix> {
    let selector = cluster.get(service)?.as_service()?.selector.as_ref()?;
    let live = cluster.matching(Kind::Pod, &pod.namespace, selector);
    let object = cluster.get(pod).or_else(|| live.first())?;
    let owner = near::owner(cluster, object)?;
    let containers = &object.as_pod()?.spec.containers;
    let sleep = format!("\"lifecycle\":{{\"preStop\":{{\"sleep\":{{\"seconds\":{DRAIN_SECONDS}}}}}}}");
    let each: Vec<String> =
        containers.iter().map(|one| format!("{{\"name\":\"{}\",{sleep}}}", one.name)).collect();
    let spec = format!("{{\"spec\":{{\"template\":{{\"spec\":{{\"containers\":[{}]}}}}}}}}", each.join(","));
    let kind = owner.kind.info().singular;
    Some(Fix::Command(format!("kubectl patch {kind} {} -p '{spec}'{}", owner.name, in_namespace(&owner))))
}

/// Lets the program of a Pod listen on every address, where its command line says that it listens on one.
pub(super) fn listen_everywhere(cluster: &Cluster, pod: &Key) -> Option<Fix> {
    let object = cluster.get(pod)?;
    let owner = near::owner(cluster, object).unwrap_or_else(|| pod.clone());
    let (field, value) = loopback_word(object)?;
    if owner == *pod {
        // The command line of a Pod cannot be changed.
        return Some(Fix::Edit { key: owner, field: format!("spec.{field}"), value });
    }
    let path = field.replace(['.', '['], "/").replace(']', "");
    let patch = format!(
        "[{{\"op\":\"replace\",\"path\":\"/spec/template/spec/{path}\",\"value\":{}}}]",
        crate::api::json::quote(&value)
    );
    let kind = owner.kind.info().singular;
    let (name, namespace) = (&owner.name, in_namespace(&owner));
    Some(Fix::Command(format!("kubectl patch {kind} {name} --type=json -p '{patch}'{namespace}")))
}

/// The word of a container's command line that names the loopback address, and what it should be.
fn loopback_word(object: &Object) -> Option<(String, String)> {
    let containers = object.spec().get("containers").items();
    containers.iter().enumerate().find_map(|(at, container)| {
        ["command", "args"].into_iter().find_map(|field| {
            let words = container.get(field).items();
            words.iter().enumerate().find_map(|(index, word)| {
                let word = word.str();
                let found = ["127.0.0.1", "localhost"].into_iter().find(|name| word.contains(name))?;
                Some((format!("containers[{at}].{field}[{index}]"), word.replace(found, "0.0.0.0")))
            })
        })
    })
}

/// Findings with their commands as they are typed at one place to run at another: where the client is. A client
/// without curl uses wget.
pub(super) fn there(
    cluster: &Cluster,
    from: &Origin,
    typed_at: &Origin,
    mut findings: Vec<Finding>,
) -> Vec<Finding> {
    for fix in findings.iter_mut().flat_map(|finding| &mut finding.fixes) {
        if let Fix::Command(command) = fix
            && CLIENTS.iter().any(|client| command.starts_with(client))
        {
            *command = carried(cluster, from, typed_at, command);
        }
    }
    findings
}

/// How the commands begin that are typed where the client is.
const CLIENTS: [&str; 3] = ["curl ", "echo hi | nc ", "nslookup "];

fn carried(cluster: &Cluster, from: &Origin, typed_at: &Origin, command: &str) -> String {
    let Origin::Pod(pod) = from else {
        return match from {
            Origin::Node(name) if from != typed_at => format!("ssh {name} '{command}'"),
            _ => command.to_owned(),
        };
    };
    let containers = cluster.get(pod).and_then(|object| object.as_pod()).map(|pod| &pod.spec.containers);
    let image = containers.and_then(|all| Reference::parse(&all.first()?.image));
    let held = image.map(|image| commands::contents(&image).commands).unwrap_or_default();
    let without_curl = !held.contains(&"curl") && held.contains(&"wget");
    let command = match command.strip_prefix("curl ") {
        Some(rest) if without_curl => format!("wget -q -O- {rest}"),
        _ => command.to_owned(),
    };
    if from == typed_at {
        return command;
    }
    let command = if command.contains('|') { format!("sh -c '{command}'") } else { command };
    format!("kubectl exec {}{} -- {command}", pod.name, in_namespace(pod))
}
