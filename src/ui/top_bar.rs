//! The bar at the top: the clock, undo, speed, language, colours.

use yew::prelude::{Callback, Html, TargetCast as _, component, html};

use super::icons::{self, icon};
use super::model::clock::{SPEEDS, show};
use super::words;
use super::world::{Dialog, Theme, Topic, World, use_world};
use crate::words::{Language, Words};

/// The bar.
#[component]
pub fn TopBar() -> Html {
    let world = use_world(&[Topic::Look, Topic::Clock, Topic::Journal]);
    let playing = world.clock().playing;
    let toggle = {
        let world = world.clone();
        Callback::from(move |_| world.set_playing(!playing))
    };
    let find = {
        let world = world.clone();
        Callback::from(move |_| world.set_dialog(Dialog::Palette))
    };
    let (can_undo, can_redo) =
        world.with(|simulation| (simulation.cluster.can_undo(), simulation.cluster.can_redo()));
    html! {
        <header class="top-bar">
            <span class="brand"><span class="brand-sign" aria-hidden="true"></span>{ "Portside" }</span>
            <span class="top-space"></span>
            <div class="group" role="group" aria-label={world.say(words::CLOCK)}>
                { button(&world, icons::UNDO, words::UNDO, World::undo, !can_undo) }
                { button(&world, icons::REDO, words::REDO, World::redo, !can_redo) }
                <Time />
                { button(&world, icons::STEP, words::STEP, World::step, false) }
                <button type="button" class="icon-button" title={world.say(if playing { words::PAUSE } else { words::PLAY })}
                    aria-label={world.say(if playing { words::PAUSE } else { words::PLAY })} onclick={toggle}>
                    { icon(if playing { icons::PAUSE } else { icons::PLAY }) }
                </button>
                { speed(&world) }
            </div>
            <span class="top-space"></span>
            <div class="group">
                <button type="button" class="text-button find" aria-label={world.say(words::PALETTE)} title={world.say(words::PALETTE)}
                    aria-keyshortcuts="Control+K Meta+K" onclick={find}>
                    { icon(icons::FIND) }<kbd aria-hidden="true">{ if super::files::is_mac() { "⌘K" } else { "Ctrl K" } }</kbd>
                </button>
                <span class="share">{ button(&world, icons::SHARE, words::SHARE, super::link::share, false) }</span>
                { button(&world, icons::SETTINGS, words::SETTINGS, |world| world.set_dialog(Dialog::Settings), false) }
                { language(&world) }
                { theme(&world) }
            </div>
        </header>
    }
}

/// Virtual time; a component of its own because it changes ten times a second.
#[component]
fn Time() -> Html {
    let world = use_world(&[Topic::Clock, Topic::Look]);
    let clock = world.clock();
    html! {
        <span class={if clock.playing { "time" } else { "time paused" }} role="timer" aria-label={world.say(words::CLOCK)}>
            <i aria-hidden="true">{ "t" }</i>{ show(clock.now()) }
        </span>
    }
}

fn button(world: &World, path: &'static str, name: Words, act: fn(&World), disabled: bool) -> Html {
    let name = world.say(name);
    let world = world.clone();
    let onclick = Callback::from(move |_| act(&world));
    html! {
        <button type="button" class="icon-button" title={name} aria-label={name} {onclick} {disabled}>{ icon(path) }</button>
    }
}

fn speed(world: &World) -> Html {
    let now = world.clock().speed;
    let onchange = {
        let world = world.clone();
        Callback::from(move |event: yew::Event| {
            let select: Option<web_sys::HtmlSelectElement> = event.target_dyn_into();
            if let Some(speed) = select.and_then(|select| select.value().parse().ok()) {
                world.set_speed(speed);
            }
        })
    };
    html! {
        <select class="speed" aria-label={world.say(words::SPEED)} title={world.say(words::SPEED)} {onchange}>
            { for SPEEDS.iter().map(|speed| html! {
                <option key={speed.to_string()} value={speed.to_string()} selected={*speed == now}>{ format!("{speed}×") }</option>
            }) }
        </select>
    }
}

fn language(world: &World) -> Html {
    let name = world.say(words::LANGUAGE);
    let lang = if world.language() == Language::English { "zh-CN" } else { "en" };
    let world = world.clone();
    let onclick = Callback::from(move |_| {
        world.set_language(match world.language() {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        });
    });
    html! { <button type="button" class="text-button" {lang} {onclick}>{ name }</button> }
}

fn theme(world: &World) -> Html {
    let (name, next) = match world.theme() {
        Theme::Auto => (words::THEME_AUTO, Theme::Light),
        Theme::Light => (words::THEME_LIGHT, Theme::Dark),
        Theme::Dark => (words::THEME_DARK, Theme::Auto),
    };
    let name = world.say(name);
    let world = world.clone();
    let onclick = Callback::from(move |_| world.set_theme(next));
    html! {
        <button type="button" class="icon-button theme" title={name} aria-label={name} {onclick}>{ icon(icons::THEME) }</button>
    }
}
