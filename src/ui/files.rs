//! The files: their tabs, the editor, what is wrong, which Pods match, and Apply.

use std::rc::Rc;

use yew::prelude::{
    Callback, Html, Properties, component, html, use_effect_with, use_mut_ref, use_node_ref, use_state,
    use_state_eq,
};

use super::edit_pane::EditPane;
use super::editor::{AFTER_FIRST_PAINT_MS, Editor};
use super::icons::{self, icon};
use super::model::marks::{self, Findings, Mark, Selected};
use super::model::plan::{Difference, Planned};
use super::model::things;
use super::world::{Later, Topic, World, use_world};
use super::{dom, words};
use crate::api::registry::Kind;
use crate::shell::edits::Edit;

/// Milliseconds from the last key to the check of the text.
const CHECK_MS: u32 = 150;
/// Marks that are listed below the editor.
const LISTED: usize = 4;

/// Objects, and fields of each, that applying would change and that are listed.
const PLANNED: usize = 5;
const FIELDS: usize = 4;

/// The pane of files.
#[component]
pub fn Files() -> Html {
    let world = use_world(&[Topic::Files, Topic::Edit, Topic::Look]);
    let active = world.active_file();
    let edit = world.edit();
    let names = world.file_names();
    let renaming = use_state_eq(|| false);
    let new = {
        let (world, renaming) = (world.clone(), renaming.clone());
        Callback::from(move |_| {
            world.new_file("");
            // A new file is named before anything else.
            renaming.set(true);
        })
    };
    let rename = {
        let renaming = renaming.clone();
        Callback::from(move |_| renaming.set(!*renaming))
    };
    let delete = {
        let (world, active) = (world.clone(), active.clone());
        Callback::from(move |_| {
            if let Some(name) = &active {
                world.delete_file_undoably(name);
            }
        })
    };
    // Behind a text that a command gives to be edited the files stay as they are, with what Undo knows of them.
    let hidden = edit.is_some();
    html! {
        <div class="files-stack">
        <section class="files" aria-label={world.say(words::FILES)} {hidden}>
            <div class="files-bar">
                <div class="tabs" role="tablist" aria-label={world.say(words::FILES)}>
                    { for names.into_iter().map(|name| tab(&world, name, active.as_deref())) }
                </div>
                { tool(&world, icons::PLUS, words::NEW_FILE, new) }
                if active.is_some() {
                    <span class="top-space"></span>
                    { tool(&world, icons::PENCIL, words::RENAME_FILE, rename) }
                    { tool(&world, icons::BIN, words::DELETE_FILE, delete) }
                }
            </div>
            if let Some(name) = active {
                if *renaming {
                    <Rename key={name.clone()} name={name.clone()} done={let renaming = renaming.clone(); Callback::from(move |()| renaming.set(false))} />
                }
                <File {name} />
            } else {
                <p class="empty">{ world.say(words::NO_FILE) }</p>
            }
        </section>
        { for edit.into_iter().map(edit_pane) }
        </div>
    }
}

fn edit_pane(edit: Edit) -> Html {
    let key = edit.number;
    html! { <EditPane {key} {edit} /> }
}

fn tab(world: &World, name: String, active: Option<&str>) -> Html {
    let chosen = active == Some(name.as_str());
    let onclick = {
        let (world, name) = (world.clone(), name.clone());
        Callback::from(move |_| world.open_file(&name))
    };
    html! {
        <button key={name.clone()} type="button" role="tab" aria-selected={chosen.to_string()} {onclick}>{ name }</button>
    }
}

fn tool(
    world: &World,
    path: &'static str,
    name: crate::words::Words,
    onclick: Callback<yew::MouseEvent>,
) -> Html {
    let name = world.say(name);
    html! { <button type="button" class="icon-button" title={name} aria-label={name} {onclick}>{ icon(path) }</button> }
}

#[derive(Clone, PartialEq, Properties)]
struct RenameProperties {
    name: String,
    done: Callback<()>,
}

