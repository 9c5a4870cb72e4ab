//! `kubectl auth`: the one person of the world may do everything.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::resources;
use super::tabs;
use super::verb::{ALL_NAMESPACES, Action, Operands, Verb, flags};
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
    children: &[&CAN_I, &WHO_AM_I],
    operands: Operands::Nothing,
    action: Action::Now(super::parent),
};

static CAN_I: Verb = Verb {
    name: "can-i",
    aliases: &[],
    usage: "VERB TYPE[/NAME]",
    summary: Words { en: "say whether something is allowed", zh: "检查是否有权限" },
    flags: flags![ALL_NAMESPACES],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(can_i),
};

static WHO_AM_I: Verb = Verb {
    name: "whoami",
    aliases: &[],
    usage: "",
    summary: Words { en: "show who you are", zh: "显示当前用户" },
    flags: flags![],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(who_am_i),
};

fn can_i(call: &Call) -> Outcome {
    let [_, resource, ..] = call.operands() else {
        return Err(Failure::plain(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ));
    };
    let resource = resource.split('/').next().unwrap_or(resource);
    if resource != "*" && matches!(resources::kind(resource), Err(Failure::Plain(_))) {
        call.warn(&format!("the server doesn't have a resource type '{resource}'\n"));
    }
    call.say("yes");
    Ok(())
}

fn who_am_i(call: &Call) -> Outcome {
    let table = format!(
        "ATTRIBUTE\tVALUE\nUsername\tkubernetes-admin\nGroups\t[system:masters system:authenticated]\nExtra: authentication.kubernetes.io/credential-id\t[X509SHA256={CREDENTIAL}]\n"
    );
    call.write(&tabs::aligned(&table, tabs::TABLE));
    Ok(())
}
