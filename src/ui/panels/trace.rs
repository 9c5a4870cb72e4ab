//! The hops of one packet, each of which opens: the header before and after, every rule in its own text with
//! the table it stands in, and what would have to be true where the packet failed.

use std::collections::BTreeSet;
use std::rc::Rc;

use yew::prelude::{Callback, Html, Properties, classes, component, html, use_state_eq};

use crate::network::{Packet, Place};
use crate::ui::model::journey::{End, Journey, Stop, ends, table_of};
use crate::ui::model::journey_words::{name_of, step_words};
use crate::ui::model::passing::Passing;
use crate::ui::model::things;
use crate::ui::packet::header;
use crate::ui::words;
use crate::ui::world::{Topic, World, use_world};
use crate::words::Language;

/// What the list of hops is given.
#[derive(Clone, PartialEq, Properties)]
pub struct TraceProperties {
    /// The packet.
    pub journey: Rc<Journey>,
    /// The stop at which it is on the map, if it is followed.
    #[prop_or_default]
    pub now: Option<usize>,
    /// The first stop at which it parts from the packet beside it.
    #[prop_or_default]
    pub parting: Option<usize>,
    /// Goes to a stop on the map.
    #[prop_or_default]
    pub go: Callback<usize>,
}

/// The hops of a packet.
#[component]
pub fn Trace(properties: &TraceProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let journey = &properties.journey;
    let deciding = journey.deciding();
    let open = use_state_eq(|| BTreeSet::from([deciding]));
    let bad = journey.end != End::Delivered;
    let result = said(&world, &journey.result);
    let stop = |(index, stop): (usize, &Stop)| {
        let toggle = {
            let (open, go) = (open.clone(), properties.go.clone());
            Callback::from(move |_| {
                let mut now = (*open).clone();
                if !now.remove(&index) {
                    now.insert(index);
                }
                open.set(now);
                go.emit(index);
            })
        };
        let opened = open.contains(&index);
        let passing = journey.to_pass.as_ref().filter(|_| bad && index == deciding);
        let class = classes!(
            "trace-hop",
            (properties.now == Some(index)).then_some("now"),
            (properties.parting == Some(index)).then_some("parts"),
            stop.is_reply.then_some("reply"),
            (bad && index == deciding).then_some("failed")
        );
        html! {
            <li key={index} {class} aria-current={(properties.now == Some(index)).then_some("step")}>
                <button type="button" class="trace-head" aria-expanded={opened.to_string()} onclick={toggle}>
                    <span class="trace-number">{ index + 1 }</span>
                    <b>{ name_of(&stop.place) }</b>
                    <span class="trace-what">{ world.say(step_words(stop.step)) }</span>
                    <code class="trace-to">{ short(stop) }</code>
                </button>
                if opened {
                    { details(&world, stop, passing) }
                }
            </li>
        }
    };
    html! {
        <article class="trace" aria-label={journey.title.clone()}>
            <header class={if bad { "bad" } else { "" }}>
                <b>{ journey.title.clone() }</b><span>{ result }</span>
                if let Some(parting) = properties.parting {
                    <em>{ format!("{}{}{}", world.say(words::PARTS_AT), parting + 1, world.say(words::PARTS_END)) }</em>
                }
            </header>
            <ol>{ for journey.stops.iter().enumerate().map(stop) }</ol>
        </article>
    }
}

/// What of the header a hop changes, in short.
fn short(stop: &Stop) -> String {
    let ((source, destination), (new_source, new_destination)) = (ends(&stop.before), ends(&stop.after));
    match (source != new_source, destination != new_destination) {
        (false, false) => String::new(),
        (true, false) => format!("{source} ⇒ {new_source}"),
        _ => format!("{destination} ⇒ {new_destination}"),
    }
}

fn said(world: &World, words: &(String, String)) -> String {
    match world.language() {
        Language::English => words.0.clone(),
        Language::Chinese => words.1.clone(),
    }
}

fn details(world: &World, stop: &Stop, passing: Option<&Passing>) -> Html {
    let row = |name: &'static str, packet: &Packet, other: &Packet| {
        html! {
            <><dt>{ name }</dt><dd>{ header(packet, other) }<small>{ format!("ttl {}", packet.ttl) }</small></dd></>
        }
    };
    html! {
        <div class="trace-body">
            <dl>
                { row(world.say(words::BEFORE), &stop.before, &stop.after) }
                { row(world.say(words::AFTER), &stop.after, &stop.before) }
                if stop.latency_us > 0 {
                    <dt>{ world.say(words::TIME) }</dt><dd>{ format!("{} µs", stop.latency_us) }</dd>
                }
                if let Some(service) = &stop.service {
                    <dt>{ "Service" }</dt>
                    <dd><span class="thing" data-thing={things::id(service)}>{ service.name.to_string() }</span></dd>
                }
            </dl>
            { rules(world, stop) }
            if let Some(passing) = passing {
                { to_pass(world, passing) }
            }
        </div>
    }
}

/// Every rule that matched here, each with its table and chain; the last one did it.
fn rules(world: &World, stop: &Stop) -> Html {
    if stop.rules.is_empty() {
        return Html::default();
    }
    let show = match &stop.place {
        Place::Node(node) => {
            let (world, node) = (world.clone(), node.clone());
            Some(Callback::from(move |_: yew::MouseEvent| world.show_rules(&node)))
        }
        _ => None,
    };
    let last = stop.rules.len() - 1;
    html! {
        <ol class="trace-rules" aria-label={world.say(words::RULES)}>
            { for stop.rules.iter().enumerate().map(|(index, rule)| html! {
                <li key={index} class={if index == last { "did" } else { "" }}>
                    <span>{ table_of(rule) }</span><code>{ rule.text.clone() }</code>
                </li>
            }) }
            if let Some(onclick) = show {
                <li key="all"><button type="button" class="link" {onclick}>{ world.say(words::ALL_RULES) }</button></li>
            }
        </ol>
    }
}

fn to_pass(world: &World, passing: &Passing) -> Html {
    let command = passing.command.clone();
    let onclick = {
        let (world, command) = (world.clone(), command.clone().unwrap_or_default());
        Callback::from(move |_| world.type_command(&command))
    };
    html! {
        <div class="to-pass">
            <p><b>{ world.say(words::TO_PASS) }</b>{ " " }{ said(world, &passing.words) }</p>
            if let Some(command) = command {
                <button type="button" class="command" title={world.say(words::RUN)} {onclick}>{ command }</button>
            }
        </div>
    }
}
