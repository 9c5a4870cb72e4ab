//! What happens when the engine panics all the same.
//!
//! After a panic nothing of the program may run again. The page's own script then says so; the person's
//! text is already saved, and a reload goes on from the last good state.

use wasm_bindgen::JsValue;

/// Tells the page's script of panics.
pub fn set() {
    yew::set_custom_panic_hook(Box::new(|panic| {
        let page = js_sys::Reflect::get(&js_sys::global(), &"portside".into()).unwrap_or(JsValue::UNDEFINED);
        super::dom::call(&page, "crashed", &[panic.to_string().into()]);
    }));
}
