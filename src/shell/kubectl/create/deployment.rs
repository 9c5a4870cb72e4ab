//! `kubectl create deployment`.

use super::{GENERATED, generate, required, words};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option(
        '\0',
        "image",
        Argument::Text,
        "the image to run; several make several containers",
        "要运行的镜像；可指定多个",
    ),
    option('r', "replicas", Argument::Number, "how many Pods", "Pod 数量"),
    option('\0', "port", Argument::Number, "the port that the container listens on", "容器监听的端口"),
];

/// `create deployment`.
pub static VERB: Verb = Verb {
    name: "deployment",
    aliases: &["deploy"],
    usage: "NAME --image=IMAGE [-- COMMAND [ARGUMENT...]]",
    summary: Words { en: "create a Deployment", zh: "创建 Deployment" },
    flags: flags![OWN, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(run),
};

fn run(call: &Call) -> Outcome {
    required(call, &["image"])?;
    let images = words(call, "image");
    let name = super::one_name(call)?;
    let (_, command) = call.operands().split_at(call.flags.before_dashes.unwrap_or(call.operands().len()));
    if !command.is_empty() && images.len() > 1 {
        return Err(Failure::plain("cannot specify multiple --image options and command"));
    }
    let mut containers: Value = images.iter().map(|image| container(call, image, command)).collect();
    // The port is that of the first container alone.
    if let (Some(port), Some(first)) =
        (call.number("port").filter(|port| *port >= 0), containers.list_mut().first_mut())
    {
        first.set("ports", value!([{ "containerPort": port }]));
    }
    let labels = value!({ "app": (name.to_owned()) });
    let replicas = call.number("replicas").unwrap_or(1);
    let document = value!({
        "metadata": { "labels": (labels.clone()), "name": (name.to_owned()) },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": (labels.clone()) },
            "strategy": {},
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": containers }
            }
        },
        "status": {}
    });
    generate(call, Kind::Deployment, document, "failed to create deployment: ")
}

fn container(call: &Call, image: &str, command: &[String]) -> Value {
    let name = container_name(image, || call.host().with(|world| world.cluster.random().suffix(5)));
    let mut container = value!({ "image": (SmolStr::new(image)), "name": name, "resources": {} });
    if !command.is_empty() {
        container.set("command", command.iter().map(|word| Value::from(word.clone())).collect::<Value>());
    }
    container
}

/// A container's name from its image: the last part of the path without tag and digest. Where letters had to
/// be replaced, `suffix` keeps it from meeting another.
fn container_name(image: &str, suffix: impl FnOnce() -> SmolStr) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split(':').next().unwrap_or(last);
    let last = last.split('@').next().unwrap_or(last);
    if !last.contains(['_', '.']) {
        return last.to_owned();
    }
    format!("{}-{}", last.replace(['_', '.'], "-"), suffix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::check_in_world;

    #[test]
    fn containers_are_named_after_their_images() {
        let check = |image, expected: &str| {
            assert_eq!(container_name(image, || SmolStr::new_static("x")), expected, "{image}");
        };
        check("nginx", "nginx");
        check("nginx:1.25", "nginx");
        check("registry.k8s.io:5000/a/agnhost:2.40", "agnhost");
        check("nginx@sha256:0123", "nginx");
        check("team/my_app.v2:1", "my-app-v2-x");
    }

    #[test]
    fn the_port_is_that_of_the_first_container() {
        let made = |flags: &str, shown: &str| {
            format!("kubectl create deployment web {flags} --dry-run=client -o jsonpath='{shown}'")
        };
        check_in_world(
            &made("--image=nginx,redis --port=80", "{.spec.template.spec.containers}"),
            "[{\"image\":\"nginx\",\"name\":\"nginx\",\"ports\":[{\"containerPort\":80}],\"resources\":{}},{\"image\":\"redis\",\"name\":\"redis\",\"resources\":{}}]",
            0,
        );
        check_in_world(
            "kubectl create deployment web --image=nginx --port=0",
            "error: failed to create deployment: Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].ports[0].containerPort: Required value",
            1,
        );
        check_in_world(
            "kubectl create deployment web --image=",
            "error: failed to create deployment: Deployment.apps \"web\" is invalid: spec.template.spec.containers: Required value",
            1,
        );
    }
}
