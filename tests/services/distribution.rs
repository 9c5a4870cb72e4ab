//! Which endpoints get the traffic of which client, and where slices and Endpoints end.

use super::{answer, check, printed};

/// Two zones with two nodes each, a Pod of `web` on three of them, and a client on each.
fn world(distribution: &str, commands: &str) -> (String, String) {
    let mut session = "# world nodes=5 zones=a,b\n".to_owned();
    let mut manifest = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]{distribution}}}\n"
    );
    // Worker nodes 1 and 3 are in zone a, 2 and 4 in zone b.
    for (name, node, labels, arguments) in [
        ("web-1", 1, "{app: web}", "netexec"),
        ("web-2", 2, "{app: web}", "netexec"),
        ("web-4", 4, "{app: web}", "netexec"),
        ("client-1", 1, "{app: client}", "pause"),
        ("client-3", 3, "{app: client}", "pause"),
        ("client-4", 4, "{app: client}", "pause"),
    ] {
        manifest.push_str(&format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {labels}}}\nspec: {{nodeName: k8s-w{node}, containers: [{{name: c, image: registry.k8s.io/e2e-test-images/agnhost,  args: [{arguments}]}}]}}\n"
        ));
    }
    session.push_str(
        "# run kubectl create -f svc.yaml\n# until endpoints web 3\n# until ready-pods 3 app=client\n",
    );
    for client in ["client-1", "client-3", "client-4"] {
        session.push_str(&format!(
            "# place pod {client}\n$ for i in $(seq 60); do curl -m 1 -s web/hostname; echo; done | sort -u | xargs echo {client}\n"
        ));
    }
    (session + "# place outside\n" + commands, manifest)
}

fn reached(distribution: &str, expected: [&str; 3]) {
    let (session, manifest) = world(distribution, "");
    let printed = printed(&session, &manifest);
    for (client, backends) in ["client-1", "client-3", "client-4"].into_iter().zip(expected) {
        assert_eq!(
            answer(&printed, &format!("echo {client}")),
            format!("{client} {backends}").trim(),
            "{printed}"
        );
    }
}

#[test]
fn without_a_distribution_every_client_reaches_every_endpoint() {
    reached("", ["web-1 web-2 web-4"; 3]);
}

#[test]
fn the_same_zone_is_preferred_where_it_has_endpoints() {
    for word in ["PreferClose", "PreferSameZone"] {
        reached(&format!(", trafficDistribution: {word}"), ["web-1", "web-1", "web-2 web-4"]);
    }
}

#[test]
fn the_same_node_is_preferred_and_then_the_same_zone() {
    reached(", trafficDistribution: PreferSameNode", ["web-1", "web-1", "web-4"]);
}

#[test]
fn an_internal_policy_of_local_leaves_nothing_else() {
    reached(", internalTrafficPolicy: Local", ["web-1", "", "web-4"]);
}

#[test]
fn hints_stand_at_ready_endpoints_alone_and_go_with_the_wish() {
    let hints = "kubectl get endpointslices -l kubernetes.io/service-name=web -o jsonpath='{.items[*].endpoints[*].hints}'";
    let commands = format!(
        "$ {hints}\n# run kubectl annotate pod web-1 sim/ready=false\n# sleep 1s\n\
         # run kubectl patch svc web -p '{{\"spec\":{{\"trafficDistribution\":null}}}}'\n# sleep 1s\n$ {hints} -A\n"
    );
    let (session, manifest) = world(", trafficDistribution: PreferSameNode", &commands);
    check(
        &session,
        &manifest,
        &[
            (
                "hints}'",
                "{\"forNodes\":[{\"name\":\"k8s-w1\"}],\"forZones\":[{\"name\":\"a\"}]} {\"forNodes\":[{\"name\":\"k8s-w2\"}],\"forZones\":[{\"name\":\"b\"}]} {\"forNodes\":[{\"name\":\"k8s-w4\"}],\"forZones\":[{\"name\":\"b\"}]}",
            ),
            ("hints}' -A", ""),
        ],
    );
}

#[test]
fn endpoints_hold_a_thousand_addresses_and_slices_a_hundred_each() {
    let session = "# world nodes=7 podsPerNode=250\n# run kubectl create deployment web --image=nginx --replicas=1005\n\
        # run kubectl expose deployment web --port=80\n# settle\n\
        $ kubectl get ep web -o jsonpath='{.subsets[*].addresses[*].ip}' 2>/dev/null | wc -w\n\
        $ kubectl get ep web -o jsonpath='{.metadata.annotations}' 2>/dev/null\n\
        $ kubectl get endpointslices -l kubernetes.io/service-name=web -o jsonpath='{.items[*].endpoints[*].addresses}' | wc -w\n\
        $ kubectl get endpointslices -l kubernetes.io/service-name=web --no-headers | wc -l\n\
        # run kubectl scale deployment web --replicas=900\n# settle\n\
        $ kubectl get ep web -o jsonpath='{.metadata.annotations} ' 2>/dev/null\n";
    check(
        session,
        "",
        &[
            ("wc -w", "1000"),
            ("annotations}'", "{\"endpoints.kubernetes.io/over-capacity\":\"truncated\"}"),
            ("endpoints[*].addresses}' | wc -w", "1005"),
            ("wc -l", "11"),
            ("annotations} '", " "),
        ],
    );
}
