//! What can stand below the map in place of the terminals: packets and their hops, the rules of a node, what
//! nodes remember of connections, load.
//!
//! The map shows where things are and one packet moving; everything that is a list is here, so that flow and
//! structure do not fight for one picture.

mod flows;
mod load;
mod packets;
mod rules;
mod trace;

use yew::prelude::{Callback, Html, component, html};

use self::flows::FlowsPanel;
use self::load::LoadPanel;
use self::packets::PacketsPanel;
use self::rules::RulesPanel;
use super::words;
use super::world::{Lower, Topic, World, use_world};
use crate::words::Words;

const VIEWS: [(Lower, Words); 4] = [
    (Lower::Packets, words::PACKETS),
    (Lower::Rules, words::RULES),
    (Lower::Flows, words::FLOWS),
    (Lower::Load, words::LOAD),
];

/// The tabs of the views; a second click on one leads back to the terminal.
#[component]
pub fn ViewTabs() -> Html {
    let world = use_world(&[Topic::Lower, Topic::Look]);
    let shown = world.lower();
    let tab = |(view, name): (Lower, Words)| {
        let (chosen, name) = (shown == view, world.say(name));
        let onclick = {
            let world = world.clone();
            Callback::from(move |_| world.set_lower(if chosen { Lower::Terminal } else { view }))
        };
        html! {
            <button key={name} type="button" role="tab" aria-selected={chosen.to_string()} {onclick}>{ name }</button>
        }
    };
    html! {
        <div class="tabs views" role="tablist" aria-label={world.say(words::VIEWS)}>{ for VIEWS.into_iter().map(tab) }</div>
    }
}

/// The chosen view; nothing while the terminals are shown.
#[component]
pub fn View() -> Html {
    let world = use_world(&[Topic::Lower]);
    match world.lower() {
        Lower::Terminal => Html::default(),
        Lower::Packets => html! { <PacketsPanel /> },
        Lower::Rules => html! { <RulesPanel /> },
        Lower::Flows => html! { <FlowsPanel /> },
        Lower::Load => html! { <LoadPanel /> },
    }
}

/// What a panel says when it has nothing to show, and a command that would fill it.
fn nothing(world: &World, said: Words) -> Html {
    html! { <p class="empty">{ world.say(said) }</p> }
}
