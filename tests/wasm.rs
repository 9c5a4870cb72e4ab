//! What must hold inside a real browser's WebAssembly, run by `wasm-pack test --headless --chrome`.
#![cfg(target_arch = "wasm32")]

use portside::ui::Page;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{
    Element, Event, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent, KeyboardEventInit,
};

wasm_bindgen_test_configure!(run_in_browser);

/// A mounted page of its own, with a session of its own; gone when dropped.
struct Mounted {
    root: Element,
    app: Option<yew::AppHandle<Page>>,
}

impl Mounted {
    async fn new() -> Self {
        let window = gloo::utils::window();
        let storage = window.local_storage().expect("a page may have a storage").expect("it has one");
        storage.clear().expect("it can be emptied");
        storage.set_item("portside", r#"{"version":1,"language":"en"}"#).expect("it has room");
        let document = gloo::utils::document();
        let root = document.create_element("div").expect("a div can be made");
        root.set_attribute("style", "width:1200px;height:800px").expect("a style can be set");
        document.body().expect("a test page has a body").append_child(&root).expect("a body takes children");
        let app = Some(portside::ui::mount_in(root.clone()));
        let mounted = Self { root, app };
        wait(50).await;
        mounted
    }

    fn find(&self, selector: &str) -> Element {
        let found = self.root.query_selector(selector).expect("the selector is valid");
        found.unwrap_or_else(|| panic!("no {selector} in {}", self.text()))
    }

    fn count(&self, selector: &str) -> u32 {
        self.root.query_selector_all(selector).expect("the selector is valid").length()
    }

    fn text(&self) -> String {
        self.root.text_content().unwrap_or_default()
    }

    fn click(&self, selector: &str) {
        self.find(selector).unchecked_into::<HtmlElement>().click();
    }

    fn log(&self) -> String {
        self.find("[role=log]").text_content().unwrap_or_default()
    }

    fn key(&self, key: &str, control: bool) {
        let how = KeyboardEventInit::new();
        how.set_key(key);
        how.set_ctrl_key(control);
        how.set_bubbles(true);
        how.set_cancelable(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &how)
            .expect("a key event can be made");
        self.find("#terminal-input").dispatch_event(&event).expect("it can be dispatched");
    }

    async fn type_line(&self, line: &str) {
        let input: HtmlInputElement = self.find("#terminal-input").unchecked_into();
        input.set_value(line);
        self.key("Enter", false);
        wait(80).await;
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            app.destroy();
        }
        self.root.remove();
    }
}

async fn wait(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |done, _| {
        gloo::utils::window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&done, milliseconds)
            .expect("a timer can be set");
    });
    JsFuture::from(promise).await.unwrap_or(JsValue::NULL);
}

#[wasm_bindgen_test]
async fn the_page_shows_the_living_world_on_its_map() {
    let page = Mounted::new().await;
    assert!(page.text().contains("Portside"));
    assert_eq!(page.count(".node"), 3);
    assert!(page.count(".pod.ready") >= 4, "three Pods, their client and CoreDNS: {}", page.text());
    assert_eq!(page.count("path.line[data-service='Service/demo/web']"), 3);
}

#[wasm_bindgen_test]
async fn a_line_typed_in_the_terminal_is_answered_at_once() {
    let page = Mounted::new().await;
    page.type_line("echo one two").await;
    let log = page.log();
    assert!(log.contains("echo one two") && log.ends_with("one two"), "{log:?}");
    assert_eq!(page.find("[role=log]").get_attribute("aria-busy").as_deref(), Some("false"));
    page.key("ArrowUp", false);
    let input: HtmlInputElement = page.find("#terminal-input").unchecked_into();
    assert_eq!(input.value(), "echo one two", "Up brings the line back");
}

#[wasm_bindgen_test]
async fn control_c_stops_a_command_that_runs() {
    let page = Mounted::new().await;
    page.type_line("sleep 1000").await;
    assert_eq!(page.find("[role=log]").get_attribute("aria-busy").as_deref(), Some("true"));
    page.key("c", true);
    wait(60).await;
    assert_eq!(page.find("[role=log]").get_attribute("aria-busy").as_deref(), Some("false"));
    assert!(page.log().contains("^C"), "{}", page.log());
}

#[wasm_bindgen_test]
async fn what_is_wrong_with_a_manifest_is_said_beside_it() {
    let page = Mounted::new().await;
    let area: HtmlTextAreaElement = page.find("textarea").unchecked_into();
    area.set_value("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  prots: []\n");
    let typed = Event::new("input").expect("an event can be made");
    area.dispatch_event(&typed).expect("it can be dispatched");
    wait(400).await;
    let mark = page.find(".findings .mark").text_content().unwrap_or_default();
    assert!(mark.contains("line 6") && mark.contains("spec.prots"), "{mark}");
}

#[wasm_bindgen_test]
async fn a_selected_service_is_inspected_and_the_language_changes() {
    let page = Mounted::new().await;
    page.click(".pill[data-thing='Service/demo/web']");
    wait(60).await;
    let inspector = page.find("section[aria-label=Inspector]").text_content().unwrap_or_default();
    assert!(inspector.contains("app=web") && inspector.contains("ClusterIP"), "{inspector}");
    assert_eq!(page.count(".endpoints tr.ready"), 3);
    page.click(".top-bar .text-button[lang]");
    wait(60).await;
    assert!(page.text().contains("选择算符"), "{}", page.text());
}

#[wasm_bindgen_test]
async fn what_is_pasted_or_printed_is_never_markup() {
    let page = Mounted::new().await;
    page.type_line("echo '<img src=x onerror=alert(1)><b>bold</b>'").await;
    assert!(page.log().contains("<b>bold</b>"), "{}", page.log());
    assert_eq!(page.count("[role=log] b, [role=log] img"), 0);
}
