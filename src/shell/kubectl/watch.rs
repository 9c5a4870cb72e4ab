//! `kubectl get -w`: a table that goes on.
//!
//! Owns the following of the journal and the lines that changes make. It ends only when it is stopped.

use super::call::{Call, key};
use super::failure::{Failure, Outcome};
use super::output::{Format, Printer};
use super::resources::{Query, list_options};
use super::table::Style;
use super::tabs;
use crate::api::object::{Key, Object};
use crate::api::registry::{Kind, Serving};
use crate::api::selector::Selector;
use crate::api::status::{Reason, Status};
use crate::api::table::Row;
use std::sync::Arc;

/// What is watched.
struct Watched {
    kind: Kind,
    namespace: String,
    name: String,
    labels: Selector,
}

impl Watched {
    fn includes(&self, object: &Object) -> bool {
        object.key.kind == self.kind
            && (self.namespace.is_empty() || object.namespace() == self.namespace.as_str())
            && (self.name.is_empty() || object.name() == self.name.as_str())
            && self.labels.matches(&object.meta.labels)
    }
}

/// A change as a watch tells it.
struct Event {
    what: &'static str,
    object: Arc<Object>,
}

/// Shows what there is, then every change.
///
/// # Errors
/// What the server refuses, or more than one kind.
pub async fn run(call: &Call, format: &Format, queries: &[Query]) -> Outcome {
    let [query] = queries else {
        return Err(Failure::plain("you may only specify a single resource type"));
    };
    let watched = watched(call, query)?;
    let mut revision = call.host().with(|simulation| simulation.revision());
    let mut screen = Screen::new(call, format, watched.kind);
    let list = call.table(watched.kind, &watched.namespace, &watched.name, list_options(call))?;
    if !call.has("watch-only") {
        screen.first(list.rows)?;
    }
    refuse_unwatched(watched.kind)?;
    loop {
        call.host().changed().await;
        let (events, seen) = events_since(call, &watched, revision);
        revision = seen;
        for event in events {
            screen.show(event)?;
        }
        call.invocation.stdout().ready().await;
    }
}

/// Refuses to wait for changes of what no change is told of.
fn refuse_unwatched(kind: Kind) -> Outcome {
    let resource = kind.info().group_resource();
    match kind.info().serving {
        Serving::Stored => Ok(()),
        Serving::Computed | Serving::Asked => {
            let why = format!("watch is not supported on resources of kind {resource:?}");
            Err(Status::new(Reason::MethodNotAllowed, why).into())
        }
        Serving::Converted(_) => Err(Failure::NotSimulated(
            format!("kubectl get {resource} --watch"),
            "kubectl get events --watch",
        )),
    }
}

fn watched(call: &Call, query: &Query) -> Result<Watched, Failure> {
    let labels = Selector::parse(call.text("selector")).map_err(Failure::plain)?;
    Ok(match query {
        Query::One { key, .. } => Watched {
            kind: key.kind,
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            labels,
        },
        Query::Many { kind, namespace } => {
            Watched { kind: *kind, namespace: namespace.clone(), name: String::new(), labels }
        }
    })
}

/// What happened to watched objects after a revision, and the revision seen.
fn events_since(call: &Call, watched: &Watched, revision: u64) -> (Vec<Event>, u64) {
    call.host().with(|simulation| {
        let journal = simulation.cluster.journal();
        let mut events = Vec::new();
        for entry in journal.since(revision).into_iter().flatten() {
            let was = entry.before.as_ref().filter(|object| watched.includes(object));
            let is = entry.after.as_ref().filter(|object| watched.includes(object));
            match (was, is) {
                (None, Some(object)) => events.push(Event { what: "ADDED", object: object.clone() }),
                (Some(_), Some(object)) => events.push(Event { what: "MODIFIED", object: object.clone() }),
                (Some(object), None) => {
                    let last = entry.after.as_ref().unwrap_or(object);
                    events.push(Event { what: "DELETED", object: last.clone() });
                }
                (None, None) => {}
            }
        }
        (events, journal.revision())
    })
}

/// What the watch has printed so far.
struct Screen<'a> {
    call: &'a Call,
    format: &'a Format,
    printer: Printer<'a>,
    style: Style,
    kind: Kind,
    widths: Vec<usize>,
    has_header: bool,
}

impl<'a> Screen<'a> {
    fn new(call: &'a Call, format: &'a Format, kind: Kind) -> Self {
        Self {
            call,
            format,
            printer: Printer::new(call, format),
            style: Style::of(call, format, call.has("show-kind")),
            kind,
            widths: Vec::new(),
            has_header: call.has("no-headers"),
        }
    }

    fn is_table(&self) -> bool {
        matches!(self.format, Format::Default | Format::Wide)
    }

    fn first(&mut self, rows: Vec<Row>) -> Outcome {
        let events = rows.into_iter().map(|row| Event { what: "ADDED", object: row.object });
        self.show_all(events.collect())
    }

    fn show(&mut self, event: Event) -> Outcome {
        self.show_all(vec![event])
    }

    fn show_all(&mut self, events: Vec<Event>) -> Outcome {
        if !self.is_table() {
            return events.iter().try_for_each(|event| self.printer.print(&event.object.value));
        }
        let objects = events.iter().map(|event| event.object.clone()).collect();
        let kind = self.kind;
        let table = self.call.host().with(|simulation| simulation.cluster.table(kind, objects));
        if table.rows.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        if !self.has_header {
            self.has_header = true;
            text.push_str(&self.style.header(kind, table.columns));
        }
        for (row, event) in table.rows.iter().zip(&events) {
            text.push_str(&self.style.row(table.columns, row, event.what));
        }
        self.call.write(&tabs::lay_out(&text, tabs::TABLE, Some(&mut self.widths)));
        Ok(())
    }
}

/// Waits until an object is gone (its uid no longer held by that name).
pub async fn until_gone(call: &Call, gone: &Key, uid: &str) {
    let gone = key(gone.kind, &gone.namespace, &gone.name);
    call.host()
        .until(|simulation| {
            let there = simulation.cluster.get(&gone).is_some_and(|object| object.meta.uid == uid);
            (!there).then_some(())
        })
        .await;
}
