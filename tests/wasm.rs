//! What must hold inside a real browser's WebAssembly, run by `wasm-pack test --headless --chrome`.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn the_page_mounts() {
    let document = gloo::utils::document();
    let root = document.create_element("div").expect("a div can be made");
    root.set_id("app");
    document.body().expect("a test page has a body").append_child(&root).expect("a body takes children");
    portside::ui::mount();
    // Yew renders in a microtask: one later than ours would be, so wait for two.
    for _ in 0..2 {
        let turn = js_sys::Promise::resolve(&JsValue::NULL);
        JsFuture::from(turn).await.expect("a resolved promise resolves");
    }
    let text = root.text_content().unwrap_or_default();
    assert!(text.contains("Portside"), "the page shows {text:?}");
}
