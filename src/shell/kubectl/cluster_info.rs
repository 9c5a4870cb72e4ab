//! `kubectl cluster-info`.

use super::call::Call;
use super::context::SERVER;
use super::failure::Outcome;
use super::verb::{Action, Operands, Verb, flags};
use crate::api::registry::Kind;
use crate::cluster::request::Options;
use crate::words::Words;

/// `cluster-info`.
pub static VERB: Verb = Verb {
    name: "cluster-info",
    aliases: &[],
    usage: "",
    summary: Words { en: "show where the control plane answers", zh: "显示控制面的地址" },
    flags: flags![],
    children: &[&super::unsupported::DUMP_VERB],
    operands: Operands::Nothing,
    action: Action::Now(run),
};

fn run(call: &Call) -> Outcome {
    call.say(&format!("Kubernetes control plane is running at {SERVER}"));
    let options =
        Options { label_selector: "kubernetes.io/cluster-service=true".to_owned(), ..Options::default() };
    for service in call.list(Kind::Service, "kube-system", options)? {
        let port = service.spec().get("ports").items().first().map_or("", |port| port.get("name").str());
        let title = Some(service.meta.label("kubernetes.io/name")).filter(|name| !name.is_empty());
        let colon = if port.is_empty() { "" } else { ":" };
        call.say(&format!(
            "{} is running at {SERVER}/api/v1/namespaces/kube-system/services/{}{colon}{port}/proxy",
            title.unwrap_or(service.name()),
            service.name()
        ));
    }
    call.say("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Ok(())
}
