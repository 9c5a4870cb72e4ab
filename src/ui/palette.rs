//! The palette: one line in which any object, command, file or example is found.
//!
//! Owns the dialog and its keys; what is found, and in which order, is [`super::model::palette`]'s.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::{
    Callback, Html, component, hook, html, use_effect_with, use_mut_ref, use_node_ref, use_state_eq,
};

use super::model::palette::{self, Act, Item};
use super::world::{Dialog, Lower, Theme, Topic, World, use_world};
use super::{dom, link, words};
use crate::session::examples::EXAMPLES;
use crate::shell::command;
use crate::shell::places::Place;
use crate::words::{Language, Words};

/// Lines of the history that are offered.
const HISTORY: usize = 12;

/// Something that the page can do.
type Deed = fn(&World);

/// What the page can do.
const DEEDS: &[(Words, Deed)] = &[
    (words::UNDO, World::undo),
    (words::REDO, World::redo),
    (words::PAUSE_OR_PLAY, |world| world.set_playing(!world.clock().playing)),
    (words::STEP, World::step),
    (words::NEW_FILE, |world| world.new_file("")),
    (words::NEW_TERMINAL, |world| {
        world.new_tab();
    }),
    (words::SHOW_PACKETS, |world| world.set_lower(Lower::Packets)),
    (words::SHOW_RULES, |world| world.set_lower(Lower::Rules)),
    (words::SHOW_FLOWS, |world| world.set_lower(Lower::Flows)),
    (words::SHOW_LOAD, |world| world.set_lower(Lower::Load)),
    (words::LANGUAGE, |world| {
        let other = if world.language() == Language::English { Language::Chinese } else { Language::English };
        world.set_language(other);
    }),
    (words::COLOURS, |world| {
        world.set_theme(match world.theme() {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        });
    }),
    (words::SHARE, link::share),
    (words::SETTINGS, |world| world.set_dialog(Dialog::Settings)),
];

/// Opens the palette by ⌘K or Ctrl-K, wherever the focus is.
#[hook]
pub fn use_palette(world: &World) {
    use_effect_with(world.clone(), |world| {
        let world = world.clone();
        let options = EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
        let document = gloo::utils::document();
        let listener = EventListener::new_with_options(&document, "keydown", options, move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
            let held = key.ctrl_key() != key.meta_key() && !key.alt_key() && !key.shift_key();
            if held && key.key().eq_ignore_ascii_case("k") {
                event.prevent_default();
                event.stop_propagation();
                let open = world.dialog() == Dialog::Palette;
                world.set_dialog(if open { Dialog::None } else { Dialog::Palette });
            }
        });
        move || drop(listener)
    });
}

/// The palette, while it is open.
#[component]
pub fn Palette() -> Html {
    let world = use_world(&[Topic::Dialog]);
    if world.dialog() == Dialog::Palette {
        html! { <Open /> }
    } else {
        Html::default()
    }
}

