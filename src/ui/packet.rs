//! Packets over the map: the one that is followed, hop by hop, and the small ones of running programs.
//!
//! The followed packet moves by frames of the browser, directly on its elements; components are rendered
//! anew only from stop to stop. It never holds up the terminal.

use std::rc::Rc;

use web_sys::HtmlElement;
use yew::prelude::{
    Callback, Html, NodeRef, Properties, classes, component, html, use_effect_with, use_node_ref,
    use_state_eq,
};

use super::icons::{self, icon};
use super::model::journey::{End, Journey, Stop, anchor, ends, table_of};
use super::model::journey_words::{name_of, step_words};
use super::model::layout::{Layout, Point};
use super::player::{Player, use_stop};
use super::send::SendForm;
use super::terminal::Hint;
use super::world::{Lower, Pane, Topic, World, use_world};
use super::{dom, focus, words};
use crate::network::{Packet, Step};
use crate::words::{Language, Words};

/// The width that a header on a packet may take.
const LABEL_WIDTH: f64 = 300.0;

/// What the overlay is given.
#[derive(Clone, Properties)]
pub struct ViewProperties {
    /// The map's layout.
    pub layout: Rc<Layout>,
}

impl PartialEq for ViewProperties {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.layout, &other.layout)
    }
}

/// The overlay of the map.
#[component]
pub fn PacketView(properties: &ViewProperties) -> Html {
    let world = use_world(&[Topic::Packets, Topic::Look]);
    let (player, journey, stop) = use_stop(&world);
    let layout = Rc::clone(&properties.layout);
    let packet = use_node_ref();
    {
        let (world, layout, packet, player) =
            (world.clone(), Rc::clone(&layout), packet.clone(), Rc::clone(&player));
        use_effect_with((Rc::as_ptr(&layout), journey.as_ref().map(|journey| journey.number)), move |_| {
            let on = Rc::clone(&player);
            let moved = Callback::from(move |at: f64| place_packet(&world, &layout, &packet, &on, at));
            moved.emit(player.at_ms());
            player.when_moved(moved);
        });
    }
    {
        let matched: Vec<String> = journey
            .as_ref()
            .and_then(|journey| journey.stops.get(stop)?.service.as_ref().map(super::model::things::id))
            .into_iter()
            .collect();
        use_effect_with(matched, |matched| focus::only("matched", matched));
    }
    let map = world.map();
    let sparks = world.sparks();
    let still = dom::reduced_motion();
    html! {
        <div class={classes!("packets", (journey.is_some() && !player.is_over()).then_some("following"))} aria-hidden="true">
            if let Some(journey) = journey.clone() {
                { way(&journey, stop, &layout, &map, still) }
                { label(&journey, stop, &packet) }
            }
            if !still {
                { for sparks.iter().map(|spark| spark_view(spark, &layout, &map)) }
            }
        </div>
    }
}

fn place_packet(world: &World, layout: &Layout, packet: &NodeRef, player: &Player, at: f64) {
    let journey = player.journey();
    let point = journey.and_then(|journey| journey.position(at, layout, &world.map()));
    let (Some(point), Some(element)) = (point, packet.cast::<HtmlElement>()) else { return };
    // Setting a property of a style does not fail.
    let _ =
        element.style().set_property("transform", &format!("translate({:.1}px,{:.1}px)", point.x, point.y));
    // The header stays within the map.
    let half = LABEL_WIDTH / 2.0 + 8.0;
    let shift = point.x.clamp(half, (layout.width - half).max(half)) - point.x;
    let _ = element.style().set_property("--shift", &format!("{shift:.1}px"));
    let _ = element.style().set_property("--drop", if point.y < 40.0 { "44px" } else { "0px" });
}

fn polyline(points: &[Point]) -> String {
    points.iter().map(|point| format!("{:.1},{:.1}", point.x, point.y)).collect::<Vec<_>>().join(" ")
}

