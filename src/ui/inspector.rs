//! The inspector: what the selected object is made of.

use yew::prelude::{Callback, Html, component, html};

use super::icons::{self, icon};
use super::words;
use super::world::{Topic, use_world};

/// The inspector; slides away when nothing is selected.
#[component]
pub fn Inspector() -> Html {
    let world = use_world(&[Topic::Selection, Topic::Journal, Topic::Look]);
    let selected = world.selected();
    let close = {
        let world = world.clone();
        Callback::from(move |_| world.select(None))
    };
    html! {
        <section class={if selected.is_some() { "inspector open" } else { "inspector" }} aria-label="Inspector">
            if let Some(key) = selected {
                <header>
                    <span class="kind">{ key.kind.name() }</span>
                    <h2>{ key.name.to_string() }</h2>
                    <button type="button" class="icon-button" aria-label={world.say(words::CLOSE)} onclick={close}>{ icon(icons::CROSS) }</button>
                </header>
            } else {
                <p class="empty">{ world.say(words::NOTHING_SELECTED) }</p>
            }
        </section>
    }
}
