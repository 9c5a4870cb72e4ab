//! What descriptions of rarer kinds look like, line by line.

use crate::shell::places::Place;
use crate::shell::testing::{run_on, world};

/// Applies a manifest and checks that its description has `expected` as lines that follow each other.
#[track_caller]
fn check(manifest: &str, object: &str, expected: &str) {
    let script = format!("kubectl apply -f - >/dev/null <<'E'\n{manifest}\nE\nkubectl describe {object}");
    let (output, status) = run_on(&world(), Place::workstation(), &script);
    assert_eq!(status, 0, "{output}");
    assert!(output.contains(expected), "{output}\nlacks\n{expected}");
}

#[test]
fn rules_that_differ_in_their_verbs_stand_together() {
    check(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [\
         {apiGroups: ['', apps], resources: [pods, deployments/scale], verbs: [get]},\
         {apiGroups: [''], resources: [pods], verbs: [list]},\
         {apiGroups: [''], resources: [secrets], resourceNames: [a, b], verbs: [get]}]}",
        "role r",
        "  Resources               Non-Resource URLs  Resource Names  Verbs
  ---------               -----------------  --------------  -----
  pods                    []                 []              [get list]
  deployments/scale       []                 []              [get]
  secrets                 []                 [a]             [get]
  secrets                 []                 [b]             [get]
  deployments.apps/scale  []                 []              [get]
  pods.apps               []                 []              [get]
",
    );
    check(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b},\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r},\
         subjects: [{kind: ServiceAccount, name: default, namespace: dev}]}",
        "rolebinding b",
        "Role:
  Kind:  Role
  Name:  r
Subjects:
  Kind            Name     Namespace
  ----            ----     ---------
  ServiceAccount  default  dev
",
    );
}

#[test]
fn a_network_policy_says_what_it_allows() {
    check(
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {\
         podSelector: {}, policyTypes: [Ingress], ingress: [\
         {ports: [{port: 80}], from: [{podSelector: {matchLabels: {a: b}}},\
         {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}}]}, {}]}}",
        "netpol p",
        "Spec:
  PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)
  Allowing ingress traffic:
    To Port: 80/TCP
    From:
      PodSelector: a=b
    From:
      IPBlock:
        CIDR: 10.0.0.0/8
        Except: 10.1.0.0/16, 10.2.0.0/16
    ----------
    To Port: <any> (traffic allowed to all ports)
    From: <any> (traffic not restricted by source)
  Not affecting egress traffic
  Policy Types: Ingress
",
    );
}

#[test]
fn volumes_say_where_they_come_from() {
    check(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {capacity: {storage: 5Gi},\
         accessModes: [ReadWriteOnce], nfs: {server: a, path: /b}, nodeAffinity: {required: {\
         nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a, b]}]}]}}}}",
        "pv v",
        "VolumeMode:        Filesystem
Capacity:          5Gi
Node Affinity:     
  Required Terms:  
    Term 0:        zone in [a, b]
Message:           
Source:
    Type:      NFS (an NFS mount that lasts the lifetime of a pod)
    Server:    a
    Path:      /b
    ReadOnly:  false
",
    );
    check(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}],\
         volumes: [{name: a, downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}},\
         {name: b, csi: {driver: d, volumeAttributes: {k: v}}}, {name: c, hostPath: {path: /x}}]}}",
        "pod p",
        "Volumes:
  a:
    Type:  DownwardAPI (a volume populated by information about the pod)
    Items:
      metadata.labels -> l
  b:
    Type:              CSI (a Container Storage Interface (CSI) volume source)
    Driver:            d
    FSType:            
    ReadOnly:          false
    VolumeAttributes:  k=v
  c:
    Type:          HostPath (bare host directory volume)
    Path:          /x
    HostPathType:  
",
    );
}

#[test]
fn variables_say_where_their_values_come_from() {
    check(
        "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {app: web}}, spec: {containers: [{name: c,\
         image: nginx, resources: {requests: {memory: 64Mi}}, envFrom: [{configMapRef: {name: m}, prefix: P_}],\
         env: [{name: L, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}},\
         {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}},\
         {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}},\
         {name: MEM, valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1Mi}}}]}]}}",
        "pod p",
        "    Environment Variables from:
      m  ConfigMap with prefix 'P_'  Optional: false
    Environment:
      L:    web (v1:metadata.labels['app'])
      IP:    (v1:status.podIP)
      CPU:  node allocatable (limits.cpu)
      MEM:  64 (requests.memory)
",
    );
}

#[test]
fn limits_and_budgets_are_tables() {
    check(
        "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container,\
         default: {cpu: 500m}, defaultRequest: {cpu: 500m}, max: {memory: 1Gi}}]}}",
        "limits l",
        "Name:       l
Namespace:  default
Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio
----        --------  ---  ---  ---------------  -------------  -----------------------
Container   cpu       -    -    500m             500m           -
Container   memory    -    1Gi  1Gi              1Gi            -
",
    );
    check(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, spec: {maxUnavailable: 1,\
         selector: {matchLabels: {a: b}}}}",
        "pdb b",
        "Max unavailable:  1
Selector:         a=b
Status:
    Allowed disruptions:  0
",
    );
}

#[test]
fn only_a_name_alone_may_be_the_beginning_of_several() {
    let pods = "kubectl run web-a --image=nginx >/dev/null; kubectl run web-b --image=nginx >/dev/null; ";
    let check = |command: &str, expected: &str| {
        let script = format!("{pods}{command} 2>&1 | grep -E '^(Name:|Error)'");
        let (output, _) = run_on(&world(), Place::workstation(), &script);
        assert_eq!(output.trim_end(), expected, "{command}");
    };
    check("kubectl describe pod web", "Name:             web-a\nName:             web-b");
    check("kubectl describe pod/web", "Error from server (NotFound): pods \"web\" not found");
}
