//! Decoding: messages as recorded from the API server, round trips, sharing.

use super::*;
use crate::api::yaml;
use crate::value;

fn read(text: &str) -> Value {
    let (documents, diagnostics) = yaml::read(text);
    assert_eq!(diagnostics, [], "{text}");
    documents[0].value()
}

fn kind(value: &Value) -> TypeId {
    schema().kind(value.get("apiVersion").str(), value.get("kind").str()).unwrap()
}

fn strictly(value: &Value) -> Result<Value, String> {
    decode(value, kind(value)).and_then(Decoded::strict).map_err(|error| error.message)
}

/// A Service with some fields of its spec, and what the API server says (session 51-bad-types).
const SERVICES: [(&str, &str); 21] = [
    (
        "ports: [{port: abc}]",
        "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "ports: [{port: \"80\"}]",
        "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "ports: [{port: 80.5}]",
        "json: cannot unmarshal number 80.5 into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "ports: [{port: true}]",
        "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "ports: [{port: {a: b}}]",
        "json: cannot unmarshal object into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "ports: {port: 80}",
        "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
    ),
    (
        "ports: \"80\"",
        "json: cannot unmarshal string into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
    ),
    (
        "ports: [80, 443]",
        "json: cannot unmarshal number into Go struct field ServiceSpec.spec.ports of type v1.ServicePort",
    ),
    (
        "ports: [{port: 99999999999}]",
        "json: cannot unmarshal number 99999999999 into Go struct field ServicePort.spec.ports.port of type int32",
    ),
    (
        "selector: web",
        "json: cannot unmarshal string into Go struct field ServiceSpec.spec.selector of type map[string]string",
    ),
    (
        "selector: [{app: web}]",
        "json: cannot unmarshal array into Go struct field ServiceSpec.spec.selector of type map[string]string",
    ),
    (
        "selector: {app: 1}",
        "json: cannot unmarshal number into Go struct field ServiceSpec.spec.selector of type string",
    ),
    (
        "selector: {app: no}",
        "json: cannot unmarshal bool into Go struct field ServiceSpec.spec.selector of type string",
    ),
    (
        "selector: {matchLabels: {app: web}}",
        "json: cannot unmarshal object into Go struct field ServiceSpec.spec.selector of type string",
    ),
    (
        "type: 1",
        "json: cannot unmarshal number into Go struct field ServiceSpec.spec.type of type v1.ServiceType",
    ),
    (
        "ports: [{port: 80, targetPort: 80.5}]",
        "json: cannot unmarshal number 80.5 into Go struct field ServicePort.spec.ports.targetPort of type int32",
    ),
    (
        "externalIPs: 1.2.3.4",
        "json: cannot unmarshal string into Go struct field ServiceSpec.spec.externalIPs of type []string",
    ),
    ("prots: [{port: 80}]", "strict decoding error: unknown field \"spec.prots\""),
    (
        "ports: [{port: 80, targetport: 8080}]",
        "strict decoding error: unknown field \"spec.ports[0].targetport\"",
    ),
    (
        "ports: [{nodeport: 1, port: 80, Name: x}], foo: bar",
        "strict decoding error: unknown field \"spec.foo\", unknown field \"spec.ports[0].Name\", unknown field \"spec.ports[0].nodeport\"",
    ),
    (
        "selector: web, ports: 1",
        "json: cannot unmarshal number into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
    ),
];

#[test]
fn wrong_services_are_refused_in_the_api_servers_words() {
    for (spec, message) in SERVICES {
        let text =
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{{spec}}}}}\n# yaml");
        assert_eq!(strictly(&read(&text)), Err(message.to_owned()), "{spec}");
    }
}

