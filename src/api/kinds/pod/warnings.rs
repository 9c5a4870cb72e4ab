//! What the server warns of in Pods and templates (`pkg/api/pod/warnings.go`).

use crate::api::json;
use crate::api::kinds::names;
use crate::api::quantity::Quantity;
use crate::api::value::Value;

/// Labels of nodes that have newer names.
const OLD_LABELS: [(&str, &str); 6] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];
/// Annotations that mean nothing any more.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];
/// Sources of volumes that are gone or going.
const OLD_VOLUMES: [(&str, &str, &str); 9] = [
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const MATCHES_NOTHING: &str = "a null labelSelector results in matching no pod";

/// Warnings about a new Pod.
pub(super) fn of_pod(document: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let problems = names::dns_label(document.at(&["metadata", "name"]).str());
    if !problems.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; \
             a DNS label is recommended: [{}]",
            problems.join(" ")
        ));
    }
    warnings.extend(of_template(document, ""));
    warnings
}

/// Warnings about what has `metadata` and `spec` of a Pod; `prefix` is its path with the dot at its end.
pub(in crate::api::kinds) fn of_template(template: &Value, prefix: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (spec, path) = (template.get("spec"), format!("{prefix}spec"));
    node_labels(spec, &path, &mut out);
    spread(spec, &path, &mut out);
    let annotations = template.at(&["metadata", "annotations"]);
    for (key, why) in OLD_ANNOTATIONS {
        if !annotations.get(key).is_null() {
            out.push(format!("{prefix}metadata.annotations[{key}]: {why}"));
        }
    }
    volumes(spec.get("volumes").items(), &path, &mut out);
    twice(spec.get("hostAliases").items(), "ip", &format!("{path}.hostAliases"), &mut out);
    let secrets = spec.get("imagePullSecrets").items();
    twice(secrets, "name", &format!("{path}.imagePullSecrets"), &mut out);
    for (index, _) in secrets.iter().enumerate().filter(|(_, secret)| secret.get("name").is_empty()) {
        out.push(format!("{path}.imagePullSecrets[{index}].name: invalid empty name \"\""));
    }
    for (container, path) in containers(spec, &path) {
        fractions(container, &path, &mut out);
        hidden_variables(container.get("env").items(), &path, &mut out);
    }
    ports(spec, &path, &mut out);
    if spec.get("terminationGracePeriodSeconds").as_int().is_some_and(|seconds| seconds < 0) {
        out.push(format!(
            "{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    neighbours(spec.get("affinity"), &format!("{path}.affinity"), &mut out);
    out
}

/// All containers with their paths, in the order in which the server visits them.
fn containers<'a>(spec: &'a Value, path: &str) -> Vec<(&'a Value, String)> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|list| spec.get(list).items().iter().enumerate().map(move |(at, one)| (list, at, one)))
        .map(|(list, at, one)| (one, format!("{path}.{list}[{at}]")))
        .collect()
}

fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(label, _)| *label == key).map(|(_, why)| *why)
}

fn node_labels(spec: &Value, path: &str, out: &mut Vec<String>) {
    for (key, _) in spec.get("nodeSelector").entries() {
        out.extend(old_label(key).map(|why| format!("{path}.nodeSelector[{key}]: {why}")));
    }
    let affinity = spec.at(&["affinity", "nodeAffinity"]);
    let at = format!("{path}.affinity.nodeAffinity");
    let mut term = |term: &Value, path: &str| {
        for (index, expression) in term.get("matchExpressions").items().iter().enumerate() {
            let key = expression.get("key").str();
            let path = format!("{path}.matchExpressions[{index}].key");
            out.extend(old_label(key).map(|why| format!("{path}: {key} is {why}")));
        }
    };
    for (index, one) in affinity.get(REQUIRED).get("nodeSelectorTerms").items().iter().enumerate() {
        term(one, &format!("{at}.{REQUIRED}.nodeSelectorTerms[{index}]"));
    }
    for (index, one) in affinity.get(PREFERRED).items().iter().enumerate() {
        term(one.get("preference"), &format!("{at}.{PREFERRED}[{index}].preference"));
    }
}

