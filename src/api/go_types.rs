//! What Go's types know that the schema does not say.
//!
//! Owns the names of Go's types, which stand in error messages ("of type v1.ServiceType"), and what
//! becomes of an empty field in a round trip through them: gone, kept, or written as an empty value.
//! Source: the struct tags of `k8s.io/api` and `k8s.io/apimachinery` v1.36.

use super::schema::{Schema, Shape};
use super::value::Value;

/// What a round trip through Go makes of a field that is absent or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// `omitempty`: gone when it is `""`, 0, false, `[]` or `{}`.
    Gone,
    /// A pointer: gone when absent, kept as it is when given.
    Pointer,
    /// Always written, empty or not: required fields and structs that are no pointers.
    Written,
}

/// Structs that Go holds by value, and that are therefore always written, as `(type, field)`.
const STRUCTS: [(&str, &str); 32] = [
    ("ServiceStatus", "loadBalancer"),
    ("IngressStatus", "loadBalancer"),
    ("DeploymentSpec", "strategy"),
    ("DeploymentSpec", "template"),
    ("StatefulSetSpec", "template"),
    ("StatefulSetSpec", "updateStrategy"),
    ("DaemonSetSpec", "template"),
    ("DaemonSetSpec", "updateStrategy"),
    ("ReplicaSetSpec", "template"),
    ("JobSpec", "template"),
    ("CronJobSpec", "jobTemplate"),
    ("JobTemplateSpec", "spec"),
    ("PodTemplateSpec", "spec"),
    ("PodTemplate", "template"),
    ("Container", "resources"),
    ("EphemeralContainer", "resources"),
    ("ContainerStatus", "state"),
    ("ContainerStatus", "lastState"),
    ("NodeStatus", "daemonEndpoints"),
    ("NodeStatus", "nodeInfo"),
    ("NodeDaemonEndpoints", "kubeletEndpoint"),
    ("Endpoint", "conditions"),
    ("PersistentVolumeClaimSpec", "resources"),
    ("PersistentVolumeClaimTemplate", "spec"),
    ("Event", "source"),
    ("Event", "involvedObject"),
    ("IngressServiceBackend", "port"),
    ("HTTPIngressPath", "backend"),
    ("NetworkPolicySpec", "podSelector"),
    ("VolumeAttachmentSpec", "source"),
    ("WeightedPodAffinityTerm", "podAffinityTerm"),
    ("PreferredSchedulingTerm", "preference"),
];

/// Times that Go writes as `null` when they are not set.
const NULL_TIMES: [(&str, &str); 20] = [
    ("PodCondition", "lastProbeTime"),
    ("PodCondition", "lastTransitionTime"),
    ("NodeCondition", "lastHeartbeatTime"),
    ("NodeCondition", "lastTransitionTime"),
    ("DeploymentCondition", "lastUpdateTime"),
    ("DeploymentCondition", "lastTransitionTime"),
    ("ReplicaSetCondition", "lastTransitionTime"),
    ("StatefulSetCondition", "lastTransitionTime"),
    ("DaemonSetCondition", "lastTransitionTime"),
    ("JobCondition", "lastProbeTime"),
    ("JobCondition", "lastTransitionTime"),
    ("NamespaceCondition", "lastTransitionTime"),
    ("PersistentVolumeClaimCondition", "lastProbeTime"),
    ("PersistentVolumeClaimCondition", "lastTransitionTime"),
    ("Condition", "lastTransitionTime"),
    ("Event", "firstTimestamp"),
    ("Event", "lastTimestamp"),
    ("Event", "eventTime"),
    ("ContainerStateRunning", "startedAt"),
    ("ContainerStateTerminated", "startedAt"),
];

