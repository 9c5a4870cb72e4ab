//! `kubectl events`.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::resources;
use super::tabs;
use super::verb::{ALL_NAMESPACES, Action, Operands, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;
use crate::cluster::request::Options;
use crate::shell::command::{Flag, Value as Argument, not_simulated, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "for", Argument::Text, "TYPE/NAME: the events of one object", "TYPE/NAME：单个对象的事件"),
    option(
        '\0',
        "types",
        Argument::OneOf(&["Normal", "Warning"]),
        "only events of these types",
        "只显示这些类型的事件",
    ),
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    not_simulated('w', "watch", Argument::None, "kubectl get events -w"),
    not_simulated('o', "output", Argument::Text, "kubectl get events -o"),
];

/// `events`.
pub static VERB: Verb = Verb {
    name: "events",
    aliases: &[],
    usage: "[--for TYPE/NAME] [--types=TYPES]",
    summary: Words { en: "list what happened, oldest first", zh: "按时间列出事件" },
    flags: flags![OWN, ALL_NAMESPACES],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(run),
};

fn run(call: &Call) -> Outcome {
    let wanted = match call.text("for") {
        "" => None,
        text => {
            let (resource, name) =
                text.split_once('/').ok_or_else(|| Failure::plain("--for must be in resource/name form"))?;
            Some((resources::kind(resource)?, name.to_owned()))
        }
    };
    let types: Vec<&str> = call.text("types").split(',').filter(|kind| !kind.is_empty()).collect();
    let namespace = if call.has("all-namespaces") { "" } else { call.namespace.as_str() };
    let mut events = call.list(Kind::Event, namespace, Options::default())?;
    events.retain(|event| {
        let about = event.value.get("involvedObject");
        let fits = wanted.as_ref().is_none_or(|(kind, name)| {
            about.get("kind").str() == kind.name() && about.get("name").str() == name
        });
        fits && (types.is_empty()
            || types.iter().any(|kind| kind.eq_ignore_ascii_case(event.value.get("type").str())))
    });
    if events.is_empty() {
        call.complain(&match namespace {
            "" => "No events found.".to_owned(),
            namespace => format!("No events found in {namespace} namespace."),
        });
        return Ok(());
    }
    events.sort_by_key(|event| (last(&event.value), event.meta.resource_version));
    let now = call.host().with(|simulation| simulation.cluster.timestamp());
    let with_namespace = call.has("all-namespaces");
    let mut text = String::new();
    if !call.has("no-headers") {
        text.push_str(if with_namespace { "NAMESPACE\t" } else { "" });
        text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    for event in &events {
        text.push_str(&row(event, now, with_namespace));
    }
    call.write(&tabs::aligned(&text, tabs::TABLE));
    Ok(())
}

fn last(event: &Value) -> Timestamp {
    let at = |field: &str| Timestamp::of(event.get(field));
    at("lastTimestamp").or_else(|| at("eventTime")).or_else(|| at("firstTimestamp")).unwrap_or_default()
}

fn row(event: &Object, now: Timestamp, with_namespace: bool) -> String {
    let value = &event.value;
    let ago = |at: Timestamp| human_duration(now.0 - at.0);
    let count = value.get("count").as_int().unwrap_or(0);
    let first = Timestamp::of(value.get("firstTimestamp")).unwrap_or_else(|| last(value));
    let age = if count > 1 {
        format!("{} (x{count} over {})", ago(last(value)), ago(first))
    } else {
        ago(last(value))
    };
    let about = value.get("involvedObject");
    let namespace = if with_namespace { format!("{}\t", event.namespace()) } else { String::new() };
    format!(
        "{namespace}{age}\t{}\t{}\t{}/{}\t{}\n",
        value.get("type").str(),
        value.get("reason").str(),
        about.get("kind").str(),
        about.get("name").str(),
        value.get("message").str().trim()
    )
}
