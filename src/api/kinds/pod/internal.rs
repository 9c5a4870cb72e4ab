//! The server's own form of a Pod's `spec`: every field in the order of Go's internal types, under Go's
//! names, with `null` and zeros for what is absent.
//!
//! Learners meet it in refusals: where a Pod may not change, the server shows the difference of the two
//! versions in this form. Owns the order of the fields; what a field holds is read from the schema, whose
//! names differ from Go's in nothing but the case of letters.

use crate::api::go_types::Zero;
use crate::api::json::quote;
use crate::api::schema::{Field, Shape, Type, schema};
use crate::api::value::Value;
use crate::value;

/// The fields of the types that Pods are made of. A name that starts with `+` is one that Go holds by value
/// though the schema cannot tell.
const TYPES: [(&str, &str); 48] = [
    (
        "PodSpec",
        "Volumes InitContainers Containers EphemeralContainers RestartPolicy TerminationGracePeriodSeconds \
         ActiveDeadlineSeconds DNSPolicy NodeSelector ServiceAccountName AutomountServiceAccountToken NodeName \
         SecurityContext ImagePullSecrets Hostname Subdomain SetHostnameAsFQDN Affinity SchedulerName \
         Tolerations HostAliases PriorityClassName Priority PreemptionPolicy DNSConfig ReadinessGates \
         RuntimeClassName Overhead EnableServiceLinks TopologySpreadConstraints OS SchedulingGates \
         ResourceClaims Resources HostnameOverride SchedulingGroup",
    ),
    (
        "PodSecurityContext",
        "HostNetwork HostPID HostIPC ShareProcessNamespace HostUsers SELinuxOptions WindowsOptions RunAsUser \
         RunAsGroup RunAsNonRoot SupplementalGroups SupplementalGroupsPolicy FSGroup FSGroupChangePolicy \
         Sysctls SeccompProfile AppArmorProfile SELinuxChangePolicy",
    ),
    (
        "Volume",
        "Name HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS ISCSI Glusterfs \
         PersistentVolumeClaim RBD Quobyte FlexVolume Cinder CephFS Flocker DownwardAPI FC AzureFile ConfigMap \
         VsphereVolume AzureDisk PhotonPersistentDisk Projected PortworxVolume ScaleIO StorageOS CSI Ephemeral \
         Image",
    ),
    (
        "Container",
        "Name Image Command Args WorkingDir Ports EnvFrom Env Resources ResizePolicy RestartPolicy \
         RestartPolicyRules VolumeMounts VolumeDevices LivenessProbe ReadinessProbe StartupProbe Lifecycle \
         TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext Stdin StdinOnce TTY",
    ),
    (
        "EphemeralContainer",
        "Name Image Command Args WorkingDir Ports EnvFrom Env Resources ResizePolicy RestartPolicy \
         RestartPolicyRules VolumeMounts VolumeDevices LivenessProbe ReadinessProbe StartupProbe Lifecycle \
         TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext Stdin StdinOnce TTY \
         TargetContainerName",
    ),
    ("ContainerPort", "Name HostPort ContainerPort Protocol HostIP"),
    ("EnvVar", "Name Value ValueFrom"),
    ("EnvVarSource", "FieldRef ResourceFieldRef ConfigMapKeyRef SecretKeyRef FileKeyRef"),
    ("ObjectFieldSelector", "APIVersion FieldPath"),
    ("ResourceFieldSelector", "ContainerName Resource +Divisor"),
    ("ConfigMapKeySelector", "Name Key Optional"),
    ("SecretKeySelector", "Name Key Optional"),
    ("EnvFromSource", "Prefix ConfigMapRef SecretRef"),
    ("ConfigMapEnvSource", "Name Optional"),
    ("SecretEnvSource", "Name Optional"),
    ("ResourceRequirements", "Limits Requests Claims"),
    ("VolumeMount", "Name ReadOnly RecursiveReadOnly MountPath SubPath MountPropagation SubPathExpr"),
    ("VolumeDevice", "Name DevicePath"),
    (
        "Probe",
        "Exec HTTPGet TCPSocket GRPC InitialDelaySeconds TimeoutSeconds PeriodSeconds SuccessThreshold \
         FailureThreshold TerminationGracePeriodSeconds",
    ),
    ("LifecycleHandler", "Exec HTTPGet TCPSocket Sleep"),
    ("Lifecycle", "PostStart PreStop StopSignal"),
    ("ExecAction", "Command"),
    ("HTTPGetAction", "Path Port Host Scheme HTTPHeaders"),
    ("HTTPHeader", "Name Value"),
    ("TCPSocketAction", "Port Host"),
    ("GRPCAction", "Port Service"),
    (
        "SecurityContext",
        "Capabilities Privileged SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot \
         ReadOnlyRootFilesystem AllowPrivilegeEscalation ProcMount SeccompProfile AppArmorProfile",
    ),
    ("Capabilities", "Add Drop"),
    ("SeccompProfile", "Type LocalhostProfile"),
    ("AppArmorProfile", "Type LocalhostProfile"),
    ("HostPathVolumeSource", "Path Type"),
    ("EmptyDirVolumeSource", "Medium SizeLimit"),
    ("SecretVolumeSource", "SecretName Items DefaultMode Optional"),
    ("ConfigMapVolumeSource", "Name Items DefaultMode Optional"),
    ("PersistentVolumeClaimVolumeSource", "ClaimName ReadOnly"),
    ("DownwardAPIVolumeSource", "Items DefaultMode"),
    ("ProjectedVolumeSource", "Sources DefaultMode"),
    (
        "VolumeProjection",
        "Secret DownwardAPI ConfigMap ServiceAccountToken ClusterTrustBundle PodCertificate",
    ),
    ("SecretProjection", "Name Items Optional"),
    ("ConfigMapProjection", "Name Items Optional"),
    ("DownwardAPIProjection", "Items"),
    ("ServiceAccountTokenProjection", "Audience ExpirationSeconds Path"),
    ("KeyToPath", "Key Path Mode"),
    ("DownwardAPIVolumeFile", "Path FieldRef ResourceFieldRef Mode"),
    ("Toleration", "Key Operator Value Effect TolerationSeconds"),
    ("HostAlias", "IP Hostnames"),
    (
        "PersistentVolumeClaimSpec",
        "AccessModes Selector Resources VolumeName StorageClassName VolumeMode DataSource DataSourceRef \
         VolumeAttributesClassName",
    ),
    ("VolumeResourceRequirements", "Limits Requests"),
];

