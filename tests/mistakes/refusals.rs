//! Manifests that the API server refuses.

use portside::explain::Cause;
use portside::explain::refusal::RefusalCause;

use crate::world::{NGINX, World, deployment, edits, first, service, web};

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
