//! namespace-controller, with what every namespace gets: a service account and the root certificate.
//!
//! Owns emptying a namespace that is being deleted (Pods first), saying what is left in it, and removing it when
//! nothing is. The certificate is a made-up text: nothing here speaks TLS. Source: `pkg/controller/namespace`.

mod remains;

use std::collections::BTreeMap;

use super::{Context, Controller, WorkQueue, owned};
use crate::api::object::Key;
use crate::api::registry::{KINDS, Kind, KindInfo};
use crate::cluster::clock::{Instant, Span};
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How long after a change of a namespace that is being deleted it is looked at (`namespaceDeletionGracePeriod`).
const GRACE: Span = Span::from_seconds(5);

/// The text in every `kube-root-ca.crt`.
const ROOT_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
UG9ydHNpZGUgc2ltdWxhdGVzIGEgY2x1c3RlcjogdGhlcmUgaXMgbm8gVExTIGlu
IGl0LCBhbmQgdGhpcyBpcyBubyByZWFsIGNlcnRpZmljYXRlLgo=
-----END CERTIFICATE-----
";

/// The namespace controller.
#[derive(Default)]
pub(super) struct NamespaceController {
    /// When namespaces that are being deleted were looked at last.
    looked: BTreeMap<Key, Instant>,
}

impl Controller for NamespaceController {
    fn actor(&self) -> Actor {
        Actor::Namespace
    }

    fn observe(&mut self, entry: &Entry, cluster: &Cluster, dirty: &mut WorkQueue) {
        if entry.key.kind == Kind::Namespace {
            dirty.add(entry.key.clone());
            return;
        }
        let kept = match entry.key.kind {
            Kind::ServiceAccount => entry.key.name == "default",
            Kind::ConfigMap => entry.key.name == "kube-root-ca.crt",
            _ => false,
        };
        let gone = entry.after.is_none() && entry.key.kind.info().namespaced;
        if kept || gone {
            let namespace = cluster.find(Kind::Namespace, "", &entry.key.namespace);
            if let Some(namespace) = namespace.filter(|namespace| kept || namespace.is_terminating()) {
                dirty.add(namespace.key.clone());
            }
        }
    }

    fn reconcile(&mut self, key: &Key, context: &mut Context<'_>) {
        let Some(namespace) = context.cluster.get(key) else { return };
        match namespace.meta.deletion {
            None => furnish(context.cluster, &key.name),
            Some(since) => {
                let from = self.looked.get(key).copied();
                let due = from.unwrap_or_else(|| context.cluster.instant_of(since)) + GRACE;
                if due > context.cluster.now() {
                    return context.requeue(due - context.cluster.now());
                }
                self.looked.insert(key.clone(), context.cluster.now());
                if empty(context.cluster, key) {
                    self.looked.remove(key);
                } else if pods_go(context.cluster, &key.name) {
                    context.requeue(GRACE);
                }
            }
        }
    }
}

/// Makes what every namespace has.
fn furnish(cluster: &mut Cluster, namespace: &str) {
    if cluster.find(Kind::ServiceAccount, namespace, "default").is_none() {
        let account = value!({ "metadata": { "name": "default" } });
        // A refusal means that the namespace is being deleted.
        let _made = cluster.create(Actor::Namespace, Kind::ServiceAccount, namespace, account);
    }
    let known = cluster.find(Kind::ConfigMap, namespace, "kube-root-ca.crt");
    let right = |data: &crate::api::value::Value| data.at(&["data", "ca.crt"]).str() == ROOT_CERTIFICATE;
    if known.is_some_and(|found| right(&found.value)) {
        return;
    }
    let certificate = value!({
        "data": { "ca.crt": ROOT_CERTIFICATE },
        "metadata": {
            "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
            },
            "name": "kube-root-ca.crt"
        }
    });
    let _written = match known.map(|found| found.key.clone()) {
        Some(key) => cluster.update(Actor::Namespace, &key, certificate),
        None => cluster.create(Actor::Namespace, Kind::ConfigMap, namespace, certificate),
    };
}

/// Whether a namespace has Pods that are on their way out.
fn pods_go(cluster: &Cluster, namespace: &str) -> bool {
    cluster.list(Kind::Pod, Some(namespace)).any(|pod| pod.is_terminating())
}

/// Deletes what is in a namespace, Pods before everything else, and the namespace itself when nothing is left; else
/// it says what is. Whether it is gone.
fn empty(cluster: &mut Cluster, key: &Key) -> bool {
    let namespaced = || KINDS.iter().filter(|info| info.namespaced);
    delete_all(cluster, &key.name, namespaced().filter(|info| info.kind == Kind::Pod));
    if cluster.list(Kind::Pod, Some(&key.name)).next().is_none() {
        delete_all(cluster, &key.name, namespaced());
    }
    let left = remains::of(cluster, &key.name);
    if left.is_empty() {
        return cluster.delete(Actor::Namespace, key, Options::default()).is_ok();
    }
    let Some(namespace) = cluster.get(key).cloned() else { return true };
    let mut status = namespace.status().clone();
    status.set("conditions", left.conditions(namespace.status(), cluster.timestamp()));
    owned::write_status(cluster, Actor::Namespace, &namespace, status);
    false
}

/// Asks for the deletion of all objects of some kinds.
fn delete_all<'a>(cluster: &mut Cluster, namespace: &str, kinds: impl Iterator<Item = &'a KindInfo>) {
    for info in kinds {
        let living = cluster.list(info.kind, Some(namespace)).filter(|object| !object.is_terminating());
        let keys: Vec<Key> = living.map(|object| object.key.clone()).collect();
        for one in keys {
            let _gone = cluster.delete(Actor::Namespace, &one, Options::default());
        }
    }
}
