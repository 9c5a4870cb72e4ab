//! A text that is edited: a textarea that works at once, and the editor script over it when it is there.
//!
//! Owns how a text is typed; whose text it is, and what becomes of it, is the caller's.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::{Element, HtmlTextAreaElement, InputEvent, KeyboardEvent};
use yew::prelude::{
    Callback, Html, Properties, TargetCast as _, component, html, use_effect_with, use_mut_ref, use_node_ref,
    use_state_eq,
};

use super::code_mirror::{CodeMirror, Events, Slot};
use super::dom;
use super::model::completion::complete;
use super::model::marks::Mark;
use super::world::{Theme, Topic, use_world};

/// Milliseconds after the first paint at which the editor script is fetched.
pub const AFTER_FIRST_PAINT_MS: u32 = 300;

/// What an editor is given.
#[derive(Clone, PartialEq, Properties)]
pub struct EditorProperties {
    /// What the text is called: each has a cursor and an undo history of its own.
    pub name: String,
    /// The text.
    pub text: Rc<str>,
    /// The person changed the text.
    pub change: Callback<String>,
    /// What is wrong with its text.
    pub marks: Rc<Vec<Mark>>,
    /// A line to go to, with a number that counts the wishes.
    pub reveal: (u32, u32),
    /// Ctrl-Enter or ⌘-Enter.
    pub submit: Callback<()>,
    /// Milliseconds until the editor script is fetched.
    pub script_after_ms: u32,
    /// Whether the editor asks for the focus when it appears.
    #[prop_or_default]
    pub focused: bool,
}

/// The editor.
#[component]
pub fn Editor(properties: &EditorProperties) -> Html {
    let world = use_world(&[Topic::Look]);
    let (host, area) = (use_node_ref(), use_node_ref());
    let script: Slot = use_mut_ref(|| None);
    let loaded = use_state_eq(|| false);
    // The callbacks of the script live as long as the editor; the text under it changes.
    let current = use_mut_ref(|| (Callback::<String>::noop(), Callback::<()>::noop()));
    *current.borrow_mut() = (properties.change.clone(), properties.submit.clone());
    let text = Rc::clone(&properties.text);
    let dark = match world.theme() {
        Theme::Auto => dom::matches_media("(prefers-color-scheme: dark)"),
        Theme::Light => false,
        Theme::Dark => true,
    };
    {
        let (host, script, loaded, current) =
            (host.clone(), Rc::clone(&script), loaded.clone(), Rc::clone(&current));
        let after_ms = properties.script_after_ms;
        use_effect_with((), move |()| {
            let asked = world.clone();
            let timer = world.later(after_ms, move || {
                let Some(element) = host.cast::<Element>() else { return };
                let (changed, submitted) = (Rc::clone(&current), current);
                let events = Events {
                    change: Box::new(move |text| {
                        let change = changed.borrow().0.clone();
                        change.emit(text);
                    }),
                    submit: Box::new(move || {
                        let submit = submitted.borrow().1.clone();
                        submit.emit(());
                    }),
                    complete: Box::new(move |text, at| {
                        let language = asked.language();
                        asked.with(|simulation| complete(text, at, &simulation.cluster, language))
                    }),
                };
                CodeMirror::load(element, script, dark, events, move || loaded.set(true));
            });
            move || drop(timer)
        });
    }
    use_script(&script, (properties.name.clone(), *loaded), {
        let text = Rc::clone(&text);
        move |editor, (name, _)| editor.open(name, &text)
    });
    use_script(&script, (Rc::clone(&text), *loaded), |editor, (text, _)| editor.set_text(text));
    use_script(&script, (Rc::clone(&properties.marks), Rc::clone(&text), *loaded), |editor, (marks, ..)| {
        editor.set_marks(marks);
    });
    use_script(&script, (dark, *loaded), |editor, (dark, _)| editor.set_dark(*dark));
    use_script(&script, (properties.reveal, *loaded), |editor, ((_, line), _)| {
        if *line > 0 {
            editor.reveal(*line);
        }
    });
    use_script(&script, (properties.focused, *loaded), |editor, (focused, _)| {
        if *focused {
            editor.focus();
        }
    });
    {
        let area = area.clone();
        use_effect_with(Rc::clone(&text), move |text| dom::set_area(&area, text));
    }
    {
        let area = area.clone();
        use_effect_with(properties.focused, move |focused| {
            if *focused {
                dom::focus(&area);
            }
        });
    }
    let oninput = {
        let change = properties.change.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                change.emit(area.value());
            }
        })
    };
    let onkeydown = {
        let submit = properties.submit.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                submit.emit(());
            }
        })
    };
    html! {
        <div class="editor">
            <div class="script" ref={host} hidden={!*loaded}></div>
            if !*loaded {
                <textarea ref={area} aria-label="YAML" value={text.to_string()} spellcheck="false" autocapitalize="off"
                    autocomplete="off" wrap="off" {oninput} {onkeydown} />
            }
        </div>
    }
}

/// Does something with the script, once it is there, whenever the values change.
#[yew::hook]
fn use_script<T: PartialEq + 'static>(
    script: &Rc<RefCell<Option<CodeMirror>>>,
    values: T,
    act: impl FnOnce(&CodeMirror, &T) + 'static,
) {
    let script = Rc::clone(script);
    use_effect_with(values, move |values| {
        if let Some(editor) = script.borrow().as_ref() {
            act(editor, values);
        }
    });
}
