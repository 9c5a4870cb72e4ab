//! The walk that Portside grew from, typed as people type it, on a new cluster.

mod typist;

use std::time::Duration;

use typist::{Typist, holds};

/// The cell of a table: the row that begins with `name`, the column that is headed `column`.
#[track_caller]
fn cell<'a>(table: &'a str, name: &str, column: &str) -> &'a str {
    let mut lines = table.lines().skip_while(|line| !line.starts_with("NAME"));
    let at = lines.next().and_then(|header| header.find(column));
    let line = lines.find(|line| line.split_whitespace().next() == Some(name));
    let (Some(at), Some(line)) = (at, line) else { panic!("no {column} of {name} in:\n{table}") };
    line[at..].split_whitespace().next().unwrap_or_default()
}

fn cluster_ip(person: &Typist, service: &str) -> String {
    cell(&person.types(&format!("kubectl get svc {service}")), service, "CLUSTER-IP").to_owned()
}

/// A cluster in which the Service and the Deployment of the walk run.
fn with_hu_nginx() -> Typist {
    let person = Typist::new();
    person.copies("service02.yaml");
    person.copies("deploy-nginx.yaml");
    person.sees("kubectl create -f service02.yaml", "service/hu-nginx created", 0);
    person.sees("kubectl create -f deploy-nginx.yaml", "deployment.apps/hu-nginx created", 0);
    person.types_until("kubectl get deployment", "2/2");
    person
}

#[test]
fn endpoints_follow_the_deployment() {
    let person = Typist::new();
    person.copies("service02.yaml");
    person.copies("deploy-nginx.yaml");
    person.sees("kubectl create -f service02.yaml", "service/hu-nginx created", 0);
    holds(
        &person.types("kubectl get svc"),
        &["NAME", "TYPE", "CLUSTER-IP", "hu-nginx", "ClusterIP", "<none>", "80/TCP,443/TCP", "kubernetes"],
    );
    let endpoints = person.types_until("kubectl get ep", "hu-nginx");
    assert_eq!(cell(&endpoints, "hu-nginx", "ENDPOINTS"), "<none>");

    person.sees("kubectl create -f deploy-nginx.yaml", "deployment.apps/hu-nginx created", 0);
    holds(&person.types("kubectl get deployment"), &["NAME", "READY", "hu-nginx", "/2"]);
    person.types_until("kubectl get deployment", "2/2");
    let pods = person.types("kubectl get pod");
    assert_eq!(pods.lines().filter(|line| line.contains("1/1     Running")).count(), 2, "{pods}");

    let endpoints = person.types("kubectl get ep");
    holds(&endpoints, &["hu-nginx", ":80,10.244.", ":80,10.244.", ":443 + 1 more...", "kubernetes"]);
    let found = person.types("kubectl get ep | grep nginx");
    holds(&found, &["hu-nginx", "+ 1 more..."]);
    assert!(!found.contains("kubernetes "), "grep leaves the others out:\n{found}");
}

#[test]
fn the_service_answers_from_its_pods_and_from_nodes_but_not_from_outside() {
    let person = with_hu_nginx();
    let address = cluster_ip(&person, "hu-nginx");
    person.sees("ssh k8s-w1", "", 0);
    holds(&person.types(&format!("curl {address}")), &["Welcome to nginx!"]);
    holds(&person.types(&format!("curl -s {address}:443")), &[]);
    assert_eq!(person.terminal.status(), 7, "nothing listens on 443");
    person.types("exit");
    let outside = person.types(&format!("curl -m 3 {address}"));
    holds(&outside, &["curl: (28)"]);
}

