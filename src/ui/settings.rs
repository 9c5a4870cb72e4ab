//! The settings of the world: what can be changed while it runs, and what needs a new one.
//!
//! One row per setting that has a name; names, values and bounds are [`crate::cluster::setting`]'s.

use web_sys::{HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent};
use yew::prelude::{
    Callback, Html, TargetCast as _, component, html, use_effect_with, use_node_ref, use_state_eq,
};

use super::icons::{self, icon};
use super::words;
use super::world::{Dialog, Topic, World, use_world};
use crate::cluster::Settings;
use crate::cluster::setting::{SETTINGS, Setting};
use crate::words::Words;

/// What a setting is called on the page, where its own name does not say it.
const NAMES: &[(&str, Words)] = &[
    ("proxyMode", words::PROXY_MODE),
    ("cloud", words::CLOUD),
    ("hairpin", words::HAIRPIN),
    ("ipForward", words::IP_FORWARD),
    ("bridgeNetfilter", words::BRIDGE_NETFILTER),
    ("ipFamilies", words::FAMILIES),
    ("nodes", words::NODES),
    ("podsPerNode", words::PODS_PER_NODE),
    ("zones", words::ZONES),
    ("seed", words::SEED),
];

/// The dialog, while it is open.
#[component]
pub fn SettingsDialog() -> Html {
    let world = use_world(&[Topic::Dialog]);
    if world.dialog() == Dialog::Settings {
        html! { <Open /> }
    } else {
        Html::default()
    }
}

#[component]
fn Open() -> Html {
    let world = use_world(&[Topic::Look]);
    let chosen = use_state_eq(|| world.with(|simulation| simulation.cluster.settings().clone()));
    let frame = use_node_ref();
    {
        let frame = frame.clone();
        use_effect_with((), move |()| {
            let first =
                frame.cast::<HtmlElement>().and_then(|frame| frame.query_selector("select").ok().flatten());
            if let Some(first) =
                first.and_then(|first| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(first).ok())
            {
                // A select takes the focus.
                let _ = first.focus();
            }
        });
    }
    let close = {
        let world = world.clone();
        Callback::from(move |()| world.set_dialog(Dialog::None))
    };
    let onkeydown = {
        let close = close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                event.stop_propagation();
                close.emit(());
            }
        })
    };
    let set = {
        let (world, chosen) = (world.clone(), chosen.clone());
        Callback::from(move |(setting, value): (&'static Setting, String)| {
            let mut next = (*chosen).clone();
            // What it cannot be, it does not become: the field shows again what it is.
            if next.set(setting.name, value.trim()).is_ok() && setting.live {
                let mut now = world.with(|simulation| simulation.cluster.settings().clone());
                if now.set(setting.name, value.trim()).is_ok() {
                    world.change_settings(now);
                }
            }
            chosen.set(next);
        })
    };
    let begin = {
        let (world, chosen) = (world.clone(), chosen.clone());
        Callback::from(move |_: yew::MouseEvent| world.begin_anew(&chosen))
    };
    let rows = |live: bool| -> Html {
        let settings = SETTINGS.iter().filter(|setting| setting.live == live);
        settings.map(|setting| row(&world, setting, &chosen, &set)).collect()
    };
    html! {
        <div class="palette-veil" onclick={close.reform(|_: yew::MouseEvent| ())}>
            <div class="settings" ref={frame} role="dialog" aria-modal="true" aria-label={world.say(words::SETTINGS)} {onkeydown}
                onclick={|event: yew::MouseEvent| event.stop_propagation()}>
                <header><h2>{ world.say(words::SETTINGS) }</h2>
                    <button type="button" class="icon-button" aria-label={world.say(words::CLOSE)} title={world.say(words::CLOSE)} onclick={close.reform(|_: yew::MouseEvent| ())}>{ icon(icons::CROSS) }</button>
                </header>
                { rows(true) }
                <fieldset>
                    <legend>{ world.say(words::NEEDS_NEW) }</legend>
                    { rows(false) }
                    <p class="muted">{ world.say(words::NEW_KEEPS) }</p>
                    <button type="button" class="primary" onclick={begin}>{ world.say(words::NEW_CLUSTER) }</button>
                </fieldset>
            </div>
        </div>
    }
}

/// One setting: a choice where it has a few values, else a field.
fn row(
    world: &World,
    setting: &'static Setting,
    chosen: &Settings,
    set: &Callback<(&'static Setting, String)>,
) -> Html {
    let named = NAMES.iter().find(|(name, _)| *name == setting.name);
    let name = named.map_or(setting.name, |(_, words)| world.say(*words));
    let value = setting.value(chosen);
    let set = set.clone();
    if setting.values.is_empty() {
        let now = value.clone();
        let onchange = Callback::from(move |event: yew::Event| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let typed = input.value();
                input.set_value(&now);
                set.emit((setting, typed));
            }
        });
        return html! {
            <label key={setting.name}><span>{ name }</span><input type="text" spellcheck="false" {value} {onchange} /></label>
        };
    }
    let onchange = Callback::from(move |event: yew::Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            set.emit((setting, select.value()));
        }
    });
    html! {
        <label key={setting.name}><span>{ name }</span>
            <select {onchange}>
                { for setting.values.iter().map(|one| html! { <option key={*one} value={*one} selected={*one == value}>{ *one }</option> }) }
            </select>
        </label>
    }
}