/// The form that gives a file another name.
#[component]
fn Rename(properties: &RenameProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let input = use_node_ref();
    {
        let (input, name) = (input.clone(), properties.name.clone());
        use_effect_with((), move |()| {
            dom::set_value(&input, &name);
            dom::focus(&input);
            dom::select(&input);
        });
    }
    let onkeydown = {
        let (world, properties, input) = (world.clone(), properties.clone(), input.clone());
        Callback::from(move |event: yew::KeyboardEvent| match event.key().as_str() {
            "Enter" => {
                world.rename_file(&properties.name, &dom::value(&input));
                properties.done.emit(());
            }
            "Escape" => {
                event.prevent_default();
                properties.done.emit(());
            }
            _ => {}
        })
    };
    html! { <input class="rename" ref={input} aria-label={world.say(words::FILE_NAME)} type="text" spellcheck="false" {onkeydown} /> }
}

#[derive(Clone, PartialEq, Properties)]
struct FileProperties {
    name: String,
}

/// One file.
#[component]
fn File(properties: &FileProperties) -> Html {
    let world = use_world(&[Topic::Files, Topic::Objects, Topic::Look]);
    let text = world.file(&properties.name);
    let findings = use_state_eq(|| Rc::new(Findings::default()));
    let marks = use_state_eq(|| Rc::new(Vec::<Mark>::new()));
    let reveal = use_state(|| (0, 0));
    let timer = use_mut_ref(|| None::<Later>);
    {
        let (world, findings, marks) = (world.clone(), findings.clone(), marks.clone());
        let revision = world.map().revision;
        use_effect_with((Rc::clone(&text), revision, world.language()), move |(text, ..)| {
            let text = Rc::clone(text);
            let waits = world.clone();
            let check = move || {
                let found =
                    world.with(|simulation| marks::find(&text, "default", simulation, world.language()));
                marks.set(Rc::new(found.marks.clone()));
                findings.set(Rc::new(found));
            };
            *timer.borrow_mut() = Some(waits.later(CHECK_MS, check));
        });
    }
    let apply = {
        let (world, name) = (world.clone(), properties.name.clone());
        Callback::from(move |()| world.apply(&name))
    };
    let change = {
        let (world, name) = (world.clone(), properties.name.clone());
        Callback::from(move |text: String| world.write_file(&name, &text))
    };
    let go = {
        let reveal = reveal.clone();
        Callback::from(move |line: u32| reveal.set((reveal.0 + 1, line)))
    };
    let onclick = {
        let apply = apply.clone();
        Callback::from(move |_| apply.emit(()))
    };
    let refused = findings.marks.iter().any(|mark| mark.refused);
    html! {
        <>
            <Editor name={properties.name.clone()} {text} {change} marks={(*marks).clone()} reveal={*reveal} submit={apply}
                script_after_ms={AFTER_FIRST_PAINT_MS} />
            <div class="findings" aria-live="polite">
                { for findings.selected.iter().enumerate().map(|(index, selected)| matching(&world, index, selected)) }
                { for findings.marks.iter().take(LISTED).enumerate().map(|(index, mark)| listed(&world, index, mark, &go)) }
                { planned(&world, &findings) }
                if findings.marks.len() > LISTED {
                    <p class="muted">{ format!("+{}{}", findings.marks.len() - LISTED, world.say(words::MORE)) }</p>
                }
            </div>
            <div class="apply-bar">
                <button type="button" class="primary" {onclick} disabled={findings.objects == 0}
                    aria-keyshortcuts="Control+Enter Meta+Enter">
                    { world.say(words::APPLY) }<kbd aria-hidden="true">{ if is_mac() { "⌘↵" } else { "Ctrl ↵" } }</kbd>
                </button>
                <span class={if refused { "verdict refused" } else { "verdict" }}>{ verdict(&world, &findings) }</span>
            </div>
        </>
    }
}

