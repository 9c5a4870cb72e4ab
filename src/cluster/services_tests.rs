//! What Services get and give back, through the API server's door.

use crate::api::json;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::cluster::request::Options;
use crate::cluster::{Actor, Cluster, Patch, Request, Settings, Verb};
use crate::value;

fn cluster(settings: Settings) -> Cluster {
    let mut cluster = Cluster::new(settings);
    let namespace = value!({ "metadata": { "name": "default" } });
    cluster.create(Actor::ApiServer, Kind::Namespace, "", namespace).unwrap();
    cluster
}

fn service(name: &str, spec: &str) -> Value {
    let spec = json::parse(spec).unwrap();
    value!({ "metadata": { "name": (SmolStr::new(name)) }, "spec": spec })
}

/// Creates a Service; gives its `spec`, or the refusal.
fn create(cluster: &mut Cluster, name: &str, spec: &str) -> Result<Value, String> {
    let created = cluster.create(Actor::User, Kind::Service, "default", service(name, spec));
    created.map(|object| object.spec().clone()).map_err(|status| status.message)
}

fn patch(cluster: &mut Cluster, name: &str, patch: &str) -> Result<Value, String> {
    let patch = Patch::Strategic(json::parse(patch).unwrap());
    let key = Key::new(Kind::Service, "default", name);
    let reply = cluster.request(Request::new(Actor::User, Verb::Patch(patch), &key));
    let object = reply.result.map_err(|status| status.message)?.object().unwrap();
    Ok(object.spec().clone())
}

fn node_ports(spec: &Value) -> Vec<i64> {
    crate::api::kinds::service::node_ports(spec)
}

#[test]
fn ports_of_one_number_share_a_node_port() {
    let mut cluster = cluster(Settings::default());
    let spec = r#"{"type":"NodePort","ports":[{"name":"u","port":53,"protocol":"UDP"},{"name":"t","port":53},{"name":"h","port":80}]}"#;
    let ports = node_ports(&create(&mut cluster, "dns", spec).unwrap());
    assert_eq!(ports[0], ports[1]);
    assert_ne!(ports[0], ports[2]);
    let wanted = r#"{"type":"NodePort","ports":[{"name":"u","port":54,"protocol":"UDP"},{"name":"t","port":54,"nodePort":30054}]}"#;
    assert_eq!(node_ports(&create(&mut cluster, "wanted", wanted).unwrap()), [30_054, 30_054]);
}

