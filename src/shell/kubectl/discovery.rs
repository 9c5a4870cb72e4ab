//! What the API server can be asked for: every resource of v1.36, served here or not.
//!
//! Owns the table that `kubectl api-resources` prints. What is in it and not in the registry of kinds is
//! real but not simulated. Source: reference file `api-resources.txt`.

use crate::api::registry::Kind;

/// A resource of the API server.
#[derive(Debug)]
pub struct Resource {
    /// The plural name.
    pub name: &'static str,
    /// Short names, joined by commas.
    pub short: &'static str,
    /// `apiVersion`.
    pub version: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// The kind.
    pub kind: &'static str,
    /// The verbs, joined by commas.
    pub verbs: &'static str,
    /// The categories, joined by commas.
    pub categories: &'static str,
}

const ALL: &str = "create,delete,deletecollection,get,list,patch,update,watch";

/// Every resource, in the order of `kubectl api-resources`.
#[rustfmt::skip]
pub static RESOURCES: &[Resource] = &[
    Resource { name: "bindings", short: "", version: "v1", namespaced: true, kind: "Binding", verbs: "create", categories: "" },
    Resource { name: "componentstatuses", short: "cs", version: "v1", namespaced: false, kind: "ComponentStatus", verbs: "get,list", categories: "" },
    Resource { name: "configmaps", short: "cm", version: "v1", namespaced: true, kind: "ConfigMap", verbs: ALL, categories: "" },
    Resource { name: "endpoints", short: "ep", version: "v1", namespaced: true, kind: "Endpoints", verbs: ALL, categories: "" },
    Resource { name: "events", short: "ev", version: "v1", namespaced: true, kind: "Event", verbs: ALL, categories: "" },
    Resource { name: "limitranges", short: "limits", version: "v1", namespaced: true, kind: "LimitRange", verbs: ALL, categories: "" },
    Resource { name: "namespaces", short: "ns", version: "v1", namespaced: false, kind: "Namespace", verbs: "create,delete,get,list,patch,update,watch", categories: "" },
    Resource { name: "nodes", short: "no", version: "v1", namespaced: false, kind: "Node", verbs: ALL, categories: "" },
    Resource { name: "persistentvolumeclaims", short: "pvc", version: "v1", namespaced: true, kind: "PersistentVolumeClaim", verbs: ALL, categories: "" },
    Resource { name: "persistentvolumes", short: "pv", version: "v1", namespaced: false, kind: "PersistentVolume", verbs: ALL, categories: "" },
    Resource { name: "pods", short: "po", version: "v1", namespaced: true, kind: "Pod", verbs: ALL, categories: "all" },
    Resource { name: "podtemplates", short: "", version: "v1", namespaced: true, kind: "PodTemplate", verbs: ALL, categories: "" },
    Resource { name: "replicationcontrollers", short: "rc", version: "v1", namespaced: true, kind: "ReplicationController", verbs: ALL, categories: "all" },
    Resource { name: "resourcequotas", short: "quota", version: "v1", namespaced: true, kind: "ResourceQuota", verbs: ALL, categories: "" },
    Resource { name: "secrets", short: "", version: "v1", namespaced: true, kind: "Secret", verbs: ALL, categories: "" },
    Resource { name: "serviceaccounts", short: "sa", version: "v1", namespaced: true, kind: "ServiceAccount", verbs: ALL, categories: "" },
    Resource { name: "services", short: "svc", version: "v1", namespaced: true, kind: "Service", verbs: ALL, categories: "all" },
    Resource { name: "mutatingadmissionpolicies", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "MutatingAdmissionPolicy", verbs: ALL, categories: "api-extensions" },
    Resource { name: "mutatingadmissionpolicybindings", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "MutatingAdmissionPolicyBinding", verbs: ALL, categories: "api-extensions" },
    Resource { name: "mutatingwebhookconfigurations", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "MutatingWebhookConfiguration", verbs: ALL, categories: "api-extensions" },
    Resource { name: "validatingadmissionpolicies", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "ValidatingAdmissionPolicy", verbs: ALL, categories: "api-extensions" },
    Resource { name: "validatingadmissionpolicybindings", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "ValidatingAdmissionPolicyBinding", verbs: ALL, categories: "api-extensions" },
    Resource { name: "validatingwebhookconfigurations", short: "", version: "admissionregistration.k8s.io/v1", namespaced: false, kind: "ValidatingWebhookConfiguration", verbs: ALL, categories: "api-extensions" },
    Resource { name: "customresourcedefinitions", short: "crd,crds", version: "apiextensions.k8s.io/v1", namespaced: false, kind: "CustomResourceDefinition", verbs: ALL, categories: "api-extensions" },
    Resource { name: "apiservices", short: "", version: "apiregistration.k8s.io/v1", namespaced: false, kind: "APIService", verbs: ALL, categories: "api-extensions" },
    Resource { name: "controllerrevisions", short: "", version: "apps/v1", namespaced: true, kind: "ControllerRevision", verbs: ALL, categories: "" },
    Resource { name: "daemonsets", short: "ds", version: "apps/v1", namespaced: true, kind: "DaemonSet", verbs: ALL, categories: "all" },
    Resource { name: "deployments", short: "deploy", version: "apps/v1", namespaced: true, kind: "Deployment", verbs: ALL, categories: "all" },
    Resource { name: "replicasets", short: "rs", version: "apps/v1", namespaced: true, kind: "ReplicaSet", verbs: ALL, categories: "all" },
    Resource { name: "statefulsets", short: "sts", version: "apps/v1", namespaced: true, kind: "StatefulSet", verbs: ALL, categories: "all" },
    Resource { name: "selfsubjectreviews", short: "", version: "authentication.k8s.io/v1", namespaced: false, kind: "SelfSubjectReview", verbs: "create", categories: "" },
    Resource { name: "tokenreviews", short: "", version: "authentication.k8s.io/v1", namespaced: false, kind: "TokenReview", verbs: "create", categories: "" },
    Resource { name: "localsubjectaccessreviews", short: "", version: "authorization.k8s.io/v1", namespaced: true, kind: "LocalSubjectAccessReview", verbs: "create", categories: "" },
    Resource { name: "selfsubjectaccessreviews", short: "", version: "authorization.k8s.io/v1", namespaced: false, kind: "SelfSubjectAccessReview", verbs: "create", categories: "" },
    Resource { name: "selfsubjectrulesreviews", short: "", version: "authorization.k8s.io/v1", namespaced: false, kind: "SelfSubjectRulesReview", verbs: "create", categories: "" },
    Resource { name: "subjectaccessreviews", short: "", version: "authorization.k8s.io/v1", namespaced: false, kind: "SubjectAccessReview", verbs: "create", categories: "" },
    Resource { name: "horizontalpodautoscalers", short: "hpa", version: "autoscaling/v2", namespaced: true, kind: "HorizontalPodAutoscaler", verbs: ALL, categories: "all" },
    Resource { name: "cronjobs", short: "cj", version: "batch/v1", namespaced: true, kind: "CronJob", verbs: ALL, categories: "all" },
    Resource { name: "jobs", short: "", version: "batch/v1", namespaced: true, kind: "Job", verbs: ALL, categories: "all" },
    Resource { name: "certificatesigningrequests", short: "csr", version: "certificates.k8s.io/v1", namespaced: false, kind: "CertificateSigningRequest", verbs: ALL, categories: "" },
    Resource { name: "leases", short: "", version: "coordination.k8s.io/v1", namespaced: true, kind: "Lease", verbs: ALL, categories: "" },
    Resource { name: "endpointslices", short: "", version: "discovery.k8s.io/v1", namespaced: true, kind: "EndpointSlice", verbs: ALL, categories: "" },
    Resource { name: "events", short: "ev", version: "events.k8s.io/v1", namespaced: true, kind: "Event", verbs: ALL, categories: "" },
    Resource { name: "flowschemas", short: "", version: "flowcontrol.apiserver.k8s.io/v1", namespaced: false, kind: "FlowSchema", verbs: ALL, categories: "" },
    Resource { name: "prioritylevelconfigurations", short: "", version: "flowcontrol.apiserver.k8s.io/v1", namespaced: false, kind: "PriorityLevelConfiguration", verbs: ALL, categories: "" },
    Resource { name: "ingressclasses", short: "", version: "networking.k8s.io/v1", namespaced: false, kind: "IngressClass", verbs: ALL, categories: "" },
    Resource { name: "ingresses", short: "ing", version: "networking.k8s.io/v1", namespaced: true, kind: "Ingress", verbs: ALL, categories: "" },
    Resource { name: "ipaddresses", short: "ip", version: "networking.k8s.io/v1", namespaced: false, kind: "IPAddress", verbs: ALL, categories: "" },
    Resource { name: "networkpolicies", short: "netpol", version: "networking.k8s.io/v1", namespaced: true, kind: "NetworkPolicy", verbs: ALL, categories: "" },
    Resource { name: "servicecidrs", short: "", version: "networking.k8s.io/v1", namespaced: false, kind: "ServiceCIDR", verbs: ALL, categories: "" },
    Resource { name: "runtimeclasses", short: "", version: "node.k8s.io/v1", namespaced: false, kind: "RuntimeClass", verbs: ALL, categories: "" },
    Resource { name: "poddisruptionbudgets", short: "pdb", version: "policy/v1", namespaced: true, kind: "PodDisruptionBudget", verbs: ALL, categories: "" },
    Resource { name: "clusterrolebindings", short: "", version: "rbac.authorization.k8s.io/v1", namespaced: false, kind: "ClusterRoleBinding", verbs: ALL, categories: "" },
    Resource { name: "clusterroles", short: "", version: "rbac.authorization.k8s.io/v1", namespaced: false, kind: "ClusterRole", verbs: ALL, categories: "" },
    Resource { name: "rolebindings", short: "", version: "rbac.authorization.k8s.io/v1", namespaced: true, kind: "RoleBinding", verbs: ALL, categories: "" },
    Resource { name: "roles", short: "", version: "rbac.authorization.k8s.io/v1", namespaced: true, kind: "Role", verbs: ALL, categories: "" },
    Resource { name: "deviceclasses", short: "", version: "resource.k8s.io/v1", namespaced: false, kind: "DeviceClass", verbs: ALL, categories: "" },
    Resource { name: "resourceclaims", short: "", version: "resource.k8s.io/v1", namespaced: true, kind: "ResourceClaim", verbs: ALL, categories: "" },
    Resource { name: "resourceclaimtemplates", short: "", version: "resource.k8s.io/v1", namespaced: true, kind: "ResourceClaimTemplate", verbs: ALL, categories: "" },
    Resource { name: "resourceslices", short: "", version: "resource.k8s.io/v1", namespaced: false, kind: "ResourceSlice", verbs: ALL, categories: "" },
    Resource { name: "priorityclasses", short: "pc", version: "scheduling.k8s.io/v1", namespaced: false, kind: "PriorityClass", verbs: ALL, categories: "" },
    Resource { name: "csidrivers", short: "", version: "storage.k8s.io/v1", namespaced: false, kind: "CSIDriver", verbs: ALL, categories: "" },
    Resource { name: "csinodes", short: "", version: "storage.k8s.io/v1", namespaced: false, kind: "CSINode", verbs: ALL, categories: "" },
    Resource { name: "csistoragecapacities", short: "", version: "storage.k8s.io/v1", namespaced: true, kind: "CSIStorageCapacity", verbs: ALL, categories: "" },
    Resource { name: "storageclasses", short: "sc", version: "storage.k8s.io/v1", namespaced: false, kind: "StorageClass", verbs: ALL, categories: "" },
    Resource { name: "volumeattachments", short: "", version: "storage.k8s.io/v1", namespaced: false, kind: "VolumeAttachment", verbs: ALL, categories: "" },
    Resource { name: "volumeattributesclasses", short: "vac", version: "storage.k8s.io/v1", namespaced: false, kind: "VolumeAttributesClass", verbs: ALL, categories: "" },
];

