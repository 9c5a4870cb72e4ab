//! The terminals: what they printed, the prompt, and the line being typed.
//!
//! The line is a native input, so that selection, composition and the keyboard of a phone just work. What
//! was printed stands in blocks that are painted once.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use gloo::render::{AnimationFrame, request_animation_frame};
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};
use yew::prelude::{
    Callback, Html, NodeRef, Properties, TargetCast as _, classes, component, html, use_effect,
    use_effect_with, use_force_update, use_mut_ref, use_node_ref, use_state_eq,
};

use super::focus::has_selection;
use super::icons::{self, icon};
use super::model::screen::{Block, Line};
use super::model::things;
use super::panels::{View, ViewTabs};
use super::world::{Lower, TERMINAL_INPUT, Topic, World, use_world};
use super::{dom, words};
use crate::shell::tty::Stream;

/// What a newcomer is told to type.
const FIRST_COMMAND: &str = "kubectl get pods,svc,ep -n demo";

/// The terminals.
#[component]
pub fn Terminals() -> Html {
    let world = use_world(&[Topic::Terminal, Topic::Lower, Topic::Look]);
    let active = world.active_tab();
    let shown = world.lower() == Lower::Terminal;
    // While a command runs there is no prompt: a tab is called what it was called before.
    let places = use_mut_ref(BTreeMap::<u32, String>::new);
    let tabs: Vec<(u32, String)> = {
        let mut places = places.borrow_mut();
        for tab in world.tabs().iter() {
            let place = place_of(&tab.terminal.prompt());
            if !place.is_empty() {
                places.insert(tab.id, place);
            }
        }
        world.tabs().iter().map(|tab| (tab.id, places.get(&tab.id).cloned().unwrap_or_default())).collect()
    };
    let many = tabs.len() > 1;
    let open = {
        let world = world.clone();
        Callback::from(move |_| {
            world.new_tab();
        })
    };
    html! {
        <section class="terminal" aria-label={world.say(words::TAB_TERMINAL)}>
            <div class="terminal-bar">
                <div class="tabs" role="tablist">
                    { for tabs.into_iter().map(|(id, place)| tab(&world, id, &place, shown && id == active)) }
                </div>
                <button type="button" class="icon-button" title={world.say(words::NEW_TERMINAL)}
                    aria-label={world.say(words::NEW_TERMINAL)} onclick={open}>{ icon(icons::PLUS) }</button>
                <span class="top-space"></span>
                if shown {
                    <TerminalState id={active} {many} />
                }
                <ViewTabs />
            </div>
            <TerminalView key={active} id={active} />
            <View />
        </section>
    }
}

/// Where a prompt says that it is: `[root@ci-base ~]# ` is at `ci-base`.
fn place_of(prompt: &str) -> String {
    let host = prompt.split_once('@').map(|(_, rest)| rest.split([' ', ':', ']']).next().unwrap_or(""));
    host.unwrap_or("").to_owned()
}

