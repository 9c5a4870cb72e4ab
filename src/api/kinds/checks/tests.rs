//! What the server says of objects that are only kept.

use crate::api::kinds::rules;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;

fn prepared(kind: Kind, text: &str) -> Value {
    let text = format!("{text}\nmetadata: {{name: a}}\n");
    let (documents, diagnostics) = yaml::read(&text);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    let mut document = documents[0].value();
    (rules(kind).default)(&mut document);
    document
}

fn check(kind: Kind, text: &str, expected: &[&str]) {
    let errors = (rules(kind).validate)(&prepared(kind, text));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{text}");
}

fn check_change(kind: Kind, before: &str, after: &str, expected: &[&str]) {
    let errors = (rules(kind).validate_update)(&prepared(kind, after), &prepared(kind, before));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{before} -> {after}");
}

#[test]
fn ingresses_lead_somewhere() {
    let check = |text: &str, expected: &[&str]| check(Kind::Ingress, text, expected);
    let backend = "backend: {service: {name: web, port: {number: 80}}}";
    check("spec: {}", &["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]);
    check(
        &format!("spec: {{rules: [{{host: 1.2.3.4, http: {{paths: [{{path: /, {backend}}}]}}}}]}}"),
        &[
            "spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address",
            "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
        ],
    );
    check(
        &format!("spec: {{rules: [{{http: {{paths: [{{path: a//b, pathType: Prefix, {backend}}}]}}}}]}}"),
        &[
            "spec.rules[0].http.paths[0].path: Invalid value: \"a//b\": must be an absolute path",
            "spec.rules[0].http.paths[0].path: Invalid value: \"a//b\": must not contain '//'",
        ],
    );
    check(
        "spec: {rules: [{http: {paths: [{path: /, pathType: prefix, backend: {}}]}}]}",
        &[
            "spec.rules[0].http.paths[0].pathType: Unsupported value: \"prefix\": supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\"",
            "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required",
        ],
    );
    check(
        "spec: {defaultBackend: {service: {name: web, port: {}}}}",
        &["spec.defaultBackend: Required value: port name or number is required"],
    );
}

#[test]
fn network_policies() {
    let check = |text: &str, expected: &[&str]| check(Kind::NetworkPolicy, text, expected);
    check("spec: {podSelector: {}}", &[]);
    check(
        "spec: {podSelector: {}, ingress: [{ports: [{port: 0, protocol: tcp}], from: [{}]}]}",
        &[
            "spec.ingress[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"TCP\", \"UDP\", \"SCTP\"",
            "spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ingress[0].from[0]: Required value: must specify a peer",
        ],
    );
    check(
        "spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}], policyTypes: [Out]}",
        &[
            "spec.egress[0].to[0].ipBlock.except[0]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`",
            "spec.policyTypes[0]: Unsupported value: \"Out\": supported values: \"Ingress\", \"Egress\"",
        ],
    );
}

#[test]
fn roles_and_bindings() {
    check(
        Kind::Role,
        "rules: [{resources: [pods], verbs: [get]}]",
        &["rules[0].apiGroups: Required value: resource rules must supply at least one api group"],
    );
    check(
        Kind::Role,
        "rules: [{nonResourceURLs: [/x], verbs: []}]",
        &[
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs",
        ],
    );
    check(
        Kind::ClusterRoleBinding,
        "roleRef: {kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: s}]",
        &[
            "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
            "subjects[0].namespace: Required value",
        ],
    );
    check_change(
        Kind::RoleBinding,
        "roleRef: {kind: Role, name: r}",
        "roleRef: {kind: Role, name: s}",
        &[
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"s\"}: cannot change roleRef",
        ],
    );
}

#[test]
fn budgets_priorities_quotas_and_ranges() {
    check(
        Kind::PodDisruptionBudget,
        "spec: {minAvailable: -1}",
        &["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"],
    );
    check(
        Kind::PriorityClass,
        "value: 2000000000",
        &["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    );
    check_change(
        Kind::PriorityClass,
        "value: 1",
        "value: 2",
        &["value: Forbidden: may not be changed in an update."],
    );
    check(
        Kind::ResourceQuota,
        "spec: {hard: {pods: '1.5', gpus: '1'}}",
        &[
            "spec.hard[gpus]: Invalid value: \"gpus\": must be a standard resource type or fully qualified",
            "spec.hard[gpus]: Invalid value: \"gpus\": must be a standard resource for quota",
            "spec.hard[pods]: Invalid value: \"1.5\": must be an integer",
        ],
    );
    check(
        Kind::LimitRange,
        "spec: {limits: [{type: Container, min: {cpu: '2'}, max: {cpu: '1'}}]}",
        &[
            "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1",
            "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value 1",
            "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1",
        ],
    );
}

#[test]
fn autoscalers() {
    check(
        Kind::HorizontalPodAutoscaler,
        "spec: {minReplicas: 3, maxReplicas: 2, scaleTargetRef: {kind: Deployment}}",
        &[
            "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`",
            "spec.scaleTargetRef.name: Required value",
        ],
    );
    check(
        Kind::HorizontalPodAutoscaler,
        "spec: {maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: d}, metrics: [{type: Resource}]}",
        &["spec.metrics[0].resource: Required value: must populate information for the given metric source"],
    );
}

#[test]
fn volumes_claims_and_classes() {
    check(
        Kind::PersistentVolumeClaim,
        "spec: {}",
        &[
            "spec.accessModes: Required value: at least 1 access mode is required",
            "spec.resources[storage]: Required value",
        ],
    );
    check(
        Kind::PersistentVolumeClaim,
        "spec: {accessModes: [ReadWrite], resources: {requests: {storage: '0'}}}",
        &[
            "spec.accessModes: Unsupported value: \"ReadWrite\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
            "spec.resources[storage]: Invalid value: \"0\": must be greater than zero",
        ],
    );
    check(
        Kind::PersistentVolume,
        "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}",
        &["spec: Required value: must specify a volume type"],
    );
    check(Kind::StorageClass, "provisioner: ''", &["provisioner: Required value"]);
    check_change(
        Kind::StorageClass,
        "provisioner: a/b",
        "provisioner: a/c",
        &["provisioner: Forbidden: updates to provisioner are forbidden."],
    );
    let claim = |size: &str| {
        format!("spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: {size}}}}}}}")
    };
    let errors = (rules(Kind::PersistentVolumeClaim).validate_update)(
        &prepared(Kind::PersistentVolumeClaim, &claim("2Gi")),
        &prepared(Kind::PersistentVolumeClaim, &claim("1Gi")),
    );
    let text = errors[0].to_string();
    let start = "spec: Forbidden: spec is immutable after creation except resources.requests and \
        volumeAttributesClassName for bound claims\n@@ -";
    assert!(
        text.starts_with(start) && text.contains("-   \"storage\": \"1Gi\"\n+   \"storage\": \"2Gi\""),
        "{text}"
    );
}

#[test]
fn ranges_of_service_addresses() {
    check(Kind::ServiceCIDR, "spec: {}", &["spec.cidrs: Required value: at least one CIDR required"]);
    check_change(
        Kind::ServiceCIDR,
        "spec: {cidrs: [10.0.0.0/16]}",
        "spec: {cidrs: [10.1.0.0/16]}",
        &["spec.cidrs[0]: Invalid value: \"10.1.0.0/16\": field is immutable"],
    );
}
