//! The Pods of a Node and what they ask of it, at the end of its description.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::About;
use super::page::{Page, plain};
use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::registry::Kind;
use crate::api::time::human_duration;
use crate::api::value::Value;
use crate::cluster::request::Options;

/// Resources that are always listed, in this order.
const ALWAYS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// What the names of huge pages begin with.
const HUGE_PAGES: &str = "hugepages-";
/// The two sides of what a Pod asks for.
const SIDES: [&str; 2] = ["requests", "limits"];

fn quantity(value: &Value) -> Quantity {
    Quantity::parse(&plain(value)).unwrap_or(Quantity::ZERO)
}

/// What a Pod asks for, or may use at most (`PodRequests`, `PodLimits`): its containers and those that go on
/// running beside them, or its first containers one after another if these need more.
fn amount(pod: &Object, side: &str, resource: &str) -> Quantity {
    let spec = pod.spec();
    let whole = spec.at(&["resources", side, resource]);
    if !whole.is_null() {
        return quantity(whole);
    }
    let of = |container: &Value| quantity(container.at(&["resources", side, resource]));
    let mut running =
        spec.get("containers").items().iter().fold(Quantity::ZERO, |sum, one| sum.plus(of(one)));
    let (mut beside, mut first) = (Quantity::ZERO, Quantity::ZERO);
    for container in spec.get("initContainers").items() {
        let goes_on = container.get("restartPolicy").str() == "Always";
        let step = of(container).plus(beside);
        if goes_on {
            running = running.plus(of(container));
            beside = step;
        }
        first = first.or_larger(step);
    }
    let sum = running.or_larger(first);
    let overhead = quantity(spec.at(&["overhead", resource]));
    if side == "requests" || sum != Quantity::ZERO { sum.plus(overhead) } else { sum }
}

/// Writes the Pods that have not ended, and their sums.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let node = about.object;
    let options = Options { field_selector: format!("spec.nodeName={}", node.name()), ..Options::default() };
    let mut pods: Vec<Arc<Object>> = about.call.list(Kind::Pod, "", options).unwrap_or_default();
    pods.retain(|pod| pod.as_pod().is_some_and(|pod| !pod.is_finished()));
    let now = about.call.host().with(|simulation| simulation.cluster.timestamp());
    let held = match node.status().get("allocatable") {
        none if none.is_empty() => node.status().get("capacity"),
        held => held,
    };
    let share = |amount: Quantity, resource: &str| {
        format!("{amount} ({}%)", amount.percent_of(quantity(held.get(resource))))
    };
    page.line(0, &format!("Non-terminated Pods:\t({} in total)", pods.len()));
    page.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    page.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for pod in &pods {
        let cells = ["cpu", "memory"]
            .iter()
            .flat_map(|resource| SIDES.map(|side| share(amount(pod, side, resource), resource)));
        let cells = cells.collect::<Vec<_>>().join("\t");
        let age = human_duration(now.0 - pod.meta.created.0);
        page.line(1, &format!("{}\t{}\t\t{cells}\t{age}", pod.namespace(), pod.name()));
    }
    page.line(0, "Allocated resources:");
    page.line(0, "  (Total limits may be over 100 percent, i.e., overcommitted.)");
    page.line(1, "Resource\tRequests\tLimits");
    page.line(1, "--------\t--------\t------");
    for resource in resources(held) {
        let sums = SIDES.map(|side| {
            pods.iter().map(|pod| amount(pod, side, resource)).fold(Quantity::ZERO, Quantity::plus)
        });
        let known = ALWAYS.contains(&resource) || resource.starts_with(HUGE_PAGES);
        let [requests, limits] = sums.map(|sum| if known { share(sum, resource) } else { sum.to_string() });
        page.line(1, &format!("{resource}\t{requests}\t{limits}"));
    }
}

/// The resources of a Node: those of every node, then huge pages, then what devices bring.
fn resources(held: &Value) -> Vec<&str> {
    let names: BTreeSet<&str> = held.entries().iter().map(|(name, _)| name.as_str()).collect();
    let (huge, others): (Vec<&str>, Vec<&str>) = names
        .into_iter()
        .filter(|name| !ALWAYS.contains(name) && *name != "pods")
        .partition(|name| name.starts_with(HUGE_PAGES));
    ALWAYS.into_iter().chain(huge).chain(others).collect()
}