/// Whether shortcuts are by ⌘.
pub fn is_mac() -> bool {
    gloo::utils::window().navigator().user_agent().unwrap_or_default().contains("Mac")
}

/// What is wrong, or what applying would change.
fn verdict(world: &World, findings: &Findings) -> String {
    let refused = findings.marks.iter().filter(|mark| mark.refused).count();
    match refused {
        0 if findings.objects == 0 => return String::new(),
        0 => {}
        1 => return format!("1{}", world.say(words::PROBLEM)),
        many => return format!("{many}{}", world.say(words::PROBLEMS)),
    }
    let created = findings.planned.iter().filter(|planned| planned.created).count();
    let changed = findings.planned.len() - created;
    let parts = [(created, words::WOULD_CREATE), (changed, words::WOULD_CHANGE)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{}{count}", world.say(words)))
        .collect();
    if parts.is_empty() { world.say(words::WOULD_NOTHING).to_owned() } else { parts.join(" · ") }
}

/// What applying would create and change, field by field.
fn planned(world: &World, findings: &Findings) -> Html {
    let refused = findings.marks.iter().any(|mark| mark.refused);
    let row = |planned: &Planned| {
        let key = &planned.key;
        let sign = if planned.created { "+" } else { "~" };
        let field = |difference: &Difference| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".to_owned());
            html! {
                <span key={difference.path.clone()}><code>{ difference.path.clone() }</code>{ " " }
                    <del>{ value(&difference.from) }</del>{ " → " }<ins>{ value(&difference.to) }</ins></span>
            }
        };
        let more = planned.fields.len().saturating_sub(FIELDS);
        html! {
            <li key={things::id(key)} class={if planned.created { "new" } else { "" }}>
                <i aria-hidden="true">{ sign }</i>
                <b>{ key.kind.name() }{ " " }<span class="thing" data-thing={things::id(key)}>{ key.name.to_string() }</span></b>
                { for planned.fields.iter().take(FIELDS).map(field) }
                if more > 0 {
                    <span class="muted">{ format!("+{more}{}", world.say(words::MORE)) }</span>
                }
            </li>
        }
    };
    let shown = findings.planned.iter().take(PLANNED);
    let more = findings.planned.len().saturating_sub(PLANNED);
    html! {
        if !refused && !findings.planned.is_empty() {
            <ul class="planned" aria-label={world.say(words::WOULD)}>
                { for shown.map(row) }
                if more > 0 {
                    <li key="more" class="muted">{ format!("+{more}{}", world.say(words::MORE)) }</li>
                }
            </ul>
        }
    }
}

/// One mark in words; a click goes to its line.
fn listed(world: &World, index: usize, mark: &Mark, go: &Callback<u32>) -> Html {
    let line = mark.span.line;
    let onclick = go.reform(move |_| line);
    let place = format!("{}{line}{}", world.say(words::LINE), world.say(words::LINE_END));
    let class = if mark.refused { "mark refused" } else { "mark" };
    html! {
        <button key={format!("mark {index}")} type="button" {class} {onclick}>
            <b>{ place }</b>{ mark.message.clone() }
        </button>
    }
}

/// How many Pods a Service of the text selects.
fn matching(world: &World, index: usize, selected: &Selected) -> Html {
    let key = &selected.service;
    let class = match (selected.matching, selected.ready) {
        (0, _) => "match none",
        (_, 0) => "match waiting",
        _ => "match",
    };
    debug_assert_eq!(key.kind, Kind::Service, "only Services select");
    html! {
        <p key={format!("match {index}")} {class}>
            <span class="thing name" data-thing={things::id(key)}>{ key.name.to_string() }</span>
            <span class="number">{ format!("{}{}{}", selected.matching, world.say(words::OF), selected.pods) }</span>
            { world.say(words::PODS_MATCH) }
            <code>{ selected.selector.clone() }</code>
            if selected.matching > 0 {
                <span class="muted">{ format!(" · {}{}", selected.ready, world.say(words::READY_AMONG)) }</span>
            }
        </p>
    }
}
