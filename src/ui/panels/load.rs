//! Load from the page: how many requests a second, from whom to whom, and who answers as they are sent.
//!
//! The load is [`crate::simulation::load`]'s; it is started by the same door as the `load` command.

use std::net::SocketAddr;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::{Callback, Html, TargetCast as _, component, html, use_state_eq};

use crate::cluster::clock::Span;
use crate::network::{Origin, Transport};
use crate::shell::load::{page, words as failure_words};
use crate::simulation::load::{
    CONCURRENCY_LIMIT, DURATION_LIMIT_SECONDS, LoadPlan, LoadStatistics, RATE_LIMIT,
};
use crate::ui::send::{origins, targets, usual_origin};
use crate::ui::words;
use crate::ui::world::{Topic, World, use_world};
use crate::words::Words;

/// Seconds of a load that are drawn.
const SECONDS: usize = 60;

/// What is chosen in the form.
#[derive(Clone, PartialEq)]
struct Form {
    from: usize,
    to: usize,
    rate: u32,
    connections: u32,
    seconds: u32,
    keep_alive: bool,
}

/// The load.
#[component]
pub fn LoadPanel() -> Html {
    let world = use_world(&[Topic::Clock, Topic::Lower, Topic::Look]);
    let form = use_state_eq(|| Form {
        from: usual_origin(&world),
        to: 0,
        rate: 50,
        connections: 10,
        seconds: 10,
        keep_alive: false,
    });
    let (froms, tos) = (origins(&world), tcp(&world));
    let last = world.last_load();
    let running = last.as_ref().is_some_and(|(running, ..)| *running);
    let change = |change: fn(&mut Form, u32)| {
        let form = form.clone();
        Callback::from(move |event: yew::Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value());
            let typed =
                select.or_else(|| event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()));
            if let Some(number) = typed.and_then(|typed| typed.parse().ok()) {
                let mut next = (*form).clone();
                change(&mut next, number);
                form.set(next);
            }
        })
    };
    let keep = {
        let form = form.clone();
        Callback::from(move |_: yew::Event| {
            form.set(Form { keep_alive: !form.keep_alive, ..(*form).clone() })
        })
    };
    let onclick = {
        let (world, form) = (world.clone(), form.clone());
        let way = froms.get(form.from).map(|(_, origin)| origin.clone()).zip(tos.get(form.to).cloned());
        Callback::from(move |_: yew::MouseEvent| {
            if running {
                world.stop_load();
            } else if let Some((from, (name, to))) = way.clone() {
                world.start_load(plan(&form, from, name, to));
            }
        })
    };
    let choice = |name: Words, now: usize, names: Vec<String>, onchange: Callback<yew::Event>| {
        html! {
            <label key={name.en}>{ world.say(name) }
                <select {onchange}>{ for names.into_iter().enumerate().map(|(index, name)| html! {
                    <option key={index} value={index.to_string()} selected={index == now}>{ name }</option>
                }) }</select>
            </label>
        }
    };
    let number = |name: Words, now: u32, most: u32, onchange: Callback<yew::Event>| {
        html! {
            <label key={name.en}>{ world.say(name) }<input type="number" min="1" max={most.to_string()} value={now.to_string()} {onchange} /></label>
        }
    };
    let seconds = u32::try_from(DURATION_LIMIT_SECONDS).unwrap_or(u32::MAX);
    html! {
        <section class="panel load-panel" aria-label={world.say(words::LOAD)}>
            <div class="send-form">
                { choice(words::FROM, form.from, froms.into_iter().map(|(name, _)| name).collect(), change(|form, at| form.from = at as usize)) }
                { choice(words::TO, form.to, tos.into_iter().map(|(name, _)| name).collect(), change(|form, at| form.to = at as usize)) }
                { number(words::RATE, form.rate, RATE_LIMIT, change(|form, rate| form.rate = rate.clamp(1, RATE_LIMIT))) }
                { number(words::CONNECTIONS, form.connections, CONCURRENCY_LIMIT, change(|form, count| form.connections = count.clamp(1, CONCURRENCY_LIMIT))) }
                { number(words::SECONDS, form.seconds, seconds, change(|form, count| form.seconds = count.max(1))) }
                <label class="check"><input type="checkbox" checked={form.keep_alive} onchange={keep} />{ world.say(words::KEEP_ALIVE) }</label>
                <button type="button" class="primary" {onclick}>{ world.say(if running { words::STOP_LOAD } else { words::START_LOAD }) }</button>
            </div>
            if let Some((_, name, statistics)) = last {
                { results(&world, &name, &statistics) }
            } else {
                <p class="empty">{ world.say(words::NO_LOAD) }</p>
            }
        </section>
    }
}

