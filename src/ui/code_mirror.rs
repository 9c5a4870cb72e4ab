//! The editor script (`assets/vendor/codemirror.js`) as the page uses it.
//!
//! It is fetched after the first paint, and only then: until it is there, and where it cannot be had, a
//! plain textarea does the same. What the script offers is described in `scripts/editor/editor.js`.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::Element;

use super::dom::{byte_of, call, call_page, object};
use super::model::completion::Candidate;
use super::model::marks::Mark;

/// An editor in the page.
pub struct CodeMirror {
    editor: JsValue,
    // The script calls these as long as it lives.
    _on_change: Closure<dyn FnMut(String)>,
    _on_submit: Closure<dyn FnMut()>,
    _completions: Closure<dyn FnMut(String, usize) -> JsValue>,
}

/// Where the editor will be when it has been fetched.
pub type Slot = Rc<RefCell<Option<CodeMirror>>>;

/// What may stand at a byte of a text.
pub type Completions = Box<dyn Fn(&str, usize) -> Vec<Candidate>>;

/// What an editor tells.
pub struct Events {
    /// The text was changed by the person.
    pub change: Box<dyn FnMut(String)>,
    /// Ctrl-Enter or ⌘-Enter.
    pub submit: Box<dyn FnMut()>,
    /// What may stand at a byte of the text.
    pub complete: Completions,
}

impl CodeMirror {
    /// Fetches the script, puts an editor into `host` and the handle into `slot`, then calls `ready`.
    pub fn load(host: Element, slot: Slot, dark: bool, events: Events, ready: impl FnOnce() + 'static) {
        let Some(loading) =
            call_page("loadEditor", &[]).and_then(|value| value.dyn_into::<js_sys::Promise>().ok())
        else {
            return;
        };
        let made = Closure::once(move |module: JsValue| {
            let on_change = Closure::new(events.change);
            let on_submit = Closure::new(events.submit);
            let completions = Closure::new(move |text: String, at: usize| {
                offered(&(events.complete)(&text, byte_of(&text, at))).into()
            });
            let options = object(&[
                ("label", "YAML".into()),
                ("dark", dark.into()),
                ("onChange", on_change.as_ref().clone()),
                ("onSubmit", on_submit.as_ref().clone()),
                ("completions", completions.as_ref().clone()),
            ]);
            if let Some(editor) = call(&module, "create", &[host.into(), options]) {
                slot.replace(Some(Self {
                    editor,
                    _on_change: on_change,
                    _on_submit: on_submit,
                    _completions: completions,
                }));
                ready();
            }
        });
        // The promise is left to itself: where it fails, the textarea stays.
        let _ = loading.then(&made);
        made.forget();
    }

    /// Shows a file, with a cursor and an undo history of its own.
    pub fn open(&self, name: &str, text: &str) {
        call(&self.editor, "open", &[name.into(), text.into()]);
    }

    /// Replaces the text, unless it is the same.
    pub fn set_text(&self, text: &str) {
        call(&self.editor, "setDoc", &[text.into()]);
    }

    /// Shows what is wrong.
    pub fn set_marks(&self, marks: &[Mark]) {
        let list: js_sys::Array = marks
            .iter()
            .map(|mark| {
                object(&[
                    ("from_line", mark.span.line.into()),
                    ("from_col", mark.span.column.into()),
                    ("to_line", mark.span.end_line.into()),
                    ("to_col", mark.span.end_column.into()),
                    ("severity", if mark.refused { "error" } else { "warning" }.into()),
                    ("message", mark.message.as_str().into()),
                ])
            })
            .collect();
        call(&self.editor, "setDiagnostics", &[list.into()]);
    }

    /// Goes to a line.
    pub fn reveal(&self, line: u32) {
        call(&self.editor, "revealLine", &[line.into()]);
        self.focus();
    }

    /// Takes the focus.
    pub fn focus(&self) {
        call(&self.editor, "focus", &[]);
    }

    /// Sets the colours.
    pub fn set_dark(&self, dark: bool) {
        call(&self.editor, "setTheme", &[dark.into()]);
    }
}

/// What the script shows of candidates, in their order.
fn offered(candidates: &[Candidate]) -> js_sys::Array {
    let option = |candidate: &Candidate| {
        object(&[
            ("label", candidate.label.as_str().into()),
            ("detail", candidate.detail.as_str().into()),
            // An empty text would open an empty box.
            ("info", if candidate.info.is_empty() { JsValue::UNDEFINED } else { candidate.info.into() }),
            ("apply", candidate.apply.as_str().into()),
            ("boost", if candidate.required { 1 } else { 0 }.into()),
        ])
    };
    candidates.iter().map(option).collect()
}
