//! The text that a command gives to be edited (`kubectl edit`), with Save and Cancel.
//!
//! It stands in the place of the files while the command waits. A problem with what was saved comes back as
//! another text with the reasons at its beginning.

use std::rc::Rc;

use yew::prelude::{Callback, Html, KeyboardEvent, Properties, component, html, use_state};

use super::editor::Editor;
use super::model::marks::Mark;
use super::words;
use super::world::{Topic, use_world};
use crate::shell::edits::{Answer, Edit};

/// What the pane is given.
#[derive(Clone, PartialEq, Properties)]
pub struct EditPaneProperties {
    /// The text that waits.
    pub edit: Edit,
}

/// The pane of one edit.
#[component]
pub fn EditPane(properties: &EditPaneProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let number = properties.edit.number;
    let text = use_state(|| Rc::<str>::from(properties.edit.text.as_str()));
    let marks = use_state(Rc::<Vec<Mark>>::default);
    let change = {
        let text = text.clone();
        Callback::from(move |typed: String| text.set(Rc::from(typed)))
    };
    let answer = {
        let world = world.clone();
        Callback::from(move |answer: Answer| world.finish_edit(number, answer))
    };
    let save = {
        let (answer, text) = (answer.clone(), Rc::clone(&text));
        Callback::from(move |()| answer.emit(Answer::Saved(text.to_string())))
    };
    let onkeydown = {
        let save = save.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "s" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                save.emit(());
            }
        })
    };
    html! {
        <section class="files edit-pane" aria-label={properties.edit.title.clone()} {onkeydown}>
            <div class="files-bar"><code>{ properties.edit.title.clone() }</code></div>
            <Editor name={properties.edit.title.clone()} text={Rc::clone(&text)} {change} marks={(*marks).clone()} reveal={(0, 0)}
                submit={save.clone()} script_after_ms={0} focused={true} />
            <div class="apply-bar">
                <button type="button" class="primary" onclick={save.reform(|_| ())} aria-keyshortcuts="Control+Enter Meta+Enter">
                    { world.say(words::SAVE) }
                </button>
                <button type="button" class="text-button" onclick={answer.reform(|_| Answer::Cancelled)}>{ world.say(words::CANCEL) }</button>
                <span class="verdict">{ world.say(words::EDIT_WAITS) }</span>
            </div>
        </section>
    }
}
