//! What quotas and ranges of limits let in, with what they say where they do not.

use super::settings::Settings;
use super::{Actor, Cluster, Request, Verb};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;

fn document(text: &str) -> Value {
    let (documents, diagnostics) = yaml::read(text);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    documents[0].value()
}

struct Trial(Cluster);

impl Trial {
    /// A namespace with one object in it.
    fn with(kind: Kind, text: &str) -> Self {
        let mut trial = Self(Cluster::new(Settings::default()));
        let space = Key::new(Kind::Namespace, "", "default");
        let made = Verb::Create(document("metadata: {name: default}\n"));
        trial.0.request(Request::new(Actor::ApiServer, made, &space)).result.expect("a namespace");
        trial.make(kind, text).expect("the limits are fine");
        trial
    }

    fn make(&mut self, kind: Kind, text: &str) -> Result<Value, String> {
        let request = Request::new(Actor::User, Verb::Create(document(text)), &Key::new(kind, "default", ""));
        let body = self.0.request(request).result.map_err(|status| status.message)?;
        Ok(body.object().expect("one object").value.clone())
    }

    fn pod(&mut self, name: &str, resources: &str) -> Result<Value, String> {
        let container = format!("{{name: c, image: nginx, resources: {resources}}}");
        self.make(Kind::Pod, &format!("metadata: {{name: {name}}}\nspec: {{containers: [{container}]}}\n"))
    }
}

#[test]
fn a_quota_lets_in_what_is_left() {
    let mut trial = Trial::with(
        Kind::ResourceQuota,
        "metadata: {name: few}\nspec: {hard: {pods: '2', requests.cpu: 500m, services.nodeports: '1'}}\n",
    );
    assert_eq!(
        trial.pod("a", "{}").unwrap_err(),
        "pods \"a\" is forbidden: failed quota: few: must specify requests.cpu for: c"
    );
    trial.pod("a", "{requests: {cpu: 300m}}").unwrap();
    assert_eq!(
        trial.pod("b", "{requests: {cpu: 300m}}").unwrap_err(),
        "pods \"b\" is forbidden: exceeded quota: few, requested: requests.cpu=300m, used: requests.cpu=300m, \
         limited: requests.cpu=500m"
    );
    trial.pod("b", "{requests: {cpu: 100m}}").unwrap();
    assert_eq!(
        trial.pod("c", "{requests: {cpu: 50m}}").unwrap_err(),
        "pods \"c\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"
    );
    let ports = "ports: [{name: a, port: 80}, {name: b, port: 81}]";
    assert_eq!(
        trial
            .make(Kind::Service, &format!("metadata: {{name: s}}\nspec: {{type: NodePort, {ports}}}\n"))
            .unwrap_err(),
        "services \"s\" is forbidden: exceeded quota: few, requested: services.nodeports=2, used: \
         services.nodeports=0, limited: services.nodeports=1"
    );
}

#[test]
fn a_range_fills_what_pods_do_not_say_and_refuses_what_is_outside() {
    let mut trial = Trial::with(
        Kind::LimitRange,
        "metadata: {name: r}\nspec: {limits: [{type: Container, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, max: {cpu: '1'}}]}\n",
    );
    let pod = trial.pod("a", "{}").unwrap();
    let resources = pod.at(&["spec", "containers"]).items()[0].get("resources").clone();
    assert_eq!(resources.at(&["limits", "cpu"]).str(), "200m");
    assert_eq!(resources.at(&["requests", "cpu"]).str(), "100m");
    assert_eq!(
        pod.at(&["metadata", "annotations", "kubernetes.io/limit-ranger"]).str(),
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    );
    assert_eq!(
        trial.pod("b", "{limits: {cpu: '2'}}").unwrap_err(),
        "pods \"b\" is forbidden: maximum cpu usage per Container is 1, but limit is 2"
    );
}
