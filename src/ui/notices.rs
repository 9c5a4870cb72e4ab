//! What the person is told or asked, in one small box above everything.

use yew::prelude::{Callback, Html, component, html, use_effect_with, use_node_ref};

use super::world::{Notice, Pane, Topic, World, use_world};
use super::{dom, link, words};
use crate::words::Words;

/// Milliseconds for which something is said that asks nothing.
const SAID_MS: u32 = 6_000;

/// The notice, if there is one.
#[component]
pub fn Notices() -> Html {
    let world = use_world(&[Topic::Notice, Topic::Look]);
    let notice = world.notice();
    {
        let world = world.clone();
        use_effect_with(notice.clone(), move |notice| {
            let passing = matches!(notice, Some(Notice::Said(_)));
            let timer =
                passing.then(|| gloo::timers::callback::Timeout::new(SAID_MS, move || world.dismiss()));
            move || drop(timer)
        });
    }
    let body = notice.map(|notice| show(&world, notice)).unwrap_or_default();
    html! { <div class="notices" role="status">{ body }</div> }
}

fn show(world: &World, notice: Notice) -> Html {
    let said =
        |text: String, answers: Html| html! { <div class="notice"><span>{ text }</span>{ answers }</div> };
    let dismiss = |name: Words| answer(world, name, false, World::dismiss);
    match notice {
        Notice::Said(text) => said(text, dismiss(words::CLOSE)),
        Notice::TooLarge => said(world.say(words::LINK_TOO_LARGE).to_owned(), dismiss(words::CLOSE)),
        Notice::BadLink => {
            let answers = answer(world, words::CLOSE, false, |world| {
                link::forget();
                world.dismiss();
            });
            said(world.say(words::BAD_LINK).to_owned(), answers)
        }
        Notice::Pasted(text) => {
            let open = move |world: &World| {
                world.dismiss();
                world.new_file(&text);
                world.set_pane(Pane::Yaml);
            };
            let answers =
                html! { <>{ answer(world, words::OPEN_AS_FILE, true, open) }{ dismiss(words::CANCEL) }</> };
            said(world.say(words::PASTED).to_owned(), answers)
        }
        Notice::Deleted { name, text } => {
            let told = format!("{name}{}", world.say(words::IS_DELETED));
            let back = move |world: &World| {
                world.dismiss();
                world.write_file(&name, &text);
                world.open_file(&name);
            };
            let answers = html! { <>{ answer(world, words::UNDO, true, back) }{ dismiss(words::CLOSE) }</> };
            said(told, answers)
        }
        Notice::Replaced => {
            let answers = html! { <>{ answer(world, words::BRING_BACK, true, World::bring_back) }{ dismiss(words::CLOSE) }</> };
            said(world.say(words::IS_REPLACED).to_owned(), answers)
        }
        Notice::Linked(shared) => {
            let told = format!(
                "{}{}{}{}{}",
                world.say(words::LINK_CARRIES),
                shared.files.len(),
                world.say(words::LINK_FILES),
                shared.objects.len(),
                world.say(words::LINK_OBJECTS)
            );
            let open = move |world: &World| world.open_shared(&shared);
            let ignore = |world: &World| {
                link::forget();
                world.dismiss();
            };
            let answers = html! { <>{ answer(world, words::OPEN, true, open) }{ answer(world, words::IGNORE, false, ignore) }</> };
            said(told, answers)
        }
        Notice::Link(link) => {
            let answers = html! { <><LinkField {link} />{ dismiss(words::CLOSE) }</> };
            said(world.say(words::LINK_MADE).to_owned(), answers)
        }
    }
}

fn answer(world: &World, name: Words, first: bool, act: impl Fn(&World) + 'static) -> Html {
    let text = world.say(name);
    let world = world.clone();
    let onclick = Callback::from(move |_: yew::MouseEvent| act(&world));
    html! { <button key={name.en} type="button" class={first.then_some("primary")} {onclick}>{ text }</button> }
}

#[derive(Clone, PartialEq, yew::Properties)]
struct LinkProperties {
    link: String,
}

/// The link, selected so that it can be copied by hand.
#[component]
fn LinkField(properties: &LinkProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let input = use_node_ref();
    {
        let input = input.clone();
        use_effect_with(properties.link.clone(), move |_| {
            dom::focus(&input);
            dom::select(&input);
        });
    }
    html! { <input class="link-field" ref={input} type="text" readonly=true aria-label={world.say(words::LINK)} value={properties.link.clone()} /> }
}
