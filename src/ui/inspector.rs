//! The inspector: what the selected object is made of, and why it is as it is.
//!
//! One view per tab, read from the objects whenever the journal grows.

use yew::prelude::{Callback, Html, component, html, use_state_eq};

use super::icons::{self, icon};
use super::model::facts::{self, Fact};
use super::model::things;
use super::words;
use super::world::{Topic, World, use_world};
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::words::Words;

/// A tab of the inspector.
#[derive(Clone, Copy, PartialEq)]
enum View {
    Overview,
    Yaml,
    Events,
    Variables,
    Rules,
}

/// The views of a kind.
fn views(kind: Kind) -> &'static [(View, Words)] {
    match kind {
        Kind::Pod => &[
            (View::Overview, words::OVERVIEW),
            (View::Yaml, words::TAB_YAML),
            (View::Events, words::EVENTS),
            (View::Variables, words::VARIABLES),
        ],
        Kind::Node => {
            &[(View::Overview, words::OVERVIEW), (View::Rules, words::RULES), (View::Yaml, words::TAB_YAML)]
        }
        _ => {
            &[(View::Overview, words::OVERVIEW), (View::Yaml, words::TAB_YAML), (View::Events, words::EVENTS)]
        }
    }
}

/// The inspector; slides away when nothing is selected.
#[component]
pub fn Inspector() -> Html {
    let world = use_world(&[Topic::Selection, Topic::Journal, Topic::Look]);
    let chosen = use_state_eq(|| View::Overview);
    let selected = world.selected();
    let close = {
        let world = world.clone();
        Callback::from(move |_| world.select(None))
    };
    let body = selected.map(|key| {
        let views = views(key.kind);
        let view = if views.iter().any(|(view, _)| *view == *chosen) { *chosen } else { View::Overview };
        let tab = |(one, name): &(View, Words)| {
            let (one, chosen) = (*one, chosen.clone());
            let name = world.say(*name);
            let onclick = Callback::from(move |_| chosen.set(one));
            html! { <button key={name} type="button" role="tab" aria-selected={(one == view).to_string()} {onclick}>{ name }</button> }
        };
        html! {
            <>
                <header>
                    <span class="kind">{ key.kind.name() }</span>
                    <h2>{ key.name.to_string() }<small>{ key.namespace.to_string() }</small></h2>
                    <button type="button" class="icon-button" title={world.say(words::CLOSE)} aria-label={world.say(words::CLOSE)} onclick={close}>{ icon(icons::CROSS) }</button>
                </header>
                <div class="tabs" role="tablist">{ for views.iter().map(tab) }</div>
                <div class="inspected">{ show(&world, &key, view) }</div>
            </>
        }
    });
    let open = body.is_some();
    html! {
        <section class={if open { "inspector open" } else { "inspector" }} aria-label="Inspector">
            { body.unwrap_or_else(|| html! { <p class="empty">{ world.say(words::NOTHING_SELECTED) }</p> }) }
        </section>
    }
}

fn show(world: &World, key: &Key, view: View) -> Html {
    if world.with(|simulation| simulation.cluster.get(key).is_none()) {
        return html! { <p class="empty">{ world.say(words::GONE) }</p> };
    }
    match view {
        View::Overview => overview(world, key),
        View::Yaml => {
            let text = world.with(|simulation| facts::yaml(&simulation.cluster, key));
            html! { <pre class="text">{ linked(world, &text, &key.namespace) }</pre> }
        }
        View::Events => events(world, key),
        View::Variables => variables(world, key),
        View::Rules => {
            let text = world.with(|simulation| simulation.network.iptables_save(&key.name, ""));
            match text {
                Some(text) => html! { <pre class="text rules">{ linked(world, &text, "default") }</pre> },
                None => html! { <p class="empty">{ world.say(words::NO_RULES) }</p> },
            }
        }
    }
}

/// Text in which names and addresses are things.
fn linked(world: &World, text: &str, namespace: &str) -> Html {
    let map = world.map();
    things::pieces(text, &map, namespace)
        .into_iter()
        .map(|piece| match piece.thing {
            Some(thing) => {
                html! { <span class="thing" data-thing={things::id(&thing)}>{ piece.text }</span> }
            }
            None => html! { { piece.text } },
        })
        .collect()
}

fn overview(world: &World, key: &Key) -> Html {
    let (facts, why) =
        world.with(|simulation| (facts::of(simulation, key), facts::why(simulation, key, world.language())));
    let fact = |(index, fact): (usize, &Fact)| {
        html! {
            <div key={index} class="fact"><dt>{ world.say(fact.name) }</dt><dd>{ linked(world, &fact.value, &key.namespace) }</dd></div>
        }
    };
    html! {
        <>
            { for why.iter().enumerate().map(|(index, said)| finding(world, key, index, said)) }
            <dl class="facts">{ for facts.iter().enumerate().map(fact) }</dl>
            if key.kind == Kind::Service {
                { endpoints(world, key) }
            }
        </>
    }
}

