//! `kubectl auth`: the one person of the world may do everything.

use super::call::Call;
use super::discovery;
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer};
use super::tabs;
use super::verb::{ALL_NAMESPACES, Action, OUTPUT, Operands, Verb, flags};
use crate::shell::command::{Flag, Value, option, switch};
use crate::value;
use crate::words::Words;

/// The hash of the person's certificate.
const CREDENTIAL: &str = "18d0cf5381040c24a29be3e7fc701b070d0fc980225334b2a7e7132b201cee85";

/// `auth`.
pub static VERB: Verb = Verb {
    name: "auth",
    aliases: &[],
    usage: "can-i|whoami",
    summary: Words { en: "show who you are and what you may do", zh: "查看身份与权限" },
    flags: flags![],
    children: &[&CAN_I, &super::unsupported::RECONCILE_VERB, &WHO_AM_I],
    operands: Operands::Nothing,
    action: Action::Now(super::parent),
};

const CAN_I_FLAGS: &[Flag] = &[
    switch('\0', "list", "list all that is allowed", "列出所有允许的操作"),
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    switch('q', "quiet", "answer by the exit status alone", "仅以退出码回答"),
    option('\0', "subresource", Value::Text, "a part of the resource: log, exec", "子资源：log、exec"),
];

static CAN_I: Verb = Verb {
    name: "can-i",
    aliases: &[],
    usage: "VERB TYPE[/NAME]",
    summary: Words { en: "say whether something is allowed", zh: "检查是否有权限" },
    flags: flags![CAN_I_FLAGS, ALL_NAMESPACES],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(can_i),
};

static WHO_AM_I: Verb = Verb {
    name: "whoami",
    aliases: &[],
    usage: "",
    summary: Words { en: "show who you are", zh: "显示当前用户" },
    flags: flags![OUTPUT],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(who_am_i),
};

/// Paths that everybody who is known may read (`system:discovery`, `system:public-info-viewer`).
const READABLE: [&str; 16] = [
    "/api/*",
    "/api",
    "/apis/*",
    "/apis",
    "/healthz",
    "/healthz",
    "/livez",
    "/livez",
    "/openapi/*",
    "/openapi",
    "/readyz",
    "/readyz",
    "/version/",
    "/version/",
    "/version",
    "/version",
];
/// What everybody who is known may ask about themselves (`system:basic-user`).
const REVIEWS: [&str; 3] = [
    "selfsubjectreviews.authentication.k8s.io",
    "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io",
];

/// Verbs that requests about resources may have.
const RESOURCE_VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
/// Verbs that requests about other paths may have.
const PATH_VERBS: [&str; 8] = ["get", "put", "post", "head", "options", "delete", "patch", "*"];

fn can_i(call: &Call) -> Outcome {
    if call.has("list") {
        if !call.operands().is_empty() {
            return Err(Failure::plain("list option must be specified with no arguments"));
        }
        list(call);
        return Ok(());
    }
    let [verb, resource, ..] = call.operands() else {
        return Err(Failure::plain(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ));
    };
    let name = resource.split('/').next().unwrap_or(resource);
    if !name.is_empty() && name != "*" {
        match discovery::named(name).first() {
            None => call.warn(&format!("the server doesn't have a resource type '{name}'\n")),
            Some(found) if !found.namespaced && !call.has("all-namespaces") => {
                let group = found.group();
                let group = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
                call.warn(&format!("resource '{}' is not namespace scoped{group}\n", found.name));
            }
            Some(_) => {}
        }
    }
    let known: &[&str] = if name.is_empty() { &PATH_VERBS } else { &RESOURCE_VERBS };
    if !known.contains(&verb.as_str()) {
        call.warn(&format!("verb '{verb}' is not a known verb\n"));
    }
    if !call.has("quiet") {
        call.say("yes");
    }
    Ok(())
}

fn list(call: &Call) {
    let mut text = String::new();
    if !call.has("no-headers") {
        text.push_str("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
    }
    text.push_str("*.*\t[]\t[]\t[*]\n\t[*]\t[]\t[*]\n");
    for review in REVIEWS {
        text.push_str(&format!("{review}\t[]\t[]\t[create]\n"));
    }
    for path in READABLE {
        text.push_str(&format!("\t[{path}]\t[]\t[get]\n"));
    }
    call.write(&tabs::aligned(&text, tabs::TABLE));
}

fn who_am_i(call: &Call) -> Outcome {
    let format = Format::of(call, false)?;
    if !format.is_default() {
        let review = value!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "SelfSubjectReview",
            "metadata": {},
            "status": { "userInfo": {
                "extra": { "authentication.kubernetes.io/credential-id": [(format!("X509SHA256={CREDENTIAL}"))] },
                "groups": ["system:masters", "system:authenticated"],
                "username": "kubernetes-admin"
            } }
        });
        return Printer::new(call, &format).print(&review);
    }
    let table = format!(
        "ATTRIBUTE\tVALUE\nUsername\tkubernetes-admin\nGroups\t[system:masters system:authenticated]\nExtra: authentication.kubernetes.io/credential-id\t[X509SHA256={CREDENTIAL}]\n"
    );
    call.write(&tabs::aligned(&table, tabs::TABLE));
    Ok(())
}
