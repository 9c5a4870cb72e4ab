//! `kubectl set serviceaccount`.

use super::{LOCAL, pod_spec_path, send, targets};
use crate::api::value::SmolStr;
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::record::RECORD;
use crate::shell::kubectl::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, Verb, flags,
};
use crate::words::Words;

/// `set serviceaccount`.
pub static VERB: Verb = Verb {
    name: "serviceaccount",
    aliases: &["sa"],
    usage: "TYPE/NAME ACCOUNT",
    summary: Words { en: "set the ServiceAccount of Pods", zh: "设置 Pod 的 ServiceAccount" },
    flags: flags![LOCAL, RECORD, ALL, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let Some((account, words)) = call.operands().split_last() else {
        return Err(Failure::plain("serviceaccount is required"));
    };
    let (found, mut failures) = targets(&call, words).await?;
    let mut changed = Vec::new();
    for found in &found {
        let object = found.object.as_ref();
        let Some(path) = pod_spec_path(object.key.kind) else {
            let name = object.key.kind.name();
            failures.push(Failure::plain(format!(
                "the object is not a pod or does not have a pod template: {name}"
            )));
            continue;
        };
        let mut value = object.value.clone();
        value.at_mut(path).set("serviceAccountName", SmolStr::new(account));
        changed.push((object, value));
    }
    failures.extend(send(&call, changed, "serviceaccount updated").err());
    Failure::of(failures)
}