#[test]
fn wrong_values_of_other_kinds_too() {
    let check =
        |text: &str, message: &str| assert_eq!(strictly(&read(text)), Err(message.to_owned()), "{text}");
    check(
        "{apiVersion: v1, kind: Service, spec: hello}\n",
        "json: cannot unmarshal string into Go struct field Service.spec of type v1.ServiceSpec",
    );
    check(
        "{apiVersion: v1, kind: ConfigMap, data: {a: 1}}\n",
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
    );
    check(
        "{apiVersion: v1, kind: Service, specs: {}, metadata: {lables: {a: b}}}\n",
        "strict decoding error: unknown field \"metadata.lables\", unknown field \"specs\"",
    );
    check(
        "{apiVersion: apps/v1, kind: Deployment, spec: {replicas: abc}}\n",
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    );
    check(
        "{apiVersion: apps/v1, kind: Deployment, spec: {selector: {app: web}}}\n",
        "strict decoding error: unknown field \"spec.selector.app\"",
    );
    let pod = |spec: &str| format!("{{apiVersion: v1, kind: Pod, spec: {{containers: {spec}}}}}\n");
    check(
        &pod("{name: c}"),
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    );
    check(
        &pod("[{name: c, env: [{name: A, value: 1}]}]"),
        "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string",
    );
    check(
        &pod("[{name: c, ports: [{containerPort: \"80\"}]}]"),
        "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    );
    check(
        &pod("[{name: c, resources: {limits: {cpu: abc}}}]"),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
    check("{apiVersion: v1, kind: Secret, data: {a: \"x y\"}}\n", "illegal base64 data at input byte 1");
}

#[test]
fn metadata_is_checked_as_kubectl_checks_it() {
    let check = |text: &str, message: &str| {
        assert_eq!(check_metadata(&read(text)).unwrap_err().message, message, "{text}");
    };
    check(
        "metadata: web\n",
        "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
    );
    check(
        "metadata: {name: 123}\n",
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
    );
    check(
        "metadata: {labels: {v: 1.0}}\n",
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    );
    check(
        "metadata: {annotations: {v: yes}}\n",
        "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string",
    );
    assert_eq!(check_metadata(&read("metadata: {nonsense: 1}\n")), Ok(()));
}

#[test]
fn a_round_trip_drops_empty_fields_and_writes_required_ones() {
    let check =
        |text: &str, json: &str| assert_eq!(json::compact(&strictly(&read(text)).unwrap()), json, "{text}");
    check(
        "{apiVersion: v1, kind: Service, metadata: {creationTimestamp: null, name: a, labels: {}}, spec: {selector: {app: null}, ports: [{port: 80.0, targetPort: 0, nodePort: 0, name: \"\"}]}}\n",
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":80}],"selector":{"app":""}},"status":{"loadBalancer":{}}}"#,
    );
    check(
        "{apiVersion: v1, kind: Pod, spec: {hostNetwork: false, automountServiceAccountToken: false, securityContext: {}, containers: [{name: c, resources: {limits: {cpu: 1.5, memory: 1024Mi}}}, {image: x}]}}\n",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"c","resources":{"limits":{"cpu":"1500m","memory":"1Gi"}}},{"image":"x","name":"","resources":{}}],"securityContext":{}},"status":{}}"#,
    );
    check(
        "{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {spec: {containers: []}}}}\n",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"strategy":{},"template":{"metadata":{},"spec":{"containers":[]}}},"status":{}}"#,
    );
    check(
        "{apiVersion: v1, kind: Pod, metadata: {creationTimestamp: \"2026-11-22T23:30:00+01:30\"}, spec: {containers: []}}\n",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2026-11-22T22:00:00Z"},"spec":{"containers":[]},"status":{}}"#,
    );
}

#[test]
fn what_does_not_change_is_shared() {
    let value = value!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "status": {},
        "spec": { "containers": [{ "name": "c", "resources": {} }], "hostNetwork": false }
    });
    let once = strictly(&value).unwrap();
    assert!(once.get("metadata").same(value.get("metadata")));
    assert!(once.at(&["spec", "containers"]).same(value.at(&["spec", "containers"])));
    assert!(strictly(&once).unwrap().same(&once), "a decoded document decodes to itself");
}