#[test]
fn wanted_node_ports_are_refused_when_they_cannot_be_had() {
    let mut cluster = cluster(Settings::default());
    let spec = |port: i64| format!(r#"{{"type":"NodePort","ports":[{{"port":80,"nodePort":{port}}}]}}"#);
    create(&mut cluster, "one", &spec(30_999)).unwrap();
    for (port, why) in [
        (30_999, "provided port is already allocated"),
        (80, "provided port is not in the valid range. The range of valid ports is 30000-32767"),
        (70_000, "provided port is not in the valid range. The range of valid ports is 30000-32767"),
    ] {
        assert_eq!(
            create(&mut cluster, "two", &spec(port)),
            Err(format!("Service \"two\" is invalid: spec.ports[0].nodePort: Invalid value: {port}: {why}"))
        );
    }
}

#[test]
fn a_type_that_has_no_node_ports_gives_them_back() {
    let mut cluster = cluster(Settings::default());
    let spec = r#"{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}"#;
    create(&mut cluster, "one", spec).unwrap();
    let changed = patch(&mut cluster, "one", r#"{"spec":{"type":"ClusterIP"}}"#).unwrap();
    assert_eq!(node_ports(&changed), Vec::<i64>::new());
    assert!(changed.get("externalTrafficPolicy").is_null());
    create(&mut cluster, "two", spec).unwrap();
}

#[test]
fn an_external_name_gives_its_address_back_and_gets_a_new_one() {
    let mut cluster = cluster(Settings::default());
    create(&mut cluster, "one", r#"{"clusterIP":"10.96.9.9","ports":[{"port":80}]}"#).unwrap();
    let external = r#"{"spec":{"type":"ExternalName","externalName":"example.com"}}"#;
    let changed = patch(&mut cluster, "one", external).unwrap();
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        assert!(changed.get(field).is_null(), "{field}");
    }
    create(&mut cluster, "two", r#"{"clusterIP":"10.96.9.9","ports":[{"port":80}]}"#).unwrap();
    let back = patch(&mut cluster, "one", r#"{"spec":{"type":"ClusterIP","externalName":null}}"#).unwrap();
    assert!(!back.get("clusterIP").is_empty());
    assert_ne!(back.get("clusterIP").str(), "10.96.9.9");
}

#[test]
fn a_dry_run_and_a_refusal_take_nothing() {
    let mut cluster = cluster(Settings::default());
    let spec = r#"{"type":"NodePort","clusterIP":"10.96.9.9","ports":[{"port":80,"nodePort":30080}]}"#;
    let key = Key::new(Kind::Service, "default", "");
    let options = Options { dry_run: true, ..Options::default() };
    let request = Request::new(Actor::User, Verb::Create(service("dry", spec)), &key).options(options);
    cluster.request(request).result.unwrap();
    let open = r#"{"type":"NodePort","ports":[{"name":"a","port":80},{"name":"b","port":81}]}"#;
    let options = Options { dry_run: true, ..Options::default() };
    let request = Request::new(Actor::User, Verb::Create(service("dry", open)), &key).options(options);
    let shown = cluster.request(request).result.unwrap().object().unwrap();
    assert_eq!(shown.spec().get("clusterIP").str(), "10.96.0.0");
    assert_eq!(node_ports(shown.spec()), [32_769, 32_770]);
    create(&mut cluster, "Wrong", spec).unwrap_err();
    create(&mut cluster, "right", spec).unwrap();
}

#[test]
fn every_cluster_address_has_an_object() {
    let mut cluster = cluster(Settings::default().dual_stack());
    let spec = r#"{"ipFamilyPolicy":"PreferDualStack","clusterIP":"10.96.9.9","ports":[{"port":80}]}"#;
    cluster.begin_step("create");
    let made = create(&mut cluster, "one", spec).unwrap();
    let names = |cluster: &Cluster| -> Vec<SmolStr> {
        cluster.list(Kind::IPAddress, None).map(|object| object.key.name.clone()).collect()
    };
    let held: Vec<SmolStr> = made.get("clusterIPs").items().iter().map(Value::smol).collect();
    assert_eq!(names(&cluster), held);
    cluster.undo().unwrap();
    assert!(names(&cluster).is_empty());
    create(&mut cluster, "one", spec).unwrap();
    cluster.delete(Actor::User, &Key::new(Kind::Service, "default", "one"), Options::default()).unwrap();
    assert!(names(&cluster).is_empty());
}

#[test]
fn a_cluster_address_may_not_change() {
    let mut cluster = cluster(Settings::default());
    create(&mut cluster, "one", r#"{"clusterIP":"10.96.109.1","ports":[{"port":80}]}"#).unwrap();
    assert_eq!(
        patch(&mut cluster, "one", r#"{"spec":{"clusterIP":"10.96.109.2"}}"#).unwrap_err(),
        "Service \"one\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.96.109.2\"]: may not change once set"
    );
    let same = patch(&mut cluster, "one", r#"{"spec":{"clusterIP":""}}"#).unwrap();
    assert_eq!(same.get("clusterIP").str(), "10.96.109.1");
}

#[test]
fn families_follow_policy_and_cluster() {
    for (dual, spec, policy, families) in [
        (false, r#"{"ports":[{"port":80}]}"#, "SingleStack", vec!["IPv4"]),
        (false, r#"{"clusterIP":"None"}"#, "RequireDualStack", vec!["IPv4", "IPv6"]),
        (false, r#"{"clusterIP":"None","selector":{"a":"b"}}"#, "SingleStack", vec!["IPv4"]),
        (true, r#"{"ports":[{"port":80}]}"#, "SingleStack", vec!["IPv4"]),
        (
            true,
            r#"{"ipFamilyPolicy":"PreferDualStack","ports":[{"port":80}]}"#,
            "PreferDualStack",
            vec!["IPv4", "IPv6"],
        ),
        (true, r#"{"ipFamilies":["IPv6"],"ports":[{"port":80}]}"#, "SingleStack", vec!["IPv6"]),
        (true, r#"{"clusterIP":"fd00:10:96::5","ports":[{"port":80}]}"#, "SingleStack", vec!["IPv6"]),
    ] {
        let settings = if dual { Settings::default().dual_stack() } else { Settings::default() };
        let made = create(&mut cluster(settings), "one", spec).unwrap();
        let found: Vec<&str> = made.get("ipFamilies").items().iter().map(Value::str).collect();
        assert_eq!((made.get("ipFamilyPolicy").str(), found), (policy, families.clone()), "{spec}");
        if made.get("clusterIP").str() != "None" {
            assert_eq!(made.get("clusterIPs").items().len(), families.len(), "{spec}");
        }
    }
}

#[test]
fn health_check_ports_come_and_go_with_the_policy() {
    let mut cluster = cluster(Settings::default());
    let spec = r#"{"type":"LoadBalancer","externalTrafficPolicy":"Local","ports":[{"port":80}]}"#;
    let made = create(&mut cluster, "one", spec).unwrap();
    let port = made.get("healthCheckNodePort").as_int().unwrap();
    assert!((30_000..=32_767).contains(&port));
    let same = patch(&mut cluster, "one", r#"{"spec":{"sessionAffinity":"ClientIP"}}"#).unwrap();
    assert_eq!(same.get("healthCheckNodePort").as_int(), Some(port));
    let open = patch(&mut cluster, "one", r#"{"spec":{"externalTrafficPolicy":"Cluster"}}"#).unwrap();
    assert!(open.get("healthCheckNodePort").is_null());
}