fn spread(spec: &Value, path: &str, out: &mut Vec<String>) {
    for (index, constraint) in spec.get("topologySpreadConstraints").items().iter().enumerate() {
        let path = format!("{path}.topologySpreadConstraints[{index}]");
        let key = constraint.get("topologyKey").str();
        out.extend(old_label(key).map(|why| format!("{path}.topologyKey: {key} is {why}")));
        if constraint.get("labelSelector").is_null() {
            out.push(format!("{path}.labelSelector: {MATCHES_NOTHING}"));
        }
    }
}

fn volumes(volumes: &[Value], path: &str, out: &mut Vec<String>) {
    for (index, volume) in volumes.iter().enumerate() {
        for (source, shown, why) in OLD_VOLUMES {
            if !volume.get(source).is_null() {
                out.push(format!("{path}.volumes[{index}].{shown}: {why}"));
            }
        }
    }
}

fn twice(items: &[Value], field: &str, path: &str, out: &mut Vec<String>) {
    for (index, item) in items.iter().enumerate() {
        let value = item.get(field);
        if items[..index].iter().any(|other| other.get(field) == value) {
            out.push(format!("{path}[{index}].{field}: duplicate {field} {}", json::quote(value.str())));
        }
    }
}

/// Bytes come in whole numbers.
fn fractions(container: &Value, path: &str, out: &mut Vec<String>) {
    for resource in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            let text = container.get("resources").get(list).get(resource).str();
            if Quantity::parse(text).is_ok_and(|amount| !amount.is_whole()) {
                out.push(format!(
                    "{path}.resources.{list}[{resource}]: fractional byte value {} is invalid, must be an integer",
                    json::quote(text)
                ));
            }
        }
    }
}

/// A variable that is there again hides the first, unless it is built from it.
fn hidden_variables(variables: &[Value], path: &str, out: &mut Vec<String>) {
    for (index, variable) in variables.iter().enumerate() {
        let (name, value) = (variable.get("name").str(), variable.get("value").str());
        let again = variables[..index].iter().any(|other| other.get("name").str() == name);
        let reference = format!("$({name})");
        let builds = variable.get("valueFrom").is_null() && value != reference && value.contains(&reference);
        if again && !builds {
            out.push(format!(
                "{path}.env[{index}]: hides previous definition of {}, which may be dropped when using apply",
                json::quote(name)
            ));
        }
    }
}

/// Ports that the same Pod declares more than once.
fn ports(spec: &Value, path: &str, out: &mut Vec<String>) {
    let mut seen: Vec<(&Value, String)> = Vec::new();
    for (container, path) in containers(spec, path) {
        for (index, port) in container.get("ports").items().iter().enumerate() {
            let at = format!("{path}.ports[{index}]");
            let number = |port: &Value| port.get("hostPort").as_int().unwrap_or(0);
            let address = |port: &Value| port.get("hostIP").smol();
            for (other, there) in &seen {
                let same =
                    ["containerPort", "protocol"].iter().all(|field| other.get(field) == port.get(field));
                if !same {
                    continue;
                }
                let what = if number(port) == number(other) && address(port) == address(other) {
                    "duplicate"
                } else if number(port) == 0 || number(other) == 0 {
                    "overlapping"
                } else if number(port) == number(other)
                    && address(port).is_empty() != address(other).is_empty()
                {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                out.push(format!("{at}: {what} port definition with {there}"));
            }
            seen.push((port, at));
        }
    }
}

fn neighbours(affinity: &Value, path: &str, out: &mut Vec<String>) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (wishes, path) = (affinity.get(kind), format!("{path}.{kind}"));
        for (index, term) in wishes.get(REQUIRED).items().iter().enumerate() {
            if term.get("labelSelector").is_null() {
                out.push(format!("{path}.{REQUIRED}[{index}].labelSelector: {MATCHES_NOTHING}"));
            }
        }
        for (index, term) in wishes.get(PREFERRED).items().iter().enumerate() {
            if term.at(&["podAffinityTerm", "labelSelector"]).is_null() {
                let path = format!("{path}.{PREFERRED}[{index}].podAffinityTerm.labelSelector");
                out.push(format!("{path}: {MATCHES_NOTHING}"));
            }
        }
    }
}
