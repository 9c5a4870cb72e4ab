//! The registry of kinds: every kind that the API server serves, with its names and whether it is stored.
//!
//! Owns the table of kinds and the lookups by name; what a kind's fields are is in [`super::schema`],
//! what its rules are is in [`super::kinds`]. Names, groups, scopes and categories follow
//! `kubectl api-resources` of v1.36 (reference file `api-resources.txt`).

/// What the registry knows of one kind.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind that this row describes.
    pub kind: Kind,
    /// The name in manifests: `Service`.
    pub name: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The version within the group.
    pub version: &'static str,
    /// `apiVersion` as manifests write it: `v1`, `apps/v1`.
    pub api_version: &'static str,
    /// The resource name in URLs and messages: `services`.
    pub plural: &'static str,
    /// The singular name: `service`.
    pub singular: &'static str,
    /// Short names: `svc`.
    pub short: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Categories such as `all`.
    pub categories: &'static [&'static str],
    /// What becomes of objects of the kind.
    pub serving: Serving,
}

/// What the API server does with objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// They are stored, and every verb is served.
    Stored,
    /// They are worked out when they are read, and can be read alone.
    Computed,
    /// They are requests: they can be created alone, and are not kept.
    Asked,
    /// They are objects of another kind, stored as that one and shown in this one's form.
    Converted(Kind),
}

/// What stands in a row, or what a row without it means.
macro_rules! given {
    ($otherwise:expr) => {
        $otherwise
    };
    ($otherwise:expr, $given:expr) => {
        $given
    };
}

macro_rules! kinds {
    ($( $kind:ident $group:literal $version:literal $api_version:literal $plural:literal $singular:literal
        [$($short:literal),*] $namespaced:literal [$($category:literal),*]
        $(named $name:literal)? $(is $serving:expr)?; )*) => {
        /// A kind of object that the API server serves.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $(
                #[doc = concat!("`", stringify!($kind), "` of `", $api_version, "`.")]
                $kind,
            )*
        }

        /// Every kind, in the order of `kubectl api-resources`.
        pub static KINDS: &[KindInfo] = &[
            $( KindInfo {
                kind: Kind::$kind,
                name: given!(stringify!($kind) $(, $name)?),
                group: $group,
                version: $version,
                api_version: $api_version,
                plural: $plural,
                singular: $singular,
                short: &[$($short),*],
                namespaced: $namespaced,
                categories: &[$($category),*],
                serving: given!(Serving::Stored $(, $serving)?),
            }, )*
        ];
    };
}