/// Fields that hold one word or number behind a pointer: an empty value that is given stays.
const POINTERS: [&str; 81] = [
    "activeDeadlineSeconds",
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "apiGroup",
    "appProtocol",
    "attachRequired",
    "automountServiceAccountToken",
    "backoffLimit",
    "backoffLimitPerIndex",
    "blockOwnerDeletion",
    "collisionCount",
    "completionMode",
    "completions",
    "controller",
    "defaultMode",
    "deletionGracePeriodSeconds",
    "enableServiceLinks",
    "expirationSeconds",
    "failedJobsHistoryLimit",
    "fsGroup",
    "fsGroupChangePolicy",
    "gracePeriodSeconds",
    "holderIdentity",
    "hostUsers",
    "hostnameOverride",
    "immutable",
    "ingressClassName",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "leaseDurationSeconds",
    "leaseTransitions",
    "loadBalancerClass",
    "managedBy",
    "manualSelector",
    "maxFailedIndexes",
    "minDomains",
    "minReplicas",
    "mode",
    "mountPropagation",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "optional",
    "parallelism",
    "pathType",
    "podReplacementPolicy",
    "preemptionPolicy",
    "priority",
    "privileged",
    "procMount",
    "progressDeadlineSeconds",
    "readOnlyRootFilesystem",
    "ready",
    "reclaimPolicy",
    "recursiveReadOnly",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "seLinuxChangePolicy",
    "serving",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "stabilizationWindowSeconds",
    "started",
    "startingDeadlineSeconds",
    "storageClassName",
    "successfulJobsHistoryLimit",
    "supplementalGroupsPolicy",
    "suspend",
    "terminating",
    "terminatingReplicas",
    "terminationGracePeriodSeconds",
    "timeZone",
    "tolerationSeconds",
    "trafficDistribution",
    "ttlSecondsAfterFinished",
    "unhealthyPodEvictionPolicy",
    "volumeBindingMode",
    "volumeMode",
];

/// Fields that Go holds otherwise than the rest of their kind: `(type, field)`.
const OTHERWISE: [(&str, &str, Zero); 22] = [
    ("ClientIPConfig", "timeoutSeconds", Zero::Pointer),
    ("Container", "restartPolicy", Zero::Pointer),
    ("DeploymentSpec", "selector", Zero::Pointer),
    ("Endpoint", "hostname", Zero::Pointer),
    ("Endpoint", "nodeName", Zero::Pointer),
    ("Endpoint", "zone", Zero::Pointer),
    ("EndpointAddress", "nodeName", Zero::Pointer),
    ("EndpointSlice", "endpoints", Zero::Written),
    ("EndpointSlice", "ports", Zero::Written),
    ("GRPCAction", "service", Zero::Pointer),
    ("HostPathVolumeSource", "type", Zero::Pointer),
    ("PodDNSConfigOption", "value", Zero::Pointer),
    ("PriorityClass", "value", Zero::Written),
    ("ReplicaSetSpec", "selector", Zero::Pointer),
    ("ReplicaSetStatus", "replicas", Zero::Written),
    ("DaemonSetSpec", "selector", Zero::Pointer),
    ("StatefulSetSpec", "selector", Zero::Pointer),
    ("StatefulSetStatus", "replicas", Zero::Written),
    ("discovery/v1.EndpointPort", "name", Zero::Pointer),
    ("discovery/v1.EndpointPort", "port", Zero::Pointer),
    ("discovery/v1.EndpointPort", "protocol", Zero::Pointer),
    ("JobStatus", "ready", Zero::Pointer),
];

