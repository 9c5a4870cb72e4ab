//! Clusters with IPv6: families of Services, their slices, names, and packets.

use super::{check, printed};

const MANIFEST: &str = "
apiVersion: v1
kind: Service
metadata: {name: prefer}
spec:
  ipFamilyPolicy: PreferDualStack
  clusterIPs: [10.96.0.80, \"fd00:10:96::80\"]
  clusterIP: 10.96.0.80
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: six}
spec:
  type: NodePort
  ipFamilies: [IPv6]
  clusterIP: \"fd00:10:96::66\"
  selector: {app: web}
  ports: [{port: 80, nodePort: 30066}]
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec:
  ipFamilies: [IPv6]
  clusterIP: \"fd00:10:96::67\"
  selector: {app: nothing}
  ports: [{port: 80}]
";

#[test]
fn nftables_of_both_families_are_listed() {
    let text = "# world ipFamilies=IPv4,IPv6\n$ world proxyMode=nftables\n# place node k8s-w1\n\
                # settle\n$ nft list tables\n\
                $ nft list set ip6 kube-proxy nodeport-ips\n$ nft list chain ip6 kube-proxy cluster-ips-check\n\
                $ nft list ruleset | grep -c '^table'\n";
    let shown = printed(text, MANIFEST);
    for expected in [
        "table ip kube-proxy\ntable ip6 kube-proxy\n",
        "\t\ttype ipv6_addr\n\t\tcomment \"IPs that accept NodePort traffic\"\n\t\telements = { fd00:192:168:1::73 }\n",
        "\t\tip6 daddr fd00:10:96::/112 drop comment \"Drop traffic to unallocated ClusterIPs\"\n",
        "\n2\n",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

/// A world with two Pods of nginx behind these Services, and a client.
fn world(families: &str, commands: &str) -> String {
    format!(
        "# world ipFamilies={families}\n# run kubectl create deployment web --image=nginx --replicas=2\n\
         # run kubectl run client --image=nicolaka/netshoot --command -- sleep 9999\n\
         # run kubectl create -f svc.yaml\n# until ready-pods 1 run=client\n# until endpoints six 2\n{commands}"
    )
}

#[test]
fn both_families_of_a_service_lead_to_its_pods() {
    let session = world(
        "IPv4,IPv6",
        "# place pod client\n\
         $ curl -s -o /dev/null -w '%{http_code} %{remote_ip}' prefer\n\
         $ curl -4 -s -o /dev/null -w '%{http_code} %{remote_ip}' prefer\n\
         $ curl -s -o /dev/null -w '%{http_code} %{remote_ip}' six\n\
         $ curl -4 -sS six\n\
         $ curl -g -s -o /dev/null -w '%{http_code}' 'http://[fd00:10:96::66]:80/'\n\
         $ curl -sS 'http://[fd00:10:96::67]/'\n\
         $ curl -m 2 -sS 'http://[fd00:10:96::66]:81/'\n",
    );
    check(
        &session,
        MANIFEST,
        &[
            // The C library prefers IPv6 where the host has it.
            ("$ curl -s -o /dev/null -w '%{http_code} %{remote_ip}' prefer", "200 fd00:10:96::80"),
            ("curl -4 -s", "200 10.96.0.80"),
            ("%{remote_ip}' six", "200 fd00:10:96::66"),
            ("curl -4 -sS six", "curl: (6) Could not resolve host: six\n[exit 6]"),
            ("-g", "200"),
            (
                "::67",
                "curl: (7) Failed to connect to fd00:10:96::67 port 80 after 0 ms: Couldn't connect to server\n[exit 7]",
            ),
            (":81", "curl: (28) Connection timed out after 2000 milliseconds\n[exit 28]"),
        ],
    );
}

#[test]
fn a_node_port_answers_on_every_address_of_a_node_but_the_ipv6_loopback() {
    let session = world(
        "IPv4,IPv6",
        "# place outside\n\
         $ curl -s -o /dev/null -w '%{http_code}' 'http://[fd00:192:168:1::74]:30066/'\n\
         $ curl -m 2 -sS 192.168.1.74:30066\n\
         # place node k8s-w1\n\
         $ curl -s -o /dev/null -w '%{http_code}' 'http://[fd00:10:244:1::1]:30066/'\n\
         $ curl -sS 'http://[::1]:30066/'\n",
    );
    check(
        &session,
        MANIFEST,
        &[
            ("::74]", "200"),
            // The Service is of IPv6 alone: its port is not open for IPv4.
            (
                "192.168.1.74",
                "curl: (7) Failed to connect to 192.168.1.74 port 30066 after 0 ms: Couldn't connect to server\n[exit 7]",
            ),
            ("244:1::1", "200"),
            (
                "[::1]",
                "curl: (7) Failed to connect to ::1 port 30066 after 0 ms: Couldn't connect to server\n[exit 7]",
            ),
        ],
    );
}

#[test]
fn a_cluster_of_ipv6_alone_has_no_other_address() {
    let manifest = MANIFEST
        .replace("clusterIPs: [10.96.0.80, \"fd00:10:96::80\"]", "")
        .replace("clusterIP: 10.96.0.80", "");
    let session = world(
        "IPv6",
        "$ kubectl get svc,ep,pods,nodes -A -o wide\n# place pod client\n\
         $ cat /etc/resolv.conf\n$ curl -s -o /dev/null -w '%{http_code}' prefer\n",
    );
    let printed = printed(&session, &manifest);
    let listed = super::answer(&printed, "get svc");
    for (part, there) in
        [("fd00:10:96::1 ", true), ("fd00:192:168:1::73", true), ("10.244.", false), ("192.168.", false)]
    {
        assert_eq!(listed.contains(part), there, "{part}\n{listed}");
    }
    assert!(super::answer(&printed, "resolv").contains("nameserver fd00:10:96::a"), "{printed}");
    assert_eq!(super::answer(&printed, "curl"), "200");
}