/// Versions that have no resource of their own in the table but are served.
pub const FURTHER_VERSIONS: [&str; 1] = ["autoscaling/v1"];

impl Resource {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &'static str {
        self.version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version within the group.
    pub fn number(&self) -> &'static str {
        self.version.rsplit_once('/').map_or(self.version, |(_, number)| number)
    }

    /// The resource with its group, as messages name it: `services`, `deployments.apps`.
    pub fn group_resource(&self) -> String {
        let group = self.group();
        if group.is_empty() { self.name.to_owned() } else { format!("{}.{group}", self.name) }
    }

    /// Whether it is served here.
    pub fn is_served(&self) -> bool {
        Kind::of_manifest(self.version, self.kind).is_some()
    }

    fn answers_to(&self, word: &str) -> bool {
        let plain = word.split('.').next().filter(|plain| !plain.is_empty());
        let Some(plain) = plain else { return false };
        self.name == plain
            || self.short.split(',').any(|short| short == plain)
            || self.kind.eq_ignore_ascii_case(plain)
    }
}

/// The resources that `word`, without a group, names, in order.
pub fn named(word: &str) -> Vec<&'static Resource> {
    let word = word.to_ascii_lowercase();
    RESOURCES.iter().filter(|resource| resource.answers_to(&word)).collect()
}

