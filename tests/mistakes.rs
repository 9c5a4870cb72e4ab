//! The mistakes that people make with Services: each is reproduced from YAML and commands, and must be found
//! by the explanation without being told, with a fix that works.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::cluster::Settings;
use portside::containers::{Reference, commands};
use portside::explain::connection::ConnectionCause;
use portside::explain::name::NameCause;
use portside::explain::pod::PodCause;
use portside::explain::refusal::RefusalCause;
use portside::explain::variables::VariableCause;
use portside::explain::workload::WorkloadCause;
use portside::explain::{self, Cause, Finding, Fix, ServiceCause, Severity};
use portside::shell::host::Host;
use portside::shell::places::{Address, Dialect, Place};
use portside::shell::terminal::Terminal;
use portside::simulation::Simulation;
use portside::words::Language;

/// How long a command may take, in virtual time.
const PATIENCE: Duration = Duration::from_secs(300);

struct World {
    host: Host,
    terminal: Terminal,
}

impl World {
    fn new() -> Self {
        let host = Host::new(Simulation::new(Settings::default()));
        let terminal = Terminal::new(&host, Place::workstation());
        Self { host, terminal }
    }

    /// A world to which a manifest was applied, after it came to rest.
    fn with(manifest: &str) -> Self {
        let world = Self::new();
        world.apply("m.yaml", manifest);
        world
    }

    fn apply(&self, file: &str, manifest: &str) {
        let written = self.write(file, manifest);
        assert!(written, "the workstation takes the file");
        let shown = self.run(&format!("kubectl apply -f {file}"));
        assert!(!shown.contains("error") && !shown.contains("invalid"), "{shown}");
        self.run("sleep 20");
    }

    fn write(&self, file: &str, text: &str) -> bool {
        let place = Place::workstation();
        let files = place.files(&self.host);
        files.borrow_mut().write(&format!("/root/{file}"), text).is_ok()
    }

    /// What a command line shows.
    fn run(&self, line: &str) -> String {
        let (chunks, _) = self.terminal.run(line, PATIENCE);
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    /// What a command line shows that is typed in a Pod of namespace `default`.
    fn run_in(&self, pod: &str, line: &str) -> String {
        let (uid, container) = self.host.with(|simulation| {
            let object = simulation.cluster.find(Kind::Pod, "default", pod).expect("the Pod exists");
            let container = object.as_pod().expect("it is a Pod").spec.containers[0].clone();
            (object.meta.uid.to_string(), container)
        });
        let contents = commands::contents(&Reference::parse(&container.image).expect("the image is valid"));
        let held: Vec<String> = contents.commands.iter().map(|name| (*name).to_owned()).collect();
        let address = Address::Container {
            namespace: "default".to_owned(),
            pod: pod.to_owned(),
            uid,
            container: container.name.to_string(),
        };
        let mut place = Place::container(address, pod, Dialect::Ash, Rc::from(held), Vec::new());
        place.busybox = contents.busybox;
        let terminal = Terminal::new(&self.host, place);
        let (chunks, _) = terminal.run(line, PATIENCE);
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    fn findings(&self, asked: &str) -> Vec<Finding> {
        self.host.with(|simulation| {
            let keys = explain::meant(&simulation.cluster, asked, "default");
            explain::object(&simulation.cluster, keys.first().expect("the object exists"))
        })
    }

    /// What `why` alone finds.
    fn failure(&self) -> Vec<Finding> {
        self.host
            .with(|simulation| explain::last_failure(&simulation.cluster, simulation.incidents.commands()))
    }

    fn cluster_ip(&self, name: &str) -> IpAddr {
        self.host.with(|simulation| {
            let object = simulation.cluster.find(Kind::Service, "default", name).expect("the Service exists");
            object.as_service().and_then(|service| service.cluster_ip()).expect("it has an address")
        })
    }

    fn pod_of(&self, prefix: &str) -> Key {
        self.host.with(|simulation| {
            let mut pods = simulation.cluster.list(Kind::Pod, Some("default"));
            pods.find(|pod| pod.name().starts_with(prefix)).expect("such a Pod exists").key.clone()
        })
    }

    /// Runs the first command that a finding names, and says whether the object is well afterwards.
    #[track_caller]
    fn fix_and_check(&self, finding: &Finding, asked: &str) {
        let command = finding.fixes.iter().find_map(|fix| match fix {
            Fix::Command(command) => Some(command.clone()),
            Fix::Edit { .. } => None,
        });
        let command = command.expect("the finding names a command");
        let shown = self.run(&command);
        self.run("sleep 20");
        let after = self.findings(asked);
        assert!(
            after.iter().all(|finding| finding.severity != Severity::Problem),
            "{command} does not help:\n{shown}\n{after:?}"
        );
    }
}

fn first(findings: &[Finding]) -> (&Cause, &Finding) {
    let finding = findings.first().expect("something is found");
    (&finding.cause, finding)
}

fn commands(finding: &Finding) -> Vec<&str> {
    finding
        .fixes
        .iter()
        .filter_map(|fix| match fix {
            Fix::Command(command) => Some(command.as_str()),
            Fix::Edit { .. } => None,
        })
        .collect()
}

fn edits(finding: &Finding) -> Vec<(&str, &str)> {
    finding
        .fixes
        .iter()
        .filter_map(|fix| match fix {
            Fix::Edit { field, value, .. } => Some((field.as_str(), value.as_str())),
            Fix::Command(_) => None,
        })
        .collect()
}

/// A Deployment with one container.
fn deployment(name: &str, labels: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {labels}}}\n  template:\n    metadata: {{labels: {labels}}}\n    spec:\n      containers:\n      - {container}\n---\n"
    )
}

