//! Which addresses, families and node ports a Service gets.
//!
//! Owns the allocation step of creating and updating Services (`pkg/registry/core/service/storage/alloc.go`),
//! which comes before the Service is checked as a whole. The allocators themselves are in
//! [`super::allocators`]: what is found here is given out by the commit that follows, and only then, so
//! that a dry run or a refusal leaves nothing behind. [`crate::api::kinds::service`] has what depends on documents.

use std::net::IpAddr;
use std::sync::Arc;

use super::Cluster;
use super::allocators::{Allocators, NodePorts, Refusal};
use super::random::Random;
use crate::api::json;
use crate::api::kinds::service::{self, families};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::{FieldError, Reason, Status};
use crate::api::value::Value;

const ONE_FAMILY: &str = "SingleStack";
const TWO_FAMILIES: &str = "RequireDualStack";
/// Before the first node port that a dry run shows (`PortAllocationOperation.AllocateNext`).
const DRY_RUN_PORT: u16 = 32_768;

/// Why nothing was allocated.
enum Refused {
    /// The document asks for what cannot be had.
    Invalid(Vec<FieldError>),
    /// The cluster has nothing left.
    Internal(String),
}

type Allocated = Result<(), Refused>;

fn invalid(field: impl Into<String>, value: &Value, why: impl Into<String>) -> Refused {
    Refused::Invalid(vec![FieldError::invalid(field, json::compact(value), why)])
}

impl Cluster {
    /// Gives a new or changed Service its families, cluster addresses and node ports, writing them into the
    /// document.
    ///
    /// # Errors
    ///
    /// `Invalid` where a wanted address or port cannot be had, `InternalError` where none is left.
    pub(super) fn allocate_service(
        &mut self,
        document: &mut Value,
        before: Option<&Arc<Object>>,
        dry_run: bool,
    ) -> Result<(), Status> {
        let name = document.at(&["metadata", "name"]).smol();
        let before = before.map(|object| object.spec());
        let spec = document.field_mut("spec");
        if let Some(before) = before {
            service::keep_allocated_values(spec, before);
        }
        service::sync_cluster_ips(spec, before);
        if let Some(before) = before {
            service::trim_to_one_family(spec, before);
        }
        let mut step = Allocation {
            allocators: &mut self.allocators,
            random: &mut self.random,
            dry_run,
            addresses: Vec::new(),
            ports: Vec::new(),
        };
        let result = step.run(spec, before);
        step.give_back();
        result.map_err(|refused| match refused {
            Refused::Invalid(causes) => Status::invalid(Kind::Service, &name, causes),
            Refused::Internal(why) => {
                Status::new(Reason::InternalError, format!("Internal error occurred: {why}"))
            }
        })
    }
}

