//! Lighting up the same thing everywhere, and selecting it.
//!
//! Owns the listeners on the whole page: what names an object of the map carries its short form in
//! `data-thing`. Lit elements get a class directly, so that pointing at something paints no component anew.

use gloo::events::EventListener;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::Element;
use yew::prelude::{hook, use_effect_with};

use super::dom;
use super::model::things;
use super::world::World;

/// The attribute that names a thing.
const THING: &str = "data-thing";
/// The attribute of endpoint lines, which belong to two things.
const ENDS: [&str; 2] = ["data-service", "data-pod"];

/// Lets the page light up what is pointed at or focused, and select what is clicked.
#[hook]
pub fn use_focus(world: &World) {
    use_effect_with(world.clone(), |world| {
        let document = gloo::utils::document();
        let mut listeners = Vec::new();
        for event in ["pointerover", "focusin"] {
            listeners.push(EventListener::new(&document, event, |event| {
                light(dom::around(event, THING).map(|(_, id)| id).as_deref());
            }));
        }
        for event in ["pointerleave", "focusout"] {
            listeners.push(EventListener::new(&document, event, |_| light(None)));
        }
        let clicked = world.clone();
        listeners.push(EventListener::new(&document, "click", move |event| {
            let Some((element, id)) = dom::around(event, THING) else { return };
            // A click that ends a selection of text means the text.
            if element.tag_name() == "SPAN" && has_selection() {
                return;
            }
            clicked.select(things::key(&id));
        }));
        let escaped = world.clone();
        listeners.push(EventListener::new(&document, "keydown", move |event| {
            let key = event.dyn_ref::<web_sys::KeyboardEvent>().map(web_sys::KeyboardEvent::key);
            if key.as_deref() == Some("Escape") && !event.default_prevented() {
                escaped.select(None);
            }
        }));
        move || drop(listeners)
    });
}

/// Whether some text is selected.
pub fn has_selection() -> bool {
    let selection = gloo::utils::window().get_selection().ok().flatten();
    selection.is_some_and(|selection| !selection.is_collapsed())
}

fn light(id: Option<&str>) {
    let document = gloo::utils::document();
    let root = document.document_element();
    let lit = document.get_elements_by_class_name("lit");
    // The collection is live: it shrinks as the class goes.
    while let Some(element) = lit.item(0) {
        mark(&element, false);
    }
    if let Some(root) = &root {
        // Nothing depends on the answer of `toggle`.
        let _ = root.class_list().toggle_with_force("pointing", id.is_some());
    }
    let Some(id) = id else { return };
    let quoted = id.replace(['\\', '"'], "");
    for attribute in [THING, ENDS[0], ENDS[1]] {
        let Ok(found) = document.query_selector_all(&format!("[{attribute}=\"{quoted}\"]")) else { continue };
        for index in 0..found.length() {
            if let Some(element) = found.item(index).and_then(|node| node.dyn_into::<Element>().ok()) {
                mark(&element, true);
            }
        }
    }
}

/// Gives a class to everything that one of these short forms names, and takes it from everything else.
pub fn only(class: &str, ids: &[String]) {
    let document = gloo::utils::document();
    let marked = document.get_elements_by_class_name(class);
    while let Some(element) = marked.item(0) {
        // The class is a valid token; the live collection shrinks.
        let _ = element.class_list().remove_1(class);
    }
    for id in ids {
        let quoted = id.replace(['\\', '"'], "");
        let Ok(found) = document.query_selector_all(&format!(".canvas [{THING}=\"{quoted}\"]")) else {
            continue;
        };
        for index in 0..found.length() {
            if let Some(element) = found.item(index).and_then(|node| node.dyn_into::<Element>().ok()) {
                let _ = element.class_list().add_1(class);
            }
        }
    }
}

fn mark(element: &Element, lit: bool) {
    let done: Result<bool, JsValue> = element.class_list().toggle_with_force("lit", lit);
    debug_assert!(done.is_ok(), "the class is a valid token");
}
