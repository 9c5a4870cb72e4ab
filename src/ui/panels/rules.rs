//! The rules of one node, in which those light up that the followed packet matched.

use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;
use yew::prelude::{Callback, Html, classes, component, html, use_effect_with, use_node_ref, use_state_eq};

use crate::ui::model::rules::{self, RuleLine};
use crate::ui::player::use_stop;
use crate::ui::words;
use crate::ui::world::{Topic, use_world};

/// Nodes that can be chosen.
const NODES: usize = 200;

/// The rules.
#[component]
pub fn RulesPanel() -> Html {
    let world = use_world(&[Topic::Lower, Topic::Packets, Topic::Objects, Topic::Look]);
    let (_, followed, stop) = use_stop(&world);
    let matched_only = use_state_eq(|| false);
    let pre = use_node_ref();
    let node = world.rules_node();
    let names: Vec<String> = world.map().nodes.keys().take(NODES).map(ToString::to_string).collect();
    let shown =
        world.with(|simulation| rules::of_node(simulation, &node, followed.as_deref(), *matched_only));
    let met = shown.lines.iter().filter(|line| line.stop.is_some()).count();
    {
        let pre = pre.clone();
        // What matched at this stop comes into sight, whenever the packet is at another one.
        use_effect_with((node.clone(), followed.as_ref().map(|one| one.number), stop), move |_| {
            let Some(pre) = pre.cast::<HtmlElement>() else { return };
            let lit = pre
                .query_selector(".now")
                .ok()
                .flatten()
                .or_else(|| pre.query_selector(".met").ok().flatten());
            if let Some(line) = lit.and_then(|line| line.dyn_into::<HtmlElement>().ok()) {
                pre.set_scroll_top((line.offset_top() - pre.client_height() / 3).max(0));
            }
        });
    }
    let toggle = {
        let matched_only = matched_only.clone();
        Callback::from(move |_| matched_only.set(!*matched_only))
    };
    let tab = |name: String| {
        let (chosen, label) = (name == node, name.clone());
        let world = world.clone();
        let onclick = Callback::from(move |_| world.show_rules(&name));
        html! {
            <button key={label.clone()} type="button" aria-pressed={chosen.to_string()} {onclick}>{ label }</button>
        }
    };
    let line = |line: &RuleLine| {
        let class = classes!(
            line.stop.map(|_| "met"),
            line.stop.is_some_and(|at| followed.is_some() && at == stop).then_some("now")
        );
        html! { <div key={line.number} {class}>{ line.text.clone() }</div> }
    };
    html! {
        <section class="panel rules-panel" aria-label={world.say(words::RULES)}>
            <div class="panel-bar">
                <div class="choice" role="group" aria-label={world.say(words::NODE)}>{ for names.into_iter().map(tab) }</div>
                <code class="muted">{ shown.command }</code>
                <span class="top-space"></span>
                <span class="muted">{ format!("{met}{}", world.say(words::RULES_MATCHED)) }</span>
                <label class="check"><input type="checkbox" checked={*matched_only} onchange={toggle} />{ world.say(words::MATCHED_ONLY) }</label>
            </div>
            <div class="rule-lines" ref={pre} tabindex="0" role="region" aria-label={format!("{} {node}", world.say(words::RULES))}>
                { for shown.lines.iter().map(line) }
                if shown.more > 0 {
                    <p class="muted">{ format!("+{}{}", shown.more, world.say(words::MORE)) }</p>
                }
                if shown.lines.is_empty() {
                    <p class="empty">{ world.say(if *matched_only { words::NONE_MATCHED } else { words::NO_RULES }) }</p>
                }
            </div>
        </section>
    }
}
