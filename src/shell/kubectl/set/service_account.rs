//! `kubectl set serviceaccount`.

use super::{LOCAL, Unchanged, Wording, flat, refuse_contradictions, send, spec_path, targets};
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
    let found = targets(&call, words).await?;
    refuse_contradictions(&call)?;
    let mut failures = Vec::new();
    let mut changed = Vec::new();
    for found in &found {
        let object = found.object.as_ref();
        match spec_path(object) {
            Ok(path) => {
                let mut value = object.value.clone();
                value.at_mut(path).set("serviceAccountName", SmolStr::new(account));
                changed.push((object, value));
            }
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, WORDING).err());
    Failure::of(flat(failures))
}

const WORDING: Wording = Wording {
    done: "serviceaccount updated",
    failed: "failed to patch ServiceAccountName ",
    unchanged: Unchanged::Sent,
};