fn tab(world: &World, id: u32, place: &str, chosen: bool) -> Html {
    let name = format!("{}{id}", world.say(words::TERMINAL_TAB));
    let label = if place.is_empty() { name.clone() } else { place.to_owned() };
    let world = world.clone();
    let onclick = Callback::from(move |_| world.show_tab(id));
    html! {
        <button key={id} type="button" role="tab" aria-selected={chosen.to_string()} aria-label={name} {onclick}>{ label }</button>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct StateProperties {
    id: u32,
    many: bool,
}

/// What the shown terminal does now, and how to stop or close it.
#[component]
fn TerminalState(properties: &StateProperties) -> Html {
    let world = use_world(&[Topic::Terminal, Topic::Clock, Topic::Look]);
    let id = properties.id;
    let busy = world.tab(id, |tab| tab.terminal.is_busy()).unwrap_or(false);
    let stop = {
        let world = world.clone();
        Callback::from(move |_| world.interrupt(id, ""))
    };
    let close = {
        let world = world.clone();
        Callback::from(move |_| world.close_tab(id))
    };
    html! {
        <div class="terminal-state">
            if busy && !world.clock().playing {
                <span class="waits">{ world.say(words::WAITS_PAUSED) }</span>
            }
            if busy {
                <button type="button" class="text-button" onclick={stop}>{ world.say(words::INTERRUPT) }</button>
            }
            if properties.many {
                <button type="button" class="icon-button" title={world.say(words::CLOSE_TERMINAL)}
                    aria-label={world.say(words::CLOSE_TERMINAL)} onclick={close}>{ icon(icons::CROSS) }</button>
            }
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ViewProperties {
    id: u32,
}

/// One terminal.
#[component]
fn TerminalView(properties: &ViewProperties) -> Html {
    let world = use_world(&[Topic::Terminal, Topic::Lower, Topic::Look]);
    let id = properties.id;
    let hidden = world.lower() != Lower::Terminal;
    let input = use_node_ref();
    let scroll = use_node_ref();
    let offered = use_state_eq(Vec::<String>::new);
    // Follows the end as long as the person has not scrolled away from it.
    let follows = use_mut_ref(|| true);
    {
        let (scroll, follows) = (scroll.clone(), Rc::clone(&follows));
        use_effect(move || {
            if *follows.borrow()
                && let Some(element) = scroll.cast::<HtmlElement>()
            {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
    {
        let (world, input) = (world.clone(), input.clone());
        use_effect(move || {
            if !hidden && let Some(line) = world.take_draft() {
                dom::set_value(&input, &line);
                dom::focus(&input);
            }
        });
    }
    use_columns(&world, id, &scroll);
    let painted = use_painted(&world, id);
    let onscroll = {
        let follows = Rc::clone(&follows);
        Callback::from(move |event: yew::Event| {
            if let Some(element) = event.target_dyn_into::<HtmlElement>() {
                let left = element.scroll_height() - element.scroll_top() - element.client_height();
                *follows.borrow_mut() = left < 24;
            }
        })
    };
    let onkeydown = {
        let (world, input, offered, follows) =
            (world.clone(), input.clone(), offered.clone(), Rc::clone(&follows));
        Callback::from(move |event: KeyboardEvent| {
            *follows.borrow_mut() = true;
            offered.set(key(&world, id, &input, &event));
        })
    };
    let onclick = {
        let input = input.clone();
        Callback::from(move |event: MouseEvent| {
            let on_thing = dom::around(&event, "data-thing").is_some();
            if !has_selection() && !on_thing {
                dom::focus(&input);
            }
        })
    };
    let onpaste = {
        let (world, input) = (world.clone(), input.clone());
        Callback::from(move |event: yew::Event| paste_lines(&world, id, &input, &event))
    };
    let shown = world.tab(id, |tab| {
        let blocks: Vec<Rc<Block>> =
            tab.screen.blocks().filter(|block| painted.contains(&block.id)).cloned().collect();
        (blocks, tab.terminal.prompt(), tab.terminal.is_busy(), tab.screen.is_empty())
    });
    let Some((blocks, prompt, busy, fresh)) = shown else { return Html::default() };
    let kept = world.kept_lines(id);
    let busy = busy || !kept.is_empty();
    let hint = fresh && !world.hint_used();
    html! {
        <div class="screen" {hidden} ref={scroll} {onscroll} {onclick}>
            <div class="log" role="log" aria-label="Terminal" aria-busy={busy.to_string()} tabindex="-1">
                { for blocks.into_iter().map(|block| { let id = block.id; html! { <BlockView key={id} {block} /> } }) }
                { for kept.into_iter().enumerate().map(|(index, line)| html! {
                    <div key={format!("kept {index}")} class="out"><span class="echo">{ format!("{prompt}{line}") }</span></div>
                }) }
            </div>
            if hint {
                <Hint />
            }
            <div class="line-input">
                <label for={TERMINAL_INPUT} class="prompt">{ prompt }</label>
                <input id={TERMINAL_INPUT} ref={input} aria-label="Terminal" type="text" autocomplete="off" autocapitalize="off"
                    autocorrect="off" spellcheck="false" enterkeyhint="send" {onkeydown} {onpaste} />
            </div>
            if !offered.is_empty() {
                <div class="offered" role="status">
                    { for offered.iter().enumerate().map(|(index, word)| html! { <span key={index}>{ word.clone() }</span> }) }
                </div>
            }
        </div>
    }
}

/// The line that says what to type first.
#[component]
pub fn Hint() -> Html {
    let world = use_world(&[Topic::Look]);
    let onclick = {
        let world = world.clone();
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            world.type_command(FIRST_COMMAND);
        })
    };
    html! {
        <p class="hint">
            { world.say(words::HINT) }{ " " }
            <button type="button" {onclick}>{ FIRST_COMMAND }</button>
        </p>
    }
}

/// The blocks of a terminal that are painted now; those that are left come with the next frames.
#[yew::hook]
fn use_painted(world: &World, id: u32) -> RangeInclusive<u64> {
    let before = use_mut_ref(|| 0..=0);
    let frame = use_mut_ref(|| None::<AnimationFrame>);
    let again = use_force_update();
    let painted = world.tab(id, |tab| tab.screen.painted(before.borrow().clone())).unwrap_or(0..=0);
    *before.borrow_mut() = painted.clone();
    let oldest = world.tab(id, |tab| tab.screen.blocks().next().map(|block| block.id)).flatten();
    let left = oldest.is_some_and(|oldest| oldest < *painted.start());
    use_effect(move || {
        frame.replace(left.then(|| request_animation_frame(move |_| again.force_update())));
    });
    painted
}

/// Tells the terminal how many columns there are.
#[yew::hook]
fn use_columns(world: &World, id: u32, scroll: &NodeRef) {
    let (world, scroll) = (world.clone(), scroll.clone());
    use_effect_with((), move |()| {
        if let Some(element) = scroll.cast::<HtmlElement>() {
            // 7.83 px: the width of a character at 13 px, as monospace fonts have it.
            let columns = (f64::from(element.client_width()) - 32.0) / 7.83;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small natural number"
            )]
            world.tab(id, |tab| tab.terminal.set_columns(columns.max(20.0) as usize));
        }
    });
}

/// Answers a key; gives the completions to show below the line.
fn key(world: &World, id: u32, input: &NodeRef, event: &KeyboardEvent) -> Vec<String> {
    let control = event.ctrl_key() && !event.alt_key() && !event.meta_key();
    let name = event.key();
    let line = dom::value(input);
    match name.as_str() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            dom::set_value(input, "");
            world.submit(id, &line);
        }
        "Tab" if !event.shift_key() && !line.is_empty() => {
            event.prevent_default();
            return complete(world, id, input, &line);
        }
        "ArrowUp" => {
            event.prevent_default();
            recall(input, world.tab(id, |tab| tab.terminal.history_up(&line)).flatten());
        }
        "ArrowDown" => {
            event.prevent_default();
            recall(input, world.tab(id, |tab| tab.terminal.history_down()).flatten());
        }
        "c" if control && !has_selected_text(input) && !has_selection() => {
            event.prevent_default();
            dom::set_value(input, "");
            world.interrupt(id, &line);
        }
        "d" if control && line.is_empty() => {
            event.prevent_default();
            world.end_input(id);
        }
        "l" if control => {
            event.prevent_default();
            world.submit(id, "clear");
        }
        "u" if control => {
            event.prevent_default();
            dom::set_value(input, "");
        }
        _ => {}
    }
    Vec::new()
}

fn recall(input: &NodeRef, line: Option<String>) {
    if let Some(line) = line {
        dom::set_value(input, &line);
    }
}

fn has_selected_text(input: &NodeRef) -> bool {
    let Some(input) = input.cast::<HtmlInputElement>() else { return false };
    let ends = (input.selection_start().ok().flatten(), input.selection_end().ok().flatten());
    matches!(ends, (Some(start), Some(end)) if start != end)
}

/// Tab: completes as far as there is no choice; gives the choices if there are several.
fn complete(world: &World, id: u32, input: &NodeRef, line: &str) -> Vec<String> {
    let Some(element) = input.cast::<HtmlInputElement>() else { return Vec::new() };
    let units = element.selection_start().ok().flatten().map_or(usize::MAX, |at| at as usize);
    let cursor = dom::byte_of(line, units);
    let Some(found) = world.tab(id, |tab| tab.terminal.complete(line, cursor)) else { return Vec::new() };
    let words: Vec<&str> = found.candidates.0.iter().map(|candidate| candidate.text.as_str()).collect();
    let Some(first) = words.first() else { return Vec::new() };
    let common = words.iter().fold(*first, |common, word| common_start(common, word));
    let single = found.candidates.0.len() == 1;
    let blank = if single && found.candidates.0[0].ends { " " } else { "" };
    if common.len() + found.start >= cursor || single {
        let head = format!("{}{common}{blank}", &line[..found.start.min(cursor)]);
        element.set_value(&format!("{head}{}", &line[cursor..]));
        let at = u32::try_from(head.encode_utf16().count()).unwrap_or(u32::MAX);
        // The position lies within the text that was just set.
        let _ = element.set_selection_range(at, at);
    }
    if single { Vec::new() } else { words.into_iter().take(200).map(str::to_owned).collect() }
}

fn common_start<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, x), y)| x != y).map(|((at, _), _)| at);
    &a[..same.unwrap_or(a.len().min(b.len()))]
}

