//! `kubectl rollout history`.

use std::sync::Arc;

use super::{group_kind, replica_sets, revision, revisions, targets};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::describe::template_text;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::record::CHANGE_CAUSE;
use crate::shell::kubectl::resources::named;
use crate::shell::kubectl::tabs;
use crate::shell::kubectl::verb::{Action, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::words::Words;

const OWN: &[Flag] = &[option('\0', "revision", Argument::Number, "show this revision", "显示该版本的详情")];

/// `rollout history`.
pub static VERB: Verb = Verb {
    name: "history",
    aliases: &[],
    usage: "TYPE/NAME [--revision=NUMBER]",
    summary: Words { en: "list the revisions of a workload", zh: "列出工作负载的历史版本" },
    flags: flags![OWN, SELECTOR, OUTPUT, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    super::refuse_negative_revision(&call)?;
    let (found, mut failures) = targets(&call).await?;
    for found in &found {
        failures.extend(history(&call, &found.object).err());
    }
    Failure::of(failures)
}

fn history(call: &Call, object: &Object) -> Outcome {
    let all = history_of(call, object)?;
    if let Some(wanted) = call.number("revision").filter(|wanted| *wanted > 0) {
        let found = all.iter().find(|one| one.number == wanted);
        let found = found.ok_or_else(|| Failure::plain("unable to find the specified revision"))?;
        call.say(&format!("{} with revision #{wanted}", named(&object.key)));
        call.say(&template_text(&found.template));
        return Ok(());
    }
    call.say(&format!("{} ", named(&object.key)));
    if all.is_empty() {
        call.say("No rollout history found.");
        return Ok(());
    }
    let mut table = "REVISION\tCHANGE-CAUSE\n".to_owned();
    for one in &all {
        let cause = if one.cause.is_empty() { "<none>" } else { &one.cause };
        table.push_str(&format!("{}\t{cause}\n", one.number));
    }
    call.say(&tabs::aligned(&table, tabs::DESCRIBE));
    Ok(())
}

/// A revision as it is listed.
struct Revision {
    number: i64,
    cause: SmolStr,
    template: Value,
}

/// Kinds that kubectl knows as workloads, though it keeps no history of them.
const WORKLOADS: [Kind; 5] =
    [Kind::Job, Kind::Pod, Kind::ReplicaSet, Kind::ReplicationController, Kind::CronJob];

fn no_viewer(kind: Kind) -> String {
    let (info, name) = (kind.info(), group_kind(kind));
    if WORKLOADS.contains(&kind) {
        return format!("no history viewer has been implemented for {name:?}");
    }
    let visited = format!("{{{} {}}}", info.group, info.name);
    format!("error retrieving history for {name:?}, no visitor method exists for {visited}")
}

/// The revisions of a workload, oldest first.
fn history_of(call: &Call, object: &Object) -> Result<Vec<Revision>, Failure> {
    let cause = |of: &Object| SmolStr::from(of.meta.annotation(CHANGE_CAUSE).unwrap_or(""));
    if revisions::has(object.key.kind) {
        let all = revisions::of(call, object);
        let one = |one: &Arc<Object>| Revision {
            number: revisions::number(one),
            cause: cause(one),
            template: revisions::template(one),
        };
        return Ok(all.iter().map(one).collect());
    }
    if object.key.kind != Kind::Deployment {
        return Err(Failure::plain(no_viewer(object.key.kind)));
    }
    let one = |set: &Arc<Object>| {
        let mut template = set.spec().get("template").clone();
        let cause = cause(set);
        if !cause.is_empty() {
            let annotations = template.at_mut(&["metadata", "annotations"]).map_mut();
            annotations.insert(CHANGE_CAUSE, cause.clone().into());
        }
        Revision { number: revision(set), cause, template }
    };
    Ok(replica_sets(call, object).iter().map(one).collect())
}
