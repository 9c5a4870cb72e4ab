//! `kubectl describe`.
//!
//! Owns which objects are described and what stands between them. Each family of kinds has its file; what
//! has none is described by its fields ([`generic`]).

mod autoscaler;
mod claims;
mod classes;
mod config;
mod endpoints;
mod environment;
mod events;
mod generic;
mod ingress;
mod jobs;
mod limits;
mod network_policy;
mod node;
mod node_pods;
mod page;
mod pod;
mod rbac;
mod service;
mod template;
mod volumes;
mod workloads;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::manifests;
use super::resources::{Query, Reading, kinds, list_options, queries};
use super::verb::{ALL_NAMESPACES, Action, FILES, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::time::human_duration;
use crate::api::value::Value;
use crate::cluster::request::Options;
use crate::shell::command::{Flag, Value as Argument, option, switch};
use crate::words::Words;
use page::Page;

const OWN: &[Flag] = &[
    switch('\0', "show-events", "show events too (the default)", "同时显示事件（默认）"),
    option('\0', "chunk-size", Argument::Number, "how many objects are fetched at once", "每次获取的对象数"),
];

/// `describe`.
pub static VERB: Verb = Verb {
    name: "describe",
    aliases: &[],
    usage: "TYPE [NAME | NAME-PREFIX] | TYPE/NAME | -f FILE",
    summary: Words {
        en: "show all about objects, with what happened to them", zh: "详细显示对象及其事件"
    },
    flags: flags![OWN, SELECTOR, ALL_NAMESPACES, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let from_files = call.flags.value("filename").is_some();
    if call.operands().is_empty() && !from_files {
        return Err(Failure::plain(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.",
        ));
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: true, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, call.operands(), manifests, reading)?;
    let (objects, mut failures) = read(&call, &queries);
    if let ([failure], [], Some(prefix)) = (failures.as_slice(), objects.as_slice(), prefix(&call))
        && failure.is_not_found()
    {
        let matching = matching(&call, prefix)?;
        if !matching.is_empty() {
            for object in matching {
                let shown = shows_events(&call).unwrap_or(false);
                call.write(&(describe(&call, &object, shown) + "\n"));
            }
            return Ok(());
        }
    }
    let alone = objects.len() <= 1 && queries.len() <= 1;
    let show_events = shows_events(&call).unwrap_or(alone);
    let texts: Vec<String> = objects.iter().map(|object| describe(&call, object, show_events)).collect();
    call.write(&texts.join("\n\n"));
    if objects.is_empty() && failures.is_empty() {
        let place = if call.has("all-namespaces") {
            "No resources found".to_owned()
        } else {
            format!("No resources found in {} namespace.", call.namespace)
        };
        call.complain(&place);
    }
    failures.dedup();
    Failure::of(failures)
}

/// What was said about events; of several objects none are shown unless they are asked for.
fn shows_events(call: &Call) -> Option<bool> {
    call.flags.value("show-events").and_then(crate::shell::flags::boolean)
}

fn read(call: &Call, queries: &[Query]) -> (Vec<Arc<Object>>, Vec<Failure>) {
    let (mut objects, mut failures) = (Vec::new(), Vec::new());
    for query in queries {
        match query {
            Query::One { key, .. } => match call.get(key.kind, &key.namespace, &key.name) {
                Ok(object) => objects.push(object),
                Err(status) => failures.push(status.into()),
            },
            Query::Many { kind, namespace } => match call.list(*kind, namespace, list_options(call)) {
                Ok(found) => objects.extend(found),
                Err(status) => failures.push(status.into()),
            },
        }
    }
    (objects, failures)
}

/// The one type and name of a call, if it has just these two words: the name may be the beginning of several.
fn prefix(call: &Call) -> Option<(Kind, &str)> {
    let (words, name) = match call.operands() {
        [words, name] if !words.contains('/') => (words.as_str(), name.as_str()),
        _ => return None,
    };
    match kinds(words).ok()?.as_slice() {
        [kind] => Some((*kind, name)),
        _ => None,
    }
}

fn matching(call: &Call, (kind, prefix): (Kind, &str)) -> Result<Vec<Arc<Object>>, Failure> {
    let objects = call.list(kind, &call.namespace, Options::default())?;
    Ok(objects.into_iter().filter(|object| object.name().starts_with(prefix)).collect())
}

/// All about an object.
fn describe(call: &Call, object: &Object, show_events: bool) -> String {
    let mut page = Page::default();
    let about = About { call, object, show_events };
    match object.key.kind {
        Kind::Service => service::describe(&about, &mut page),
        Kind::Endpoints => endpoints::endpoints(&about, &mut page),
        Kind::EndpointSlice => endpoints::slice(&about, &mut page),
        Kind::Pod => pod::describe(&about, &mut page),
        Kind::Deployment => workloads::deployment(&about, &mut page),
        Kind::ReplicaSet | Kind::ReplicationController => workloads::replica_set(&about, &mut page),
        Kind::StatefulSet => workloads::stateful_set(&about, &mut page),
        Kind::DaemonSet => workloads::daemon_set(&about, &mut page),
        Kind::PersistentVolume => volumes::persistent_volume(&about, &mut page),
        Kind::PersistentVolumeClaim => claims::claim(&about, &mut page),
        Kind::StorageClass => classes::storage_class(&about, &mut page),
        Kind::VolumeAttributesClass => classes::attributes_class(&about, &mut page),
        Kind::CSINode => classes::drivers(&about, &mut page),
        Kind::IngressClass => classes::ingress_class(&about, &mut page),
        Kind::PriorityClass => classes::priority_class(&about, &mut page),
        Kind::ServiceCIDR => classes::service_range(&about, &mut page),
        Kind::IPAddress => classes::address(&about, &mut page),
        Kind::ResourceQuota => limits::quota(&about, &mut page),
        Kind::LimitRange => limits::limit_range(&about, &mut page),
        Kind::PodDisruptionBudget => limits::budget(&about, &mut page),
        Kind::NetworkPolicy => network_policy::describe(&about, &mut page),
        Kind::Role | Kind::ClusterRole => rbac::role(&about, &mut page),
        Kind::RoleBinding | Kind::ClusterRoleBinding => rbac::binding(&about, &mut page),
        Kind::Job => jobs::job(&about, &mut page),
        Kind::CronJob => jobs::cron_job(&about, &mut page),
        Kind::HorizontalPodAutoscaler => autoscaler::describe(&about, &mut page),
        Kind::Node => node::describe(&about, &mut page),
        Kind::Ingress => ingress::describe(&about, &mut page),
        Kind::Namespace => config::namespace(&about, &mut page),
        Kind::ConfigMap => config::config_map(&about, &mut page),
        Kind::Secret => config::secret(&about, &mut page),
        Kind::ServiceAccount => config::service_account(&about, &mut page),
        _ => generic::describe(&about, &mut page),
    }
    page.finish()
}

/// A Pod template, not aligned, as `rollout history` prints it.
pub(super) fn template_text(template: &Value) -> String {
    let mut page = Page::default();
    template::describe_template(template, &mut page);
    page.raw()
}

/// What a describer works with.
struct About<'a> {
    call: &'a Call,
    object: &'a Object,
    show_events: bool,
}

impl About<'_> {
    /// Objects of another kind in the same namespace. The server's warnings about them are not shown, as
    /// kubectl asks for other versions of these kinds.
    fn others(&self, kind: Kind, labels: &str) -> Vec<Arc<Object>> {
        let options = Options { label_selector: labels.to_owned(), ..Options::default() };
        self.call.list(kind, self.object.namespace(), options).unwrap_or_default()
    }

    /// Name, namespace, labels and annotations, as most descriptions begin.
    fn head(&self, page: &mut Page) {
        let object = self.object;
        page.line(0, &format!("Name:\t{}", object.name()));
        if object.key.kind.info().namespaced {
            page.line(0, &format!("Namespace:\t{}", object.namespace()));
        }
        page.labels(0, "Labels", &object.meta.labels);
        page.annotations("Annotations", &object.meta.annotations);
    }

    /// The phase of a volume or claim, or how long it has been going.
    fn phase(&self) -> String {
        let Some(deletion) = self.object.meta.deletion else {
            return self.object.status().get("phase").str().to_owned();
        };
        let now = self.call.host().with(|simulation| simulation.cluster.timestamp());
        format!("Terminating (lasts {})", human_duration(now.0 - deletion.0))
    }

    /// The events of the object.
    fn events(&self, page: &mut Page) {
        if self.show_events {
            events::describe(self, page);
        }
    }
}