/// Several pasted lines are typed one after the other; the last one stays in the input.
fn paste_lines(world: &World, id: u32, input: &NodeRef, event: &yew::Event) {
    use wasm_bindgen::JsCast as _;
    let Some(paste) = event.dyn_ref::<web_sys::ClipboardEvent>() else { return };
    if event.default_prevented() {
        return;
    }
    let text = paste.clipboard_data().and_then(|data| data.get_data("text/plain").ok()).unwrap_or_default();
    if !text.contains('\n') {
        return;
    }
    event.prevent_default();
    let typed = dom::value(input) + &text.replace('\r', "");
    let (lines, last) = typed.rsplit_once('\n').unwrap_or(("", &typed));
    for line in lines.split('\n') {
        world.submit(id, line);
    }
    dom::set_value(input, last);
}

#[derive(Clone, Properties)]
struct BlockProperties {
    block: Rc<Block>,
}

impl PartialEq for BlockProperties {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.block, &other.block)
    }
}

/// Some lines that are painted together.
#[component]
fn BlockView(properties: &BlockProperties) -> Html {
    let world = yew::use_context::<World>().expect("every component is inside the page");
    let map = world.map();
    let line = |(index, line): (usize, &Line)| {
        html! { <div key={index} class="out">{ for line.iter().flat_map(|run| {
            let class = match run.stream {
                Stream::Error => Some("err"),
                Stream::Echo => Some("echo"),
                Stream::Output | Stream::Clear => None,
            };
            things::pieces(&run.text, &map, "default").into_iter().map(move |piece| match (&piece.thing, class) {
                (None, None) => html! { { piece.text } },
                (None, Some(class)) => html! { <span {class}>{ piece.text }</span> },
                (Some(thing), class) => html! {
                    <span class={classes!("thing", class)} data-thing={things::id(thing)}>{ piece.text }</span>
                },
            })
        }) }{ if line.is_empty() { html! { <br /> } } else { Html::default() } }</div> }
    };
    html! { <div class="block">{ for properties.block.lines.iter().enumerate().map(line) }</div> }
}
