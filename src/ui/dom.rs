//! Small bridges to the browser that several components need.

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement};
use yew::NodeRef;

/// Milliseconds of the browser's monotonic clock.
pub fn milliseconds() -> f64 {
    gloo::utils::window().performance().map_or(0.0, |performance| performance.now())
}

/// Whether the person prefers less motion.
pub fn reduced_motion() -> bool {
    matches_media("(prefers-reduced-motion: reduce)")
}

/// Whether a media query holds now.
pub fn matches_media(query: &str) -> bool {
    gloo::utils::window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// Puts the focus on an element.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// Puts the focus on the element of an id.
pub fn focus_by_id(id: &str) {
    let element = gloo::utils::document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// The text of an input.
pub fn value(node: &NodeRef) -> String {
    node.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

/// Sets the text of an input and puts the cursor behind it.
pub fn set_value(node: &NodeRef, text: &str) {
    if let Some(input) = node.cast::<HtmlInputElement>() {
        input.set_value(text);
    }
}

/// Selects the whole text of an input: what is typed next takes its place.
pub fn select(node: &NodeRef) {
    if let Some(input) = node.cast::<HtmlInputElement>() {
        input.select();
    }
}

/// Sets the text of a textarea, unless it is the same: the cursor then stays.
pub fn set_area(node: &NodeRef, text: &str) {
    if let Some(area) = node.cast::<HtmlTextAreaElement>()
        && area.value() != text
    {
        area.set_value(text);
    }
}

/// The byte at which the UTF-16 unit number `units` begins.
pub fn byte_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (at, character) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += character.len_utf16();
    }
    text.len()
}

/// The nearest element around an event's target that has an attribute, and the attribute's value.
pub fn around(event: &web_sys::Event, attribute: &str) -> Option<(Element, String)> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let element = target.closest(&format!("[{attribute}]")).ok().flatten()?;
    let value = element.get_attribute(attribute)?;
    Some((element, value))
}

/// Calls a method of a script's object.
pub fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let function = js_sys::Reflect::get(object, &method.into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
    function.apply(object, &arguments.iter().collect()).ok()
}

/// What the page's own script (`assets/boot.js`) offers under a name.
pub fn of_page(name: &str) -> Option<JsValue> {
    let page = js_sys::Reflect::get(&js_sys::global(), &"portside".into()).ok()?;
    js_sys::Reflect::get(&page, &name.into()).ok()
}

/// Calls what the page's own script offers under a name.
pub fn call_page(name: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let function = of_page(name)?.dyn_into::<js_sys::Function>().ok()?;
    function.apply(&JsValue::UNDEFINED, &arguments.iter().collect()).ok()
}

/// A plain object of a script.
pub fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh plain object does not fail.
        let _ = js_sys::Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
