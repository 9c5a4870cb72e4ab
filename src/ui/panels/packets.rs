//! The packets of late: a list, the hops of the chosen one, and those of another one beside it.

use std::rc::Rc;

use yew::prelude::{Callback, Html, classes, component, html, use_state_eq};

use super::nothing;
use super::trace::Trace;
use crate::ui::icons::{self, icon};
use crate::ui::model::clock::show;
use crate::ui::model::journey::{End, Journey};
use crate::ui::player::use_stop;
use crate::ui::words;
use crate::ui::world::{Topic, World, use_world};

/// The packets.
#[component]
pub fn PacketsPanel() -> Html {
    let world = use_world(&[Topic::Packets, Topic::Look]);
    let (player, followed, stop) = use_stop(&world);
    let compared = use_state_eq(|| None::<u64>);
    let journeys = world.journeys();
    let Some(first) = followed.clone().or_else(|| journeys.last().cloned()) else {
        return nothing(&world, words::NO_PACKETS);
    };
    let second =
        compared.and_then(|number| journeys.iter().find(|journey| journey.number == number).cloned());
    let second = second.filter(|second| second.number != first.number);
    let parting = second.as_ref().and_then(|second| first.parting(second));
    let compare = {
        let compared = compared.clone();
        Callback::from(move |number: u64| {
            compared.set(if *compared == Some(number) { None } else { Some(number) });
        })
    };
    let go = {
        let (world, player, number) = (world.clone(), Rc::clone(&player), first.number);
        Callback::from(move |stop: usize| {
            world.follow(Some(number));
            player.go_to(stop);
        })
    };
    let now = followed.map(|_| stop);
    html! {
        <section class="panel packets-panel" aria-label={world.say(words::PACKETS)}>
            <ol class="packet-list" aria-label={world.say(words::PACKETS)}>
                { for journeys.iter().rev().map(|journey| row(&world, journey, first.number, second.as_ref(), &compare)) }
            </ol>
            <div class={if second.is_some() { "traces two" } else { "traces" }}>
                <Trace key={first.number} journey={Rc::clone(&first)} {now} {parting} {go} />
                if let Some(second) = second {
                    <Trace key={second.number} journey={Rc::clone(&second)} {parting} />
                }
            </div>
        </section>
    }
}

/// One packet: who to whom, how it ended, and the button that puts it beside the chosen one.
fn row(
    world: &World,
    journey: &Rc<Journey>,
    first: u64,
    second: Option<&Rc<Journey>>,
    compare: &Callback<u64>,
) -> Html {
    let number = journey.number;
    let chosen = number == first;
    let beside = second.is_some_and(|second| second.number == number);
    let follow = {
        let world = world.clone();
        Callback::from(move |_| world.follow(Some(number)))
    };
    let sign = if journey.end == End::Delivered { "✓" } else { "✕" };
    let name = format!("{}: {}", world.say(words::COMPARE), journey.title);
    html! {
        <li key={number} class={classes!(chosen.then_some("chosen"), beside.then_some("beside"), (journey.end != End::Delivered).then_some("bad"))}>
            <button type="button" class="packet-row" aria-pressed={chosen.to_string()} onclick={follow}>
                <i aria-hidden="true">{ sign }</i><b>{ journey.title.clone() }</b><span>{ show(journey.at) }</span>
            </button>
            <button type="button" class="icon-button" disabled={chosen} aria-pressed={beside.to_string()}
                title={world.say(words::COMPARE)} aria-label={name} onclick={compare.reform(move |_| number)}>
                { icon(icons::COMPARE) }
            </button>
        </li>
    }
}
