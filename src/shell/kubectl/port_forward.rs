//! `kubectl port-forward`: a port of this machine that leads into a Pod, until Ctrl-C.
//!
//! Owns kubectl's reading of ports and its messages. The listening is in [`crate::shell::forwards`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::call::Call;
use super::exec::timeout;
use super::failure::{Failure, Outcome};
use super::pods::{named, pod_of};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::shell::command::{Flag, Value, option};
use crate::shell::executor::{Either, Notice, first};
use crate::shell::forwards::{Forward, Open};
use crate::words::Words;

const OWN: &[Flag] = &[
    option(
        '\0',
        "address",
        Value::Text,
        "where to listen: localhost, or addresses",
        "监听地址：localhost 或 IP",
    ),
    option(
        '\0',
        "pod-running-timeout",
        Value::Duration,
        "how long to wait for the Pod",
        "等待 Pod 的最长时间",
    ),
];

/// `port-forward`.
pub static VERB: Verb = Verb {
    name: "port-forward",
    aliases: &[],
    usage: "POD | TYPE/NAME [LOCAL-PORT:]PORT...",
    summary: Words {
        en: "lead a port of this machine into a Pod, until Ctrl-C",
        zh: "把本机端口转发到 Pod，直到按下 Ctrl-C",
    },
    flags: flags![OWN],
    children: &[],
    operands: Operands::Pods,
    action: Action::Waits(|call| Box::pin(run(call))),
};

const REQUIRED: &str = "TYPE/NAME and list of ports are required for port-forward";
/// Where a free local port is looked for (Linux' `ip_local_port_range`).
const FREE_PORTS: std::ops::Range<u32> = 32_768..60_999;

/// A port of this machine (0 for any free one) and one of the Pod.
#[derive(Clone, Copy, Debug)]
struct Pair {
    local: u16,
    target: u16,
}

