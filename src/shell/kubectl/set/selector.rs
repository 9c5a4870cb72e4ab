//! `kubectl set selector`.

use super::{LOCAL, Unchanged, Wording, each_target, flat, send};
use crate::api::registry::Kind;
use crate::api::selector::{Operator, Selector};
use crate::api::value::{Map, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::record::RECORD;
use crate::shell::kubectl::resources::local_needs_files;
use crate::shell::kubectl::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, OUTPUT, Operands, PLAIN_FILES, Verb, flags,
};
use crate::words::Words;

const OWN: &[Flag] =
    &[option('\0', "resource-version", Argument::Text, "only if this is the version", "仅当版本为该值时")];

/// `set selector`.
pub static VERB: Verb = Verb {
    name: "selector",
    aliases: &[],
    usage: "svc NAME KEY=VALUE,...",
    summary: Words { en: "set the selector of a Service", zh: "设置 Service 的选择器" },
    flags: flags![OWN, LOCAL, RECORD, ALL, OUTPUT, DRY_RUN, FIELD_MANAGER, PLAIN_FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let Some((expression, words)) = call.operands().split_last() else {
        return Err(Failure::plain("one selector is required"));
    };
    if call.is_local() && !words.is_empty() {
        return Err(local_needs_files());
    }
    let (found, mut failures) = each_target(&call, words).await?;
    let selector = if found.is_empty() { Value::Null } else { read(expression)? };
    let mut changed = Vec::new();
    for found in &found {
        if found.object.key.kind != Kind::Service {
            failures.push(Failure::plain("setting a selector is only supported for Services"));
            continue;
        }
        let mut value = found.object.value.clone();
        value.set_at(&["spec", "selector"], selector.clone());
        changed.push((found.object.as_ref(), value));
    }
    failures.extend(send(&call, changed, WORDING).err());
    Failure::of(flat(failures))
}

const WORDING: Wording = Wording { done: "selector updated", failed: "", unchanged: Unchanged::Sent };

fn read(text: &str) -> Result<Value, Failure> {
    let selector = Selector::parse(text).map_err(Failure::plain)?;
    let mut map = Map::default();
    for requirement in &selector.requirements {
        match (requirement.operator, requirement.values.as_slice(), text.contains(" in ")) {
            (Operator::In, [value], false) => {
                map.insert(requirement.key.clone(), Value::Str(value.clone()));
            }
            (operator, values, _) => {
                let word = match operator {
                    Operator::In => "In",
                    Operator::NotIn => "NotIn",
                    Operator::Exists => "Exists",
                    Operator::DoesNotExist => "DoesNotExist",
                    Operator::Greater => "Gt",
                    Operator::Less => "Lt",
                };
                return Err(Failure::plain(format!(
                    "match expression [{{{} {word} [{}]}}] not supported on this object",
                    requirement.key,
                    values.join(" ")
                )));
            }
        }
    }
    Ok(Value::from(map))
}