#[test]
fn variables_are_those_of_services_older_than_the_pod() {
    let person = Typist::new();
    person.writes("early.yaml", &busybox("early"));
    person.copies("service02.yaml");
    person.copies("busybox.yaml");
    person.sees("kubectl create -f early.yaml", "pod/early created", 0);
    person.types_until("kubectl get pod early", "Running");
    person.sees("kubectl create -f service02.yaml", "service/hu-nginx created", 0);
    person.sees("kubectl create -f busybox.yaml", "pod/busybox created", 0);
    person.types_until("kubectl get pod busybox", "Running");
    let address = cluster_ip(&person, "hu-nginx");

    person.types("kubectl exec -it busybox -- sh");
    assert_eq!(person.terminal.prompt(), "/ # ");
    let variables = person.types("env");
    for variable in [
        format!("HU_NGINX_SERVICE_HOST={address}"),
        "HU_NGINX_SERVICE_PORT=80".to_owned(),
        "HU_NGINX_SERVICE_PORT_HTTP=80".to_owned(),
        "HU_NGINX_SERVICE_PORT_HTTPS=443".to_owned(),
        format!("HU_NGINX_PORT=tcp://{address}:80"),
        format!("HU_NGINX_PORT_80_TCP=tcp://{address}:80"),
        format!("HU_NGINX_PORT_443_TCP_ADDR={address}"),
        "HU_NGINX_PORT_443_TCP_PROTO=tcp".to_owned(),
        "KUBERNETES_SERVICE_HOST=10.96.0.1".to_owned(),
    ] {
        assert!(variables.lines().any(|line| line == variable), "{variable} is in:\n{variables}");
    }
    person.sees("echo ${HU_NGINX_SERVICE_HOST}", &address, 0);
    person.types("exit");
    assert_eq!(person.terminal.prompt(), "[root@ci-base ~]# ");

    let early = person.types("kubectl exec early -- env");
    holds(&early, &["KUBERNETES_SERVICE_HOST"]);
    assert!(!early.contains("HU_NGINX"), "{early}");
}

fn busybox(name: &str) -> String {
    include_str!("examples/busybox.yaml").replace("name: busybox", &format!("name: {name}"))
}

#[test]
fn names_resolve_by_the_search_path_of_the_pods_namespace() {
    let person = with_hu_nginx();
    let address = cluster_ip(&person, "hu-nginx");
    holds(
        &person.types("kubectl run -it --image=busybox:1.28.4 --rm --restart=Never sh"),
        &["If you don't see a command prompt, try pressing enter."],
    );
    let answer = person.types("nslookup hu-nginx");
    holds(&answer, &["10.96.0.10", "Name:", "hu-nginx", &address, "hu-nginx.default.svc.cluster.local"]);
    holds(&person.types("nslookup kubernetes"), &["Name:", "kubernetes", "10.96.0.1"]);
    holds(&person.types("wget -q -O - hu-nginx"), &["Welcome to nginx!"]);
    holds(&person.types("exit"), &["pod \"sh\" deleted"]);
    holds(&person.types("kubectl get pod sh"), &["pods \"sh\" not found"]);

    person.sees("kubectl create namespace elsewhere", "namespace/elsewhere created", 0);
    person.types("kubectl run -it -n elsewhere --image=busybox:1.28.4 --rm --restart=Never sh");
    holds(&person.types("nslookup hu-nginx"), &["can't resolve 'hu-nginx'"]);
    holds(&person.types("nslookup hu-nginx.default"), &["Name:", &address]);
    holds(&person.types("nslookup hu-nginx.default.svc.cluster.local"), &["Name:", &address]);
    person.types("exit");
}

#[test]
fn a_node_port_without_endpoints_answers_once_its_label_is_set() {
    let person = Typist::new();
    person.copies("nodeport.yaml");
    person.sees("kubectl create -f nodeport.yaml", "pod/mypod created\nservice/nginx-service created", 0);
    person.types_until("kubectl get pod mypod", "Running");
    let none = person.types("kubectl get ep nginx-service");
    assert_eq!(cell(&none, "nginx-service", "ENDPOINTS"), "<none>");
    let service = person.types("kubectl get svc nginx-service");
    let ports = cell(&service, "nginx-service", "PORT(S)");
    let port = ports.trim_start_matches("80:").trim_end_matches("/TCP").to_owned();
    assert!((30_000..32_768).contains(&port.parse::<u16>().expect("a node port")), "{service}");
    holds(&person.types(&format!("curl 192.168.1.72:{port}")), &["curl: (7)", "192.168.1.72", &port]);

    let why = person.types("why svc/nginx-service");
    holds(&why, &["app=mypod"]);
    holds(&why, &["kubectl label pod mypod app=mypod"]);

    person.sees("kubectl label pod mypod app=mypod", "pod/mypod labeled", 0);
    person.types_until("kubectl get ep nginx-service", ":80");
    holds(&person.types(&format!("curl 192.168.1.72:{port}")), &["Welcome to nginx!"]);
    let address = cluster_ip(&person, "nginx-service");
    person.types("ssh k8s-w1");
    assert_eq!(person.terminal.prompt(), "[root@k8s-w1 ~]# ");
    holds(&person.types(&format!("curl {address}")), &["<title>Welcome to nginx!</title>"]);
    person.types("exit");
    assert_eq!(person.terminal.prompt(), "[root@ci-base ~]# ");
}