/// Fields that documents have in `spec` and Go's internal type in the security context.
const MOVED: [&str; 5] = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

/// The `spec` of a Pod as the server compares it: a line for each field and item.
pub(super) fn spec_lines(spec: &Value) -> String {
    let mut spec = spec.clone();
    if spec.get("securityContext").is_null() {
        spec.set("securityContext", value!({}));
    }
    for field in MOVED {
        let value = spec.get(field).clone();
        if !value.is_null() {
            *spec.field_mut("securityContext").field_mut(field) = value;
        }
    }
    let mut out = String::new();
    Writer { out: &mut out, pretty: true }.structure(of("PodSpec"), Some(&spec), 0);
    out
}

/// The `spec` of a claim as the server compares it.
pub(in crate::api::kinds) fn claim_lines(spec: &Value) -> String {
    let mut out = String::new();
    Writer { out: &mut out, pretty: true }.structure(of("PersistentVolumeClaimSpec"), Some(spec), 0);
    out
}

/// A value of one of the types in one line.
pub(super) fn json(type_name: &str, value: &Value) -> String {
    let mut out = String::new();
    Writer { out: &mut out, pretty: false }.structure(of(type_name), Some(value), 0);
    out
}

fn of(short: &str) -> &'static Type {
    let id = schema().named(&format!("core/v1.{short}")).expect("the schema has the types of the table");
    schema().get(id)
}