/// A Service; `spec` in flow style.
fn service(name: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n")
}

const NGINX: &str = "{name: nginx, image: nginx, ports: [{containerPort: 80}]}";

fn web(spec: &str) -> World {
    World::with(&(deployment("web", "{app: web}", NGINX) + &service("web", spec)))
}

#[test]
fn a_selector_that_matches_no_label_names_the_pod_without_it_and_a_label_fixes_it() {
    let world = World::with(include_str!("mistakes/nodeport.yaml"));
    let findings = world.findings("svc/nginx-service");
    let (cause, finding) = first(&findings);
    let Cause::Service(ServiceCause::NothingMatches { selector, nearest: Some(near), .. }) = cause else {
        panic!("{findings:?}");
    };
    assert_eq!((selector.as_str(), near.pod.name.as_str(), near.labels.len()), ("app=mypod", "mypod", 0));
    assert_eq!(commands(finding), ["kubectl label pod mypod app=mypod"]);
    let shown = world.run("why svc/nginx-service");
    for words in ["no Pod matches app=mypod", "pod/mypod has no labels", "m.yaml, line 23: spec.selector.app"]
    {
        assert!(shown.contains(words), "{words:?} in:\n{shown}");
    }
    world.fix_and_check(finding, "svc/nginx-service");
}

#[test]
fn a_selector_with_one_wrong_letter_is_compared_with_the_deployments_label() {
    let world = web("{selector: {app: wbe}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    let Cause::Service(ServiceCause::NothingMatches { nearest: Some(near), .. }) = cause else {
        panic!("{findings:?}");
    };
    assert_eq!(near.differences[0].found.as_deref(), Some("web"));
    assert_eq!(edits(finding), [("spec.selector.app", "web")]);
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_selector_with_a_wrong_key_is_compared_with_the_label_that_looks_like_it() {
    let world = web("{selector: {ap: web}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    let Cause::Service(ServiceCause::NothingMatches { nearest: Some(near), .. }) = cause else {
        panic!("{findings:?}");
    };
    assert_eq!(near.differences[0].lookalike.as_deref(), Some("app"));
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_selector_whose_pods_are_in_another_namespace_says_so() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    world.run("kubectl create namespace prod");
    world.apply("s.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: prod}\nspec: {selector: {app: web}, ports: [{port: 80}]}");
    let found = world
        .host
        .with(|simulation| explain::service(&simulation.cluster, &Key::new(Kind::Service, "prod", "web")));
    let (cause, _) = first(&found);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::MatchesElsewhere { namespace, pods: 2, .. }) if namespace == "default"),
        "{found:?}"
    );
}

#[test]
fn a_target_port_where_nothing_listens_names_the_open_port_although_it_is_declared() {
    let container = "{name: c, image: nginx, ports: [{containerPort: 8080}]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::NothingListens { target: 8080, open, declared: true, .. }) if open[..] == [80]),
        "{findings:?}"
    );
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 curl {address}"));
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NothingListens { port: 8080, .. })),
        "{failure:?}"
    );
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_named_target_port_that_pods_lack_names_the_port_that_they_have() {
    let container = "{name: c, image: nginx, ports: [{name: http, containerPort: 80}]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: htpp}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::NoSuchNamedPort { name, .. }) if name == "htpp"),
        "{findings:?}"
    );
    world.fix_and_check(finding, "svc/web");
}

