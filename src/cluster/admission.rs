//! What the API server adds to or refuses in a request after decoding: admission.
//!
//! Owns the plug-ins that matter here: namespace lifecycle, service accounts, default tolerations and
//! priority of Pods. Sources: <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>,
//! and the documents recorded in the reference sessions.

use std::sync::OnceLock;

use super::Cluster;
use super::door::SUFFIX_LENGTH;
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::value::{SmolStr, Value};
use crate::value;

/// How long a Pod stays on a node that is not ready or unreachable (DefaultTolerationSeconds).
const TOLERATION_SECONDS: i64 = 300;
/// How long the token of a Pod's service account is valid, in seconds.
const TOKEN_SECONDS: i64 = 3607;

/// The account of Pods that name none.
const DEFAULT_ACCOUNT: &str = "default";

/// Namespaces that cannot be deleted (NamespaceLifecycle).
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

impl Cluster {
    /// Admits the creation of a decoded, defaulted document.
    pub(super) fn admit_create(
        &mut self,
        kind: Kind,
        namespace: &str,
        document: &mut Value,
    ) -> Result<(), Status> {
        if kind.info().namespaced {
            self.admit_namespace(kind, namespace, document)?;
        }
        self.fill_limits(kind, namespace, document);
        if kind == Kind::Pod {
            self.admit_pod(namespace, document)?;
        }
        Ok(())
    }

    /// Whether a namespace is being deleted.
    #[must_use]
    pub fn is_namespace_terminating(&self, namespace: &str) -> bool {
        self.find(Kind::Namespace, "", namespace).is_some_and(|namespace| namespace.is_terminating())
    }

    pub(super) fn admit_namespace(
        &self,
        kind: Kind,
        namespace: &str,
        document: &Value,
    ) -> Result<(), Status> {
        let Some(object) = self.find(Kind::Namespace, "", namespace) else {
            return Err(Status::not_found(Kind::Namespace, namespace));
        };
        if object.is_terminating() {
            let name = &asked_name(document);
            let why = format!(
                "is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(Status::about(Reason::Forbidden, kind, name, &why));
        }
        Ok(())
    }

    /// Refuses the deletion of what must stay.
    pub(super) fn admit_delete(&self, kind: Kind, name: &str) -> Result<(), Status> {
        if kind == Kind::Namespace && IMMORTAL.contains(&name) {
            return Err(Status::about(
                Reason::Forbidden,
                kind,
                name,
                "is forbidden: this namespace may not be deleted",
            ));
        }
        Ok(())
    }

    fn admit_pod(&mut self, namespace: &str, document: &mut Value) -> Result<(), Status> {
        let suffix = self.random.suffix(5);
        self.admit_account(namespace, document, &suffix)?;
        self.admit_priority(document)?;
        tolerate_node_trouble(document.field_mut("spec"));
        Ok(())
    }

    /// ServiceAccount: every Pod has one, and its token is mounted unless Pod or account refuse.
    fn admit_account(&self, namespace: &str, document: &mut Value, suffix: &str) -> Result<(), Status> {
        let name = asked_name(document);
        let spec = document.field_mut("spec");
        if spec.get("serviceAccountName").is_empty() {
            spec.set("serviceAccountName", DEFAULT_ACCOUNT);
        }
        let wanted = spec.get("serviceAccountName").smol();
        let account = self.find(Kind::ServiceAccount, namespace, &wanted);
        // A namespace gets its default account a moment after it is made; nobody should have to wait for it.
        if account.is_none() && wanted != DEFAULT_ACCOUNT {
            let why = format!(
                "is forbidden: error looking up service account {namespace}/{wanted}: serviceaccount \"{wanted}\" not found"
            );
            return Err(Status::about(Reason::Forbidden, Kind::Pod, &name, &why));
        }
        if spec.get("serviceAccount").is_empty() {
            spec.set("serviceAccount", wanted);
        }
        let said = spec.get("automountServiceAccountToken").as_bool();
        let said = said.or_else(|| account?.value.get("automountServiceAccountToken").as_bool());
        if said != Some(false) {
            mount_service_account(spec, suffix);
        }
        Ok(())
    }

    /// Priority: the number of the Pod's class.
    fn admit_priority(&self, document: &mut Value) -> Result<(), Status> {
        let class = document.at(&["spec", "priorityClassName"]).smol();
        let (mut priority, mut preemption) = (Value::Int(0), Value::text("PreemptLowerPriority"));
        if !class.is_empty() {
            let Some(found) = self.find(Kind::PriorityClass, "", &class) else {
                let why = format!("is forbidden: no PriorityClass with name {class} was found");
                return Err(Status::about(Reason::Forbidden, Kind::Pod, &asked_name(document), &why));
            };
            priority = found.value.get("value").clone();
            if !found.value.get("preemptionPolicy").is_null() {
                preemption = found.value.get("preemptionPolicy").clone();
            }
        }
        let spec = document.field_mut("spec");
        spec.set_default("priority", priority);
        spec.set_default("preemptionPolicy", preemption);
        Ok(())
    }
}

/// The name that a refusal shows. Names are generated after admission: of those it shows what they begin with.
fn asked_name(document: &Value) -> SmolStr {
    let metadata = document.get("metadata");
    let (name, prefix) = (metadata.get("name").smol(), metadata.get("generateName").smol());
    let suffix = name.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_empty());
    if suffix.is_some_and(|suffix| suffix.len() == SUFFIX_LENGTH) { prefix } else { name }
}

