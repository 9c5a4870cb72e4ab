//! Addresses outside that lead to Services by routing: `externalIPs`.

use super::check;

/// Two Services with one address outside: by name, the first has no endpoint.
const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec]}]}
---
apiVersion: v1
kind: Service
metadata: {name: b-web}
spec: {selector: {app: web}, externalIPs: [203.0.113.50], ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: a-none}
spec: {selector: {app: nothing}, externalIPs: [203.0.113.50], ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: c-node}
spec: {selector: {app: nothing}, externalIPs: [192.168.1.73], ports: [{port: 30099, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: d-port}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30099}]}
";

const WORLD: &str =
    "# run kubectl create -f svc.yaml\n# until endpoints b-web 1\n# settle\n# place node k8s-w1\n";

#[test]
fn a_service_without_endpoints_leaves_its_address_to_the_next_one() {
    let session = format!(
        "{WORLD}$ curl -sS -m 1 203.0.113.50/hostname # shared\n$ curl -sS -m 1 192.168.1.73:30099/hostname # node port\n"
    );
    check(&session, MANIFEST, &[("# shared", "web"), ("# node port", "web")]);
}

#[test]
fn an_address_stays_with_the_service_that_is_left() {
    let session = format!(
        "{WORLD}# run kubectl delete svc a-none -n default\n# sleep 3s\n$ curl -sS -m 1 203.0.113.50/hostname # one\n\
         # run kubectl delete svc b-web -n default\n# sleep 3s\n$ curl -sS -m 1 203.0.113.50/hostname; echo $? # none\n"
    );
    check(
        &session,
        MANIFEST,
        &[("# one", "web"), ("# none", "curl: (28) Connection timed out after 1000 milliseconds\n28")],
    );
}

const NFTABLES: &str = "# run world proxyMode=nftables\n# sleep 3s\n";

#[test]
fn a_map_of_nftables_leaves_the_address_of_a_service_without_endpoints_to_the_next_one() {
    let session = format!(
        "{WORLD}{NFTABLES}$ curl -sS -m 1 203.0.113.50/hostname # shared\n\
         $ curl -sS -m 1 192.168.1.73:30099/hostname # node port\n"
    );
    check(&session, MANIFEST, &[("# shared", "web"), ("# node port", "web")]);
}

#[test]
fn a_map_of_nftables_has_an_address_of_several_services_once() {
    let session = format!(
        "{WORLD}{NFTABLES}# run kubectl patch svc a-none -n default -p '{{\"spec\":{{\"selector\":{{\"app\":\"web\"}}}}}}'\n# sleep 3s\n\
         $ nft list map ip kube-proxy service-ips | grep -c '203.0.113.50 . tcp . 80' # keys\n\
         $ nft list map ip kube-proxy service-ips | grep -c '203.0.113.50 .*a-none' # first\n"
    );
    check(&session, MANIFEST, &[("# keys", "1"), ("# first", "1")]);
}