async fn run(call: Call) -> Outcome {
    let [target, ports @ ..] = call.operands() else { return Err(call.usage_error(REQUIRED)) };
    if ports.is_empty() {
        return Err(call.usage_error(REQUIRED));
    }
    let object = named(&call, target)?;
    let pod = pod_of(&call, &object, timeout(&call)).await?;
    let words = if object.key.kind == Kind::Service {
        ports.iter().map(|word| service_port(&object, &pod, word)).collect::<Result<Vec<_>, _>>()?
    } else {
        ports.iter().map(|word| pod_port(&pod, word)).collect::<Result<_, _>>()?
    };
    let phase = pod.as_pod().map_or("", |pod| pod.phase.as_str());
    if phase != "Running" {
        return Err(Failure::plain(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let pairs: Vec<Pair> =
        words.iter().map(|word| pair(word).map_err(Failure::plain)).collect::<Result<_, _>>()?;
    let lost = Rc::new(Notice::default());
    let open = listen(&call, &pod, &pairs, &lost)?;
    let gone = call.host().until(|simulation| {
        let there = simulation.cluster.get(&pod.key).filter(|held| held.meta.uid == pod.meta.uid);
        let runs = there.and_then(|held| held.as_pod()).is_some_and(|pod| pod.phase == "Running");
        (!runs).then_some(())
    });
    if let Either::Left(()) = first(lost.next(), gone).await {
        complain(&call, &pairs, pod.meta.uid.as_str());
    }
    drop(open);
    Err(Failure::plain("lost connection to pod"))
}

/// Begins to listen on every address and port.
fn listen(call: &Call, pod: &Object, pairs: &[Pair], lost: &Rc<Notice>) -> Result<Vec<Open>, Failure> {
    let addresses = addresses(call.text("address"))?;
    let (forwards, place) = (call.host().forwards(), &call.invocation.place.address);
    let mut open = Vec::new();
    for pair in pairs {
        let local = match pair.local {
            0 => free_port(call),
            local => local,
        };
        let mut errors = Vec::new();
        let before = open.len();
        for address in &addresses {
            if forwards.is_taken(place, *address, local) {
                let family = if address.is_ipv4() { "tcp4" } else { "tcp6" };
                errors.push(format!(
                    "unable to create listener: Error listen {family} {}:{local}: bind: address already in use",
                    bracketed(*address)
                ));
                continue;
            }
            open.push(forwards.open(
                call.host(),
                Forward {
                    place: place.clone(),
                    address: *address,
                    port: local,
                    pod: pod.key.clone(),
                    target: pair.target,
                    output: call.invocation.stdout().clone(),
                    lost: Rc::clone(lost),
                },
            ));
            call.say(&format!("Forwarding from {}:{local} -> {}", bracketed(*address), pair.target));
        }
        if open.len() == before {
            call.complain(&format!(
                "Unable to listen on port {local}: Listeners failed to create with the following errors: [{}]",
                errors.join(" ")
            ));
        }
    }
    if open.is_empty() {
        let shown: Vec<String> =
            pairs.iter().map(|pair| format!("{{{} {}}}", pair.local, pair.target)).collect();
        return Err(Failure::plain(format!(
            "unable to listen on any of the requested ports: [{}]",
            shown.join(" ")
        )));
    }
    Ok(open)
}

fn bracketed(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

/// The addresses of `--address`, as client-go reads them.
fn addresses(text: &str) -> Result<Vec<IpAddr>, Failure> {
    let mut found = Vec::new();
    for word in text.split(',') {
        match word {
            "" | "localhost" => found.extend([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]),
            word => {
                found.push(word.parse().map_err(|_| Failure::plain(format!("error parsing address {word}")))?)
            }
        }
    }
    found.dedup();
    Ok(found)
}

fn free_port(call: &Call) -> u16 {
    let offset = call.host().random(FREE_PORTS.end - FREE_PORTS.start);
    u16::try_from(FREE_PORTS.start + offset).expect("the range ends below 65536")
}

/// What kubectl logs when nothing listens on the port of the Pod.
fn complain(call: &Call, pairs: &[Pair], sandbox: &str) {
    let Some(pair) = pairs.first() else { return };
    let text = format!(
        "an error occurred forwarding {0} -> {1}: error forwarding port {1} to pod {sandbox}, uid : failed to connect to localhost:{1} inside namespace \\\"{sandbox}\\\", IPv4: dial tcp4 127.0.0.1:{1}: connect: connection refused",
        pair.local, pair.target
    );
    call.complain(&super::log_line(&call.invocation, "portforward.go:424", &text));
}

fn split(word: &str) -> (&str, &str) {
    match word.split(':').collect::<Vec<_>>().as_slice() {
        [local, remote] => (local, remote),
        _ => (word.split(':').next().unwrap_or(word), word.split(':').next().unwrap_or(word)),
    }
}

/// A port of a Service as one of the Pod: `LOCAL:TARGET`.
fn service_port(service: &Object, pod: &Object, word: &str) -> Result<String, Failure> {
    let (local, remote) = split(word);
    let ports = service.spec().get("ports").items();
    let name = service.name();
    let (number, local) = match remote.parse::<i64>() {
        Ok(number) => (number, local.to_owned()),
        Err(_) => {
            let found = ports.iter().find(|port| port.get("name").str() == remote);
            let number = found.and_then(|port| port.get("port").as_int()).ok_or_else(|| {
                Failure::plain(format!("Service '{name}' does not have a named port '{remote}'"))
            })?;
            (number, if local == remote { number.to_string() } else { local.to_owned() })
        }
    };
    let of_number = || ports.iter().filter(|port| port.get("port").as_int() == Some(number));
    let Some(port) = of_number().next() else {
        return Err(Failure::plain(format!("Service {name} does not have a service port {number}")));
    };
    if of_number().all(|port| port.get("protocol").str() == "UDP") {
        return Err(Failure::plain(format!("UDP protocol is not supported for {remote}")));
    }
    let target = port.get("targetPort");
    let target = if service.spec().get("clusterIP").str() == "None" {
        number
    } else {
        match (target.as_int(), target.as_str()) {
            (Some(0), _) | (None, None) => number,
            (Some(target), _) => target,
            (None, Some(name)) => named_port(pod, name)?,
        }
    };
    Ok(if local == target.to_string() { local } else { format!("{local}:{target}") })
}

/// A port of a Pod by number or name: `LOCAL:TARGET`.
fn pod_port(pod: &Object, word: &str) -> Result<String, Failure> {
    let (local, remote) = split(word);
    if remote.parse::<i64>().is_ok() || remote.is_empty() {
        return Ok(word.to_owned());
    }
    let number = named_port(pod, remote)?;
    Ok(if local == remote { number.to_string() } else { format!("{local}:{number}") })
}

fn named_port(pod: &Object, name: &str) -> Result<i64, Failure> {
    let containers = pod.spec().get("containers").items().iter();
    let mut ports = containers.flat_map(|container| container.get("ports").items());
    let found = ports.find(|port| port.get("name").str() == name);
    found
        .and_then(|port| port.get("containerPort").as_int())
        .ok_or_else(|| Failure::plain(format!("Pod '{}' does not have a named port '{name}'", pod.name())))
}

/// Two ports from their text, in the words of client-go.
fn pair(word: &str) -> Result<Pair, String> {
    let parts: Vec<&str> = word.split(':').collect();
    let (local, remote) = match parts.as_slice() {
        [one] => (*one, *one),
        ["", remote] => ("0", *remote),
        [local, remote] => (*local, *remote),
        _ => return Err(format!("invalid port format '{word}'")),
    };
    let number = |which: &str, text: &str| {
        text.parse::<u16>().map_err(|_| {
            let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let why = if all_digits { "value out of range" } else { "invalid syntax" };
            format!("error parsing {which} port '{text}': strconv.ParseUint: parsing \"{text}\": {why}")
        })
    };
    let pair = Pair { local: number("local", local)?, target: number("remote", remote)? };
    if pair.target == 0 { Err("remote port must be > 0".to_owned()) } else { Ok(pair) }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const WEB: &str = "kubectl create deployment web --image=nginx --port=80 >/dev/null; kubectl expose deployment web --port=8080 --target-port=80 >/dev/null; kubectl wait --for=condition=Available deployment/web >/dev/null; ";

    #[test]
    fn a_forwarded_port_leads_into_the_pod() {
        check(
            &format!(
                "{WEB} kubectl port-forward svc/web 9000:8080 & sleep 1; curl -s localhost:9000 | grep title; kill %1; sleep 1; curl -sS localhost:9000"
            ),
            "Forwarding from 127.0.0.1:9000 -> 80\nForwarding from [::1]:9000 -> 80\nHandling connection for 9000\n<title>Welcome to nginx!</title>\ncurl: (7) Failed to connect to localhost port 9000 after 0 ms: Couldn't connect to server",
            7,
        );
    }

    #[test]
    fn a_port_that_nobody_listens_on_ends_it() {
        check(
            &format!(
                "{WEB} (kubectl port-forward deploy/web 9000:81 2>&1 | tail -n 1) & sleep 1; curl -s localhost:9000; echo $?; sleep 1"
            ),
            "52\nerror: lost connection to pod",
            0,
        );
    }

    #[test]
    fn what_cannot_be_forwarded_is_refused_in_kubectls_words() {
        let refused = |arguments: &str, expected: &str| {
            check(&format!("{WEB} kubectl port-forward {arguments}"), expected, 1);
        };
        refused("svc/web 80", "error: Service web does not have a service port 80");
        refused("svc/web http", "error: Service 'web' does not have a named port 'http'");
        refused(
            "deploy/web x:80",
            "error: error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax",
        );
        refused(
            "svc/kubernetes 443",
            "error: cannot attach to *v1.Service: invalid service 'kubernetes': Service is defined without a selector",
        );
        check(
            "kubectl run slow --image=nosuch >/dev/null; sleep 1; kubectl port-forward pod/slow 80",
            "error: unable to forward port because pod is not running. Current status=Pending",
            1,
        );
    }
}
