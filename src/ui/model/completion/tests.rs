use super::*;
use crate::cluster::Settings;
use crate::simulation::Simulation;

/// What is offered first at `│`, in the small world that a newcomer finds.
fn offered(text: &str) -> Vec<Candidate> {
    let mut simulation = Simulation::new(Settings::default());
    crate::session::first_world::build(&mut simulation);
    let at = text.find('│').expect("the text has a cursor");
    complete(&text.replace('│', ""), at, &simulation.cluster, Language::English)
}

fn check(text: &str, first: &[&str]) {
    let found = offered(text);
    let labels: Vec<&str> = found.iter().map(|candidate| candidate.label.as_str()).collect();
    assert_eq!(&labels[..first.len().min(labels.len())], first, "{labels:?} in\n{text}");
}

const SERVICE: &str = "apiVersion: v1\nkind: Service\n";

#[test]
fn fields_come_from_the_schema_with_what_must_be_there_first() {
    check("│", &["apiVersion", "kind", "metadata", "spec"]);
    check(&format!("{SERVICE}│"), &["metadata", "spec"]);
    check(&format!("{SERVICE}spec:\n  ports:\n  - │"), &["port", "appProtocol", "name"]);
    check(&format!("{SERVICE}spec:\n  ports:\n  - port: 80\n    │"), &["appProtocol", "name", "nodePort"]);
    check(
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - n│",
        &["name"],
    );
}

#[test]
fn a_field_brings_what_its_value_begins_with() {
    let apply = |text: &str, label: &str| {
        let found = offered(text);
        found.into_iter().find(|candidate| candidate.label == label).map(|candidate| candidate.apply)
    };
    let spec = format!("{SERVICE}spec:\n  │");
    assert_eq!(apply(&spec, "type").as_deref(), Some("type: "));
    assert_eq!(apply(&spec, "selector").as_deref(), Some("selector:\n    "));
    assert_eq!(apply(&spec, "ports").as_deref(), Some("ports:\n  - "));
    assert_eq!(apply(&format!("{SERVICE}spec:\n  ports:\n    │"), "port").as_deref(), Some("- port: "));
}

#[test]
fn values_that_can_be_counted_are_offered() {
    check(&format!("{SERVICE}spec:\n  type: │"), &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    check(&format!("{SERVICE}spec:\n  publishNotReadyAddresses: │"), &["true", "false"]);
    check("apiVersion: apps/v1\nkind: │", &["ControllerRevision", "DaemonSet", "Deployment"]);
    check("kind: Deployment\napiVersion: │", &["apps/v1"]);
    check(&format!("{SERVICE}metadata:\n  name: │"), &[]);
}

#[test]
fn selectors_are_completed_by_the_labels_of_pods() {
    let service = format!("{SERVICE}metadata:\n  namespace: demo\nspec:\n  selector:\n");
    check(&format!("{service}    │"), &["app", "pod-template-hash"]);
    check(&format!("{service}    app: │"), &["web"]);
    check(&format!("{SERVICE}metadata:\n  namespace: │"), &["default", "demo", "kube-node-lease"]);
}