#[test]
fn a_process_on_loopback_is_seen() {
    let container = "{name: c, image: hashicorp/http-echo, args: [\"-text=hi\", \"-listen=127.0.0.1:5678\"]}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80, targetPort: 5678}]}")),
    );
    let findings = world.findings("svc/web");
    assert!(
        matches!(first(&findings).0, Cause::Service(ServiceCause::OnlyLoopback { target: 5678, .. })),
        "{findings:?}"
    );
}

#[test]
fn a_cluster_ip_from_outside_names_what_works_from_there() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("curl -m 2 {address}"));
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Connection(ConnectionCause::InsideOnly { of: Some(of), instead: None, .. }) if of.name == "web"),
        "{failure:?}"
    );
    assert_eq!(edits(finding), [("spec.type", "NodePort")]);
    let shown = world.run("why");
    assert!(shown.contains("exists inside the cluster only"), "{shown}");
}

#[test]
fn a_load_balancer_without_a_controller_stays_pending_and_its_node_port_works() {
    let world = web("{type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    let pending =
        findings.iter().find(|finding| matches!(finding.cause, Cause::Service(ServiceCause::Pending { .. })));
    let pending = pending.unwrap_or_else(|| panic!("{findings:?}"));
    let shown = world.run(commands(pending)[0]);
    assert!(shown.contains("Welcome to nginx"), "{shown}");
}

#[test]
fn a_node_port_on_the_wrong_port_lists_the_node_ports_that_there_are() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    world.run("curl 192.168.1.73:30081");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NothingListens { node_ports, .. }) if node_ports.iter().any(|(key, port)| key.name == "web" && *port == 30080)),
        "{failure:?}"
    );
}

#[test]
fn a_port_that_the_service_does_not_have_is_told_from_its_node_port() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 curl -m 2 {address}:30080"));
    let failure = world.failure();
    assert!(
        matches!(
            first(&failure).0,
            Cause::Connection(ConnectionCause::NoSuchPort {
                asked: 30080,
                is_node_port: true,
                silent: true,
                ..
            })
        ),
        "{failure:?}"
    );
}

const BUSYBOX: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: busybox}\nspec: {containers: [{name: b, image: \"busybox:TAG\", command: [sleep, \"3600\"]}]}\n---\n";

fn busybox(tag: &str) -> String {
    BUSYBOX.replace("TAG", tag)
}

#[test]
fn nslookup_of_a_newer_busybox_is_told_from_a_missing_name() {
    let world =
        World::with(&(busybox("1.36") + &service("web", "{selector: {app: web}, ports: [{port: 80}]}")));
    world.run_in("busybox", "nslookup web.default");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Name(NameCause::NotSearched { full }) if full == "web.default.svc.cluster.local"),
        "{failure:?}"
    );
    let shown = world.run_in("busybox", "nslookup web.default.svc.cluster.local");
    assert!(shown.contains(&world.cluster_ip("web").to_string()), "{shown}");
}

#[test]
fn a_short_name_across_namespaces_names_the_namespace() {
    let world = World::with(&busybox("1.28.4"));
    world.run("kubectl create namespace prod");
    world.apply(
        "s.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: prod}\nspec: {ports: [{port: 80}]}",
    );
    world.run_in("busybox", "nslookup shop");
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Name(NameCause::OtherNamespace { service, .. }) if service.namespace == "prod"),
        "{failure:?}"
    );
    assert_eq!(commands(finding), ["nslookup shop.prod"]);
}

#[test]
fn a_misspelt_name_names_the_service_that_is_meant() {
    let world = World::with(&(busybox("1.28.4") + &service("hostnames", "{ports: [{port: 80}]}")));
    world.run_in("busybox", "wget -q -O- http://hostname");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Name(NameCause::NoSuchService { nearest: Some(near), .. }) if near.name == "hostnames"),
        "{failure:?}"
    );
}

#[test]
fn cluster_names_outside_of_pods_are_explained() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    world.run("ssh k8s-w1 curl -m 2 web");
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Name(NameCause::NotInAPod { on_node: true, service: Some(_), .. })),
        "{failure:?}"
    );
    assert_eq!(commands(finding), [format!("curl http://{}:80", world.cluster_ip("web"))]);
}

