//! What nodes remember of connections: conntrack as a table that fills.

use yew::prelude::{Html, component, html};

use super::nothing;
use crate::ui::model::clock::show;
use crate::ui::model::flows::{self, FlowRow};
use crate::ui::model::things;
use crate::ui::words;
use crate::ui::world::{Topic, World, use_world};

/// The flows.
#[component]
pub fn FlowsPanel() -> Html {
    let world = use_world(&[Topic::Packets, Topic::Lower, Topic::Look]);
    let (rows, more) = world.with(|simulation| flows::of_all(simulation));
    if rows.is_empty() {
        return nothing(&world, words::NO_FLOWS);
    }
    let heads = [words::NODE, words::FLOW_SENT, words::FLOW_BACKEND, words::FLOW_SEEN_AS, words::FLOW_LAST];
    html! {
        <section class="panel flows-panel" aria-label={world.say(words::FLOWS)} tabindex="0">
            <table>
                <thead><tr>{ for heads.iter().map(|head| html! { <th key={head.en} scope="col">{ world.say(*head) }</th> }) }</tr></thead>
                <tbody>{ for rows.iter().map(|flow| row(&world, flow)) }</tbody>
            </table>
            if more > 0 {
                <p class="muted">{ format!("+{more}{}", world.say(words::MORE)) }</p>
            }
        </section>
    }
}

fn row(world: &World, flow: &FlowRow) -> Html {
    let key = format!("{} {} {} {}", flow.node, flow.transport, flow.source, flow.destination);
    html! {
        <tr {key}>
            <td>{ linked(world, &flow.node) }</td>
            <td><span class="muted">{ flow.transport }</span>{ " " }{ linked(world, &flow.source) }{ " → " }{ linked(world, &flow.destination) }</td>
            <td>{ flow.backend.as_deref().map(|backend| linked(world, backend)).unwrap_or_default() }</td>
            <td>{ flow.masquerade.as_deref().map(|source| linked(world, source)).unwrap_or_default() }</td>
            <td class="muted">{ show(flow.seen) }</td>
        </tr>
    }
}

/// An address or a name; a thing if it is on the map, with that thing's name behind it.
fn linked(world: &World, text: &str) -> Html {
    let map = world.map();
    let html = things::pieces(text, &map, "default").into_iter().map(|piece| match piece.thing {
        Some(thing) => {
            let title = thing.name.to_string();
            html! { <span class="thing" {title} data-thing={things::id(&thing)}>{ piece.text }</span> }
        }
        None => html! { { piece.text } },
    });
    html.collect()
}
