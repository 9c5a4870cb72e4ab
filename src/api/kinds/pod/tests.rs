//! What the server says of Pods that break its rules, field by field.

use crate::api::kinds::rules;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;

fn prepared(spec: &str) -> Value {
    let text = format!("metadata: {{name: p}}\nspec: {{{spec}}}\n");
    let (documents, diagnostics) = yaml::read(&text);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    let mut document = documents[0].value();
    (rules(Kind::Pod).default)(&mut document);
    document
}

/// Checks what is said of a Pod with these fields in its `spec`, beside a container if it names none.
fn check(fields: &str, expected: &[&str]) {
    let fields = match fields {
        "" => "containers: [{name: c, image: nginx}]".to_owned(),
        fields if fields.contains("containers:") => fields.to_owned(),
        fields => format!("containers: [{{name: c, image: nginx}}], {fields}"),
    };
    let errors = (rules(Kind::Pod).validate)(&prepared(&fields));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{fields}");
}

/// The same for one container with these fields.
fn check_container(fields: &str, expected: &[&str]) {
    check(&format!("containers: [{{name: c, image: nginx, {fields}}}]"), expected);
}

#[test]
fn containers_have_a_name_and_an_image() {
    check("", &[]);
    check("containers: []", &["spec.containers: Required value"]);
    check(
        "containers: [{}]",
        &["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"],
    );
    check(
        "containers: [{name: c, image: a}, {name: c, image: ' b'}]",
        &[
            "spec.containers[1].name: Duplicate value: \"c\"",
            "spec.containers[1].image: Invalid value: \" b\": must not have leading or trailing whitespace",
        ],
    );
    check(
        "containers: [{name: c, image: a}], initContainers: [{name: c, image: a, livenessProbe: {exec: {command: [a]}}}]",
        &[
            "spec.initContainers[0].name: Duplicate value: \"c\"",
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    );
    check(
        "containers: [{name: c, image: a}], ephemeralContainers: [{name: d, image: a, targetContainerName: x}]",
        &[
            "spec.ephemeralContainers[0].targetContainerName: Not found: \"x\"",
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ],
    );
    check_container(
        "imagePullPolicy: Sometimes, terminationMessagePolicy: None",
        &[
            "spec.containers[0].terminationMessagePolicy: Unsupported value: \"None\": supported values: \"File\", \"FallbackToLogsOnError\"",
            "spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ],
    );
}

#[test]
fn ports_of_containers() {
    check_container("ports: [{}]", &["spec.containers[0].ports[0].containerPort: Required value"]);
    check_container(
        "ports: [{containerPort: 70000, hostPort: -1, protocol: tcp, name: A_b}]",
        &[
            "spec.containers[0].ports[0].name: Invalid value: \"A_b\": must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)",
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            "spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
            "spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
        ],
    );
    check_container(
        "ports: [{containerPort: 80, name: a, hostPort: 81}, {containerPort: 90, name: a, hostPort: 81}]",
        &[
            "spec.containers[0].ports[1].name: Duplicate value: \"a\"",
            "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//81\"",
        ],
    );
    check(
        "hostNetwork: true, containers: [{name: c, image: a, ports: [{containerPort: 80, hostPort: 81}]}]",
        &[
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
        ],
    );
}

#[test]
fn variables_and_their_sources() {
    check_container(
        "env: [{name: a=b}, {value: x}]",
        &[
            "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
            "spec.containers[0].env[1].name: Required value",
        ],
    );
    check_container(
        "env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
        &[
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
        ],
    );
    check_container(
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}, {name: B, valueFrom: {fieldRef: {fieldPath: status.phase}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.foo\": error converting fieldPath: field label not supported: spec.foo",
            "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"",
        ],
    );
    check_container("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}]", &[]);
    check_container(
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: x}}}], envFrom: [{}]",
        &[
            "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value",
            "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
        ],
    );
    check_container(
        "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]",
        &[
            "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.gpu\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"",
        ],
    );
}