#[test]
fn loops_send_again_and_again() {
    let person = with_hu_nginx();
    let address = cluster_ip(&person, "hu-nginx");
    person.types("ssh k8s-w2");
    let pages = person.types(&format!("for i in 1 2 3; do curl -s {address} | grep title; done"));
    assert_eq!(pages.matches("<title>Welcome to nginx!</title>").count(), 3, "{pages}");

    let endless =
        format!("while true; do curl -s -o /dev/null -w '%{{http_code}}\\n' {address}; sleep 1; done");
    let codes = person.starts(&endless, Duration::from_secs(10));
    assert!((9..=11).contains(&codes.matches("200\n").count()), "one answer a second:\n{codes}");
    assert!(person.terminal.is_busy());
    person.interrupts();
    person.sees("echo still here", "still here", 0);
}

#[test]
fn watching_streams_until_interrupted() {
    let person = with_hu_nginx();
    let shown = person.starts("kubectl get pods -w", Duration::from_secs(5));
    assert_eq!(shown.lines().count(), 3, "a header and two Pods:\n{shown}");
    // Somebody else scales while the first watches.
    let other =
        portside::shell::terminal::Terminal::new(&person.host, portside::shell::places::Place::workstation());
    other.submit("kubectl scale deployment hu-nginx --replicas=3");
    let news = person.watches(Duration::from_secs(20));
    holds(&news, &["0/1     Pending", "0/1     ContainerCreating", "1/1     Running"]);
    assert!(!news.contains("NAME"), "the header stands once:\n{news}");
    person.interrupts();

    person.starts("watch -n 1 kubectl get pods", Duration::from_secs(3));
    assert!(person.terminal.is_busy(), "watch goes on");
    person.interrupts();
}

#[test]
fn tab_offers_verbs_kinds_names_flags_and_files() {
    let person = with_hu_nginx();
    let offers = |line: &str| -> Vec<String> {
        let completions = person.terminal.complete(line, line.len());
        completions.candidates.0.into_iter().map(|candidate| candidate.text).collect()
    };
    let check = |line: &str, words: &[&str]| {
        let offered = offers(line);
        for word in words {
            assert!(offered.iter().any(|one| one == word), "{word} for {line:?} among {offered:?}");
        }
    };
    check("kubec", &["kubectl"]);
    check("kubectl ge", &["get"]);
    check("kubectl get depl", &["deployments"]);
    check("kubectl get ", &["pods", "services", "deployments", "endpoints"]);
    check("kubectl get svc ", &["hu-nginx", "kubernetes"]);
    check("kubectl delete svc hu", &["hu-nginx"]);
    check("kubectl scale deployment hu", &["hu-nginx"]);
    check("kubectl get svc/hu", &["svc/hu-nginx"]);
    check("kubectl get pods -n kube-s", &["kube-system"]);
    check("kubectl -n kube-system get deploy core", &["coredns"]);
    check("kubectl get pods --show-l", &["--show-labels"]);
    check("kubectl create -f serv", &["service02.yaml"]);
    check("kubectl apply -f ", &["service02.yaml", "deploy-nginx.yaml"]);
    check("ls && cat dep", &["deploy-nginx.yaml"]);
    check("ssh k8s-w", &["k8s-w1", "k8s-w2"]);
    check("curl 192.168.1.7", &["192.168.1.72"]);
    check("curl 10.96.0.1", &["10.96.0.1", "10.96.0.10"]);
    check("ping k8s-", &["k8s-master", "k8s-w1"]);
    check("kubectl label node k8s-w", &["k8s-w1"]);
    let pods = offers("kubectl delete pod hu-nginx-");
    assert_eq!(pods.len(), 2, "{pods:?}");
    person.types("kubectl config set-context --current --namespace=kube-system");
    check("kubectl get deploy ", &["coredns"]);
}

#[test]
fn machines_know_each_other_by_their_hosts_files() {
    let person = with_hu_nginx();
    holds(&person.types("cat /etc/hosts"), &["127.0.0.1", "localhost", "192.168.1.72", "k8s-master"]);
    holds(&person.types("cat /etc/hostname /etc/resolv.conf"), &["ci-base", "nameserver"]);
    let address = cluster_ip(&person, "hu-nginx");
    person.types("ssh 192.168.1.72");
    person.sees("hostname", "k8s-master", 0);
    person.types(&format!("echo {address} shop >> /etc/hosts"));
    holds(&person.types("curl shop"), &["Welcome to nginx!"]);
    person.types("exit");
    holds(&person.types("curl shop"), &["curl: (6) Could not resolve host: shop"]);
}