/// Why it is as it is, with the evidence and what to try.
fn finding(world: &World, key: &Key, index: usize, said: &facts::Said) -> Html {
    let class = match (said.bad, said.fine) {
        (true, _) => "why bad",
        (_, true) => "why fine",
        _ => "why",
    };
    let fix = |(index, (text, is_command)): (usize, &(String, bool))| {
        if !is_command {
            return html! { <p key={index}>{ text.clone() }</p> };
        }
        let onclick = {
            let (world, text) = (world.clone(), text.clone());
            Callback::from(move |_| world.type_command(&text))
        };
        html! { <button key={index} type="button" class="command" title={world.say(words::RUN)} {onclick}>{ text.clone() }</button> }
    };
    html! {
        <div key={format!("why {index}")} {class}>
            <p><b>{ linked(world, &said.what, &key.namespace) }</b></p>
            if !said.why.is_empty() {
                <p>{ linked(world, &said.why, &key.namespace) }</p>
            }
            if !said.evidence.is_empty() {
                <dl>{ for said.evidence.iter().enumerate().map(|(index, (label, value))| html! {
                    <div key={index}><dt>{ label.clone() }</dt><dd>{ linked(world, value, &key.namespace) }</dd></div>
                }) }</dl>
            }
            { for said.fixes.iter().enumerate().map(fix) }
        </div>
    }
}

/// The endpoints of a Service as they come and go.
fn endpoints(world: &World, key: &Key) -> Html {
    let endpoints = world.with(|simulation| facts::endpoints(&simulation.cluster, key));
    let row = |(index, endpoint): (usize, &facts::EndpointRow)| {
        let (class, state) = match (endpoint.ready, endpoint.serving, endpoint.terminating) {
            (true, ..) => ("ready", words::READY),
            (_, true, true) => ("serving", words::SERVING),
            (_, _, true) => ("serving", words::TERMINATING),
            _ => ("not-ready", words::NOT_READY),
        };
        html! {
            <tr key={index} {class}>
                <td>{ linked(world, &endpoint.address, &key.namespace) }</td>
                <td>{ linked(world, &endpoint.pod, &key.namespace) }</td>
                <td>{ linked(world, &endpoint.node, "") }</td>
                <td class="state"><i aria-hidden="true"></i>{ world.say(state) }</td>
            </tr>
        }
    };
    html! {
        <>
            <h3>{ world.say(words::ENDPOINTS) }<span>{ endpoints.len() }</span></h3>
            if endpoints.is_empty() {
                <p class="empty">{ world.say(words::ENDPOINTS_NONE) }</p>
            } else {
                <table class="endpoints">
                    <tbody>{ for endpoints.iter().enumerate().map(row) }</tbody>
                </table>
            }
        </>
    }
}

fn events(world: &World, key: &Key) -> Html {
    let events = world.with(|simulation| facts::events(&simulation.cluster, key));
    if events.is_empty() {
        return html! { <p class="empty">{ world.say(words::NO_EVENTS) }</p> };
    }
    let event = |(index, event): (usize, &facts::EventRow)| {
        html! {
            <li key={index} class={if event.warning { "warning" } else { "" }}>
                <b>{ event.reason.to_string() }</b>
                <span class="muted">{ event.source.to_string() }{ if event.count > 1 { format!(" ×{}", event.count) } else { String::new() } }</span>
                <p>{ linked(world, &event.message, &key.namespace) }</p>
            </li>
        }
    };
    html! { <ol class="events">{ for events.iter().enumerate().map(event) }</ol> }
}

fn variables(world: &World, key: &Key) -> Html {
    let containers = world.with(|simulation| facts::variables(simulation, key));
    if containers.is_empty() {
        return html! { <p class="empty">{ world.say(words::NO_VARIABLES) }</p> };
    }
    let container = |(index, (name, variables)): (usize, &facts::Variables)| {
        html! {
            <div key={index}>
                <h3>{ name.clone() }<span>{ variables.len() }</span></h3>
                <dl class="variables">
                    { for variables.iter().enumerate().map(|(index, (name, value))| html! {
                        <div key={index}><dt>{ name.clone() }</dt><dd>{ linked(world, value, &key.namespace) }</dd></div>
                    }) }
                </dl>
            </div>
        }
    };
    html! { <>{ for containers.iter().enumerate().map(container) }</> }
}
