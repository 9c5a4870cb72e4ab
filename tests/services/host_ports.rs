//! Pods on ports and networks of their nodes.

use super::{answer, check, printed};

const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {nodeName: k8s-w1, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec], ports: [{containerPort: 8080, hostPort: 8888}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: near}
spec: {nodeName: k8s-w1, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [pause]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: far}
spec: {nodeName: k8s-w2, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [pause]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, labels: {app: host}}
spec: {nodeName: k8s-w2, hostNetwork: true, containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec]}]}
---
apiVersion: v1
kind: Service
metadata: {name: host}
spec: {clusterIP: 10.96.0.88, selector: {app: host}, ports: [{port: 80, targetPort: 8080}]}
";

fn world(commands: &str) -> String {
    format!(
        "# run kubectl create -f svc.yaml\n# until ready-pods 1 app=web\n# until endpoints host 1\n# settle\n{commands}"
    )
}

#[test]
fn a_host_port_leads_to_its_pod_and_masquerades_only_what_comes_from_its_own_node() {
    let ask = "curl -sS -m 1 192.168.1.73:8888/clientip | sed 's/:[0-9]*$//'";
    let session = world(&format!(
        "# place outside\n$ {ask} # outside\n# place pod far\n$ {ask} # far\n# place pod near\n$ {ask} # near\n\
         # place pod web\n$ {ask} # itself\n# place node k8s-w1\n$ {ask} # node\n\
         $ curl -sS 127.0.0.1:8888/clientip | sed 's/:[0-9]*$//' # loopback\n# place node k8s-w2\n\
         $ curl -sS 192.168.1.74:8888 # elsewhere\n"
    ));
    check(
        &session,
        MANIFEST,
        &[
            ("# outside", "203.0.113.10"),
            ("# far", "192.168.1.74"),
            ("# near", "10.244.1.1"),
            ("# itself", "10.244.1.1"),
            ("# node", "192.168.1.73"),
            ("# loopback", "10.244.1.1"),
            (
                "# elsewhere",
                "curl: (7) Failed to connect to 192.168.1.74 port 8888 after 0 ms: Couldn't connect to server\n[exit 7]",
            ),
        ],
    );
}

#[test]
fn a_host_port_leads_to_its_pod_where_the_node_port_of_a_service_leads_nowhere() {
    let manifest = MANIFEST.replace("hostPort: 8888", "hostPort: 30088")
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: none}\n\
           spec: {type: NodePort, selector: {app: nothing}, ports: [{port: 80, nodePort: 30088}]}\n";
    let session = world(
        "# place outside\n$ curl -sS -m 1 192.168.1.73:30088/hostname # here\n$ curl -sS -m 1 192.168.1.74:30088 # elsewhere\n",
    );
    let refused = "curl: (7) Failed to connect to 192.168.1.74 port 30088 after 0 ms: Couldn't connect to server\n[exit 7]";
    check(&session, &manifest, &[("# here", "web"), ("# elsewhere", refused)]);
}

#[test]
fn a_host_port_on_the_loopback_of_ipv6_is_answered_by_nobody() {
    let session = format!(
        "# world ipFamilies=IPv4,IPv6\n{}",
        world("# place node k8s-w1\n$ curl -sS -m 1 'http://[::1]:8888/' # loopback\n")
    );
    let lost = "curl: (28) Connection timed out after 1000 milliseconds\n[exit 28]";
    check(&session, MANIFEST, &[("# loopback", lost)]);
}

#[test]
fn the_rules_of_a_host_port_stand_on_its_node_while_its_pod_lives() {
    let count = "iptables-save | grep -c 'CNI-.*8888'";
    let session = world(&format!(
        "# place node k8s-w1\n$ {count} # with\n# place node k8s-w2\n$ {count} # other\n# place outside\n\
         # run kubectl delete pod web\n# place node k8s-w1\n$ {count} # without\n"
    ));
    check(
        &session,
        MANIFEST,
        &[("# with\n", "4"), ("# other", "0\n[exit 1]"), ("# without", "0\n[exit 1]")]
            .map(|(command, text)| (command.trim_end(), text)),
    );
}

#[test]
fn a_second_pod_with_the_host_port_finds_no_node() {
    let pods = (1..=3).map(|number| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web-{number}, labels: {{app: web}}}}\nspec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80, hostPort: 8080}}]}}]}}\n"
        )
    });
    let manifest = pods.collect::<Vec<_>>().join("---\n");
    let printed = printed(
        "# run kubectl create -f svc.yaml\n# sleep 3s\n$ kubectl get pods -o custom-columns=P:.status.phase --no-headers | sort | uniq -c | xargs\n\
         $ kubectl get events --field-selector reason=FailedScheduling -o custom-columns=M:.message --no-headers\n",
        &manifest,
    );
    assert_eq!(answer(&printed, "get pods"), "1 Pending 2 Running");
    assert!(
        answer(&printed, "get events")
            .contains("2 node(s) didn't have free ports for the requested pod ports"),
        "{printed}"
    );
}

#[test]
fn a_pod_on_its_nodes_network_answers_at_the_nodes_address_and_through_its_service() {
    let session = world(
        "# place pod near\n$ curl -s 192.168.1.74:8080/clientip | sed 's/:[0-9]*$//' # direct\n\
         $ curl -s host/hostname # service\n# place pod host\n$ curl -s 10.96.0.88/hostname # by address\n",
    );
    check(
        &session,
        MANIFEST,
        &[("# direct", "192.168.1.73"), ("# service", "k8s-w2"), ("# by address", "k8s-w2")],
    );
}

#[test]
fn what_a_pod_sends_to_itself_by_a_host_port_is_masqueraded_by_nftables_if_a_service_leads_to_it() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n";
    let session = world(
        "# run world proxyMode=nftables\n# sleep 3s\n# place pod web\n\
         $ trace curl -sS -m 1 192.168.1.73:8888/hostname | grep -o -e @hairpin-connections -e CNI-HOSTPORT-MASQ\n",
    );
    check(&session, MANIFEST, &[("trace", "CNI-HOSTPORT-MASQ")]);
    check(&session, &format!("{MANIFEST}---\n{service}"), &[("trace", "@hairpin-connections")]);
}
