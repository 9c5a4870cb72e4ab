//! Pasting a manifest anywhere offers to open it as a file.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast as _;
use web_sys::{ClipboardEvent, Element};
use yew::prelude::{hook, use_effect_with};

use super::world::{Notice, World};

/// Whether a text is worth asking about.
fn is_manifest(text: &str) -> bool {
    text.contains('\n') && text.contains("apiVersion:") && text.contains("kind:")
}

/// Listens for manifests that are pasted outside the editor.
#[hook]
pub fn use_paste(world: &World) {
    use_effect_with(world.clone(), |world| {
        let world = world.clone();
        let options = EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
        let document = gloo::utils::document();
        let listener = EventListener::new_with_options(&document, "paste", options, move |event| {
            let Some(paste) = event.dyn_ref::<ClipboardEvent>() else { return };
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if target.is_some_and(|target| target.closest(".editor").ok().flatten().is_some()) {
                return;
            }
            let text = paste.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
            if let Some(text) = text.filter(|text| is_manifest(text)) {
                event.prevent_default();
                world.notify(Notice::Pasted(text));
            }
        });
        move || drop(listener)
    });
}
