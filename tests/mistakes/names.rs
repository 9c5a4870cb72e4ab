//! Names and variables that are missing.

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::explain::name::NameCause;
use portside::explain::variables::VariableCause;
use portside::explain::{self, Cause};
use portside::words::Language;

use crate::world::{World, commands, first, service, web};

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
    let typed = format!("ssh k8s-w1 'curl http://{}:80'", world.cluster_ip("web"));
    assert_eq!(commands(finding), [typed.as_str()]);
    let shown = world.run(&typed);
    assert!(shown.contains("Welcome to nginx"), "{shown}");
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
fn an_alias_of_a_name_that_nobody_knows_is_told_from_a_missing_name() {
    let world = World::with(
        &(busybox("1.36") + &service("db", "{type: ExternalName, externalName: nosuch.example.org}")),
    );
    world.run("kubectl exec busybox -- wget -q -O- -T 2 http://db");
    let failure = world.failure();
    let (cause, finding) = first(&failure);
    assert!(
        matches!(cause, Cause::Name(NameCause::AliasUnresolved { target }) if target == "nosuch.example.org"),
        "{failure:?}"
    );
    assert_eq!(finding.field, "spec.externalName");
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

#[test]
fn why_on_the_same_line_asks_about_what_stands_before_it() {
    let world = web("{selector: {app: wbe}, ports: [{port: 80}]}");
    let address = world.cluster_ip("web");
    let pod = world.pod_of("web-");
    let shown = world.run_in(&pod.name, &format!("curl {address}; why"));
    assert!(
        shown.contains("svc/web has no endpoint") && shown.contains("it has app=web, not app=wbe"),
        "{shown}"
    );
}
