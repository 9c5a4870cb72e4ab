//! `kubectl create deployment`.

use super::{GENERATED, generate};
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
    let images: Vec<&str> = call
        .flags
        .values("image")
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter(|image| !image.is_empty())
        .collect();
    if images.is_empty() {
        return Err(Failure::plain("required flag(s) \"image\" not set"));
    }
    let name = super::one_name(call)?;
    let (_, command) = call.operands().split_at(call.flags.before_dashes.unwrap_or(call.operands().len()));
    if !command.is_empty() && images.len() > 1 {
        return Err(Failure::plain("cannot specify multiple --image options and command"));
    }
    let port = call.number("port").filter(|port| *port > 0);
    let containers: Value = images.iter().map(|image| container(image, command, port)).collect();
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

fn container(image: &str, command: &[String], port: Option<i64>) -> Value {
    let mut container =
        value!({ "image": (SmolStr::new(image)), "name": (container_name(image)), "resources": {} });
    if !command.is_empty() {
        container.set("command", command.iter().map(|word| Value::from(word.clone())).collect::<Value>());
    }
    if let Some(port) = port {
        container.set("ports", value!([{ "containerPort": port }]));
    }
    container
}

/// A container's name from its image: the last part of the path without tag and digest.
fn container_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split(':').next().unwrap_or(last);
    let last = last.split('@').next().unwrap_or(last);
    last.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}
