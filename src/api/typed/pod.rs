//! The Pod as scheduler, kubelet, endpoint controllers and network read it.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Addresses, Protocol, port};
use crate::api::value::{SmolStr, Value};

/// What the simulation reads of a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// What the spec says, shared between versions (and Pods) whose spec parts are the same values.
    pub spec: Arc<PodSpec>,
    /// The node it is bound to; empty while it waits for the scheduler.
    pub node: SmolStr,
    /// `status.phase`: Pending, Running, Succeeded, Failed.
    pub phase: SmolStr,
    /// `status.podIPs`, first the primary one.
    pub ips: Addresses,
    /// Whether the condition `Ready` is `True`.
    pub ready: bool,
}

/// What the simulation reads of a Pod's spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSpec {
    /// The containers that run (without init containers).
    pub containers: Vec<Container>,
    /// The init containers, sidecars among them, in the order in which they start.
    pub init_containers: Vec<Container>,
    /// The document's `spec.containers` and `spec.initContainers`, to see whether they are still the same.
    source: [Value; 2],
    /// Whether it uses its node's network.
    pub host_network: bool,
    /// `spec.hostname`.
    pub hostname: SmolStr,
    /// `spec.subdomain`, the headless Service that gives it a DNS name.
    pub subdomain: SmolStr,
    /// `spec.enableServiceLinks`.
    pub service_links: bool,
    /// `spec.restartPolicy`.
    pub restart_policy: SmolStr,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace_seconds: i64,
    /// `spec.dnsPolicy`.
    pub dns_policy: SmolStr,
}

/// A container of a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: SmolStr,
    /// Its image as written.
    pub image: SmolStr,
    /// Declared ports.
    pub ports: Vec<ContainerPort>,
    /// The whole container document, for command, args, env and probes.
    pub document: Value,
}

/// A declared container port. It documents; it opens nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerPort {
    /// Its name, or empty.
    pub name: SmolStr,
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The node's port that leads to it, or 0.
    pub host_port: u16,
    /// The one address of the node on which that is, or empty for all.
    pub host_ip: SmolStr,
}

impl Pod {
    pub(super) fn of(value: &Value, before: Option<&Self>) -> Self {
        let spec = value.get("spec");
        let status = value.get("status");
        let same = |pod: &&Self| {
            let [containers, first] = &pod.spec.source;
            containers.same(spec.get("containers")) && first.same(spec.get("initContainers"))
        };
        let shared = before.filter(same).map(|pod| pod.spec.clone());
        let ips =
            status.get("podIPs").items().iter().filter_map(|ip| ip.get("ip").str().parse().ok()).collect();
        let ready = status.get("conditions").items().iter().any(|condition| {
            condition.get("type").str() == "Ready" && condition.get("status").str() == "True"
        });
        Self {
            spec: shared.unwrap_or_else(|| Arc::new(PodSpec::of(spec))),
            node: spec.get("nodeName").smol(),
            phase: status.get("phase").smol(),
            ips,
            ready,
        }
    }

    /// The primary address, if one was given.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ips.first().copied()
    }

    /// Whether it has ended for good (phase Succeeded or Failed).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }
}

/// What a container is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs to its end before the others start.
    Init,
    /// An init container that goes on running (`restartPolicy: Always`).
    Sidecar,
    /// One of `spec.containers`.
    Main,
}

impl PodSpec {
    /// All containers: the init containers, then the others.
    pub fn all(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(&self.containers)
    }

    /// What the container at a place of [`PodSpec::all`] is for.
    #[must_use]
    pub fn role(&self, index: usize) -> Role {
        match self.init_containers.get(index) {
            None => Role::Main,
            Some(container) if container.is_sidecar() => Role::Sidecar,
            Some(_) => Role::Init,
        }
    }

    /// The containers that go on running: sidecars, then the others.
    pub fn lasting(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().filter(|container| container.is_sidecar()).chain(&self.containers)
    }

    fn of(spec: &Value) -> Self {
        Self {
            containers: spec.get("containers").items().iter().map(Container::of).collect(),
            init_containers: spec.get("initContainers").items().iter().map(Container::of).collect(),
            source: ["containers", "initContainers"].map(|list| spec.get(list).clone()),
            host_network: spec.get("hostNetwork").as_bool().unwrap_or(false),
            hostname: spec.get("hostname").smol(),
            subdomain: spec.get("subdomain").smol(),
            service_links: spec.get("enableServiceLinks").as_bool().unwrap_or(true),
            restart_policy: spec.get("restartPolicy").smol(),
            grace_seconds: spec.get("terminationGracePeriodSeconds").as_int().unwrap_or(30),
            dns_policy: spec.get("dnsPolicy").smol(),
        }
    }
}

impl Container {
    /// Whether this is, as an init container, a sidecar.
    #[must_use]
    pub fn is_sidecar(&self) -> bool {
        self.document.get("restartPolicy").str() == "Always"
    }

    fn of(document: &Value) -> Self {
        let ports = document.get("ports").items().iter().map(|declared| ContainerPort {
            name: declared.get("name").smol(),
            port: port(declared.get("containerPort")),
            protocol: Protocol::of(declared.get("protocol")),
            host_port: port(declared.get("hostPort")),
            host_ip: declared.get("hostIP").smol(),
        });
        Self {
            name: document.get("name").smol(),
            image: document.get("image").smol(),
            ports: ports.collect(),
            document: document.clone(),
        }
    }
}
