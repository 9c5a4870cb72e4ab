//! Load balancers of a cloud that is on, slow or off, and what kube-proxy tells them of each node.

use super::{answer, check, printed};

const MANIFEST: &str = "
apiVersion: v1
kind: Service
metadata: {name: lb}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: local}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31500, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {type: LoadBalancer, loadBalancerClass: example.com/x, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: no-ports}
spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: ranges}
spec: {type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24], selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: proxy, annotations: {sim/ip-mode: Proxy}}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
";

const SVC: &str = "-o custom-columns=N:.metadata.name,IP:.status.loadBalancer.ingress[*].ip,MODE:.status.loadBalancer.ingress[*].ipMode --no-headers";

fn world(cloud: &str, commands: &str) -> String {
    format!(
        "# world cloud={cloud}\n# run kubectl create deployment web --image=nginx --replicas=1\n\
         # run kubectl create -f svc.yaml\n# until endpoints lb 1\n{commands}"
    )
}

/// Rows of a table with single blanks.
fn rows(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_cloud_gives_addresses_to_the_services_that_are_its_own() {
    let printed = printed(&world("on", &format!("# sleep 2s\n$ kubectl get svc {SVC}\n")), MANIFEST);
    assert_eq!(
        rows(&answer(&printed, "get svc")),
        [
            "kubernetes <none> <none>",
            "lb 203.0.113.200 VIP",
            "local 203.0.113.201 VIP",
            "no-ports 203.0.113.202 VIP",
            "other <none> <none>",
            "proxy 203.0.113.204 Proxy",
            "ranges 203.0.113.203 VIP",
        ]
    );
}

#[test]
fn load_balancers_lead_to_pods_and_enforce_their_source_ranges() {
    let code = "curl -m 2 -s -o /dev/null -w '%{http_code}'";
    let commands = format!(
        "# sleep 2s\n$ {code} 203.0.113.200\n$ {code} 203.0.113.201\n$ {code} 203.0.113.202\n\
         $ {code} 203.0.113.203\n$ {code} 203.0.113.204\n# place node k8s-master\n$ {code} http://203.0.113.204\n"
    );
    check(
        &world("on", &commands),
        MANIFEST,
        &[
            ("' 203.0.113.200", "200"),
            ("' 203.0.113.201", "200"),
            // Without node ports the balancer hands packets on unchanged.
            ("' 203.0.113.202", "200"),
            ("' 203.0.113.203", "000\n[exit 28]"),
            ("' 203.0.113.204", "200"),
            // A proxy is reached from inside by way of the network: kube-proxy leaves its address alone.
            ("http://203.0.113.204", "200"),
        ],
    );
}

#[test]
fn a_slow_cloud_leaves_services_pending_and_tells_what_it_does() {
    let events = "kubectl get events --field-selector involvedObject.name=lb -o custom-columns=R:.reason,M:.message --no-headers";
    let commands = format!(
        "# sleep 30s\n$ kubectl get svc {SVC} lb\n# sleep 20s\n$ kubectl get svc {SVC} 'lb'\n\
         # run kubectl patch svc lb -p '{{\"spec\":{{\"type\":\"ClusterIP\"}}}}'\n# sleep 50s\n$ {events}\n\
         $ kubectl get svc lb -o jsonpath='{{.metadata.finalizers}}{{.status}}'\n"
    );
    let printed = printed(&world("slow", &commands), MANIFEST);
    assert_eq!(rows(&answer(&printed, " lb")), ["lb <none> <none>"]);
    assert_eq!(rows(&answer(&printed, " 'lb'")), ["lb 203.0.113.200 VIP"]);
    assert_eq!(
        rows(&answer(&printed, "get events")),
        [
            "EnsuringLoadBalancer Ensuring load balancer",
            "EnsuredLoadBalancer Ensured load balancer",
            "Type LoadBalancer -> ClusterIP",
            "DeletingLoadBalancer Deleting load balancer",
            "DeletedLoadBalancer Deleted load balancer",
        ]
    );
    assert_eq!(answer(&printed, "jsonpath"), "{\"loadBalancer\":{}}");
}

#[test]
fn without_its_cloud_a_service_with_a_load_balancer_cannot_be_deleted() {
    let commands = "# sleep 2s\n# world cloud=off\n# run kubectl delete svc lb --wait=false\n# sleep 60s\n\
         $ kubectl get svc lb -o name\n# world cloud=on\n# sleep 2s\n$ kubectl get svc 'lb' -o name\n";
    check(
        &world("on", commands),
        MANIFEST,
        &[
            ("svc lb", "service/lb"),
            ("'lb'", "Error from server (NotFound): services \"lb\" not found\n[exit 1]"),
        ],
    );
}

#[test]
fn nodes_tell_load_balancers_whether_they_have_endpoints_of_their_own() {
    let at = "kubectl get pods -l app=web -o jsonpath='{.items[0].status.hostIP}'";
    let commands = format!(
        "# place node k8s-master\n$ for n in 72 73 74; do curl -s -o /dev/null -w '%{{http_code}} ' \
         192.168.1.$n:31500; done\n$ curl -s 192.168.1.72:31500\n\
         # place outside\n$ {at}\n"
    );
    let printed = printed(&world("off", &commands), MANIFEST);
    let passing = match answer(&printed, "hostIP").as_str() {
        "192.168.1.73" => "503 200 503 ",
        _ => "503 503 200 ",
    };
    assert_eq!(answer(&printed, "http_code"), passing);
    assert_eq!(
        answer(&printed, "-s 192.168.1.72"),
        "{\n\t\"service\": {\n\t\t\"namespace\": \"default\",\n\t\t\"name\": \"local\"\n\t},\n\t\"localEndpoints\": 0,\n\t\"serviceProxyHealthy\": true\n}"
    );
}

#[test]
fn why_tells_who_should_give_the_address() {
    let told = "why svc/lb\n$ why svc/other\n";
    let off = printed(&world("off", &format!("$ {told}")), MANIFEST);
    assert!(answer(&off, "svc/lb").contains("this cluster has none"), "{off}");
    assert!(answer(&off, "svc/lb").contains("world cloud=on"), "{off}");
    assert!(answer(&off, "svc/other").contains("loadBalancerClass example.com/x"), "{off}");
    let slow = printed(&world("slow", &format!("$ {told}")), MANIFEST);
    assert!(answer(&slow, "svc/lb").contains("has not finished"), "{slow}");
}

#[test]
fn an_external_ip_leads_to_the_service_only_where_a_node_sees_it() {
    let manifest = "
apiVersion: v1
kind: Service
metadata: {name: lb}
spec: {externalIPs: [203.0.113.77, 192.168.1.74], selector: {app: web}, ports: [{port: 8088, targetPort: 80}]}
";
    let code = "curl -m 1 -s -o /dev/null -w '%{http_code}'";
    let commands = format!(
        "$ {code} 192.168.1.74:8088\n$ {code} 203.0.113.77:8088\n$ why\n\
         # place node k8s-w1\n$ {code} http://203.0.113.77:8088\n"
    );
    let printed = printed(&world("on", &commands), manifest);
    assert_eq!(answer(&printed, "' 192.168.1.74"), "200");
    assert_eq!(answer(&printed, "' 203.0.113.77"), "000\n[exit 28]");
    assert!(answer(&printed, "why").contains("svc/lb has it among its externalIPs"), "{printed}");
    assert_eq!(answer(&printed, "http://203"), "200");
}