#[component]
fn Open() -> Html {
    let world = use_world(&[Topic::Look]);
    let (input, list) = (use_node_ref(), use_node_ref());
    let query = use_state_eq(String::new);
    let chosen = use_state_eq(|| 0_usize);
    let others = use_mut_ref(|| candidates(&world));
    let found = palette::find(&query, &world.map(), &others.borrow());
    let at = (*chosen).min(found.len().saturating_sub(1));
    {
        let input = input.clone();
        use_effect_with((), move |()| {
            dom::focus(&input);
        });
    }
    {
        let list = list.clone();
        use_effect_with((at, found.len()), move |(at, _)| show(&list, *at));
    }
    let close = {
        let world = world.clone();
        Callback::from(move |_: yew::MouseEvent| world.set_dialog(Dialog::None))
    };
    let take = {
        let world = world.clone();
        Callback::from(move |item: Item| {
            world.set_dialog(Dialog::None);
            act(&world, &item.act);
        })
    };
    let oninput = {
        let (query, chosen, input) = (query.clone(), chosen.clone(), input.clone());
        Callback::from(move |_| {
            query.set(dom::value(&input));
            chosen.set(0);
        })
    };
    let onkeydown = {
        let (world, chosen, take) = (world.clone(), chosen.clone(), take.clone());
        let (item, count) = (found.get(at).cloned(), found.len());
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowDown" => chosen.set((at + 1) % count.max(1)),
                "ArrowUp" => chosen.set((at + count.max(1) - 1) % count.max(1)),
                "Enter" if !event.is_composing() => {
                    if let Some(item) = &item {
                        take.emit(item.clone());
                    }
                }
                "Escape" => world.set_dialog(Dialog::None),
                // There is nothing else to go to: the dialog keeps the focus.
                "Tab" => {}
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let option = |(index, item): (usize, &Item)| {
        let onclick = take.reform({
            let item = item.clone();
            move |_: yew::MouseEvent| item.clone()
        });
        let sign = match &item.act {
            Act::Select(_) => "◎",
            Act::Type(_) => "$",
            Act::Open(_) | Act::Example(_) => "≡",
            Act::Do(_) => "›",
        };
        html! {
            <li key={format!("{index} {}", item.name)} id={format!("found-{index}")} role="option" aria-selected={(index == at).to_string()} {onclick}>
                <i aria-hidden="true">{ sign }</i><b>{ item.name.clone() }</b><span>{ item.detail.clone() }</span>
            </li>
        }
    };
    html! {
        <div class="palette-veil" onclick={close}>
            <div class="palette" role="dialog" aria-modal="true" aria-label={world.say(words::PALETTE)} onclick={|event: yew::MouseEvent| event.stop_propagation()}>
                <input ref={input} type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-autocomplete="list"
                    aria-activedescendant={format!("found-{at}")} aria-label={world.say(words::PALETTE)} placeholder={world.say(words::PALETTE_HINT)}
                    autocomplete="off" autocapitalize="off" spellcheck="false" {oninput} {onkeydown} />
                <ul id="found" role="listbox" ref={list} aria-label={world.say(words::PALETTE)}>
                    { for found.iter().enumerate().map(option) }
                </ul>
                if found.is_empty() {
                    <p class="empty">{ world.say(words::NOTHING_FOUND) }</p>
                }
            </div>
        </div>
    }
}

/// Brings the chosen line into sight.
fn show(list: &yew::NodeRef, at: usize) {
    let Some(list) = list.cast::<HtmlElement>() else { return };
    let child = u32::try_from(at).ok().and_then(|at| list.children().item(at));
    let Some(line) = child.and_then(|line| line.dyn_into::<HtmlElement>().ok()) else { return };
    let (top, bottom) = (line.offset_top(), line.offset_top() + line.offset_height());
    if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

/// Everything that is no object: what the page can do, files, examples, commands typed before, all commands.
fn candidates(world: &World) -> Vec<Item> {
    let language = world.language();
    let item =
        |name: &str, detail: &str, act: Act| Item { name: name.to_owned(), detail: detail.to_owned(), act };
    let mut items = Vec::new();
    for (index, example) in EXAMPLES.iter().enumerate() {
        items.push(item(example.file, example.about.in_language(language), Act::Example(index)));
    }
    for (index, (name, _)) in DEEDS.iter().enumerate() {
        items.push(item(name.in_language(language), world.say(words::PAGE), Act::Do(index)));
    }
    for name in world.file_names() {
        items.push(item(&name, world.say(words::FILES), Act::Open(name.clone())));
    }
    for line in world.recent_lines(HISTORY) {
        items.push(item(&line, world.say(words::TYPED_BEFORE), Act::Type(line.clone())));
    }
    for name in command::names(&Place::workstation()) {
        let about = command::declared(name).map_or("", |command| command.summary.in_language(language));
        items.push(item(name, about, Act::Type(format!("{name} "))));
    }
    items
}

fn act(world: &World, act: &Act) {
    match act {
        Act::Select(key) => world.select(Some(key.clone())),
        Act::Type(line) => world.draft(line),
        Act::Open(name) => world.open_file(name),
        Act::Example(index) => {
            if let Some(example) = EXAMPLES.get(*index) {
                world.open_example(example.file, example.text);
            }
        }
        Act::Do(index) => {
            if let Some((_, deed)) = DEEDS.get(*index) {
                deed(world);
            }
        }
    }
}
