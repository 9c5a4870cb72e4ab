//! LimitRanges: what Pods get that say nothing of resources, and the refusal of what is out of range.
//!
//! Source: the admission plug-in `LimitRanger`.

use super::Cluster;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::value::Value;

/// The annotation that says what was filled in.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

impl Cluster {
    fn limits(&self, namespace: &str) -> Vec<Value> {
        let ranges = self.list(Kind::LimitRange, Some(namespace));
        ranges.map(|range| range.spec().get("limits").clone()).collect()
    }

    /// Fills a new Pod by the ranges of its namespace.
    pub(super) fn fill_limits(&self, kind: Kind, namespace: &str, document: &mut Value) {
        if kind == Kind::Pod && self.count(Kind::LimitRange) > 0 {
            for range in self.limits(namespace) {
                fill(range.items(), document);
            }
        }
    }

    /// Refuses a new Pod or claim that is out of the ranges of its namespace.
    pub(super) fn admit_limits(&self, kind: Kind, namespace: &str, document: &Value) -> Result<(), Status> {
        if self.count(Kind::LimitRange) == 0 {
            return Ok(());
        }
        let mut problems = Vec::new();
        for item in self.limits(namespace).iter().flat_map(|range| range.items().to_vec()) {
            check_object(&item, kind, document, &mut problems);
        }
        let why = match problems.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let name = document.at(&["metadata", "name"]).str();
        Err(Status::about(Reason::Forbidden, kind, name, &format!("is forbidden: {why}")))
    }
}

fn check_object(item: &Value, kind: Kind, document: &Value, problems: &mut Vec<String>) {
    match (kind, item.get("type").str()) {
        (Kind::Pod, "Container") => {
            for list in ["containers", "initContainers"] {
                for container in document.at(&["spec", list]).items() {
                    check(item, container.get("resources"), problems);
                }
            }
        }
        (Kind::Pod, "Pod") => check(item, &sum(document.get("spec")), problems),
        (Kind::PersistentVolumeClaim, "PersistentVolumeClaim") => {
            check_claim(item, document.at(&["spec", "resources"]), problems);
        }
        _ => {}
    }
}

/// Gives containers what the range says for those that say nothing, and notes it.
fn fill(items: &[Value], pod: &mut Value) {
    let Some(item) = items.iter().find(|item| item.get("type").str() == "Container") else { return };
    let mut notes = Vec::new();
    for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
        let count = pod.at(&["spec", list]).items().len();
        for index in 0..count {
            let container = &mut pod.at_mut(&["spec", list]).list_mut()[index];
            let name = container.get("name").smol();
            let limits = fill_side(container, "limits", item.get("default"));
            let requests = fill_side(container, "requests", item.get("defaultRequest"));
            for (set, side) in [(requests, "request"), (limits, "limit")] {
                if !set.is_empty() {
                    notes.push(format!("{} {side} for {what} {name}", set.join(", ")));
                }
            }
        }
    }
    if !notes.is_empty() {
        let note = format!("LimitRanger plugin set: {}", notes.join("; "));
        pod.at_mut(&["metadata", "annotations"]).map_mut().insert(ANNOTATION, note.into());
    }
}

/// Fills what is absent; gives the names of what was filled.
fn fill_side(container: &mut Value, side: &'static str, defaults: &Value) -> Vec<String> {
    let mut set = Vec::new();
    for (resource, amount) in defaults.entries() {
        if container.at(&["resources", side]).get(resource).is_null() {
            container
                .field_mut("resources")
                .field_mut(side)
                .map_mut()
                .insert(resource.clone(), amount.clone());
            set.push(resource.to_string());
        }
    }
    set
}

/// What all containers of a Pod ask for and are limited to together.
fn sum(spec: &Value) -> Value {
    let mut total = Value::map();
    for side in ["requests", "limits"] {
        for container in spec.get("containers").items() {
            for (resource, amount) in container.get("resources").get(side).entries() {
                let sum = total.get(side).get(resource).str();
                let both = Quantity::parse(sum).ok().zip(Quantity::parse(amount.str()).ok());
                let sum =
                    both.map_or_else(|| amount.clone(), |(sum, more)| sum.plus(more).to_string().into());
                *total.field_mut(side).field_mut(resource) = sum;
            }
        }
    }
    total
}

fn amount(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// Checks requests and limits against an item of a range.
fn check(item: &Value, resources: &Value, problems: &mut Vec<String>) {
    let kind = item.get("type").str();
    let get = |side: &str, resource: &str| resources.get(side).get(resource).clone();
    for (resource, least) in item.get("min").entries() {
        let (request, limit) = (get("requests", resource), get("limits", resource));
        let start = format!("minimum {resource} usage per {kind} is {}", least.str());
        let below = |value: &Value| {
            amount(value).zip(amount(least)).is_some_and(|(value, least)| value.amount_order(least).is_lt())
        };
        if request.is_null() {
            problems.push(format!("{start}.  No request is specified"));
        } else if below(&request) {
            problems.push(format!("{start}, but request is {}", request.str()));
        } else if below(&limit) {
            problems.push(format!("{start}, but limit is {}", limit.str()));
        }
    }
    for (resource, most) in item.get("max").entries() {
        let (request, limit) = (get("requests", resource), get("limits", resource));
        let start = format!("maximum {resource} usage per {kind} is {}", most.str());
        let above = |value: &Value| {
            amount(value).zip(amount(most)).is_some_and(|(value, most)| value.amount_order(most).is_gt())
        };
        if limit.is_null() {
            problems.push(format!("{start}.  No limit is specified"));
        } else if above(&limit) {
            problems.push(format!("{start}, but limit is {}", limit.str()));
        } else if above(&request) {
            problems.push(format!("{start}, but request is {}", request.str()));
        }
    }
    for (resource, ratio) in item.get("maxLimitRequestRatio").entries() {
        let millis = |value: &Value| amount(value).map_or(0, Quantity::millis);
        let (request, limit) = (millis(&get("requests", resource)), millis(&get("limits", resource)));
        let start = format!("{resource} max limit to request ratio per {kind} is {}", ratio.str());
        if request == 0 {
            problems.push(format!("{start}, but no request is specified or request is 0"));
        } else if limit == 0 {
            problems.push(format!("{start}, but no limit is specified or limit is 0"));
        } else {
            let given = limit as f64 / request as f64;
            if given > millis(ratio) as f64 / 1000.0 {
                problems.push(format!("{start}, but provided ratio is {given:.6}"));
            }
        }
    }
}

fn check_claim(item: &Value, resources: &Value, problems: &mut Vec<String>) {
    let given = resources.at(&["requests", "storage"]);
    for (side, word, wrong) in
        [("min", "minimum", std::cmp::Ordering::Less), ("max", "maximum", std::cmp::Ordering::Greater)]
    {
        let bound = item.get(side).get("storage");
        if let Some((given_amount, bound_amount)) = amount(given).zip(amount(bound))
            && given_amount.amount_order(bound_amount) == wrong
        {
            problems.push(format!(
                "{word} storage usage per PersistentVolumeClaim is {}, but request is {}",
                bound.str(),
                given.str()
            ));
        }
    }
}
