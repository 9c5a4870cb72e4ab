//! `kubectl create namespace` and `kubectl create serviceaccount`.

use super::{GENERATED, generate, one_name};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::Outcome;
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

/// `create namespace`.
pub static NAMESPACE: Verb = Verb {
    name: "namespace",
    aliases: &["ns"],
    usage: "NAME",
    summary: Words { en: "create a Namespace", zh: "创建命名空间" },
    flags: flags![GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(namespace),
};

/// `create serviceaccount`.
pub static SERVICE_ACCOUNT: Verb = Verb {
    name: "serviceaccount",
    aliases: &["sa"],
    usage: "NAME",
    summary: Words { en: "create a ServiceAccount", zh: "创建 ServiceAccount" },
    flags: flags![GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(service_account),
};

fn named(name: &str) -> Value {
    value!({ "metadata": { "name": (name.to_owned()) } })
}

fn namespace(call: &Call) -> Outcome {
    let mut document = named(one_name(call)?);
    document.set("spec", Value::map());
    document.set("status", Value::map());
    generate(call, Kind::Namespace, document, "")
}

fn service_account(call: &Call) -> Outcome {
    generate(call, Kind::ServiceAccount, named(one_name(call)?), "failed to create serviceaccount: ")
}
