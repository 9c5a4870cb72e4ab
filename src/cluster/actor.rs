//! Who acts in a cluster.
//!
//! Owns the list of components that write objects, and the name of each in Events.

/// A component that makes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The person, through kubectl or the editor.
    User,
    /// The API server itself (the `kubernetes` Service, defaults, allocation).
    ApiServer,
    /// default-scheduler.
    Scheduler,
    /// The kubelets, all nodes together.
    Kubelet,
    /// deployment-controller.
    Deployment,
    /// replicaset-controller.
    ReplicaSet,
    /// replication-controller.
    ReplicationController,
    /// statefulset-controller.
    StatefulSet,
    /// daemonset-controller.
    DaemonSet,
    /// job-controller.
    Job,
    /// cronjob-controller.
    CronJob,
    /// ttl-after-finished-controller.
    TtlAfterFinished,
    /// endpoint-controller.
    Endpoints,
    /// endpoint-slice-controller.
    EndpointSlice,
    /// endpoint-slice-mirroring-controller.
    EndpointSliceMirroring,
    /// namespace-controller (with service accounts and root certificates of new namespaces).
    Namespace,
    /// generic-garbage-collector.
    GarbageCollector,
    /// node-lifecycle-controller.
    NodeLifecycle,
    /// persistentvolume-binder-controller.
    PersistentVolume,
    /// disruption-controller.
    Disruption,
    /// resourcequota-controller.
    ResourceQuota,
    /// taint-eviction-controller.
    TaintEviction,
    /// service-controller of the cloud.
    CloudLoadBalancer,
    /// Undo and redo.
    Undo,
}

impl Actor {
    /// The component's name in the `source` of Events.
    #[must_use]
    pub fn component(self) -> &'static str {
        match self {
            Self::User => "kubectl",
            Self::ApiServer => "kube-apiserver",
            Self::Scheduler => "default-scheduler",
            Self::Kubelet => "kubelet",
            Self::Deployment => "deployment-controller",
            Self::ReplicaSet => "replicaset-controller",
            Self::ReplicationController => "replication-controller",
            Self::StatefulSet => "statefulset-controller",
            Self::DaemonSet => "daemonset-controller",
            Self::Job => "job-controller",
            Self::CronJob => "cronjob-controller",
            Self::TtlAfterFinished => "ttl-after-finished-controller",
            Self::Endpoints => "endpoint-controller",
            Self::EndpointSlice => "endpoint-slice-controller",
            Self::EndpointSliceMirroring => "endpoint-slice-mirroring-controller",
            Self::Namespace => "namespace-controller",
            Self::GarbageCollector => "garbage-collector-controller",
            Self::NodeLifecycle => "node-controller",
            Self::PersistentVolume => "persistentvolume-controller",
            Self::Disruption => "controllermanager",
            Self::ResourceQuota => "resourcequota-controller",
            Self::TaintEviction => "taint-eviction-controller",
            Self::CloudLoadBalancer => "service-controller",
            Self::Undo => "portside",
        }
    }
}