/// The whole way, the Service whose rule opens, and the numbers of the stops.
fn way(journey: &Journey, stop: usize, layout: &Layout, map: &super::model::map::Map, still: bool) -> Html {
    let points = journey.points(layout, map);
    let now = journey.stops.get(stop);
    let opened = now.and_then(|stop| {
        let key = stop.service.as_ref()?;
        let (_, pill) = layout.services.iter().find(|(service, _)| service == key)?;
        let from = anchor(&stop.place, layout, map)?;
        Some(format!("M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, pill.x + pill.w / 2.0, pill.y + pill.h))
    });
    let number = |(index, point): (usize, &Point)| {
        html! {
            <g key={index} transform={format!("translate({:.1} {:.1})", point.x, point.y)}>
                <circle r="9" /><text dy="4">{ index + 1 }</text>
            </g>
        }
    };
    html! {
        <svg class={if still { "way still" } else { "way" }} width={layout.width.to_string()} height={layout.height.to_string()}>
            <polyline points={polyline(&points)} />
            if let Some(d) = opened {
                <path class="opened" {d} />
            }
            if still {
                { for journey.visited(layout, map).iter().enumerate().map(number) }
            }
        </svg>
    }
}

/// The packet with its header.
fn label(journey: &Journey, stop: usize, packet: &NodeRef) -> Html {
    let Some(now) = journey.stops.get(stop) else { return Html::default() };
    let last = stop + 1 == journey.stops.len();
    let end = match journey.end {
        End::Delivered => None,
        _ if !last => None,
        End::Refused => Some("refused"),
        End::Dropped => Some("dropped"),
        End::NoRoute => Some("no-route"),
    };
    let (source, destination) = ends(&now.after);
    let (old_source, old_destination) = ends(&now.before);
    let changed = |old: &str, new: &str| (old != new).then_some("changed");
    html! {
        <div class={classes!("packet", end, now.is_reply.then_some("reply"))} ref={packet}>
            <i></i>
            <span class="header">
                <b class={classes!(changed(&old_source, &source))}>{ source }</b>
                { " → " }
                <b class={classes!(changed(&old_destination, &destination))}>{ destination }</b>
            </span>
        </div>
    }
}

fn spark_view(journey: &Journey, layout: &Layout, map: &super::model::map::Map) -> Html {
    let points = journey.points(layout, map);
    let path: Vec<String> = points.iter().map(|point| format!("{:.1} {:.1}", point.x, point.y)).collect();
    if path.len() < 2 {
        return Html::default();
    }
    let class = if journey.end == End::Delivered { "spark" } else { "spark failed" };
    let style = format!("offset-path:path('M{}')", path.join("L"));
    html! { <i key={format!("spark {}", journey.number)} {class} {style}></i> }
}

/// The panel below the map: the last packet in one line, its stops one by one, and the control that sends.
#[component]
pub fn PacketPanel() -> Html {
    let world = use_world(&[Topic::Packets, Topic::Lower, Topic::Look]);
    let (player, journey, stop) = use_stop(&world);
    // Where all hops are listed, the map has its room for itself.
    let listed = world.lower() == Lower::Packets;
    let sending = use_state_eq(|| false);
    let toggle = {
        let sending = sending.clone();
        Callback::from(move |_| sending.set(!*sending))
    };
    let journeys = world.journeys();
    html! {
        <div class="packet-panel">
            if let Some(journey) = journey.as_ref().filter(|_| !listed) {
                { details(&world, journey, stop) }
            }
            if *sending {
                <SendForm />
            }
            <div class="packet-bar">
                <button type="button" class="text-button send-button" aria-expanded={sending.to_string()} onclick={toggle}>
                    { icon(icons::SEND) }{ world.say(words::SEND_PACKET) }
                </button>
                if let Some(journey) = &journey {
                    { controls(&world, &player, journey, stop) }
                    { verdict(&world, journey) }
                    { tool(&world, icons::CROSS, words::CLOSE_PACKET, { let world = world.clone(); Callback::from(move |_| world.follow(None)) }) }
                } else if let Some(last) = journeys.last() {
                    { again(&world, last) }
                }
            </div>
        </div>
    }
}

/// The last packet in one line, for a page that shows one pane at a time; before the first one, what to type.
#[component]
pub fn LastPacket() -> Html {
    let world = use_world(&[Topic::Packets, Topic::Terminal, Topic::Look]);
    let last = world.followed().or_else(|| world.journeys().pop());
    if let Some(last) = last {
        let onclick = {
            let (world, number) = (world.clone(), last.number);
            Callback::from(move |_| {
                world.set_pane(Pane::Map);
                world.follow(Some(number));
            })
        };
        return html! {
            <button type="button" class="last-packet sent" title={world.say(words::LAST_PACKET)} {onclick}>{ verdict(&world, &last) }</button>
        };
    }
    if world.hint_used() {
        return Html::default();
    }
    html! { <div class="last-packet"><Hint /></div> }
}

fn tool(world: &World, path: &'static str, name: Words, onclick: Callback<yew::MouseEvent>) -> Html {
    let name = world.say(name);
    html! { <button type="button" class="icon-button" title={name} aria-label={name} {onclick}>{ icon(path) }</button> }
}

fn controls(world: &World, player: &Rc<Player>, journey: &Journey, stop: usize) -> Html {
    let act = |act: fn(&Rc<Player>)| {
        let player = Rc::clone(player);
        Callback::from(move |_: yew::MouseEvent| act(&player))
    };
    let playing = player.is_playing();
    html! {
        <>
            { tool(world, icons::BACK, words::PREVIOUS_HOP, act(|player| player.go(-1))) }
            if playing {
                { tool(world, icons::PAUSE, words::PAUSE_PACKET, act(|player| player.set_playing(false))) }
            } else {
                { tool(world, icons::PLAY, words::PLAY_PACKET, act(|player| player.set_playing(true))) }
            }
            { tool(world, icons::FORWARD, words::NEXT_HOP, act(|player| player.go(1))) }
            { tool(world, icons::AGAIN, words::REPLAY, act(Player::replay)) }
            <span class="count">{ format!("{}/{}", stop + 1, journey.stops.len()) }</span>
        </>
    }
}

fn verdict(world: &World, journey: &Journey) -> Html {
    let result = match world.language() {
        Language::English => &journey.result.0,
        Language::Chinese => &journey.result.1,
    };
    let (class, sign) = match journey.end {
        End::Delivered => ("result", "✓"),
        End::Refused => ("result bad", "✕"),
        End::Dropped => ("result bad", "✕"),
        End::NoRoute => ("result bad", "✕"),
    };
    html! {
        <span {class} role="status"><i aria-hidden="true">{ sign }</i><b>{ journey.title.clone() }</b>{ result.clone() }</span>
    }
}

fn again(world: &World, journey: &Rc<Journey>) -> Html {
    let onclick = {
        let (world, number) = (world.clone(), journey.number);
        Callback::from(move |_| world.follow(Some(number)))
    };
    html! {
        <>
            { tool(world, icons::AGAIN, words::REPLAY, onclick) }
            <span class="muted">{ world.say(words::LAST_PACKET) }</span>
            { verdict(world, journey) }
        </>
    }
}

/// The shown stop: what happens, the header before and after, and the rule.
fn details(world: &World, journey: &Journey, stop: usize) -> Html {
    let Some(now) = journey.stops.get(stop) else { return Html::default() };
    let changed = now.before != now.after;
    let open = {
        let world = world.clone();
        Callback::from(move |_| world.set_lower(Lower::Packets))
    };
    html! {
        <div class="hop">
            <button type="button" class="text-button hop-open" onclick={open}>{ world.say(words::OPEN_HOPS) }</button>
            <p class="hop-what">
                <b>{ name_of(&now.place) }</b>
                { world.say(step_words(now.step)) }
                if let Some(service) = &now.service {
                    <span class="thing" data-thing={super::model::things::id(service)}>{ service.name.to_string() }</span>
                }
            </p>
            <dl>
                if changed {
                    <dt>{ world.say(words::BEFORE) }</dt><dd>{ header(&now.before, &now.after) }</dd>
                    <dt>{ world.say(words::AFTER) }</dt><dd>{ header(&now.after, &now.before) }</dd>
                } else {
                    <dt>{ now.after.transport.name() }</dt><dd>{ header(&now.after, &now.after) }</dd>
                }
            </dl>
            { rule(now) }
        </div>
    }
}

fn rule(stop: &Stop) -> Html {
    let Some(rule) = stop.rules.last() else { return Html::default() };
    let quiet = stop.step == Step::Route || stop.is_reply;
    html! {
        <p class={if quiet { "hop-rule quiet" } else { "hop-rule" }}><span>{ table_of(rule) }</span><code>{ rule.text.clone() }</code></p>
    }
}

/// A header in which the half that differs from another stands out.
pub fn header(packet: &Packet, other: &Packet) -> Html {
    let (source, destination) = ends(packet);
    let (other_source, other_destination) = ends(other);
    html! {
        <code>
            <span class={classes!((source != other_source).then_some("changed"))}>{ source.clone() }</span>
            { " → " }
            <span class={classes!((destination != other_destination).then_some("changed"))}>{ destination.clone() }</span>
        </code>
    }
}
