//! Selectors that match nothing, too much, or elsewhere.

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::explain::{self, Cause, ServiceCause};

use crate::world::{NGINX, World, commands, deployment, edits, first, service, web};

#[test]
fn a_selector_that_matches_no_label_names_the_pod_without_it_and_a_label_fixes_it() {
    let world = World::with(include_str!("nodeport.yaml"));
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
