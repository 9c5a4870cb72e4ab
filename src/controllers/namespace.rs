//! namespace-controller, with what every namespace gets: a service account and the root certificate.
//!
//! Owns emptying a namespace that is being deleted, and removing it when nothing is left. The certificate is a made-up
//! text: nothing here speaks TLS.

use super::{Context, Controller, WorkQueue};
use crate::api::object::Key;
use crate::api::registry::{KINDS, Kind};
use crate::api::time::Timestamp;
use crate::cluster::journal::Entry;
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster};
use crate::value;

/// How long after its deletion a namespace is emptied (`namespaceDeletionGracePeriod`).
const GRACE_SECONDS: i64 = 5;

/// The text in every `kube-root-ca.crt`.
const ROOT_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
UG9ydHNpZGUgc2ltdWxhdGVzIGEgY2x1c3RlcjogdGhlcmUgaXMgbm8gVExTIGlu
IGl0LCBhbmQgdGhpcyBpcyBubyByZWFsIGNlcnRpZmljYXRlLgo=
-----END CERTIFICATE-----
";

/// The namespace controller.
pub(super) struct NamespaceController;

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
                let empties = context.cluster.instant_of(Timestamp(since.0 + GRACE_SECONDS));
                if empties > context.cluster.now() {
                    context.requeue(empties - context.cluster.now());
                } else {
                    empty(context.cluster, key);
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

/// Deletes everything in a namespace, and the namespace itself when nothing is left.
fn empty(cluster: &mut Cluster, key: &Key) {
    let mut left = false;
    for info in KINDS.iter().filter(|info| info.namespaced) {
        let keys: Vec<Key> =
            cluster.list(info.kind, Some(&key.name)).map(|object| object.key.clone()).collect();
        for one in keys {
            let waits = cluster.get(&one).is_some_and(|object| object.is_terminating());
            if !waits {
                let _gone = cluster.delete(Actor::Namespace, &one, Options::default());
            }
            left |= cluster.get(&one).is_some();
        }
    }
    if !left {
        let _gone = cluster.delete(Actor::Namespace, key, Options::default());
    }
}
