//! What the objects of a namespace use of its ResourceQuotas, and the refusal of what would exceed them.
//!
//! Owns the amounts that one object uses and their sum; the controller writes the sum into the status. Scopes
//! are heeded for Pods. Sources: `pkg/quota/v1/evaluator/core` and the admission plug-in `ResourceQuota`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Cluster;
use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::registry::{KINDS, Kind};
use crate::api::status::{Reason, Status};
use crate::api::value::Value;

/// Amounts by the names that quotas give them.
pub type Usage = BTreeMap<String, Quantity>;

/// Resources that every container must ask for where a quota limits them.
const EXPLICIT: [&str; 6] =
    ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
/// Kinds that quotas count by the plain name of their resource.
const COUNTED: [Kind; 8] = [
    Kind::ConfigMap,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::ResourceQuota,
    Kind::Secret,
    Kind::Service,
    Kind::ServiceAccount,
];

/// What one object uses.
fn usage(kind: Kind, document: &Value) -> Usage {
    let mut usage = Usage::new();
    let info = kind.info();
    let mut add = |name: String, amount: Quantity| {
        let sum = usage.get(&name).map_or(amount, |sum: &Quantity| sum.plus(amount));
        usage.insert(name, sum);
    };
    let number = |count: usize| Quantity::parse(&count.to_string()).expect("a number is a quantity");
    let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
    add(format!("count/{}{group}", info.plural), number(1));
    if COUNTED.contains(&kind) && kind != Kind::ServiceAccount {
        add(info.plural.to_owned(), number(1));
    }
    let spec = document.get("spec");
    match kind {
        Kind::Pod => {
            for (name, amount) in pod_resources(spec) {
                add(name, amount);
            }
        }
        Kind::Service => {
            let (nodes, balanced) = match spec.get("type").str() {
                "NodePort" => (true, false),
                "LoadBalancer" => (spec.get("allocateLoadBalancerNodePorts").as_bool() != Some(false), true),
                _ => (false, false),
            };
            if nodes {
                add("services.nodeports".to_owned(), number(spec.get("ports").items().len()));
            }
            if balanced {
                add("services.loadbalancers".to_owned(), number(1));
            }
        }
        Kind::PersistentVolumeClaim => {
            if let Ok(size) = Quantity::parse(spec.at(&["resources", "requests", "storage"]).str()) {
                add("requests.storage".to_owned(), size);
            }
        }
        _ => {}
    }
    usage
}

/// What a Pod asks for and is limited to: the sum of its containers, or its largest init container.
fn pod_resources(spec: &Value) -> Usage {
    let mut usage = Usage::new();
    for side in ["requests", "limits"] {
        let amounts = |container: &Value| -> Vec<(String, Quantity)> {
            let list = container.get("resources").get(side).entries();
            list.iter()
                .filter_map(|(name, amount)| Some((name.to_string(), Quantity::parse(amount.str()).ok()?)))
                .collect()
        };
        let mut sum = Usage::new();
        for (name, amount) in spec.get("containers").items().iter().flat_map(amounts) {
            let total = sum.get(&name).map_or(amount, |total| total.plus(amount));
            sum.insert(name, total);
        }
        for (name, amount) in spec.get("initContainers").items().iter().flat_map(amounts) {
            let larger = sum.get(&name).map_or(amount, |total| total.or_larger(amount));
            sum.insert(name, larger);
        }
        for (name, amount) in sum {
            if side == "requests" && matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                usage.insert(name.clone(), amount);
            }
            usage.insert(format!("{side}.{name}"), amount);
        }
    }
    usage
}

/// Whether a quota's scopes take in an object.
fn takes_in(quota: &Object, kind: Kind, document: &Value) -> bool {
    let scopes = quota.spec().get("scopes").items();
    if scopes.is_empty() {
        return true;
    }
    let spec = document.get("spec");
    let best_effort = pod_resources(spec).is_empty();
    let ends = spec.get("activeDeadlineSeconds").as_int().is_some();
    kind == Kind::Pod
        && scopes.iter().all(|scope| match scope.str() {
            "BestEffort" => best_effort,
            "NotBestEffort" => !best_effort,
            "Terminating" => ends,
            "NotTerminating" => !ends,
            _ => false,
        })
}

