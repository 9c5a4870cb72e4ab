use crate::shell::places::Place;
use crate::shell::testing::{check, host, run_on};
use crate::words::Language;

#[test]
fn a_field_is_described_with_its_words_and_the_fields_below() {
    check(
        "kubectl explain endpointslices.endpoints.conditions | head -n 18",
        "GROUP:      discovery.k8s.io
KIND:       EndpointSlice
VERSION:    v1

FIELD: conditions <EndpointConditions>


DESCRIPTION:
    Whether the endpoint is ready, still serving or terminating. kube-proxy
    decides from these which endpoints get traffic.
    The state of an endpoint. Each field may be absent, which means \"unknown\"
    and is read in the kindest way.
\x20\x20\x20\x20
FIELDS:
  ready\t<boolean>
    Whether new connections may go to this endpoint: serving is true and
    terminating is not. Absent counts as true. Always true when the Service sets
    publishNotReadyAddresses.",
        0,
    );
}

#[test]
fn the_words_of_an_enum_are_listed() {
    check(
        "kubectl explain endpointslice.addressType | sed -n '5,11p'; kubectl explain endpointslice | grep -A1 addressType",
        "FIELD: addressType <string>
ENUM:
    FQDN
    IPv4
    IPv6

DESCRIPTION:
  addressType\t<string> -required-
  enum: FQDN, IPv4, IPv6",
        0,
    );
    check(
        "kubectl explain pod.spec.volumes.hostPath | grep enum:",
        "  enum: \"\", BlockDevice, CharDevice, Directory, ....",
        0,
    );
}

#[test]
fn recursion_lists_names_and_types_alone() {
    check(
        "kubectl explain endpointslices.endpoints.hints --recursive | tail -n 6",
        "FIELDS:
  forNodes\t<[]ForNode>
    name\t<string> -required-
  forZones\t<[]ForZone>
    name\t<string> -required-",
        0,
    );
    check("kubectl explain pod --recursive | grep -c '<..Container>'", "2", 0);
}

#[test]
fn types_are_named_as_the_real_command_names_them() {
    check("kubectl explain deploy.metadata.managedFields | grep '<FieldsV1>'", "  fieldsV1\t<FieldsV1>", 0);
    check("kubectl explain controllerrevision | grep '<RawExtension>'", "  data\t<RawExtension>", 0);
    check("kubectl explain limitrange.spec.limits.max | grep FIELD:", "FIELD: max <map[string]Quantity>", 0);
    check(
        "kubectl explain deploy.spec.strategy.rollingUpdate.maxSurge | grep FIELD:",
        "FIELD: maxSurge <IntOrString>",
        0,
    );
    check("kubectl explain pod.status.startTime | grep FIELD:", "FIELD: startTime <string>", 0);
}

#[test]
fn descriptions_are_in_the_language_of_the_page() {
    let host = host();
    host.set_language(Language::Chinese);
    let (output, status) =
        run_on(&host, Place::workstation(), "kubectl explain endpointslices.addressType | tail -n 6");
    assert_eq!(
        (output.as_str(), status),
        (
            "
DESCRIPTION:
    地址的类型：IPv4、IPv6 或 FQDN（已弃用）。一个 slice 只有一种类型，所以双栈
    Service 的每个地址族各有 slice。创建后不能修改。
\x20\x20\x20\x20

",
            0
        )
    );
}

#[test]
fn a_resource_may_be_named_with_its_group_or_version() {
    let head = |group: &str| format!("GROUP:      {group}\nKIND:       Event\nVERSION:    v1");
    check("kubectl explain events --api-version=events.k8s.io/v1 | head -n 3", &head("events.k8s.io"), 0);
    check("kubectl explain Events | head -n 2", "KIND:       Event\nVERSION:    v1", 0);
    check("kubectl explain deployments.apps.spec.replicas | grep FIELD", "FIELD: replicas <integer>", 0);
    check("kubectl explain svc.spec. | grep FIELD:", "FIELD: spec <ServiceSpec>", 0);
    check(
        "kubectl explain rolebindings -o plaintext | head -n 1",
        "GROUP:      rbac.authorization.k8s.io",
        0,
    );
}

#[test]
fn what_does_not_exist_is_refused_as_by_the_real_command() {
    let refused = |arguments: &str, error: &str| check(&format!("kubectl explain {arguments}"), error, 1);
    refused("svc.nosuch", "error: field \"nosuch\" does not exist");
    refused("svc.nosuch.more", "error: field \"more\" does not exist");
    refused("svc.spec.type.more", "error: field \"more\" does not exist");
    refused("deploy.apps.spec", "error: field \"spec\" does not exist");
    refused("foo.spec", "error: the server doesn't have a resource type \"foo\"");
    refused("svc spec", "error: We accept only this format: explain RESOURCE");
    refused("svc -o yaml", "error: unrecognized format: yaml");
    refused("svc.spec.ports[0]", "error: invalid jsonpath syntax, first node must be field node");
    refused(
        "deploy --api-version=apps/v2",
        "error: couldn't find resource for \"apps/v2, Resource=deployments\"",
    );
    refused("deploy --api-version=v1", "error: GVR (/v1, Resource=deployments) not found in OpenAPI schema");
    refused("deploy --api-version=a/b/c", "error: unexpected GroupVersion string: a/b/c");
}

#[test]
fn what_is_real_but_not_simulated_says_so() {
    let unsimulated = |arguments: &str, what: &str, nearest: &str| {
        let answer = format!("{what} is not simulated in Portside; nearest: {nearest}");
        check(&format!("kubectl explain {arguments}"), &answer, 1);
    };
    unsimulated("svc -o plaintext-openapiv2", "explain --output=plaintext-openapiv2", "kubectl explain TYPE");
    unsimulated("hpa --api-version=autoscaling/v1", "API version autoscaling/v1", "kubectl explain TYPE");
    unsimulated("crd.spec", "the kind CustomResourceDefinition", "kubectl api-resources");
}
