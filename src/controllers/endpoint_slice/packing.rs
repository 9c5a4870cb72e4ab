//! How endpoints are spread over slices.
//!
//! Owns the packing: endpoints stay in the slice they are in, new ones fill slices that change anyway, then the
//! fullest that takes them all, then new ones; slices are never merged (`reconcileByPortMapping`).

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::api::object::Object;
use crate::api::value::Value;

/// The most endpoints in one slice (`--max-endpoints-per-slice`).
const PER_SLICE: usize = 100;

/// A slice and what shall become of it.
pub(super) struct Plan {
    pub(super) object: Arc<Object>,
    pub(super) endpoints: Vec<Value>,
    pub(super) changed: bool,
}

/// Spreads the endpoints of one set of ports: what becomes of each slice, and what goes into new ones.
pub(super) fn spread(
    slices: &[Arc<Object>],
    labels: &Value,
    wanted: Vec<(IpAddr, Value)>,
) -> (Vec<Plan>, Vec<Vec<Value>>) {
    let mut wanted: Vec<Option<(IpAddr, Value)>> = wanted.into_iter().map(Some).collect();
    let index: FxHashMap<IpAddr, usize> =
        wanted.iter().enumerate().filter_map(|(at, one)| Some((one.as_ref()?.0, at))).collect();
    let mut plans: Vec<Plan> =
        slices.iter().map(|object| keep(object, labels, &index, &mut wanted)).collect();
    let mut rest: Vec<Value> = wanted.into_iter().flatten().map(|(_, endpoint)| endpoint).collect();
    // Slices that change anyway take the new ones first, the fullest before the others.
    let mut order: Vec<usize> =
        (0..plans.len()).filter(|at| plans[*at].changed && !plans[*at].endpoints.is_empty()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(plans[*at].endpoints.len()));
    for at in order {
        fill(&mut plans[at], &mut rest);
    }
    let mut new = Vec::new();
    while !rest.is_empty() {
        if rest.len() < PER_SLICE {
            // The fullest of the others that takes them all.
            let fits = |plan: &&mut Plan| !plan.changed && plan.endpoints.len() + rest.len() <= PER_SLICE;
            if let Some(plan) = plans.iter_mut().filter(fits).max_by_key(|plan| plan.endpoints.len()) {
                fill(plan, &mut rest);
                break;
            }
        }
        let count = rest.len().min(PER_SLICE);
        new.push(rest.drain(..count).collect());
    }
    (plans, new)
}

/// What stays of a slice: the endpoints that are still wanted, as they are now.
fn keep(
    object: &Arc<Object>,
    labels: &Value,
    index: &FxHashMap<IpAddr, usize>,
    wanted: &mut [Option<(IpAddr, Value)>],
) -> Plan {
    let old = object.value.get("endpoints").items();
    let slice = object.as_endpoint_slice().expect("objects of kind EndpointSlice are slices");
    let changed = object.meta.labels != *labels;
    let mut plan = Plan { object: object.clone(), endpoints: Vec::with_capacity(old.len()), changed };
    for (document, endpoint) in old.iter().zip(&slice.endpoints) {
        let at = endpoint.addresses.first().and_then(|ip| index.get(ip));
        match at.and_then(|at| wanted[*at].take()) {
            Some((_, endpoint)) if endpoint == *document => plan.endpoints.push(document.clone()),
            Some((_, endpoint)) => {
                plan.changed = true;
                plan.endpoints.push(endpoint);
            }
            None => plan.changed = true,
        }
    }
    plan
}

fn fill(plan: &mut Plan, rest: &mut Vec<Value>) {
    let count = PER_SLICE.saturating_sub(plan.endpoints.len()).min(rest.len());
    if count > 0 {
        plan.endpoints.extend(rest.drain(..count));
        plan.changed = true;
    }
}