#[test]
fn volumes_and_mounts() {
    check_container(
        "volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}, {}]",
        &[
            "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
            "spec.containers[0].volumeMounts[1].name: Not found: \"v\"",
            "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
            "spec.containers[0].volumeMounts[2].name: Required value",
            "spec.containers[0].volumeMounts[2].name: Not found: \"\"",
            "spec.containers[0].volumeMounts[2].mountPath: Required value",
        ],
    );
    check(
        "volumes: [{name: V_1, emptyDir: {}}, {name: w, configMap: {}}, {name: x, emptyDir: {}, hostPath: {path: /a/../b}}]",
        &[
            "spec.volumes[0].name: Invalid value: \"V_1\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            "spec.volumes[1].configMap.name: Required value",
            "spec.volumes[2].hostPath: Forbidden: may not specify more than 1 volume type",
        ],
    );
    check(
        "volumes: [{name: v, secret: {secretName: s, defaultMode: 512, items: [{key: a, path: ../a}]}}, {name: v, hostPath: {path: /a, type: Folder}}]",
        &[
            "spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
            "spec.volumes[0].secret.items[0].path: Invalid value: \"../a\": must not contain '..'",
            "spec.volumes[1].hostPath.type: Unsupported value: \"Folder\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
        ],
    );
    check(
        "volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]",
        &["spec.volumes[1].name: Duplicate value: \"v\""],
    );
}

