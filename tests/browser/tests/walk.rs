//! The walk that Portside grew from, typed as it was typed then, and its neighbours.

use portside_browser_tests::{Page, visit};

const SERVICE: &str = include_str!("../../examples/service02.yaml");
const DEPLOYMENT: &str = include_str!("../../examples/deploy-nginx.yaml");
const BUSYBOX: &str = include_str!("../../examples/busybox.yaml");
const NODE_PORT: &str = include_str!("../../examples/nodeport.yaml");

/// Asserts that all words are in an output, in this order.
fn holds(output: &str, words: &[&str]) {
    let mut rest = output;
    for word in words {
        let Some((_, after)) = rest.split_once(word) else {
            panic!("{word:?} is missing (in the order of {words:?}) from:\n{output}");
        };
        rest = after;
    }
}

/// The address in the CLUSTER-IP column of a Service.
fn cluster_ip(page: &Page, service: &str) -> String {
    let table = page.terminal(&format!("kubectl get svc {service}"));
    let line = table.lines().find(|line| line.starts_with(service));
    let address = line.and_then(|line| line.split_whitespace().nth(2));
    address.unwrap_or_else(|| panic!("no {service} in:\n{table}")).to_owned()
}

fn create(page: &Page, file: &str, text: &str, answer: &str) {
    page.paste_file(file, text);
    holds(&page.terminal(&format!("kubectl create -f {file}")), &[answer]);
}

#[test]
fn endpoints_follow_the_deployment() {
    visit("walk-endpoints", |page| {
        create(page, "service02.yaml", SERVICE, "service/hu-nginx created");
        holds(&page.terminal("kubectl get svc"), &["hu-nginx", "ClusterIP", "<none>", "80/TCP,443/TCP"]);
        holds(&page.terminal("kubectl get ep"), &["NAME", "ENDPOINTS", "AGE", "hu-nginx", "<none>"]);
        create(page, "deploy-nginx.yaml", DEPLOYMENT, "deployment.apps/hu-nginx created");
        page.terminal_until("kubectl get deployment", "2/2");
        let pods = page.terminal("kubectl get pod");
        assert_eq!(pods.lines().filter(|line| line.contains("1/1     Running")).count(), 2, "{pods}");
        let endpoints = page.terminal_until("kubectl get ep", "+ 1 more...");
        holds(&endpoints, &["hu-nginx", "10.244.", ":80,10.244.", ":80,10.244.", ":443 + 1 more..."]);
        let found = page.terminal("kubectl get ep | grep nginx");
        holds(&found, &["hu-nginx", "+ 1 more..."]);
        assert!(!found.contains("kubernetes "), "grep leaves the others out:\n{found}");
    });
}

#[test]
fn variables_are_those_of_services_older_than_the_pod() {
    visit("walk-variables", |page| {
        page.terminal("kubectl run early --image=busybox -- sleep 3600");
        page.terminal_until("kubectl get pod early", "Running");
        create(page, "service02.yaml", SERVICE, "service/hu-nginx created");
        create(page, "busybox.yaml", BUSYBOX, "pod/busybox created");
        page.terminal_until("kubectl get pod busybox", "Running");
        let address = cluster_ip(page, "hu-nginx");

        page.terminal("kubectl exec -it busybox -- sh");
        let variables = page.terminal("env");
        for variable in [
            format!("HU_NGINX_SERVICE_HOST={address}"),
            "HU_NGINX_SERVICE_PORT=80".to_owned(),
            "HU_NGINX_SERVICE_PORT_HTTPS=443".to_owned(),
            format!("HU_NGINX_PORT=tcp://{address}:80"),
            format!("HU_NGINX_PORT_443_TCP_ADDR={address}"),
            "KUBERNETES_SERVICE_HOST=10.96.0.1".to_owned(),
        ] {
            assert!(variables.lines().any(|line| line == variable), "{variable} is in:\n{variables}");
        }
        assert_eq!(page.terminal("echo ${HU_NGINX_SERVICE_HOST}"), address);
        page.terminal("exit");

        let early = page.terminal("kubectl exec early -- env");
        holds(&early, &["KUBERNETES_SERVICE_HOST"]);
        assert!(!early.contains("HU_NGINX"), "{early}");
    });
}

#[test]
fn names_resolve_by_the_search_path_of_the_pods_namespace() {
    visit("walk-names", |page| {
        create(page, "service02.yaml", SERVICE, "service/hu-nginx created");
        let address = cluster_ip(page, "hu-nginx");

        page.terminal("kubectl run -it --image=busybox:1.28.4 --rm --restart=Never sh");
        let answer = page.terminal("nslookup hu-nginx");
        holds(&answer, &["10.96.0.10", "Name:", "hu-nginx", &address, "hu-nginx.default.svc.cluster.local"]);
        holds(&page.terminal("nslookup kubernetes"), &["Name:", "kubernetes", "10.96.0.1"]);
        holds(&page.terminal("exit"), &["pod \"sh\" deleted"]);

        page.terminal("kubectl create namespace elsewhere");
        page.terminal("kubectl run -it -n elsewhere --image=busybox:1.28.4 --rm --restart=Never sh");
        holds(&page.terminal("nslookup hu-nginx"), &["can't resolve 'hu-nginx'"]);
        holds(&page.terminal("nslookup hu-nginx.default"), &["Name:", &address]);
        holds(&page.terminal("nslookup hu-nginx.default.svc.cluster.local"), &["Name:", &address]);
    });
}

#[test]
fn a_node_port_without_endpoints_says_why_and_answers_once_a_label_is_set() {
    visit("walk-node-port", |page| {
        create(page, "nodeport.yaml", NODE_PORT, "service/nginx-service created");
        page.terminal_until("kubectl get pod mypod", "Running");
        holds(&page.terminal("kubectl get ep nginx-service"), &["nginx-service", "<none>"]);
        let why = page.terminal("why svc/nginx-service");
        holds(&why, &["app=mypod"]);
        holds(&why, &["mypod"]);
        holds(&why, &["kubectl label pod mypod app=mypod"]);

        page.terminal("kubectl label pod mypod app=mypod");
        page.terminal_until("kubectl get ep nginx-service", ":80");
        let address = cluster_ip(page, "nginx-service");
        let service = page.terminal("kubectl get svc nginx-service");
        let port = service.split_once("80:").and_then(|(_, rest)| rest.split_once("/TCP"));
        let (port, _) = port.unwrap_or_else(|| panic!("no node port in:\n{service}"));

        page.terminal("ssh k8s-w1");
        // kube-proxy writes its rules once a second at most.
        page.terminal_until(&format!("curl {address}"), "Welcome to nginx!");
        page.terminal("exit");
        page.terminal_until(&format!("curl 192.168.1.72:{port}"), "Welcome to nginx!");
    });
}

#[test]
fn the_state_survives_a_reload() {
    visit("walk-reload", |page| {
        create(page, "service02.yaml", SERVICE, "service/hu-nginx created");
        let address = cluster_ip(page, "hu-nginx");
        page.reload();
        page.find("textbox", "Terminal");
        assert_eq!(cluster_ip(page, "hu-nginx"), address);
        page.click("tab", "service02.yaml");
        assert_eq!(page.yaml().trim(), SERVICE.trim());
    });
}