/// Text and lists of text to which Go gives a type of their own: the type that holds the field (empty
/// for any), the field and Go's name. The first that fits counts.
const NAMED: [(&str, &str, &str); 62] = [
    ("Container", "restartPolicy", "v1.ContainerRestartPolicy"),
    ("EphemeralContainer", "restartPolicy", "v1.ContainerRestartPolicy"),
    ("PodSpec", "restartPolicy", "v1.RestartPolicy"),
    ("", "imagePullPolicy", "v1.PullPolicy"),
    ("ImageVolumeSource", "pullPolicy", "v1.PullPolicy"),
    ("", "terminationMessagePolicy", "v1.TerminationMessagePolicy"),
    ("", "dnsPolicy", "v1.DNSPolicy"),
    ("", "preemptionPolicy", "v1.PreemptionPolicy"),
    ("ServiceSpec", "type", "v1.ServiceType"),
    ("ServiceSpec", "sessionAffinity", "v1.ServiceAffinity"),
    ("ServiceSpec", "externalTrafficPolicy", "v1.ServiceExternalTrafficPolicy"),
    ("ServiceSpec", "internalTrafficPolicy", "v1.ServiceInternalTrafficPolicy"),
    ("ServiceSpec", "ipFamilyPolicy", "v1.IPFamilyPolicy"),
    ("ServiceSpec", "ipFamilies", "[]v1.IPFamily"),
    ("LoadBalancerIngress", "ipMode", "v1.LoadBalancerIPMode"),
    ("", "protocol", "v1.Protocol"),
    ("HTTPGetAction", "scheme", "v1.URIScheme"),
    ("", "effect", "v1.TaintEffect"),
    ("Toleration", "operator", "v1.TolerationOperator"),
    ("NodeSelectorRequirement", "operator", "v1.NodeSelectorOperator"),
    ("LabelSelectorRequirement", "operator", "v1.LabelSelectorOperator"),
    ("ScopedResourceSelectorRequirement", "operator", "v1.ScopeSelectorOperator"),
    ("", "whenUnsatisfiable", "v1.UnsatisfiableConstraintAction"),
    ("", "nodeAffinityPolicy", "v1.NodeInclusionPolicy"),
    ("", "nodeTaintsPolicy", "v1.NodeInclusionPolicy"),
    ("DeploymentStrategy", "type", "v1.DeploymentStrategyType"),
    ("StatefulSetUpdateStrategy", "type", "v1.StatefulSetUpdateStrategyType"),
    ("DaemonSetUpdateStrategy", "type", "v1.DaemonSetUpdateStrategyType"),
    ("", "podManagementPolicy", "v1.PodManagementPolicyType"),
    ("", "concurrencyPolicy", "v1.ConcurrencyPolicy"),
    ("", "completionMode", "v1.CompletionMode"),
    ("", "podReplacementPolicy", "v1.PodReplacementPolicy"),
    ("", "unhealthyPodEvictionPolicy", "v1.UnhealthyPodEvictionPolicyType"),
    ("EndpointSlice", "addressType", "v1.AddressType"),
    ("HTTPIngressPath", "pathType", "v1.PathType"),
    ("NetworkPolicySpec", "policyTypes", "[]v1.PolicyType"),
    ("Secret", "type", "v1.SecretType"),
    ("HostPathVolumeSource", "type", "v1.HostPathType"),
    ("EmptyDirVolumeSource", "medium", "v1.StorageMedium"),
    ("VolumeMount", "mountPropagation", "v1.MountPropagationMode"),
    ("", "volumeMode", "v1.PersistentVolumeMode"),
    ("", "accessModes", "[]v1.PersistentVolumeAccessMode"),
    ("", "persistentVolumeReclaimPolicy", "v1.PersistentVolumeReclaimPolicy"),
    ("", "reclaimPolicy", "v1.PersistentVolumeReclaimPolicy"),
    ("", "volumeBindingMode", "v1.VolumeBindingMode"),
    ("Capabilities", "add", "[]v1.Capability"),
    ("Capabilities", "drop", "[]v1.Capability"),
    ("SeccompProfile", "type", "v1.SeccompProfileType"),
    ("AppArmorProfile", "type", "v1.AppArmorProfileType"),
    ("SecurityContext", "procMount", "v1.ProcMountType"),
    ("", "fsGroupChangePolicy", "v1.PodFSGroupChangePolicy"),
    ("", "supplementalGroupsPolicy", "v1.SupplementalGroupsPolicy"),
    ("NamespaceSpec", "finalizers", "[]v1.FinalizerName"),
    ("PodStatus", "phase", "v1.PodPhase"),
    ("PodStatus", "qosClass", "v1.PodQOSClass"),
    ("NamespaceStatus", "phase", "v1.NamespacePhase"),
    ("NodeStatus", "phase", "v1.NodePhase"),
    ("NodeAddress", "type", "v1.NodeAddressType"),
    ("PodOS", "name", "v1.OSName"),
    ("LimitRangeItem", "type", "v1.LimitType"),
    ("ResourceQuotaSpec", "scopes", "[]v1.ResourceQuotaScope"),
    ("", "uid", "types.UID"),
];

/// What becomes of an empty field of a type; `type_name` is that of the field in the schema.
pub(super) fn zero(owner: &str, field: &str, type_name: &str, shape: &Shape, required: bool) -> Zero {
    let short = short(owner);
    if let Some((.., zero)) =
        OTHERWISE.iter().find(|(of, name, _)| *name == field && (*of == short || *of == owner))
    {
        return *zero;
    }
    let by_value = field == "metadata"
        || STRUCTS.contains(&(short, field))
        || matches!(field, "spec" | "status") && self::short(type_name).strip_prefix(short).is_some();
    match shape {
        Shape::Struct(_) if by_value || required => Zero::Written,
        Shape::Time | Shape::MicroTime if NULL_TIMES.contains(&(short, field)) => Zero::Written,
        Shape::Struct(_) | Shape::Time | Shape::MicroTime | Shape::Quantity => Zero::Pointer,
        _ if required => Zero::Written,
        // A target port of 0 or "" is one that was not given: the defaults replace it.
        Shape::IntOrString if field == "targetPort" => Zero::Gone,
        Shape::IntOrString => Zero::Pointer,
        Shape::List(_) | Shape::Map(_) | Shape::Bytes | Shape::Object(_) => Zero::Gone,
        _ if POINTERS.binary_search(&field).is_ok() => Zero::Pointer,
        _ => Zero::Gone,
    }
}