/// Ports that take connections.
fn tcp(world: &World) -> Vec<(String, SocketAddr)> {
    let all = targets(world).into_iter();
    all.filter(|(_, (_, transport))| *transport == Transport::Tcp).map(|(name, (to, _))| (name, to)).collect()
}

fn plan(form: &Form, from: Origin, name: String, to: SocketAddr) -> LoadPlan {
    LoadPlan {
        from,
        name,
        to: vec![to],
        rate: form.rate,
        concurrency: form.connections,
        request: Some(page(&to.to_string(), "/")),
        keep_alive: form.keep_alive,
        duration: Span::from_seconds(u64::from(form.seconds)),
    }
}

/// Who answered how often, how long it took, what failed, and how it went second by second.
fn results(world: &World, name: &str, statistics: &LoadStatistics) -> Html {
    let LoadStatistics { sent, answered, failed, .. } = statistics;
    let most = statistics.backends.values().map(|count| count.requests).max().unwrap_or(0).max(1);
    let bar = |part: u64, whole: u64| format!("width:{:.1}%", 100.0 * part as f64 / whole.max(1) as f64);
    let ms = |us: u64| format!("{:.2} ms", us as f64 / 1_000.0);
    let at = |percent| ms(statistics.latencies.percentile_us(percent));
    let seconds = &statistics.seconds[statistics.seconds.len().saturating_sub(SECONDS)..];
    let tallest = seconds.iter().map(|second| second.answered + second.failed).max().unwrap_or(0).max(1);
    let height = |part: u32| format!("height:{:.1}%", 100.0 * f64::from(part) / f64::from(tallest));
    html! {
        <div class="load-results">
            <p><b>{ name.to_owned() }</b>{ format!(" {sent}{} · {answered}{} · ", world.say(words::SENT), world.say(words::ANSWERED)) }
                <span class={if *failed > 0 { "bad" } else { "" }}>{ format!("{failed}{}", world.say(words::FAILED)) }</span>
                if *answered > 0 {
                    <span class="muted">{ format!(" · p50 {} · p90 {} · p99 {}", at(50), at(90), at(99)) }</span>
                }
            </p>
            <div class="load-seconds" aria-hidden="true">
                { for seconds.iter().enumerate().map(|(index, second)| html! {
                    <i key={index}><span class="bad" style={height(second.failed)}></span><span style={height(second.answered)}></span></i>
                }) }
            </div>
            <table>
                <tbody>
                    { for statistics.backends.iter().map(|(place, count)| html! {
                        <tr key={place.clone()}>
                            <td>{ place.clone() }</td>
                            <td class="load-bar"><i style={bar(count.requests, most)}></i></td>
                            <td>{ count.requests }</td>
                            <td class="muted">{ format!("{:.1}%", 100.0 * count.requests as f64 / (*answered).max(1) as f64) }</td>
                        </tr>
                    }) }
                    { for statistics.statuses.iter().map(|(status, count)| html! {
                        <tr key={*status}>
                            <td>{ format!("HTTP {status}") }</td>
                            <td class="load-bar"><i style={bar(*count, *sent)}></i></td>
                            <td>{ *count }</td>
                            <td class="muted">{ format!("{:.1}%", 100.0 * *count as f64 / (*answered).max(1) as f64) }</td>
                        </tr>
                    }) }
                    { for statistics.failures.iter().map(|(why, count)| html! {
                        <tr key={format!("{why:?}")} class="bad">
                            <td>{ world.say(failure_words(*why)) }</td>
                            <td class="load-bar"><i style={bar(count.count, *sent)}></i></td>
                            <td>{ count.count }</td>
                            <td class="muted">{ format!("{:.1}%", 100.0 * count.count as f64 / (*sent).max(1) as f64) }</td>
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}
