//! The text that a command gives to be edited (`kubectl edit`), with Save and Cancel.
//!
//! It stands in the place of the files while the command waits. A problem with what was saved comes back as
//! another text with the reasons at its beginning.

use yew::prelude::{
    Callback, Html, KeyboardEvent, Properties, component, html, use_effect_with, use_node_ref,
};

use super::world::{Topic, use_world};
use super::{dom, words};
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
    let area = use_node_ref();
    {
        let area = area.clone();
        use_effect_with(properties.edit.clone(), move |edit| {
            dom::set_area(&area, &edit.text);
            dom::focus(&area);
        });
    }
    let save = {
        let (world, area, number) = (world.clone(), area.clone(), properties.edit.number);
        Callback::from(move |()| world.finish_edit(number, Answer::Saved(dom::area(&area))))
    };
    let cancel = {
        let (world, number) = (world.clone(), properties.edit.number);
        Callback::from(move |_| world.finish_edit(number, Answer::Cancelled))
    };
    let onkeydown = {
        let save = save.clone();
        Callback::from(move |event: KeyboardEvent| {
            let submits = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
            if submits || (event.key() == "s" && (event.ctrl_key() || event.meta_key())) {
                event.prevent_default();
                save.emit(());
            }
        })
    };
    html! {
        <section class="files edit-pane" aria-label={properties.edit.title.clone()}>
            <div class="files-bar"><code>{ properties.edit.title.clone() }</code></div>
            <div class="editor">
                <textarea ref={area} aria-label="YAML" spellcheck="false" autocapitalize="off" autocomplete="off"
                    wrap="off" {onkeydown} />
            </div>
            <div class="apply-bar">
                <button type="button" class="primary" onclick={save.reform(|_| ())} aria-keyshortcuts="Control+Enter Meta+Enter">
                    { world.say(words::SAVE) }
                </button>
                <button type="button" onclick={cancel}>{ world.say(words::CANCEL) }</button>
                <span class="verdict">{ world.say(words::EDIT_WAITS) }</span>
            </div>
        </section>
    }
}
