//! The page: components over a simulated cluster. Only in the browser.

use wasm_bindgen::UnwrapThrowExt as _;
use yew::prelude::{Html, component, html};

/// Mounts the page into the element with the id `app` of index.html.
pub fn mount() {
    let root = gloo::utils::document()
        .get_element_by_id("app")
        .expect_throw("index.html has an element with the id app");
    yew::Renderer::<Page>::with_root(root).render();
}

/// The whole page.
#[component]
fn Page() -> Html {
    html! { <main><h1>{ "Portside" }</h1></main> }
}