#[test]
fn a_headless_service_without_ready_pods_has_no_addresses() {
    let world = World::with(
        &(busybox("1.28.4")
            + &service("db", "{clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}")),
    );
    world.run_in("busybox", "nslookup db");
    let failure = world.failure();
    assert!(matches!(first(&failure).0, Cause::Name(NameCause::NoReadyPods { .. })), "{failure:?}");
}

#[test]
fn running_is_not_ready_and_the_probe_on_a_closed_port_is_to_blame() {
    let container =
        "{name: c, image: nginx, readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}}";
    let world = World::with(
        &(deployment("web", "{app: web}", container)
            + &service("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    );
    let findings = world.findings("svc/web");
    let (cause, finding) = first(&findings);
    let Cause::Service(ServiceCause::NotReady { ready: 0, of: 2, unready }) = cause else {
        panic!("{findings:?}");
    };
    assert!(
        matches!(&unready[0].cause, PodCause::NotReady { probe: Some(probe), open, .. } if probe.number == Some(8080) && open[..] == [80])
    );
    assert_eq!(edits(finding), [("spec.template.spec.containers[0].readinessProbe.httpGet.port", "80")]);
}

#[test]
fn variables_are_missing_in_older_pods_other_namespaces_and_for_headless_services() {
    let world = World::with(&busybox("1.28.4"));
    world.run("kubectl create namespace prod");
    world.apply(
        "s.yaml",
        &(service("hu-nginx", "{ports: [{port: 80}]}")
            + &service("none", "{clusterIP: None, ports: [{port: 80}]}")
            + "apiVersion: v1\nkind: Service\nmetadata: {name: far, namespace: prod}\nspec: {ports: [{port: 80}]}"),
    );
    let ask = |variable: &str| {
        world.host.with(|simulation| {
            let pod = Key::new(Kind::Pod, "default", "busybox");
            let found =
                explain::variables::variable(&simulation.cluster, &simulation.runtime, &pod, variable);
            found[0].cause.clone()
        })
    };
    assert!(matches!(ask("HU_NGINX_SERVICE_HOST"), Cause::Variable(VariableCause::OlderPod { .. })));
    assert!(matches!(ask("FAR_SERVICE_HOST"), Cause::Variable(VariableCause::OtherNamespace { .. })));
    assert!(matches!(
        ask("NONE_SERVICE_HOST"),
        Cause::Variable(VariableCause::NeverGiven { headless: true })
    ));
    assert!(matches!(ask("KUBERNETES_SERVICE_HOST"), Cause::Variable(VariableCause::Present { .. })));
    let shown = world.run("why HU_NGINX_SERVICE_HOST pod/busybox");
    assert!(shown.contains("it started before the Service was made"), "{shown}");
}

#[test]
fn a_local_policy_names_the_nodes_that_answer() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {nodeName: k8s-w2, containers: [{name: c, image: nginx}]}\n---\n";
    let world = World::with(
        &(pod.to_owned()
            + &service(
                "web",
                "{type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}",
            )),
    );
    let findings = world.findings("svc/web");
    let local = findings.iter().find_map(|finding| match &finding.cause {
        Cause::Service(ServiceCause::LocalOnly { external: true, with, .. }) => Some(with.clone()),
        _ => None,
    });
    assert_eq!(local.unwrap_or_default(), ["k8s-w2"], "{findings:?}");
    world.run("curl -m 2 192.168.1.73:30080");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NoLocalEndpoints { node, external: true }) if node == "k8s-w1"),
        "{failure:?}"
    );
}

#[test]
fn a_service_does_not_answer_ping() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let address = world.cluster_ip("web");
    world.run(&format!("ssh k8s-w1 ping -c 1 -W 1 {address}"));
    let failure = world.failure();
    assert!(matches!(first(&failure).0, Cause::Connection(ConnectionCause::Ping)), "{failure:?}");
}

#[test]
fn a_headless_service_is_used_by_the_pods_own_port() {
    let world = web("{clusterIP: None, selector: {app: web}, ports: [{port: 8080, targetPort: 80}]}");
    let findings = world.findings("svc/web");
    let note = findings.iter().any(|finding| {
        matches!(finding.cause, Cause::Service(ServiceCause::HeadlessPort { port: 8080, .. }))
    });
    assert!(note, "{findings:?}");
}

