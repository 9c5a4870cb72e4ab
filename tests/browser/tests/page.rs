//! The page as a whole.

use portside_browser_tests::visit;
use serde_json::{Value, json};

#[test]
fn the_page_opens_under_a_sub_path_and_asks_nobody_else_for_anything() {
    visit("opens", |page| {
        page.find("main", "");
        let requests = page.requests();
        assert!(requests.iter().any(|url| url.ends_with(".wasm")), "the program was loaded: {requests:?}");
    });
}

/// Everything that is needed to type the first command, by brotli: the editor script comes later. The goal is
/// 300 KB; this holds what is reached so far, so that it only shrinks.
const FIRST_LOAD_LIMIT_BYTES: usize = 910_000;

#[test]
fn the_first_load_does_not_grow() {
    visit("first-load", |page| {
        page.find("textbox", "Terminal");
        let bytes = page.loaded_bytes();
        assert!(bytes <= FIRST_LOAD_LIMIT_BYTES, "{bytes} bytes; PORTSIDE_SIZES=1 lists the files");
    });
}

/// An overflow of no pixels.
fn fits(overflow: &Value) -> bool {
    overflow.as_f64().is_some_and(|by| by <= 0.0)
}

#[test]
fn one_screen_holds_it_all() {
    visit("sizes", |page| {
        page.find("main", "");
        let overflow = "const page = document.scrollingElement;
                        return [page.scrollWidth - innerWidth, page.scrollHeight - innerHeight];";
        for (width, height) in [(1280, 720), (1440, 900), (3840, 2160)] {
            page.size(width, height);
            let by = page.script(overflow, &[]);
            assert!(fits(&by[0]) && fits(&by[1]), "{width} by {height}: {by}");
        }
        // A phone may scroll down, never sideways.
        page.size(360, 740);
        let by = page.script(overflow, &[]);
        assert!(fits(&by[0]), "360 wide: {by}");
    });
}

#[test]
fn the_policy_forbids_inline_scripts() {
    visit("policy", |page| {
        let ran = page.script(
            "const script = document.createElement('script');
             script.textContent = 'globalThis.inlineScriptRan = true';
             document.body.append(script);
             return globalThis.inlineScriptRan === true;",
            &[],
        );
        assert_eq!(ran, json!(false));
        let refused = page.console_errors();
        assert!(
            refused.iter().any(|error| error.contains("inline script")),
            "the browser says so: {refused:?}"
        );
        page.forget_errors();
    });
}
