//! Containers as places: what a shell inside one finds.
//!
//! Owns the way from a Pod's container to a [`Place`]: its environment as it was when it started, the commands
//! of its image, its first files. Whether it runs is the kubelet's business.

use std::rc::Rc;

use super::host::Host;
use super::invocation::Invocation;
use super::io::{Input, Output, Streams};
use super::places::{Address, Dialect, Place};
use super::resolver::Configuration;
use crate::api::object::{Key, Object};
use crate::api::typed::{Container, Pod};
use crate::api::value::Value;
use crate::cluster::Settings;
use crate::containers::commands::{Shell, contents};
use crate::containers::{Container as Run, Reference};
use crate::simulation::Simulation;

/// PATH of an image that sets none (containerd's default).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the kubelet mounts the account's files.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The file that the kubelet mounts over `/etc/hosts`, up to the Pod's own lines.
const HOSTS: &str = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";

/// Why there is no such place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// The Pod has no container of that name.
    NoSuchContainer(String),
    /// The container does not run: its name.
    NotRunning(String),
}

/// A container of a Pod: the named one, or the first.
///
/// # Errors
/// There is no such container, or it does not run.
pub fn place(simulation: &Simulation, object: &Object, name: Option<&str>) -> Result<Place, NoPlace> {
    let pod = object.as_pod().expect("only Pods have containers");
    let container = container(pod, name)?;
    let run = simulation.runtime.latest(&object.meta.uid, &container.name);
    let Some((_, run)) = run.filter(|_| is_running(object, &container.name)) else {
        return Err(NoPlace::NotRunning(container.name.to_string()));
    };
    let address = Address::Container {
        namespace: object.namespace().to_string(),
        pod: object.name().to_string(),
        uid: object.meta.uid.to_string(),
        container: container.name.to_string(),
    };
    let hostname = hostname(object, pod);
    let (dialect, commands) = image(&container.image);
    let environment = environment(run, &hostname);
    let mut place = Place::container(address, &hostname, dialect, commands, environment);
    place.busybox = Reference::parse(&container.image).and_then(|image| contents(&image).busybox);
    place.first_files = first_files(simulation.cluster.settings(), object, pod, container, &hostname);
    Ok(place)
}

/// A command in a container, as the container's runtime starts it: without input, what it prints in `output`.
/// `None` if the container does not run.
pub fn command(host: &Host, pod: &Key, name: &str, words: &[String], output: &Output) -> Option<Invocation> {
    let place = host.with(|simulation| {
        let object = simulation.cluster.get(pod)?;
        place(simulation, object, Some(name)).ok()
    })?;
    Some(Invocation {
        name: words.first()?.clone(),
        arguments: words[1..].to_vec(),
        environment: Rc::new(place.environment.clone()),
        directory: place.start.clone(),
        place: Rc::new(place),
        streams: Streams { stdin: Input::null(), stdout: output.clone(), stderr: output.clone() },
        tty: None,
        host: host.clone(),
    })
}

fn container<'a>(pod: &'a Pod, name: Option<&str>) -> Result<&'a Container, NoPlace> {
    let found = match name {
        Some(name) => pod.spec.all().find(|container| container.name == name),
        None => pod.spec.containers.first(),
    };
    found.ok_or_else(|| NoPlace::NoSuchContainer(name.unwrap_or("").to_owned()))
}

fn is_running(object: &Object, name: &str) -> bool {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let mut statuses = lists.iter().flat_map(|list| object.status().get(list).items());
    statuses.any(|status| status.get("name").str() == name && !status.at(&["state", "running"]).is_null())
}

fn hostname(object: &Object, pod: &Pod) -> String {
    let given = &pod.spec.hostname;
    if pod.spec.host_network {
        pod.node.to_string()
    } else if given.is_empty() {
        object.name().to_string()
    } else {
        given.to_string()
    }
}

/// The dialect of an image's `sh`, and the names in its PATH.
fn image(image: &str) -> (Dialect, Rc<[String]>) {
    let Some(reference) = Reference::parse(image) else { return (Dialect::Dash, Rc::from([])) };
    let contents = contents(&reference);
    let dialect = if contents.shell == Shell::Ash { Dialect::Ash } else { Dialect::Dash };
    (dialect, contents.commands.iter().map(|name| (*name).to_owned()).collect())
}

/// The variables of a new command, in the order in which containerd passes them.
fn environment(run: &Run, hostname: &str) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut environment = vec![pair("PATH", PATH), pair("HOSTNAME", hostname)];
    for (name, value) in run.env() {
        environment.retain(|(held, _)| held != name);
        environment.push(pair(name, value));
    }
    if !environment.iter().any(|(name, _)| name == "HOME") {
        environment.push(pair("HOME", "/root"));
    }
    environment
}

/// The files that the kubelet writes.
fn first_files(
    settings: &Settings,
    object: &Object,
    pod: &Pod,
    container: &Container,
    hostname: &str,
) -> Vec<(String, String)> {
    let mut files = vec![
        ("/etc/hosts".to_owned(), hosts(object, pod, hostname)),
        ("/etc/resolv.conf".to_owned(), Configuration::of(settings, object, pod).text()),
    ];
    let mounts = container.document.get("volumeMounts").items();
    if mounts.iter().any(|mount| mount.get("mountPath").str() == ACCOUNT) {
        files.push((format!("{ACCOUNT}/namespace"), object.namespace().to_string()));
    }
    files
}

fn hosts(object: &Object, pod: &Pod, hostname: &str) -> String {
    let mut text = HOSTS.to_owned();
    if pod.spec.host_network {
        return text;
    }
    let domain = match pod.spec.subdomain.as_str() {
        "" => String::new(),
        subdomain => format!("{hostname}.{subdomain}.{}.svc.cluster.local\t", object.namespace()),
    };
    for ip in &pod.ips {
        text.push_str(&format!("{ip}\t{domain}{hostname}\n"));
    }
    let aliases = object.spec().get("hostAliases").items();
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in aliases {
        let names: Vec<&str> = alias.get("hostnames").items().iter().map(Value::str).collect();
        text.push_str(&format!("{}\t{}\n", alias.get("ip").str(), names.join("\t")));
    }
    text
}