#[test]
fn a_selector_that_is_too_broad_names_both_workloads_and_the_label_between_them() {
    let world = World::with(
        &(deployment("web", "{app: shop, part: web}", NGINX)
            + &deployment("api", "{app: shop, part: api}", NGINX)
            + &service("web", "{selector: {app: shop}, ports: [{port: 80}]}")),
    );
    let findings = world.findings("svc/web");
    let broad = findings
        .iter()
        .find(|finding| matches!(finding.cause, Cause::Service(ServiceCause::TooBroad { .. })));
    let broad = broad.unwrap_or_else(|| panic!("{findings:?}"));
    world.run(commands(broad)[0]);
    world.run("sleep 5");
    let after = world.findings("svc/web");
    assert!(
        !after.iter().any(|finding| matches!(finding.cause, Cause::Service(ServiceCause::TooBroad { .. }))),
        "{after:?}"
    );
}

#[test]
fn a_service_without_a_selector_names_the_slice_without_its_label() {
    let world = World::with(
        &(service("db", "{ports: [{port: 5432}]}")
            + "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db-1}\naddressType: IPv4\nports: [{port: 5432}]\nendpoints: [{addresses: [192.0.2.9]}]"),
    );
    let findings = world.findings("svc/db");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Service(ServiceCause::NoSelector { unlabelled }) if unlabelled[..] == ["db-1"]),
        "{findings:?}"
    );
    world.fix_and_check(finding, "svc/db");
}

#[test]
fn an_external_name_is_an_alias() {
    let world = World::with(&service("db", "{type: ExternalName, externalName: db.example.com}"));
    let findings = world.findings("svc/db");
    assert!(matches!(first(&findings).0, Cause::Service(ServiceCause::Alias { .. })), "{findings:?}");
}

#[test]
fn session_affinity_behind_a_node_is_noted() {
    let world = web("{type: NodePort, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}");
    let findings = world.findings("svc/web");
    assert!(
        findings.iter().any(|finding| finding.cause == Cause::Service(ServiceCause::AffinityBehindNode)),
        "{findings:?}"
    );
}

#[track_caller]
fn check_refusal(
    before: &str,
    manifest: &str,
    expected: fn(&RefusalCause) -> bool,
    edit: Option<(&str, &str)>,
) {
    let world = World::new();
    if !before.is_empty() {
        world.apply("before.yaml", before);
    }
    assert!(world.write("bad.yaml", manifest));
    let shown = world.run("kubectl apply -f bad.yaml");
    let failure = world.failure();
    let found =
        failure.iter().find(|finding| matches!(&finding.cause, Cause::Refusal(cause) if expected(cause)));
    let found = found.unwrap_or_else(|| panic!("{shown}\n{failure:?}"));
    if let Some(edit) = edit {
        assert!(edits(found).contains(&edit), "{:?}", found.fixes);
    }
}

#[test]
fn refusals_of_the_api_server_say_what_would_be_accepted() {
    let node_port = "{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}";
    check_refusal(
        "",
        &service("web", "{selector: {app: web}, ports: [{port: 80}, {port: 443}]}"),
        |cause| matches!(cause, RefusalCause::PortNameMissing { .. }),
        Some(("spec.ports[0].name", "http")),
    );
    check_refusal(
        "",
        &service("web", "{type: NodePort, ports: [{port: 80, nodePort: 80}]}"),
        |cause| matches!(cause, RefusalCause::NodePortRange { .. }),
        Some(("spec.ports[0].nodePort", "30000")),
    );
    check_refusal(
        &service("a", node_port),
        &service("b", node_port),
        |cause| matches!(cause, RefusalCause::NodePortTaken { by: Some(by), .. } if by.name == "a"),
        Some(("spec.ports[0].nodePort", "30081")),
    );
    check_refusal(
        &service("web", "{clusterIP: 10.96.50.1, ports: [{port: 80}]}"),
        &service("web", "{clusterIP: 10.96.50.2, ports: [{port: 80}]}"),
        |cause| matches!(cause, RefusalCause::ClusterIpImmutable),
        Some(("spec.clusterIP", "10.96.50.1")),
    );
    check_refusal(
        &service("a", "{clusterIP: 10.96.50.1, ports: [{port: 80}]}"),
        &service("b", "{clusterIP: 10.96.50.1, ports: [{port: 80}]}"),
        |cause| matches!(cause, RefusalCause::AddressTaken { by: Some(by), .. } if by.name == "a"),
        None,
    );
    check_refusal(
        "",
        &service("web", "{prots: [{port: 80}]}"),
        |cause| matches!(cause, RefusalCause::UnknownField { meant: Some(meant), .. } if meant == "spec.ports"),
        None,
    );
    check_refusal(
        "",
        &service("web", "{type: Nodeport, ports: [{port: 80}]}"),
        |cause| matches!(cause, RefusalCause::NotSupported { meant: Some(meant), .. } if meant == "NodePort"),
        Some(("spec.type", "NodePort")),
    );
    check_refusal(
        "",
        &deployment("web", "{app: web}", NGINX).replacen(
            "metadata: {labels: {app: web}}",
            "metadata: {labels: {app: wbe}}",
            1,
        ),
        |cause| matches!(cause, RefusalCause::TemplateMismatch { .. }),
        Some(("spec.template.metadata.labels", "{ app: web }")),
    );
    check_refusal(
        "",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: nosuch}\nspec: {ports: [{port: 80}]}",
        |cause| matches!(cause, RefusalCause::NoSuchNamespace { .. }),
        None,
    );
}