/// The empty value that Go writes for a shape.
pub(super) fn empty(shape: &Shape) -> Value {
    match shape {
        Shape::String | Shape::Quantity => Value::text(""),
        Shape::Boolean => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => Value::Int(0),
        Shape::Struct(_) => Value::map(),
        _ => Value::Null,
    }
}

/// Go's name for what a field holds: `int32`, `[]v1.ServicePort`, `v1.ServiceType`.
#[must_use]
pub fn name(schema: &Schema, owner: &str, field: &str, shape: &Shape) -> String {
    let short = short(owner);
    let named = NAMED.iter().find(|(of, name, _)| *name == field && (of.is_empty() || *of == short));
    match (named, shape) {
        (Some((.., name)), Shape::String | Shape::List(_)) => (*name).to_owned(),
        _ => plain_name(schema, shape),
    }
}

/// Go's name for one item of a list field or one value of a map field.
#[must_use]
pub fn item_name(schema: &Schema, owner: &str, field: &str, item: &Shape) -> String {
    let list = name(schema, owner, field, &Shape::List(Box::new(item.clone())));
    list.strip_prefix("[]").map_or_else(|| plain_name(schema, item), str::to_owned)
}

fn plain_name(schema: &Schema, shape: &Shape) -> String {
    match shape {
        Shape::String => "string".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::Int32 => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::IntOrString => "intstr.IntOrString".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::MicroTime => "v1.MicroTime".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Object(_) => "runtime.RawExtension".to_owned(),
        Shape::Struct(id) => type_name(&schema.get(*id).name).to_owned(),
        Shape::List(item) => format!("[]{}", plain_name(schema, item)),
        Shape::Map(value) if **value == Shape::Quantity => "v1.ResourceList".to_owned(),
        Shape::Map(value) => format!("map[string]{}", plain_name(schema, value)),
    }
}

/// Go's name of a type: its package is named by the version alone, `core/v1.Pod` is `v1.Pod`.
pub(super) fn type_name(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, name)| name)
}

fn short(type_name: &str) -> &str {
    type_name.rsplit_once('.').map_or(type_name, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema::schema;

    /// A table row that names no field of the schema would silently do nothing.
    #[test]
    fn every_row_of_the_tables_names_a_field() {
        let schema = schema();
        let known = |of: &str, field: &str| {
            schema.kinds().any(|_| true)
                && schema.types().any(|owner| {
                    (of.is_empty() || owner.short_name() == of || owner.name == of)
                        && owner.field(field).is_some()
                })
        };
        let rows = STRUCTS.iter().chain(&NULL_TIMES).copied();
        let rows = rows.chain(OTHERWISE.iter().map(|(of, field, _)| (*of, *field)));
        let rows = rows.chain(NAMED.iter().map(|(of, field, _)| (*of, *field)));
        let unknown: Vec<_> = rows
            .chain(POINTERS.iter().map(|field| ("", *field)))
            .filter(|(of, field)| !known(of, field))
            .collect();
        assert_eq!(unknown, []);
        assert!(POINTERS.is_sorted());
    }

    #[test]
    fn go_names_are_those_of_the_messages() {
        let check = |owner: &str, field: &str, expected: &str| {
            let owner = schema().get(schema().named(owner).unwrap());
            let shape = &owner.field(field).unwrap().shape;
            assert_eq!(name(schema(), &owner.name, field, shape), expected);
        };
        check("core/v1.ServiceSpec", "ports", "[]v1.ServicePort");
        check("core/v1.ServiceSpec", "type", "v1.ServiceType");
        check("core/v1.ServiceSpec", "selector", "map[string]string");
        check("core/v1.ServiceSpec", "externalIPs", "[]string");
        check("core/v1.Service", "spec", "v1.ServiceSpec");
        check("apps/v1.DeploymentSpec", "replicas", "int32");
        check("core/v1.ResourceRequirements", "limits", "v1.ResourceList");
    }
}