/// DefaultTolerationSeconds. Pods that tolerate nothing else share one list.
fn tolerate_node_trouble(spec: &mut Value) {
    if spec.get("tolerations").items().is_empty() {
        // Nearly every Pod has these two alone: they share them.
        static SHARED: OnceLock<Value> = OnceLock::new();
        let both = || {
            let mut spec = value!({ "tolerations": [{ "operator": "none" }] });
            tolerate_node_trouble(&mut spec);
            spec.field_mut("tolerations").list_mut().remove(0);
            spec.remove("tolerations")
        };
        spec.set("tolerations", SHARED.get_or_init(both).clone());
        return;
    }
    static ALONE: OnceLock<Value> = OnceLock::new();
    if spec.get("tolerations").is_empty() {
        let both = ALONE.get_or_init(|| {
            let mut spec = value!({ "tolerations": [{ "key": "none" }] });
            add_tolerations(&mut spec);
            spec.field_mut("tolerations").list_mut().remove(0);
            spec.get("tolerations").clone()
        });
        spec.set("tolerations", both.clone());
        return;
    }
    add_tolerations(spec);
}

fn add_tolerations(spec: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = spec.get("tolerations").items().iter().any(|toleration| {
            let all = toleration.get("key").is_empty() && toleration.get("operator").str() == "Exists";
            all || toleration.get("key").str() == key
        });
        if !tolerated {
            spec.field_mut("tolerations").list_mut().push(value!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS
            }));
        }
    }
}

/// The ServiceAccount plug-in: a projected volume with a token, mounted into every container.
fn mount_service_account(spec: &mut Value, suffix: &str) {
    const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let name = Value::from(format!("kube-api-access-{suffix}"));
    let mut added = false;
    for list in ["initContainers", "containers"] {
        if spec.get(list).items().is_empty() {
            continue;
        }
        for container in spec.field_mut(list).list_mut() {
            let mounts = container.get("volumeMounts").items();
            if mounts.iter().any(|mount| mount.get("mountPath").str() == PATH) {
                continue;
            }
            added = true;
            container.field_mut("volumeMounts").list_mut().push(value!({
                "name": (name.clone()), "mountPath": PATH, "readOnly": true
            }));
        }
    }
    if added {
        spec.field_mut("volumes").list_mut().push(value!({ "name": name, "projected": (projected_token()) }));
    }
}

/// The sources of the service account volume; the same shared value for every Pod.
fn projected_token() -> Value {
    static SHARED: OnceLock<Value> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            value!({
                "defaultMode": 420,
                "sources": [
                    { "serviceAccountToken": { "expirationSeconds": TOKEN_SECONDS, "path": "token" } },
                    { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
                    { "downwardAPI": { "items": [
                        { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }
                    ] } }
                ]
            })
        })
        .clone()
}