#[test]
fn an_object_that_is_not_there_names_the_one_that_is_meant() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    world.run("kubectl get svc wbe");
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Refusal(RefusalCause::NotFound { nearest: Some(near), .. }) if near.name == "web"),
        "{failure:?}"
    );
}

#[test]
fn an_image_that_does_not_exist_names_the_one_that_does_and_the_service_says_so_too() {
    let world = World::with(
        &(deployment("web", "{app: web}", "{name: c, image: \"ngnix:1.25\"}")
            + &service("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    );
    let findings = world.findings("deploy/web");
    let (cause, finding) = first(&findings);
    assert!(
        matches!(cause, Cause::Workload(WorkloadCause::PodsNotReady { pod: Some((_, PodCause::Image { meant: Some(meant), .. })), .. }) if meant == "nginx:1.25"),
        "{findings:?}"
    );
    assert_eq!(commands(finding), ["kubectl set image deploy/web c=nginx:1.25"]);
    let findings = world.findings("svc/web");
    assert!(
        matches!(first(&findings).0, Cause::Service(ServiceCause::NotReady { ready: 0, .. })),
        "{findings:?}"
    );
}

#[test]
fn a_shell_without_a_terminal_ends_at_once_and_is_told_to_do_something() {
    let world = World::with(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: b, image: busybox}]}",
    );
    let findings = world.findings("pod/b");
    assert!(matches!(first(&findings).0, Cause::Pod(PodCause::Crashes { idle: true, .. })), "{findings:?}");
}

#[test]
fn an_address_of_a_pod_that_is_gone_is_remembered() {
    let world = web("{selector: {app: web}, ports: [{port: 80}]}");
    let pod = world.pod_of("web-");
    let address = world.host.with(|simulation| {
        simulation.cluster.get(&pod).and_then(|object| object.as_pod()?.ip()).expect("it has an address")
    });
    world.run(&format!("kubectl delete pod {}", pod.name));
    world.run("sleep 40");
    world.run(&format!("ssh k8s-w1 curl -m 5 {address}"));
    let failure = world.failure();
    assert!(
        matches!(first(&failure).0, Cause::Connection(ConnectionCause::NobodyHas { was: Some(was), .. }) if *was == pod),
        "{failure:?}"
    );
}

#[test]
fn a_service_that_works_shows_how_a_packet_goes() {
    let world = web("{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}");
    let findings = world.findings("svc/web");
    let Cause::Service(ServiceCause::Works { routes, .. }) = first(&findings).0 else {
        panic!("{findings:?}")
    };
    assert_eq!((routes[0].port, routes[0].node_port, routes[0].endpoints.len()), (80, 30080, 2));
    let shown = world.run("why svc/web");
    assert!(shown.contains("✓ svc/web works.") && shown.contains("any node:30080"), "{shown}");
}

#[test]
fn why_speaks_both_languages_and_knows_what_does_not_exist() {
    let world = web("{selector: {app: wbe}, ports: [{port: 80}]}");
    world.host.set_language(Language::Chinese);
    let shown = world.run("why svc/web");
    assert!(shown.contains("没有端点") && shown.contains("试试："), "{shown}");
    world.host.set_language(Language::English);
    let shown = world.run("why svc/wbe");
    assert!(shown.contains("There is no svc/wbe") && shown.contains("why svc/web"), "{shown}");
    let shown = world.run("why");
    assert!(shown.contains("Nothing has failed of late"), "{shown}");
    world.run("nosuchprogram");
    let shown = world.run("why");
    assert!(shown.contains("There is no program nosuchprogram here"), "{shown}");
}