/// Whether an object still counts: a Pod that ended does not.
fn counts(object: &Object) -> bool {
    object.as_pod().is_none_or(|pod| !pod.is_finished())
}

impl Cluster {
    /// What the objects of a quota's namespace use of what it limits.
    #[must_use]
    pub fn quota_used(&self, quota: &Object) -> Usage {
        let hard = quota.spec().get("hard").entries();
        let zero = |name: &str| (name.to_owned(), Quantity::ZERO);
        let mut used: Usage = hard.iter().map(|(name, _)| zero(name)).collect();
        for info in KINDS.iter().filter(|info| info.namespaced) {
            for object in self.list(info.kind, Some(quota.namespace())) {
                if !counts(object) || !takes_in(quota, info.kind, &object.value) {
                    continue;
                }
                for (name, amount) in usage(info.kind, &object.value) {
                    if let Some(sum) = used.get_mut(&name) {
                        *sum = sum.plus(amount);
                    }
                }
            }
        }
        used
    }

    /// Refuses a new object that would exceed a quota of its namespace.
    pub(super) fn admit_quota(&self, kind: Kind, namespace: &str, document: &Value) -> Result<(), Status> {
        if self.count(Kind::ResourceQuota) == 0 {
            return Ok(());
        }
        let quotas: Vec<Arc<Object>> = self.list(Kind::ResourceQuota, Some(namespace)).cloned().collect();
        for quota in quotas.iter().filter(|quota| takes_in(quota, kind, document)) {
            self.within_quota(quota, kind, document).map_err(|why| {
                let name = document.at(&["metadata", "name"]).str();
                Status::about(Reason::Forbidden, kind, name, &format!("is forbidden: {why}"))
            })?;
        }
        Ok(())
    }

    fn within_quota(&self, quota: &Object, kind: Kind, document: &Value) -> Result<(), String> {
        let hard: Usage = quota
            .spec()
            .get("hard")
            .entries()
            .iter()
            .filter_map(|(name, amount)| Some((name.to_string(), Quantity::parse(amount.str()).ok()?)))
            .collect();
        if kind == Kind::Pod {
            explicit(&hard, document.get("spec"))
                .map_err(|why| format!("failed quota: {}: {why}", quota.name()))?;
        }
        let mut requested = usage(kind, document);
        requested.retain(|name, _| hard.contains_key(name));
        if requested.is_empty() {
            return Ok(());
        }
        let used = self.quota_used(quota);
        requested.retain(|name, amount| used[name].plus(*amount).amount_order(hard[name]).is_gt());
        if requested.is_empty() {
            return Ok(());
        }
        let shown = |amounts: &Usage| {
            let texts = requested.keys().map(|name| format!("{name}={}", amounts[name]));
            texts.collect::<Vec<_>>().join(",")
        };
        Err(format!(
            "exceeded quota: {}, requested: {}, used: {}, limited: {}",
            quota.name(),
            shown(&requested),
            shown(&used),
            shown(&hard)
        ))
    }
}

/// Where a quota limits processors or memory, every container says what it needs.
fn explicit(hard: &Usage, spec: &Value) -> Result<(), String> {
    let mut missing = Vec::new();
    for name in EXPLICIT.into_iter().filter(|name| hard.contains_key(*name)) {
        let (side, resource) = name.split_once('.').unwrap_or(("requests", name));
        let lists = ["containers", "initContainers"].map(|list| spec.get(list).items());
        let mut without: Vec<&str> = lists
            .into_iter()
            .flatten()
            .filter(|container| container.at(&["resources", side, resource]).is_null())
            .map(|container| container.get("name").str())
            .collect();
        without.sort_unstable();
        if !without.is_empty() {
            missing.push(format!("{name} for: {}", without.join(",")));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("must specify {}", missing.join("; "))) }
}