#[test]
fn probes_and_hooks() {
    check_container(
        "livenessProbe: {}",
        &["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    );
    check_container(
        "readinessProbe: {httpGet: {port: 0, scheme: FTP}, periodSeconds: -1}",
        &[
            "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"",
            "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ],
    );
    check_container(
        "livenessProbe: {tcpSocket: {port: 80}, grpc: {port: 0}, successThreshold: 2}",
        &[
            "spec.containers[0].livenessProbe.grpc: Forbidden: may not specify more than 1 handler type",
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ],
    );
    check_container(
        "lifecycle: {preStop: {sleep: {seconds: 40}}, postStart: {exec: {}}}",
        &[
            "spec.containers[0].lifecycle.postStart.exec.command: Required value",
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 40: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ],
    );
}

#[test]
fn requests_and_limits() {
    check_container(
        "resources: {requests: {cpu: 200m, memory: '-1'}, limits: {cpu: 100m}}",
        &[
            "spec.containers[0].resources.requests: Invalid value: \"200m\": must be less than or equal to cpu limit of 100m",
            "spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
        ],
    );
    check_container(
        "resources: {limits: {gpu: '1'}}",
        &[
            "spec.containers[0].resources.limits[gpu]: Invalid value: \"gpu\": must be a standard resource type or fully qualified",
            "spec.containers[0].resources.limits[gpu]: Invalid value: \"gpu\": must be a standard resource for containers",
            "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard resource type or fully qualified",
            "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard resource for containers",
        ],
    );
    check_container(
        "resources: {limits: {example.com/gpu: 500m}}",
        &[
            "spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer",
            "spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
        ],
    );
}

#[test]
fn the_rest_of_the_spec() {
    for (fields, expected) in [
        (
            "restartPolicy: Sometimes",
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
        ),
        (
            "dnsPolicy: First",
            "spec.dnsPolicy: Unsupported value: \"First\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"",
        ),
        (
            "dnsPolicy: None",
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            "dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3, 4.4.4.4]}",
            "spec.dnsConfig.nameservers: Invalid value: [\"1.1.1.1\",\"2.2.2.2\",\"3.3.3.3\",\"4.4.4.4\"]: must not have more than 3 nameservers",
        ),
        (
            "activeDeadlineSeconds: 0",
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            "securityContext: {runAsUser: -1}",
            "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        ),
        (
            "securityContext: {seccompProfile: {type: Localhost}}",
            "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
        ),
        (
            "tolerations: [{key: a, effect: NoExec}]",
            "spec.tolerations[0].effect: Unsupported value: \"NoExec\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"",
        ),
        (
            "tolerations: [{key: a, operator: Exists, value: b}]",
            "spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        (
            "tolerations: [{operator: Equal, value: b}]",
            "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
        ),
        (
            "hostAliases: [{ip: x, hostnames: [a]}]",
            "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            "topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]",
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]",
            "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{a, DoNotSchedule}\"",
        ),
        (
            "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
        ),
        (
            "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}",
            "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
        ),
        (
            "preemptionPolicy: Perhaps",
            "spec.preemptionPolicy: Unsupported value: \"Perhaps\": supported values: \"PreemptLowerPriority\", \"Never\"",
        ),
        (
            "os: {name: beos}",
            "spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\"",
        ),
        (
            "nodeName: a, schedulingGates: [{name: a/b}]",
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
    ] {
        check(fields, &[expected]);
    }
    check("terminationGracePeriodSeconds: -1", &[]);
}

/// Checks what a change of a Pod is answered.
fn check_change(before: &str, after: &str, expected: &[&str]) {
    let errors = (rules(Kind::Pod).validate_update)(&prepared(after), &prepared(before));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{before} -> {after}");
}

#[test]
fn a_pod_changes_in_few_fields_only() {
    let with = |image: &str, more: &str| format!("containers: [{{name: c, image: {image}}}]{more}");
    check_change(&with("a", ""), &with("b", ""), &[]);
    check_change(
        &with("a", ""),
        "containers: [{name: c, image: a}, {name: d, image: a}]",
        &["spec.containers: Forbidden: pod updates may not add or remove containers"],
    );
    check_change(
        &with("a", ", tolerations: [{key: a}]"),
        &with("a", ", tolerations: [{key: b}]"),
        &[
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
        ],
    );
    check_change(
        &with("a", ", tolerations: [{key: a}]"),
        &with("a", ", tolerations: [{key: a}, {key: b}]"),
        &[],
    );
    check_change(
        &with("a", ", activeDeadlineSeconds: 5"),
        &with("a", ", activeDeadlineSeconds: 6"),
        &["spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value"],
    );
    let errors = (rules(Kind::Pod).validate_update)(
        &prepared(&with("b", ", hostname: new")),
        &prepared(&with("a", ", hostname: old")),
    );
    let text = errors[0].to_string();
    let start = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
        `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
        existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
        previously negative)\n@@ -";
    assert!(text.starts_with(start), "{text}");
    let end = " \"ImagePullSecrets\": null,\n- \"Hostname\": \"old\",\n+ \"Hostname\": \"new\",\n  \"Subdomain\": \"\",\n  \"SetHostnameAsFQDN\": null,\n  \"Affinity\": null,\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn doubtful_pods_are_warned_of() {
    let check = |fields: &str, expected: &[&str]| {
        let warnings = (rules(Kind::Pod).warnings)(&prepared(fields), None);
        assert_eq!(warnings, expected, "{fields}");
    };
    let container = |more: &str| format!("containers: [{{name: c, image: a, {more}}}]");
    check(
        &container("env: [{name: A, value: x}, {name: A, value: y}, {name: A, value: $(A)z}]"),
        &[
            "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply",
        ],
    );
    check(
        "containers: [{name: c, image: a, ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]}, {name: d, image: a, ports: [{containerPort: 80}]}]",
        &["spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"],
    );
    check(
        &container("resources: {limits: {memory: 100m}}"),
        &[
            "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer",
            "spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is invalid, must be an integer",
        ],
    );
    check(
        &format!(
            "{}, nodeSelector: {{beta.kubernetes.io/os: linux}}, terminationGracePeriodSeconds: -3",
            container("")
        ),
        &[
            "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
        ],
    );
    check(
        &format!("{}, hostAliases: [{{ip: 1.1.1.1}}, {{ip: 1.1.1.1}}]", container("")),
        &["spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\""],
    );
}