/// Whether `word` names a resource that a real server has and Portside does not serve.
pub fn is_unserved(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    RESOURCES.iter().any(|resource| !resource.is_served() && resource.answers_to(&word))
}

/// Resources of which this world never has an object: nothing in it makes one.
const EMPTY: [&str; 13] = [
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
    "customresourcedefinitions",
    "certificatesigningrequests",
    "runtimeclasses",
    "deviceclasses",
    "resourceclaims",
    "resourceclaimtemplates",
    "resourceslices",
];

/// The resource that `word` names, if there are no objects of it: none exists here, or none ever does.
pub fn always_empty(word: &str) -> Option<&'static Resource> {
    let resource = named(word).into_iter().next()?;
    (EMPTY.contains(&resource.name) || (resource.verbs == "create" && !resource.is_served()))
        .then_some(resource)
}

/// Whether a manifest is of a kind that a real server has and Portside does not serve.
pub fn is_unserved_manifest(version: &str, kind: &str) -> bool {
    RESOURCES.iter().any(|resource| {
        resource.kind == kind
            && if resource.is_served() {
                FURTHER_VERSIONS.contains(&version) && version.starts_with(resource.group())
            } else {
                resource.version == version
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::KINDS;
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn every_served_kind_is_a_resource_with_the_same_names() {
        for info in KINDS {
            let resource = RESOURCES
                .iter()
                .find(|resource| resource.kind == info.name && resource.version == info.api_version)
                .unwrap_or_else(|| panic!("{} is no resource", info.name));
            assert_eq!(resource.name, info.plural);
            assert_eq!(resource.short, info.short.join(","));
            assert_eq!(resource.namespaced, info.namespaced, "{}", info.name);
        }
    }

    #[test]
    fn kinds_of_which_nothing_is_stored_answer_as_the_server_does() {
        check(
            "kubectl get cs scheduler etcd-0 --no-headers",
            "Warning: v1 ComponentStatus is deprecated in v1.19+\nscheduler   Healthy   ok    \netcd-0      Healthy   ok    ",
            0,
        );
        let refused = "the server does not allow this method on the requested resource";
        check("kubectl get bindings", &format!("Error from server (MethodNotAllowed): {refused}"), 1);
        check(
            "kubectl delete cs scheduler 2>&1 | tail -n 1",
            &format!("Error from server (MethodNotAllowed): {refused}"),
            0,
        );
        for (version, kind) in [("policy/v1", "Eviction"), ("authentication.k8s.io/v1", "TokenRequest")] {
            check(
                &format!(
                    "printf 'apiVersion: {version}\\nkind: {kind}\\nmetadata: {{name: a}}\\n' | kubectl create -f -"
                ),
                &format!(
                    "error: resource mapping not found for name: \"a\" namespace: \"\" from \"STDIN\": no matches for kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first"
                ),
                1,
            );
        }
    }
}
