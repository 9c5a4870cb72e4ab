//! `kubectl rollout history`.

use super::{replica_sets, revision, targets};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::shell::command::{Flag, Value, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::describe::template_text;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources::named;
use crate::shell::kubectl::tabs;
use crate::shell::kubectl::verb::{Action, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::words::Words;

/// The annotation that says why a revision was made.
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

const OWN: &[Flag] = &[option('\0', "revision", Value::Number, "show this revision", "显示该版本的详情")];

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
    let (found, mut failures) = targets(&call).await?;
    for found in &found {
        failures.extend(history(&call, &found.object).err());
    }
    Failure::of(failures)
}

fn history(call: &Call, object: &Object) -> Outcome {
    if object.key.kind != Kind::Deployment {
        let info = object.key.kind.info();
        if matches!(object.key.kind, Kind::StatefulSet | Kind::DaemonSet) {
            return Err(Failure::NotSimulated(
                format!("kubectl rollout history of a {}", info.name),
                "kubectl describe",
            ));
        }
        return Err(Failure::plain(format!(
            "no history viewer has been implemented for {{\"{}\" \"{}\"}}",
            info.group, info.name
        )));
    }
    let sets = replica_sets(call, object);
    if let Some(wanted) = call.number("revision").filter(|wanted| *wanted > 0) {
        let set = sets.iter().find(|set| revision(set) == wanted);
        let set = set.ok_or_else(|| Failure::plain("unable to find the specified revision"))?;
        let mut template = set.spec().get("template").clone();
        if let Some(cause) = set.meta.annotation(CHANGE_CAUSE) {
            let annotations = template.at_mut(&["metadata", "annotations"]).map_mut();
            annotations.insert(CHANGE_CAUSE, crate::api::value::SmolStr::new(cause).into());
        }
        call.say(&format!("{} with revision #{wanted}", named(&object.key)));
        call.say(&template_text(&template));
        return Ok(());
    }
    let mut table = "REVISION\tCHANGE-CAUSE\n".to_owned();
    for set in &sets {
        let cause = set.meta.annotation(CHANGE_CAUSE).filter(|cause| !cause.is_empty()).unwrap_or("<none>");
        table.push_str(&format!("{}\t{cause}\n", revision(set)));
    }
    call.say(&format!("{} ", named(&object.key)));
    call.say(&tabs::aligned(&table, tabs::DESCRIBE));
    Ok(())
}
