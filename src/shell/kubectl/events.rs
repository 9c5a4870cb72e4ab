//! `kubectl events`.

use std::sync::Arc;

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer, list_of};
use super::resources;
use super::tabs;
use super::verb::{ALL_NAMESPACES, Action, OUTPUT, Operands, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::time::{Timestamp, human_duration};
use crate::api::value::Value;
use crate::cluster::request::Options;
use crate::shell::command::{Flag, Value as Argument, option, switch};
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
    switch('w', "watch", "stay and show what happens", "持续显示新事件"),
    option('\0', "chunk-size", Argument::Number, "how many objects are fetched at once", "每次获取的对象数"),
];

/// `events`.
pub static VERB: Verb = Verb {
    name: "events",
    aliases: &[],
    usage: "[--for TYPE/NAME] [--types=TYPES]",
    summary: Words { en: "list what happened, oldest first", zh: "按时间列出事件" },
    flags: flags![OWN, ALL_NAMESPACES, OUTPUT],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Waits(|call| Box::pin(run(call))),
};

/// Which events are asked for.
struct Wanted {
    about: Option<(Kind, String)>,
    types: Vec<String>,
    namespace: String,
}

impl Wanted {
    fn of(call: &Call) -> Result<Self, Failure> {
        let about = match call.text("for") {
            "" => None,
            text => {
                let (resource, name) = text
                    .split_once('/')
                    .ok_or_else(|| Failure::plain("--for must be in resource/name form"))?;
                Some((resources::kind(resource)?, name.to_owned()))
            }
        };
        let types: Vec<String> =
            call.text("types").split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        let known =
            |kind: &String| kind.eq_ignore_ascii_case("Normal") || kind.eq_ignore_ascii_case("Warning");
        if types.iter().any(|kind| !known(kind)) {
            return Err(Failure::plain("valid --types are Normal or Warning"));
        }
        let namespace = if call.has("all-namespaces") { String::new() } else { call.namespace.clone() };
        Ok(Self { about, types, namespace })
    }

    fn includes(&self, event: &Object) -> bool {
        let about = event.value.get("involvedObject");
        let fits = self.about.as_ref().is_none_or(|(kind, name)| {
            about.get("kind").str() == kind.name() && about.get("name").str() == name
        });
        let kind = event.value.get("type").str();
        let in_place = self.namespace.is_empty() || event.namespace().as_str() == self.namespace;
        let of_type =
            self.types.is_empty() || self.types.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind));
        event.key.kind == Kind::Event && fits && in_place && of_type
    }
}

async fn run(call: Call) -> Outcome {
    let wanted = Wanted::of(&call)?;
    let format = Format::of(&call, false)?;
    let mut events = call.list(Kind::Event, &wanted.namespace, Options::default())?;
    events.retain(|event| wanted.includes(event));
    events.sort_by_key(|event| (last(&event.value), event.meta.resource_version));
    if call.has("watch") {
        return watch(&call, &wanted, &format, &events).await;
    }
    if events.is_empty() {
        call.complain(&match wanted.namespace.as_str() {
            "" => "No events found.".to_owned(),
            namespace => format!("No events found in {namespace} namespace."),
        });
        return Ok(());
    }
    if !format.is_default() {
        return Printer::new(&call, &format).print(&list_of(events.iter().map(|event| event.value.clone())));
    }
    call.write(&tabs::aligned(&(header(&call) + &rows(&call, &events)), tabs::TABLE));
    Ok(())
}

fn header(call: &Call) -> String {
    if call.has("no-headers") {
        return String::new();
    }
    let namespace = if call.has("all-namespaces") { "NAMESPACE\t" } else { "" };
    format!("{namespace}LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n")
}

fn rows(call: &Call, events: &[Arc<Object>]) -> String {
    let now = call.host().with(|simulation| simulation.cluster.timestamp());
    events.iter().map(|event| row(event, now, call.has("all-namespaces"))).collect()
}

/// Shows the events that there are, then each as it happens.
async fn watch(call: &Call, wanted: &Wanted, format: &Format, events: &[Arc<Object>]) -> Outcome {
    let mut revision = call.host().with(|simulation| simulation.revision());
    let mut widths = Vec::new();
    let printer = Printer::new(call, format);
    let mut show = |events: &[Arc<Object>], first: bool| -> Outcome {
        if !format.is_default() {
            return events.iter().try_for_each(|event| printer.print(&event.value));
        }
        let header = if first { header(call) } else { String::new() };
        let text = header + &rows(call, events);
        call.write(&tabs::lay_out(&text, tabs::TABLE, Some(&mut widths)));
        Ok(())
    };
    show(events, true)?;
    loop {
        call.host().changed().await;
        let (news, seen) = call.host().with(|simulation| {
            let journal = simulation.cluster.journal();
            let entries = journal.since(revision).into_iter().flatten();
            let news: Vec<Arc<Object>> = entries
                .filter_map(|entry| entry.after.clone())
                .filter(|object| wanted.includes(object))
                .collect();
            (news, journal.revision())
        });
        revision = seen;
        if !news.is_empty() {
            show(&news, false)?;
        }
        call.invocation.stdout().ready().await;
    }
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