/// One allocation: what it took so far is held until the whole is known.
struct Allocation<'a> {
    allocators: &'a mut Allocators,
    random: &'a mut Random,
    /// Shows what stands for a random choice: nothing is chosen that will not be kept.
    dry_run: bool,
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Allocation<'_> {
    fn run(&mut self, spec: &mut Value, before: Option<&Value>) -> Allocated {
        // A Service that takes two families if it can get them does not follow a cluster that changes.
        if !before.is_some_and(|before| service::keeps_preference(spec, before)) {
            self.families(spec, before)?;
            self.cluster_ips(spec, before)?;
        }
        self.node_ports(spec, before)?;
        self.health_check_port(spec, before)
    }

    fn give_back(self) {
        for address in self.addresses {
            for range in self.allocators.services.iter_mut().filter(|range| range.network.contains(&address))
            {
                range.release(address);
            }
        }
        for port in self.ports {
            self.allocators.node_ports.release(port);
        }
    }

    fn has(&self, family: &str) -> bool {
        self.allocators.services.iter().any(|range| families::family_of(range.network.addr()) == family)
    }

    /// `initIPFamilyFields`: settles policy and families.
    fn families(&mut self, spec: &mut Value, before: Option<&Value>) -> Allocated {
        if spec.get("type").str() == "ExternalName" {
            return Ok(());
        }
        let selectorless = spec.get("clusterIP").str() == "None" && spec.get("selector").is_empty();
        if spec.get("ipFamilyPolicy").is_null() {
            let kept = before.map(|before| before.get("ipFamilyPolicy").clone()).unwrap_or_default();
            let policy = match kept {
                Value::Null => Value::text(if selectorless { TWO_FAMILIES } else { ONE_FAMILY }),
                kept => kept,
            };
            spec.set("ipFamilyPolicy", policy);
        }
        refuse(families::validate(spec))?;
        self.infer_families(spec)?;
        if selectorless {
            let primary = self.primary_family();
            let families = spec.field_mut("ipFamilies").list_mut();
            if families.is_empty() {
                families.push(primary);
            }
            // Here the cluster need not have both families: nothing is allocated.
            let single = spec.get("ipFamilyPolicy").str() == ONE_FAMILY;
            add_other_family(spec, !single);
            return Ok(());
        }
        self.check_configured(spec)?;
        let primary = self.primary_family();
        if spec.get("ipFamilies").is_empty() {
            spec.set("ipFamilies", vec![primary]);
        }
        let both = self.allocators.services.len() == 2;
        let single = spec.get("ipFamilyPolicy").str() == ONE_FAMILY;
        add_other_family(spec, both && !single);
        Ok(())
    }

    fn primary_family(&self) -> Value {
        let range = self.allocators.services.first().expect("a cluster has a Service network");
        Value::text(families::family_of(range.network.addr()))
    }

    /// Families that follow from the addresses, and whether the policy allows as many.
    fn infer_families(&mut self, spec: &mut Value) -> Allocated {
        let mut errors = Vec::new();
        let policy = spec.get("ipFamilyPolicy").clone();
        for (field, words) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
            if policy.str() == ONE_FAMILY && spec.get(field).items().len() == 2 {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {words} are specified"
                );
                errors.push(FieldError::invalid("spec.ipFamilyPolicy", json::compact(&policy), why));
            }
        }
        let ips = spec.get("clusterIPs").clone();
        let known = spec.get("ipFamilies").items().len();
        let parsed = ips.items().iter().map_while(|ip| ip.str().parse::<IpAddr>().ok());
        for (index, ip) in parsed.enumerate().skip(known) {
            let family = families::family_of(ip);
            if self.has(family) {
                spec.field_mut("ipFamilies").list_mut().push(Value::text(family));
            } else {
                let why = format!("{family} is not configured on this cluster");
                errors.push(FieldError::invalid(
                    format!("spec.clusterIPs[{index}]"),
                    json::compact(&ips),
                    why,
                ));
            }
        }
        refuse(errors)
    }

    fn check_configured(&self, spec: &Value) -> Allocated {
        let mut errors = Vec::new();
        let policy = spec.get("ipFamilyPolicy");
        if policy.str() == TWO_FAMILIES && self.allocators.services.len() < 2 {
            let why = "this cluster is not configured for dual-stack services";
            errors.push(FieldError::invalid("spec.ipFamilyPolicy", json::compact(policy), why));
        }
        for (index, family) in spec.get("ipFamilies").items().iter().enumerate() {
            if !self.has(family.str()) {
                errors.push(FieldError::invalid(
                    format!("spec.ipFamilies[{index}]"),
                    json::compact(family),
                    "not configured on this cluster",
                ));
            }
        }
        refuse(errors)
    }

    /// Takes the addresses that a new Service, one that was an ExternalName, or one with a new second
    /// family lacks.
    fn cluster_ips(&mut self, spec: &mut Value, before: Option<&Value>) -> Allocated {
        if !service::needs_cluster_ip(spec) || service::is_headless(spec) {
            return Ok(());
        }
        let held = match before.filter(|before| service::needs_cluster_ip(before)) {
            None => 0,
            Some(before) => {
                let (old, new) =
                    (before.get("ipFamilies").items().len(), spec.get("ipFamilies").items().len());
                if (old, new) != (1, 2) {
                    return Ok(());
                }
                1
            }
        };
        let mut ips: Vec<Value> = spec.get("clusterIPs").items().to_vec();
        for (index, family) in spec.get("ipFamilies").clone().items().iter().enumerate().skip(held) {
            let wanted = ips.get(index).cloned().unwrap_or_default();
            let address = self.cluster_ip(family.str(), &wanted)?;
            self.addresses.push(address);
            // A wanted address stays as it was written.
            if wanted.is_empty() {
                ips.push(Value::from(address.to_string()));
            }
        }
        if let Some(first) = ips.first() {
            spec.set("clusterIP", first.clone());
            spec.set("clusterIPs", ips);
        }
        Ok(())
    }

    fn cluster_ip(&mut self, family: &str, wanted: &Value) -> Result<IpAddr, Refused> {
        let range = self
            .allocators
            .services
            .iter_mut()
            .find(|range| families::family_of(range.network.addr()) == family)
            .expect("the families were found configured");
        let Ok(address) = wanted.str().parse() else {
            if self.dry_run {
                return Ok(range.network.network());
            }
            return range
                .take(self.random)
                .map_err(|_| Refused::Internal("failed to allocate a serviceIP: range is full".to_owned()));
        };
        match range.reserve(address) {
            Ok(()) => Ok(address),
            Err(refusal) => {
                let why = match refusal {
                    Refusal::Taken => "provided IP is already allocated",
                    _ => "the provided network does not match the current range",
                };
                let list = Value::from(vec![wanted.clone()]);
                let why = format!("failed to allocate IP {}: {why}", wanted.str());
                Err(invalid("spec.clusterIPs", &list, why))
            }
        }
    }

    /// Ports of one number share a node port, whatever their protocol: a new Service gets one for them, and
    /// a changed one keeps what it has.
    fn node_ports(&mut self, spec: &mut Value, before: Option<&Value>) -> Allocated {
        if !service::needs_node_ports(spec) {
            return Ok(());
        }
        let wanted_by_number = before.is_none_or(|before| !service::needs_node_ports(before));
        let mut held: Vec<i64> = before.map(service::node_ports).unwrap_or_default();
        let automatic = spec.get("allocateLoadBalancerNodePorts") != &Value::Bool(false)
            || spec.get("type").str() == "NodePort";
        let mut by_number: Vec<(i64, i64)> = Vec::new();
        let all = spec.get("ports").clone();
        for (index, port) in all.items().iter().enumerate() {
            let number = port.get("port").as_int().unwrap_or(0);
            let own = port.get("nodePort").as_int().unwrap_or(0);
            if own == 0 && !automatic {
                continue;
            }
            let shared =
                by_number.iter().find(|(of, _)| wanted_by_number && *of == number).map(|(_, port)| *port);
            let asked = if own == 0 && wanted_by_number {
                service::requested_node_port(all.items(), number)
            } else {
                own
            };
            let given = match (own, shared) {
                (0, Some(shared)) => shared,
                (own, Some(shared)) if own == shared => continue,
                _ if held.contains(&asked) && asked != 0 => asked,
                _ => self.node_port(asked, index)?,
            };
            held.push(given);
            if shared.is_none() {
                by_number.push((number, given));
            }
            if own != given {
                spec.field_mut("ports").list_mut()[index].set("nodePort", given);
            }
        }
        Ok(())
    }

    /// Takes any node port; a dry run shows those behind the highest that there can be, as the server does.
    fn any_node_port(&mut self, what: &str) -> Result<u16, Refused> {
        if self.dry_run {
            let port = self.ports.iter().copied().max().unwrap_or(DRY_RUN_PORT).saturating_add(1);
            self.ports.push(port);
            return Ok(port);
        }
        let taken = self.allocators.node_ports.take(self.random);
        let port =
            taken.map_err(|_| Refused::Internal(format!("failed to allocate a {what}: range is full")))?;
        self.ports.push(port);
        Ok(port)
    }

    /// Takes a wanted node port, or any for 0.
    fn node_port(&mut self, wanted: i64, index: usize) -> Result<i64, Refused> {
        if wanted == 0 {
            return self.any_node_port("nodePort").map(i64::from);
        }
        match reserve(&mut self.allocators.node_ports, wanted) {
            Ok(port) => {
                self.ports.push(port);
                Ok(wanted)
            }
            Err(why) => Err(invalid(format!("spec.ports[{index}].nodePort"), &Value::Int(wanted), why)),
        }
    }

    fn health_check_port(&mut self, spec: &mut Value, before: Option<&Value>) -> Allocated {
        if !service::needs_health_check_port(spec) {
            return Ok(());
        }
        let wanted = spec.get("healthCheckNodePort").as_int().unwrap_or(0);
        let had = before.map_or(&Value::Null, |before| before.get("healthCheckNodePort"));
        if wanted != 0 && had.as_int() == Some(wanted) {
            return Ok(());
        }
        if wanted == 0 {
            let port = self.any_node_port("HealthCheck NodePort")?;
            spec.set("healthCheckNodePort", port);
            return Ok(());
        }
        let port = reserve(&mut self.allocators.node_ports, wanted).map_err(|why| {
            Refused::Internal(format!("failed to allocate requested HealthCheck NodePort {wanted}: {why}"))
        })?;
        self.ports.push(port);
        Ok(())
    }
}

fn refuse(errors: Vec<FieldError>) -> Allocated {
    if errors.is_empty() { Ok(()) } else { Err(Refused::Invalid(errors)) }
}

/// Takes a wanted node port; the error says why it cannot be had.
fn reserve(range: &mut NodePorts, wanted: i64) -> Result<u16, String> {
    let refusal = match u16::try_from(wanted) {
        Ok(port) => match range.reserve(port) {
            Ok(()) => return Ok(port),
            Err(refusal) => refusal,
        },
        Err(_) => Refusal::OutOfRange,
    };
    Err(match refusal {
        Refusal::Taken => "provided port is already allocated".to_owned(),
        _ => format!(
            "provided port is not in the valid range. The range of valid ports is {}-{}",
            range.first, range.last
        ),
    })
}

/// Adds the family that is not there, to a Service that has one.
fn add_other_family(spec: &mut Value, wanted: bool) {
    let families = spec.get("ipFamilies").items();
    if !wanted || families.len() != 1 {
        return;
    }
    let other = if families[0].str() == "IPv4" { "IPv6" } else { "IPv4" };
    spec.field_mut("ipFamilies").list_mut().push(Value::text(other));
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