struct Writer<'a> {
    out: &'a mut String,
    pretty: bool,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize) {
        if self.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', depth));
        }
    }

    /// Writes entries between brackets, each by its function.
    fn group<T>(
        &mut self,
        [open, close]: [char; 2],
        entries: &[T],
        depth: usize,
        mut write: impl FnMut(&mut Self, &T),
    ) {
        self.out.push(open);
        for (at, entry) in entries.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            write(self, entry);
        }
        if !entries.is_empty() {
            self.line(depth);
        }
        self.out.push(close);
    }

    fn key(&mut self, key: &str) {
        self.out.push_str(&quote(key));
        self.out.push(':');
        if self.pretty {
            self.out.push(' ');
        }
    }

    fn structure(&mut self, of: &Type, value: Option<&Value>, depth: usize) {
        let Some((_, names)) = TYPES.iter().find(|(name, _)| *name == of.short_name()) else {
            return self.document(value.unwrap_or(&Value::Null), depth);
        };
        let names: Vec<&str> = names.split_whitespace().collect();
        self.group(['{', '}'], &names, depth, |writer, name| {
            let by_value = name.starts_with('+');
            let name = name.trim_start_matches('+');
            let field = of.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            writer.key(name);
            // What Go moved is not in the schema of the type that it was moved to.
            let moved = MOVED.iter().find(|moved| moved.eq_ignore_ascii_case(name));
            let key = field.map(|field| field.name.as_str()).or(moved.copied());
            let found = key.and_then(|key| value.map(|value| value.get(key)));
            match (field, found.filter(|found| !found.is_null())) {
                (Some(field), Some(found)) => writer.shape(&field.shape, found, depth + 1),
                (Some(field), None) => writer.absent(field, by_value, depth + 1),
                (None, Some(found)) => writer.document(found, depth + 1),
                (None, None) => writer.out.push_str(absent_moved(name)),
            }
        });
    }

    /// What Go holds where nothing was said.
    fn absent(&mut self, field: &Field, by_value: bool, depth: usize) {
        match &field.shape {
            Shape::Quantity if by_value => self.out.push_str("\"0\""),
            Shape::Struct(id) if field.zero == Zero::Written => {
                self.structure(schema().get(*id), None, depth);
            }
            _ if field.zero == Zero::Pointer => self.out.push_str("null"),
            Shape::String => self.out.push_str("\"\""),
            Shape::Int32 | Shape::Int64 | Shape::IntOrString => self.out.push('0'),
            Shape::Boolean => self.out.push_str("false"),
            _ => self.out.push_str("null"),
        }
    }

    fn shape(&mut self, shape: &Shape, value: &Value, depth: usize) {
        match shape {
            Shape::Struct(id) => self.structure(schema().get(*id), Some(value), depth),
            Shape::List(item) => {
                self.group(['[', ']'], value.items(), depth, |writer, one| {
                    writer.shape(item, one, depth + 1)
                });
            }
            _ => self.document(value, depth),
        }
    }

    /// A value as it is in documents.
    fn document(&mut self, value: &Value, depth: usize) {
        match value {
            Value::List(items) => {
                self.group(['[', ']'], items, depth, |writer, one| writer.document(one, depth + 1));
            }
            Value::Map(_) => {
                let entries: Vec<_> = value.entries().iter().collect();
                self.group(['{', '}'], &entries, depth, |writer, (key, one)| {
                    writer.key(key);
                    writer.document(one, depth + 1);
                });
            }
            other => self.out.push_str(&crate::api::json::compact(other)),
        }
    }
}

/// Which of the moved fields are pointers.
fn absent_moved(name: &str) -> &'static str {
    match name {
        "HostNetwork" | "HostPID" | "HostIPC" => "false",
        _ => "null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the schema lacks would silently always be absent.
    #[test]
    fn every_name_of_the_tables_is_a_field() {
        for (name, fields) in TYPES {
            let of = of(name);
            let unknown: Vec<&str> = fields
                .split_whitespace()
                .map(|field| field.trim_start_matches('+'))
                .filter(|field| !of.fields.iter().any(|one| one.name.eq_ignore_ascii_case(field)))
                .filter(|field| !MOVED.iter().any(|moved| moved.eq_ignore_ascii_case(field)))
                .collect();
            assert_eq!(unknown, Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn every_field_has_its_place() {
        for (name, names) in TYPES {
            let missing: Vec<&str> = of(name)
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .filter(|field| {
                    !names
                        .split_whitespace()
                        .any(|one| one.trim_start_matches('+').eq_ignore_ascii_case(field))
                })
                .filter(|field| !MOVED.contains(field) && *field != "serviceAccount")
                .collect();
            assert_eq!(missing, Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn absent_fields_are_shown_with_gos_zeros() {
        let port = value!({ "containerPort": 80, "protocol": "TCP" });
        assert_eq!(
            json("ContainerPort", &port),
            r#"{"Name":"","HostPort":0,"ContainerPort":80,"Protocol":"TCP","HostIP":""}"#
        );
        let lines = spec_lines(&value!({ "hostNetwork": true, "containers": [{ "name": "c" }] }));
        assert!(
            lines.contains("\n \"SecurityContext\": {\n  \"HostNetwork\": true,\n  \"HostPID\": false,"),
            "{lines}"
        );
        assert!(lines.contains("\n   \"Resources\": {\n    \"Limits\": null,"), "{lines}");
        assert!(lines.starts_with("{\n \"Volumes\": null,\n \"InitContainers\": null,\n"), "{lines}");
    }
}