kinds! {
    Binding "" "v1" "v1" "bindings" "binding" [] true [] is Serving::Asked;
    ComponentStatus "" "v1" "v1" "componentstatuses" "componentstatus" ["cs"] false [] is Serving::Computed;
    ConfigMap "" "v1" "v1" "configmaps" "configmap" ["cm"] true [];
    Endpoints "" "v1" "v1" "endpoints" "endpoints" ["ep"] true [];
    Event "" "v1" "v1" "events" "event" ["ev"] true [];
    LimitRange "" "v1" "v1" "limitranges" "limitrange" ["limits"] true [];
    Namespace "" "v1" "v1" "namespaces" "namespace" ["ns"] false [];
    Node "" "v1" "v1" "nodes" "node" ["no"] false [];
    PersistentVolumeClaim "" "v1" "v1" "persistentvolumeclaims" "persistentvolumeclaim" ["pvc"] true [];
    PersistentVolume "" "v1" "v1" "persistentvolumes" "persistentvolume" ["pv"] false [];
    Pod "" "v1" "v1" "pods" "pod" ["po"] true ["all"];
    PodTemplate "" "v1" "v1" "podtemplates" "podtemplate" [] true [];
    ReplicationController "" "v1" "v1" "replicationcontrollers" "replicationcontroller" ["rc"] true ["all"];
    ResourceQuota "" "v1" "v1" "resourcequotas" "resourcequota" ["quota"] true [];
    Secret "" "v1" "v1" "secrets" "secret" [] true [];
    ServiceAccount "" "v1" "v1" "serviceaccounts" "serviceaccount" ["sa"] true [];
    Service "" "v1" "v1" "services" "service" ["svc"] true ["all"];
    ControllerRevision "apps" "v1" "apps/v1" "controllerrevisions" "controllerrevision" [] true [];
    DaemonSet "apps" "v1" "apps/v1" "daemonsets" "daemonset" ["ds"] true ["all"];
    Deployment "apps" "v1" "apps/v1" "deployments" "deployment" ["deploy"] true ["all"];
    ReplicaSet "apps" "v1" "apps/v1" "replicasets" "replicaset" ["rs"] true ["all"];
    StatefulSet "apps" "v1" "apps/v1" "statefulsets" "statefulset" ["sts"] true ["all"];
    HorizontalPodAutoscaler "autoscaling" "v2" "autoscaling/v2" "horizontalpodautoscalers" "horizontalpodautoscaler" ["hpa"] true ["all"];
    CronJob "batch" "v1" "batch/v1" "cronjobs" "cronjob" ["cj"] true ["all"];
    Job "batch" "v1" "batch/v1" "jobs" "job" [] true ["all"];
    Lease "coordination.k8s.io" "v1" "coordination.k8s.io/v1" "leases" "lease" [] true [];
    EndpointSlice "discovery.k8s.io" "v1" "discovery.k8s.io/v1" "endpointslices" "endpointslice" [] true [];
    EventOfEvents "events.k8s.io" "v1" "events.k8s.io/v1" "events" "event" ["ev"] true []
        named "Event" is Serving::Converted(Kind::Event);
    IngressClass "networking.k8s.io" "v1" "networking.k8s.io/v1" "ingressclasses" "ingressclass" [] false [];
    Ingress "networking.k8s.io" "v1" "networking.k8s.io/v1" "ingresses" "ingress" ["ing"] true [];
    IPAddress "networking.k8s.io" "v1" "networking.k8s.io/v1" "ipaddresses" "ipaddress" ["ip"] false [];
    NetworkPolicy "networking.k8s.io" "v1" "networking.k8s.io/v1" "networkpolicies" "networkpolicy" ["netpol"] true [];
    ServiceCIDR "networking.k8s.io" "v1" "networking.k8s.io/v1" "servicecidrs" "servicecidr" [] false [];
    PodDisruptionBudget "policy" "v1" "policy/v1" "poddisruptionbudgets" "poddisruptionbudget" ["pdb"] true [];
    ClusterRoleBinding "rbac.authorization.k8s.io" "v1" "rbac.authorization.k8s.io/v1" "clusterrolebindings" "clusterrolebinding" [] false [];
    ClusterRole "rbac.authorization.k8s.io" "v1" "rbac.authorization.k8s.io/v1" "clusterroles" "clusterrole" [] false [];
    RoleBinding "rbac.authorization.k8s.io" "v1" "rbac.authorization.k8s.io/v1" "rolebindings" "rolebinding" [] true [];
    Role "rbac.authorization.k8s.io" "v1" "rbac.authorization.k8s.io/v1" "roles" "role" [] true [];
    PriorityClass "scheduling.k8s.io" "v1" "scheduling.k8s.io/v1" "priorityclasses" "priorityclass" ["pc"] false [];
    CSIDriver "storage.k8s.io" "v1" "storage.k8s.io/v1" "csidrivers" "csidriver" [] false [];
    CSINode "storage.k8s.io" "v1" "storage.k8s.io/v1" "csinodes" "csinode" [] false [];
    CSIStorageCapacity "storage.k8s.io" "v1" "storage.k8s.io/v1" "csistoragecapacities" "csistoragecapacity" [] true [];
    StorageClass "storage.k8s.io" "v1" "storage.k8s.io/v1" "storageclasses" "storageclass" ["sc"] false [];
    VolumeAttachment "storage.k8s.io" "v1" "storage.k8s.io/v1" "volumeattachments" "volumeattachment" [] false [];
    VolumeAttributesClass "storage.k8s.io" "v1" "storage.k8s.io/v1" "volumeattributesclasses" "volumeattributesclass" ["vac"] false [];
}

impl Kind {
    /// What the registry knows of this kind.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }

    /// The name in manifests: `Service`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The kind that a manifest names, if it is served here.
    #[must_use]
    pub fn of_manifest(api_version: &str, kind: &str) -> Option<Self> {
        KINDS.iter().find(|info| info.name == kind && info.api_version == api_version).map(|info| info.kind)
    }

    /// The kind that a person means by a resource name: plural, singular, short name or kind, in any
    /// case, with or without version and group (`deploy`, `Deployment`, `deployments.apps`,
    /// `deployments.v1.apps`).
    #[must_use]
    pub fn of_resource(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (resource, group) = name.split_once('.').map_or((name.as_str(), None), |(r, g)| (r, Some(g)));
        KINDS.iter().find(|info| info.answers_to(resource, group)).map(|info| info.kind)
    }
}

impl KindInfo {
    /// The resource with its group, as messages name it: `services`, `deployments.apps`.
    #[must_use]
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The singular with its group, as kubectl's results name it: `service`, `deployment.apps`.
    #[must_use]
    pub fn group_singular(&self) -> String {
        if self.group.is_empty() {
            self.singular.to_owned()
        } else {
            format!("{}.{}", self.singular, self.group)
        }
    }

    fn answers_to(&self, resource: &str, group: Option<&str>) -> bool {
        let named = resource == self.plural || resource == self.singular || self.short.contains(&resource);
        named
            && group.is_none_or(|group| {
                group == self.group
                    || group
                        .strip_prefix(self.version)
                        .is_some_and(|rest| rest.strip_prefix('.').unwrap_or(rest) == self.group)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_by_every_name_that_kubectl_takes() {
        for name in ["svc", "service", "services", "Service", "services.v1."] {
            assert_eq!(Kind::of_resource(name), Some(Kind::Service), "{name}");
        }
        for name in ["deploy", "deployments.apps", "deployments.v1.apps", "Deployment"] {
            assert_eq!(Kind::of_resource(name), Some(Kind::Deployment), "{name}");
        }
        assert_eq!(Kind::of_resource("ev"), Some(Kind::Event));
        assert_eq!(Kind::of_resource("events.events.k8s.io"), Some(Kind::EventOfEvents));
        assert_eq!(Kind::of_resource("deployments.batch"), None);
        assert_eq!(Kind::of_resource("foo"), None);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for info in KINDS {
            assert_eq!(info.kind.info().name, info.name);
        }
    }
}
